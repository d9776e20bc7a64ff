"""A stack: the content of its state, and the options of its runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.program import Program


class Kind(StrEnum):
    """The kind of a resource, which determines its provider."""

    CREDENTIAL = "credential"
    UNMANAGED = "unmanaged credentials"


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
    """A stack with its program and its state.

    Attributes:
        name: its name.
        program: its program.
        state: its resources.
        config_changed: True if its config changed since the last update (fact 18).
        backups: the state before each run.
    """

    name: str
    program: Program
    state: list[Resource] = field(default_factory=list)
    config_changed: bool = False
    backups: list[list[Resource]] = field(default_factory=list)

    @property
    def credentials(self) -> list[Resource]:
        """Return the credentials in the state."""
        return [resource for resource in self.state if resource.kind is Kind.CREDENTIAL]

    def ids(self) -> set[str]:
        """Return the id of every credential in the state."""
        return {resource.id for resource in self.credentials if not resource.pending_replacement}

    def back_up(self) -> None:
        """Save the state, so that it can be restored."""
        self.backups.append([replace(resource) for resource in self.state])

    def restore(self, runs: int) -> None:
        """Restore the state before the last runs, if there were so many."""
        if runs <= len(self.backups):
            self.state = [replace(resource) for resource in self.backups[-runs]]

    def find(self, name: str) -> Resource | None:
        """Return the resource of that name, unless it is marked for deletion."""
        return next((resource for resource in self.state if resource.name == name and not resource.delete), None)

    def taint(self, name: str) -> None:
        """Taint the resource of that name, if any, so that the next update replaces it."""
        found = self.find(name)
        if found is not None:
            found.taint = True

    def unprotect(self, name: str) -> None:
        """Remove the protection, like `pulumi state unprotect`."""
        for resource in self.state:
            resource.protect = resource.protect and resource.name != name


@dataclass(frozen=True)
class Options:
    """The options of a run.

    Attributes:
        preview: run a preview first.
        update: apply changes; False for a preview only.
        refresh: read every resource first.
        targets: only these resources, or None for all.
        replaced: resources to replace regardless of their diff.
        go_on: --continue-on-error.
        destroy: no resource is declared.
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
        """Return True if a part of the state is not read."""
        return not self.refresh or self.targets is not None
