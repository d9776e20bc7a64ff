"""moto's IAM with requests validated, and with users, access keys and the credential report as AWS has them."""

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
    """The operations that moto has; a method's name is the operation's, as moto looks it up."""

    def parse_parameters(self, request: Request) -> None:
        """Parse as moto does, then hold the parameters against the model."""
        try:
            super().parse_parameters(request)
        except ValueError as error:
            raise ValidationError("A number is expected where none was given") from error
        shape = get_service_model("iam").operation_model(self._get_action()).input_shape
        if shape is not None:
            check_parameters(shape, self.params)

    def _cut_page(self, items: Iterable[Item], key: str) -> tuple[list[Item], dict[str, Any]]:
        """Cut the requested page out of a list, in the order of this attribute; no marker of another operation fits."""
        limit = SWITCHES.settings.page_limit
        return cut_page(items, attrgetter(key), self.params, kind=self._get_action(), limit=limit)

    # Users

    def _require_user(self) -> str:
        """The user that is meant: by name, or else the caller.

        Raises:
            NoSuchEntityError: there is no such user.
            ValidationError: no name was given and the caller is no user.
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
        """Create, unless the name is taken, in any case."""
        self._refuse_taken_name(self.params["UserName"])
        return super().create_user()

    def list_users(self) -> ActionResult:
        """List in pages, which moto does not; in the order of names."""
        users = self.backend.list_users(self.params.get("PathPrefix"), None, None)
        page, paging = self._cut_page(users, "name")
        return ActionResult({"Users": page, **paging})

    def update_user(self) -> ActionResult:
        """Rename with all that belongs to the user, which moto forgets."""
        name, new_name = self._require_user(), self.params.get("NewUserName")
        if new_name and new_name != name:
            self._refuse_taken_name(new_name)
            CREDENTIALS.rename_user(name, new_name)
            for key in self.backend.users[name].access_keys:
                key.user_name = new_name
        return super().update_user()

    def delete_user(self) -> ActionResult:
        """Delete, unless credentials or access keys are left."""
        name = self._require_user()
        if CREDENTIALS.has_any(name):
            raise DeleteConflictError("Cannot delete entity, must remove referenced objects first.")
        if self.backend.users[name].access_keys:
            raise DeleteConflictError("Cannot delete entity, must delete access keys first.")
        return super().delete_user()

    def _refuse_taken_name(self, name: str) -> None:
        """Reject a name that a user has in any case, also if it is the user who is renamed.

        (API_UpdateUser of IAM's reference; AWS's response is recorded in https://github.com/noobaa/noobaa-core/pull/9323)

        Raises:
            EntityAlreadyExistsError: a user has it.
        """
        if name.lower() in map(str.lower, self.backend.users):
            raise EntityAlreadyExistsError(f"User with name {name} already exists.")

    # Access keys

    def create_access_key(self) -> ActionResult:
        """Create for a user or the caller, and note the secret."""
        key = self.backend.create_access_key(self._require_user())
        SWITCHES.remember(key.secret_access_key)
        return ActionResult({"AccessKey": key})

    def list_access_keys(self) -> ActionResult:
        """List in pages, which moto does not; in the order of ids."""
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
        """Refuse a key that the user does not have, in IAM's words.

        Raises:
            NoSuchEntityError: there is no such user, or the user has no such key.
        """
        keys = self.backend.users[self._require_user()].access_keys
        key_id = self.params["AccessKeyId"]
        if key_id not in {key.access_key_id for key in keys}:
            raise NoSuchEntityError(f"The Access Key with id {key_id} cannot be found.")

    def get_access_key_last_used(self) -> ActionResult:
        """When a key was last used; an unknown key is refused as if it were another account's."""
        key_id = self.params["AccessKeyId"]
        key = self.backend.access_keys.get(key_id)
        if key is None:
            raise AccessDeniedError(
                f"User: {self._make_caller_arn()} is not authorized to perform iam:GetAccessKeyLastUsed"
                f" on resource: access key {key_id}",
            )
        used = key.last_used
        last_used = {"Region": used.region if used else "N/A", "ServiceName": used.service if used else "N/A"}
        date = {"LastUsedDate": used.timestamp} if used else {}
        return ActionResult({"UserName": key.user_name, "AccessKeyLastUsed": {**last_used, **date}})

    # The credential report

    def generate_credential_report(self) -> ActionResult:
        """Have a report made, unless there is one that is not four hours old."""
        state = REPORTS.generate(self.backend.users.values(), SWITCHES.settings.report_time)
        return ActionResult({"State": state})

    def get_credential_report(self) -> ActionResult:
        """The report, once it is made and until it has expired."""
        report = REPORTS.get()
        fields = {"Content": report.content, "ReportFormat": "text/csv", "GeneratedTime": report.generated}
        return ActionResult(fields)

    def _make_caller_arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:user/{self._find_caller() or 'moto'}"
