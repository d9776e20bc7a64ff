"""What can happen, as data: a history is a list of steps."""

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
"""Two whose credentials may have an expiry, which replaces them when it changes."""
STACKS = ("A", "B")


class Act(StrEnum):
    """What a human does in the account."""

    CREATE = "creates"
    DELETE = "deletes"
    SWITCH = "switches"
    RESET = "resets"
    RENAME = "renames"
    RESTORE = "renames back"
    ADD_USER = "adds"


@dataclass(frozen=True)
class Human:
    """Somebody's hand; `nth` says which of the user's live credentials for the service, oldest first."""

    act: Act
    user: str
    service: str = SERVICES[0]
    nth: int = 0

    def __str__(self) -> str:
        if self.act in (Act.RENAME, Act.RESTORE, Act.ADD_USER):
            return f"a human {self.act} user {self.user}"
        which = "" if self.act is Act.CREATE else f"{self.nth + 1}. "
        return f"a human {self.act} the {which}{self.service.partition('.')[0]} credential of {self.user}"


@dataclass(frozen=True)
class Declare:
    """A credential newly declared, or declared otherwise."""

    stack: int
    declared: Declared

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} declares {self.declared}"


@dataclass(frozen=True)
class Adopt:
    """A credential newly declared with `adopt`: the id of a live one, counted as `Human` counts; of none, nobody's id.

    Whose it is may be another user or another service than it is declared for. With `knows` its password is in the
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
    """What is to become of a user's unmanaged credentials, None for nothing: report, deactivate, delete."""

    stack: int
    user: str
    action: str | None

    def __str__(self) -> str:
        return f"{STACKS[self.stack]}: unmanaged credentials of {self.user}: {self.action or 'not looked at'}"


@dataclass(frozen=True)
class Drop:
    """A credential declared no more."""

    stack: int
    name: str

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} drops {self.name}"


@dataclass(frozen=True)
class Rename:
    """The spec's `name` changes, with `was` or without."""

    stack: int
    name: str
    new: str
    was: bool

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} renames {self.name} to {self.new}{' with `was`' if self.was else ''}"


@dataclass(frozen=True)
class Swap:
    """Two declared credentials of a user and service exchange their names."""

    stack: int
    user: str
    service: str

    def __str__(self) -> str:
        return f"{STACKS[self.stack]} swaps the names of {self.user}'s two {self.service.partition('.')[0]} credentials"


@dataclass(frozen=True)
class Change:
    """Fields of a declared credential change; the resource keeps its name."""

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
    """The project's config changes: the next up reads in one process and checks in another."""

    stack: int

    def __str__(self) -> str:
        return f"{STACKS[self.stack]}'s config changes"


@dataclass(frozen=True)
class Guard:
    """The specs say from now on which account they are for."""

    stack: int

    def __str__(self) -> str:
        return f"{STACKS[self.stack]}'s specs name the account"


@dataclass(frozen=True)
class Weather:
    """How the account behaves from now on."""

    conditions: Conditions

    def __str__(self) -> str:
        now = self.conditions
        said = [
            f"lists lag {now.lag:.0f} s" if now.lag else "",
            f"our clock is {now.skew:+.0f} s off" if now.skew else "",
            f"AllUsers leaves out {', '.join(sorted(now.hidden))}" if now.hidden else "",
            "" if now.all_users else "AllUsers is unknown",
        ]
        return f"the account: {', '.join(filter(None, said)) or 'a good day'}"


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s pass"


@dataclass(frozen=True)
class Start:
    """A run of the engine, begun `after` so many seconds; `elsewhere` with credentials of another account."""

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
    """Runs at once, and a human's hand while they are under way; `seed` decides the interleaving.

    The runs are on machines of their own if `apart`.
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


Edit: TypeAlias = Declare | Adopt | Unmanaged | Drop | Rename | Swap | Change | Taint | Configure | Guard
Step: TypeAlias = Human | Edit | Weather | Wait | Work
