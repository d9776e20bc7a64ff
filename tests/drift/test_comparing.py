"""The comparison of desired and actual state, without an account."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.desired import AccessKeyPolicy, Desired, DesiredCredential, DesiredIamUser, DesiredUser
from iamcreds.drift.comparing import Drift, compare, list_rules
from iamcreds.drift.rules.access_key_limits import check_access_keys, needs_closer_look
from iamcreds.drift.rules.changed import Deactivated, StatusDiffers
from iamcreds.drift.rules.difference import Difference, Kind
from iamcreds.drift.rules.expiring import ExpiringSoon
from iamcreds.drift.rules.expiry import Expired
from iamcreds.drift.rules.missing import MissingCredential, MissingUser
from iamcreds.drift.rules.undeclared import UndeclaredUser, UnmanagedCredential
from iamcreds.drift.selection import Selection
from iamcreds.errors import NothingSelectedError
from iamcreds.model import AccessKey, Credential, Inventory, ReportedKey, ReportedUser, SourceLocation, Status, User
from iamcreds.services import Family

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CODECOMMIT, KEYSPACES = "codecommit.amazonaws.com", "cassandra.amazonaws.com"
STATUSES = {"A": Status.ACTIVE, "I": Status.INACTIVE, "E": Status.EXPIRED, "-": None}
USER_PLACE = SourceLocation("specs/jane.yaml", 2, 3)


def identify(difference: Difference) -> tuple[str, str, tuple[str, ...]]:
    """Return the parts of a difference that identify it in later runs."""
    return difference.rule, difference.user, difference.subject


def location(number: int) -> SourceLocation:
    """Return the source location of the credential with that number."""
    return SourceLocation("specs/jane.yaml", 10 + number, 9)


def jane(statuses: str, service: str = CODECOMMIT, **fields: object) -> DesiredUser:
    """Return a declared user: `AI-` has three credentials, Active, Inactive and without a status, named 0, 1, 2."""
    declared = [
        DesiredCredential("jane", service, str(number), location(number), STATUSES[letter])
        for number, letter in enumerate(statuses)
    ]
    return replace(DesiredUser("jane", USER_PLACE, tuple(declared)), **fields)  # type: ignore[arg-type] # any of them


def existing(
    statuses: str, user: str = "jane", service: str = CODECOMMIT, expires: datetime | None = None
) -> list[Credential]:
    """Return existing credentials with these statuses, and with ids ACCA0, ACCA1."""
    return [
        Credential(
            f"ACCA{number}", user, service, STATUSES[letter] or Status.ACTIVE, NOW - timedelta(days=30),
            Family.PASSWORD, f"{user}-at-1", expires,
        )
        for number, letter in enumerate(statuses)
    ]  # fmt: skip


def account(*credentials: Credential, users: str = "jane", **fields: object) -> Inventory:
    """Return an account with these users and credentials."""
    found = tuple(User(name, NOW - timedelta(days=400)) for name in users.split())
    return Inventory("123456789012", NOW, found, credentials, **fields)  # type: ignore[arg-type] # any of them


def drift_of(declared: str, found: str) -> list[tuple[str, str]]:
    """Return the rule and id of each finding about jane's credentials with these statuses."""
    result = compare(Desired((jane(declared),)), account(*existing(found)))
    return [(one.rule, one.id) for one in result.differences]


@pytest.mark.parametrize(
    ("declared", "found", "expected"),
    [
        ("", "", []),
        ("-", "A", []),
        ("--", "AA", []),
        ("A", "A", []),
        ("I", "I", []),
        ("AI", "IA", []),
        ("-I", "IA", []),
        ("-A", "AA", []),
        ("-", "I", [("switched-off", "ACCA0")]),
        ("--", "AI", [("switched-off", "ACCA1")]),
        ("--", "II", [("switched-off", "ACCA0"), ("switched-off", "ACCA1")]),
        ("-I", "II", [("switched-off", "")]),
        ("-A", "AI", [("switched-off", "ACCA1")]),
        ("-A", "II", [("status-differs", ""), ("switched-off", "")]),
        ("A", "I", [("status-differs", "ACCA0")]),
        ("I", "A", [("status-differs", "ACCA0")]),
        ("AA", "AI", [("status-differs", "ACCA1")]),
        ("AA", "II", [("status-differs", "ACCA0"), ("status-differs", "ACCA1")]),
        ("AI", "AA", [("status-differs", "")]),
        ("AI", "II", [("status-differs", "")]),
        ("-", "", [("missing-credential", "")]),
        ("AI", "", [("missing-credential", ""), ("missing-credential", "")]),
        ("--", "A", [("missing-credential", "")]),
        ("AI", "I", [("missing-credential", "")]),
        ("AA", "I", [("missing-credential", ""), ("status-differs", "ACCA0")]),
        ("--", "I", [("missing-credential", ""), ("switched-off", "ACCA0")]),
        ("", "A", [("unmanaged-credential", "ACCA0")]),
        ("", "IE", [("unmanaged-credential", "ACCA0"), ("unmanaged-credential", "ACCA1")]),
        ("-", "AA", [("unmanaged-credential", "")]),
        ("-", "AI", [("unmanaged-credential", "")]),
        ("A", "AI", [("unmanaged-credential", "")]),
        ("-", "II", [("unmanaged-credential", ""), ("switched-off", "")]),
        ("A", "II", [("status-differs", ""), ("unmanaged-credential", "")]),
        ("-", "E", [("expired", "ACCA0")]),
        ("A", "E", [("expired", "ACCA0")]),
        ("AI", "AE", [("expired", "ACCA1")]),
        ("A", "IE", [("status-differs", "ACCA0"), ("expired", "ACCA1")]),
        ("-", "EA", [("expired", "ACCA0")]),
        ("-", "EE", [("unmanaged-credential", ""), ("expired", "ACCA0"), ("expired", "ACCA1")]),
    ],
)  # fmt: skip
def test_matching(declared: str, found: str, expected: list[tuple[str, str]]) -> None:
    """Numbers and statuses are matched as well as possible, and an id is present only if every matching has it."""
    assert drift_of(declared, found) == expected


@given(st.text("AI-", max_size=2), st.text("AIE", max_size=2))
def test_matching_without_order(declared: str, found: str) -> None:
    """The order of declarations and lists has no effect except on ids."""
    rules = sorted(rule for rule, _ in drift_of(declared, found))
    assert rules == sorted(rule for rule, _ in drift_of(declared[::-1], found[::-1]))


@given(st.text("AI-", min_size=1, max_size=2), st.data())
def test_matching_as_made(declared: str, data: st.DataObject) -> None:
    """Credentials that were created as declared are not drift, whatever their order in the list."""
    found = "".join(data.draw(st.permutations(declared.replace("-", "A"))))
    assert drift_of(declared, found) == []


@given(st.text("AI-", max_size=2), st.text("AI", max_size=2))
def test_matching_is_honest(declared: str, found: str) -> None:
    """A status is a finding only if no matching of names and ids avoids it."""
    rules = [rule for rule, _ in drift_of(declared, found)]
    pairs = min(len(declared), len(found))
    ways = [(declared, found), (declared[::-1], found), (declared, found[::-1]), (declared[::-1], found[::-1])]
    fewest = min(sum(a not in {"-", b} for a, b in zip(*way, strict=False)) for way in ways)
    assert rules.count("status-differs") == (fewest if declared and pairs else 0)


def only(drift: Drift) -> Any:  # noqa: ANN401 - a test knows which
    """Return the only difference."""
    (difference,) = drift.differences
    return difference


def test_missing_credential() -> None:
    """If some credentials exist, one difference has all declared ones and the missing number; else each has one."""
    user, found = jane("-I"), existing("I")
    assert only(compare(Desired((user,)), account(*found))) == MissingCredential(
        user="jane", service=CODECOMMIT, location=USER_PLACE, desired=user.credentials, existing=tuple(found), number=1
    )
    assert compare(Desired((user,)), account()).differences == tuple(
        MissingCredential(user="jane", service=CODECOMMIT, location=wanted.location, desired=(wanted,), existing=())
        for wanted in user.credentials
    )


def test_unmanaged_among_declared() -> None:
    """If one credential is declared and two exist, the finding has both and does not choose the unmanaged one."""
    user, found = jane("-"), existing("AI")
    assert only(compare(Desired((user,)), account(*found))) == UnmanagedCredential(
        user="jane", service=CODECOMMIT, location=location(0), desired=user.credentials, existing=tuple(found), number=1
    )


def test_other_service_of_declared_user() -> None:
    """A credential of a declared user for an undeclared service is unmanaged, and the finding has its id."""
    (other,) = existing("A", service=KEYSPACES)
    found = only(compare(Desired((jane("-"),)), account(*existing("A"), other)))
    assert found == UnmanagedCredential(
        user="jane", service=KEYSPACES, location=USER_PLACE, desired=(), existing=(other,), number=1
    )
    assert found.id == other.id


def test_undeclared_user() -> None:
    """A credential of an undeclared user is a separate kind of difference, without a source location."""
    (stranger,) = existing("I", "bob")
    found = only(compare(Desired((jane("-"),)), account(*existing("A"), stranger, users="bob jane")))
    assert found == UndeclaredUser(user="bob", service=CODECOMMIT, existing=(stranger,), folder="specs")
    assert (found.kind, found.rule, found.id, found.location) == (Kind.UNDECLARED, "undeclared-user", "ACCA0", None)


@pytest.mark.parametrize(
    ("declared", "adopted", "found", "expected"),
    [
        ("-", {0: 1}, "AA", [("unmanaged-credential", "ACCA0")]),
        ("A", {0: 1}, "AI", [("status-differs", "ACCA1"), ("unmanaged-credential", "ACCA0")]),
        ("-", {0: 1}, "AE", [("unmanaged-credential", "ACCA0"), ("expired", "ACCA1")]),
        ("-", {0: 1}, "EA", [("expired", "ACCA0")]),
        ("--", {0: 0}, "A", [("missing-credential", "")]),
        ("AI", {0: 1, 1: 0}, "IA", []),
        ("AI", {0: 0, 1: 1}, "IA", [("status-differs", "ACCA0"), ("status-differs", "ACCA1")]),
        ("AI", {1: 0}, "AA", [("status-differs", "ACCA0")]),
        ("-", {0: 7}, "AA", [("unmanaged-credential", "")]),
        ("-", {0: 7}, "A", []),
    ],
)
def test_adopted_id(declared: str, adopted: dict[int, int], found: str, expected: list[tuple[str, str]]) -> None:
    """A declared credential is the existing one that `adopt` names, so the others need no guess."""
    user = jane(declared)
    credentials = tuple(
        replace(wanted, adopt=f"ACCA{adopted[number]}") if number in adopted else wanted
        for number, wanted in enumerate(user.credentials)
    )
    result = compare(Desired((replace(user, credentials=credentials),)), account(*existing(found)))
    assert [(one.rule, one.id) for one in result.differences] == expected
    for one in result.differences:
        if isinstance(one, MissingCredential):
            assert [wanted.name for wanted in one.desired] == ["1"]
        if isinstance(one, UnmanagedCredential) and one.id:
            assert one.describe().message.endswith("exists, but `adopt` declares a different id")


def test_missing_user() -> None:
    """A missing user is one difference, however many credentials are declared."""
    user = jane("--", access_keys=AccessKeyPolicy(max=1))
    found = only(compare(Desired((user,)), account(users="")))
    assert found == MissingUser(user="jane", location=USER_PLACE, desired=user.credentials)


@pytest.mark.parametrize("is_imported", [False, True])
def test_made_user(*, is_imported: bool) -> None:
    """A user that the specs create is reported as not yet created; one that they import is reported as missing."""
    user = replace(jane("-"), iam_user=DesiredIamUser(USER_PLACE, is_imported=is_imported))
    found = only(compare(Desired((user,)), account(users="")))
    assert isinstance(found, MissingUser)
    assert found.is_created_by_stack is not is_imported


@pytest.mark.parametrize(
    ("logins", "renamed_to"),
    [
        ({"jane-doe": "jane-at-123456789012"}, "jane-doe"),
        ({"jane-doe": "jane+1-at-123456789012"}, "jane-doe"),
        ({"jane-doe": "jane-at-123456789012", "joan": "jane+1-at-123456789012"}, None),
        ({"jane+1": "jane+1-at-123456789012"}, None),
        ({"jane-doe": "jane-at-999999999999"}, None),
        ({"jane-doe": "jane-doe-at-123456789012"}, None),
    ],
)
def test_renamed_user(logins: dict[str, str], renamed_to: str | None) -> None:
    """If exactly one user has logins with the missing user's name, the difference reports that IAM renamed the user."""
    found = [replace(credential, login=logins[user]) for user in logins for credential in existing("A", user)]
    drift = compare(Desired((jane("-"),)), account(*found, users=" ".join(logins)))
    assert [one.renamed_to for one in drift.differences if isinstance(one, MissingUser)] == [renamed_to]


@pytest.mark.parametrize("is_created", [False, True])
def test_name_in_a_different_case(*, is_created: bool) -> None:
    """IAM cannot have two names that differ by case only, so the existing one is named, and neither is deleted."""
    user = replace(jane("-"), iam_user=DesiredIamUser(USER_PLACE) if is_created else None)
    result = compare(Desired((user,)), account(*existing("A", "Jane"), users="Jane bob"))
    missing, undeclared = result.differences
    assert isinstance(missing, MissingUser)
    assert isinstance(undeclared, UndeclaredUser)
    assert (missing.case_variant, undeclared.declared_as) == ("Jane", "jane")
    assert missing.values().existing == {"existingName": "Jane"}
    assert missing.describe().next == undeclared.describe().next == "declare the user as Jane"
    assert missing.describe().message.endswith(": IAM has user Jane, and user names must differ by more than case")
    with pytest.raises(NothingSelectedError, match=r"JANE \(did you mean Jane\?\)"):
        Selection(frozenset({"JANE"})).require_known(Desired(), account(users="Jane"))


def test_status_differs() -> None:
    """A status difference has the declared credentials with that status, the possible existing ones, and a number."""
    user, found = jane("AI"), existing("II")
    assert only(compare(Desired((user,)), account(*found))) == StatusDiffers(
        user="jane", service=CODECOMMIT, location=location(0), desired=user.credentials[:1], existing=tuple(found),
        number=1, status=Status.ACTIVE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-1, Expired), (0, Expired), (1, ExpiringSoon), (14, ExpiringSoon), (15, None)],
)
def test_expiry(days: int, expected: type[Expired | ExpiringSoon] | None) -> None:
    """A credential that has expired, or will within the given time, is a finding; others are not."""
    ending = existing("A", expires=NOW + timedelta(days=days))
    user = jane("-")
    result = compare(Desired((user,)), account(*ending), timedelta(days=14))
    found = expected and expected(
        user="jane", service=CODECOMMIT, location=location(0), desired=user.credentials, existing=tuple(ending)
    )
    assert list(result.differences) == ([found] if found else [])


def test_switched_off() -> None:
    """A deactivated credential is reported with all declared credentials that it may be, at their source location."""
    user, found = jane("-"), existing("I")
    assert only(compare(Desired((user,)), account(*found))) == Deactivated(
        user="jane", service=CODECOMMIT, location=location(0), desired=user.credentials, existing=tuple(found), number=1
    )


def test_access_keys() -> None:
    """Keys that were read are checked against the policy, and the finding has the user's source location."""
    key = AccessKey("AKIA0", "jane", Status.ACTIVE, NOW - timedelta(days=91))
    user = jane("", access_keys=AccessKeyPolicy(max=0, max_age_days=90, max_idle_days=30))
    found = account(access_keys=(key,), access_keys_read=("jane",))
    result = compare(Desired((user,)), found)
    assert [(one.rule, one.id, one.location) for one in result.differences] == [
        ("too-many-access-keys", "", USER_PLACE),
        ("access-key-idle", "AKIA0", USER_PLACE),
        ("access-key-too-old", "AKIA0", USER_PLACE),
    ]
    assert not compare(Desired((jane(""),)), found).differences


def test_selection() -> None:
    """A selection narrows both specs and account, and a selected service excludes access keys."""
    bob = DesiredUser("bob", USER_PLACE, (), AccessKeyPolicy(max=0))
    desired = Desired((bob, jane("-")))
    found = account(
        *existing("A", "bob"), *existing("A", "carol", KEYSPACES), users="bob carol jane", access_keys_read=("bob",)
    )
    assert [one.user for one in compare(desired, found).differences] == ["jane", "bob", "carol"]
    of_jane = compare(desired, found, selection=Selection(users=frozenset({"jane"})))
    assert ([one.user for one in of_jane.differences], of_jane.users) == (["jane"], 1)
    of_keyspaces = compare(desired, found, selection=Selection(services=frozenset({KEYSPACES})))
    assert [one.user for one in of_keyspaces.differences] == ["carol"]
    assert (of_keyspaces.credentials, of_keyspaces.watched) == (0, 0)
    assert of_keyspaces.are_keys_skipped


def test_selection_of_nothing() -> None:
    """Selected names that are neither declared nor in the account are rejected together."""
    selection = Selection(frozenset({"jane", "jnae"}), frozenset({CODECOMMIT, "logs.amazonaws.com"}))
    with pytest.raises(NothingSelectedError, match=r"jnae \(did you mean jane\?\) or service logs\. Run `iam"):
        selection.require_known(Desired((jane("-"),)), account())
    for alone in (Selection(users=frozenset({"jane"})), Selection(services=frozenset({CODECOMMIT})), Selection()):
        alone.require_known(Desired((jane("-"),)), account())


def test_limits() -> None:
    """Facts that only the state has are counted, so that a note can list them as not checked."""
    user = replace(jane("-"), credentials=(replace(jane("-").credentials[0], reset="1"),))
    result = compare(Desired((user,)), account(*existing("A")))
    assert (result.resets, result.are_ids_unknown, result.are_keys_skipped) == (1, True, False)
    assert not compare(Desired((user,)), account()).are_ids_unknown


@pytest.mark.parametrize(
    ("declared", "found", "young", "expected"),
    [
        ("-", "", {"jane"}, 0),
        ("--", "A", {"jane"}, 0),
        ("-", "", {"bob"}, 1),
        ("I", "A", {"ACCA0"}, 0),
        ("I", "A", {"jane"}, 1),
        ("A", "I", {"jane", "ACCA0"}, 1),
        ("AI", "AA", {"ACCA1"}, 0),
        ("II", "AA", {"ACCA1"}, 1),
        ("-", "AA", {"jane", "ACCA0", "ACCA1"}, 1),
        ("", "A", {"jane", "ACCA0"}, 1),
        ("-", "I", {"jane", "ACCA0"}, 1),
    ],
)
def test_young(declared: str, found: str, young: set[str], expected: int) -> None:
    """Missing credentials of a new user and outdated statuses are unsettled, because lists are often outdated."""
    users, credentials = (frozenset(name for name in young if ("ACCA" in name) is ids) for ids in (False, True))
    there = account(*existing(found), young_users=users, young_credentials=credentials)
    result = compare(Desired((jane(declared),)), there)
    everything = compare(Desired((jane(declared),)), account(*existing(found)))
    assert len(result.differences) == expected
    every = [*result.differences, *result.unsettled]
    assert sorted(map(identify, every)) == sorted(map(identify, everything.differences))


def test_rules() -> None:
    """The names and kinds of all rules are stable, because filters, annotations and other programs use them."""
    rules = {rule.__name__: (rule.rule, rule.kind.value) for rule in list_rules()}
    assert rules == {
        "MissingUser": ("missing-user", "drift"),
        "MissingCredential": ("missing-credential", "drift"),
        "StatusDiffers": ("status-differs", "drift"),
        "RetiredIsActive": ("status-differs", "drift"),
        "DeliveryLost": ("delivery-lost", "drift"),
        "NotPickedUp": ("not-picked-up", "finding"),
        "LeftoverSecret": ("leftover-secret", "finding"),
        "RotationDue": ("rotation-due", "finding"),
        "RotationOverdue": ("rotation-overdue", "finding"),
        "RotationPending": ("rotation-pending", "drift"),
        "ResetPending": ("reset-pending", "drift"),
        "NoLongerDeclared": ("no-longer-declared", "drift"),
        "UnmanagedCredential": ("unmanaged-credential", "unmanaged"),
        "UnresolvedCreate": ("pending-create", "finding"),
        "UndeclaredUser": ("undeclared-user", "undeclared"),
        "Expired": ("expired", "finding"),
        "ExpiryDiffers": ("expiry-differs", "drift"),
        "RenewalOverdue": ("renewal-overdue", "finding"),
        "ExpiringSoon": ("expiring-soon", "finding"),
        "Deactivated": ("switched-off", "finding"),
        "MissingWatchedUser": ("missing-user", "finding"),
        "TooManyAccessKeys": ("too-many-access-keys", "finding"),
        "AccessKeyTooOld": ("access-key-too-old", "finding"),
        "AccessKeyIdle": ("access-key-idle", "finding"),
        "CredentialTooOld": ("credential-too-old", "finding"),
        "NoExpiry": ("no-expiry", "finding"),
        "LifetimeTooLong": ("lifetime-too-long", "finding"),
        "ServiceNotAllowed": ("service-not-allowed", "finding"),
    }


def test_order() -> None:
    """Findings are sorted by kind, then user, service and id, whatever the order of reads."""
    credentials = [*existing("AA"), *existing("I", service=KEYSPACES), *existing("A", "bob")]
    desired = Desired((jane("A"), DesiredUser("zoe", USER_PLACE)))
    there = compare(desired, account(*credentials, users="bob jane"))
    assert [one.kind for one in there.differences] == sorted(
        (one.kind for one in there.differences), key=list(Kind).index
    )
    back = compare(desired, account(*reversed(credentials[2:]), *credentials[:2], users="bob jane"))
    assert back.differences == there.differences


AGES = st.none() | st.integers(0, 5)
KEYS = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.none() | st.integers(0, 6)), max_size=2)


@given(AGES, AGES, AGES, KEYS, st.integers(0, 4))
def test_closer_look(
    most: int | None, old: int | None, idle: int | None, keys: list[tuple[bool, int, int | None]], hours: int
) -> None:
    """If a user has a finding now, a report of hours ago leads to an exact read, unless a key has changed since."""
    policy = AccessKeyPolicy(most, old, idle)
    made = [
        AccessKey(
            f"AKIA{number}", "jane", Status.ACTIVE if active else Status.INACTIVE, NOW - timedelta(days=age, hours=4),
            None if used is None else NOW - timedelta(days=min(used, age), hours=4),
        )
        for number, (active, age, used) in enumerate(keys)
    ]  # fmt: skip
    told = tuple(ReportedKey(key.status is Status.ACTIVE, key.created, key.last_used) for key in made)
    reported = ReportedUser("jane", NOW - timedelta(days=9), told)
    later = NOW + timedelta(hours=hours)
    found = list(check_access_keys("jane", policy, made, later))
    assert needs_closer_look(policy, reported, later) == bool(found)


def test_closer_look_at_changed_key() -> None:
    """A key that was used before its last change is older than that change."""
    key = ReportedKey(active=True, changed=NOW - timedelta(days=1), last_used=NOW - timedelta(days=80))
    user = ReportedUser("jane", NOW - timedelta(days=400), (key,))
    assert needs_closer_look(AccessKeyPolicy(max_age_days=60), user, NOW)
    assert not needs_closer_look(AccessKeyPolicy(max_age_days=90), user, NOW)


@pytest.mark.parametrize(("days", "is_needed"), [(61, True), (59, False)])
def test_key_without_a_date(days: int, *, is_needed: bool) -> None:
    """A key without a date in the report may be as old as its user."""
    user = ReportedUser("jane", NOW - timedelta(days=days), (ReportedKey(active=True),))
    assert needs_closer_look(AccessKeyPolicy(max_age_days=60), user, NOW) is is_needed
