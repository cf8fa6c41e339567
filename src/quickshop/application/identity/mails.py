"""Use cases that send emails about accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from quickshop.application.identity.tokens import MAILED_PREFIX
from quickshop.application.notifications import mark_sent
from quickshop.application.repeated_transactions import retried
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
"""Storefront pages that read the secret from their URL fragment."""


@dataclass(frozen=True, slots=True)
class Postbox:
    """Sends emails about accounts and records them."""

    unit_of_work: UnitOfWork
    clock: Clock
    notifier: Notifier
    shop_name: str

    def record(self, event_id: UUID, kind: MessageKind, about: UUID) -> Notification:
        """Return the record of an event's message. It outlives accounts, so it names no person."""
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
        """Send a recorded message, and mark it as sent.

        Raises:
            TransientError: the mail server did not accept it; try again.
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
    """Email a requested link, unless there is no longer a use for it."""

    clock: Clock
    postbox: Postbox
    identifiers: Identifiers
    storefront_url: str | None

    def __call__(self, event_id: UUID, token_id: OneTimeTokenId) -> bool:
        """Return whether an email was sent: one per event, as `NotifyShopper` describes.

        The secret is generated here and never stored. A retry after a crash emails another
        secret, and the first one is invalid.

        Raises:
            TransientError: the mail server did not accept it; try again.
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
        # A fragment is not sent to servers, so it appears in no access log.
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
class NotifyAccount:
    """Email the owner about a change of their account, in case they did not make it."""

    postbox: Postbox

    def __call__(
        self,
        event_id: UUID,
        kind: MessageKind,
        account_id: AccountId,
        *,
        email: str | None = None,
    ) -> bool:
        """Return whether an email was sent, to `email` or else to the account's address.

        Raises:
            TransientError: the mail server did not accept it; try again.
        """
        record = self.postbox.record(event_id, kind, account_id)
        current = self._claim(record, account_id)
        if current is None:
            return False
        self.postbox.send(record, email or current)
        return True

    @retried
    def _claim(self, record: Notification, account_id: AccountId) -> str | None:
        """Return the account's address, or None if there is nothing to send."""
        with self.postbox.unit_of_work() as tx:
            account = tx.accounts.get(account_id)
            if not account.is_active or not tx.notifications.claim(record):
                return None
            return account.email
