"""How passwords are kept, and access tokens signed, while costs rise and keys change."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from quickshop.adapters.security.passwords import MIN_COST, BcryptPasswords
from quickshop.adapters.security.tokens import JwtAccessTokens, fresh_keys
from quickshop.domain.errors import (
    InvalidCredentialsError,
    InvalidValueError,
    NotSignedInError,
    OverloadedError,
)
from quickshop.domain.identity import AccountId, KeyRing, SessionId
from quickshop.ports.security import AccessTokens, PasswordHasher
from tests.builders import NOW, new_id
from tests.contracts.security import AccessTokensContract, PasswordHasherContract
from tests.people import PASSWORD, registered
from tests.scripted import World
from tests.twins import QUICK_PASSWORDS, memory_shop

OLD = KeyRing.parse("old:" + "o1d-K3y!" * 8, "keys")
BOTH = KeyRing.parse("new:" + "n3w_K3y?" * 8 + ",old:" + "o1d-K3y!" * 8, "keys")
NEW = KeyRing(BOTH.keys[:1])


@pytest.fixture
def hasher() -> PasswordHasher:
    return QUICK_PASSWORDS


@pytest.fixture
def tokens() -> AccessTokens:
    return JwtAccessTokens(fresh_keys())


@pytest.fixture
def world() -> World:
    return World()


class TestBcryptPasswords(PasswordHasherContract):
    pass


class TestJwtAccessTokens(AccessTokensContract):
    pass


def passwords(keys: KeyRing = OLD, *, cost: int = MIN_COST) -> BcryptPasswords:
    return BcryptPasswords(keys, cost=cost)


def test_passwords_outlast_their_key_and_their_cost() -> None:
    kept = passwords().hash(PASSWORD)
    later = passwords(BOTH, cost=MIN_COST + 1)
    assert later.verify(PASSWORD, kept)
    assert not later.verify("another", kept)
    assert later.is_outdated(kept)
    assert not later.is_outdated(later.hash(PASSWORD))


def test_a_password_opens_nothing_without_the_key_that_it_was_kept_under() -> None:
    kept = passwords().hash(PASSWORD)
    assert not passwords(NEW).verify(PASSWORD, kept)
    assert passwords(NEW).is_outdated(kept)


@pytest.mark.parametrize("better", [passwords(cost=MIN_COST + 1), passwords(BOTH)])
def test_a_password_is_kept_anew_when_its_owner_signs_in(better: BcryptPasswords) -> None:
    world = World(password_hasher=passwords())
    account_id = registered(world, "ada@example.com")

    def kept() -> str | None:
        with world.unit_of_work() as tx:
            return tx.accounts.get(account_id).password_hash

    before = kept()
    assert before is not None
    assert better.is_outdated(before)
    world.shop = memory_shop(
        gateway=world.gateway,
        notifier=world.notifier,
        unit_of_work=world.unit_of_work,
        clock=world.clock,
        password_hasher=better,
    )
    with pytest.raises(InvalidCredentialsError):
        world.shop.accounts.log_in(email="ada@example.com", password="wrong horse battery")
    assert kept() == before
    world.shop.accounts.log_in(email="ada@example.com", password=PASSWORD)
    after = kept()
    assert after is not None
    assert not better.is_outdated(after)
    world.shop.accounts.log_in(email="ada@example.com", password=PASSWORD)
    assert kept() == after


def test_who_hashes_when_too_many_do_is_told_to_come_again() -> None:
    busy = BcryptPasswords(OLD, cost=10, running=1, waiting=1)
    together = Barrier(8)
    outcomes: list[str] = []

    def try_once() -> None:
        together.wait(60)
        try:
            outcomes.append(busy.hash(PASSWORD))
        except OverloadedError as error:
            outcomes.append(error.code)

    threads = [Thread(target=try_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    refused = outcomes.count(OverloadedError.code)
    assert len(outcomes) == 8
    assert 1 <= refused <= 6
    assert busy.verify(PASSWORD, busy.hash(PASSWORD)), "there is room again"


def issue(keys: KeyRing) -> str:
    return JwtAccessTokens(keys).issue(SessionId(new_id()), AccountId(new_id()), now=NOW)


def test_a_new_key_takes_over_while_the_old_one_is_honored() -> None:
    before, after = issue(OLD), issue(BOTH)
    assert JwtAccessTokens(BOTH).read(before, now=NOW)
    assert JwtAccessTokens(BOTH).read(after, now=NOW)
    assert JwtAccessTokens(NEW).read(after, now=NOW)
    with pytest.raises(NotSignedInError):
        JwtAccessTokens(NEW).read(before, now=NOW)
    with pytest.raises(NotSignedInError):
        JwtAccessTokens(OLD).read(after, now=NOW)


def test_a_key_that_has_the_name_of_another_is_another() -> None:
    impostor = KeyRing.parse("old:" + "an0ther!" * 8, "keys")
    with pytest.raises(NotSignedInError):
        JwtAccessTokens(OLD).read(issue(impostor), now=NOW)


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Qwertyuiop",
        "1QAZ2WSX",
        "trustno1",
        "password1234",
        "abcabc123123",
        "iloveyou2",
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused(world: World, password: str) -> None:
    accounts = world.shop.accounts
    for choose in (
        lambda: accounts.register(email="ada@example.com", password=password),
        lambda: accounts.reset_password("qso_whatever", password=password),
        lambda: world.shop.staff.create_admin(email="ada@example.com", password=password),
    ):
        with pytest.raises(InvalidValueError, match="password: must be harder to guess"):
            choose()
    assert not world.shop.customers.list().items


@pytest.mark.parametrize(
    "password", ["correct horse battery", "Grüße aus Köln an alle", "x9#kQ2!v"]
)
def test_a_password_that_is_hard_to_guess_is_accepted(password: str) -> None:
    assert not BcryptPasswords(cost=MIN_COST).is_guessable(password)


def test_a_long_weak_password_is_scored_in_bounded_work() -> None:
    assert BcryptPasswords(cost=MIN_COST).is_guessable("abc" * 40)
