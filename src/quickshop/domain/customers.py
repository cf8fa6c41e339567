"""Customers: who buys and where it goes. Accounts come with identity; guests need none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from quickshop.domain.errors import InvalidValueError

# ISO 3166-1 alpha-2, officially assigned.
COUNTRIES: Final = frozenset(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS
    GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
    VN VU WF WS YE YT ZA ZM ZW""".split()
)

MAX_FIELD_LENGTH: Final = 200
"""Characters in any one field of an address."""

# Deliverability is the mail server's to say; this keeps out what no server would take, and every
# character that could end a mail header.
_EMAIL: Final = re.compile(r"[^@\s\x00-\x20\x7f<>(),;:\\\"\[\]]{1,64}@[A-Za-z0-9.-]{1,185}")


def require_text(field: str, value: str, *, max_length: int) -> None:
    """Refuse text that is blank, too long, or holds what no printer or mail header can take.

    Raises:
        InvalidValueError: with `field` as given.
    """
    if not issubclass(type(value), str):
        raise InvalidValueError(field, "must be text")
    if not value.strip():
        raise InvalidValueError(field, "must not be blank")
    if len(value) > max_length:
        raise InvalidValueError(field, f"must have at most {max_length} characters")
    if not value.isprintable():
        raise InvalidValueError(field, "must hold printable characters only, on one line")


def normalize_email(text: str) -> str:
    """Trim and case-fold an e-mail address.

    Raises:
        InvalidValueError: it is not one.
    """
    email = text.strip().casefold()
    if not _EMAIL.fullmatch(email) or ".." in email or not email.isprintable():
        raise InvalidValueError("email", "must be an e-mail address such as ada@example.com")
    return email


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a parcel or a bill goes. `country` is an ISO 3166 alpha-2 code."""

    name: str
    line1: str
    city: str
    postal_code: str
    country: str
    line2: str | None = None
    region: str | None = None
    phone: str | None = None

    def __post_init__(self) -> None:
        """Refuse an address that nobody could deliver to.

        Raises:
            InvalidValueError: with the field that is wrong.
        """
        for field in ("name", "line1", "city", "postal_code"):
            require_text(field, getattr(self, field), max_length=MAX_FIELD_LENGTH)
        for field in ("line2", "region", "phone"):
            if (value := getattr(self, field)) is not None:
                require_text(field, value, max_length=MAX_FIELD_LENGTH)
        if self.country not in COUNTRIES:
            raise InvalidValueError("country", "must be an ISO 3166 alpha-2 code such as US")
