"""Histories by seed on the real write path, and tests of the simulation itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.pulumi_engine import apply
from iamcreds.pulumi_engine.successors import plan_credentials
from tests.simulation import process
from tests.simulation.clock import current_run
from tests.simulation.faults import CREATE, UPDATE, Fault, Kind
from tests.simulation.history import Act, Adopt, Change, Declare, Drop, Human, Start, Taint, Unmanaged, Wait, Work
from tests.simulation.making import DAY
from tests.simulation.play import play
from tests.simulation.process import UnmanagedProvider
from tests.simulation.program import Declared
from tests.simulation.run import play_seeds
from tests.simulation.seeds import ADOPTING, RENEWING, ROTATING, make_history
from tests.simulation.shrink import shrink
from tests.simulation.state import Options
from tests.simulation.wire import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from iamcreds.aws import Account
    from iamcreds.model import Credential
    from iamcreds.planning.slot_plan import SlotPlan
    from iamcreds.pulumi_engine.inputs import CredentialInputs
    from tests.simulation.history import Step

HISTORIES = 2800
CHUNK = 100

CODECOMMIT = "codecommit.amazonaws.com"
BEDROCK = "bedrock.amazonaws.com"
JANE = Declare(0, Declared("jane", CODECOMMIT, "codecommit"))
UP = Work((Start(0),), seed=0)


FIRST = (0, ADOPTING, RENEWING, ROTATING)
"""The first seeds of the played histories: of new accounts, of accounts that existed before, and over months."""


@pytest.mark.parametrize("first", [kind + part for kind in FIRST for part in range(0, HISTORIES // len(FIRST), CHUNK)])
def test_histories(first: int) -> None:
    """No history breaks a rule; a failure shows the seed and the shortest history that breaks the rule."""
    failures = list(play_seeds(range(first, first + CHUNK)))
    assert not failures, "\n\n".join(map(str, failures))


@pytest.mark.parametrize(
    ("seed", "found"),
    [
        (100800, "after a lost response, a person's credential was deleted because of another unmanaged one"),
        (123071, "a check between a sibling's Create and its record counted that credential twice"),
        (1000007, "in a program with classes, an import and a create depended on the order of requests"),
        (1000014, "a credential named by a resource that already has one was called managed"),
        (1000072, "a credential that a replacement had left was called unmanaged, and deleted"),
        (1000795, "next to `existing: adopt`, the rejection of a different lifetime depended on the order"),
        (1010224, "IAM renamed a user while lists lagged: an imported credential was reported as gone"),
        (1010874, "next to a replacement renamed with `was`, the quota of a new one depended on the order"),
        (124284, "no message solved the quota problem of a tainted and a renamed credential"),
        (1700388, "a credential adopted for one that was gone was called unmanaged in the same run"),
        (1110715, "next to a protected credential, the solution for an exceeded quota never ended"),
        (1110826, "a replacement adopted a credential that the same run called unmanaged and deleted"),
        (1200137, "the error of a sibling named a credential that was adopted a moment later"),
        (1401942, "with two adopting resources, the rejection of one depended on the order"),
        (4017857, "the rejection of a replacement depended on the order of the blocking one's deactivation"),
        (4156135, "the rejection of a replacement depended on the order of the blocking one's deletion"),
        (4154831, "a create that exceeded the quota named a credential that its sibling adopts"),
        (4048887, "a tainted credential that lists showed late had no decision when its create exceeded the quota"),
        (110065, "a create called unmanaged a credential that its sibling found after a lost response"),
    ],
)
def test_found_before(seed: int, found: str) -> None:
    """A failure that an earlier simulation found stays fixed."""
    assert play(make_history(seed)) == [], found


def test_same_seed_same_history() -> None:
    """A seed generates the same history, and its playback is the same line by line."""
    told: list[list[str]] = [[], []]
    for lines in told:
        for seed in range(20):
            play(make_history(seed), tell=lines.append)
    assert told[0] == told[1]
    assert len(told[0]) > 100


def test_a_run_that_deletes_what_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that deletes a person's credential breaks a rule: the rules can fail."""
    create = Client.create_service_specific_credential

    def deleting(client: Client, **arguments: Any) -> object:  # noqa: ANN401 - as in boto3
        for existing in list(client._run.world.existing().values()):  # noqa: SLF001 - a misbehaving provider
            client.delete_service_specific_credential(UserName=existing.user, ServiceSpecificCredentialId=existing.id)
        return create(client, **arguments)

    monkeypatch.setattr(Client, "create_service_specific_credential", deleting)
    human = Human(Act.CREATE, "jane", "bedrock.amazonaws.com")
    assert [violation.rule for violation in play([human, JANE, UP])] == ["not ours"]


def find_own(provider: UnmanagedProvider, *_: object) -> Iterator[Credential]:
    """Yield the managed credentials."""
    yield from (existing for existing in provider.account.inventory.all() if existing.user == "jane")


def find_late(provider: UnmanagedProvider, *_: object) -> Iterator[Credential]:
    """Yield nothing in a preview."""
    if not current_run().previewing:
        yield from (existing for existing in provider.account.inventory.all() if existing.user == "john")


def act_on_more(provider: UnmanagedProvider, inputs: dict[str, Any]) -> dict[str, Any]:
    """Delete every existing credential, regardless of the inputs."""
    for existing in provider.account.inventory.all():
        provider.account.credentials.delete(existing.user, existing.id)
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
    """A resource that deletes managed credentials, unpreviewed ones, or ones outside its inputs breaks a rule."""
    monkeypatch.setattr(UnmanagedProvider, method, broken)
    human = Human(Act.CREATE, "john", "bedrock.amazonaws.com")
    up = Work((Start(0, Options(preview=True)),), seed=0)
    assert rule in [
        violation.rule
        for violation in play([JANE, up, human, Unmanaged(0, "jane", "delete"), Unmanaged(0, "john", johns), up])
    ]


def test_a_name_that_resets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that resets an imported credential breaks a rule."""
    imported = apply._import  # noqa: SLF001 - a misbehaving provider

    def resetting(account: Account, inputs: CredentialInputs, existing: Credential, delivery: None) -> dict[str, Any]:
        account.credentials.change(existing.user, existing.id, reset=True)
        return imported(account, inputs, existing, delivery)

    monkeypatch.setattr(apply, "_import", resetting)
    human = Human(Act.CREATE, "jane", "bedrock.amazonaws.com")
    adopted = Adopt(0, Declared("jane", "bedrock.amazonaws.com", "bedrock"), "jane", "bedrock.amazonaws.com")
    assert "reset by name" in [violation.rule for violation in play([human, adopted, UP])]


RENEWED = Declare(0, Declared("jane", BEDROCK, "bedrock", age_days=30, renew_before_hours=14 * 24, existing="adopt"))


def find_renewal_rules(monkeypatch: pytest.MonkeyPatch, change: Callable[[SlotPlan], SlotPlan]) -> list[str]:
    """Play a renewal with changed plans, and return the broken rules."""

    def plan(*arguments: Any, **options: Any) -> dict[str, SlotPlan]:  # noqa: ANN401 - those of the real function
        return {name: change(planned) for name, planned in plan_credentials(*arguments, **options).items()}

    monkeypatch.setattr(process, "plan_credentials", plan)
    return [violation.rule for violation in play([RENEWED, UP, Wait(17 * DAY), UP, Wait(3 * DAY), UP])]


def test_renewal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A correct renewal breaks no rule, and both slots exist afterwards."""
    plans: list[int] = []
    assert find_renewal_rules(monkeypatch, lambda plan: plans.append(len(plan.slots)) or plan) == []  # type: ignore[func-returns-value]
    assert plans[:3] == [1, 2, 2]


JANES = "jane/bedrock"
LONG = replace(RENEWED.declared, age_days=365, renew_before_hours=60 * 24)
UP_DENIED = Work((Start(0, faults=(Fault(UPDATE, Kind.DENIED, 1),)),), seed=0)
IMPORTED = Adopt(0, RENEWED.declared, "jane", BEDROCK, knows=True)
INACTIVE = (("renew_before_hours", None), ("status", "Inactive"))
SHORTER = Change(0, JANES, (("age_days", 30), ("renew_before_hours", 14 * 24)))


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(
            [RENEWED, UP, Wait(17 * DAY), Human(Act.RENAME, "jane"), Human(Act.ADD_USER, "jane"), UP],
            id="IAM renamed the user without `was`: the replaced key got a successor in the same run",
        ),
        pytest.param(
            [RENEWED, UP, Human(Act.CREATE, "jane", BEDROCK, days=30), Wait(17 * DAY), UP, Wait(3 * DAY), UP],
            id="a successor was an adopted key that expired first, and the next run replaced the key in use",
        ),
        pytest.param(
            [RENEWED, UP, Wait(17 * DAY), UP, Wait(14 * DAY), UP, Wait(3 * DAY), IMPORTED, UP],
            id="a successor in slot 1 was rejected, because it had the password of an imported key",
        ),
        pytest.param(
            [RENEWED, UP, Wait(17 * DAY), UP, Change(0, JANES, INACTIVE), UP, UP],
            id="a key that specs declare Inactive counted as deactivated by a person, and both keys stayed",
        ),
        pytest.param(
            [Declare(0, LONG), UP, Wait(310 * DAY), UP, SHORTER, UP, Wait(17 * DAY), UP],
            id="a previous key with a longer lifetime left no room, and the current key expired",
        ),
        pytest.param(
            [RENEWED, UP, Wait(17 * DAY), UP, Taint(0, JANES), UP, Wait(17 * DAY), UP],
            id="a replaced previous key left no room, and the current key expired",
        ),
        pytest.param(
            [RENEWED, UP, Wait(17 * DAY), UP, Wait(3 * DAY), Change(0, JANES, (("reset", "leaked"),)), UP_DENIED],
            id="after a reset whose run failed, the previous key, which may be compromised, worked until its end",
        ),
    ],
)
def test_renewals_found_before(history: list[Step]) -> None:
    """A failed renewal that the simulation found stays fixed."""
    assert play(history) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda plan: replace(plan, slots=plan.slots[-1:]), "working key"),
        (
            lambda plan: replace(
                plan, slots=tuple(replace(slot, rotation=(slot.rotation or 0) + 1) for slot in plan.slots)
            ),
            "working key",
        ),
        (lambda plan: replace(plan, slots=plan.slots[:1]), "not renewed"),
        (lambda plan: replace(plan, slots=(plan.slots[0], replace(plan.slots[0], slot=2))), "two successors"),
    ],
    ids=["previous key not declared", "greater rotation", "no successor", "both slots at once"],
)
def test_wrong_renewals(change: Callable[[SlotPlan], SlotPlan], rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that ends a working key, renews nothing, or creates two keys breaks a rule."""
    assert rule in find_renewal_rules(monkeypatch, change)


def test_a_state_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that reports an existing credential as gone breaks a rule."""
    monkeypatch.setattr(process.Provider, "_find", lambda *_: None)
    assert "dropped" in [violation.rule for violation in play([JANE, UP, Wait(61.0), UP])]


def test_shortest_history() -> None:
    """Irrelevant steps, faults and options are removed from the history of a failure."""

    def has_two_ups(history: Sequence[Step]) -> bool:
        return sum(isinstance(step, Work) for step in history) > 1

    busy = Work((Start(0, Options(preview=True, go_on=True), (Fault(CREATE, Kind.LOST),)), Start(1)), seed=99)
    shortest = shrink([JANE, busy, Drop(0, "jane/codecommit"), Wait(3600.0), busy], has_two_ups)
    assert shortest == [Work((Start(1),), seed=0)] * 2


def test_killed_at_every_step() -> None:
    """After a run that is killed at any step, three quiet updates converge, or fail with a reason."""
    for step in range(1, 40):
        assert play([JANE, Work((Start(0, kill=step),), seed=step)]) == [], f"killed at step {step}"
