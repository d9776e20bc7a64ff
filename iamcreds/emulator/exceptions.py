"""The error answers of IAM: code and HTTP status as classes, and how an answer looks on the wire."""

from __future__ import annotations

import json
from uuid import uuid4
from xml.sax.saxutils import escape

SERVER_FAULT = 500


class AwsError(Exception):
    """An error answer; code and HTTP status are the class's unless given."""

    code = "InternalFailure"
    status = SERVER_FAULT

    def __init__(self, message: str, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status

    def xml(self) -> str:
        """The body in the query protocol (IAM, STS)."""
        fault = "Receiver" if self.status >= SERVER_FAULT else "Sender"
        return (
            "<ErrorResponse><Error>"
            f"<Type>{fault}</Type><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message>"
            f"</Error><RequestId>{uuid4()}</RequestId></ErrorResponse>"
        )

    def json(self) -> str:
        """The body in the JSON protocols (Secrets Manager, SSM)."""
        return json.dumps({"__type": self.code, "message": self.message})


class ValidationError(AwsError):
    """A parameter breaks a rule of IAM's model, or does not fit the others."""

    code = "ValidationError"
    status = 400


class InvalidInputError(AwsError):
    """A parameter that the model allows and IAM does not."""

    code = "InvalidInput"
    status = 400


class ThrottlingError(AwsError):
    """Too many calls."""

    code = "Throttling"
    status = 400


class AccessDeniedError(AwsError):
    """Not allowed, or not to be told."""

    code = "AccessDenied"
    status = 403


class NoSuchEntityError(AwsError):
    """Whatever was named does not exist."""

    code = "NoSuchEntity"
    status = 404


class LimitExceededError(AwsError):
    """A quota is used up."""

    code = "LimitExceeded"
    status = 409


class DeleteConflictError(AwsError):
    """Something still belongs to what was to be deleted."""

    code = "DeleteConflict"
    status = 409


class EntityAlreadyExistsError(AwsError):
    """The name is taken."""

    code = "EntityAlreadyExists"
    status = 409
