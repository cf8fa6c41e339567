"""Checks of values that all contexts use: text, whole numbers, reasons and web addresses.

Each function raises an `InvalidValueError` with the given `field`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from quickshop.domain.errors import InvalidValueError

MAX_NAME_LENGTH: Final = 255
"""Characters in a handle, title, SKU, vendor, tag or category name."""
MAX_REASON_LENGTH: Final = 500
"""Characters in the reason of a cancellation or a refund."""
MAX_URL_LENGTH: Final = 2_000
"""Characters in the address of a web page or an image."""

_NEVER_IN_A_URL: Final = frozenset(" \"'<>\\^`{|}")


def require_text(field: str, value: str, *, max_length: int) -> None:
    """Check text of one line, which printers and email headers must accept.

    Raises:
        InvalidValueError: the value breaks the rule.
    """
    if not issubclass(type(value), str):
        raise InvalidValueError(field, "must be text")
    if not value.strip():
        raise InvalidValueError(field, "must not be blank")
    if len(value) > max_length:
        raise InvalidValueError(field, f"must have at most {max_length} characters")
    if not value.isprintable():
        raise InvalidValueError(field, "must contain only printable characters, on one line")


def require_name(field: str, value: str) -> None:
    """Check a name, as `require_text` with `MAX_NAME_LENGTH`.

    Raises:
        InvalidValueError: the value breaks the rule.
    """
    require_text(field, value, max_length=MAX_NAME_LENGTH)


def require_prose(field: str, value: str, *, max_length: int) -> None:
    """Check printable text of any number of lines. It may be empty.

    Raises:
        InvalidValueError: the value breaks the rule.
    """
    if not issubclass(type(value), str):
        raise InvalidValueError(field, "must be text")
    if len(value) > max_length or not " ".join(value.split()).isprintable():
        raise InvalidValueError(field, f"must be at most {max_length} printable characters")


def require_reason(reason: str) -> str:
    """Return a reason that a person wrote; it may be empty.

    Raises:
        InvalidValueError: the reason is too long, not printable, or not text.
    """
    require_prose("reason", reason, max_length=MAX_REASON_LENGTH)
    return reason


def require_whole(field: str, value: int) -> None:
    """Check a whole number at run time: 12.5 and True are not whole numbers.

    Raises:
        InvalidValueError: the value breaks the rule.
    """
    if type(value) is not int:
        raise InvalidValueError(field, "must be a whole number")


def require_between(field: str, value: int, lowest: int, highest: int) -> None:
    """Check a whole number from `lowest` to `highest`, both included.

    Raises:
        InvalidValueError: the value breaks the rule.
    """
    require_whole(field, value)
    if not lowest <= value <= highest:
        raise InvalidValueError(field, f"must be between {lowest} and {highest}")


def require_units(value: int, field: str = "quantity") -> None:
    """Check a whole number of at least 1.

    Raises:
        InvalidValueError: the value breaks the rule.
    """
    require_whole(field, value)
    if value < 1:
        raise InvalidValueError(field, "must be at least 1")


def is_web_address(url: str) -> bool:
    """Return whether `url` is an http or https URL that is safe in a page or an email.

    It has no user name and contains only ASCII; other characters must be percent-encoded.
    """
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    plain = url.isascii() and url.isprintable() and not set(url) & _NEVER_IN_A_URL
    return sound and plain and "@" not in parts.netloc and len(url) <= MAX_URL_LENGTH


def require_web_address(field: str, url: str) -> None:
    """Check an http or https URL.

    Raises:
        InvalidValueError: the value breaks the rule.
    """
    require_text(field, url, max_length=MAX_URL_LENGTH)
    if not is_web_address(url):
        raise InvalidValueError(field, "must be an http or https URL")


def is_https_url(url: str) -> bool:
    """Return whether `url` is an https URL that passes `is_web_address`."""
    return is_web_address(url) and urlsplit(url).scheme == "https"


def require_https_url(field: str, url: str) -> None:
    """Check an https URL.

    Raises:
        InvalidValueError: the value breaks the rule.
    """
    if not issubclass(type(url), str) or not is_https_url(url):
        raise InvalidValueError(field, "must be an https URL")
