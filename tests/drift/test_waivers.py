"""Waivers: their findings count for nothing until the date, and then count again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.desired import AccessKeyPolicy, CredentialPolicy, Desired, DesiredCredential, DesiredUser, Waiver
from iamcreds.drift.comparing import compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.difference import Kind
from iamcreds.drift.selection import EVERYTHING, Selection
from iamcreds.drift.stored_secrets import StoredSecrets
from iamcreds.model import AccessKey, RecordedCredential, SourceLocation, StackExport, Status
from iamcreds.report.summary import describe_limits, summarize
from tests.drift.accounts import fill
from tests.drift.test_comparing import CODECOMMIT, KEYSPACES, NOW, account, existing, jane

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift
    from iamcreds.emulator.server import Emulator
    from tests.drift.conftest import Drifting

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
KEY = AccessKey("AKIA0", "jane", Status.ACTIVE, NOW - timedelta(days=100))
KEYS = AccessKeyPolicy(max_age_days=90)
RECORDED = [
    RecordedCredential(f"jane/codecommit/{number}", f"ACCA{number}", "jane", CODECOMMIT, NOW - timedelta(days=30))
    for number in range(2)
]


def waive(rule: str, until: datetime = MIDNIGHT, line: int = 5) -> Waiver:
    """Return a waiver at a line of the spec file."""
    return Waiver(rule, "vendor", until, SourceLocation("specs/jane.yaml", line, 9))


def waived_credential(user: DesiredUser, number: int, *waivers: Waiver) -> DesiredUser:
    """Return the user with waivers of the credential with this number."""
    credentials = [replace(each, waive=waivers) if each.name == str(number) else each for each in user.credentials]
    return replace(user, credentials=tuple(credentials))


def compare_at(
    user: DesiredUser, found: str, at: datetime = NOW, selection: Selection = EVERYTHING, *, has_state: bool = False
) -> Drift:
    """Compare jane with her existing credentials and an old access key, with or without a state that has ACCA0."""
    state = replace(make_recorded_state(StackExport((RECORDED[0],))), secrets=StoredSecrets()) if has_state else None
    inventory = account(*existing(found), access_keys=(KEY,), access_keys_read=("jane",))
    return compare(
        Desired((user,)), replace(inventory, read_at=at), selection=selection, state=state
    )  # fmt: skip


def rules(drift: Drift) -> tuple[list[str], list[str]]:
    """Return the rules of differences that count, and of waived ones."""
    return [each.rule for each in drift.differences], [each.difference.rule for each in drift.waived]


@pytest.mark.parametrize("has_state", [False, True])
@pytest.mark.parametrize("is_of_user", [False, True])
@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (MIDNIGHT - timedelta(days=300), False),
        (MIDNIGHT - timedelta(microseconds=1), False),
        (MIDNIGHT, True),
        (MIDNIGHT + timedelta(days=1), True),
    ],
)
def test_end(at: datetime, *, counts: bool, is_of_user: bool, has_state: bool) -> None:
    """A waived finding counts again from midnight of its date on, and then a note names the waiver."""
    waiver = waive("switched-off")
    user = jane("-", waive=(waiver,)) if is_of_user else waived_credential(jane("-"), 0, waiver)
    drift = compare_at(user, "I", at, has_state=has_state)
    assert rules(drift) == ((["switched-off"], []) if counts else ([], ["switched-off"]))
    assert len(drift.by_kind(Kind.FINDING)) == counts
    assert drift.ended_waivers == ((waiver,) if counts else ())
    assert drift.unused_waivers == ()
    note = f"1 waiver has ended, and its findings count again: {waiver.rule} at {waiver.location} (ended on 2026-11-24)"
    assert (note in describe_limits(drift)) is counts


def test_only_its_rule_and_credential() -> None:
    """A waiver of one rule and credential waives neither other rules nor other credentials."""
    user = waived_credential(jane("--", access_keys=KEYS), 0, waive("switched-off"), waive("expired"))
    drift = compare_at(user, "I", has_state=True)
    assert rules(drift) == (["missing-credential", "access-key-too-old"], ["switched-off"])
    assert summarize(drift) == "1 drifted, 1 finding, 1 waived in account 123456789012"


def test_ambiguous_credential() -> None:
    """If a finding may be about either of two credentials, only waivers of both waive it, until the first ends."""
    user = jane("-I")
    one = waived_credential(user, 0, waive("switched-off"))
    assert rules(compare_at(one, "II")) == (["switched-off"], [])
    later = waive("switched-off", MIDNIGHT + timedelta(days=9))
    (waived,) = compare_at(waived_credential(one, 1, later), "II").waived
    assert waived.waiver.until == MIDNIGHT


def test_later_waiver() -> None:
    """If the user and the credential have a waiver of the same rule, the one that ends last counts."""
    later = waive("switched-off", MIDNIGHT + timedelta(days=9))
    for of_user, of_credential in ((later, waive("switched-off")), (waive("switched-off"), later)):
        user = waived_credential(jane("-", waive=(of_user,)), 0, of_credential)
        drift = compare_at(user, "I", MIDNIGHT)
        assert [each.waiver for each in drift.waived] == [later]
        assert drift.ended_waivers == ()


def test_of_users() -> None:
    """A user's waivers also concern access keys and unmanaged credentials, and not those of another user."""
    user = jane("", access_keys=KEYS, waive=(waive("access-key-too-old"), waive("unmanaged-credential")))
    assert rules(compare_at(user, "A")) == ([], ["unmanaged-credential", "access-key-too-old"])
    assert summarize(compare_at(user, "A")) == "no differences, 2 waived in account 123456789012"
    bob = DesiredUser("bob", SourceLocation("specs/bob.yaml", 2, 3), waive=user.waive)
    inventory = account(*existing("A"), users="bob jane", access_keys=(KEY,), access_keys_read=("jane",))
    drift = compare(Desired((bob, replace(user, waive=()))), inventory)
    assert rules(drift) == (["unmanaged-credential", "access-key-too-old"], [])


def test_unmanaged_violation() -> None:
    """The waiver of a declared credential does not concern an unmanaged one of the same user and service."""
    policy = CredentialPolicy(services=(KEYSPACES,))
    user = waived_credential(jane("-", credential_policy=policy), 0, waive("service-not-allowed"))
    drift = compare_at(user, "AA", has_state=True)
    assert [(each.rule, each.id) for each in drift.differences] == [
        ("unmanaged-credential", "ACCA1"),
        ("service-not-allowed", "ACCA1"),
    ]
    assert [each.difference.id for each in drift.waived] == ["ACCA0"]


UNUSED = "3 waivers match no finding: expired at specs/jane.yaml:3:9 (ended on 2026-11-22), "


def test_unused() -> None:
    """With the state, a note lists the waivers without a finding; without it, some rules are not checked."""
    ended = waive("expired", NOW - timedelta(days=1, hours=12), 3)
    user = jane("-", waive=(ended, waive("leftover-secret", line=6), waive("switched-off", line=7)))
    user = waived_credential(user, 0, waive("rotation-overdue", line=12))
    drift = compare_at(user, "I", has_state=True)
    assert [each.rule for each in drift.unused_waivers] == ["expired", "leftover-secret", "rotation-overdue"]
    assert UNUSED + "leftover-secret at specs/jane.yaml:6:9, rotation-overdue at specs/jane.yaml:12:9" in (
        describe_limits(drift)
    )
    assert compare_at(user, "I").unused_waivers == ()


@pytest.mark.parametrize("secrets", [None, StoredSecrets(notes=("cannot read secrets",))])
def test_unread_stores(secrets: StoredSecrets | None) -> None:
    """If the secret stores were not read, waivers of their rules are not called unused."""
    user = jane("-", waive=(waive("leftover-secret"), waive("expired")))
    user = waived_credential(user, 0, waive("not-picked-up"))
    state = replace(make_recorded_state(StackExport((RECORDED[0],))), secrets=secrets)
    drift = compare(Desired((user,)), account(*existing("A")), state=state)
    assert [each.rule for each in drift.unused_waivers] == ["expired"]


@pytest.mark.parametrize(
    ("selection", "waived", "unused"),
    [
        (Selection(users=frozenset({"jane"})), ["switched-off"], ["access-key-idle", "expired", "expiring-soon"]),
        (Selection(users=frozenset({"bob"})), [], []),
        (Selection(services=frozenset({CODECOMMIT})), ["switched-off"], ["expired"]),
        (Selection(services=frozenset({KEYSPACES})), [], ["expiring-soon"]),
    ],
)
def test_selection(selection: Selection, waived: list[str], unused: list[str]) -> None:
    """Waivers apply in every selection; one of a user is not called unused if only some services are selected."""
    keyspaces = DesiredCredential("jane", KEYSPACES, "keyspaces", SourceLocation("specs/jane.yaml", 20, 9))
    user = waived_credential(jane("-", waive=(waive("access-key-idle", line=4),)), 0, waive("expired", line=12))
    user = replace(user, credentials=(*user.credentials, replace(keyspaces, waive=(waive("expiring-soon", line=21),))))
    user = replace(user, waive=(*user.waive, waive("switched-off")))
    bob = DesiredUser("bob", SourceLocation("specs/bob.yaml", 2, 3))
    state = replace(make_recorded_state(StackExport((RECORDED[0],))), secrets=StoredSecrets())
    inventory = account(*existing("I"), users="bob jane")
    drift = compare(Desired((bob, user)), inventory, selection=selection, state=state)
    assert rules(drift)[1] == waived
    assert [each.rule for each in drift.unused_waivers] == unused


def test_many_notes() -> None:
    """A note lists five waivers, and counts the others."""
    names = ["expired", "expiring-soon", "no-expiry", "not-picked-up", "rotation-due", "rotation-overdue", "x"]
    user = jane("-", waive=tuple(waive(rule, line=number) for number, rule in enumerate(names, 3)))
    (note,) = (note for note in describe_limits(compare_at(user, "A", has_state=True)) if "waiver" in note)
    assert note.startswith("7 waivers match no finding: expired at specs/jane.yaml:3:9, ")
    assert note.endswith("rotation-due at specs/jane.yaml:7:9 and 2 others")


SPECS = """users:
  jane:
    waive: [{{rule: too-many-access-keys, reason: vendor, until: {until}}}]
    accessKeys: {{max: 0}}
    credentials: [{{service: codecommit}}]
"""


@pytest.mark.parametrize("form", ["text", "json", "markdown", "sarif"])
def test_exit_code(drifting: Drifting, emulator: Emulator, form: str) -> None:
    """If every finding is waived, the exit code is 0 and the output lists it; from the date on, it is 2."""
    assert emulator.url
    fill(["jane"], [CODECOMMIT], access_keys=1)
    later = datetime.now(UTC).date() + timedelta(days=9)
    codes = {}
    for until in (later, date(2020, 1, 1)):
        drifting.declare(SPECS.format(until=until))
        ran = drifting.run("--format", form)
        codes[until] = ran.code
        assert "too-many-access-keys" in ran.out
        assert ("vendor" in ran.out) is (until == later)
    assert codes == {later: 0, date(2020, 1, 1): 2}
    drifting.declare(SPECS.format(until=later))
    ran = drifting.json()
    assert (ran.found, ran.account["clean"], ran.account["counts"]["finding"]) == ([], True, 0)
