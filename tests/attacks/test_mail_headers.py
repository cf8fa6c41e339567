"""What people write of themselves stays in the text of a mail, and makes no header of it."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Final

import pytest

from quickshop.adapters.mail.files import FileNotifier
from quickshop.adapters.memory.notifications import MemoryNotifier
from quickshop.ports.notifications import Message
from tests.attacks.stage import Stage, open_stage
from tests.attacks.surface import ADMIN, GUEST, texts_of

HEADERS: Final = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "auto-submitted",
}
BREAKS: Final = ("\n", "\r\n", "\r", "\u2028", "\x85", "\x0b", "%0d%0a", "=0D=0A", "\\n", "\0")
INJECTED: Final = "Bcc: victim@example.org"


class Post(MemoryNotifier):
    """Puts every message into a file, as a mail."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._files = FileNotifier(folder)

    def send(self, message: Message) -> None:
        super().send(message)
        self._files.send(message)


def mails_in(folder: Path) -> list[EmailMessage]:
    parser = BytesParser(policy=policy.default)
    return [parser.parsebytes(file.read_bytes()) for file in folder.glob("*.eml")]


def inject_everywhere(stage: Stage, name: str, who: str, text: str) -> None:
    """Do it with the text in one place at a time."""
    operation = stage.operation(name)
    for path in texts_of(stage.call(operation, who).body):
        call = stage.call(operation, who)
        stage.ask(call.with_body_at(path, text))


@pytest.mark.parametrize("line_break", BREAKS)
def test_no_mail_gets_a_header_or_a_recipient_from_what_was_sent(
    line_break: str, tmp_path: Path
) -> None:
    folder = tmp_path / "mail"
    with open_stage(notifier=Post(folder)) as stage:
        for name, who in (
            ("place_order", GUEST),
            ("cancel_own_order", GUEST),
            ("register", GUEST),
            ("request_password_reset", GUEST),
            ("invite_user", ADMIN),
            ("cancel_order", ADMIN),
            ("refund_order", ADMIN),
            ("fulfill_order", ADMIN),
        ):
            inject_everywhere(stage, name, who, f"Ada{line_break}{INJECTED}")
            inject_everywhere(stage, name, who, f"ada@example.com{line_break}{INJECTED}")
        stage.web.shop.run_jobs()
    mails = mails_in(folder)
    assert len(mails) > 20
    for mail in mails:
        assert {header.lower() for header in mail} <= HEADERS, mail.items()
        assert len(mail.get_all("To")) == len(mail["To"].addresses) == 1
        assert "victim" not in str(mail["To"]) + str(mail["From"]) + str(mail["Message-ID"])
