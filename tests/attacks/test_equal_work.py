"""An answer takes as much work for an address without an account as for one with an account.

The work is counted: what is hashed at which cost, and what the database is asked. How long it
takes is measured by `test_timing.py` in `nox -s attacks`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import bcrypt
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.attacks.stage import Stage, open_stage, quick_settings
from tests.attacks.surface import Call

COST, LOWER_COST = 6, 4
UNKNOWN: Final = "person-0@example.org"
PASSWORD: Final = "correct horse battery"


@dataclass(slots=True)
class Work:
    """What a request takes."""

    hashed: int = 0
    """Rounds of bcrypt, of which a cost of c takes 2 to the power of c."""
    statements: list[str] = field(default_factory=list)


@contextmanager
def counting() -> Iterator[Work]:
    """Count what is done inside."""
    work = Work()

    def counted(function: Callable[[bytes, bytes], object]) -> Callable[[bytes, bytes], object]:
        def run(password: bytes, salt: bytes) -> object:
            work.hashed += 2 ** int(salt.split(b"$")[2])
            return function(password, salt)

        return run

    def ask(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        work.statements.append(statement)

    def commit(_connection: object) -> None:
        work.statements.append("COMMIT")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("hashpw", "checkpw"):
            patch.setattr(bcrypt, name, counted(getattr(bcrypt, name)))
        event.listen(Engine, "before_cursor_execute", ask)
        event.listen(Engine, "commit", commit)
        try:
            yield work
        finally:
            event.remove(Engine, "before_cursor_execute", ask)
            event.remove(Engine, "commit", commit)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.db'}"


@pytest.fixture
def stage(database_url: str) -> Iterator[Stage]:
    settings = quick_settings(database_url=database_url, password_cost=COST)
    with open_stage(settings) as stage:
        yield stage


def work_of(stage: Stage, operation: str, status: int, **body: str) -> Work:
    """What it takes to answer this."""
    with counting() as work:
        answer = stage.ask(Call(stage.operation(operation), body=body))
    assert answer.status == status
    return work


def work_of_login(stage: Stage, email: str) -> Work:
    return work_of(stage, "log_in", 401, email=email, password="a wrong password")


def require_equal_logins(one: Work, other: Work) -> None:
    """Their hashes cost the same, and one read more is lost beside a hash."""
    assert one.hashed == other.hashed == 2**COST
    assert one.statements
    assert other.statements
    assert abs(len(one.statements) - len(other.statements)) <= 1


def test_a_login_takes_as_much_work_for_an_address_without_an_account(stage: Stage) -> None:
    known = work_of_login(stage, stage.customer().email)
    require_equal_logins(known, work_of_login(stage, UNKNOWN))


def test_a_login_takes_as_much_work_for_an_account_that_is_locked(stage: Stage) -> None:
    locked, free = stage.customer(), stage.customer()
    stage.web.shop.staff.disable(locked.id)
    found = work_of_login(stage, locked.email)
    assert found.statements == work_of_login(stage, free.email).statements
    require_equal_logins(found, work_of_login(stage, UNKNOWN))


def test_a_login_takes_as_much_work_for_a_password_hashed_at_a_lower_cost(
    database_url: str,
) -> None:
    before = quick_settings(database_url=database_url, password_cost=LOWER_COST)
    with open_stage(before) as stage:
        email = stage.customer().email
    after = quick_settings(database_url=database_url, password_cost=COST)
    with open_stage(after, stocked=True) as stage:
        require_equal_logins(work_of_login(stage, email), work_of_login(stage, UNKNOWN))


def test_registering_takes_as_much_work_for_an_address_that_has_an_account(stage: Stage) -> None:
    known, unknown = (
        work_of(stage, "register", 202, email=email, password=PASSWORD)
        for email in (stage.customer().email, UNKNOWN)
    )
    assert known == unknown
    assert known.hashed == 2**COST


def test_asking_for_a_new_password_takes_as_much_work_for_an_address_without_an_account(
    stage: Stage,
) -> None:
    known, unknown = (
        work_of(stage, "request_password_reset", 202, email=email)
        for email in (stage.customer().email, UNKNOWN)
    )
    assert known == unknown
    assert known.statements
