"""moto's IAM with request validation, and with users, access keys and the credential report as in AWS."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.iam.responses import IamResponse

from iamcreds.emulator.account import ACCOUNT, CREDENTIALS, REPORTS, SWITCHES
from iamcreds.emulator.exceptions import (
    AccessDeniedError,
    DeleteConflictError,
    EntityAlreadyExistsError,
    NoSuchEntityError,
    ValidationError,
)
from iamcreds.emulator.paging import Item, cut_page
from iamcreds.emulator.validation import check_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moto.core.request import Request


class CorrectedIam(IamResponse):
    """Corrections of moto's operations. Each method has the name of its operation, by which moto finds it."""

    def parse_parameters(self, request: Request) -> None:
        """Parse the parameters as moto does, and validate them against botocore's model."""
        try:
            super().parse_parameters(request)
        except ValueError as error:
            raise ValidationError("A number is expected where none was given") from error
        shape = get_service_model("iam").operation_model(self._get_action()).input_shape
        if shape is not None:
            check_parameters(shape, self.params)

    def _cut_page(self, items: Iterable[Item], key: str) -> tuple[list[Item], dict[str, Any]]:
        """Return the requested page of a list, sorted by the attribute. Markers of other operations are invalid."""
        limit = SWITCHES.settings.page_limit
        return cut_page(items, attrgetter(key), self.params, kind=self._get_action(), limit=limit)

    # Users

    def _require_user(self) -> str:
        """Return the requested user: the named one, or the caller.

        Raises:
            NoSuchEntityError: the user does not exist.
            ValidationError: the request has no name and the caller is not a user.
        """
        name: str | None = self.params.get("UserName") or self._find_caller()
        if name is None:
            raise ValidationError("Must specify userName when calling with non-User credentials")
        if name not in self.backend.users:
            raise NoSuchEntityError(f"The user with name {name} cannot be found.")
        return name

    def _find_caller(self) -> str | None:
        key = self.backend.access_keys.get(self.access_key)
        return key.user_name if key else None

    def create_user(self) -> ActionResult:
        """Create a user, unless a user has the name in any case."""
        self._require_free_name(self.params["UserName"])
        return super().create_user()

    def list_users(self) -> ActionResult:
        """List users by name, in pages, which moto does not support."""
        users = self.backend.list_users(self.params.get("PathPrefix"), None, None)
        page, paging = self._cut_page(users, "name")
        return ActionResult({"Users": page, **paging})

    def update_user(self) -> ActionResult:
        """Rename a user together with credentials and access keys, which moto omits."""
        name, new_name = self._require_user(), self.params.get("NewUserName")
        if new_name and new_name != name:
            self._require_free_name(new_name)
            CREDENTIALS.rename_user(name, new_name)
            for key in self.backend.users[name].access_keys:
                key.user_name = new_name
        return super().update_user()

    def delete_user(self) -> ActionResult:
        """Delete a user who has neither credentials nor access keys."""
        name = self._require_user()
        if CREDENTIALS.has_any(name):
            raise DeleteConflictError("Cannot delete entity, must remove referenced objects first.")
        if self.backend.users[name].access_keys:
            raise DeleteConflictError("Cannot delete entity, must delete access keys first.")
        return super().delete_user()

    def _require_free_name(self, name: str) -> None:
        """Reject a name that a user has in any case, even the user who is renamed.

        (API_UpdateUser of IAM's reference; AWS's response is recorded in https://github.com/noobaa/noobaa-core/pull/9323)

        Raises:
            EntityAlreadyExistsError: a user has the name.
        """
        if name.lower() in map(str.lower, self.backend.users):
            raise EntityAlreadyExistsError(f"User with name {name} already exists.")

    # Access keys

    def create_access_key(self) -> ActionResult:
        """Create an access key for a user or the caller, and record its secret."""
        key = self.backend.create_access_key(self._require_user())
        SWITCHES.remember(key.secret_access_key)
        return ActionResult({"AccessKey": key})

    def list_access_keys(self) -> ActionResult:
        """List access keys by id, in pages, which moto does not support."""
        user = self._require_user()
        page, paging = self._cut_page(self.backend.list_access_keys(user), "access_key_id")
        return ActionResult({"UserName": user, "AccessKeyMetadata": page, **paging})

    def update_access_key(self) -> ActionResult:
        """Update the status of a key of a user or of the caller."""
        self._require_key()
        return super().update_access_key()

    def delete_access_key(self) -> ActionResult:
        """Delete a key of a user or of the caller."""
        self._require_key()
        return super().delete_access_key()

    def _require_key(self) -> None:
        """Reject a key that the user does not have, with IAM's message.

        Raises:
            NoSuchEntityError: the user does not exist, or does not have the key.
        """
        keys = self.backend.users[self._require_user()].access_keys
        key_id = self.params["AccessKeyId"]
        if key_id not in {key.access_key_id for key in keys}:
            raise NoSuchEntityError(f"The Access Key with id {key_id} cannot be found.")

    def get_access_key_last_used(self) -> ActionResult:
        """Return the last use of a key; deny access to an unknown key, as to a key of another account."""
        key_id = self.params["AccessKeyId"]
        key = self.backend.access_keys.get(key_id)
        if key is None:
            raise AccessDeniedError(
                f"User: {self._make_caller_arn()} is not authorized to perform iam:GetAccessKeyLastUsed"
                f" on resource: access key {key_id}",
            )
        usage = key.last_used
        last_used = {"Region": usage.region if usage else "N/A", "ServiceName": usage.service if usage else "N/A"}
        date = {"LastUsedDate": usage.timestamp} if usage else {}
        return ActionResult({"UserName": key.user_name, "AccessKeyLastUsed": {**last_used, **date}})

    # The credential report

    def generate_credential_report(self) -> ActionResult:
        """Generate a report, unless there is one that is less than four hours old."""
        state = REPORTS.generate(self.backend.users.values(), SWITCHES.settings.report_time)
        return ActionResult({"State": state})

    def get_credential_report(self) -> ActionResult:
        """Return the report when it is complete, until it expires."""
        report = REPORTS.get()
        fields = {"Content": report.content, "ReportFormat": "text/csv", "GeneratedTime": report.generated}
        return ActionResult(fields)

    def _make_caller_arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:user/{self._find_caller() or 'moto'}"
