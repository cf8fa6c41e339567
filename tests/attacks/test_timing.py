"""The time of an answer does not reveal whether an email address has an account.

A clock decides here, because the promise is about it: on a quiet machine, in `nox -s attacks`. A
landing counts the work instead (`test_equal_work.py`). Each test is repeated before it fails: what
noise makes of one measurement it does not make of three.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.attacks.stage import Stage, open_stage, quick_settings
from tests.attacks.surface import Call
from tests.attacks.timing import can_be_told_apart

COST, LOWER_COST = 8, 6
"""So that hashing is most of the time, as it is at the real cost; the lower one for the rest."""

_serial = count(1)


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """What pytest keeps of the log takes time, and more of it for some requests."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with open_stage(quick_settings(password_cost=LOWER_COST)) as stage:
        yield stage


def asking(stage: Stage, operation: str, status: int, **body: str) -> Callable[[], float]:
    """The time that it takes to ask this, again and again."""
    call = Call(stage.operation(operation), body=body)

    def measure() -> float:
        answer = stage.ask(call)
        assert answer.status == status
        return answer.seconds

    return measure


def logging_in(stage: Stage, email: str) -> Callable[[], float]:
    return asking(stage, "log_in", 401, email=email, password="a wrong password")


def unknown_email() -> str:
    """An address as long as those of our customers, without an account."""
    return f"person-{next(_serial)}@example.org"


def test_login_takes_as_long_for_an_address_without_an_account() -> None:
    with open_stage(quick_settings(password_cost=COST)) as stage:
        known, unknown = (
            logging_in(stage, stage.customer().email),
            logging_in(stage, unknown_email()),
        )
        assert can_be_told_apart(known, unknown) == []


def test_login_takes_as_long_for_an_account_that_is_locked(stage: Stage) -> None:
    locked, free = stage.customer(), stage.customer()
    stage.web.shop.staff.disable(locked.id)
    both = logging_in(stage, locked.email), logging_in(stage, free.email)
    assert can_be_told_apart(*both) == []


def test_login_takes_as_long_for_a_password_that_was_kept_at_a_lower_cost(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'shop.db'}"
    before = quick_settings(database_url=database, password_cost=LOWER_COST - 2)
    with open_stage(before) as stage:
        email = stage.customer().email
    after = quick_settings(database_url=database, password_cost=LOWER_COST)
    with open_stage(after, stocked=True) as stage:
        both = logging_in(stage, email), logging_in(stage, unknown_email())
        assert can_be_told_apart(*both) == []


def test_registering_takes_as_long_for_an_address_that_has_an_account(stage: Stage) -> None:
    more = {"password": "correct horse battery"}
    known = asking(stage, "register", 202, email=stage.customer().email, **more)
    unknown = asking(stage, "register", 202, email=unknown_email(), **more)
    assert can_be_told_apart(known, unknown) == []


def test_asking_for_a_new_password_takes_as_long_for_an_address_without_an_account(
    stage: Stage,
) -> None:
    known = asking(stage, "request_password_reset", 202, email=stage.customer().email)
    unknown = asking(stage, "request_password_reset", 202, email=unknown_email())
    assert can_be_told_apart(known, unknown) == []


@pytest.mark.parametrize(("other", "is_noticed"), [(1.04, False), (1.06, True), (0.94, True)])
def test_a_difference_is_noticed_where_there_is_one(other: float, *, is_noticed: bool) -> None:
    assert bool(can_be_told_apart(lambda: 1.0, lambda: other)) is is_noticed
