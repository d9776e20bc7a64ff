"""`rotating_credential()` in a program of its own, through the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.existing import list_credentials
from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

PROGRAM = (ROOT / "tests/e2e/programs/rotating_credential.py").read_text()
WRITES = {f"iam:{verb}ServiceSpecificCredential" for verb in ("Create", "Reset", "Update", "Delete")}


def pass_days(emulator: Emulator, days: float) -> None:
    """Set the account's clock to that many days after the start."""
    emulator.controls.set(clock_shift=days * 86_400)


def list_statuses(iam: IAMClient) -> dict[str, str]:
    """Return the statuses of jane's credentials by id, oldest first."""
    credentials = sorted(list_credentials(iam, "jane"), key=lambda each: each["CreateDate"])
    return {each["ServiceSpecificCredentialId"]: each["Status"] for each in credentials}


def assert_no_writes(stack: Stack, emulator: Emulator) -> None:
    """Run `pulumi up` again, which must not change anything in AWS."""
    emulator.controls.clear_counts()
    stack.up()
    assert not WRITES & emulator.controls.counts().keys()


def test_rotations(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A consumer in the same program gets each new password in the same `up`; the previous one works until its end."""
    iam.create_user(UserName="jane")
    stack.write_program(PROGRAM)
    stack.preview()
    stack.up()
    (first,) = list_statuses(iam)
    assert stack.read_outputs()["id"] == first
    assert stack.read_outputs().get("previous") is None
    password = stack.read_secrets()["password"]
    assert password == emulator.controls.passwords()[first]
    assert_no_writes(stack, emulator)
    pass_days(emulator, 91)
    assert "rotates" in stack.preview()
    stack.up()
    _, second = list_statuses(iam)
    assert list_statuses(iam) == {first: "Active", second: "Active"}
    assert emulator.controls.passwords()[first] == password, "the previous password works"
    consumer = stack.read_secrets()
    assert consumer == {"login": "jane+1-at-123456789012", "password": emulator.controls.passwords()[second]}
    outputs = stack.read_outputs()
    assert (outputs["id"], outputs["previous"]["id"]) == (second, first)
    assert outputs["previous"]["user_name"] == "jane-at-123456789012"
    assert_no_writes(stack, emulator)
    pass_days(emulator, 99)
    stack.up()
    assert list_statuses(iam) == {first: "Inactive", second: "Active"}
    assert stack.read_outputs().get("previous") is None
    assert_no_writes(stack, emulator)
    pass_days(emulator, 182)
    stack.up()
    assert list_statuses(iam) == {first: "Active", second: "Active"}
    assert stack.read_outputs()["id"] == first
    assert stack.read_secrets() == {
        "login": "jane-at-123456789012",
        "password": emulator.controls.passwords()[first],
    }
    assert_no_writes(stack, emulator)
    stack.write_program("")
    stack.up()
    assert list_statuses(iam) == {}
