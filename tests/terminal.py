"""Commands at a terminal of a given size, as a user sees them."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
from dataclasses import dataclass
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Shown:
    """The exit code of a command, its output at the terminal, and its output in a pipe."""

    code: int
    drawn: str
    piped: str = ""

    @property
    def text(self) -> str:
        """Return the terminal output without colors and cursor movements."""
        return _ESCAPES.sub("", self.drawn)


def run_at_terminal(  # noqa: PLR0913 - the properties of a terminal
    command: Sequence[str],
    folder: Path,
    env: Mapping[str, str],
    *,
    columns: int = 80,
    lines: int = 40,
    piped: str | None = None,
    seconds: float = 60,
) -> Shown:
    """Run a command with standard output and standard error at a terminal, or with one of them (`piped`) in a pipe."""
    master, slave = pty.openpty()
    ioctl(slave, TIOCSWINSZ, pack("HHHH", lines, columns, 0, 0))
    stdout, stderr = (subprocess.PIPE if piped == name else slave for name in ("stdout", "stderr"))
    process = subprocess.Popen(command, cwd=folder, env=dict(env), stdin=slave, stdout=stdout, stderr=stderr)
    os.close(slave)
    drawn: list[bytes] = []
    reader = threading.Thread(target=lambda: drawn.extend(iter(lambda: _read(master), b"")))
    reader.start()
    in_pipe = b"".join(part or b"" for part in process.communicate(timeout=seconds))
    reader.join(timeout=10)
    os.close(master)
    return Shown(process.returncode, b"".join(drawn).decode().replace("\r\n", "\n"), in_pipe.decode())


def _read(descriptor: int) -> bytes:
    """Read the next bytes, or nothing after the other end was closed."""
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""
