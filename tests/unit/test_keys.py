"""Keys have names, so that an old one is honored while a new one takes over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quickshop.domain.errors import InvalidValueError
from quickshop.domain.identity import KeyRing
from quickshop.settings import Settings, SettingsError
from tests.cli_runs import terminal_in

SECRET = "mV3x8QkTz0yB5nW7cLr2Hd9fJs4gPaUe1iXoKq6wYtZ"


def test_the_first_key_is_the_newest_and_all_are_found() -> None:
    ring = KeyRing.parse(f"new:{SECRET},old_1:{SECRET[::-1]}", "keys")
    assert (ring.newest.id, ring.newest.secret) == ("new", SECRET.encode())
    old = ring.find("old_1")
    assert old
    assert old.secret == SECRET[::-1].encode()
    assert ring.find("other") is None
    assert ring.weakness() is None


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        *((text, "id:secret") for text in ("", SECRET, f":{SECRET}", f"a b:{SECRET}", ",")),
        *((text, "id:secret") for text in (f"a:{SECRET},", f"{'x' * 33}:{SECRET}", f"ä:{SECRET}")),
        *((f"a:{bad}", "at least 32 bytes") for bad in ("", SECRET[:31], "short")),
        *((f"a:{SECRET}{bad}", "printable ASCII") for bad in (" x", "\nx", "ä", "\x00")),
        (f"a:{SECRET},a:{SECRET[::-1]}", "an id of its own"),
    ],
)
def test_a_text_that_is_no_keys_is_refused_and_not_shown(text: str, rule: str) -> None:
    with pytest.raises(InvalidValueError, match=rule) as refusal:
        KeyRing.parse(text, "keys")
    assert refusal.value.field == "keys"
    assert SECRET[:31] not in str(refusal.value)
    with pytest.raises(SettingsError, match=rf"QUICKSHOP_TOKEN_KEYS: .*{re.escape(rule)}"):
        Settings.load(database_url="memory://", token_keys=text)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("a" * 64, "fewer than 10 different characters"),
        ("123456789" * 8, "fewer than 10 different characters"),
        *(
            (f"{word}{SECRET}", "a word that everybody tries")
            for word in ("changeme", "my-Secret-", "PASSWORD", "development", "xxdefaultxx")
        ),
    ],
)
def test_a_secret_that_could_be_guessed_is_weak(secret: str, why: str) -> None:
    weakness = KeyRing.parse(f"good:{SECRET},bad:{secret}", "keys").weakness()
    assert weakness
    assert weakness.startswith("the secret of bad ")
    assert why in weakness
    assert secret not in weakness


def test_secrets_are_not_shown_with_their_keys() -> None:
    assert SECRET not in repr(KeyRing.parse(f"a:{SECRET}", "keys"))
    assert SECRET not in repr(Settings.load(database_url="memory://", token_keys=f"a:{SECRET}"))


def test_a_key_that_was_just_made_is_strong_and_another_each_time(tmp_path: Path) -> None:
    made = [terminal_in(tmp_path).run("keys", "new") for _ in range(2)]
    assert [done.code for done in made] == [0, 0]
    assert made[0].out != made[1].out
    assert "put it before the old key" in made[0].err
    both = KeyRing.parse(",".join(done.out.strip() for done in made), "keys")
    assert both.weakness() is None
