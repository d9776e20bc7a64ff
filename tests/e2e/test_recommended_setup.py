"""The recommended setup, with the documented commands: state in S3, secrets encrypted by KMS, both on moto."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from dataclasses import replace
from signal import SIGKILL
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.documents.player import Player
from tests.documents.reading import blocks
from tests.e2e.conftest import assert_no_leak, contain_any
from tests.e2e.existing import JANE, list_credentials, pass_a_day, wait_until
from tests.e2e.stack import ROOT, Stack, make_environment
from tests.faults.processes import find_processes, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

BUCKET = "our-pulumi-state"
STATE = ".pulumi/stacks/iamcreds/prod.json"
RESET = JANE.replace("codecommit", 'codecommit, reset: "2026-11-01 laptop lost"')
AWS = """#!{python}
import json, sys, boto3, jmespath
service, operation, *words = sys.argv[1:]
def read(value):
    pairs = [pair.partition("=") for pair in value.split(",")]
    if service == "kms" or "/" in value or not all(middle for _, middle, _ in pairs):
        return value
    return {{name: {{"true": True, "false": False}}.get(given, given) for name, _, given in pairs}}
given = dict(zip(words[::2], words[1::2]))
query, output = given.pop("--query", None), given.pop("--output", None)
arguments = {{name[2:].title().replace("-", ""): read(value) for name, value in given.items()}}
client = boto3.client({{"s3api": "s3"}}.get(service, service), region_name="us-east-1")
response = getattr(client, operation.replace("-", "_"))(**arguments)
response.pop("ResponseMetadata")
if output == "text":
    print("\\n".join("\\t".join(map(str, row)) for row in jmespath.search(query, response)))
else:
    print(json.dumps(response, default=str))
"""
"""The options of the AWS CLI that the documents use."""


@pytest.fixture
def aws() -> Iterator[str]:
    """Start a moto server with empty S3 and KMS, which the IAM emulator does not have; return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until(lambda: is_answering(url))
            yield url
        finally:
            server.terminate()


def is_answering(url: str) -> bool:
    """Return True if a server responds."""
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5):  # noqa: S310 - a local server
        return True
    return False


@pytest.fixture
def stack(tmp_path: Path, engine: str, emulator: Emulator, iam: IAMClient, aws: str) -> Iterator[Stack]:
    """Create a stack a day ago with the documented commands, with `aws` on PATH and jane's spec."""
    emulator.controls.set(clock_shift=-86_400)
    iam.create_user(UserName="jane")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/aws").write_text(AWS.format(python=sys.executable))
    (tmp_path / "bin/aws").chmod(0o755)
    env = make_environment(tmp_path, engine, emulator.url)
    del env["PULUMI_CONFIG_PASSPHRASE"], env["PULUMI_BACKEND_URL"]
    env |= {"AWS_ENDPOINT_URL_S3": aws, "AWS_ENDPOINT_URL_KMS": aws, "PATH": f"{tmp_path}/bin:{env['PATH']}"}
    made = Stack(copy_project(ROOT, tmp_path / "project"), env)
    made.write_specs(team=JANE)
    script = read_block(ROOT / "deploy/README.md", "State in S3").replace("BUCKET", BUCKET)
    before_the_alias, alias, after = re.split(r"(^aws kms create-alias .*\n)", script, flags=re.MULTILINE)
    said = run(made, f"git init --quiet\n{before_the_alias}")
    (key,) = re.findall(r'"KeyId": "([^"]+)"', said)
    assert "jane/codecommit" in run(made, alias.replace("KEY", key) + after)
    (made.env["PULUMI_BACKEND_URL"],) = re.findall(r'PULUMI_BACKEND_URL="(.*)"', script)
    made.env["PULUMI_STACK"] = "prod"
    made.up()
    emulator.controls.set(clock_shift=0)
    yield made
    assert_no_leak(made, tmp_path, emulator.controls.secrets())
    assert not contain_any(read_bucket(connect_to_s3(aws)), emulator.controls.secrets())


def connect_to_s3(aws: str) -> Any:  # noqa: ANN401 - the development dependencies have no types of S3
    """Return an administrator's client of that S3."""
    return boto3.client(
        "s3", endpoint_url=aws, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def read_bucket(s3: Any) -> list[str]:  # noqa: ANN401 - as above
    """Return every version of every object in the bucket as text."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET)
    versions = [version for page in pages for version in page.get("Versions", [])]
    assert {STATE, ".pulumi/meta.yaml"} <= {version["Key"] for version in versions}
    found = (s3.get_object(Bucket=BUCKET, Key=each["Key"], VersionId=each["VersionId"]) for each in versions)
    return [answer["Body"].read().decode(errors="replace") for answer in found]


def copy_project(source: Path, folder: Path) -> Path:
    """Copy the files of a project that git would clone."""
    folder.mkdir()
    for name in ("Pulumi.yaml", "__main__.py", "Pulumi.prod.yaml"):
        if (source / name).exists():
            shutil.copy(source / name, folder)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def read_block(document: Path, heading: str) -> str:
    """Return the shell block below a heading."""
    (text,) = (block.text for block in blocks(document) if block.heading == heading and block.language == "sh")
    return text


def run(stack: Stack, script: str) -> str:
    """Run a script, which must succeed, and return its output and errors."""
    done = subprocess.run(
        ["bash", "-euc", script],  # noqa: S607 - a person's shell
        cwd=stack.folder, env=stack.env, timeout=200, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    stack.printed.append(done.stdout)
    assert done.returncode == 0, done.stdout
    return done.stdout


def play(stack: Stack, emulator: Emulator, heading: str) -> None:
    """Play the blocks below a heading of the document about states."""
    player = Player(stack, emulator.controls, stack.env)
    played = [block for block in blocks(ROOT / "docs/state.md") if block.heading == heading]
    assert played
    for block in played:
        player.play(block)


def start_up(stack: Stack, emulator: Emulator) -> subprocess.Popen[str]:
    """Start an `up`, and pause it during its reset."""
    emulator.controls.pause("iam:ResetServiceSpecificCredential", when="after", call=1)
    begun = subprocess.Popen(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"],  # noqa: S607 - by the stack's PATH
        cwd=stack.folder, env=stack.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_until(lambda: bool(emulator.controls.held()), 100)
    return begun


def assert_password_works(stack: Stack, emulator: Emulator, iam: IAMClient) -> None:
    """Assert that there is one credential, and that the state has its valid password."""
    (existing,) = list_credentials(iam, "jane")
    password = emulator.controls.passwords()[existing["ServiceSpecificCredentialId"]]
    assert stack.read_secrets() == {"jane/codecommit": password}


def test_two_at_once(stack: Stack, emulator: Emulator, iam: IAMClient) -> None:
    """A second `up` reports the lock of the backend and changes nothing; the first one completes."""
    stack.write_specs(team=RESET)
    first = start_up(stack, emulator)
    play(stack, emulator, "Concurrent updates")
    emulator.controls.clear_faults()
    emulator.controls.release()
    said, _ = first.communicate(timeout=200)
    stack.printed.append(said)
    assert first.returncode == 0, said
    assert emulator.controls.counts()["iam:ResetServiceSpecificCredential"] == 1
    assert_password_works(stack, emulator, iam)
    stack.assert_no_changes()


def test_killed(stack: Stack, emulator: Emulator, iam: IAMClient, tmp_path: Path) -> None:
    """A killed `up` leaves a lock, which `pulumi cancel` removes; the next `up` completes its work."""
    stack.write_specs(team=RESET)
    first = start_up(stack, emulator)
    for pid in find_processes(tmp_path):
        send(pid, SIGKILL)
    emulator.controls.abandon()
    emulator.controls.clear_faults()
    first.communicate(timeout=20)
    assert "currently locked" in stack.fail("up", "--yes", "--skip-preview")
    play(stack, emulator, "Interrupted update")
    assert_password_works(stack, emulator, iam)
    stack.assert_no_changes()


def test_another_machine(stack: Stack, emulator: Emulator, iam: IAMClient, tmp_path: Path) -> None:
    """On a new machine with only a clone, no home and no passphrase, a run has no changes and reads the password."""
    home = tmp_path / "another"
    home.mkdir()
    env = {name: value.replace(f"{tmp_path}/pulumi", f"{home}/pulumi") for name, value in stack.env.items()}
    other = replace(stack, folder=copy_project(stack.folder, home / "project"), env=env | {"HOME": str(home)})
    other.write_specs(team=JANE)
    play(other, emulator, "Different machine")
    assert_password_works(other, emulator, iam)
    other.write_specs(team=RESET)
    other.up()
    stack.write_specs(team=RESET)
    stack.assert_no_changes()
    assert_password_works(stack, emulator, iam)


def test_secrets_provider(stack: Stack) -> None:
    """The state's KMS key is that of the settings file, and a state that names an endpoint for it is rejected."""
    check = "iamcreds state check - --settings Pulumi.prod.yaml"
    assert "no unknown code" in run(stack, f"pulumi stack export | {check}")
    forge = "sed 's|awskms://[^\"]*|&\\&endpoint=http://127.0.0.2:9|'"
    for command in (check, "iamcreds state check -"):
        said = run(stack, f"pulumi stack export | {forge} | {command} && exit 9 || echo exit $?")
        assert "exit 2" in said
        assert "(outside of resources): " in said
    assert "is not the one of the stack's settings file" in run(
        stack, f"pulumi stack export | {forge} | {check} || true"
    )


def test_older_state(stack: Stack, emulator: Emulator, iam: IAMClient) -> None:
    """A restored older state resets again in the next `up`; until then its password is not valid."""
    before = stack.read_secrets()
    version = connect_to_s3(stack.env["AWS_ENDPOINT_URL_S3"]).head_object(Bucket=BUCKET, Key=STATE)["VersionId"]
    stack.write_specs(team=RESET)
    stack.up()
    after = stack.read_secrets()
    script = read_block(ROOT / "docs/state.md", "Earlier state").replace("BUCKET", BUCKET)
    said = run(stack, script.replace("VERSION", version))
    assert version in said
    assert re.search(r"~ reset|\+ reset", said)
    assert stack.read_secrets() == before
    stack.write_specs(team=JANE)
    stack.assert_no_changes()
    stack.write_specs(team=RESET)
    pass_a_day(emulator)
    stack.up()
    assert_password_works(stack, emulator, iam)
    assert before.items() != after.items() != stack.read_secrets().items()
