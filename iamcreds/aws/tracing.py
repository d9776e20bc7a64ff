"""The calls to AWS as lines on standard error, without what was asked and what was answered."""

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
"""Where botocore's context of a call keeps its operation, and when it began."""


def trace_calls(session: boto3.Session) -> None:
    """Have every client that the session makes from now on write a line for each of its calls, retries included.

    A line has the operation, HTTP status, seconds, attempts and AWS's request id; of a call without an answer the
    type of the error. Parameters, headers, bodies and texts of errors are never written.
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
    _write(context, f"no answer ({type(exception).__name__})")


def _write(context: Mapping[str, Any], result: str, rest: str = "") -> None:
    operation, started = context[_KEY]
    line = f"aws: {operation}: {result} after {time.monotonic() - started:.3f} s{rest}"
    sys.stderr.write(f"{escape_invisible(line)}\n")
