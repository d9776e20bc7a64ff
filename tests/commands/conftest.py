"""Fixtures that run the command line on the IAM emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from click.testing import CliRunner, Result

from iamcreds.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from iamcreds.emulator.server import Emulator


class Run(Protocol):
    """A function that runs `iamcreds`."""

    def __call__(self, *words: str) -> Result:
        """Return the result, which may be an error, but without a traceback or a secret."""


@pytest.fixture
def run(signed_in: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Return the command in a clean environment; after the test, assert that no secret was printed."""
    monkeypatch.chdir(tmp_path)
    printed: list[str] = []

    def call(*words: str) -> Result:
        result = CliRunner().invoke(main, words)
        printed.append(result.output)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    yield call
    issued = signed_in.controls.secrets()
    assert not any(secret in text for text in printed for secret in issued)
