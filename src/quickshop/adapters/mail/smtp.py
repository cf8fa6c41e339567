"""Emails through an SMTP server."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Final, Literal

from typing_extensions import override

from quickshop.adapters.mail.rendering import HtmlRenderer, compose
from quickshop.domain.errors import AdapterError, TransientError
from quickshop.ports.notifications import Message, Notifier
from quickshop.ports.services import CheckedService

Security = Literal["starttls", "tls", "none"]

_FAILURE: Final = 400
"""The first reply code that is a refusal (RFC 5321)."""
_IN_WORDS: Final[dict[Security, str]] = {
    "starttls": "with STARTTLS",
    "tls": "with TLS",
    "none": "without encryption",
}


class SmtpNotifier(Notifier, CheckedService):
    """A `Notifier` that sends each email to an SMTP server over its own connection.

    Emails are text, with HTML when the `smtp` extra is installed. With `starttls` and `tls`
    no email is sent before the connection is encrypted and the server's certificate verified.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        username: str | None = None,
        password: str | None = None,
        security: Security = "starttls",
        timeout_seconds: float = 10,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._sender = sender
        self._username = username
        self._password = password
        self._security = security
        self._timeout_seconds = timeout_seconds
        self._tls = tls or ssl.create_default_context()
        self._to_html = find_html_renderer()

    @override
    def send(self, message: Message) -> None:
        mail = compose(message, sender=self._sender, to_html=self._to_html)
        with _translated_errors():
            self._hand_over(mail)

    @override
    def check_connection(self) -> str:
        server = f"{self._host}:{self._port}"
        try:
            with _translated_errors():
                self._look_in()
        except AdapterError as error:
            advice = _advice(error.__cause__)
            raise type(error)(f"{server}: {error}; {advice}") from error
        login = "without a login" if self._username is None else "and accepts the login"
        return f"{server} answers {_IN_WORDS[self._security]}, {login}"

    def _hand_over(self, mail: EmailMessage) -> None:
        with self._opened() as server:
            server.send_message(mail)

    def _look_in(self) -> None:
        with self._opened() as server:
            code, reply = server.noop()
            if code >= _FAILURE:
                raise smtplib.SMTPResponseException(code, reply)

    @contextmanager
    def _opened(self) -> Iterator[smtplib.SMTP]:
        """A connection that is encrypted and logged in as the settings ask."""
        with self._connect() as server:
            if self._security == "starttls":
                server.starttls(context=self._tls)
            if self._username is not None:
                server.login(self._username, self._password or "")
            yield server

    def _connect(self) -> smtplib.SMTP:
        # smtplib would look up this machine's name for EHLO, which may take very long.
        name = self._sender.rpartition("@")[2]
        if self._security == "tls":
            return smtplib.SMTP_SSL(
                self._host, self._port, name, timeout=self._timeout_seconds, context=self._tls
            )
        return smtplib.SMTP(self._host, self._port, name, timeout=self._timeout_seconds)


def find_html_renderer() -> HtmlRenderer | None:
    """Return the MJML renderer of the `smtp` extra, or None if it is not installed."""
    try:
        import mrml  # noqa: PLC0415 - it may be missing
    except ImportError:
        return None
    return lambda mjml: str(mrml.to_html(mjml).content)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        raise _refusal(code, reply) from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise AdapterError(f"the mail server does not support this: {error}") from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"the mail server cannot be reached: {error}") from error


def _refusal(code: int, reply: bytes | str) -> AdapterError:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    reason = f"the mail server answered {code} {text[:200]}"
    # Codes below 100 are smtplib's own: the connection broke.
    return AdapterError(reason) if code >= 500 else TransientError(reason)  # noqa: PLR2004 - RFC 5321


def _advice(cause: BaseException | None) -> str:
    """Return which settings to check, by the cause."""
    match cause:
        case smtplib.SMTPAuthenticationError():
            return "QUICKSHOP_SMTP_USERNAME and QUICKSHOP_SMTP_PASSWORD must be a login of it"
        case smtplib.SMTPNotSupportedError():
            return (
                "QUICKSHOP_SMTP_SECURITY must be what it offers, and QUICKSHOP_SMTP_USERNAME"
                " unset if it has no logins"
            )
        case ssl.SSLCertVerificationError():
            return (
                "QUICKSHOP_SMTP_HOST must be a name in its certificate, of an issuer that is"
                " trusted here"
            )
        case ssl.SSLError():
            return "QUICKSHOP_SMTP_SECURITY must be tls or starttls, whichever this port expects"
        case smtplib.SMTPResponseException():
            return "it must accept connections from this machine"
    return (
        "QUICKSHOP_SMTP_HOST, QUICKSHOP_SMTP_PORT and QUICKSHOP_SMTP_SECURITY must be those of a"
        " mail server that answers in time"
    )
