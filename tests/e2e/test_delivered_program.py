"""Deliveries of the classes in a program of its own, through the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.deliveries import LIST, assert_stored, find_recorded, list_calls
from tests.e2e.stack import ROOT
from tests.e2e.successors import pass_days

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

PROGRAM = (ROOT / "tests/e2e/programs/delivered_credentials.py").read_text()


def test_outputs(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """A name may be an output, and a consumer gets the ARNs in the same `up`; a rotation changes only the version."""
    iam.create_user(UserName="jane")
    stack.write_program(PROGRAM)
    stack.preview()
    stack.up()
    outputs = stack.read_outputs()
    names = ("team/jane", "keyspaces/jane")
    assert outputs["arns"] == [store.describe_secret(SecretId=name)["ARN"] for name in names]
    assert outputs.get("passwords") == [None, None]
    assert assert_stored(store, emulator, names[0])["service"] == "codecommit.amazonaws.com"
    assert list_calls(stack, emulator, "preview", "--expect-no-changes") == [LIST, LIST], "program and provider"
    pass_days(emulator, 91)
    stack.up()
    rotated = stack.read_outputs()
    assert (rotated["arns"], rotated["version"] == outputs["version"]) == (outputs["arns"], False)
    assert assert_stored(store, emulator, names[1])["username"] == "jane+1-at-123456789012"
    assert find_recorded(stack, emulator) == []
    assert list_calls(stack, emulator, "up", "--yes", "--skip-preview") == [LIST, LIST]
