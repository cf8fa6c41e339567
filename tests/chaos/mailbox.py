"""A mail server that writes each email to disk before it confirms it, except for faults."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from threading import Lock
from typing import Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port

HOST: Final = "127.0.0.1"


class Mood(Enum):
    """The behavior of the mail server towards its clients."""

    WILLING = auto()
    REFUSING = auto()
    """Asks everybody to come back later."""
    DYING = auto()
    """Takes the mail and hangs up before it says so."""


class Mailbox:
    """Takes mails; each becomes a line of a file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = Lock()
        self.mood = Mood.WILLING
        self.refused = 0
        """Mails that were sent away."""
        self.left_unanswered = 0
        """Mails that were taken without a word."""

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.mood is Mood.REFUSING:
            self.refused += 1
            return "451 come back later"
        self._keep(envelope)
        if self.mood is Mood.DYING:
            self.left_unanswered += 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"

    def _keep(self, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        head = envelope.content.partition(b"\r\n\r\n")[0].decode(errors="replace")
        mail = {"to": envelope.rcpt_tos, "head": head}
        with self._lock:
            self._file.write(json.dumps(mail) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())


@contextmanager
def open_mailbox(path: Path) -> Iterator[tuple[Mailbox, int]]:
    """A mailbox behind a mail server, and the port of that."""
    mailbox = Mailbox(path)
    controller = Controller(mailbox, hostname=HOST, port=free_port())
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()
