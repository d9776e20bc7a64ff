"""The real engine on a stack of its own, and the embedded IAM it works against."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.stack import ROOT, Stack, copy_stack, create_stack, find_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from iamcreds.emulator.server import Emulator

UV = shutil.which("uv") or str(ROOT / ".state/uv/bin/uv")
LEAKED = 20
"""Characters of a secret that are a leak."""


@pytest.fixture(scope="session")
def engine() -> str:
    """The folder of the real engine."""
    return find_engine()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this working copy, built from its source distribution, as a release is."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([UV, "build", "--quiet", "--offline", "--out-dir", folder], cwd=ROOT, check=True, timeout=200)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def new_stack(tmp_path_factory: pytest.TempPathFactory, engine: str, endpoint: Emulator) -> Path:
    """The folder of a stack that nothing was done with yet, to be copied."""
    folder = tmp_path_factory.mktemp("stack")
    create_stack(folder, engine, endpoint.url)
    return folder


@pytest.fixture
def stack(tmp_path: Path, new_stack: Path, engine: str, emulator: Emulator) -> Iterator[Stack]:
    """A new stack of this project against the embedded IAM; in the end no secret may stand anywhere in it."""
    new = copy_stack(new_stack, tmp_path, engine, emulator.url)
    yield new
    assert_no_leak(new, tmp_path, emulator.controls.secrets())


def assert_no_leak(stack: Stack, folder: Path, issued: list[str]) -> None:
    """No secret ever issued may stand in what was printed or in any file that was left, ciphertext aside."""
    assert not contain_any(stack.printed, issued), "a secret was printed"
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    for path in files:
        assert not contain_any([path.read_bytes().decode(errors="replace")], issued), f"a secret stands in {path.name}"


def contain_any(texts: list[str], issued: list[str]) -> bool:
    """Whether any of the secrets stands in any of the texts, or as much of one as an answer has that was cut."""
    return any(secret[:LEAKED] in text for text in texts for secret in issued)
