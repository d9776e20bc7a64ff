"""The events of one declared credential, each kind and each obstacle by an example."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.delivery import DeliveredSecret, Delivery
from iamcreds.desired import CredentialPolicy, DesiredUser, Retire, RotationPolicy, Waiver
from iamcreds.drift.stored_secrets import FoundSecret, StoredSecrets
from iamcreds.due_dates import find_rotation
from iamcreds.model import Existing, Status, Unmanaged
from iamcreds.schedule.event import EventKind
from iamcreds.stores.store import StoredSecret
from tests.schedule.accounts import (
    ACCOUNT,
    BEDROCK,
    DAY,
    HOUR,
    INTERVAL,
    KEY,
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
    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential, RecordedCredential
    from iamcreds.schedule.event import Event

EVERY = INTERVAL / DAY
ROTATED_KEY = replace(KEY, rotate=ROTATED.rotate)
TRIGGERED = replace(PASSWORD, rotate=RotationPolicy(7 * 24), trigger="new")
A, B = "ACCA1", "ACCA2"


def with_policy(desired: DesiredCredential, **policy: Any) -> DesiredCredential:  # noqa: ANN401 - any fields
    """Return the credential with a changed rotation."""
    assert desired.rotate is not None
    return replace(desired, rotate=replace(desired.rotate, **policy))


def pair(days: float, desired: DesiredCredential = ROTATED) -> tuple[list[Credential], list[RecordedCredential]]:
    """Return two credentials, the newer of which was issued so many days ago, and their state."""
    older, newer = existing(A, days + 26, desired), existing(B, days, desired)
    return [older, newer], [record(older), record(newer, 1, 2)]


def only(found: list[Event], kind: EventKind) -> Event:
    """Return the only event of a kind."""
    (event,) = (event for event in found if event.kind is kind)
    return event


def test_rotation() -> None:
    """A rotation and the retirement of the previous password follow each other, in both slots in turn."""
    password = existing(A, 10)
    events = schedule(ROTATED, [password], [record(password)], days=60)
    first, second = round(EVERY - 10, 1), round(2 * EVERY - 10, 1)
    assert outline(events) == [
        (first, "rotate", A),
        (first + 7, "retire", A),
        (second, "rotate", "jane/keyspaces"),
        (second + 7, "retire", "jane/keyspaces"),
    ]
    assert [event.rotation for event in events.events] == [0, 0, 1, 1]
    assert events.events[0].until == events.events[1].when
    assert [event.is_previous for event in events.events] == [False, True, False, True]


def test_rotation_of_a_key() -> None:
    """A rotated key with a lifetime is replaced, and its previous one ends by the overlap and not by its expiry."""
    key = existing(A, 10, ROTATED_KEY)
    kinds = [event.kind.value for event in schedule(ROTATED_KEY, [key], [record(key)], days=120).events]
    assert kinds[:4] == ["rotate", "retire", "rotate", "retire"]
    assert "expire" not in kinds


def test_overdue_rotation() -> None:
    """An overdue rotation has the date since which it is due, and the overlap of an update now."""
    password = existing(A, 50)
    events = schedule(ROTATED, [password], [record(password)], days=8)
    rotation, retirement = events.events
    assert rotation.when == password.created + INTERVAL
    assert (events.is_due(rotation), events.is_due(retirement)) == (True, False)
    assert rotation.until == retirement.when == NOW + 7 * DAY


def test_rotation_right_now() -> None:
    """A rotation that becomes due at the time of the schedule is part of it, once."""
    password = existing(A, 10)
    events = schedule(ROTATED, [password], [record(password)], now=password.created + INTERVAL, days=6)
    assert [(event.when, event.kind) for event in events.events] == [(events.now, EventKind.ROTATE)]


@pytest.mark.parametrize(("retire", "verb"), [(Retire.DEACTIVATE, "deactivates"), (Retire.DELETE, "deletes")])
def test_retirement(retire: Retire, verb: str) -> None:
    """A retirement deactivates or deletes, as declared, and leaves the quota for the next rotation."""
    events = schedule(with_policy(ROTATED, retire=retire), *pair(3), days=40).events
    assert [event.kind.value for event in events] == ["retire", "rotate", "retire"]
    assert events[0].describe() == f"pulumi up {verb} the previous keyspaces credential {A}"
    assert events[0].when == NOW + 4 * DAY


def test_overdue_retirement_before_a_rotation() -> None:
    """If both are overdue, one update retires and the next one rotates, and the dates have that order."""
    events = schedule(with_policy(ROTATED, overlap_hours=24 * 24), *pair(40), days=10).events
    assert [event.kind.value for event in events] == ["retire", "rotate"]
    assert events[0].when == NOW - 16 * DAY
    assert events[1].when == max(NOW - 40 * DAY + INTERVAL, events[0].when)


def test_rotation_waits_for_the_retirement() -> None:
    """A rotation by a trigger waits for the end of the overlap, and takes place on that day."""
    desired = replace(TRIGGERED, trigger="newer")
    credentials, recorded = pair(3)
    recorded = [replace(each, trigger="new") for each in recorded]
    assert outline(schedule(desired, credentials, recorded, days=5)) == [(4, "retire", A), (4, "rotate", B)]


SECRET = Delivery("secrets_manager", "keyspaces/jane")
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keyspaces/jane-Ab12Cd"
VERSION = DeliveredSecret(ARN, "v1")
STORED = StoredSecret("keyspaces/jane", ARN, "v1", "v1")
DELIVERED = replace(with_policy(ROTATED, retire_by_hours=14 * 24), deliver=SECRET)


def find(stored: StoredSecret | None) -> StoredSecrets:
    """Return the secrets of the stores, with this one of jane."""
    return StoredSecrets({ARN: FoundSecret("Secrets Manager", stored)})


@pytest.mark.parametrize(("read", "day"), [(None, 11), (-4, 11), (-1, 4)])
def test_retirement_when_read(read: int | None, day: int) -> None:
    """`retireWhen` retires at the latest date, unless a consumer has read the secret after the day of its delivery."""
    credentials, (older, newer) = pair(3)
    stored = replace(STORED, last_read=None if read is None else (NOW + read * DAY).date())
    recorded = [older, replace(newer, deliver=SECRET, delivered=VERSION)]
    events = schedule(DELIVERED, credentials, recorded, secrets=find(stored), days=12).events
    assert only(list(events), EventKind.RETIRE).when == NOW + day * DAY
    assert events[0].describe().endswith("credential ACCA1, or earlier if its successor is read")
    assert events[0].next == "let its consumers read the secret of its successor before"


@pytest.mark.parametrize("stored", [None, replace(STORED, version="v2", token="v2")])
def test_lost_secret(stored: StoredSecret | None) -> None:
    """A secret that the store has lost is rotated now, once, and the next rotation is a whole interval later."""
    password = existing(A, 10)
    recorded = [record(password, deliver=SECRET, delivered=VERSION)]
    found = outline(schedule(DELIVERED, [password], recorded, secrets=find(stored), days=28))
    assert found == [(0, "rotate", A), (14, "retire", A), (round(EVERY, 1), "rotate", "jane/keyspaces")]


def test_lost_secret_after_a_reset() -> None:
    """A pending reset delivers a new password, so no rotation follows it."""
    password = existing(A, 10)
    recorded = [record(password, deliver=SECRET, delivered=VERSION)]
    desired = replace(DELIVERED, reset="leak")
    found = outline(schedule(desired, [password], recorded, secrets=find(None), days=28))
    assert found == [(round(EVERY, 1), "rotate", A)]


def test_moved_delivery() -> None:
    """A delivery to a different secret needs a new password if the state has none, so it rotates now."""
    password = existing(A, 10)
    recorded = record(password, deliver=replace(SECRET, name="old"), delivered=VERSION)
    assert outline(schedule(DELIVERED, [password], [recorded], days=1)) == [(0, "rotate", A)]
    kept = replace(recorded, has_secret=True)
    assert outline(schedule(DELIVERED, [password], [kept], days=1)) == []


def test_trigger() -> None:
    """A changed trigger rotates now, `notBefore` defers it, and its first appearance rotates nothing."""
    password = existing(A, 10)
    changed = [record(password, trigger="old")]
    assert outline(schedule(TRIGGERED, [password], changed, days=8)) == [(0, "rotate", A), (7, "retire", A)]
    late = with_policy(TRIGGERED, not_before=NOW + 5 * DAY)
    assert outline(schedule(late, [password], changed, days=8)) == [(5, "rotate", A)]
    assert outline(schedule(TRIGGERED, [password], [record(password)], days=400)) == []


def test_not_before() -> None:
    """`notBefore` defers one rotation, and the next one follows after the interval."""
    password = existing(A, 100)
    desired = with_policy(ROTATED, not_before=NOW + 20 * DAY)
    found = outline(schedule(desired, [password], [record(password)], days=50))
    assert found == [(20, "rotate", A), (27, "retire", A), (round(20 + EVERY, 1), "rotate", "jane/keyspaces")]


def test_changed_lifetime() -> None:
    """A changed `expire` rotates a rotating key now, and replaces any other key, whose expiry begins anew."""
    key = existing(A, 10, ROTATED_KEY)
    longer = replace(ROTATED_KEY, expire_after_days=120)
    assert outline(schedule(longer, [key], [record(key)], days=5)) == [(0, "rotate", A)]
    plain = replace(KEY, expire_after_days=20)
    key = existing(A, 10, KEY)
    found = outline(schedule(plain, [key], [record(key)], days=50))
    assert found == [(20, "expire", "jane/bedrock"), (40, "expire", "jane/bedrock")]


def test_renewal() -> None:
    """A renewal creates the successor, and the previous key expires on its day."""
    key = existing(A, 10, RENEWED)
    events = schedule(RENEWED, [key], [record(key)], days=143).events
    assert [(event.kind.value, event.id, event.is_previous) for event in events] == [
        ("renew", A, False),
        ("expire", A, True),
        ("renew", "", False),
    ]
    assert events[0].when == NOW + 66 * DAY
    assert events[0].until == events[1].when == NOW + 80 * DAY
    assert events[2].when == NOW + (66 + 76) * DAY


def test_overdue_renewal() -> None:
    """An overdue renewal has the date since which it is due."""
    key = existing(A, 80, RENEWED)
    (event,) = schedule(RENEWED, [key], [record(key)], days=9).events
    assert (event.kind, event.when, event.rule) == (EventKind.RENEW, NOW - 4 * DAY, "renewal-overdue")


def test_expiry_without_renewal() -> None:
    """A key without a renewal expires each time, because the next update replaces it only then."""
    key = existing(A, 80, KEY)
    events = schedule(KEY, [key], [record(key)], days=101)
    assert outline(events) == [(10, "expire", A), (100, "expire", "jane/bedrock")]
    assert events.events[0].next == "after the expiry: pulumi up, which replaces it"


def test_expired() -> None:
    """A key that has expired is part of the schedule until an update replaces it."""
    key = existing(A, 95, KEY)
    events = schedule(KEY, [key], [record(key)], days=89)
    assert outline(events) == [(-5, "expire", A)]
    assert events.events[0].describe() == f"bedrock credential {A} has expired"
    assert (events.events[0].rule, events.events[0].next) == ("expired", "pulumi up, which replaces it")


@pytest.mark.parametrize("days", [80, 95])
def test_deactivated_key(days: int) -> None:
    """A key that someone deactivated expires without a successor, and no update replaces it."""
    key = existing(A, days, RENEWED, Status.INACTIVE)
    events = schedule(RENEWED, [key], [record(key, status=Status.INACTIVE)], days=300).events
    assert [(event.kind, event.when) for event in events] == [(EventKind.EXPIRE, key.expires)]
    assert events[0].is_kept
    assert events[0].next.startswith("change its `reset` in the specs, then pulumi up")


def test_deactivated_password() -> None:
    """No update rotates a password that someone deactivated, or retires the previous one, until a reset."""
    credentials, recorded = pair(40)
    credentials = [credentials[0], replace(credentials[1], status=Status.INACTIVE)]
    assert outline(schedule(ROTATED, credentials, recorded, days=200)) == []
    found = outline(schedule(replace(ROTATED, reset="new"), credentials, recorded, days=30))
    assert found == [(round(EVERY, 1), "rotate", B)]


def test_deactivated_previous_key() -> None:
    """The expiry of a previous key that is Inactive ends no access, so it is not an event."""
    credentials, recorded = pair(20, RENEWED)
    assert outline(schedule(RENEWED, credentials, recorded, days=50)) == [(44, "expire", A)]
    credentials[0] = replace(credentials[0], status=Status.INACTIVE)
    assert outline(schedule(RENEWED, credentials, recorded, days=50)) == []


def test_reset() -> None:
    """A pending reset issues a new password now, from which the next rotation counts."""
    password = existing(A, 20)
    found = outline(schedule(replace(ROTATED, reset="leak"), [password], [record(password)], days=27))
    assert found == [(round(EVERY, 1), "rotate", A)]


def test_reset_before_a_renewal() -> None:
    """A reset does not move the expiry of a key, so an overdue renewal follows it at once."""
    key = existing(A, 80, RENEWED)
    assert outline(schedule(replace(RENEWED, reset="leak"), [key], [record(key)], days=9)) == [(-4, "renew", A)]


def test_end_of_rotation() -> None:
    """Without a rotation in the specs, an update deletes the previous password, and nothing follows."""
    assert outline(schedule(PASSWORD, *pair(3), days=400)) == []


@pytest.mark.parametrize("is_recorded", [True, False])
def test_missing_credential(*, is_recorded: bool) -> None:
    """The next update creates a missing credential, whose dates count from now."""
    recorded = [record(existing(A, 10))] if is_recorded else []
    assert outline(schedule(ROTATED, [], recorded, days=27)) == [(round(EVERY, 1), "rotate", "jane/keyspaces")]


def test_young_credential() -> None:
    """A credential so young that lists may lack it counts as the state has it."""
    password = existing(A, 0)
    found = schedule(ROTATED, [], [record(password)], days=27, young_credentials=frozenset({A}))
    assert outline(found) == [(round(EVERY, 1), "rotate", A)]


OTHER = existing("ACCA9", 200)


def test_blocked_rotation() -> None:
    """An unmanaged credential that uses the quota blocks a rotation: it stays due, once, and nothing follows."""
    password = existing(A, 10)
    events = schedule(ROTATED, [password, OTHER], [record(password)], days=200).events
    assert [(event.kind.value, event.blocked_by) for event in events] == [("rotate", (OTHER,))]
    assert events[0].describe().endswith("a new password, but unmanaged ACCA9 blocks it")
    assert events[0].next == "resolve unmanaged ACCA9 first (see unmanaged-credential), then pulumi up"


def test_blocked_renewal() -> None:
    """A key whose renewal is blocked expires, and an update cannot replace it either."""
    key, other = existing(A, 10, RENEWED), existing("ACCA9", 5, RENEWED)
    events = schedule(RENEWED, [key, other], [record(key)], days=200).events
    found = [(event.kind.value, event.id, len(event.blocked_by)) for event in events]
    assert found == [("renew", A, 1), ("expire", A, 1), ("expire", "ACCA9", 0)]


def test_blocked_rotation_with_later_dates() -> None:
    """A blocked rotation is one event, although its credential has later ones."""
    password = existing(A, 10)
    user = DesiredUser("jane", PLACE, (ROTATED,), credential_policy=CredentialPolicy(max_age_days=50))
    events = schedule(user, [password, OTHER], [record(password)], days=100).events
    assert [event.kind.value for event in events if event.id == A] == ["rotate", "violate"]


def test_expired_key_violates_nothing() -> None:
    """A key whose replacement is blocked gives no access after its expiry, so its age violates nothing."""
    key, other = existing(A, 10, KEY), existing("ACCA9", 5)
    user = DesiredUser("jane", PLACE, (KEY,), credential_policy=CredentialPolicy(max_age_days=95))
    events = schedule(user, [key, replace(other, service=BEDROCK)], [record(key)], days=88).events
    assert [(event.kind.value, event.id) for event in events] == [("expire", A)]


def test_blocked_creation() -> None:
    """An unmanaged credential blocks a new one, so no dates follow."""
    assert outline(schedule(ROTATED, [OTHER], [], days=200)) == []


def test_reset_in_place_is_not_blocked() -> None:
    """The rotation of a password with two slots creates nothing, so nothing blocks it."""
    credentials, recorded = pair(20)
    credentials[0] = replace(credentials[0], status=Status.INACTIVE)
    recorded[0] = replace(recorded[0], is_retired=True, is_enforced=True, status=Status.INACTIVE)
    events = schedule(ROTATED, [*credentials, OTHER], recorded, days=10).events
    assert [(event.kind.value, event.blocked_by) for event in events] == [("rotate", ())]


def test_adoption() -> None:
    """With `existing: adopt`, the unmanaged credential becomes the successor, and has the dates of a reset."""
    password = existing(A, 10)
    desired = replace(ROTATED, existing=Existing.ADOPT)
    found = outline(schedule(desired, [password, OTHER], [record(password)], days=50))
    assert found[:3] == [
        (round(EVERY - 10, 1), "rotate", A),
        (round(EVERY - 3, 1), "retire", A),
        (round(2 * EVERY - 10, 1), "rotate", "ACCA9"),
    ]


def test_adoption_of_a_key_that_expires_first() -> None:
    """A renewal does not adopt a key that expires before the renewed one, so that key blocks it."""
    key, other = existing(A, 10, RENEWED), existing("ACCA9", 20, RENEWED)
    desired = replace(RENEWED, existing=Existing.ADOPT)
    (event,) = schedule(desired, [key, other], [record(key)], days=68).events
    assert event.blocked_by == (other,)


def test_adopted_key() -> None:
    """An adopted key keeps its expiry, by which its renewal is due."""
    other = existing("ACCA9", 20, RENEWED)
    found = outline(schedule(replace(RENEWED, existing=Existing.ADOPT), [other], [], days=60))
    assert found == [(56, "renew", "ACCA9")]


def test_import() -> None:
    """A credential to import keeps its password, whose age counts from its creation."""
    assert outline(schedule(replace(ROTATED, adopt="ACCA9"), [existing("ACCA9", 10)], [], days=20)) == [
        (round(EVERY - 10, 1), "rotate", "ACCA9")
    ]


def test_deleted_unmanaged_credential() -> None:
    """With `unmanaged: delete`, an update deletes the credential that would block a rotation, and it has no events."""
    key = existing(A, 10, RENEWED)
    user = DesiredUser("jane", PLACE, (RENEWED,), unmanaged=Unmanaged.DELETE)
    found = schedule(user, [key, existing("ACCA9", 5, RENEWED)], [record(key)], days=86)
    assert outline(found) == [(66, "renew", A), (80, "expire", A)]
    assert not any(event.blocked_by for event in found.events)


def test_credential_that_an_update_deletes() -> None:
    """A credential that the state still has blocks nothing, because the next update deletes it, and has no events."""
    password, leaving = existing(A, 10), existing("ACCA9", 20, KEY, service=ROTATED.service)
    recorded = [record(password), record(leaving, resource="jane/keyspaces/old")]
    assert outline(schedule(ROTATED, [password, leaving], recorded, days=20)) == [(round(EVERY - 10, 1), "rotate", A)]


POLICY = CredentialPolicy(max_age_days=20)


def test_violation() -> None:
    """A password violates the policy from the moment at which it is too old, as current and as previous one."""
    password = existing(A, 10)
    user = DesiredUser("jane", PLACE, (ROTATED,), credential_policy=POLICY)
    events = schedule(user, [password], [record(password)], days=30).events
    assert [(event.kind.value, round((event.when - NOW) / DAY, 1)) for event in events] == [
        ("violate", 10),
        ("rotate", round(EVERY - 10, 1)),
        ("retire", round(EVERY - 3, 1)),
    ]
    assert events[0].describe() == f"password of keyspaces credential {A} is older than 20 days"
    assert (events[0].rule, events[0].limit, events[0].next) == (
        "credential-too-old", 20, "change `reset` in the specs, then pulumi up",
    )  # fmt: skip
    later = DesiredUser("jane", PLACE, (ROTATED,), credential_policy=replace(POLICY, max_age_days=28))
    events = schedule(later, [password], [record(password)], days=30).events
    assert [(event.kind.value, event.is_previous) for event in events][1] == ("violate", True)


@pytest.mark.parametrize("age", [20, 50])
def test_present_violation(age: int) -> None:
    """A limit that is reached, now or before, is part of the schedule until a new password is issued."""
    password = existing(A, age)
    user = DesiredUser("jane", PLACE, (PASSWORD,), credential_policy=POLICY)
    assert outline(schedule(user, [password], [record(password)], days=99)) == [(20 - age, "violate", A)]


def test_inactive_password_violates_nothing() -> None:
    """An Inactive password gives no access, so its age violates nothing."""
    password = existing(A, 50, status=Status.INACTIVE)
    user = DesiredUser("jane", PLACE, (PASSWORD,), credential_policy=POLICY)
    assert outline(schedule(user, [password], [record(password)], days=99)) == []


def waive(until: int, rule: str = "credential-too-old") -> tuple[Waiver, ...]:
    """Return a waiver that ends that many days from now."""
    return (Waiver(rule, "the vendor supports no rotation", NOW + until * DAY, PLACE),)


@pytest.mark.parametrize(
    ("waivers", "expected"),
    [
        pytest.param(waive(40), [(40, "violate", A)], id="waived at its date"),
        pytest.param(waive(-5), [(-5, "violate", A)], id="waived at its date, and no longer"),
        pytest.param(waive(-35), [(-30, "violate", A)], id="waived before its date only"),
        pytest.param(waive(120), [], id="waived beyond the end of the schedule"),
        pytest.param(waive(40, "no-expiry"), [(-30, "violate", A)], id="a different rule is waived"),
    ],
)
def test_waiver(waivers: tuple[Waiver, ...], expected: list[tuple[float, str, str]]) -> None:
    """A waived violation begins at the end of its waiver, whether the user or the credential has it."""
    password = existing(A, 50)
    desired = replace(PASSWORD, waive=waivers)
    user = DesiredUser("jane", PLACE, (desired,), credential_policy=POLICY)
    assert outline(schedule(user, [password], [record(password)], days=99)) == expected
    user = DesiredUser("jane", PLACE, (PASSWORD,), credential_policy=POLICY, waive=waivers)
    assert outline(schedule(user, [password], [record(password)], days=99)) == expected


def test_waived_until_after_the_rotation() -> None:
    """A waiver that ends after the retirement of two passwords leaves only the violation of the third one."""
    password = existing(A, 10)
    desired = replace(ROTATED, waive=waive(60))
    user = DesiredUser("jane", PLACE, (desired,), credential_policy=POLICY)
    found = schedule(user, [password], [record(password)], days=70).events
    assert [event.rotation for event in found if event.kind is EventKind.VIOLATE] == [2]


def test_until() -> None:
    """An event at the end of the schedule is part of it, and one a moment later is not."""
    key = existing(A, 80, KEY)
    assert outline(schedule(KEY, [key], [record(key)], days=10)) == [(10, "expire", A)]
    almost = (10 * DAY - timedelta(microseconds=1)) / DAY
    assert outline(schedule(KEY, [key], [record(key)], days=almost)) == []


def test_last_dates() -> None:
    """Dates at the end of the calendar do not overflow."""
    password = existing(A, 10)
    far = with_policy(ROTATED, every_hours=99_999 * 168, overlap_hours=79_999 * 168)
    user = DesiredUser("jane", PLACE, (far,), credential_policy=CredentialPolicy(max_age_days=3_650_000))
    assert outline(schedule(user, [password], [record(password)], days=9_000)) == []


def test_hourly_rotation() -> None:
    """The shortest interval gives an event for each rotation and retirement, and each date only once."""
    hourly = with_policy(ROTATED, every_hours=2, overlap_hours=1)
    password = existing(A, 0)
    events = schedule(hourly, [password], [record(password)], days=30).events
    assert 2 * 30 * 12 <= len(events) <= 2 * 30 * 15
    assert len({(event.when, event.kind) for event in events}) == len(events)
    assert all(event.until == event.when + HOUR for event in events if event.kind is EventKind.ROTATE)


def test_renamed_user() -> None:
    """The dates of a user that was renamed in IAM and in the specs stay, and those of one renamed only in IAM end."""
    password = existing(A, 10, user="janet")
    recorded = [record(password, user="jane")]
    desired = replace(ROTATED, user="janet", user_was="jane")
    renamed = DesiredUser("janet", PLACE, (desired,), was="jane")
    (event,) = schedule(renamed, [password], recorded, users=["janet"], days=20).events
    assert (event.kind, event.id, event.user) == (EventKind.ROTATE, A, "janet")
    assert event.when == find_rotation(desired, recorded[0], ACCOUNT)
    assert outline(schedule(ROTATED, [password], recorded, users=["jane", "janet"], days=20)) == []


def test_service_of_the_event() -> None:
    """An event has the service, source location and owner of its declaration."""
    key = existing(A, 80, KEY)
    desired = replace(KEY, owner="mailto:team@example.com")
    (event,) = schedule(desired, [key], [record(key)], days=10).events
    assert (event.service, event.location, event.owner) == (BEDROCK, KEY.location, "mailto:team@example.com")
