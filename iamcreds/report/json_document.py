"""Drift as a JSON document with the values of each difference; pure. The same drift gives the same bytes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from iamcreds.desired import DesiredCredential
from iamcreds.drift.rules.difference import Kind
from iamcreds.model import AccessKey, Credential
from iamcreds.report.summary import describe_limits
from iamcreds.text.escaping import escape_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.rules.difference import Difference
    from iamcreds.drift.waivers import WaivedDifference
    from iamcreds.model import CredentialReport, Inventory, SourceLocation
    from iamcreds.slots import PreviousCredential

VERSION = 2
"""The version of the document. New fields keep the version; a changed or removed field increases it."""


def format_json(drift: Drift) -> str:
    """Return the document as text; docs/drift.md describes its fields."""
    return escape_json(json.dumps(build_document(drift), indent=2))


def build_document(drift: Drift) -> dict[str, Any]:
    """Return the document as plain values; `accounts` is a list because a run may compare several in the future."""
    return {"version": VERSION, "clean": not drift.differences, "accounts": [_account(drift)]}


def _account(drift: Drift) -> dict[str, Any]:
    existing = drift.inventory
    return {
        "account": existing.account,
        "readAt": _time(existing.read_at),
        "clean": not drift.differences,
        "counts": {kind.value: len(drift.by_kind(kind)) for kind in Kind},
        "declared": {"users": drift.users, "credentials": drift.credentials, "watchedUsers": drift.watched},
        "live": {"users": len(existing.users), "credentials": len(existing.credentials)},
        "accessKeys": {
            "usersRead": len(existing.access_keys_read),
            "credentialReport": _report(existing, existing.report),
        },
        "notChecked": {
            "resetTriggers": drift.resets,
            "credentialAges": drift.ages,
            "rotations": drift.rotations,
            "deliveries": drift.deliveries,
            "ids": drift.are_ids_unknown,
            "accessKeys": drift.are_keys_skipped,
            "undeclared": drift.ignored,
        },
        "differences": [_difference(difference, drift) for difference in drift.differences],
        "waived": [_waived(waived, drift) for waived in drift.waived],
        "unsettled": [_difference(difference, drift) for difference in drift.unsettled],
        "previous": [_previous(previous) for previous in drift.previous],
        "rotations": list(_list_rotations(drift)),
        "notes": list(describe_limits(drift)),
    }


def _report(existing: Inventory, report: CredentialReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    age = existing.read_at - report.generated
    return {"generated": _time(report.generated), "ageSeconds": max(0, int(age.total_seconds()))}


def _difference(difference: Difference, drift: Drift) -> dict[str, Any]:
    number, desired, existing = difference.values()
    words = difference.describe()
    return {
        "kind": difference.kind.value,
        "rule": difference.rule,
        "user": difference.user,
        "service": difference.service or None,
        "id": difference.id or None,
        "place": _location(difference.location),
        "due": _time(difference.due),
        "number": number,
        "desired": _plain(desired, drift),
        "live": _plain(existing, drift),
        "message": words.message,
        "next": words.next,
    }


def _waived(waived: WaivedDifference, drift: Drift) -> dict[str, Any]:
    reason, until, location = waived.waiver.reason, waived.waiver.until, waived.waiver.location
    waiver = {"reason": reason, "until": _time(until), "place": _location(location)}
    return _difference(waived.difference, drift) | {"waiver": waiver}


def _previous(previous: PreviousCredential) -> dict[str, Any]:
    credential = previous.credential
    return _identify(credential, previous.desired) | {
        "status": credential.status.value,
        "expires": _time(credential.expires),
        "validUntil": _time(previous.valid_until),
    }


def _list_rotations(drift: Drift) -> Iterator[dict[str, Any]]:
    """Yield the next rotations of existing credentials that rotate, with the state."""
    for each in () if drift.state is None else drift.current:
        if each.desired is not None and each.desired.rotate is not None:
            yield _identify(each.credential, each.desired) | {"rotationDue": _time(each.rotation_due)}


def _identify(credential: Credential, desired: DesiredCredential) -> dict[str, Any]:
    return {
        "resource": desired.declared_name,
        "user": credential.user,
        "service": credential.service,
        "id": credential.id,
    }


def _plain(value: object, drift: Drift) -> object:
    """Return a value of a difference, or a list of values, in a form for JSON."""
    match value:
        case tuple():
            return [_plain(one, drift) for one in value]
        case dict():
            return {name: _plain(one, drift) for name, one in value.items()}
        case DesiredCredential(service=service, name=name, status=status, location=location):
            return {"service": service, "name": name, "status": status and status.value, "place": _location(location)}
        case Credential(id=id_, service=service, status=status, created=created, expires=expires):
            issued = (drift.issued or {}).get(id_)
            dates = {"created": _time(created), "issuedAt": _time(issued), "expires": _time(expires)}
            place = (drift.secrets or {}).get(id_)
            delivery = None if place is None or place.delivered is None else place.delivered.properties()
            return {"id": id_, "service": service, "status": status.value, **dates, "delivery": delivery}
        case AccessKey(id=id_, status=status, created=created, last_used=last_used):
            dates = {"created": _time(created), "lastUsed": _time(last_used)}
            return {"id": id_, "status": status.value, **dates}
        case _:
            return value


def _location(location: SourceLocation | None) -> dict[str, Any] | None:
    return None if location is None else asdict(location)


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")
