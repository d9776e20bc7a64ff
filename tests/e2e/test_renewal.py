"""Credentials with successors, through the real engine: `expire: {after: 90d, renewBefore: 14d}`."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.e2e.existing import list_credentials
from tests.e2e.successors import list_ids, pass_days, read_current

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

RENEWED = "users: {jane: {credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 14d}}]}}"
EXPIRING = RENEWED.replace(", renewBefore: 14d", "")
NAME = "jane/bedrock"


def test_renewals(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A successor is created ahead of each expiry; the previous key works until its own, and is deleted afterwards."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=EXPIRING)
    stack.up()
    (first,) = list_ids(iam)
    stack.write_specs(jane=RENEWED)
    pass_days(emulator, 75)
    stack.assert_no_changes()
    pass_days(emulator, 77)
    shown = stack.preview()
    assert f"{NAME}: {first} expires on " in shown
    assert f"Its successor is created as {NAME}~2" in shown
    stack.up()
    assert list(list_ids(iam).values()) == ["Active", "Active"]
    (_, second) = list_ids(iam)
    assert read_current(stack, NAME) == (second, first)
    passwords = stack.read_secrets()
    assert list(passwords) == [NAME]
    assert passwords[NAME] == emulator.controls.passwords()[second]
    stack.assert_no_changes()
    pass_days(emulator, 91)
    shown = stack.up()
    assert f"{NAME}: the previous credential {first}, valid until " in shown
    assert list(list_ids(iam)) == [second]
    pass_days(emulator, 77 + 77)
    stack.up()
    (_, third) = list_ids(iam)
    assert read_current(stack, NAME) == (third, second)
    resources = stack.read_resources()
    assert {name: resources[name]["outputs"].get("rotation") for name in (NAME, f"{NAME}~2")} == {
        NAME: 2,
        f"{NAME}~2": 1,
    }
    stack.assert_no_changes()


def test_late(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If no run took place before the expiry, the expired key is replaced in its slot."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    (first,) = list_ids(iam)
    pass_days(emulator, 200)
    stack.up()
    (second,) = list_ids(iam)
    assert second != first
    assert read_current(stack, NAME) == (second, None)
    stack.assert_no_changes()


def test_deactivated(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A key that someone deactivated is neither renewed nor replaced after its expiry, if a run has recorded that."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    (first,) = list_ids(iam)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=first, Status="Inactive")
    pass_days(emulator, 77)
    assert f"{first} of user jane was deactivated" in stack.up()
    assert list_ids(iam) == {first: "Inactive"}
    pass_days(emulator, 100)
    stack.up()
    assert list_ids(iam) == {first: "Expired"}
    stack.write_specs(jane=RENEWED.replace("bedrock, ", "bedrock, reset: found, "))
    stack.up()
    (second,) = list_ids(iam)
    assert second != first


def test_end(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Without `renewBefore`, the previous key is deleted with a warning, and the current one keeps id and password."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    pass_days(emulator, 77)
    stack.up()
    first, second = list_ids(iam)
    password = stack.read_secrets()[NAME]
    stack.write_specs(jane=EXPIRING)
    assert f"{NAME}: the previous credential {first} is deleted although it still works" in stack.preview()
    stack.up()
    assert list(list_ids(iam)) == [second]
    stack.up()
    assert {name for name in stack.read_resources() if name.startswith(NAME)} == {NAME}
    assert (list(list_ids(iam)), stack.read_secrets()[NAME]) == ([second], password)
    stack.assert_no_changes()


def test_leaked_key(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The documented target resets the current key and deactivates the previous one; a narrower one warns."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    pass_days(emulator, 77)
    stack.up()
    first, second = list_ids(iam)
    leaked = emulator.controls.passwords()[second]
    stack.write_specs(jane=RENEWED.replace("bedrock, ", "bedrock, reset: leaked, "))
    narrow = stack.succeed("up", "--yes", "--skip-preview", "--target", f"**::{NAME}")
    assert f"{NAME}: the current password or key is not reset, because `--target` does not include {NAME}~2" in narrow
    stack.succeed("up", "--yes", "--skip-preview", "--target", f"**::{NAME}*")
    assert list_ids(iam) == {first: "Inactive", second: "Active"}
    assert emulator.controls.passwords()[second] != leaked
    assert read_current(stack, NAME) == (second, None)
    assert stack.read_secrets()[NAME] == emulator.controls.passwords()[second]


def test_failed_update(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If the update of the current key fails, outputs and secrets do not show the previous one as current."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    pass_days(emulator, 77)
    stack.up()
    stack.write_specs(jane=RENEWED.replace("bedrock, ", "bedrock, reset: leaked, "))
    emulator.controls.deny("iam:ResetServiceSpecificCredential")
    stack.fail("up", "--yes", "--skip-preview", "--continue-on-error")
    assert (stack.read_outputs()["credentials"], stack.read_secrets()) == ({}, {})


def test_time_of_previews(stack: Stack, iam: IAMClient) -> None:
    """Config `now` shows later renewals in a preview; an update that would renew because of it is rejected."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    (first,) = list_ids(iam)
    stack.succeed("config", "set", "now", "2036-01-01")
    assert "the previous credential" not in stack.preview()
    (existing,) = list_credentials(iam, "jane")
    stack.succeed("config", "set", "now", f"{existing['ExpirationDate'] - timedelta(days=2):%Y-%m-%d}")
    assert f"{NAME}: {first} expires on " in stack.preview()
    assert "config `now` is only for previews" in stack.fail("up", "--yes", "--skip-preview")
    assert list(list_ids(iam)) == [first]


def test_calls(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A preview with `renewBefore` costs one more list and one more STS call per run, and none without it."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=EXPIRING)
    stack.up()
    calls = []
    for specs in (EXPIRING, RENEWED):
        stack.write_specs(jane=specs)
        emulator.controls.clear_counts()
        stack.assert_no_changes()
        calls.append(Counter(emulator.controls.counts()))
    assert calls[1] - calls[0] == {"iam:ListServiceSpecificCredentials": 1, "sts:GetCallerIdentity": 1}


def test_blocked(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """An unmanaged key in the second place is reported from the first run on; it is never touched."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    (own,) = list_ids(iam)
    emulator.controls.put_credential("ACCAOTHER000000000000", "jane", "bedrock.amazonaws.com")
    pass_days(emulator, 1)
    words = f"{NAME}: ACCAOTHER000000000000 (unmanaged) leaves no quota for the successor of {own}, to be created from"
    assert words in stack.preview()
    pass_days(emulator, 77)
    assert f"{NAME}~2: cannot create a bedrock credential for user jane" in stack.fail("preview")
    assert len(list_ids(iam)) == 2
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId="ACCAOTHER000000000000")
    pass_days(emulator, 78)
    stack.up()
    assert len(list_ids(iam)) == 2


def test_unreadable_account(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If the program cannot read the account, the run ends with one error before anything changes."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    emulator.controls.fail(
        "iam:ListServiceSpecificCredentials", times=99, status=403, code="AccessDenied", message="not authorized"
    )
    assert "AWS error AccessDenied: not authorized" in stack.fail("preview", "--refresh=false")


def test_target(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If `--target` leaves out the successor, the outputs still name the current key, and the next run renews it."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    (first,) = list_ids(iam)
    pass_days(emulator, 77)
    stack.succeed("up", "--yes", "--skip-preview", "--target", stack.read_resources()[NAME]["urn"])
    assert (list(list_ids(iam)), read_current(stack, NAME)) == ([first], (first, None))
    stack.up()
    assert read_current(stack, NAME)[1] == first
    stack.assert_no_changes()
