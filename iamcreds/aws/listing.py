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
"""Items asked for per page, the most that IAM allows."""

MAX_BARREN_PAGES = 100
"""Pages in a row that may have no new item before a list counts as endless."""

_IDS = ("ServiceSpecificCredentialId", "AccessKeyId", "UserName")
"""The keys that identify an item of a list."""


@dataclass(frozen=True)
class Window:
    """Which part of a list: from `marker` on (None: from its beginning), a page of `max_items` (None: all the rest)."""

    marker: str | None = None
    max_items: int | None = None


EVERYTHING = Window()


@dataclass(frozen=True)
class Page(Generic[Item]):
    """A part of a list; `marker` is where the rest begins, None where there is none."""

    items: tuple[Item, ...]
    marker: str | None = None


def read_list(
    operation: Callable[..., Any],
    key: str,
    to_item: Callable[[Mapping[str, Any]], Item],
    window: Window = EVERYTHING,
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Page[Item]:
    """Return the items that a list operation has under the key, in IAM's order.

    Raises:
        UnreadableAnswerError: the response is not IAM's.
        AccountError: the list never ends.
        BotoCoreError, ClientError: as boto3.
    """
    with reading_answers():
        if window.max_items is None:
            found = pages(operation, window.marker, **arguments)
            return Page(tuple(to_item(item) for page in found for item in page[key]))
        marker = {} if window.marker is None else {"Marker": window.marker}
        page = client.call(operation, **arguments, **marker, MaxItems=window.max_items)
        return Page(tuple(map(to_item, page[key])), page["Marker"] if page.get("IsTruncated") else None)


def pages(
    operation: Callable[..., Any],
    start: str | None = None,
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Iterator[Mapping[str, Any]]:
    """Yield every page of a list operation from the marker `start` on.

    Only IsTruncated ends it, because a page may be short and still not the last. The paginators of botocore do not
    repeat a page that cannot be read, and know an endless list only by a marker that comes twice in a row.

    Raises:
        AccountError: the list never ends: a marker comes twice, or page after page holds known items only.
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
            fault = (
                "the same page marker twice" if marker["Marker"] in markers else "pages of known items again and again"
            )
            raise AccountError(f"{operation.__name__}: AWS gave {fault}: the list is not to be trusted")
        markers.add(marker["Marker"])
        ids |= new


def describe_owner(user: str | None) -> str:
    """Return words for the owner of a list: a user, or (None) the caller."""
    return "the calling user, because none was named" if user is None else f"user {user}"


def _list_ids(page: Mapping[str, Any]) -> set[str]:
    """List the ids of a page's items: of credentials, access keys or users."""
    items = (item for value in page.values() if isinstance(value, list) for item in value)
    return {str(next((item[name] for name in _IDS if name in item), "")) for item in items if isinstance(item, dict)}
