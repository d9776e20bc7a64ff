"""The control settings: their effect on AWS's operations, and invalid ones."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
)

from iamcreds.emulator.account import SWITCHES
from iamcreds.emulator.faults.documents import ControlError
from iamcreds.emulator.faults.settings import Settings
from iamcreds.emulator.faults.switches import read_clock
from tests.emulator.asking import CODECOMMIT, CREATE, LIST, create, list_credentials, read_code, request_control

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.server import Emulator

MOMENT = datetime(2031, 5, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def jane(iam: IAMClient) -> str:
    """Create a user."""
    iam.create_user(UserName="jane")
    return "jane"


def test_counts(iam: IAMClient, emulator: Emulator, controls: Controls) -> None:
    """Every call is counted by service and operation, even a rejected one, until the count is cleared."""
    controls.clear_counts()
    create(iam)
    iam.list_users()
    tables = boto3.client(
        "dynamodb",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="unchecked",
    )
    with pytest.raises(ClientError, match="the IAM emulator does not support dynamodb:ListTables"):
        tables.list_tables()
    assert controls.counts() == {"dynamodb:ListTables": 1, CREATE: 1, "iam:ListUsers": 1}


def test_latency(iam: IAMClient, controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call waits for the latency."""
    waits: list[float] = []
    monkeypatch.setattr(SWITCHES, "sleep", waits.append)
    controls.set(latency=0.1)
    iam.list_users()
    iam.list_users()
    assert waits == [0.1, 0.1]


def test_throttling(iam: IAMClient, controls: Controls) -> None:
    """Calls beyond the burst are rejected, only for that operation, and are counted."""
    controls.set(rate=0.001, burst=2)
    controls.clear_counts()
    iam.list_users()
    iam.list_users()
    with pytest.raises(ClientError, match="Rate exceeded") as caught:
        iam.list_users()
    assert read_code(caught) == (400, "Throttling")
    assert controls.counts() == {"iam:ListUsers": 3}
    list_credentials(iam)


def test_tokens_come_back(iam: IAMClient, controls: Controls) -> None:
    """An empty token bucket refills at its rate."""
    controls.set(rate=20, burst=1)
    iam.list_users()
    time.sleep(0.06)
    iam.list_users()


def test_expiry(iam: IAMClient, controls: Controls) -> None:
    """If the clock passes its date, a credential is Expired, and cannot be activated."""
    credential_id = create(iam, CredentialAgeDays=2)["ServiceSpecificCredentialId"]
    controls.set(clock_shift=2 * 86_400 - 60)
    assert list_credentials(iam)[0]["Status"] == "Active"
    controls.set(clock_shift=2 * 86_400 + 60)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=credential_id, Status="Active")
    assert list_credentials(iam)[0]["Status"] == "Expired"


def test_old_access_key(iam: IAMClient, controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the clock is set back, new users, access keys and credentials are old."""
    monkeypatch.setattr(SWITCHES, "clock", lambda: MOMENT)
    controls.set(clock_shift=-100 * 86_400)
    iam.create_user(UserName="old")
    iam.create_access_key(UserName="old")
    create(iam, "old")
    controls.set(clock_shift=0)
    (key,) = iam.list_access_keys(UserName="old")["AccessKeyMetadata"]
    dates = [
        iam.get_user(UserName="old")["User"]["CreateDate"],
        key["CreateDate"],
        list_credentials(iam, "old")[0]["CreateDate"],
    ]
    for date in dates:
        assert date == MOMENT - timedelta(days=100)


def test_lists_lag_behind(iam: IAMClient, controls: Controls) -> None:
    """A delayed list shows creates, updates, renames and deletes only after that many seconds."""

    def seen() -> list[tuple[str, str]]:
        found = iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
        return [(one["UserName"], one["Status"]) for one in found]

    hour = 3600
    controls.set(list_lag=hour)
    which = {"UserName": "jane", "ServiceSpecificCredentialId": create(iam)["ServiceSpecificCredentialId"]}
    assert seen() == []
    controls.set(clock_shift=hour)
    assert seen() == [("jane", "Active")]
    iam.update_service_specific_credential(**which, Status="Inactive")
    iam.update_user(UserName="jane", NewUserName="janet")
    assert seen() == [("jane", "Active")]
    controls.set(clock_shift=2 * hour)
    assert seen() == [("janet", "Inactive")]
    iam.delete_service_specific_credential(**{**which, "UserName": "janet"})
    assert seen() == [("janet", "Inactive")]
    controls.set(list_lag=0)
    assert seen() == []


def test_endpoint_without_all_users(emulator: Emulator, iam: IAMClient, controls: Controls) -> None:
    """An endpoint that does not support AllUsers ignores it, and returns the caller's credentials."""
    controls.set(all_users=False)
    create(iam)
    iam.create_user(UserName="other")
    create(iam, "other")
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    as_jane = boto3.client(
        "iam",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    found = as_jane.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
    assert [one["UserName"] for one in found] == ["jane"]
    with pytest.raises(ClientError, match="Must specify userName"):
        iam.list_service_specific_credentials(AllUsers=True)


def test_short_pages(iam: IAMClient, controls: Controls) -> None:
    """A page limit results in truncated pages that are shorter than MaxItems."""
    create(iam)
    create(iam)
    controls.set(page_limit=1)
    answer = iam.list_service_specific_credentials(AllUsers=True, MaxItems=100)
    assert len(answer["ServiceSpecificCredentials"]) == 1
    assert answer["IsTruncated"]


def test_access_key_usage(iam: IAMClient, controls: Controls) -> None:
    """The last use of an access key can be set."""
    key_id = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    date = datetime(2026, 1, 31, 12, tzinfo=UTC)
    controls.use_access_key(key_id, date, service="codecommit", region="eu-central-1")
    answer = iam.get_access_key_last_used(AccessKeyId=key_id)["AccessKeyLastUsed"]
    assert answer == {"LastUsedDate": date, "ServiceName": "codecommit", "Region": "eu-central-1"}


def test_access_key_usage_of_no_key(controls: Controls) -> None:
    """The last use of a key that does not exist cannot be set."""
    with pytest.raises(ControlError, match="no such access key: AKIANONE"):
        controls.use_access_key("AKIANONE", datetime.now(UTC))


def test_secrets(iam: IAMClient, controls: Controls) -> None:
    """Every issued secret is recorded, even a replaced one, or one in a lost response."""
    made = create(iam)
    reset = iam.reset_service_specific_credential(
        UserName="jane", ServiceSpecificCredentialId=made["ServiceSpecificCredentialId"]
    )["ServiceSpecificCredential"]
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    controls.drop(CREATE, when="after")
    with pytest.raises(ConnectionClosedError):
        create(iam)
    known = controls.secrets()
    assert known[:3] == [made["ServicePassword"], reset["ServicePassword"], key["SecretAccessKey"]]
    assert len(known) == 4


def test_reset(iam: IAMClient, controls: Controls) -> None:
    """A reset removes everything: users, credentials, settings, faults, counts and secrets."""
    create(iam)
    controls.set(list_lag=5, page_limit=3)
    controls.fail("iam:ListUsers")
    controls.reset()
    assert controls.counts() == {}
    assert controls.secrets() == []
    assert Settings.read(controls.settings()) == Settings()
    assert iam.list_users()["Users"] == []
    assert iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"] == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"speed": 1}, "unknown keys: speed; valid keys: all_users, burst,"),
        ({"latency": -1}, "latency must be a number of seconds"),
        ({"latency": True}, "latency must be"),
        ({"latency": float("nan")}, "latency must be"),
        ({"rate": 0}, "rate must be"),
        ({"burst": 1.5}, "burst must be"),
        ({"clock_shift": 1e20}, "clock_shift must be"),
        ({"list_lag": "1"}, "list_lag must be"),
        ({"all_users": 1}, "all_users must be true or false"),
        ({"page_limit": 0}, "page_limit must be"),
        ({"hidden_users": "jane"}, "hidden_users must be a list of user names"),
    ],
)
def test_impossible_settings(controls: Controls, settings: dict[str, Any], message: str) -> None:
    """An unknown or invalid setting is rejected, and the settings stay unchanged."""
    with pytest.raises(ControlError, match=message):
        controls.set(**settings)
    assert Settings.read(controls.settings()) == Settings()


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "counts", None, 404),
        ("PUT", "settings", "{", 400),
        ("PUT", "settings", b"\xff", 400),
        ("POST", "access-key-usage", "{}", 400),
        ("POST", "release", "{}", 400),
        ("POST", "credentials", '{"id": "ACCA1"}', 400),
        ("POST", "access-key-usage", '{"access_key_id":"A","date":"soon","service":"s3","region":"x"}', 404),
    ],
)
def test_impossible_requests(emulator: Emulator, method: str, name: str, body: str | bytes | None, status: int) -> None:
    """An invalid request to the control API results in an error as JSON."""
    answered, answer = request_control(emulator, method, name, body)
    assert answered == status
    assert answer["error"]


def test_calls_in_order(iam: IAMClient, controls: Controls) -> None:
    """Calls are recorded one by one in their order, until the count is cleared."""
    controls.clear_counts()
    create(iam)
    iam.list_users()
    create(iam)
    assert controls.calls() == [CREATE, "iam:ListUsers", CREATE]
    controls.clear_counts()
    assert controls.calls() == []


def test_date_of_answers(iam: IAMClient, controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every response, even an error, has the date of the account's clock, in whole seconds like every other date."""
    monkeypatch.setattr(SWITCHES, "clock", lambda: MOMENT + timedelta(milliseconds=250))
    controls.set(clock_shift=-90)
    answer = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)
    created = answer["ServiceSpecificCredential"]["CreateDate"]
    dated = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert created == dated == MOMENT - timedelta(seconds=90)
    assert list_credentials(iam)[0]["CreateDate"] == created
    controls.fail(LIST)
    with pytest.raises(ClientError) as caught:
        list_credentials(iam)
    dated = parsedate_to_datetime(caught.value.response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert dated == MOMENT - timedelta(seconds=90)


def test_hidden_users(iam: IAMClient, controls: Controls) -> None:
    """A hidden user is omitted from the list of all users, and found by name."""
    iam.create_user(UserName="other")
    create(iam)
    create(iam, "other")
    controls.set(hidden_users=["jane"])
    found = iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
    assert [credential["UserName"] for credential in found] == ["other"]
    assert len(list_credentials(iam)) == 1


def test_valid_passwords(iam: IAMClient, controls: Controls) -> None:
    """The controls return the valid secret of each existing credential, which is the last issued one."""
    made, gone = create(iam), create(iam)
    which = {"UserName": "jane", "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    assert controls.passwords()[made["ServiceSpecificCredentialId"]] == made["ServicePassword"]
    reset = iam.reset_service_specific_credential(**which)["ServiceSpecificCredential"]
    iam.delete_service_specific_credential(
        **{**which, "ServiceSpecificCredentialId": gone["ServiceSpecificCredentialId"]}
    )
    assert controls.passwords() == {made["ServiceSpecificCredentialId"]: reset["ServicePassword"]}


def test_credential_of_a_given_id(iam: IAMClient, controls: Controls) -> None:
    """A credential can be created with a given id and other fields of a recorded state; lists show it at once."""
    controls.set(list_lag=60)
    controls.put_credential(
        "ACCARECORDED000000001", "jane", CODECOMMIT,
        status="Inactive", created="2026-01-31T12:00:00Z", login="jane-of-old", password="hunter2",
    )  # fmt: skip
    (found,) = list_credentials(iam)
    assert found == {
        "UserName": "jane", "ServiceName": CODECOMMIT, "ServiceSpecificCredentialId": "ACCARECORDED000000001",
        "Status": "Inactive", "CreateDate": datetime(2026, 1, 31, 12, tzinfo=UTC), "ServiceUserName": "jane-of-old",
    }  # fmt: skip
    assert controls.passwords() == {"ACCARECORDED000000001": "hunter2"}
    assert "hunter2" in controls.secrets()


def test_credentials_that_cannot_be(controls: Controls) -> None:
    """A credential for a missing user, with an existing id, over the quota or with an invalid status is rejected."""
    for number in (1, 2):
        controls.put_credential(f"ACCARECORDED00000000{number}", "jane", CODECOMMIT)
    with pytest.raises(ControlError, match="no such user: nobody"):
        controls.put_credential("ACCARECORDED000000003", "nobody", CODECOMMIT)
    with pytest.raises(ControlError, match="ACCARECORDED000000001 already exists"):
        controls.put_credential("ACCARECORDED000000001", "jane", CODECOMMIT)
    with pytest.raises(ControlError, match="Cannot exceed quota"):
        controls.put_credential("ACCARECORDED000000003", "jane", CODECOMMIT)
    with pytest.raises(ControlError, match="status must be Active or Inactive"):
        controls.put_credential("ACCARECORDED000000003", "jane", CODECOMMIT, status="Expired")
    with pytest.raises(ControlError, match="'soon' is not a valid ISO 8601 date"):
        controls.put_credential("ACCARECORDED000000003", "jane", CODECOMMIT, created="soon")


def test_clock_of_the_process(iam: IAMClient) -> None:
    """In its own process, a test can set the clock of the account."""
    SWITCHES.clock = lambda: MOMENT
    try:
        answer = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)
    finally:
        SWITCHES.clock = read_clock
    assert answer["ServiceSpecificCredential"]["CreateDate"] == MOMENT
    assert parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]) == MOMENT


def test_settings_are_whole(emulator: Emulator, controls: Controls) -> None:
    """PUT replaces all settings: an omitted one is reset to its default."""
    controls.set(list_lag=5)
    assert request_control(emulator, "PUT", "settings", '{"latency": 0.01}') == (200, {})
    assert Settings.read(controls.settings()) == Settings(latency=0.01)


def test_operation_we_do_not_have(iam: IAMClient) -> None:
    """An operation that the emulator does not support is rejected by name."""
    with pytest.raises(ClientError, match="the IAM emulator does not support iam:GetContextKeysForCustomPolicy"):
        iam.get_context_keys_for_custom_policy(PolicyInputList=["{}"])


def test_unforeseen_error(iam: IAMClient) -> None:
    """A value that moto cannot parse is a 400, not a traceback."""
    with pytest.raises(ClientError) as caught:
        iam.list_users(MaxItems="many")  # type: ignore[arg-type]
    assert read_code(caught) == (400, "ValidationError")


def test_many_at_once(iam: IAMClient) -> None:
    """If many creates for one user and service run concurrently, exactly two succeed."""

    def attempt(_: int) -> bool:
        try:
            create(iam)
        except iam.exceptions.LimitExceededException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 2
    assert len({one["ServiceUserName"] for one in list_credentials(iam)}) == 2
