"""`adopt: ID`: an existing credential is imported unchanged, and is then managed like any other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.e2e.existing import list_credentials, pass_a_day

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

CODECOMMIT = "codecommit.amazonaws.com"
ID, OTHER = "ACCAADOPTED0000000000", "ACCAANOTHER0000000000"
WRITES = ("Create", "Reset", "Update", "Delete")
PAST = {"created": "2020-01-01T00:00:00+00:00", "expires": "2020-03-31T00:00:00+00:00"}
SECRET = "hunter2-hunter2-hunter2"
PROGRAM = """import pulumi
from dynamic_providers import ServiceSpecificCredential

own = ServiceSpecificCredential(
    "jane/codecommit", user="jane", service="codecommit", adopt="{id}", password=pulumi.Config().get("known")
)
pulumi.export("known", own.service_password)
"""


def specs(*credentials: str) -> str:
    """Return specs of jane."""
    return f"users: {{jane: {{credentials: [{', '.join(f'{{{credential}}}' for credential in credentials)}]}}}}"


def count_writes(emulator: Emulator) -> int:
    """Count the calls that change a credential."""
    counts = emulator.controls.counts()
    return sum(counts.get(f"iam:{write}ServiceSpecificCredential", 0) for write in WRITES)


def test_untouched_and_then_like_any_other(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """An import writes nothing, as preview and outputs show; a changed `adopt` has no effect; other changes apply."""
    iam.create_user(UserName="jane")
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    pass_a_day(emulator)
    before = list_credentials(iam, "jane")
    emulator.controls.clear_counts()
    stack.write_specs(jane=specs(f"service: codecommit, adopt: {ID}"))
    assert f'adopts: "{ID}"' in stack.preview()
    stack.up()
    assert (count_writes(emulator), list_credentials(iam, "jane")) == (0, before)
    stack.assert_no_changes()
    shown = stack.read_outputs()["credentials"]["jane/codecommit"]
    assert shown == {
        "id": ID,
        "user_name": "jane-at-123456789012",
        "status": "Active",
        "secret": "unknown, because the state does not have it: a `reset` creates a new secret",
    }
    assert stack.read_secrets().get("jane/codecommit") is None
    for adopt in (f", adopt: {OTHER}", ""):
        stack.write_specs(jane=specs(f"service: codecommit{adopt}"))
        stack.assert_no_changes()
        stack.up()
        stack.assert_no_changes()
    assert count_writes(emulator) == 0

    stack.write_specs(jane=specs("service: codecommit, reset: known, status: Inactive"))
    stack.up()
    assert stack.read_secrets()["jane/codecommit"] == emulator.controls.passwords()[ID]
    assert "secret" not in stack.read_outputs()["credentials"]["jane/codecommit"]
    (existing,) = list_credentials(iam, "jane")
    assert (existing["ServiceSpecificCredentialId"], existing["Status"]) == (ID, "Inactive")
    stack.assert_no_changes()
    urn = stack.read_resources()["jane/codecommit"]["urn"]
    stack.write_specs(jane=specs(f"service: codecommit, reset: known, status: Inactive, adopt: {ID}"))
    stack.up()
    stack.succeed("up", "--yes", "--skip-preview", "--replace", urn)
    (successor,) = list_credentials(iam, "jane")
    assert successor["ServiceSpecificCredentialId"] != ID
    stack.assert_no_changes()
    stack.write_specs(jane="users: {jane: {credentials: []}}")
    stack.up()
    assert list_credentials(iam, "jane") == []


def test_known_password(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A password in the stack's config is an output without a reset, and stays one if it is removed from the config."""
    iam.create_user(UserName="jane")
    emulator.controls.put_credential(ID, "jane", CODECOMMIT, password=SECRET)
    pass_a_day(emulator)
    stack.succeed("config", "set", "--secret", "--path", 'passwords["jane/codecommit"]', SECRET)
    stack.succeed("config", "set", "--secret", "--path", 'passwords["john/codecommit"]', SECRET)
    stack.write_specs(jane=specs(f"service: codecommit, adopt: {ID}"))
    emulator.controls.clear_counts()
    said = stack.preview()
    assert "config `passwords`: the password of john/codecommit is not used" in said
    stack.up()
    assert count_writes(emulator) == 0
    assert stack.read_secrets()["jane/codecommit"] == SECRET
    assert "secret" not in stack.read_outputs()["credentials"]["jane/codecommit"]
    stack.assert_no_changes()
    stack.succeed("config", "rm", "passwords")
    stack.assert_no_changes()
    stack.up()
    assert stack.read_secrets()["jane/codecommit"] == SECRET
    assert "password" not in stack.read_resources()["jane/codecommit"]["inputs"]
    stack.write_specs(jane=specs("service: codecommit, status: Inactive"))
    stack.up()
    assert stack.read_secrets()["jane/codecommit"] == SECRET
    assert emulator.controls.passwords()[ID] == SECRET


def test_class(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A user's own program imports in the same way; without a password the output is None."""
    iam.create_user(UserName="jane")
    emulator.controls.put_credential(ID, "jane", CODECOMMIT, password=SECRET)
    pass_a_day(emulator)
    emulator.controls.clear_counts()
    stack.write_program(PROGRAM.replace("{id}", ID))
    assert f'adopts: "{ID}"' in stack.preview()
    stack.up()
    assert stack.read_outputs().get("known") is None
    stack.assert_no_changes()
    stack.succeed("destroy", "--yes")
    emulator.controls.put_credential(OTHER, "jane", CODECOMMIT, password=SECRET)
    stack.write_program(PROGRAM.replace("{id}", OTHER))
    emulator.controls.clear_counts()
    stack.succeed("config", "set", "--secret", "known", SECRET)
    stack.up()
    assert stack.read_outputs()["known"] == "[secret]"
    assert count_writes(emulator) == 0
    stack.assert_no_changes()


def test_refused(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The preview rejects every import that is not possible, with its source location, and changes nothing."""
    for user in ("jane", "john"):
        iam.create_user(UserName=user)
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    emulator.controls.put_credential(OTHER, "john", CODECOMMIT)
    emulator.controls.put_credential("ACCAEXPIRED0000000000", "jane", "logs.amazonaws.com", **PAST)
    emulator.controls.put_credential("ACCAUNMANAGED00000000", "jane", "bedrock.amazonaws.com")
    pass_a_day(emulator)
    stack.write_specs(jane=specs(f"service: codecommit, adopt: {ID}"))
    stack.up()
    emulator.controls.clear_counts()
    stack.write_specs(
        jane=specs(
            "service: codecommit",
            f"service: codecommit, name: twin, adopt: {ID}",
            "service: bedrock, adopt: ACCANOBODYS0000000000",
            f"service: keyspaces, adopt: {OTHER}",
            "service: logs, adopt: ACCAEXPIRED0000000000",
        ).replace("{service", "\n  {service")
    )
    said = stack.fail("preview")
    for location, words in (
        ("specs/jane.yaml:3:3: jane/codecommit/twin: ", "jane/codecommit manages or imports it"),
        ("specs/jane.yaml:4:3: jane/bedrock: ", "does not exist, and unmanaged ACCAUNMANAGED00000000 does"),
        ("specs/jane.yaml:5:3: jane/keyspaces: ", "is a codecommit credential of user john"),
        ("specs/jane.yaml:6:3: jane/logs: ", "has expired"),
    ):
        (line,) = [line for line in said.splitlines() if location in line]
        assert words in line
    assert "up" in stack.fail("up", "--yes", "--skip-preview")
    assert count_writes(emulator) == 0
    shown = json.loads(stack.run("preview", "--json").text)
    assert len([step for step in shown["steps"] if "refused" in (step.get("newState") or {}).get("inputs", {})]) == 4


def test_deleted_by_hand(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """`adopt: ID` may stay in a spec: if the imported credential is deleted by hand, a new one is created."""
    iam.create_user(UserName="jane")
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    pass_a_day(emulator)
    stack.write_specs(jane=specs(f"service: codecommit, adopt: {ID}"))
    stack.up()
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=ID)
    assert f"codecommit credential {ID} of user jane cannot be imported, because it does not exist" in stack.up()
    stack.assert_no_changes()
    stack.write_specs(jane=specs("service: codecommit"))
    stack.up()
    assert len(list_credentials(iam, "jane")) == 1
