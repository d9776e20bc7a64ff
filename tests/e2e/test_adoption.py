"""`existing: adopt`: an unmanaged credential is adopted with a reset, wherever this is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.existing import list_credentials

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

ADOPTING_SPECS = {
    "defaults": "defaults: {existing: adopt}\nusers: {jane: {credentials: [{service: codecommit}]}}",
    "user": "users: {jane: {existing: adopt, credentials: [{service: codecommit}]}}",
    "credential": "users: {jane: {credentials: [{service: codecommit, existing: adopt}]}}",
}
PROGRAM = """import pulumi
from dynamic_providers import ServiceSpecificCredential

own = ServiceSpecificCredential("jane/codecommit", user="jane", service="codecommit", existing="adopt")
pulumi.export("secrets", {"jane/codecommit": own.service_password})
"""


@pytest.mark.parametrize("said_in", [*ADOPTING_SPECS, "class"])
def test_adopted(stack: Stack, iam: IAMClient, emulator: Emulator, said_in: str) -> None:
    """The preview shows the id of the credential that it adopts; `up` resets its password and leaves no changes."""
    iam.create_user(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    before = list_credentials(iam, "jane")
    if said_in == "class":
        stack.write_program(PROGRAM)
    else:
        stack.write_specs(jane=ADOPTING_SPECS[said_in])
    own = before[0]["ServiceSpecificCredentialId"]
    assert f'adopts: "{own}"' in stack.preview()
    stack.up()
    assert list_credentials(iam, "jane") == before
    assert stack.read_secrets()["jane/codecommit"] == emulator.controls.passwords()[own]
    assert emulator.controls.counts()["iam:ResetServiceSpecificCredential"] == 1
    stack.assert_no_changes()


def test_what_is_older_than_our_own(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """An unmanaged credential older than a managed one is adopted, also if a changed config splits the preview.

    A run that reads nothing does not adopt it, and its error recommends the options that do.
    """
    iam.create_user(UserName="jane")
    older, younger = (create_by_hand(emulator, iam, day) for day in (-2, -1))
    one = f'ServiceSpecificCredential("a", user="jane", service="codecommit", declared=2, adopt="{younger}")\n'
    two = 'ServiceSpecificCredential("b", user="jane", service="codecommit", declared=2, existing="adopt")\n'
    imported = "from dynamic_providers import ServiceSpecificCredential\n"
    stack.write_program(imported + one)
    stack.up()
    stack.write_program(imported + one + two)
    said = " ".join(stack.fail("preview", "--refresh=false").split())
    assert "Run with --refresh, without --target and --exclude" in said
    for command in (["--refresh"], ["--config", "now=2027-01-01"]):
        assert f'adopts: "{older}"' in stack.succeed("preview", "--diff", *command)
    stack.succeed("up", "--yes", "--config", "now=2027-01-01")
    assert {resource["id"] for resource in stack.read_resources().values()} == {older, younger}
    stack.assert_no_changes()


def create_by_hand(emulator: Emulator, iam: IAMClient, day: int) -> str:
    """Create a credential by hand, as many days from now, and return its id."""
    emulator.controls.set(clock_shift=day * 86_400)
    made = iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    emulator.controls.set(clock_shift=0)
    return made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
