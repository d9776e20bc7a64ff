"""Profiles that would prompt: a preview ends within seconds, and its error has the solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.aws.test_credential_sources import ROLE
from tests.e2e.existing import JANE

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from tests.e2e.stack import Stack


def test_mfa(stack: Stack, iam: IAMClient) -> None:
    """A profile with `mfa_serial` fails the preview with a solution instead of a prompt."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=JANE)
    (stack.folder.parent / "aws-config").write_text(ROLE)
    stack.seconds = 100
    printed = stack.fail(
        "preview",
        AWS_PROFILE="asked",
        AWS_CONFIG_FILE=str(stack.folder.parent / "aws-config"),
        AWS_ACCESS_KEY_ID="",
        AWS_SECRET_ACCESS_KEY="",
    )
    assert "this profile needs an MFA code" in printed
    assert "aws configure export-credentials" in printed
