"""The comparison of specs, state and account: with the state, each difference has one id."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.desired import Desired, DesiredUser
from iamcreds.drift.comparing import compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.changed import Deactivated, ResetPending, StatusDiffers
from iamcreds.drift.rules.expiring import ExpiringSoon
from iamcreds.drift.rules.expiry import Expired
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UndeclaredUser, UnmanagedCredential, UnresolvedCreate
from iamcreds.drift.selection import EVERYTHING, Selection
from iamcreds.model import Credential, Existing, Inventory, PendingCreate, RecordedCredential, StackExport, Status
from tests.drift.test_comparing import CODECOMMIT, NOW, USER_PLACE, account, existing, jane, location

if TYPE_CHECKING:
    from iamcreds.drift.rules.difference import Difference

RECORDED = [
    RecordedCredential(f"jane/codecommit/{number}", f"ACCA{number}", "jane", CODECOMMIT, NOW, "123456789012")
    for number in range(3)
]


def differences(
    user: DesiredUser, inventory: Inventory, *recorded: RecordedCredential, selection: Selection = EVERYTHING
) -> list[Difference]:
    """Return the differences with this state."""
    drift = compare(
        Desired((user,)), inventory, timedelta(days=14), selection, make_recorded_state(StackExport(recorded))
    )
    assert not drift.are_ids_unknown
    assert drift.resets == 0
    return list(drift.differences)


def test_nothing() -> None:
    """If declared credentials are in the state and exist, nothing differs, whatever their order."""
    assert differences(jane("AI"), account(*reversed(existing("AI"))), *RECORDED[:2]) == []


def test_foreign() -> None:
    """An id that is not in the state is unmanaged, even if as many credentials exist as are declared."""
    found = existing("AA")
    gone, unmanaged = differences(jane("-"), account(found[1]), RECORDED[0])
    assert isinstance(gone, MissingCredential)
    assert gone.recorded == "ACCA0"
    assert isinstance(unmanaged, UnmanagedCredential)
    assert unmanaged.id == "ACCA1"


def test_not_made_yet() -> None:
    """A declared credential that is not in the state is missing, without an id, even if an unmanaged one exists."""
    missing, unmanaged = differences(jane("-"), account(*existing("A")))
    declared, blocking = jane("-").credentials, tuple(existing("A"))
    assert missing == MissingCredential(
        user="jane", service=CODECOMMIT, location=location(0), desired=declared, existing=(), blocked_by=blocking
    )
    assert unmanaged == UnmanagedCredential(
        user="jane",
        service=CODECOMMIT,
        location=USER_PLACE,
        desired=declared,
        existing=blocking,
        missing=declared,
        is_state_known=True,
    )


def test_statuses_by_id() -> None:
    """A status is compared by id: two swapped statuses are two differences, which numbers do not show."""
    found = differences(jane("AI"), account(*existing("IA")), *RECORDED[:2])
    assert [(type(each), each.id, each.desired[0].name) for each in found if isinstance(each, StatusDiffers)] == [
        (StatusDiffers, "ACCA0", "0"),
        (StatusDiffers, "ACCA1", "1"),
    ]
    user = jane("--")
    assert differences(user, account(*existing("AI")), *RECORDED[:2]) == [
        Deactivated(
            user="jane",
            service=CODECOMMIT,
            location=location(1),
            desired=user.credentials[1:],
            existing=tuple(existing("AI")[1:]),
        )
    ]
    assert all(each.location == location(number) for number, each in enumerate(found))


@pytest.mark.parametrize(("declared", "recorded", "differs"), [("b", "a", True), ("a", "a", False), (None, "a", False)])
def test_reset(declared: str | None, recorded: str, *, differs: bool) -> None:
    """A reset trigger that differs from the recorded one is pending; a removed one is not."""
    user = jane("-")
    user = replace(user, credentials=(replace(user.credentials[0], reset=declared),))
    found = differences(user, account(*existing("A")), replace(RECORDED[0], reset=recorded))
    pending = ResetPending(
        user="jane",
        service=CODECOMMIT,
        location=location(0),
        desired=user.credentials,
        existing=tuple(existing("A")),
        recorded="a",
    )
    assert found == ([pending] if differs else [])


def test_no_longer_declared() -> None:
    """Recorded credentials without a spec are reported, even of undeclared users, old copies, and deleted ones."""
    stranger = replace(RECORDED[0], resource="joe/codecommit", id="ACCA9", user="joe")
    old = replace(RECORDED[0], id="ACCA2", is_leaving=True)
    found = differences(jane("-"), account(*existing("A-A")), RECORDED[0], RECORDED[1], old, stranger)
    left = {each.id: len(each.existing) for each in found if isinstance(each, NoLongerDeclared)}
    assert left == {"ACCA1": 1, "ACCA2": 1, "ACCA9": 0}
    assert len(found) == 3


def test_former_name() -> None:
    """A credential renamed by `was` is found by its former name."""
    user = jane("-")
    renamed = replace(user.credentials[0], name="new", was="0")
    assert differences(replace(user, credentials=(renamed,)), account(*existing("A")), RECORDED[0]) == []


def test_expired() -> None:
    """An expired credential is reported once, by its id, with its declared credential."""
    (found,) = differences(jane("AA"), account(*existing("AE")), *RECORDED[:2])
    assert (type(found), found.id) == (Expired, "ACCA1")
    assert isinstance(found, Expired)
    assert [wanted.name for wanted in found.desired] == ["1"]
    assert found.location == location(1)


@pytest.mark.parametrize(("days", "expected"), [(0, [Expired]), (1, [ExpiringSoon]), (14, [ExpiringSoon]), (15, [])])
def test_expiry(days: int, expected: list[type[Difference]]) -> None:
    """A credential that has expired by server time, or will within the given time, is reported; others are not."""
    found = differences(jane("-"), account(*existing("A", expires=NOW + timedelta(days=days))), RECORDED[0])
    assert [type(each) for each in found] == expected


@pytest.mark.parametrize(
    ("declared", "recorded", "is_kept"),
    [
        ({}, {}, False),
        ({}, {"is_deactivated": True}, True),
        ({}, {"status": Status.INACTIVE}, True),
        ({}, {"status": Status.INACTIVE, "is_enforced": True}, False),
        ({"status": Status.INACTIVE}, {"is_deactivated": True}, False),
        ({"reset": "lost"}, {"is_deactivated": True}, False),
        ({"reset": "lost"}, {"is_deactivated": True, "reset": "lost"}, True),
        ({"expire_after_days": 31}, {"is_deactivated": True}, False),
        ({"expire_after_days": 30}, {"is_deactivated": True}, True),
        ({}, {"is_deactivated": True, "age_days": 30}, False),
    ],
)
def test_expired_and_kept(declared: dict[str, Any], recorded: dict[str, Any], *, is_kept: bool) -> None:
    """An expired credential that was deactivated before is not replaced, unless the specs require a new secret."""
    user = jane("-")
    user = replace(user, credentials=(replace(user.credentials[0], **declared),))
    found = differences(user, account(*existing("E", expires=NOW)), replace(RECORDED[0], **recorded))
    (expired,) = (each for each in found if isinstance(each, Expired))
    assert expired.is_kept is is_kept


@pytest.mark.parametrize(("declared", "is_adopted"), [(None, False), (30, False), (60, True)])
def test_adoption_of_an_expiring_one(declared: int | None, *, is_adopted: bool) -> None:
    """An unmanaged credential with an expiry blocks a create, unless it is adopted because the lifetime is declared."""
    user = jane("-")
    wanted = replace(user.credentials[0], existing=Existing.ADOPT, expire_after_days=declared)
    found = differences(replace(user, credentials=(wanted,)), account(*existing("A", expires=NOW + timedelta(days=30))))
    (missing,) = (each for each in found if isinstance(each, MissingCredential))
    assert bool(missing.blocked_by) is not is_adopted
    imported = replace(wanted, existing=None, adopt="ACCA0")
    found = differences(
        replace(user, credentials=(imported,)), account(*existing("A", expires=NOW + timedelta(days=30)))
    )
    (missing,) = (each for each in found if isinstance(each, MissingCredential))
    assert bool(missing.blocked_by) is (declared == 30)


def test_renamed_user() -> None:
    """A credential of a renamed user is missing under the declared name, and is neither deleted nor unmanaged."""
    elsewhere = [replace(found, user="joan") for found in existing("A")]
    (missing,) = differences(jane("-"), account(*elsewhere, users="jane joan"), RECORDED[0])
    assert isinstance(missing, MissingCredential)
    assert (missing.recorded, missing.current_user) == ("ACCA0", "joan")


def test_not_ours_to_judge() -> None:
    """A user with only access keys has no unmanaged credentials; with `credentials: []`, every one is unmanaged."""
    watched = replace(jane(""), judges_credentials=False)
    assert differences(watched, account(*existing("A"))) == []
    assert compare(Desired((watched,)), account(*existing("A"))).differences == ()
    (found,) = differences(jane(""), account(*existing("A")))
    assert isinstance(found, UnmanagedCredential)
    assert found.location == USER_PLACE


def test_ignore_undeclared() -> None:
    """Undeclared users are omitted on request, and counted; unmanaged credentials of declared users stay."""
    joe = [replace(found, user="joe", id="ACCA7") for found in existing("A")]
    inventory = account(*existing("A"), *joe, users="jane joe")
    (found,) = differences(jane("-"), inventory, RECORDED[0])
    assert isinstance(found, UndeclaredUser)
    quiet = Selection(has_undeclared=False)
    assert differences(jane("-"), inventory, RECORDED[0], selection=quiet) == []
    drift = compare(Desired((jane(""),)), inventory, selection=quiet)
    assert (len(drift.differences), drift.ignored) == (1, 1)


def test_young() -> None:
    """A recorded credential that was created within the last minute may only be missing from a list."""
    inventory = replace(account(), young_credentials=frozenset({"ACCA0"}))
    drift = compare(Desired((jane("-"),)), inventory, state=make_recorded_state(StackExport(tuple(RECORDED[:1]))))
    assert (drift.differences, len(drift.unsettled)) == ((), 1)


JANES = PendingCreate("jane/codecommit/0", "jane", CODECOMMIT)


def pending(inventory: Inventory, *recorded: RecordedCredential, create: PendingCreate = JANES) -> list[Difference]:
    """Return the differences of a state with a pending create, if the specs declare one credential of jane."""
    state = make_recorded_state(StackExport(recorded, (create,)))
    return list(compare(Desired((jane("-"),)), inventory, state=state).differences)


@pytest.mark.parametrize("recorded", [[], RECORDED[1:2], RECORDED[:1]])
def test_pending_create(recorded: list[RecordedCredential]) -> None:
    """A pending create is neither missing nor is its possible result unmanaged, also if it is a replacement."""
    (found,) = (
        one for one in pending(account(*existing("A-A")[2:]), *recorded) if not isinstance(one, NoLongerDeclared)
    )
    assert isinstance(found, UnresolvedCreate)
    assert (found.resource, found.id, found.location) == ("jane/codecommit/0", "ACCA2", location(0))
    assert "delete" not in found.describe().next


def test_pending_create_of_an_undeclared_user() -> None:
    """The result of a pending create of a user without a spec is not called undeclared."""
    joe = [replace(one, user="joe") for one in existing("A")]
    create = replace(JANES, resource="joe/codecommit", user="joe")
    missing, found = pending(account(*joe, users="jane joe"), create=create)
    assert isinstance(missing, MissingCredential)
    assert isinstance(found, UnresolvedCreate)
    assert (found.user, found.id, found.location) == ("joe", "ACCA0", None)


def test_pending_create_of_another_service() -> None:
    """A pending create explains credentials of its own user and service only, and no recorded one."""
    create = replace(JANES, service="logs.amazonaws.com")
    unmanaged, found = pending(account(*existing("AA")), RECORDED[0], create=create)
    assert isinstance(unmanaged, UnmanagedCredential)
    assert unmanaged.id == "ACCA1"
    assert (type(found), found.id) == (UnresolvedCreate, "")


def test_created_since_the_export() -> None:
    """A credential that was created within the last minute may be in creation, so no advice deletes it."""
    joe = replace(existing("A")[0], id="ACCA7", user="joe")
    there = account(*existing("AA"), joe, users="jane joe")
    settled = differences(jane("-"), there, RECORDED[0])
    recent = differences(jane("-"), replace(there, young_credentials=frozenset({"ACCA1", "ACCA7"})), RECORDED[0])
    nobody = compare(Desired((jane(""),)), replace(there, young_credentials=frozenset({"ACCA0", "ACCA1", "ACCA7"})))
    assert [one.id for one in settled] == [one.id for one in recent] == ["ACCA1", "ACCA7"]
    assert all("aws iam delete" in one.describe().next for one in settled)
    assert len(nobody.differences) == 3
    assert not any("delete" in one.describe().next for one in [*recent, *nobody.differences])


def test_filters() -> None:
    """A filter reports only selected users and services; credentials outside of it count as declared."""
    joe = DesiredUser("joe", USER_PLACE, (replace(jane("-").credentials[0], user="joe"),))
    recorded = replace(RECORDED[0], resource="joe/codecommit/0", id="ACCA5", user="joe")
    desired = Desired((jane("-"), joe))
    state = make_recorded_state(
        StackExport((RECORDED[0], recorded, replace(RECORDED[1], service="logs.amazonaws.com")))
    )
    found: list[Credential] = existing("A")
    for chosen in (Selection(users=frozenset({"jane"}), services=frozenset({CODECOMMIT})),):
        assert compare(desired, account(*found), selection=chosen, state=state).differences == ()
    assert Status.ACTIVE in {each.status for each in found}
