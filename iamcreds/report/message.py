"""Notifications: the message about a drift, sent by mail, Slack and other services that apprise knows.

An address such as `mailto://user:password@host` or `slack://token/#channel` holds a secret. So nothing here puts one
into a message, an exception or a log, and what apprise would log is dropped.
"""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from iamcreds.errors import NotificationError
from iamcreds.report.summary import describe_scope, summarize
from iamcreds.text.commands import install_extra
from iamcreds.text.escaping import escape_invisible, format_code_span
from iamcreds.text.formatting import capitalize

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.drift.comparing import Drift

MAX_DIFFERENCES = 20
"""Differences of a message at most; the others are counted."""

MAX_LINE = 500
"""Characters of a difference at most."""

_ADDRESS = re.compile(r"(?<![\w+.-])[\w+.-]+:/\S*")


def write_message(drift: Drift, where: str | None = None) -> tuple[str, str]:
    """Return the title and the Markdown body of a notification; `where` is the path of the whole report.

    Each difference is a code span: the one thing that every service shows as it is, whatever names hold.
    """
    lines = [f"{capitalize(describe_scope(drift))}.", ""]
    sentences = (
        f"{found.format_line()}; next: {found.describe().next}" for found in drift.differences[:MAX_DIFFERENCES]
    )
    lines += [f"- {format_code_span(line, MAX_LINE)}" for line in sentences]
    if len(drift.differences) > MAX_DIFFERENCES:
        lines += ["", f"And {len(drift.differences) - MAX_DIFFERENCES:,} more."]
    if where is not None:
        lines += ["", f"The whole report: {format_code_span(where, MAX_LINE)}"]
    return escape_invisible(f"iamcreds: {summarize(drift)}"), "\n".join(lines)


def check_addresses(urls: Sequence[str]) -> None:
    """Require every address to be one that apprise understands; send nothing.

    Raises:
        NotificationError: one is not, or apprise is not installed.
    """
    with _silenced():
        for number, url in enumerate(urls, 1):
            _find_service(number, len(urls), url)


def send_message(urls: Sequence[str], title: str, markdown_body: str) -> None:
    """Send a message to every address, even if one of them fails.

    Args:
        urls: addresses as apprise has them, such as mailto:// and slack://.
        title: one line.
        markdown_body: the rest, which apprise turns into what each service takes.

    Raises:
        NotificationError: it did not get through everywhere.
    """
    failed = []
    with _silenced():
        for number, url in enumerate(urls, 1):
            service = _find_service(number, len(urls), url)
            if not _send(service, title, markdown_body):
                failed.append(f"{service.service_name} ({_name_address(number, len(urls))})")
    if failed:
        raise NotificationError(
            f"the notification was not sent by {' and '.join(failed)}; an address is not shown, because it holds a"
            " secret: `apprise -vv -b test ADDRESS` tells what is wrong with one",
        )


def hide_addresses(sentence: str) -> str:
    """Return a sentence without the addresses that it may quote."""
    return _ADDRESS.sub("(an address, not shown)", sentence)


def _find_service(number: int, total: int, url: str) -> Any:  # noqa: ANN401 - apprise's type, known where it is installed
    """Return the service of an address."""
    try:
        from apprise import Apprise  # noqa: PLC0415 - slow to import, and not everybody has it
    except ImportError:
        raise NotificationError(
            f"notifications need apprise, which is not installed: {install_extra('notify')}"
        ) from None
    try:
        service = Apprise.instantiate(url)
    except Exception:  # noqa: BLE001 - whatever it is, its text might hold the address
        service = None
    if service is None:
        raise NotificationError(
            f"{_name_address(number, total)} to notify is none that apprise understands; it is not shown, because it"
            " may hold a secret: `apprise -vv -b test ADDRESS` tells what is wrong with it",
        )
    return service


def _send(service: Any, title: str, body: str) -> bool:  # noqa: ANN401 - as above
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415 - as above

    try:
        return bool(Apprise(service).notify(body, title, NotifyType.WARNING, NotifyFormat.MARKDOWN))
    except Exception:  # noqa: BLE001 - as above
        return False


def _name_address(number: int, total: int) -> str:
    return "the address" if total == 1 else f"address {number} of {total}"


@contextmanager
def _silenced() -> Iterator[None]:
    """Suppress logging and warnings: those of apprise and the libraries below it may contain addresses."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
