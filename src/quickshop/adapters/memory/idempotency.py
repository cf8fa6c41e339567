"""Idempotency keys in memory."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import is_dataclass, replace
from datetime import datetime
from typing import TypeVar

from typing_extensions import override

from quickshop.adapters.memory.constraints import refused, require
from quickshop.adapters.memory.session import MemorySession
from quickshop.adapters.memory.state import KeyClaim
from quickshop.domain.errors import IdempotencyInProgressError, IdempotencyMismatchError
from quickshop.domain.idempotency import KEY_LIFETIME
from quickshop.ports.idempotency import IdempotencyRepository

T = TypeVar("T")


class MemoryIdempotency(IdempotencyRepository):
    """The idempotency keys of the last `KEY_LIFETIME`, with their answers."""

    def __init__(self, session: MemorySession) -> None:
        self._keys = session.state.keys

    @override
    def claim(
        self, scope: str, key: str, *, fingerprint: str, answer_type: type[T], now: datetime
    ) -> T | None:
        claim = self._keys.get((scope, key))
        if claim is None or claim.claimed_at < now - KEY_LIFETIME:
            self._keys[scope, key] = KeyClaim(fingerprint=fingerprint, claimed_at=now)
            return None
        if claim.fingerprint != fingerprint:
            raise IdempotencyMismatchError
        if claim.answer is None:
            raise IdempotencyInProgressError
        assert isinstance(claim.answer, answer_type), "the type of answer must not change"
        return deepcopy(claim.answer)

    @override
    def store(self, scope: str, key: str, answer: object) -> None:
        require(is_dataclass(answer), "an answer must be a dataclass")
        claim = self._keys.get((scope, key))
        if claim is None:
            raise refused("a key must be claimed before its answer is stored")
        require(claim.answer is None, "a key must be answered only once")
        self._keys[scope, key] = replace(claim, answer=deepcopy(answer))

    @override
    def purge_expired(self, now: datetime) -> int:
        expired = [
            key for key, claim in self._keys.items() if claim.claimed_at < now - KEY_LIFETIME
        ]
        for key in expired:
            del self._keys[key]
        return len(expired)

    @override
    def delete_of(self, asker: str) -> int:
        theirs = [key for key in self._keys if key[0].endswith(f":{asker}")]
        for key in theirs:
            del self._keys[key]
        return len(theirs)
