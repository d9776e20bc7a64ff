"""The stack that the tests use."""

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
    """If SIGINT is ignored, child processes of the tests still respond to it, so that the engine's plugins end."""
    ran = subprocess.run(
        ["bash", "-c", "trap '' INT; exec \"$0\" -c \"$1\"", sys.executable, PROGRAM],  # noqa: S607 - a person's shell
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ran.stdout == "True\n"
