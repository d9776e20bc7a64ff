"""Drift as a JSON document, with values and not only words; pure. The same drift gives the same bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never

from iamcreds.drift import differences
from iamcreds.drift.differences import Kind
from iamcreds.report.advice import advise
from iamcreds.report.summary import describe_limits
from iamcreds.report.wording import describe
from iamcreds.text.escaping import escape_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from iamcreds.drift.differences import Difference, Drift
    from iamcreds.model import AccessKey, Credential, CredentialReport, DesiredCredential, Inventory, Place

VERSION = 2
"""The version of the document: fields may be added to it, and a changed or removed one makes another version."""


def format_json(drift: Drift) -> str:
    """The document as text; README says what is in it."""
    return escape_json(json.dumps(build_document(drift), indent=2))


def build_document(drift: Drift) -> dict[str, Any]:
    """The document as plain values: one account today, and room for many."""
    return {"version": VERSION, "clean": not drift.differences, "accounts": [_account(drift)]}


def _account(drift: Drift) -> dict[str, Any]:
    live = drift.inventory
    return {
        "account": live.account,
        "readAt": _time(live.read_at),
        "clean": not drift.differences,
        "counts": {kind.value: len(drift.by_kind(kind)) for kind in Kind},
        "declared": {"users": drift.users, "credentials": drift.credentials, "watchedUsers": drift.watched},
        "live": {"users": len(live.users), "credentials": len(live.credentials)},
        "accessKeys": {"usersRead": len(live.access_keys_read), "credentialReport": _report(live, live.report)},
        "notChecked": {
            "resetTriggers": drift.resets,
            "ids": drift.are_ids_unknown,
            "accessKeys": drift.are_keys_skipped,
            "undeclared": drift.ignored,
        },
        "differences": [_difference(difference) for difference in drift.differences],
        "unsettled": [_difference(difference) for difference in drift.unsettled],
        "notes": list(describe_limits(drift)),
    }


def _report(live: Inventory, report: CredentialReport | None) -> dict[str, Any] | None:
    if report is None:
        return None
    age = live.read_at - report.generated
    return {"generated": _time(report.generated), "ageSeconds": max(0, int(age.total_seconds()))}


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "kind": difference.kind.value,
        "rule": difference.rule,
        "user": difference.user,
        "service": difference.service or None,
        "id": difference.id or None,
        "place": _place(difference.place),
        **_values(difference),
        "message": describe(difference).message,
        "next": advise(difference),
    }


def _values(difference: Difference) -> dict[str, Any]:
    """How many it is about, desired and live."""
    match difference:
        case differences.MissingUser(desired=desired, renamed_to=renamed_to):
            live = None if renamed_to is None else {"renamedTo": renamed_to}
            return {"number": len(desired), "desired": _desired(desired), "live": live}
        case differences.MissingWatchedUser():
            return {"number": 1, "desired": None, "live": None}
        case differences.TooManyAccessKeys(limit=limit, live=keys):
            return {"number": len(keys) - limit, "desired": {"max": limit}, "live": list(map(_key, keys))}
        case differences.AccessKeyTooOld(limit=limit, live=keys):
            return {"number": 1, "desired": {"maxAgeDays": limit}, "live": list(map(_key, keys))}
        case differences.AccessKeyIdle(limit=limit, live=keys):
            return {"number": 1, "desired": {"maxIdleDays": limit}, "live": list(map(_key, keys))}
        case (
            differences.MissingCredential()
            | differences.StatusDiffers()
            | differences.ResetPending()
            | differences.NoLongerDeclared()
            | differences.UnmanagedCredential()
            | differences.UndeclaredUser()
            | differences.Expired()
            | differences.ExpiringSoon()
            | differences.SwitchedOff()
        ):
            found = list(map(_credential, difference.live))
            return {"number": difference.number, "desired": _desired(difference.desired), "live": found}
    assert_never(difference)


def _desired(desired: Iterable[DesiredCredential]) -> list[dict[str, Any]]:
    return [
        {
            "service": wanted.service,
            "name": wanted.name,
            "status": None if wanted.status is None else wanted.status.value,
            "place": _place(wanted.place),
        }
        for wanted in desired
    ]


def _credential(live: Credential) -> dict[str, Any]:
    return {
        "id": live.id,
        "service": live.service,
        "status": live.status.value,
        "created": _time(live.created),
        "expires": _time_or_none(live.expires),
    }


def _key(live: AccessKey) -> dict[str, Any]:
    return {
        "id": live.id,
        "status": live.status.value,
        "created": _time(live.created),
        "lastUsed": _time_or_none(live.last_used),
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "line": place.line, "column": place.column}


def _time(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def _time_or_none(time: datetime | None) -> str | None:
    return None if time is None else _time(time)
