"""The check of one credential against its user's policy, as the run leaves it: warnings or a rejection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.drift.rules.credential_limits import CheckedCredential, check_credential
from iamcreds.errors import RejectedError
from iamcreds.model import Status, credential_name, split_slot
from iamcreds.pulumi_engine.inputs import is_reset, is_rotated
from iamcreds.pulumi_engine.provider import warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from pulumi.dynamic import Config

    from iamcreds.drift.rules.credential_limits import CredentialFinding
    from iamcreds.model import Credential, CredentialPolicy
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

    Each method warns about violations. If the policy is enforced, it raises RejectedError instead.

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
        self._check(existing, status, is_age_known=not (is_renewed or is_reset(recorded, self.inputs)))

    def check_created(self) -> None:
        """Check a credential that this run creates, also in place of an existing one; for errors, see `check_kept`."""
        self._check(None, Status.ACTIVE)

    def check_adopted(self, existing: Credential) -> None:
        """Check a credential that this run adopts by a reset; for errors, see `check_kept`."""
        self._check(existing, Status.ACTIVE, is_age_known=False)

    def check_imported(self, existing: Credential) -> None:
        """Check a credential that this run imports; for errors, see `check_kept`."""
        self._check(existing, existing.status, is_age_known=self.inputs.reset is None)

    def _check(self, existing: Credential | None, status: Status, *, is_age_known: bool = True) -> None:
        """Check the credential with this status, unless one is declared."""
        policy = self.context.policy
        if policy is None:
            return
        user, service = self.inputs.user, self.inputs.service
        checked = CheckedCredential(
            user=user,
            service=service,
            status=self.inputs.target or status,
            existing=existing,
            issued=self.context.issued,
            is_age_known=is_age_known,
            age_days=self.inputs.age_days,
            name=credential_name(split_slot(self.context.resource)[0], user, service) or "",
        )
        self._report(policy, list(check_credential(policy, checked, self.now)))

    def _report(self, policy: CredentialPolicy, findings: Sequence[CredentialFinding]) -> None:
        if policy.enforce and not self.enforces:
            warn(NOT_ENFORCED.format(policies="credential"))
        elif policy.enforce and findings:
            raise RejectedError(_describe_rejection(findings))
        for finding in findings:
            warn(finding.format_sentence())


def _describe_rejection(findings: Sequence[CredentialFinding]) -> str:
    sentences = "; ".join(f"{finding.describe().message} [{finding.rule}]" for finding in findings)
    edits = " and ".join(finding.edit or "replace the credential" for finding in findings)
    return f"{sentences}, and the policy is enforced. Options: {edits}; or allow the run with --config enforce=false"
