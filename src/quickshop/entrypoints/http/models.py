"""What all JSON shapes have in common, and how an answer is made of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.values import MAX_NAME_LENGTH
from quickshop.entrypoints.http.dependencies import require_printable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


Line = Annotated[
    str, Field(min_length=1, max_length=MAX_NAME_LENGTH), AfterValidator(require_printable)
]
OptionalLine = Annotated[str, Field(max_length=MAX_NAME_LENGTH), AfterValidator(require_printable)]
Sku = Annotated[Line, Field(examples=["CANDLE-BEE"])]
Id = Annotated[UUID, Field(strict=False)]
"""An id in a body, where it is text."""
Version = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="Change nothing if it was saved since.")
]


class Input(BaseModel):
    """A body, or part of one: nothing is converted, nothing unknown is let in."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class Output(BaseModel):
    """An answer, read off the view that a use case returned."""

    model_config = ConfigDict(from_attributes=True, frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, view: DataclassInstance, **more: Any) -> Self:
        """The view, and what is said besides it."""
        facts = {field.name: getattr(view, field.name) for field in fields(view)}
        return cls.model_validate({**facts, **more})

    def to_json(self) -> bytes:
        """As bytes for the wire; the same for the same view."""
        return self.model_dump_json().encode()


def private(
    answer: Output, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer for one shopper's eyes, which nobody may keep."""
    return private_json(answer.to_json(), status=status, headers=headers)


def private_json(
    body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The same, of what is rendered already."""
    return Response(
        body,
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type="application/json",
    )


def nothing() -> Response:
    """The answer that it is done, and that there is nothing to say."""
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def replay_headers(*, replayed: bool) -> dict[str, str]:
    """What says that an answer was given before."""
    return {"Idempotent-Replayed": "true"} if replayed else {}


@contextmanager
def within(field: str) -> Iterator[None]:
    """Say of an `InvalidValueError` raised in this block in which field of the body it lies."""
    try:
        yield
    except InvalidValueError as error:
        name = error.field.rpartition(".")[2]
        raise InvalidValueError(f"{field}.{name}" if field else name, error.rule) from None
