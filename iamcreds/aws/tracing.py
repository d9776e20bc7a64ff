"""A trace of the calls to AWS on standard error, without the contents of requests and responses."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3
    from botocore.model import OperationModel

_KEY = "iamcreds_trace"
"""The key in botocore's context of a call for its operation and start time."""


def trace_calls(session: boto3.Session) -> None:
    """Write one line for each call of every client that the session creates from now on, with its retries.

    A line has the operation, HTTP status, seconds, attempts and AWS request ID, or the type of the error if there is no
    response. Parameters, headers, bodies and error messages are never written.
    """
    for event, write in (("before-call", _begin), ("after-call", _end), ("after-call-error", _fail)):
        session.events.register(event, write, unique_id=f"iamcreds-{event}")


def _begin(model: OperationModel, context: dict[str, Any], **_: object) -> None:
    context[_KEY] = f"{model.service_model.service_name}:{model.name}", time.monotonic()


def _end(parsed: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
    metadata = parsed.get("ResponseMetadata", {})
    attempts = metadata.get("RetryAttempts", 0) + 1
    result = f"HTTP {metadata.get('HTTPStatusCode')}"
    repeated = f", {attempts} attempts" if attempts > 1 else ""
    _write(context, result, f"{repeated}, request {metadata.get('RequestId')}")


def _fail(exception: Exception, context: dict[str, Any], **_: object) -> None:
    _write(context, f"no response ({type(exception).__name__})")


def _write(context: Mapping[str, Any], result: str, rest: str = "") -> None:
    operation, started = context[_KEY]
    line = f"aws: {operation}: {result} after {time.monotonic() - started:.3f} s{rest}"
    sys.stderr.write(f"{escape_invisible(line)}\n")
