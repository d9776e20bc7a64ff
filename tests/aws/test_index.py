"""Existing credentials, found by id and by user."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from iamcreds.aws.index import Index
from iamcreds.model import Credential, Status
from iamcreds.services import Family

BORN = datetime(2026, 1, 1, tzinfo=UTC)
OLD = Credential("ACCAZ", "jane", "logs.amazonaws.com", Status.ACTIVE, BORN, Family.API_KEY, "jane")
YOUNG = replace(OLD, id="ACCAA", created=BORN + timedelta(days=1))


def test_by_user_and_id() -> None:
    """The credentials of a user are sorted by age, all credentials by user, service and id."""
    index = Index([YOUNG, OLD])
    assert index.of("jane") == [OLD, YOUNG]
    assert index.all() == [YOUNG, OLD]
    assert index.get("ACCAZ") is OLD
    assert index.of("john") == []
    assert index.get("ACCAB") is None


def test_what_changes() -> None:
    """A credential that is put again, even under another user, is listed once; a dropped one is not listed."""
    index = Index([OLD, YOUNG])
    moved = replace(OLD, user="joan")
    index.put(moved)
    assert (index.of("jane"), index.of("joan")) == ([YOUNG], [moved])
    for _ in range(2):
        index.drop(YOUNG.id)
    assert index.all() == [moved]
