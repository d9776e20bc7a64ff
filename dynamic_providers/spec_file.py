"""`SpecFile`: everything one spec file declares, under one component."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pulumi

from dynamic_providers.access_keys import AccessKeys, policy_properties
from dynamic_providers.service_specific_credential import ServiceSpecificCredential
from iamcreds.model import Existing
from iamcreds.services import Family, service_family

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iamcreds.model import DesiredCredential, DesiredUser


class SpecFile(pulumi.ComponentResource):
    """The credentials that a spec file declares, and its users' access keys where a policy watches them.

    Only the component's type is part of its children's URNs, not its name: a user may move from file to file.

    Args:
        resource_name: the file's path.
        users: the users the file declares.
        account: 12 digits; refuse to act in any other account.

    Attributes:
        credentials: id, user name and status of each credential, by resource name.
        secrets: the password or API key of each, Pulumi secrets, by resource name.
    """

    def __init__(self, resource_name: str, users: Sequence[DesiredUser], account: str | None) -> None:
        super().__init__("iamcreds:index:SpecFile", resource_name)
        self.credentials: dict[str, dict[str, pulumi.Output[Any]]] = {}
        self.secrets: dict[str, pulumi.Output[Any]] = {}
        for one, declared in (pair for user in users for pair in _counted(user.credentials)):
            resource = self._credential(one, declared, account)
            self.credentials[one.resource_name] = public_output(resource, one.service)
            self.secrets[one.resource_name] = secret_output(resource, one.service)
        watched = {user.name: policy_properties(user.access_keys) for user in users if user.access_keys is not None}
        if watched:
            AccessKeys(resource_name, users=watched, account=account, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})

    def _credential(self, one: DesiredCredential, declared: int, account: str | None) -> ServiceSpecificCredential:
        former = one.former_resource_name
        return ServiceSpecificCredential(
            one.resource_name,
            user=one.user,
            service=one.service,
            status=one.status,
            reset=one.reset,
            declared=declared if declared > 1 else None,
            existing=None if one.existing is Existing.FAIL else one.existing,
            account=account,
            opts=pulumi.ResourceOptions(
                parent=self, protect=one.protect or None, aliases=[pulumi.Alias(name=former)] if former else None
            ),
        )


def _counted(credentials: Sequence[DesiredCredential]) -> list[tuple[DesiredCredential, int]]:
    """Each credential with the number declared for its service."""
    per_service = Counter(one.service for one in credentials)
    return [(one, per_service[one.service]) for one in credentials]


def public_output(credential: ServiceSpecificCredential, service: str) -> dict[str, pulumi.Output[Any]]:
    """What anybody may see of a credential."""
    login = _of_family(credential, service, "service_user_name", "service_credential_alias")
    return {"id": credential.credential_id, "user_name": login, "status": credential.status}


def secret_output(credential: ServiceSpecificCredential, service: str) -> pulumi.Output[str | None]:
    """Its password or API key, a Pulumi secret."""
    return _of_family(credential, service, "service_password", "service_credential_secret")


def _of_family(
    credential: ServiceSpecificCredential, service: str, of_password: str, of_api_key: str
) -> pulumi.Output[str | None]:
    """The one of two outputs that a credential of the service has.

    A preview takes an output that a resource has not for one that is not known yet, so both are asked for only where
    nobody can tell which one there is: of a service that is new to us.
    """
    family = service_family(service)
    if family is not None:
        found: pulumi.Output[str | None] = getattr(credential, of_password if family is Family.PASSWORD else of_api_key)
        return found
    both = pulumi.Output.all(getattr(credential, of_password), getattr(credential, of_api_key))
    return both.apply(lambda values: values[0] or values[1])
