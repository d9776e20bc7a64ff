"""The check of one credential: plan it in its group, and return the decision or the rejection among its inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pulumi.dynamic import CheckFailure, CheckResult

from iamcreds.errors import NotApprovedError, RejectedError, UserDeniedError
from iamcreds.model import Status
from iamcreds.planning.decisions import Adopt, Create, Decision, Import, MissingUser, Rejection
from iamcreds.planning.planner import plan
from iamcreds.planning.rejections import describe, in_use, not_renamed, protected
from iamcreds.pull_request.changes import Action
from iamcreds.pulumi_engine.credential_warnings import find_import_warnings
from iamcreds.pulumi_engine.group_facts import find_own, foresee_user, read_group
from iamcreds.pulumi_engine.inputs import is_replaced_after_expiry, list_changed
from iamcreds.pulumi_engine.provider import warn
from iamcreds.pulumi_engine.run_context import OnRejection, reject
from iamcreds.services import MAX_PER_SERVICE, service_alias
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from iamcreds.aws import Account
    from iamcreds.model import Credential
    from iamcreds.planning.group import Group
    from iamcreds.pulumi_engine.delivery_check import DeliveryCheck
    from iamcreds.pulumi_engine.inputs import CredentialInputs
    from iamcreds.pulumi_engine.policy_check import PolicyCheck
    from iamcreds.pulumi_engine.run_context import RunContext
    from iamcreds.pulumi_engine.session import Session

_NOTHING_ADOPTED = "`password` is only for a credential to import. Options: set its id as `adopt`; or remove `password`"

_RENAMED = (
    "IAM renamed user {former} to {user}, and this run deletes {service} credential {ids} with its password. To keep"
    " it, add `was: {former}` to user {user} in the specs"
)


def follow_rename(olds: CredentialInputs, own: Collection[Credential], inputs: CredentialInputs) -> CredentialInputs:
    """Return the recorded inputs with the declared user, if IAM has renamed the user of the existing credential."""
    is_renamed = olds.user != inputs.user and {credential.user for credential in own} == {inputs.user}
    return replace(olds, user=inputs.user) if is_renamed else olds


def needs_slot(account: Account, user: object, service: object, inputs: CredentialInputs) -> bool:
    """Return True if a replacement needs the quota of the credential of this user and service that it replaces.

    Raises:
        AccountError: as AWS responds.
    """
    if (user, service) != (inputs.user, inputs.service):
        return False
    is_one_of_two = inputs.declared == MAX_PER_SERVICE
    return is_one_of_two or len(account.inventory.of(inputs.user, inputs.service)) >= MAX_PER_SERVICE


@dataclass(frozen=True)
class CredentialCheck:
    """The check of one credential.

    Attributes:
        account: the account.
        session: the facts of this process.
        inputs: the credential's inputs, with a known user and service.
        context: the run context that the program sent with it.
        policy: the check against its user's policy.
        delivery: the check of its delivery.
    """

    account: Account
    session: Session
    inputs: CredentialInputs
    context: RunContext
    policy: PolicyCheck
    delivery: DeliveryCheck

    def run(self, olds: CredentialInputs | None) -> CheckResult:
        """Check a credential that the state has with these inputs, or (None) a new one or a replacement.

        Raises:
            AccountError: as AWS responds.
        """
        try:
            self.session.require_read(self.context.own_ids())
            return self._check_new() if olds is None else self._check_existing(olds)
        except (RejectedError, NotApprovedError, UserDeniedError) as error:
            return self.reject(str(error), olds)

    def reject(self, reason: str, olds: CredentialInputs | None) -> CheckResult:
        """Return the rejection among the inputs, or as a failure, which ends the run; see `run` for `olds`.

        What the state has of the resource is not deleted.
        """
        self.session.keep(self.context.own_ids(), reason)
        inputs = replace(self.inputs, password=None).properties()
        # After --replace or taint the engine drops a retained credential from the state, and no delete can fail.
        is_dropped = olds is None and self.context.options.retain and self.context.own_ids()
        on_rejection = OnRejection.FAIL if is_dropped else self.context.on_rejection
        return reject(inputs, [CheckFailure("", escape_invisible(reason))], on_rejection)

    def _check_existing(self, olds: CredentialInputs) -> CheckResult:
        """Reject a replacement before it begins, so that a working credential is never deleted for a rejected one."""
        self._note_request(self.inputs, is_recorded=True)
        own = find_own(self.account, olds.user, self.context)
        self._require_rename(own)
        self._require_inactive(own)
        olds = follow_rename(olds, own, self.inputs)
        recorded = olds.properties() | {"deactivated": self.context.is_deactivated}
        is_successor = self.context.rotates is not None
        reasons = list_changed(recorded, self.inputs, _count_days(own), is_successor=is_successor)
        is_expired = any(credential.status is Status.EXPIRED for credential in own)
        if is_expired and is_replaced_after_expiry(recorded, self.inputs):
            reasons = ["it has expired"]
        if not reasons:
            self.policy.check_kept(recorded, own)
            return self._accept(self.inputs, self.delivery.check_kept(olds))
        if self.context.options.protect:
            raise RejectedError(protected(olds.user, olds.service, own, reasons))
        by_default = needs_slot(self.account, olds.user, olds.service, self.inputs)
        return self._plan(self.inputs, own, frees_quota=self.context.options.frees_quota(by_default=by_default))

    def _check_new(self) -> CheckResult:
        """Plan a new credential, or one that replaces an existing one.

        Raises:
            RejectedError: see `_plan`; or a password is given for a credential that is not imported.
        """
        inputs = self.inputs
        own = find_own(self.account, inputs.user, self.context)
        if own or self.session.is_recorded(self.context.resource):
            inputs = inputs.without_import()  # a replacement is created, and not imported
        if inputs.password is not None and inputs.adopt is None:
            raise RejectedError(_NOTHING_ADOPTED)
        self._note_request(inputs)
        self._require_rename(own)
        # The engine requests no diff for --replace and taint.
        return self._plan(inputs, own, frees_quota=self.context.options.frees_quota(by_default=False))

    def _require_rename(self, own: Iterable[Credential]) -> None:
        """Require that IAM has renamed the user, if specs declare a former name: nothing is replaced by a mistake.

        Raises:
            RejectedError: IAM has not.
        """
        user, former = self.inputs.user, self.context.former_user
        if former is None:
            return
        others = [credential for credential in own if credential.user != user]
        exists = self.account.users.exists(user)
        if others or (not exists and self.account.users.exists(former)):
            raise RejectedError(not_renamed(user, former, others, exists=exists))

    def _require_inactive(self, own: Iterable[Credential]) -> None:
        """Require that the password of a successor's slot is not in use: someone may have activated it just now.

        Raises:
            RejectedError: it is Active.
        """
        active = [credential.id for credential in own if credential.status is Status.ACTIVE]
        if self.context.rotates is not None and active and not self.context.is_finished:
            raise RejectedError(in_use(self.inputs.user, self.inputs.service, active[0]))

    def _suggest_former_user(self, group: Group) -> None:
        """Warn if IAM has renamed the user since the state was written, and specs declare the user as a new one."""
        strays = self.context.strays
        renamed = [
            credential
            for credential in group.existing
            if credential.id in strays and group.owners.get(credential.id) not in group.members
        ]
        if renamed and group.user not in self.context.created_users:  # `iamUser` does not support `was`
            former = strays[renamed[0].id]
            ids = " and ".join(credential.id for credential in renamed)
            warn(_RENAMED.format(user=group.user, former=former, service=service_alias(group.service), ids=ids))

    def _note_request(self, inputs: CredentialInputs, *, is_recorded: bool = False) -> None:
        members = self.context.members(inputs)
        self.session.note_request(inputs.user, inputs.service, self.context, members, is_recorded=is_recorded)

    def _plan(self, inputs: CredentialInputs, own: list[Credential], *, frees_quota: bool) -> CheckResult:
        """Return the inputs with the planned decision about a credential that replaces `own`.

        `frees_quota` is True if a replacement deletes the old credential first.

        Raises:
            RejectedError: the plan or the policy rejects it; a rejected replacement does not begin.
            NotApprovedError: the replacement is not approved.
        """
        self.delivery.check_new()
        for credential in own:
            self.account.credentials.require_approved(credential.user, credential.id, Action.REPLACE)
        self.session.note_replaced([credential.id for credential in own])
        with self.account.create_journal.hold(inputs.user, inputs.service):
            group = self._read_group(inputs, frees_quota=frees_quota)
            self._suggest_former_user(group)
            decision = self._decide(group, own)
        match decision:
            case Create():
                self.policy.check_created()
                return self._accept(inputs)
            case Adopt(credential):
                self.policy.check_adopted(credential)
                return self._accept(inputs, _preview(credential, inputs.member().status))
            case Import(credential):
                self.policy.check_imported(credential)
                self.delivery.check_imported(credential)
                for warning in find_import_warnings(credential, inputs):
                    warn(warning)
                return self._accept(inputs, _preview(credential, inputs.target))
        raise RejectedError(self._describe(decision, group))

    def _accept(self, inputs: CredentialInputs, adopted: dict[str, str] | None = None) -> CheckResult:
        """Return the inputs with those that a preview shows: an adopted, rotated or retired credential, a delivery."""
        ids = {"rotates": self.context.rotates, "retires": self.context.retires}
        shown = {name: id_ for name, id_ in ids.items() if id_ is not None}
        return CheckResult(inputs.properties() | (adopted or {}) | shown, [])

    def _read_group(self, inputs: CredentialInputs, *, frees_quota: bool) -> Group:
        user, service, resource = inputs.user, inputs.service, self.context.resource
        group = foresee_user(self.account, read_group(self.account, self.session, user, service), self.context)
        if not group.replaces(resource):
            return group
        self.session.replace(user, service, resource, frees_quota=frees_quota)
        return replace(group, replaced=self.session.group(user, service).replaced)

    def _decide(self, group: Group, own: list[Credential]) -> Decision:
        """Plan, and note the decision; a missing user may exist when the create begins, so that is not final."""
        resource, context = self.context.resource, self.context
        decision = plan(group)[resource]
        is_deleted_first = bool(own) and context.options.deletes_first is True
        may_follow = context.may_create_users and context.on_rejection is not OnRejection.COLLECT
        if isinstance(decision, MissingUser) and may_follow and not is_deleted_first:
            warn(self._describe(decision, group))
            members = {**group.members, resource: replace(group.members[resource], adopt=None)}
            decision = plan(replace(group, has_user=True, members=members))[resource]
            if context.on_rejection is OnRejection.DEFER:
                return decision
        self.session.decide(group, resource, decision)
        return decision

    def _describe(self, rejection: Rejection, group: Group) -> str:
        return describe(rejection, group, self.context.resource, self.account.clock.now())


def _count_days(own: Collection[Credential]) -> int | None:
    """Return the lifetime of the existing credential in days, None without an expiry."""
    return next((credential.lifetime_days for credential in own if credential.expires is not None), None)


def _preview(credential: Credential, status: Status | None) -> dict[str, str]:
    """Return the inputs by which a preview shows the adopted or imported id, and a status that changes by it."""
    differs = status not in (None, credential.status)
    return {"adopts": credential.id} | ({"adopts_status": credential.status.value} if differs else {})
