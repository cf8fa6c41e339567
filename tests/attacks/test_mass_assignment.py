"""Protected fields are added to each object of each body, and are not set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.payloads import EXTRA_FIELDS
from tests.attacks.stage import open_stage, quick_settings
from tests.attacks.surface import Path as Place
from tests.attacks.surface import at, objects_of
from tests.attacks.tables import dump

FREE_FORM = {"metadata"}
"""Objects whose fields staff can name freely."""

SIGNED = {"receive_payment_webhook"}
"""What it holds is the gateway's business, and believed for its signature."""


def unasked(schema: Any, path: Place, fields: Mapping[str, object]) -> dict[str, object]:
    """Those of the fields that the object at this place of a body does not have anyway."""
    for step in path:
        for each in schema.get("anyOf", ()):
            schema = each if each.get("type") != "null" else schema
        schema = schema["items"] if isinstance(step, int) else schema["properties"][step]
    for each in schema.get("anyOf", ()):
        schema = each if each.get("type") != "null" else schema
    return {name: value for name, value in fields.items() if name not in schema["properties"]}


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.db'}"


def test_a_field_that_is_not_asked_for_is_refused_and_changes_nothing(database_url: str) -> None:
    refused = 0
    with open_stage(quick_settings(database_url=database_url)) as stage:
        calls = [
            stage.call(operation, who)
            for operation in stage.operations
            if operation.writes and operation.takes_json and operation.id not in SIGNED
            for who in sorted(operation.audience)
        ]
        before = dump(database_url)
        for call in calls:
            for path in objects_of(call.body):
                if path and path[-1] in FREE_FORM:
                    continue
                found = at(call.body, path)
                for name, value in unasked(call.operation.body, path, EXTRA_FIELDS).items():
                    answer = stage.ask(call.with_body_at(path, found | {name: value}))
                    about = f"{call.operation.id}: {name} in {path}"
                    assert answer.status == 422, f"{about}: {answer.status} {answer.body!r}"
                    assert b"extra_forbidden" in answer.body, f"{about}: {answer.body!r}"
                    refused += 1
        assert dump(database_url) == before
    assert refused > 1_000


def test_all_of_them_at_once_change_nothing_either(database_url: str) -> None:
    with open_stage(quick_settings(database_url=database_url)) as stage:
        calls = [
            stage.call(operation, min(operation.audience))
            for operation in stage.operations
            if operation.takes_json and operation.id not in SIGNED
        ]
        before = dump(database_url)
        for call in calls:
            answer = stage.ask(call.but(body=EXTRA_FIELDS | call.body))
            assert answer.status == 422, call.operation.id
            query = {name: str(value) for name, value in EXTRA_FIELDS.items()}
            bare = call.but(query=query, body=None if call.body is None else EXTRA_FIELDS)
            assert stage.ask(bare).status == 422, call.operation.id
        assert dump(database_url) == before
