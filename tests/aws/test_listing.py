"""Paginated lists: all pages are read, and endless lists are rejected."""

from __future__ import annotations

import pytest

from iamcreds.aws.listing import MAX_BARREN_PAGES, pages
from iamcreds.errors import AccountError
from tests.aws.test_client import Answers


def test_pages() -> None:
    """Pages of a thousand items are requested by their markers, from the requested one to the last."""
    first, second, last = {"IsTruncated": True, "Marker": "a"}, {"IsTruncated": True, "Marker": "b"}, {"Marker": "c"}
    listing = Answers(first, second, last)
    assert list(pages(listing, UserName="jane")) == [first, second, last]
    assert listing.asked == [
        {"UserName": "jane", "MaxItems": 1000},
        {"UserName": "jane", "MaxItems": 1000, "Marker": "a"},
        {"UserName": "jane", "MaxItems": 1000, "Marker": "b"},
    ]
    later = Answers(last)
    assert list(pages(later, "x")) == [last]
    assert later.asked == [{"MaxItems": 1000, "Marker": "x"}]


def test_endless_pages() -> None:
    """A repeated marker is an error, because the list would never end."""
    same = {"IsTruncated": True, "Marker": "a"}
    with pytest.raises(
        AccountError, match=r"^list_things: AWS returned the same marker twice, so the list is unreliable"
    ):
        list(pages(Answers(same, same, same)))


@pytest.mark.parametrize("items", [[{"UserName": "jane"}], [{"Path": "/"}], []])
def test_pages_of_known_items(items: list[dict[str, str]]) -> None:
    """A list whose pages have new markers but no new items ends with an error after a limited number of calls."""
    calls: list[object] = []

    def list_users(**arguments: object) -> dict[str, object]:
        calls.append(arguments)
        return {"Users": items, "IsTruncated": True, "Marker": str(len(calls))}

    with pytest.raises(AccountError, match="list_users: AWS returned only repeated items on many pages"):
        list(pages(list_users))
    assert len(calls) == MAX_BARREN_PAGES + 1 + len(items)
