"""Rotations through the real engine: `rotate: {every: 90d, overlap: 7d}`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from iamcreds.pulumi_engine.outputs import SECRETS
from tests.e2e.successors import (
    CREATE,
    DELETE,
    NAME,
    PLAIN,
    READS,
    RESET,
    ROTATED,
    SECOND,
    UPDATE,
    count_writes,
    find_working,
    list_ids,
    pass_days,
    read_current,
    read_rotations,
    run_up,
)

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

OVERLAP = timedelta(days=7)
BY_TRIGGER = "users: {{jane: {{credentials: [{{service: keyspaces, rotate: {{{}, overlap: 7d}}}}]}}}}"
TEAM = """
defaults: {rotation: {maxPerRun: 1}}
users:
  jane: {credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]}
  joe: {credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]}
"""


def test_three_rotations(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Each rotation issues the new password in the other slot; the previous one works for the overlap.

    Both passwords work during the overlap, the outputs always show the current one, and each run costs the same reads.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=PLAIN)
    stack.up()
    (first,) = list_ids(iam)
    recorded, working = read_public_outputs(stack), find_working(iam, emulator)
    stack.write_specs(jane=ROTATED)
    pass_days(emulator, 75)
    shown, counts = run_up(stack, emulator)
    assert (counts, "3 unchanged" in shown) == (READS, True), "`rotate` was added on day 75, when nothing is due"
    assert read_public_outputs(stack) == recorded

    pass_days(emulator, 86)
    shown, counts = run_up(stack, emulator)
    assert counts == {CREATE: 1, "iam:ListUsers": 1, **READS}, "rotation 1"
    assert f"{NAME}: a new password or key is issued in {SECOND}. {first} works until the overlap ends, on " in shown
    (_, second) = list_ids(iam)
    assert find_working(iam, emulator).items() > working.items()
    assert_outputs(stack, emulator, second, first)
    shown, counts = run_up(stack, emulator)
    assert (counts, "4 unchanged" in shown) == (READS, True), "a second `up` after rotation 1"
    pass_days(emulator, 92)
    stack.assert_no_changes()

    pass_days(emulator, 94)
    assert run_up(stack, emulator)[1] == {UPDATE: 1, **READS}, "retirement 1"
    assert list_ids(iam) == {first: "Inactive", second: "Active"}
    assert_outputs(stack, emulator, second)
    working = find_working(iam, emulator)

    pass_days(emulator, 86 + 86)
    assert run_up(stack, emulator)[1] == {RESET: 1, UPDATE: 1, **READS}, "rotation 2"
    assert list_ids(iam) == {first: "Active", second: "Active"}
    assert find_working(iam, emulator).items() > working.items()
    assert_outputs(stack, emulator, first, second)
    pass_days(emulator, 86 + 94)
    assert run_up(stack, emulator)[1] == {UPDATE: 1, **READS}, "retirement 2"
    working = find_working(iam, emulator)

    pass_days(emulator, 86 + 86 + 86)
    assert run_up(stack, emulator)[1] == {RESET: 1, UPDATE: 1, **READS}, "rotation 3"
    assert find_working(iam, emulator).items() > working.items()
    assert_outputs(stack, emulator, second, first)
    assert read_rotations(stack) == {NAME: 2, SECOND: 3}
    stack.assert_no_changes()


def read_public_outputs(stack: Stack) -> dict[str, dict[str, Any]]:
    """Read the recorded outputs of each credential except its secret, whose encryption always differs."""
    outputs = {name: resource["outputs"] for name, resource in stack.read_resources().items()}
    return {name: {key: value for key, value in each.items() if key not in SECRETS} for name, each in outputs.items()}


def assert_outputs(stack: Stack, emulator: Emulator, current: str, previous: str | None = None) -> None:
    """Assert that the stack's outputs show these credentials, and the valid password of the current one."""
    resources = {each["id"]: each["outputs"] for each in stack.read_resources().values()}
    expected = {"id": current, "user_name": resources[current]["service_user_name"], "status": "Active"}
    if previous is not None:
        until = datetime.fromisoformat(resources[current]["issued_at"]) + OVERLAP
        login = resources[previous]["service_user_name"]
        expected["previous"] = {"id": previous, "user_name": login, "valid_until": until.isoformat()}
    assert stack.read_outputs()["credentials"] == {NAME: expected}
    assert stack.read_secrets() == {NAME: emulator.controls.passwords()[current]}


def test_trigger(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The first trigger is recorded, and a changed one rotates once; `retire: delete` deletes the previous credential.

    With `notBefore`, a changed trigger waits for that date.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=PLAIN)
    stack.up()
    (first,) = list_ids(iam)
    stack.write_specs(jane=BY_TRIGGER.format("trigger: hired, retire: delete"))
    pass_days(emulator, 300)
    assert count_writes(stack, emulator) == {}, "the first trigger"
    assert stack.read_resources()[NAME]["outputs"]["trigger"] == "hired"
    start = f"{datetime.now(UTC) + timedelta(days=310):%Y-%m-%d}"
    stack.write_specs(jane=BY_TRIGGER.format(f"trigger: left, retire: delete, notBefore: {start}"))
    pass_days(emulator, 308)
    stack.assert_no_changes()
    pass_days(emulator, 311)
    assert count_writes(stack, emulator) == {CREATE: 1}, "the changed trigger"
    (_, second) = list_ids(iam)
    assert read_current(stack, NAME) == (second, first)
    stack.assert_no_changes()
    pass_days(emulator, 319)
    assert count_writes(stack, emulator) == {DELETE: 1}, "the retirement"
    assert list_ids(iam) == {second: "Active"}
    assert read_current(stack, NAME) == (second, None)
    stack.write_specs(jane=BY_TRIGGER.format("trigger: again, retire: delete"))
    assert count_writes(stack, emulator) == {CREATE: 1}, "the next trigger"
    assert read_rotations(stack) == {NAME: 2, SECOND: 1}
    assert read_current(stack, NAME)[1] == second
    stack.assert_no_changes()


def test_limit(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """With `maxPerRun: 1`, a run rotates the most overdue credential only, and the next run the other one."""
    for day, user in ((0, "joe"), (10, "jane")):
        iam.create_user(UserName=user)
        pass_days(emulator, day)
        stack.write_specs(team="\n".join(line for line in TEAM.splitlines() if day > 0 or "jane" not in line))
        stack.up()
    pass_days(emulator, 120)
    shown = stack.up()
    assert f"{NAME}: a rotation is due, but `maxPerRun` is reached" in shown
    assert [len(list_ids(iam, user)) for user in ("joe", "jane")] == [2, 1]
    assert "`maxPerRun`" not in stack.up()
    assert [len(list_ids(iam, user)) for user in ("joe", "jane")] == [2, 2]
    stack.assert_no_changes()


def test_end(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Without `rotate`, the current password stays in slot 2, which then becomes slot 1 without a change."""
    first, second = list_ids(iam)
    password = rotated.read_secrets()[NAME]
    rotated.write_specs(jane=PLAIN)
    pass_days(emulator, 300)
    shown, counts = run_up(rotated, emulator)
    assert f"{NAME}: the previous credential {first} is deleted although it still works" in shown
    assert (counts[DELETE], set(counts) - {DELETE}) == (1, set(READS))
    assert set(rotated.read_resources()) == {SECOND}
    assert count_writes(rotated, emulator) == {}, "the move to slot 1"
    assert {name: each["id"] for name, each in rotated.read_resources().items()} == {NAME: second}
    assert find_working(iam, emulator) == {second: password}
    assert rotated.read_secrets() == {NAME: password}
    rotated.assert_no_changes()


def test_emergency_reset(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A `reset` resets the current password and deactivates the previous one, also on the day of a rotation.

    The next rotation and the end of rotations reset nothing else.
    """
    first, second = list_ids(iam)
    leaked = find_working(iam, emulator)
    rotated.write_specs(jane=ROTATED.replace("keyspaces, ", "keyspaces, reset: leaked, "))
    assert count_writes(rotated, emulator) == {RESET: 1, UPDATE: 1}, "the reset during the overlap"
    assert list_ids(iam) == {first: "Inactive", second: "Active"}
    working = find_working(iam, emulator)
    assert not set(working.values()) & set(leaked.values())
    assert rotated.read_secrets() == {NAME: working[second]}
    rotated.assert_no_changes()

    pass_days(emulator, 86 + 86)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=second, Status="Inactive")
    rotated.write_specs(jane=ROTATED.replace("keyspaces, ", "keyspaces, reset: again, "))
    assert count_writes(rotated, emulator) == {RESET: 1, UPDATE: 1}, "the reset on the day of a rotation"
    assert list_ids(iam) == {first: "Inactive", second: "Active"}, "the reset activates the current one"
    assert find_working(iam, emulator) != working
    rotated.assert_no_changes()

    pass_days(emulator, 86 + 86 + 86)
    assert count_writes(rotated, emulator) == {RESET: 1, UPDATE: 1}, "the next rotation"
    assert read_current(rotated, NAME) == (first, second)
    assert read_rotations(rotated) == {NAME: 4, SECOND: 3}
    working = find_working(iam, emulator)
    rotated.write_specs(jane=PLAIN.replace("keyspaces", "keyspaces, reset: again"))
    assert count_writes(rotated, emulator) == {DELETE: 1}, "the end of rotations"
    assert find_working(iam, emulator) == {first: working[first]}
    rotated.assert_no_changes()


def test_month_without_runs(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """After a long pause, one run retires the previous password and the next one rotates, once, without a refresh."""
    first, second = list_ids(iam)
    current = find_working(iam, emulator)[second]
    pass_days(emulator, 86 + 400)
    shown = rotated.up()
    assert f"{NAME}: the previous credential {first} is deactivated, because its overlap has ended" in shown
    assert find_working(iam, emulator) == {second: current}
    assert count_writes(rotated, emulator, "--refresh=false") == {RESET: 1, UPDATE: 1}, "the rotation"
    assert read_current(rotated, NAME) == (first, second)
    assert find_working(iam, emulator)[second] == current
    assert count_writes(rotated, emulator, "--refresh=false") == {}, "the run after the rotation"
    rotated.assert_no_changes()


def test_time_of_previews(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Config `now` shows later rotations in a preview; an update that would rotate because of it is rejected."""
    first, second = list_ids(iam)
    pass_days(emulator, 94)
    rotated.up()
    date = f"{datetime.now(UTC) + timedelta(days=86 + 86):%Y-%m-%d}"
    rotated.succeed("config", "set", "now", date)
    assert f"{NAME}: a new password or key is issued in {NAME}. {second} works until" in rotated.preview()
    assert "config `now` is only for previews" in rotated.fail("up", "--yes", "--skip-preview")
    assert list_ids(iam) == {first: "Inactive", second: "Active"}
