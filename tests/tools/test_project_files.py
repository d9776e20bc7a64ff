"""The files that configure work on the project."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def test_hooks_are_the_projects_own() -> None:
    """Every hook of pre-commit runs a program of the project's own environment, and downloads nothing."""
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = [hook for repository in repositories for hook in repository["hooks"]]
    assert [repository["repo"] for repository in repositories] == ["local"]
    assert {hook["language"] for hook in hooks} == {"system"}
    programs = [hook["entry"].split()[0] for hook in hooks]
    assert all(program.startswith(".venv/bin/") and (ROOT / program).exists() for program in programs)


def test_make_help() -> None:
    """`make help` lists every target on one line."""
    makefile = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S607
    assert sorted(line.split()[1] for line in shown.splitlines()) == sorted(targets[1].split())


def test_make_clean_installs_nothing(tmp_path: Path) -> None:
    """`make clean` in a new clone creates nothing."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = subprocess.run(["make", "clean"], cwd=tmp_path, capture_output=True, text=True, check=True)  # noqa: S607
    assert done.stdout == "rm -rf .venv .state\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Makefile"]


@pytest.mark.parametrize("is_moved", [False, True])
def test_moved_environment(tmp_path: Path, *, is_moved: bool) -> None:
    """A virtual environment whose scripts start a different folder's Python is created again."""
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    scripts = tmp_path / ".venv/bin"
    scripts.mkdir(parents=True)
    (scripts / "iamcreds").write_text(f"#!{'/elsewhere/.venv/bin' if is_moved else scripts.resolve()}/python\n")
    (tmp_path / ".venv/.synced").touch()
    command = ["make", "--dry-run", "UV=uv", ".venv/.synced"]
    planned = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert ("rm -rf .venv" in planned.splitlines()) is is_moved
    assert ("uv sync" in planned) is is_moved
