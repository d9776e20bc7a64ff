"""What the account holds, as somebody else sees and changes it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import ServiceSpecificCredentialMetadataTypeDef

    from iamcreds.emulator.server import Emulator

JANE = "users: {jane: {credentials: [{service: codecommit}]}}"
"""Specs of one user with one password."""


def list_credentials(iam: IAMClient, user: str) -> list[ServiceSpecificCredentialMetadataTypeDef]:
    """List the user's live credentials, as IAM does."""
    return iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]


def set_status(iam: IAMClient, user: str, status: Literal["Active", "Inactive"]) -> None:
    """Do what a human does in the console to each of the user's credentials."""
    for credential in list_credentials(iam, user):
        iam.update_service_specific_credential(
            UserName=user, ServiceSpecificCredentialId=credential["ServiceSpecificCredentialId"], Status=status
        )


def pass_a_day(emulator: Emulator) -> None:
    """Let what is there be a day old, past the age at which a list that shows it otherwise is not believed."""
    emulator.controls.set(clock_shift=86_400)


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
