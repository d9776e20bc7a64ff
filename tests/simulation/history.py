"""The events of a history, as data: a history is a list of steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from tests.simulation.state import Options

if TYPE_CHECKING:
    from tests.simulation.faults import Fault
    from tests.simulation.program import Declared
    from tests.simulation.world import Conditions

SERVICES = ("bedrock.amazonaws.com", "logs.amazonaws.com")
"""Two services whose credentials may have an expiry; changing the expiry replaces them."""
STACKS = ("A", "B")


class Act(StrEnum):
    """A manual action in the account."""

    CREATE = "creates"
    DELETE = "deletes"
    SWITCH = "switches"
    RESET = "resets"
    RENAME = "renames"
    RESTORE = "renames back"
    ADD_USER = "adds"
    ROLL_BACK = "exchanges the status of"


@dataclass(frozen=True)
class Human:
    """A manual change; `nth` selects one of the user's credentials for the service, oldest first.

    A new credential expires after that many `days`.
    """

    act: Act
    user: str
    service: str = SERVICES[0]
    nth: int = 0
    days: int | None = None

    def __str__(self) -> str:
        if self.act in (Act.RENAME, Act.RESTORE, Act.ADD_USER):
            return f"a human {self.act} user {self.user}"
        if self.act is Act.ROLL_BACK:
            return f"a human {self.act} {self.user}'s {self.service.partition('.')[0]} credentials"
        which = "" if self.act is Act.CREATE else f"{self.nth + 1}. "
        ends = "" if self.days is None else f", which expires after {self.days} days"
        return f"a human {self.act} the {which}{self.service.partition('.')[0]} credential of {self.user}{ends}"


@dataclass(frozen=True)
class Declare:
    """A new or changed declaration of a credential."""

    stack: int
    declared: Declared

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} declares {self.declared}"


@dataclass(frozen=True)
class Adopt:
    """A new declaration with `adopt`: the id of an existing credential, counted as in `Human`, or of none.

    The credential may belong to another user or service than the declared one. With `knows`, its password is in the
    stack's config.
    """

    stack: int
    declared: Declared
    user: str
    service: str
    nth: int = 0
    knows: bool = False

    def __str__(self) -> str:
        which = f"the {self.nth + 1}. {self.service.partition('.')[0]} credential of {self.user}"
        known = ", whose password is known" if self.knows else ""
        return f"{STACKS[self.stack]} declares {self.declared}, and adopts {which}{known}"


@dataclass(frozen=True)
class Unmanaged:
    """The action for a user's unmanaged credentials: report, deactivate, delete, or None for no action."""

    stack: int
    user: str
    action: str | None

    def __str__(self) -> str:
        return f"{STACKS[self.stack]}: unmanaged credentials of {self.user}: {self.action or 'ignored'}"


@dataclass(frozen=True)
class Drop:
    """The removal of a credential from the specs."""

    stack: int
    name: str

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} drops {self.name}"


@dataclass(frozen=True)
class Rename:
    """A change of the `name` in the specs, with or without `was`."""

    stack: int
    name: str
    new: str
    was: bool

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} renames {self.name} to {self.new}{' with `was`' if self.was else ''}"


@dataclass(frozen=True)
class Swap:
    """An exchange of the names of two declared credentials of a user and service."""

    stack: int
    user: str
    service: str

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} swaps the names of {self.user}'s two {self.service.partition('.')[0]} credentials"


@dataclass(frozen=True)
class Change:
    """A change of fields of a declared credential; the resource keeps its name."""

    stack: int
    name: str
    fields: tuple[tuple[str, object], ...]

    def __str__(self) -> str:
        said = ", ".join(f"{name} {value}" for name, value in self.fields)
        return f"{STACKS[self.stack]} changes {self.name}: {said}"


@dataclass(frozen=True)
class Taint:
    """`pulumi state taint`."""

    stack: int
    name: str

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} taints {self.name}"


@dataclass(frozen=True)
class Configure:
    """A change of the project's config: the next `up` reads in one process and checks in another."""

    stack: int

    def __str__(self) -> str:
        return f"{STACKS[self.stack]}'s config changes"


@dataclass(frozen=True)
class Guard:
    """From now on, the specs name their account."""

    stack: int

    def __str__(self) -> str:
        return f"{STACKS[self.stack]}'s specs name the account"


@dataclass(frozen=True)
class Limit:
    """A change of the maximum number of rotations in one run."""

    stack: int
    number: int | None

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} rotates at most {'any number' if self.number is None else self.number} in a run"


@dataclass(frozen=True)
class Restore:
    """The restoration of the state before one of the last runs; 1 is the last one."""

    stack: int
    runs: int = 1

    def __str__(self) -> str:
        return f"{STACKS[self.stack]}'s state before the last {self.runs} runs is restored"


@dataclass(frozen=True)
class Weather:
    """The behavior of the account from now on."""

    conditions: Conditions

    def __str__(self) -> str:
        now = self.conditions
        said = [
            f"lists lag {now.lag:.0f} s" if now.lag else "",
            f"our clock is {now.skew:+.0f} s off" if now.skew else "",
            f"AllUsers omits {', '.join(sorted(now.hidden))}" if now.hidden else "",
            "" if now.all_users else "AllUsers is not supported",
        ]
        return f"the account: {', '.join(filter(None, said)) or 'normal conditions'}"


@dataclass(frozen=True)
class Wait:
    """A period of time."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s pass"


@dataclass(frozen=True)
class Start:
    """A run of the engine that starts after `after` seconds; `elsewhere` uses credentials of another account."""

    stack: int
    options: Options = field(default_factory=Options)
    faults: tuple[Fault, ...] = ()
    kill: int | None = None
    after: float = 0.0
    elsewhere: bool = False

    def __str__(self) -> str:
        on = self.options
        words = [
            "destroy" if on.destroy else "up" if on.update else "preview",
            "after a preview" if on.preview and on.update else "",
            "" if on.refresh else "--refresh=false",
            "" if on.targets is None else f"--target {' '.join(sorted(on.targets))}",
            f"--replace {' '.join(sorted(on.replaced))}" if on.replaced else "",
            "--continue-on-error" if on.go_on else "",
            "with another account's credentials" if self.elsewhere else "",
            f"({'; '.join(map(str, self.faults))})" if self.faults else "",
            f"killed at step {self.kill}" if self.kill is not None else "",
            f"{self.after:.1f} s later" if self.after else "",
        ]
        return f"{STACKS[self.stack]}: {' '.join(filter(None, words))}"


@dataclass(frozen=True)
class Work:
    """Concurrent runs, and manual changes during them; `seed` determines the interleaving.

    The runs are on separate machines if `apart`.
    """

    runs: tuple[Start, ...]
    seed: int
    humans: tuple[tuple[float, Human], ...] = ()
    apart: bool = False

    def __str__(self) -> str:
        said = [str(start) for start in self.runs]
        said += [f"{after:.1f} s later {human}" for after, human in self.humans]
        said += ["on two machines"] if self.apart else []
        return " | ".join(said)


Edit: TypeAlias = (
    Declare | Adopt | Unmanaged | Drop | Rename | Swap | Change | Taint | Configure | Guard | Limit | Restore
)
Step: TypeAlias = Human | Edit | Weather | Wait | Work
