"""ListServiceSpecificCredentials: the credentials of one user, of the caller or of all users, read on each call."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from iamcreds.aws import client
from iamcreds.aws.failures import UNREADABLE, reading_answers, translate_errors
from iamcreds.aws.listing import EVERYTHING, Page, Window, describe_owner, read_list
from iamcreds.aws.threads import call_all
from iamcreds.aws.users import list_users
from iamcreds.errors import (
    AccessDeniedError,
    AccountError,
    NoSuchServiceError,
    NoSuchUserError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
    UnreadableAnswerError,
    UserDeniedError,
)
from iamcreds.model import Credential, IssuedCredential, Status
from iamcreds.progress import no_progress
from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_iam import IAMClient

    from iamcreds.progress import Progress

_OF_EVERY_READ = (
    UnreachableError,
    UnreadableAnswerError,
    UnavailableError,
    UnauthenticatedError,
    AccessDeniedError,
)
"""Failures of a list of all users that would affect every other read, too."""


class CredentialLists:
    """Lists of the account's service-specific credentials.

    Some endpoints do not support AllUsers; then the credentials are listed user by user. Every method raises
    AccountError if a call to AWS fails; `of_user` and `of_users` raise UserDeniedError if AWS denies access to a user.

    Args:
        iam: a boto3 client of IAM.
    """

    def __init__(self, iam: IAMClient) -> None:
        self._iam = iam

    def of_all(self, window: Window = EVERYTHING) -> Page[Credential] | None:
        """Return the credentials of all users; None if the endpoint does not support AllUsers."""
        try:
            return self._read(window, all_users=True)
        except _OF_EVERY_READ:
            raise
        except AccountError:
            return None

    def of_user(self, user: str, service: str | None = None) -> tuple[Credential, ...] | None:
        """Return the user's credentials for the service (full name; None for all); None if the user does not exist."""
        try:
            return self._read(EVERYTHING, user, service).items
        except NoSuchUserError:
            return None
        except AccessDeniedError as error:
            raise UserDeniedError(str(error)) from None

    def of_users(
        self, users: Iterable[str], progress: Progress = no_progress, service: str | None = None
    ) -> dict[str, tuple[Credential, ...] | None]:
        """Return the result of `of_user` for each user; list several users at once."""
        return call_all(lambda user: self.of_user(user, service), users, "reading credentials user by user", progress)

    def read_page(
        self, window: Window, *, user: str | None = None, service: str | None = None, all_users: bool = False
    ) -> Page[Credential]:
        """Return a page of the credentials of a user (None: the caller) or of all users, by user, service and id.

        Args:
            window: the part of the list.
            user: name of the IAM user.
            service: full name of the service; None for all services.
            all_users: read all users; if the endpoint does not support AllUsers, the window selects users.

        Raises:
            NoSuchUserError, NoSuchServiceError
        """
        try:
            page = self._read(window, user, service, all_users=all_users)
        except (*_OF_EVERY_READ, NoSuchServiceError):
            raise
        except AccountError:
            if not all_users or self.of_all(Window(max_items=1)) is not None:
                raise
            page = self._read_each(window, service)
        items = sorted(page.items, key=lambda credential: (credential.user, credential.service, credential.id))
        return Page(tuple(items), page.marker)

    def has_service(self, user: str, service: str) -> bool:
        """Return True if AWS supports credentials of the service (full name): one call for an existing user.

        For a service that AWS does not know, a list fails with NoSuchEntity, as Create does. Others have recorded this
        on AWS.
        """
        try:
            with translate_errors(f"checking if AWS supports the service {service}"):
                client.read(self._iam.list_service_specific_credentials, UserName=user, ServiceName=service)
        except NoSuchServiceError:
            return False
        return True

    def _read(
        self, window: Window, user: str | None = None, service: str | None = None, *, all_users: bool = False
    ) -> Page[Credential]:
        parameters = {"UserName": user, "ServiceName": service, "AllUsers": all_users or None}
        arguments = {name: value for name, value in parameters.items() if value is not None}
        owner = "all users" if all_users else describe_owner(user)
        with translate_errors(f"listing the service-specific credentials of {owner}"):
            operation = self._iam.list_service_specific_credentials
            return read_list(operation, "ServiceSpecificCredentials", to_credential, window, **arguments)

    def _read_each(self, window: Window, service: str | None) -> Page[Credential]:
        users = list_users(self._iam, window)
        credentials = self.of_users((user.name for user in users.items), service=service).values()
        return Page(tuple(credential for of_user in credentials for credential in of_user or ()), users.marker)


def to_credential(item: Mapping[str, Any]) -> Credential:
    """Return the credential in a response of IAM, of either family and without its secret.

    Raises:
        UnreadableAnswerError: the response is not from IAM.
    """
    with reading_answers():
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


def to_issued(response: Mapping[str, Any]) -> IssuedCredential:
    """Return the credential and its secret in a response to Create or Reset, as issued at the creation.

    Raises:
        UnreadableAnswerError: the response is not from IAM.
    """
    item = response.get("ServiceSpecificCredential", {})
    secret = item.get("ServicePassword") or item.get("ServiceCredentialSecret")
    if not secret:
        raise UnreadableAnswerError(UNREADABLE)
    credential = to_credential(item)
    return IssuedCredential(credential, secret, credential.created)
