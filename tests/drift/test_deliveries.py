"""Drift of delivered secrets: lost, not read, or left in a store; with exact numbers of calls."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest

from iamcreds.delivery import CREDENTIAL_TAG, DeliveredSecret, Delivery
from iamcreds.desired import Desired, DesiredUser
from iamcreds.drift.comparing import SOON, compare
from iamcreds.drift.reading_secrets import read_secrets
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.delivery import DeliveryLost, LeftoverSecret, NotPickedUp
from iamcreds.drift.selection import EVERYTHING, Selection
from iamcreds.drift.stored_secrets import FoundSecret, LeftSecret, StoredSecrets
from iamcreds.errors import AccessDeniedError, AccountError, ConfigError, UnauthenticatedError
from iamcreds.model import PendingCreate, StackExport, Status
from iamcreds.report.json_document import build_document
from iamcreds.report.sarif.differences import format_drift
from iamcreds.report.summary import describe_limits
from iamcreds.report.text import format_text
from iamcreds.stores.store import StoredSecret
from tests.drift.stack import Stack
from tests.drift.test_comparing import NOW, USER_PLACE, account
from tests.drift.test_rotation import DAY, DECLARED, KEYSPACES, NEWER, OLDER, PLAIN, password, record
from tests.report.test_sarif import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.desired import DesiredCredential
    from iamcreds.drift.comparing import Drift
    from iamcreds.emulator.server import Emulator
    from iamcreds.model import RecordedCredential
    from iamcreds.stores.deliveries import Deliveries
    from tests.drift.conftest import Drifting, Ran

REGION = "eu-west-1"
NAME = "keyspaces/jane"
ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:{NAME}-Ab12Cd"
DELIVER = Delivery("secrets_manager", NAME)
VERSION = DeliveredSecret(ARN, "v1")
TAGS = {CREDENTIAL_TAG: "jane/keyspaces"}
STORED = StoredSecret(NAME, ARN, "v1", "v1", tags=TAGS)
OTHER = replace(STORED, version="v2", token="v2")
RECREATED = replace(STORED, token=None)
DELIVERED: dict[str, Any] = {"deliver": DELIVER, "delivered": VERSION}
RESET_STEP = "change `reset` in the specs, then pulumi up, which delivers a new password"
RESTORE = f"aws secretsmanager restore-secret --secret-id {NAME} --region {REGION}"
LIST, DESCRIBE = "secretsmanager:ListSecrets", "secretsmanager:DescribeSecret"
SPECS = "users: {jane: {credentials: [{service: codecommit, deliver: {secretsManager: {name: 'codecommit/{user}'}}}]}}"


def compare_secrets(
    desired: DesiredCredential,
    recorded: list[RecordedCredential],
    secrets: StoredSecrets | None,
    *existing: Any,  # noqa: ANN401 - credentials
) -> Drift:
    """Return the drift of jane's credential with the state and these secrets of the stores."""
    state = replace(make_recorded_state(StackExport(tuple(recorded))), secrets=secrets)
    return compare(Desired((DesiredUser("jane", USER_PLACE, (desired,)),)), account(*existing), SOON, state=state)


def lose(
    stored: StoredSecret | None,
    desired: DesiredCredential = PLAIN,
    status: Status = Status.ACTIVE,
    **fields: Any,  # noqa: ANN401 - fields of the recorded credential
) -> list[DeliveryLost]:
    """Return the lost deliveries of a credential whose secret is in the store like this."""
    existing = password(OLDER, 20, status)
    secrets = StoredSecrets({ARN: FoundSecret("Secrets Manager", stored)})
    recorded = record(existing, 20, **DELIVERED, **fields)
    drift = compare_secrets(replace(desired, deliver=DELIVER), [recorded], secrets, existing)
    return [each for each in drift.differences if isinstance(each, DeliveryLost)]


@pytest.mark.parametrize(
    ("stored", "message", "step"),
    [
        (None, "does not exist", RESET_STEP),
        (OTHER, "was overwritten", RESET_STEP),
        (RECREATED, "was overwritten", RESET_STEP),
        (replace(STORED, version=None), "was overwritten", RESET_STEP),
        (
            replace(OTHER, is_rotated=True),
            "was overwritten",
            f"aws secretsmanager cancel-rotate-secret --secret-id {NAME} --region {REGION}, then {RESET_STEP}",
        ),
        (replace(STORED, deleted=NOW), "is scheduled for deletion on 2026-11-23", RESTORE),
        (
            replace(OTHER, deleted=NOW),
            "is scheduled for deletion on 2026-11-23",
            f"{RESTORE}, then {RESET_STEP}",
        ),
    ],
)
def test_lost(stored: StoredSecret | None, message: str, step: str) -> None:
    """A missing, overwritten or deleted secret is drift, and the step is that which the store accepts."""
    (lost,) = lose(stored)
    words = lost.describe()
    where = f"secret {NAME} of Secrets Manager in {REGION}"
    assert words.message == f"{where} {message}, so it lacks the password of keyspaces credential {OLDER}"
    assert (words.next, words.desired, lost.id) == (step, "version v1", OLDER)
    assert lost.location == DECLARED.location


def test_delivered() -> None:
    """The recorded version in the store is not a difference, even if it was read long ago."""
    assert lose(STORED) == []
    assert lose(replace(STORED, last_read=date(2026, 1, 1))) == []


def test_healed_by_the_state() -> None:
    """With keepInState, the next update delivers the password again, also with a rotation."""
    for desired in (PLAIN, DECLARED):
        (lost,) = lose(None, desired, has_secret=True)
        assert lost.describe().next == "pulumi up, which delivers the password again that the state has"


def test_healed_by_a_rotation() -> None:
    """With `rotate`, the next update rotates ahead of time, also before `notBefore`."""
    policy = DECLARED.rotate
    assert policy is not None
    for each in (policy, replace(policy, not_before=NOW + DAY)):
        (lost,) = lose(None, replace(DECLARED, rotate=each))
        assert lost.describe().next == "pulumi up, which rotates it"


def test_healed_by_a_pending_reset() -> None:
    """A changed `reset` delivers a new password anyway, whatever else could."""
    for desired in (PLAIN, DECLARED):
        (lost,) = lose(None, replace(desired, reset="new"), has_secret=True)
        assert lost.describe().next == "pulumi up, which resets it"


def test_rotation_of_a_deactivated_credential() -> None:
    """A credential that someone deactivated is not rotated, which the message explains."""
    (lost,) = lose(None, DECLARED, Status.INACTIVE)
    words = lost.describe()
    assert words.message.endswith(f"{OLDER}. It is not rotated, because it was deactivated outside Pulumi")
    assert words.next.endswith("--status Active, or remove it from the specs")


def test_rotation_within_the_overlap() -> None:
    """While the previous password works, no rotation can take place, so the step has its date."""
    older, newer = password(OLDER), password(NEWER, 4)
    secrets = StoredSecrets({ARN: FoundSecret("Secrets Manager", None)})
    recorded = [record(older, 90), record(newer, 4, "~2", rotation=1, **DELIVERED)]
    drift = compare_secrets(replace(DECLARED, deliver=DELIVER), recorded, secrets, older, newer)
    (lost,) = drift.differences
    step = f"pulumi up from {NOW + 3 * DAY:%Y-%m-%d} on, which retires {OLDER}; the next one rotates"
    assert (lost.rule, lost.id, lost.describe().next) == ("delivery-lost", NEWER, step)


def test_expired_credential() -> None:
    """The secret of an expired credential is not judged, because a new one replaces it."""
    assert lose(None, PLAIN, Status.EXPIRED) == []


def pick_up(last_read: date | None, *, age: float = 8, by_days: int | None = 30, **slots: Any) -> Drift:  # noqa: ANN401 - statuses
    """Return the drift `age` days after a rotation whose secret was last read on this day; the overlap is 7 days."""
    assert DECLARED.rotate is not None
    policy = replace(DECLARED.rotate, retire_by_hours=None if by_days is None else by_days * 24)
    older, newer = password(OLDER, status=slots.get("older", Status.ACTIVE)), password(NEWER, age)
    newer = replace(newer, status=slots.get("newer", Status.ACTIVE))
    secrets = StoredSecrets({ARN: FoundSecret("Secrets Manager", replace(STORED, last_read=last_read))})
    recorded = [record(older, 90), record(newer, age, "~2", rotation=1, **DELIVERED)]
    return compare_secrets(replace(DECLARED, rotate=policy, deliver=DELIVER), recorded, secrets, older, newer)


@pytest.mark.parametrize(
    ("last_read", "read"),
    [
        (None, "never read"),
        (date(2026, 11, 1), "last read on 2026-11-01"),
        (date(2026, 11, 15), "last read on 2026-11-15"),
    ],
)
def test_not_picked_up(last_read: date | None, read: str) -> None:
    """After the overlap, a secret that no consumer has read after the day of its delivery is a finding with a date."""
    (found,) = pick_up(last_read).differences
    assert isinstance(found, NotPickedUp)
    words = found.describe()
    assert words.message == (
        f"secret {NAME} of Secrets Manager in {REGION}, delivered on 2026-11-15, was not read after that day ({read}),"
        f" so its consumers may still use keyspaces credential {OLDER}"
    )
    step = f"let its consumers read the secret: without a read, pulumi up retires {OLDER} from 2026-12-15 on"
    assert (words.next, words.existing, found.id) == (step, read, NEWER)
    late = next(each for each in pick_up(None, age=31).differences if isinstance(each, NotPickedUp))
    assert late.describe().next.endswith(f"pulumi up retires {OLDER} in the next run")


def test_picked_up() -> None:
    """No finding: read on a later day, within the overlap, without `retireWhen`, or if one of both is Inactive."""
    drifts = [
        pick_up(date(2026, 11, 16)),
        pick_up(None, age=6),
        pick_up(None, by_days=None),
        pick_up(None, older=Status.INACTIVE),
        pick_up(None, newer=Status.INACTIVE),
    ]
    assert not any(isinstance(each, NotPickedUp) for drift in drifts for each in drift.differences)


def test_date_of_the_retirement() -> None:
    """The previous credential is valid until the latest retirement, and after a read until the end of the overlap."""
    assert [pick_up(day).previous[0].valid_until for day in (None, date(2026, 11, 16))] == [
        NOW + 22 * DAY,
        NOW - DAY,
    ]


def leave(name: str = "old/jane") -> LeftSecret:
    """Return a secret that the stack no longer delivers."""
    stored = StoredSecret(name, ARN.replace(NAME, "old"), "v1", tags=TAGS)
    return LeftSecret("Secrets Manager", stored, "jane", KEYSPACES, USER_PLACE)


def test_leftover() -> None:
    """A secret that the stack no longer delivers is a finding, with the commands that delete or keep it."""
    existing = password(OLDER, 20)
    recorded = record(existing, 20)
    drift = compare_secrets(PLAIN, [recorded], StoredSecrets(left=(leave(),)), existing)
    (left,) = drift.differences
    assert isinstance(left, LeftoverSecret)
    words = left.describe()
    assert words.message == (
        f"secret old/jane of Secrets Manager in {REGION} has the tag of a keyspaces credential, but the stack does not"
        " deliver it"
    )
    assert words.next == (
        f"if no consumer reads it: aws secretsmanager delete-secret --secret-id old/jane --region {REGION}; or, to keep"
        f" it: aws secretsmanager untag-resource --secret-id old/jane --region {REGION} --tag-keys iamcreds:credential"
    )
    (found,) = build_document(drift)["accounts"][0]["differences"]
    assert (found["rule"], found["kind"], found["desired"]) == ("leftover-secret", "finding", None)
    assert found["live"] == {"name": "old/jane", "arn": ARN.replace(NAME, "old")}


def test_leftover_parameter() -> None:
    """The commands for a parameter are those of Parameter Store."""
    stored = StoredSecret("/old", f"arn:aws:ssm:{REGION}:123456789012:parameter/old", "1", tags=TAGS)
    left = LeftoverSecret(user="jane", service=KEYSPACES, stored=stored, secret="x")
    assert left.describe().next == (
        f"if no consumer reads it: aws ssm delete-parameter --name /old --region {REGION}; or, to keep it: aws ssm"
        f" remove-tags-from-resource --resource-type Parameter --resource-id /old --region {REGION} --tag-keys"
        " iamcreds:credential"
    )


def test_json() -> None:
    """The document has the delivery of each credential of a difference, and the number of unchecked ones."""
    existing = password(OLDER, 20, Status.INACTIVE)
    secrets = StoredSecrets({}, (), 1, ("deliveries to eu-west-1 not checked: denied",))
    drift = compare_secrets(replace(PLAIN, deliver=DELIVER), [record(existing, 20, **DELIVERED)], secrets, existing)
    (entry,) = build_document(drift)["accounts"]
    assert entry["differences"][0]["live"][0]["delivery"] == {"arn": ARN, "version": "v1"}
    assert entry["notChecked"]["deliveries"] == 1
    assert "deliveries to eu-west-1 not checked: denied" in entry["notes"]
    assert build_document(lose_one())["accounts"][0]["notChecked"]["deliveries"] == 0


def lose_one(name: str = NAME) -> Drift:
    """Return the drift of a lost secret and a leftover one, which have this name."""
    existing = password(OLDER, 20)
    secrets = StoredSecrets({ARN: FoundSecret("Secrets Manager", None)}, (leave(name),), 0, (name,))
    desired = replace(PLAIN, deliver=Delivery("secrets_manager", name))
    return compare_secrets(desired, [record(existing, 20, **DELIVERED)], secrets, existing)


def test_without_the_state() -> None:
    """Without the state, a note and a number show that deliveries were not checked."""
    desired = Desired((DesiredUser("jane", USER_PLACE, (replace(PLAIN, deliver=DELIVER),)),))
    drift = compare(desired, account(password(OLDER, 20)))
    assert build_document(drift)["accounts"][0]["notChecked"]["deliveries"] == 1
    note = "deliveries of 1 credential not checked: only the stack's state has the delivered versions"
    assert note in describe_limits(drift)
    assert note not in describe_limits(compare(Desired(), account()))


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>", "a|b`c`\n::error::x", "\x1b[2J\u202ex", "x; rm -rf ~"]
)
def test_hostile_names(name: str) -> None:
    """The name of a secret is text in lines and SARIF, and one argument in commands."""
    drift = lose_one(name)
    assert {each.rule for each in drift.differences} == {"delivery-lost", "leftover-secret"}
    text = format_text(drift)
    assert "\n::error" not in text
    assert not {"\x1b", "\u202e"} & set(text)
    assert "--secret-id x; rm" not in text
    sarif = format_drift(drift, USER_PLACE, CHECKOUT)
    assert {result["ruleId"] for result in json.loads(sarif)["runs"][0]["results"]} == {
        "delivery-lost",
        "leftover-secret",
    }
    assert not {"\x1b", "\u202e"} & set(sarif)


class FakeStore:
    """A store whose list may lag, with the calls."""

    title = "Fake Store"

    def __init__(self, listed: Mapping[str, StoredSecret], read: Mapping[str, StoredSecret]) -> None:
        self.region = REGION
        self.listed, self.read, self.calls = listed, read, list[str]()
        self.error: Exception | None = None

    def describe(self, arn: str) -> StoredSecret | None:
        """Return a secret, or raise the error."""
        self.calls.append(arn)
        if self.error is not None:
            raise self.error
        return self.read.get(arn)


class FakeDeliveries:
    """The stores of a run: one that can be listed, unless there is an error."""

    region: str | None = None

    def __init__(self, store: FakeStore, error: Exception | None = None) -> None:
        self.store, self.error, self.lists = store, error, list[tuple[str, str | None]]()

    def open_store(self, store: str, region: str | None) -> FakeStore:
        """Return the store."""
        del store, region
        return self.store

    def list_secrets(self, store: str, region: str | None) -> Mapping[str, StoredSecret]:
        """Return the list, or raise the error."""
        self.lists.append((store, region))
        if self.error is not None:
            raise self.error
        return self.store.listed if region == self.store.region else {}


def read(  # noqa: PLR0913 - independent facts
    deliveries: FakeDeliveries,
    *,
    age: timedelta = DAY,
    deliver: Delivery | None = DELIVER,
    selection: Selection = EVERYTHING,
    name: str = "jane",
    creates: tuple[PendingCreate, ...] = (),
    **fields: Any,  # noqa: ANN401 - fields of the recorded credential
) -> StoredSecrets:
    """Return the secrets that a comparison of jane's credential reads."""
    recorded = record(password(OLDER, 20), age / DAY, **({**DELIVERED, **fields}))
    desired = replace(PLAIN, user=name, deliver=deliver)
    specs = Desired((DesiredUser(name, USER_PLACE, (desired,)),))
    state = make_recorded_state(StackExport((recorded,), creates))
    return read_secrets(cast("Deliveries", deliveries), selection.narrow(specs), state, selection, NOW)


@pytest.mark.parametrize("listed", [{}, {NAME: OTHER}])
def test_lagging_list(listed: dict[str, StoredSecret]) -> None:
    """A list that disagrees is confirmed by one read of the secret, and a delivery of five minutes ago is believed."""
    store = FakeStore(listed, {ARN: STORED})
    assert read(FakeDeliveries(store)).found == {ARN: FoundSecret("Fake Store", STORED)}
    assert store.calls == [ARN]
    store = FakeStore(listed, {})
    note = "1 delivery of the last five minutes not checked, because the store's lists may lag: run again later"
    assert read(FakeDeliveries(store), age=timedelta(minutes=4)) == StoredSecrets({}, (), 1, (note,))
    assert store.calls == []
    assert read(FakeDeliveries(store), age=timedelta(minutes=5)).found[ARN].stored is None


def test_agreeing_list() -> None:
    """A list with the recorded version needs no other call."""
    store = FakeStore({NAME: STORED}, {})
    deliveries = FakeDeliveries(store)
    assert read(deliveries).found == {ARN: FoundSecret("Fake Store", STORED)}
    assert (store.calls, deliveries.lists) == ([], [("secrets_manager", REGION)])


def test_no_deliveries() -> None:
    """Without a declared or recorded delivery, no store is listed."""
    deliveries = FakeDeliveries(FakeStore({}, {}))
    recorded = record(password(OLDER, 20), 1)
    state = make_recorded_state(StackExport((recorded,)))
    specs = Desired((DesiredUser("jane", USER_PLACE, (PLAIN,)),))
    assert read_secrets(cast("Deliveries", deliveries), specs, state, EVERYTHING, NOW) == StoredSecrets()
    assert deliveries.lists == []


@pytest.mark.parametrize("error", [AccessDeniedError("denied"), ConfigError("no region")])
def test_unreadable_store(error: Exception) -> None:
    """A store that cannot be listed is an error of this store only, and its delivery is counted as unchecked."""
    secrets = read(FakeDeliveries(FakeStore({}, {}), error))
    assert (secrets.found, secrets.unchecked) == ({}, 1)
    assert secrets.notes == (f"deliveries to {REGION} not checked: {error}",)


def test_unreadable_secret() -> None:
    """A secret that cannot be read is neither lost nor left; the first error of a store is kept."""
    left = replace(STORED, name="left", arn=ARN + "left")
    store = FakeStore({"left": left}, {})
    store.error = AccountError("denied")
    secrets = read(FakeDeliveries(store))
    assert store.calls == [ARN, left.arn]
    assert secrets == StoredSecrets({}, (), 1, (f"deliveries to {REGION} not checked: denied",))


@pytest.mark.parametrize("is_listed", [True, False])
def test_unauthenticated(*, is_listed: bool) -> None:
    """Credentials that AWS rejects end the run."""
    error = UnauthenticatedError("expired")
    store = FakeStore({}, {})
    store.error = error
    with pytest.raises(UnauthenticatedError):
        read(FakeDeliveries(store, None if is_listed else error))


@pytest.mark.parametrize("deliver", [None, Delivery("secrets_manager", "new"), Delivery("ssm", NAME)])
def test_changed_delivery(deliver: Delivery | None) -> None:
    """The secret of a removed or moved delivery is not judged, and not a leftover while the state delivers it."""
    assert read(FakeDeliveries(FakeStore({NAME: OTHER}, {ARN: OTHER})), deliver=deliver) == StoredSecrets()


@pytest.mark.parametrize(
    ("fields", "arguments", "is_left"),
    [
        ({}, {}, True),
        ({"tags": {CREDENTIAL_TAG: "jane/codecommit"}}, {}, True),
        ({"tags": {CREDENTIAL_TAG: "john/keyspaces"}}, {}, False),
        ({"tags": {CREDENTIAL_TAG: "jane"}}, {}, False),
        ({"tags": {CREDENTIAL_TAG: ""}}, {}, False),
        ({"tags": {CREDENTIAL_TAG: "jane/::stop-commands::x"}}, {}, False),  # not a tag of iamcreds
        ({"name": NAME}, {}, False),  # a secret of the declared name, which an update may deliver
        ({"name": NAME}, {"deliver": replace(DELIVER, region="us-east-1")}, True),
        ({}, {"selection": Selection(services=frozenset({KEYSPACES}))}, True),
        ({"tags": {CREDENTIAL_TAG: "jane/codecommit"}}, {"selection": Selection(frozenset({"jane"}))}, True),
    ],
)
def test_left(fields: dict[str, Any], arguments: dict[str, Any], *, is_left: bool) -> None:
    """A listed secret with the tag of a declared user that no credential delivers is left, whatever its service."""
    secret = replace(STORED, **({"name": "left", "arn": ARN + "left"} | fields))
    store = FakeStore({NAME: STORED, "left": secret}, {secret.arn: secret})
    secrets = read(FakeDeliveries(store), **arguments)
    assert [each.stored for each in secrets.left] == ([secret] if is_left else [])
    assert [each.location for each in secrets.left] == ([USER_PLACE] if is_left else [])


def test_left_during_a_create() -> None:
    """A secret of a user and service with a pending create is not left, because the create may have delivered it."""
    secret = replace(STORED, name="left", arn=ARN + "left")
    store = FakeStore({NAME: STORED, "left": secret}, {secret.arn: secret})
    assert len(read(FakeDeliveries(store)).left) == 1
    create = PendingCreate("jane/keyspaces/second", "jane", KEYSPACES)
    assert read(FakeDeliveries(store), creates=(create,)).left == ()


def test_left_of_a_user_with_a_comma() -> None:
    """A comma in a user name is a space in the tag."""
    secret = replace(STORED, arn=ARN + "left", tags={CREDENTIAL_TAG: "a b/keyspaces"})
    store = FakeStore({"left": secret}, {secret.arn: secret})
    deliver = Delivery("secrets_manager", "new")
    (left,) = read(FakeDeliveries(store), name="a,b", deliver=deliver).left
    assert left.user == "a,b"


@pytest.mark.parametrize("now", [None, replace(STORED, deleted=NOW), replace(STORED, tags={})])
def test_no_longer_left(now: StoredSecret | None) -> None:
    """A secret that was deleted or released since the list is not left."""
    secret = replace(STORED, name="left", arn=ARN + "left")
    store = FakeStore({NAME: STORED, "left": secret}, {} if now is None else {secret.arn: replace(now, arn=secret.arn)})
    assert read(FakeDeliveries(store)).left == ()


@pytest.fixture
def stack(drifting: Drifting, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Return a stack that delivered jane's password an hour ago."""
    monkeypatch.setenv("AWS_REGION", REGION)
    emulator.controls.set(clock_shift=-3_600)
    boto3.client("iam", region_name=REGION).create_user(UserName="jane")
    stack = Stack(drifting.specs)
    stack.declare(SPECS)
    stack.up()
    emulator.controls.set(clock_shift=0)
    emulator.controls.clear_counts()
    return stack


@pytest.fixture
def store(stack: Stack) -> SecretsManagerClient:
    """Return a client of the store, which does not count calls."""
    assert stack.state
    return boto3.client("secretsmanager", region_name=REGION)


def detect(drifting: Drifting, stack: Stack, emulator: Emulator, *options: str) -> tuple[Ran, dict[str, int]]:
    """Return the run of `iamcreds drift --state`, and the calls to the store."""
    Path("state.json").write_text(stack.export())
    emulator.controls.clear_counts()
    ran = drifting.json("--state", "state.json", *options)
    return ran, {name: number for name, number in emulator.controls.counts().items() if "secretsmanager" in name}


def test_calls(drifting: Drifting, stack: Stack, emulator: Emulator, store: SecretsManagerClient) -> None:
    """Without differences, drift lists the store once per 100 secrets, and reads no secret."""
    ran, calls = detect(drifting, stack, emulator)
    assert (ran.code, ran.found, calls) == (0, [], {LIST: 1})
    for number in range(100):
        store.create_secret(Name=f"other-{number}", Tags=[{"Key": CREDENTIAL_TAG, "Value": "john/codecommit"}])
    ran, calls = detect(drifting, stack, emulator)
    assert (ran.code, ran.found, calls) == (0, [], {LIST: 2})


@pytest.mark.parametrize("change", ["delete", "schedule", "overwrite"])
def test_detected(
    drifting: Drifting, stack: Stack, emulator: Emulator, store: SecretsManagerClient, change: str
) -> None:
    """A deleted or overwritten secret is drift; one read confirms it, and the credential has its delivery."""
    if change == "overwrite":
        store.put_secret_value(SecretId="codecommit/jane", SecretString="own")
    elif change == "schedule":
        store.delete_secret(SecretId="codecommit/jane")
    else:
        store.delete_secret(SecretId="codecommit/jane", ForceDeleteWithoutRecovery=True)
    ran, calls = detect(drifting, stack, emulator)
    _, outputs = stack.state["jane/codecommit"]
    assert (ran.code, calls) == (2, {LIST: 1, DESCRIBE: 1})
    assert ran.found == [("delivery-lost", "jane", outputs["credential_id"])]
    (found,) = ran.account["differences"]
    assert found["live"][0]["delivery"] == outputs["delivery"]
    assert found["place"]["file"] == "specs/users.yaml"
    if change == "schedule":
        assert found["next"] == f"aws secretsmanager restore-secret --secret-id codecommit/jane --region {REGION}"
    else:
        assert found["next"] == RESET_STEP


def test_young_delivery(drifting: Drifting, stack: Stack, emulator: Emulator, store: SecretsManagerClient) -> None:
    """A delivery within the last five minutes is believed with a note, because the list may lack it."""
    store.put_secret_value(SecretId="codecommit/jane", SecretString="own")
    emulator.controls.set(clock_shift=-3_600 + 240)
    ran, calls = detect(drifting, stack, emulator)
    assert (ran.found, calls) == ([], {LIST: 1})
    assert ran.account["notChecked"]["deliveries"] == 1
    assert any("1 delivery of the last five minutes not checked" in note for note in ran.account["notes"])


def test_changed_name(drifting: Drifting, stack: Stack, emulator: Emulator, store: SecretsManagerClient) -> None:
    """After a changed name and a reset, the former secret is a leftover until someone deletes it."""
    stack.declare(
        SPECS.replace("codecommit/{user}", "new/{user}").replace(
            "service: codecommit,", "service: codecommit, reset: a,"
        )
    )
    stack.up()
    ran, calls = detect(drifting, stack, emulator)
    assert (ran.code, ran.found, calls) == (2, [("leftover-secret", "jane", None)], {LIST: 1, DESCRIBE: 1})
    (found,) = ran.account["differences"]
    assert found["live"]["name"] == "codecommit/jane"
    assert detect(drifting, stack, emulator, "--service", "codecommit")[0].found == ran.found
    store.delete_secret(SecretId="codecommit/jane")
    assert detect(drifting, stack, emulator)[0].found == []


def test_denied(drifting: Drifting, stack: Stack, emulator: Emulator, store: SecretsManagerClient) -> None:
    """If AWS denies the list, a note has the reason, and other differences are still reported."""
    assert store
    _, outputs = stack.state["jane/codecommit"]
    boto3.client("iam", region_name=REGION).update_service_specific_credential(
        UserName="jane", ServiceSpecificCredentialId=outputs["credential_id"], Status="Inactive"
    )
    emulator.controls.deny(LIST)
    ran, _ = detect(drifting, stack, emulator)
    assert (ran.code, ran.found) == (2, [("switched-off", "jane", outputs["credential_id"])])
    assert ran.account["notChecked"]["deliveries"] == 1
    note = next(note for note in ran.account["notes"] if "deliveries" in note)
    assert note.startswith(
        f"deliveries to {REGION} not checked: listing secrets of Secrets Manager: AWS error AccessDen"
    )


def test_without_the_state_no_calls(drifting: Drifting, stack: Stack, emulator: Emulator) -> None:
    """Without the state, the store is not listed, and a note shows the unchecked delivery."""
    assert stack.state
    ran = drifting.json()
    assert (ran.code, ran.account["notChecked"]["deliveries"]) == (0, 1)
    assert not [name for name in emulator.controls.counts() if "secretsmanager" in name]
