"""Drift of credentials with `renewBefore`: the current one is compared, the previous one works until its expiry."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iamcreds.desired import Desired, DesiredCredential, DesiredUser
from iamcreds.drift.comparing import SOON, compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.changed import Deactivated
from iamcreds.drift.rules.expiring import ExpiringSoon, RenewalOverdue
from iamcreds.drift.rules.expiry import Expired, ExpiryDiffers
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UnmanagedCredential, UnresolvedCreate
from iamcreds.due_dates import find_overdue_renewal
from iamcreds.model import Credential, Existing, PendingCreate, RecordedCredential, StackExport, Status
from iamcreds.report.json_document import build_document
from iamcreds.report.summary import describe_limits, describe_scope
from iamcreds.resource_types import CREDENTIAL_TYPE
from iamcreds.services import Family
from iamcreds.slots import describe_previous, find_previous, find_slots
from iamcreds.state.providers import serialize_by_reference
from tests.drift.accounts import fill
from tests.drift.test_comparing import NOW, USER_PLACE, account, location

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.rules.difference import Difference
    from iamcreds.emulator.server import Emulator
    from tests.drift.conftest import Drifting

BEDROCK = "bedrock.amazonaws.com"
DAY = timedelta(days=1)
DECLARED = DesiredCredential(
    "jane", BEDROCK, "bedrock", location(0), expire_after_days=90, renew_before_hours=14 * 24
)  # fmt: skip
PLAIN = replace(DECLARED, renew_before_hours=None)
OLDER, NEWER = "ACCA1", "ACCA2"


def desire(*declared: DesiredCredential) -> Desired:
    """Return specs of jane with these credentials."""
    return Desired((DesiredUser("jane", USER_PLACE, declared or (DECLARED,)),))


def key(
    id_: str, days: float, lifetime: int | None = 90, status: Status = Status.ACTIVE
) -> Credential:  # fmt: skip
    """Return an API key of that age and lifetime in days."""
    created = NOW - days * DAY
    expires = None if lifetime is None else created + lifetime * DAY
    return Credential(id_, "jane", BEDROCK, status, created, Family.API_KEY, "alias", expires)


def record(resource: str, existing: Credential, rotation: int = 0, **fields: object) -> RecordedCredential:
    """Return the recorded form of an API key."""
    recorded = RecordedCredential(
        resource, existing.id, existing.user, existing.service, existing.created, "123456789012",
        rotation=rotation, expires=existing.expires, age_days=90,
    )  # fmt: skip
    return replace(recorded, **fields)  # type: ignore[arg-type] # any of them


RENEWED = [key(OLDER, 80), key(NEWER, 4)]
STATES = {
    "in slot 2": [record("jane/bedrock", RENEWED[0]), record("jane/bedrock~2", RENEWED[1], 1)],
    "in slot 1": [record("jane/bedrock~2", RENEWED[0], 1), record("jane/bedrock", RENEWED[1], 2)],
}


def drift_of(
    existing: list[Credential],
    recorded: list[RecordedCredential] | None,
    desired: Desired | None = None,
    creates: tuple[PendingCreate, ...] = (),
) -> Drift:
    """Return the drift, with the state unless `recorded` is None."""
    state = None if recorded is None else make_recorded_state(StackExport(tuple(recorded), creates))
    return compare(desired or desire(), account(*existing), SOON, state=state)


def only(drift: Drift) -> Difference:
    """Return the only difference."""
    (difference,) = drift.differences
    return difference


@pytest.mark.parametrize("slot", STATES)
def test_renewed(slot: str) -> None:
    """The slot with the greater number is current; the previous one is neither unmanaged nor about to be a finding."""
    drift = drift_of(RENEWED, STATES[slot])
    assert drift.differences == ()
    assert [(each.credential.id, each.desired) for each in drift.previous] == [(OLDER, DECLARED)]


def test_renewed_without_the_state() -> None:
    """Without the state, the dates show which of two credentials is the previous one."""
    drift = drift_of(RENEWED, None)
    assert drift.differences == ()
    assert [each.credential.id for each in drift.previous] == [OLDER]
    assert drift_of([RENEWED[1]], None).previous == ()


@pytest.mark.parametrize("recorded", [STATES["in slot 2"], None])
def test_note(recorded: list[RecordedCredential] | None) -> None:
    """The previous credential is in a note, with its declared name and its end, and counts as one declared with it."""
    drift = drift_of(RENEWED, recorded)
    note = (
        "1 renewed credential with a previous one, which `pulumi up` deletes after its expiry: ACCA1 of jane/bedrock"
        f" (previous, valid until {NOW + 10 * DAY:%Y-%m-%d})"
    )
    assert note in list(describe_limits(drift))
    (document,) = build_document(drift)["accounts"]
    assert note in document["notes"]
    assert document["previous"] == [
        {
            "resource": "jane/bedrock",
            "user": "jane",
            "service": BEDROCK,
            "id": OLDER,
            "status": "Active",
            "expires": (NOW + 10 * DAY).isoformat(timespec="seconds"),
            "validUntil": (NOW + 10 * DAY).isoformat(timespec="seconds"),
        }
    ]
    assert describe_scope(drift).startswith("compared 1 declared credential of 1 user with 2 existing ones")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.ACTIVE, "previous, valid until 2026-"),
        (Status.INACTIVE, "previous, Inactive until 2026-"),
        (Status.EXPIRED, "previous, expired on 2026-"),
    ],
)
@pytest.mark.parametrize("recorded", [STATES["in slot 2"], None])
def test_state_of_the_previous_one(
    recorded: list[RecordedCredential] | None, status: Status, words: str
) -> None:  # fmt: skip
    """Whatever the status of the previous credential, it causes no finding, and `up` deletes it after its expiry."""
    previous = replace(RENEWED[0], status=status)
    drift = drift_of([previous, RENEWED[1]], recorded)
    assert drift.differences == ()
    assert describe_previous(previous).startswith(words)


def test_previous_one_is_gone() -> None:
    """A previous credential that someone deleted is not missing, because it would be deleted soon anyway."""
    drift = drift_of([RENEWED[1]], STATES["in slot 2"])
    assert (drift.differences, drift.previous) == ((), ())


@pytest.mark.parametrize("recorded", STATES.values())
def test_current_one_is_gone(recorded: list[RecordedCredential]) -> None:
    """A missing current credential is reported, although the previous one still works."""
    missing = only(drift_of([RENEWED[0]], recorded))
    assert isinstance(missing, MissingCredential)
    assert (missing.recorded, missing.blocked_by) == (NEWER, ())


@pytest.mark.parametrize("recorded", STATES.values())
def test_renewal_no_longer_declared(recorded: list[RecordedCredential]) -> None:
    """Without `renewBefore`, the previous credential is no longer declared, and the current one is."""
    left = only(drift_of(RENEWED, recorded, desire(PLAIN)))
    assert isinstance(left, NoLongerDeclared)
    assert left.id == OLDER
    words = left.describe()
    created = f"{RENEWED[0].created:%Y-%m-%d}"
    assert words.message == (
        f"bedrock credential ACCA1 (Active, created on {created}) of jane/bedrock is the previous one, but"
        " `rotate` or `renewBefore` is no longer declared"
    )
    assert words.next == "pulumi up, which deletes it; or declare `rotate` or `renewBefore` again"


def test_credential_no_longer_declared() -> None:
    """If the credential is no longer declared, both of its slots are reported by its declared name."""
    none = Desired((DesiredUser("jane", USER_PLACE),))
    found = drift_of(RENEWED, STATES["in slot 2"], none).differences
    assert [(type(each), each.id) for each in found] == [(NoLongerDeclared, OLDER), (NoLongerDeclared, NEWER)]
    assert all("of jane/bedrock is in the state, but no spec declares it" in each.describe().message for each in found)


@pytest.mark.parametrize("is_state_known", [True, False])
@pytest.mark.parametrize(
    ("days", "expected"),
    [(75.9, None), (76, ExpiringSoon), (82.9, ExpiringSoon), (83, RenewalOverdue), (89.9, RenewalOverdue)],
)
def test_renewal_is_due(days: float, expected: type[Difference] | None, *, is_state_known: bool) -> None:
    """A credential that should be renewed by now is one finding; the renewal is overdue after half of `renewBefore`."""
    current = key(OLDER, days)
    drift = drift_of([current], [record("jane/bedrock", current)] if is_state_known else None)
    assert [type(each) for each in drift.differences] == ([] if expected is None else [expected])
    end = NOW + (90 - days) * DAY
    due, overdue = end - 14 * DAY, end - 7 * DAY
    messages = {
        ExpiringSoon: (
            f"bedrock credential ACCA1 expires on {end:%Y-%m-%d}, and its renewal has been due since {due:%Y-%m-%d}"
        ),
        RenewalOverdue: (
            f"bedrock credential ACCA1 has no successor, and its renewal has been overdue since {overdue:%Y-%m-%d} (due"
            f" since {due:%Y-%m-%d}). It expires on {end:%Y-%m-%d}"
        ),
    }
    for each in drift.differences:
        assert each.describe().message == messages[type(each)]
        assert each.describe().next == "pulumi up, which renews it"
        assert (each.due, each.kind.severity.value) == (due, "warning")
        (document,) = build_document(drift)["accounts"]
        assert document["differences"][0]["due"] == due.isoformat(timespec="seconds")


@pytest.mark.parametrize("is_state_known", [True, False])
def test_renewal_after_the_end_of_the_previous_one(*, is_state_known: bool) -> None:
    """While the previous key uses the quota, no renewal is due; afterwards, the rest of the time counts."""
    declared = desire(replace(DECLARED, renew_before_hours=80 * 24))
    previous = key(OLDER, 85)
    for days in (44, 75):
        current = key(NEWER, days)
        recorded = [record("jane/bedrock", previous), record("jane/bedrock~2", current, 1)]
        assert drift_of([previous, current], recorded if is_state_known else None, declared).differences == ()
    for days, age, rule in ((46, 91, ExpiringSoon), (80, 110, RenewalOverdue)):
        gone, current = replace(key(OLDER, age), status=Status.EXPIRED), key(NEWER, days)
        recorded = [record("jane/bedrock", gone), record("jane/bedrock~2", current, 1)]
        drift = drift_of([gone, current], recorded if is_state_known else None, declared)
        found = only(drift)
        assert (type(found), found.due) == (rule, gone.expires)


def test_overdue_renewal_date() -> None:
    """A renewal is overdue after half of the time from its date to the expiry; only a declared lifetime is renewed."""
    current = key(OLDER, 10)
    assert current.expires is not None
    assert find_overdue_renewal(DECLARED, current) == current.expires - 7 * DAY
    assert find_overdue_renewal(DECLARED, current, key(NEWER, 8)) == current.expires - 7 * DAY
    assert find_overdue_renewal(DECLARED, current, key(NEWER, 8, None)) == current.expires - 7 * DAY
    assert find_overdue_renewal(DECLARED, current, replace(current, expires=NOW + 70 * DAY)) == NOW + 75 * DAY
    assert find_overdue_renewal(DECLARED, key(OLDER, 10, 30)) is None
    assert find_overdue_renewal(PLAIN, current) is None


def test_overdue_renewal_next_to_a_candidate() -> None:
    """If a different credential may be the declared one, its successor may exist, so the renewal is not overdue."""
    differences = drift_of([key(OLDER, 85), key(NEWER, 70)], None).differences
    assert [type(each) for each in differences if each.id == OLDER] == [ExpiringSoon]


@pytest.mark.parametrize("days", [10, 80])
@pytest.mark.parametrize(
    ("actual", "recorded", "declared", "message"),
    [
        (None, None, PLAIN, "never expires, but it is declared with `expire: {after: 90d}`"),
        (
            90,
            90,
            replace(DECLARED, expire_after_days=60),
            "days (it expires on {end}), but it is declared with `expire: {{",
        ),
        (90, 90, replace(PLAIN, expire_after_days=None), "(it expires on {end}), but it is declared without `expire`"),
        (90, None, replace(PLAIN, expire_after_days=60), "has a lifetime of 90 days (it expires on {end}), but"),
    ],
)
def test_expiry_differs(
    days: int, actual: int | None, recorded: int | None, declared: DesiredCredential, message: str
) -> None:  # fmt: skip
    """A declared lifetime that the next `up` applies by a replacement is the only difference, also before the end."""
    current = key(OLDER, days, actual)
    found = only(drift_of([current], [record("jane/bedrock", current, age_days=recorded)], desire(declared)))
    assert isinstance(found, ExpiryDiffers)
    end = f"{NOW + (90 - days) * DAY:%Y-%m-%d}"
    assert (message.format(end=end) if actual else message) in found.describe().message
    assert found.describe().next.startswith("pulumi up, which replaces it")


@pytest.mark.parametrize(("recorded", "declared"), [(None, None), (None, 90), (90, 90)])
def test_same_expiry(recorded: int | None, declared: int | None) -> None:
    """An imported key keeps an expiry that the specs do not declare, or declare as it is."""
    current = key(OLDER, 10)
    specs = desire(replace(PLAIN, expire_after_days=declared))
    assert drift_of([current], [record("jane/bedrock", current, age_days=recorded)], specs).differences == ()


def test_expiry_differs_next_to_an_unmanaged_one() -> None:
    """An unmanaged credential blocks the replacement; an expired credential has only the finding about its expiry."""
    current, unmanaged, declared = key(OLDER, 10), key("ACCA9", 5), desire(replace(PLAIN, expire_after_days=60))
    recorded = [record("jane/bedrock", current)]
    found = [each for each in drift_of([current, unmanaged], recorded, declared).differences if each.id == OLDER]
    assert found[0].describe().next.startswith("resolve unmanaged ACCA9 first (see unmanaged-credential), then pulumi")
    expired = replace(current, status=Status.EXPIRED)
    assert isinstance(only(drift_of([expired], recorded, declared)), Expired)


def test_different_lifetime_is_not_renewed() -> None:
    """Without the state as well, a key with a different lifetime has no renewal date: `up` replaces it at once."""
    found = only(drift_of([key(OLDER, 80)], None, desire(replace(DECLARED, expire_after_days=60))))
    assert found.describe().next == "pulumi up, which replaces it with one that expires after 60 days"
    assert "renewal" not in found.describe().message


@pytest.mark.parametrize("is_state_known", [True, False])
def test_end_before_a_renewal(*, is_state_known: bool) -> None:
    """An end within `--expiring-within` causes no finding before the renewal, because `up` renews it in time."""
    current = key(OLDER, 80)
    declared = desire(replace(DECLARED, renew_before_hours=24))
    recorded = [record("jane/bedrock", current)] if is_state_known else None
    assert drift_of([current], recorded, declared).differences == ()
    plain = drift_of([current], recorded, desire(PLAIN))
    assert isinstance(only(plain), ExpiringSoon)


def test_long_renewal_time() -> None:
    """A renewal that is due is a finding even if the end is later than `--expiring-within`, because `up` changes it."""
    current = key(OLDER, 50)
    declared = desire(replace(DECLARED, renew_before_hours=60 * 24))
    assert isinstance(only(drift_of([current], [record("jane/bedrock", current)], declared)), ExpiringSoon)


@pytest.mark.parametrize("is_state_known", [True, False])
def test_slept_through(*, is_state_known: bool) -> None:
    """A current credential that expired without a successor is a finding."""
    current = key(OLDER, 91, status=Status.EXPIRED)
    recorded = [record("jane/bedrock", current)] if is_state_known else None
    assert isinstance(only(drift_of([current], recorded)), Expired)


@pytest.mark.parametrize("recorded", [STATES["in slot 2"], None])
def test_current_one_is_deactivated(recorded: list[RecordedCredential] | None) -> None:
    """A deactivated current credential is a finding that suggests no `status`, which `renewBefore` excludes."""
    found = only(drift_of([RENEWED[0], replace(RENEWED[1], status=Status.INACTIVE)], recorded))
    assert isinstance(found, Deactivated)
    assert found.id == NEWER
    words = found.describe()
    assert words.message == (
        "bedrock credential ACCA2 is Inactive: it was deactivated outside Pulumi, stays Inactive and is not renewed"
    )
    assert words.next.startswith("aws iam update-service-specific-credential")
    assert words.next.endswith(", or remove it from the specs")


def test_deactivated_one_is_not_renewed() -> None:
    """A deactivated credential has one finding in its renewal time, because `up` does not renew it."""
    current = key(OLDER, 80, status=Status.INACTIVE)
    assert isinstance(only(drift_of([current], [record("jane/bedrock", current)])), Deactivated)


def test_deactivated_ones_without_the_state() -> None:
    """If the dates do not show which of two is current, the advice suggests no `status` either."""
    existing = [key(OLDER, 20, status=Status.INACTIVE), key(NEWER, 10, status=Status.INACTIVE)]
    found = [each for each in drift_of(existing, None).differences if isinstance(each, Deactivated)]
    assert [each.describe().next for each in found] == ["remove it from the specs if this is intended"]


@pytest.mark.parametrize("lifetime", [None, 90, 30])
def test_unmanaged_in_the_second_place(lifetime: int | None) -> None:
    """With the state, an unmanaged credential is reported from the first day, with the renewal that it blocks."""
    current, unmanaged = key(OLDER, 20), key("ACCA9", 10, lifetime)
    found = only(drift_of([current, unmanaged], [record("jane/bedrock", current)]))
    assert isinstance(found, UnmanagedCredential)
    words = found.describe()
    due = f"{NOW + 56 * DAY:%Y-%m-%d}"
    assert words.message.endswith(f"but the stack does not manage it, and it blocks the renewal due on {due}")
    assert words.next.startswith("aws iam delete-service-specific-credential")


def test_unmanaged_that_is_adopted() -> None:
    """With `existing: adopt`, one of the declared lifetime becomes the successor, so it blocks nothing."""
    current, unmanaged = key(OLDER, 20), key("ACCA9", 10)
    declared = desire(replace(DECLARED, existing=Existing.ADOPT))
    found = only(drift_of([current, unmanaged], [record("jane/bedrock", current)], declared))
    assert isinstance(found, UnmanagedCredential)
    assert not found.blocks_renewal
    endless = only(drift_of([current, replace(unmanaged, expires=None)], [record("jane/bedrock", current)], declared))
    assert isinstance(endless, UnmanagedCredential)
    assert endless.blocks_renewal


def test_unmanaged_before_a_due_renewal() -> None:
    """The finding about a due renewal names the unmanaged credential that blocks it."""
    current, unmanaged = key(OLDER, 80), key("ACCA9", 70, None)
    soon = next(
        each
        for each in drift_of([current, unmanaged], [record("jane/bedrock", current)]).differences
        if isinstance(each, ExpiringSoon)
    )
    assert soon.describe().next == (
        "resolve unmanaged ACCA9 first (see unmanaged-credential), then pulumi up, which renews it"
    )


@pytest.mark.parametrize(
    "existing",
    [
        [key(OLDER, 20), key(NEWER, 10)],
        [key(OLDER, 80), key(NEWER, 4, 30)],
        [key(OLDER, 80), key(NEWER, 4, None)],
        [key(OLDER, 80, None), key(NEWER, 4)],
        [key(OLDER, 25, 30), key(NEWER, 4)],
    ],
)
def test_unmanaged_without_the_state(existing: list[Credential]) -> None:
    """Two credentials whose dates are not those of a renewal are candidates, one of which is unmanaged."""
    found = [each for each in drift_of(existing, None).differences if isinstance(each, UnmanagedCredential)]
    assert [each.existing for each in found] == [tuple(existing)]
    assert found[0].describe().message.endswith("which is unmanaged, and it blocks the renewal")


def test_unmanaged_next_to_an_imported_one() -> None:
    """With `adopt`, the specs have the id, so the unmanaged credential and the date of the renewal are known."""
    existing = [key(OLDER, 20), key(NEWER, 10)]
    found = only(drift_of(existing, None, desire(replace(DECLARED, adopt=OLDER))))
    assert isinstance(found, UnmanagedCredential)
    assert found.id == NEWER
    assert found.describe().message.endswith(f", and it blocks the renewal due on {NOW + 56 * DAY:%Y-%m-%d}")


def test_successor_of_an_imported_one() -> None:
    """After the renewal of an imported credential, `adopt` still has the id of the previous one."""
    declared = desire(replace(DECLARED, adopt=OLDER))
    assert drift_of(RENEWED, None, declared).differences == ()
    assert drift_of([RENEWED[1]], None, declared).differences == ()


@pytest.mark.parametrize("resource", ["jane/bedrock", "jane/bedrock~2"])
def test_pending_create(resource: str) -> None:
    """A pending create in either slot is that of the declared credential, which is not missing then."""
    creates = (PendingCreate(resource, "jane", BEDROCK),)
    pending = only(drift_of([], [], creates=creates))
    assert isinstance(pending, UnresolvedCreate)
    assert (pending.desired, pending.location) == ((DECLARED,), location(0))
    assert pending.describe().message == "the state has a pending create of jane/bedrock"


def test_former_name() -> None:
    """Both slots are found by a former name of the credential."""
    renamed = replace(DECLARED, name="main", was="bedrock")
    drift = drift_of(RENEWED, STATES["in slot 2"], desire(renamed))
    assert drift.differences == ()
    assert [each.desired.declared_name for each in drift.previous] == ["jane/bedrock/main"]


def test_slots() -> None:
    """Without a number the first slot is current; a credential may be in slot 2 only."""
    first, second = record("jane/bedrock", RENEWED[0]), record("jane/bedrock~2", RENEWED[1])
    assert find_slots({each.resource: each for each in (second, first)}, DECLARED).current == first
    alone = find_slots({second.resource: second}, DECLARED)
    assert (alone.current, alone.previous) == (second, None)
    assert find_slots({}, DECLARED).current is None


def test_names_like_those_of_slots() -> None:
    """A credential of a different user or service is not the previous one, unless a rename has not reached both."""
    first, second = record("jane/bedrock", RENEWED[0]), record("jane/bedrock~2", RENEWED[1])
    renamed = replace(DECLARED, user_was="janet")
    for other, desired, is_previous in (
        (second, DECLARED, True),
        (replace(second, user="joe"), DECLARED, False),
        (replace(second, service="logs.amazonaws.com"), DECLARED, False),
        (replace(second, user="janet"), DECLARED, False),
        (replace(second, user="janet"), renamed, True),
    ):
        slots = find_slots({each.resource: each for each in (first, other)}, desired)
        assert (slots.current, slots.previous) == (first, other if is_previous else None)


@pytest.mark.parametrize("number", [0, 1])
def test_previous_of_other_numbers(number: int) -> None:
    """One existing credential is the current one, and a credential without `renewBefore` has no previous one."""
    assert find_previous(DECLARED, RENEWED[:number]) is None
    assert find_previous(PLAIN, RENEWED) is None


PROVIDER = serialize_by_reference(
    "dynamic_providers.service_specific_credential", "ServiceSpecificCredentialProvider", 4
)


def resource(name: str, credential_id: str, created: datetime, **outputs: object) -> dict[str, object]:
    """Return a resource of an exported state."""
    known = {"user": "jane", "service": BEDROCK, "account_id": "123456789012", "credential_id": credential_id}
    return {
        "urn": f"urn:pulumi:test::iamcreds::{CREDENTIAL_TYPE}::{name}",
        "type": CREDENTIAL_TYPE,
        "inputs": {"__provider": PROVIDER},
        "outputs": known | {"create_date": created.isoformat()} | outputs,
    }


@pytest.mark.parametrize("options", [(), ("--state", "state.json")])
def test_command(drifting: Drifting, emulator: Emulator, options: tuple[str, ...]) -> None:
    """The command reports a renewed credential as clean, and names the previous one with its end."""
    fill(["jane"], [])
    older, newer = "ACCA" + "O" * 17, "ACCA" + "N" * 17
    now = datetime.now(UTC).replace(microsecond=0)
    resources = []
    for name, id_, days, rotation in (("jane/bedrock", older, 80, 0), ("jane/bedrock~2", newer, 4, 1)):
        created = now - days * DAY
        dates = {"created": created.isoformat(), "expires": (created + 90 * DAY).isoformat()}
        emulator.controls.put_credential(id_, "jane", BEDROCK, **dates)
        more = {"expiration_date": dates["expires"], "age_days": 90} | ({"rotation": rotation} if rotation else {})
        resources.append(resource(name, id_, created, **more))
    Path("state.json").write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    drifting.declare(
        "users: {jane: {credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 14d}}]}}\n"
    )  # fmt: skip
    ran = drifting.run(*options)
    assert ran.code == 0, ran.out
    until = f"{now + 10 * DAY:%Y-%m-%d}"
    assert f"after its expiry: {older} of jane/bedrock (previous, valid until {until})" in ran.out


def test_two_unmanaged_ones_are_ambiguous() -> None:
    """Two unmanaged keys block one declared credential, also if it uses the whole quota and adopts."""
    keys = [key("ACCA8", 20), key("ACCA9", 10)]
    drift = drift_of(keys, [], desire(replace(DECLARED, existing=Existing.ADOPT)))
    (missing,) = (each for each in drift.differences if isinstance(each, MissingCredential))
    assert list(missing.blocked_by) == keys


@pytest.mark.parametrize(("status", "expected"), [(None, True), (Status.ACTIVE, False)])
def test_renewal_is_suggested_without_a_status_only(status: Status | None, *, expected: bool) -> None:
    """`renewBefore` is not valid next to `status`, so drift does not suggest it there."""
    ending = key(OLDER, 80)
    drift = drift_of([ending], [record("jane/bedrock", ending)], desire(replace(PLAIN, status=status)))
    (found,) = (each for each in drift.differences if isinstance(each, ExpiringSoon))
    assert ("renewBefore" in found.describe().next) is expected
