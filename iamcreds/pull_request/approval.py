"""The approved plan: the steps of a preview by credential id, which limit a later `up` or `destroy`; pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from iamcreds.errors import ApprovalError, NotApprovedError, PreviewError
from iamcreds.pull_request.changes import Action
from iamcreds.text.escaping import escape_invisible, shorten
from iamcreds.text.names import ACCOUNT_ID, CREDENTIAL_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.pull_request.changes import Change, Changes

VERSION = 1
MAX_SIZE = 20_000_000
"""The maximum size of an approved plan in bytes, enough for half a million ids."""

_KEYS = {
    Action.ADOPT: "adopt",
    Action.ACTIVATE: "activate",
    Action.DEACTIVATE: "deactivate",
    Action.RESET: "reset",
    Action.REPLACE: "replace",
    Action.DELETE: "delete",
}
"""The actions that need an approval, and their keys in the approved plan."""
_ROTATE = "rotate"
"""The optional key of the credentials whose successor is issued."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Approval:
    """The approved steps of one preview.

    Attributes:
        project: the name of the Pulumi project.
        stack: the name of the stack, without organization and project.
        account: 12 digits, or None if the preview does not have exactly one account.
        planned_at: the time of the plan, in UTC.
        specs: the digest of the specs (`iamcreds.specs.compute_digest`), or None if the plan has no specs.
        ids: the approved credential ids by action; `Action.ROTATE` has those whose successor may be issued.
    """

    project: str
    stack: str
    account: str | None
    planned_at: datetime
    specs: str | None
    ids: Mapping[Action, frozenset[str]]

    def permits(self, credential_id: str, *actions: Action) -> bool:
        """Return True if the plan approves one of the actions for the credential."""
        return any(credential_id in self.ids.get(action, ()) for action in actions)

    def require(self, user: str, credential_id: str, *actions: Action) -> None:
        """Reject a step unless the plan approves one of the actions for the credential; the error names the first.

        Raises:
            NotApprovedError: the plan approves none of them.
        """
        if not self.permits(credential_id, *actions):
            step = "adopt or import" if actions[0] is Action.ADOPT else _KEYS[actions[0]]
            raise NotApprovedError(
                f"cannot {step} credential {credential_id} of user {user}: the approved plan of"
                f" {self.planned_at:%Y-%m-%d %H:%M} UTC does not name this step. Run `pulumi preview` and"
                " `iamcreds plan --approve FILE` again"
            )


def make_approval(changes: Changes, specs: str | None, planned_at: datetime) -> Approval:
    """Return the approval of these changes; `specs` is the digest of the specs, or None.

    Raises:
        PreviewError: the preview has no steps, so its stack is unknown.
    """
    if not changes.stack:
        raise PreviewError(
            "cannot approve this preview: it has no steps, so its stack is unknown. Run `pulumi preview --json"
            " --show-sames`"
        )
    steps = [step for change in changes.credentials for step in _find_steps(change)]
    ids = {action: frozenset(id_ for each, id_ in steps if each is action) for action in _KEYS}
    ids[Action.ROTATE] = frozenset(change.rotates for change in changes.credentials if change.rotates)
    return Approval(changes.project, changes.stack, changes.account, planned_at, specs, ids)


def _find_steps(change: Change) -> Iterator[tuple[Action, str]]:
    """Yield the steps of a change that need an approval. A new credential has no id and needs none."""
    if CREDENTIAL_ID.fullmatch(change.credential_id):
        actions = {*change.actions, *change.steps}
        yield from ((action, change.credential_id) for action in actions if action in _KEYS)


def format_approval(approval: Approval) -> str:
    """Return the approved plan as JSON."""
    document = {
        "version": VERSION,
        "project": approval.project,
        "stack": approval.stack,
        "account": approval.account,
        "plannedAt": approval.planned_at.astimezone(UTC).isoformat(timespec="seconds"),
        "specs": approval.specs,
    } | {key: sorted(approval.ids.get(action, ())) for action, key in (*_KEYS.items(), (Action.ROTATE, _ROTATE))}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def parse_approval(text: str) -> Approval:
    """Parse an approved plan.

    Raises:
        ApprovalError: the text was not written by `format_approval` of this version.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise _make_error("it is nested too deeply") from None
    except ValueError:
        raise _make_error("it is not JSON") from None
    if not isinstance(document, dict):
        raise _make_error("it is not an object")
    _check_version(document.get("version"))
    missing = [key for key in (*_FIELDS, *_KEYS.values()) if key not in document]
    unknown = sorted(document.keys() - {"version", *_FIELDS, *_KEYS.values(), _ROTATE})
    if missing or unknown:
        key = shorten(escape_invisible((missing or unknown)[0]))
        raise _make_error(f"{'it lacks' if missing else 'it has the unknown'} key {key!r}")
    return Approval(
        project=_read_text(document, "project"),
        stack=_read_text(document, "stack"),
        account=_read_optional(document, "account", ACCOUNT_ID),
        planned_at=_read_time(document["plannedAt"]),
        specs=_read_optional(document, "specs", _DIGEST),
        ids={action: _read_ids(document, key) for action, key in _KEYS.items()}
        | {Action.ROTATE: _read_ids({_ROTATE: []} | document, _ROTATE)},
    )


_FIELDS = ("project", "stack", "account", "plannedAt", "specs")


def _check_version(version: object) -> None:
    if type(version) is not int or version < 1:
        raise _make_error("it has no version")
    if version > VERSION:
        raise _make_error("it was written by a newer version of iamcreds. Upgrade iamcreds, or create the plan again")


def _make_error(why: str) -> ApprovalError:
    return ApprovalError(f"this is not an approved plan of `iamcreds plan --approve FILE`: {why}")


def _read_text(document: Mapping[str, Any], key: str) -> str:
    value = document[key]
    if isinstance(value, str) and value:
        return value
    raise _make_error(f"{key} is not valid")


def _read_optional(document: Mapping[str, Any], key: str, pattern: re.Pattern[str]) -> str | None:
    value = document[key]
    if value is None or (isinstance(value, str) and pattern.fullmatch(value)):
        return value
    raise _make_error(f"{key} is not valid")


def _read_time(value: object) -> datetime:
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise _make_error("plannedAt is not valid")
    return time


def _read_ids(document: Mapping[str, Any], key: str) -> frozenset[str]:
    ids = document[key]
    if not isinstance(ids, list) or not all(isinstance(each, str) and CREDENTIAL_ID.fullmatch(each) for each in ids):
        raise _make_error(f"{key} is not a list of credential ids")
    return frozenset(ids)
