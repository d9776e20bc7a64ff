"""The real engine with a new stack for each test, and the IAM emulator."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from iamcreds.emulator.server import Emulator
from tests.e2e.deliveries import REGION, open_store
from tests.e2e.recorded.restoring import restore
from tests.e2e.stack import ROOT, Stack, copy_stack, create_stack, find_engine
from tests.e2e.successors import pass_days, rotate_first

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


UV = shutil.which("uv") or str(ROOT / ".state/uv/bin/uv")
LEAKED = 20
"""The number of characters of a secret that count as a leak."""


@pytest.fixture(scope="session")
def engine() -> str:
    """Return the folder of the real engine."""
    return find_engine()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this working copy from its source distribution, as a release does."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([UV, "build", "--quiet", "--offline", "--out-dir", folder], cwd=ROOT, check=True, timeout=200)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def new_stack(tmp_path_factory: pytest.TempPathFactory, engine: str, endpoint: Emulator) -> Path:
    """Create an unused stack, which tests copy."""
    folder = tmp_path_factory.mktemp("stack")
    create_stack(folder, engine, endpoint.url)
    return folder


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Start an empty IAM emulator with its own address.

    All runs of a user share the create journal, whose entries contain the address. With a shared address, a run would
    wait for the create of an earlier test that was killed.
    """
    with Emulator() as own:
        yield own


@pytest.fixture
def stack(tmp_path: Path, new_stack: Path, engine: str, emulator: Emulator) -> Iterator[Stack]:
    """Create a new stack of this project on the IAM emulator; afterwards, search all output and files for secrets."""
    new = copy_stack(new_stack, tmp_path, engine, emulator.url)
    yield new
    assert_no_leak(new, tmp_path, emulator.controls.secrets())


@pytest.fixture
def store(stack: Stack, emulator: Emulator) -> SecretsManagerClient:
    """Return a client of Secrets Manager in the region of the stack, which this sets."""
    stack.env["AWS_REGION"] = REGION
    return open_store(emulator)


@pytest.fixture(scope="session")
def first_rotation(
    tmp_path_factory: pytest.TempPathFactory, new_stack: Path, engine: str, endpoint: Emulator
) -> tuple[Path, dict[str, str]]:
    """Create the stack of `rotated` once; return its folder, and the password of each credential by id."""
    endpoint.controls.reset()
    folder = tmp_path_factory.mktemp("rotated")
    stack = copy_stack(new_stack, folder, engine, endpoint.url)
    rotate_first(stack, endpoint)
    return folder, endpoint.controls.passwords()


@pytest.fixture
def rotated(
    tmp_path: Path, first_rotation: tuple[Path, dict[str, str]], engine: str, iam: IAMClient, emulator: Emulator
) -> Iterator[Stack]:
    """Create a stack with a password that was rotated for the first time on day 86; both work on this day."""
    folder, passwords = first_rotation
    stack = copy_stack(folder, tmp_path, engine, emulator.url)
    restore(iam, emulator, json.loads(stack.succeed("stack", "export")), passwords)
    pass_days(emulator, 86)
    yield stack
    assert_no_leak(stack, tmp_path, emulator.controls.secrets())


def assert_no_leak(stack: Stack, folder: Path, issued: list[str]) -> None:
    """Assert that neither the output nor a remaining file contains an issued secret in clear text."""
    assert not contain_any(stack.printed, issued), "a secret was printed"
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    for path in files:
        assert not contain_any([path.read_bytes().decode(errors="replace")], issued), f"a secret is in {path.name}"


def contain_any(texts: list[str], issued: list[str]) -> bool:
    """Return True if a text contains a secret, or as much of one as a truncated response may contain."""
    return any(secret[:LEAKED] in text for text in texts for secret in issued)
