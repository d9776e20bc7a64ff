"""The run context as the provider reads it, with the members of a group."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pulumi.output import UNKNOWN

from iamcreds.desired import RotationPolicy
from iamcreds.model import Existing, Status
from iamcreds.planning.group import Member
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.run_context import OnRejection, Options, RunContext

LOGS = "logs.amazonaws.com"
INPUTS = CredentialInputs.read({"user": "jane", "service": LOGS, "declared": 2.0})


def read(**sent: object) -> RunContext:
    """Return the run context that a program sent."""
    return RunContext.read({"run": sent})


def test_read() -> None:
    """The run context is read as the program sent it; the engine makes every number a float."""
    context = read(
        resource="jane/logs",
        user="jane",
        service=LOGS,
        group={"jane/logs/b": {"age_days": 5.0, "declared": 2.0}},
        options={"protect": True, "deletes_first": False},
        owned={"ACCA1": "jane/logs"},
        of_user=["ACCA1"],
        recorded=3.0,
        newest="2026-11-24T00:00:00+00:00",
        account="123456789012",
        on_rejection="collect",
        created_users=["jane"],
    )
    assert context == RunContext(
        resource="jane/logs",
        user="jane",
        service=LOGS,
        group={"jane/logs/b": CredentialInputs(age_days=5, declared=2)},
        options=Options(protect=True, deletes_first=False),
        owned={"ACCA1": "jane/logs"},
        of_user=("ACCA1",),
        recorded=3,
        newest=datetime(2026, 11, 24, tzinfo=UTC),
        account="123456789012",
        on_rejection=OnRejection.COLLECT,
        created_users=("jane",),
    )


@pytest.mark.parametrize(
    "policy",
    [
        RotationPolicy(overlap_hours=12),
        RotationPolicy(12, 48, not_before=datetime(2027, 1, 31, tzinfo=UTC), retire_by_hours=36),
    ],
)
def test_rotation(policy: RotationPolicy) -> None:
    """A rotation is read as the program sent it, and every number is whole."""
    sent = {name: float(value) if isinstance(value, int) else value for name, value in policy.properties().items()}
    assert read(rotate=sent).rotate == policy


@pytest.mark.parametrize("properties", [{}, {"run": None}, {"run": {}}, {"run": UNKNOWN}, {"run": {"owned": UNKNOWN}}])
def test_no_context(properties: dict[str, object]) -> None:
    """A missing or unknown run context has only defaults."""
    assert RunContext.read(properties) == RunContext()


def test_partly_unknown() -> None:
    """The known part of a run context is read."""
    context = read(
        resource="key",
        user=UNKNOWN,
        service=UNKNOWN,
        owned=UNKNOWN,
        of_user=UNKNOWN,
        newest=UNKNOWN,
        account="123456789012",
        group={},
    )
    assert context == RunContext(resource="key", account="123456789012")


def test_renamed() -> None:
    """Owners have their present names, unless the state already has a resource of that name."""
    owned = {"ACCA1": "old", "ACCA2": "other"}
    assert read(owned=owned, renamed={"old": "new", "gone": "other"}).owned == {"ACCA1": "new", "ACCA2": "other"}
    both = {"ACCA1": "old", "ACCA2": "new"}
    assert read(owned=both, renamed={"old": "new"}).owned == both


def test_own_ids() -> None:
    """A resource's own ids are those under its name in the state."""
    assert read(resource="a", owned={"ACCA1": "b", "ACCA2": "a"}).own_ids() == ["ACCA2"]
    assert read(resource="a").own_ids() == []


def test_members() -> None:
    """The members of a group are all declared credentials, with the values that affect decisions."""
    group = {
        "a": {"declared": 2},
        "b": {"declared": 2, "existing": "adopt", "status": "Inactive", "age_days": 30, "adopt": "ACCA1"},
        "c": dict.fromkeys(("declared", "existing", "status", "age_days", "adopt"), UNKNOWN),
    }
    assert read(resource="a", user="jane", service=LOGS, group=group).members(INPUTS) == {
        "a": Member(declared=2),
        "b": Member(2, Existing.ADOPT, Status.INACTIVE, timedelta(days=30), "ACCA1"),
        "c": Member(2, Existing.ADOPT, is_lifetime_known=False),
    }


def test_only_member() -> None:
    """Without a group, the requested resource is its only member."""
    assert read(resource="a").members(INPUTS) == {"a": Member(declared=2)}
    assert RunContext().members(INPUTS) == {"": Member(declared=2)}


@pytest.mark.parametrize(
    ("sent", "others"),
    [
        ({"user": "joe", "service": LOGS, "group": {"a": {"declared": 2}, "b": {}}}, set()),
        ({"user": "jane", "service": "bedrock.amazonaws.com", "group": {"a": {"declared": 2}, "b": {}}}, set()),
        ({"user": "jane", "service": LOGS, "group": {"a": {"declared": 1}, "b": {}}}, {"b"}),
    ],
    ids=["user", "service", "declared"],
)
def test_transformed(sent: dict[str, Any], others: set[str]) -> None:
    """A resource whose inputs differ from its run context is uncertain, and joins no group of a different user."""
    members = read(resource="a", **sent).members(INPUTS)
    assert members["a"] == Member(declared=2, is_certain=False)
    assert members.keys() == {"a", *others}


@pytest.mark.parametrize(
    ("options", "by_default", "expected"),
    [
        (Options(), True, True),
        (Options(), False, False),
        (Options(deletes_first=True), False, True),
        (Options(deletes_first=False), True, False),
        (Options(deletes_first=True, retain=True), True, False),
        (Options(deletes_first=True, is_certain=False), True, False),
        (Options(deletes_first=True, protect=True), False, True),
    ],
)
def test_frees_quota(options: Options, by_default: bool, expected: bool) -> None:  # noqa: FBT001 - a row of a table
    """A replacement frees its quota first if it certainly deletes the old credential first."""
    assert options.frees_quota(by_default=by_default) is expected


def test_options_that_are_sent() -> None:
    """Only options that differ from the default are sent, and they are read back."""
    assert Options().properties() == {}
    options = Options(protect=True, retain=True, deletes_first=False, is_certain=False)
    assert read(options=options.properties()).options == options
