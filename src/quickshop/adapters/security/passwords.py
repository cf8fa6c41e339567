"""Password hashes with bcrypt of a digest, because bcrypt only reads the first 72 bytes."""

from __future__ import annotations

import hmac
import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Final

from typing_extensions import override

from quickshop.domain.errors import OverloadedError
from quickshop.domain.identity import KEY_ID, Key, KeyRing
from quickshop.ports.security import PasswordHasher

MIN_COST: Final = 4
DEVELOPMENT_KEYS: Final = KeyRing((Key("0", b"known to all who read this; for development"),))
"""The keys of a shop that has not set its own."""

_GOOD_SCORE: Final = 2
_SCORED: Final = 20
"""Characters that are scored."""

_KEPT: Final = re.compile(rf"hmac-sha384:({KEY_ID}):(\$2b\$(\d\d)\$[./A-Za-z0-9]{{53}})")


class BcryptPasswords(PasswordHasher):
    """A `PasswordHasher`. At most `running` hashes are computed at once, and `waiting` wait.

    Source of the scheme: OWASP Password Storage Cheat Sheet, "Pre-Hashing Passwords with bcrypt":
    HMAC-SHA-384 under a key that is not in the database, base64, then bcrypt.
    """

    def __init__(
        self, keys: KeyRing = DEVELOPMENT_KEYS, *, cost: int, running: int = 1, waiting: int = 16
    ) -> None:
        self._keys = keys
        self._cost = cost
        self._running = BoundedSemaphore(running)
        self._room = running + waiting
        self._admitted = 0
        self._lock = Lock()

    @override
    def hash(self, password: str) -> str:
        import bcrypt  # noqa: PLC0415 - a shop without accounts needs none

        key = self._keys.newest
        with self._turn():
            made = bcrypt.hashpw(_digest(key, password), bcrypt.gensalt(self._cost))
        return f"hmac-sha384:{key.id}:{made.decode()}"

    @override
    def verify(self, password: str, kept: str | None) -> bool:
        import bcrypt  # noqa: PLC0415 - as above

        found = _KEPT.fullmatch(kept or "")
        key = self._keys.find(found[1]) if found else None
        with self._turn():
            if found is None or key is None:
                bcrypt.hashpw(_digest(self._keys.newest, password), bcrypt.gensalt(self._cost))
                return False
            same = bcrypt.checkpw(_digest(key, password), found[2].encode())
            # A hash of a lower cost must not be recognizable by its speed: 2^c and the costs from
            # c up to the current one, exclusive, add up to 2^current.
            for cost in range(int(found[3]), self._cost):
                bcrypt.hashpw(b"-", bcrypt.gensalt(cost))
        return same

    @override
    def is_guessable(self, password: str) -> bool:
        """Score it with zxcvbn (Wheeler, USENIX Security 2016): 0 and 1 are below 10^6 guesses."""
        from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists are large, and rarely needed

        with self._turn():
            # A long text costs zxcvbn time. One that begins strongly is strong.
            return int(zxcvbn(password[:_SCORED])["score"]) < _GOOD_SCORE

    @override
    def is_outdated(self, kept: str) -> bool:
        found = _KEPT.fullmatch(kept)
        return found is None or found[1] != self._keys.newest.id or int(found[3]) != self._cost

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock:
            if self._admitted >= self._room:
                raise OverloadedError
            self._admitted += 1
        try:
            with self._running:
                yield
        finally:
            with self._lock:
                self._admitted -= 1


def _digest(key: Key, password: str) -> bytes:
    """Return 64 characters. Unicode normalization makes all ways to type a password equal."""
    text = unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
    return b64encode(hmac.digest(key.secret, text, "sha384"))
