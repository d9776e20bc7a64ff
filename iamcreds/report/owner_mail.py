"""Mails to owners, by a server whose address contains a password and is therefore never shown."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from iamcreds.errors import NotificationError
from iamcreds.report.sending import find_service, send, silence

VARIABLE = "IAMCREDS_OWNERS_URL"
"""The environment variable with the address of the mail server."""

_SCHEME = re.compile("mailtos?://", re.IGNORECASE)
_RECIPIENTS = ("to", "cc", "bcc")


@dataclass(frozen=True)
class MailServer:
    """The mail server for owners, with its sender; `url` is an address in apprise's format."""

    url: str = field(repr=False)

    def send(self, owner: str, title: str, markdown_body: str) -> bool:
        """Send a mail to an owner, and to no recipient in the address; return True if the server accepted it.

        The owner, `mailto:` and a mail address, is never part of an address that apprise parses.
        """
        with silence():
            service = find_service(self.url)
            service.targets, service.cc, service.bcc = [(False, owner.removeprefix("mailto:"))], set(), set()
            headers = service.headers.items()
            service.headers = {name: value for name, value in headers if not _is_recipient(name)}
            return send(service, title, markdown_body)


def find_mail_server(url: str | None) -> MailServer:
    """Return the mail server of an address, such as `mailtos://user:password@host?from=iam@example.com`.

    Raises:
        NotificationError: the address is missing, or not that of a mail server.
    """
    url = "" if url is None else url.strip()
    if not url:
        raise NotificationError(
            f"notices to owners need the environment variable {VARIABLE}: the address of a mail server, such as"
            " mailtos://USER:PASSWORD@HOST?from=ADDRESS"
        )
    with silence():
        is_valid = _SCHEME.match(url) is not None and find_service(url) is not None
    if not is_valid:
        raise NotificationError(
            f"{VARIABLE} is not the address of a mail server (mailto:// or mailtos://) that apprise supports. Run"
            " `apprise -vv -b test ADDRESS` to see the reason; the address may contain a secret and is not shown"
        )
    return MailServer(url)


def _is_recipient(header: str) -> bool:
    return header.strip().lower().removeprefix("resent-") in _RECIPIENTS
