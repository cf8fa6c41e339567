"""Who works for the shop, managed from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from quickshop.domain.identity import BUILT_IN_ROLES, Permission
from tests.cli_runs import Terminal, terminal_in

QUICK = {"QUICKSHOP_PASSWORD_COST": "4"}
PASSWORD = "correct horse battery"


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return terminal_in(tmp_path)


REPLACED = "already had an account: its password was replaced and its sessions ended."


def make_admin(terminal: Terminal, email: str, password: str = PASSWORD) -> str:
    done = terminal.run(
        "users", "create-admin", email, "--name", "Ada", env=QUICK, typed=f"{password}\n"
    )
    assert (done.code, done.err) == (0, "")
    return done.out


def may_sign_in(terminal: Terminal, email: str, password: str = PASSWORD) -> bool:
    with terminal.shop() as shop:
        try:
            signed_in = shop.accounts.log_in(email=email, password=password)
        except Exception:  # noqa: BLE001 - whatever it is, they did not get in
            return False
        return shop.accounts.authenticate.session(signed_in.session_id) is not None


def test_the_first_admin_of_a_new_shop_may_do_everything(terminal: Terminal):
    make_admin(terminal, "Ada@Example.com")
    with terminal.shop() as shop:
        signed_in = shop.accounts.log_in(email="ada@example.com", password=PASSWORD)
        caller = shop.accounts.authenticate.session(signed_in.session_id)
        assert caller is not None
        assert caller.permissions == frozenset(Permission)


def test_making_an_admin_again_gives_them_the_new_password_and_ends_their_sessions(
    terminal: Terminal,
):
    assert REPLACED not in make_admin(terminal, "ada@example.com")
    with terminal.shop() as shop:
        before = shop.accounts.log_in(email="ada@example.com", password=PASSWORD)
    said = make_admin(terminal, "Ada@example.com", "another good password")
    assert f"Ada@example.com {REPLACED}" in said
    assert not may_sign_in(terminal, "ada@example.com")
    assert may_sign_in(terminal, "ada@example.com", "another good password")
    with terminal.shop() as shop:
        assert shop.accounts.authenticate.session(before.session_id) is None


def test_those_who_work_for_the_shop_are_listed_with_their_roles(terminal: Terminal):
    make_admin(terminal, "ada@example.com")
    assert "No staff yet" not in terminal.run("users", "list").out
    item = terminal.run("users", "list", "--json").json["items"][0]
    assert (item["email"], item["name"], item["roles"]) == ("ada@example.com", "Ada", ["admin"])
    roles = terminal.run("users", "roles", "--json").json
    assert roles.keys() == BUILT_IN_ROLES.keys()
    assert "stock_keeper" in terminal.run("users", "roles").out


def test_roles_come_and_go_and_the_last_admin_stays(terminal: Terminal):
    make_admin(terminal, "ada@example.com")
    make_admin(terminal, "bob@example.com")
    assert terminal.run("users", "grant", "bob@example.com", "stock_keeper").code == 0
    assert terminal.run("users", "revoke", "bob@example.com", "admin").code == 0
    for words in (
        ("revoke", "ada@example.com", "admin"),
        ("disable", "ada@example.com"),
    ):
        refused = terminal.run("users", *words)
        assert refused.code == 1
        assert refused.err == "quickshop: this is the last admin; add another admin first\n"
    assert may_sign_in(terminal, "ada@example.com")


def test_whoever_is_locked_out_gets_in_again_only_when_enabled(terminal: Terminal):
    make_admin(terminal, "ada@example.com")
    make_admin(terminal, "bob@example.com")
    assert terminal.run("users", "disable", "bob@example.com").code == 0
    assert not may_sign_in(terminal, "bob@example.com")
    assert terminal.run("users", "enable", "bob@example.com").code == 0
    assert may_sign_in(terminal, "bob@example.com")


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (("create-admin", "not-an-address"), PASSWORD, "email: must be an email address"),
        (("create-admin", "a@example.com"), "short", "password: must have 8 to 128 characters"),
        (("create-admin", "a@example.com"), "", "password: must be typed"),
        (("create-admin", "a@example.com"), "aaaaaaaaaa", "must contain at least 4 different"),
        (("grant", "nobody@example.com", "admin"), "", "there is no such account"),
        (
            ("grant", "ada@example.com", "emperor"),
            "",
            "role: must be the name of an existing role",
        ),
    ],
)
def test_mistakes_are_told_in_one_line(
    terminal: Terminal, words: tuple[str, ...], typed: str, said: str
):
    make_admin(terminal, "ada@example.com")
    refused = terminal.run("users", *words, env=QUICK, typed=f"{typed}\n" if typed else "")
    assert refused.code == 1
    assert refused.err.startswith("quickshop: ")
    assert said in refused.err
    assert refused.err.count("\n") == 1
    assert typed == "" or typed not in refused.err
