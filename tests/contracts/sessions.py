"""The contract of repositories of sessions, their refresh tokens and one-time tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest

from quickshop.application.shopper import digest
from quickshop.domain.errors import ConflictError, InvalidTokenError, NotFoundError
from quickshop.domain.identity import (
    OneTimeToken,
    OneTimeTokenId,
    Purpose,
    Redemption,
    RefreshToken,
    Session,
    SessionId,
)
from tests.builders import AWKWARD, LATER, NOW, facts, new_id
from tests.contracts.backend import Backend
from tests.contracts.identity import nothing, sign_out, store_account, store_session

Change = Callable[[Any], object]


def a_refresh_token(session: Session, secret: str = "a secret", **more: Any) -> RefreshToken:
    return RefreshToken(digest=digest(secret), session_id=session.id, issued_at=NOW, **more)


def store_token(backend: Backend, token: RefreshToken) -> RefreshToken:
    with backend.unit_of_work() as tx:
        tx.sessions.put_token(token)
    return token


def token_in(backend: Backend, secret: str = "a secret") -> RefreshToken | None:
    with backend.unit_of_work() as tx:
        found = tx.sessions.with_token(digest(secret))
        return None if found is None else found[1]


def used(token: RefreshToken) -> RefreshToken:
    return replace(token, used_at=LATER, sealed_successor="sealed")


class SessionRepositoryContract:
    @pytest.mark.parametrize("after", [nothing, sign_out])
    def test_a_session_comes_back_as_it_was_stored(self, backend: Backend, after: Change) -> None:
        session = store_session(backend, after=after)
        with backend.unit_of_work() as tx:
            assert facts(tx.sessions.get(session.id)) == facts(session)

    def test_the_second_of_two_who_save_a_session_conflicts(self, backend: Backend) -> None:
        stored = store_session(backend)
        with backend.unit_of_work() as tx:
            stale = tx.sessions.get(stored.id)
        with backend.unit_of_work() as tx:
            session = tx.sessions.get(stored.id)
            session.revoke("signed out", now=LATER)
            tx.sessions.save(session)
        assert stale.redeem(a_refresh_token(stored), now=NOW) is Redemption.FRESH
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.sessions.save(stale)
        with backend.unit_of_work() as tx:
            assert facts(tx.sessions.get(stored.id)) == facts(session)

    def test_a_session_that_is_not_there_is_not_found(self, backend: Backend) -> None:
        store_session(backend)
        with backend.unit_of_work() as tx, pytest.raises(NotFoundError):
            tx.sessions.get(SessionId(new_id()))

    def test_the_sessions_of_an_account_are_those_not_revoked(self, backend: Backend) -> None:
        account = store_account(backend)
        live = [store_session(backend, account) for _ in range(2)]
        store_session(backend, account, after=sign_out)
        store_session(backend)
        with backend.unit_of_work() as tx:
            found = tx.sessions.of_account(account.id)
        assert [facts(each) for each in found] == [facts(each) for each in live]

    def test_a_token_comes_back_with_its_session(self, backend: Backend) -> None:
        session = store_session(backend)
        token = store_token(backend, a_refresh_token(session))
        store_token(backend, a_refresh_token(store_session(backend), "another"))
        with backend.unit_of_work() as tx:
            found = tx.sessions.with_token(token.digest)
            assert found is not None
            assert (facts(found[0]), found[1]) == (facts(session), token)
            assert tx.sessions.with_token(digest("unknown")) is None

    def test_a_token_that_was_used_stays_so(self, backend: Backend) -> None:
        token = store_token(backend, a_refresh_token(store_session(backend)))
        store_token(backend, used(token))
        assert token_in(backend) == used(token)

    def test_a_token_is_used_by_one_at_a_time(self, backend: Backend) -> None:
        session = store_session(backend)
        store_token(backend, a_refresh_token(session))
        first: list[bool] = []

        def use() -> None:
            with backend.unit_of_work() as tx:
                found = tx.sessions.with_token(digest("a secret"))
                assert found is not None
                first.append(found[1].used_at is None)
                tx.sessions.put_token(used(found[1]))

        threads = [Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(first) == [False, False, False, True]

    def test_the_sessions_of_an_account_are_forgotten_with_their_tokens(
        self, backend: Backend
    ) -> None:
        account = store_account(backend)
        theirs = [store_session(backend, account), store_session(backend, account, after=sign_out)]
        other = store_session(backend)
        store_token(backend, a_refresh_token(theirs[0], "theirs"))
        kept = store_token(backend, a_refresh_token(other, "another's"))
        with backend.unit_of_work() as tx:
            gone = tx.sessions.delete_of(account.id)
        assert sorted(gone) == sorted(each.id for each in theirs)
        assert token_in(backend, "theirs") is None
        assert token_in(backend, "another's") == kept

    def test_sessions_that_ended_long_ago_are_forgotten(self, backend: Backend) -> None:
        live = store_session(backend)
        lately = store_session(backend, after=lambda each: each.revoke("out", now=LATER))
        out = store_session(backend, after=sign_out)
        old = store_session(backend, now=NOW - timedelta(days=1))
        store_token(backend, a_refresh_token(old, "old"))
        with backend.unit_of_work() as tx:
            assert tx.sessions.purge_ended(LATER) == 2
        with backend.unit_of_work() as tx:
            assert [tx.sessions.get(each.id).id for each in (live, lately)] == [live.id, lately.id]
            for gone in (out, old):
                with pytest.raises(NotFoundError):
                    tx.sessions.get(gone.id)
        assert token_in(backend, "old") is None


def a_one_time_token(backend: Backend, purpose: Purpose, **more: Any) -> OneTimeToken:
    given: dict[str, Any] = {"email": "ada@example.com", "now": NOW}
    if purpose is Purpose.CONFIRM_ACCOUNT:
        given |= {"name": AWKWARD, "password_hash": "hash"}
    if purpose is Purpose.CHANGE_EMAIL:
        given |= {"account_id": store_account(backend).id}
    given |= more
    return OneTimeToken.request(id=OneTimeTokenId(new_id()), purpose=purpose, **given)


def store_one_time(
    backend: Backend, purpose: Purpose = Purpose.RESET_PASSWORD, *, secret: str = "", **more: Any
) -> OneTimeToken:
    token = a_one_time_token(backend, purpose, **more)
    if secret:
        token.mail(digest(secret), now=NOW)
    with backend.unit_of_work() as tx:
        tx.one_time_tokens.add(token)
    return token


def are_there(backend: Backend, *tokens: OneTimeToken) -> list[bool]:
    def is_there(token: OneTimeToken) -> bool:
        try:
            with backend.unit_of_work() as tx:
                tx.one_time_tokens.get(token.id)
        except NotFoundError:
            return False
        return True

    return [is_there(token) for token in tokens]


class OneTimeTokenRepositoryContract:
    @pytest.mark.parametrize("purpose", Purpose)
    @pytest.mark.parametrize("secret", ["", "a secret"])
    def test_a_token_comes_back_as_it_was_stored(
        self, backend: Backend, purpose: Purpose, secret: str
    ) -> None:
        token = store_one_time(backend, purpose, secret=secret)
        with backend.unit_of_work() as tx:
            assert facts(tx.one_time_tokens.get(token.id)) == facts(token)

    def test_a_token_is_found_by_the_secret_mailed_last(self, backend: Backend) -> None:
        token = store_one_time(backend, secret="first")
        store_one_time(backend, secret="another's")
        store_one_time(backend)
        with backend.unit_of_work() as tx:
            found = tx.one_time_tokens.with_digest(digest("first"))
            found.mail(digest("second"), now=LATER)
            tx.one_time_tokens.save(found)
        with backend.unit_of_work() as tx:
            assert facts(tx.one_time_tokens.with_digest(digest("second"))) == facts(found)
            assert found.id == token.id
            with pytest.raises(InvalidTokenError):
                tx.one_time_tokens.with_digest(digest("first"))

    def test_the_second_of_two_who_save_a_token_conflicts(self, backend: Backend) -> None:
        token = store_one_time(backend)
        with backend.unit_of_work() as tx:
            stale = tx.one_time_tokens.get(token.id)
        with backend.unit_of_work() as tx:
            found = tx.one_time_tokens.get(token.id)
            found.mail(digest("first"), now=NOW)
            tx.one_time_tokens.save(found)
        stale.mail(digest("second"), now=NOW)
        with pytest.raises(ConflictError), backend.unit_of_work() as tx:
            tx.one_time_tokens.save(stale)

    def test_tokens_are_forgotten_by_address_and_by_account(self, backend: Backend) -> None:
        account = store_account(backend, email="ada@example.com")
        mine = store_one_time(backend, email="ada@example.com")
        to_be = store_one_time(
            backend, Purpose.CHANGE_EMAIL, email="new@example.com", account_id=account.id
        )
        others = store_one_time(backend, Purpose.CHANGE_EMAIL, email="grace@example.com")
        wanted = store_one_time(backend, Purpose.CONFIRM_ACCOUNT, email="new@example.com")
        with backend.unit_of_work() as tx:
            assert tx.one_time_tokens.delete_of(account.id, account.email) == 2
        assert are_there(backend, mine, to_be, others, wanted) == [False, False, True, True]
        with backend.unit_of_work() as tx:
            assert tx.one_time_tokens.delete_of(account.id) == 0
            assert (
                tx.one_time_tokens.delete_of(account.id, "x@example.com", "new@example.com") == 1
            )
        assert are_there(backend, others, wanted) == [True, False]

    def test_tokens_past_their_time_are_forgotten(self, backend: Backend) -> None:
        hour = store_one_time(backend, Purpose.RESET_PASSWORD)
        day = store_one_time(backend, Purpose.CONFIRM_ACCOUNT)
        with backend.unit_of_work() as tx:
            assert tx.one_time_tokens.purge_expired(LATER + timedelta(seconds=1)) == 1
        assert are_there(backend, hour, day) == [False, True]
