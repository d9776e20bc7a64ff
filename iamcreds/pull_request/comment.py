"""The changes of a preview as the Markdown comment of a pull request; pure.

Names and values are untrusted, so none becomes markup.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.pull_request.changes import Action, Change, Changes
from iamcreds.pull_request.failures import find_failures
from iamcreds.pull_request.table import HEAD, render_rows
from iamcreds.text.escaping import escape_lines, format_code, shorten
from iamcreds.text.formatting import capitalize, format_count, take_fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from iamcreds.pull_request.properties import Property

MAX_LENGTH = 65_000
"""The maximum length of a comment in characters; GitHub rejects more than 65,536."""
_ROOM_FOR_NOTE = 600
_ROOM_FOR_MESSAGES = 12_000
"""The maximum length of errors, of findings and of warnings, which take precedence over the rows of the table."""
_MAX_MESSAGE = 4_000
_KINDS = (
    (Action.CREATE, "to create"),
    (Action.RENEW, "to renew"),
    (Action.ROTATE, "to rotate"),
    (Action.RETIRE, "to retire"),
    (Action.ADOPT, "to adopt"),
    (Action.RESET, "to update"),
    (Action.REPLACE, "to replace"),
    (Action.DELETE, "to delete"),
    (Action.DELETE_EXPIRED, "expired to delete"),
    (Action.RENAME, "to rename"),
    (Action.PROTECT, "with changed protection"),
)
_WHOLE = (
    Action.CREATE,
    Action.RENEW,
    Action.ROTATE,
    Action.RETIRE,
    Action.ADOPT,
    Action.REPLACE,
    Action.DELETE,
    Action.DELETE_EXPIRED,
)
"""The actions that are the kind of a change, whatever its other actions."""
_UPDATES = {
    Action.RESET: "reset",
    Action.DEACTIVATE: "deactivated",
    Action.ACTIVATE: "activated",
    Action.DELIVER: "delivered",
    Action.RECORD: "only recorded",
}


@dataclass(frozen=True)
class _Section:
    """A section of the comment. Its last items are omitted if it exceeds its maximum length."""

    name: str
    opening: str
    items: tuple[str, ...]
    closing: str
    max_length: int = MAX_LENGTH


def format_marker(name: str) -> str:
    """Return the first line of a stack's comment, a marker that is invisible when rendered."""
    return f"<!-- iamcreds plan: {name} -->"


def render_comment(
    changes: Changes, name: str, now: datetime, excess: Sequence[str] = (), commit: str | None = None
) -> str:
    """Return the comment, of at most `MAX_LENGTH` characters.

    Args:
        changes: the changes of the preview.
        name: the name in the marker.
        now: the current time in UTC, for the age of deleted credentials.
        excess: descriptions of removals and rotations above their limits.
        commit: the commit of the preview, in hexadecimal.
    """
    title = f"### IAM credentials: {format_code(name)}" if name else "### IAM credentials"
    head = f"{format_marker(name)}\n{title}\n\n{_render_origin(changes, commit)}"
    paragraphs = [head, *_render_verdict(changes, excess), f"{summarize(changes)}."]
    return _fit("\n\n".join(paragraphs) + "\n", _make_sections(changes, now))


def _render_origin(changes: Changes, commit: str | None) -> str:
    """Return the commit, the project and the stack of the preview.

    The commit is not formatted as code, so that GitHub links it. The workflow searches line 4 for `Commit SHA,`.
    """
    names = f"project {format_code(changes.project)}, stack {format_code(changes.stack)}"
    origin = names if changes.stack else "project and stack unknown, because the preview has no steps"
    return capitalize(f"commit {commit}, {origin}" if commit else origin)


def _render_verdict(changes: Changes, excess: Sequence[str]) -> Iterator[str]:
    if find_failures(changes):
        yield "**The preview failed**, so the list of changes is incomplete, and nothing will be changed."
    elif changes.rejections:
        rejections = format_count(len(changes.rejections), "rejection")
        yield f"**{rejections}**: `pulumi up --continue-on-error` applies everything else, and fails."
    yield from (f"**Rejected**: {description}." for description in excess)


def summarize(changes: Changes) -> str:
    """Return the counts in one line: `2 to create, 1 to update (1 reset), of 20 credentials`."""
    counts = Counter(_classify(change) for change in changes.credentials)
    parts = [f"{counts[kind]:,} {words}{_summarize_updates(changes, kind)}" for kind, words in _KINDS if counts[kind]]
    parts += _count_users(changes)
    policies = len(changes.policies)
    parts += [format_count(policies, "access key policy", "access key policies")] if policies else []
    parts += [f"{len(changes.rejections):,} rejected"] if changes.rejections else []
    parts += [format_count(len(changes.others), "other resource")] if changes.others else []
    count = changes.credential_count
    total = "" if count is None else f"; the stack has {format_count(count, 'credential')}"
    nothing = "Changes unknown" if changes.errors else "No changes"
    return (", ".join(parts) or nothing) + total


def _count_users(changes: Changes) -> list[str]:
    """Count users and attachments by action; an import that changes something counts as `import` only."""
    counts = Counter((change.policy != "", change.actions[0]) for change in changes.users)
    return [
        f"{format_count(number, *(('policy', 'policies') if is_policy else ('IAM user',)))} to {action}"
        for (is_policy, action), number in sorted(counts.items())
    ]


def _classify(change: Change) -> Action:
    """Return the kind of a change for the counts; RESET stands for all updates."""
    for action in _WHOLE:
        if action in change.actions:
            return action
    if not _UPDATES.keys().isdisjoint(change.actions):
        return Action.RESET
    return Action.RENAME if Action.RENAME in change.actions else Action.PROTECT


def _summarize_updates(changes: Changes, kind: Action) -> str:
    if kind is not Action.RESET:
        return ""
    updates = (change for change in changes.credentials if _classify(change) is Action.RESET)
    counts = Counter(action for change in updates for action in change.actions)
    return f" ({', '.join(f'{counts[action]:,} {words}' for action, words in _UPDATES.items() if counts[action])})"


def _make_sections(changes: Changes, now: datetime) -> list[_Section]:
    diffs = [_render_diff(change) for change in changes.credentials if change.properties]
    sections = [
        _make_block("errors", "", changes.errors, "text", _ROOM_FOR_MESSAGES),
        _Section("rows", f"\n{HEAD}", tuple(render_rows(changes, now)), ""),
        _make_block("access key findings", "Access key findings", changes.findings, "text", _ROOM_FOR_MESSAGES),
        _make_block(
            "credential findings", "Credential findings", changes.credential_findings, "text", _ROOM_FOR_MESSAGES
        ),
        _make_block("waived findings", "Waived findings", changes.waived, "text", _ROOM_FOR_MESSAGES),
        _make_block("warnings", "Warnings", changes.warnings, "text", _ROOM_FOR_MESSAGES),
        _make_block("property changes", "Property changes", diffs, "diff"),
        _make_block("other resources", "Other resources", changes.others, "text"),
    ]
    return [section for section in sections if section.items]


def _render_diff(change: Change) -> str:
    return "\n".join([f"  {change.name}", *(line for each in change.properties for line in _render_property(each))])


def _render_property(changed: Property) -> Iterator[str]:
    if changed.before == changed.after:
        yield f"    {changed.name}: {shorten(changed.after or '')}"
        return
    for sign, value in (("-", changed.before), ("+", changed.after)):
        if value is not None:
            yield f"{sign}   {changed.name}: {shorten(value)}"


def _make_block(name: str, title: str, texts: Iterable[str], language: str, max_length: int = MAX_LENGTH) -> _Section:
    """Return texts in a code block, which prevents markup, folded below the title if there is one."""
    items = tuple(escape_lines(shorten(text, _MAX_MESSAGE)) + "\n" for text in texts)
    fence = "`" * max(3, 1 + max((len(run) for text in items for run in re.findall("`+", text)), default=0))
    opening, closing = f"\n{fence}{language}\n", f"{fence}\n"
    if title:
        opening = f"\n<details><summary>{title} ({len(items):,})</summary>\n{opening}"
        closing = f"{closing}\n</details>\n"
    return _Section(name, opening, items, closing, max_length)


def _fit(head: str, sections: Sequence[_Section]) -> str:
    """Return the head and the sections, with as many items as fit, and a note about omitted items."""
    room = MAX_LENGTH - _ROOM_FOR_NOTE - len(head)
    kept, missing = dict[str, str](), dict[str, int]()
    for section in sorted(sections, key=lambda section: section.max_length):
        frame = len(section.opening) + len(section.closing)
        items = list(take_fitting(section.items, min(room, section.max_length) - frame))
        kept[section.name] = section.opening + "".join(items) + section.closing if items else ""
        room -= len(kept[section.name])
        missing[section.name] = len(section.items) - len(items)
    text = head + "".join(kept[section.name] for section in sections)
    omitted = [f"{missing[each.name]:,} of {len(each.items):,} {each.name}" for each in sections if missing[each.name]]
    if omitted:
        text += f"\n**Cut** to fit a comment: {', '.join(omitted)} are not shown; `pulumi preview --diff` shows all.\n"
    return text
