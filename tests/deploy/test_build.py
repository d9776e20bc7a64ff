"""The hash pins of the build and the installation: uv, the packages, and the build system of our own package."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())
PACKAGES: dict[str, dict[str, Any]] = {package["name"]: package for package in LOCK["package"]}
HASH = re.compile(r"sha256:[0-9a-f]{64}")


def test_uv_is_pinned() -> None:
    """The downloaded uv is one version, pinned by hash, and pip downloads nothing without a hash."""
    lines = [line for line in (ROOT / "tools/uv.txt").read_text().splitlines() if not line.startswith("#")]
    assert re.fullmatch(r"uv==[\d.]+ \\", lines[0])
    assert lines[1:]
    assert all(re.fullmatch(rf"    --hash={HASH.pattern}( \\)?", line) for line in lines[1:])
    installed = re.findall(r"pip (?:install|download) .*", (ROOT / "Makefile").read_text())
    assert len(installed) == 2
    assert "pip install --quiet --require-hashes --only-binary :all: --requirement tools/uv.txt" in installed
    assert all("--require-hashes --only-binary :all:" in command for command in installed)


def test_packages_are_pinned() -> None:
    """The lock file has a hash for every file of every package, except for our own."""
    for name, package in PACKAGES.items():
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert all(HASH.fullmatch(file["hash"]) for file in files), name
        assert files or package["source"] == {"editable": "."}, name


def test_what_builds_is_pinned() -> None:
    """The build requirements have exact versions from the lock file, and uv needs no others."""
    assert set(PROJECT["build-system"]["requires"]) <= set(PROJECT["dependency-groups"]["build"])
    for requirement in PROJECT["dependency-groups"]["build"]:
        name, version = requirement.split("==")
        assert PACKAGES[name]["version"] == version
    assert PROJECT["tool"]["uv"]["no-build-isolation-package"] == [PROJECT["project"]["name"]]
    assert "build" in PROJECT["tool"]["uv"]["default-groups"]


def test_nothing_fetched_is_built() -> None:
    """Packages are installed as wheels, which run no code, and our own is built without network access."""
    first, second = re.findall(r"\$\(UV\) sync (.*)", (ROOT / "Makefile").read_text())
    assert {"--locked", "--no-build", "--no-install-project"} <= set(first.split())
    assert {"--locked", "--offline"} <= set(second.split())


@pytest.mark.parametrize("words", [[], ["--pinned"]])
def test_pinned_engine(words: list[str], tmp_path: Path) -> None:
    """The engine on PATH is used, unless the pinned one is required."""
    (tmp_path / "pulumi").touch(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    cache = tmp_path / "iamcreds"
    fingerprint = subprocess.run(
        [sys.executable, "-c", "from tools.engine import make_fingerprint; print(make_fingerprint())"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    (cache / f"engine-{fingerprint}").mkdir(parents=True)
    (cache / f"engine-{fingerprint}/pulumi").touch()
    found = subprocess.run(
        [sys.executable, "tools/engine.py", *words], cwd=ROOT, env={"PATH": path, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert found == str(cache / f"engine-{fingerprint}" if words else tmp_path)


@pytest.mark.skipif(not shutil.which("go"), reason="Go is not installed")
def test_go_modules_are_pinned() -> None:
    """Every Go module of the engine and the checks has a checksum in the `go.sum` next to it."""
    modules = sorted((ROOT / "tools").rglob("go.mod"))
    assert len(modules) == 3
    for module in modules:
        listed = subprocess.run(
            ["go", "mod", "edit", "-json"], cwd=module.parent, capture_output=True, text=True, check=True  # noqa: S607
        )  # fmt: skip
        sums = (module.parent / "go.sum").read_text()
        replaced = {each["Old"]["Path"]: each["New"] for each in json.loads(listed.stdout).get("Replace") or []}
        for required in json.loads(listed.stdout)["Require"]:
            used = replaced.get(required["Path"], required)
            assert f"{used['Path']} {used['Version']}" in sums, used
