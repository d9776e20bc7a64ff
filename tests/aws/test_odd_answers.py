"""Incomplete or unexpected responses of an endpoint: each is an error in one sentence that quotes none of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from iamcreds.aws import Account
from iamcreds.aws.listing import Window
from iamcreds.errors import ConfigError, UnreadableAnswerError
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

READ: dict[str, Callable[[Account], object]] = {
    "GetCallerIdentity": lambda account: account.id(),
    "ListUsers": lambda account: account.users.all(),
    "GetUser": lambda account: account.users.exists("ghost"),
    "ListServiceSpecificCredentials": lambda account: account.inventory.all(),
    "ListAccessKeys": lambda account: account.access_keys.of_users(["jane"]),
    "GetAccessKeyLastUsed": lambda account: account.access_keys.of_users(["jane"]),
    "GenerateCredentialReport": lambda account: account.credential_report.read(),
    "GetCredentialReport": lambda account: account.credential_report.read(),
}


@pytest.mark.parametrize(
    ("operation", "element"),
    [
        ("GetCallerIdentity", "Account"),
        ("ListUsers", "Users"),
        ("ListUsers", "UserName"),
        ("ListUsers", "CreateDate"),
        ("ListServiceSpecificCredentials", "ServiceSpecificCredentials"),
        ("ListServiceSpecificCredentials", "Status"),
        ("ListAccessKeys", "AccessKeyMetadata"),
        ("ListAccessKeys", "AccessKeyId"),
        ("ListAccessKeys", "CreateDate"),
        ("GetAccessKeyLastUsed", "AccessKeyLastUsed"),
        ("GenerateCredentialReport", "State"),
        ("GetCredentialReport", "GeneratedTime"),
        ("GetCredentialReport", "Content"),
    ],
)
def test_what_is_missing(signed_in: Emulator, iam: IAMClient, operation: str, element: str) -> None:
    """A response without an element that IAM always sends is reported as unreadable, and not as a bug."""
    iam.create_access_key(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    account = answered(signed_in, operation, rf"<{element}>.*</{element}>", "")
    message = r": the response is incomplete, or did not come from AWS\. Run again\Z"
    with pytest.raises(UnreadableAnswerError, match=message):
        READ[operation](account)


@pytest.mark.parametrize(
    ("operation", "element", "other"),
    [
        ("ListUsers", "IsTruncated", "true"),
        ("ListServiceSpecificCredentials", "IsTruncated", "true"),
        ("ListServiceSpecificCredentials", "Status", "Frozen"),
        ("ListServiceSpecificCredentials", "CreateDate", "99999999999999999"),
        ("ListAccessKeys", "Status", "Frozen"),
    ],
)
def test_what_is_odd(signed_in: Emulator, iam: IAMClient, operation: str, element: str, other: str) -> None:
    """A response with an unknown word, an invalid date, or more pages without a marker is unreadable, too."""
    iam.create_access_key(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    account = answered(signed_in, operation, rf"<{element}>[^<]*</{element}>", f"<{element}>{other}</{element}>")
    with pytest.raises(UnreadableAnswerError) as told:
        READ[operation](account)
    assert other not in str(told.value)


@pytest.mark.parametrize("what", ["credentials", "access_keys", "access_keys_of_all"])
def test_lists(signed_in: Emulator, iam: IAMClient, what: str) -> None:
    """Lists that are requested again are read with the same checks."""
    iam.create_access_key(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    ask: dict[str, Callable[[Account], object]] = {
        "credentials": lambda account: account.credential_lists.read_page(Window(), user="jane"),
        "access_keys": lambda account: account.access_keys.read_page(Window(), user="jane"),
        "access_keys_of_all": lambda account: account.access_keys.read_page_of_all(Window(), no_progress),
    }
    with pytest.raises(UnreadableAnswerError):
        ask[what](answered(signed_in, "", r"<(\w*Id|CreateDate|UserName)>[^<]*</\1>", ""))


@pytest.mark.parametrize(
    "address", ["127.0.0.1:4599", "localhost", "http://", "http://127.0.0.1:x", "http://127.0.0.1:99999"]
)
def test_an_endpoint_that_is_no_address(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An invalid endpoint is reported as such, with the setting and an example."""
    del signed_in  # is required to exist
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(
        ConfigError, match=rf"^AWS_ENDPOINT_URL: '{address}' is not a valid address, such as http://127.0.0.1:4599"
    ):
        Account()


def answered(emulator: Emulator, operation: str, pattern: str, other: str) -> Account:
    """Return an account that receives modified responses to one operation, or without one to all IAM operations."""
    del emulator  # is required to exist
    session = boto3.Session()

    def change(response_dict: dict[str, Any], **_: object) -> None:
        body = re.sub(pattern, other, response_dict["body"].decode(), count=0, flags=re.DOTALL)
        response_dict["body"] = body.encode()

    for event in (
        (f"before-parse.iam.{operation}", f"before-parse.sts.{operation}") if operation else ("before-parse.iam",)
    ):
        session.events.register(event, change)
    return Account(session)
