"""Failures end with one clear error, no incomplete credential, and no loss."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.existing import JANE, list_credentials, pass_a_day, wait_until
from tests.e2e.test_two_of_one_name import run_iamcreds

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

CREATE = "iam:CreateServiceSpecificCredential"


def test_unreachable_endpoint(stack: Stack) -> None:
    """Without a response from AWS, a run ends within seconds with an error that names the endpoint."""
    stack.write_specs(jane=JANE)
    said = stack.fail("preview", AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert 'no response from AWS (Could not connect to the endpoint URL: "http://127.0.0.1:9/")' in said


def test_no_credentials(stack: Stack) -> None:
    """Without AWS credentials, the error recommends how to configure them."""
    stack.write_specs(jane=JANE)
    said = stack.fail("preview", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert "no usable AWS credentials (Unable to locate credentials). Options: set AWS_PROFILE" in said


def test_unknown_profile(stack: Stack) -> None:
    """The error names a profile that does not exist."""
    stack.write_specs(jane=JANE)
    said = stack.fail("preview", AWS_PROFILE="nobody")
    assert "no usable AWS credentials (The config profile (nobody) could not be found)" in said


def test_expired_token(stack: Stack, emulator: Emulator) -> None:
    """An expired token is reported as such, and the error recommends how to renew it."""
    stack.write_specs(jane=JANE)
    expired = "The security token included in the request is expired"
    emulator.controls.fail("sts:GetCallerIdentity", times=50, status=403, code="ExpiredToken", message=expired)
    said = stack.fail("up", "--yes")
    assert f"AWS error ExpiredToken: {expired}. The credentials have expired" in said


def test_access_denied(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The error quotes AWS on the missing permission, and names the command that prints the required policy."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    denied = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: " + CREATE
    emulator.controls.fail(CREATE, times=50, status=403, code="AccessDenied", message=denied)
    said = stack.fail("up", "--yes", "--skip-preview")
    assert f"for user jane: AWS error AccessDenied: {denied}. Run `iamcreds permissions`" in said
    assert list_credentials(iam, "jane") == []


def test_unknown_user(stack: Stack) -> None:
    """The preview rejects a user who does not exist, with the source location; `up` rejects the user, too."""
    stack.write_specs(ghost="users: {ghost: {credentials: [{service: codecommit}]}}")
    refused = (
        "ghost/codecommit: the account has no IAM user ghost. Options: create the user (aws iam create-user --user-name"
        " ghost)"
    )
    assert f"specs/ghost.yaml:1:31: {refused}" in stack.fail("preview")
    said = stack.fail("up", "--yes", "--skip-preview")
    assert f"{refused.partition(': ')[2]}; or remove this resource" in said


def test_unknown_service(stack: Stack, iam: IAMClient) -> None:
    """A service that iamcreds does not know is a warning with its source location; if AWS rejects it, `up` names it."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane="users: {jane: {credentials: [{service: teapot.amazonaws.com}]}}")
    said = stack.fail("preview")
    assert "warning: specs/jane.yaml:1:" in said
    assert "jane/teapot.amazonaws.com: cannot create a teapot.amazonaws.com credential for user jane: IAM" in said
    assert "teapot.amazonaws.com" in stack.fail("up", "--yes", "--skip-preview").split("error:")[1]


def test_spec_problems(stack: Stack) -> None:
    """Spec errors stop the program, which lists all of them with their source locations."""
    stack.write_specs(
        a="users: {jane: {credentials: [{service: codecommit, rotate: {every: 90d}}, {service: logs, deliver: {}}]}}",
        b="users: {jane: {}}",
    )
    said = stack.fail("preview")
    assert "specs/a.yaml:1:" in said
    assert '"rotate" lacks "overlap" [missing-key]' in said
    assert '"deliver" must be given one store: secretsManager or ssm [missing-key]' in said
    assert "specs/b.yaml:1:" in said


def test_wrong_account(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Specs for a different account stop preview and `up` before any change."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane='account: "999999999999"\n' + JANE)
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        said = stack.fail(*command)
        assert "belong to account 123456789012, but this resource is declared for account 999999999999" in said
    assert CREATE not in emulator.controls.counts()


def test_state_of_another_account(stack: Stack, iam: IAMClient) -> None:
    """A state of a different account is rejected before any of its resources counts as deleted."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    exported = stack.folder / "state.json"
    stack.succeed("stack", "export", "--file", str(exported))
    exported.write_text(exported.read_text().replace('"account_id": "123456789012"', '"account_id": "999999999999"'))
    stack.succeed("stack", "import", "--file", str(exported))
    for command in (["preview"], ["up", "--yes"], ["destroy", "--yes"], ["destroy", "--yes", "--refresh=false"]):
        said = stack.fail(*command)
        assert "belong to account 123456789012, but this state is of account 999999999999" in said
    assert len(list_credentials(iam, "jane")) == 1


def test_existing_credential(stack: Stack, iam: IAMClient) -> None:
    """An unmanaged credential blocks a create and stays unchanged; the error has its id and the options."""
    iam.create_user(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    before = list_credentials(iam, "jane")
    stack.write_specs(jane=JANE)
    said = stack.fail("up", "--yes", "--skip-preview")
    assert f"{before[0]['ServiceSpecificCredentialId']} (Active, created " in said
    assert "already exists. Options: delete it" in said
    assert list_credentials(iam, "jane") == before


def test_third_credential(stack: Stack, iam: IAMClient) -> None:
    """If the quota is used up, nothing is created, and the error names both existing credentials."""
    iam.create_user(UserName="jane")
    for _ in range(2):
        iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    stack.write_specs(
        jane="users: {jane: {credentials: [{service: codecommit, name: a}, {service: codecommit, name: b}]}}",
    )
    said = stack.fail("up", "--yes", "--skip-preview")
    assert all(credential["ServiceSpecificCredentialId"] in said for credential in list_credentials(iam, "jane"))
    assert len(list_credentials(iam, "jane")) == 2


def test_half_made_is_undone(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If a new credential cannot be deactivated, it is deleted again, and the error reports both."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, status: Inactive}]}}")
    emulator.controls.fail(
        "iam:UpdateServiceSpecificCredential", times=50, status=403, code="AccessDenied", message="not authorized"
    )
    said = stack.fail("up", "--yes", "--skip-preview")
    assert "AWS error AccessDenied: not authorized" in said
    assert "of user jane was deleted again" in said
    assert list_credentials(iam, "jane") == []


@pytest.mark.parametrize("how", ["drop", "fail"])
def test_lost_answer(stack: Stack, iam: IAMClient, emulator: Emulator, how: str) -> None:
    """If the response to Create is lost, the created credential is found and kept, with a valid password."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    getattr(emulator.controls, how)(CREATE, when="after")
    stack.up()
    assert emulator.controls.counts()[CREATE] == 1
    assert len(list_credentials(iam, "jane")) == 1
    assert stack.read_secrets()["jane/codecommit"] == emulator.controls.secrets()[-1]
    stack.assert_no_changes()


def test_throttling(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Throttled calls are retried more slowly, and nothing is created twice."""
    users = [f"user-{number}" for number in range(12)]
    for user in users:
        iam.create_user(UserName=user)
    stack.write_specs(
        team="users: {" + ", ".join(f"{user}: {{credentials: [{{service: bedrock}}]}}" for user in users) + "}"
    )
    emulator.controls.set(rate=4, burst=1)
    stack.up()
    emulator.controls.set(rate=None, burst=None)
    assert all(len(list_credentials(iam, user)) == 1 for user in users)


def test_endpoint_without_all_users(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """On an endpoint without AllUsers the behavior is the same, with one list for each user."""
    emulator.controls.set(all_users=False)
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    pass_a_day(emulator)
    before = list_credentials(iam, "jane")
    stack.assert_no_changes()
    stack.up()
    assert list_credentials(iam, "jane") == before
    iam.delete_service_specific_credential(
        UserName="jane", ServiceSpecificCredentialId=before[0]["ServiceSpecificCredentialId"]
    )
    assert "ServiceSpecificCredential: (create)" in stack.preview()


def test_lists_that_lag(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A list that does not yet show a new credential has no effect: the next run changes nothing."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    emulator.controls.set(list_lag=5)
    stack.up()
    stack.assert_no_changes()
    assert emulator.controls.counts()[CREATE] == 1


def test_killed_between_create_and_answer(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If the provider is killed before it returns a credential to the engine, the next run creates none and names it.

    With `existing: adopt` the run after that adopts it, with a known password.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    emulator.controls.set(latency=1)
    running = subprocess.Popen(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"],  # noqa: S607 - by the PATH of the stack
        cwd=stack.folder, env=stack.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: CREATE in emulator.controls.counts())
    os.kill(provider_of(running.pid), signal.SIGKILL)
    assert running.wait(60) != 0
    emulator.controls.set(latency=0)
    wait_until(lambda: len(list_credentials(iam, "jane")) == 1)
    lost = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    assert lost in stack.fail("up", "--yes", "--skip-preview")
    assert len(list_credentials(iam, "jane")) == 1
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, existing: adopt}]}}")
    stack.up()
    assert emulator.controls.passwords() == {lost: stack.read_secrets()["jane/codecommit"]}
    stack.assert_no_changes()


def test_interrupted(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Ctrl-C waits for the create in flight: it is recorded, and the next `up` creates only the other credential.

    Meanwhile `iamcreds drift --state` does not call the created credential unmanaged, nor suggest to delete it.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit}, {service: bedrock}]}}")
    emulator.controls.pause(CREATE, when="after", times=None)
    running = subprocess.Popen(
        ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview", "--parallel", "1"],  # noqa: S607 - as above
        cwd=stack.folder, env=stack.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    wait_until(lambda: bool(emulator.controls.held()))
    (created,) = list_credentials(iam, "jane")
    done = run_iamcreds(stack, "drift", "specs", "--state", "-", given=stack.succeed("stack", "export"))
    result = f"credential {created['ServiceSpecificCredentialId']} may be its result [pending-create]"
    assert result in done.stdout
    assert "unmanaged" not in done.stdout
    assert "delete" not in done.stdout
    running.send_signal(signal.SIGINT)
    time.sleep(0.5)  # the engine sends no further requests after the signal; nothing else shows that it received it
    emulator.controls.clear_faults()
    emulator.controls.release()
    said, _ = running.communicate(timeout=60)
    stack.printed.append(said)
    assert running.returncode != 0
    assert "update canceled" in said
    (made,) = list_credentials(iam, "jane")
    assert [resource["id"] for resource in stack.read_resources().values()] == [made["ServiceSpecificCredentialId"]]
    assert "+ 1 created" in stack.up()
    assert emulator.controls.counts()[CREATE] == 2
    assert set(emulator.controls.passwords().values()) == set(stack.read_secrets().values())


def provider_of(engine: int) -> int:
    """Find the provider process among the descendants of an engine."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        is_provider = b"pulumi.dynamic" in command and b"python" in command.split(b"\0")[0]
        if is_provider and engine in ancestors(int(folder.name)):
            return int(folder.name)
    raise AssertionError("the engine has no provider process")


def ancestors(pid: int) -> set[int]:
    """List a process's parent, its parent, and so on."""
    found: set[int] = set()
    while pid > 1:
        pid = int((Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[1])
        found.add(pid)
    return found
