"""Money is exact."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from babel.numbers import list_currencies
from hypothesis import given
from hypothesis import strategies as st

from quickshop.domain.errors import CurrencyMismatchError, InvalidValueError
from quickshop.domain.money import MAX_MINOR, Money, exponent, total

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "KRW", "KWD", "TND"])
AMOUNTS = st.integers(-(MAX_MINOR - 1), MAX_MINOR - 1)
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any)

# ISO 4217:2015, list one, of the currencies that most shops of the world are run in.
EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF UYI",
    2: "AED ARS AUD BGN BRL CAD CHF CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR KES MAD MXN"
    " MYR NGN NOK NZD PEN PHP PKR PLN RON RSD SAR SEK SGD THB TRY TWD UAH USD UYU ZAR",
    3: "BHD IQD JOD KWD LYD OMR TND",
}


@pytest.mark.parametrize("digits", EXPONENTS)
def test_currencies_have_the_decimals_of_iso_4217(digits: int) -> None:
    for currency in EXPONENTS[digits].split():
        assert exponent(currency) == digits, currency


def test_the_currencies_with_other_decimals_all_exist() -> None:
    known = list_currencies()
    assert all(c in known for digits in (0, 3) for c in EXPONENTS[digits].split())


@given(AMOUNTS, CURRENCIES)
def test_an_amount_survives_being_written_and_read(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(str(money.decimal), currency) == money
    assert Money.parse(f" {money.decimal:f} ", currency) == money


@given(st.decimals(-(10**9), 10**9, places=4), CURRENCIES)
def test_reading_an_amount_loses_nothing_or_refuses(number: Decimal, currency: str) -> None:
    try:
        money = Money.parse(str(number), currency)
    except InvalidValueError:
        assert number != round(number, exponent(currency))
    else:
        assert money.decimal == number


@given(st.text(st.characters(exclude_categories=["N"]), max_size=12))
def test_text_without_a_digit_is_refused_politely(text: str) -> None:
    with pytest.raises(InvalidValueError, match="amount"):
        Money.parse(text, "EUR")


@given(st.text("0123456789.-+eE_ \u0663", max_size=12))
def test_whatever_looks_like_a_number_is_an_amount_or_refused(text: str) -> None:
    with suppress(InvalidValueError):
        assert Money.parse(text, "EUR").decimal == Decimal(text)


def test_no_digit_is_ever_rounded_away() -> None:
    with pytest.raises(InvalidValueError, match="2 decimals"):
        Money.parse("1." + "0" * 40 + "1", "EUR")
    assert Money.parse("1." + "0" * 40, "EUR") == Money(100, "EUR")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("36.00", "USD", 3600),
        ("36", "USD", 3600),
        (" 0.1 ", "USD", 10),
        ("-1.5", "USD", -150),
        ("1250", "JPY", 1250),
        ("1.234", "KWD", 1234),
        ("+.5", "USD", 50),
        ("000007.", "USD", 700),
        ("0" * 5000 + "1", "USD", 100),
        ("-0", "USD", 0),
        ("36.000", "USD", 3600),
    ],
)
def test_amounts_are_read(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "-",
        "1e3",
        "0e99999999999999999999",
        "1_000",
        "٣",
        "1 0",
        "1.2.3",
        "1,50",
        "12 €",
        "NaN",
        "Infinity",
        "-inf",
        "1e400",
        "0x10",
        "1.005",
        "1" * 16,
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError, match="amount"):
        Money.parse(text, "USD")


@pytest.mark.parametrize("text", ["0.5", "1.01"])
def test_yen_have_no_decimals(text: str) -> None:
    with pytest.raises(InvalidValueError, match="0 decimals in JPY"):
        Money.parse(text, "JPY")


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "E1R", "€€€", "EUR\n"])
def test_a_currency_is_an_iso_4217_code(currency: str) -> None:
    with pytest.raises(InvalidValueError, match="currency"):
        Money(1, currency)


@pytest.mark.parametrize("minor", [MAX_MINOR, -MAX_MINOR, 10**30])
def test_amounts_too_large_to_be_true_are_refused(minor: int) -> None:
    with pytest.raises(InvalidValueError):
        Money(minor, "EUR")


@given(AMOUNTS, WEIGHTS, CURRENCIES)
def test_splitting_loses_no_unit_and_is_fair(
    minor: int, weights: list[int], currency: str
) -> None:
    shares = Money(minor, currency).split(weights)
    assert total(shares, currency) == Money(minor, currency)
    for share, weight in zip(shares, weights, strict=True):
        exact = minor * weight / sum(weights)
        assert abs(share.minor - minor * weight // sum(weights)) <= 1
        assert abs(share.minor - exact) < 1 + abs(exact) * 1e-9
        if weight == 0:
            assert share.minor == 0


def test_what_rounding_leaves_goes_to_those_it_hurt_most() -> None:
    def split(minor: int, *weights: int) -> list[int]:
        return [share.minor for share in Money(minor, "EUR").split(weights)]

    assert split(100, 1, 1, 1) == [34, 33, 33]
    assert split(10, 1, 2) == [3, 7]
    assert split(-100, 1, 1, 1) == [-33, -33, -34]
    assert split(5, 0, 1) == [0, 5]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1]])
def test_weights_that_share_nothing_out_are_refused(weights: list[int]) -> None:
    with pytest.raises(InvalidValueError, match="weights"):
        Money(1, "EUR").split(weights)


def test_amounts_of_one_currency_add_and_compare() -> None:
    two, three = Money(2, "EUR"), Money(3, "EUR")
    assert (two + three, three - two, two * 3) == (Money(5, "EUR"), Money(1, "EUR"), three + three)
    assert two < three
    assert sorted([three, two]) == [two, three]
    assert total([], "EUR") == Money.zero("EUR")


def test_currencies_never_mix() -> None:
    euro, yen = Money(2, "EUR"), Money(3, "JPY")
    for mix in (
        lambda: euro + yen,
        lambda: euro - yen,
        lambda: euro < yen,
        lambda: total([euro], "JPY"),
    ):
        with pytest.raises(CurrencyMismatchError):
            mix()
    assert euro != Money(2, "USD")
