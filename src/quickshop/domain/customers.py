"""Customers: who buys and where it goes. Guests need no account."""

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
"""Addresses that a customer may keep."""

MIN_EMAIL_LENGTH: Final = 3
MAX_LOCAL_PART_LENGTH: Final = 64
"""Characters before the @ of an e-mail address (RFC 5321, 4.5.3.1.1)."""
MAX_MAIL_DOMAIN_LENGTH: Final = 185
MAX_EMAIL_LENGTH: Final = MAX_LOCAL_PART_LENGTH + 1 + MAX_MAIL_DOMAIN_LENGTH
"""Characters in an e-mail address; no more than RFC 5321 allows (4.5.3.1.3)."""

# Deliverability is the mail server's to say; this keeps out what no server would take, and every
# character that could end a mail header.
_EMAIL: Final = re.compile(
    rf"[^@\s\x00-\x20\x7f<>(),;:\\\"\[\]]{{1,{MAX_LOCAL_PART_LENGTH}}}"
    rf"@[A-Za-z0-9.-]{{1,{MAX_MAIL_DOMAIN_LENGTH}}}"
)


ERASED_DOMAIN: Final = "erased.invalid"


def erased_email(id: UUID) -> str:
    """What stands where the address of somebody stood who is to be forgotten."""
    return f"erased-{id}@{ERASED_DOMAIN}"


def is_erased(email: str) -> bool:
    """Whether nobody is behind this address any more."""
    return email.endswith(f"@{ERASED_DOMAIN}")


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

    @classmethod
    def nowhere(cls, country: str) -> Address:
        """What is left of an address when its owner is to be forgotten: the country."""
        return cls(name="-", line1="-", city="-", postal_code="-", country=country)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedAddress:
    """An address in a customer's book."""

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
    """Whether a cart or an order opens to a shopper with this digest of a secret and this id.

    A customer's opens to that customer alone, whatever secret is shown. A guest's, which has no
    `owner`, opens to each shopper with its secret.
    """
    return secret_digest == token_digest if owner is None else owner == customer_id


class ConsentPurpose(StrEnum):
    """What a customer may allow the shop to do."""

    MARKETING = "marketing"
    """Mails that are not about an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a customer said, and when. Never overwritten: it is evidence."""

    purpose: ConsentPurpose
    granted: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent(DomainEvent):
    """Something about one customer."""

    customer_id: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerJoined(CustomerEvent):
    """The shop has a customer more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged(CustomerEvent):
    """Profile, addresses or consent are other ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerErased(CustomerEvent):
    """All that told who it was is gone."""


@dataclass(slots=True, eq=False, kw_only=True)
class Customer(Aggregate):
    """Whoever has an account, as the shop knows them. The id is that of the account."""

    id: CustomerId
    created_at: datetime
    name: str = ""
    phone: str | None = None
    addresses: tuple[SavedAddress, ...] = ()
    consents: tuple[Consent, ...] = ()

    @classmethod
    def register(cls, *, id: CustomerId, name: str, now: datetime) -> Customer:
        """Get to know somebody.

        Raises:
            InvalidValueError: the name is no text of a line.
        """
        customer = cls(id=id, created_at=now)
        customer.rename(name)
        customer._record(CustomerJoined(customer_id=id, occurred_at=now))
        return customer

    def rename(self, name: str) -> None:
        """Be called this; empty is allowed. Whoever calls it records why.

        Raises:
            InvalidValueError: the name is no text of a line.
        """
        if name:
            require_text("name", name, max_length=MAX_FIELD_LENGTH)
        self.name = name

    def update_profile(self, *, name: str | None, phone: str | None, now: datetime) -> None:
        """Change the profile; None leaves a part as it is, empty clears it.

        Raises:
            InvalidValueError: with the field that is wrong.
        """
        if name is not None:
            self.rename(name)
        if phone is not None:
            if phone:
                require_text("phone", phone, max_length=MAX_FIELD_LENGTH)
            self.phone = phone or None
        self._changed(now)

    def save_address(self, saved: SavedAddress, *, now: datetime) -> None:
        """Add an address, or replace the one of the same id. The first one is the default.

        Raises:
            InvalidValueError: the book is full.
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
        """Whether an address is in the book.

        Raises:
            NotFoundError: it is not.
        """
        if address_id not in {each.id for each in self.addresses}:
            raise NotFoundError("address")

    def remove_address(self, address_id: SavedAddressId, *, now: datetime) -> None:
        """Take an address out of the book.

        Raises:
            NotFoundError: it is not in it.
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
        """Allow something, or take that back. Saying the same again changes nothing."""
        if self.allows(purpose) is not granted:
            self.consents = (*self.consents, Consent(purpose=purpose, granted=granted, at=now))
            self._changed(now)

    def allows(self, purpose: ConsentPurpose) -> bool:
        """What was said last; nothing was allowed before anything was said."""
        latest = {consent.purpose: consent.granted for consent in self.consents}
        return latest.get(purpose, False)

    def erase(self, *, now: datetime) -> None:
        """Forget all that tells who it was."""
        self.name, self.phone, self.addresses, self.consents = "", None, (), ()
        self._record(CustomerErased(customer_id=self.id, occurred_at=now))

    def _changed(self, now: datetime) -> None:
        self._record(CustomerChanged(customer_id=self.id, occurred_at=now))
