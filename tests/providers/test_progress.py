"""How far a run is: what is told, when, and to whom."""

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
    """A run of so many credentials by a clock of its own, and what it tells."""

    def __init__(self, total: int) -> None:
        self.seconds = 100.0
        self.told: list[str] = []
        self.progress = RunProgress(total, self.told.append, lambda: self.seconds)

    def go_on(self, number: int, *, seconds: float, failed: bool = False) -> None:
        """So many more, each after so many seconds."""
        for _ in range(number):
            self.seconds += seconds
            self.progress.count(failed=failed)


def test_told_every_few_seconds() -> None:
    """A message at most every five seconds, with the time that is left; none when all is done."""
    run = Run(1201)
    run.go_on(1201, seconds=0.5)
    assert len(run.told) == 1200 * 0.5 / SECONDS_BETWEEN - 1
    assert run.told[0] == "11 of 1,201 credentials, about 9 minutes left"
    assert run.told[-1] == "1,191 of 1,201 credentials, about 5 seconds left"


def test_short_run() -> None:
    """Whoever waits a few seconds only is told nothing."""
    run = Run(300)
    run.go_on(300, seconds=0.016)
    assert run.told == []


def test_failed_are_counted() -> None:
    """What failed is counted, and is done with all the same."""
    run = Run(10)
    run.go_on(2, seconds=1, failed=True)
    run.go_on(8, seconds=1)
    assert run.told == ["6 of 10 credentials, 2 failed, about 4 seconds left"]


def test_pace_is_that_of_late() -> None:
    """What is unchanged is through at once, and makes nobody hope: the pace is that of the last half minute."""
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
    """The engine gets an ephemeral message in the row of the provider; none, or one that shuts down, stops nothing."""
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
        show_progress("nobody hears it")
    monkeypatch.setattr(run_progress, "get_engine", lambda: None)
    show_progress("there is nobody")
    assert len(engine.logged) == 1
