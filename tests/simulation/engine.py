"""A small and accurate model of the Pulumi engine: its requests to providers, their order, and its writes to the state.

The model follows facts that were measured on the real engine, and `tests/e2e/test_engine_model.py` compares both.
A run is a preview, an update, or both. Each of them first reads every resource of the state. Then it checks and diffs
one resource after another while it executes steps, at most four calls at a time. A replacement checks again without
olds. Deletions come last. The state changes only by a response.
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
    from tests.simulation.state import Options, Resource, Stack
    from tests.simulation.world import World


_NUMBERS = count(1)


class Run:
    """A run of `pulumi up` or `pulumi preview`.

    Args:
        stack: its stack.
        world: the account that its AWS credentials belong to.
        options: its command-line options.
        faults: the faults of its calls.
        kill: the step at which all of its processes die, or None.
        seed: determines the duration of calls and the order of resources.
        record: receives every event.
        new_process: starts a new process with a provider for each kind of resource.
        machine: its machine; None for a separate one.
    """

    def __init__(  # noqa: PLR0913 - the properties of a run
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
        self.random = Random(seed)  # noqa: S311 - not for secrets
        self.dead = False
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.crashes: list[BaseException] = []
        self.changes: list[str] = []
        self.told: set[type[Exception]] = set()
        self.made: set[str] = set()
        self.was_reset: set[str] = set()
        self.before: list[Resource] = []
        self.handed_over: list[str] = []  # ids that a process of this operation has read
        self.lost: list[tuple[str, str, float, float]] = []  # failed Creates: user, service, start, end
        self.knew: set[str] = stack.ids()
        self.working: dict[str, Resource] = {}  # the credentials of the state that must keep working in this run
        self.shown: set[str] = set()  # the changes of unmanaged credentials in the preview
        self.acting: set[str] = set()  # the ids in the inputs of that resource when it acts
        self.decisions: dict[str, str] = {}  # the decision for each credential that is not in the state or is replaced
        self.foreseen: dict[str, str] = {}  # the same in the preview of this run
        self.is_forced = False  # a resource is replaced regardless of its diff, or was before and waits for deletion
        self.previewing = False
        self.previewed_without_errors = False
        self._faults = tuple(faults)
        self._calls: dict[str, int] = {}
        self._kill = kill
        self.steps = 0

    @property
    def failed(self) -> bool:
        """Return True if it ended with an error or was killed."""
        return self.dead or bool(self.errors)

    def lives(self) -> bool:
        """Take another step, unless it is killed at this one."""
        self.steps += 1
        if self._kill is not None and self.steps >= self._kill:
            self.dead = True
        return not self.dead

    def start(self, after: float = 0.0) -> None:
        """Start the run; the clock must be played."""
        self.clock.spawn(self._work, self, after)

    def travel(self) -> None:
        """Spend the time of a call's way to AWS or back."""
        self.clock.sleep(0.02 + 0.3 * self.random.random())

    def meets(self, operation: str) -> Kind | None:
        """Count a call, and return its fault, if any."""
        if self.previewing:
            return None
        self._calls[operation] = number = self._calls.get(operation, 0) + 1
        for fault in self._faults:
            if fault.operation == operation and fault.call <= number < fault.call + fault.times:
                return fault.kind
        return None

    def owns(self, credential_id: str) -> bool:
        """Return True if the credential belongs to this stack: it is in the state, or this run created it."""
        return credential_id in self.made or credential_id in self.knew or credential_id in self.stack.ids()

    def _work(self) -> None:
        self.stack.back_up()
        self.before = self.stack.backups[-1]
        self.knew = self.stack.ids()
        self.is_forced = bool(self.options.replaced) or any(found.taint or found.delete for found in self.stack.state)
        self.working = self.record.find_kept(self)
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
