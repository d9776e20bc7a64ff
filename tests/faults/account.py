"""The account of a case: recorded when a scenario is prepared, and restored for each of its cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.server import Emulator

USERS = ("jane", "john")


@dataclass(frozen=True)
class Recorded:
    """The contents of an account: its credentials with their passwords, and its secret stores."""

    credentials: list[dict[str, str]]
    stores: dict[str, Any]


@dataclass(frozen=True)
class Account:
    """The IAM emulator of this process, with a client for manual changes."""

    url: str
    controls: Controls
    iam: IAMClient
    users: tuple[str, ...] = USERS

    def list_credentials(self) -> list[dict[str, Any]]:
        """List the existing credentials, even if lists lag."""
        self.controls.set(list_lag=0)
        listed = self.iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
        return [dict(credential) for credential in listed]

    def create_credential(self, user: str, service: str) -> None:
        """Create a credential manually."""
        self.iam.create_service_specific_credential(UserName=user, ServiceName=service)

    def delete_credential(self, user: str, credential_id: str) -> None:
        """Delete a credential manually."""
        self.iam.delete_service_specific_credential(UserName=user, ServiceSpecificCredentialId=credential_id)

    def has_lag(self) -> bool:
        """Return True if lists lag behind writes."""
        return bool(self.controls.settings()["list_lag"] > 0)

    def wait(self, seconds: float) -> None:
        """Advance the account's clock by that many seconds."""
        self.controls.set(clock_shift=self.controls.settings()["clock_shift"] + seconds)

    def empty(self) -> None:
        """Reset the account to its users."""
        self.controls.reset()
        for user in self.users:
            self.iam.create_user(UserName=user)

    def record(self) -> Recorded:
        """Record the existing credentials with their passwords, and the stores; `restore` reads the result."""
        passwords = self.controls.passwords()
        credentials = [
            {
                "credential_id": existing["ServiceSpecificCredentialId"],
                "user": existing["UserName"],
                "service": existing["ServiceName"],
                "login": existing.get("ServiceUserName") or existing["ServiceCredentialAlias"],
                "status": "Active" if existing["Status"] == "Expired" else existing["Status"],  # its date expires it
                "created": existing["CreateDate"].isoformat(),
                "password": passwords[existing["ServiceSpecificCredentialId"]],
            }
            | ({"expires": existing["ExpirationDate"].isoformat()} if "ExpirationDate" in existing else {})
            for existing in self.list_credentials()
        ]
        return Recorded(credentials, self.controls.copy_stores())

    def restore(self, recorded: Recorded) -> None:
        """Reset the account to the recorded credentials and stores, and clear the counts of calls."""
        self.empty()
        for credential in recorded.credentials:
            self.controls.put_credential(**credential)
        self.controls.restore_stores(recorded.stores)
        self.controls.clear_counts()


def open_account(emulator: Emulator, users: tuple[str, ...] = USERS) -> Account:
    """Open the account of an IAM emulator with these users."""
    iam = boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1",
        aws_access_key_id="somebody", aws_secret_access_key="else",
    )  # fmt: skip
    return Account(emulator.url, emulator.controls, iam, users)
