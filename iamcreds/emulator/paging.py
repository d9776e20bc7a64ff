"""Pages of a list: a marker names the last item handed out, so it stays valid while others write."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, TypeVar

from iamcreds.emulator.exceptions import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DEFAULT_ITEMS = 100
"""Items of a page when the caller does not say."""

Item = TypeVar("Item")


def cut_page(
    items: Iterable[Item],
    key: Callable[[Item], str],
    request: Mapping[str, Any],
    *,
    kind: str,
    limit: int | None = None,
) -> tuple[list[Item], dict[str, Any]]:
    """The items that `Marker` and `MaxItems` of the request ask for, in the order of their keys.

    Args:
        items: all of them.
        key: what sorts an item and tells it from every other.
        request: the operation's parameters.
        kind: the operation; a marker of another one is refused.
        limit: what an endpoint in a bad mood gives at most, whatever `MaxItems` says.

    Returns:
        The page, and the `IsTruncated` and `Marker` that belong into the answer.

    Raises:
        ValidationError: the marker is not one of ours.
    """
    after = _decode_marker(request["Marker"], kind) if "Marker" in request else ""
    rest = sorted((item for item in items if key(item) > after), key=key)
    size = min(request.get("MaxItems", DEFAULT_ITEMS), limit or len(rest))
    chosen = rest[:size]
    if len(rest) <= size:
        return chosen, {"IsTruncated": False}
    return chosen, {"IsTruncated": True, "Marker": _encode_marker(key(chosen[-1]), kind)}


def _encode_marker(last: str, kind: str) -> str:
    return base64.urlsafe_b64encode(f"{kind} {last}".encode()).decode()


def _decode_marker(marker: str, kind: str) -> str:
    try:
        found, _, last = base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode().partition(" ")
    except (binascii.Error, UnicodeError):
        found, last = "", ""
    if found != kind or not last:
        raise ValidationError("Invalid Marker")
    return last
