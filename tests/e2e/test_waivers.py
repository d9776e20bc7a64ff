"""Waivers with the real engine: previews and drift permit waived findings until the date, and list them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.existing import list_credentials
from tests.e2e.test_credential_policy import DAY, REPORT, drift, export, plan

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

RULES = ["access-key-too-old", "credential-too-old"]


def write(stack: Stack, until: str = "", enforce: str = "true") -> None:
    """Declare policies that jane's password and access key violate, and waivers of both until a date."""
    keys = f"[{{rule: access-key-too-old, reason: the vendor's key, until: {until}}}]"
    password = f"[{{rule: credential-too-old, reason: no rotation, until: {until}}}]"
    stack.write_specs(
        team=f"""users:
  jane:
    accessKeys: {{maxAgeDays: 90, enforce: {enforce}}}
    credentialPolicy: {{maxAgeDays: 90, enforce: {enforce}}}
    waive: {keys if until else []}
    credentials:
      - service: codecommit
        waive: {password if until else []}
"""
    )


def read_watcher(stack: Stack) -> dict[str, Any]:
    """Return the recorded inputs of the watcher of access keys."""
    (inputs,) = (found["inputs"] for found in stack.read_resources().values() if found["type"].endswith("AccessKeys"))
    return dict(inputs)


@pytest.mark.usefixtures("signed_in")
def test_until_the_date(
    stack: Stack, iam: IAMClient, emulator: Emulator, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A waiver permits the preview and `up`, and drift exits with 0, until its date; then both fail again."""
    emulator.controls.set(clock_shift=-100 * DAY)
    iam.create_user(UserName="jane")
    key = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    write(stack, enforce="false")
    stack.up()
    emulator.controls.set(clock_shift=0)
    (existing,) = list_credentials(iam, "jane")
    id_ = existing["ServiceSpecificCredentialId"]
    write(stack)
    rejected = stack.fail("preview")
    assert all(f"[{rule}], and the policy is enforced" in rejected for rule in RULES)
    state = export(stack, tmp_path)
    assert sorted(each["rule"] for each in drift(stack, capfd, 2, "--state", state)["differences"]) == RULES

    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    write(stack, until)
    shown = stack.succeed("preview", "--diff")
    assert f"{id_} is older than 90 days: issued on " in shown
    assert f"[credential-too-old], waived until {until} (specs/team.yaml:8:17): no rotation" in shown
    assert f"[access-key-too-old], waived until {until} (specs/team.yaml:5:13): the vendor's key" in shown
    assert "warning: jane" not in shown
    assert "+ waived" in shown
    comment = plan(stack, capfd, 0)
    assert comment.count(f", waived until {until} (specs/team.yaml:") == 2
    assert "Waived findings (2)" in comment
    assert "Credential findings" not in comment
    assert "Access key findings" not in comment
    stack.up()
    stack.assert_no_changes()
    (waived,) = read_watcher(stack)["waived"]
    assert (key in waived["finding"], waived["until"], waived["reason"]) == (True, until, "the vendor's key")
    assert read_watcher(stack)["findings"] == []

    account = drift(stack, capfd, 0, "--state", export(stack, tmp_path))
    assert (account["differences"], account["clean"]) == ([], True)
    assert sorted(each["rule"] for each in account["waived"]) == RULES

    stack.succeed("config", "set", "now", until)
    again = stack.fail("preview")
    assert all(f"[{rule}] (waived until {until}), and the policy is enforced" in again for rule in RULES)
    assert "2 rejected; the stack has 1 credential." in plan(stack, capfd, 4)
    stack.succeed("config", "rm", "now")
    write(stack, datetime.now(UTC).date().isoformat())
    ended = drift(stack, capfd, 2, "--state", export(stack, tmp_path))
    assert sorted(each["rule"] for each in ended["differences"]) == RULES
    assert any(note.startswith("2 waivers have ended, and their findings count again: ") for note in ended["notes"])


def test_without_waivers(stack: Stack, iam: IAMClient) -> None:
    """The state of a stack without waived findings has nothing of waivers, also if specs declare some."""
    iam.create_user(UserName="jane")
    write(stack)
    stack.up()
    before = stack.read_resources()
    write(stack, "2999-01-31")
    stack.assert_no_changes()
    stack.succeed("up", "--yes", "--skip-preview", **REPORT)
    assert {name: found["inputs"] for name, found in stack.read_resources().items()} == {
        name: found["inputs"] for name, found in before.items()
    }
    assert "waive" not in stack.succeed("stack", "export")
