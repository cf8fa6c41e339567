"""Clients over a limit are refused by every route, without effect on other clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from quickshop.adapters.memory.caches import NoProductCache, NoSessionCache
from quickshop.adapters.memory.limits import MemoryRequestGate
from quickshop.entrypoints.http.edge.hashing import MOST
from quickshop.entrypoints.http.edge.rate_limits import LOGIN, LOGIN_STRANGERS, Limits
from quickshop.entrypoints.http.edge.rules import Edge
from quickshop.ports.limits import Limit
from tests.attacks.canaries import leaking
from tests.attacks.direct import Answer
from tests.attacks.stage import Stage, open_stage
from tests.attacks.surface import CUSTOMER, GUEST, Call
from tests.people import PASSWORD, Seconds

FEW = Limits(address=Limit("address", 20, 3_600))
HOME, CAFE = "203.0.113.7", "192.0.2.80"


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def guarded(seconds: Seconds) -> Iterator[Stage]:
    """A shop with its limits as they are, whose time stands still until it is moved."""
    gate = MemoryRequestGate(NoSessionCache(), NoProductCache(), monotonic=seconds)
    with open_stage(limits=Limits(), gate=gate) as stage:
        yield stage


def a_look(stage: Stage) -> Call:
    """A request that costs one, and is nothing special."""
    return stage.call(stage.operation("list_own_orders"), GUEST)


def come_from(stage: Stage, *addresses: str, call: Call | None = None) -> list[Answer]:
    """A request from each address."""
    call = call or a_look(stage)
    return [stage.ask(call, peer=(address, 50_000)) for address in addresses]


def log_in(stage: Stage, email: str, address: str, *, password: str = "a wrong one") -> Answer:
    """Try to sign in from there."""
    operation = stage.operation("log_in")
    body = {"email": email, "password": password}
    return stage.ask(Call(operation, body=body), peer=(address, 50_000))


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def test_of_32_who_ask_at_once_exactly_as_many_are_let_in_as_may() -> None:
    with open_stage(limits=FEW) as stage:
        call = a_look(stage)
        with ThreadPoolExecutor(32) as pool:
            answers = [*pool.map(lambda _: stage.ask(call), range(320))]
    assert statuses(answers) == {200: 20, 429: 300}


def test_every_answer_says_what_is_left_and_a_refusal_when_to_come_back() -> None:
    with open_stage(limits=FEW) as stage:
        call = a_look(stage)
        allowed, *rest = [stage.ask(call) for _ in range(21)]
    assert allowed.by_name["ratelimit-policy"] == '"address";q=20;w=3600'
    assert allowed.by_name["ratelimit"].startswith('"address";r=19;t=')
    assert "retry-after" not in allowed.by_name
    refused = rest[-1]
    assert refused.status == 429
    assert refused.by_name["content-type"] == "application/problem+json"
    assert refused.by_name["ratelimit"].startswith('"address";r=0;t=')
    assert 0 < int(refused.by_name["retry-after"]) <= 180


def test_other_addresses_of_the_same_household_count_as_one() -> None:
    with open_stage(limits=FEW) as stage:
        household = [f"2001:db8:7:7:{n:x}:{n * 7:x}::{n:x}" for n in range(1, 41)]
        assert statuses(come_from(stage, *household)) == {200: 20, 429: 20}
        mapped = [f"::ffff:{HOME}", HOME] * 20
        assert statuses(come_from(stage, *mapped)) == {200: 20, 429: 20}
        neighbours = [f"2001:db8:7:{n:x}::1" for n in range(100, 140)]
        assert statuses(come_from(stage, *neighbours)) == {200: 40}


def test_saying_to_be_somebody_else_does_not_help() -> None:
    with open_stage(limits=FEW) as stage:
        look, answers = a_look(stage), []
        for n in range(40):
            said = f"198.51.100.{n}"
            headers = {
                "X-Forwarded-For": f"{said}, 198.51.100.{n + 100}",
                "X-Real-IP": said,
                "Forwarded": f"for={said}",
                "CF-Connecting-IP": said,
                "True-Client-IP": said,
            }
            answers.append(stage.ask(look.but(headers={**look.headers, **headers})))
    assert statuses(answers) == {200: 20, 429: 20}


def test_behind_a_proxy_only_what_the_proxy_saw_counts() -> None:
    edge = Edge(trusted_proxies=("10.0.0.0/8",))
    with open_stage(limits=FEW, edge=edge) as stage:
        look, answers = a_look(stage), []
        for n in range(40):
            headers = {**look.headers, "X-Forwarded-For": f"198.51.100.{n}, {HOME}"}
            answers.append(stage.ask(look.but(headers=headers), peer=("10.0.0.1", 1)))
    assert statuses(answers) == {200: 20, 429: 20}


def test_whoever_guesses_passwords_over_http_waits_longer_and_longer(
    guarded: Stage, seconds: Seconds
) -> None:
    email, guesses = guarded.customer().email, []
    for _ in range(30):
        answers = [log_in(guarded, email, CAFE) for _ in range(8)]
        guesses.append(statuses(answers)[401])
        assert all(int(each.by_name["retry-after"]) >= 1 for each in answers if each.status == 429)
        seconds.advance(60)
    assert guesses[0] == LOGIN[0].count
    assert sum(guesses[:15]) <= 2 * LOGIN[1].count
    assert sum(guesses) <= LOGIN[2].count
    assert guesses[-1] <= 1


def test_a_stranger_with_many_addresses_cannot_keep_the_owner_out(guarded: Stage) -> None:
    email = guarded.customer().email
    assert log_in(guarded, email, HOME, password=PASSWORD).status == 200
    crowd = [log_in(guarded, email, f"198.51.{n}.1") for n in range(60)]
    left = LOGIN_STRANGERS.count - 1  # one was the owner's, who was a stranger there, too
    assert statuses(crowd) == {401: left, 429: 60 - left}
    assert log_in(guarded, email, HOME, password=PASSWORD).status == 200
    assert log_in(guarded, email, "192.0.2.99", password=PASSWORD).status == 429


def test_a_refusal_says_the_same_of_addresses_that_have_an_account_and_others(
    guarded: Stage,
) -> None:
    def tried(email: str, network: str) -> list[tuple[object, ...]]:
        reset = guarded.operation("request_password_reset")
        answers = [log_in(guarded, email, f"{network}.1") for _ in range(8)]
        answers += [log_in(guarded, email, f"{network}.{n}") for n in range(2, 62)]
        answers += [
            guarded.ask(Call(reset, body={"email": email}), peer=(f"{network}.{n}", 1))
            for n in range(70, 80)
        ]
        return [
            (each.status, each.body, [h for h in each.headers if h[0] != b"x-request-id"])
            for each in answers
        ]

    known = tried(guarded.customer().email, "198.51.100")
    unknown = tried("nobody@example.com", "203.0.113")
    assert known == unknown
    assert {status for status, *_ in known} == {401, 202, 429}


def test_guesses_at_anothers_password_cost_whoever_is_signed_in_too(guarded: Stage) -> None:
    change = guarded.call(guarded.operation("change_password"), CUSTOMER)
    wrong = change.with_body_at(("current_password",), "a wrong one")
    answers = [guarded.ask(wrong) for _ in range(20)]
    assert statuses(answers)[401] <= 10
    assert answers[-1].status == 429


def test_the_limit_of_a_route_is_that_of_its_caller_wherever_they_come_from() -> None:
    limits = replace(FEW, account=Limit("account", 10, 3_600))
    with open_stage(limits=limits) as stage:
        mine = stage.call(stage.operation("get_profile"), CUSTOMER)
        places = [f"198.51.100.{n}" for n in range(30)]
        assert statuses(come_from(stage, *places, call=mine)) == {200: 10, 429: 20}


def test_a_crowd_beyond_the_pool_is_refused_before_anything_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_stage() as stage:
        web, places = stage.web, stage.web.client.app.state.hash_threads
        monkeypatch.setattr(places, "_busy", MOST)
        web.client.app.state.shop = leaking(web.shop, LookupError, ["what was looked up"])
        answers = [log_in(stage, "ada@example.com", HOME) for _ in range(20)]
    assert {(each.status, b'"overloaded"' in each.body) for each in answers} == {(429, True)}
    waits = {int(each.by_name["retry-after"]) for each in answers}
    assert len(waits) > 1, "all of them would come back at the same moment"
    assert min(waits) >= 1
