"""Calls with a secret among their arguments, which AWS's error messages may quote."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from iamcreds.aws import client
from iamcreds.aws.failures import error_code

if TYPE_CHECKING:
    from collections.abc import Callable

_HIDDEN = "its message is not shown, because it may contain the secret"
_CODE = re.compile(r"[A-Za-z.]{1,80}")
_DENIED_ACTION = re.compile(r"not authorized to perform: ((?:kms|secretsmanager|ssm):[A-Z][A-Za-z]{1,40})(?= |$)")


def write_secret(
    operation: Callable[..., Any],
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Any:  # noqa: ANN401 - as boto3
    """Return the response of a repeatable operation as `client.read` does; no error has a message of AWS.

    A validation error of AWS quotes the wrong value: "Value '...' at 'value' failed to satisfy constraint". Only the
    error code and the denied action remain.

    Raises:
        UnreadableAnswerError, BotoCoreError, ClientError: as `client.read`.
    """
    try:
        return client.read(operation, **arguments)
    except ClientError as error:
        failure = _hide_message(error)
    raise failure  # outside of `except`, because the error of boto3 must not become its context


def _hide_message(error: ClientError) -> ClientError:
    code, message = error_code(error), _describe_denial(error) or _HIDDEN
    if not _CODE.fullmatch(code):
        code = ""
    metadata = error.response["ResponseMetadata"]
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, error.operation_name
    )


def _describe_denial(error: ClientError) -> str | None:
    denied = _DENIED_ACTION.search(str(error.response.get("Error", {}).get("Message")))
    return denied and f"the action {denied[1]} is denied"
