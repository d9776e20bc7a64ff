"""The warnings about a managed credential that no run resolves by itself; pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from iamcreds.model import Status
from iamcreds.pulumi_engine.inputs import count_days, find_replace_reasons, is_rotated
from iamcreds.pulumi_engine.outputs import SECRETS
from iamcreds.services import MAX_PER_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.model import Credential
    from iamcreds.pulumi_engine.inputs import CredentialInputs

_DEACTIVATED = (
    "{service} credential {id} of user {user} was deactivated outside Pulumi and stays Inactive. Options: activate it"
    " in IAM; or declare `status: Active`{unless}"
)
_STAYS_EXPIRED = (
    "{service} credential {id} of user {user} is Expired and is not replaced, because it was deactivated outside Pulumi"
    " before its expiry. Options: change `reset` to replace it; or remove the credential from the specs"
)
_RESET_REMOVED = (
    "the `reset` of {service} credential {id} of user {user} was removed, which resets nothing. Adding it again resets"
    " the password, even with the same text"
)
_NOT_DELIVERED = (
    "the `deliver` of {service} credential {id} of user {user} was removed. The password stays in the store, and the"
    " state does not have it until a `reset`"
)
_NO_EXPIRY = (
    "{service} credential {id} of user {user} expires on {date}, but its successor would not expire. Declare"
    " `expire: {{after: {days}d}}` (in a program, `age_days={days}`), which changes nothing in AWS"
)


def find_warnings(credential_id: str, olds: Mapping[str, Any], inputs: CredentialInputs) -> Iterator[str]:
    """Yield the warnings of a run; `olds` are the recorded outputs after a refresh."""
    values = {"service": olds.get("service"), "id": credential_id, "user": olds.get("user")}
    is_inactive = olds.get("status") == Status.INACTIVE and olds.get("desired_status") != Status.INACTIVE
    if is_inactive and inputs.status is None and not is_rotated(olds, inputs):
        unless = " (not possible with `rotate` or `renewBefore`)" if inputs.declared == MAX_PER_SERVICE else ""
        yield _DEACTIVATED.format(**values, unless=unless)
    is_kept = olds.get("status") == Status.EXPIRED and not find_replace_reasons(olds, inputs)
    if is_kept:
        yield _STAYS_EXPIRED.format(**values)
    if olds.get("reset") is not None and inputs.reset is None:
        yield _RESET_REMOVED.format(**values)
    if olds.get("delivery") is not None and inputs.deliver is None and not any(olds.get(name) for name in SECRETS):
        yield _NOT_DELIVERED.format(**values)
    days = count_days(olds)
    if days is not None and inputs.age_days is None and olds.get("age_days") is None and not is_kept:
        date = datetime.fromisoformat(olds["expiration_date"])
        yield _NO_EXPIRY.format(**values, date=f"{date:%Y-%m-%d}", days=days)


def find_import_warnings(credential: Credential, inputs: CredentialInputs) -> Iterator[str]:
    """Yield the warning about a credential to import whose expiry the inputs do not declare."""
    if credential.expires is None or credential.lifetime_days is None or inputs.age_days is not None:
        return
    values = {"service": credential.service, "id": credential.id, "user": credential.user}
    yield _NO_EXPIRY.format(**values, date=f"{credential.expires:%Y-%m-%d}", days=credential.lifetime_days)
