"""The check of a credential's delivery in a preview: the store must accept the secret, and must still have it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from iamcreds.errors import AccountError, ConfigError, RejectedError
from iamcreds.pulumi_engine.inputs import is_reset, is_rotated
from iamcreds.pulumi_engine.provider import warn
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Callable

    from iamcreds.pulumi_engine.inputs import CredentialInputs
    from iamcreds.pulumi_engine.run_context import RunContext
    from iamcreds.stores.deliveries import Deliveries, Target
    from iamcreds.stores.store import StoredSecret

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_UNKNOWN = (
    "the password of {service} credential {id} of user {user} cannot be delivered to secret {name}, because the state"
    " does not have it. Change `reset` to deliver a new one"
)
_LOST = (
    "secret {name} of {title} {reason}, so the password of {service} credential {id} of user {user} is lost. Change"
    " `reset` to deliver a new one"
)


def _rejects_failures(method: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Reject only the credential if its store cannot be read: other credentials do not depend on it."""

    @functools.wraps(method)
    def checked(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        try:
            return method(*args, **kwargs)
        except (AccountError, ConfigError) as error:
            raise RejectedError(str(error)) from error

    return checked


@dataclass(frozen=True)
class DeliveryCheck:
    """The check of the delivery of one credential.

    Attributes:
        deliveries: the secret stores of the run.
        inputs: the credential's inputs.
        context: the run context.
    """

    deliveries: Deliveries
    inputs: CredentialInputs
    context: RunContext

    @_rejects_failures
    def check_new(self) -> None:
        """Check the delivery of a new credential, or of one that replaces the recorded one.

        Raises:
            RejectedError: the store does not accept the secret, or cannot be read.
        """
        target = self._find_target()
        if target is not None:
            stored = self.deliveries.find(target, None)
            self.deliveries.require_usable(target, stored, self.context.delivered)

    @_rejects_failures
    def check_kept(self, recorded: CredentialInputs) -> dict[str, str]:
        """Check the delivery of a recorded credential; return the input that shows a delivery of the state's secret.

        The store is judged by the current slot only, because the previous slot's version is not the current one.

        Raises:
            RejectedError: the store does not accept the secret or cannot be read, or the change requires a secret that
                the state lacks.
        """
        target, before = self._find_target(), recorded.delivery
        is_renewed = self._is_renewed(recorded)
        is_skipped = self.context.owned is None or (self.context.is_previous and not is_renewed)
        if target is None or is_skipped:
            return {}
        delivered = self.context.delivered
        if self.context.is_confirmed and not is_renewed and self.inputs.deliver == recorded.deliver:
            return {}
        if delivered is not None and before is not None and not target.declared.is_moved(before):
            self.deliveries.require_region(target, delivered)
        # The current version is not that of a slot to rotate, so a list would not be enough.
        stored = self.deliveries.find(target, delivered if self.context.rotates is None else None)
        self.deliveries.require_usable(target, stored, delivered)
        if before is not None and stored is not None and target.declared.kms_key_id not in (None, before.kms_key_id):
            target.store.require_key(target.declared.kms_key_id)
        return (
            {} if is_renewed else self._check_secret(target, stored, needs_secret=target.declared.needs_secret(before))
        )

    def _check_secret(self, target: Target, stored: StoredSecret | None, *, needs_secret: bool) -> dict[str, str]:
        delivered = self.context.delivered
        is_lost = stored is None or delivered is None or stored.version != delivered.version
        if not (needs_secret or is_lost):
            return {}
        if self.context.has_secret:
            return {"delivers": target.name}
        if needs_secret:
            raise RejectedError(_UNKNOWN.format(**self._describe(target)))
        if self.context.rotate is None:  # else the program plans a rotation, or warns
            reason = "does not exist" if stored is None else "has a different value"
            warn(_LOST.format(title=target.store.title, reason=reason, **self._describe(target)))
        return {}

    def _describe(self, target: Target) -> dict[str, str]:
        ids = " and ".join(self.context.own_ids())
        return {
            "name": target.name, "id": ids, "user": self.inputs.user, "service": service_alias(self.inputs.service)
        }  # fmt: skip

    def _is_renewed(self, recorded: CredentialInputs) -> bool:
        olds = recorded.properties()
        return is_reset(olds, self.inputs) or is_rotated(olds, self.inputs)

    def _find_target(self) -> Target | None:
        declared = self.inputs.delivery
        if declared is None:
            return None
        return self.deliveries.find_target(declared, self.inputs.user, self.inputs.service)
