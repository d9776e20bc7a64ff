"""The existing credentials of the account, read and changed outside Pulumi."""

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
    """List the user's existing credentials, as IAM does."""
    return iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]


def set_status(iam: IAMClient, user: str, status: Literal["Active", "Inactive"]) -> None:
    """Set the status of each of the user's credentials, as a person does in the console."""
    for credential in list_credentials(iam, user):
        iam.update_service_specific_credential(
            UserName=user, ServiceSpecificCredentialId=credential["ServiceSpecificCredentialId"], Status=status
        )


def pass_a_day(emulator: Emulator) -> None:
    """Make existing credentials a day old, so that no run attributes a difference to eventual consistency."""
    emulator.controls.set(clock_shift=86_400)


def wait_until(condition: Callable[[], bool], seconds: float = 100) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.05)
