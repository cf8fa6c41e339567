"""Secret keys with names, so that an old one is honored while a new one takes over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Self

from quickshop.domain.errors import InvalidValueError

MIN_SECRET_BYTES: Final = 32
MAX_KEY_ID_LENGTH: Final = 32
"""Characters in the name of a key."""
KEY_ID: Final = f"[A-Za-z0-9_-]{{1,{MAX_KEY_ID_LENGTH}}}"
"""The pattern of such a name."""
_MIN_DISTINCT: Final = 10
_WELL_KNOWN: Final = (
    *("changeme", "change-me", "change_me", "secret", "password", "passw0rd", "development"),
    *("default", "example", "insecure", "placeholder", "quickshop", "12345678", "abcdefgh"),
)

_ID: Final = re.compile(KEY_ID, flags=re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """A secret, and the name that whatever was made with it carries."""

    id: str
    secret: bytes = field(repr=False)

    def weakness(self) -> str | None:
        """Why it could be guessed; None for one that looks random."""
        if len(self.secret) < MIN_SECRET_BYTES:
            return f"the secret of {self.id} has fewer than {MIN_SECRET_BYTES} bytes"
        if len(set(self.secret)) < _MIN_DISTINCT:
            return f"the secret of {self.id} has fewer than {_MIN_DISTINCT} different characters"
        text = self.secret.decode(errors="replace").lower()
        if any(word in text for word in _WELL_KNOWN):
            return f"the secret of {self.id} holds a word that everybody tries"
        return None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys that are honored, the newest first: that one is used for whatever is made anew."""

    keys: tuple[Key, ...]

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """Read `id:secret`, or several with commas between them.

        `name` is what errors call the text.

        Raises:
            InvalidValueError: it is not of that form, an id comes twice, or a secret is short.
        """
        keys = tuple(_key_of(part, name) for part in text.split(","))
        if len({key.id for key in keys}) != len(keys):
            raise InvalidValueError(name, "must name each key with an id of its own")
        return cls(keys)

    @property
    def newest(self) -> Key:
        """What new tokens and passwords are made with."""
        return self.keys[0]

    def find(self, id: str) -> Key | None:
        """The key of this name; None when it is not, or no longer, honored."""
        return next((key for key in self.keys if key.id == id), None)

    def weakness(self) -> str | None:
        """Why one of them could be guessed; None when all look random."""
        return next((found for key in self.keys if (found := key.weakness())), None)


def _key_of(text: str, name: str) -> Key:
    name_of_key, colon, secret = text.strip().partition(":")
    if not colon or not _ID.fullmatch(name_of_key):
        raise InvalidValueError(
            name,
            "must be id:secret, or several with commas between them; an id has"
            f" 1 to {MAX_KEY_ID_LENGTH} letters, digits, - or _",
        )
    if not secret.isprintable() or not secret.isascii() or " " in secret:
        raise InvalidValueError(name, "must have secrets of printable ASCII without spaces")
    if len(secret) < MIN_SECRET_BYTES:
        raise InvalidValueError(
            name,
            f"must have secrets of at least {MIN_SECRET_BYTES} bytes: `quickshop keys new` makes"
            " one",
        )
    return Key(name_of_key, secret.encode())
