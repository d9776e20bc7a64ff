"""Credentials in responses of IAM."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from iamcreds.aws.credential_lists import to_credential
from iamcreds.model import Credential, Status
from iamcreds.services import Family

CREATED = datetime(2026, 11, 24, tzinfo=UTC)
LISTED = {
    "ServiceSpecificCredentialId": "ACCA1",
    "UserName": "jane",
    "ServiceName": "CodeCommit.amazonaws.com",
    "Status": "Inactive",
    "CreateDate": CREATED,
}


@pytest.mark.parametrize(
    ("more", "family", "login", "expires"),
    [
        ({"ServiceUserName": "jane-at", "ServicePassword": "hunter2"}, Family.PASSWORD, "jane-at", None),
        ({"ServiceCredentialAlias": "j", "ExpirationDate": CREATED}, Family.API_KEY, "j", CREATED),
        ({}, Family.API_KEY, "", None),
    ],
)
def test_credential(more: dict[str, object], family: Family, login: str, expires: datetime | None) -> None:
    """Credentials of either family are read without their secret and with the service in lower case."""
    assert to_credential(LISTED | more) == Credential(
        "ACCA1", "jane", "codecommit.amazonaws.com", Status.INACTIVE, CREATED, family, login, expires
    )
