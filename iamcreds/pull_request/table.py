"""The changes of a preview as a Markdown table with one row for each group of equal changes; pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from iamcreds.pull_request.changes import Action, Change, Changes, Note, PolicyChange, UserChange
from iamcreds.pull_request.properties import UNKNOWN, format_value
from iamcreds.text.durations import format_duration
from iamcreds.text.escaping import format_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

_Change = TypeVar("_Change", Change, UserChange, PolicyChange)

HEAD = "| Credential | Service | Action | Note | Declared at |\n|---|---|---|---|---|\n"
_SHOWN_IN_A_ROW = 5
"""The maximum number of names and source locations in a row."""


def render_rows(changes: Changes, now: datetime) -> Iterator[str]:
    """Render one row for each group of credentials, users or policies with the same change."""
    users = sorted(changes.users, key=lambda change: (change.policy, change.user))
    for credentials in _group(changes.credentials, lambda change: (change.service, change.actions, change.notes)):
        names = _join(map(_render_name, credentials))
        notes = [*map(_render_note, credentials[0].notes), *_render_age(credentials, now)]
        yield _render_row(names, f" {format_code(credentials[0].service)}", credentials, notes)
    for group in _group(users, lambda change: (change.policy, change.actions, change.notes)):
        names, policy = _join(format_code(change.user) for change in group), group[0].policy
        name = f"policy {format_code(policy)} of {names}" if policy else f"IAM user {names}"
        yield _render_row(name, "", group, map(_render_note, group[0].notes))
    yield from map(_render_policy, _group(changes.policies, lambda change: (change.before, change.after)))


def _group(changes: Iterable[_Change], key: Callable[[_Change], Any]) -> Iterable[list[_Change]]:
    """Group changes by key, in the order of the first change of each group."""
    groups = defaultdict[Any, list[_Change]](list)
    for change in changes:
        groups[key(change)].append(change)
    return groups.values()


def _render_row(
    names: str, service: str, changes: Sequence[Change] | Sequence[UserChange], notes: Iterable[str]
) -> str:
    """Render the row of credentials or users with the same change."""
    locations = _join(dict.fromkeys(format_code(change.location) for change in changes if change.location))
    return f"| {names} |{service} | {', '.join(changes[0].actions)} | {'; '.join(notes)} | {locations} |\n"


def _render_name(change: Change) -> str:
    """Render a resource name, with the user unless the name contains it, and with the id of an adopted credential."""
    name = format_code(change.name)
    if change.user and not change.name.startswith(f"{change.user}/"):
        name += f" of {format_code(change.user)}"
    if Action.ADOPT in change.actions:
        name += f" from {format_code(format_value(change.credential_id or UNKNOWN, quoted=False))}"
    return name


def _render_age(changes: Sequence[Change], now: datetime) -> Iterator[str]:
    """Render the age of deleted credentials as a range from the youngest to the oldest."""
    if Action.DELETE in changes[0].actions:
        created = sorted((change.created for change in changes if change.created), reverse=True)
        ages = dict.fromkeys(format_duration(now - date) for date in (*created[:1], *created[-1:]))
        yield from [f"{' to '.join(ages)} old"] if ages else []


def _join(texts: Iterable[str]) -> str:
    """Join the first texts, and count the others."""
    items = list(texts)
    more = len(items) - _SHOWN_IN_A_ROW
    return ", ".join(items[:_SHOWN_IN_A_ROW]) + (f" and {more:,} more" if more > 0 else "")


def _render_note(note: Note) -> str:
    return f"{note.text} {format_code(note.value)}".strip()


def _render_policy(policies: Sequence[PolicyChange]) -> str:
    """Render the row of users with the same policy change."""
    before, after = policies[0].before, policies[0].after
    words = "watch" if before is None else "stop watching" if after is None else "change policy"
    limits = " → ".join(format_code(text) for text in (before, after) if text is not None)
    return f"| access keys of {_join(format_code(policy.user) for policy in policies)} | | {words} | {limits} | |\n"
