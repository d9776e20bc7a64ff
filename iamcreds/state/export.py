"""The credentials that a stack's state records, out of what `pulumi stack export` prints; pure, and without secrets."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from iamcreds.errors import StateError
from iamcreds.model import RecordedCredential
from iamcreds.resource_types import CREDENTIAL_TYPE, urn_name
from iamcreds.text.names import CREDENTIAL_ID, SERVICE_NAME, USER_NAME

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping


def read_export(text: str) -> tuple[RecordedCredential, ...]:
    """The credentials that the state has, sorted by resource and id; a state without resources has none.

    Secrets stay what they are in an export, ciphertext, and are dropped with the rest.

    Raises:
        StateError: it is no state, a credential in it is not as we record them, or two resources have one name.
    """
    try:
        resources = tuple(list_credentials(json.loads(text)))
        found = tuple(map(_read_credential, resources))
    except (LookupError, RecursionError, TypeError, ValueError, AttributeError) as error:
        raise StateError(f"this is not what `pulumi stack export` prints: {type(error).__name__}") from None
    _require_unique_names(resources)
    return tuple(sorted(found, key=lambda recorded: (recorded.resource, recorded.id)))


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
    """The resources of a state that are credentials and were made, old copies that wait for their deletion too."""
    checkpoint = document.get("checkpoint") or {}
    deployment = document.get("deployment") or checkpoint.get("latest") or {}
    for resource in deployment.get("resources") or ():
        if resource["type"] == CREDENTIAL_TYPE and "credential_id" in resource.get("outputs", {}):
            yield resource


def _read_credential(resource: Mapping[str, Any]) -> RecordedCredential:
    outputs = resource["outputs"]
    reset, account = outputs.get("reset"), outputs.get("account_id")
    return RecordedCredential(
        resource=resource["urn"].split("::", 3)[3],  # fails unless it is a URN
        id=_read_name(outputs, "credential_id", CREDENTIAL_ID),
        user=_read_name(outputs, "user", USER_NAME),
        service=_read_name(outputs, "service", SERVICE_NAME),
        created=datetime.fromisoformat(outputs["create_date"]),
        account=account if isinstance(account, str) else None,
        reset=reset if isinstance(reset, str) else None,
        is_leaving=resource.get("delete") is True,
    )


def _read_name(outputs: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    """A name as IAM has it; one that a program made a secret is ciphertext here, and nobody can compare it."""
    value = outputs[name]
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise StateError(f"the state has a credential whose output `{name}` is a secret, or none of IAM's")
    return value
