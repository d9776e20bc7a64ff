"""Steps of tests about credentials with successors: renewals and rotations."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import boto3

from tests.e2e.existing import list_credentials, wait_until
from tests.e2e.test_faults import provider_of
from tests.e2e.test_lag import start_up

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.faults.fault import When
    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack


ROTATED = "users: {jane: {credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]}}"
PLAIN = "users: {jane: {credentials: [{service: keyspaces}]}}"
NAME = "jane/keyspaces"
"""The declared name of the rotated password, and the resource name of its slot 1."""

CREATE = "iam:CreateServiceSpecificCredential"
RESET = "iam:ResetServiceSpecificCredential"
UPDATE = "iam:UpdateServiceSpecificCredential"
DELETE = "iam:DeleteServiceSpecificCredential"
WRITES = (CREATE, RESET, UPDATE, DELETE)
READS = {"iam:ListServiceSpecificCredentials": 2, "sts:GetCallerIdentity": 2}
"""The calls of each run with a rotating credential: program and provider list once each."""

SECOND = f"{NAME}~2"
"""The resource name of slot 2."""


def rotate_first(stack: Stack, emulator: Emulator) -> None:
    """Create jane and her password, and rotate it for the first time on day 86."""
    iam = boto3.client(
        "iam", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )  # fmt: skip
    iam.create_user(UserName="jane")
    stack.write_specs(jane=ROTATED)
    stack.up()
    pass_days(emulator, 86)
    stack.up()


def list_ids(iam: IAMClient, user: str = "jane") -> dict[str, str]:
    """Return the statuses of a user's credentials by id, oldest first."""
    credentials = sorted(list_credentials(iam, user), key=lambda each: each["CreateDate"])
    return {each["ServiceSpecificCredentialId"]: each["Status"] for each in credentials}


def find_working(iam: IAMClient, emulator: Emulator, user: str = "jane") -> dict[str, str]:
    """Return the passwords that IAM accepts from a user: those of Active credentials, by id."""
    passwords = emulator.controls.passwords()
    return {id_: passwords[id_] for id_, status in list_ids(iam, user).items() if status == "Active"}


def pass_days(emulator: Emulator, days: int) -> None:
    """Set the account's clock to that many days after the start."""
    emulator.controls.set(clock_shift=days * 86_400)


def read_current(stack: Stack, name: str) -> tuple[str, str | None]:
    """Return the ids of the current and the previous credential in the stack's outputs."""
    output = stack.read_outputs()["credentials"][name]
    return output["id"], output.get("previous", {}).get("id")


def read_rotations(stack: Stack) -> dict[str, int]:
    """Return the recorded `rotation` of each resource."""
    return {name: each["outputs"].get("rotation", 0) for name, each in stack.read_resources().items()}


def run_up(stack: Stack, emulator: Emulator, *options: str) -> tuple[str, dict[str, int]]:
    """Run `pulumi up`, which must succeed; return its output, and the number of calls of each operation."""
    emulator.controls.clear_counts()
    shown = stack.succeed("up", "--yes", "--skip-preview", "--diff", *options)
    return shown, emulator.controls.counts()


def count_writes(stack: Stack, emulator: Emulator, *options: str) -> dict[str, int]:
    """Run `pulumi up`, which must succeed, and return the number of its calls that change a credential."""
    _, counts = run_up(stack, emulator, *options)
    return {name: count for name, count in counts.items() if name in WRITES}


def kill_up(stack: Stack, emulator: Emulator, operation: str, when: When) -> None:
    """Start `pulumi up`, and kill provider and engine with -9 before or after the effect of the next such call."""
    emulator.controls.pause(operation, when=when)
    running = start_up(stack)
    wait_until(lambda: bool(emulator.controls.held()), 120)
    for pid in (provider_of(running.pid), running.pid):
        os.kill(pid, signal.SIGKILL)
    emulator.controls.abandon()
    stack.printed.append(running.communicate(timeout=60)[0])
    stack.succeed("cancel", "--yes")
