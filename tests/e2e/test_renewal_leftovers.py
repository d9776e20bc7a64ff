"""Renewals that are interrupted, renamed or next to transformations: the key in use keeps working."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.successors import kill_up, list_ids, pass_days, read_current
from tests.e2e.test_renewal import NAME, RENEWED

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

CREATE = "iam:CreateServiceSpecificCredential"
ADOPTING = RENEWED.replace("bedrock, ", "bedrock, existing: adopt, ")
RENAMED = (
    "users: {janet: {was: jane, credentials: [{service: bedrock, name: app, was: bedrock,"
    " expire: {after: 90d, renewBefore: 14d}}]}}"
)
TRANSFORMED = """
import pulumi
from dynamic_providers import ServiceSpecificCredential

def age(args):
    return pulumi.ResourceTransformationResult({**args.props, "age_days": 90}, args.opts)

pulumi.runtime.register_stack_transformation(age)
ServiceSpecificCredential("key", user="jane", service="bedrock")
"""


@pytest.fixture
def leftover(stack: Stack, iam: IAMClient, emulator: Emulator, tmp_path: Path) -> str:
    """The successor of a key, created by an `up` that was killed with -9 before the response; then a new machine."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    pass_days(emulator, 77)
    kill_up(stack, emulator, CREATE, "after")
    stack.env["HOME"] = str(tmp_path / "elsewhere")
    pass_days(emulator, 78)
    return list(list_ids(iam))[1]


def test_reported_leftover(stack: Stack, iam: IAMClient, leftover: str) -> None:
    """The next run reports the successor of a killed one with its options, and the key in use stays as it is."""
    (first, _) = list_ids(iam)
    password = stack.read_secrets()[NAME]
    for command in (("preview",), ("up", "--yes", "--skip-preview")):
        printed = stack.fail(*command)
        assert f"unmanaged credential {leftover} (Active" in printed
        assert "Options: delete it" in printed
    assert list_ids(iam) == {first: "Active", leftover: "Active"}
    assert stack.read_secrets()[NAME] == password
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=leftover)
    stack.up()
    assert read_current(stack, NAME)[1] == first
    stack.assert_no_changes()


def test_adopted_leftover(stack: Stack, iam: IAMClient, emulator: Emulator, leftover: str) -> None:
    """With `existing: adopt`, the successor of a killed run becomes slot 2 with a new password."""
    (first, _) = list_ids(iam)
    stack.write_specs(jane=ADOPTING)
    stack.up()
    assert list_ids(iam) == {first: "Active", leftover: "Active"}
    assert read_current(stack, NAME) == (leftover, first)
    assert stack.read_secrets()[NAME] == emulator.controls.passwords()[leftover]
    stack.assert_no_changes()


def test_renamed(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """`was` of the user and of the credential keeps the ids and passwords of both slots."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RENEWED)
    stack.up()
    pass_days(emulator, 77)
    stack.up()
    first, second = list_ids(iam)
    passwords = dict(emulator.controls.passwords())
    iam.update_user(UserName="jane", NewUserName="janet")
    pass_days(emulator, 78)
    stack.write_specs(jane=RENAMED)
    stack.up()
    assert dict(emulator.controls.passwords()) == passwords
    resources = stack.read_resources()
    assert {name: resources[name]["id"] for name in ("janet/bedrock/app", "janet/bedrock/app~2")} == {
        "janet/bedrock/app": first,
        "janet/bedrock/app~2": second,
    }
    outputs = stack.read_outputs()["credentials"]["janet/bedrock/app"]
    assert (outputs["id"], outputs["previous"]["id"]) == (second, first)
    stack.assert_no_changes()
    pass_days(emulator, 91)
    stack.up()
    assert stack.read_outputs()["credentials"]["janet/bedrock/app"]["id"] == second
    assert dict(emulator.controls.passwords()) == {second: passwords[second]}


def test_transformation(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A lifetime from a transformation in a program with the class replaces an expired key, and renews none."""
    iam.create_user(UserName="jane")
    stack.write_program(TRANSFORMED)
    stack.up()
    (first,) = list_ids(iam)
    pass_days(emulator, 89)
    stack.assert_no_changes()
    assert list_ids(iam) == {first: "Active"}
    pass_days(emulator, 91)
    stack.up()
    (second,) = list_ids(iam)
    assert second != first
    stack.assert_no_changes()
