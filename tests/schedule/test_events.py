"""The schedule of an account: access keys, credentials without a declaration, selections, and specs without a state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from iamcreds.desired import (
    AccessKeyPolicy,
    CredentialPolicy,
    Desired,
    DesiredCredential,
    DesiredIamUser,
    DesiredUser,
    Waiver,
)
from iamcreds.drift.selection import Selection
from iamcreds.model import (
    AccessKey,
    CredentialReport,
    Existing,
    PendingCreate,
    ReportedKey,
    ReportedUser,
    SourceLocation,
    Status,
    Unmanaged,
)
from iamcreds.report.schedule.summary import describe_limits, summarize
from tests.schedule.accounts import (
    BEDROCK,
    DAY,
    KEY,
    KEYSPACES,
    NOW,
    PASSWORD,
    PLACE,
    RENEWED,
    ROTATED,
    existing,
    outline,
    record,
    schedule,
)

if TYPE_CHECKING:
    from iamcreds.model import Credential

A, B = "ACCA1", "ACCA2"
WATCHED = DesiredUser(
    "jane", PLACE, access_keys=AccessKeyPolicy(max_age_days=90, max_idle_days=45), judges_credentials=False
)


def access_key(days: int, used: int | None = None, status: Status = Status.ACTIVE) -> AccessKey:
    """Return an access key of that age that was last used that many days ago."""
    return AccessKey("AKIA1", "jane", status, NOW - days * DAY, None if used is None else NOW - used * DAY)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(access_key(10, 0), [(45, "violate", "AKIA1"), (80, "violate", "AKIA1")], id="used"),
        pytest.param(access_key(10), [(35, "violate", "AKIA1"), (80, "violate", "AKIA1")], id="never used"),
        pytest.param(access_key(100, 50), [(-10, "violate", "AKIA1"), (-5, "violate", "AKIA1")], id="both already"),
        pytest.param(access_key(10, 0, Status.INACTIVE), [], id="Inactive"),
    ],
)
def test_access_key(key: AccessKey, expected: list[tuple[float, str, str]]) -> None:
    """An active access key violates the limits of age and of idleness, counted from its last use or its creation."""
    found = schedule(WATCHED, access_keys=(key,), access_keys_read=("jane",))
    assert sorted(outline(found)) == sorted(expected)
    assert all(event.location == PLACE for event in found.events)


def test_access_key_texts() -> None:
    """The sentence of an idle key shows that a use moves its date, and the next step deletes the key."""
    idle, old = schedule(WATCHED, access_keys=(access_key(10),), access_keys_read=("jane",)).events
    assert idle.describe() == "access key AKIA1 has not been used for 45 days, unless it is used before"
    assert old.describe() == "access key AKIA1 is older than 90 days"
    delete = "aws iam delete-access-key --user-name jane --access-key-id AKIA1"
    assert idle.next == old.next == f"if the key is no longer needed: {delete}"
    assert (idle.rule, old.rule) == ("access-key-idle", "access-key-too-old")


def test_reported_access_key() -> None:
    """A key of the credential report has no id, its age counts from its last change, and a read key replaces it."""
    keys = (ReportedKey(active=True, changed=NOW - 10 * DAY), ReportedKey(active=False, changed=NOW - 80 * DAY))
    report = CredentialReport(NOW, (ReportedUser("jane", NOW - 99 * DAY, keys),))
    found = schedule(WATCHED, report=report)
    assert outline(found) == [(35, "violate", ""), (80, "violate", "")]
    assert found.events[0].describe().startswith("access key has not been used")
    assert found.events[0].next.endswith("--access-key-id ID")
    assert outline(schedule(WATCHED, report=report, access_keys_read=("jane",))) == []


def test_waived_access_key() -> None:
    """A waiver of the user moves the violation of a key to its end."""
    waiver = Waiver("access-key-idle", "seasonal", NOW + 60 * DAY, PLACE)
    found = schedule(replace(WATCHED, waive=(waiver,)), access_keys=(access_key(10),), access_keys_read=("jane",))
    assert outline(found) == [(60, "violate", "AKIA1"), (80, "violate", "AKIA1")]


def test_without_state() -> None:
    """Without a state, expiries and renewals of a credential that dates identify are known, and rotations are not."""
    key = existing(A, 10, RENEWED)
    assert outline(schedule(RENEWED, [key])) == [(66, "renew", A), (80, "expire", A)]
    user = DesiredUser("jane", PLACE, (ROTATED,), credential_policy=CredentialPolicy(max_age_days=20))
    found = schedule(user, [existing(B, 10)])
    assert (outline(found), found.unknown) == ([], 1)
    assert list(describe_limits(found))[1:] == [
        "rotations of 1 credential unknown: only the stack's state has their dates (--state)",
        "age limits of 1 credential unknown: only the stack's state has the dates of resets (--state)",
    ]


def test_renewed_key_without_state() -> None:
    """Without a state, the dates of two keys show which one is the successor of the other."""
    keys = [existing(A, 80, RENEWED), existing(B, 4, RENEWED)]
    found = schedule(RENEWED, keys, days=90).events
    assert [(event.kind.value, event.id, event.is_previous) for event in found] == [
        ("expire", A, True), ("renew", B, False), ("expire", B, True),
    ]  # fmt: skip


def test_expiry_that_specs_do_not_declare() -> None:
    """Without a state, an expiry that specs do not declare, or declare differently, is an event."""
    for desired in (replace(KEY, expire_after_days=None), replace(KEY, expire_after_days=30)):
        found = schedule(desired, [existing(A, 80, KEY)], days=20)
        assert outline(found) == [(10, "expire", A)]


def test_unknown_declaration() -> None:
    """Without a state, keys that dates do not identify expire, and nothing more is known about them."""
    keys = [existing(A, 80, RENEWED), existing(B, 70, RENEWED)]
    found = schedule(RENEWED, keys, days=30).events
    assert [(event.kind.value, event.id, event.desired) for event in found] == [
        ("expire", A, None),
        ("expire", B, None),
    ]
    assert found[0].rule == "expiring-soon"
    assert found[0].next == "after the expiry: pulumi up, which replaces it if the stack manages it"


def test_several_declared_credentials() -> None:
    """With a state, each of two declared keys has its own events."""
    second = replace(KEY, name="second")
    user = DesiredUser("jane", PLACE, (KEY, second))
    keys = [existing(A, 80, KEY), existing(B, 70, KEY)]
    recorded = [record(keys[0]), record(keys[1], resource="jane/bedrock/second")]
    found = schedule(user, keys, recorded, days=21).events
    assert [(event.id, event.resource) for event in found] == [(A, "jane/bedrock"), (B, "jane/bedrock/second")]


def test_several_missing_credentials() -> None:
    """If it is unknown which missing credential adopts an unmanaged one, the expiry of that one is an event, once."""
    declared = [replace(KEY, existing=Existing.ADOPT), replace(KEY, name="second", existing=Existing.ADOPT)]
    user = DesiredUser("jane", PLACE, tuple(declared))
    assert outline(schedule(user, [existing(A, 80, KEY)], [], days=21)) == [(10, "expire", A)]


def test_unmanaged_credential() -> None:
    """An unmanaged credential expires, and its password is as old as the credential."""
    key = existing(A, 80, KEY)
    user = DesiredUser("jane", PLACE, (PASSWORD,), credential_policy=CredentialPolicy(max_age_days=85))
    found = schedule(user, [key], [], days=50)
    assert outline(found) == [(5, "violate", A), (10, "expire", A)]
    assert [event.rule for event in found.events] == ["credential-too-old", "expiring-soon"]
    for treatment, kinds in ((Unmanaged.DELETE, []), (Unmanaged.DEACTIVATE, ["expire"])):
        found = schedule(replace(user, unmanaged=treatment), [key], [], days=50)
        assert [event.kind.value for event in found.events] == kinds


def test_pending_create() -> None:
    """A credential that a pending create may have created blocks nothing, and is not listed as unmanaged."""
    key = existing(A, 80, KEY)
    assert outline(schedule(KEY, [key], [], days=20)) == [(10, "expire", A)]
    create = PendingCreate("jane/bedrock", "jane", BEDROCK)
    assert outline(schedule(KEY, [key], [], days=99, creates=[create])) == [(90, "expire", "jane/bedrock")]


def undeclared() -> tuple[Desired, list[Credential]]:
    """Return specs of jane, and credentials of her and of a user that no spec declares."""
    keys = [existing(A, 80, KEY), existing(B, 70, replace(KEY, user="bob"))]
    return Desired((DesiredUser("jane", PLACE, (KEY,)),)), keys


def test_undeclared_user() -> None:
    """The expiry of a credential of an undeclared user is an event without a rule, location or owner."""
    desired, keys = undeclared()
    found = schedule(desired, keys, [record(keys[0])], users=["bob", "jane"], days=30).events
    assert [(event.user, event.rule, event.location) for event in found] == [
        ("jane", "expiring-soon", KEY.location), ("bob", "", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("selection", "ids"),
    [
        (Selection(users=frozenset({"jane"})), [A]),
        (Selection(users=frozenset({"bob"})), [B]),
        (Selection(services=frozenset({BEDROCK})), [A, B]),
        (Selection(services=frozenset({KEYSPACES})), []),
    ],
)
def test_selection(selection: Selection, ids: list[str]) -> None:
    """A selection of users or services applies to declared and to other credentials."""
    desired, keys = undeclared()
    found = schedule(desired, keys, [record(keys[0])], users=["bob", "jane"], days=30, selection=selection)
    assert [event.id for event in found.events] == ids


def test_selection_without_access_keys() -> None:
    """Access keys belong to no service, so a selection of services excludes them."""
    selection = Selection(services=frozenset({BEDROCK}))
    found = schedule(WATCHED, access_keys=(access_key(10),), access_keys_read=("jane",), selection=selection)
    assert outline(found) == []


def test_missing_user() -> None:
    """A user that IAM does not have has no dates, which a note reports; one that an update creates has them."""
    desired = replace(ROTATED, user="bob")
    user = DesiredUser("bob", PLACE, (desired,))
    found = schedule(user, recorded=[])
    assert (outline(found), found.missing) == ([], ("bob",))
    assert list(describe_limits(found))[1] == "no dates of credentials of 1 user that IAM does not have: bob"
    many = Desired(tuple(replace(user, name=f"bob-{number:02}") for number in range(12)))
    note = list(describe_limits(schedule(many, recorded=[])))[1]
    assert note.endswith(
        "of 12 users that IAM does not have: " + ", ".join(f"bob-{n:02}" for n in range(10)) + " and 2 more"
    )
    created = schedule(replace(user, iam_user=DesiredIamUser(PLACE)), recorded=[])
    assert (created.missing, bool(created.events)) == ((), True)
    imported = schedule(replace(user, iam_user=DesiredIamUser(PLACE, is_imported=True)), recorded=[])
    assert (imported.missing, imported.events) == (("bob",), ())


def test_order() -> None:
    """Events are sorted by time, user, service and name, whatever the order of the specs and of IAM's lists."""
    names = ["bob", "jane"]
    users = [DesiredUser(name, PLACE, (replace(KEY, user=name),)) for name in names]
    keys = [existing(f"ACCA-{name}", 80, replace(KEY, user=name)) for name in names]
    recorded = [record(key, resource=f"{key.user}/bedrock") for key in keys]
    found = schedule(Desired(tuple(users)), keys, recorded, users=names)
    other = schedule(Desired(tuple(reversed(users))), keys[::-1], recorded[::-1], users=names[::-1])
    assert [event.user for event in found.events][:2] == names
    assert found.events == other.events


def rotating(count: int) -> tuple[Desired, list[Credential]]:
    """Return users with a changed trigger, whose rotations are all due now."""
    declared: list[DesiredCredential] = [
        replace(ROTATED, user=f"user-{n}", trigger="new", location=SourceLocation("a.yaml", n + 1, 1))
        for n in range(count)
    ]
    users = [DesiredUser(each.user, PLACE, (each,)) for each in declared]
    return Desired(tuple(users), max_rotations=2), [existing(f"ACCA{n}", 1, each) for n, each in enumerate(declared)]


def test_limit_of_rotations() -> None:
    """A note names the days on which more rotations are due than `maxPerRun`, without those that are blocked."""
    desired, credentials = rotating(4)
    recorded = [record(each, resource=f"{each.user}/keyspaces", trigger="old") for each in credentials]
    users = [user.name for user in desired.users]
    found = schedule(desired, credentials, recorded, users=users, days=2)
    assert summarize(found) == "4 rotations until 2026-11-23 in account 123456789012"
    note = "more rotations than `maxPerRun` (2) are due on 2026-11-21: later runs rotate the rest"
    assert note in list(describe_limits(found))
    blocking = [replace(each, id=f"{each.id}X") for each in credentials[:2]]
    blocked = schedule(desired, [*credentials, *blocking], recorded, users=users, days=2)
    assert note not in list(describe_limits(blocked))


def test_no_events() -> None:
    """The summary of a schedule without events reports that there are none."""
    assert summarize(schedule(PASSWORD, recorded=[])) == "no events until 2027-03-01 in account 123456789012"
