"""Reviewed is applied: with an approved plan, `up` and `destroy` change only the credential ids that it names."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.existing import list_credentials, pass_a_day

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Completed, Stack

CODECOMMIT, LOGS = "codecommit.amazonaws.com", "logs.amazonaws.com"
FAULT = """defaults: {unmanaged: delete}
users:
  jane: {credentials: [{service: codecommit, existing: adopt}]}
  joe: {credentials: [{service: bedrock}]}
"""
PROGRAM = """from dynamic_providers import ServiceSpecificCredential
for name, user in {}.items():
    ServiceSpecificCredential(name, user=user, service="codecommit")
"""


@pytest.fixture(autouse=True)
def users(iam: IAMClient) -> None:
    """Create the users."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)


def plan(stack: Stack, *options: str, command: tuple[str, ...] = ("preview", "--show-sames"), code: int = 0) -> Path:
    """Run a preview and `iamcreds plan --approve`, assert its exit code, and return the file."""
    preview, approved = stack.folder.parent / "preview.json", stack.folder.parent / "approved.json"
    printed = subprocess.run(
        ["pulumi", "--non-interactive", *command, "--json"],  # noqa: S607 - found by the PATH of the stack
        cwd=stack.folder, env=stack.env, stdout=subprocess.PIPE, timeout=200, check=True,
    )  # fmt: skip
    preview.write_bytes(printed.stdout)
    done = subprocess.run(
        ["iamcreds", "plan", preview, "--approve", approved, *options],  # noqa: S607 - as above
        cwd=stack.folder, env=stack.env, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    stack.printed.append(done.stdout + done.stderr)
    assert done.returncode == code, done.stderr
    return approved


def up(stack: Stack, approved: Path, *options: str) -> Completed:
    """Run `pulumi up` with an approved plan, as the workflows do."""
    return stack.run("up", "--yes", "--skip-preview", "--continue-on-error", *options, IAMCREDS_APPROVED=str(approved))


def read_ids(approved: Path) -> dict[str, list[str]]:
    """Read the approved ids by action, without actions that have none."""
    return {key: ids for key, ids in json.loads(approved.read_text()).items() if isinstance(ids, list) and ids}


def list_ids(iam: IAMClient, user: str) -> set[str]:
    """List the ids of a user's credentials."""
    return {existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, user)}


def test_credentials_created_after_the_gate(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A credential that appears after the gate is neither adopted nor deleted; the reviewed creates are done."""
    stack.write_specs(team=FAULT)
    approved = plan(stack, "--max-removals", "0", "--specs", "specs")
    assert read_ids(approved) == {}
    assert approved.stat().st_mode & 0o777 == 0o600
    adopted = create_by_hand(iam, "jane", CODECOMMIT)
    deleted = create_by_hand(iam, "jane", LOGS)
    passwords = emulator.controls.passwords()
    done = up(stack, approved)
    assert done.code != 0
    assert f"cannot adopt or import credential {adopted} of user jane: the approved plan of " in done.text
    assert f"cannot delete credential {deleted} of user jane: the approved plan of " in done.text
    assert emulator.controls.passwords().items() >= passwords.items(), "a credential was reset or deleted"
    assert set(stack.read_resources()) >= {"joe/bedrock"}
    approved = plan(stack, "--specs", "specs")
    assert read_ids(approved) == {"adopt": [adopted], "reset": [adopted], "delete": [deleted]}
    assert up(stack, approved).code == 0
    assert list_ids(iam, "jane") == {adopted}
    assert emulator.controls.passwords()[adopted] != passwords[adopted]


def test_changed_specs(stack: Stack, iam: IAMClient) -> None:
    """Changed specs, a different stack and a missing file fail before anything is changed."""
    stack.write_specs(team=FAULT)
    approved = plan(stack, "--specs", "specs")
    stack.write_specs(team=FAULT + "  ann: {credentials: [{service: logs}]}\n")
    done = up(stack, approved)
    assert done.code != 0
    assert "error: the specs have changed since the approved plan of " in done.text
    stack.write_specs(team=FAULT)
    document = json.loads(approved.read_text())
    for changes, message in (
        ({"stack": "prod"}, "the approved plan is for stack iamcreds/prod, but this is stack iamcreds/test"),
        ({"specs": None}, "the approved plan has no digest of the specs"),
        ({"account": "999999999999"}, "but the approved plan is of account 999999999999"),
        ({"version": 2}, "it was written by a newer version of iamcreds"),
    ):
        approved.write_text(json.dumps(document | changes))
        done = up(stack, approved)
        assert done.code != 0
        assert message in done.text
    approved.unlink()
    done = up(stack, approved)
    assert done.code != 0
    assert f"cannot read IAMCREDS_APPROVED={approved}: no such file or directory" in done.text
    assert "Traceback" not in "".join(stack.printed)
    assert list_ids(iam, "jane") | list_ids(iam, "joe") == set()


def test_file_order(stack: Stack, iam: IAMClient) -> None:
    """The digest does not depend on file names, comments or layout."""
    one, two = "users: {jane: {credentials: [{service: codecommit}]}}", "users: {joe: {credentials: []}}"
    stack.write_specs(a=one, b=two)
    approved = plan(stack, "--specs", "specs")
    stack.write_specs(c=f"# moved\n{two}", d="users:\n  jane:\n    credentials:\n      - service: codecommit\n")
    done = up(stack, approved)
    assert done.code == 0, done.text
    assert len(list_ids(iam, "jane")) == 1


@pytest.mark.parametrize("options", [[], ["--config", "now=2027-01-01"]], ids=["same config", "changed config"])
def test_changes_after_the_gate(stack: Stack, iam: IAMClient, emulator: Emulator, options: list[str]) -> None:
    """A deactivation after the gate is not undone, and a deletion is carried out; one or two provider processes."""
    stack.write_specs(team="users: {jane: {credentials: [{service: codecommit, status: Active}, {service: logs}]}}")
    stack.up()
    pass_a_day(emulator)
    ids = {name: resource["id"] for name, resource in stack.read_resources().items()}
    stack.write_specs(team="users: {jane: {credentials: [{service: codecommit, status: Active}]}}")
    approved = plan(stack, "--specs", "specs")
    assert read_ids(approved) == {"delete": [ids["jane/logs"]]}
    own = ids["jane/codecommit"]
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=own, Status="Inactive")
    done = up(stack, approved, *options)
    assert done.code != 0
    assert f"cannot activate credential {own} of user jane" in done.text
    assert [
        (existing["ServiceSpecificCredentialId"], existing["Status"]) for existing in list_credentials(iam, "jane")
    ] == [(own, "Inactive")]
    approved = plan(stack, "--specs", "specs")
    assert read_ids(approved) == {"activate": [own]}
    assert up(stack, approved, *options).code == 0
    assert [existing["Status"] for existing in list_credentials(iam, "jane")] == ["Active"]


def test_destroy(stack: Stack, iam: IAMClient) -> None:
    """`destroy` deletes only credentials that its preview named, and needs no specs."""
    stack.write_specs(team="users: {jane: {credentials: [{service: codecommit}]}}")
    stack.up()
    approved = plan(stack, command=("destroy", "--preview-only"))
    (own,) = list_ids(iam, "jane")
    assert read_ids(approved) == {"delete": [own]}
    stack.write_specs(
        team="users: {jane: {credentials: [{service: codecommit}]}, joe: {credentials: [{service: logs}]}}"
    )
    stack.up()
    done = stack.run("destroy", "--yes", "--skip-preview", "--continue-on-error", IAMCREDS_APPROVED=str(approved))
    assert done.code != 0
    (kept,) = list_ids(iam, "joe")
    assert f"cannot delete credential {kept} of user joe" in done.text
    assert list_ids(iam, "jane") == set()
    approved = plan(stack, command=("destroy", "--preview-only"))
    assert stack.run("destroy", "--yes", "--skip-preview", IAMCREDS_APPROVED=str(approved)).code == 0
    assert list_ids(iam, "joe") == set()


def test_old_copy(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A replaced copy that waits for its deletion is listed, counted and approved, although no step shows it."""
    stack.write_program(PROGRAM.format({"a": "jane"}))
    stack.up()
    (old,) = list_ids(iam, "jane")
    stack.write_program(PROGRAM.format({"a": "joe"}))
    emulator.controls.fail("iam:DeleteServiceSpecificCredential", times=50, status=403, code="AccessDenied", message="")
    stack.fail("up", "--yes", "--skip-preview")
    emulator.controls.clear_faults()
    plan(stack, "--max-removals", "0", code=3)
    assert "1 of 2 credentials (50%) would be deleted" in stack.printed[-1]
    assert f"replaced earlier, not deleted yet: `{old}`" in stack.printed[-1]
    approved = plan(stack, "--max-removals", "1")
    assert read_ids(approved) == {"delete": [old]}
    document = json.loads(approved.read_text())
    approved.write_text(json.dumps(document | {"delete": []}))
    done = up(stack, approved)
    assert done.code != 0
    assert f"cannot delete credential {old} of user jane" in done.text
    assert list_ids(iam, "jane") == {old}
    approved.write_text(json.dumps(document))
    assert up(stack, approved).code == 0
    assert list_ids(iam, "jane") == set()
    assert read_ids(plan(stack)) == {}


def test_replacement(stack: Stack, iam: IAMClient) -> None:
    """A replacement that is not approved creates and deletes nothing; an approved one does both."""
    stack.write_program(PROGRAM.format({"a": "jane", "b": "joe"}))
    stack.up()
    (own,), (other,) = list_ids(iam, "jane"), list_ids(iam, "joe")
    approved = plan(stack)
    stack.write_program(PROGRAM.format({"a": "ann", "b": "joe"}))
    iam.create_user(UserName="ann")
    done = up(stack, approved)
    assert done.code != 0
    assert f"cannot replace credential {own} of user jane" in done.text
    assert (list_ids(iam, "jane"), list_ids(iam, "joe"), list_ids(iam, "ann")) == ({own}, {other}, set())
    assert stack.read_resources()["a"]["outputs"]["user"] == "jane"
    approved = plan(stack)
    assert read_ids(approved) == {"replace": [own]}
    assert up(stack, approved).code == 0
    assert (list_ids(iam, "jane"), len(list_ids(iam, "ann"))) == (set(), 1)


def create_by_hand(iam: IAMClient, user: str, service: str) -> str:
    """Create a credential as a person does."""
    made = iam.create_service_specific_credential(UserName=user, ServiceName=service)
    return made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
