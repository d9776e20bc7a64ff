"""A credential policy in every run: warnings, rejections, the comment of a pull request, and drift."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.cli import main
from tests.e2e.existing import list_credentials

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

DAY = 86_400
UP = ("up", "--yes", "--skip-preview")
REPORT = {"IAMCREDS_REJECTIONS": "report"}


def write(stack: Stack, *, reset: str = "", is_enforced: bool = False) -> None:
    """Declare a credential of jane and one of joe; passwords may be 90 days old, and API keys must expire."""
    stack.write_specs(
        team=f"""defaults:
  credentialPolicy: {{maxAgeDays: 90, requireExpiry: [bedrock], enforce: {json.dumps(is_enforced)}}}
users:
  jane: {{credentials: [{{service: codecommit{reset}}}]}}
  joe: {{credentials: [{{service: bedrock, expire: {{after: 365d}}}}]}}
"""
    )


def plan(stack: Stack, capfd: pytest.CaptureFixture[str], code: int) -> str:
    """Return the comment about a preview that reports rejections; `iamcreds plan` must exit with the code."""
    printed = stack.succeed("preview", "--json", "--show-sames", **REPORT)
    preview = stack.folder / "preview.json"
    preview.write_text(json.dumps(json.JSONDecoder().raw_decode(printed[printed.index("{") :])[0]))
    with pytest.raises(SystemExit, match=rf"\A{code}\Z"):
        main(["plan", str(preview)])
    return capfd.readouterr().out


def drift(stack: Stack, capfd: pytest.CaptureFixture[str], code: int, *options: str) -> dict[str, Any]:
    """Return the account of `iamcreds drift`, which must exit with the code."""
    with pytest.raises(SystemExit, match=rf"\A{code}\Z"):
        main(["drift", str(stack.folder / "specs"), "--format", "json", *options])
    document: dict[str, Any] = json.loads(capfd.readouterr().out)["accounts"][0]
    return document


def export(stack: Stack, folder: Path) -> str:
    """Write the exported state to a file, and return its path."""
    path = folder / "exported.json"
    path.write_text(stack.succeed("stack", "export"))
    return str(path)


@pytest.mark.usefixtures("signed_in")
def test_old_password(
    stack: Stack, iam: IAMClient, emulator: Emulator, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """An old password is a warning, then a rejection of this credential only, until the run that resets it."""
    emulator.controls.set(clock_shift=-100 * DAY)
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    write(stack)
    stack.up()
    emulator.controls.set(clock_shift=0)
    (existing,) = list_credentials(iam, "jane")
    id_, before = existing["ServiceSpecificCredentialId"], emulator.controls.passwords()
    found = f"password of codecommit credential {id_} is older than 90 days: issued on "

    completed = stack.run("preview", "--expect-no-changes")
    assert (completed.code, f"warning: jane: {found}" in completed.text) == (0, True)
    comment = plan(stack, capfd, 0)
    assert "No changes; the stack has 2 credentials." in comment
    assert f"\njane: {found}" in comment[comment.index("Credential findings (2)") :]
    unknown = drift(stack, capfd, 0)
    assert (unknown["notChecked"]["credentialAges"], unknown["differences"]) == (2, [])
    assert "ages of 2 credentials not checked: only the stack's state has the dates of resets" in unknown["notes"]
    recorded = drift(stack, capfd, 2, "--state", export(stack, tmp_path))
    assert recorded["notChecked"]["credentialAges"] == 0
    (jane, joe) = recorded["differences"]
    assert (jane["rule"], jane["id"], jane["next"]) == (
        "credential-too-old", id_, "change `reset` in the specs, then pulumi up",
    )  # fmt: skip
    assert (joe["rule"], joe["user"], joe["desired"]) == ("credential-too-old", "joe", {"maxAgeDays": 90})

    write(stack, is_enforced=True)
    rejected = stack.fail("preview")
    assert f"specs/team.yaml:4:24: jane/codecommit: {found}" in rejected
    assert "[credential-too-old], and the policy is enforced. Options: change `reset` in the specs; or" in rejected
    assert "2 rejected; the stack has 2 credentials." in plan(stack, capfd, 4)
    assert found in stack.fail(*UP)
    assert emulator.controls.passwords() == before

    write(stack, reset=", reset: old", is_enforced=True)
    assert "joe/bedrock: API key of bedrock credential" in stack.fail("preview")
    assert "joe/bedrock" in stack.fail(*UP, "--continue-on-error")
    passwords = emulator.controls.passwords()
    assert passwords[id_] != before[id_]
    assert {key for key in before if passwords[key] == before[key]} == before.keys() - {id_}

    permitted = stack.succeed(*UP, "--config", "enforce=false")
    assert "credential policies are not enforced, because the stack's config has enforce=false" in permitted
    assert found not in permitted
    (left,) = drift(stack, capfd, 2, "--state", export(stack, tmp_path))["differences"]
    assert (left["rule"], left["user"]) == ("credential-too-old", "joe")
