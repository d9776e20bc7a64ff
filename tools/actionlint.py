"""Check the workflows with actionlint, which is built once from the Go module that `checks/actionlint/` pins.

    python -m tools.actionlint [FILE…]

Without Go, the check prints that it is skipped.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.engine import TOOLS, EngineError, compile_program, find_cache, print_progress

MODULE = TOOLS / "checks" / "actionlint"
PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"
FLAGS = ("-shellcheck=", "-pyflakes=")
"""Disable other programs that actionlint runs if they are installed, so that its result is the same everywhere."""


def main(*files: str) -> int:
    """Check these workflows, or all, and return the exit code of actionlint, or 0 without Go."""
    if not shutil.which("go"):
        print_progress("actionlint: skipped, because go is not on PATH")
        return 0
    return subprocess.run([find_or_build(), *FLAGS, *files], cwd=TOOLS.parent, check=False).returncode  # noqa: S603 - our words


def find_or_build() -> Path:
    """Find the program, and build it if necessary.

    Raises:
        EngineError: the build failed.
    """
    pinned = b"".join(path.read_bytes() for path in sorted(MODULE.glob("go.*")))
    program = find_cache() / f"actionlint-{hashlib.sha256(pinned).hexdigest()[:12]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=program.parent) as folder:
            compile_program(MODULE, PACKAGE, Path(folder))
            (Path(folder) / "actionlint").replace(program)
    return program


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except EngineError as error:
        sys.exit(str(error))
