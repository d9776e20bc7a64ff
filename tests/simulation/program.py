"""The declarations of a stack, and a small model of the YAML program that registers them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from iamcreds.desired import DesiredCredential, DesiredUser, Retire
from iamcreds.model import Existing, SourceLocation, Status, Unmanaged
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.program_context import (
    credential_context,
    rotation_context,
    state_context,
    unmanaged_context,
    users_context,
)
from iamcreds.pulumi_engine.run_context import OnRejection, Options
from iamcreds.pulumi_engine.stack_state import StackState
from iamcreds.pulumi_engine.successors import declare_slots, has_slots
from iamcreds.resource_names import resource_name, split_slot
from iamcreds.services import Family, service_family
from iamcreds.state.recorded import OUTPUTS, read_recorded
from tests.simulation.state import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from iamcreds.desired import RotationPolicy
    from iamcreds.planning.slot_plan import SlotPlan
    from tests.simulation.state import Resource

SPEC_FILE = "specs.yaml"
"""The name of the unmanaged-credentials resource, which is the name of its spec file."""

LOCATION = SourceLocation(SPEC_FILE, 1, 1)
PLACES = 2
"""IAM's quota for each user and service."""


Plan: TypeAlias = "Callable[[Sequence[DesiredCredential], StackState, Program], Mapping[str, SlotPlan]]"
"""Plans the slots of credentials with successors, given the state and the program."""


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
    renew_before_hours: int | None = None
    rotate: RotationPolicy | None = None
    trigger: str | None = None

    @property
    def has_successors(self) -> bool:
        """Return True if it is renewed or rotated."""
        return self.renew_before_hours is not None or self.rotate is not None

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

    def desired(self) -> DesiredCredential:
        """Return it as the specs' reader does."""
        return DesiredCredential(
            self.user,
            self.service,
            self.name,
            LOCATION,
            status=None if self.status is None else Status(self.status),
            reset=self.reset,
            was=self.was,
            protect=self.protect,
            existing=None if self.existing is None else Existing(self.existing),
            adopt=self.adopt,
            user_was=self.user_was,
            expire_after_days=self.age_days,
            renew_before_hours=self.renew_before_hours,
            rotate=self.rotate,
            trigger=self.trigger,
        )

    def __str__(self) -> str:
        extra = {
            "status": self.status, "reset": self.reset, "age_days": self.age_days,
            "existing": self.existing, "was": self.was, "adopt": self.adopt, "user_was": self.user_was,
            "renew_before_hours": self.renew_before_hours, "rotate": self._describe_rotation(),
            "trigger": self.trigger,
        }  # fmt: skip
        words = [f"{name} {value}" for name, value in extra.items() if value is not None]
        return ", ".join([self.resource_name, *words, *(["protected"] if self.protect else [])])

    def _describe_rotation(self) -> str | None:
        policy = self.rotate
        if policy is None:
            return None
        every = "" if policy.every_hours is None else f"every {policy.every_hours} h, "
        later = "" if policy.not_before is None else f", not before {policy.not_before:%Y-%m-%d}"
        return f"{every}overlap {policy.overlap_hours} h, {policy.retire}{later}"


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
        max_rotations: the maximum number of credentials that one run rotates, None without a limit.
    """

    declared: dict[str, Declared] = field(default_factory=dict)
    account: str | None = None
    is_yaml: bool = True
    unmanaged: dict[str, str | None] = field(default_factory=dict)
    max_rotations: int | None = None

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

    def find(self, resource: str) -> Declared | None:
        """Return the declaration of a resource, which may be in slot 2, or have a former name."""
        name = split_slot(resource)[0]
        renamed = (found for found in self.declared.values() if name in found.former_names)
        return self.declared.get(name) or next(renamed, None)

    def _put(self, name: str, declared: Declared) -> None:
        """Declare it as the rules of specs allow: no successor without an expiry, next to a status, or in a program.

        A credential that is not rotated has no trigger.
        """
        if service_family(declared.service) is Family.PASSWORD:  # only API keys expire
            declared = replace(declared, age_days=None)
        if not (self.is_yaml and _is_valid_rotation(declared)):
            declared = replace(declared, rotate=None, trigger=None)
        if declared.age_days is None or not self.is_yaml or declared.rotate is not None:
            declared = replace(declared, renew_before_hours=None)
        if declared.rotate is not None:
            is_protected = declared.protect and declared.rotate.retire is not Retire.DELETE
            declared = replace(declared, status=None, protect=is_protected)
        if declared.renew_before_hours is not None:
            declared = replace(declared, status=None, protect=False)
        location = declared.user, declared.service
        others = [found for key, found in self.declared.items() if key != name]
        same = [found for found in others if (found.user, found.service) == location]
        if sum(found.desired().number for found in [declared, *same]) <= PLACES:
            self.declared[name] = declared

    def goals(self, state: list[Resource], *, previewing: bool, plan: Plan) -> list[Goal]:
        """Return the resources that the program registers.

        Args:
            state: the state before the run, without the changes of its refresh.
            previewing: True in a preview.
            plan: plans the slots of credentials with successors; it may raise an error of AWS.
        """
        users = frozenset(declared.user for declared in self.declared.values()) if self.is_yaml else None
        recorded = read_state(state, users)
        return list(
            self._yaml_goals(recorded, plan, previewing=previewing)
            if self.is_yaml
            else self._class_goals(recorded, previewing=previewing)
        )

    def _yaml_goals(self, recorded: StackState, plan: Plan, *, previewing: bool) -> Iterator[Goal]:
        """Yield the resources as `registration` does, by the functions that it calls."""
        desired = self.list_users()
        credentials = (credential for user in desired for credential in user.credentials)
        renewing = [credential for credential in credentials if has_slots(credential, recorded)]
        plans = plan(renewing, recorded, self) if renewing else {}
        users = {user.name: declare_slots(user, plans) for user in desired}
        for found in self.declared.values():
            user = users[found.user]
            group = [each for each in user.credentials if each.service == found.service]
            for credential in group:
                if credential.declared_name == found.resource_name:
                    password = None if credential.adopt is None else found.password
                    context = rotation_context(plans.get(credential.declared_name), credential, is_preview=previewing)
                    context |= users_context([user], is_preview=previewing)
                    yield self._yaml_goal(credential, group, recorded, password, context)
        actions = {name: action for name, action in self.unmanaged.items() if action is not None}
        if actions:
            given = {"users": actions, "run": unmanaged_context(recorded, users.values())} | (
                {} if self.account is None else {"account": self.account}
            )
            yield Goal(SPEC_FILE, (), given, kind=Kind.UNMANAGED)

    def list_users(self) -> list[DesiredUser]:
        """Return the users as the specs' reader does."""
        names = dict.fromkeys([*(found.user for found in self.declared.values()), *self.unmanaged])
        return [
            DesiredUser(
                name,
                LOCATION,
                tuple(found.desired() for found in self.declared.values() if found.user == name),
                unmanaged=None if (action := self.unmanaged.get(name)) is None else Unmanaged(action),
            )
            for name in names
        ]

    def _yaml_goal(
        self,
        credential: DesiredCredential,
        group: list[DesiredCredential],
        recorded: StackState,
        password: str | None,
        context: dict[str, Any],
    ) -> Goal:
        number = max(len(group), *(each.number for each in group))
        inputs = CredentialInputs.declare(credential, declared=number, account=self.account, password=password)
        context = credential_context(recorded, credential, group) | context
        return Goal(
            credential.resource_name,
            credential.former_resource_names,
            {**inputs.properties(), "run": context},
            delete_first=True if number > 1 else None,
            protect=credential.protect,
        )

    def _class_goals(self, recorded: StackState, *, previewing: bool) -> Iterator[Goal]:
        per_place = Counter((declared.user, declared.service) for declared in self.declared.values())
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
            properties = {name: value for name, value in given.items() if value is not None}
            first = "declared" in properties or None
            yield Goal(name, _find_alias(declared), properties, delete_first=first, protect=declared.protect)

    def _context(self, name: str, declared: Declared, recorded: StackState, *, previewing: bool) -> dict[str, Any]:
        """Return the run context that a program with the class sends with a credential."""
        context = state_context(recorded, name, declared.user, declared.service)
        location = declared.user, declared.service
        same = {key: found for key, found in self.declared.items() if (found.user, found.service) == location}
        context["owned"] |= recorded.own(*same)
        first = len(same) > 1 or None
        told: dict[str, Any] = {
            "resource": name,
            "options": Options(protect=declared.protect, deletes_first=first).properties(),
            "group": {key: _inputs(found, len(same)).in_group() for key, found in same.items()},
            "on_rejection": OnRejection.FAIL if previewing else OnRejection.DEFER,
            "may_create_users": True,
        }
        return context | told


def _is_valid_rotation(declared: Declared) -> bool:
    """Return True if the durations of the rotation fit each other and the expiry."""
    policy = declared.rotate
    if policy is None:
        return False
    every, lifetime = policy.every_hours or 0, (declared.age_days or 0) * 24
    return not (every and 5 * policy.overlap_hours > 4 * every) and not 0 < lifetime < every + policy.overlap_hours


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


def read_state(state: list[Resource], users: frozenset[str] | None) -> StackState:
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
    known = {
        found.id: read_recorded(found.name, _select(found.outputs))
        for found in credentials
        if not (found.delete or found.pending_replacement)
    }
    return StackState(names, account, users, newest=newest, recorded=known)


def _select(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: outputs.get(name) for name in OUTPUTS}
