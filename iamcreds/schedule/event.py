"""An event of the schedule, and its texts; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from iamcreds.desired import Retire
from iamcreds.drift.rules.access_key_limits import AccessKeyIdle
from iamcreds.drift.rules.difference import resolve_first
from iamcreds.drift.rules.expiry import Expired
from iamcreds.services import Family, service_alias, service_family
from iamcreds.text.commands import delete_access_key, delete_credential, read_secret
from iamcreds.text.escaping import escape_invisible
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import Credential, SourceLocation


class EventKind(StrEnum):
    """The kinds of events; the names are persisted."""

    ROTATE = "rotate"
    """`pulumi up` issues a new password, and the previous one works until the overlap ends."""
    RETIRE = "retire"
    """`pulumi up` deactivates or deletes the previous credential."""
    RENEW = "renew"
    """`pulumi up` creates the successor of a key that expires."""
    EXPIRE = "expire"
    """IAM rejects a key from now on."""
    VIOLATE = "violate"
    """A credential or access key begins to violate its user's policy, or a waiver of the violation ends."""


_ORDER = (EventKind.EXPIRE, EventKind.VIOLATE, EventKind.RETIRE, EventKind.RENEW, EventKind.ROTATE)
"""The order of events at the same time: first those that end access, then the steps of an update."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event of a credential or access key.

    Attributes:
        when: the time of the event, or from which the next `pulumi up` does it; in the past if that is overdue.
        kind: its kind.
        user: the IAM user's name.
        service: the service's full name; empty for an access key.
        id: the id of the affected credential or access key; empty if it does not exist yet, or is unknown.
        rule: the rule of drift that reports the event when it is overdue; empty for a retirement.
        overdue: for a rotation, the time from which it is overdue; None if it never is.
        location: the source location of the declaration, None without one.
        owner: the `mailto:` address of the owner, None without one.
        desired: the declared credential, None for an access key and for a credential that no spec declares.
        candidates: if only the state shows which declared credential it concerns, those that are possible.
        is_previous: True if it concerns a previous credential, whose successor exists by then.
        until: for a rotation or renewal, the end of the previous credential; None if it is unknown.
        limit: for a violation, the limit in days.
        blocked_by: the unmanaged credentials that prevent the event, or the replacement after an expiry.
        rotation: the number of predecessors of the credential, which identifies it within its declaration.
        is_kept: True if no update replaces the expired credential, because it was deactivated manually before.
    """

    when: datetime
    kind: EventKind
    user: str
    service: str = ""
    id: str = ""
    rule: str = ""
    overdue: datetime | None = None
    location: SourceLocation | None = None
    owner: str | None = None
    desired: DesiredCredential | None = None
    candidates: tuple[DesiredCredential, ...] = ()
    is_previous: bool = False
    until: datetime | None = None
    limit: int | None = None
    blocked_by: tuple[Credential, ...] = ()
    rotation: int = 0
    is_kept: bool = False

    @property
    def order(self) -> tuple[datetime, str, str, str, int, str, str]:
        """The sort key, soonest first."""
        return self.when, self.user, self.service, self.resource, _ORDER.index(self.kind), self.rule, self.id

    @property
    def resource(self) -> str:
        """The declared name, empty without a declaration."""
        return "" if self.desired is None else self.desired.declared_name

    @property
    def label(self) -> str:
        """The credential or access key, by its id, or by its declared name if a later update creates it."""
        if not self.service:
            return f"access key {self.id}".rstrip()
        name = f"{service_alias(self.service)} credential"
        return f"{name} {self.id or self.resource}"

    @property
    def secret(self) -> str:
        """The noun for the secret of the credential."""
        return "API key" if service_family(self.service) is Family.API_KEY else "password"

    def list_rules(self, at: datetime) -> tuple[str, ...]:
        """Return the rules of drift that report the event at a time, of which one is enough for a waiver."""
        match self.kind:
            case EventKind.ROTATE:
                return ("rotation-overdue" if self.overdue is not None and self.overdue <= at else "rotation-due",)
            case EventKind.RENEW:
                return "renewal-overdue", "expiring-soon"
            case EventKind.EXPIRE:
                return ("expiring-soon" if at < self.when else "expired",)
            case EventKind.VIOLATE:
                return (self.rule,)
            case EventKind.RETIRE:
                return ()

    def describe(self) -> str:
        """Describe the event in a sentence that does not contain its date."""
        return _SENTENCES[self.kind](self)

    def format_sentence(self) -> str:
        """Return the sentence with its user, and its kind or violated rule: `jane: pulumi up creates … [renew]`."""
        name = self.rule if self.kind is EventKind.VIOLATE else self.kind
        return escape_invisible(f"{self.user}: {self.describe()} [{name}]")

    @property
    def next(self) -> str:
        """The next step: a command to paste, or an edit of the specs."""
        return _STEPS[self.kind](self)


def _describe_rotation(event: Event) -> str:
    end = "" if event.until is None else f"; the previous one works until {event.until:%Y-%m-%d}"
    return f"pulumi up rotates {event.label} and issues a new {event.secret}{_describe_block(event) or end}"


def _describe_retirement(event: Event) -> str:
    policy = None if event.desired is None else event.desired.rotate
    verb = "deletes" if policy is not None and policy.retire is Retire.DELETE else "deactivates"
    latest = "" if policy is None or policy.retire_by_hours is None else ", or earlier if its successor is read"
    return f"pulumi up {verb} the previous {event.label}{latest}"


def _describe_renewal(event: Event) -> str:
    end = "" if event.until is None else f", which expires on {event.until:%Y-%m-%d}"
    return f"pulumi up creates the successor of {event.label}{end}{_describe_block(event)}"


def _describe_block(event: Event) -> str:
    ids = " and ".join(each.id for each in event.blocked_by)
    return f", but unmanaged {ids} {'blocks' if len(event.blocked_by) == 1 else 'block'} it" if ids else ""


def _describe_expiry(event: Event) -> str:
    verb = "has expired" if event.rule == Expired.rule else "expires"
    kept = ", and is not replaced, because it was deactivated manually" if event.is_kept else ""
    return f"{'previous ' if event.is_previous else ''}{event.label} {verb}{kept}"


def _describe_violation(event: Event) -> str:
    days = format_count(event.limit or 0, "day")
    if event.rule == AccessKeyIdle.rule:
        return f"{event.label} has not been used for {days}, unless it is used before"
    subject = event.label if not event.service else f"{event.secret} of {event.label}"
    return f"{'previous ' if event.is_previous else ''}{subject} is older than {days}"


def _update(event: Event) -> str:
    return resolve_first(event.blocked_by, "pulumi up")


def _use_successor(event: Event) -> str:
    if event.desired is not None and event.desired.deliver is not None:
        return "let its consumers read the secret of its successor before"
    return f"use its successor before: {read_secret(event.resource)}"


def _prepare_expiry(event: Event) -> str:
    if event.candidates:
        return "after the expiry: pulumi up, which replaces it if the stack manages it"
    if event.desired is None:
        return f"if the credential is no longer needed: {delete_credential(event.user, event.id)}"
    if event.is_previous:
        return _use_successor(event)
    if event.is_kept:
        return "change its `reset` in the specs, then pulumi up; or remove the credential from the specs"
    step = resolve_first(event.blocked_by, "pulumi up, which replaces it")
    return step if event.rule == Expired.rule else f"after the expiry: {step}"


def _prevent_violation(event: Event) -> str:
    if not event.service:
        return f"if the key is no longer needed: {delete_access_key(event.user, event.id or 'ID')}"
    if event.desired is None:
        return f"if the credential is no longer needed: {delete_credential(event.user, event.id)}"
    if event.is_previous:
        return _use_successor(event)
    return "change `reset` in the specs, then pulumi up"


_SENTENCES: dict[EventKind, Callable[[Event], str]] = {
    EventKind.ROTATE: _describe_rotation,
    EventKind.RETIRE: _describe_retirement,
    EventKind.RENEW: _describe_renewal,
    EventKind.EXPIRE: _describe_expiry,
    EventKind.VIOLATE: _describe_violation,
}

_STEPS: dict[EventKind, Callable[[Event], str]] = {
    EventKind.ROTATE: _update,
    EventKind.RETIRE: _use_successor,
    EventKind.RENEW: _update,
    EventKind.EXPIRE: _prepare_expiry,
    EventKind.VIOLATE: _prevent_violation,
}
