"""Many credentials: more than the engine's recursion limit, with an exact number of calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.bench import create_users, spec

if TYPE_CHECKING:
    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

COUNT = 420
"""More than 320, the number at which the SDK's serialization of providers would raise a RecursionError."""


def test_hundreds_of_credentials(stack: Stack, emulator: Emulator) -> None:
    """420 credentials of 210 users cost one Create each and two lists; a run without changes costs one list."""
    stack.env["PULUMI_EXPERIMENTAL"], stack.env["PULUMI_SKIP_CHECKPOINTS"] = "true", "true"  # else quadratic in time
    users = create_users(emulator.url, COUNT // 2)
    stack.write_specs(one=spec(users[:100]), two=spec(users[100:]))
    emulator.controls.clear_counts()
    stack.succeed("up", "--yes", "--skip-preview")
    assert emulator.controls.counts() == {
        "iam:CreateServiceSpecificCredential": COUNT,
        "iam:ListServiceSpecificCredentials": 1,
        "iam:ListUsers": 1,
        "sts:GetCallerIdentity": 1,
    }
    emulator.controls.clear_counts()
    stack.assert_no_changes()
    assert emulator.controls.counts() == {"iam:ListServiceSpecificCredentials": 1, "sts:GetCallerIdentity": 1}
