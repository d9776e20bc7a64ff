"""Requests of the tests of control settings to the IAM emulator."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest
    from botocore.exceptions import ClientError
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

CODECOMMIT = "codecommit.amazonaws.com"
CREATE = "iam:CreateServiceSpecificCredential"
LIST = "iam:ListServiceSpecificCredentials"


def create(iam: IAMClient, user: str = "jane", **more: int) -> dict[str, Any]:
    """Create a credential."""
    answer = iam.create_service_specific_credential(UserName=user, ServiceName=CODECOMMIT, **more)
    return dict(answer["ServiceSpecificCredential"])


def list_credentials(iam: IAMClient, user: str = "jane") -> list[dict[str, Any]]:
    """List the user's credentials."""
    return [
        dict(credential)
        for credential in iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]
    ]


def read_code(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    """Read HTTP status and code of an error."""
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def request_control(emulator: Emulator, method: str, name: str, body: str | bytes | None) -> tuple[int, Any]:
    """Send a request to the control API without the client, which would reject invalid ones itself."""
    connection = HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, f"/_emulator/{name}", body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
