"""Addresses in JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from quickshop.domain.customers import COUNTRIES, MAX_FIELD_LENGTH, Address
from quickshop.entrypoints.http.models import Input, Output, within
from quickshop.entrypoints.http.texts import NOT_BLANK

Line = Annotated[str, Field(min_length=1, max_length=MAX_FIELD_LENGTH), NOT_BLANK]


class AddressIn(Input):
    """A shipping or billing address."""

    name: Annotated[Line, Field(examples=["Ada Lovelace"])]
    line1: Annotated[Line, Field(examples=["1 Main St"])]
    line2: Line | None = None
    city: Annotated[Line, Field(examples=["Reno"])]
    region: Annotated[Line | None, Field(examples=["NV"])] = None
    postal_code: Annotated[Line, Field(examples=["89501"])]
    country: Annotated[
        Line,
        Field(
            description="ISO 3166 alpha-2 code.",
            examples=["US"],
            json_schema_extra={"enum": sorted(COUNTRIES)},
        ),
    ]
    phone: Line | None = None

    def to_domain(self, field: str) -> Address:
        """Return the address as a domain address.

        Raises:
            InvalidValueError: the address is not deliverable; the error's field is in `field`.
        """
        with within(field):
            return Address(**dict(self))


class AddressOut(Output):
    """A shipping or billing address."""

    name: str
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str
    country: str
    phone: str | None
