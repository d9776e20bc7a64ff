"""A killed engine: all processes of iamcreds end, and no call begins whose result would not be recorded."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING

import pytest

from tests.e2e.existing import list_credentials, wait_until
from tests.faults.processes import find_processes, send

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

NOTES = Path(f"/tmp/iamcreds-{os.getuid()}")  # noqa: S108 - the product's own folder
USERS = [f"user{number}" for number in range(12)]
SPECS = "users: {" + ", ".join(f"{user}: {{credentials: [{{service: codecommit}}]}}" for user in USERS) + "}"
CLASSES = f"""
from dynamic_providers import ServiceSpecificCredential
for user in {USERS}:
    ServiceSpecificCredential(f"{{user}}/codecommit", user=user, service="codecommit")
"""


def find_python(home: Path) -> list[int]:
    """Find the Python processes of a stack: its program and its providers, but not Pulumi's language host."""
    return [pid for pid in find_processes(home) if Path(read_command(pid)[0].decode()).name.startswith("python")]


def read_command(pid: int) -> list[bytes]:
    """Read the command line of a process; it is empty if the process has ended."""
    with contextlib.suppress(OSError):
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")
    return [b""]


@pytest.fixture(params=["specs", "classes"])
def killed(request: pytest.FixtureRequest, stack: Stack, iam: IAMClient, emulator: Emulator) -> Iterator[Path]:
    """The home of a stack whose engine was killed while IAM had not yet responded to its first creates."""
    for user in USERS:
        iam.create_user(UserName=user)
    stack.write_specs(team=SPECS)
    if request.param == "classes":
        stack.write_program(CLASSES)
    home = stack.folder.parent
    emulator.controls.pause("iam:CreateServiceSpecificCredential", when="after", call=1)
    command = ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"]
    with subprocess.Popen(
        command, cwd=stack.folder, env=stack.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as engine:
        try:
            wait_until(lambda: bool(emulator.controls.held()), 100)
            engine.kill()
            engine.wait()
            yield home
        finally:
            emulator.controls.abandon()
            for pid in find_processes(home):
                send(pid, SIGKILL)


def test_killed_engine(killed: Path, iam: IAMClient, emulator: Emulator) -> None:
    """The program ends soon; the provider ends after its call in flight, and begins no further one."""
    wait_until(lambda: len(find_python(killed)) <= 1, 60)  # the provider waits for IAM
    begun = 0
    while begun != (begun := emulator.controls.counts()["iam:CreateServiceSpecificCredential"]):
        time.sleep(1)  # creates in flight may not have reached IAM yet
    assert begun < len(USERS)
    emulator.controls.release()
    wait_until(lambda: not find_python(killed), 60)
    assert emulator.controls.counts()["iam:CreateServiceSpecificCredential"] == begun
    assert sum(len(list_credentials(iam, user)) for user in USERS) == begun
    notes = "".join(path.read_text() for path in NOTES.glob("*") if path.is_file())
    existing = [
        credential["ServiceSpecificCredentialId"] for user in USERS for credential in list_credentials(iam, user)
    ]
    assert [credential_id for credential_id in existing if credential_id not in notes] == []
