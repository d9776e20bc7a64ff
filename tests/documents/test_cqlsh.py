"""The documented commands that write the files of cqlsh."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.documents.reading import blocks

ROOT = Path(__file__).parents[2]
OLD = "[ssl]\ncertfile = ca.pem\n[authentication]\nusername = old\npassword = old\n[connection]\nport = 9142\n"
FORMS = {"cqlsh-credentials": "credentials", "cqlshrc": "cqlshrc"}


def play(home: Path, form: str, program: str) -> int:
    """Run the documented command of a form with a program in place of iamcreds; return its exit code."""
    (script,) = (block.text for block in blocks(ROOT / "docs/real-account.md") if f"--as {form} >" in block.text)
    (home / "bin").mkdir()
    (home / "bin/iamcreds").write_text(f"#!/bin/sh\n{program}\n")
    (home / "bin/iamcreds").chmod(0o755)
    env = {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin"}
    return subprocess.run(["bash", "-c", script], env=env, check=False, timeout=60).returncode  # noqa: S607 - a person's shell


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("is_there", [True, False])
def test_success(tmp_path: Path, form: str, *, is_there: bool) -> None:
    """The file has the new password, other sections of cqlshrc stay, and only its owner can read it."""
    file = tmp_path / ".cassandra" / FORMS[form]
    if is_there:
        file.parent.mkdir()
        file.write_text(OLD)
    assert play(tmp_path, form, "printf '[authentication]\\nusername = new\\n'") == 0
    kept = "[ssl]\ncertfile = ca.pem\n[connection]\nport = 9142\n" if is_there and form == "cqlshrc" else ""
    assert file.read_text() == f"[authentication]\nusername = new\n{kept}"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("form", FORMS)
def test_failure(tmp_path: Path, form: str) -> None:
    """If the command fails, also after half of its output, the file stays as it was."""
    file = tmp_path / ".cassandra" / FORMS[form]
    file.parent.mkdir()
    file.write_text(OLD)
    assert play(tmp_path, form, "printf half; exit 1") == 1
    assert file.read_text() == OLD
    assert [path.name for path in file.parent.iterdir()] == [file.name]
