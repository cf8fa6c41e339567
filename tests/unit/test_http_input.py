"""Nonsense over HTTP: refused with a problem, never a 5xx, and never repeated to its sender."""

import json
from collections.abc import Iterator

import pytest

from tests.http_client import Web, assert_problem, open_web, order_form

MARK = "n0nsense"
"""Stands in every hostile body that has room for it, and must stand in no answer."""

HOSTILE = {
    "empty": b"",
    "white": b"  ",
    "text": MARK.encode(),
    "cut off": b'{"sku": "n0nsense"',
    "trailing": b'{"sku": "n0nsense"} {}',
    "single quotes": b"{'sku': 'n0nsense'}",
    "array": b'["n0nsense"]',
    "string": b'"n0nsense"',
    "number": b"17",
    "true": b"true",
    "NaN": b'{"quantity": NaN, "n0nsense": 1}',
    "Infinity": b'{"quantity": -Infinity, "n0nsense": 1}',
    "1e400": b'{"quantity": 1e400, "n0nsense": 1}',
    "endless integer": b'{"quantity": ' + b"9" * 5000 + b', "n0nsense": 1}',
    "twice": b'{"sku": "n0nsense", "sku": "n0nsense2"}',
    "twice, deep": b'{"payment": {"token": "n0nsense", "token": "x"}}',
    "NUL": b'{"sku": "n0nsense\\u0000", "reason": "\\u0000", "token": "\\u0000", "method": "c"}',
    "NUL name": b'{"n0nsense\\u0000": 1}',
    "raw NUL": b'{"sku": "n0nsense\x00"}',
    "surrogate": b'{"sku": "n0nsense\\ud800", "reason": "\\udc00", "quantity": 1}',
    "not UTF-8": b'{"sku": "n0nsense\xff"}',
    "encoded surrogate": b'{"sku": "n0nsense\xed\xa0\x80"}',
    "UTF-16": '{"sku": "n0nsense"}'.encode("utf-16"),
    "BOM": b'\xef\xbb\xbf{"sku": "n0nsense"}',
    "deep arrays": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "wide": b'{"sku": "n0nsense", "quantity": [' + b"1," * 20_000 + b"1]}",
    "wide and empty": b'{"sku": "n0nsense", "quantity": [' + b"[]," * 50_000 + b"1]}",
    "many names": b'{"n0nsense": 1' + b"".join(b',"%d":1' % n for n in range(10_000)) + b"}",
    "large integer": b'{"sku": "n0nsense", "quantity": ' + b"9" * 4000 + b"}",
    "huge integer": b'{"quantity": 1' + b"0" * 100_000 + b', "n0nsense": 1}',
    "deep enough": b'{"sku": ' + b"[" * 17 + b"]" * 17 + b', "n0nsense": 1}',
    "prototype": b'{"__proto__": {"n0nsense": 1}, "__class__": "n0nsense"}',
    "wrong types": b'{"sku": {"n0nsense": 1}, "quantity": [], "email": 1, "token": {}}',
    "unknown": b'{"sku": "MUG-1", "quantity": 1, "n0nsense": {"n0nsense": []}}',
    "sql": b'{"sku": "\' OR 1=1; --n0nsense", "quantity": "1; DROP TABLE orders"}',
}

WRITES = {
    "add_cart_line": ("POST", "/v1/carts/{cart}/lines"),
    "change_cart_line": ("PATCH", "/v1/carts/{cart}/lines/{line}"),
    "place_order": ("POST", "/v1/carts/{cart}/checkout"),
    "cancel_own_order": ("POST", "/v1/orders/{order}/cancel"),
    "pay_order_again": ("POST", "/v1/orders/{order}/payments"),
}
BODILESS = {
    "create_cart": ("POST", "/v1/carts"),
    "remove_cart_line": ("DELETE", "/v1/carts/{cart}/lines/{line}"),
}


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with open_web() as web:
        web.stock("MUG-1", units=1000)
        yield web


@pytest.fixture(scope="module")
def names(web: Web) -> dict[str, str]:
    """Ids that exist, so that nothing is refused for another reason than its body."""
    basket = web.cart(("MUG-1", 1))
    [line] = web.client.get(basket.url, headers=basket.headers).json()["lines"]
    receipt = web.order(("MUG-1", 1), pay_with="tok_declined")
    web.shop.run_jobs()
    return {
        "cart": basket.id,
        "line": line["id"],
        "order": receipt.id,
        "X-Cart-Token": basket.token,
        "X-Order-Token": receipt.token,
    }


def send(web: Web, names: dict[str, str], route: tuple[str, str], body: object, **headers: str):
    method, path = route
    secrets = {name: names[name] for name in ("X-Cart-Token", "X-Order-Token")}
    usual = {"Content-Type": "application/json", "Idempotency-Key": "key"}
    return web.client.request(
        method, path.format(**names), content=body, headers=usual | secrets | headers
    )


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("route", WRITES.values(), ids=WRITES)
def test_nonsense_is_refused_and_not_repeated(
    web: Web, names: dict[str, str], route: tuple[str, str], body: bytes
):
    if body == b"" and route == WRITES["cancel_own_order"]:
        body = b"[]"  # no body at all is fine there
    answer = send(web, names, route, body)
    assert answer.status_code in {400, 404, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert MARK not in answer.text
    order = web.client.get(
        f"/v1/orders/{names['order']}", headers={"X-Order-Token": names["X-Order-Token"]}
    )
    assert order.json()["status"] == "payment_failed"


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("cancel_own_order", b'{"reason": "a", "reason": "a"}'),
        ("cancel_own_order", b'{"reason": "a\\u0000"}'),
        ("cancel_own_order", b'{"reason": "a\\ud83d"}'),
        ("cancel_own_order", b'{"reason": "\\ude00\\ud83d"}'),
        ("cancel_own_order", b'{"reason": "a\\u0000", "reason\\u0000": 1}'),
        ("cancel_own_order", b'{"reason": "a"}}'),
        ("cancel_own_order", b'{"reason": ' + b"[" * 16 + b"]" * 16 + b"}"),
        ("cancel_own_order", b'{"reason": [' + b"1," * 9_998 + b"1]}"),
        ("cancel_own_order", b'{"reason": [' + b"[0,0]," * 3_333 + b"1]}"),
        ("cancel_own_order", b'{"reason": 1' + b"0" * 100_000 + b"}"),
        ("add_cart_line", b'{"sku": "MUG-1", "quantity": NaN}'),
        ("add_cart_line", b'{"sku": "MUG-1", "quantity": 1e400}'),
        ("add_cart_line", b'{"sku": "MUG-1", "quantity": -1e400}'),
    ],
)
def test_json_that_readers_disagree_about_is_not_read(
    web: Web, names: dict[str, str], route: str, body: bytes
):
    assert_problem(send(web, names, WRITES[route], body), 400, "malformed_json")


def test_a_body_may_hold_as_much_as_it_ever_needs(web: Web, names: dict[str, str]):
    body = b'{"reason": [' + b"1," * 9_997 + b"1]}"
    assert_problem(send(web, names, WRITES["cancel_own_order"], body), 422, "invalid_request")


def test_commas_in_text_are_no_values(web: Web, names: dict[str, str]):
    text = r"\\,\"," + ",[{" * 20_000
    body = b'{"sku": "MUG-1", "reason": "' + text.encode() + b'"}'
    answer = send(web, names, WRITES["cancel_own_order"], body)
    assert_problem(answer, 422, "invalid_request")


def test_a_body_may_nest_as_deep_as_it_ever_needs(web: Web, names: dict[str, str]):
    body = b'{"reason": ' + b"[" * 15 + b"]" * 15 + b"}"
    assert_problem(send(web, names, WRITES["cancel_own_order"], body), 422, "invalid_request")


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_routes_that_take_no_body_do_not_mind_one(web: Web, names: dict[str, str], body: bytes):
    assert send(web, names, BODILESS["create_cart"], body).status_code == 201


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/vnd.api+json",
        "application/json; charset=latin-1",
        "application/json, text/html",
    ],
)
@pytest.mark.parametrize("route", WRITES.values(), ids=WRITES)
def test_bodies_are_json_or_nothing(
    web: Web, names: dict[str, str], route: tuple[str, str], content_type: str
):
    answer = send(web, names, route, b"{}", **{"Content-Type": content_type})
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json ; charset="utf-8"'],
)
def test_json_may_say_that_it_is_utf_8(web: Web, names: dict[str, str], content_type: str):
    body = b'{"sku": "MUG-1", "quantity": 1}'
    answer = send(web, names, WRITES["add_cart_line"], body, **{"Content-Type": content_type})
    assert answer.status_code == 200


@pytest.mark.parametrize("route", [*WRITES.values(), *BODILESS.values()], ids=WRITES | BODILESS)
def test_a_body_that_says_it_is_too_large_is_not_read(
    web: Web, names: dict[str, str], route: tuple[str, str]
):
    answer = send(web, names, route, b" " * (256 * 1024 + 1))
    assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("length", ["9" * 30, "262145"])
def test_an_absurd_length_is_believed_to_be_too_much(web: Web, names: dict[str, str], length: str):
    answer = send(web, names, WRITES["add_cart_line"], b"{}", **{"Content-Length": length})
    assert_problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("route", WRITES.values(), ids=WRITES)
def test_a_body_that_does_not_say_its_size_is_counted(
    web: Web, names: dict[str, str], route: tuple[str, str]
):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 10_000_000:
            sent += 4096
            yield b" " * 4096

    answer = send(web, names, route, endless())
    assert_problem(answer, 413, "body_too_large")


def test_a_body_of_exactly_256_kib_is_read(web: Web, names: dict[str, str]):
    body = b'{"sku": "MUG-1"}'.ljust(256 * 1024)
    assert send(web, names, WRITES["add_cart_line"], body).status_code == 200


def test_text_in_any_script_is_welcome(web: Web):
    name = 'Zoë "Ж" 😀 \\u0000'
    body = order_form()
    body["shipping_address"]["name"] = name
    basket = web.cart(("MUG-1", 1))
    answer = web.client.post(
        f"{basket.url}/checkout",
        content=json.dumps(body, ensure_ascii=True),
        headers={
            **basket.headers,
            "Idempotency-Key": "key",
            "Content-Type": "application/json",
        },
    )
    assert answer.json()["shipping_address"]["name"] == name


@pytest.mark.parametrize("name", ["X-Cart-Token", "X-Order-Token"])
@pytest.mark.parametrize("value", [b"\xff\xfe", b"x" * 8000, b"' OR 1=1 --"])
def test_hostile_tokens_open_nothing(web: Web, names: dict[str, str], name: str, value: bytes):
    kind = "cart" if name == "X-Cart-Token" else "order"
    answer = web.client.get(f"/v1/{kind}s/{names[kind]}", headers={name: value})
    assert_problem(answer, 404, "not_found")
