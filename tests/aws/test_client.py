"""The clients of AWS: retries and time-outs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from botocore.parsers import ResponseParserError

from iamcreds.aws import client
from iamcreds.aws.clock import Clock
from iamcreds.errors import UnreadableAnswerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient

    from iamcreds.emulator.server import Emulator

CLOCK = Clock(lambda: datetime.now(UTC))


@pytest.mark.parametrize(
    ("make", "retries"),
    [
        (client.iam_client, {"mode": "adaptive", "total_max_attempts": 10}),
        (client.iam_client_once, {"mode": "standard", "total_max_attempts": 1}),
        (client.sts_client, {"mode": "standard", "total_max_attempts": 3}),
    ],
)
def test_clients(make: Callable[[boto3.Session, Clock], BaseClient], retries: dict[str, object]) -> None:
    """Each client connects within ten seconds, waits a minute for a response, and has its own retry mode."""
    config: Any = make(boto3.Session(), CLOCK).meta.config
    assert config.retries == retries
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (10, 60, 16)


@pytest.mark.parametrize(("given", "used"), [({}, "us-east-1"), ({"AWS_DEFAULT_REGION": "cn-north-1"}, "cn-north-1")])
def test_region(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], used: str) -> None:
    """The session sets the region, and with it the partition; without a region, the default of AWS's tools applies."""
    del signed_in  # clears the environment of the person who runs the tests
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert client.sts_client(boto3.Session(), CLOCK).meta.region_name == used
    assert client.iam_client(boto3.Session(), CLOCK).meta.partition == ("aws-cn" if given else "aws")
    assert client.iam_client_once(boto3.Session(), CLOCK).meta.partition == ("aws-cn" if given else "aws")


class Answers:
    """An operation that returns the given responses one after another."""

    __name__ = "list_things"

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, object]] = []

    def __call__(self, **arguments: object) -> object:
        """Return the next response, or raise the next error."""
        self.asked.append(arguments)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    "broken", [ResponseParserError("hunter2"), KeyError("hunter2"), TypeError("hunter2"), ValueError("hunter2")]
)
def test_unreadable_answers(broken: Exception) -> None:
    """An unreadable response is requested twice more; the error is raised even if the last call fails differently."""
    twice = Answers(broken, broken, "whole")
    assert client.read(twice, UserName="jane") == "whole"
    assert twice.asked == [{"UserName": "jane"}] * 3
    for answers in ([broken, broken, broken, "too late"], [broken, NoCredentialsError(), NoCredentialsError()]):
        message = r"^the response is incomplete, or did not come from AWS\. Run again$"
        with pytest.raises(UnreadableAnswerError, match=message):
            client.read(Answers(*answers))
    with pytest.raises(NoCredentialsError):
        client.read(Answers(NoCredentialsError(), "too late"))
