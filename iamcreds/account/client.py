"""How we speak to AWS: clients with time-outs and retries, and AWS's refusals as our errors."""

from __future__ import annotations

import contextlib
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal

from botocore import exceptions as boto
from botocore.config import Config
from botocore.parsers import ResponseParserError

from iamcreds import errors
from iamcreds.model import Credential, Status
from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import boto3
    from botocore.awsrequest import AWSResponse
    from botocore.hooks import BaseEventHooks
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

    from iamcreds.account.clock import Clock

POOL = 16
"""How many calls may be under way at once, in number."""

THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})
"""Error codes by which AWS asks to be called less often."""

_UNAUTHENTICATED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    },
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})

_NO_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.SSOError,
    boto.TokenRetrievalError,
)
_NOT_SENT = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError, boto.SSLError)
_ANSWER_LOST = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, ResponseParserError)

HOW_TO_SIGN_IN = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in again (`aws sso login`)"

CONNECT_TIMEOUT = 10
"""Seconds to wait for a connection."""

READ_TIMEOUT = 60
"""Seconds to wait for an answer once a call is sent."""

PAGE = 1000
"""Items asked for per page, the most that IAM allows."""

UNREADABLE_ANSWERS = 2
"""How many answers in a row may be unreadable before a call that may be repeated is given up."""

_FALLBACK_REGION = "us-east-1"
"""IAM is global; a region only tells the partition, and the commercial one is what every AWS tool assumes."""


def iam_client(session: boto3.Session, retries: Literal["adaptive", "none"], clock: Clock) -> IAMClient:
    """An IAM client; `none` leaves every failed call to the caller, for calls that must not be repeated blindly."""
    attempts = {"adaptive": 10, "none": 1}[retries]
    mode: Literal["adaptive", "standard"] = "adaptive" if retries == "adaptive" else "standard"
    iam = session.client("iam", region_name=_region(session), config=_config(attempts, mode))
    _observe(iam.meta.events, clock)
    return iam


def sts_client(session: boto3.Session, clock: Clock) -> STSClient:
    """An STS client that gives up within seconds: the first call of a run says whether there is an endpoint at all."""
    sts = session.client("sts", region_name=_region(session), config=_config(3, "standard"))
    _observe(sts.meta.events, clock)
    return sts


def _observe(events: BaseEventHooks, clock: Clock) -> None:
    """Have the clock learn from every answer that can be read."""

    def observe(http_response: AWSResponse, **_: object) -> None:
        clock.observe(http_response.headers.get("date"))

    events.register("after-call", observe)


def _region(session: boto3.Session) -> str:
    return session.region_name or _FALLBACK_REGION


def _config(attempts: int, mode: Literal["adaptive", "standard"]) -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        max_pool_connections=POOL,
        retries={"mode": mode, "total_max_attempts": attempts},
    )


@contextlib.contextmanager
def translate_errors(doing: str, if_lost: str | None = None) -> Iterator[None]:
    """Turn what boto3 raises into one of our errors.

    Args:
        doing: begins its sentence: `deleting credential ACCA… of jane`.
        if_lost: ends it where what was asked for may have happened; then it is a LostAnswerError.

    Raises:
        AccountError: or one of its children, for anything boto3 raises.
    """
    try:
        with _translated(doing):
            yield
    except errors.AccountError as error:
        cause = error.__cause__
        lost = isinstance(error, errors.UnreadableAnswerError) or (cause is not None and may_have_happened(cause))
        if if_lost is None or not lost:
            raise
        raise errors.LostAnswerError(f"{error}; {if_lost}") from None


@contextlib.contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except boto.ClientError as error:
        raise _refused(doing, error) from error
    except ResponseParserError:
        # Its text quotes the answer, which may hold a password: neither text nor cause may go on from here.
        raise errors.UnreadableAnswerError(f"{doing}: AWS's answer was cut off or is not AWS's: repeat") from None
    except boto.BotoCoreError as error:
        raise _failed(doing, error) from error


def _failed(doing: str, error: boto.BotoCoreError) -> errors.AccountError:
    match error:
        case _ if isinstance(error, _NO_CREDENTIALS):
            return errors.UnauthenticatedError(f"{doing}: no usable AWS credentials ({error}): {HOW_TO_SIGN_IN}")
        case boto.HTTPClientError() | boto.ConnectionError():
            return errors.UnreachableError(
                f"{doing}: no answer from AWS ({error}): check network, AWS_REGION and AWS_ENDPOINT_URL",
            )
        case boto.IncompleteReadError() | boto.ResponseStreamingError():
            return errors.UnreadableAnswerError(f"{doing}: AWS's answer was cut off: repeat")
        case _:
            return errors.AccountError(f"{doing}: {error}")


def _refused(doing: str, error: boto.ClientError) -> errors.AccountError:
    code, message = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    said = f"{doing}: AWS said {code}: {message}"
    if code in _UNAUTHENTICATED:
        return errors.UnauthenticatedError(f"{said}: {HOW_TO_SIGN_IN}")
    if code in _DENIED:
        return errors.AccessDeniedError(f"{said}: `iamcreds permissions` prints the IAM policy that is needed")
    if code == "LimitExceeded":
        return errors.LimitExceededError(said)
    return _missing(doing, code, message) or errors.AccountError(said)


def _missing(doing: str, code: str, message: str) -> errors.AccountError | None:
    """What exactly is missing; IAM has one code for all of it (NoSuchEntity), so its wording has to tell."""
    if code == "NoSuchEntity" and message.startswith("The user with name"):
        return errors.NoSuchUserError(
            f"{doing}: the account has no such IAM user: create the user, or take it out of the specs"
        )
    if code == "NoSuchEntity" and message.startswith("No such service"):
        return errors.NoSuchServiceError(
            f"{doing}: {message.rstrip('.')}: check the service name, or whether this partition has it",
        )
    if code == "NoSuchEntity" or (code == "ValidationError" and "does not have a service specific" in message):
        return errors.NoSuchCredentialError(f"{doing}: {message.rstrip('.')}")
    return None


def error_code(error: boto.ClientError) -> str:
    """AWS's error code, such as `NoSuchEntity`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_throttled(error: Exception) -> bool:
    """Whether AWS asked to be called less often: then the call had no effect."""
    return isinstance(error, boto.ClientError) and error_code(error) in THROTTLED


def may_have_happened(error: BaseException) -> bool:
    """Whether a call that ended so may have been carried out: its answer was lost, or the service broke (5xx)."""
    if isinstance(error, boto.ClientError):
        server_error = 500
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= server_error
    return isinstance(error, _ANSWER_LOST) and not isinstance(error, _NOT_SENT)


def read(
    operation: Callable[..., Any],
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Any:  # noqa: ANN401 - as boto3
    """What an operation answers that may be called again: once more, where an answer could not be read.

    boto3 itself calls again after a broken connection, a time-out, a 5xx and throttling, but not then.
    """
    for _ in range(UNREADABLE_ANSWERS):
        with contextlib.suppress(ResponseParserError):
            return operation(**arguments)
    return operation(**arguments)


def pages(
    operation: Callable[..., Any],
    start: str | None = None,
    **arguments: Any,  # noqa: ANN401 - as boto3
) -> Iterator[Mapping[str, Any]]:
    """Every page of a listing operation, the first of them at marker `start`.

    Only IsTruncated ends it, for a page may be short and still not the last.

    Raises:
        AccountError: the endpoint gives the same marker twice, which would never end.
    """
    seen: set[str] = set()
    marker = {"Marker": start} if start else {}
    while True:
        page = read(operation, **arguments, **marker, MaxItems=PAGE)
        yield page
        if not page.get("IsTruncated"):
            return
        marker = {"Marker": page["Marker"]}
        if marker["Marker"] in seen:
            raise errors.AccountError(
                f"{operation.__name__}: AWS gave the same page marker twice: the list is not to be trusted"
            )
        seen.add(marker["Marker"])


def to_credential(item: Mapping[str, Any]) -> Credential:
    """A credential out of an answer of IAM: both families, with or without its secret, which stays behind."""
    return Credential(
        id=item["ServiceSpecificCredentialId"],
        user=item["UserName"],
        service=item["ServiceName"].lower(),
        status=Status(item["Status"]),
        created=item["CreateDate"].astimezone(UTC),
        family=Family.PASSWORD if item.get("ServiceUserName") else Family.API_KEY,
        login=item.get("ServiceUserName") or item.get("ServiceCredentialAlias") or "",
        expires=item["ExpirationDate"].astimezone(UTC) if "ExpirationDate" in item else None,
    )
