"""A user that IAM has renamed, and specs with `was`: aliases are the engine's matter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from iamcreds.pull_request.comment import render_comment
from iamcreds.pull_request.preview import parse_preview
from iamcreds.pull_request.preview_changes import read_changes
from tests.e2e.existing import list_credentials, pass_a_day
from tests.e2e.test_secret import run

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

SPEC = """users:
  {user}:
    {was}
    unmanaged: delete
    accessKeys: {{max: 1}}
    credentials: [{{service: codecommit}}, {{service: bedrock, {name}}}]
"""


def test_renamed_user(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """`was` of a user keeps ids and passwords, also of a credential that is renamed in the same run."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=SPEC.format(user="jane", was="", name="name: app"))
    stack.up()
    pass_a_day(emulator)
    passwords = dict(emulator.controls.passwords())
    password = run(stack, "iamcreds", "secret", "jane/codecommit").stdout
    iam.update_user(UserName="jane", NewUserName="janet")
    before = list_credentials(iam, "janet")

    stack.write_specs(team=SPEC.format(user="janet", was="", name="name: app"))
    comment = plan(stack)
    assert "2 to create, 2 to delete" in comment
    note = "deletes a working password; the IAM user was renamed: to keep the password, declare the new name with"
    assert f"| `jane/codecommit` of `janet` | `codecommit.amazonaws.com` | delete | {note} `was: jane`; " in comment
    assert "and this run deletes codecommit credential" in comment

    stack.write_specs(team=SPEC.format(user="janet", was="was: jane", name="name: key, was: app"))
    assert "2 to rename, 2 access key policies; the stack has 2 credentials" in plan(stack)
    stack.up()
    stack.assert_no_changes()
    assert set(stack.read_outputs()["credentials"]) == {"janet/codecommit", "janet/bedrock/key"}

    iam.update_user(UserName="janet", NewUserName="jo")
    stack.write_specs(team=SPEC.format(user="jo", was="was: janet", name="name: key"))
    stack.succeed("up", "--yes", "--skip-preview", "--refresh=false")
    stack.assert_no_changes()
    assert run(stack, "iamcreds", "secret", "jo/codecommit").stdout == password
    assert list_credentials(iam, "jo") == [credential | {"UserName": "jo"} for credential in before]
    assert dict(emulator.controls.passwords()) == passwords


def plan(stack: Stack) -> str:
    """Return the comment on a preview."""
    printed = stack.run("preview", "--json", "--show-sames").text
    document, _ = json.JSONDecoder().raw_decode(printed[printed.index("{") :])
    return render_comment(read_changes(parse_preview(json.dumps(document))), "test", datetime.now(UTC))
