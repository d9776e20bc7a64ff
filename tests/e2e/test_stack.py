"""The stacks of the tests."""

from __future__ import annotations

import subprocess
import sys

from tests.e2e.stack import ROOT

PROGRAM = """
import subprocess, sys
from tests.e2e.stack import heed_interrupts
heed_interrupts()
child = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
sys.exit(subprocess.call([sys.executable, "-c", child]))
"""


def test_interrupts_are_heeded() -> None:
    """Where SIGINT is ignored, what the tests start heeds it all the same: the engine's plugins end when asked."""
    ran = subprocess.run(
        ["bash", "-c", "trap '' INT; exec \"$0\" -c \"$1\"", sys.executable, PROGRAM],  # noqa: S607 - a person's shell
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ran.stdout == "True\n"
