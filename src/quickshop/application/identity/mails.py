"""Use cases that write to people about their accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from quickshop.application.identity.tokens import MAILED_PREFIX
from quickshop.application.notifications import mark_sent
from quickshop.application.retries import retried
from quickshop.application.shopper import digest
from quickshop.domain.errors import NotFoundError
from quickshop.domain.identity import AccountId, OneTimeToken, OneTimeTokenId, Purpose
from quickshop.domain.notifications import Channel, MessageKind, Notification
from quickshop.ports.clock import Clock
from quickshop.ports.identifiers import Identifiers
from quickshop.ports.notifications import AccountMessage, Notifier
from quickshop.ports.unit_of_work import Transaction, UnitOfWork

_KINDS: Final[Mapping[Purpose, MessageKind]] = {
    Purpose.CONFIRM_ACCOUNT: MessageKind.CONFIRM_ACCOUNT,
    Purpose.RESET_PASSWORD: MessageKind.RESET_PASSWORD,
    Purpose.CHANGE_EMAIL: MessageKind.CHANGE_EMAIL,
}
_PAGES: Final[Mapping[Purpose, str]] = {
    Purpose.CONFIRM_ACCOUNT: "confirm-account",
    Purpose.RESET_PASSWORD: "reset-password",
    Purpose.CHANGE_EMAIL: "confirm-email",
}
"""Pages of the storefront that take the secret from the end of their address."""


@dataclass(frozen=True, slots=True)
class Postbox:
    """How the shop writes to people about their accounts."""

    unit_of_work: UnitOfWork
    clock: Clock
    notifier: Notifier
    shop_name: str

    def record(self, event_id: UUID, kind: MessageKind, about: UUID) -> Notification:
        """The record of a message that an event makes. It names nobody: it outlives accounts."""
        return Notification(
            event_id=event_id,
            channel=Channel.EMAIL,
            recipient=str(about),
            kind=kind,
            order_id=None,
            created_at=self.clock.now(),
        )

    def send(
        self, record: Notification, recipient: str, *, secret: str = "", link: str = ""
    ) -> None:
        """Send a message that was recorded, and record that.

        Raises:
            TransientError: it was not taken; try again.
        """
        self.notifier.send(
            AccountMessage(
                kind=record.kind,
                recipient=recipient,
                shop_name=self.shop_name,
                key=f"{record.event_id}.{record.kind}",
                secret=secret,
                link=link,
            )
        )
        mark_sent(self.unit_of_work, record, self.clock)


@dataclass(frozen=True, slots=True)
class MailOneTimeToken:
    """Mail the link that somebody asked for, if there is anything that it could be for."""

    clock: Clock
    postbox: Postbox
    identifiers: Identifiers
    storefront_url: str | None

    def __call__(self, event_id: UUID, token_id: OneTimeTokenId) -> bool:
        """Tell whether a mail went out: one per event, as `NotifyShopper` says.

        The secret is made here and never written down: asked again after a crash, another one is
        mailed, and the first opens nothing.

        Raises:
            TransientError: the mail was not taken; try again.
        """
        secret = MAILED_PREFIX + self.identifiers.secret()
        prepared = self._prepare(event_id, token_id, secret)
        if prepared is None:
            return False
        record, token = prepared
        if record.kind is MessageKind.ACCOUNT_EXISTS:
            self.postbox.send(record, token.email)
        else:
            link = self._link(token.purpose, secret)
            self.postbox.send(record, token.email, secret=secret, link=link)
        return True

    def _link(self, purpose: Purpose, secret: str) -> str:
        if self.storefront_url is None:
            return ""
        # After the #: what follows it is sent to no server, and stands in no log of one.
        return f"{self.storefront_url.rstrip('/')}/{_PAGES[purpose]}#token={secret}"

    @retried
    def _prepare(
        self, event_id: UUID, token_id: OneTimeTokenId, secret: str
    ) -> tuple[Notification, OneTimeToken] | None:
        now = self.clock.now()
        with self.postbox.unit_of_work() as tx:
            try:
                token = tx.one_time_tokens.get(token_id)
            except NotFoundError:
                return None
            kind = _message_for(tx, token) if token.is_alive(now) else None
            if kind is None:
                return None
            record = self.postbox.record(event_id, kind, token.id)
            if not tx.notifications.claim(record):
                return None
            if kind is not MessageKind.ACCOUNT_EXISTS:
                token.mail(digest(secret), now=now)
                tx.one_time_tokens.save(token)
            return record, token


def _message_for(tx: Transaction, token: OneTimeToken) -> MessageKind | None:
    if token.account_id is not None and not tx.accounts.get(token.account_id).is_active:
        return None
    account = tx.accounts.find(token.email)
    if token.purpose is Purpose.RESET_PASSWORD:
        if account is None or not account.is_active:
            return None
        chosen = account.password_hash is not None
        return MessageKind.RESET_PASSWORD if chosen else MessageKind.INVITATION
    return _KINDS[token.purpose] if account is None else MessageKind.ACCOUNT_EXISTS


@dataclass(frozen=True, slots=True)
class TellAccount:
    """Tell somebody what happened to their account, in case it was not them."""

    postbox: Postbox

    def __call__(
        self,
        event_id: UUID,
        kind: MessageKind,
        account_id: AccountId,
        *,
        email: str | None = None,
    ) -> bool:
        """Tell whether a mail went out: to `email`, or to the address of the account.

        Raises:
            TransientError: the mail was not taken; try again.
        """
        record = self.postbox.record(event_id, kind, account_id)
        current = self._claim(record, account_id)
        if current is None:
            return False
        self.postbox.send(record, email or current)
        return True

    @retried
    def _claim(self, record: Notification, account_id: AccountId) -> str | None:
        """The address of the account; None when there is nothing to be sent."""
        with self.postbox.unit_of_work() as tx:
            account = tx.accounts.get(account_id)
            if not account.is_active or not tx.notifications.claim(record):
                return None
            return account.email
