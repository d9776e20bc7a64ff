"""Apply a plan: create, adopt or import a credential, after verifying that no other credential has appeared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.errors import AccountError, LimitExceededError, RejectedError
from iamcreds.model import IssuedCredential, Status
from iamcreds.planning.decisions import Adopt, Create, Decision, Import, InTheWay
from iamcreds.planning.planner import plan
from iamcreds.planning.rejections import describe
from iamcreds.pull_request.changes import Action
from iamcreds.pulumi_engine.group_facts import read_group
from iamcreds.pulumi_engine.outputs import record_existing, record_inputs, record_secret
from iamcreds.pulumi_engine.provider import warn
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from iamcreds.aws import Account
    from iamcreds.model import Credential
    from iamcreds.planning.group import Group
    from iamcreds.pulumi_engine.delivering import SecretDelivery
    from iamcreds.pulumi_engine.inputs import CredentialInputs
    from iamcreds.pulumi_engine.session import Returned, Session


_LEFT_OUT = (
    "credential {id} of user {user} is adopted, as `existing: adopt` declares. The preview could not show this, because"
    " IAM's list of all users' credentials lacks the credential"
)
_MISSING = (
    "{service} credential {id} of user {user} cannot be imported, because it does not exist: a new credential is"
    " created. Remove `adopt`"
)


def make_credential(
    account: Account,
    session: Session,
    inputs: CredentialInputs,
    adopts: str | None,
    delivery: SecretDelivery | None = None,
) -> dict[str, Any]:
    """Create a credential, or adopt or import the one that `check` planned; return its outputs after the delivery.

    Args:
        account: the account.
        session: the facts of this process.
        inputs: the credential's inputs.
        adopts: id of the credential that the preview shows to be adopted or imported, None for a new one.
        delivery: the delivery of its secret, None for none.

    Raises:
        RejectedError: an existing credential blocks it.
        AccountError: as AWS responds; a credential created by then is deleted.
    """
    with account.create_journal.hold(inputs.user, inputs.service):
        name, returned = session.find(inputs.user, inputs.service, inputs.member(), adopts)
        group = read_group(account, session, inputs.user, inputs.service)
        decision = _confirm(account, group, name, returned, adopts)
        match decision:
            case Create(missing):
                if missing is not None:
                    warn(_MISSING.format(id=missing, user=inputs.user, service=service_alias(inputs.service)))
                if delivery is not None:
                    delivery.begin(resets=False)
                issued = _issue(account, session, inputs, name, group)
                outputs = _deliver_created(account, inputs, issued, delivery)
            case Adopt(credential):
                outputs = _outputs(inputs, _adopt(account, inputs, credential, delivery))
                outputs = outputs if delivery is None else delivery.deliver_issued(outputs)
            case Import(credential):
                outputs = _import(account, inputs, credential, delivery)
            case rejection:
                raise RejectedError(describe(rejection, group, name, account.clock.now()))
        session.finish(inputs.user, inputs.service, name, outputs["credential_id"])
        return outputs


def _confirm(account: Account, group: Group, name: str, returned: Returned | None, adopts: str | None) -> Decision:
    """Return the decision that `check` returned; plan again if a credential exists that it does not explain.

    Raises:
        RejectedError: the preview did not show the credential to adopt, or it no longer exists.
    """
    existing = {credential.id: credential for credential in [*group.imports.values(), *group.existing]}
    if adopts is not None and adopts not in existing and group.has_user:
        raise RejectedError(
            f"cannot adopt or import credential {adopts} of user {group.user}, because it no longer exists. Run again"
            " to create a new one"
        )
    if returned is not None and group.has_user:
        unexplained = [
            each for each in existing if each not in returned.existing and not account.inventory.has_written(each)
        ]
        if not unexplained:
            return _refresh(returned.decision, existing)
    decision = _replan(group, name)
    if isinstance(decision, Adopt) and decision.credential.id != adopts:
        raise RejectedError(
            f"credential {decision.credential.id} of user {group.user} appeared after the preview. Run again to adopt"
            " it"
        )
    return decision


def _refresh(decision: Decision, existing: dict[str, Credential]) -> Decision:
    match decision:
        case Adopt(credential) | Import(credential):
            return replace(decision, credential=existing[credential.id])
    return decision


def _replan(group: Group, name: str) -> Decision:
    """Return a new decision; lists that lag may have hidden from `check` that the resource has a credential."""
    replaced = {name: False, **group.replaced} if group.replaces(name) else group.replaced
    decided = {other: decision for other, decision in group.decided.items() if other != name}
    requested = None if group.requested is None else group.requested | {name}
    return plan(replace(group, decided=decided, requested=requested, replaced=replaced))[name]


def _outputs(inputs: CredentialInputs, issued: IssuedCredential) -> dict[str, Any]:
    return record_inputs(inputs) | record_existing(issued.credential) | record_secret(issued)


def _deliver_created(
    account: Account, inputs: CredentialInputs, issued: IssuedCredential, delivery: SecretDelivery | None
) -> dict[str, Any]:
    """Deliver the secret of a created credential, or delete the credential again."""
    outputs = _outputs(inputs, issued)
    if delivery is None:
        return outputs
    if not issued.is_new:
        return delivery.deliver_issued(outputs)
    try:
        return delivery.deliver(outputs)
    except AccountError as error:
        raise AccountError(f"{error}; {account.credentials.undo(issued.credential)}") from error


def _issue(account: Account, session: Session, inputs: CredentialInputs, name: str, group: Group) -> IssuedCredential:
    """Create, unless IAM's response shows a credential that the list of all users lacks.

    IAM numbers a user's further logins while another credential has the first name (responses of AWS that a public
    project recorded).
    """
    try:
        issued = account.credentials.create(inputs.user, inputs.service, inputs.age_days, inputs.target)
    except LimitExceededError:
        group = _look_closer(account, session, inputs)
        if not group.unmanaged or isinstance(_replan(group, name), Create):  # a sibling adopts it
            raise
        return _resolve(account, inputs, name, group, None)
    created = issued.credential
    is_second = not group.existing and created.login.startswith(f"{created.user}+")
    if is_second and not account.inventory.has_listed(created.user):  # else no credential of the user is missing
        group = _look_closer(account, session, inputs)
        if group.unmanaged:
            return _resolve(account, inputs, name, group, issued)
    return issued


def _look_closer(account: Account, session: Session, inputs: CredentialInputs) -> Group:
    """Return the group by a list of this user only; without credentials if this run cannot identify unmanaged ones."""
    account.inventory.look_closer([inputs.user])
    group = read_group(account, session, inputs.user, inputs.service)
    return group if group.is_whole else replace(group, existing=())


def _resolve(
    account: Account, inputs: CredentialInputs, name: str, group: Group, issued: IssuedCredential | None
) -> IssuedCredential:
    """Adopt the credential that the list of all users lacks, if that is declared; delete the one created next to it.

    No preview can have shown it. A credential so young that the list may still lack it is not adopted.

    Raises:
        RejectedError: it blocks the creation.
    """
    others = [each for each in group.existing if issued is None or each.id != issued.credential.id]
    decision = _replan(replace(group, existing=others), name)
    if isinstance(decision, Create) and issued is not None:
        return issued  # a sibling adopts the existing one
    undone = "" if issued is None else f" ({account.credentials.undo(issued.credential)})"
    is_undone = issued is None or not account.inventory.has_written(issued.credential.id)
    if isinstance(decision, Adopt) and is_undone and not account.clock.is_young(decision.credential.created):
        warn(_LEFT_OUT.format(user=inputs.user, id=decision.credential.id))
        return _adopt(account, inputs, decision.credential)
    rejection = InTheWay(group.unmanaged) if isinstance(decision, Create | Adopt | Import) else decision
    raise RejectedError(f"{describe(rejection, group, name, account.clock.now())}{undone}")


def _adopt(
    account: Account, inputs: CredentialInputs, existing: Credential, delivery: SecretDelivery | None = None
) -> IssuedCredential:
    """Reset it; without a declared status it is Active afterwards, because a new password is meant to be used."""
    account.credentials.require_approved(existing.user, existing.id, Action.ADOPT)
    is_inactive = existing.status is Status.INACTIVE
    status = Status.ACTIVE if inputs.target is None and is_inactive else inputs.target
    account.credentials.require_approved_change(existing.user, existing.id, status=status, reset=True)
    if delivery is not None:
        delivery.begin(resets=True)
    issued = account.credentials.change(existing.user, existing.id, status=status, reset=True)
    assert issued is not None  # noqa: S101 - it was requested
    return issued


def _import(
    account: Account, inputs: CredentialInputs, existing: Credential, delivery: SecretDelivery | None
) -> dict[str, Any]:
    """Import it unchanged, but for a declared status or reset; without a reset, with the password from the program."""
    account.credentials.require_approved(existing.user, existing.id, Action.ADOPT)
    status = None if inputs.status in (None, existing.status) else inputs.target
    issued = None if inputs.password is None else IssuedCredential(existing, inputs.password)
    is_reset = inputs.reset is not None
    account.credentials.require_approved_change(existing.user, existing.id, status=status, reset=is_reset)
    if delivery is not None:
        delivery.begin(resets=is_reset)
    if status is not None or is_reset:
        issued = account.credentials.change(existing.user, existing.id, status=status, reset=is_reset) or issued
    recorded = record_existing(existing if status is None else replace(existing, status=status))
    outputs = record_inputs(inputs) | recorded | ({} if issued is None else record_secret(issued))
    if delivery is None:
        return outputs
    return delivery.deliver_issued(outputs) if is_reset else delivery.deliver(outputs)
