"""IAM users declared in specs, on the real engine, with a substitute for the plugin of pulumi-aws (aws_plugin.py)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.existing import list_credentials, pass_a_day
from tests.e2e.stack import add_aws_plugin
from tests.providers.test_with_pulumi_aws import program

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

ALLOWED = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [ALLOWED]})
POLICY = "arn:aws:iam::123456789012:policy/reading"
JANE = f"""account: "123456789012"
users:
  jane:
    iamUser: {{path: /team/, tags: {{team: payments}}, policyArns: [{POLICY}]}}
    credentials: [{{service: codecommit}}]
    accessKeys: {{max: 1, enforce: true}}
    unmanaged: report
"""
BELOW = "urn:pulumi:test::iamcreds::iamcreds:index:SpecFile$"
USER = f"{BELOW}aws:iam/user:User::jane"


@pytest.fixture(autouse=True)
def plugin(stack: Stack, tmp_path: Path, iam: IAMClient) -> None:
    """Add a plugin to the stack, and create a policy to attach."""
    add_aws_plugin(stack, tmp_path)
    iam.create_policy(PolicyName="reading", PolicyDocument=DOCUMENT)


def list_users(iam: IAMClient) -> list[str]:
    """List the names of all IAM users."""
    return [user["UserName"] for user in iam.list_users()["Users"]]


def list_policies(iam: IAMClient, user: str) -> list[str]:
    """List the names of the managed policies that are attached to a user."""
    return [policy["PolicyName"] for policy in iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]]


def list_changes(emulator: Emulator) -> list[str]:
    """List the IAM calls that change something, in order."""
    return [call for call in emulator.controls.calls() if not call.startswith(("iam:List", "iam:Get", "sts:"))]


def read_state(stack: Stack) -> dict[str, dict[str, Any]]:
    """Read all resources of the state, by URN."""
    state = json.loads(stack.succeed("stack", "export"))
    return {found["urn"]: found for found in state["deployment"]["resources"]}


def test_life(stack: Stack, emulator: Emulator, iam: IAMClient) -> None:
    """A user is created before all dependents, moves to a different file unchanged, and is deleted after them."""
    stack.write_specs(jane=JANE)
    preview = stack.preview()
    assert "7 to create" in preview
    assert "refuse" not in preview
    emulator.controls.clear_counts()
    stack.up()
    made = list_changes(emulator)
    assert made[0] == "iam:CreateUser"
    assert sorted(made[1:]) == ["iam:AttachUserPolicy", "iam:CreateServiceSpecificCredential"]
    stack.assert_no_changes()
    state = read_state(stack)
    attachment = f"{BELOW}aws:iam/userPolicyAttachment:UserPolicyAttachment::jane/123456789012:policy/reading"
    credential = f"{BELOW}pulumi-python:dynamic/iam:ServiceSpecificCredential::jane/codecommit"
    for dependent in (attachment, credential):
        assert state[dependent]["dependencies"] == [USER]
        assert state[dependent]["propertyDependencies"]["user"] == [USER]
    assert state[USER]["sourcePosition"] == "project:///specs/jane.yaml#4,5"
    watchers = [urn for urn in state if "AccessKeys" in urn or "UnmanagedCredentials" in urn]
    assert [state[urn].get("dependencies", []) for urn in watchers] == [[], []]

    stack.write_specs(team=JANE)
    assert read_state(stack).keys() >= {USER, attachment, credential}
    stack.up()
    assert list_changes(emulator) == made

    emulator.controls.clear_counts()
    stack.write_specs(team=JANE.replace("jane", "bob"))
    assert "3 to delete" in stack.preview()
    stack.up()
    gone = [change for change in list_changes(emulator) if "Delete" in change or "Detach" in change]
    assert sorted(gone[:2]) == ["iam:DeleteServiceSpecificCredential", "iam:DetachUserPolicy"]
    assert gone[2:] == ["iam:DeleteUser"]
    assert list_users(iam) == ["bob"]


def test_policies(stack: Stack, iam: IAMClient) -> None:
    """A new policy is attached, a removed one is detached, and an unmanaged one stays attached."""
    for name in ("writing", "foreign"):
        iam.create_policy(PolicyName=name, PolicyDocument=DOCUMENT)
    stack.write_specs(jane=JANE)
    stack.up()
    iam.attach_user_policy(UserName="jane", PolicyArn=POLICY.replace("reading", "foreign"))
    stack.write_specs(jane=JANE.replace("policy/reading", "policy/writing"))
    stack.up()
    assert sorted(list_policies(iam, "jane")) == ["foreign", "writing"]
    stack.assert_no_changes()


def test_import(stack: Stack, emulator: Emulator, iam: IAMClient) -> None:
    """An existing user is imported, with a preview of all differences; later runs ignore the field."""
    iam.create_user(UserName="jane", Path="/team/", Tags=[{"Key": "team", "Value": "build"}])
    adopted = iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    credential_id = adopted["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    specs = JANE.replace("path:", "import: true, path:").replace("codecommit}", f"codecommit, adopt: {credential_id}}}")
    stack.write_specs(jane=specs)
    emulator.controls.clear_counts()
    preview = stack.preview()
    assert "1 to import" in preview
    assert 'team: "build" => "payments"' in preview
    stack.up()
    assert set(list_changes(emulator)) == {"iam:AttachUserPolicy", "iam:TagUser", "iam:UntagUser", "iam:UpdateUser"}
    assert [existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, "jane")] == [credential_id]
    assert iam.list_user_tags(UserName="jane")["Tags"] == [{"Key": "team", "Value": "payments"}]
    stack.assert_no_changes()

    iam.detach_user_policy(UserName="jane", PolicyArn=POLICY)
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=credential_id)
    iam.delete_user(UserName="jane")
    pass_a_day(emulator)
    stack.write_specs(jane=specs.replace(f", adopt: {credential_id}", ""))
    assert "3 to create" in stack.preview()
    stack.up()
    assert list_users(iam) == ["jane"]
    stack.assert_no_changes()


def test_refusals(stack: Stack, iam: IAMClient) -> None:
    """The preview rejects all creates and imports that cannot succeed, with every other rejection and its location."""
    for name in ("there", "Case", "narrow"):
        iam.create_user(UserName=name)
    iam.create_service_specific_credential(UserName="narrow", ServiceName="codecommit.amazonaws.com")
    stack.write_specs(
        a="""users:
  there: {iamUser: true, credentials: []}
  case: {iamUser: true, credentials: [{service: codecommit}]}
  gone: {iamUser: {import: true}, credentials: [{service: codecommit}]}
  new: {iamUser: true, credentials: [{service: codecommit}]}
  narrow: {credentials: [{service: codecommit}]}
"""
    )
    said = stack.fail("preview")
    for line in (
        "specs/a.yaml:2:11: there: IAM user there already exists. Import the user with `iamUser: {import: true}`",
        "specs/a.yaml:3:10: case: IAM has user Case, and user names must differ by more than case",
        "specs/a.yaml:4:10: gone: IAM has no user gone to import. Remove `import` to create the user",
        "specs/a.yaml:6:26: narrow/codecommit: cannot create a codecommit credential for user narrow: ",
    ):
        assert line in said
    stack.write_specs(a="users: {narrow: {credentials: []}}")
    stack.up()
    stack.write_specs(a="users: {narrow: {credentials: []}, there: {iamUser: true, credentials: []}}")
    assert "would reject" in stack.fail("preview")
    stack.succeed("preview", "--target", "urn:pulumi:test::iamcreds::iamcreds:index:SpecFile::specs/a.yaml")


def test_failure(stack: Stack, emulator: Emulator, iam: IAMClient) -> None:
    """If a user cannot be created, only that user's resources fail."""
    stack.write_specs(jane=JANE, bob="users: {bob: {credentials: [{service: codecommit}]}}")
    iam.create_user(UserName="bob")
    emulator.controls.deny("iam:CreateUser")
    said = stack.fail("up", "--yes", "--skip-preview", "--continue-on-error")
    assert "not authorized to perform: iam:CreateUser" in said
    assert list(stack.read_outputs()["credentials"]) == ["bob/codecommit"]
    assert [change for change in list_changes(emulator) if "Attach" in change] == []
    emulator.controls.clear_faults()
    stack.up()
    assert list(stack.read_outputs()["credentials"]) == ["bob/codecommit", "jane/codecommit"]
    stack.assert_no_changes()


def test_leaver_with_something_else(stack: Stack, iam: IAMClient) -> None:
    """IAM rejects the deletion of a user who has unmanaged resources, and none of them changes."""
    stack.write_specs(jane=JANE)
    stack.up()
    key = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    stack.write_specs(bob="users: {bob: {credentials: []}}")
    iam.create_user(UserName="bob")
    assert "DeleteConflict" in stack.fail("up", "--yes", "--skip-preview")
    assert list_credentials(iam, "jane") == []
    iam.delete_access_key(UserName="jane", AccessKeyId=key)
    stack.up()
    assert list_users(iam) == ["bob"]


def test_staying(stack: Stack, iam: IAMClient) -> None:
    """A protected user is not deleted, nor one without `iamUser`; a retained user only leaves the state."""
    stack.write_specs(jane=JANE.replace("path:", "protect: true, path:"))
    stack.up()
    stack.write_specs(bob="users: {}")
    said = stack.fail("up", "--yes", "--skip-preview", "--config", "allowEmpty=true")
    assert f"pulumi state unprotect '{USER}'" in said
    stack.write_specs(jane=JANE.replace("path:", "retainOnDelete: true, path:"))
    stack.succeed("state", "unprotect", USER, "--yes")
    stack.up()

    without = "\n".join(line for line in JANE.splitlines() if "iamUser" not in line)
    stack.write_specs(jane=without)
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        said = stack.fail(*command)
        assert "specs/jane.yaml:3:3: jane: `iamUser` was removed, and Pulumi would delete the IAM user" in said
    stack.write_specs(jane=without.replace("credentials:", "iamUser: false\n    credentials:"))
    stack.up()
    assert (list_users(iam), list_policies(iam, "jane"), len(list_credentials(iam, "jane"))) == (
        ["jane"],
        ["reading"],
        1,
    )
    assert USER not in read_state(stack)
    stack.assert_no_changes()


def test_another_account(stack: Stack, emulator: Emulator, iam: IAMClient) -> None:
    """If pulumi-aws uses a different account than the specs declare, or is not installed, nothing is changed."""
    bob = "users: {bob: {iamUser: true, credentials: []}}"
    stack.write_specs(jane=JANE.replace("123456789012", "999999999999", 1), bob=bob)
    emulator.controls.clear_counts()
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        said = stack.fail(*command)
        assert "uses account 123456789012, but this stack is for account 999999999999: nothing was changed" in said
    stack.env["PATH"] = stack.env["PATH"].split(":", 1)[1]
    assert "no resource plugin 'pulumi-resource-aws' found" in stack.fail("preview")
    assert (list_changes(emulator), list_users(iam)) == ([], [])


def test_documented_program(stack: Stack, iam: IAMClient) -> None:
    """The documented program of your own previews without a warning about the user that it creates."""
    iam.create_user(UserName="build-bot")
    stack.write_program(program())
    preview = stack.preview()
    assert "5 to create" in preview
    assert preview.replace("warning: using pulumi-resource-aws from $PATH", "").count("warning") == 0
    stack.up()
    stack.assert_no_changes()
