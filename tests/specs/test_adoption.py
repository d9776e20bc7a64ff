"""The existing credentials of declared ones: decided only if that is certain, or as `iamcreds dump` names them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.model import Credential, Status
from iamcreds.services import Family, service_name
from iamcreds.specs import load
from iamcreds.specs.adoption import Match, Undecided, find_matches

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ONE = "{service: codecommit}"
TWO = "{service: codecommit}, {service: codecommit, name: spare}"
NAMED = "{service: codecommit, name: primary}, {service: codecommit, name: spare}"


def existing(number: int, login: str = "jane", *, user: str = "jane", **fields: object) -> Credential:
    """A credential that is so many days old."""
    values = {"status": Status.ACTIVE, "created": NOW - timedelta(days=number)} | fields
    return Credential(
        f"ACCA{number}", user, service_name("codecommit"), family=Family.PASSWORD,
        login=f"{login}-at-123456789012", **values,  # type: ignore[arg-type]
    )  # fmt: skip


NONE = {"jane/codecommit": None, "jane/codecommit/spare": None}
NONE_NAMED = {"jane/codecommit/primary": None, "jane/codecommit/spare": None}


OLD, YOUNG = existing(2), existing(1, "jane+1")
EXPIRED = existing(9, status=Status.EXPIRED)


@pytest.mark.parametrize(
    ("declared", "found", "expected"),
    [
        (ONE, [OLD], {"jane/codecommit": "ACCA2"}),
        ("{service: codecommit, name: any}", [YOUNG], {"jane/codecommit/any": "ACCA1"}),
        (ONE, [OLD, EXPIRED], {"jane/codecommit": "ACCA2"}),
        (ONE, [EXPIRED], {}),
        (ONE, [existing(1, user="joe")], {}),
        (ONE, [], {}),
        (ONE, [OLD, YOUNG], {"jane/codecommit": None}),
        (TWO, [YOUNG], NONE),
        (TWO, [YOUNG, OLD], {"jane/codecommit": "ACCA2", "jane/codecommit/spare": "ACCA1"}),
        (TWO, [existing(2, "jane+1"), existing(1)], NONE),
        (TWO, [OLD, existing(3, created=OLD.created)], NONE),
        (TWO.replace("spare", "spare, status: Inactive"), [OLD, YOUNG], NONE),
        (NAMED, [OLD, YOUNG], NONE_NAMED),
        (NAMED.replace("spare", "spare, adopt: ACCA2"), [OLD, YOUNG], {"jane/codecommit/primary": "ACCA1"}),
        (NAMED.replace("spare", "spare, adopt: GONE"), [OLD], NONE_NAMED),
    ],
)  # fmt: skip
def test_matches(tmp_path: Path, declared: str, found: list[Credential], expected: dict[str, str | None]) -> None:
    """One and one match. If there are two, names, dates, logins and statuses must agree. An unknown id is undecided."""
    for name in ("ACCA2", "GONE"):
        declared = declared.replace(f"adopt: {name}", f"adopt: {name:0<20}")
    found = [
        Credential(**{**vars(each), "id": f"{each.id:0<20}"}) for each in found
    ]  # ids in specs have at least 20 characters
    (tmp_path / "a.yaml").write_text(f"users: {{jane: {{credentials: [{declared}]}}}}")
    matches = find_matches(load(tmp_path), found)
    assert {
        each.desired.resource_name: each.credential.id.rstrip("0") if isinstance(each, Match) else None
        for each in matches
    } == expected


@pytest.mark.parametrize(
    ("ages", "lifetimes", "expected"),
    [
        ((80, 4), (90, 90), "ACCA4"),
        ((80, 4), (90, 30), None),
        ((20, 4), (90, 90), None),
        ((80, 4), (None, None), None),
        ((80,), (90,), "ACCA80"),
    ],
)
def test_renewed(
    tmp_path: Path, ages: tuple[int, ...], lifetimes: tuple[int | None, ...], expected: str | None
) -> None:
    """With `renewBefore`, the newer of two matches if the dates are those of a renewal."""
    (tmp_path / "a.yaml").write_text(
        "users: {jane: {credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 14d}}]}}"
    )
    found = [
        replace(
            existing(age),
            service=service_name("bedrock"),
            expires=None if days is None else NOW + timedelta(days=days - age),
        )
        for age, days in zip(ages, lifetimes, strict=True)
    ]
    (match,) = find_matches(load(tmp_path), found)
    assert (match.credential.id if isinstance(match, Match) else None) == expected


@pytest.mark.parametrize(
    ("after", "is_match"), [("", True), ("expire: {after: 90d}", True), ("expire: {after: 30d}", False)]
)
def test_expiry(tmp_path: Path, after: str, *, is_match: bool) -> None:
    """A key whose lifetime differs from the declared one is undecided, because the import would be rejected."""
    (tmp_path / "a.yaml").write_text(f"users: {{jane: {{credentials: [{{service: bedrock, {after}}}]}}}}")
    key = replace(OLD, service=service_name("bedrock"), family=Family.API_KEY, expires=OLD.created + timedelta(days=90))
    (found,) = find_matches(load(tmp_path), [key])
    assert isinstance(found, Match) is is_match
    if isinstance(found, Undecided):
        assert found.reason == "its expiry differs from the declared one, so it cannot be imported"
