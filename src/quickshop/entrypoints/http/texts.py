"""The shop's rules for text in JSON Schema, so that the document states what the shop accepts.

The domain checks these rules and explains what is wrong with a value. A test compares both. The
patterns are ECMA-262 with the `u` flag, as JSON Schema recommends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


@dataclass(frozen=True, slots=True)
class Stated:
    """A rule for text, stated in the OpenAPI document and checked in the domain."""

    pattern: str
    is_forbidden: bool = False

    @property
    def rule(self) -> JsonSchemaValue:
        """The keywords that the schema of the text gets."""
        rule = {"pattern": self.pattern}
        return {"not": rule} if self.is_forbidden else rule

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema of the text with the rule."""
        return {**handler(schema), **self.rule}


_SHOWN: Final = r"\p{L}\p{M}\p{N}\p{P}\p{S}"
"""The characters that `str.isprintable` accepts, except the space."""
_ASSIGNED: Final = r"(?![\s\S]*[\u20f1-\u20ff])"
"""A gap in a block of marks, which tools that read `\\p{M}` as its blocks would fill."""
_PORT: Final = r"(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}))?"
_WEB_SITE: Final = rf"[!$%&()*+,.0-9;=A-Z_a-z~-]+{_PORT}"
_WEB_PAGE: Final = r"(?:[/?#][!#$%&()*+,./0-9:;=?@A-Z\[\]_a-z~-]*)?"
_PROSE: Final = rf"[{_SHOWN}\p{{Z}}\t\n\x0b\x0c\r\x1c-\x1f\x85]"

STORABLE: Final = Stated(r"\x00", is_forbidden=True)
"""Any text without NUL, which no database stores. As a pattern, it generates slowly."""
PRINTABLE: Final = Stated(rf"^{_ASSIGNED}[{_SHOWN} ]*$")
NOT_BLANK: Final = Stated(rf"^{_ASSIGNED}(?! *$)[{_SHOWN} ]*$")
EMPTY_OR_NOT_BLANK: Final = Stated(rf"^{_ASSIGNED}(?! +$)[{_SHOWN} ]*$")
PROSE: Final = Stated(rf"^{_ASSIGNED}{_PROSE}*$")
"""Printable text of several lines."""
PROSE_NOT_BLANK: Final = Stated(rf"^{_ASSIGNED}(?![\s\x1c-\x1f\x85]*$){_PROSE}*$")
EMAIL: Final = Stated(
    rf'^{_ASSIGNED}(?!.*\.\.)(?:(?![@<>(),;:\\"\[\]])[{_SHOWN}]){{1,64}}'
    r"@[A-Za-z0-9.-]{1,185}$"
)
VARIED: Final = Stated(
    r"^(?=(.)\1*(?!\1)(.)(?:\1|\2)*(?!\1|\2)(.)(?:\1|\2|\3)*(?!\1|\2|\3).)[^\x00-\x1f]*$"
)
"""A password: four different characters, and no control characters."""
CURSOR: Final = Stated(r"^[A-Za-z0-9_-]+$")
HANDLE: Final = Stated(rf"^{_ASSIGNED}(?:(?![/?#%\\])[{_SHOWN}])+$")
SLUG: Final = Stated(r"^[a-z0-9]+(?:-[a-z0-9]+)*$")
ROLE: Final = Stated(r"^[a-z][a-z0-9_]{1,39}$")
HTTPS_URL: Final = Stated(rf"^https://{_WEB_SITE}{_WEB_PAGE}$")
WEB_URL_OR_EMPTY: Final = Stated(rf"^(?:https?://{_WEB_SITE}{_WEB_PAGE})?$")
