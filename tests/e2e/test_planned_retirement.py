"""`iamcreds plan` on previews of the real engine: only the end of an overlap is a retirement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.successors import NAME, PLAIN, ROTATED, SECOND, list_ids, pass_days
from tests.e2e.test_approval import plan, read_ids

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

RESET = ROTATED.replace("rotate:", "reset: leak, rotate:")
SHOWN = ("preview", "--show-sames")


def list_actions(stack: Stack, *options: str, code: int) -> str:
    """Run a preview and `iamcreds plan` without permission to remove; return the comment."""
    plan(stack, "--max-removals", "0", "--at-least", "0", command=(*SHOWN, *options), code=code)
    return stack.printed[-1]


def test_evidence(rotated: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """With `--target`, a reset, removed `rotate` or a manual activation, a retirement is a removal.

    No earlier retirement counts as evidence, because the state does not record it.
    """
    first, _ = list_ids(iam)
    pass_days(emulator, 94)
    approved = plan(rotated, "--max-removals", "0", "--specs", "specs")
    assert " | retire | overlap has ended" in rotated.printed[-1]
    assert read_ids(approved) == {"deactivate": [first]}
    only_previous = ("--target", f"**::{NAME}")
    for specs, action in ((RESET, "deactivate"), (PLAIN, "delete")):
        rotated.write_specs(jane=specs)
        for options in ((), only_previous):
            shown = list_actions(rotated, *options, code=3)
            assert f" | {action} | previous" in shown, options
            assert "| retire" not in shown

    rotated.write_specs(jane=ROTATED)
    rotated.up()
    assert list_ids(iam)[first] == "Inactive"
    assert "retires" not in rotated.read_resources()[SECOND]["inputs"]
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=first, Status="Active")
    for options in ((), only_previous):
        assert f"`{NAME}` | `cassandra.amazonaws.com` | deactivate |" in list_actions(rotated, *options, code=3), (
            options
        )
