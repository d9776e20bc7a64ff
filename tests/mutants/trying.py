"""Test runs in a copy of the tree, each in a new process with preloaded libraries."""

from __future__ import annotations

import compileall
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from py_compile import PycInvalidationMode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.context import ForkServerContext, ForkServerProcess
    from pathlib import Path

SURVIVED = 0
TIMED_OUT = None
_BEGAN = 100
"""The offset of pytest's exit codes, which distinguishes a process that failed to start from a failed test."""

_LIBRARIES = ["boto3", "moto.server", "moto.iam", "pulumi.dynamic", "pytest", "rich.table", "jinja2"]
"""The preloaded libraries, without plugins of pytest, which pytest imports itself."""


def copy_tree(root: Path, copy: Path) -> None:
    """Copy the files that git tracks or would add, compiled so that only changed files are compiled again."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - as installed
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)
    for folder in ("iamcreds", "dynamic_providers"):
        compileall.compile_dir(copy / folder, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
    (copy / ".venv").symlink_to(root / ".venv")


def start_server() -> ForkServerContext:
    """Start a fork server that imports the libraries once for all processes."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LIBRARIES)
    return context


def try_tests(context: ForkServerContext, copy: Path, tests: Sequence[str], seconds: float) -> int | None:
    """Return pytest's exit code, SURVIVED without a failure, or TIMED_OUT after that many seconds.

    Raises:
        RuntimeError: the process ended before it ran a test.
    """
    process = context.Process(target=_run, args=(str(copy), ["-x", *tests]))
    process.start()
    process.join(seconds)
    if process.is_alive():
        _end(process)
        return TIMED_OUT
    code = process.exitcode or 0
    if 0 <= code < _BEGAN:
        raise RuntimeError(f"no test was run: the process ended by {code}")
    return code - _BEGAN if code > 0 else code


def _end(process: ForkServerProcess) -> None:
    """End the process and its child processes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()


def _run(copy: str, arguments: list[str]) -> None:
    os.setsid()
    enter(copy)
    import pytest  # noqa: PLC0415 - only the copy is importable from here on

    code = pytest.main(["-q", "-p", "no:cacheprovider", "--no-header", *arguments])
    os._exit(_BEGAN + int(code))  # regardless of threads that a mutant has left


def enter(copy: str) -> None:
    """Use the copy instead of the tree, without output, and without compiled files next to the sources."""
    sys.dont_write_bytecode = True
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": copy, "CI": "true"}
    os.chdir(copy)
    sys.path.insert(0, copy)
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)
