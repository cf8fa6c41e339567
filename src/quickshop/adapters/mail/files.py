"""Emails to a folder or a terminal, for development."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from typing_extensions import override

from quickshop.adapters.mail.rendering import compose, render, safe_name
from quickshop.domain.errors import AdapterError, TransientError
from quickshop.ports.notifications import Message, Notifier
from quickshop.ports.services import CheckedService

DEFAULT_SENDER: Final = "shop@localhost"


class FileNotifier(Notifier, CheckedService):
    """A `Notifier` that writes one `.eml` file per message into `directory`.

    Files are written atomically. A message that is sent again overwrites its own file.
    """

    def __init__(self, directory: str | Path, *, sender: str = DEFAULT_SENDER) -> None:
        self._directory = Path(directory)
        self._sender = sender

    @override
    def send(self, message: Message) -> None:
        mail = compose(message, sender=self._sender)
        path = self._directory / f"{safe_name(message.key)}.eml"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            _write_whole(path, mail.as_bytes(policy=mail.policy.clone(linesep="\n")))
        except OSError as error:
            raise TransientError(f"the email cannot be written to {path}: {error}") from error

    @override
    def check_connection(self) -> str:
        nearest = self._directory.absolute()
        while not nearest.exists():
            nearest = nearest.parent
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            raise AdapterError(
                f"emails cannot be written to {self._directory}: {nearest} is not a folder that"
                " can be written to; QUICKSHOP_MAIL_DIR must name one"
            )
        return f"emails are written to {self._directory}; no mail server is configured"


def _write_whole(path: Path, content: bytes) -> None:
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".draft")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(draft).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(draft).unlink()
        raise


class ConsoleNotifier(Notifier, CheckedService):
    """A `Notifier` that prints messages as text."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    @override
    def send(self, message: Message) -> None:
        mail = render(message)
        text = f"To: {message.recipient}\nSubject: {mail.subject}\n\n{mail.text}\n"
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError) as error:
            raise TransientError("the email cannot be printed") from error

    @override
    def check_connection(self) -> str:
        if self._stream.closed:
            raise AdapterError("emails cannot be printed: the stream is closed")
        return "emails are printed; no mail server is configured"
