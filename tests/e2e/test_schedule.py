"""The schedule and the real engine: `pulumi up` at its dates does exactly the steps that the schedule showed before."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from iamcreds.cli import main
from tests.e2e.successors import CREATE, DELETE, RESET, UPDATE, count_writes

if TYPE_CHECKING:
    import pytest
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

SPECS = """
users:
  jane:
    credentials:
      - {service: keyspaces, rotate: {every: 30d, overlap: 7d}}
      - {service: bedrock, expire: {after: 50d, renewBefore: 5d}}
"""
MARGIN = timedelta(minutes=2)
"""The time before a date at which an update changes nothing; a run takes a while."""


def test_updates_at_the_dates(
    stack: Stack, iam: IAMClient, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the date of each event, `pulumi up` does exactly its step, and an update just before it does nothing.

    The retirement and the next rotation move by the time between a date and its run, so each margin is longer.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=SPECS)
    stack.up()
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)  # of the account that the command reads
    events = read_events(stack, "58d")
    kinds = ["rotate", "retire", "renew", "expire", "rotate"]
    assert [event["event"] for event in events] == kinds
    first = {event["service"]: event["id"] for event in events if event["id"]}
    assert first == {each["ServiceName"]: each["ServiceSpecificCredentialId"] for each in list_all(iam)}
    writes = [{CREATE: 1}, {UPDATE: 1}, {CREATE: 1}, {DELETE: 1}, {RESET: 1, UPDATE: 1}]
    for number, (event, expected) in enumerate(zip(events, writes, strict=True), start=1):
        when = datetime.fromisoformat(event["when"])
        go_to(emulator, when - MARGIN)
        assert count_writes(stack, emulator) == {}, f"before {event}"
        go_to(emulator, when + MARGIN * number)
        assert count_writes(stack, emulator) == expected, event


def read_events(stack: Stack, until: str) -> list[dict[str, Any]]:
    """Return the events of the schedule with the stack's state."""
    state = stack.succeed("stack", "export")
    words = ["schedule", str(stack.folder / "specs"), "--until", until, "--state", "-", "--format", "json"]
    result = CliRunner().invoke(main, words, input=state)
    assert result.exit_code == 0, result.output
    (account,) = json.loads(result.stdout)["accounts"]
    return list(account["events"])


def list_all(iam: IAMClient) -> list[dict[str, Any]]:
    """Return jane's credentials."""
    response = iam.list_service_specific_credentials(UserName="jane")
    return [dict(each) for each in response["ServiceSpecificCredentials"]]


def go_to(emulator: Emulator, time: datetime) -> None:
    """Set the account's clock to a time."""
    emulator.controls.set(clock_shift=int((time - datetime.now(UTC)).total_seconds()))
