"""Rotations that are interrupted, limited by `--target` or changed manually: the password in use keeps working."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tests.e2e.successors import (
    CREATE,
    NAME,
    RESET,
    ROTATED,
    SECOND,
    UPDATE,
    count_writes,
    find_working,
    kill_up,
    list_ids,
    pass_days,
    read_current,
    run_up,
)

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack


def set_status(iam: IAMClient, credential_id: str, status: Literal["Active", "Inactive"]) -> None:
    """Set the status of one of jane's credentials, as a person does in the console."""
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=credential_id, Status=status)


def target(name: str) -> tuple[str, str]:
    """Return the option that limits a run to one resource."""
    return "--target", f"**::{name}"


def test_killed(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """After kill -9 after a Reset or an activation, the next runs rotate again; the password in use works throughout.

    Each slot that was activated without a known password is retired first, with a warning.
    """
    first, second = list_ids(iam)
    current = rotated.read_secrets()[NAME]
    pass_days(emulator, 94)
    rotated.up()
    pass_days(emulator, 86 + 86)
    kill_up(rotated, emulator, RESET, "after")
    assert find_working(iam, emulator) == {second: current}, "killed after the reset"
    assert read_current(rotated, NAME) == (second, None)
    kill_up(rotated, emulator, UPDATE, "after")
    assert list_ids(iam) == {first: "Active", second: "Active"}, "killed after the activation"
    assert find_working(iam, emulator)[second] == current
    shown, counts = run_up(rotated, emulator)
    assert f"{NAME}: {first} is Active although an earlier run retired it, and this run retires it again" in shown
    assert counts.keys() & {CREATE, RESET, UPDATE} == {UPDATE}, "the next `up`"
    assert find_working(iam, emulator) == {second: current}
    assert rotated.read_secrets() == {NAME: current}
    assert count_writes(rotated, emulator) == {RESET: 1, UPDATE: 1}, "the `up` after the next one"
    assert find_working(iam, emulator) == {first: rotated.read_secrets()[NAME], second: current}
    assert read_current(rotated, NAME) == (first, second)
    rotated.assert_no_changes()


def test_targets(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If `--target` leaves out the slot that a run retires or rotates, nothing is written and the outputs stay."""
    first, second = list_ids(iam)
    pass_days(emulator, 94)
    assert count_writes(rotated, emulator, *target(SECOND)) == {}, "the retirement is left out"
    assert read_current(rotated, NAME) == (second, first)
    assert count_writes(rotated, emulator, *target(NAME)) == {UPDATE: 1}, "only the retirement"
    assert read_current(rotated, NAME) == (second, None)
    pass_days(emulator, 86 + 86)
    secrets = rotated.read_secrets()
    assert count_writes(rotated, emulator, *target(SECOND)) == {}, "the rotation is left out"
    assert (read_current(rotated, NAME), rotated.read_secrets()) == ((second, None), secrets)
    assert count_writes(rotated, emulator, *target(NAME)) == {RESET: 1, UPDATE: 1}, "only the rotation"
    assert read_current(rotated, NAME) == (first, second)
    assert find_working(iam, emulator) == {first: rotated.read_secrets()[NAME], second: secrets[NAME]}
    rotated.assert_no_changes()


def test_manual_deactivation(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A current credential that someone deactivated stays Inactive, and the previous one is neither retired nor reset.

    After an activation, the next runs retire and rotate.
    """
    first, second = list_ids(iam)
    passwords = emulator.controls.passwords()
    set_status(iam, second, "Inactive")
    for day in (90, 86 + 86):
        pass_days(emulator, day)
        shown, counts = run_up(rotated, emulator)
        assert f"{second} of user jane was deactivated outside Pulumi and stays Inactive" in shown, f"day {day}"
        assert not counts.keys() & {CREATE, RESET, UPDATE}, f"day {day}"
    assert list_ids(iam) == {first: "Active", second: "Inactive"}
    assert emulator.controls.passwords() == passwords
    set_status(iam, second, "Active")
    assert count_writes(rotated, emulator) == {UPDATE: 1}, "the retirement"
    assert count_writes(rotated, emulator) == {RESET: 1, UPDATE: 1}, "the rotation"
    assert read_current(rotated, NAME) == (first, second)


def test_rollback(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """After a manual change back to the retired credential, no run deactivates or resets it."""
    first, second = list_ids(iam)
    passwords = emulator.controls.passwords()
    pass_days(emulator, 94)
    rotated.up()
    set_status(iam, first, "Active")
    set_status(iam, second, "Inactive")
    for day in (95, 86 + 86):
        pass_days(emulator, day)
        shown = rotated.up()
        assert f"{second} of user jane was deactivated outside Pulumi and stays Inactive" in shown, f"day {day}"
        assert find_working(iam, emulator) == {first: passwords[first]}, f"day {day}"
    rotated.assert_no_changes()
    assert emulator.controls.passwords() == passwords


def test_manual_deletion(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A deleted current credential is created again in its slot; the previous one works for an overlap from then on."""
    first, second = list_ids(iam)
    working = find_working(iam, emulator)
    pass_days(emulator, 92)
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=second)
    assert count_writes(rotated, emulator) == {CREATE: 1}
    (_, third) = list_ids(iam)
    assert read_current(rotated, NAME) == (third, first)
    pass_days(emulator, 98)
    rotated.assert_no_changes()
    assert find_working(iam, emulator) == {first: working[first], third: rotated.read_secrets()[NAME]}
    pass_days(emulator, 100)
    assert count_writes(rotated, emulator) == {UPDATE: 1}, "the retirement"
    assert list_ids(iam) == {first: "Inactive", third: "Active"}


def test_older_state(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """With a state from before a rotation, a run warns before it retires the password in use, and resets it later."""
    first, second = list_ids(iam)
    pass_days(emulator, 94)
    rotated.up()
    saved = rotated.folder / "saved.json"
    rotated.succeed("stack", "export", "--file", str(saved))
    pass_days(emulator, 86 + 86)
    rotated.up()
    passwords = emulator.controls.passwords()
    rotated.succeed("stack", "import", "--file", str(saved))
    warning = f"{NAME}: {first} is Active although an earlier run retired it, and this run retires it again."
    assert warning in rotated.preview()
    shown = rotated.up()
    assert warning in shown
    assert "After a manual activation or a restored earlier state, its password may be in use" in shown
    assert emulator.controls.passwords() == passwords, "no password was reset"
    assert list_ids(iam) == {first: "Inactive", second: "Active"}
    assert rotated.read_secrets() == {NAME: passwords[second]}


def test_older_state_after_a_retirement(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If the recorded current credential was retired since, it counts as deactivated, and nothing changes."""
    first, second = list_ids(iam)
    pass_days(emulator, 94)
    rotated.up()
    saved = rotated.folder / "saved.json"
    rotated.succeed("stack", "export", "--file", str(saved))
    pass_days(emulator, 86 + 86)
    rotated.up()
    pass_days(emulator, 86 + 94)
    rotated.up()
    passwords = emulator.controls.passwords()
    rotated.succeed("stack", "import", "--file", str(saved))
    pass_days(emulator, 400)
    for _ in range(2):
        assert f"{second} of user jane was deactivated outside Pulumi" in rotated.up()
    assert emulator.controls.passwords() == passwords
    assert list_ids(iam) == {first: "Active", second: "Inactive"}


def test_state_from_before_the_first_rotation(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """With a state that lacks slot 2, the next rotation is rejected, and the error names the password in use."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=ROTATED)
    stack.up()
    saved = stack.folder / "saved.json"
    stack.succeed("stack", "export", "--file", str(saved))
    pass_days(emulator, 86)
    stack.up()
    _, second = list_ids(iam)
    passwords = emulator.controls.passwords()
    stack.succeed("stack", "import", "--file", str(saved))
    pass_days(emulator, 87)
    shown = stack.fail("up", "--yes", "--skip-preview")
    assert f"cannot create a keyspaces credential for user jane: unmanaged credential {second}" in shown
    assert find_working(iam, emulator) == passwords
