"""Drift of rotating credentials: overdue and pending rotations, and the two slots with and without the state."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iamcreds.desired import CredentialPolicy, Desired, DesiredCredential, DesiredUser, Retire, RotationPolicy
from iamcreds.drift.comparing import SOON, compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.changed import Deactivated, ResetPending, RetiredIsActive
from iamcreds.drift.rules.expiring import ExpiringSoon
from iamcreds.drift.rules.expiry import Expired, ExpiryDiffers
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.rotation import RotationDue, RotationOverdue, RotationPending
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UnmanagedCredential
from iamcreds.due_dates import compute_spread
from iamcreds.model import Credential, Existing, RecordedCredential, StackExport, Status
from iamcreds.report.json_document import build_document
from iamcreds.report.summary import describe_limits
from iamcreds.services import Family
from tests.drift.accounts import fill
from tests.drift.test_comparing import NOW, USER_PLACE, account, location
from tests.drift.test_renewal import resource

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.rules.difference import Difference
    from iamcreds.emulator.server import Emulator
    from tests.drift.conftest import Drifting

KEYSPACES = "cassandra.amazonaws.com"
DAY = timedelta(days=1)
POLICY = RotationPolicy(overlap_hours=7 * 24, every_hours=90 * 24)
DECLARED = DesiredCredential("jane", KEYSPACES, "keyspaces", location(0), rotate=POLICY)
PLAIN = replace(DECLARED, rotate=None)
DUE = 90 * DAY * (1 - 0.05 - 0.1 * compute_spread("123456789012", "jane/keyspaces"))
"""The time from the last create or reset to the next rotation."""
OLDER, NEWER = "ACCA1", "ACCA2"
ACTIVE, INACTIVE = Status.ACTIVE, Status.INACTIVE


def password(id_: str, days: float = 500, status: Status = ACTIVE, expires: datetime | None = None) -> Credential:
    """Return a credential of that age in days."""
    return Credential(id_, "jane", KEYSPACES, status, NOW - days * DAY, Family.PASSWORD, "jane-at-1", expires)


def record(existing: Credential, days: float, slot: str = "", **fields: object) -> RecordedCredential:
    """Return the recorded form of a credential whose password is so many days old."""
    recorded = RecordedCredential(
        f"jane/keyspaces{slot}", existing.id, "jane", KEYSPACES, existing.created, issued=NOW - days * DAY
    )
    return replace(recorded, **fields)  # type: ignore[arg-type] # any of them


def drift_of(
    existing: list[Credential], recorded: list[RecordedCredential] | None, desired: DesiredCredential = DECLARED
) -> Drift:
    """Return the drift of jane's credentials, with the state unless `recorded` is None."""
    state = None if recorded is None else make_recorded_state(StackExport(tuple(recorded)))
    specs = Desired((DesiredUser("jane", USER_PLACE, (desired,)),))
    return compare(specs, account(*existing), SOON, state=state)


def only(drift: Drift) -> Difference:
    """Return the only difference."""
    (difference,) = drift.differences
    return difference


def rotated(days: float, older: Status = ACTIVE, newer: Status = ACTIVE) -> list[Credential]:
    """Return two credentials, the newer one of which was created so many days ago."""
    return [password(OLDER, status=older), password(NEWER, days, newer)]


def record_both(pair: list[Credential], days: float, *, is_retired: bool = False) -> list[RecordedCredential]:
    """Return the state after a rotation so many days ago; slot 2 is current."""
    previous = record(pair[0], days + 90)
    if is_retired:
        previous = replace(previous, is_enforced=True, is_retired=True, status=INACTIVE)
    return [previous, record(pair[1], days, "~2", rotation=1)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, None),
        (76, None),
        (86, RotationDue),
        (94, RotationDue),
        (94.4, RotationDue),
        (94.5, RotationOverdue),
        (300, RotationOverdue),
    ],
)
def test_due(days: float, expected: type[Difference] | None) -> None:
    """A rotation is due from its date on, and overdue after 105% of `every`; both count from the last create or reset.

    The creation does not count.
    """
    current = password(NEWER)
    drift = drift_of([current], [record(current, days)])
    assert [type(each) for each in drift.differences] == ([] if expected is None else [expected])
    issued, due = NOW - days * DAY, NOW - days * DAY + DUE
    messages = {
        RotationDue: f"rotation of keyspaces credential {NEWER} has been due since {due:%Y-%m-%d}",
        RotationOverdue: (
            f"password of keyspaces credential {NEWER} was issued on {issued:%Y-%m-%d}, and its rotation has been"
            f" overdue since {issued + 94.5 * DAY:%Y-%m-%d}"
        ),
    }
    for each in drift.differences:
        assert (each.id, each.kind.severity.value, each.location) == (NEWER, "warning", location(0))
        words = each.describe()
        assert (words.message, words.next) == (messages[type(each)], "pulumi up, which rotates it")
        (document,) = build_document(drift)["accounts"]
        assert (
            document["differences"][0]["due"]
            == document["rotations"][0]["rotationDue"]
            == f"{due:%Y-%m-%dT%H:%M:%S}+00:00"
        )


def test_overdue_without_an_issue_date() -> None:
    """For an imported credential the creation counts."""
    current = password(NEWER, 95)
    assert isinstance(only(drift_of([current], [record(current, 0, issued=None)])), RotationOverdue)


@pytest.mark.parametrize(("days", "expected"), [(1, []), (-4, [RotationDue]), (-5, [RotationOverdue])])
def test_not_before(days: float, expected: list[type[Difference]]) -> None:
    """`notBefore` defers the rotation, which is due from then on, and the tolerance is counted from it."""
    current = password(NEWER)
    desired = replace(DECLARED, rotate=replace(POLICY, not_before=NOW + days * DAY))
    differences = drift_of([current], [record(current, 300)], desired).differences
    assert [type(each) for each in differences] == expected
    assert [each.due for each in differences] == [NOW + days * DAY] * len(expected)


def test_due_next_to_other_differences() -> None:
    """A due rotation is not a finding if someone deactivated the credential, or if a difference reports it already."""
    current = password(NEWER)
    off = replace(current, status=INACTIVE)
    assert isinstance(only(drift_of([off], [record(off, 90)])), Deactivated)
    pending = only(drift_of([current], [record(current, 90)], replace(DECLARED, reset="lost")))
    assert (type(pending), pending.due) == (ResetPending, None)
    desired = replace(DECLARED, trigger="b")
    pending = only(drift_of([current], [record(current, 90, trigger="a")], desired))
    assert (type(pending), pending.due) == (RotationPending, NOW - 90 * DAY)
    ending = password(NEWER, 98, expires=NOW + 2 * DAY)
    recorded = record(ending, 90, age_days=100, expires=ending.expires)
    soon = only(drift_of([ending], [recorded], EXPIRING))
    assert (type(soon), soon.due) == (ExpiringSoon, NOW - 90 * DAY + DUE)
    relifed = only(drift_of([ending], [recorded], replace(EXPIRING, expire_after_days=120)))
    assert (type(relifed), relifed.due) == (ExpiryDiffers, NOW - 90 * DAY)


def test_due_next_to_an_active_previous_one() -> None:
    """While the previous one works, the next step has the date from which an update retires it."""
    pair = rotated(90)
    desired = replace(DECLARED, rotate=replace(POLICY, overlap_hours=95 * 24))
    due = only(drift_of(pair, record_both(pair, 90), desired))
    assert isinstance(due, RotationDue)
    assert (
        due.describe().next == f"pulumi up from {NOW + 5 * DAY:%Y-%m-%d} on, which retires ACCA1; the next one rotates"
    )


def test_due_next_to_an_unmanaged_one() -> None:
    """An unmanaged credential blocks a due rotation, unless the successor adopts it."""
    existing = [password(NEWER), password("ACCA9")]
    (due,) = (each for each in drift_of(existing, [record(existing[0], 90)]).differences if each.id == NEWER)
    assert isinstance(due, RotationDue)
    assert due.describe().next == (
        "resolve unmanaged ACCA9 first (see unmanaged-credential), then pulumi up, which rotates it"
    )


def test_due_key() -> None:
    """The finding about a due rotation has the expiry of the key."""
    current = password(NEWER, 90, expires=NOW + 10 * DAY)
    due = only(drift_of([current], [record(current, 90, age_days=100, expires=current.expires)], EXPIRING))
    assert isinstance(due, RotationDue)
    assert due.describe().message.endswith(f". It expires on {NOW + 10 * DAY:%Y-%m-%d}")


def test_deactivated() -> None:
    """If someone deactivated the current credential, both findings give the reason why it is not rotated."""
    pair = rotated(100, newer=INACTIVE)
    overdue, off = drift_of(pair, record_both(pair, 100)).differences
    assert isinstance(off, Deactivated)
    assert off.describe().message == (
        "keyspaces credential ACCA2 is Inactive: it was deactivated outside Pulumi, stays Inactive and is not rotated"
    )
    assert off.describe().next.endswith(", or remove it from the specs")
    assert isinstance(overdue, RotationOverdue)
    assert overdue.describe().message.endswith(". It is not rotated, because it was deactivated outside Pulumi")
    assert overdue.describe().next == off.describe().next


def test_reset_of_a_deactivated_one() -> None:
    """A pending reset activates the credential, so the finding has no reason, and the trigger causes no second one."""
    current = password(NEWER, status=INACTIVE)
    desired = replace(DECLARED, reset="lost", trigger="b")
    found = {type(each): each for each in drift_of([current], [record(current, 300, trigger="a")], desired).differences}
    assert RotationPending not in found
    words = found[RotationOverdue].describe()
    assert words.next == "pulumi up, which resets it"
    assert "deactivated" not in words.message


def test_overdue_next_to_an_active_previous_one() -> None:
    """If the previous one was not retired, one update retires it, and a later one rotates."""
    pair = rotated(100)
    words = only(drift_of(pair, record_both(pair, 100))).describe()
    date = f"{NOW - 93 * DAY:%Y-%m-%d}"
    assert words.next == f"pulumi up from {date} on, which retires ACCA1; the next one rotates"


@pytest.mark.parametrize(
    ("declared", "recorded", "not_before", "is_pending"),
    [
        ("b", "a", None, True),
        ("a", "a", None, False),
        (None, "a", None, False),
        ("b", None, None, False),
        ("b", "a", NOW + DAY, False),
        ("b", "a", NOW, True),
    ],
)
def test_trigger(declared: str | None, recorded: str | None, not_before: datetime | None, *, is_pending: bool) -> None:
    """A changed trigger is drift until it rotates; the first one, a removed one and a deferred one are not."""
    current = password(NEWER)
    desired = replace(DECLARED, trigger=declared, rotate=replace(POLICY, every_hours=None, not_before=not_before))
    drift = drift_of([current], [record(current, 300, trigger=recorded)], desired)
    assert [(type(each), each.kind) for each in drift.differences] == (
        [(RotationPending, RotationPending.kind)] if is_pending else []
    )


def test_not_checked_without_the_state() -> None:
    """Without the state, the number of unchecked rotations is counted, if there are any."""
    drift = drift_of([password(NEWER)], None)
    assert drift.differences == ()
    note = "rotations of 1 credential not checked: only the stack's state has their dates and triggers"
    assert note in list(describe_limits(drift))
    (document,) = build_document(drift)["accounts"]
    assert (document["notChecked"]["rotations"], document["rotations"]) == (1, [])
    assert drift_of([password(NEWER)], [record(password(NEWER), 1)]).rotations == 0
    assert drift_of([password(NEWER)], None, PLAIN).rotations == 0


def test_overlap() -> None:
    """During the overlap the previous credential is in a note and in the document, with the date until it works."""
    pair = rotated(4)
    drift = drift_of(pair, record_both(pair, 4))
    assert drift.differences == ()
    until = NOW + 3 * DAY
    assert (
        "1 rotated credential with a previous one, which `pulumi up` retires after the overlap: ACCA1 of jane/keyspaces"
        f" (previous, valid until {until:%Y-%m-%d})"
    ) in list(describe_limits(drift))
    (document,) = build_document(drift)["accounts"]
    assert document["previous"] == [
        {
            "resource": "jane/keyspaces",
            "user": "jane",
            "service": KEYSPACES,
            "id": OLDER,
            "status": "Active",
            "expires": None,
            "validUntil": until.isoformat(timespec="seconds"),
        }
    ]


def test_retired() -> None:
    """A retired credential is neither drift nor in a note, and the document has it without a date."""
    pair = rotated(40, older=INACTIVE)
    drift = drift_of(pair, record_both(pair, 40, is_retired=True))
    assert drift.differences == ()
    assert not [note for note in describe_limits(drift) if "previous" in note]
    (document,) = build_document(drift)["accounts"]
    assert [(each["id"], each["status"], each["validUntil"]) for each in document["previous"]] == [
        (OLDER, "Inactive", None)
    ]
    assert [each.describe() for each in drift.previous] == ["previous, Inactive"]


def test_swapped_slots() -> None:
    """After a second rotation, slot 1 has the current credential, although it was created first."""
    pair = rotated(100)
    recorded = [record(pair[0], 3, rotation=2), record(pair[1], 93, "~2", rotation=1)]
    drift = drift_of(pair, recorded)
    assert (drift.differences, [each.credential.id for each in drift.previous]) == ((), [NEWER])


@pytest.mark.parametrize(
    ("retire", "action"), [(Retire.DEACTIVATE, "deactivates"), (Retire.DELETE, "deletes")]
)  # fmt: skip
def test_retired_one_is_active(retire: Retire, action: str) -> None:
    """A retired credential that someone activated is drift, with a warning about its use."""
    pair = rotated(40)
    desired = replace(DECLARED, rotate=replace(POLICY, retire=retire))
    active = only(drift_of(pair, record_both(pair, 40, is_retired=True), desired))
    assert isinstance(active, RetiredIsActive)
    assert (active.rule, active.kind.value, active.id) == ("status-differs", "drift", OLDER)
    assert active.describe().next == f"if its password is not in use: pulumi up, which {action} it"


def test_roll_back() -> None:
    """If someone activated the previous and deactivated the current one, no update retires the previous one."""
    pair = rotated(40, newer=INACTIVE)
    active, off = drift_of(pair, record_both(pair, 40, is_retired=True)).differences
    assert (type(active), type(off)) == (RetiredIsActive, Deactivated)
    assert active.describe().next.startswith("aws iam update-service-specific-credential --user-name jane")
    assert active.describe().next.endswith(f"{NEWER} --status Active, and then pulumi up, which deactivates {OLDER}")


def test_roll_back_within_the_overlap() -> None:
    """The previous one is not retired then, so only the deactivation is a finding."""
    pair = rotated(4, newer=INACTIVE)
    assert isinstance(only(drift_of(pair, record_both(pair, 4))), Deactivated)


@pytest.mark.parametrize("status", [ACTIVE, INACTIVE])
def test_current_one_is_gone(status: Status) -> None:
    """A missing current credential is reported, even next to a previous one, working or retired."""
    pair = rotated(4, older=status)
    recorded = record_both(pair, 4, is_retired=status is INACTIVE)
    missing = only(drift_of(pair[:1], recorded))
    assert isinstance(missing, MissingCredential)
    assert (missing.recorded, missing.blocked_by) == (NEWER, ())


def test_previous_one_is_gone() -> None:
    """A previous credential that someone deleted is not missing, because the next rotation creates it again."""
    pair = rotated(4)
    drift = drift_of(pair[1:], record_both(pair, 4))
    assert (drift.differences, drift.previous) == ((), ())


def test_rotation_no_longer_declared() -> None:
    """Without `rotate`, the previous credential is no longer declared, and the current one is."""
    pair = rotated(4)
    left = only(drift_of(pair, record_both(pair, 4), PLAIN))
    assert isinstance(left, NoLongerDeclared)
    assert left.id == OLDER
    assert left.describe().message.endswith("is the previous one, but `rotate` is no longer declared")


def test_unmanaged_with_the_state() -> None:
    """An unmanaged credential is reported with the date of the rotation that it blocks, and in an overdue one."""
    current, unmanaged = password(OLDER), password("ACCA9", 10)
    found = only(drift_of([current, unmanaged], [record(current, 20)]))
    assert isinstance(found, UnmanagedCredential)
    early = 0.05 + 0.1 * compute_spread("123456789012", "jane/keyspaces")
    due = NOW - 20 * DAY + 90 * DAY * (1 - early)
    assert found.describe().message.endswith(f", and it blocks the rotation due on {due:%Y-%m-%d}")
    late = drift_of([current, unmanaged], [record(current, 200)]).differences
    overdue = next(each for each in late if isinstance(each, RotationOverdue))
    assert overdue.describe().next.startswith("resolve unmanaged ACCA9 first (see unmanaged-credential), then")
    adopting = replace(DECLARED, existing=Existing.ADOPT)
    spared = only(drift_of([current, unmanaged], [record(current, 20)], adopting))
    assert isinstance(spared, UnmanagedCredential)
    assert not spared.blocks_renewal


@pytest.mark.parametrize("adopt", [None, OLDER, NEWER])
@pytest.mark.parametrize(("older", "newer"), [(ACTIVE, ACTIVE), (INACTIVE, ACTIVE), (ACTIVE, INACTIVE)])
def test_two_without_the_state(older: Status, newer: Status, adopt: str | None) -> None:
    """Without the state, either of two credentials may be current, so neither is unmanaged, even with `adopt`."""
    drift = drift_of(rotated(4, older, newer), None, replace(DECLARED, adopt=adopt))
    assert (drift.differences, drift.previous, drift.are_ids_unknown) == ((), (), True)


def test_both_are_inactive_without_the_state() -> None:
    """If both are Inactive, one of them is the current one, and someone deactivated it."""
    off = only(drift_of(rotated(4, INACTIVE, INACTIVE), None))
    assert isinstance(off, Deactivated)
    assert (off.id, off.number, len(off.existing)) == ("", 1, 2)
    assert off.describe().next == "remove it from the specs if this is intended"


def test_one_is_inactive_without_the_state() -> None:
    """One that is Inactive may be the previous one, so its activation is not suggested."""
    off = only(drift_of([password(OLDER, status=INACTIVE)], None))
    assert off.describe().message.endswith("or it is the previous one and the current one is missing")
    assert off.describe().next == "pulumi stack export | iamcreds drift specs --state -, which compares them by id"


def test_none_without_the_state() -> None:
    """Without a credential, the declared one is missing."""
    assert isinstance(only(drift_of([], None)), MissingCredential)


EXPIRING = replace(DECLARED, expire_after_days=100)


@pytest.mark.parametrize("is_state_known", [True, False])
def test_end_after_a_rotation(*, is_state_known: bool) -> None:
    """An expiry within `--expiring-within` causes no finding if a rotation takes place before."""
    current = password(NEWER, 87, expires=NOW + 13 * DAY)
    recorded = [record(current, 7, age_days=100, expires=current.expires)] if is_state_known else None
    assert drift_of([current], recorded, EXPIRING).differences == ()


@pytest.mark.parametrize("is_state_known", [True, False])
@pytest.mark.parametrize(("days", "is_due"), [(7.1, False), (6.9, True)])
def test_end_before_a_rotation(days: float, *, is_due: bool, is_state_known: bool) -> None:
    """A reset moves the rotation but not the expiry, so a rotation is due one overlap before the expiry."""
    current = password(NEWER, 100 - days, expires=NOW + days * DAY)
    recorded = [record(current, 7, age_days=100, expires=current.expires)] if is_state_known else None
    drift = drift_of([current], recorded, EXPIRING)
    assert bool(drift.differences) is is_due
    if is_due:
        soon = only(drift)
        assert isinstance(soon, ExpiringSoon)
        due = NOW + (days - 7) * DAY
        assert soon.describe().message.endswith(f", and its rotation has been due since {due:%Y-%m-%d}")
        assert soon.describe().next == "pulumi up, which rotates it"


@pytest.mark.parametrize(("days", "is_reported"), [(2, False), (4, True)])
def test_end_before_the_date(days: int, *, is_reported: bool) -> None:
    """If `notBefore` is later than the expiry, no update rotates in time, and `--expiring-within` applies."""
    current = password(NEWER, 97, expires=NOW + 3 * DAY)
    desired = replace(EXPIRING, rotate=replace(POLICY, not_before=NOW + days * DAY))
    drift = drift_of([current], [record(current, 97, age_days=100, expires=current.expires)], desired)
    assert bool(drift.differences) is is_reported
    if is_reported:
        step = "remove `notBefore` from the specs, then pulumi up, which rotates it; or after the expiry"
        assert only(drift).describe().next.startswith(step)


def test_overdue_before_the_end() -> None:
    """An overdue rotation of a credential that expires is one finding, with the expiry date."""
    current = password(NEWER, 97, expires=NOW + 3 * DAY)
    overdue = only(drift_of([current], [record(current, 97, age_days=100, expires=current.expires)], EXPIRING))
    assert isinstance(overdue, RotationOverdue)
    assert overdue.describe().message.endswith(f". It expires on {NOW + 3 * DAY:%Y-%m-%d}")


@pytest.mark.parametrize("is_state_known", [True, False])
def test_expired(*, is_state_known: bool) -> None:
    """An expired current credential is one finding, and an expired previous one causes none."""
    gone = password(OLDER, 101, Status.EXPIRED, NOW - DAY)
    recorded = record(gone, 101, age_days=100, expires=gone.expires)
    assert isinstance(only(drift_of([gone], [recorded] if is_state_known else None, EXPIRING)), Expired)
    current = password(NEWER, 20, expires=NOW + 80 * DAY)
    both = [recorded, record(current, 20, "~2", rotation=1, age_days=100, expires=current.expires)]
    drift = drift_of([gone, current], both if is_state_known else None, EXPIRING)
    assert drift.differences == ()
    assert [each.describe() for each in drift.previous] == (
        [f"previous, expired on {NOW - DAY:%Y-%m-%d}"] if is_state_known else []
    )


def test_end_of_an_expiring_previous_one() -> None:
    """A previous credential that expires within the overlap works until then."""
    pair = [password(OLDER, 99, expires=NOW + DAY), password(NEWER, 1, expires=NOW + 99 * DAY)]
    recorded = [record(pair[0], 99, age_days=100), record(pair[1], 1, "~2", rotation=1, age_days=100)]
    (previous,) = drift_of(pair, recorded, EXPIRING).previous
    assert previous.valid_until == NOW + DAY


def policy_drift(existing: list[Credential], recorded: list[RecordedCredential] | None) -> list[tuple[str, str, str]]:
    """Return rule, id and next step of the violations of a maximum age of 90 days."""
    user = DesiredUser("jane", USER_PLACE, (DECLARED,), credential_policy=CredentialPolicy(max_age_days=90))
    state = None if recorded is None else make_recorded_state(StackExport(tuple(recorded)))
    drift = compare(Desired((user,)), account(*existing), SOON, state=state)
    return [(each.rule, each.id, each.describe().next) for each in drift.differences]


def test_policy() -> None:
    """A retired credential violates no maximum age; a previous one that works does, and its next step has a date."""
    pair = rotated(4, older=INACTIVE)
    assert policy_drift(pair, record_both(pair, 4, is_retired=True)) == policy_drift(pair, None) == []
    pair = rotated(4)
    ((rule, id_, step),) = policy_drift(pair, record_both(pair, 4))
    assert (rule, id_) == ("credential-too-old", OLDER)
    assert step.startswith("if its successor is in use: aws iam update-service-specific-credential --user-name jane")
    assert step.endswith(f"; or run pulumi up from {NOW + 3 * DAY:%Y-%m-%d} on, which retires it")


def test_next_rotation() -> None:
    """The document has the date of the next rotation with its spread; a deactivated credential has none."""
    pair = rotated(40, older=INACTIVE)
    (document,) = build_document(drift_of(pair, record_both(pair, 40, is_retired=True)))["accounts"]
    early = 0.05 + 0.1 * compute_spread("123456789012", "jane/keyspaces")
    due = NOW - 40 * DAY + 90 * DAY * (1 - early)
    rotation = {"resource": "jane/keyspaces", "user": "jane", "service": KEYSPACES, "id": NEWER}
    assert document["rotations"] == [rotation | {"rotationDue": due.isoformat(timespec="seconds")}]
    pair = rotated(40, older=INACTIVE, newer=INACTIVE)
    (document,) = build_document(drift_of(pair, record_both(pair, 40, is_retired=True)))["accounts"]
    assert document["rotations"] == [rotation | {"rotationDue": None}]


@pytest.mark.parametrize("is_state_known", [True, False])
def test_command(drifting: Drifting, emulator: Emulator, *, is_state_known: bool) -> None:
    """A schedule that no longer runs is found with the state; without it, a note reports that it was not checked."""
    fill(["jane"], [])
    now = datetime.now(UTC).replace(microsecond=0)
    ids = "ACCA" + "O" * 17, "ACCA" + "N" * 17
    resources = []
    for name, id_, days, more in (
        ("jane/keyspaces", ids[0], 300, {"desired_status": "Inactive", "status": "Inactive"}),
        ("jane/keyspaces~2", ids[1], 200, {"rotation": 1}),
    ):
        created = now - days * DAY
        status = str(more.get("status", "Active"))
        emulator.controls.put_credential(id_, "jane", KEYSPACES, created=created.isoformat(), status=status)
        resources.append(resource(name, id_, created, issued_at=created.isoformat(), service=KEYSPACES, **more))
    Path("state.json").write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    drifting.declare("users: {jane: {credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]}}\n")
    ran = drifting.run(*(("--state", "state.json") if is_state_known else ()))
    assert ran.code == (2 if is_state_known else 0), ran.out
    if is_state_known:
        assert f"password of keyspaces credential {ids[1]} was issued on" in ran.out
        assert "[rotation-overdue]" in ran.out
    else:
        assert "note: rotations of 1 credential not checked" in ran.out
