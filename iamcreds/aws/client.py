"""Sessions and clients of boto3 with time-outs and retries, and single calls."""

from __future__ import annotations

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
"""How many calls may be under way at once, in number."""

CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection."""

READ_TIMEOUT = 60
"""Seconds to wait for an answer once a call is sent."""

UNREADABLE_ANSWERS = 2
"""How many answers in a row may be unreadable before a call that may be repeated is given up."""

_SIGNING_IN = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=20, retries={"total_max_attempts": 2})
"""The configuration of botocore's own calls for credentials (STS, SSO), whose default time-outs add up to minutes."""

SIGNING_IN = "signing in to AWS"
"""The beginning of errors of sessions and clients."""

_TALKATIVE = ("botocore", "urllib3")
"""Loggers that quote answers: botocore in full at level DEBUG, and both in warnings about what cannot be read."""

_ERROR, _SERVER_ERROR = 300, 500
"""The HTTP statuses from which on a response is an error, and an error of the server."""

_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,40}(?=;|$)")

_START = 1000
"""Bytes of a response that contain its root element."""

_SENT = "sent"
"""Where a call's context has its beginning, by this machine's clock."""

_FALLBACK_REGION = "us-east-1"
"""IAM is global; a region only tells the partition, and the commercial one is what every AWS tool assumes."""


def silence_libraries() -> None:
    """Have no library log what AWS answered; what goes wrong is told by our errors."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def open_session() -> boto3.Session:
    """The session that every AWS tool uses, but for a reader of dates that takes a thousandth of the time.

    botocore reads any date that people may write, and a page of IAM has two thousand of one form. The AWS CLI replaces
    the reader in the same way. It also reads the region from AWS_REGION before AWS_DEFAULT_REGION, which alone boto3
    knows.

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
    """The part of AWS that the region in use is of: `aws`, `aws-us-gov`, `aws-cn`, …; `aws` where nobody says.

    Raises:
        ConfigError: no part of AWS has regions of that name.
    """
    region = _region(session)
    try:
        return session.get_partition_for_region(region)
    except UnknownRegionError:
        raise errors.ConfigError(f"AWS has no region {region!r}: check AWS_REGION") from None


def parse_date(written: str) -> datetime:
    """A date as IAM writes it, `2026-11-24T23:00:00Z`, or as any other endpoint may."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return parse_timestamp(written)


def iam_client(session: boto3.Session, clock: Clock) -> IAMClient:
    """An IAM client that repeats what failed, more slowly the more often AWS asks to be called less."""
    client = session.client("iam", region_name=_region(session), config=_config(10, "adaptive"))
    client.meta.events.register("response-received", _remember_lost)
    return _observed(client, clock)


def iam_client_once(session: boto3.Session, clock: Clock) -> IAMClient:
    """An IAM client that leaves every failed call to the caller, for calls that must not be repeated blindly."""
    return _observed(session.client("iam", region_name=_region(session), config=_config(1, "standard")), clock)


def sts_client(session: boto3.Session, clock: Clock) -> STSClient:
    """An STS client that gives up within seconds: the first call of a run says whether there is an endpoint at all."""
    return _observed(session.client("sts", region_name=_region(session), config=_config(3, "standard")), clock)


def _observed(client: _Client, clock: Clock) -> _Client:
    """The client, from whose readable answers the clock learns."""

    def note(context: dict[str, Any], **_: object) -> None:
        context[_SENT] = clock.local()

    def observe(http_response: AWSResponse, context: Mapping[str, Any], **_: object) -> None:
        clock.observe(http_response.headers.get("date"), context[_SENT])

    require_address(client.meta.endpoint_url)
    client.meta.events.register("before-call", note)
    client.meta.events.register("before-parse", _require_xml)
    client.meta.events.register("after-call", observe)
    return client


def _require_xml(response_dict: Mapping[str, Any], operation_model: OperationModel, **_: object) -> None:
    """Reject a response that no repetition makes better: a web page or JSON of a server that is not IAM.

    botocore itself handles an empty response or a page with a status of 500 or more.

    Raises:
        UnreadableAnswerError: it is one; nothing of it is quoted except its status and type.
    """
    status, start = response_dict["status_code"], response_dict["body"][:_START].lstrip().lower()
    is_page = start.startswith((b"<html", b"<!doctype html"))
    if status >= _SERVER_ERROR and (not start or is_page):
        return
    is_other = status < _ERROR and f"<{operation_model.name.lower()}".encode() not in start
    if is_page or is_other or not start.startswith(b"<"):
        media_type = _MEDIA_TYPE.match(str(response_dict["headers"].get("content-type")))
        described = f"HTTP {status}, {media_type[0]}" if media_type else f"HTTP {status}"
        raise errors.UnreadableAnswerError(
            f"the response ({described}) is not AWS's: check AWS_ENDPOINT_URL and proxies"
        )


def _remember_lost(exception: Exception | None, context: dict[str, Any], **_: object) -> None:
    """Note on what an attempt ends with whether one before it may have been carried out.

    Of an answer botocore notes which attempt it was, of what it raises itself it does not.
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
    """What an operation answers.

    Raises:
        UnreadableAnswerError: the answer makes no sense; nothing of it is told.
        BotoCoreError, ClientError: as boto3.
    """
    try:
        return operation(**arguments)
    except (BotoCoreError, ClientError):
        raise
    except (ResponseParserError, *NONSENSE):  # of its parser; the first one quotes all of it
        raise errors.UnreadableAnswerError(UNREADABLE) from None


def read(
    operation: Callable[..., Any],
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Any:  # noqa: ANN401 - as boto3
    """What an operation answers that may be called again: once more, where an answer could not be read.

    boto3 itself calls again after a broken connection, a time-out, a 5xx and throttling, but not then. Where the last
    call fails in another way, it is the answer that could not be read that is raised: what it was about has happened.
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
