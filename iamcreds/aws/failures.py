"""Translation of boto3's errors into errors of iamcreds, and detection of lost responses."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from botocore import exceptions as boto
from urllib3.exceptions import LocationValueError

from iamcreds import errors
from iamcreds.aws.settings import find_unusable_bundle, name_settings
from iamcreds.text.commands import create_user
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})
"""Error codes of throttling."""

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

_SIGN_INS = frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetRoleCredentials"})
"""Operations by which botocore gets credentials; their errors arrive in the call that the credentials sign."""

_NO_SECRET = frozenset({"InvalidArnException", "NotFoundException", "ParameterNotFound", "ResourceNotFoundException"})
"""Error codes of Secrets Manager, Parameter Store and KMS for an entity that does not exist."""

_UNSUPPORTED = frozenset({"InvalidAction", "NotImplemented", "UnknownOperation", "UnknownOperationException"})
_NOT_IMPLEMENTED = 501

_NOT_SENT = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError, boto.SSLError)
_ANSWER_LOST = (boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError)

UNREADABLE = "the response is incomplete, or did not come from AWS. Run again"
"""The message about an unreadable response, which never quotes it."""

NONSENSE = (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError)
"""Exceptions of reading a response that lacks a value, or has one of a different type."""

FOLLOWS_LOST = "follows_lost"
"""The argument of a botocore error that is True if an earlier attempt of the same call may have taken effect."""

_NO_USER = "The user with name"
_LONGEST_MESSAGE = 1_000

HOW_TO_SIGN_IN = (
    "Options: set AWS_PROFILE; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or sign in again (`aws sso login`)"
)
"""The options for a failed authentication."""

HOW_TO_GET_ACCESS = "Run `iamcreds permissions` to print the required IAM policy"
"""The next step if access is denied."""


@contextlib.contextmanager
def translate_errors(doing: str, if_lost: str | None = None, if_denied: str = HOW_TO_GET_ACCESS) -> Iterator[None]:
    """Translate an error of boto3 into an error of iamcreds.

    Args:
        doing: the beginning of its message: `deleting credential ACCA… of jane`.
        if_lost: the end of its message if the request may have taken effect; then it is a LostAnswerError.
        if_denied: the next step if access is denied; by default, it is to print the required policy.

    Raises:
        AccountError: or a subclass, for every error of boto3.
    """
    try:
        with _translated(doing, if_lost, if_denied):
            yield
    except errors.AccountError as error:
        error.__context__ = None  # the error of a library may quote a response, and more than tracebacks show it
        raise


@contextlib.contextmanager
def reading_answers() -> Iterator[None]:
    """Translate the exceptions of reading a response that lacks a value of IAM's, or has an unexpected one.

    Raises:
        UnreadableAnswerError: it is one; the message never quotes it.
    """
    try:
        yield
    except NONSENSE:
        raise errors.UnreadableAnswerError(UNREADABLE) from None


@contextlib.contextmanager
def _translated(doing: str, if_lost: str | None, if_denied: str) -> Iterator[None]:
    try:
        yield
    except boto.ClientError as error:
        raise _note_loss(
            _translate_client_error(doing, error, if_denied), if_lost, lost=_may_have_happened_once(error)
        ) from error
    except boto.BotoCoreError as error:
        raise _note_loss(_translate_failure(doing, error), if_lost, lost=_may_have_happened_once(error)) from None
    except errors.UnreadableAnswerError as error:
        raise _note_loss(errors.UnreadableAnswerError(f"{doing}: {error}"), if_lost, lost=True) from None


def _note_loss(failure: errors.AccountError, if_lost: str | None, *, lost: bool) -> errors.AccountError:
    return failure if if_lost is None or not lost else errors.LostAnswerError(f"{failure}; {if_lost}")


def _translate_failure(doing: str, error: boto.BotoCoreError) -> errors.AccountError:
    text = " ".join(str(error).split())
    if isinstance(error, boto.IncompleteReadError | boto.ResponseStreamingError):
        return errors.UnreadableAnswerError(f"{doing}: {UNREADABLE}")
    if isinstance(error, boto.HTTPClientError | boto.ConnectionError):
        return errors.UnreachableError(f"{doing}: {_describe_connection(error, text)}")
    if reason := _describe_credentials(error, text):
        return errors.UnauthenticatedError(f"{doing}: {reason}")
    return errors.AccountError(f"{doing}: {text}")


def _describe_connection(error: boto.BotoCoreError, text: str) -> str:
    """Describe the failure of a connection; an unforeseen one by its type only, because its text may quote."""
    match error:
        case boto.SSLError():
            reason = find_unusable_bundle() or f"{text}. Check AWS_CA_BUNDLE, AWS_ENDPOINT_URL and proxies"
            return f"no TLS connection to AWS: {reason}"
        case boto.ProxyConnectionError():
            return f"no response from AWS ({text}). Check HTTPS_PROXY and HTTP_PROXY"
        case boto.HTTPClientError(kwargs={"error": LocationValueError()}):  # the endpoint has been checked
            return "the proxy in HTTPS_PROXY or HTTP_PROXY is not a valid address"
    described = type(error.kwargs["error"]).__name__ if type(error) is boto.HTTPClientError else text
    return f"no response from AWS ({described}). Check network, AWS_REGION and AWS_ENDPOINT_URL"


def _describe_credentials(error: boto.BotoCoreError, text: str) -> str | None:
    """Describe a failure of a source of credentials; None for any other failure."""
    unusable = f"no usable AWS credentials ({text})"
    match error:
        case boto.NoCredentialsError():
            return f"{unusable}. {HOW_TO_SIGN_IN}"
        case boto.SSOError() | boto.TokenRetrievalError():
            return f"{unusable}. Run `aws sso login`"
        case boto.ProfileNotFound(kwargs=kwargs):
            file = os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"
            return f"{unusable}. Check {name_settings(kwargs['profile'])} and {file}"
        case boto.ConfigParseError():
            return f"{text}: it is not a valid INI file in UTF-8"
        case boto.PartialCredentialsError() | boto.CredentialRetrievalError():
            return unusable
    return None


def _translate_client_error(doing: str, error: boto.ClientError, if_denied: str) -> errors.AccountError:
    code, message = error_code(error), _read(error, "Message")
    failure = f"{doing}: AWS error {code}: {message.removesuffix('.')}"
    if not code:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        failure = f"{doing}: the response (HTTP {status}) did not come from AWS. Check AWS_ENDPOINT_URL and proxies"
    if code in _UNAUTHENTICATED or (code in _DENIED and error.operation_name in _SIGN_INS):
        return errors.UnauthenticatedError(f"{failure}. {_how_to_authenticate(code, message)}")
    if code in _UNSUPPORTED or error.response["ResponseMetadata"]["HTTPStatusCode"] == _NOT_IMPLEMENTED:
        return errors.AccountError(
            f"{failure}. The endpoint does not have the operation {error.operation_name}: check AWS_ENDPOINT_URL"
        )
    if code in _DENIED:
        return errors.AccessDeniedError(f"{failure}. {if_denied}")
    if is_throttled(error) or _is_failure_of_aws(error):
        return errors.UnavailableError(f"{failure}. Run again later")
    if code == "LimitExceeded":
        return errors.LimitExceededError(
            f"{failure}. Run `iamcreds list credentials --all-users` to list existing credentials"
        )
    return _find_missing(doing, code, message) or errors.AccountError(failure)


def _how_to_authenticate(code: str, message: str) -> str:
    """Return the next step; AWS's message distinguishes a wrong clock from a wrong key (SigV4 troubleshooting)."""
    if code == "RequestExpired" or message.startswith(("Signature expired", "Signature not yet current")):
        return "Set the clock of this machine"
    if code in _DENIED:
        return "Check the role in the profile or in AWS_ROLE_ARN, and its trust policy"
    if code.startswith("Expired"):
        return "The credentials have expired. Options: sign in again (`aws sso login`); or set new ones"
    return HOW_TO_SIGN_IN


def _find_missing(doing: str, code: str, message: str) -> errors.AccountError | None:
    """Return the error for the missing entity. IAM has one code for all (NoSuchEntity), but different messages."""
    if code == "NoSuchEntity" and message.startswith(_NO_USER):
        command = create_user(message.removeprefix(_NO_USER).strip().removesuffix(" cannot be found."))
        return errors.NoSuchUserError(
            f"{doing}: the account has no such IAM user. Options: create the user ({command}); or remove its"
            " declarations"
        )
    if code == "NoSuchEntity" and message.startswith("No such service"):
        return errors.NoSuchServiceError(
            f"{doing}: {message.removesuffix('.')}. Check the service name, and whether this partition has the service",
        )
    if code == "ValidationError" and "does not have a service specific" in message:
        return errors.OtherUserError(f"{doing}: {message.removesuffix('.')}")
    if code in _NO_SECRET:
        return errors.NoSuchSecretError(f"{doing}: AWS error {code}: {message.removesuffix('.')}")
    if code == "NoSuchEntity":
        return errors.NoSuchCredentialError(f"{doing}: {message.removesuffix('.')}")
    return None


def error_code(error: boto.ClientError) -> str:
    """Return AWS's error code, such as `NoSuchEntity`."""
    return _read(error, "Code")


def _read(error: boto.ClientError, name: str) -> str:
    """Return a part of an error, escaped and shortened; the error of a different server may lack it."""
    return shorten(escape_invisible(str(error.response.get("Error", {}).get(name, ""))), _LONGEST_MESSAGE)


def is_throttled(error: Exception) -> bool:
    """Return True if AWS throttled the call, which then had no effect."""
    return isinstance(error, boto.ClientError) and error_code(error) in THROTTLED


def may_have_happened(error: BaseException) -> bool:
    """Return True if a call with this error may have taken effect: a lost response, or a server error (5xx)."""
    if isinstance(error, boto.ClientError):
        return _is_failure_of_aws(error)
    return isinstance(error, _ANSWER_LOST) and not isinstance(error, _NOT_SENT)


def _may_have_happened_once(error: boto.ClientError | boto.BotoCoreError) -> bool:
    """Return the same for a call that boto3 retried: an earlier attempt may have taken effect."""
    if isinstance(error, boto.ClientError):
        is_repeated = error.response["ResponseMetadata"].get("RetryAttempts", 0) > 0
    else:
        is_repeated = error.kwargs.get(FOLLOWS_LOST, False)
    return is_repeated or may_have_happened(error)


def _is_failure_of_aws(error: boto.ClientError) -> bool:
    server_error = 500
    return error.response["ResponseMetadata"]["HTTPStatusCode"] >= server_error
