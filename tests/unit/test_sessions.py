"""Sessions and their refresh tokens: rotated, repeated, stolen, ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from quickshop.application.identity.tokens import SignedIn, seal, unseal
from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import (
    InvalidCredentialsError,
    InvalidValueError,
    NotFoundError,
    NotSignedInError,
)
from quickshop.domain.identity import SessionId
from quickshop.ports.identity import Caller
from tests.builders import new_id
from tests.people import PASSWORD, Person, log_in, mailed_secret, signed_in
from tests.scripted import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def ada(world: World) -> Person:
    return signed_in(world, "ada@example.com")


def refresh(world: World, token: str) -> SignedIn:
    return world.shop.accounts.refresh(token)


def is_over(world: World, *tokens: str) -> bool:
    """Whether none of them is good for anything, and the session signs nobody in."""
    for token in tokens:
        with pytest.raises(NotSignedInError):
            refresh(world, token)
    return True


def caller(world: World, session_id: SessionId) -> Caller | None:
    return world.shop.accounts.authenticate.session(session_id)


def test_a_device_stays_signed_in_by_exchanging_tokens(world: World, ada: Person) -> None:
    token, seen = ada.refresh_token, {ada.access_token}
    for _ in range(5):
        world.clock.advance(minutes=15)
        pair = refresh(world, token)
        assert pair.session_id == ada.session_id
        assert pair.refresh_token != token
        claims = world.shop.accounts.authenticate.claims(pair.access_token)
        assert claims.session_id == ada.session_id
        token = pair.refresh_token
        seen.add(pair.access_token)
    assert len(seen) == 6
    assert caller(world, ada.session_id) is not None


@pytest.mark.parametrize("seconds", [0, 1, 10])
def test_who_lost_the_answer_gets_the_same_successor(
    world: World, ada: Person, seconds: float
) -> None:
    first = refresh(world, ada.refresh_token)
    world.clock.advance(seconds=seconds)
    again = refresh(world, ada.refresh_token)
    assert again.refresh_token == first.refresh_token
    assert refresh(world, again.refresh_token).session_id == ada.session_id


@pytest.mark.parametrize("thief_is_first", [True, False])
def test_a_stolen_token_ends_the_session_for_thief_and_owner(
    world: World, ada: Person, *, thief_is_first: bool
) -> None:
    phone = log_in(world, ada.email)
    stolen = ada.refresh_token
    lucky = refresh(world, stolen).refresh_token
    if not thief_is_first:
        world.clock.advance(minutes=15)
        lucky = refresh(world, lucky).refresh_token
    world.clock.advance(seconds=10, microseconds=1)
    assert caller(world, ada.session_id) is not None
    assert is_over(world, stolen, lucky)
    assert caller(world, ada.session_id) is None
    assert caller(world, phone.session_id) is not None
    assert refresh(world, phone.refresh_token)


def test_an_old_token_of_the_family_ends_it_however_old_it_is(world: World, ada: Person) -> None:
    token = ada.refresh_token
    for _ in range(3):
        world.clock.advance(hours=1)
        token = refresh(world, token).refresh_token
    assert is_over(world, ada.refresh_token, token)


def test_only_the_token_used_last_has_a_grace(world: World, ada: Person) -> None:
    second = refresh(world, ada.refresh_token).refresh_token
    third = refresh(world, second).refresh_token
    assert refresh(world, second).refresh_token == third
    assert is_over(world, ada.refresh_token, third)


def test_the_grace_counts_from_the_first_use(world: World, ada: Person) -> None:
    refresh(world, ada.refresh_token)
    world.clock.advance(seconds=6)
    successor = refresh(world, ada.refresh_token).refresh_token
    world.clock.advance(seconds=6)
    assert is_over(world, ada.refresh_token, successor)


def end_it(world: World, person: Person) -> None:
    world.shop.accounts.end_session(person.id, person.session_id)


def end_all(world: World, person: Person) -> None:
    assert world.shop.accounts.end_all_sessions(person.id) == 1


def disable(world: World, person: Person) -> None:
    world.shop.staff.disable(person.id)


def disable_for_a_while(world: World, person: Person) -> None:
    world.shop.staff.disable(person.id)
    world.shop.staff.enable(person.id)


def erase(world: World, person: Person) -> None:
    world.shop.customers.erase_own(CustomerId(person.id), password=PASSWORD)


def change_password(world: World, person: Person) -> None:
    world.shop.accounts.change_password(person.id, current=PASSWORD, new="another horse")


def reset_password(world: World, person: Person) -> None:
    world.shop.accounts.request_password_reset(email=person.email)
    world.run()
    secret = mailed_secret(world, person.email)
    world.shop.accounts.reset_password(secret, password="another horse")


def wait_too_long(world: World, _person: Person) -> None:
    world.clock.advance(days=30)


@pytest.mark.parametrize(
    "end",
    [
        end_it,
        end_all,
        disable,
        disable_for_a_while,
        erase,
        change_password,
        reset_password,
        wait_too_long,
    ],
)
def test_a_session_that_ended_is_over_for_all_its_tokens(
    world: World, ada: Person, end: Callable[[World, Person], None]
) -> None:
    successor = refresh(world, ada.refresh_token).refresh_token
    end(world, ada)
    assert is_over(world, ada.refresh_token, successor)
    assert caller(world, ada.session_id) is None
    assert world.shop.accounts.sessions(ada.id) == []


@pytest.mark.parametrize("token", ["", "qsr_", "qsr_" + "A" * 43, "x" * 200, "é\0"])
def test_a_token_that_was_never_issued_is_refused(world: World, token: str) -> None:
    signed_in(world)
    assert is_over(world, token)


def test_an_access_token_is_no_refresh_token(world: World, ada: Person) -> None:
    assert is_over(world, ada.access_token)


def test_changing_the_password_keeps_the_device_at_hand_signed_in(
    world: World, ada: Person
) -> None:
    phone = log_in(world, ada.email)
    world.shop.accounts.change_password(
        ada.id, current=PASSWORD, new="another horse", keep=ada.session_id
    )
    assert refresh(world, ada.refresh_token)
    assert is_over(world, phone.refresh_token)
    with pytest.raises(InvalidCredentialsError):
        log_in(world, ada.email)
    assert log_in(world, ada.email, password="another horse")
    world.run()
    assert world.mails()[-1] == "password_changed"


def test_everybody_ends_sessions_of_their_own_only(world: World, ada: Person) -> None:
    grace = signed_in(world)
    with pytest.raises(NotFoundError):
        world.shop.accounts.end_session(grace.id, ada.session_id)
    with pytest.raises(NotFoundError):
        world.shop.accounts.end_session(grace.id, SessionId(new_id()))
    assert caller(world, ada.session_id) is not None
    world.shop.accounts.end_all_sessions(grace.id)
    assert caller(world, ada.session_id) is not None


def test_signing_out_everywhere_may_leave_this_device(world: World, ada: Person) -> None:
    others = [log_in(world, ada.email) for _ in range(2)]
    assert world.shop.accounts.end_all_sessions(ada.id, but=ada.session_id) == 2
    assert [view.id for view in world.shop.accounts.sessions(ada.id)] == [ada.session_id]
    assert is_over(world, *(each.refresh_token for each in others))
    world.shop.accounts.end_session(ada.id, others[0].session_id)


def test_people_see_where_they_are_signed_in(world: World, ada: Person) -> None:
    world.clock.advance(minutes=1)
    phone = log_in(world, ada.email, device="Phone\r\n\0 of Ada" + "x" * 300)
    world.clock.advance(minutes=1)
    refresh(world, ada.refresh_token)
    here, there = world.shop.accounts.sessions(ada.id)
    assert (here.id, there.id) == (ada.session_id, phone.session_id)
    assert here.last_used_at == world.clock.now()
    assert there.device.startswith("Phone of Ada")
    assert len(there.device) == 200
    assert there.device.isprintable()


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ada@example.com", "wrong horse battery"),
        ("ada@example.com", PASSWORD + " "),
        ("ada@example.com", PASSWORD.upper()),
        ("nobody@example.com", PASSWORD),
    ],
)
def test_whoever_is_refused_is_not_told_why(
    world: World, ada: Person, email: str, password: str
) -> None:
    assert ada.email == "ada@example.com"
    with pytest.raises(InvalidCredentialsError) as refused:
        log_in(world, email, password=password)
    assert str(refused.value) == str(InvalidCredentialsError())


def test_an_address_is_the_same_however_it_is_typed(world: World, ada: Person) -> None:
    assert log_in(world, "  Ada@Example.COM ").id == ada.id


@pytest.mark.parametrize("password", ["", "x" * 129])
def test_what_can_be_no_password_is_not_even_hashed(
    world: World, ada: Person, password: str
) -> None:
    with pytest.raises(InvalidValueError):
        log_in(world, ada.email, password=password)


def test_a_disabled_account_cannot_be_signed_in_to(world: World, ada: Person) -> None:
    disable(world, ada)
    with pytest.raises(InvalidCredentialsError):
        log_in(world, ada.email)
    world.shop.staff.enable(ada.id)
    assert log_in(world, ada.email)


def test_sessions_that_ended_are_forgotten_after_a_month(world: World, ada: Person) -> None:
    end_it(world, ada)
    assert world.shop.accounts.log_in.is_known(ada.email, "")
    world.run(days=29)
    assert world.shop.accounts.log_in.is_known(ada.email, "")
    world.run(days=2)
    assert not world.shop.accounts.log_in.is_known(ada.email, "")


def test_a_sealed_successor_tells_nothing_without_the_token_before_it() -> None:
    token, other, successor = ("qsr_" + letter * 43 for letter in "ABE")
    sealed = seal(successor, token)
    assert unseal(sealed, token) == successor
    assert unseal(sealed, other) != successor
    assert successor[4:20] not in sealed
    assert seal(successor, other) != sealed
