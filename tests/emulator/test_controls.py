"""The switches: what they do to AWS's operations, and what they refuse."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, IncompleteRead
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from iamcreds.emulator.documents import ControlError
from iamcreds.emulator.responses import SWITCHES
from iamcreds.emulator.settings import Settings
from iamcreds.emulator.switches import read_clock

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.controls import Controls
    from iamcreds.emulator.faults import When
    from iamcreds.emulator.server import Emulator

CODECOMMIT = "codecommit.amazonaws.com"
CREATE = "iam:CreateServiceSpecificCredential"
LIST = "iam:ListServiceSpecificCredentials"


@pytest.fixture
def controls(emulator: Emulator) -> Controls:
    """The switches of the fresh embedded IAM."""
    return emulator.controls


@pytest.fixture(autouse=True)
def jane(iam: IAMClient) -> str:
    """A user."""
    iam.create_user(UserName="jane")
    return "jane"


def create(iam: IAMClient, user: str = "jane", **more: int) -> dict[str, Any]:
    """A new credential."""
    answer = iam.create_service_specific_credential(UserName=user, ServiceName=CODECOMMIT, **more)
    return dict(answer["ServiceSpecificCredential"])


def listed(iam: IAMClient, user: str = "jane") -> list[dict[str, Any]]:
    """The user's credentials."""
    return [dict(one) for one in iam.list_service_specific_credentials(UserName=user)["ServiceSpecificCredentials"]]


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    """HTTP status and code of an error."""
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_counts(iam: IAMClient, emulator: Emulator, controls: Controls) -> None:
    """Every call is counted by service and operation, of JSON services too, until the count is cleared."""
    controls.clear_counts()
    create(iam)
    iam.list_users()
    parameters = boto3.client(
        "ssm",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="unchecked",
    )
    parameters.describe_parameters()
    assert controls.counts() == {CREATE: 1, "iam:ListUsers": 1, "ssm:DescribeParameters": 1}


def test_latency(iam: IAMClient, controls: Controls) -> None:
    """Latency makes every call take so much longer."""
    controls.set(latency=0.1)
    start = time.monotonic()
    iam.list_users()
    assert time.monotonic() - start >= 0.1


def test_throttling(iam: IAMClient, controls: Controls) -> None:
    """More calls than the burst are refused, of that operation only, and are counted."""
    controls.set(rate=0.001, burst=2)
    controls.clear_counts()
    iam.list_users()
    iam.list_users()
    with pytest.raises(ClientError, match="Rate exceeded") as caught:
        iam.list_users()
    assert code_of(caught) == (400, "Throttling")
    assert controls.counts() == {"iam:ListUsers": 3}
    listed(iam)


def test_tokens_come_back(iam: IAMClient, controls: Controls) -> None:
    """An empty token bucket fills again at its rate."""
    controls.set(rate=20, burst=1)
    iam.list_users()
    time.sleep(0.06)
    iam.list_users()


def test_fault_before(iam: IAMClient, controls: Controls) -> None:
    """A fault before the effect answers the error and leaves everything as it was; the next call is well again."""
    controls.fail(CREATE, status=500, code="ServiceFailure", message="<out & about>")
    with pytest.raises(ClientError, match="<out & about>") as caught:
        create(iam)
    assert code_of(caught) == (500, "ServiceFailure")
    assert listed(iam) == []
    create(iam)


def test_fault_after(iam: IAMClient, controls: Controls) -> None:
    """A fault after the effect answers the error although it happened."""
    controls.fail(CREATE, when="after", status=503, code="ServiceUnavailable", message="later")
    with pytest.raises(ClientError) as caught:
        create(iam)
    assert code_of(caught) == (503, "ServiceUnavailable")
    assert len(listed(iam)) == 1


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_broken_connection(iam: IAMClient, controls: Controls, when: When, left: int) -> None:
    """A broken connection is no answer at all, before the effect or after."""
    controls.drop(CREATE, when=when)
    with pytest.raises(ConnectionClosedError):
        create(iam)
    assert len(listed(iam)) == left


def test_fault_of_a_later_call(iam: IAMClient, controls: Controls) -> None:
    """A fault meets the calls it is meant for, counted from when it was asked for, and no others."""
    iam.list_users()
    controls.fail("iam:ListUsers", call=2, times=2)
    outcomes = []
    for _ in range(4):
        try:
            iam.list_users()
            outcomes.append("well")
        except ClientError:
            outcomes.append("fault")
    assert outcomes == ["well", "fault", "fault", "well"]


def test_faults_can_be_called_off(iam: IAMClient, controls: Controls) -> None:
    """Faults that are cleared do not come."""
    controls.fail("iam:ListUsers", times=99)
    controls.clear_faults()
    iam.list_users()


def test_fault_of_a_json_service(emulator: Emulator, controls: Controls) -> None:
    """A fault of a JSON service comes in that service's form."""
    controls.fail("secretsmanager:CreateSecret", status=400, code="LimitExceededException", message="too many")
    store = boto3.client(
        "secretsmanager",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="unchecked",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(store.exceptions.LimitExceededException, match="too many"):
        store.create_secret(Name="x", SecretString="y")


def test_expiry(iam: IAMClient, controls: Controls) -> None:
    """With the clock past its date a credential is Expired, and cannot be switched on again."""
    credential_id = create(iam, CredentialAgeDays=2)["ServiceSpecificCredentialId"]
    controls.set(clock_shift=2 * 86_400 - 60)
    assert listed(iam)[0]["Status"] == "Active"
    controls.set(clock_shift=2 * 86_400 + 60)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=credential_id, Status="Active")
    assert listed(iam)[0]["Status"] == "Expired"


def test_old_access_key(iam: IAMClient, controls: Controls) -> None:
    """With the clock behind, users, access keys and credentials are made old."""
    controls.set(clock_shift=-100 * 86_400)
    iam.create_user(UserName="old")
    iam.create_access_key(UserName="old")
    create(iam, "old")
    controls.set(clock_shift=0)
    (key,) = iam.list_access_keys(UserName="old")["AccessKeyMetadata"]
    dates = [iam.get_user(UserName="old")["User"]["CreateDate"], key["CreateDate"], listed(iam, "old")[0]["CreateDate"]]
    for date in dates:
        assert timedelta(days=100) <= datetime.now(UTC) - date < timedelta(days=100, minutes=5)


def test_lists_lag_behind(iam: IAMClient, controls: Controls) -> None:
    """A list that lags shows what was so many seconds ago, of creates, updates, renames and deletes."""

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
    """An endpoint that does not know AllUsers answers as if it had not been sent: for the caller."""
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
    """A page limit makes pages shorter than MaxItems that are truncated all the same."""
    create(iam)
    create(iam)
    controls.set(page_limit=1)
    answer = iam.list_service_specific_credentials(AllUsers=True, MaxItems=100)
    assert len(answer["ServiceSpecificCredentials"]) == 1
    assert answer["IsTruncated"]


def test_access_key_usage(iam: IAMClient, controls: Controls) -> None:
    """An access key's last use can be set."""
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
    """Every secret ever issued is remembered, also those replaced since and those whose answer was lost."""
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
    """A reset leaves nothing: no users, credentials, settings, faults, counts or secrets."""
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
        ({"speed": 1}, "unknown: speed; known: all_users, burst,"),
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
    """A setting that is unknown or makes no sense is refused, and the settings stay."""
    with pytest.raises(ControlError, match=message):
        controls.set(**settings)
    assert Settings.read(controls.settings()) == Settings()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "operation must be a text"),
        ({"operation": LIST, "when": "during"}, "when must be before or after"),
        ({"operation": LIST, "call": 0}, "call and times must be whole numbers"),
        ({"operation": LIST, "often": 1}, "unknown: often"),
        ({"operation": LIST, "times": 0}, "call and times must be whole numbers"),
        ({"operation": LIST, "answer": "no"}, "a JSON object is wanted"),
        ({"operation": LIST, "answer": {"hang": -1}}, "hang must be a number of seconds"),
        ({"operation": LIST, "answer": {"hang": 1, "cut": 0.5}}, "unknown: hang"),
        ({"operation": LIST, "when": "after", "answer": {"cut": 1}}, "cut must be a share"),
        ({"operation": LIST, "when": "after", "answer": {"cut": 0, "whole_length": 1}}, "whole_length true or false"),
        ({"operation": LIST, "answer": {"cut": 0.5}}, "an answer is cut after the operation's effect"),
        ({"operation": LIST, "answer": {"status": 200, "code": "OK", "message": ""}}, "a status from 400 to 599"),
        ({"operation": LIST, "answer": {"status": 500, "code": "X"}}, "message must be a text"),
        ([], "a JSON object is wanted"),
    ],
)
def test_impossible_faults(emulator: Emulator, fault: object, message: str) -> None:
    """A fault that makes no sense is refused with a 400 that says why."""
    status, answer = http(emulator, "POST", "faults", json.dumps(fault))
    assert status == 400
    assert message in answer["error"]


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
    """A request that the control API does not understand is refused in JSON."""
    answered, answer = http(emulator, method, name, body)
    assert answered == status
    assert answer["error"]


def test_calls_in_order(iam: IAMClient, controls: Controls) -> None:
    """The calls can be had one by one in the order of their coming, until the count is cleared."""
    controls.clear_counts()
    create(iam)
    iam.list_users()
    create(iam)
    assert controls.calls() == [CREATE, "iam:ListUsers", CREATE]
    controls.clear_counts()
    assert controls.calls() == []


def test_fault_of_any_operation(iam: IAMClient, controls: Controls) -> None:
    """A fault of `iam:*` counts the calls of all operations of IAM."""
    controls.fail("iam:*", call=2)
    iam.list_users()
    with pytest.raises(ClientError, match="Service failure"):
        listed(iam)
    iam.list_users()


def test_denied_from_a_call_on(iam: IAMClient, controls: Controls) -> None:
    """A permission can be lacking from a call on, for good."""
    controls.deny(CREATE, call=2)
    create(iam)
    for _ in range(3):
        with pytest.raises(ClientError) as caught:
            create(iam)
        assert code_of(caught) == (403, "AccessDenied")
    assert len(listed(iam)) == 1


def test_throttling_storm(iam: IAMClient, controls: Controls) -> None:
    """So many calls, of whatever operation, are refused as too many."""
    controls.throttle("*", times=2)
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            create(iam)
        assert code_of(caught) == (400, "Throttling")
    assert listed(iam) == []


@pytest.mark.parametrize("share", [0, 0.5])
@pytest.mark.parametrize("whole_length", [True, False])
def test_answer_that_breaks_off(iam: IAMClient, controls: Controls, share: float, *, whole_length: bool) -> None:
    """An answer that breaks off, whatever it says of its length, cannot be read; the operation had its effect."""
    controls.cut(CREATE, share, whole_length=whole_length)
    with pytest.raises(ResponseParserError):
        create(iam)
    assert len(listed(iam)) == 1


@pytest.mark.parametrize("whole_length", [True, False])
def test_length_of_what_breaks_off(emulator: Emulator, controls: Controls, *, whole_length: bool) -> None:
    """A cut answer's Content-Length is that of the whole or that of what is sent, which botocore does not look at."""
    controls.cut("*", 0.5, whole_length=whole_length)
    connection = HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", "/", "Action=ListUsers&Version=2010-05-08")
        response = connection.getresponse()
        length = int(response.headers["Content-Length"])
        with pytest.raises(IncompleteRead) if whole_length else contextlib.nullcontext():
            assert len(response.read()) == length
    finally:
        connection.close()


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_no_answer(emulator: Emulator, iam: IAMClient, controls: Controls, when: When, left: int) -> None:
    """An operation can be silent for longer than a client waits, before its effect or after."""
    impatient = boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
        config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}),
    )  # fmt: skip
    controls.hang(CREATE, 30, when=when)
    with pytest.raises(ReadTimeoutError):
        create(impatient)
    assert len(listed(iam)) == left


def test_silence_ends(iam: IAMClient, controls: Controls) -> None:
    """After its seconds a silent operation breaks the connection."""
    controls.hang(CREATE, 0.1)
    with pytest.raises(ConnectionClosedError):
        create(iam)


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_pause(iam: IAMClient, controls: Controls, when: When, left: int) -> None:
    """A call can be held before its effect or after, is shown as held, and goes on once it is released."""
    controls.pause(CREATE, when=when)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(create, iam)
        wait_until_held(controls)
        assert controls.held() == [{"operation": CREATE, "when": when}]
        assert len(listed(iam)) == left
        controls.release()
        assert answer.result()["UserName"] == "jane"
    assert controls.held() == []


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_abandoned_pause(iam: IAMClient, controls: Controls, when: When, left: int) -> None:
    """A held call that is abandoned breaks its connection; one held before its effect never has one."""
    controls.pause(CREATE, when=when)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(create, iam)
        wait_until_held(controls)
        controls.abandon()
        with pytest.raises(ConnectionClosedError):
            answer.result()
    assert len(listed(iam)) == left


def test_date_of_answers(iam: IAMClient, controls: Controls) -> None:
    """Every answer, an error too, is dated by the account's clock, in whole seconds like every date in it."""
    controls.set(clock_shift=-90)
    answer = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)
    created = answer["ServiceSpecificCredential"]["CreateDate"]
    dated = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert created.microsecond == 0
    assert timedelta(0) <= dated - created <= timedelta(seconds=2)
    assert timedelta(seconds=89) < datetime.now(UTC) - dated < timedelta(seconds=95)
    assert listed(iam)[0]["CreateDate"] == created
    controls.fail(LIST)
    with pytest.raises(ClientError) as caught:
        listed(iam)
    dated = parsedate_to_datetime(caught.value.response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert timedelta(seconds=89) < datetime.now(UTC) - dated < timedelta(seconds=95)


def test_hidden_users(iam: IAMClient, controls: Controls) -> None:
    """A hidden user is left out of the list of all, and found by name."""
    iam.create_user(UserName="other")
    create(iam)
    create(iam, "other")
    controls.set(hidden_users=["jane"])
    found = iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
    assert [credential["UserName"] for credential in found] == ["other"]
    assert len(listed(iam)) == 1


def test_valid_passwords(iam: IAMClient, controls: Controls) -> None:
    """Of each live credential the secret that opens it can be had: the last one that was issued."""
    made, gone = create(iam), create(iam)
    which = {"UserName": "jane", "ServiceSpecificCredentialId": made["ServiceSpecificCredentialId"]}
    assert controls.passwords()[made["ServiceSpecificCredentialId"]] == made["ServicePassword"]
    reset = iam.reset_service_specific_credential(**which)["ServiceSpecificCredential"]
    iam.delete_service_specific_credential(
        **{**which, "ServiceSpecificCredentialId": gone["ServiceSpecificCredentialId"]}
    )
    assert controls.passwords() == {made["ServiceSpecificCredentialId"]: reset["ServicePassword"]}


def test_credential_of_a_given_id(iam: IAMClient, controls: Controls) -> None:
    """A credential can be had under the id, and with all else, that a recorded state knows."""
    controls.put_credential(
        "ACCARECORDED000000001", "jane", CODECOMMIT,
        status="Inactive", created="2026-01-31T12:00:00Z", login="jane-of-old", password="hunter2",
    )  # fmt: skip
    (found,) = listed(iam)
    assert found == {
        "UserName": "jane", "ServiceName": CODECOMMIT, "ServiceSpecificCredentialId": "ACCARECORDED000000001",
        "Status": "Inactive", "CreateDate": datetime(2026, 1, 31, 12, tzinfo=UTC), "ServiceUserName": "jane-of-old",
    }  # fmt: skip
    assert controls.passwords() == {"ACCARECORDED000000001": "hunter2"}
    assert "hunter2" in controls.secrets()


def test_credentials_that_cannot_be(controls: Controls) -> None:
    """A credential of a user who is not there, of a taken id, of a third place or of no status is refused."""
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
    with pytest.raises(ControlError, match="no ISO 8601 date: soon"):
        controls.put_credential("ACCARECORDED000000003", "jane", CODECOMMIT, created="soon")


def test_clock_of_the_process(iam: IAMClient) -> None:
    """In its own process the account can live by a clock that somebody else turns."""
    moment = datetime(2031, 5, 1, 12, tzinfo=UTC)
    SWITCHES.clock = lambda: moment
    try:
        answer = iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)
    finally:
        SWITCHES.clock = read_clock
    assert answer["ServiceSpecificCredential"]["CreateDate"] == moment
    assert parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]) == moment


def test_settings_are_whole(emulator: Emulator, controls: Controls) -> None:
    """PUT sets the whole settings: what is left out is as by default again."""
    controls.set(list_lag=5)
    assert http(emulator, "PUT", "settings", '{"latency": 0.01}') == (200, {})
    assert Settings.read(controls.settings()) == Settings(latency=0.01)


def test_operation_we_do_not_have(iam: IAMClient) -> None:
    """An operation that nobody wrote is refused by name."""
    with pytest.raises(ClientError, match="iam:GetContextKeysForCustomPolicy is not a part of this emulator"):
        iam.get_context_keys_for_custom_policy(PolicyInputList=["{}"])


def test_unforeseen_error(iam: IAMClient) -> None:
    """A value that moto cannot read is a 400, not a traceback."""
    with pytest.raises(ClientError) as caught:
        iam.list_users(MaxItems="many")  # type: ignore[arg-type]
    assert code_of(caught) == (400, "ValidationError")


def test_many_at_once(iam: IAMClient) -> None:
    """Of many creates at the same time for one user and service, exactly two succeed."""

    def attempt(_: int) -> bool:
        try:
            create(iam)
        except iam.exceptions.LimitExceededException:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 2
    assert len({one["ServiceUserName"] for one in listed(iam)}) == 2


def wait_until_held(controls: Controls) -> None:
    """Wait until a call is held."""
    deadline = time.monotonic() + 10
    while not controls.held():
        assert time.monotonic() < deadline, "nothing is held"
        time.sleep(0.01)


def http(emulator: Emulator, method: str, name: str, body: str | bytes | None) -> tuple[int, Any]:
    """A request to the control API, without the client that would refuse it itself."""
    connection = HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, f"/_emulator/{name}", body)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
