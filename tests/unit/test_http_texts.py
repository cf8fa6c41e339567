"""Of every text the document says what the shop says."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import jsonschema_rs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quickshop.domain.catalog import slugify
from quickshop.domain.customers import normalize_email
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.identity.accounts import require_password
from quickshop.domain.identity.roles import Role
from quickshop.domain.values import (
    require_https_url,
    require_reason,
    require_text,
    require_web_address,
)
from quickshop.entrypoints.http import texts

UNASSIGNED = {"Cn", "Co", "Cs"}
"""Which characters these are is another matter with every version of Unicode."""

letters = st.characters(exclude_categories=["Cs"]).filter(
    lambda char: unicodedata.category(char) not in UNASSIGNED
)
any_text = st.text(letters, max_size=12) | st.text(" a\n\t\x00\x1f\u202e\xa0", max_size=6)


def accepts(check: Callable[[str], object]) -> Callable[[str], bool]:
    """Whether the shop takes a text."""

    def accepted(text: str) -> bool:
        try:
            check(text)
        except InvalidValueError:
            return False
        return True

    return accepted


def fits(stated: texts.Stated) -> Callable[[str], bool]:
    """Whether the document allows a text."""
    return jsonschema_rs.validator_for({"type": "string", **stated.rule}).is_valid


LINE = accepts(lambda text: require_text("line", text, max_length=200))


@pytest.mark.parametrize(
    ("stated", "taken"),
    [
        (texts.STORABLE, lambda text: "\0" not in text),
        (texts.PRINTABLE, str.isprintable),
        (texts.NOT_BLANK, LINE),
        (texts.EMPTY_OR_NOT_BLANK, lambda text: text == "" or LINE(text)),
        (texts.PROSE, accepts(require_reason)),
        (texts.PROSE_NOT_BLANK, lambda text: text.strip() and accepts(require_reason)(text)),
    ],
    ids=["storable", "printable", "not blank", "empty or not blank", "prose", "prose not blank"],
)
@given(text=any_text)
@example(text="")
@example(text="नमस्ते 東京 😀")
@example(text="two\nlines\x85\u2028")
def test_the_document_allows_what_the_shop_takes(
    stated: texts.Stated, taken: Callable[[str], object], text: str
) -> None:
    assert fits(stated)(text) is bool(taken(text))


@pytest.mark.parametrize(
    "email",
    [
        *(
            "ada@example.com",
            "ADA@EXAMPLE.COM",
            "zoë@example.com",
            "a+b.c'd@sub.example.com",
            "1@2",
        ),
        *(
            "",
            "ada",
            "@example.com",
            "ada@",
            "a@b@c",
            "a..b@example.com",
            "a@b..c",
            "a b@example.com",
        ),
        *("a@exämple.com", "a\n@example.com", "a,b@c", "<a@b>", f"{'a' * 65}@b", f"a@{'b' * 186}"),
    ],
)
def test_the_pattern_of_addresses_is_that_of_the_shop(email: str) -> None:
    assert fits(texts.EMAIL)(email) is accepts(normalize_email)(email)


@pytest.mark.parametrize(
    "password",
    ["abcdabcd", "correct horse", "aaaabbbb", "abababac", "abc\tdefg", "日本語の合言葉です"],
)
def test_the_pattern_of_passwords_is_that_of_the_shop(password: str) -> None:
    assert fits(texts.VARIED)(password) is accepts(require_password)(password)


URLS = [
    *(
        "https://example.com",
        "https://example.com/a?b=c#d",
        "https://a.example:8443/x",
        "https://x?y",
    ),
    *(
        "https://",
        "https:///x",
        "https://a b",
        "https://a:0",
        "https://a:99999",
        "https://a/<b>",
        "x",
    ),
]


@pytest.mark.parametrize("url", [*URLS, "http://example.com", "ftp://example.com", ""])
def test_the_patterns_of_urls_are_those_of_the_shop(url: str) -> None:
    is_picture = accepts(lambda url: require_https_url("url", url))
    assert fits(texts.HTTPS_URL)(url) is is_picture(url)
    is_page = accepts(lambda url: require_web_address("url", url))
    assert fits(texts.WEB_URL_OR_EMPTY)(url) is (url == "" or is_page(url))


@pytest.mark.parametrize("name", ["a", "ab", "order_manager", "a" * 41, "Ab", "1a", "a-b", ""])
def test_the_pattern_of_roles_is_that_of_the_shop(name: str) -> None:
    makes = accepts(lambda name: Role(name=name, permissions=frozenset()))
    assert fits(texts.ROLE)(name) is makes(name)


@pytest.mark.parametrize("slug", ["road-bikes", "a", "a-1", "-a", "a-", "a--b", "A", "ä", ""])
def test_the_pattern_of_slugs_is_that_of_the_shop(slug: str) -> None:
    assert fits(texts.SLUG)(slug) is (slug != "" and slugify(slug) == slug)
