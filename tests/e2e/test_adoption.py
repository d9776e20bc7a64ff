"""`existing: adopt`: what is live and nobody's is taken over by Reset, wherever that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.live import list_credentials

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
    """The preview shows the id that is taken over; then its password is a new one, and all is quiet."""
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
