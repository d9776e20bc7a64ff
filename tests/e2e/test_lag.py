"""Eventual consistency, clock skew, lost responses and concurrent stacks cause no lost or duplicate credential."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.existing import JANE, list_credentials
from tests.e2e.stack import Stack, create_stack

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

CREATE = "iam:CreateServiceSpecificCredential"
RESET = "iam:ResetServiceSpecificCredential"


@pytest.mark.parametrize("clock_shift", [-90, 90])
def test_lag_and_skew(stack: Stack, iam: IAMClient, emulator: Emulator, clock_shift: float) -> None:
    """With lists 30 s late and a clock skew of 90 s, three runs create one credential and then change nothing."""
    iam.create_user(UserName="jane")
    emulator.controls.set(list_lag=30, clock_shift=clock_shift)
    stack.write_specs(jane=JANE)
    stack.up()
    quiet = stack.run("preview", "--expect-no-changes")
    assert quiet.code == 0, quiet.text
    assert "is less than a minute old" in quiet.text
    stack.up()
    assert emulator.controls.counts()[CREATE] == 1
    assert stack.read_secrets()["jane/codecommit"] == emulator.controls.secrets()[-1]


def test_status_within_the_lag(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A changed declared status is sent even if lists still show the previous one."""
    iam.create_user(UserName="jane")
    specs = "users: {{jane: {{credentials: [{{service: codecommit, status: {}}}]}}}}"
    emulator.controls.set(list_lag=30)
    for status in ("Active", "Inactive", "Active", "Inactive"):
        stack.write_specs(jane=specs.format(status))
        stack.up()
    emulator.controls.set(list_lag=0)
    assert [credential["Status"] for credential in list_credentials(iam, "jane")] == ["Inactive"]
    stack.assert_no_changes()


def test_two_stacks_at_once(stack: Stack, tmp_path: Path, engine: str, iam: IAMClient, emulator: Emulator) -> None:
    """Two stacks that create for one user and service at once, with the first Create failing, never get the same id.

    Each state has its own credential, with the valid password.
    """
    iam.create_user(UserName="jane")
    (tmp_path / "other").mkdir()
    stacks = [stack, create_stack(tmp_path / "other", engine, emulator.url)]
    for one in stacks:
        one.write_specs(jane=JANE)
    emulator.controls.set(latency=0.3)
    emulator.controls.fail(CREATE)
    running = [start_up(one) for one in stacks]
    printed = [process.communicate(timeout=120)[0] for process in running]
    stack.printed.extend(printed)
    emulator.controls.set(latency=0)
    existing = {credential["ServiceSpecificCredentialId"] for credential in list_credentials(iam, "jane")}
    recorded = [resource["id"] for one in stacks for name, resource in one.read_resources().items() if "/" in name]
    assert sorted(existing) == sorted(recorded), printed
    assert recorded, printed
    valid = emulator.controls.passwords()
    for one, process in zip(stacks, running, strict=True):
        if process.returncode == 0:
            own = one.read_resources()["jane/codecommit"]["id"]
            assert one.read_secrets()["jane/codecommit"] == valid[own]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_cut_answers(stack: Stack, iam: IAMClient, emulator: Emulator, share: float) -> None:
    """After a truncated response to Create or Reset, the state has the valid password, and none is printed."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    emulator.controls.cut(CREATE, share)
    stack.up()
    (own,) = list_credentials(iam, "jane")
    assert stack.read_secrets()["jane/codecommit"] == emulator.controls.passwords()[own["ServiceSpecificCredentialId"]]
    emulator.controls.cut(RESET, share)
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, reset: a}]}}")
    stack.up()
    assert list_credentials(iam, "jane") == [own]
    assert stack.read_secrets()["jane/codecommit"] == emulator.controls.passwords()[own["ServiceSpecificCredentialId"]]
    stack.assert_no_changes()


def start_up(stack: Stack) -> subprocess.Popen[str]:
    """Start `pulumi up` on a stack without waiting for it."""
    return subprocess.Popen(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"],  # noqa: S607 - by the PATH of the stack
        cwd=stack.folder, env=stack.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
