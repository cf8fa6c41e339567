"""The contracts of password hashers and access tokens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quickshop.domain.errors import NotSignedInError
from quickshop.domain.identity import AccountId, SessionId
from quickshop.ports.security import AccessTokens, PasswordHasher
from tests.builders import NOW, new_id

BICYCLES = "🚲" * 19
"""76 bytes: more than bcrypt reads."""


class PasswordHasherContract:
    @pytest.mark.parametrize(
        "password",
        [
            "é",
            "correct horse battery",
            "a" * 128,
            BICYCLES,
            "🚲" * 128,
            "nul\0in it",
            " spaces ",
            "\ud800",
        ],
    )
    def test_a_password_is_known_again(self, hasher: PasswordHasher, password: str) -> None:
        kept = hasher.hash(password)
        assert password not in kept
        assert hasher.verify(password, kept)
        assert not hasher.verify(password + "x", kept)
        assert not hasher.is_outdated(kept)

    @pytest.mark.parametrize("start", ["a" * 127, BICYCLES[:-1], BICYCLES, "🚲" * 127])
    def test_the_last_character_counts(self, hasher: PasswordHasher, start: str) -> None:
        kept = hasher.hash(f"{start}1")
        assert hasher.verify(f"{start}1", kept)
        assert not hasher.verify(f"{start}2", kept)
        assert not hasher.verify(start, kept)

    def test_what_looks_the_same_is_the_same(self, hasher: PasswordHasher) -> None:
        composed, decomposed = "cr\u00e8me br\u00fbl\u00e9e", "cre\u0300me bru\u0302le\u0301e"
        assert hasher.verify(decomposed, hasher.hash(composed))
        assert hasher.verify("file \u2460", hasher.hash("\ufb01le 1"))

    def test_two_who_have_the_same_password_cannot_be_told(self, hasher: PasswordHasher) -> None:
        assert hasher.hash("correct horse") != hasher.hash("correct horse")

    @pytest.mark.parametrize("kept", [None, "", "nonsense", "$2b$04$" + "a" * 53, "\0"])
    def test_nobody_has_the_password_of_nobody(
        self, hasher: PasswordHasher, kept: str | None
    ) -> None:
        assert not hasher.verify("correct horse", kept)
        assert not hasher.verify("", kept)


class AccessTokensContract:
    def test_a_token_says_who_it_was_issued_to(self, tokens: AccessTokens) -> None:
        session_id, account_id = SessionId(new_id()), AccountId(new_id())
        token = tokens.issue(session_id, account_id, now=NOW)
        for _ in range(2):
            claims = tokens.read(token, now=NOW)
            assert (claims.session_id, claims.account_id) == (session_id, account_id)
        assert token.isascii()
        assert len(token) < 1_000

    def test_a_token_is_good_for_so_long_and_no_longer(self, tokens: AccessTokens) -> None:
        token = tokens.issue(SessionId(new_id()), AccountId(new_id()), now=NOW)
        lasts = timedelta(seconds=tokens.lasts_seconds)
        assert lasts <= timedelta(minutes=15)
        assert tokens.read(token, now=NOW + lasts - timedelta(seconds=1))
        for _ in range(2):
            with pytest.raises(NotSignedInError):
                tokens.read(token, now=NOW + lasts)

    def test_every_token_is_another(self, tokens: AccessTokens) -> None:
        session_id, account_id = SessionId(new_id()), AccountId(new_id())
        issued = {tokens.issue(session_id, account_id, now=NOW) for _ in range(3)}
        assert len(issued) == 3

    @pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "x" * 10_000, "\ud800"])
    def test_what_was_not_issued_is_none(self, tokens: AccessTokens, token: str) -> None:
        with pytest.raises(NotSignedInError):
            tokens.read(token, now=NOW)
