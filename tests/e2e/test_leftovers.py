"""Leftovers of a failed, killed or narrowed run: the solution that the message names leaves no changes."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.e2e.existing import JANE, list_credentials, pass_a_day, wait_until
from tests.e2e.test_faults import provider_of
from tests.e2e.test_lag import start_up
from tests.e2e.test_ownership import assert_no_accusation, ids

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

CREATE = "iam:CreateServiceSpecificCredential"
DELETE = "iam:DeleteServiceSpecificCredential"
RESET = "iam:ResetServiceSpecificCredential"
UP = ("up", "--yes", "--skip-preview")
TWO = "users: {{jane: {{credentials: [{{service: codecommit, name: {}}}, {{service: codecommit, name: {}}}]}}}}"
RESET_SPECS = "users: {{jane: {{credentials: [{{service: codecommit, reset: {}}}]}}}}"


def test_swapped_by_was(stack: Stack, iam: IAMClient) -> None:
    """A swap of two names by `was` is rejected; with the recommended third name, every password stays."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=TWO.format("a", "b"))
    stack.up()
    before = {name: resource["id"] for name, resource in stack.read_resources().items()}
    stack.write_specs(jane=TWO.format("b, was: a", "a, was: b"))
    advice = "rename one credential at a time, with an `up` after each (to swap two names, use a temporary third name)"
    assert advice in stack.fail("preview")
    for first, second in (("c, was: a", "b"), ("c", "a, was: b"), ("b, was: c", "a")):
        stack.write_specs(jane=TWO.format(first, second))
        stack.up()
    after = {name: resource["id"] for name, resource in stack.read_resources().items()}
    assert after == {
        "jane/codecommit/a": before["jane/codecommit/b"],
        "jane/codecommit/b": before["jane/codecommit/a"],
    }
    stack.write_specs(jane=TWO.format("b", "a"))
    stack.assert_no_changes()


def test_replaced_one_that_waits(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A replaced credential that could not be deleted is never called unmanaged, nor adopted, even in a narrowed run.

    The recommended `up` without the new credential deletes it, and the quota has room again.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    (old,) = ids(iam)
    pass_a_day(emulator)
    emulator.controls.deny(DELETE)
    stack.fail(*UP, "--replace", stack.read_resources()["jane/codecommit"]["urn"])
    emulator.controls.clear_faults()
    assert len(ids(iam)) == 2
    for existing in ("fail", "adopt"):
        spare = f"{{service: codecommit, name: spare, existing: {existing}}}"
        stack.write_specs(jane=f"users: {{jane: {{credentials: [{{service: codecommit}}, {spare}]}}}}")
        for narrowed in (["--target", "**jane/codecommit/spare"], ["--refresh=false"], []):
            said = stack.fail(*UP, *narrowed)
            assert_no_accusation(said)
            assert old in said
        assert RESET not in emulator.controls.counts()
        assert "remove this resource, run `up`, which deletes" in said.replace("\n", " ")
        stack.succeed("config", "set", "now", "2027-01-01" if existing == "fail" else "2027-01-02")
        said = stack.fail("preview")  # one process reads, a different one decides
        assert_no_accusation(said)
        assert "remove this resource, run `up`, which deletes" in said.replace("\n", " ")
    stack.write_specs(jane=JANE)
    stack.up()
    assert old not in ids(iam)
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit}, {service: codecommit, name: spare}]}}")
    stack.up()
    stack.assert_no_changes()


def test_reset_killed_and_taken_back(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If a killed reset is reverted in the specs, nothing is reset, and the invalid password stays in the state.

    A different text always results in a valid password.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=RESET_SPECS.format("first"))
    stack.up()
    pass_a_day(emulator)
    stack.write_specs(jane=RESET_SPECS.format("second"))
    emulator.controls.pause(RESET, when="after")
    running = start_up(stack)
    wait_until(lambda: bool(emulator.controls.held()))
    os.kill(provider_of(running.pid), signal.SIGKILL)
    emulator.controls.abandon()
    stack.printed.append(running.communicate(timeout=60)[0])
    assert running.returncode != 0
    (own,) = list_credentials(iam, "jane")
    stack.write_specs(jane=RESET_SPECS.format("first"))
    stack.assert_no_changes()
    valid = emulator.controls.passwords()
    assert stack.read_secrets()["jane/codecommit"] != valid[own["ServiceSpecificCredentialId"]]
    stack.write_specs(jane=RESET_SPECS.format("third"))
    stack.up()
    assert stack.read_secrets()["jane/codecommit"] == emulator.controls.passwords()[own["ServiceSpecificCredentialId"]]
    stack.assert_no_changes()


def test_foreign_one_that_lists_leave_out(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """On a new stack, an unmanaged credential blocks the create even if the list of all users omits it."""
    iam.create_user(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    before = ids(iam)
    emulator.controls.set(hidden_users=["jane"])
    stack.write_specs(jane=JANE)
    said = stack.fail(*UP)
    assert "already exists. Options: delete it" in said
    assert all(name in said for name in before)
    assert ids(iam) == before


def test_checkpoint_that_fails(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If the state cannot be written after a create, the next `up` waits for lists, and creates no second credential.

    It reports the first one by id, and `existing: adopt` adopts it.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    emulator.controls.pause(CREATE, when="after")
    running = start_up(stack)
    wait_until(lambda: bool(emulator.controls.held()), 100)
    (state,) = (stack.folder.parent / "backend").glob(".pulumi/stacks/**/*.json")
    saved = state.read_bytes()
    state.unlink()
    (state / "in the way").mkdir(parents=True)
    emulator.controls.clear_faults()
    emulator.controls.release()
    stack.printed.append(running.communicate(timeout=60)[0])
    assert running.returncode != 0
    shutil.rmtree(state)
    state.write_bytes(saved)
    stack.run("cancel", "--yes")
    (made,) = ids(iam)
    (created,) = (found["CreateDate"] for found in list_credentials(iam, "jane"))
    age = (datetime.now(UTC) - created).total_seconds()  # the machine may be slow: make the account a second older
    emulator.controls.set(list_lag=45, clock_shift=1 - age)
    said = stack.fail(*UP)
    assert "Waiting for IAM's lists to show it" in said.replace("\n", " ")
    assert made in said
    emulator.controls.set(list_lag=0, clock_shift=0)
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, existing: adopt}]}}")
    stack.up()
    assert emulator.controls.passwords() == {made: stack.read_secrets()["jane/codecommit"]}
    assert emulator.controls.counts()[CREATE] == 1


def test_empty_attributes(stack: Stack, iam: IAMClient) -> None:
    """An empty `.attrs` file next to a state makes every command fail; the state is complete without the file."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.env["PULUMI_BACKEND_URL"] = stack.env["PULUMI_BACKEND_URL"].removesuffix("?metadata=skip")
    stack.up()
    (attributes,) = (stack.folder.parent / "backend").glob(".pulumi/stacks/**/test.json.attrs")
    attributes.write_bytes(b"")
    for command in (["cancel", "--yes"], UP):
        assert "failed to load checkpoint: EOF" in stack.fail(*command)
    attributes.unlink()
    stack.assert_no_changes()
