"""Histories by seed, on the write path as it is; and that the simulation itself can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.pulumi_engine import apply
from tests.simulation import process
from tests.simulation.clock import current_run
from tests.simulation.faults import CREATE, Fault, Kind
from tests.simulation.history import Act, Adopt, Declare, Drop, Human, Start, Unmanaged, Wait, Work
from tests.simulation.making import ADOPTING, make_history
from tests.simulation.play import play
from tests.simulation.process import UnmanagedProvider
from tests.simulation.program import Declared
from tests.simulation.run import play_seeds
from tests.simulation.shrink import shrink
from tests.simulation.state import Options
from tests.simulation.wire import Client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.aws import Account
    from iamcreds.model import Credential
    from iamcreds.pulumi_engine.inputs import CredentialInputs
    from tests.simulation.history import Step

HISTORIES = 2000
CHUNK = 100

CODECOMMIT = "codecommit.amazonaws.com"
JANE = Declare(0, Declared("jane", CODECOMMIT, "codecommit"))
UP = Work((Start(0),), seed=0)


FIRST = (0, ADOPTING)
"""The first seeds of the histories that are played: of an account that a stack has for itself, and of one before it."""


@pytest.mark.parametrize("first", [kind + part for kind in FIRST for part in range(0, HISTORIES // len(FIRST), CHUNK)])
def test_histories(first: int) -> None:
    """No history breaks a rule; one that does is told with its seed and the shortest history that shows it."""
    failures = list(play_seeds(range(first, first + CHUNK)))
    assert not failures, "\n\n".join(map(str, failures))


@pytest.mark.parametrize(
    ("seed", "found"),
    [
        (100800, "what a lost answer's list showed was a human's, and was deleted for another that was there"),
        (123071, "a check that came between a sibling's Create and its record counted that one twice"),
        (1000007, "of a program by classes, one adopted by id and one was new: which was asked first decided"),
        (1000014, "what was named by a resource that has a credential already was called the stack's own"),
        (1000072, "what a resource had left when it was replaced was called unmanaged, and deleted as such"),
        (1000795, "beside one that adopts what it finds, one of another lifetime was refused or not, by their order"),
        (1010224, "IAM renamed a user while lists lagged: what was adopted was taken for gone"),
        (1010874, "beside one that was renamed with `was` and replaced, a new one had a place or not, by their order"),
        (124284, "where a tainted one and one that was renamed had no place, no message named a way out of both"),
        (1700388, "what a declared one adopted, whose own was gone, was called unmanaged in the same run"),
        (1110715, "what has no place beside a protected one was told no way out that ends"),
        (1110826, "a replacement adopted what was called unmanaged, and deleted, in the same run"),
        (1200137, "beside one that adopts, the other pointed at what that one adopted a moment later"),
        (1401942, "of two that adopt, one that could not was refused or not, by their order"),
        (4017857, "a replacement was rejected or not, by the order of it and of the deactivation of what blocks it"),
        (4156135, "a replacement was rejected or not, by the order of it and of the deletion of what blocks it"),
        (4154831, "beside one that adopts, a create that the quota failed pointed at what that one adopts"),
        (4048887, "a tainted one that lists lacked, and then showed, had no decision when its create met the quota"),
        (110065, "a create beside a sibling's lost answer called foreign what the sibling had just found"),
    ],
)
def test_found_before(seed: int, found: str) -> None:
    """What a long simulation has found once stays mended."""
    assert play(make_history(seed)) == [], found


def test_same_seed_same_history() -> None:
    """A seed makes the same history, and the history plays the same, to the last word."""
    told: list[list[str]] = [[], []]
    for lines in told:
        for seed in range(20):
            play(make_history(seed), tell=lines.append)
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


def find_own(provider: UnmanagedProvider, *_: object) -> Iterator[Credential]:
    """What is the stack's own."""
    yield from (live for live in provider.account.inventory.all() if live.user == "jane")


def find_late(provider: UnmanagedProvider, *_: object) -> Iterator[Credential]:
    """Nothing in a preview."""
    if not current_run().previewing:
        yield from (live for live in provider.account.inventory.all() if live.user == "john")


def act_on_more(provider: UnmanagedProvider, inputs: dict[str, Any]) -> dict[str, Any]:
    """Delete whatever is live, whatever the inputs say."""
    for live in provider.account.inventory.all():
        provider.account.credentials.delete(live.user, live.id)
    return {**inputs, "unmanaged": {}, "deactivates": [], "deletes": []}


@pytest.mark.parametrize(
    ("method", "broken", "johns", "rule"),
    [
        ("_find", find_own, "report", "unmanaged is ours"),
        ("_find", find_late, "delete", "unmanaged not shown"),
        ("record", act_on_more, "report", "not ours"),
    ],
)
def test_unmanaged_gone_wild(
    method: str, broken: object, johns: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resource that deletes the stack's own, what no preview has shown, or what it was not told to, is noticed."""
    monkeypatch.setattr(UnmanagedProvider, method, broken)
    human = Human(Act.CREATE, "john", "bedrock.amazonaws.com")
    up = Work((Start(0, Options(preview=True)),), seed=0)
    assert rule in [
        violation.rule
        for violation in play([JANE, up, human, Unmanaged(0, "jane", "delete"), Unmanaged(0, "john", johns), up])
    ]


def test_a_name_that_resets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that resets what it adopts by id is noticed."""
    imported = apply._import  # noqa: SLF001 - a provider that goes wild

    def resetting(account: Account, inputs: CredentialInputs, live: Credential) -> dict[str, Any]:
        account.credentials.change(live.user, live.id, reset=True)
        return imported(account, inputs, live)

    monkeypatch.setattr(apply, "_import", resetting)
    human = Human(Act.CREATE, "jane", "bedrock.amazonaws.com")
    adopted = Adopt(0, Declared("jane", "bedrock.amazonaws.com", "bedrock"), "jane", "bedrock.amazonaws.com")
    assert "reset by name" in [violation.rule for violation in play([human, adopted, UP])]


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
