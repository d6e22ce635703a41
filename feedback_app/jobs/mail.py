"""Sending letters over the SMTP server of the settings."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from feedback_app.config import LOOPBACK, Settings

SMTP_TIMEOUT = 20
PORTS = {"smtp": 25, "smtps": 465}


class NotEncrypted(smtplib.SMTPException):
    """The mail server offers no encryption, and a password may not go to it in plain text."""


def kind_of(error: Exception) -> str:
    """Return an error as it is kept: its class, with the code of a mail server's reply.

    Never its words: they may hold an address, or a piece of a password.
    """
    code: object = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next((code for code, _ in error.recipients.values()), None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


def _connect(address: SplitResult) -> smtplib.SMTP:
    host, port = address.hostname or "", address.port or PORTS[address.scheme]
    if address.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=SMTP_TIMEOUT, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=SMTP_TIMEOUT)


def _encrypt(server: smtplib.SMTP) -> None:
    """Turn encryption on where the server offers it and it is not on yet."""
    server.ehlo()
    if not isinstance(server.sock, ssl.SSLSocket) and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())


def _log_in(server: smtplib.SMTP, address: SplitResult) -> None:
    if not isinstance(server.sock, ssl.SSLSocket) and address.hostname not in LOOPBACK:
        raise NotEncrypted("the mail server offers no encryption: the password was not sent")
    server.login(unquote(address.username or ""), unquote(address.password or ""))


def send(settings: Settings, letter: EmailMessage) -> None:
    """Send a letter over the SMTP server of the settings; raises NotEncrypted and what SMTP raises."""
    address = urlsplit(settings.smtp_url or "")
    with _connect(address) as server:
        _encrypt(server)
        if address.username:
            _log_in(server, address)
        server.send_message(letter)
