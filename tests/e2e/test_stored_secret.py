"""`iamcreds secret --from-store` after a real delivery: git, without state, engine and passphrase."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import boto3

from tests.e2e.test_secret import FIRST, GIT, HOST, SECOND, run

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

DELIVERED = """
users:
  jane:
    credentials:
      - service: codecommit
        rotate: {every: 90d, overlap: 7d}
        deliver: {secretsManager: {name: "git/{user}", region: us-east-1}}
"""
READ = "secretsmanager:GetSecretValue"
SERVICES = ("iam", "kms", "secretsmanager", "ssm", "sts")


def fill_in(stack: Stack, folder: Path, login: str) -> str | None:
    """Return login and password that the real git gets in a folder without a project, None for none."""
    path = f"{stack.folder / '../bin'}:/usr/bin:/bin"
    env = {name: value for name, value in stack.env.items() if not name.startswith("PULUMI")} | GIT
    url = f"https://{login}{'@' if login else ''}{HOST}/v1/repos/product"
    done = subprocess.run(
        ["git", "credential", "fill"],  # noqa: S607 - git of the system
        cwd=folder, env=env | {"PATH": path}, input=f"url={url}\n\n",
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert (done.returncode == 0) is ("password" in found), done.stderr
    return f"{found['username']} {found['password']}" if found else None


def test_git(stack: Stack, iam: IAMClient, emulator: Emulator, tmp_path: Path) -> None:
    """A caller that may only read the one secret gets either login's password, by name and by ARN."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=DELIVERED)
    stack.up()
    first = f"{FIRST} {emulator.controls.passwords()[stack.read_resources()['jane/codecommit']['id']]}"
    emulator.controls.set(clock_shift=91 * 86_400)
    stack.up()
    resource = stack.read_resources()["jane/codecommit~2"]
    second = f"{SECOND} {emulator.controls.passwords()[resource['id']]}"
    arn = resource["outputs"]["delivery"]["arn"]

    unreadable = run(stack, "iamcreds", "secret", "jane/codecommit")
    assert unreadable.returncode == 1
    assert f"is in the secret store, as {arn}. Run `iamcreds secret {arn} --from-store`" in unreadable.stderr

    folder = tmp_path / "consumer"
    (folder / "specs").mkdir(parents=True)
    (folder / "specs/jane.yaml").write_text(DELIVERED)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/iamcreds").symlink_to(stack.env["PATH"].partition(":")[0] + "/iamcreds")
    permit_only_reads(emulator)
    assert subprocess.run(["git", "init", "--quiet"], cwd=folder, env=stack.env | GIT, check=False).returncode == 0  # noqa: S607
    for name in ("jane/codecommit", arn):
        helper = f"!iamcreds secret {name} --from-store --as git-credential"
        command = ["git", "config", "credential.helper", helper]
        assert subprocess.run(command, cwd=folder, env=stack.env | GIT, check=False).returncode == 0
        assert fill_in(stack, folder, "") == fill_in(stack, folder, SECOND) == second
        assert fill_in(stack, folder, FIRST) == first
        assert fill_in(stack, folder, "joe-at-123456789012") is None
    assert set(emulator.controls.calls()) == {READ}


def permit_only_reads(emulator: Emulator) -> None:
    """Deny every operation of every service except for the read of a value."""
    for service in SERVICES:
        operations = boto3.client(service, region_name="us-east-1").meta.service_model.operation_names  # type: ignore[call-overload]
        for operation in operations if READ.startswith(service) else ["*"]:
            if f"{service}:{operation}" != READ:
                emulator.controls.deny(f"{service}:{operation}")
    emulator.controls.clear_counts()
