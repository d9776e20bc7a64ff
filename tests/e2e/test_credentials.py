"""The lifecycle of a credential: creation, status, deactivation, reset, deletion outside Pulumi, rename, destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.existing import JANE, list_credentials, pass_a_day, set_status

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack


def test_basic(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Each spec creates a credential with one call; outputs show all but the secrets; the next run has no changes."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit}, {service: bedrock}]}}")
    emulator.controls.clear_counts()
    stack.up()
    counts = emulator.controls.counts()
    assert counts["iam:CreateServiceSpecificCredential"] == 2
    assert set(counts) == {
        "iam:CreateServiceSpecificCredential",
        "iam:ListServiceSpecificCredentials",
        "iam:ListUsers",
        "sts:GetCallerIdentity",
    }
    existing = {credential["ServiceName"].split(".")[0]: credential for credential in list_credentials(iam, "jane")}
    shown = stack.read_outputs()
    assert shown["credentials"]["jane/codecommit"] == {
        "id": existing["codecommit"]["ServiceSpecificCredentialId"],
        "user_name": "jane-at-123456789012",
        "status": "Active",
    }
    assert shown["secrets"] == "[secret]", "the whole mapping is one secret: some tools only mask top-level outputs"
    assert sorted(stack.read_secrets().values()) == sorted(emulator.controls.secrets())
    stack.assert_no_changes()


def test_multi(stack: Stack, iam: IAMClient) -> None:
    """Two credentials of one service are distinguished by their names, and each has its own status."""
    iam.create_user(UserName="bot")
    stack.write_specs(
        bot="""users:
  bot:
    credentials:
      - {service: codecommit, name: primary, status: Active}
      - {service: codecommit, name: spare, status: Inactive}
"""
    )
    stack.up()
    shown = stack.read_outputs()["credentials"]
    assert shown["bot/codecommit/primary"]["status"] == "Active"
    assert shown["bot/codecommit/spare"]["status"] == "Inactive"
    assert {credential["Status"] for credential in list_credentials(iam, "bot")} == {"Active", "Inactive"}
    stack.assert_no_changes()


def test_explicit_status_is_enforced(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If a credential with a declared status is deactivated outside Pulumi, a preview shows it and `up` reverts it."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, status: Active}]}}")
    stack.up()
    pass_a_day(emulator)
    set_status(iam, "jane", "Inactive")
    assert '~ status: "Inactive" => "Active"' in stack.preview()
    stack.up()
    assert [credential["Status"] for credential in list_credentials(iam, "jane")] == ["Active"]
    stack.assert_no_changes()


def test_human_switch_off_stays(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Without a declared status, a manual deactivation stays; every run shows it and warns about it."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    pass_a_day(emulator)
    set_status(iam, "jane", "Inactive")
    first = stack.preview()
    own = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    warning = f"codecommit.amazonaws.com credential {own} of user jane was deactivated outside Pulumi"
    assert warning in first
    stack.up()
    assert [credential["Status"] for credential in list_credentials(iam, "jane")] == ["Inactive"]
    assert stack.read_outputs()["credentials"]["jane/codecommit"]["status"] == "Inactive"
    again = stack.run("preview", "--expect-no-changes")
    assert again.code == 0
    assert warning in again.text


def test_declaring_a_status_later(stack: Stack, iam: IAMClient) -> None:
    """A status that is declared later is enforced from then on; a removed status no longer is."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, status: Inactive}]}}")
    assert '+ status: "Inactive"' in stack.up()
    assert [credential["Status"] for credential in list_credentials(iam, "jane")] == ["Inactive"]
    stack.write_specs(jane=JANE)
    stack.up()
    set_status(iam, "jane", "Active")
    stack.up()
    assert [credential["Status"] for credential in list_credentials(iam, "jane")] == ["Active"]
    stack.assert_no_changes()


def test_reset(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A changed trigger resets the password once; removing it resets nothing, and a warning reports this.

    If the same text is added again, the preview shows a reset.
    """
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    before, old = list_credentials(iam, "jane"), stack.read_secrets()["jane/codecommit"]
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, reset: 2026-11-01}]}}")
    assert '+ reset: "2026-11-01"' in stack.preview()
    stack.up()
    new = stack.read_secrets()["jane/codecommit"]
    assert new != old
    assert new == emulator.controls.secrets()[-1]
    assert list_credentials(iam, "jane") == before
    stack.assert_no_changes()
    again = (stack.folder / "specs/jane.yaml").read_text()
    stack.write_specs(jane=JANE)
    assert (
        "was removed, which resets nothing. Adding it again resets the password, even with the same text" in stack.up()
    )
    assert stack.read_secrets()["jane/codecommit"] == new
    assert emulator.controls.counts()["iam:ResetServiceSpecificCredential"] == 1
    stack.write_specs(jane=again)
    assert '+ reset: "2026-11-01"' in stack.up()
    assert stack.read_secrets()["jane/codecommit"] == emulator.controls.secrets()[-1] != new


def test_disappears(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A credential that was deleted outside Pulumi is created again."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    pass_a_day(emulator)
    gone = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=gone)
    assert "ServiceSpecificCredential: (create)" in stack.preview()
    stack.up()
    assert [credential["ServiceSpecificCredentialId"] for credential in list_credentials(iam, "jane")] != [gone]
    stack.assert_no_changes()


def test_user_disappears(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If a user was deleted outside Pulumi, preview and `up` name the missing user."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    pass_a_day(emulator)
    gone = list_credentials(iam, "jane")[0]["ServiceSpecificCredentialId"]
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=gone)
    iam.delete_user(UserName="jane")
    for command in (["preview"], ["up", "--yes"]):
        assert (
            "the account has no IAM user jane. Options: create the user (aws iam create-user --user-name jane); or"
            in stack.fail(*command)
        )


def test_renamed_by_was(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """`was` renames a credential: nothing is created, reset or deleted."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=JANE)
    stack.up()
    before = list_credentials(iam, "jane")
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, name: laptop, was: codecommit}]}}")
    stack.up()
    assert list_credentials(iam, "jane") == before
    assert set(stack.read_outputs()["credentials"]) == {"jane/codecommit/laptop"}
    assert len(emulator.controls.secrets()) == 1
    stack.assert_no_changes()


def test_user_moves_from_file_to_file(stack: Stack, iam: IAMClient) -> None:
    """Resource names do not contain the file: a user can move to another file without changes to credentials."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    stack.write_specs(
        a="users: {jane: {credentials: [{service: codecommit}]}, joe: {credentials: []}}",
        b="users: {}",
    )
    stack.up()
    before = list_credentials(iam, "jane")
    stack.write_specs(
        a="users: {joe: {credentials: []}}",
        b="users: {jane: {credentials: [{service: codecommit}]}}",
    )
    moved = stack.up()
    assert "ServiceSpecificCredential: (" not in moved
    assert list_credentials(iam, "jane") == before
    stack.assert_no_changes()


def test_protected(stack: Stack, iam: IAMClient) -> None:
    """A protected credential is not deleted if it is removed from the specs."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, protect: true}]}}")
    stack.up()
    stack.write_specs(jane="users: {jane: {credentials: []}}")
    assert "protect" in stack.fail("up", "--yes", "--skip-preview")
    assert len(list_credentials(iam, "jane")) == 1


def test_protected_and_expired(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A protected credential that needs a replacement is an error with its source location; others are not blocked.

    The solution that the error names leaves no changes.
    """
    iam.create_user(UserName="jane")
    key = "ACCAENDING00000000000"
    emulator.controls.put_credential(key, "jane", "logs.amazonaws.com", expires="2026-12-01T00:00:00+00:00")
    protected = "users: {jane: {credentials: [{service: logs, adopt: ACCAENDING00000000000, protect: true}OTHER]}}"
    stack.write_specs(jane=protected.replace("OTHER", ""))
    stack.up()
    emulator.controls.set(clock_shift=60 * 86_400)
    stack.write_specs(jane=protected.replace("OTHER", ", {service: codecommit}"))
    said = stack.fail("preview")
    words = f"jane/logs: logs credential {key} of user jane is protected and cannot be replaced (it has expired)"
    assert f"specs/jane.yaml:1:30: {words}" in said
    said = stack.fail("up", "--yes", "--skip-preview", "--continue-on-error")
    assert "is protected and cannot be replaced" in said
    assert len(list_credentials(iam, "jane")) == 2
    urn = stack.read_resources()["jane/logs"]["urn"]
    stack.write_specs(jane="users: {jane: {credentials: [{service: logs}, {service: codecommit}]}}")
    stack.succeed("state", "unprotect", "--yes", urn)
    stack.up()
    assert key not in {existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, "jane")}
    stack.assert_no_changes()


def test_destroy_leaves_nothing(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Destroy deletes every credential, even if some or their user are already deleted, and keeps every access key."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    iam.create_access_key(UserName="jane")
    stack.write_specs(
        team="""defaults: {accessKeys: {max: 2}}
users:
  jane: {credentials: [{service: codecommit}, {service: keyspaces}]}
  joe: {credentials: [{service: bedrock}]}
"""
    )
    stack.up()
    pass_a_day(emulator)
    gone = list_credentials(iam, "joe")[0]["ServiceSpecificCredentialId"]
    iam.delete_service_specific_credential(UserName="joe", ServiceSpecificCredentialId=gone)
    iam.delete_user(UserName="joe")
    stack.succeed("destroy", "--yes")
    assert list_credentials(iam, "jane") == []
    assert len(iam.list_access_keys(UserName="jane")["AccessKeyMetadata"]) == 1
    assert stack.read_resources() == {}
