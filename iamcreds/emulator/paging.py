"""Pages of a list. A marker names the last item returned, so it stays valid during concurrent writes."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, TypeVar

from iamcreds.emulator.exceptions import ValidationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DEFAULT_ITEMS = 100
"""Items per page if the request has no `MaxItems`."""

Item = TypeVar("Item")


def cut_page(
    items: Iterable[Item],
    key: Callable[[Item], str],
    request: Mapping[str, Any],
    *,
    kind: str,
    limit: int | None = None,
) -> tuple[list[Item], dict[str, Any]]:
    """Return the items that the request selects by `Marker` and `MaxItems`, sorted by key.

    Args:
        items: all items.
        key: returns the sort key of an item, which is unique.
        request: the operation's parameters.
        kind: the operation; markers of other operations are rejected.
        limit: maximum number of items per page, regardless of `MaxItems`.

    Returns:
        The page, and `IsTruncated` and `Marker` for the response.

    Raises:
        ValidationError: the marker is not valid for the operation.
    """
    after = _decode_marker(request["Marker"], kind) if "Marker" in request else ""
    rest = sorted((item for item in items if key(item) > after), key=key)
    size = min(request.get("MaxItems", DEFAULT_ITEMS), limit or len(rest))
    page = rest[:size]
    if len(rest) <= size:
        return page, {"IsTruncated": False}
    return page, {"IsTruncated": True, "Marker": _encode_marker(key(page[-1]), kind)}


def _encode_marker(last: str, kind: str) -> str:
    return base64.urlsafe_b64encode(f"{kind} {last}".encode()).decode()


def _decode_marker(marker: str, kind: str) -> str:
    try:
        operation, _, last = base64.b64decode(marker.encode(), altchars=b"-_", validate=True).decode().partition(" ")
    except (binascii.Error, UnicodeError):
        operation, last = "", ""
    if operation != kind or not last:
        raise ValidationError("Invalid Marker")
    return last
