"""moto's IAM with the five operations of service-specific credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam import models as moto_models
from moto.iam import urls as moto_urls
from moto.kms import urls as kms_urls

from iamcreds.emulator.account import CREDENTIALS, SWITCHES
from iamcreds.emulator.corrections import CorrectedIam
from iamcreds.emulator.exceptions import InvalidInputError, ValidationError
from iamcreds.emulator.stores.keys import Kms
from iamcreds.emulator.validation import SERVICE_NAME, matches
from iamcreds.model import Status
from iamcreds.services import Family, service_family

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.emulator.models import Credential


def install() -> None:
    """Replace moto's IAM and KMS by the corrected ones, and moto's clock. Repeated calls have no effect."""
    moto_urls.url_paths["{0}/$"] = Iam.dispatch
    kms_urls.url_paths["{0}/$"] = Kms.dispatch
    vars(moto_models)["utcnow"] = read_account_clock


def read_account_clock() -> datetime:
    """Return the account's time as moto expects it: UTC in whole seconds, without a time zone."""
    return SWITCHES.now().replace(microsecond=0, tzinfo=None)


class Iam(CorrectedIam):
    """One request to IAM."""

    def create_service_specific_credential(self) -> ActionResult:
        """Create a credential. Only this response and that of Reset contain a secret."""
        service = self._read_service()
        user = self._require_user()
        return self._return_secret(*CREDENTIALS.create(user, service, self.params.get("CredentialAgeDays")))

    def list_service_specific_credentials(self) -> ActionResult:
        """List the credentials of one user, or of all with AllUsers, by id, which is unrelated to their age."""
        service = self._read_service() if self.params.get("ServiceName") else None  # an empty name does not filter
        user = None if self._wants_all_users() else self._require_user()
        hidden = SWITCHES.settings.hidden_users if user is None else ()
        listed = CREDENTIALS.select(user, service, SWITCHES.settings.list_lag)
        page, paging = self._cut_page((credential for credential in listed if credential.user not in hidden), "id")
        return ActionResult({"ServiceSpecificCredentials": list(map(_describe, page)), **paging})

    def update_service_specific_credential(self) -> ActionResult:
        """Update the status, the only value that can be updated."""
        status = Status(self.params["Status"])
        CREDENTIALS.switch(self._require_user(), self.params["ServiceSpecificCredentialId"], status)
        return EmptyResult()

    def reset_service_specific_credential(self) -> ActionResult:
        """Reset the secret and nothing else."""
        return self._return_secret(*CREDENTIALS.reset(self._require_user(), self.params["ServiceSpecificCredentialId"]))

    def delete_service_specific_credential(self) -> ActionResult:
        """Delete a credential immediately."""
        CREDENTIALS.delete(self._require_user(), self.params["ServiceSpecificCredentialId"])
        return EmptyResult()

    def _wants_all_users(self) -> bool:
        if not (self.params.get("AllUsers") and SWITCHES.settings.all_users):
            return False
        if "UserName" in self.params:
            raise InvalidInputError("Cannot list credentials for all users if a username is given")
        return True

    def _read_service(self) -> str:
        service: str = self.params["ServiceName"]
        if not matches(SERVICE_NAME, service):
            raise ValidationError(f"ServiceName must match {SERVICE_NAME}")
        return service

    def _return_secret(self, credential: Credential, secret: str) -> ActionResult:
        SWITCHES.remember(secret)
        return ActionResult({"ServiceSpecificCredential": _describe(credential, secret)})


def _describe(credential: Credential, secret: str | None = None) -> dict[str, Any]:
    """Describe a credential with the fields of IAM's model; moto omits fields that are None."""
    is_password = service_family(credential.service) is Family.PASSWORD
    login_field, secret_field = (
        ("ServiceUserName", "ServicePassword") if is_password else ("ServiceCredentialAlias", "ServiceCredentialSecret")
    )
    return {
        "CreateDate": credential.created,
        "ExpirationDate": credential.expires,
        "ServiceName": credential.service,
        login_field: credential.login,
        secret_field: secret,
        "ServiceSpecificCredentialId": credential.id,
        "UserName": credential.user,
        "Status": credential.status(SWITCHES.now()).value,
    }
