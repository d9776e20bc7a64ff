"""A stack: what its state holds, and how it is run."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.program import Program


class Kind(StrEnum):
    """What a resource is, which says whose provider is asked about it."""

    CREDENTIAL = "credential"
    UNMANAGED = "what becomes of unmanaged credentials"


@dataclass
class Resource:
    """A resource in the state."""

    name: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    kind: Kind = Kind.CREDENTIAL
    protect: bool = False
    delete: bool = False
    pending_replacement: bool = False
    taint: bool = False

    def __str__(self) -> str:
        flags = [flag for flag in ("protect", "delete", "pending_replacement", "taint") if getattr(self, flag)]
        return f"{self.name}={self.id}{''.join(f' [{flag}]' for flag in flags)}"


@dataclass
class Stack:
    """A stack: its program and its state; `config_changed` since the last up (fact 18)."""

    name: str
    program: Program
    state: list[Resource] = field(default_factory=list)
    config_changed: bool = False

    @property
    def credentials(self) -> list[Resource]:
        """The credentials in the state."""
        return [resource for resource in self.state if resource.kind is Kind.CREDENTIAL]

    def ids(self) -> set[str]:
        """The id of every credential in the state."""
        return {resource.id for resource in self.credentials if not resource.pending_replacement}

    def find(self, name: str) -> Resource | None:
        """The resource of that name, not one that waits to be deleted."""
        return next((resource for resource in self.state if resource.name == name and not resource.delete), None)

    def taint(self, name: str) -> None:
        """Have it replaced by the next up, if there is one of that name."""
        found = self.find(name)
        if found is not None:
            found.taint = True

    def unprotect(self, name: str) -> None:
        """`pulumi state unprotect`."""
        for resource in self.state:
            resource.protect = resource.protect and resource.name != name


@dataclass(frozen=True)
class Options:
    """How a run is asked for.

    Attributes:
        preview: a preview goes first.
        update: whether anything is done, or it is a preview alone.
        refresh: every resource is read first.
        targets: only these resources, or None for all.
        replaced: resources to be replaced whatever their diff says.
        go_on: --continue-on-error.
        destroy: nothing is declared any more.
    """

    preview: bool = False
    update: bool = True
    refresh: bool = True
    targets: frozenset[str] | None = None
    replaced: frozenset[str] = frozenset()
    go_on: bool = False
    destroy: bool = False

    @property
    def narrowed(self) -> bool:
        """Whether not all of the state is read."""
        return not self.refresh or self.targets is not None
