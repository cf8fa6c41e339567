"""Limits hold over HTTP with a real Redis, and without the one they count in."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from quickshop.container import open_request_gate
from quickshop.entrypoints.http.edge.rate_limits import LOGIN, Limits
from quickshop.ports.limits import Limit
from tests.attacks.stage import open_stage, quick_settings
from tests.attacks.surface import GUEST, Call
from tests.servers.places import free_port

pytestmark = pytest.mark.xdist_group("attacks-on-servers")


def an_address() -> str:
    """Return an address that no other client uses."""
    digits = uuid4().hex
    return f"2001:db8:{digits[:4]}:{digits[4:8]}::1"


def test_of_32_who_ask_two_processes_at_once_exactly_as_many_are_let_in_as_may(
    valkey_server: str,
) -> None:
    settings = quick_settings(redis_url=valkey_server, redis_timeout_seconds=10)
    limits, peer = Limits(address=Limit("address", 50, 3_600)), (an_address(), 1)
    with (
        open_stage(settings, limits=limits, gate=open_request_gate(settings)) as one,
        open_stage(settings, limits=limits, gate=open_request_gate(settings)) as other,
    ):
        look = one.call(one.operation("list_own_orders"), GUEST).but(headers={})
        with ThreadPoolExecutor(32) as pool:
            answers = pool.map(lambda n: (one, other)[n % 2].ask(look, peer=peer), range(320))
            statuses = Counter(answer.status for answer in answers)
    assert statuses == {200: 50, 429: 270}


def test_without_redis_nobody_gets_more_guesses_at_a_password() -> None:
    settings = quick_settings(redis_url=f"redis://127.0.0.1:{free_port()}/0", api_processes=1)
    with open_stage(settings, limits=Limits(), gate=open_request_gate(settings)) as stage:
        body = {"email": stage.customer().email, "password": "a wrong one"}
        login = Call(stage.operation("log_in"), body=body)
        statuses = Counter(stage.ask(login).status for _ in range(20))
    assert statuses == {401: LOGIN[0].count, 429: 20 - LOGIN[0].count}
