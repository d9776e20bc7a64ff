"""Delivery of messages by mail, Slack and other services that apprise supports.

An address such as `mailto://user:password@host` or `slack://token/#channel` contains a secret. Therefore, no message,
exception or log contains an address, and the logs of apprise are suppressed.
"""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from iamcreds.errors import NotificationError
from iamcreds.text.commands import install_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ADDRESS = re.compile(r"(?<![\w+.-])[\w+.-]+:/\S*")


def check_addresses(urls: Sequence[str]) -> None:
    """Check that apprise supports every address, without sending a message.

    Raises:
        NotificationError: an address is not valid, or apprise is not installed.
    """
    with silence():
        for number, url in enumerate(urls, 1):
            _find_service(number, len(urls), url)


def send_message(urls: Sequence[str], title: str, markdown_body: str) -> None:
    """Send a message to every address, even if one of them fails.

    Args:
        urls: addresses in apprise's format, such as mailto:// and slack://.
        title: one line.
        markdown_body: the text, which apprise converts for each service.

    Raises:
        NotificationError: at least one message was not sent.
    """
    failed = []
    with silence():
        for number, url in enumerate(urls, 1):
            service = _find_service(number, len(urls), url)
            if not send(service, title, markdown_body):
                failed.append(f"{service.service_name} ({_name_address(number, len(urls))})")
    if failed:
        raise NotificationError(
            f"cannot send the notification by {' and '.join(failed)}. Run `apprise -vv -b test ADDRESS` to see the"
            " reason; addresses contain secrets and are not shown",
        )


def hide_addresses(sentence: str) -> str:
    """Return a sentence without the addresses that it may quote."""
    return _ADDRESS.sub("(address not shown)", sentence)


def _find_service(number: int, total: int, url: str) -> Any:  # noqa: ANN401 - as below
    """Return the service of an address."""
    service = find_service(url)
    if service is None:
        raise NotificationError(
            f"cannot notify {_name_address(number, total)}, which apprise does not support. Run `apprise -vv -b test"
            " ADDRESS` to see the reason; the address may contain a secret and is not shown",
        )
    return service


def find_service(url: str) -> Any:  # noqa: ANN401 - the type is apprise's, which may not be installed
    """Return the service of an address, None if apprise does not support it; use it within `silence`.

    Raises:
        NotificationError: apprise is not installed.
    """
    try:
        from apprise import Apprise  # noqa: PLC0415 - slow to import, and an extra
    except ImportError:
        raise NotificationError(
            f"notifications need apprise, which is not installed: {install_extra('notify')}"
        ) from None
    try:
        return Apprise.instantiate(url)
    except Exception:  # noqa: BLE001 - the text of any error might contain the address
        return None


def send(service: Any, title: str, body: str) -> bool:  # noqa: ANN401 - as above
    """Send a message with a Markdown body, and return True if the service accepted it; use it within `silence`."""
    from apprise import Apprise, NotifyFormat, NotifyType  # noqa: PLC0415 - as above

    try:
        return bool(Apprise(service).notify(body, title, NotifyType.WARNING, NotifyFormat.MARKDOWN))
    except Exception:  # noqa: BLE001 - as above
        return False


def _name_address(number: int, total: int) -> str:
    return "the address" if total == 1 else f"address {number} of {total}"


@contextmanager
def silence() -> Iterator[None]:
    """Suppress logging and warnings: those of apprise and the libraries below it may contain addresses."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
