"""IAMCREDS_DEBUG=1 and the engine's own debugging options on the real engine: the output and its permissions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.e2e.existing import JANE

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack


def test_calls_of_a_provider(stack: Stack, iam: IAMClient) -> None:
    """A run shows the calls of its providers on request; the fixture searches the output for secrets."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=JANE)
    assert "aws: " not in stack.preview()
    shown = stack.succeed("up", "--yes", "--skip-preview", IAMCREDS_DEBUG="1")
    assert "aws: iam:CreateServiceSpecificCredential: HTTP 200 after " in shown


def test_traceback_of_a_provider(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A failed create shows the traceback on request, with its cause in botocore."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=JANE)
    emulator.controls.fail(
        "iam:CreateServiceSpecificCredential", times=9, status=403, code="AccessDenied", message="no"
    )
    failed = stack.run("up", "--yes", "--skip-preview", IAMCREDS_DEBUG="1")
    assert failed.code != 0
    assert "which led to" in failed.text
    assert "iamcreds/aws/" in failed.text
    assert "which led to" not in stack.fail("up", "--yes", "--skip-preview")


def test_what_the_engine_writes_down(stack: Stack, iam: IAMClient) -> None:
    """With `umask 077`, only the user can read the debugging files of the engine."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=JANE)
    folder = stack.folder.parent
    before = set(folder.rglob("*"))
    usual = os.umask(0o077)
    try:
        stack.succeed("preview", "-v=9", f"--tracing=file:{folder}/tracing", PULUMI_DEBUG_GRPC=f"{folder}/calls")
    finally:
        os.umask(usual)
    written = {path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()} - before
    assert {"tracing", "calls"} <= {path.name for path in written}
    assert any(".INFO." in path.name or "log" in path.name for path in written)
    assert [path for path in written if path.stat().st_mode & 0o077] == []
