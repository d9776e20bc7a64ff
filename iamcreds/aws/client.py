"""Sessions and clients of boto3 with time-outs and retries, and single calls."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, UnknownRegionError
from botocore.parsers import ResponseParserError
from botocore.utils import parse_timestamp

from iamcreds import errors
from iamcreds.aws.credential_sources import guard_sources
from iamcreds.aws.failures import FOLLOWS_LOST, NONSENSE, UNREADABLE, may_have_happened, translate_errors
from iamcreds.aws.settings import reading_settings, require_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.model import OperationModel
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

    from iamcreds.aws.clock import Clock

_Client = TypeVar("_Client", bound="BaseClient")

POOL = 16
"""The maximum number of concurrent calls."""

CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection."""

READ_TIMEOUT = 60
"""Seconds to wait for a response after a call is sent."""

UNREADABLE_ANSWERS = 2
"""The number of retries of a repeatable call after unreadable responses."""

_SIGNING_IN = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=20, retries={"total_max_attempts": 2})
"""The configuration of botocore's own calls for credentials (STS, SSO), whose default time-outs add up to minutes."""

SIGNING_IN = "signing in to AWS"
"""The beginning of errors of sessions and clients."""

_TALKATIVE = ("botocore", "urllib3")
"""Loggers that quote responses: botocore in full at level DEBUG, and both in warnings about unreadable ones."""

_ERROR, _SERVER_ERROR = 300, 500
"""The HTTP statuses from which on a response is an error, and an error of the server."""

_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,40}(?=;|$)")

_START = 1000
"""Bytes of a response that contain its root element."""

_SENT = "sent"
"""The key in a call's context of the time when the call began, by this machine's clock."""

_FALLBACK_REGION = "us-east-1"
"""IAM is global, and a region only determines the partition. AWS tools use the commercial one by default."""


def silence_libraries() -> None:
    """Turn off library logs that quote AWS's responses; errors of iamcreds report failures."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def open_session() -> boto3.Session:
    """Open the session that every AWS tool uses, with a date parser that takes a thousandth of the time.

    botocore parses dates of any format, and a page of IAM has two thousand of one format. The AWS CLI replaces the
    parser in the same way. The session reads the region from AWS_REGION first; boto3 reads AWS_DEFAULT_REGION only.

    Raises:
        UnauthenticatedError: the profile does not exist.
        ConfigError: a setting is not valid.
        AccountError: the configuration file cannot be parsed.
    """
    core = botocore.session.get_session()
    core.set_default_client_config(_SIGNING_IN)
    with translate_errors(SIGNING_IN), reading_settings():
        guard_sources(core)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse_date)
        return boto3.Session(botocore_session=core, region_name=os.environ.get("AWS_REGION") or None)


def find_partition(session: boto3.Session) -> str:
    """Return the partition of the region in use: `aws` (default), `aws-us-gov`, `aws-cn`, ….

    Raises:
        ConfigError: no partition has regions with such a name.
    """
    region = _region(session)
    try:
        return session.get_partition_for_region(region)
    except UnknownRegionError:
        raise errors.ConfigError(f"AWS has no region {region!r}. Check AWS_REGION") from None


def parse_date(written: str | float) -> datetime:
    """Parse a date in IAM's format, `2026-11-24T23:00:00Z`, in seconds since 1970 (JSON), or in any other format."""
    if isinstance(written, str):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(written)
    date: datetime = parse_timestamp(written)  # type: ignore[arg-type]  # the stubs omit numbers
    return date


def iam_client(session: boto3.Session, clock: Clock) -> IAMClient:
    """Return an IAM client with retries, which become slower with each throttled call."""
    client = session.client("iam", region_name=_region(session), config=_config(10, "adaptive"))
    client.meta.events.register("response-received", _remember_lost)
    return _observed(client, clock)


def iam_client_once(session: boto3.Session, clock: Clock) -> IAMClient:
    """Return an IAM client without retries for calls that must not be repeated blindly."""
    return _observed(session.client("iam", region_name=_region(session), config=_config(1, "standard")), clock)


def sts_client(session: boto3.Session, clock: Clock) -> STSClient:
    """Return an STS client that fails within seconds: the first call of a run shows if the endpoint exists."""
    return _observed(session.client("sts", region_name=_region(session), config=_config(3, "standard")), clock)


def regional_client(session: boto3.Session, service: str, region: str, clock: Clock) -> BaseClient:
    """Return a client of a service with a JSON protocol, with retries. Its writes must be repeatable."""
    # The stubs have an overload for each service, and none for a service that a variable names.
    open_any: Callable[..., BaseClient] = session.client
    return _observed(open_any(service, region_name=region, config=_config(10, "adaptive")), clock, _require_json)


def _observed(client: _Client, clock: Clock, require_format: Callable[..., None] | None = None) -> _Client:
    """Return the client; the clock observes its readable responses."""

    def note(context: dict[str, Any], **_: object) -> None:
        context[_SENT] = clock.local()

    def observe(http_response: AWSResponse, context: Mapping[str, Any], **_: object) -> None:
        clock.observe(http_response.headers.get("date"), context[_SENT])

    require_address(client.meta.endpoint_url)
    client.meta.events.register("before-call", note)
    client.meta.events.register("before-parse", require_format or _require_xml)
    client.meta.events.register("after-call", observe)
    return client


def _require_xml(response_dict: Mapping[str, Any], operation_model: OperationModel, **_: object) -> None:
    """Reject a response that a retry does not change: a web page or JSON of a server that is not IAM.

    botocore itself handles an empty response or a page with a status of 500 or more.

    Raises:
        UnreadableAnswerError: it is one; the message quotes only its status and type.
    """
    status, start = response_dict["status_code"], response_dict["body"][:_START].lstrip().lower()
    is_page = start.startswith((b"<html", b"<!doctype html"))
    if status >= _SERVER_ERROR and (not start or is_page):
        return
    is_other = status < _ERROR and f"<{operation_model.name.lower()}".encode() not in start
    if is_page or is_other or not start.startswith(b"<"):
        raise errors.UnreadableAnswerError(_describe_other(response_dict))


def _require_json(response_dict: Mapping[str, Any], **_: object) -> None:
    """Reject a response that is not a JSON object, which botocore would take for an empty one or quote in an error.

    Raises:
        UnreadableAnswerError: it is one; the message quotes only its status and type.
    """
    try:
        is_object = isinstance(json.loads(response_dict["body"] or b"{}"), dict)
    except ValueError:
        is_object = False
    if not is_object and response_dict["status_code"] < _SERVER_ERROR:
        raise errors.UnreadableAnswerError(_describe_other(response_dict))


def _describe_other(response_dict: Mapping[str, Any]) -> str:
    """Describe a response of a different server by its status and type."""
    status = response_dict["status_code"]
    media_type = _MEDIA_TYPE.match(str(response_dict["headers"].get("content-type")))
    described = f"HTTP {status}, {media_type[0]}" if media_type else f"HTTP {status}"
    return f"the response ({described}) did not come from AWS. Check AWS_ENDPOINT_URL and proxies"


def _remember_lost(exception: Exception | None, context: dict[str, Any], **_: object) -> None:
    """Note in the error of an attempt whether an earlier attempt may have taken effect.

    botocore notes the number of the attempt in a response, but not in its own errors.
    """
    if isinstance(exception, BotoCoreError):
        follows_lost = context.get(FOLLOWS_LOST, False)
        exception.kwargs = {**exception.kwargs, FOLLOWS_LOST: follows_lost}
        context[FOLLOWS_LOST] = follows_lost or may_have_happened(exception)


def _region(session: boto3.Session) -> str:
    return session.region_name or _FALLBACK_REGION


def _config(attempts: int, mode: Literal["adaptive", "standard"]) -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        max_pool_connections=POOL,
        retries={"mode": mode, "total_max_attempts": attempts},
    )


def call(
    operation: Callable[..., Any],
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Any:  # noqa: ANN401 - as boto3
    """Return the response of an operation.

    Raises:
        UnreadableAnswerError: the response cannot be parsed; the message never quotes it.
        BotoCoreError, ClientError: as boto3.
    """
    try:
        return operation(**arguments)
    except (BotoCoreError, ClientError):
        raise
    except (ResponseParserError, *NONSENSE):  # of botocore's parser; the first one quotes the whole response
        raise errors.UnreadableAnswerError(UNREADABLE) from None


def read(
    operation: Callable[..., Any],
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Any:  # noqa: ANN401 - as boto3
    """Return the response of a repeatable operation; an unreadable response is requested again.

    boto3 itself retries after a broken connection, a time-out, a 5xx and throttling, but not after an unreadable
    response. If a later call fails in a different way, the unreadable response is raised, because the operation of that
    response has had its effect.
    """
    unreadable: errors.UnreadableAnswerError | None = None
    for _ in range(UNREADABLE_ANSWERS + 1):
        try:
            return call(operation, **arguments)
        except errors.UnreadableAnswerError as error:
            unreadable = error
        except (BotoCoreError, ClientError):
            if unreadable is None:
                raise
    assert unreadable is not None  # noqa: S101 - else it would have returned or raised
    raise unreadable
