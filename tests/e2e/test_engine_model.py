"""The simulator's model of the engine, compared with the real one: both play the same short histories."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.stack import ROOT
from tests.simulation.clock import Clock
from tests.simulation.engine import Run
from tests.simulation.program import Goal, Plan, Program
from tests.simulation.rules import Record
from tests.simulation.state import Kind, Options, Stack
from tests.simulation.traced import DELETE_FIRST, FAILING, REPLACE, TRACE, UPDATE, Traced
from tests.simulation.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.stack import Stack as RealStack
    from tests.simulation.state import Resource


@dataclass(frozen=True)
class Round:
    """A run: the declared resources (name, value, how), options, failures, and the resource tainted before."""

    declared: tuple[tuple[str, str, str], ...]
    options: Options = field(default_factory=Options)
    failing: str = ""
    taint: str = ""
    was: tuple[tuple[str, str], ...] = ()
    config_changed: bool = False
    delete_first: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()

    def goals(self) -> list[Goal]:
        """Return the resources that the program registers."""
        return [
            Goal(
                name,
                tuple(old for new, old in self.was if new == name),
                {"name": name, "value": value, "how": how},
                delete_first=name in self.delete_first or None,
                protect=name in self.protect,
            )
            for name, value, how in self.declared
        ]


def same(*names: str) -> tuple[tuple[str, str, str], ...]:
    """Declare resources with the value 1."""
    return tuple((name, "1", UPDATE) for name in names)


EVERYTHING = (
    Round(same("a", "b", "c", "d", "e", "f", "g")),
    Round(
        (
            ("a", "1", UPDATE), ("b", "2", UPDATE), ("c", "2", REPLACE), ("d", "2", DELETE_FIRST),
            ("f2", "1", UPDATE), ("g", "1", UPDATE), ("h", "1", UPDATE),
        ),
        Options(preview=True), failing="gone g", was=(("f2", "f"),),
    ),
    Round(same("a", "b"), config_changed=True),
    Round((), Options(destroy=True)),
)  # fmt: skip

FAILURES = (
    Round(same("a", "b", "c", "d", "e")),
    Round(
        (("b", "2", REPLACE), ("c", "2", DELETE_FIRST), ("d", "2", UPDATE), ("e", "2", REPLACE)),
        Options(go_on=True), failing="delete a,delete b,create c,update d,create e",
    ),
    Round((*same("a"), ("b", "2", REPLACE), ("c", "3", UPDATE)), Options(update=False)),
    Round((*same("a"), ("b", "2", REPLACE), ("c", "3", UPDATE)), Options(preview=True)),
)  # fmt: skip

STOPS = (
    Round(same("a")),
    Round((("a", "2", UPDATE),), Options(preview=True), failing="refuse a"),
    Round((("a", "2", DELETE_FIRST),), failing="create a"),
    Round((("a", "1", UPDATE),)),
    Round((("a", "2", REPLACE),), failing="delete a"),
    Round((("a", "3", REPLACE),)),
)

NARROWED = (
    Round(same("a", "b", "c")),
    Round((("a", "2", UPDATE), ("b", "2", UPDATE), ("d", "1", UPDATE)), Options(targets=frozenset({"a"}))),
    Round((("a", "2", UPDATE), *same("b", "c")), taint="b"),
    Round((("a", "2", UPDATE), *same("b", "c")), Options(replaced=frozenset({"c"})), delete_first=("c",)),
    Round((("a", "3", UPDATE), ("b", "1", UPDATE)), Options(refresh=False)),
)


PROTECTED = (
    Round(same("a"), protect=("a",)),
    Round((("a", "2", REPLACE),), Options(preview=True), protect=("a",)),
    Round(same("b"), Options(preview=True)),
    Round((("b", "1", UPDATE),)),
    Round((("b", "2", REPLACE),), Options(go_on=True)),
    Round((*same("a"), ("b", "2", UPDATE))),
    Round((("a", "2", REPLACE), ("b", "2", UPDATE))),
)


@pytest.mark.parametrize(
    "history",
    [EVERYTHING, FAILURES, STOPS, NARROWED, PROTECTED],
    ids=["everything", "failures", "stops", "narrowed", "protected"],
)
def test_model(history: tuple[Round, ...], stack: RealStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Engine and model send a provider the same requests, in the same order if defined, and keep the same state."""
    real, model = RealEngine(stack, tmp_path / "real.jsonl"), ModelEngine(tmp_path / "model.jsonl", monkeypatch)
    for number, played in enumerate(history, 1):
        assert model.play(played) == real.play(played), f"round {number}: {stack.printed[-3:]}"


class RealEngine:
    """The real engine."""

    def __init__(self, stack: RealStack, trace: Path) -> None:
        self._stack = stack
        self._trace = trace
        stack.write_program((ROOT / "tests/e2e/programs/traced_resources.py").read_text())
        shutil.copy(ROOT / "tests/simulation/traced.py", stack.folder)

    def play(self, played: Round) -> tuple[object, ...]:
        """Run the engine, and return the requests to the provider and the state afterwards."""
        declared = [vars(goal) for goal in played.goals()]
        (self._stack.folder / "declared.json").write_text(json.dumps(declared))
        if played.taint:
            urns = {one["urn"].rsplit("::", 1)[1]: one["urn"] for one in self._exported()}
            self._stack.succeed("state", "taint", urns[played.taint], "--yes")
        if played.config_changed:
            self._stack.succeed("config", "set", "now", "2027-03-01")
        self._trace.write_text("")
        self._stack.run(*self._command(played.options), **{TRACE: str(self._trace), FAILING: played.failing})
        return ordered(self._trace), sorted(map(_shown, self._exported()))

    def _command(self, options: Options) -> list[str]:
        urn = "urn:pulumi:test::iamcreds::pulumi-python:dynamic/simulation:Resource::"
        command = ["destroy"] if options.destroy else ["up"] if options.update else ["preview"]
        if options.update:
            command += ["--yes", *([] if options.preview else ["--skip-preview"])]
        command += [] if options.refresh else ["--refresh=false"]
        command += ["--continue-on-error"] if options.go_on else []
        command += [word for name in sorted(options.targets or ()) for word in ("--target", urn + name)]
        return command + [word for name in sorted(options.replaced) for word in ("--replace", urn + name)]

    def _exported(self) -> list[dict[str, Any]]:
        state = json.loads(self._stack.succeed("stack", "export"))["deployment"]
        return [one for one in state.get("resources") or () if "dynamic/simulation:Resource" in one["type"]]


def _shown(exported: dict[str, Any]) -> tuple[str, ...]:
    name = exported["urn"].rsplit("::", 1)[1]
    flags = [flag for flag in ("protect", "delete", "pendingReplacement", "taint") if exported.get(flag)]
    return (name, exported["id"], exported["inputs"]["value"], *flags)


class ModelEngine:
    """The model of the engine."""

    def __init__(self, trace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._clock = Clock()
        self._stack = Stack("A", Program())
        self._trace = trace
        self._monkeypatch = monkeypatch

    def play(self, played: Round) -> tuple[object, ...]:
        """Run the model, and return the requests to the provider and the state afterwards."""
        if played.taint:
            found = self._stack.find(played.taint)
            assert found is not None
            found.taint = True
        self._stack.config_changed = played.config_changed
        self._trace.write_text("")
        with self._monkeypatch.context() as patch:
            patch.setenv(TRACE, str(self._trace))
            patch.setenv(FAILING, played.failing)
            patch.setattr(self._stack, "program", _Declared(played.goals()))
            run = Run(
                self._stack,
                World(self._clock),
                played.options,
                Record(),
                seed=1,
                new_process=lambda _run: {Kind.CREDENTIAL: Traced()},
            )
            run.start()
            self._clock.play()
        return ordered(self._trace), sorted(map(_remembered, self._stack.state))


class _Declared(Program):
    """A program that registers the given goals."""

    def __init__(self, goals: list[Goal]) -> None:
        super().__init__()
        self._told = goals

    def goals(self, state: list[Resource], *, previewing: bool, plan: Plan) -> list[Goal]:  # noqa: ARG002 - not used
        return list(self._told)


def _remembered(one: Resource) -> tuple[str, ...]:
    flags = {
        "protect": one.protect,
        "delete": one.delete,
        "pendingReplacement": one.pending_replacement,
        "taint": one.taint,
    }
    return (one.name, one.id, one.inputs["value"], *(flag for flag, is_set in flags.items() if is_set))


def ordered(trace: Path) -> list[object]:
    """Return the requests in their defined order: reads and refresh diffs first, then by resource, then deletes."""
    asked = [json.loads(line) for line in trace.read_text().splitlines()]
    phases: list[list[Any]] = []
    for line in asked:
        if not phases or (line[0] == "read" and any(seen[0] == "check" for seen in phases[-1])):
            phases.append([])
        phases[-1].append(line)
    return [_phase(phase) for phase in phases]


def _phase(asked: list[Any]) -> object:
    first = next((number for number, line in enumerate(asked) if line[0] == "check"), len(asked))
    per_resource: dict[str, list[Any]] = {}
    deleted = []
    for method, name, more, _process in asked[first:]:
        if method == "delete":
            deleted.append([name, more])
        per_resource.setdefault(name, []).append([method, "" if method == "delete" else more])
    readers, askers = ({line[3] for line in part} for part in (asked[:first], asked[first:]))
    return sorted(line[:3] for line in asked[:first]), per_resource, sorted(deleted), len(readers | askers)
