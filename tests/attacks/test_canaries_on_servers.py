"""No secret is left lying in what a real shop keeps: database, broker, Redis, and log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest
import redis
from sqlalchemy import make_url

from quickshop.container import open_request_gate
from quickshop.entrypoints.http.edge.rate_limits import Limits
from quickshop.settings import Settings
from tests import landing
from tests.attacks.canaries import (
    hatch,
    logging_as_served,
    nowhere,
    placements,
    settings_with_canaries,
    spoken,
    sung,
)
from tests.attacks.stage import Stage, open_stage, quick_settings
from tests.attacks.tables import dump
from tests.integration.databases import drop_database
from tests.servers import run_valkey

pytestmark = [
    pytest.mark.sampled,
    pytest.mark.timeout(900),  # all parts together take minutes
    pytest.mark.xdist_group("attacks-on-servers"),
]

GENEROUS = Settings(rate_limit_per_minute=1_000_000, login_limit_per_minute=1_000_000)

MEANT_TO_BE_TOLD: Final = {"reason", "carrier", "tracking_number", "note"}
"""Texts of an event that its email repeats, so that a secret in them is not a leak."""
NAMES_IN_THE_LOG: Final = {"location"}
"""Fields of a record that hold the name that staff gave to something."""
PARTS: Final = 11
"""Of the requests with secrets, so that a landing sends one part of them."""


def held_by(server_url: str) -> str:
    """Every key of a Redis server and what is in it."""
    contents = []
    for database in range(2):
        with redis.Redis.from_url(server_url.replace("/0", f"/{database}")) as server:
            for key in server.scan_iter(count=1000):
                contents.append(key)
                contents.append(server.dump(key) or b"")
                contents += _content(server, key)
    return b"\n".join(contents).decode("utf-8", "replace")


def _content(server: redis.Redis, key: bytes) -> list[bytes]:
    # As it is: in a dump, long texts are compressed.
    kind = server.type(key)
    if kind == b"string":
        return [server.get(key)]
    if kind == b"list":
        return server.lrange(key, 0, -1)
    if kind == b"hash":
        return [each for pair in server.hgetall(key).items() for each in pair]
    if kind == b"zset":
        return server.zrange(key, 0, -1)
    return list(server.smembers(key)) if kind == b"set" else [repr(server.xrange(key)).encode()]


def tables_with(database_url: str, canaries: Mapping[str, str]) -> dict[str, set[str]]:
    """Which tables hold which secrets."""
    heard = {name: sung(repr(rows), canaries) for name, rows in dump(database_url).items()}
    return {name: names for name, names in heard.items() if names}


def untold(rows: list[tuple[object, ...]]) -> list[object]:
    """The contents of jobs, without the texts that a person wrote for others."""
    return [
        {name: text for name, text in value.items() if name not in MEANT_TO_BE_TOLD}
        if isinstance(value, dict)
        else value
        for row in rows
        for value in row
    ]


def unnamed(log: str) -> str:
    """The records of a log, but for the names that staff gave to things."""
    records = [json.loads(line) for line in log.splitlines()]
    for record in records:
        for name in NAMES_IN_THE_LOG:
            record.pop(name, None)
    return repr(records)


def use(stage: Stage) -> None:
    """Everything the API offers, as it is meant to be used."""
    for operation in stage.operations:
        for who in sorted(operation.audience):
            assert stage.send(stage.call(operation, who)).status_code < 500


def test_no_secret_is_left_lying_in_anything_that_a_shop_keeps(
    postgres_server: str, database_url: str, tmp_path: Path
) -> None:
    with run_valkey() as valkey, logging_as_served() as log:
        settings = quick_settings(
            **settings_with_canaries(),
            database_url=database_url,
            redis_url=valkey.url,
            broker_url=valkey.url.replace("/0", "/1"),
            mail_dir=str(tmp_path / "mail"),
        )
        limits = Limits.of(GENEROUS)
        with open_stage(settings, limits=limits, gate=open_request_gate(settings)) as stage:
            canaries = hatch(stage)
            use(stage)
            # The gateway is asked with it, perhaps days later, so it is stored here.
            assert tables_with(database_url, canaries) == {"payments": {"payment token"}}
            calls = [*placements(stage, canaries)]
            for call in landing.share(calls, PARTS):
                stage.send(call)
            assert stage.web.shop.jobs.relay() > 0
            assert sung(repr(untold(dump(database_url)["jobs"])), canaries) == set()
            kept = held_by(valkey.url)
            assert "quickshop.run_job" in kept
            assert sung(kept, canaries) == set()
            drop_database(postgres_server, make_url(database_url).database)
            refused = [stage.send(call) for call in landing.share(calls[1:], PARTS)]
            refused += nowhere(stage, canaries)
        assert {answer.status_code for answer in refused} >= {401, 404, 422, 503}
        assert {answer.status_code for answer in refused} & {500, 502, 504} == set()
        said = [spoken(answer) for answer in refused if answer.status_code >= 400]
        assert set().union(*(sung(each, canaries) for each in said)) == set()
        assert sung(unnamed(log.text), canaries) == set()
