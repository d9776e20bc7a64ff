"""AWS's error responses: classes with error code and HTTP status, and their format."""

from __future__ import annotations

import json
from uuid import uuid4
from xml.sax.saxutils import escape

SERVER_FAULT = 500

_JSON_CODES = {
    "AccessDenied": "AccessDeniedException",
    "ServiceFailure": "InternalServiceError",
    "Throttling": "ThrottlingException",
    "ValidationError": "ValidationException",
}
"""The codes in the JSON protocols of errors that have a different code in IAM (Common Errors in the API references)."""


class AwsError(Exception):
    """An error response; error code and HTTP status default to those of the class."""

    code = "InternalFailure"
    status = SERVER_FAULT

    def __init__(self, message: str, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status

    def xml(self) -> str:
        """Return the body in the query protocol (IAM, STS)."""
        fault = "Receiver" if self.status >= SERVER_FAULT else "Sender"
        return (
            "<ErrorResponse><Error>"
            f"<Type>{fault}</Type><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message>"
            f"</Error><RequestId>{uuid4()}</RequestId></ErrorResponse>"
        )

    def json(self) -> str:
        """Return the body in the JSON protocols (Secrets Manager, SSM, KMS)."""
        return json.dumps({"__type": _JSON_CODES.get(self.code, self.code), "message": self.message})


class ValidationError(AwsError):
    """A parameter violates a constraint of IAM's model, or contradicts another parameter."""

    code = "ValidationError"
    status = 400


class InvalidInputError(AwsError):
    """IAM rejects a parameter that its model permits."""

    code = "InvalidInput"
    status = 400


class ThrottlingError(AwsError):
    """Too many calls."""

    code = "Throttling"
    status = 400


class AccessDeniedError(AwsError):
    """Access is denied."""

    code = "AccessDenied"
    status = 403


class NoSuchEntityError(AwsError):
    """The requested user, credential, access key or service does not exist."""

    code = "NoSuchEntity"
    status = 404


class LimitExceededError(AwsError):
    """A quota is exceeded."""

    code = "LimitExceeded"
    status = 409


class DeleteConflictError(AwsError):
    """The user still has credentials or access keys."""

    code = "DeleteConflict"
    status = 409


class EntityAlreadyExistsError(AwsError):
    """The name or id already exists."""

    code = "EntityAlreadyExists"
    status = 409
