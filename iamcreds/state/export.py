"""The credentials and pending creates in the output of `pulumi stack export`; pure, and without secrets."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.errors import StateError
from iamcreds.model import PendingCreate, StackExport
from iamcreds.resource_types import CREDENTIAL_TYPE, urn_name
from iamcreds.services import service_name
from iamcreds.state.recorded import read_name, read_recorded
from iamcreds.text.names import SERVICE_NAME, USER_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.model import RecordedCredential


def read_export(text: str) -> StackExport:
    """Return the credentials of the state, sorted by resource and id, and its pending creates of credentials.

    Secrets in an export are ciphertext. They are dropped with all other properties.

    Raises:
        StateError: the text is not a state, a credential in it is malformed, or two resources have one name.
    """
    try:
        document = json.loads(text)
        resources = tuple(list_credentials(document))
        credentials = tuple(map(_read_credential, resources))
        creates = tuple(map(_read_create, _list_creates(document)))
    except (LookupError, RecursionError, TypeError, ValueError, AttributeError) as error:
        raise StateError(f"the text is not the output of `pulumi stack export`: {type(error).__name__}") from None
    _require_unique_names(resources)
    return StackExport(tuple(sorted(credentials, key=lambda recorded: (recorded.resource, recorded.id))), creates)


def _require_unique_names(resources: Iterable[Mapping[str, Any]]) -> None:
    """Reject two resources with one name, because specs and states are compared by name."""
    urns = defaultdict(set)
    for resource in resources:
        if resource.get("delete") is not True:
            urns[urn_name(resource["urn"])].add(resource["urn"])
    for name, twins in urns.items():
        if len(twins) > 1:
            raise StateError(
                f"the state has {len(twins)} credentials named {name!r}: {', '.join(sorted(twins))}. Options: give one"
                " a different name in the program, with an alias that keeps it; or compare without --state"
            )


def list_credentials(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the created credentials of a state, including old copies that wait for their deletion."""
    for resource in _find_deployment(document).get("resources") or ():
        if resource["type"] == CREDENTIAL_TYPE and "credential_id" in resource.get("outputs", {}):
            yield resource


def _list_creates(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the credentials of pending creates: the engine writes them before it has the provider create them.

    (`OperationV2` in pulumi/sdk/go/common/apitype/core.go.)
    """
    for operation in _find_deployment(document).get("pending_operations") or ():
        if operation["type"] == "creating" and operation["resource"]["type"] == CREDENTIAL_TYPE:
            yield operation["resource"]


def _find_deployment(document: Mapping[str, Any]) -> Mapping[str, Any]:
    checkpoint = document.get("checkpoint") or {}
    return document.get("deployment") or checkpoint.get("latest") or {}


def _read_create(resource: Mapping[str, Any]) -> PendingCreate:
    inputs = resource["inputs"]
    return PendingCreate(
        resource=_read_resource_name(resource),
        user=read_name(inputs, "user", USER_NAME),
        service=service_name(read_name(inputs, "service", SERVICE_NAME)),
    )


def _read_credential(resource: Mapping[str, Any]) -> RecordedCredential:
    recorded = read_recorded(_read_resource_name(resource), resource["outputs"])
    return replace(recorded, is_leaving=resource.get("delete") is True, is_protected=resource.get("protect") is True)


def _read_resource_name(resource: Mapping[str, Any]) -> str:
    name: str = resource["urn"].split("::", 3)[3]  # fails unless it is a URN
    return name
