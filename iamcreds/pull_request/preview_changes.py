"""The changes of a preview, from the engine's steps and diagnostics; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iamcreds.errors import PreviewError
from iamcreds.pull_request.changes import Action, Changes, RejectedChange
from iamcreds.pull_request.credential_changes import ACTIONS, find_credential_changes, find_old_copies
from iamcreds.pull_request.failures import find_unreported
from iamcreds.pull_request.notes import suggest_names
from iamcreds.pull_request.policy_changes import find_policy_changes
from iamcreds.pull_request.successors import find_declared_urn, find_group, find_recorded_slots
from iamcreds.pull_request.unmanaged_changes import find_unmanaged_changes
from iamcreds.pull_request.user_changes import find_rejected_users, find_user_changes
from iamcreds.resource_types import (
    ACCESS_KEYS_TYPE,
    CREDENTIAL_TYPE,
    IAM_USER_TYPE,
    POLICY_ATTACHMENT_TYPE,
    PROVIDER_CLASSES,
    SPEC_FILE_TYPE,
    STACK_TYPE,
    urn_type,
)
from iamcreds.text.names import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from iamcreds.pull_request.preview import Diagnostic, Preview, State, Step

_OWN_TYPES = {*PROVIDER_CLASSES, IAM_USER_TYPE, POLICY_ATTACHMENT_TYPE, SPEC_FILE_TYPE, STACK_TYPE}
"""The types that this package handles, and the types without resources in AWS."""
_PLUGIN = "pulumi:providers:"
"""The type prefix of provider configurations."""
_WITHOUT_EFFECT = frozenset(
    {"refresh", "read", "read-replacement", "read-discard", "discard", "discard-replaced", "remove-pending-replace"}
)
_WAIVED = re.compile(r", waived until \d{4}-\d{2}-\d{2} \(")
_CREDENTIAL_FINDING = re.compile(r" \[(credential-too-old|lifetime-too-long|no-expiry|service-not-allowed)\]\Z")


def read_changes(preview: Preview) -> Changes:
    """Return the changes of a preview.

    Raises:
        PreviewError: a step is unknown to this version.
    """
    before_refresh = [step.old for step in preview.steps if step.op == "refresh" and step.old]
    recorded = {old.urn: old for old in before_refresh if not old.is_leaving}
    former = {step.old.urn: step.old for step in preview.steps if step.old}.values()
    old_copies = list(find_old_copies(preview.steps))
    effective = [step for step in preview.steps if _has_effect(step.op)]
    steps = _select_steps(effective)
    rejected_users = find_rejected_users(preview.diagnostics)
    rejected = [RejectedChange(step.name, reason) for step in steps for reason in _list_reasons(step)]
    rejections = sorted([*rejected, *rejected_users.values()])
    allowed = [step for step in steps if not _list_reasons(step)]
    slots = find_recorded_slots(preview.steps, steps)
    credentials = suggest_names(list(find_credential_changes(allowed, recorded, slots)))
    findings = sorted(set(_list_findings(steps, recorded)))
    warnings = _list_warnings(preview.diagnostics, findings)
    credential_findings = tuple(filter(_CREDENTIAL_FINDING.search, warnings))
    errors = _list_errors(preview.diagnostics)
    return Changes(
        stack=preview.stack,
        credential_count=_count_credentials(preview, former, len(old_copies)),
        credentials=tuple(sorted([*credentials, *find_unmanaged_changes(allowed), *old_copies])),
        user_count=sum(state.type == IAM_USER_TYPE for state in former),
        users=tuple(sorted(find_user_changes(step for step in effective if step.urn not in rejected_users))),
        policies=tuple(find_policy_changes(allowed)),
        others=tuple(sorted(_list_others(allowed))),
        rejections=tuple(rejections),
        findings=tuple(findings),
        credential_findings=credential_findings,
        waived=tuple(_list_waived(preview.diagnostics)),
        warnings=tuple(warning for warning in warnings if warning not in credential_findings),
        errors=(*errors, *map(str, find_unreported(rejections, errors))),
        project=preview.project,
        account=_find_account(preview.steps),
    )


def _has_effect(op: str) -> bool:
    if op not in ACTIONS and op not in _WITHOUT_EFFECT:
        raise PreviewError(f"the preview has a step {op!r}, which this version does not support. Upgrade iamcreds")
    return op in ACTIONS


def _select_steps(steps: Iterable[Step]) -> list[Step]:
    """Select one step for each resource. A replacement may have three, and `replace` has the most information."""
    ranked = sorted(steps, key=lambda step: (ACTIONS[step.op] is Action.REPLACE, step.op == "replace"))
    return list({step.urn: step for step in ranked}.values())


def _find_account(steps: Iterable[Step]) -> str | None:
    """Return the account of the steps, or None if they do not have exactly one."""
    accounts = {
        account
        for step in steps
        for state in (step.old, step.new)
        if state is not None and state.type in PROVIDER_CLASSES
        for account in (state.inputs.get("account"), state.outputs.get("account_id"))
        if isinstance(account, str) and ACCOUNT_ID.fullmatch(account)
    }
    return accounts.pop() if len(accounts) == 1 else None


def _count_credentials(preview: Preview, former: Collection[State], old_copies: int) -> int | None:
    """Count the declared credentials and replaced copies, or return None if the preview does not list every resource.

    Both slots of a rotated or renewed credential count once.
    """
    counted = sum(number for op, number in preview.summary.items() if ACTIONS.get(op) is not Action.CREATE)
    declared = {(*find_group(each), find_declared_urn(each)) for each in former if each.type == CREDENTIAL_TYPE}
    return len(declared) + old_copies if counted <= len(former) else None


def _list_reasons(step: Step) -> list[str]:
    """Return the rejection reasons of a resource, which the provider adds to the checked inputs in a preview."""
    reasons = step.new.inputs.get("refused") if step.new and step.type in PROVIDER_CLASSES else None
    return [str(reason) for reason in reasons] if isinstance(reasons, list) else []


def _list_others(steps: Iterable[Step]) -> Iterator[str]:
    """Yield the changes of all other resources, such as `create aws:s3/bucket:Bucket jane`."""
    for step in steps:
        if step.op != "same" and step.type not in _OWN_TYPES and not step.type.startswith(_PLUGIN):
            yield f"{ACTIONS[step.op] or step.op} {step.type} {step.name}"


def _list_findings(steps: Iterable[Step], recorded: Mapping[str, State]) -> Iterator[str]:
    """Yield the findings about access keys, which are inputs; an unchanged resource may have only recorded ones."""
    watchers: dict[str, State | None] = {**recorded, **{step.urn: step.new for step in steps}}
    for watcher in watchers.values():
        findings = watcher.inputs.get("findings") if watcher and watcher.type == ACCESS_KEYS_TYPE else None
        yield from map(str, findings if isinstance(findings, list) else [])


def _list_warnings(diagnostics: Iterable[Diagnostic], findings: Collection[str]) -> list[str]:
    """Return the warnings, except those about findings."""
    warnings = {each.message for each in diagnostics if each.severity == "warning" and each.message}
    return sorted(warnings - set(findings))


def _list_waived(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Return the information about waived findings."""
    return sorted({each.message for each in diagnostics if each.severity == "info" and _WAIVED.search(each.message)})


def _list_errors(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """Return the errors, those of our resources first, because they cause errors of the engine and the program."""
    errors = {
        (urn_type(each.urn) not in PROVIDER_CLASSES, each.message) for each in diagnostics if each.severity == "error"
    }
    return list(dict.fromkeys(message for _, message in sorted(errors) if message))
