"""A preview read as a plan: the engine's steps become changes of credentials and policies; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.errors import PreviewError
from iamcreds.pull_request.changes import Action, Change, Plan, Refusal
from iamcreds.pull_request.failures import find_unreported
from iamcreds.pull_request.iam_users import count_iam_users, find_user_changes, find_user_refusals, is_of_an_iam_user
from iamcreds.pull_request.notes import explain, suggest_names
from iamcreds.pull_request.old_copies import find_old_copies
from iamcreds.pull_request.policies import compare_policies, is_watcher
from iamcreds.pull_request.preview import MASK
from iamcreds.pull_request.properties import UNKNOWN, compare_properties, format_value
from iamcreds.pull_request.unmanaged import acts_on_unmanaged, find_unmanaged_changes
from iamcreds.text.names import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from iamcreds.pull_request.preview import Diagnostic, Preview, State, Step

_OURS = "dynamic/iam:"
_COMPONENTS = ("pulumi:pulumi:Stack", "iamcreds:index:SpecFile")
"""The stack and the spec files: nothing in AWS."""
_PROVIDERS = "pulumi:providers:"
"""What the types of plugins' configurations begin with."""

_ACTIONS = {
    "create": Action.CREATE,
    "import": Action.CREATE,
    "delete": Action.DELETE,
    "delete-replaced": Action.DELETE,
    "replace": Action.REPLACE,
    "create-replacement": Action.REPLACE,
    "import-replacement": Action.REPLACE,
    "update": None,
    "same": None,
}
"""What the engine's steps do; of an update and of what stays, the properties tell."""
_WITHOUT_EFFECT = frozenset(
    {"refresh", "read", "read-replacement", "read-discard", "discard", "discard-replaced", "remove-pending-replace"}
)


def read_plan(preview: Preview) -> Plan:
    """What a preview would do.

    Raises:
        PreviewError: it has a step that nobody knows here.
    """
    read = [step.old for step in preview.steps if step.op == "refresh" and step.old]
    recorded = {old.urn: old for old in read if not old.is_leaving}
    old_copies = tuple(find_old_copies(preview.steps))
    effective = [step for step in preview.steps if _has_effect(step.op)]
    steps = _select_steps(effective)
    refused_users = find_user_refusals(preview.diagnostics)
    refused = [Refusal(step.name, reason) for step in steps for reason in _list_reasons(step)]
    refusals = sorted([*refused, *refused_users.values()])
    allowed = [step for step in steps if not _list_reasons(step)]
    findings = tuple(sorted(set(_list_findings(steps, recorded))))
    return Plan(
        stack=preview.stack,
        credentials=_count_credentials(preview, len(old_copies)),
        changes=tuple(
            sorted(
                [
                    *suggest_names(list(_find_changes(allowed, recorded))),
                    *find_unmanaged_changes(allowed),
                    *old_copies,
                ]
            )
        ),
        iam_users=count_iam_users({step.old.urn: step.old for step in preview.steps if step.old}.values()),
        users=tuple(sorted(find_user_changes(step for step in effective if step.urn not in refused_users))),
        policies=tuple(compare_policies(allowed)),
        others=tuple(sorted(_list_others(allowed))),
        refusals=tuple(refusals),
        findings=findings,
        warnings=tuple(_list_warnings(preview.diagnostics, findings)),
        errors=tuple(_list_errors(_select_errors(preview.diagnostics), refusals)),
        project=preview.project,
        account=_find_account(preview.steps),
    )


def _has_effect(op: str) -> bool:
    if op not in _ACTIONS and op not in _WITHOUT_EFFECT:
        raise PreviewError(f"the preview has a step {op!r}, which this version of iamcreds does not know: update it")
    return op in _ACTIONS


def _select_steps(steps: Iterable[Step]) -> list[Step]:
    """One step a resource: a replacement may come as three, of which `replace` tells most."""
    ranked = sorted(steps, key=lambda step: (_ACTIONS[step.op] is Action.REPLACE, step.op == "replace"))
    return list({step.urn: step for step in ranked}.values())


def _find_account(steps: Iterable[Step]) -> str | None:
    """Return the account that the steps name, None if they name no account or several."""
    accounts = {
        account
        for step in steps
        for state in (step.old, step.new)
        if state is not None and _OURS in state.type
        for account in (state.inputs.get("account"), state.outputs.get("account_id"))
        if isinstance(account, str) and ACCOUNT_ID.fullmatch(account)
    }
    return accounts.pop() if len(accounts) == 1 else None


def _count_credentials(preview: Preview, old_copies: int) -> int | None:
    """Count the stack's credentials and old copies; None if the preview does not list every resource."""
    had = {step.old.urn: step.old for step in preview.steps if step.old}
    counted = sum(number for op, number in preview.summary.items() if _ACTIONS.get(op) is not Action.CREATE)
    return sum(state.is_credential for state in had.values()) + old_copies if counted <= len(had) else None


def _list_reasons(step: Step) -> list[str]:
    """Why our provider refuses the resource: what it writes into the inputs that it has checked, in a preview only."""
    reasons = step.new.inputs.get("refused") if step.new and _OURS in step.new.type else None
    return [str(reason) for reason in reasons] if isinstance(reasons, list) else []


def _find_changes(steps: Iterable[Step], recorded: Mapping[str, State]) -> Iterator[Change]:
    for step in steps:
        state = step.new or step.old
        actions = tuple(_find_actions(step))
        if state is not None and state.is_credential and actions:
            notes = tuple(explain(step, actions, recorded.get(step.old.urn if step.old else step.urn)))
            user, service = (format_value(state.inputs.get(name, ""), quoted=False) for name in ("user", "service"))
            properties = tuple(compare_properties(step.old, step.new))
            place = step.new.place if step.new else ""
            id_, enforces = _find_id(step), _find_enforced(step, actions)
            yield Change(user, state.name, service, actions, notes, properties, place, id_, enforces)


def _find_id(step: Step) -> str:
    """Return the id of the existing credential that a step is about, empty for a new credential."""
    return step.old.id if step.old else str(step.new.inputs.get("adopts", "")) if step.new else ""


def _find_enforced(step: Step, actions: Collection[Action]) -> str:
    """Return the declared status that `up` sends even if lists show that the credential has it, empty for none."""
    if step.new is None:
        return ""
    is_reset_by_adoption = Action.ADOPT in actions and Action.RESET in actions and "adopt" not in step.new.inputs
    is_declared_now = step.op == "update" and step.old and _differs("status", step.old, step.new)
    return str(step.new.inputs.get("status", "")) if is_reset_by_adoption or is_declared_now else ""


def _differs(name: str, old: State, new: State) -> bool:
    return old.inputs.get(name) != new.inputs.get(name)


def _find_actions(step: Step) -> Iterator[Action]:
    action = _ACTIONS[step.op]
    if action is Action.CREATE and step.new and _adopts(step.new):
        yield Action.ADOPT
        yield from _find_effects_of_adopting(step.new)
    elif action is not None:
        yield action
    elif step.old and step.new:
        if step.old.name != step.new.name:
            yield Action.RENAME
        if step.op == "update":
            yield from list(_find_effects(step.old, step.new)) or [Action.RECORD]
        if step.old.is_protected != step.new.is_protected:
            yield Action.PROTECT if step.new.is_protected else Action.UNPROTECT


def _adopts(new: State) -> bool:
    """Whether it takes a live one over; one whose id only up will tell is not what check has found."""
    return "adopts" in new.inputs or new.inputs.get("adopt") == UNKNOWN


def _find_effects_of_adopting(new: State) -> Iterator[Action]:
    """What adopting does in AWS: nothing to one that the spec names, but for what the spec declares beside."""
    if "adopt" not in new.inputs or "reset" in new.inputs:
        yield Action.RESET
    if "adopts_status" in new.inputs:
        yield Action.SWITCH_ON if new.inputs.get("status") == "Active" else Action.SWITCH_OFF


def _find_effects(old: State, new: State) -> Iterator[Action]:
    """What an update does in AWS; a declared status acts where the live one is another.

    A trigger or a status that is a secret shows no change, so the worse is believed.
    """
    if _may_change("reset", old, new):
        yield Action.RESET
    if _may_change("status", old, new):
        yield Action.SWITCH_ON if new.inputs["status"] == "Active" else Action.SWITCH_OFF


def _may_change(name: str, old: State, new: State) -> bool:
    wanted = new.inputs.get(name)
    return wanted == MASK or wanted not in (None, old.outputs.get(name))


def _list_others(steps: Iterable[Step]) -> Iterator[str]:
    """What else the program would do, as `create aws:s3/bucket:Bucket jane`."""
    for step in steps:
        state = step.new or step.old
        if (
            state is None
            or step.op == "same"
            or state.is_credential
            or is_watcher(state.type)
            or acts_on_unmanaged(state.type)
            or is_of_an_iam_user(state.type)
        ):
            continue
        if state.type not in _COMPONENTS and not state.type.startswith(_PROVIDERS):
            yield f"{_ACTIONS[step.op] or step.op} {state.type} {state.name}"


def _list_findings(steps: Iterable[Step], recorded: Mapping[str, State]) -> Iterator[str]:
    """What the watchers have found, which is one of their inputs; one that stays as it is may have no step."""
    watchers: dict[str, State | None] = {**recorded, **{step.urn: step.new for step in steps}}
    for urn, watcher in watchers.items():
        findings = watcher.inputs.get("findings") if watcher and is_watcher(urn) else None
        yield from map(str, findings if isinstance(findings, list) else [])


def _list_warnings(diagnostics: Iterable[Diagnostic], findings: Collection[str]) -> Iterator[str]:
    """What was warned of, without the findings, which come as warnings, too."""
    warned = {said.message for said in diagnostics if said.severity == "warning" and said.message}
    yield from sorted(warned - set(findings))


def _select_errors(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """What was said of resources comes first: what the engine and the program say then follows from it."""
    errors = {(_OURS not in said.urn, said.message) for said in diagnostics if said.severity == "error"}
    return list(dict.fromkeys(message for _, message in sorted(errors) if message))


def _list_errors(messages: Sequence[str], refusals: Sequence[Refusal]) -> Iterator[str]:
    """What the engine told, and the refusals that no message has: the program tells them with their places."""
    yield from messages
    yield from map(str, find_unreported(refusals, messages))
