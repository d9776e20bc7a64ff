"""Approved plans and rotations: `up` rotates only the credentials whose rotation the preview has shown."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.e2e.successors import NAME, find_working, list_ids, pass_days, read_current
from tests.e2e.test_approval import plan, read_ids, up

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

TEAM = """
users:
  jane: {credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]}
  joe: {credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]}
"""


def plan_on(stack: Stack, emulator: Emulator, day: int) -> Path:
    """Approve a preview on that day; its time follows the account's clock, because the machine's is not shifted."""
    pass_days(emulator, day)
    approved = plan(stack, "--specs", "specs")
    change(approved, plannedAt=(datetime.now(UTC) + timedelta(days=day)).isoformat(timespec="seconds"))
    return approved


def change(approved: Path, **fields: object) -> None:
    """Change fields of an approved plan."""
    approved.write_text(json.dumps(json.loads(approved.read_text()) | fields))


def test_approved_rotations(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A rotation that became due after the preview waits for the next plan; one that is not in the plan is rejected."""
    first, second = list_ids(iam)
    iam.create_user(UserName="joe")
    rotated.write_specs(team=TEAM)
    pass_days(emulator, 100)
    rotated.up()
    (of_joe,) = list_ids(iam, "joe")
    early = plan_on(rotated, emulator, 101)
    pass_days(emulator, 200)
    assert up(rotated, early).code == 0
    assert list_ids(iam) == {first: "Inactive", second: "Active"}, "nothing was due at the time of the plan"
    assert list_ids(iam, "joe") == {of_joe: "Active"}

    approved = plan_on(rotated, emulator, 86 + 86)
    assert read_ids(approved) == {"reset": [first], "activate": [first], "rotate": [second]}
    working = find_working(iam, emulator)
    narrowed = approved.read_text()
    change(approved, reset=[], activate=[])
    done = up(rotated, approved)
    assert done.code != 0
    assert f"credential {first} of user jane: the approved plan of " in done.text
    assert find_working(iam, emulator) == working, "the plan does not name the reset"
    approved.write_text(narrowed)
    pass_days(emulator, 200)
    assert up(rotated, approved).code == 0
    assert read_current(rotated, NAME) == (first, second)
    assert find_working(iam, emulator).items() > working.items()
    assert list_ids(iam, "joe") == {of_joe: "Active"}, "joe's rotation was not due at the time of the plan"

    approved = plan_on(rotated, emulator, 208)
    assert read_ids(approved) == {"deactivate": [second], "rotate": [of_joe]}, "a new credential has no id"
    assert up(rotated, approved).code == 0
    assert list_ids(iam) == {first: "Active", second: "Inactive"}
    assert list(list_ids(iam, "joe").values()) == ["Active", "Active"]
    rotated.assert_no_changes()


def test_rotations_that_the_plan_does_not_name(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A first rotation, which has no id yet, waits unless the plan names the credential in use.

    That is so for a plan from a stored preview of an earlier day, and for one that `maxPerRun` deferred.
    """
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    stack.write_specs(team="defaults: {rotation: {maxPerRun: 1}}" + TEAM)
    stack.up()
    approved = plan_on(stack, emulator, 70)
    change(approved, plannedAt=(datetime.now(UTC) + timedelta(days=100)).isoformat(timespec="seconds"))
    pass_days(emulator, 100)
    done = up(stack, approved)
    assert done.code == 0, done.text
    assert "a rotation is due, but the approved plan does not name it. A later `pulumi up` rotates" in done.text
    assert (len(list_ids(iam)), len(list_ids(iam, "joe"))) == (1, 1)

    approved = plan_on(stack, emulator, 100)
    (named,) = read_ids(approved)["rotate"]
    user, other = ("jane", "joe") if named in list_ids(iam) else ("joe", "jane")
    iam.update_service_specific_credential(UserName=user, ServiceSpecificCredentialId=named, Status="Inactive")
    done = up(stack, approved)
    assert done.code == 0, done.text
    assert f"{other}/keyspaces: a rotation is due, but the approved plan does not name it" in done.text
    assert (len(list_ids(iam, user)), len(list_ids(iam, other))) == (1, 1)

    iam.update_service_specific_credential(UserName=user, ServiceSpecificCredentialId=named, Status="Active")
    assert up(stack, approved).code == 0
    assert (len(list_ids(iam, user)), len(list_ids(iam, other))) == (2, 1)
