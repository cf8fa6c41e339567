"""The documentation and the health of the API."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from quickshop.domain.errors import TransientError
from quickshop.entrypoints.http.health import Readiness
from tests.http_client import Web, api_document, assert_problem, open_web
from tests.people import Seconds
from tests.routes import ROUTES

UNTOLD = {"go_to_docs", "show_docs", "show_schema"}
"""What is not part of the API: its own description."""


@pytest.fixture
def web() -> Iterator[Web]:
    with open_web() as web:
        yield web


def test_every_operation_is_documented_under_the_name_of_its_use_case():
    schema = api_document()
    found = {
        (operation["operationId"], method.upper(), path)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    told = {(route.operation, route.method, route.path) for route in ROUTES}
    assert schema["openapi"].startswith("3.1")
    assert found == {each for each in told if each[0] not in UNTOLD}


def test_every_failure_is_documented_as_a_problem():
    schema = api_document()
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            assert {"400", "403", "500"} <= operation["responses"].keys(), path
            assert ("408" in operation["responses"]) is ("413" in operation["responses"]), path
            for status, answer in operation["responses"].items():
                if status >= "4":
                    [(media_type, content)] = answer["content"].items()
                    assert media_type == "application/problem+json"
                    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "HTTPValidationError" not in schema["components"]["schemas"]


def test_the_description_is_made_once_while_others_are_served(
    web: Web, monkeypatch: pytest.MonkeyPatch
):
    app, made = web.client.app, []
    describe = app.openapi

    def watched() -> dict[str, Any]:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        made.append(describe())
        return made[-1]

    monkeypatch.setattr(app, "openapi", watched)
    first, *others = (web.client.get("/openapi.json") for _ in range(3))
    assert {other.content for other in others} == {first.content}
    assert first.headers["content-type"] == "application/json"
    assert [first.json()] == made


def test_the_documentation_needs_no_other_server(web: Web):
    page = web.client.get("/docs").text
    assert not re.search(r"https?:|['\"]//", page)
    assets = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert len(assets) >= 3
    for asset in assets:
        answer = web.client.get(f"/{asset}")
        assert answer.status_code == 200
        assert len(answer.content) > 500


class Scripts(HTMLParser):
    """What of a page a browser would run or style it by."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.files: list[str] = []
        self.unlisted: list[str] = []
        """What no hash and no address can allow."""
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.unlisted += [name for name in given if name.startswith("on") or name == "style"]
        self.unlisted += [tag for _ in [1] if tag in {"style", "base", "iframe", "object"}]
        self._open = tag == "script" and "src" not in given
        if tag == "script" and given.get("src"):
            self.files.append(str(given["src"]))

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inline.append(data)
            self._open = False


def test_the_documentation_runs_only_what_its_policy_lists(web: Web):
    answer = web.client.get("/docs")
    [policy] = answer.headers.get_list("content-security-policy")
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    page = Scripts(answer.text)
    hashes = [
        f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
        for script in page.inline
    ]
    assert len(page.inline) == 1
    assert rules["script-src"] == ["'self'", *hashes]
    assert [file for file in page.files if re.match("[a-z]+:|//", file)] == []
    assert page.unlisted == []
    assert "unsafe" not in policy
    assert {rules[name][0] for name in ("default-src", "base-uri", "frame-ancestors")} == {
        "'none'"
    }
    assert rules["connect-src"] == ["'self'"]


def test_the_bare_address_leads_to_the_documentation(web: Web):
    answer = web.client.get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.url.path == "/docs"


def test_a_process_that_runs_is_live_whatever_the_database_does(web: Web):
    web.break_use_case("products", "list", TransientError("down"))
    answer = web.client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["cache-control"] == "no-store"


def test_a_shop_whose_database_answers_is_ready(web: Web):
    assert web.client.get("/health/ready").json() == {"status": "ok"}


@pytest.mark.parametrize("error", [TransientError("db-17 is down"), OSError("no route")])
def test_a_shop_whose_database_does_not_answer_is_not_ready(web: Web, error: Exception):
    web.break_use_case("products", "list", error)
    answer = web.client.get("/health/ready")
    assert_problem(answer, 503, "not_ready")
    assert answer.headers["retry-after"] == "1"
    assert str(error) not in answer.text


def test_however_many_ask_the_database_is_asked_once_a_second(web: Web):
    seconds = Seconds()
    web.client.app.state.readiness = Readiness(monotonic=seconds)
    assert web.client.get("/health/ready").status_code == 200
    web.break_use_case("products", "list", TransientError("down"))
    assert web.client.get("/health/ready").status_code == 200
    seconds.advance(1)
    assert web.client.get("/health/ready").status_code == 503
    web.client.app.state.shop = web.shop
    assert web.client.get("/health/ready").status_code == 503
    seconds.advance(1)
    assert web.client.get("/health/ready").status_code == 200
