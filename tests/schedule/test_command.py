"""`iamcreds schedule` by its command line, on the IAM emulator and with states of the program's own plans."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import icalendar
import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from tests.drift.accounts import fill, names, write_specs
from tests.drift.stack import Stack

if TYPE_CHECKING:
    from click.testing import Result
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

DAY = timedelta(days=1)
SPECS = """\
users:
  jane:
    credentials:
      - {service: keyspaces, rotate: {every: 90d, overlap: 7d}}
      - {service: bedrock, expire: {after: 90d, renewBefore: 14d}}
"""
LIMITS = "note: dates are in UTC, and each one assumes that `pulumi up` runs now and at the dates before it\n"


@dataclass(frozen=True)
class World:
    """An account in which jane was created long ago, and an empty stack."""

    emulator: Emulator
    stack: Stack

    def run(self, *options: str, given: str | None = None) -> Result:
        """Run the command, with a state on standard input unless that is None."""
        state = () if given is None else ("--state", "-")
        result = CliRunner().invoke(main, ["schedule", str(self.stack.specs), *state, *options], input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def events(self, *options: str, given: str | None = None) -> list[dict[str, Any]]:
        """Return the events of the JSON document."""
        result = self.run("--format", "json", *options, given=given)
        assert result.exit_code == 0, result.output
        (account,) = json.loads(result.stdout)["accounts"]
        return list(account["events"])

    def up(self, specs: str, days: int) -> None:
        """Run `up` as many days ago."""
        self.stack.declare(specs)
        self.emulator.controls.set(clock_shift=-days * 86_400)
        self.stack.up()
        self.emulator.controls.set(clock_shift=0)


@pytest.fixture
def world(signed_in: Emulator, iam: IAMClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return an account in which jane was created 400 days ago, and an empty stack."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["provider"])
    signed_in.controls.set(clock_shift=-400 * 86_400)
    iam.create_user(UserName="jane")
    signed_in.controls.set(clock_shift=0)
    return World(signed_in, Stack(Path("specs")))


def test_events(world: World) -> None:
    """With a state, the schedule has the rotation and the retirement of a password, and the renewal of a key."""
    world.up(SPECS, 70)
    events = world.events("--until", "25d", given=world.stack.export())
    assert sorted((event["event"], event["resource"]) for event in events) == [
        ("expire", "jane/bedrock"), ("renew", "jane/bedrock"), ("retire", "jane/keyspaces"),
        ("rotate", "jane/keyspaces"),
    ]  # fmt: skip
    ids = {inputs[1]["service"]: inputs[1]["credential_id"] for inputs in world.stack.state.values()}
    assert {event["id"] for event in events} == set(ids.values())
    assert [event["place"] for event in events if event["event"] == "rotate"] == [
        {"file": "specs/users.yaml", "line": 4, "column": 9}
    ]


@pytest.mark.parametrize("days", [0, 40, 70, 80, 88, 120])
def test_updates_at_the_dates(world: World, days: int) -> None:
    """An update at the date of an event does it, and one at the time before changes nothing."""
    world.up(SPECS, days)
    world.up(SPECS, 0)
    events = world.events("--until", "100d", given=world.stack.export())
    assert events
    first = datetime.fromisoformat(events[0]["when"])
    before = _read_rotations(world.stack)
    for moment, is_changed in ((first - timedelta(minutes=5), False), (first + timedelta(minutes=5), True)):
        shift = (moment - datetime.now(UTC)).total_seconds()
        world.emulator.controls.set(clock_shift=int(shift))
        world.stack.up()
        assert (_read_rotations(world.stack) != before) == is_changed


def _read_rotations(stack: Stack) -> dict[str, tuple[object, object]]:
    return {name: (outputs.get("rotation"), outputs["status"]) for name, (_, outputs) in stack.state.items()}


def test_without_state(world: World) -> None:
    """Without a state, the schedule has the renewal of the key, and a note counts the rotations that it omits."""
    world.up(SPECS, 70)
    result = world.run("--until", "25d")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split("  ")[1].strip() for line in lines if line[:2] == "20"] == ["renew", "expire"]
    assert lines[-1] == "note: rotations of 1 credential unknown: only the stack's state has their dates (--state)"


def test_calendar(world: World) -> None:
    """The calendar is written as bytes with the line ends of iCalendar."""
    world.up(SPECS, 70)
    content = world.run("--until", "25d", "--format", "ics", given=world.stack.export()).stdout_bytes
    assert content.startswith(b"BEGIN:VCALENDAR\r\n")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")
    assert len(icalendar.Calendar.from_ical(content).walk("VEVENT")) == 4


def test_state_file(world: World) -> None:
    """A state from a file gives the same schedule as one from standard input."""
    world.up(SPECS, 70)
    Path("state.json").write_text(world.stack.export())
    assert world.events("--until", "25d", "--state", "state.json") == world.events(
        "--until", "25d", given=world.stack.export()
    )


def test_last_day(world: World) -> None:
    """The last day is part of the schedule, until its end in UTC."""
    world.up(SPECS, 0)
    events = world.events("--until", "100d", given=world.stack.export())
    day = datetime.fromisoformat(events[0]["when"]).date()
    assert world.events("--until", f"{day - DAY}", given=world.stack.export()) == []
    assert world.events("--until", f"{day}", given=world.stack.export())[0]["id"] == events[0]["id"]
    assert f"until {day} in account" in world.run("--until", f"{day}").stdout


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ("tomorrow", "'tomorrow' is not a date such as 2027-03-31, or a duration such as 90d"),
        ("2027-02-30", "'2027-02-30' is not a date such as 2027-03-31, or a duration such as 90d"),
        ("2027-3-1", "'2027-3-1' is not a date such as 2027-03-31, or a duration such as 90d"),
        ("20270331", "'20270331' is not a date such as 2027-03-31, or a duration such as 90d"),
        ("99999w", "'99999w' is not a date such as 2027-03-31, or a duration such as 90d"),
        ("", "'' is not a date such as 2027-03-31, or a duration such as 90d"),
        ("0d", "'0d' must be in the next 10 years"),
        ("2020-01-01", "'2020-01-01' must be in the next 10 years"),
        ("0001-01-01", "'0001-01-01' must be in the next 10 years"),
        ("9999-12-31", "'9999-12-31' must be in the next 10 years"),
        ("4000d", "'4000d' must be in the next 10 years"),
    ],
)
def test_wrong_end(world: World, until: str, message: str) -> None:
    """An end that is not valid, in the past or too late is a usage error, before any call to AWS."""
    world.stack.declare(SPECS)
    result = world.run("--until", until)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"Error: Invalid value for '--until': {message}\n" in result.stderr
    assert world.emulator.controls.counts() == {"iam:CreateUser": 1}


def test_today(world: World) -> None:
    """Today is a valid end."""
    world.stack.declare("users: {jane: {credentials: []}}")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    result = world.run("--until", today)
    assert result.stdout == f"no events until {today} in account 123456789012\n{LIMITS}"


def test_missing_end(world: World) -> None:
    """The end is required."""
    world.stack.declare(SPECS)
    result = world.run()
    assert (result.exit_code, "Missing option '--until'" in result.stderr) == (1, True)


def test_unknown_code(world: World) -> None:
    """A state with unknown code is reported with exit code 2, and nothing else is printed."""
    world.stack.declare(SPECS)
    state = {"deployment": {"resources": [{"urn": "x", "inputs": {"__provider": "x"}}]}}
    result = world.run("--until", "30d", given=json.dumps(state))
    assert result.exit_code == 2
    assert result.stdout.startswith("unknown code: x: ")
    assert "Do not run Pulumi on this state" in result.stderr


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        (["--user", "nobody"], None, "neither the specs nor the account have user nobody."),
        (["--service", "codecommitt"], None, "neither the specs nor the account have service codecommitt."),
        ([], "{", "this is not the output of `pulumi stack export`"),
        (["--state", "missing.json"], None, "missing.json"),
        (["--format", "yaml"], None, "'yaml' is not one of"),
    ],
)
def test_errors(world: World, options: list[str], given: str | None, message: str) -> None:
    """An unknown user, service or format, and a file that is not a state, are errors with exit code 1."""
    world.stack.declare(SPECS)
    result = world.run("--until", "30d", *options, given=given)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_empty_specs(world: World) -> None:
    """Specs without users are an error, unless --allow-empty is given."""
    world.stack.specs.mkdir()
    result = world.run("--until", "30d")
    assert (result.exit_code, result.stdout) == (1, "")
    assert world.run("--until", "30d", "--allow-empty").exit_code == 0


def test_selection(world: World, iam: IAMClient) -> None:
    """A selection shows the events of its users and services only."""
    iam.create_user(UserName="bob")
    world.up(f"{SPECS}  bob: {{credentials: [{{service: bedrock, expire: {{after: 90d}}}}]}}\n", 70)
    state = world.stack.export()
    assert {event["user"] for event in world.events("--until", "25d", given=state)} == {"bob", "jane"}
    assert {event["user"] for event in world.events("--until", "25d", "--user", "bob", given=state)} == {"bob"}
    found = world.events("--until", "25d", "--service", "keyspaces", given=state)
    assert {event["service"] for event in found} == {"cassandra.amazonaws.com"}


def test_calls(world: World) -> None:
    """A schedule costs the calls of `drift`: a call per page of users and credentials, whatever its length."""
    fill(names(300), access_keys=1)
    write_specs(world.stack.specs, names(300), policy="{maxAgeDays: 90}")
    assert CliRunner().invoke(main, ["drift", "specs"]).exit_code == 0  # IAM keeps the credential report for hours
    counts = []
    for words in (
        ("schedule", "specs", "--until", "3650d"),
        ("schedule", "specs", "--until", "1d"),
        ("drift", "specs"),
    ):
        world.emulator.controls.clear_counts()
        assert CliRunner().invoke(main, words).exit_code == 0
        counts.append(world.emulator.controls.counts())
    assert counts[0] == counts[1] == counts[2]
    assert counts[0] == {
        "iam:GenerateCredentialReport": 1,
        "iam:GetCredentialReport": 1,
        "iam:ListServiceSpecificCredentials": 1,
        "iam:ListUsers": 1,
        "sts:GetCallerIdentity": 1,
    }
