"""The progress of a run: its content, its timing and its recipient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
from pulumi.runtime.proto.engine_pb2 import INFO
from pulumi.runtime.proto.engine_pb2_grpc import EngineStub

from iamcreds.pulumi_engine import run_progress
from iamcreds.pulumi_engine.run_progress import SECONDS_BETWEEN, RunProgress, show_progress
from tests.providers.engine import Engine, serving

if TYPE_CHECKING:
    import pytest


class Run:
    """A run with a number of credentials and its own clock, which records the progress."""

    def __init__(self, total: int) -> None:
        self.seconds = 100.0
        self.told: list[str] = []
        self.progress = RunProgress(total, self.told.append, lambda: self.seconds)

    def go_on(self, number: int, *, seconds: float, failed: bool = False) -> None:
        """Complete that many more credentials, each after that many seconds."""
        for _ in range(number):
            self.seconds += seconds
            self.progress.count(failed=failed)


def test_told_every_few_seconds() -> None:
    """Progress is reported at most every five seconds, with the remaining time, and not at the end."""
    run = Run(1201)
    run.go_on(1201, seconds=0.5)
    assert len(run.told) == 1200 * 0.5 / SECONDS_BETWEEN - 1
    assert run.told[0] == "11 of 1,201 credentials, about 9 minutes left"
    assert run.told[-1] == "1,191 of 1,201 credentials, about 5 seconds left"


def test_short_run() -> None:
    """A run of a few seconds reports no progress."""
    run = Run(300)
    run.go_on(300, seconds=0.016)
    assert run.told == []


def test_failed_are_counted() -> None:
    """Failed credentials are counted and count as completed."""
    run = Run(10)
    run.go_on(2, seconds=1, failed=True)
    run.go_on(8, seconds=1)
    assert run.told == ["6 of 10 credentials, 2 failed, about 4 seconds left"]


def test_pace_is_that_of_late() -> None:
    """The pace is that of the last half minute, because unchanged credentials complete immediately."""
    run = Run(1000)
    run.go_on(900, seconds=0.005)
    run.go_on(50, seconds=1)
    assert run.told[6:8] == [
        "931 of 1,000 credentials, about 3 seconds left",
        "936 of 1,000 credentials, about 1 minute left",
    ]
    assert run.told[0] == "901 of 1,000 credentials, about 1 second left"
    assert run.told[-1] == "946 of 1,000 credentials, about 54 seconds left"


def test_engine_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine gets an ephemeral message in the provider's row; if the engine is missing or stops, nothing fails."""
    engine = Engine()
    with serving(engine) as address, grpc.insecure_channel(address) as channel:
        monkeypatch.setattr(run_progress, "get_engine", lambda: EngineStub(channel))
        monkeypatch.setattr("pulumi.get_stack", lambda: "production")
        monkeypatch.setattr("pulumi.get_project", lambda: "credentials")
        show_progress("120 of 300 credentials")
        [told] = engine.logged
        assert (told.message, told.ephemeral, told.severity) == ("120 of 300 credentials", True, INFO)
        assert told.urn == "urn:pulumi:production::credentials::pulumi:providers:pulumi-python::default"
    with grpc.insecure_channel("127.0.0.1:9") as channel:
        monkeypatch.setattr(run_progress, "get_engine", lambda: EngineStub(channel))
        show_progress("the engine is gone")
    monkeypatch.setattr(run_progress, "get_engine", lambda: None)
    show_progress("no engine is running")
    assert len(engine.logged) == 1
