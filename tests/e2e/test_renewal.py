"""Credentials with successors, through the real engine: `expire: {after: 90d, renewBefore: 14d}`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.e2e.existing import list_credentials

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

RENEWED = "users: {jane: {credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 14d}}]}}"
EXPIRING = RENEWED.replace(", renewBefore: 14d", "")
NAME = "jane/bedrock"


def list_ids(iam: IAMClient) -> dict[str, str]:
    """Return the statuses of jane's credentials by id, oldest first."""
    credentials = sorted(list_credentials(iam, "jane"), key=lambda each: each["CreateDate"])
    return {each["ServiceSpecificCredentialId"]: each["Status"] for each in credentials}


def pass_days(emulator: Emulator, days: int) -> None:
    """Set the account's clock to that many days after the start."""
    emulator.controls.set(clock_shift=days * 86_400)


def read_current(stack: Stack) -> tuple[str, str | None]:
    """Return the ids of the current and the previous credential in the stack's outputs."""
    output = stack.read_outputs()["credentials"][NAME]
    return output["id"], output.get("previous", {}).get("id")


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
    assert read_current(stack) == (second, first)
    passwords = stack.read_secrets()
    assert list(passwords) == [NAME]
    assert passwords[NAME] == emulator.controls.passwords()[second]
    stack.assert_no_changes()
    pass_days(emulator, 91)
    shown = stack.up()
    assert f"{NAME}: the previous credential {first} is deleted, which was valid until " in shown
    assert list(list_ids(iam)) == [second]
    pass_days(emulator, 77 + 77)
    stack.up()
    (_, third) = list_ids(iam)
    assert read_current(stack) == (third, second)
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
    assert read_current(stack) == (second, None)
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
    assert f"{NAME}: the previous credential {first} still works and is deleted" in stack.preview()
    stack.up()
    assert list(list_ids(iam)) == [second]
    stack.up()
    assert {name for name in stack.read_resources() if name.startswith(NAME)} == {NAME}
    assert (list(list_ids(iam)), stack.read_secrets()[NAME]) == ([second], password)
    stack.assert_no_changes()


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
