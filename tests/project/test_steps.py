"""The printed commands: a shell reads them as intended, in a clone and outside one."""

from __future__ import annotations

import shlex
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from iamcreds.project.clone import Clone, find_clone, find_uv
from iamcreds.project.steps import format_init, list_project_steps, list_wheel_steps
from tests.e2e.stack import ROOT

WHEEL = "iamcreds-1.2.3-py3-none-any.whl"


def test_ready_clone() -> None:
    """In a clone with its environment, the steps are the build and the second `init`, whatever the clone's name."""
    build, init = list_wheel_steps(Clone(Path("/a b"), "uv", is_ready=True), "1.2.3", "iamcreds init x")
    assert shlex.split(build) == [
        *("uv", "build", "--wheel", "--offline", "--python", ".venv/bin/python", "--directory", "/a b"),
    ]
    assert shlex.split(init) == ["iamcreds", "init", "x", "--wheel", f"/a b/dist/{WHEEL}"]


def test_new_clone() -> None:
    """In a clone without its environment, `make` is first; it also installs uv."""
    sync, build, _ = list_wheel_steps(Clone(Path("/c"), "/c/.state/uv/bin/uv", is_ready=False), "1.2.3", "init")
    assert sync == "make -C /c .venv/.synced"
    assert build.startswith("/c/.state/uv/bin/uv build --wheel --offline ")


def test_no_clone() -> None:
    """Outside a clone a comment shows how to build the wheel."""
    build, init = list_wheel_steps(None, "1.2.3", "iamcreds init x")
    assert build.startswith("# in CLONE, a clone of iamcreds 1.2.3: make .venv/.synced && uv build --wheel --offline ")
    assert init == f"iamcreds init x --wheel CLONE/dist/{WHEEL}"


def test_quoted() -> None:
    """Names with spaces and leading hyphens stay one word, and are not options."""
    init = format_init("/a b/iamcreds", Path("-o'x"), [("--stack", "-s"), ("--backend", "")])
    assert shlex.split(init) == ["/a b/iamcreds", "init", "./-o'x", "--stack=-s", "--backend", ""]
    assert shlex.split(list_project_steps(Path("-o'x"), "prod", "default")[0]) == ["cd", "./-o'x"]


def test_find_clone() -> None:
    """This clone is found only for its own version."""
    clone = find_clone(metadata.version("iamcreds"))
    assert clone is not None
    assert clone.folder == ROOT
    assert find_clone("0.0.0") is None


def test_find_clone_without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clone without uv is not ready, even if its environment exists."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    clone = find_clone(metadata.version("iamcreds"))
    assert clone is not None
    assert not clone.is_ready


@pytest.mark.parametrize("on_path", ["/usr/bin/uv", None])
def test_find_uv(on_path: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The uv on PATH is used, otherwise the clone's own."""
    monkeypatch.setattr(shutil, "which", lambda _: on_path)
    assert find_uv(Path("/c")) == ("uv" if on_path else "/c/.state/uv/bin/uv")
