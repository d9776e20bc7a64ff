"""One rejected resource stops no other: in `up`, and in a preview that reports rejections."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from iamcreds.cli import main
from tests.e2e.existing import list_credentials, pass_a_day
from tests.e2e.stack import add_aws_plugin

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

UP = ("up", "--yes", "--skip-preview", "--continue-on-error")
REPORT = {"IAMCREDS_REJECTIONS": "report"}
USERS = [f"u{number:02}" for number in range(30)]


def write_team(stack: Stack, changed: str = "") -> None:
    """Declare one credential for each of thirty users, and two for u03; reset the credential of one of them."""
    one, two = "{service: codecommit}", "{service: codecommit, name: a}, {service: codecommit, name: b}"
    reset = '{service: codecommit, reset: "lost"}'
    declared = {user: two if user == "u03" else reset if user == changed else one for user in USERS}
    lines = [f"  {user}: {{credentials: [{credentials}]}}" for user, credentials in declared.items()]
    stack.write_specs(team="\n".join(["users:", *lines]))


@pytest.fixture
def team(stack: Stack, iam: IAMClient) -> Stack:
    """A stack with the credentials of thirty users."""
    for user in USERS:
        iam.create_user(UserName=user)
    write_team(stack)
    stack.up()
    return stack


def delete_all(iam: IAMClient, user: str) -> None:
    """Delete the user's credentials, as someone does by hand."""
    for existing in list_credentials(iam, user):
        iam.delete_service_specific_credential(
            UserName=user, ServiceSpecificCredentialId=existing["ServiceSpecificCredentialId"]
        )


def test_deleted_user_stops_nobody(team: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If a user is gone, every other resource is handled, and the error names the user."""
    pass_a_day(emulator)
    delete_all(iam, "u03")
    iam.delete_user(UserName="u03")
    write_team(team, changed="u29")
    emulator.controls.clear_counts()
    said = team.fail(*UP)
    assert emulator.controls.counts()["iam:ResetServiceSpecificCredential"] == 1
    assert "user u03" in said
    resources = team.read_resources()
    assert resources["u29/codecommit"]["inputs"]["reset"] == "lost"
    assert {name.split("/")[0] for name in resources} == {*USERS} - {"u03"}
    assert team.read_outputs()["credentials"].keys() == resources.keys()


def test_unmanaged_credentials_stop_nobody(team: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If two unmanaged credentials are in the way, every other resource is handled, and the error names them."""
    pass_a_day(emulator)
    delete_all(iam, "u03")
    ids = [
        iam.create_service_specific_credential(UserName="u03", ServiceName="codecommit.amazonaws.com")[
            "ServiceSpecificCredential"
        ]["ServiceSpecificCredentialId"]
        for _ in range(2)
    ]
    write_team(team, changed="u29")
    emulator.controls.clear_counts()
    said = team.fail(*UP)
    assert emulator.controls.counts()["iam:ResetServiceSpecificCredential"] == 1
    assert all(credential_id in said for credential_id in ids)
    assert {existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, "u03")} == {*ids}
    assert {name.split("/")[0] for name in team.read_resources()} == {*USERS} - {"u03"}


def test_reported_rejections(
    stack: Stack, iam: IAMClient, capfd: pytest.CaptureFixture[str], emulator: Emulator
) -> None:
    """A preview that reports rejections completes, plans deletions and resets, and the plan has both."""
    for user in ("jane", "joe", "leaver"):
        iam.create_user(UserName=user)
    team = "users: {{jane: {{credentials: [{}]}}, joe: {{credentials: [{}]}}, leaver: {{credentials: [{}]}}}}"
    stack.write_specs(team=team.format("", "{service: logs}", "{service: codecommit}"))
    stack.up()
    pass_a_day(emulator)
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    unmanaged = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    stack.write_specs(team=team.format("{service: codecommit}", "{service: logs, reset: lost}", ""))

    assert '"delete"' not in stack.fail("preview", "--json", "--show-sames")
    printed = stack.succeed("preview", "--json", "--show-sames", **REPORT)
    document, _ = json.JSONDecoder().raw_decode(printed[printed.index("{") :])
    assert document["changeSummary"].get("delete") == 1
    preview, approved = stack.folder / "preview.json", stack.folder / "approved.json"
    preview.write_text(json.dumps(document))
    with pytest.raises(SystemExit, match=r"\A4\Z"):
        main(["plan", str(preview), "--max-removals", "2", "--approve", str(approved), "--specs", "specs"])
    comment = capfd.readouterr().out
    assert "1 to update (1 reset), 1 to delete, 1 rejected; the stack has 2 credentials." in comment
    assert unmanaged in comment
    with pytest.raises(SystemExit, match=r"\A3\Z"):
        main(["plan", str(preview), "--max-removals", "1", "--approve", str(approved)])


def test_enforced_policy_fails_its_own_resource(stack: Stack, iam: IAMClient) -> None:
    """An enforced access-key policy fails its own resource in `up`; credentials and other files are handled."""
    for user in ("jane", "joe", "leaver"):
        iam.create_user(UserName=user)
    stack.write_specs(
        joe="users: {joe: {accessKeys: {max: 2}, credentials: [{service: logs}]}}",
        leaver="users: {leaver: {credentials: [{service: codecommit}]}}",
    )
    stack.up()
    iam.create_access_key(UserName="jane")
    iam.create_access_key(UserName="joe")
    strict = "users: {jane: {accessKeys: {max: 0, enforce: true}, credentials: [{service: codecommit}]}}"
    stack.write_specs(jane=strict, joe="users: {joe: {accessKeys: {max: 2}, credentials: [{service: logs, reset: x}]}}")
    said = stack.fail(*UP)
    assert "jane: has 1 access key" in said
    resources = stack.read_resources()
    assert resources.keys() == {"jane/codecommit", "joe/logs", "specs/joe.yaml"}
    assert resources["joe/logs"]["inputs"]["reset"] == "x"
    assert len(resources["specs/joe.yaml"]["outputs"]["keys"]["joe"]) == 1
    assert list_credentials(iam, "leaver") == []
    iam.create_access_key(UserName="joe")
    stack.write_specs(
        joe="users: {joe: {accessKeys: {max: 1, enforce: true}, credentials: [{service: logs, reset: y}]}}"
    )
    assert "joe: has 2 access keys" in stack.fail(*UP)
    resources = stack.read_resources()
    assert resources["joe/logs"]["inputs"]["reset"] == "y"
    assert len(resources["specs/joe.yaml"]["outputs"]["keys"]["joe"]) == 1


def test_class_with_an_enforced_policy(stack: Stack, iam: IAMClient) -> None:
    """A program with classes: the preview stops at the failed check, and in `up` only that resource fails."""
    iam.create_user(UserName="jane")
    iam.create_access_key(UserName="jane")
    stack.write_program(
        "from dynamic_providers import AccessKeys, ServiceSpecificCredential\n"
        'AccessKeys("keys", users={"jane": {"max": 0, "enforce": True}})\n'
        'ServiceSpecificCredential("jane/codecommit", user="jane", service="codecommit")\n'
    )
    assert "jane: has 1 access key" in stack.fail("preview", **REPORT)
    assert "jane: has 1 access key" in stack.fail(*UP)
    assert stack.read_resources().keys() == {"jane/codecommit"}


def test_up_with_its_own_preview(stack: Stack, iam: IAMClient) -> None:
    """A plain `pulumi up` stops after a preview with rejections; with `report` it does the rest. Other values fail."""
    iam.create_user(UserName="leaver")
    ghost = "users: {ghost: {credentials: [{service: codecommit}]}}"
    stack.write_specs(
        ghost="users: {ghost: {credentials: []}}", leaver="users: {leaver: {credentials: [{service: logs}]}}"
    )
    stack.up()
    stack.write_specs(ghost=ghost)
    plain = ("up", "--yes", "--continue-on-error")
    said = stack.fail(*plain, IAMCREDS_REJECTIONS="yes")
    assert "IAMCREDS_REJECTIONS=yes is not valid. Options: set it to report; or unset it" in said
    assert "to create" not in said
    assert "the account has no IAM user ghost" in stack.fail(*plain)
    assert len(list_credentials(iam, "leaver")) == 1
    assert "the account has no IAM user ghost" in stack.fail(*plain, **REPORT)
    assert list_credentials(iam, "leaver") == []


def test_denied_read_stops_nobody(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If AWS denies the read of one user, the preview rejects that credential, and `up` does everything else."""
    for user in ("jane", "joe", "leaver"):
        iam.create_user(UserName=user)
    team = "users: {{jane: {{credentials: [{0}]}}, joe: {{credentials: [{0}]}}, leaver: {{credentials: [{1}]}}}}"
    stack.write_specs(team=team.format("{service: codecommit}", "{service: logs}"))
    stack.up()
    pass_a_day(emulator)
    before = stack.read_resources()["joe/codecommit"]
    emulator.controls.set(hidden_users=["joe"])
    emulator.controls.deny("iam:ListServiceSpecificCredentials", call=2)
    denied = "joe/codecommit: listing the service-specific credentials of user joe: AWS error AccessDenied"
    stack.write_specs(team=team.format("{service: codecommit}", ""))
    assert denied in stack.fail("preview")
    deny_again(emulator)
    stack.write_specs(team=team.format("{service: codecommit, reset: lost}", ""))
    said = stack.succeed("preview", "--diff", **REPORT)
    assert denied in said
    assert "The state keeps" in said
    deny_again(emulator)
    assert "listing the service-specific credentials of user joe" in stack.fail(*UP)
    resources = stack.read_resources()
    assert resources.keys() == {"jane/codecommit", "joe/codecommit"}
    assert resources["jane/codecommit"]["inputs"]["reset"] == "lost"
    recorded, kept = (dict(found["outputs"]) for found in (before, resources["joe/codecommit"]))
    assert kept.pop("service_password")  # encrypted anew
    assert kept == {name: value for name, value in recorded.items() if name != "service_password"}
    assert resources["joe/codecommit"]["id"] == before["id"]
    assert list_credentials_of(emulator, iam, "leaver") == []
    stack.up()
    assert stack.read_resources()["joe/codecommit"]["inputs"]["reset"] == "lost"
    stack.assert_no_changes()


def deny_again(emulator: Emulator) -> None:
    """Deny the next process all lists but its first one, the list of all users."""
    emulator.controls.clear_faults()
    emulator.controls.deny("iam:ListServiceSpecificCredentials", call=2)


def list_credentials_of(emulator: Emulator, iam: IAMClient, user: str) -> list[str]:
    """End the faults, and list the ids of the user's credentials."""
    emulator.controls.clear_faults()
    return [existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, user)]


def test_denied_account_stops_the_run(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If AWS denies the list of all users, the run stops at once, and reports it once."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    stack.write_specs(team="users: {jane: {credentials: [{service: logs}]}, joe: {credentials: [{service: logs}]}}")
    stack.up()
    emulator.controls.deny("iam:ListServiceSpecificCredentials")
    stack.write_specs(team="users: {jane: {credentials: [{service: logs, reset: x}]}, joe: {credentials: []}}")
    for command in (("preview",), UP):
        said = stack.fail(*command, **REPORT)
        assert said.rsplit("Diagnostics:", maxsplit=1)[-1].count("AWS error AccessDenied") == 1, said
    emulator.controls.clear_faults()
    assert len(list_credentials(iam, "joe")) == 1


def test_rejected_iam_user(
    stack: Stack, iam: IAMClient, tmp_path: Path, capfd: pytest.CaptureFixture[str], emulator: Emulator
) -> None:
    """An IAM user that already exists is a rejection of the preview; `up` does everything else."""
    add_aws_plugin(stack, tmp_path)
    for user in ("jane", "leaver"):
        iam.create_user(UserName=user)
    stack.write_specs(team="users: {leaver: {credentials: [{service: logs}]}}")
    stack.up()
    stack.write_specs(
        team="users: {jane: {iamUser: true, credentials: []}, new: {iamUser: true, credentials: [{service: logs}]}}"
    )
    printed = stack.succeed("preview", "--json", "--show-sames", **REPORT)
    preview = stack.folder / "preview.json"
    preview.write_text(json.dumps(json.JSONDecoder().raw_decode(printed[printed.index("{") :])[0]))
    with pytest.raises(SystemExit, match=r"\A4\Z"):
        main(["plan", str(preview)])
    comment = capfd.readouterr().out
    assert "1 to create, 1 to delete, 1 IAM user to create, 1 rejected; the stack has 1 credential." in comment
    assert "jane: IAM user jane already exists" in comment
    stack.fail(*UP)
    assert list_credentials(iam, "leaver") == []
    assert len(list_credentials(iam, "new")) == 1
    assert emulator.controls.counts()["iam:CreateUser"]
