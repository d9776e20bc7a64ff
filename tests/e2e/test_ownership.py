"""Managed credentials: a narrowed, replacing or renaming run never calls one of them unmanaged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.e2e.existing import JANE, list_credentials, pass_a_day

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

TWO = "users: {{jane: {{credentials: [{{service: codecommit, name: {}}}, {{service: codecommit, name: {}}}]}}}}"
ACCUSATIONS = ("unmanaged credential", "delete-service-specific-credential", "Options: delete")
UP = ("up", "--yes", "--skip-preview")


def test_new_sibling_as_target(stack: Stack, iam: IAMClient) -> None:
    """`--target` creates a second credential next to a managed one, even if nothing is read (`--refresh=false`)."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    before = ids(iam)
    both = "users: {jane: {credentials: [{service: codecommit}, {service: codecommit, name: spare}]}}"
    stack.write_specs(jane=both)
    target = ("--target", "**jane/codecommit/spare")
    assert_no_accusation(stack.succeed("preview", *target, "--refresh=false"))
    assert_no_accusation(stack.succeed(*UP, *target, "--refresh=false"))
    assert len(ids(iam)) == 2
    assert before < ids(iam)
    stack.write_specs(jane=JANE)
    stack.up()
    stack.write_specs(jane=both)
    assert_no_accusation(stack.succeed(*UP, *target))
    assert before < ids(iam)
    stack.up()
    stack.assert_no_changes()


def test_asked_for_replacement_of_the_only(stack: Stack, iam: IAMClient) -> None:
    """`--replace` and taint replace the only credential of its user and service: the new one is created first."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    old = ids(iam)
    urn = stack.read_resources()["jane/codecommit"]["urn"]
    assert_no_accusation(stack.succeed("preview", "--replace", urn))
    replaced = stack.succeed(*UP, "--replace", urn)
    assert replaced.index("created replacement") < replaced.index("deleted original")
    assert_no_accusation(replaced)
    second = ids(iam)
    assert (len(second), second & old) == (1, set())
    stack.succeed("state", "taint", "--yes", urn)
    assert_no_accusation(stack.preview())
    assert_no_accusation(stack.up())
    assert (len(ids(iam)), ids(iam) & second) == (1, set())
    stack.assert_no_changes()


def test_asked_for_replacement_of_one_of_two(stack: Stack, iam: IAMClient) -> None:
    """`--replace` and taint replace one of two: the old one is deleted first because of the quota; the other stays."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=TWO.format("a", "b"))
    stack.up()
    kept = stack.read_outputs()["credentials"]["jane/codecommit/b"]
    old = ids(iam)
    urn = stack.read_resources()["jane/codecommit/a"]["urn"]
    assert_no_accusation(stack.succeed("preview", "--replace", urn))
    replaced = stack.succeed(*UP, "--replace", urn)
    assert replaced.index("deleted original") < replaced.index("created replacement")
    assert_no_accusation(replaced)
    assert ids(iam) & old == {kept["id"]}
    stack.succeed("state", "taint", "--yes", urn)
    assert_no_accusation(stack.preview())
    assert_no_accusation(stack.up())
    assert len(ids(iam)) == 2
    assert stack.read_outputs()["credentials"]["jane/codecommit/b"] == kept
    stack.assert_no_changes()


def test_swapped_names(stack: Stack, iam: IAMClient) -> None:
    """Resources that swap their names are replaced: each new one is created next to the old one of the other."""
    iam.create_user(UserName="jane")
    program = """from dynamic_providers import ServiceSpecificCredential

ServiceSpecificCredential("{}", user="jane", service="codecommit")
ServiceSpecificCredential("{}", user="jane", service="bedrock")
"""
    stack.write_program(program.format("a", "b"))
    stack.up()
    old = ids(iam)
    stack.write_program(program.format("b", "a"))
    assert_no_accusation(stack.preview())
    assert_no_accusation(stack.up())
    assert (len(ids(iam)), ids(iam) & old) == (2, set())
    stack.assert_no_changes()


def test_renamed_without_was(stack: Stack, iam: IAMClient) -> None:
    """Without `was` a new name is a new credential, which needs free quota; otherwise it is rejected.

    The rejection names the managed credentials by their resources. With the recommended `was`, no changes remain.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    old = ids(iam)
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, name: laptop}]}}")
    assert_no_accusation(stack.preview())
    assert_no_accusation(stack.up())
    assert (len(ids(iam)), ids(iam) & old) == (1, set())

    stack.write_specs(jane=TWO.format("laptop", "b"))
    stack.up()
    both = ids(iam)
    stack.write_specs(jane=TWO.format("c", "b"))
    for command in (["preview"], [*UP]):
        said = stack.fail(*command)
        assert_no_accusation(said)
        assert "by jane/codecommit/laptop" in said
        assert "if this is a renamed credential, keep it with `was: laptop`" in said.replace("\n", " ")
    assert ids(iam) == both
    stack.write_specs(jane=TWO.format("c, was: laptop", "b"))
    stack.up()
    assert ids(iam) == both
    stack.assert_no_changes()


def test_renamed_user(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A user renamed in IAM is found by the credential's id: the preview has the new name, and the specs can follow.

    The credential belongs to its user, so the specs' new user gets a new one, and the old one is deleted.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    pass_a_day(emulator)
    old = ids(iam)
    iam.update_user(UserName="jane", NewUserName="jane-doe")
    said = stack.fail("preview")
    assert "the account has no IAM user jane: IAM renamed it to jane-doe. In specs, rename the user to jane-doe" in said
    stack.write_specs(jane=JANE.replace("jane:", "jane-doe:"))
    assert_no_accusation(stack.preview())
    assert_no_accusation(stack.up())
    assert (len(ids(iam, "jane-doe")), ids(iam, "jane-doe") & old) == (1, set())
    stack.assert_no_changes()
    iam.update_user(UserName="jane-doe", NewUserName="jane-roe")
    stack.succeed("destroy", "--yes")
    assert ids(iam, "jane-roe") == set()


def test_account_of_a_narrowed_create(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If the state is of a different account, nothing is created, not even with `--target` and `--refresh=false`."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    stack.write_specs(jane=JANE)
    stack.up()
    state = stack.folder / "state.json"
    stack.succeed("stack", "export", "--file", str(state))
    state.write_text(state.read_text().replace('"account_id": "123456789012"', '"account_id": "999999999999"'))
    stack.succeed("stack", "import", "--file", str(state))
    emulator.controls.clear_counts()
    stack.write_specs(jane=JANE, joe="users: {joe: {credentials: [{service: bedrock}]}}")
    for narrowed in (["--target", "**joe/bedrock", "--refresh=false"], ["--refresh=false"], []):
        said = stack.fail(*UP, *narrowed)
        assert "belong to account 123456789012, but this state is of account 999999999999" in said
    assert "iam:CreateServiceSpecificCredential" not in emulator.controls.counts()
    assert ids(iam, "joe") == set()


def ids(iam: IAMClient, user: str = "jane") -> set[str]:
    """Return the ids of a user's existing credentials."""
    return {credential["ServiceSpecificCredentialId"] for credential in list_credentials(iam, user)}


def assert_no_accusation(printed: str) -> None:
    """Assert that the output calls no credential unmanaged and does not recommend to delete one."""
    assert not [words for words in ACCUSATIONS if words in printed], printed


def test_two_stacks(stack: Stack, iam: IAMClient) -> None:
    """If two stacks declare the same user and service, preview and `up` of the second name the existing credentials.

    There are never three credentials, and no id is in two states.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(team=JANE)
    stack.up()
    (first,) = list_credentials(iam, "jane")
    stack.succeed("stack", "init", "other", "--no-select")
    other = {"PULUMI_STACK": "other"}
    for command in (("preview",), UP):
        assert f"{first['ServiceSpecificCredentialId']} (Active" in stack.fail(*command, **other)
    stack.write_specs(team=TWO.format("a", "codecommit"))
    stack.up()
    both = list_credentials(iam, "jane")
    stack.write_specs(team=JANE)
    for command in (("preview",), UP):
        said = stack.fail(*command, **other)
        assert all(f"{existing['ServiceSpecificCredentialId']} (Active" in said for existing in both)
    assert list_credentials(iam, "jane") == both
    assert len(both) == 2
    state = json.loads(stack.succeed("stack", "export", **other))
    assert not any(existing["ServiceSpecificCredentialId"] in json.dumps(state) for existing in both)
    stack.write_specs(team=TWO.format("a", "codecommit"))
    stack.assert_no_changes()
