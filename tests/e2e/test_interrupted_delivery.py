"""Kill -9 of engine and provider between the writes of a delivery: the store has a working password afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.deliveries import PUT, TAG, assert_stored, find_recorded
from tests.e2e.successors import NAME, RESET, UPDATE, find_working, kill_up, list_ids, pass_days, read_current
from tests.e2e.test_delivered_rotation import DELIVER, PERIOD, RETIREMENT, SECRET, spec, start

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.faults.fault import When
    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack


Point = tuple[str, "When"]
LATEST: Point = (PUT, "after")
"""The last point of a delivery, at which the store has the new password."""
RESETS: list[Point] = [(TAG, "after"), (RESET, "before"), (RESET, "after"), (PUT, "before"), LATEST]
ROTATIONS: list[Point] = [(TAG, "after"), (RESET, "after"), (UPDATE, "after"), LATEST]


def test_reset(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """After a reset that is killed at any point, one `up` delivers a valid password; after the put, without a reset."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec(DELIVER))
    stack.up()
    for operation, when in RESETS:
        stack.write_specs(jane=spec(DELIVER, f"reset: {when} {operation.partition(':')[2]}"))
        kill_up(stack, emulator, operation, when)
        passwords = emulator.controls.passwords()
        stack.up()
        assert_stored(store, emulator, SECRET)
        is_finished = (operation, when) == LATEST
        assert (emulator.controls.passwords() == passwords) is is_finished, f"{when} {operation}"
        assert find_recorded(stack, emulator) == []
    stack.assert_no_changes()


@pytest.mark.parametrize("point", ROTATIONS)
def test_rotation(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator, point: Point) -> None:
    """After a rotation that is killed at any point, the store has a working password, and a new one after two runs."""
    start(stack, iam)
    for day in (PERIOD, PERIOD + RETIREMENT):
        pass_days(emulator, day)
        stack.up()
    first, second = list_ids(iam)
    pass_days(emulator, 2 * PERIOD)
    current = find_working(iam, emulator)
    kill_up(stack, emulator, *point)
    for _ in range(2):
        assert find_working(iam, emulator).items() >= current.items()
        assert assert_stored(store, emulator, SECRET)["credentialId"] in find_working(iam, emulator)
        stack.up()
    assert find_working(iam, emulator).items() >= current.items()
    assert assert_stored(store, emulator, SECRET)["credentialId"] == first
    assert read_current(stack, NAME) == (first, second)
    assert find_recorded(stack, emulator) == []
    stack.assert_no_changes()
