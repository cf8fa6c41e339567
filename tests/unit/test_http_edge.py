"""What is refused before it reaches the shop, and what every answer tells browsers and caches."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest
from httpx2 import Response
from starlette.types import Message, Receive, Scope, Send

from quickshop.domain.errors import TransientError
from quickshop.entrypoints.http.edge.body_limits import LARGE_BODIES, BodyLimit
from quickshop.entrypoints.http.edge.middleware import RequestEnvelope, RequestFacts, facts_of
from quickshop.entrypoints.http.edge.rules import Edge
from tests.http_client import Web, assert_problem, open_web

SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
STRICT = Edge(
    trusted_proxies=("127.0.0.0/8",),
    allowed_hosts=("shop.example", "*.shop.example", "127.0.0.1", "[::1]"),
    cors_origins=("https://www.shop.example",),
    require_https=True,
    body=BodyLimit(kib=1, seconds=0.05),
)


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    """A shop for whoever comes."""
    with open_web() as web:
        web.stock("MUG-1")
        yield web


@pytest.fixture(scope="module")
def strict() -> Iterator[Web]:
    with open_web(edge=STRICT) as web:
        yield web


class Inside:
    """An application behind the envelope that keeps what reaches it."""

    def __init__(self, edge: Edge) -> None:
        self._envelope = RequestEnvelope(self._answer, edge)
        self.seen: list[RequestFacts] = []

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        self.seen.append(facts_of(scope))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def ask(
        self,
        *headers: tuple[str, str],
        path: str = "/v1/products",
        method: str = "GET",
        version: str = "1.1",
        scheme: str = "http",
        receive: Receive | None = None,
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request, header by header; what came back."""
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def nothing() -> Message:
            return {"type": "http.request"}

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "http_version": version,
            "scheme": scheme,
            "client": ("127.0.0.1", 50_000),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }
        anyio.run(self._envelope, scope, receive or nothing, send)
        names = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], names, sent[1]["body"]


def assert_secured(answer: Response) -> None:
    """The answer has every header that every answer has."""
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY
    assert len(answer.headers.get_list("x-request-id")) == 1


ANSWERS = {
    "200": ("GET", "/v1/products", {}, 200),
    "201": ("POST", "/v1/carts", {}, 201),
    "HEAD": ("HEAD", "/v1/products", {}, 200),
    "304": ("GET", "/v1/products", {"If-None-Match": "*"}, 304),
    "redirect": ("GET", "/", {}, 307),
    "document": ("GET", "/openapi.json", {}, 200),
    "asset": ("GET", "/docs/assets/swagger-ui.css", {}, 200),
    "asset 404": ("GET", "/docs/assets/none.css", {}, 404),
    "no host": ("GET", "/v1/products", {"Host": "a b"}, 400),
    "404": ("GET", "/nothing", {}, 404),
    "no such cart": ("GET", "/v1/carts/01890000-0000-7000-8000-000000000000", {}, 404),
    "405": ("PUT", "/v1/carts", {}, 405),
    "OPTIONS": ("OPTIONS", "/v1/products", {}, 405),
    "TRACE": ("TRACE", "/v1/products", {}, 405),
    "413": ("POST", "/v1/carts", {"Content-Length": "9999999"}, 413),
    "415": ("POST", "/v1/carts/1/checkout", {"Content-Type": "text/plain"}, 415),
    "422": ("GET", "/v1/products?limit=0", {}, 422),
    "live": ("GET", "/health/live", {}, 200),
}


@pytest.mark.parametrize(("method", "url", "headers", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_the_security_headers(
    web: Web, method: str, url: str, headers: dict[str, str], status: int
):
    body = b"{" if method == "POST" else None
    answer = web.client.request(method, url, headers=headers, content=body)
    assert answer.status_code == status
    assert_secured(answer)
    assert "strict-transport-security" not in answer.headers
    if answer.headers.get("content-type") == "application/problem+json":
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status"), [(ZeroDivisionError(), 500), (TransientError(), 503)]
)
def test_failures_have_the_security_headers_too(error: Exception, status: int):
    with open_web() as web:
        web.break_use_case("carts", "create", error)
        answer = web.client.post("/v1/carts")
    assert answer.status_code == status
    assert_secured(answer)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("/v1/products", "no-cache"),
        ("/docs/assets/swagger-ui.css", "public, max-age=3600"),
        ("/docs", "no-store"),
        ("/openapi.json", "no-store"),
        ("/", "no-store"),
        ("/v1/orders", "no-store"),
    ],
)
def test_only_what_says_so_may_be_kept(web: Web, url: str, kept: str):
    assert web.client.get(url).headers.get_list("cache-control") == [kept]


def test_what_belongs_to_a_shopper_is_kept_by_nobody(web: Web):
    basket = web.cart(("MUG-1", 1))
    receipt = web.order()
    for url, headers in ((basket.url, basket.headers), (receipt.url, receipt.headers)):
        answer = web.client.get(url, headers=headers)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert receipt.answer.headers["cache-control"] == "no-store"


GOOD_HOSTS = (
    "shop.example",
    "SHOP.Example",
    "shop.example.",
    "shop.example:8443",
    "www.shop.example",
    "a.b.shop.example",
    "127.0.0.1:8000",
    "[::1]:8000",
)
OTHER_HOSTS = (
    "evil.example",
    "shop.example.evil.example",
    "evilshop.example",
    "shop-example",
    "localhost",
    "127.0.0.2",
    "[::2]",
)
BAD_HOSTS = (
    "",
    " ",
    ":80",
    ".",
    ".shop.example",
    "shop..example",
    "shop.example..",
    "shop.example:",
    "shop.example:http",
    "shop.example:123456",
    "shop.example:80:80",
    "shop.example/",
    "shop.example/../evil",
    "shop.example#",
    "shop.example?",
    "shop.example\\",
    "evil.example@shop.example",
    "shop.example evil.example",
    "shop.example,evil.example",
    "shop.example\x00",
    "shop.example\t",
    "http://shop.example",
    "[::1",
    "::1",
    "[::1]evil",
    "[shop.example]",
    "-shop.example",
    "<script>",
    "sh\xf6p.example",
    "\u212ashop.example",
    "x" * 300 + ".shop.example",
)


def secure(web: Web, method: str, url: str, **headers: str) -> Response:
    """Ask as a proxy does on behalf of somebody who came by HTTPS."""
    return web.client.request(method, url, headers={"Host": "shop.example", **headers})


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_the_shop_answers_to_its_names(host: str):
    inside = Inside(STRICT)
    status, _, _ = inside.ask(("Host", host), ("X-Forwarded-Proto", "https"))
    assert (status, len(inside.seen)) == (200, 1)


@pytest.mark.parametrize("host", OTHER_HOSTS)
def test_the_shop_does_not_answer_to_other_names(host: str):
    inside = Inside(STRICT)
    status, _, body = inside.ask(("Host", host), ("X-Forwarded-Proto", "https"))
    assert (status, inside.seen) == (400, [])
    assert b'"code":"host_not_allowed"' in body
    assert host.encode() not in body


@pytest.mark.parametrize("edge", [STRICT, Edge()], ids=["strict", "open"])
@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_host_that_is_none_is_refused_wherever_it_is_sent(edge: Edge, host: str):
    inside = Inside(edge)
    for path in ("/v1/products", "/health/live"):
        status, _, body = inside.ask(("Host", host), ("X-Forwarded-Proto", "https"), path=path)
        assert (status, b'"code":"bad_request"' in body, inside.seen) == (400, True, [])


@pytest.mark.parametrize("edge", [STRICT, Edge()], ids=["strict", "open"])
def test_two_hosts_are_none(edge: Edge):
    inside = Inside(edge)
    for second in ("shop.example", "evil.example"):
        status, _, _ = inside.ask(("Host", "shop.example"), ("Host", second))
        assert (status, inside.seen) == (400, [])


@pytest.mark.parametrize(
    ("version", "edge", "status"),
    [("1.1", Edge(), 400), ("1.0", Edge(), 200), ("1.0", STRICT, 400), ("2", Edge(), 400)],
)
def test_no_host_at_all_is_for_old_clients_of_a_shop_with_any_name(
    version: str, edge: Edge, status: int
):
    assert Inside(edge).ask(version=version)[0] == status


@pytest.mark.parametrize("path", ["http://evil.example/v1/products", "*", "", "v1/products"])
def test_a_target_that_is_no_path_is_refused(path: str):
    status, _, body = Inside(Edge()).ask(("Host", "shop.example"), path=path)
    assert (status, b"evil" in body) == (400, False)


@pytest.mark.parametrize("url", ["/", "/docs", "/nothing", "/v1/products", "/openapi.json"])
def test_nothing_that_the_shop_says_is_made_of_the_host_it_was_asked_by(web: Web, url: str):
    answer = web.client.get(url, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.test"})
    told = answer.text + str(answer.headers.multi_items())
    assert "evil" not in told


def test_what_comes_in_the_clear_is_refused_and_never_redirected(strict: Web):
    for method, url in (("GET", "/v1/products"), ("POST", "/v1/carts"), ("GET", "/docs")):
        answer = secure(strict, method, url)
        assert_problem(answer, 403, "https_required")
        assert "location" not in answer.headers
        assert_secured(answer)
        assert "strict-transport-security" not in answer.headers


def test_a_client_who_claims_to_have_come_by_https_is_not_believed(strict: Web):
    answer = secure(strict, "GET", "/v1/products", **{"X-Forwarded-Proto": "https"})
    assert_problem(answer, 403, "https_required")  # the client is no trusted proxy


@pytest.mark.parametrize("url", ["/health/live", "/health/ready"])
def test_probes_ask_in_the_clear_and_by_any_name(strict: Web, url: str):
    assert strict.client.get(url, headers={"Host": "10.1.2.3:8000"}).status_code == 200


def test_answers_by_https_say_that_there_is_nothing_else():
    by_proxy = Inside(STRICT).ask(("Host", "shop.example"), ("X-Forwarded-Proto", "https"))
    itself = Inside(Edge()).ask(("Host", "shop.example"), scheme="https")
    refused = Inside(STRICT).ask(("Host", "evil.example"), scheme="https")
    for _, headers, _ in (by_proxy, itself, refused):
        assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert (by_proxy[0], itself[0], refused[0]) == (200, 200, 400)


def test_routes_learn_what_was_found_out():
    inside = Inside(STRICT)
    inside.ask(
        ("Host", "www.shop.example"),
        ("X-Request-Id", "find-me"),
        ("X-Forwarded-For", "1.1.1.1, 2001:db8::7"),
        ("X-Forwarded-For", "127.0.0.2"),
        ("X-Forwarded-Proto", "https"),
    )
    [facts] = inside.seen
    assert (facts.request_id, facts.https) == ("find-me", True)
    assert (facts.client.text, facts.client.limit_subject) == ("2001:db8::7", "2001:db8::/64")


@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: b=c", "a\nb", "a,b"])
def test_a_request_id_cannot_write_headers(name: str):
    _, headers, _ = Inside(Edge()).ask(("Host", "a"), ("X-Request-Id", name))
    assert len(headers["x-request-id"]) == 32
    two = Inside(Edge()).ask(("Host", "a"), ("X-Request-Id", "a"), ("X-Request-Id", "b"))
    assert len(two[1]["x-request-id"]) == 32


def test_a_body_that_does_not_come_is_not_waited_for():
    async def never() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    with open_web(edge=STRICT) as web:
        envelope = web.client.app
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/payments/webhooks/stripe",
            "raw_path": b"",
            "query_string": b"",
            "root_path": "",
            "http_version": "1.1",
            "scheme": "https",
            "client": None,
            "headers": [(b"host", b"shop.example"), (b"content-length", b"5")],
        }
        anyio.run(envelope, scope, never, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert b'"code":"body_too_slow"' in sent[1]["body"]


def test_imports_may_bring_more_than_anything_else_and_take_longer():
    [(path, limit)] = LARGE_BODIES.items()
    assert (path, limit.size, limit.seconds) == ("/v1/admin/imports", 16 * 1024 * 1024, 300)
    usual = Edge().body
    assert (usual.size, usual.seconds) == (256 * 1024, 30)


@pytest.mark.parametrize(
    ("path", "fits"), [("/v1/admin/imports", True), ("/v1/admin/imports/", False), ("/v1", False)]
)
def test_the_exception_is_for_one_path_only(path: str, fits: bool):
    def sized(chunks: int) -> Receive:
        left = chunks

        async def receive() -> Message:
            nonlocal left
            left -= 1
            return {"type": "http.request", "body": b" " * 65_536, "more_body": left > 0}

        return receive

    host = ("Host", "a")
    inside = Inside(Edge())
    status, _, _ = inside.ask(host, path=path, method="POST", receive=sized(5))
    assert (status == 200) is fits
    status, _, _ = inside.ask(host, ("Content-Length", "300000"), path=path, method="POST")
    assert (status == 200) is fits
    for size in ("16777217", "9" * 40):
        status, _, _ = inside.ask(host, ("Content-Length", size), path=path, method="POST")
        assert status == 413
