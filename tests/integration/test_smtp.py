"""Mail to a real SMTP server, willing and unwilling ones."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from quickshop.adapters.mail.rendering import render
from quickshop.adapters.mail.smtp import SmtpNotifier, find_html_renderer
from quickshop.domain.errors import AdapterError, TransientError
from tests.contracts.notifier import NotifierContract, Outbox
from tests.fault_proxy import FaultProxy
from tests.mails import SENDER, a_message
from tests.servers import free_port

OK = "250 OK"
HOST = "127.0.0.1"


@dataclass
class Mailbox:
    """Takes mails, or answers what it is told to."""

    to_recipient: str = OK
    to_data: str = OK
    to_noop: str = OK
    mails: list[EmailMessage] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if self.to_recipient == OK:
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        if self.to_data == OK:
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content, policy=default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.to_data

    async def handle_NOOP(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, _envelope: Envelope, _argument: str
    ) -> str:
        return self.to_noop

    def log_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _way: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        if data.password == b"right":
            self.users.append(data.login)
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False)


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


Serve = Callable[..., AbstractContextManager[int]]


@pytest.fixture
def serve(mailbox: Mailbox) -> Serve:
    """Serve the mailbox, with options of aiosmtpd's; yields the port."""

    @contextmanager
    def run(**options: object) -> Iterator[int]:
        controller = Controller(mailbox, hostname=HOST, port=free_port(), **options)
        controller.start()
        try:
            yield controller.port
        finally:
            controller.stop()

    return run


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


plain = partial(SmtpNotifier, HOST, sender=SENDER, security="none", timeout_seconds=30)
encrypted = partial(SmtpNotifier, HOST, sender=SENDER, timeout_seconds=30)


class TestSmtp(NotifierContract):
    @pytest.fixture
    def outbox(self, serve: Serve, mailbox: Mailbox) -> Iterator[Outbox]:
        with serve() as port:
            yield Outbox(plain(port), lambda: len(mailbox.mails))


def test_a_mail_arrives_as_text_and_html(serve: Serve, mailbox: Mailbox) -> None:
    message = a_message()
    with serve() as port:
        plain(port).send(message)

    (mail,) = mailbox.mails
    expected = render(message, to_html=find_html_renderer())
    assert (mail["To"], mail["From"].addresses[0].addr_spec) == ("ada@example.com", SENDER)
    assert mail["Subject"] == expected.subject
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == expected.text
    assert html is not None
    assert "<html" in html.get_content()


def test_a_mail_sent_twice_can_be_told_by_its_message_id(serve: Serve, mailbox: Mailbox) -> None:
    message = a_message()
    with serve() as port:
        notifier = plain(port)
        for sent in (message, message, a_message()):
            notifier.send(sent)

    first, again, other = (mail["Message-ID"] for mail in mailbox.mails)
    assert first == again != other


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_over_an_encrypted_connection_with_a_login(
    serve: Serve,
    mailbox: Mailbox,
    server_tls: ssl.SSLContext,
    client_tls: ssl.SSLContext,
    security: str,
) -> None:
    way = (
        {"ssl_context": server_tls, "auth_require_tls": False}
        if security == "tls"
        else {"tls_context": server_tls, "require_starttls": True, "auth_required": True}
    )
    with serve(authenticator=mailbox.log_in, **way) as port:
        notifier = encrypted(
            port, security=security, tls=client_tls, username="shop", password="right"
        )
        found = notifier.check_connection()
        notifier.send(a_message())

    assert found == f"{HOST}:{port} answers with {security.upper()}, and accepts the login"
    assert len(mailbox.mails) == 1
    assert mailbox.users == [b"shop", b"shop"]


def test_a_wrong_password_is_not_tried_again_and_not_repeated(
    serve: Serve, mailbox: Mailbox, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    with serve(authenticator=mailbox.log_in, auth_required=True, tls_context=server_tls) as port:
        notifier = encrypted(port, tls=client_tls, username="shop", password="wrong-secret")
        with pytest.raises(AdapterError, match="535") as refusal:
            notifier.send(a_message())

    assert not isinstance(refusal.value, TransientError)
    assert "wrong-secret" not in str(refusal.value)
    assert not mailbox.mails


def test_nothing_is_said_in_the_clear_when_encryption_was_asked_for(
    serve: Serve, mailbox: Mailbox
) -> None:
    with serve() as port:
        notifier = encrypted(port, username="shop", password="right")
        with pytest.raises(AdapterError, match="STARTTLS"):
            notifier.send(a_message())

    assert not mailbox.mails
    assert not mailbox.users


def test_a_server_that_cannot_prove_who_it_is_gets_no_mail(
    serve: Serve, mailbox: Mailbox, server_tls: ssl.SSLContext
) -> None:
    with serve(tls_context=server_tls) as port, pytest.raises(TransientError, match="certificate"):
        encrypted(port).send(a_message())

    assert not mailbox.mails


@pytest.mark.parametrize(
    "answers",
    [
        {"to_recipient": "450 mailbox busy"},
        {"to_data": "451 try later"},
        {"to_data": "421 closing"},
    ],
)
def test_a_mail_that_is_not_taken_now_is_to_be_tried_again(
    serve: Serve, mailbox: Mailbox, answers: dict[str, str]
) -> None:
    vars(mailbox).update(answers)
    with serve() as port, pytest.raises(TransientError, match=r"answered 4\d\d"):
        plain(port).send(a_message())


@pytest.mark.parametrize(
    "answers", [{"to_recipient": "550 no such user"}, {"to_data": "554 no thanks"}]
)
def test_a_mail_that_will_not_be_taken_is_not_tried_again(
    serve: Serve, mailbox: Mailbox, answers: dict[str, str]
) -> None:
    vars(mailbox).update(answers)
    with serve() as port, pytest.raises(AdapterError, match="55") as refusal:
        plain(port).send(a_message())

    assert not isinstance(refusal.value, TransientError)


def test_a_server_that_is_not_there_is_to_be_tried_again() -> None:
    with pytest.raises(TransientError, match="cannot be reached"):
        plain(free_port()).send(a_message())


def test_a_server_that_says_nothing_is_to_be_tried_again(serve: Serve) -> None:
    with serve() as port, FaultProxy(port) as proxy:
        proxy.black_hole()
        with pytest.raises(TransientError, match="cannot be reached"):
            SmtpNotifier(
                HOST, proxy.port, sender=SENDER, security="none", timeout_seconds=0.1
            ).send(a_message())


def test_a_server_that_hangs_up_is_to_be_tried_again() -> None:
    with FaultProxy(free_port()) as nobody_behind, pytest.raises(TransientError):
        plain(nobody_behind.port).send(a_message())


def advice_of(notifier: SmtpNotifier) -> str:
    """What the check finds wrong."""
    with pytest.raises(AdapterError) as found:
        notifier.check_connection()
    assert "hunter2" not in str(found.value)
    return str(found.value)


def test_the_check_finds_a_login_that_is_refused(
    serve: Serve, mailbox: Mailbox, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    login = partial(encrypted, username="shop", password="hunter2", tls=client_tls)
    with serve(authenticator=mailbox.log_in, auth_required=True, tls_context=server_tls) as port:
        advice = advice_of(login(port))
    assert advice.startswith(f"{HOST}:{port}: the mail server answered 535")
    assert "QUICKSHOP_SMTP_USERNAME and QUICKSHOP_SMTP_PASSWORD must be" in advice


def test_the_check_finds_encryption_that_does_not_fit(
    serve: Serve, server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    must = "QUICKSHOP_SMTP_SECURITY must be"
    with serve() as port:
        assert must in advice_of(encrypted(port))
        assert must in advice_of(encrypted(port, security="tls", tls=client_tls))
    with serve(tls_context=server_tls) as port:
        assert "QUICKSHOP_SMTP_HOST must be a name in its certificate" in advice_of(
            encrypted(port)
        )


def test_the_check_finds_a_server_that_is_away_or_says_nothing_in_time(serve: Serve) -> None:
    must = "QUICKSHOP_SMTP_HOST, QUICKSHOP_SMTP_PORT"
    assert must in advice_of(plain(free_port()))
    with serve() as port, FaultProxy(port) as proxy:
        proxy.black_hole()
        assert must in advice_of(plain(proxy.port, timeout_seconds=0.1))


def test_the_check_finds_a_server_that_takes_no_commands(serve: Serve, mailbox: Mailbox) -> None:
    mailbox.to_noop = "421 closing"
    with serve() as port:
        advice = advice_of(plain(port))
    assert "answered 421 closing; it must accept connections" in advice
