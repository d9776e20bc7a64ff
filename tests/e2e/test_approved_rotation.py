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
    assert read_ids(approved) == {"reset": [first], "activate": [first]}
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
    assert read_ids(approved) == {"deactivate": [second]}, "a new credential has no id"
    assert up(rotated, approved).code == 0
    assert list_ids(iam) == {first: "Active", second: "Inactive"}
    assert list(list_ids(iam, "joe").values()) == ["Active", "Active"]
    rotated.assert_no_changes()
