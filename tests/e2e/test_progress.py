"""The progress of a long run, as the real engine shows it: in a terminal, in a pipe, and in JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.terminal import run_at_terminal

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

USERS = [f"user-{number:02}" for number in range(48)]
FAR = re.compile(
    r"pulumi:providers:pulumi-python +default +(\d+) of 48 credentials(, 1 failed)?, about \d+ seconds? left"
)
PROGRAM = """
from iamcreds.pulumi_engine.run_progress import show_progress

show_progress("12 of 48 credentials")
"""


def test_at_a_terminal(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The last visible row shows completed, failed and remaining credentials, however long the tree is."""
    for user in USERS[1:]:
        iam.create_user(UserName=user)
    users = "".join(f"  {user}: {{credentials: [{{service: codecommit}}]}}\n" for user in USERS)
    stack.write_specs(team=f"users:\n{users}")
    emulator.controls.set(latency=1)  # the engine's provider handles four at a time
    command = ["pulumi", "up", "--yes", "--skip-preview", "--continue-on-error"]
    env = stack.env | {"TERM": "xterm"}
    drawn = run_at_terminal(command, stack.folder, env, lines=12, columns=200, seconds=stack.seconds).text
    stack.printed.append(drawn)
    found = [(int(number), failed) for number, failed in FAR.findall(drawn)]
    assert found
    assert found == sorted(found)
    assert found[-1][1] == ", 1 failed"
    last_frame = drawn[: drawn.rindex("about")].rsplit("Type ", 1)[1]
    assert "pulumi:pulumi:Stack" not in last_frame
    assert "credentials" not in drawn[drawn.index("Diagnostics:") : drawn.index("Outputs:")]


def test_in_a_pipe_and_in_json(stack: Stack) -> None:
    """In a pipe, progress is a line, even with `--suppress-progress` and `--diff`; a preview as JSON has none."""
    stack.write_program(PROGRAM)
    line = "pulumi:providers:pulumi-python default  12 of 48 credentials"
    assert line in stack.succeed("preview", "--suppress-progress")
    assert stack.preview().splitlines().count("12 of 48 credentials") == 1
    printed = stack.succeed("preview", "--json")
    assert "12 of 48 credentials" not in printed
    assert json.loads(printed)["changeSummary"] == {"create": 1}
