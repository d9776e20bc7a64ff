"""The run context, which the program sends to the provider with each resource as the property `run`.

A provider cannot read the state and knows no resource but its own. The context is for one run: `check` removes it
from the inputs, so no state, diff or preview contains it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from pulumi.dynamic import CheckFailure, CheckResult
from pulumi.runtime.settings import is_dry_run

from iamcreds.delivery import DeliveredSecret
from iamcreds.desired import CredentialPolicy, RotationPolicy
from iamcreds.pulumi_engine.inputs import CredentialInputs, is_known
from iamcreds.pulumi_engine.waivers import read_waivers

if TYPE_CHECKING:
    from iamcreds.desired import Waiver
    from iamcreds.planning.group import Member


class OnRejection(StrEnum):
    """The way in which `check` reports a rejected resource."""

    FAIL = "fail"
    """By a check failure, which ends the run."""
    COLLECT = "collect"
    """In a preview: by the property `refused`, so that the program can report all rejections."""
    DEFER = "defer"
    """In an update: by the property `refused`, so that create or update fails, and other resources continue."""


def reject(inputs: dict[str, Any], failures: list[CheckFailure], on_rejection: OnRejection) -> CheckResult:
    """Return the rejections, if any, among the inputs as `refused`, or as failures, which end the run."""
    if not failures or on_rejection is OnRejection.FAIL:
        return CheckResult(inputs, failures)
    reasons = [f"{failure.property}: {failure.reason}".removeprefix(": ") for failure in failures]
    return CheckResult(inputs | {"refused": reasons}, [])


def on_rejection() -> OnRejection:
    """Return how rejections are reported to a program with classes, which does not collect them."""
    return OnRejection.FAIL if is_dry_run() else OnRejection.DEFER


@dataclass(frozen=True)
class Options:
    """The resource options that decide whether a replacement frees its quota first.

    Attributes:
        protect: whether the resource is protected.
        retain: whether deletion keeps the credential.
        deletes_first: the option deleteBeforeReplace, None if it is not set.
        is_certain: False if a transformation may change them.
    """

    protect: bool = False
    retain: bool = False
    deletes_first: bool | None = None
    is_certain: bool = True

    def properties(self) -> dict[str, Any]:
        """Return the options for the run context that are not the default ones."""
        defaults = Options()
        return {name: value for name, value in vars(self).items() if value != getattr(defaults, name)}

    def frees_quota(self, *, by_default: bool) -> bool:
        """Return True if a replacement is sure to delete the credential first; `by_default`: without an option."""
        deletes_first = by_default if self.deletes_first is None else self.deletes_first
        return deletes_first and not self.retain and self.is_certain


@dataclass(frozen=True)
class RunContext:
    """The run context of one credential.

    Attributes:
        resource: the resource's name, empty if unknown.
        user: the user that the context was written for; a transformation may have changed the input since.
        service: the service (full name) that it was written for.
        group: the inputs of all declared credentials of this user and service, by resource name.
        options: the resource's options.
        owned: resource names by id of the group's credentials in the state; None if the state could not be read.
        of_user: the ids of those that the state has under this user's name.
        strays: the users that the program does not declare, of credentials in `owned`, by id.
        is_deactivated: True if the state shows that the credential was deactivated manually.
        is_renewed: True if the credential gets successors, which use the rest of the quota.
        is_previous: True if the program declares a successor of the credential, in the other slot.
        rotates: the id of the credential whose successor this run issues in this resource, None for none.
        retires: the id of the previous credential that this run retires, whose successor is in this resource.
        is_due: True if the credential is to be rotated in this run or as soon as possible.
        rotate: the rotation of the credential, None for none.
        former_user: the former name of the user, as declared; None for none.
        recorded: number of all credentials in the state, None if unknown.
        newest: when the newest credential of this service in the state was created; None if no resource can have had
            a different user.
        account: the account of the state, 12 digits, None if the state is empty or could not be read.
        on_rejection: how to report a rejection.
        policy: the credential policy of the user, None without one.
        waivers: the waivers by user.
        issued: the recorded time of the credential's last create or reset, None if unknown.
        delivered: the recorded delivery of the credential, None without one.
        has_secret: True if the state has the credential's secret.
        is_finished: True if a killed run has issued and delivered the password of this successor.
        is_confirmed: True if the program has found the recorded delivery in the store.
        created_users: users that the program creates: one that is missing in a preview will exist.
        may_create_users: whether other resources of the program may create users that the context does not name.
    """

    resource: str = ""
    user: str | None = None
    service: str | None = None
    group: Mapping[str, CredentialInputs] = field(default_factory=dict)
    options: Options = Options()
    owned: Mapping[str, str] | None = None
    of_user: tuple[str, ...] = ()
    strays: Mapping[str, str] = field(default_factory=dict)
    is_deactivated: bool = False
    is_renewed: bool = False
    is_previous: bool = False
    rotates: str | None = None
    retires: str | None = None
    is_due: bool = False
    rotate: RotationPolicy | None = None
    former_user: str | None = None
    recorded: int | None = None
    newest: datetime | None = None
    account: str | None = None
    on_rejection: OnRejection = OnRejection.FAIL
    policy: CredentialPolicy | None = None
    waivers: Mapping[str, tuple[Waiver, ...]] = field(default_factory=dict)
    issued: datetime | None = None
    delivered: DeliveredSecret | None = None
    has_secret: bool = False
    is_finished: bool = False
    is_confirmed: bool = False
    created_users: tuple[str, ...] = ()
    may_create_users: bool = True

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Self:
        """Read the run context from a credential's properties, without values that a preview does not know yet."""
        run = properties.get("run")
        if not isinstance(run, Mapping):
            return cls()
        known = {name: value for name, value in run.items() if name == "group" or is_known(value)}
        group = {name: CredentialInputs.read(inputs) for name, inputs in (known.get("group") or {}).items()}
        recorded = known.get("recorded")
        return cls(
            resource=known.get("resource") or "",
            user=known.get("user"),
            service=known.get("service"),
            group=group,
            options=Options(**(known.get("options") or {})),
            owned=_rename(known.get("owned"), known.get("owned_by_group") or {}, known.get("renamed") or {}),
            of_user=tuple(known.get("of_user") or ()),
            strays=known.get("strays") or {},
            is_deactivated=known.get("deactivated") is True,
            is_renewed=known.get("renewed") is True,
            is_previous=known.get("previous") is True,
            rotates=known.get("rotates"),
            retires=known.get("retires"),
            is_due=known.get("due") is True,
            rotate=_read_rotation(known.get("rotate")),
            former_user=known.get("former_user"),
            recorded=None if recorded is None else int(recorded),
            newest=datetime.fromisoformat(known["newest"]) if known.get("newest") else None,
            account=known.get("account"),
            on_rejection=OnRejection(known.get("on_rejection") or OnRejection.FAIL),
            policy=_read_policy(known.get("policy")),
            waivers=read_waivers(known),
            issued=datetime.fromisoformat(known["issued_at"]) if known.get("issued_at") else None,
            delivered=DeliveredSecret.find(known),
            has_secret=known.get("has_secret") is True,
            is_finished=known.get("finished") is True,
            is_confirmed=known.get("confirmed") is True,
            created_users=tuple(known.get("created_users") or ()),
            may_create_users=known.get("may_create_users") is not False,
        )

    def own_ids(self) -> list[str]:
        """Return the ids that the state has for this resource."""
        return [credential_id for credential_id, owner in (self.owned or {}).items() if owner == self.resource]

    def members(self, inputs: CredentialInputs) -> dict[str, Member]:
        """Return all members of the group of a requested resource with these inputs, itself among them."""
        member = inputs.member()
        if (self.user, self.service) not in ((None, None), (inputs.user, inputs.service)):
            return {self.resource: replace(member, is_certain=False)}
        members = {name: inputs.member() for name, inputs in self.group.items()}
        sent = members.get(self.resource, member)  # a replacement is planned without its import
        is_certain = replace(sent, adopt=None) == replace(member, adopt=None)
        members |= {self.resource: replace(member, is_certain=is_certain)}
        return {name: replace(each, is_renewed=self.is_renewed) for name, each in members.items()}


def _read_policy(properties: Mapping[str, Any] | None) -> CredentialPolicy | None:
    """Return the policy, None without one; the engine makes every number a float."""
    if properties is None:
        return None
    max_age, max_lifetime = (
        None if properties.get(limit) is None else int(properties[limit])
        for limit in ("max_age_days", "max_lifetime_days")
    )
    required, allowed = (tuple(properties.get(name) or ()) for name in ("require_expiry", "services"))
    return CredentialPolicy(max_age, max_lifetime, required, allowed, enforce=properties.get("enforce") is True)


def _read_rotation(properties: Mapping[str, Any] | None) -> RotationPolicy | None:
    """Return the rotation, None without one; the engine makes every number a float."""
    if properties is None:
        return None
    every, date, latest = (properties.get(name) for name in ("every_hours", "not_before", "retire_by_hours"))
    return RotationPolicy(
        overlap_hours=int(properties["overlap_hours"]),
        every_hours=None if every is None else int(every),
        not_before=None if date is None else datetime.fromisoformat(date),
        retire_by_hours=None if latest is None else int(latest),
    )


def _rename(
    owned: Mapping[str, str] | None, by_group: Mapping[str, str], renamed: Mapping[str, str]
) -> dict[str, str] | None:
    """Return all owners by the names that the program uses now, unless the state already has these."""
    if owned is None:
        return None
    owned = {**by_group, **owned}
    names = set(owned.values())
    return {key: name if renamed.get(name, name) in names else renamed[name] for key, name in owned.items()}
