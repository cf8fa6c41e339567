"""Redaction of secrets in logs and stored texts.

Values with a secret's name are removed whole; free text is searched for the forms of secrets. This
is a safety net: code must not log secrets in the first place.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from quickshop.domain.payments import looks_like_card_number

REMOVED: Final = "[removed]"

_LONG_NAMES: Final = (
    r"passw(?:or)?d|passphrase|secret|token|authorization|cookie|credential|api[-_ ]?key"
    r"|private[-_ ]?key"
)
_SHORT_NAMES: Final = r"card|cvv|cvc|pan|pin|pwd|pepper|signature"
_SECRET_NAME: Final = re.compile(rf"{_LONG_NAMES}|(?<![a-z])(?:{_SHORT_NAMES})s?(?![a-z])")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# Every repetition is bounded, so that no input makes the search slow.
_NAMED: Final = rf"(?:{_LONG_NAMES}|(?<![a-z])(?:{_SHORT_NAMES})(?![a-z]))[\w-]{{0,40}}"
_QUOTED: Final = r"""b?"(?:[^"\\\n]|\\+[^\\\n])*(?:"|$)|b?'(?:[^'\\\n]|\\+[^\\\n])*(?:'|$)"""
_QUOTED_AGAIN: Final = r"""\\+["'](?:[^"'\\\n]|\\+[^"'\\\n])*"""
_SENTENCE: Final = r"(?:must|may|is|are|was|has|not|no|the|an?|of)\b"
_SCHEME: Final = r"(?:bearer|basic|digest|token)\s+"

_NAMED_SECRET: Final = re.compile(
    rf"""
    (?P<name>
        # as in code, JSON, a query string, a dataclass, or an ASGI header
        {_NAMED}\\{{0,9}}["']?\s{{0,4}}(?:=(?!=)|(?<=["'])\s{{0,4}}[:,])\s{{0,4}}(?:SecretStr\()?
        # as in an HTTP header
      | (?:authorization|x-[\w-]{{0,40}}(?:token|key)):\s{{0,4}}
        # as in prose, unless a sentence follows
      | {_NAMED}:[ ](?!{_SENTENCE})
    )
    (?!\[removed\])
    (?:{_QUOTED}|{_QUOTED_AGAIN}|(?:{_SCHEME})?[^\s"',;&)}}\]\\]+)
    """,
    flags=re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_COOKIES: Final = re.compile(r"(?i)((?:set-)?cookie: ?)[^\n\"'\\]+")
_SHAPES: Final = re.compile(
    r"""
    (?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?:                # after an escaped line break, too
        qs[kor]_[\w-]+                                  # our own keys, tokens, mailed secrets
      | (?:sk|rk|pk)_(?:live|test)_\w+                  # Stripe's
      | whsec_[\w+/=-]+
      | (?:pm|tok)_\w+
      | (?:pi|seti|cs)_\w{1,99}_secret_\w+
      | ey[\w-]{8,2000}\.[\w-]+\.[\w-]*                 # a JWT begins with {" in base64
      | (?<![\w-])[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}    # and has three parts
    )
  | \$2[abxy]?\$\d\d\$[./A-Za-z0-9]+                    # bcrypt
    """,
    flags=re.VERBOSE,
)
_BEARER: Final = re.compile(r"(?i)\b(bearer)\s{1,4}[\w.~+/=-]{8,}")
_USER_INFO: Final = re.compile(r"(?<=://)(?:[^\s/?#]{0,500}|[^\s@:/]{0,200}:\S{0,500})@")
_EMAIL: Final = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# The row that PostgreSQL quotes in errors.
_ROW: Final = re.compile(r"(?<=Failing row contains )\(.*\)|(?<=\)=)\([^\n]*\)(?= )")
# The input that pydantic quotes in errors.
_INPUT: Final = re.compile(r"(?<=[\"']input[\"']: ).*|(?<=input_value=).*")
# A UUID is matched first, so that its digits do not count as a card number.
_CARD: Final = re.compile(
    r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
    r"|(?<![0-9A-Fa-f])([2-6](?:[ -]?\d){12,18})(?![0-9A-Fa-f])"
)

_HINTS: Final = tuple(
    "passw passph pwd secret token authori cookie credential api private x- card cvv cvc pan pin"
    " pepper signature qsk_ qsr_ qso_ k_live k_test whsec_ pm_ tok_ eyj eya bearer"
    " $2 @ failing )=( input".split()
)
_MANY_DIGITS: Final = re.compile(r"[2-6](?:[ -]?[0-9]){12}")
_LONG_PART: Final = re.compile(r"\.[\w-]{20}", flags=re.ASCII)


@lru_cache(maxsize=1024)
def names_a_secret(name: str) -> bool:
    """Return whether the value of this name is a secret."""
    return _SECRET_NAME.search(_CAMEL.sub("_", name).lower()) is not None


def may_hold_secrets(text: str) -> bool:
    """Return whether a text may need redaction. Fast, and true in case of doubt."""
    lowered = text.lower()
    if any(hint in lowered for hint in _HINTS):
        return True
    return bool(_LONG_PART.search(text) or _MANY_DIGITS.search(text))


def redact(text: str) -> str:
    """Return the text without secrets, card numbers and email addresses."""
    text = _USER_INFO.sub(f"{REMOVED}@", text)
    text = _COOKIES.sub(rf"\1{REMOVED}", text)
    text = _NAMED_SECRET.sub(rf"\g<name>{REMOVED}", text)
    text = _BEARER.sub(rf"\1 {REMOVED}", text)
    text = _SHAPES.sub(REMOVED, text)
    text = _EMAIL.sub(REMOVED, text)
    text = _ROW.sub(REMOVED, text)
    text = _INPUT.sub(REMOVED, text)
    return _CARD.sub(_without_card, text)


def _without_card(match: re.Match[str]) -> str:
    digits = match[1]
    return REMOVED if digits and looks_like_card_number(digits) else match[0]
