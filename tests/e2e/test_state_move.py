"""`pulumi state move`: the destination keeps a credential that it declares, with its id and password."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.existing import JANE, list_credentials
from tests.e2e.stack import Stack, add_aws_plugin

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

TEAM = """
users:
  jane: {credentials: [{service: codecommit}], accessKeys: {max: 1}, unmanaged: report}
  joe: {credentials: [{service: bedrock}]}
"""
RENEWED = "users: {jane: {credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 14d}}]}}"
JOE = "users: {joe: {credentials: [{service: bedrock}]}}"
RENAMED = "users: {jane: {credentials: [{service: codecommit, name: laptop, was: codecommit}]}}"
AT_THE_ROOT = """
from dynamic_providers import ServiceSpecificCredential

ServiceSpecificCredential("jane/codecommit", user="jane", service="codecommit")
"""
CHANGES = {f"iam:{verb}ServiceSpecificCredential" for verb in ("Create", "Delete", "Reset", "Update")}


@pytest.fixture
def destination(stack: Stack, tmp_path: Path) -> Stack:
    """A stack of a different project, in the same backend and for the same account."""
    return create_moved_stack(stack, tmp_path / "destination", "destination")


@pytest.fixture
def sibling(stack: Stack, tmp_path: Path) -> Stack:
    """A different stack of the same project."""
    return create_moved_stack(stack, tmp_path / "sibling", "iamcreds")


def create_moved_stack(stack: Stack, folder: Path, project: str) -> Stack:
    """Create the stack `moved` of this project in a copy of the folder."""
    shutil.copytree(stack.folder, folder, symlinks=True)
    settings = folder / "Pulumi.yaml"
    settings.write_text(settings.read_text().replace("name: iamcreds", f"name: {project}", 1))
    created = Stack(folder, stack.env | {"PULUMI_STACK": "moved"}, stack.printed)
    created.succeed("stack", "init", "moved", "--no-select")
    return created


@pytest.fixture
def source(stack: Stack, iam: IAMClient) -> Stack:
    """A stack with a password of jane and an API key of joe, declared in one file."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    stack.write_specs(team=TEAM)
    stack.up()
    return stack


def move(source: Stack, destination: Stack, name: str, *options: str) -> str:
    """Move a resource with `pulumi state move`; return its id."""
    resource = source.read_resources()[name]
    move_all(source, destination, *options, resource["urn"])
    return str(resource["id"])


def move_all(source: Stack, destination: Stack, *arguments: str) -> None:
    """Move resources, which are named by their URNs."""
    project = yaml.safe_load((destination.folder / "Pulumi.yaml").read_text())["name"]
    stacks = ("--source", "organization/iamcreds/test", "--dest", f"organization/{project}/moved")
    source.succeed("state", "move", "--yes", *stacks, *arguments)


def assert_kept(stack: Stack, emulator: Emulator, name: str, credential_id: str) -> None:
    """Update the stack, which must change nothing in AWS and still print the password of the credential."""
    emulator.controls.clear_counts()
    preview = stack.preview()
    assert not re.search(r"ServiceSpecificCredential: \((?!refresh)", preview), preview
    stack.up()
    stack.assert_no_changes()
    assert not CHANGES & emulator.controls.counts().keys()
    assert stack.read_resources()[name]["id"] == credential_id
    assert all(not resource.get("aliases") for resource in stack.read_resources().values())
    shown = subprocess.run(
        ["iamcreds", "secret", name],  # noqa: S607 - found by the PATH of the stack
        cwd=stack.folder, env=stack.env, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert emulator.controls.passwords()[credential_id] in shown.stdout


@pytest.mark.parametrize(
    ("specs", "name"), [(JANE, "jane/codecommit"), (RENAMED, "jane/codecommit/laptop")], ids=["same name", "was"]
)
def test_one_credential(source: Stack, destination: Stack, emulator: Emulator, specs: str, name: str) -> None:
    """A moved credential is kept by specs that declare it, also under a new name, and the source keeps the others."""
    moved = move(source, destination, "jane/codecommit")
    destination.write_specs(jane=specs)
    assert_kept(destination, emulator, name, moved)
    source.write_specs(team=JOE)
    assert_kept(source, emulator, "joe/bedrock", source.read_resources()["joe/bedrock"]["id"])


def test_into_the_same_file(source: Stack, sibling: Stack, emulator: Emulator) -> None:
    """A moved credential is kept if the destination already has a spec file of that name."""
    sibling.write_specs(team="users: {joe: {credentials: [{service: logs}]}}")
    sibling.up()
    moved = move(source, sibling, "jane/codecommit")
    sibling.write_specs(team=f"{JANE[:-1]}, joe: {{credentials: [{{service: logs}}]}}}}")
    assert_kept(sibling, emulator, "jane/codecommit", moved)


def test_different_config(source: Stack, destination: Stack) -> None:
    """Pulumi does not move into a stack that has the provider with a different config, and moves nothing then."""
    destination.write_specs(team="users: {joe: {credentials: [{service: logs}]}}")
    destination.up()
    before = source.read_resources()
    stacks = ("--source", "organization/iamcreds/test", "--dest", "organization/destination/moved")
    printed = source.fail("state", "move", "--yes", *stacks, before["jane/codecommit"]["urn"])
    assert "already exists in destination stack" in printed
    assert source.read_resources().keys() == before.keys()


@pytest.mark.parametrize("options", [(), ("--include-parents",)])
def test_to_classes(source: Stack, destination: Stack, emulator: Emulator, options: tuple[str, ...]) -> None:
    """A moved credential is kept by a class without a parent."""
    source.write_specs(team=JANE)
    source.up()
    moved = move(source, destination, "jane/codecommit", *options)
    destination.write_program(AT_THE_ROOT)
    assert_kept(destination, emulator, "jane/codecommit", moved)


def test_before_the_specs_follow(source: Stack, destination: Stack, iam: IAMClient) -> None:
    """Until the specs follow, a preview of the source reports the credential, and the destination would delete it."""
    moved = move(source, destination, "jane/codecommit")
    assert moved in source.fail("preview")
    destination.write_specs(kim="users: {kim: {credentials: []}}")
    assert re.search(r"ServiceSpecificCredential: \(delete", destination.preview())
    assert [existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, "jane")] == [moved]


@pytest.mark.parametrize("file", ["team", "other"])
def test_include_parents(source: Stack, destination: Stack, emulator: Emulator, file: str) -> None:
    """`--include-parents` moves the whole file, and the destination may declare its users in a different file."""
    moved = move(source, destination, "jane/codecommit", "--include-parents")
    assert source.read_resources() == {}
    destination.write_specs(**{file: TEAM})
    assert_kept(destination, emulator, "jane/codecommit", moved)
    assert set(destination.read_resources()) >= {"jane/codecommit", "joe/bedrock"}


def test_every_resource_of_a_user(
    source: Stack, destination: Stack, iam: IAMClient, emulator: Emulator, tmp_path: Path
) -> None:
    """An IAM user with an attached policy and the watchers of a file are kept like a credential."""
    add_aws_plugin(source, tmp_path)
    destination.env["PATH"] = source.env["PATH"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
    arn = iam.create_policy(PolicyName="reading", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    kim = f"""  kim:
    iamUser: {{policyArns: ["{arn}"]}}
    credentials: [{{service: logs}}]
"""
    source.write_specs(team=TEAM + kim)
    source.up()
    state = json.loads(source.succeed("stack", "export"))["deployment"]["resources"]
    move_all(source, destination, *(one["urn"] for one in state if one.get("parent", "").endswith("specs/team.yaml")))
    destination.write_specs(team=TEAM + kim)
    emulator.controls.clear_counts()
    printed = destination.succeed("up", "--yes", "--skip-preview")
    assert "1 created" in printed  # the component of the file
    assert "deleted" not in printed
    assert all(call.startswith(("iam:Get", "iam:List", "sts:")) for call in emulator.controls.calls())
    destination.assert_no_changes()


def test_both_slots(stack: Stack, destination: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The destination keeps both keys of a renewed credential, and names the current and the previous one."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=RENEWED)
    stack.up()
    emulator.controls.set(clock_shift=80 * 86_400)
    stack.up()
    resources = stack.read_resources()
    first, second = (resources[name] for name in ("jane/bedrock", "jane/bedrock~2"))
    move_all(stack, destination, first["urn"], second["urn"])
    destination.write_specs(jane=RENEWED)
    emulator.controls.clear_counts()
    destination.up()
    destination.assert_no_changes()
    assert not CHANGES & emulator.controls.counts().keys()
    moved = destination.read_outputs()["credentials"]["jane/bedrock"]
    assert (moved["id"], moved["previous"]["id"]) == (second["id"], first["id"])
    assert destination.read_secrets() == {"jane/bedrock": emulator.controls.passwords()[second["id"]]}


def test_from_classes_to_specs(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A stack of classes without parents becomes a stack of specs, and the other way around."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    program = (stack.folder / "__main__.py").read_text()
    stack.write_program(AT_THE_ROOT)
    stack.up()
    (existing,) = list_credentials(iam, "jane")
    stack.write_program(program)
    assert_kept(stack, emulator, "jane/codecommit", existing["ServiceSpecificCredentialId"])
    stack.write_program(AT_THE_ROOT)
    assert_kept(stack, emulator, "jane/codecommit", existing["ServiceSpecificCredentialId"])
