"""Whom the shop writes to, and where it sends parcels."""

from __future__ import annotations

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from quickshop.domain.customers import COUNTRIES, normalize_email
from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import require_text
from tests.builders import an_address


def test_the_countries_are_those_of_iso_3166() -> None:
    assert len(COUNTRIES) == 249
    named = Locale("en").territories
    assert all(country in named for country in COUNTRIES)
    # Codes that CLDR knows besides: reserved, transitional and invented ones.
    besides = {code for code in named if len(code) == 2 and code.isalpha()} - COUNTRIES
    assert besides <= {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN"} | {
        "XA",
        "XB",
        "XK",
        "ZZ",
    }


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace+Shop@Example.COM ", "ada.lovelace+shop@example.com"),
        ("büro@example.org", "büro@example.org"),
        ("o'hara@mail.example", "o'hara@mail.example"),
    ],
)
def test_an_e_mail_address_is_trimmed_and_case_folded(text: str, email: str) -> None:
    assert normalize_email(text) == email
    assert normalize_email(email) == email


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@@example.com",
        "ada@exam ple.com",
        "ada@example.com\nBcc: all@example.com",
        "ada\r\n@example.com",
        "a..da@example.com",
        "<ada@example.com>",
        "ada@example.com, eve@example.com",
        "a" * 65 + "@example.com",
        "ada@" + "a" * 186,
        "ada\u200b@example.com",
    ],
)
def test_what_is_no_e_mail_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        normalize_email(text)
    assert caught.value.field == "email"


@given(st.text(max_size=40))
def test_no_address_that_passes_can_end_a_mail_header(text: str) -> None:
    try:
        email = normalize_email(text)
    except InvalidValueError:
        return
    assert email.isprintable()
    assert email.count("@") == 1
    assert not set(email) & set("\r\n<>,; ")


def test_an_address_may_leave_out_what_not_everybody_has() -> None:
    address = an_address(line2=None, region=None, phone=None)
    assert (address.line2, address.region, address.phone) == (None, None, None)


@pytest.mark.parametrize("field", ["name", "line1", "city", "postal_code"])
@pytest.mark.parametrize("value", ["", "  ", "two\nlines", "nul\x00", "x" * 201, "\ud800"])
def test_an_address_that_nobody_could_deliver_to_is_refused(field: str, value: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        an_address(**{field: value})
    assert caught.value.field == field


@pytest.mark.parametrize("field", ["line2", "region", "phone"])
def test_what_may_be_left_out_is_not_left_blank(field: str) -> None:
    with pytest.raises(InvalidValueError):
        an_address(**{field: " "})


@pytest.mark.parametrize("country", ["", "pl", "POL", "XX", "UK", "EU"])
def test_a_country_is_an_iso_3166_code(country: str) -> None:
    with pytest.raises(InvalidValueError, match="country"):
        an_address(country=country)


def test_the_offending_value_is_not_repeated() -> None:
    with pytest.raises(InvalidValueError) as caught:
        require_text("name", "secret\n", max_length=10)
    assert "secret" not in str(caught.value)
