"""The list operations of IAM: the whole list, or the part that a window selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers
from iamcreds.errors import AccountError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Item = TypeVar("Item")

PAGE = 1000
"""Requested items per page, the maximum that IAM allows."""

MAX_BARREN_PAGES = 100
"""Maximum number of consecutive pages without a new item; with more, the list is considered endless."""

_IDS = ("ServiceSpecificCredentialId", "AccessKeyId", "UserName")
"""The keys that identify an item of a list."""


@dataclass(frozen=True)
class Window:
    """A part of a list: at most `max_items` items (None: all) from `marker` on (None: from the start)."""

    marker: str | None = None
    max_items: int | None = None


EVERYTHING = Window()


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list; `marker` is the start of the next part, or None at the end."""

    items: tuple[Item, ...]
    marker: str | None = None


def read_list(
    operation: Callable[..., Any],
    key: str,
    to_item: Callable[[Mapping[str, Any]], Item],
    window: Window = EVERYTHING,
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Page[Item]:
    """Return the items under the key in the responses of a list operation, in IAM's order.

    Raises:
        UnreadableAnswerError: the response is not from IAM.
        AccountError: the list is endless.
        BotoCoreError, ClientError: as boto3.
    """
    with reading_answers():
        if window.max_items is None:
            rest = pages(operation, window.marker, **arguments)
            return Page(tuple(to_item(item) for page in rest for item in page[key]))
        marker = {} if window.marker is None else {"Marker": window.marker}
        page = client.call(operation, **arguments, **marker, MaxItems=window.max_items)
        return Page(tuple(map(to_item, page[key])), page["Marker"] if page.get("IsTruncated") else None)


def pages(
    operation: Callable[..., Any],
    start: str | None = None,
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Iterator[Mapping[str, Any]]:
    """Yield every page of a list operation from the marker `start` on.

    Only IsTruncated marks the end, because a short page may not be the last one. The paginators of botocore do not
    retry an unreadable page, and detect an endless list only by a marker that is repeated at once.

    Raises:
        AccountError: the list is endless: a marker is repeated, or too many consecutive pages have no new item.
    """
    markers: set[str] = set()
    ids: set[str] = set()
    barren = 0
    marker = {"Marker": start} if start else {}
    while True:
        page = client.read(operation, **arguments, **marker, MaxItems=PAGE)
        yield page
        if not page.get("IsTruncated"):
            return
        marker = {"Marker": page["Marker"]}
        new = _list_ids(page) - ids
        barren = 0 if new else barren + 1
        if marker["Marker"] in markers or barren > MAX_BARREN_PAGES:
            fault = "the same marker twice" if marker["Marker"] in markers else "only repeated items on many pages"
            raise AccountError(f"{operation.__name__}: AWS returned {fault}, so the list is unreliable")
        markers.add(marker["Marker"])
        ids |= new


def describe_owner(user: str | None) -> str:
    """Describe the owner of a list: a user, or the caller if None."""
    return "the calling user (no user specified)" if user is None else f"user {user}"


def _list_ids(page: Mapping[str, Any]) -> set[str]:
    """Return the ids of the items of a page: credentials, access keys or users."""
    items = (item for value in page.values() if isinstance(value, list) for item in value)
    return {str(next((item[name] for name in _IDS if name in item), "")) for item in items if isinstance(item, dict)}
