"""`unmanaged`: undeclared credentials are reported, deactivated or deleted, and the preview shows their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.existing import list_credentials, pass_a_day

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

CODECOMMIT, LOGS = "codecommit.amazonaws.com", "logs.amazonaws.com"
FOREIGN, STRANGER, OFF, WATCHED = (f"ACCA{letter * 17}" for letter in "FSXW")
SPECS = """defaults: {{unmanaged: {}, accessKeys: {{max: 2}}}}
users:
  jane: {{credentials: [{{service: codecommit}}]}}
  watched: {{accessKeys: {{max: 1}}}}
"""


def test_unmanaged(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Unmanaged credentials are reported, deactivated, then deleted by id; managed and other users' ones never are."""
    for user in ("jane", "joe", "watched"):
        iam.create_user(UserName=user)
    put = emulator.controls.put_credential
    put(STRANGER, "joe", CODECOMMIT)
    put(WATCHED, "watched", CODECOMMIT)
    stack.write_specs(team=SPECS.format("report"))
    stack.up()
    put(FOREIGN, "jane", CODECOMMIT)
    put(OFF, "jane", LOGS, status="Inactive")
    pass_a_day(emulator)
    said = stack.preview()
    for credential_id in (FOREIGN, OFF):
        assert f"credential {credential_id} (" in said
    assert STRANGER not in said
    assert WATCHED not in said
    stack.up()
    stack.assert_no_changes()
    assert f"credential {FOREIGN} (Active" in stack.preview()
    stack.write_specs(team=SPECS.format("deactivate"))
    said = stack.preview()
    assert f'[0]: "{FOREIGN}"' in said
    stack.up()
    stack.assert_no_changes()
    statuses = {
        existing["ServiceSpecificCredentialId"]: existing["Status"] for existing in list_credentials(iam, "jane")
    }
    assert (statuses[FOREIGN], statuses[OFF], len(statuses)) == ("Inactive", "Inactive", 3)
    stack.write_specs(team=SPECS.format("delete"))
    said = stack.preview()
    assert FOREIGN in said
    assert OFF in said
    stack.up()
    stack.assert_no_changes()
    own = stack.read_outputs()["credentials"]["jane/codecommit"]["id"]
    assert [existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, "jane")] == [own]
    assert len(list_credentials(iam, "joe")) == len(list_credentials(iam, "watched")) == 1
    stack.succeed("destroy", "--yes")
    assert len(list_credentials(iam, "joe")) == len(list_credentials(iam, "watched")) == 1
