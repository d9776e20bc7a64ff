"""A small honest model of the Pulumi engine: what it asks of providers, in which order, and what it writes when.

Modelled after facts that were measured on the real one, and held against it by `tests/e2e/test_engine_model.py`:
a run is a preview and an update, or one of them; either reads every resource of the state first, then checks and
diffs one resource after another while steps are carried out, four calls at a time; a replacement checks again without
olds; deletions come last; the state changes only by an answer.
"""

from __future__ import annotations

import copy
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.machine import Machine
from tests.simulation.phase import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pulumi.dynamic import ResourceProvider

    from tests.simulation.clock import Clock
    from tests.simulation.faults import Fault, Kind
    from tests.simulation.rules import Record
    from tests.simulation.state import Kind as ResourceKind
    from tests.simulation.state import Options, Stack
    from tests.simulation.world import World


_NUMBERS = count(1)


class Run:
    """One `pulumi up` or `pulumi preview`.

    Args:
        stack: whose.
        world: the account that its AWS credentials belong to.
        options: how it was asked for.
        faults: what goes wrong with its calls.
        kill: the step at which all of its processes die, or None.
        seed: what decides how long calls take and in which order resources come.
        record: hears what is done.
        new_process: a new process, which is a provider for each kind of resource.
        machine: the one that it runs on, None for one of its own.
    """

    def __init__(  # noqa: PLR0913 - as many as a run has
        self,
        stack: Stack,
        world: World,
        options: Options,
        record: Record,
        *,
        faults: Iterable[Fault] = (),
        kill: int | None = None,
        seed: int = 0,
        new_process: Callable[[Run], Mapping[ResourceKind, ResourceProvider]],
        machine: Machine | None = None,
    ) -> None:
        self.number = next(_NUMBERS)
        self.machine = machine or Machine()
        self.new_process = new_process
        self.stack = stack
        self.world = world
        self.clock: Clock = world.clock
        self.options = options
        self.record = record
        self.random = Random(seed)  # noqa: S311 - no secrets here
        self.dead = False
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.crashes: list[BaseException] = []
        self.changes: list[str] = []
        self.told: set[type[Exception]] = set()
        self.made: set[str] = set()
        self.handed_over: list[str] = []  # what a process of this phase has had read
        self.lost: list[tuple[str, str, float, float]] = []  # Creates that failed: user, service, from when to when
        self.knew: set[str] = stack.ids()
        self.shown: set[str] = set()  # what the preview says will be done to unmanaged credentials
        self.acting: set[str] = set()  # what the inputs of the resource about them say, when it acts
        self.decisions: dict[
            str, str
        ] = {}  # what becomes of each credential that the state has not, or that is replaced
        self.foreseen: dict[str, str] = {}  # the same, as the preview of this run shows it
        self.previewing = False
        self.previewed_without_errors = False
        self._faults = tuple(faults)
        self._calls: dict[str, int] = {}
        self._kill = kill
        self.steps = 0

    @property
    def failed(self) -> bool:
        """Whether it ended with an error, or was killed."""
        return self.dead or bool(self.errors)

    def lives(self) -> bool:
        """Take another step, unless this is the one at which it is killed."""
        self.steps += 1
        if self._kill is not None and self.steps >= self._kill:
            self.dead = True
        return not self.dead

    def start(self, after: float = 0.0) -> None:
        """Begin; the clock has to be played."""
        self.clock.spawn(self._work, self, after)

    def travel(self) -> None:
        """A call's way to AWS or back."""
        self.clock.sleep(0.02 + 0.3 * self.random.random())

    def meets(self, operation: str) -> Kind | None:
        """Count a call; what goes wrong with it, if anything."""
        if self.previewing:
            return None
        self._calls[operation] = number = self._calls.get(operation, 0) + 1
        for fault in self._faults:
            if fault.operation == operation and fault.call <= number < fault.call + fault.times:
                return fault.kind
        return None

    def owns(self, credential_id: str) -> bool:
        """Whether the credential is this stack's: in its state, or made by this very run."""
        return credential_id in self.made or credential_id in self.knew or credential_id in self.stack.ids()

    def _work(self) -> None:
        self.knew = self.stack.ids()
        if self.options.preview or not self.options.update:
            self.previewing = True
            Phase(self, copy.deepcopy(self.stack.state)).play()
            self.previewing = False
            self.foreseen, self.decisions = self.decisions, {}
            self.previewed_without_errors = not self.errors
        if self.options.update and not self.errors:
            self.changes.clear()
            Phase(self, self.stack.state).play()
            self.stack.config_changed = False
