"""Answers of an endpoint that lack what IAM's have, or say other things: a sentence each, and nothing of them."""

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
    """An answer without what IAM's have is one that cannot be read, and no error of ours."""
    iam.create_access_key(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    account = answered(signed_in, operation, rf"<{element}>.*</{element}>", "")
    with pytest.raises(UnreadableAnswerError, match=r": AWS's answer was cut off or is not AWS's: repeat\Z"):
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
    """So is one that says what no answer of IAM's says: a word, a date, more to come and not from where."""
    iam.create_access_key(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    account = answered(signed_in, operation, rf"<{element}>[^<]*</{element}>", f"<{element}>{other}</{element}>")
    with pytest.raises(UnreadableAnswerError) as told:
        READ[operation](account)
    assert other not in str(told.value)


@pytest.mark.parametrize("what", ["credentials", "access_keys", "access_keys_of_all"])
def test_lists(signed_in: Emulator, iam: IAMClient, what: str) -> None:
    """The lists that are asked for anew are read as carefully."""
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
    """What cannot be an endpoint is told as that, with the setting and an example."""
    del signed_in  # only has to be there
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    with pytest.raises(
        ConfigError, match=rf"^AWS_ENDPOINT_URL: '{address}' is not a valid address, such as http://127.0.0.1:4599"
    ):
        Account()


def answered(emulator: Emulator, operation: str, pattern: str, other: str) -> Account:
    """An account some of whose answers are others; without an operation those to all that IAM is asked."""
    del emulator  # only has to be there
    session = boto3.Session()

    def change(response_dict: dict[str, Any], **_: object) -> None:
        body = re.sub(pattern, other, response_dict["body"].decode(), count=0, flags=re.DOTALL)
        response_dict["body"] = body.encode()

    for event in (
        (f"before-parse.iam.{operation}", f"before-parse.sts.{operation}") if operation else ("before-parse.iam",)
    ):
        session.events.register(event, change)
    return Account(session)
