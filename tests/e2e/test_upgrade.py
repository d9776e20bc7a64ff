"""Stacks from before rotations, and edits of fields that do not concern a rotation: nothing rotates."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import contain_any
from tests.e2e.deliveries import CREATE_SECRET, DESCRIBE, export_state, list_calls, read_secret
from tests.e2e.existing import pass_a_day
from tests.e2e.recorded.restoring import STATES, list_recorded_ids, restore, specs_of_make
from tests.e2e.successors import NAME, UPDATE, count_writes, find_working, pass_days, read_current

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

TEAM = """
account: "123456789012"
defaults:
  accessKeys: {{max: 2}}
  credentialPolicy: {{maxAgeDays: 365}}
  existing: adopt
  rotation: {{maxPerRun: 1}}
  unmanaged: report
users:
  jane:
    credentials:
      - {{service: codecommit, name: git, was: codecommit, reset: second, protect: true{rotate}}}
      - {{service: bedrock, existing: fail{rotate}}}
  joe:
    credentials:
      - {{service: keyspaces{rotate}}}
    accessKeys: {{max: 1}}
"""
BOT = """
users:
  build-bot:
    credentials:
      - {service: codecommit, name: primary}
      - {service: codecommit, name: spare, status: Active}
"""
ROTATE = ", rotate: {every: 90d, overlap: 7d, trigger: hired}"
EDITED = """
account: "123456789012"
defaults: {existing: adopt, rotation: {maxPerRun: 1}, credentialPolicy: {maxAgeDays: 365}}
users:
  jane:
    accessKeys: {max: 1}
    credentials:
      - service: keyspaces
        name: app
        was: keyspaces
        protect: true
        rotate: {every: 120d, overlap: 8d, trigger: hired, notBefore: 2026-01-01}
"""


@pytest.mark.parametrize("recorded", STATES, ids=lambda path: path.stem)
def test_stack_without_rotations(recorded: Path, stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """With a state of an older version, neither changes of all other fields nor the first `rotate` change a password.

    The only write is the declared activation.
    """
    restore(iam, emulator, json.loads(recorded.read_text()))
    pass_a_day(emulator)
    stack.succeed("stack", "import", "--file", str(recorded))
    secrets, passwords = stack.read_secrets(), emulator.controls.passwords()
    stack.write_specs(team=TEAM.format(rotate=""), bot=BOT)
    assert count_writes(stack, emulator) == {UPDATE: 1}, "every other field"
    stack.write_specs(team=TEAM.format(rotate=ROTATE), bot=BOT)
    assert count_writes(stack, emulator) == {}, "the first `rotate`"
    assert sorted(stack.read_secrets().values()) == sorted(secrets.values())
    assert emulator.controls.passwords() == passwords
    stack.assert_no_changes()


@pytest.mark.parametrize("recorded", STATES[:2], ids=lambda path: path.stem)
def test_delivery(
    recorded: Path, stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator
) -> None:
    """With a state of an older version, each added `deliver` moves its password to the store and resets nothing."""
    state = json.loads(recorded.read_text())
    restore(iam, emulator, state)
    pass_a_day(emulator)
    stack.succeed("stack", "import", "--file", str(recorded))
    secrets, passwords, ids = stack.read_secrets(), emulator.controls.passwords(), list_recorded_ids(state)
    number = itertools.count()
    specs = specs_of_make()
    for file, text in specs.items():
        specs[file] = re.sub(
            "{service", lambda _: f"{{deliver: {{secretsManager: {{name: s{next(number)}}}}}, service", text
        )
    stack.write_specs(**specs)
    calls = list_calls(stack, emulator)
    assert {call: calls.count(call) for call in calls} == {DESCRIBE: 10, CREATE_SECRET: 5}
    stored = [read_secret(store, f"s{each}") for each in range(next(number))]
    assert {each["credentialId"]: each["password"] for each in stored} == {ids[name]: secrets[name] for name in secrets}
    assert not contain_any([export_state(stack)], list(secrets.values()))
    assert emulator.controls.passwords() == passwords
    stack.assert_no_changes()


def test_edits(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A change of every field of a rotating credential except `reset` and a recorded trigger rotates nothing."""
    working = find_working(iam, emulator)
    current = read_current(rotated, NAME)
    rotated.write_specs(jane=EDITED)
    pass_days(emulator, 87)
    assert count_writes(rotated, emulator) == {}
    assert find_working(iam, emulator) == working
    assert read_current(rotated, f"{NAME}/app") == current
    assert {name for name in rotated.read_resources() if name.startswith("jane/")} == {f"{NAME}/app", f"{NAME}/app~2"}
    rotated.assert_no_changes()
