"""The translation of boto3's errors: their kind, their message, and if the call may have happened."""

from __future__ import annotations

import traceback

import pytest
from botocore import exceptions as boto

from iamcreds import errors
from iamcreds.aws.failures import (
    THROTTLED,
    UNREADABLE,
    error_code,
    is_throttled,
    may_have_happened,
    translate_errors,
)
from iamcreds.text.commands import create_user


def refusal(code: str, message: str = "so", status: int = 400, **metadata: int) -> boto.ClientError:
    """Return AWS's error response to a call."""
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, **metadata},
    }
    return boto.ClientError(answer, "Do")  # type: ignore[arg-type] # the form that boto3 passes


def translated(error: Exception, if_lost: str | None = None) -> errors.AccountError:
    """Return the translated error."""
    with pytest.raises(errors.AccountError) as caught, translate_errors("doing it", if_lost):
        raise error
    return caught.value


RENEW = "The credentials have expired. Options: sign in again (`aws sso login`); or set new ones"
CLOCK = "Set the clock of this machine"
ODD = boto.ClientError({"ResponseMetadata": {"HTTPStatusCode": 400}}, "Do")  # type: ignore[typeddict-item] # not an AWS response
BROKEN = boto.HTTPClientError(error=OSError("hunter2"))
UNREACHED = boto.EndpointConnectionError(endpoint_url="http://x/", error=OSError())
SIGN_IN = (
    "Options: set AWS_PROFILE; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or sign in again (`aws sso login`)"
)


REMOVE = "remove its declarations"


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        *(
            (refusal(code), errors.UnauthenticatedError, f"AWS error {code}: so. {SIGN_IN}")
            for code in (
                "AuthFailure",
                "IncompleteSignature",
                "InvalidAccessKeyId",
                "InvalidClientTokenId",
                "MissingAuthenticationToken",
                "SignatureDoesNotMatch",
                "UnrecognizedClientException",
            )
        ),
        *(
            (refusal(code), errors.UnauthenticatedError, f"AWS error {code}: so. {RENEW}")
            for code in ("ExpiredToken", "ExpiredTokenException")
        ),
        *(
            (refusal(code, said), errors.UnauthenticatedError, f"AWS error {code}: {said}. {CLOCK}")
            for code, said in (
                ("RequestExpired", "so"),
                ("SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2"),
                ("SignatureDoesNotMatch", "Signature not yet current: 2 is still later than 1"),
            )
        ),
        *(
            (
                refusal(code, status=status),
                errors.AccountError,
                f"AWS error {code}: so. The endpoint does not have the operation Do: check AWS_ENDPOINT_URL",
            )
            for code, status in (("InvalidAction", 400), ("UnknownOperation", 404), ("InternalFailure", 501))
        ),
        *(
            (
                refusal(code),
                errors.AccessDeniedError,
                f"AWS error {code}: so. Run `iamcreds permissions` to print the required IAM policy",
            )
            for code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
        ),
        *(
            (refusal(code), errors.UnavailableError, f"AWS error {code}: so. Run again later")
            for code in ("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException")
        ),
        (refusal("x", status=500), errors.UnavailableError, "AWS error x: so. Run again later"),
        (refusal("x", status=499), errors.AccountError, "AWS error x: so"),
        (
            refusal("LimitExceeded"),
            errors.LimitExceededError,
            "AWS error LimitExceeded: so. Run `iamcreds list credentials --all-users` to list existing credentials",
        ),
        (
            refusal("NoSuchEntity", "The user with name x cannot be found."),
            errors.NoSuchUserError,
            f"the account has no such IAM user. Options: create the user ({create_user('x')}); or {REMOVE}",
        ),
        (
            refusal("NoSuchEntity", "No such service X."),
            errors.NoSuchServiceError,
            "No such service X. Check the service name, and whether this partition has the service",
        ),
        (
            refusal("ValidationError", "User x does not have a service specific credential with id y."),
            errors.OtherUserError,
            "User x does not have a service specific credential with id y",
        ),
        (refusal("NoSuchEntity", "No such x exists."), errors.NoSuchCredentialError, "No such x exists"),
        (refusal("ValidationError", "odd"), errors.AccountError, "AWS error ValidationError: odd"),
        (refusal("Other", "The user with name x"), errors.AccountError, "AWS error Other: The user with name x"),
        (
            ODD,
            errors.AccountError,
            "the response (HTTP 400) did not come from AWS. Check AWS_ENDPOINT_URL and proxies",
        ),
        (
            boto.NoCredentialsError(),
            errors.UnauthenticatedError,
            f"no usable AWS credentials (Unable to locate credentials). {SIGN_IN}",
        ),
        (
            BROKEN,
            errors.UnreachableError,
            "no response from AWS (OSError). Check network, AWS_REGION and AWS_ENDPOINT_URL",
        ),
        (
            UNREACHED,
            errors.UnreachableError,
            f"no response from AWS ({UNREACHED}). Check network, AWS_REGION and AWS_ENDPOINT_URL",
        ),
        (
            boto.IncompleteReadError(actual_bytes=1, expected_bytes=2),
            errors.UnreadableAnswerError,
            UNREADABLE,
        ),
        (
            boto.ParamValidationError(report="odd"),
            errors.AccountError,
            "Parameter validation failed: odd",
        ),
        (errors.UnreadableAnswerError("cut"), errors.UnreadableAnswerError, "cut"),
    ],
)  # fmt: skip
def test_translated(error: Exception, kind: type[errors.AccountError], words: str) -> None:
    """Each failure is exactly one kind of error, and its message begins with the operation."""
    ours = translated(error)
    assert (type(ours), str(ours)) == (kind, f"doing it: {words}")
    assert "hunter2" not in "".join(traceback.format_exception(ours))


@pytest.mark.parametrize(
    ("error", "may_have"),
    [
        (refusal("x", status=500), True),
        (refusal("x", status=499), False),
        (ODD, False),
        (BROKEN, True),
        (boto.ReadTimeoutError(endpoint_url="x"), True),
        (boto.ConnectionClosedError(endpoint_url="x"), True),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), True),
        (boto.EndpointConnectionError(endpoint_url="x"), False),
        (boto.ConnectTimeoutError(endpoint_url="x"), False),
        (boto.ProxyConnectionError(proxy_url="x"), False),
        (boto.SSLError(endpoint_url="x", error=OSError()), False),
        (boto.NoCredentialsError(), False),
    ],
)
def test_may_have_happened(error: Exception, *, may_have: bool) -> None:
    """A call that was sent may have happened if it got no response or a server error; the error states that."""
    assert may_have_happened(error) is may_have
    ours = translated(error, "it may be done")
    assert isinstance(ours, errors.LostAnswerError) is may_have
    assert str(ours).endswith("; it may be done") is may_have


def test_repeated_and_refused() -> None:
    """A call that was retried, or had a truncated response, may have happened even if AWS rejected it in the end."""
    assert isinstance(translated(errors.UnreadableAnswerError("cut"), "it may be done"), errors.LostAnswerError)
    lost = translated(refusal("AccessDenied", RetryAttempts=1), "it may be done")
    assert isinstance(lost, errors.LostAnswerError)
    assert str(lost).startswith("doing it: AWS error AccessDenied: so. Run `iamcreds permissions` to print")
    assert str(lost).endswith("; it may be done")
    assert isinstance(translated(refusal("AccessDenied", RetryAttempts=0), "x"), errors.AccessDeniedError)
    assert isinstance(translated(refusal("AccessDenied"), "x"), errors.AccessDeniedError)


def test_codes() -> None:
    """An error response has AWS's code, which shows if the call was throttled."""
    assert error_code(refusal("Throttling")) == "Throttling"
    assert error_code(ODD) == ""
    assert all(is_throttled(refusal(code)) for code in THROTTLED)
    assert not is_throttled(refusal("AccessDenied"))
    assert not is_throttled(boto.NoCredentialsError())
