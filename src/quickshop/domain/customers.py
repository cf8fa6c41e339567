"""Customers, with their addresses and consents. Guests need no account."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from quickshop.domain.errors import InvalidValueError, NotFoundError
from quickshop.domain.events import Aggregate, DomainEvent
from quickshop.domain.values import require_text

CustomerId = NewType("CustomerId", UUID)
SavedAddressId = NewType("SavedAddressId", UUID)

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
MAX_ADDRESSES: Final = 20
"""Addresses that a customer may save."""

MIN_EMAIL_LENGTH: Final = 3
MAX_LOCAL_PART_LENGTH: Final = 64
"""Characters before the @ of an email address (RFC 5321, 4.5.3.1.1)."""
MAX_MAIL_DOMAIN_LENGTH: Final = 185
MAX_EMAIL_LENGTH: Final = MAX_LOCAL_PART_LENGTH + 1 + MAX_MAIL_DOMAIN_LENGTH
"""Characters in an email address, within the limit of RFC 5321 (4.5.3.1.3)."""

# Only a mail server can check deliverability. This refuses what every server refuses, and every
# character that could end an email header.
_EMAIL: Final = re.compile(
    rf"[^@\s\x00-\x20\x7f<>(),;:\\\"\[\]]{{1,{MAX_LOCAL_PART_LENGTH}}}"
    rf"@[A-Za-z0-9.-]{{1,{MAX_MAIL_DOMAIN_LENGTH}}}"
)


ERASED_DOMAIN: Final = "erased.invalid"


def erased_email(id: UUID) -> str:
    """Return the text that replaces the email address of an erased person."""
    return f"erased-{id}@{ERASED_DOMAIN}"


def is_erased(email: str) -> bool:
    """Return whether the address is that of an erased person."""
    return email.endswith(f"@{ERASED_DOMAIN}")


def normalize_email(text: str) -> str:
    """Return an email address, trimmed and case-folded.

    Raises:
        InvalidValueError: the text is not an email address.
    """
    email = text.strip().casefold()
    if not _EMAIL.fullmatch(email) or ".." in email or not email.isprintable():
        raise InvalidValueError("email", "must be an email address such as ada@example.com")
    return email


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A shipping or billing address. `country` is an ISO 3166 alpha-2 code."""

    name: str
    line1: str
    city: str
    postal_code: str
    country: str
    line2: str | None = None
    region: str | None = None
    phone: str | None = None

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            InvalidValueError: for the first field with an invalid value.
        """
        for field in ("name", "line1", "city", "postal_code"):
            require_text(field, getattr(self, field), max_length=MAX_FIELD_LENGTH)
        for field in ("line2", "region", "phone"):
            if (value := getattr(self, field)) is not None:
                require_text(field, value, max_length=MAX_FIELD_LENGTH)
        if self.country not in COUNTRIES:
            raise InvalidValueError("country", "must be an ISO 3166 alpha-2 code such as US")

    @classmethod
    def nowhere(cls, country: str) -> Address:
        """Return an address without personal data: only the country is kept."""
        return cls(name="-", line1="-", city="-", postal_code="-", country=country)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAddress:
    """An address in a customer's address book."""

    id: SavedAddressId
    address: Address
    is_default: bool = False


def opens_to(
    owner: CustomerId | None,
    secret_digest: str,
    *,
    token_digest: str,
    customer_id: CustomerId | None,
) -> bool:
    """Return whether a shopper with this secret and customer id may open a cart or an order.

    That of a customer opens to this customer only, with any secret. That of a guest, which has no
    `owner`, opens with its secret.
    """
    return secret_digest == token_digest if owner is None else owner == customer_id


class ConsentPurpose(StrEnum):
    """A purpose that a customer can consent to."""

    MARKETING = "marketing"
    """Emails that are not about an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One consent or withdrawal of a customer. It is never overwritten, as it is evidence."""

    purpose: ConsentPurpose
    granted: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent(DomainEvent):
    """An event of one customer."""

    customer_id: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerJoined(CustomerEvent):
    """A customer registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged(CustomerEvent):
    """The profile, addresses or consents of a customer changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerErased(CustomerEvent):
    """The personal data of a customer was erased."""


@dataclass(slots=True, eq=False, kw_only=True)
class Customer(Aggregate):
    """A person with an account. The id is that of the account."""

    id: CustomerId
    created_at: datetime
    name: str = ""
    phone: str | None = None
    addresses: tuple[SavedAddress, ...] = ()
    consents: tuple[Consent, ...] = ()

    @classmethod
    def register(cls, *, id: CustomerId, name: str, now: datetime) -> Customer:
        """Create a customer.

        Raises:
            InvalidValueError: the name is not text of one line.
        """
        customer = cls(id=id, created_at=now)
        customer.rename(name)
        customer._record(CustomerJoined(customer_id=id, occurred_at=now))
        return customer

    def rename(self, name: str) -> None:
        """Change the name; it may be empty. The caller records the event.

        Raises:
            InvalidValueError: the name is not text of one line.
        """
        if name:
            require_text("name", name, max_length=MAX_FIELD_LENGTH)
        self.name = name

    def update_profile(self, *, name: str | None, phone: str | None, now: datetime) -> None:
        """Change the profile. None keeps a field, empty text clears it.

        Raises:
            InvalidValueError: for the first field with an invalid value.
        """
        if name is not None:
            self.rename(name)
        if phone is not None:
            if phone:
                require_text("phone", phone, max_length=MAX_FIELD_LENGTH)
            self.phone = phone or None
        self._changed(now)

    def save_address(self, saved: SavedAddress, *, now: datetime) -> None:
        """Add an address, or replace the one with the same id. The first address is the default.

        Raises:
            InvalidValueError: the customer has `MAX_ADDRESSES` other addresses.
        """
        others = [each for each in self.addresses if each.id != saved.id]
        if len(others) >= MAX_ADDRESSES:
            raise InvalidValueError("addresses", f"must be at most {MAX_ADDRESSES}")
        if saved.is_default:
            others = [replace(each, is_default=False) for each in others]
        place = [each.id for each in self.addresses]
        kept = [*others]
        kept.insert(place.index(saved.id) if saved.id in place else len(kept), saved)
        self._keep_addresses(kept, now)

    def require_address(self, address_id: SavedAddressId) -> None:
        """Check that an address is saved.

        Raises:
            NotFoundError: no saved address has this id.
        """
        if address_id not in {each.id for each in self.addresses}:
            raise NotFoundError("address")

    def remove_address(self, address_id: SavedAddressId, *, now: datetime) -> None:
        """Remove a saved address.

        Raises:
            NotFoundError: no saved address has this id.
        """
        kept = [each for each in self.addresses if each.id != address_id]
        if len(kept) == len(self.addresses):
            raise NotFoundError("address")
        self._keep_addresses(kept, now)

    def _keep_addresses(self, addresses: Iterable[SavedAddress], now: datetime) -> None:
        kept = tuple(addresses)
        if kept and not any(each.is_default for each in kept):
            kept = (replace(kept[0], is_default=True), *kept[1:])
        self.addresses = kept
        self._changed(now)

    def record_consent(self, purpose: ConsentPurpose, *, granted: bool, now: datetime) -> None:
        """Record a consent or its withdrawal. Recording the same again changes nothing."""
        if self.allows(purpose) is not granted:
            self.consents = (*self.consents, Consent(purpose=purpose, granted=granted, at=now))
            self._changed(now)

    def allows(self, purpose: ConsentPurpose) -> bool:
        """Return the latest answer for the purpose; False if there is none."""
        latest = {consent.purpose: consent.granted for consent in self.consents}
        return latest.get(purpose, False)

    def erase(self, *, now: datetime) -> None:
        """Erase the personal data."""
        self.name, self.phone, self.addresses, self.consents = "", None, (), ()
        self._record(CustomerErased(customer_id=self.id, occurred_at=now))

    def _changed(self, now: datetime) -> None:
        self._record(CustomerChanged(customer_id=self.id, occurred_at=now))
