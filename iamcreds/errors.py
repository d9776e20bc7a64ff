"""The errors of iamcreds. Every message explains the failure to the user, and none contains a secret."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

from iamcreds.text.escaping import escape_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iamcreds.model import Problem


class IamcredsError(Exception):
    """The base class of all errors of iamcreds."""


class SpecsError(IamcredsError):
    """The specs have errors; `problems` has all problems, sorted."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NothingSelectedError(IamcredsError):
    """A filter names a user or service that is neither declared nor existing, and is probably misspelled."""


class PreviewError(IamcredsError):
    """The text is not a preview of the engine, the preview failed, or it lacks required data."""


class ApprovalError(IamcredsError):
    """The file of an approved plan cannot be read, or is for a different stack, account or specs."""


class StateError(IamcredsError):
    """The text is not the state of a stack, or is too long, or the state cannot be used."""


class SecretError(IamcredsError):
    """A secret cannot be returned: the stack does not have the credential, or its secret is unknown."""


class GitRequestError(SecretError):
    """A request of git is malformed, or its host is not allowed to get the password."""


class QueryError(IamcredsError):
    """A SQL statement is invalid, is not a single SELECT, takes too long, or has too many rows."""


class ConfigError(IamcredsError):
    """The configuration of the stack or of the AWS SDK is not valid."""


class OutputFileError(IamcredsError):
    """A file cannot be written."""


class WheelError(IamcredsError):
    """The file is not a wheel of iamcreds in this version, or the project would not install it."""


class NotificationError(IamcredsError):
    """A notification was not sent. The message contains the name of the service, but not the address."""


class EngineGoneError(IamcredsError):
    """The Pulumi engine has ended, so the result of a request would not be recorded."""


class EmulatorMissingError(IamcredsError):
    """The extra with the IAM emulator is not installed."""


class AccountError(IamcredsError):
    """AWS rejected a request, or returned an unexpected response."""


class UnreachableError(AccountError):
    """The endpoint does not respond."""


class UnreadableAnswerError(AccountError):
    """A response is incomplete or not from AWS. Its content is never shown."""


class UnavailableError(AccountError):
    """AWS is temporarily unavailable: an internal failure (5xx), or throttling."""


class UnauthenticatedError(AccountError):
    """The caller has no AWS credentials, or AWS rejects them."""


class AccessDeniedError(AccountError):
    """The caller lacks a permission."""


class UserDeniedError(AccessDeniedError):
    """AWS denies the read of one user; reads of other users may succeed."""


class WrongAccountError(AccountError):
    """The caller is in a different account than the specs or the state."""


class NoSuchUserError(AccountError):
    """The IAM user does not exist."""


class NoSuchServiceError(AccountError):
    """AWS does not support service-specific credentials for the service."""


class NoSuchCredentialError(AccountError):
    """The credential does not exist."""


class OtherUserError(NoSuchCredentialError):
    """The credential does not belong to this user, but may exist."""


class NoSuchSecretError(AccountError):
    """The secret, parameter or KMS key does not exist."""


class LimitExceededError(AccountError):
    """The quota of credentials per user and service is exceeded."""


class RejectedError(AccountError):
    """A credential cannot be created, adopted, imported or replaced as declared."""


class NotApprovedError(AccountError):
    """The approved plan does not contain a step; the credential is unchanged."""


class LostAnswerError(AccountError):
    """The response to a change was lost, and reads did not show its outcome."""


def is_debugging() -> bool:
    """Return True if IAMCREDS_DEBUG=1 requests tracebacks and a log of the requests to AWS."""
    return os.environ.get("IAMCREDS_DEBUG") == "1"


def format_traceback(error: BaseException) -> str:
    """Return the traceback of an error and of its causes, the first cause first.

    Only errors of iamcreds keep their text, because botocore's may quote a response of AWS with passwords.
    """
    cause = error.__cause__ or error.__context__
    before = f"{format_traceback(cause)}\nwhich led to\n\n" if cause else ""
    name = type(error).__qualname__
    text = f": {escape_lines(str(error))}" if isinstance(error, IamcredsError) else " (its text is not shown)"
    return f"{before}{''.join(traceback.format_tb(error.__traceback__))}{name}{text}\n"
