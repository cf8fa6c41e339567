"""Links that are mailed: to whom, for what, and when they lead nowhere."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Final

import pytest

from quickshop.domain.customers import CustomerId
from quickshop.domain.errors import (
    InvalidCredentialsError,
    InvalidTokenError,
    InvalidValueError,
    QuickShopError,
)
from quickshop.domain.identity import AccountId, Purpose
from quickshop.domain.notifications import MessageKind
from tests.people import PASSWORD, log_in, mailed_secret, mails_to, registered, signed_in
from tests.scripted import World

ADA, NEW = "ada@example.com", "new@example.com"
SECOND: Final = "another horse battery"

USERS: Final = ("none", "active", "disabled", "erased")
STATES: Final = ("fresh", "used", "expired", "mailed again", "superseded", "for something else")


@pytest.fixture
def world() -> World:
    return World()


class Scene:
    """Somebody in one of the ways that there can be somebody, who asks for a link."""

    def __init__(self, user: str, purpose: Purpose) -> None:
        self.world, self.purpose = World(), purpose
        self.account_id: AccountId | None = None
        if user != "none" or purpose is Purpose.CHANGE_EMAIL:
            self.account_id = registered(self.world, ADA)
        self.request()
        if user == "disabled" and self.account_id:
            self.world.shop.staff.disable(self.account_id)
        if user == "erased" and self.account_id:
            self.world.shop.customers.erase(CustomerId(self.account_id))

    @property
    def email(self) -> str:
        return NEW if self.purpose is Purpose.CHANGE_EMAIL else ADA

    def request(self) -> None:
        accounts = self.world.shop.accounts
        if self.purpose is Purpose.CONFIRM_ACCOUNT:
            accounts.register(email=ADA, password=SECOND)
        elif self.purpose is Purpose.RESET_PASSWORD:
            accounts.request_password_reset(email=ADA)
        else:
            assert self.account_id
            accounts.request_email_change(self.account_id, email=NEW, password=PASSWORD)

    def use(self, secret: str, purpose: Purpose | None = None) -> None:
        accounts = self.world.shop.accounts
        match purpose or self.purpose:
            case Purpose.CONFIRM_ACCOUNT:
                accounts.confirm(secret)
            case Purpose.RESET_PASSWORD:
                accounts.reset_password(secret, password=SECOND)
            case Purpose.CHANGE_EMAIL:
                accounts.confirm_email_change(secret)

    def mail(self) -> str | None:
        """The secret that was mailed; None when no mail held one."""
        self.world.run()
        mails = mails_to(self.world, self.email)
        return mails[-1].secret or None if mails else None


EXPECTED: Final = {
    ("none", Purpose.CONFIRM_ACCOUNT): MessageKind.CONFIRM_ACCOUNT,
    ("erased", Purpose.CONFIRM_ACCOUNT): None,
    ("active", Purpose.CONFIRM_ACCOUNT): MessageKind.ACCOUNT_EXISTS,
    ("disabled", Purpose.CONFIRM_ACCOUNT): MessageKind.ACCOUNT_EXISTS,
    ("none", Purpose.RESET_PASSWORD): None,
    ("erased", Purpose.RESET_PASSWORD): None,
    ("active", Purpose.RESET_PASSWORD): MessageKind.RESET_PASSWORD,
    ("disabled", Purpose.RESET_PASSWORD): None,
    ("none", Purpose.CHANGE_EMAIL): MessageKind.CHANGE_EMAIL,
    ("active", Purpose.CHANGE_EMAIL): MessageKind.CHANGE_EMAIL,
    ("disabled", Purpose.CHANGE_EMAIL): None,
    ("erased", Purpose.CHANGE_EMAIL): None,
}
"""What is mailed. `none` asks to change an address nobody has; those erased asked before that."""


@pytest.mark.parametrize(("user", "purpose"), list(product(USERS, Purpose)))
def test_a_link_is_mailed_only_if_it_leads_somewhere(user: str, purpose: Purpose) -> None:
    scene = Scene(user, purpose)
    before = len(mails_to(scene.world, scene.email))
    secret = scene.mail()
    mails = mails_to(scene.world, scene.email)[before:]
    expected = EXPECTED[user, purpose]
    assert [mail.kind for mail in mails] == ([expected] if expected else [])
    leads_somewhere = expected not in {None, MessageKind.ACCOUNT_EXISTS}
    if leads_somewhere:
        assert secret is not None
        scene.use(secret)
    else:
        assert not any(mail.secret or mail.link for mail in mails)


@pytest.mark.parametrize(("purpose", "state"), list(product(Purpose, STATES)))
def test_a_link_leads_somewhere_once_for_so_long_and_for_one_thing(
    purpose: Purpose, state: str
) -> None:
    scene = Scene("none" if purpose is Purpose.CONFIRM_ACCOUNT else "active", purpose)
    secret = scene.mail()
    assert secret is not None
    if state == "fresh":
        hours = 1 if purpose is Purpose.RESET_PASSWORD else 24
        scene.world.clock.advance(hours=hours, seconds=-1)
        scene.use(secret)
        return
    if state == "used":
        scene.use(secret)
    elif state == "expired":
        scene.world.clock.advance(hours=1 if purpose is Purpose.RESET_PASSWORD else 24)
    elif state == "mailed again":
        secret = mailed_twice(scene)
    elif state == "superseded":
        scene.request()
        later = scene.mail()
        assert later not in {None, secret}
        scene.use(str(later))
    others = [each for each in Purpose if each is not purpose]
    for wrong in others if state == "for something else" else [purpose]:
        with pytest.raises(InvalidTokenError):
            scene.use(secret, wrong)
    if state == "for something else":
        scene.use(secret)


def mailed_twice(scene: Scene) -> str:
    """The secret of a mail that was taken by a server which did not say so in time."""
    scene.request()
    scene.world.notifier.forgets_to_answer = True
    first = scene.mail()
    scene.world.run(minutes=1)
    assert first is not None
    assert mailed_secret(scene.world, scene.email) != first
    return first


@pytest.mark.parametrize("user", ["disabled", "erased"])
@pytest.mark.parametrize("purpose", [Purpose.RESET_PASSWORD, Purpose.CHANGE_EMAIL])
def test_a_link_leads_nowhere_once_its_account_is_locked_or_gone(
    user: str, purpose: Purpose
) -> None:
    scene = Scene("active", purpose)
    secret = scene.mail()
    assert secret is not None
    assert scene.account_id is not None
    if user == "disabled":
        scene.world.shop.staff.disable(scene.account_id)
    else:
        scene.world.shop.customers.erase(CustomerId(scene.account_id))
    with pytest.raises(InvalidTokenError):
        scene.use(secret)


def test_an_address_that_somebody_took_meanwhile_is_not_given_twice(world: World) -> None:
    ada = signed_in(world, ADA)
    accounts = world.shop.accounts
    accounts.request_email_change(ada.id, email=NEW, password=PASSWORD)
    accounts.register(email=NEW, password=SECOND)
    accounts.register(email=NEW, password=PASSWORD)
    world.run()
    change, first, second = (mail.secret for mail in mails_to(world, NEW))
    newcomer = accounts.confirm(first)
    for use in (accounts.confirm_email_change, accounts.confirm):
        for secret in (change, second):
            with pytest.raises(InvalidTokenError):
                use(secret)
    assert log_in(world, NEW, password=SECOND).id == newcomer
    assert log_in(world, ADA).id == ada.id


def test_a_mail_that_was_not_taken_is_sent_again_with_another_secret(world: World) -> None:
    world.notifier.is_down = True
    for email in (NEW, ADA):
        world.shop.accounts.register(email=email, password=PASSWORD)
    world.run()
    assert world.notifier.sent == []
    world.notifier.is_down = False
    world.run(minutes=1)
    assert [mail.kind for mail in mails_to(world, NEW)] == ["confirm_account"]
    world.shop.accounts.confirm(mailed_secret(world, NEW))


def test_who_has_an_account_is_told_so_when_the_mail_server_is_back(world: World) -> None:
    registered(world, ADA)
    before = len(mails_to(world, ADA))
    world.notifier.is_down = True
    world.shop.accounts.register(email=ADA, password=SECOND)
    world.run()
    world.notifier.is_down = False
    world.run(minutes=1)
    assert [mail.kind for mail in mails_to(world, ADA)[before:]] == ["account_exists"]


def test_whoever_knew_the_old_password_gets_nowhere_with_what_they_asked_for(
    world: World,
) -> None:
    ada = signed_in(world, ADA)
    accounts = world.shop.accounts
    accounts.request_email_change(ada.id, email="thief@example.com", password=PASSWORD)
    accounts.request_password_reset(email=ADA)
    world.run()
    thief, link = mailed_secret(world, "thief@example.com"), mailed_secret(world, ADA)
    accounts.change_password(ada.id, current=PASSWORD, new=SECOND)
    with pytest.raises(InvalidTokenError):
        accounts.confirm_email_change(thief)
    with pytest.raises(InvalidTokenError):
        accounts.reset_password(link, password=PASSWORD)
    assert log_in(world, ADA, password=SECOND)


def test_a_new_address_is_the_way_in_and_the_old_one_is_told(world: World) -> None:
    ada = signed_in(world, ADA)
    accounts = world.shop.accounts
    accounts.request_password_reset(email=ADA)
    accounts.request_email_change(ada.id, email=" NEW@Example.com", password=PASSWORD)
    world.run()
    old_link = mailed_secret(world, ADA)
    accounts.confirm_email_change(mailed_secret(world, NEW))
    world.run()
    assert mails_to(world, ADA)[-1].kind == "email_changed"
    assert log_in(world, NEW).id == ada.id
    with pytest.raises(InvalidCredentialsError):
        log_in(world, ADA)
    with pytest.raises(InvalidTokenError):
        accounts.reset_password(old_link, password=SECOND)
    assert registered(world, ADA) != ada.id


@pytest.mark.parametrize("password", ["wrong horse", ""])
def test_nobody_changes_an_address_without_the_password(world: World, password: str) -> None:
    ada = signed_in(world, ADA)
    with pytest.raises(InvalidCredentialsError):
        world.shop.accounts.request_email_change(ada.id, email=NEW, password=password)
    world.run()
    assert mails_to(world, NEW) == []


WEAK: Final = (
    "",
    "short",
    "x" * 129,
    "1" * 20,
    "abababab",
    "tab\tin the middle",
    "a\ud800bcdefgh",
)


@pytest.mark.parametrize("password", WEAK)
def test_what_can_be_no_password_is_refused_before_anything_is_used(
    world: World, password: str
) -> None:
    ada = signed_in(world, ADA)
    accounts = world.shop.accounts
    accounts.request_password_reset(email=ADA)
    world.run()
    secret = mailed_secret(world, ADA)
    tries: list[Callable[[], object]] = [
        lambda: accounts.register(email=NEW, password=password),
        lambda: accounts.reset_password(secret, password=password),
        lambda: accounts.change_password(ada.id, current=PASSWORD, new=password),
    ]
    for attempt in tries:
        with pytest.raises(InvalidValueError) as refused:
            attempt()
        assert not password.strip() or password not in str(refused.value)
    accounts.reset_password(secret, password=SECOND)


def test_links_lead_to_the_storefront_with_the_secret_where_no_server_reads_it() -> None:
    world = World({"storefront_url": "https://shop.example/de/"})
    ada = signed_in(world, ADA)
    world.shop.accounts.request_password_reset(email=ADA)
    world.shop.accounts.request_email_change(ada.id, email=NEW, password=PASSWORD)
    world.run()
    pages = {"confirm-account": mails_to(world, ADA)[0], "reset-password": mails_to(world, ADA)[1]}
    pages["confirm-email"] = mails_to(world, NEW)[0]
    for page, mail in pages.items():
        assert mail.link == f"https://shop.example/de/{page}#token={mail.secret}"


@pytest.mark.parametrize("secret", ["", "qso_", "x" * 200, "qso_\0", "é"])
@pytest.mark.parametrize("purpose", Purpose)
def test_a_secret_that_was_never_mailed_opens_nothing(secret: str, purpose: Purpose) -> None:
    scene = Scene("active", purpose)  # asked for, and not mailed yet
    with pytest.raises(QuickShopError) as refused:
        scene.use(secret)
    assert isinstance(refused.value, InvalidTokenError)
