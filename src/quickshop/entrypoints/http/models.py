"""Base classes of the JSON models, and responses made from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Final, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.entrypoints.http.dependencies import require_printable
from quickshop.entrypoints.http.texts import EMPTY_OR_NOT_BLANK, NOT_BLANK

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


_PRINTABLE: Final = AfterValidator(require_printable)

Line = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH), _PRINTABLE, NOT_BLANK]
OptionalLine = Annotated[str, Field(max_length=MAX_NAME_LENGTH), _PRINTABLE, EMPTY_OR_NOT_BLANK]
Sku = Annotated[Line, Field(examples=["CANDLE-BEE"])]
Id = Annotated[UUID, Field(strict=False)]
"""An id in a body, where it is text."""
Version = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="Change nothing if it was saved since.")
]


class Input(BaseModel):
    """A request body or a part of one. Values are not converted; unknown fields are refused."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class Output(BaseModel):
    """A response body, read from the view that a use case returns."""

    model_config = ConfigDict(from_attributes=True, frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, view: DataclassInstance, **more: Any) -> Self:
        """Create the model from a view and additional fields."""
        facts = {field.name: getattr(view, field.name) for field in fields(view)}
        return cls.model_validate({**facts, **more})

    def to_json(self) -> bytes:
        """Return the JSON bytes; equal views have equal bytes."""
        return self.model_dump_json().encode()


def private(
    answer: Output, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response for one caller, which must not be cached."""
    return private_json(answer.to_json(), status=status, headers=headers)


def private_json(
    body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return such a response from rendered JSON."""
    return Response(
        body,
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type="application/json",
    )


def nothing() -> Response:
    """Return an empty 204 response."""
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def replay_headers(*, replayed: bool) -> dict[str, str]:
    """Return the header that marks a replayed response."""
    return {"Idempotent-Replayed": "true"} if replayed else {}


@contextmanager
def within(field: str) -> Iterator[None]:
    """Prefix the field of an `InvalidValueError` raised in this block with `field`."""
    try:
        yield
    except InvalidValueError as error:
        name = error.field.rpartition(".")[2]
        raise InvalidValueError(f"{field}.{name}" if field else name, error.rule) from None
