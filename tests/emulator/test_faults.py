"""Injected faults: errors, timeouts, truncated responses, and paused calls."""

from __future__ import annotations

import contextlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from tests.emulator.asking import CREATE, LIST, create, list_credentials, read_code, request_control

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.faults.fault import When
    from iamcreds.emulator.server import Emulator


@pytest.fixture(autouse=True)
def jane(iam: IAMClient) -> str:
    """Create a user."""
    iam.create_user(UserName="jane")
    return "jane"


def test_fault_before(iam: IAMClient, controls: Controls) -> None:
    """A fault before the effect returns the error and changes nothing; the next call succeeds."""
    controls.fail(CREATE, status=500, code="ServiceFailure", message="<out & about>")
    with pytest.raises(ClientError, match="<out & about>") as caught:
        create(iam)
    assert read_code(caught) == (500, "ServiceFailure")
    assert list_credentials(iam) == []
    create(iam)


def test_fault_after(iam: IAMClient, controls: Controls) -> None:
    """A fault after the effect returns the error although the operation had its effect."""
    controls.fail(CREATE, when="after", status=503, code="ServiceUnavailable", message="later")
    with pytest.raises(ClientError) as caught:
        create(iam)
    assert read_code(caught) == (503, "ServiceUnavailable")
    assert len(list_credentials(iam)) == 1


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_broken_connection(iam: IAMClient, controls: Controls, when: When, left: int) -> None:
    """A broken connection sends no response, before or after the effect."""
    controls.drop(CREATE, when=when)
    with pytest.raises(ConnectionClosedError):
        create(iam)
    assert len(list_credentials(iam)) == left


def test_fault_of_a_later_call(iam: IAMClient, controls: Controls) -> None:
    """A fault applies only to its calls, counted from the request that added it."""
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
    """Cleared faults have no effect."""
    controls.fail("iam:ListUsers", times=99)
    controls.clear_faults()
    iam.list_users()


def test_fault_of_a_json_service(emulator: Emulator, controls: Controls) -> None:
    """A fault of a JSON service has that service's error format."""
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


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "operation must be a string"),
        ({"operation": LIST, "when": "during"}, "when must be before or after"),
        ({"operation": LIST, "call": 0}, "call and times must be integers"),
        ({"operation": LIST, "often": 1}, "unknown keys: often"),
        ({"operation": LIST, "times": 0}, "call and times must be integers"),
        ({"operation": LIST, "answer": "no"}, "expected a JSON object"),
        ({"operation": LIST, "answer": {"hang": -1}}, "hang must be a number of seconds"),
        ({"operation": LIST, "answer": {"hang": 1, "cut": 0.5}}, "unknown keys: hang"),
        ({"operation": LIST, "when": "after", "answer": {"cut": 1}}, "cut must be a number"),
        ({"operation": LIST, "when": "after", "answer": {"cut": 0, "whole_length": 1}}, "whole_length true or false"),
        ({"operation": LIST, "answer": {"cut": 0.5}}, "cut requires `when` to be after"),
        ({"operation": LIST, "answer": {"status": 200, "code": "OK", "message": ""}}, "a status from 400 to 599"),
        ({"operation": LIST, "answer": {"status": 500, "code": "X"}}, "message of an error must be a string"),
        ([], "expected a JSON object"),
    ],
)
def test_impossible_faults(emulator: Emulator, fault: object, message: str) -> None:
    """An invalid fault is rejected with a 400 and the reason."""
    status, answer = request_control(emulator, "POST", "faults", json.dumps(fault))
    assert status == 400
    assert message in answer["error"]


def test_fault_of_any_operation(iam: IAMClient, controls: Controls) -> None:
    """A fault of `iam:*` counts the calls of all IAM operations."""
    controls.fail("iam:*", call=2)
    iam.list_users()
    with pytest.raises(ClientError, match="Service failure"):
        list_credentials(iam)
    iam.list_users()


def test_denied_from_a_call_on(iam: IAMClient, controls: Controls) -> None:
    """A permission can be denied permanently from a given call on."""
    controls.deny(CREATE, call=2)
    create(iam)
    for _ in range(3):
        with pytest.raises(ClientError) as caught:
            create(iam)
        assert read_code(caught) == (403, "AccessDenied")
    assert len(list_credentials(iam)) == 1


def test_throttling_storm(iam: IAMClient, controls: Controls) -> None:
    """That many calls, of any operation, are throttled."""
    controls.throttle("*", times=2)
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            create(iam)
        assert read_code(caught) == (400, "Throttling")
    assert list_credentials(iam) == []


@pytest.mark.parametrize("share", [0, 0.5])
@pytest.mark.parametrize("whole_length", [True, False])
def test_answer_that_breaks_off(iam: IAMClient, controls: Controls, share: float, *, whole_length: bool) -> None:
    """A truncated response, whatever its declared length, cannot be parsed; the operation had its effect."""
    controls.cut(CREATE, share, whole_length=whole_length)
    with pytest.raises(ResponseParserError):
        create(iam)
    assert len(list_credentials(iam)) == 1


@pytest.mark.parametrize("whole_length", [True, False])
def test_length_of_what_breaks_off(emulator: Emulator, controls: Controls, *, whole_length: bool) -> None:
    """A truncated response has the Content-Length of the whole or of the sent part, which botocore does not check."""
    controls.cut("*", 0.5, whole_length=whole_length)
    connection = HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    try:
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=a/20261125/us-east-1/iam/aws4_request, Signature=b"}
        connection.request("POST", "/", "Action=ListUsers&Version=2010-05-08", signed)
        response = connection.getresponse()
        length = int(response.headers["Content-Length"])
        with pytest.raises(IncompleteRead) if whole_length else contextlib.nullcontext():
            assert len(response.read()) == length
    finally:
        connection.close()


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_no_answer(emulator: Emulator, iam: IAMClient, controls: Controls, when: When, left: int) -> None:
    """An operation can send no response until the client times out, before or after its effect."""
    impatient = boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
        config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}),
    )  # fmt: skip
    controls.hang(CREATE, 30, when=when)
    with pytest.raises(ReadTimeoutError):
        create(impatient)
    assert len(list_credentials(iam)) == left


def test_silence_ends(iam: IAMClient, controls: Controls) -> None:
    """After that time, an operation without a response closes the connection."""
    controls.hang(CREATE, 0.1)
    with pytest.raises(ConnectionClosedError):
        create(iam)


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_pause(iam: IAMClient, controls: Controls, when: When, left: int) -> None:
    """A call can be paused before or after its effect, is listed as held, and continues when it is released."""
    controls.pause(CREATE, when=when)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(create, iam)
        wait_until_held(controls)
        assert controls.held() == [{"operation": CREATE, "when": when}]
        assert len(list_credentials(iam)) == left
        controls.release()
        assert answer.result()["UserName"] == "jane"
    assert controls.held() == []


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
def test_abandoned_pause(iam: IAMClient, controls: Controls, when: When, left: int) -> None:
    """An abandoned call closes its connection; if it was held before its effect, it has none."""
    controls.pause(CREATE, when=when)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(create, iam)
        wait_until_held(controls)
        controls.abandon()
        with pytest.raises(ConnectionClosedError):
            answer.result()
    assert len(list_credentials(iam)) == left


def wait_until_held(controls: Controls) -> None:
    """Wait until a call is held."""
    deadline = time.monotonic() + 10
    while not controls.held():
        assert time.monotonic() < deadline, "no call is held"
        time.sleep(0.01)
