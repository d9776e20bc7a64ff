"""Credential policies: the boundaries of each limit, and the comparison with specs, state and account."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.desired import CredentialPolicy, Desired, DesiredCredential, DesiredUser
from iamcreds.drift.comparing import compare, list_rules
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.checked_credential import CheckedCredential
from iamcreds.drift.rules.credential_limits import CredentialFinding, check_credential
from iamcreds.drift.selection import EVERYTHING, Selection
from iamcreds.model import Credential, RecordedCredential, StackExport, Status
from iamcreds.pull_request import preview_changes
from iamcreds.services import Family
from tests.drift.test_comparing import CODECOMMIT, NOW, USER_PLACE, account, location

if TYPE_CHECKING:
    from datetime import datetime

    from iamcreds.drift.comparing import Drift

BEDROCK = "bedrock.amazonaws.com"
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
KEY = Credential("ACCA0", "jane", BEDROCK, Status.ACTIVE, NOW - 200 * DAY, Family.API_KEY, "alias")
ENDING = replace(KEY, created=NOW, expires=NOW + 90 * DAY)
CHECKED = CheckedCredential(user="jane", service=BEDROCK, existing=KEY)
NEW = replace(CHECKED, existing=None)
OLD = CredentialPolicy(max_age_days=90)
EXPIRING = CredentialPolicy(require_expiry=(BEDROCK,))
SHORT = CredentialPolicy(max_lifetime_days=90)


def rules(policy: CredentialPolicy, checked: CheckedCredential) -> list[str]:
    """Return the violated rules."""
    return [finding.rule for finding in check_credential(policy, checked, NOW)]


@pytest.mark.parametrize(
    ("issued", "created", "expected"),
    [
        (NOW - 90 * DAY, NOW - 200 * DAY, []),
        (NOW - 90 * DAY - SECOND, NOW - 200 * DAY, ["credential-too-old"]),
        (None, NOW - 90 * DAY, []),
        (None, NOW - 90 * DAY - SECOND, ["credential-too-old"]),
    ],
)
def test_age(issued: datetime | None, created: datetime, expected: list[str]) -> None:
    """Exactly 90 days are allowed; the last reset counts, or the creation if the state has no date."""
    assert rules(OLD, replace(CHECKED, existing=replace(KEY, created=created), issued=issued)) == expected


def test_unknown_age() -> None:
    """A credential without a known age, or one that a run creates, is not too old."""
    assert rules(OLD, replace(CHECKED, is_age_known=False)) == rules(OLD, NEW) == []


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (CHECKED, ["no-expiry"]),
        (replace(CHECKED, is_declared=False), ["no-expiry"]),
        (replace(CHECKED, existing=ENDING), ["no-expiry"]),
        (replace(CHECKED, existing=ENDING, is_declared=False), []),
        (replace(CHECKED, existing=ENDING, age_days=90), []),
        (replace(CHECKED, age_days=90), ["no-expiry"]),
        (NEW, ["no-expiry"]),
        (replace(NEW, age_days=90), []),
        (replace(NEW, service="logs.amazonaws.com"), []),
    ],
)
def test_expiry(checked: CheckedCredential, expected: list[str]) -> None:
    """The existing credential and its declaration must have an expiry, if the policy names the service."""
    assert rules(EXPIRING, checked) == expected


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (replace(CHECKED, existing=ENDING, is_declared=False), []),
        (replace(CHECKED, existing=replace(ENDING, expires=NOW + 91 * DAY), is_declared=False), ["lifetime-too-long"]),
        (replace(CHECKED, existing=ENDING, age_days=91), ["lifetime-too-long"]),
        (replace(NEW, age_days=90), []),
        (replace(NEW, age_days=91), ["lifetime-too-long"]),
        (NEW, []),
        (CHECKED, []),
    ],
)
def test_lifetime(checked: CheckedCredential, expected: list[str]) -> None:
    """Exactly 90 days are allowed, in IAM and in the specs; a credential without an expiry has no lifetime."""
    assert rules(SHORT, checked) == expected


def test_services() -> None:
    """A policy without `services` allows all of them."""
    only = CredentialPolicy(services=(CODECOMMIT,))
    assert rules(only, CHECKED) == rules(only, NEW) == ["service-not-allowed"]
    assert rules(only, replace(NEW, service=CODECOMMIT)) == rules(CredentialPolicy(), CHECKED) == []


@pytest.mark.parametrize("status", [Status.INACTIVE, Status.EXPIRED])
def test_without_access(status: Status) -> None:
    """An inactive or expired credential gives no access, so only its service counts."""
    policy = CredentialPolicy(1, 1, (BEDROCK,), (CODECOMMIT,))
    assert rules(policy, replace(CHECKED, status=status)) == ["service-not-allowed"]


@pytest.mark.parametrize(
    ("policy", "existing", "days"),
    [
        (EXPIRING, None, 90),
        (replace(EXPIRING, max_lifetime_days=30), KEY, 30),
        (replace(EXPIRING, max_lifetime_days=365), KEY, 90),
        (EXPIRING, replace(ENDING, expires=NOW + 7 * DAY), 7),
        (replace(EXPIRING, max_lifetime_days=5), replace(ENDING, expires=NOW + 7 * DAY), 5),
        (EXPIRING, replace(ENDING, expires=NOW + DAY / 2), 1),
    ],
)
def test_suggested_lifetime(policy: CredentialPolicy, existing: Credential | None, days: int) -> None:
    """The suggested `expire` is within the policy, and keeps a key with an end date if it can."""
    finding = next(iter(check_credential(policy, replace(CHECKED, existing=existing), NOW)))
    assert isinstance(finding, CredentialFinding)
    assert finding.edit == f"declare `expire: {{after: {days}d}}` in the specs"


def declare(policy: CredentialPolicy, *ages: int | None, **fields: object) -> DesiredUser:
    """Return jane with a policy, and with an API key of each lifetime."""
    names = ("bedrock", "spare")
    credentials = (
        DesiredCredential("jane", BEDROCK, names[number], location(number), expire_after_days=age)
        for number, age in enumerate(ages)
    )
    user = DesiredUser("jane", USER_PLACE, tuple(credentials), credential_policy=policy)
    return replace(user, **fields)  # type: ignore[arg-type] # any of them


def look(
    user: DesiredUser, *found: Credential, state: tuple[RecordedCredential, ...] | None = None, only: str = ""
) -> Drift:
    """Compare with an account."""
    recorded = None if state is None else make_recorded_state(StackExport(state))
    selection = Selection(services=frozenset({only})) if only else EVERYTHING
    return compare(Desired((user,)), account(*found, users="jane bob"), timedelta(0), selection, recorded)


def findings(drift: Drift) -> list[tuple[str, str, object]]:
    """Return rule, id and source location of the violations of policies."""
    every = (each for each in drift.differences if isinstance(each, CredentialFinding))
    return [(each.rule, each.id, each.location) for each in every]


def record(issued: datetime | None = None, resource: str = "jane/bedrock", id_: str = "ACCA0") -> RecordedCredential:
    """Return a recorded API key."""
    return RecordedCredential(resource, id_, "jane", BEDROCK, KEY.created, issued=issued)


def test_ages_need_the_state() -> None:
    """Without the state, ages are not findings but are counted; with it, the date of the last reset counts."""
    unknown = look(declare(OLD, None), KEY, replace(KEY, id="ACCA1", status=Status.INACTIVE))
    assert (findings(unknown), unknown.ages) == ([], 1)
    assert look(declare(SHORT, None), KEY).ages == 0
    old = look(declare(OLD, None), KEY, state=(record(),))
    assert (findings(old), old.ages) == ([("credential-too-old", "ACCA0", location(0))], 0)
    assert findings(look(declare(OLD, None), KEY, state=(record(NOW - DAY),))) == []


def test_unmanaged() -> None:
    """An unmanaged credential violates the policy, at its user's location, also if specs declare access keys only."""
    expected = [("credential-too-old", "ACCA0", USER_PLACE), ("no-expiry", "ACCA0", USER_PLACE)]
    policy = replace(EXPIRING, max_age_days=90)
    assert findings(look(declare(policy), KEY, state=())) == expected
    assert findings(look(declare(policy, judges_credentials=False), KEY, state=())) == expected
    assert findings(look(declare(policy), replace(KEY, user="bob"), state=())) == []


def test_both_slots() -> None:
    """The previous key is checked by its actual values only, and the current one by its declaration, too."""
    user = declare(EXPIRING, 90)
    renewed = replace(user, credentials=(replace(user.credentials[0], renew_before_hours=48),))
    keys = ENDING, replace(ENDING, id="ACCA1")
    state = record(), record(resource="jane/bedrock~2", id_="ACCA1")
    assert findings(look(renewed, *keys, state=state)) == findings(look(renewed, *keys)) == []
    endless = replace(renewed, credentials=(replace(renewed.credentials[0], expire_after_days=None),))
    assert findings(look(endless, *keys, state=state)) == [("no-expiry", "ACCA0", location(0))]


def steps(drift: Drift) -> list[tuple[str, str, str]]:
    """Return rule, id and next step of the violations of policies."""
    found = (each for each in drift.differences if isinstance(each, CredentialFinding))
    return [(each.rule, each.id, each.next) for each in found]


DEACTIVATE = (
    "if its successor is in use: aws iam update-service-specific-credential --user-name jane"
    " --service-specific-credential-id ACCA0 --status Inactive"
)
LATER = "; or run pulumi up after the expiry, which deletes it"


def test_name_like_that_of_a_slot() -> None:
    """A program's own `jane/bedrock~2` of a different service is not the credential that specs declare."""
    other = replace(KEY, service="logs.amazonaws.com")
    state = record(id_="ACCA1"), replace(record(resource="jane/bedrock~2"), service=other.service)
    expected = [("credential-too-old", "ACCA0", USER_PLACE)]
    assert findings(look(declare(CredentialPolicy(max_age_days=80), 90), other, state=state)) == expected


@pytest.mark.parametrize("is_state_known", [True, False])
def test_previous_key(*, is_state_known: bool) -> None:
    """A previous key works until its end, so no edit of the specs is suggested for it, except the removal."""
    policy = CredentialPolicy(max_age_days=80, max_lifetime_days=60)
    user = declare(policy, 90)
    user = replace(user, credentials=(replace(user.credentials[0], renew_before_hours=14 * 24),))
    keys = replace(KEY, created=NOW - 85 * DAY, expires=NOW + 5 * DAY), replace(ENDING, id="ACCA1")
    successor = replace(record(resource="jane/bedrock~2", id_="ACCA1"), rotation=1)
    state = (record(NOW - 85 * DAY), successor) if is_state_known else None
    shorter = ("lifetime-too-long", "ACCA1", "declare `after: 60d` in the specs, then pulumi up")
    old = ("credential-too-old", "ACCA0", DEACTIVATE + LATER)
    long = ("lifetime-too-long", "ACCA0", DEACTIVATE + LATER)
    assert steps(look(user, *keys, state=state)) == ([old] if is_state_known else []) + [long, shorter]
    only_codecommit = replace(user, credential_policy=CredentialPolicy(services=(CODECOMMIT,)))
    removal = "remove the credential from the specs, then pulumi up"
    assert [each[2] for each in steps(look(only_codecommit, *keys, state=state))] == [removal, removal]
    plain = replace(user, credentials=declare(policy, 90).credentials)
    if is_state_known:
        assert ("lifetime-too-long", "ACCA0", "pulumi up, which deletes it") in steps(look(plain, *keys, state=state))


def test_previous_key_without_expiry() -> None:
    """A previous key without an end is not deleted by a later run."""
    checked = replace(CHECKED, is_previous=True, is_declared=False)
    (finding,) = check_credential(EXPIRING, checked, NOW)
    assert finding.describe().next == DEACTIVATE
    assert finding.describe().message.startswith("bedrock credential ACCA0 (previous) never expires")


def test_protected_in_the_state() -> None:
    """A protection that only the state has is removed before a replacement or deletion."""
    protected = replace(CHECKED, is_protected=True)
    (finding,) = check_credential(EXPIRING, protected, NOW)
    assert finding.next == "run pulumi state unprotect and declare `expire: {after: 90d}` in the specs, then pulumi up"
    (finding,) = check_credential(EXPIRING, replace(protected, age_days=90), NOW)
    assert finding.next == "run pulumi state unprotect, then pulumi up, which replaces it"


def test_former_name() -> None:
    """A renamed credential is matched by its former name."""
    user = declare(EXPIRING, None)
    renamed = replace(user, credentials=(replace(user.credentials[0], name="main", was="bedrock"),))
    assert findings(look(renamed, ENDING, state=(record(),))) == [("no-expiry", "ACCA0", location(0))]


def test_declaration_without_the_state() -> None:
    """Without the state, the declaration counts if it is certain: all are equal, or one has the id."""
    keys = ENDING, replace(ENDING, id="ACCA1")
    assert len(findings(look(declare(EXPIRING, None, None), *keys))) == 2
    assert findings(look(declare(EXPIRING, None, 90), *keys)) == []
    assert findings(look(declare(EXPIRING, None), *keys)) == [], "one of them is unmanaged"
    user = declare(EXPIRING, None, 90)
    named = replace(user, credentials=(replace(user.credentials[0], adopt="ACCA1"), user.credentials[1]))
    assert findings(look(named, *keys)) == [("no-expiry", "ACCA1", location(0))]


def test_selection() -> None:
    """A selection of services selects the credentials to check."""
    user = declare(EXPIRING, None)
    assert len(findings(look(user, KEY, only=BEDROCK))) == 1
    assert findings(look(user, KEY, only=CODECOMMIT)) == []


def test_plan_knows_every_rule() -> None:
    """The comment of a pull request recognizes the warnings of every rule about credential policies."""
    rules = [rule.rule for rule in list_rules() if issubclass(rule, CredentialFinding)]
    assert len(rules) > 1
    assert all(preview_changes._CREDENTIAL_FINDING.search(f"jane/bedrock: too old [{rule}]") for rule in rules)  # noqa: SLF001
