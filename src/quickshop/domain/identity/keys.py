"""Secret keys with ids, so that an old key stays valid while a new one replaces it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Self

from quickshop.domain.errors import InvalidValueError

MIN_SECRET_BYTES: Final = 32
MAX_KEY_ID_LENGTH: Final = 32
"""Characters in the id of a key."""
KEY_ID: Final = f"[A-Za-z0-9_-]{{1,{MAX_KEY_ID_LENGTH}}}"
"""The pattern of a key id."""
_MIN_DISTINCT: Final = 10
_WELL_KNOWN: Final = (
    *("changeme", "change-me", "change_me", "secret", "password", "passw0rd", "development"),
    *("default", "example", "insecure", "placeholder", "quickshop", "12345678", "abcdefgh"),
)

_ID: Final = re.compile(KEY_ID, flags=re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """A secret with an id, which is stored beside everything made with the secret."""

    id: str
    secret: bytes = field(repr=False)

    def weakness(self) -> str | None:
        """Return why the secret may be guessable; None if it looks random."""
        if len(self.secret) < MIN_SECRET_BYTES:
            return f"the secret of {self.id} has fewer than {MIN_SECRET_BYTES} bytes"
        if len(set(self.secret)) < _MIN_DISTINCT:
            return f"the secret of {self.id} has fewer than {_MIN_DISTINCT} different characters"
        text = self.secret.decode(errors="replace").lower()
        if any(word in text for word in _WELL_KNOWN):
            return f"the secret of {self.id} contains a word that attackers try first"
        return None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Valid keys, newest first. The newest makes new tokens and hashes."""

    keys: tuple[Key, ...]

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """Return the keys in a text: `id:secret`, or several, separated by commas.

        `name` is the field in errors.

        Raises:
            InvalidValueError: the form is wrong, an id appears twice, or a secret is too short.
        """
        keys = tuple(_key_of(part, name) for part in text.split(","))
        if len({key.id for key in keys}) != len(keys):
            raise InvalidValueError(name, "must give each key a different id")
        return cls(keys)

    @property
    def newest(self) -> Key:
        """The key for new tokens and password hashes."""
        return self.keys[0]

    def find(self, id: str) -> Key | None:
        """Return the key with this id; None if it is not valid, or no longer."""
        return next((key for key in self.keys if key.id == id), None)

    def weakness(self) -> str | None:
        """Return why one of the secrets may be guessable; None if all look random."""
        return next((found for key in self.keys if (found := key.weakness())), None)


def _key_of(text: str, name: str) -> Key:
    name_of_key, colon, secret = text.strip().partition(":")
    if not colon or not _ID.fullmatch(name_of_key):
        raise InvalidValueError(
            name,
            "must be id:secret, or several separated by commas; an id is"
            f" 1 to {MAX_KEY_ID_LENGTH} letters, digits, - or _",
        )
    if not secret.isprintable() or not secret.isascii() or " " in secret:
        raise InvalidValueError(name, "must have secrets of printable ASCII without spaces")
    if len(secret) < MIN_SECRET_BYTES:
        raise InvalidValueError(
            name,
            f"must have secrets of at least {MIN_SECRET_BYTES} bytes; create one with"
            " `quickshop keys new`",
        )
    return Key(name_of_key, secret.encode())
