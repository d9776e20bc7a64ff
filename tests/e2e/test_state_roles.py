"""The roles of `deploy/aws`, enforced: the real engine with its state in S3 on a moto server that checks policies.

Moto's policy checks support neither conditions nor KMS, so a passphrase encrypts the passwords here.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.e2e.existing import JANE, list_credentials
from tests.e2e.stack import ROOT, Stack, create_stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

BUCKET = "states"
STACKS = ("prod", "other")
SECONDS = 30


@dataclass(frozen=True)
class Storage:
    """S3 with roles: the credentials of each stack's roles, such as `write-prod`; `root` may do everything."""

    port: int
    roles: dict[str, dict[str, str]]

    def environment(self, role: str) -> dict[str, str]:
        """Return the environment of a run that has assumed the role."""
        location = f"endpoint=127.0.0.1:{self.port}&disableSSL=true&s3ForcePathStyle=true"
        return {"PULUMI_BACKEND_URL": f"s3://{BUCKET}?region=us-east-1&{location}"} | self.roles[role]

    def read_tags(self) -> dict[str, str]:
        """Return the tags that identify the content of each object."""
        objects = self.client("s3", "root").list_objects_v2(Bucket=BUCKET)["Contents"]
        return {found["Key"]: found["ETag"] for found in objects}

    def client(self, service: Any, role: str) -> Any:  # noqa: ANN401 - any service of boto3
        """Return a client of a service in that role."""
        words: dict[str, Any] = {name.lower(): value for name, value in self.roles[role].items()}
        return boto3.client(service, endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1", **words)


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    """Start S3 on its own port, with one bucket, and with roles to read and write each stack."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/moto-api/data.json")
            storage = Storage(port, {"root": make_keys("root", "root")})
            storage.client("s3", "root").create_bucket(Bucket=BUCKET)
            iam = storage.client("iam", "root")
            everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
            policies = {f"{kind}-{stack}": read_policy(kind, stack) for stack in STACKS for kind in ("read", "write")}
            for role, policy in (policies | {"root": everything}).items():
                storage.roles[role] = create_role(iam, role, policy)
            ask(f"http://127.0.0.1:{port}/moto-api/reset-auth", b"0")  # check policies from now on
            yield storage
        finally:
            server.terminate()


def read_policy(kind: str, stack: str) -> dict[str, Any]:
    """Return the policy in deploy/aws for a role of the stack, with the names filled in."""
    text = (ROOT / f"deploy/aws/state-{kind}.json").read_text()
    return dict(json.loads(text.replace("BUCKET", BUCKET).replace("STACK", stack)))


def create_role(iam: IAMClient, name: str, policy: dict[str, Any]) -> dict[str, str]:
    """Create a user with that policy, who represents anyone who assumed the role."""
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="state", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return make_keys(key["AccessKeyId"], key["SecretAccessKey"])


def make_keys(key_id: str, secret: str) -> dict[str, str]:
    """Return the variables of an access key."""
    return {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret}


def wait_for(url: str) -> None:
    """Wait until the server responds."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return ask(url)
        time.sleep(0.1)
    raise TimeoutError(url)


def ask(url: str, content: bytes | None = None) -> None:
    """Send a request to 127.0.0.1, with or without a body."""
    request = urllib.request.Request(url, content, {"Content-Type": "text/plain"})  # noqa: S310 - a local server
    with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 - same
        pass


@pytest.fixture
def project(tmp_path: Path, engine: str, emulator: Emulator, iam: IAMClient) -> Stack:
    """Create a project with jane's spec."""
    iam.create_user(UserName="jane")
    stack = create_stack(tmp_path, engine, emulator.url)
    stack.write_specs(team=JANE)
    return stack


def test_each_role_has_its_stack(storage: Storage, project: Stack, iam: IAMClient) -> None:
    """A write role updates its own stack and no other; a read role previews, and changes none."""
    for stack in STACKS:
        project.succeed("stack", "init", stack, **storage.environment("root"))
        project.succeed("config", "set", "specs", "specs", "--stack", stack, **storage.environment("root"))

    writer, reader = storage.environment("write-prod"), storage.environment("read-prod")
    project.succeed("up", "--yes", "--skip-preview", "--stack", "prod", **writer)
    assert len(list_credentials(iam, "jane")) == 1
    made = storage.read_tags()

    assert "1 to create" not in project.succeed("preview", "--stack", "prod", "--diff", **reader)
    project.succeed("stack", "export", "--stack", "prod", **reader, PULUMI_CONFIG_PASSPHRASE="")
    assert storage.read_tags() == made
    for words, role in (
        (("up", "--yes", "--skip-preview", "--stack", "prod"), "read-prod"),
        (("up", "--yes", "--skip-preview", "--stack", "other"), "write-prod"),
        (("preview", "--stack", "other"), "write-prod"),
        (("stack", "export", "--stack", "other"), "read-prod"),
    ):
        assert " 403" in project.fail(*words, **storage.environment(role)), words
    assert storage.read_tags() == made
    assert len(list_credentials(iam, "jane")) == 1


@pytest.mark.parametrize("role", ["write-prod", "read-prod"])
def test_no_object_of_another_stack(storage: Storage, project: Stack, role: str) -> None:
    """A role can neither write nor delete objects of other stacks or the metadata of the backend."""
    project.succeed("stack", "init", f"{role}-names", **storage.environment("root"))
    client = storage.client("s3", role)
    for key in (
        ".pulumi/stacks/iamcreds/other.json",
        ".pulumi/stacks/iamcreds/prod.eu.json",
        ".pulumi/stacks/iamcreds/prod2.json",
        ".pulumi/stacks/another/prod.json",
        ".pulumi/locks/organization/iamcreds/other/x.json",
        ".pulumi/history/iamcreds/prod2/x.json",
        ".pulumi/backups/iamcreds/other/x.json",
        ".pulumi/meta.yaml",
    ):
        for act in (client.put_object, client.delete_object):
            with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
                act(Bucket=BUCKET, Key=key)
