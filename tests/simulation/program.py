"""The declarations of a stack, and a small model of the YAML program that registers them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from iamcreds.model import resource_name
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.program_context import state_context
from iamcreds.pulumi_engine.run_context import OnRejection, Options
from iamcreds.pulumi_engine.stack_state import StackState
from iamcreds.services import Family, service_family
from tests.simulation.state import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.simulation.state import Resource

SPEC_FILE = "specs.yaml"
"""The name of the unmanaged-credentials resource, which is the name of its spec file."""

PLACES = 2
"""IAM's quota for each user and service."""


@dataclass(frozen=True)
class Declared:
    """A declared credential; `was` is its former name, and `user_was` that of its user."""

    user: str
    service: str
    name: str
    status: str | None = None
    reset: str | None = None
    age_days: int | None = None
    existing: str | None = None
    was: str | None = None
    adopt: str | None = None
    password: str | None = None
    protect: bool = False
    user_was: str | None = None

    @property
    def resource_name(self) -> str:
        """Return its name in the state."""
        return resource_name(self.user, self.service, self.name)

    @property
    def former_names(self) -> tuple[str, ...]:
        """Return the former names that it may have in the state."""
        both = product((self.user, self.user_was), (self.name, self.was))
        names = (resource_name(user, self.service, name) for user, name in both if user and name)
        return tuple(dict.fromkeys(names))[1:]

    def __str__(self) -> str:
        extra = {
            "status": self.status, "reset": self.reset, "age_days": self.age_days,
            "existing": self.existing, "was": self.was, "adopt": self.adopt, "user_was": self.user_was,
        }  # fmt: skip
        words = [f"{name} {value}" for name, value in extra.items() if value is not None]
        return ", ".join([self.resource_name, *words, *(["protected"] if self.protect else [])])


@dataclass(frozen=True)
class Goal:
    """A registered resource; `delete_first` is the option deleteBeforeReplace."""

    name: str
    aliases: tuple[str, ...]
    properties: dict[str, Any]
    delete_first: bool | None = None
    kind: Kind = Kind.CREDENTIAL
    protect: bool = False


@dataclass
class Program:
    """The declared resources by name.

    Attributes:
        declared: the credentials; only programs with classes may change the user or service of a resource.
        account: the account in the specs, if any.
        is_yaml: True for the YAML program, False for a program with the class.
        unmanaged: the action for unmanaged credentials by user, only in the YAML program.
    """

    declared: dict[str, Declared] = field(default_factory=dict)
    account: str | None = None
    is_yaml: bool = True
    unmanaged: dict[str, str | None] = field(default_factory=dict)

    def declare(self, declared: Declared) -> None:
        """Add or change a declaration.

        Specs have at most two credentials of a user and service. They adopt no id twice, and no `was` names a declared
        credential.
        """
        for key, found in self.declared.items():
            is_former = (found.user, found.service, found.was) == (declared.user, declared.service, declared.name)
            if self.is_yaml and is_former and key != declared.resource_name:
                self.declared[key] = replace(found, was=None)
        others = {found.adopt for name, found in self.declared.items() if name != declared.resource_name}
        if not self.is_yaml or declared.adopt is None or declared.adopt not in others:
            self._put(declared.resource_name, declared)

    def drop(self, name: str) -> None:
        """Remove a declaration."""
        self.declared.pop(name, None)

    def change(self, name: str, fields: Mapping[str, Any]) -> None:
        """Change fields of a declaration; the resource keeps its name."""
        if name in self.declared:
            changed = replace(self.declared[name], **fields)
            is_moved = not fields.keys().isdisjoint({"user", "service"})
            if is_moved and self.is_yaml:
                return  # specs have user and service in the resource's name
            self._put(name, replace(changed, was=None) if is_moved else changed)  # `was` is of one user and service

    def rename(self, name: str, new_name: str, *, was: bool) -> None:
        """Rename a declaration; with `was`, it stays the same credential."""
        if name in self.declared and new_name not in self.declared:
            declared = self.declared.pop(name)
            self.declared[new_name] = replace(
                declared, name=new_name.rpartition("/")[2], was=declared.name if was else None
            )

    def rename_user(self, user: str, new_name: str) -> None:
        """Declare a user's credentials for the new name: in specs with the former one, as `was` of the user."""
        for name, found in list(self.declared.items()):
            if found.user == user and not self.is_yaml:
                self.change(name, {"user": new_name})
            elif found.user == user:
                renamed = replace(self.declared.pop(name), user=new_name, user_was=user)
                self._put(renamed.resource_name, renamed)
        if self.is_yaml and user in self.unmanaged:
            self.unmanaged[new_name] = self.unmanaged.pop(user)

    def swap(self, user: str, service: str) -> None:
        """Exchange the names of the two credentials of a user and service."""
        names = [name for name, found in self.declared.items() if (found.user, found.service) == (user, service)]
        if len(names) == PLACES:
            first, second = (self.declared[name] for name in names)
            self.declared[names[0]] = replace(second, name=first.name)
            self.declared[names[1]] = replace(first, name=second.name)

    def drop_all_of(self, user: str, service: str) -> None:
        """Remove all declarations of a user and service."""
        for name, found in list(self.declared.items()):
            if (found.user, found.service) == (user, service):
                del self.declared[name]

    def _put(self, name: str, declared: Declared) -> None:
        if service_family(declared.service) is Family.PASSWORD:  # only API keys expire
            declared = replace(declared, age_days=None)
        location = declared.user, declared.service
        others = [found for key, found in self.declared.items() if key != name]
        if sum((found.user, found.service) == location for found in others) < PLACES:
            self.declared[name] = declared

    def goals(self, state: list[Resource], *, previewing: bool) -> list[Goal]:
        """Return the resources that the program registers, given the state before the run."""
        return list(self._goals(state, previewing=previewing))

    def _goals(self, state: list[Resource], *, previewing: bool) -> Iterator[Goal]:
        per_place = Counter((declared.user, declared.service) for declared in self.declared.values())
        users = frozenset(declared.user for declared in self.declared.values()) if self.is_yaml else None
        recorded = _recorded(state, users)
        for name, declared in self.declared.items():
            number = per_place[declared.user, declared.service]
            given: dict[str, Any] = {
                "user": declared.user,
                "service": declared.service,
                "status": declared.status,
                "reset": declared.reset,
                "age_days": declared.age_days,
                "existing": declared.existing,
                "declared": number if number > 1 else None,
                "account": self.account,
                "adopt": declared.adopt,
                "password": declared.password,
                "run": self._context(name, declared, recorded, previewing=previewing),
            }
            aliases = declared.former_names if self.is_yaml else _find_alias(declared)
            properties = {name: value for name, value in given.items() if value is not None}
            first = "declared" in properties or None
            yield Goal(name, aliases, properties, delete_first=first, protect=declared.protect)
        actions = {user: action for user, action in self.unmanaged.items() if action is not None}
        if self.is_yaml and actions:
            given = {"users": actions, "run": self._unmanaged_message(recorded)} | (
                {} if self.account is None else {"account": self.account}
            )
            yield Goal(SPEC_FILE, (), given, kind=Kind.UNMANAGED)

    def _context(self, name: str, declared: Declared, recorded: StackState, *, previewing: bool) -> dict[str, Any]:
        """Return the run context that a program sends with a credential.

        The YAML program uses the present names of resources; the class does not know any others.
        """
        recorded_name = _recorded_name(recorded, declared) if self.is_yaml else name
        context = state_context(recorded, recorded_name, declared.user, declared.service)
        location = declared.user, declared.service
        same = {key: found for key, found in self.declared.items() if (found.user, found.service) == location}
        names = {_recorded_name(recorded, found) if self.is_yaml else key: key for key, found in same.items()}
        context["owned"] |= recorded.own(*names)
        owned = {credential_id: names.get(owner, owner) for credential_id, owner in context["owned"].items()}
        first = len(same) > 1 or None
        options = Options(protect=declared.protect, deletes_first=first).properties()
        group = {key: _inputs(found, len(same)).in_group() for key, found in same.items()}
        in_preview = OnRejection.COLLECT if self.is_yaml else OnRejection.FAIL
        on_rejection = in_preview if previewing else OnRejection.DEFER
        told: dict[str, Any] = {
            "resource": name,
            "owned": owned,
            "options": options,
            "group": group,
            "on_rejection": on_rejection,
        }
        told |= {"may_create_users": not self.is_yaml}
        told |= {"former_user": declared.user_was} if declared.user_was is not None else {}
        return context | told

    def _unmanaged_message(self, recorded: StackState) -> dict[str, Any]:
        """Return the run context with the ids of the state, and the declared credentials that are not in it."""
        ids = {name: credential_id for credential_id, name in recorded.every.items()}
        declared, undecided = {}, set()
        for found in self.declared.values():
            credential_id = ids.get(_recorded_name(recorded, found))
            if credential_id is None:
                undecided.add((found.user, found.service))
            else:
                declared[credential_id] = [found.user, found.service]
        account = {"account": recorded.account} if recorded.account else {}
        named = {found.adopt for found in self.declared.values() if found.adopt is not None}
        told = {"owned": sorted({*recorded.every, *named}), "undecided": [list(pair) for pair in sorted(undecided)]}
        return told | {"declared": declared} | account


def _inputs(declared: Declared, number: int) -> CredentialInputs:
    return CredentialInputs(
        status=declared.status,
        age_days=declared.age_days,
        existing=declared.existing,
        adopt=declared.adopt,
        declared=number if number > 1 else None,
    )


def _find_alias(declared: Declared) -> tuple[str, ...]:
    """Return the alias of a program with classes, whose resource names do not follow the user."""
    return () if declared.was is None else (resource_name(declared.user, declared.service, declared.was),)


def _recorded_name(recorded: StackState, declared: Declared) -> str:
    """Return the resource name in the state, which may be a former name."""
    names = {*recorded.every.values()}
    candidates = (declared.resource_name, *declared.former_names)
    return next((name for name in candidates if name in names), declared.resource_name)


def _recorded(state: list[Resource], users: frozenset[str] | None) -> StackState:
    """Return the state as the program reads it, without old resources that are marked for deletion."""
    names: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    credentials = [found for found in state if found.kind is Kind.CREDENTIAL]
    for found in credentials:
        if not (found.delete or found.pending_replacement):
            names[found.outputs["user"], found.outputs["service"]][found.id] = found.name
    newest: dict[str, str] = {}
    for found in credentials:
        service = found.outputs["service"]
        newest[service] = max(newest.get(service, ""), found.outputs["create_date"])
    account = min((found.outputs["account_id"] for found in credentials), default=None)
    return StackState(names, account, users, newest=newest)
