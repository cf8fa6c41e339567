"""`quickshop users`: staff accounts, for the operator of the machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from quickshop.domain.customers import normalize_email
from quickshop.domain.errors import InvalidValueError, NotFoundError
from quickshop.domain.identity import AccountId
from quickshop.entrypoints.cli.context import load_settings, opened_shop
from quickshop.entrypoints.cli.options import DEFAULT, AsJson, Limit, collect
from quickshop.entrypoints.cli.output import add_row, moment, print_json, say, show, table
from quickshop.shop import Shop

app = typer.Typer(help="Manage staff accounts and their roles.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="EMAIL")]
Role = Annotated[str, typer.Argument(help="Role, as in `users roles`.")]


def _password() -> str:
    """Prompt twice on a terminal; else read the first line of the input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidValueError("password", "must be typed, or be the first line of the input")
    return line


@app.command("create-admin")
def create_admin(
    email: Email,
    name: Annotated[str, typer.Option(help="Name of the admin.")] = "",
    as_json: AsJson = False,
) -> None:
    """Create an admin, or make an existing account an admin.

    The password of an existing account is replaced, and its sessions end.

    The password is prompted for, or read from the input. It is never an argument.
    """
    address = normalize_email(email)
    password = _password()
    with opened_shop(load_settings()) as shop:  # may be the first command for a shop
        had_account = bool(shop.customers.list(email=address, limit=1).items)
        account_id = shop.staff.create_admin(email=email, password=password, name=name)
    if as_json:
        print_json({"id": account_id, "had_account": had_account})
        return
    say(f"{email} is an admin and may sign in.")
    if had_account:
        say(f"{email} already had an account: its password was replaced and its sessions ended.")


@app.command("list")
def list_users(limit: Limit = DEFAULT, as_json: AsJson = False) -> None:
    """List the staff accounts."""
    with opened_shop() as shop:
        users, more = collect(lambda n, cursor: shop.staff.list(limit=n, cursor=cursor), limit)
    if as_json:
        print_json({"items": users, "more": more})
        return
    if not users:
        say("No staff yet. `quickshop users create-admin EMAIL` creates the first admin.")
        return
    rows = table("Email", "Name", "Roles", "Status", "Since (UTC)")
    for user in users:
        since = moment(user.created_at)
        add_row(rows, user.email, user.name, ", ".join(user.roles), user.status, since)
    show(rows)


@app.command("roles")
def list_roles(as_json: AsJson = False) -> None:
    """List the roles and their permissions."""
    with opened_shop() as shop:
        roles = {name: sorted(held) for name, held in shop.staff.roles().items()}
    if as_json:
        print_json(roles)
        return
    rows = table("Role", "Permissions")
    for name, held in roles.items():
        add_row(rows, name, ", ".join(held))
    show(rows)


@app.command("grant")
def grant(email: Email, role: Role) -> None:
    """Grant a role to an account."""
    with opened_shop() as shop:
        shop.staff.grant(_account(shop, email), role)
    say(f"{email} has the role {role}.")


@app.command("revoke")
def revoke(email: Email, role: Role) -> None:
    """Revoke a role from an account. The last admin cannot be removed."""
    with opened_shop() as shop:
        shop.staff.revoke(_account(shop, email), role)
    say(f"{email} no longer has the role {role}.")


@app.command("disable")
def disable(email: Email) -> None:
    """Disable an account and end all its sessions."""
    with opened_shop() as shop:
        shop.staff.disable(_account(shop, email))
    say(f"{email} is disabled.")


@app.command("enable")
def enable(email: Email) -> None:
    """Enable a disabled account."""
    with opened_shop() as shop:
        shop.staff.enable(_account(shop, email))
    say(f"{email} may sign in again.")


def _account(shop: Shop, email: str) -> AccountId:
    found = shop.customers.list(email=email, limit=1).items
    if not found:
        raise NotFoundError("account")
    return AccountId(found[0].id)
