"""Histories by seed, on the write path as it is; and that the simulation itself can be trusted."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulation import process
from tests.simulation.faults import CREATE, Fault, Kind
from tests.simulation.history import Act, Declare, Drop, Human, Start, Wait, Work
from tests.simulation.making import make_history
from tests.simulation.play import play
from tests.simulation.program import Declared
from tests.simulation.run import play_seeds
from tests.simulation.shrink import shrink
from tests.simulation.state import Options
from tests.simulation.wire import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulation.history import Step

HISTORIES = 2000
CHUNK = 100

CODECOMMIT = "codecommit.amazonaws.com"
JANE = Declare(0, Declared("jane", CODECOMMIT, "codecommit"))
UP = Work((Start(0),), seed=0)


@pytest.mark.parametrize("first", range(0, HISTORIES, CHUNK))
def test_histories(first: int) -> None:
    """No history breaks a rule; one that does is told with its seed and the shortest history that shows it."""
    failures = list(play_seeds(range(first, first + CHUNK)))
    assert not failures, "\n\n".join(map(str, failures))


@pytest.mark.parametrize(
    ("seed", "found"),
    [
        (100800, "what a lost answer's list showed was a human's, and was deleted for another that was there"),
        (123071, "a check that came between a sibling's Create and its record counted that one twice"),
        (110065, "a create beside a sibling's lost answer called foreign what the sibling had just found"),
    ],
)
def test_found_before(seed: int, found: str) -> None:
    """What a long simulation has found once stays mended."""
    assert play(make_history(Random(seed))) == [], found  # noqa: S311 - no secrets here


def test_same_seed_same_history() -> None:
    """A seed makes the same history, and the history plays the same, to the last word."""
    told: list[list[str]] = [[], []]
    for lines in told:
        for seed in range(20):
            play(make_history(Random(seed)), tell=lines.append)  # noqa: S311 - no secrets here
    assert told[0] == told[1]
    assert len(told[0]) > 100


def test_a_run_that_deletes_what_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that deletes a human's credential is noticed: the rules can fail."""
    create = Client.create_service_specific_credential

    def deleting(client: Client, **arguments: Any) -> object:  # noqa: ANN401 - as boto3
        for live in list(client._run.world.live().values()):  # noqa: SLF001 - a provider that goes wild
            client.delete_service_specific_credential(UserName=live.user, ServiceSpecificCredentialId=live.id)
        return create(client, **arguments)

    monkeypatch.setattr(Client, "create_service_specific_credential", deleting)
    human = Human(Act.CREATE, "jane", "bedrock.amazonaws.com")
    assert [violation.rule for violation in play([human, JANE, UP])] == ["not ours"]


def test_a_state_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that takes what is live for gone is noticed."""
    monkeypatch.setattr(process.Provider, "_find", lambda *_: None)
    assert "dropped" in [violation.rule for violation in play([JANE, UP, Wait(61.0), UP])]


def test_shortest_history() -> None:
    """What does not matter is left out of a failure's history: steps, faults, options."""

    def has_two_ups(history: Sequence[Step]) -> bool:
        return sum(isinstance(step, Work) for step in history) > 1

    busy = Work((Start(0, Options(preview=True, go_on=True), (Fault(CREATE, Kind.LOST),)), Start(1)), seed=99)
    shortest = shrink([JANE, busy, Drop(0, "jane/codecommit"), Wait(3600.0), busy], has_two_ups)
    assert shortest == [Work((Start(1),), seed=0)] * 2


def test_killed_at_every_step() -> None:
    """A run that is killed, at whatever step, leaves something from which three quiet ups converge or say why not."""
    for step in range(1, 40):
        assert play([JANE, Work((Start(0, kill=step),), seed=step)]) == [], f"killed at step {step}"
