"""Truncated responses that contain passwords, on the real engine: no output shows any part of a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import contain_any

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

SPECS = """
users:
  jane:
    existing: adopt
    credentials:
      - {service: codecommit, reset: "TRIGGER"}
      - {service: bedrock, reset: "TRIGGER"}
"""
CREATE, RESET = "iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential"


@pytest.mark.parametrize("share", [0.6, 0.9])
def test_cut_answers(share: float, stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A truncated response to Create or Reset is reported as lost, in text and events, with and without tracebacks."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=SPECS)
    emulator.controls.cut(CREATE, share, whole_length=False, times=None)
    emulator.controls.cut(RESET, share, times=None)
    assert "the response was lost" in stack.fail("up", "--yes", "--skip-preview")
    emulator.controls.clear_faults()
    stack.up()
    emulator.controls.cut(RESET, share, whole_length=False, times=None)
    stack.write_specs(team=SPECS.replace("TRIGGER", "again"))
    shown = stack.run("up", "--yes", "--skip-preview", "--json", IAMCREDS_DEBUG="1")
    assert shown.code != 0
    assert "the password may already be reset" in shown.text
    assert "no response (ResponseParserError)" in shown.text
    assert not contain_any(stack.printed, emulator.controls.secrets())
