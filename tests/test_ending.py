"""The end of iamcreds processes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = """
from iamcreds.cli import main
main(["completion", "bash"])
"""
PROVIDER = """
from pulumi.dynamic import Config, ConfigureRequest
from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
ServiceSpecificCredentialProvider().configure(ConfigureRequest(Config({}, "iamcreds")))
"""
PROGRAM = """
import contextlib, pulumi
from dynamic_providers.program import run
with contextlib.suppress(pulumi.RunError):  # the folder has no specs
    run()
"""
BEFORE = """
import atexit, gc
found = gc.get_freeze_count()
atexit.register(lambda: print("frozen:", gc.get_freeze_count() > found))
"""
"""Functions that are registered first are called last."""


@pytest.mark.parametrize("process", [COMMAND, PROVIDER, PROGRAM], ids=["command", "provider", "program"])
def test_no_last_search_for_garbage(process: str, tmp_path: Path) -> None:
    """A command, a provider and a program end without a garbage collection of all loaded modules."""
    ended = subprocess.run(
        [sys.executable, "-c", BEFORE + process],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ended.stdout.splitlines()[-1] == "frozen: True"
