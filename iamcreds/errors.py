"""Everything that can go wrong, as types; each message is a sentence a user can act on and holds no secret."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

from iamcreds.text.escaping import escape_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iamcreds.model import Problem


class IamcredsError(Exception):
    """The root: whoever catches it catches all of ours and nothing else."""


class SpecsError(IamcredsError):
    """The specs cannot be read; `problems` holds every one of them, sorted."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class NothingSelectedError(IamcredsError):
    """A filter names what is neither desired nor live, most likely misspelt."""


class PreviewError(IamcredsError):
    """The text is not a preview of the engine, or not one that can be judged."""


class ApprovalError(IamcredsError):
    """The file of an approved plan cannot be read, or is for a different stack, account or specs."""


class StateError(IamcredsError):
    """The text is not the state of a stack, or too long to be read."""


class SecretError(IamcredsError):
    """A credential's secret that cannot be told: the stack has no such credential, or nobody knows it."""


class GitRequestError(SecretError):
    """A request of git that gets no password: its host is not CodeCommit, or it is malformed."""


class QueryError(IamcredsError):
    """A statement that cannot be answered: bad SQL, more than a question, or too long."""


class ConfigError(IamcredsError):
    """The stack's configuration cannot be used."""


class OutputFileError(IamcredsError):
    """A file cannot be written."""


class WheelError(IamcredsError):
    """The file is not a wheel of iamcreds in this version, or the project would not install it."""


class NotificationError(IamcredsError):
    """A notification could not be sent; the message names the service, never the address."""


class EngineGoneError(IamcredsError):
    """The Pulumi engine has ended, so that nobody would record the result of a call."""


class EmulatorMissingError(IamcredsError):
    """The embedded IAM is an extra that is not installed."""


class AccountError(IamcredsError):
    """AWS refused, or answered in a way nobody expected."""


class UnreachableError(AccountError):
    """No answer from the endpoint."""


class UnreadableAnswerError(AccountError):
    """An answer that was cut off, or that is none of AWS's; what it held is told nowhere."""


class UnavailableError(AccountError):
    """AWS cannot answer at present: a failure of its own (5xx), or too many calls."""


class UnauthenticatedError(AccountError):
    """There are no credentials, or AWS does not accept them."""


class AccessDeniedError(AccountError):
    """The caller lacks a permission."""


class UserDeniedError(AccessDeniedError):
    """AWS denies the read of one user; reads of other users may succeed."""


class WrongAccountError(AccountError):
    """The caller is in another account than the specs or the state say."""


class NoSuchUserError(AccountError):
    """The IAM user does not exist."""


class NoSuchServiceError(AccountError):
    """AWS knows no such credentials of the service."""


class NoSuchCredentialError(AccountError):
    """The credential does not exist."""


class OtherUserError(NoSuchCredentialError):
    """The credential may exist, and is not this user's."""


class LimitExceededError(AccountError):
    """Both of a user's places for a service are taken."""


class RejectedError(AccountError):
    """A credential cannot be created, adopted, imported or replaced as declared."""


class NotApprovedError(AccountError):
    """A step that the approved plan does not name; nothing was done to the credential."""


class LostAnswerError(AccountError):
    """A change may or may not have happened, and looking did not tell."""


def is_debugging() -> bool:
    """Whether IAMCREDS_DEBUG=1 asks for tracebacks and for the calls to AWS, as those want who work on iamcreds."""
    return os.environ.get("IAMCREDS_DEBUG") == "1"


def format_traceback(error: BaseException) -> str:
    """The traceback of an error and of what led to it, the first cause first.

    Only our own errors keep their text: botocore's may quote an answer of AWS, passwords included.
    """
    cause = error.__cause__ or error.__context__
    before = f"{format_traceback(cause)}\nwhich led to\n\n" if cause else ""
    name = type(error).__qualname__
    text = f": {escape_lines(str(error))}" if isinstance(error, IamcredsError) else " (its text is not shown)"
    return f"{before}{''.join(traceback.format_tb(error.__traceback__))}{name}{text}\n"
