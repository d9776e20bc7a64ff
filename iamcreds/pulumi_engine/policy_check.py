"""The check of one credential against its user's policy, as the run leaves it: warnings or a rejection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.checked_credential import CheckedCredential
from iamcreds.drift.rules.credential_limits import check_credential
from iamcreds.drift.waivers import describe_end, split_by_user
from iamcreds.errors import RejectedError
from iamcreds.model import Status
from iamcreds.pulumi_engine.inputs import is_reset, is_rotated
from iamcreds.pulumi_engine.provider import inform, warn
from iamcreds.resource_names import credential_name, split_slot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from pulumi.dynamic import Config

    from iamcreds.drift.rules.credential_limits import CredentialFinding
    from iamcreds.model import Credential
    from iamcreds.pulumi_engine.inputs import CredentialInputs
    from iamcreds.pulumi_engine.run_context import RunContext

NOT_ENFORCED = (
    "{policies} policies are not enforced, because the stack's config has enforce=false. Run"
    " `pulumi config rm enforce` to enforce them again"
)


def is_enforcing(config: Config) -> bool:
    """Return True unless the stack's config permits this run in spite of enforced policies."""
    return (config.get("enforce") or "true").lower() != "false"


@dataclass(frozen=True)
class PolicyCheck:
    """The check of one credential against its user's policy.

    Each method warns about violations. If the policy is enforced, it raises RejectedError instead, unless the run
    resets or deactivates the credential, or a successor of the credential exists. A waived violation is information.

    Attributes:
        inputs: the credential's inputs.
        context: the run context with the policy.
        now: the current time.
        enforces: False if the stack's config permits the run.
    """

    inputs: CredentialInputs
    context: RunContext
    now: datetime
    enforces: bool

    def check_kept(self, recorded: Mapping[str, Any], own: Sequence[Credential]) -> None:
        """Check a credential that this run keeps; `recorded` has its recorded inputs, `own` is empty if unknown.

        Raises:
            RejectedError: the enforced policy does not allow it.
        """
        existing, is_renewed = own[0] if own else None, is_rotated(recorded, self.inputs)
        status = Status.ACTIVE if existing is None or is_renewed else existing.status
        is_new = is_renewed or is_reset(recorded, self.inputs)
        findings = self._find(existing, status, is_age_known=not is_new)
        self._report(findings, is_safe=is_new or self._is_safe)

    def check_created(self) -> None:
        """Check a credential that this run creates, also in place of an existing one; for errors, see `check_kept`."""
        self._report(self._find(None, Status.ACTIVE))

    def check_adopted(self, existing: Credential) -> None:
        """Check a credential that this run adopts by a reset; for errors, see `check_kept`."""
        self._report(self._find(existing, Status.ACTIVE, is_age_known=False, is_managed=False))

    def check_imported(self, existing: Credential) -> None:
        """Check a credential that this run imports; for errors, see `check_kept`."""
        is_old = self.inputs.reset is None
        findings = self._find(existing, existing.status, is_age_known=is_old, is_managed=False, is_imported=True)
        self._report(findings, is_safe=self._is_deactivated)

    @property
    def _is_safe(self) -> bool:
        return self._is_deactivated or self.context.is_previous or self.context.is_due

    @property
    def _is_deactivated(self) -> bool:
        return self.inputs.target is Status.INACTIVE

    def _find(
        self,
        existing: Credential | None,
        status: Status,
        *,
        is_age_known: bool = True,
        is_managed: bool = True,
        is_imported: bool = False,
    ) -> list[CredentialFinding]:
        """Return the violations of the credential with this status, unless one is declared."""
        policy = self.context.policy
        if policy is None:
            return []
        user, service = self.inputs.user, self.inputs.service
        checked = CheckedCredential(
            user=user,
            service=service,
            status=self.inputs.target or status,
            existing=existing,
            issued=self.context.issued,
            is_declared=not self.context.is_previous,
            is_previous=self.context.is_previous,
            rotate=self.context.rotate,
            has_protect=self.context.options.protect,
            age_days=self.inputs.age_days,
            name=credential_name(split_slot(self.context.resource)[0], user, service) or "",
            is_age_known=is_age_known,
            is_managed=is_managed,
            is_imported=is_imported,
        )
        return list(check_credential(policy, checked, self.now))

    def _report(self, findings: Sequence[CredentialFinding], *, is_safe: bool = False) -> None:
        """Report the violations; they are not rejected if the run makes the credential safer, or if it ends soon."""
        is_enforced = self.context.policy is not None and self.context.policy.enforce
        counted, waived = split_by_user(findings, self.context.waivers, self.now)
        for each in waived:
            inform(each.format_sentence())
        if is_enforced and not self.enforces:
            warn(NOT_ENFORCED.format(policies="credential"))
        elif is_enforced and counted and not is_safe:
            raise RejectedError(self._describe_rejection(counted))
        for finding in counted:
            warn(finding.format_sentence())

    def _describe_rejection(self, findings: Sequence[CredentialFinding]) -> str:
        waivers = self.context.waivers.get(self.inputs.user, ())
        sentences = (
            f"{finding.describe().message} [{finding.rule}]{describe_end(finding.rule, waivers, self.now)}"
            for finding in findings
        )
        return f"{'; '.join(sentences)}, and the policy is enforced. Options: {_describe_options(findings)}"


def _describe_options(findings: Sequence[CredentialFinding]) -> str:
    decisive = [finding for finding in findings if finding.is_removal] or findings
    edits = dict.fromkeys(finding.edit or "replace the credential" for finding in decisive)
    return f"{' and '.join(edits)}; or allow the run with --config enforce=false"
