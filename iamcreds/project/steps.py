"""The commands that complete a project after `iamcreds init`, quoted for a shell; pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from iamcreds.project.wheel import format_wheel_name
from iamcreds.text.commands import format_option

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from iamcreds.project.clone import Clone

_BUILD = "build --wheel --offline --python .venv/bin/python"
"""The arguments of uv in a clone: its environment needs no download, and any other active environment is ignored."""


def list_wheel_steps(clone: Clone | None, version: str, init: str) -> list[str]:
    """List the commands that build the wheel and add it to the project; `init` is the command so far."""
    if clone is None:
        return [
            f"# in CLONE, a clone of iamcreds {version}: make .venv/.synced && uv {_BUILD}",
            f"{init} --wheel CLONE/dist/{format_wheel_name(version)}",
        ]
    folder = shlex.quote(str(clone.folder))
    sync = [] if clone.is_ready else [f"make -C {folder} .venv/.synced"]
    wheel = shlex.quote(str(clone.folder / "dist" / format_wheel_name(version)))
    return [*sync, f"{shlex.quote(clone.uv)} {_BUILD} --directory {folder}", f"{init} --wheel {wheel}"]


def list_project_steps(folder: Path, stack: str, secrets_provider: str) -> list[str]:
    """List the commands from the written files to the first preview."""
    return [
        f"cd {quote_folder(folder)}",
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
        'export PATH="$PWD/.venv/bin:$PATH"; umask 077',
        f"pulumi stack init {shlex.quote(stack)} {format_option('--secrets-provider', secrets_provider)}",
        "iamcreds dump --to specs    # in a new account: iamcreds skeleton > specs/jane.yaml, and edit it",
        "pulumi preview",
    ]


def format_init(program: str, folder: Path, options: Iterable[tuple[str, str]]) -> str:
    """Format an `iamcreds init` command."""
    words = " ".join(format_option(name, value) for name, value in options)
    return f"{shlex.quote(program)} init {quote_folder(folder)} {words}"


def quote_folder(folder: Path) -> str:
    """Quote a folder so that it is not parsed as an option."""
    text = str(folder)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)
