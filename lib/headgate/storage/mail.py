"""A message as an e-mail, by any mail server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from headgate.core.spec import AlertRoute
from headgate.storage.couriers import SECONDS, UndeliveredError
from headgate.storage.logs import log
from headgate.storage.secrets import revealed

HERE = ("localhost", "127.0.0.1", "::1")
SERVER = "smtp://localhost:25"


def sent(route: AlertRoute, subject: str, text: str, id: str) -> None:
    """Hand a mail to the route's server."""
    if route.kind == "mailto":
        server, people = revealed(route.smtp or SERVER), revealed(route.address)
    else:
        server = f"{route.kind}:{revealed(route.address)}"
        people = urlsplit(server).path.strip("/")
    receivers = [one.strip() for one in people.split(",") if one.strip()]
    mail = EmailMessage()
    mail["Subject"], mail["Date"] = " ".join(subject.split()), formatdate()
    domain = receivers[0].rpartition("@")[2]
    mail["From"] = route.from_ or f"headgate@{domain}"
    mail["To"] = ", ".join(receivers)
    mail["Message-ID"] = f"<{id}@headgate.{domain}>"  # the same for every try
    mail.set_content(text + "\n")
    try:
        with _opened(server) as post:
            refused = post.send_message(mail)
    except smtplib.SMTPRecipientsRefused:
        raise UndeliveredError("the mail server takes no mail for these addresses") from None
    except smtplib.SMTPResponseException as error:
        raise UndeliveredError(f"the mail server answered {error.smtp_code}") from None
    if refused:  # the others have it: one more try would reach them twice
        log("alert.receivers.refused", level="warning", count=len(refused), of=len(receivers))


def _opened(server: str) -> smtplib.SMTP:
    """A connection, encrypted where the server can; a password goes nowhere in plain."""
    parts = urlsplit(server)
    host, tls = parts.hostname or "localhost", ssl.create_default_context()
    if parts.scheme == "smtps":
        post: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=SECONDS, context=tls)
        safe = True
    else:
        post = smtplib.SMTP(host, parts.port or (587 if parts.username else 25), timeout=SECONDS)
        safe = host in HERE
    try:
        post.ehlo()
        if parts.scheme == "smtp" and post.has_extn("starttls"):
            post.starttls(context=tls)
            safe = True
        if parts.username:
            if not safe:
                raise UndeliveredError("the mail server offers no TLS: no password is sent to it")
            try:
                post.login(unquote(parts.username), unquote(parts.password or ""))
            except (smtplib.SMTPAuthenticationError, smtplib.SMTPServerDisconnected):
                raise UndeliveredError("the mail server refuses user and password") from None
    except BaseException:
        post.close()
        raise
    return post
