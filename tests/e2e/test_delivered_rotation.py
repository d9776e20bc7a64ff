"""Rotations with a delivery through the real engine: the store has a working password at every moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.deliveries import (
    DESCRIBE,
    LIST,
    PUT,
    TAG,
    assert_stored,
    find_recorded,
    list_calls,
    overwrite,
    read_delivery,
    read_secret,
)
from tests.e2e.successors import CREATE, NAME, RESET, SECOND, UPDATE, find_working, list_ids, pass_days, read_current

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

SECRET = "keyspaces/jane"
ROTATE = "rotate: {every: 90d, overlap: 7d}"
DELIVER = 'deliver: {secretsManager: {name: "{service}/{user}"}}'
KEPT = 'deliver: {secretsManager: {name: "{service}/{user}"}, keepInState: true}'
PERIOD = 86
"""The days after which each run rotates."""
RETIREMENT = 94 - PERIOD
"""The days after a rotation on which a run retires the previous password: more than the overlap."""
LAST = 3 * PERIOD
LOST = f"{NAME}: neither the declared secret nor the state has the current password, so a rotation is due ahead of time"


def spec(*fields: str) -> str:
    """Return specs of one password with these fields."""
    return f"users: {{jane: {{credentials: [{{{', '.join(('service: keyspaces', *fields))}}}]}}}}"


def start(stack: Stack, iam: IAMClient, *fields: str) -> None:
    """Create jane and a delivered password with rotations."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec(ROTATE, *(fields or (DELIVER,))))
    stack.up()


def test_consumers(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """Over three rotations, a consumer that reads the store once per overlap always has a working password.

    One that stops reading keeps a working password until the overlap ends.
    """
    start(stack, iam)
    password = ""
    rotations = [PERIOD * number for number in (1, 2, 3)]
    runs = sorted([*rotations, *(day + RETIREMENT for day in rotations)])
    for day in sorted([*range(1, LAST + RETIREMENT, 7), *runs]):  # day 85 is the last one before the first rotation
        pass_days(emulator, day)
        if day in runs:
            kept = assert_stored(store, emulator, SECRET)["password"]
            stack.up()
            assert kept in find_working(iam, emulator).values(), f"a consumer that has just read, day {day}"
        else:
            password = read_secret(store, SECRET)["password"]
        assert password in find_working(iam, emulator).values(), f"day {day}"
    (_, second) = list_ids(iam)
    assert read_current(stack, NAME) == (second, None)
    assert read_secret(store, SECRET)["credentialId"] == second
    assert find_recorded(stack, emulator) == []
    stack.assert_no_changes()


def test_calls(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """The store is read before IAM issues a password, and written after the activation; only the program lists it."""
    start(stack, iam)
    assert list_calls(stack, emulator, "preview") == [LIST]
    first = read_delivery(stack, NAME)
    pass_days(emulator, PERIOD)
    assert list_calls(stack, emulator) == [LIST, DESCRIBE, DESCRIBE, CREATE, PUT], "the first rotation"
    second = read_delivery(stack, NAME)
    assert (second["arn"], second["version"] == first["version"]) == (first["arn"], False)
    pass_days(emulator, PERIOD + RETIREMENT)
    assert list_calls(stack, emulator) == [LIST, UPDATE], "the retirement"
    pass_days(emulator, 2 * PERIOD)
    assert list_calls(stack, emulator) == [LIST, DESCRIBE, DESCRIBE, TAG, RESET, UPDATE, PUT], "the second rotation"
    assert_stored(store, emulator, SECRET)
    assert list_calls(stack, emulator, "preview", "--expect-no-changes") == [LIST]


@pytest.mark.parametrize("is_deleted", [True, False])
def test_lost(
    stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator, *, is_deleted: bool
) -> None:
    """A lost secret rotates the password ahead of time, as the preview shows; the current one works for an overlap.

    If the previous one still works, the rotation waits for its end.
    """
    start(stack, iam)
    (first,) = list_ids(iam)
    pass_days(emulator, 10)
    lose(store, is_deleted=is_deleted)
    shown = stack.preview()
    assert LOST in shown
    assert f"a new password or key is issued in {SECOND}. {first} works until the overlap ends" in shown
    stack.up()
    assert_stored(store, emulator, SECRET)
    (_, second) = list_ids(iam)
    assert list_ids(iam) == {first: "Active", second: "Active"}
    stack.assert_no_changes()
    lose(store, is_deleted=is_deleted)
    for _ in range(2):
        assert "the previous password still works" in stack.up()
    assert list_ids(iam) == {first: "Active", second: "Active"}
    pass_days(emulator, 10 + RETIREMENT)
    stack.up()
    stack.up()
    assert assert_stored(store, emulator, SECRET)["credentialId"] == first
    assert list_ids(iam) == {first: "Active", second: "Active"}
    stack.assert_no_changes()


def lose(store: SecretsManagerClient, *, is_deleted: bool) -> None:
    """Delete or overwrite the secret, as a person does in the console."""
    if is_deleted:
        store.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    else:
        overwrite(store, SECRET)


def test_kept_in_state(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """With `keepInState`, a lost secret is put again, and nothing rotates ahead of time."""
    start(stack, iam, KEPT)
    pass_days(emulator, PERIOD)
    stack.up()
    secrets = stack.read_secrets()
    overwrite(store, SECRET)
    assert "ahead of time" not in stack.preview()
    calls = list_calls(stack, emulator)
    assert (calls.count(PUT), calls.count(RESET), calls.count(CREATE)) == (1, 0, 0)
    assert {NAME: assert_stored(store, emulator, SECRET)["password"]} == secrets == stack.read_secrets()
    stack.assert_no_changes()


def test_added(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """Adding `deliver` to a rotated password moves the current one to the store; nothing is issued."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec(ROTATE))
    stack.up()
    pass_days(emulator, PERIOD)
    stack.up()
    working, current = find_working(iam, emulator), stack.read_secrets()[NAME]
    stack.write_specs(jane=spec(ROTATE, DELIVER))
    stack.up()
    assert assert_stored(store, emulator, SECRET)["password"] == current
    assert current not in find_recorded(stack, emulator)
    assert find_working(iam, emulator) == working
    stack.assert_no_changes()


def test_targets(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """If `--target` leaves out the successor, store and outputs stay; `--refresh=false` rotates as usual."""
    start(stack, iam)
    (first,) = list_ids(iam)
    delivery = read_delivery(stack, NAME)
    pass_days(emulator, PERIOD)
    assert PUT not in list_calls(stack, emulator, "up", "--yes", "--skip-preview", "--target", f"**::{NAME}")
    assert (read_delivery(stack, NAME), read_current(stack, NAME)) == (delivery, (first, None))
    assert assert_stored(store, emulator, SECRET)["credentialId"] == first
    stack.succeed("up", "--yes", "--skip-preview", "--refresh=false")
    (_, second) = list_ids(iam)
    assert assert_stored(store, emulator, SECRET)["credentialId"] == second
    assert read_current(stack, NAME) == (second, first)
    stack.assert_no_changes()


def test_retired_after_a_read(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """With `retireWhen`, the previous password works until a consumer has read the new one on a later day, or `by`."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec("rotate: {every: 90d, overlap: 7d, retireWhen: {read: true, by: 30d}}", DELIVER))
    stack.up()
    pass_days(emulator, PERIOD)
    stack.up()
    first, second = list_ids(iam)
    read_secret(store, SECRET)  # on the day of the rotation: it may have been before
    pass_days(emulator, PERIOD + RETIREMENT)
    stack.assert_no_changes()
    read_secret(store, SECRET)
    stack.up()
    assert list_ids(iam) == {first: "Inactive", second: "Active"}
    pass_days(emulator, 2 * PERIOD)
    stack.up()
    pass_days(emulator, 2 * PERIOD + 29)
    stack.assert_no_changes()
    pass_days(emulator, 2 * PERIOD + 31)
    stack.up()
    assert list_ids(iam) == {first: "Active", second: "Inactive"}
