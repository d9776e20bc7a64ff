"""A plan as the Markdown comment of a pull request; pure. Names and values are anybody's text: none becomes markup."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from iamcreds.escaping import escape_invisible, format_code, shorten
from iamcreds.formatting import format_count
from iamcreds.plan.changes import Action, Change, Note, Plan, PolicyChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.plan.properties import Property

LIMIT = 65_000
"""Characters of a comment; GitHub refuses more than 65,536."""
_ROOM_FOR_NOTE = 600
_ROOM_FOR_MESSAGES = 12_000
"""What errors, findings and warnings may each take, and get before the tables: they are what a plan hides most."""
_LONGEST_MESSAGE = 4_000
_TABLE = "| Credential | Service | Action | Note |\n|---|---|---|---|\n"
_KINDS = (
    (Action.CREATE, "to create"),
    (Action.RESET, "to update"),
    (Action.REPLACE, "to replace"),
    (Action.DELETE, "to delete"),
    (Action.RENAME, "to rename"),
    (Action.PROTECT, "with changed protection"),
)
_UPDATES = {
    Action.RESET: "reset",
    Action.SWITCH_OFF: "switched off",
    Action.SWITCH_ON: "switched on",
    Action.RECORD: "only recorded",
}


@dataclass(frozen=True)
class _Section:
    """A part that may lose its last items: what they are called, the words around them, they, and its size at most."""

    what: str
    opening: str
    items: tuple[str, ...]
    closing: str
    most: int = LIMIT


def marker(name: str) -> str:
    """The first line of a stack's comment, by which the comment is found again; invisible when rendered."""
    return f"<!-- iamcreds plan: {name} -->"


def comment(plan: Plan, name: str, refusal: str | None = None) -> str:
    """The comment, of fewer than `LIMIT` characters; `name` is the marker's, `refusal` what the gate says."""
    title = f"### IAM credentials: {format_code(name)}" if name else "### IAM credentials"
    head = "\n\n".join([f"{marker(name)}\n{title}", *_verdict(plan, refusal), f"{summary(plan)}."]) + "\n"
    return _fitted(head, _sections(plan))


def _verdict(plan: Plan, refusal: str | None) -> Iterator[str]:
    if plan.errors:
        yield "**The preview failed**, so this is not all that would happen, and nothing will be changed."
    if refusal:
        yield f"**Refused**: {refusal}."


def summary(plan: Plan) -> str:
    """The counts in one line: `2 to create, 1 to update (1 reset), of 20 credentials`."""
    counts = Counter(_kind(change) for change in plan.changes)
    told = [f"{counts[kind]:,} {words}{_updates(plan, kind)}" for kind, words in _KINDS if counts[kind]]
    told += [format_count(len(plan.policies), "access-key policy", "access-key policies")] if plan.policies else []
    told += [format_count(len(plan.others), "other resource")] if plan.others else []
    had = "" if plan.credentials is None else f"; the stack has {format_count(plan.credentials, 'credential')}"
    return (", ".join(told) or "No changes") + had


def _kind(change: Change) -> Action:
    """The head under which a change is counted; RESET stands for all updates."""
    for action in (Action.CREATE, Action.REPLACE, Action.DELETE):
        if action in change.actions:
            return action
    if not _UPDATES.keys().isdisjoint(change.actions):
        return Action.RESET
    return Action.RENAME if Action.RENAME in change.actions else Action.PROTECT


def _updates(plan: Plan, kind: Action) -> str:
    if kind is not Action.RESET:
        return ""
    counts = Counter(action for change in plan.changes for action in change.actions)
    return f" ({', '.join(f'{counts[action]:,} {words}' for action, words in _UPDATES.items() if counts[action])})"


def _sections(plan: Plan) -> list[_Section]:
    found = [
        _fenced("errors", "", plan.errors, "text", _ROOM_FOR_MESSAGES),
        _Section("users", "\n", tuple(_users(plan)), ""),
        _fenced("access-key findings", "Access-key findings", plan.findings, "text", _ROOM_FOR_MESSAGES),
        _fenced("warnings", "Warnings", plan.warnings, "text", _ROOM_FOR_MESSAGES),
        _fenced("property changes", "Property changes", [_diff(one) for one in plan.changes if one.properties], "diff"),
        _fenced("other resources", "Other resources", plan.others, "text"),
    ]
    return [section for section in found if section.items]


def _users(plan: Plan) -> Iterator[str]:
    """A table for each user."""
    policies = {one.user: one for one in plan.policies}
    changes = {user: list(all_) for user, all_ in groupby(plan.changes, key=lambda change: change.user)}
    for user in sorted({*changes, *policies}):
        rows = [_row(change) for change in changes.get(user, ())]
        rows += [_policy_row(policies[user])] if user in policies else []
        yield f"#### {format_code(user)}\n\n{_TABLE}{''.join(rows)}\n"


def _row(change: Change) -> str:
    notes = "; ".join(map(_note, change.notes))
    return f"| {format_code(change.name)} | {format_code(change.service)} | {', '.join(change.actions)} | {notes} |\n"


def _note(note: Note) -> str:
    return f"{note.words} {format_code(note.value)}".strip()


def _policy_row(policy: PolicyChange) -> str:
    words = "watch" if policy.before is None else "stop watching" if policy.after is None else "change policy"
    told = " → ".join(format_code(one) for one in (policy.before, policy.after) if one is not None)
    return f"| access keys | | {words} | {told} |\n"


def _diff(change: Change) -> str:
    return "\n".join([f"  {change.name}", *(line for one in change.properties for line in _diff_lines(one))])


def _diff_lines(one: Property) -> Iterator[str]:
    if one.before == one.after:
        yield f"    {one.name}: {shorten(one.after or '')}"
        return
    for sign, value in (("-", one.before), ("+", one.after)):
        if value is not None:
            yield f"{sign}   {one.name}: {shorten(value)}"


def _fenced(what: str, title: str, texts: Iterable[str], language: str, most: int = LIMIT) -> _Section:
    """Texts in a code block, in which nothing is markup, folded away under their title if there is one."""
    items = tuple(escape_invisible(shorten(text, _LONGEST_MESSAGE), keep="\n") + "\n" for text in texts)
    fence = "`" * max(3, 1 + max((len(run) for text in items for run in re.findall("`+", text)), default=0))
    opening, closing = f"\n{fence}{language}\n", f"{fence}\n"
    if title:
        opening = f"\n<details><summary>{title} ({len(items):,})</summary>\n{opening}"
        closing = f"{closing}\n</details>\n"
    return _Section(what, opening, items, closing, most)


def _fitted(head: str, sections: Sequence[_Section]) -> str:
    """Head and sections, as many items of each as there is room for, and a note of what was left out."""
    room = LIMIT - _ROOM_FOR_NOTE - len(head)
    kept, missing = dict[str, str](), dict[str, int]()
    for section in sorted(sections, key=lambda section: section.most):
        items = list(_that_fit(section, min(room, section.most)))
        kept[section.what] = section.opening + "".join(items) + section.closing if items else ""
        room -= len(kept[section.what])
        missing[section.what] = len(section.items) - len(items)
    text = head + "".join(kept[section.what] for section in sections)
    left_out = [f"{missing[one.what]:,} of {len(one.items):,} {one.what}" for one in sections if missing[one.what]]
    if left_out:
        text += f"\n**Cut** to fit a comment: {', '.join(left_out)} are not shown; `pulumi preview --diff` shows all.\n"
    return text


def _that_fit(section: _Section, room: int) -> Iterator[str]:
    room -= len(section.opening) + len(section.closing)
    for item in section.items:
        room -= len(item)
        if room < 0:
            return
        yield item
