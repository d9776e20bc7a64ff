"""The registrations of the YAML program equal those of the classes, and those of older versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.existing import list_credentials
from tests.e2e.recorded.restoring import STATES, list_recorded_ids, restore, specs_of_make
from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

TEAM = """
users:
  jane:
    credentials:
      - {service: codecommit, reset: 2026-11-01}
      - {service: bedrock, status: Active}
  bot:
    credentials:
      - {service: keyspaces, name: a}
      - {service: keyspaces, name: b, status: Inactive, protect: true}
    accessKeys: {max: 1}
"""
CLASSES = (ROOT / "tests/e2e/programs/team_by_classes.py").read_text()
YAML_PROGRAM = (ROOT / "__main__.py").read_text()


@pytest.mark.parametrize(("first", "second"), [(YAML_PROGRAM, CLASSES), (CLASSES, YAML_PROGRAM)])
def test_both_ways_are_one(stack: Stack, iam: IAMClient, first: str, second: str) -> None:
    """Resources declared in YAML and by the classes are the same stack: neither changes resources of the other."""
    for user in ("jane", "bot"):
        iam.create_user(UserName=user)
    stack.write_specs(team=TEAM)
    stack.write_program(first)
    stack.up()
    made = stack.read_resources()
    stack.write_program(second)
    stack.assert_no_changes()
    stack.up()
    again = stack.read_resources()
    assert made.keys() == again.keys()
    for name, resource in made.items():
        for recorded in ("id", "inputs", "protect", "additionalSecretOutputs", "parent"):
            assert resource.get(recorded) == again[name].get(recorded)
        assert visible(resource) == visible(again[name])
        assert "run" not in resource["inputs"]
        assert "run" not in resource["outputs"]


def visible(resource: dict[str, Any]) -> dict[str, Any]:
    """Return the outputs without the secrets, which are encrypted anew each time."""
    return {name: value for name, value in resource["outputs"].items() if not isinstance(value, dict) or "keys" in name}


@pytest.mark.parametrize("recorded", STATES, ids=lambda path: path.stem)
def test_recorded_before(recorded: Path, stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A state of an earlier version has no changes in a preview, and keeps every id and password."""
    state = json.loads(recorded.read_text())
    restore(iam, emulator, state)
    stack.write_specs(**specs_of_make())
    stack.succeed("stack", "import", "--file", str(recorded))
    secrets = stack.read_secrets()
    stack.assert_no_changes()
    stack.up()
    ids = {name: resource["id"] for name, resource in stack.read_resources().items()}
    assert ids == list_recorded_ids(state)
    assert stack.read_secrets() == secrets
    assert len(secrets) == 5
    assert "iam:CreateServiceSpecificCredential" not in emulator.controls.counts()


def test_places(stack: Stack, iam: IAMClient) -> None:
    """Each credential is recorded with the line of its spec, and without paths of this machine."""
    iam.create_user(UserName="jane")
    stack.write_specs(team="users:\n  jane:\n    credentials:\n      - {service: codecommit}\n")
    stack.up()
    recorded = stack.read_resources()["jane/codecommit"]
    assert recorded["sourcePosition"] == "project:///specs/team.yaml#4,9"
    assert "stackTrace" not in recorded
    assert len(json.dumps(recorded)) < 1800


def test_class_is_recorded_with_its_caller(stack: Stack, iam: IAMClient) -> None:
    """A class used in another program is recorded with one frame, the line of the program that calls it."""
    for user in ("jane", "bot"):
        iam.create_user(UserName=user)
    stack.write_program(CLASSES)
    stack.up()
    recorded = stack.read_resources()["jane/codecommit"]
    line = 1 + next(number for number, text in enumerate(CLASSES.splitlines()) if '"jane/codecommit"' in text)
    assert recorded["sourcePosition"].startswith("project:///__main__.py#")
    assert abs(int(recorded["sourcePosition"].rsplit("#", 1)[1]) - line) <= 1
    assert len(recorded["stackTrace"]) == 1


def test_failed_and_skipped(stack: Stack, iam: IAMClient) -> None:
    """With --continue-on-error, outputs omit only failed resources, and a second run reports no exception."""
    iam.create_user(UserName="jane")
    both = (
        "users: {jane: {credentials: [{service: codecommit}]}, zoe: {credentials: [{service: teapot.amazonaws.com}]}}"
    )
    stack.write_specs(team=both)
    iam.create_user(UserName="zoe")
    stack.fail("up", "--yes", "--skip-preview", "--continue-on-error")
    assert set(stack.read_outputs()["credentials"]) == {"jane/codecommit"}
    assert set(stack.read_secrets()) == {"jane/codecommit"}
    printed = stack.fail("up", "--yes", "--skip-preview")
    assert "shutting down" not in printed
    assert "unhandled" not in printed
    assert len(list_credentials(iam, "jane")) == 1


def test_targeted(stack: Stack, iam: IAMClient) -> None:
    """`--target` creates only targets, and outputs contain only these until everything is created."""
    iam.create_user(UserName="jane")
    stack.write_specs(team="users: {jane: {credentials: [{service: codecommit}, {service: bedrock}]}}")
    stack.succeed("up", "--yes", "--skip-preview", "--target", "**specs/team.yaml", "--target", "**jane/bedrock")
    assert set(stack.read_outputs()["credentials"]) <= {"jane/bedrock"}
    assert [found["ServiceName"] for found in list_credentials(iam, "jane")] == ["bedrock.amazonaws.com"]
    stack.up()
    assert len(stack.read_secrets()) == 2
    stack.assert_no_changes()


def test_refused_together(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A preview lists everything that `up` would reject, sorted by source location, and nothing is changed."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    iam.create_access_key(UserName="joe")
    existing = iam.create_service_specific_credential(UserName="jane", ServiceName="bedrock.amazonaws.com")
    stack.write_specs(
        b="users:\n  jane:\n    credentials:\n      - {service: codecommit}\n      - {service: bedrock}\n",
        a="users:\n  ghost: {credentials: [{service: logs}]}\n  joe: {accessKeys: {max: 0, enforce: true}}\n",
    )
    for command in (["preview"], ["up", "--yes"]):
        lines = [line.strip() for line in stack.fail(*command).splitlines()]
        start = lines.index("error: `pulumi up` would reject:") + 1
        assert lines[start].startswith("specs/a.yaml:2:25: ghost/logs: the account has no IAM user ghost")
        assert lines[start + 1].startswith("specs/a.yaml:3:3: specs/a.yaml: joe: has 1 access key")
        assert lines[start + 2].startswith(
            "specs/b.yaml:5:9: jane/bedrock: cannot create a bedrock credential for user jane"
        )
        assert existing["ServiceSpecificCredential"]["ServiceSpecificCredentialId"] in lines[start + 2]
    assert [found["ServiceName"] for found in list_credentials(iam, "jane")] == ["bedrock.amazonaws.com"]
    assert "iam:ResetServiceSpecificCredential" not in emulator.controls.counts()
