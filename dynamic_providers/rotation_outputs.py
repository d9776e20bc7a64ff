"""The outputs of a rotating credential in a program: they follow the completed rotation, not the planned one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.settings import is_dry_run

from iamcreds.due_dates import add_time
from iamcreds.model import Status
from iamcreds.pulumi_engine.inputs import is_known
from iamcreds.pulumi_engine.stack_state import read_state

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from dynamic_providers.credential import ServiceSpecificCredential
    from iamcreds.desired import DesiredCredential
    from iamcreds.model import RecordedCredential
    from iamcreds.planning.slot_plan import SlotPlan


@dataclass(frozen=True)
class RotatingCredential:
    """The outputs of a rotating credential: those of the current password or key, and the previous login.

    They show the completed rotation: if `--target` leaves out a planned one, they stay those of the recorded
    credential.

    Attributes:
        account_id: the account, 12 digits.
        credential_id: IAM's id of the current credential.
        service_user_name: the user name to sign in with, which changes with each rotation; None for an API key.
        service_password: the password, a Pulumi secret; None for an API key, and for one imported without it.
        service_credential_alias: the public part of an API key; None for a password.
        service_credential_secret: the API key, a Pulumi secret; None for a password, and for one imported without it.
        status: the actual status: `Active`, `Inactive` or `Expired`.
        create_date: the creation date in ISO 8601.
        issued_at: the time of the last create or reset in ISO 8601; None after an import, and in an older state.
        expiration_date: the expiration date in ISO 8601; None for never.
        delivery: ARN and version of the delivered secret; None without `deliver`.
        previous: `id`, `user_name` and `valid_until` (ISO 8601) of the previous credential; None if there is none, or
            if it is retired.
        resources: one or two resources, for `depends_on`.
    """

    account_id: pulumi.Output[str]
    credential_id: pulumi.Output[str]
    service_user_name: pulumi.Output[str | None]
    service_password: pulumi.Output[str | None]
    service_credential_alias: pulumi.Output[str | None]
    service_credential_secret: pulumi.Output[str | None]
    status: pulumi.Output[str]
    create_date: pulumi.Output[str]
    issued_at: pulumi.Output[str | None]
    expiration_date: pulumi.Output[str | None]
    delivery: pulumi.Output[Mapping[str, str] | None]
    previous: pulumi.Output[Mapping[str, str] | None]
    resources: tuple[ServiceSpecificCredential, ...]


_CURRENT = (
    "account_id", "credential_id", "service_user_name", "service_password", "service_credential_alias",
    "service_credential_secret", "status", "create_date", "issued_at", "expiration_date", "delivery",
)  # fmt: skip


def select_outputs(plan: SlotPlan, slots: list[ServiceSpecificCredential], overlap: timedelta) -> RotatingCredential:
    """Return the outputs of the slot that is the current one when both resources are completed."""
    current, other = slots[0], slots[1] if len(slots) > 1 else None
    previous = _describe_previous(other, current, overlap)
    if plan.rotated is None or other is None:
        return RotatingCredential(
            **{output: getattr(current, output) for output in _CURRENT}, previous=previous, resources=tuple(slots)
        )
    has_succeeded = _forget_resources(_has_succeeded(other, _find_recorded(plan.slots[-1])))
    rotated = _describe_previous(current, other, overlap)

    def select(successor: Any, predecessor: Any) -> pulumi.Output[Any]:  # noqa: ANN401 - any output
        return has_succeeded.apply(lambda is_done: successor if is_done else predecessor)

    return RotatingCredential(
        **{output: select(getattr(other, output), getattr(current, output)) for output in _CURRENT},
        previous=select(rotated, previous),
        resources=tuple(slots),
    )


def _find_recorded(slot: DesiredCredential) -> RecordedCredential | None:
    """Return the credential that the state has in a slot, None without one."""
    state = read_state()
    return None if state is None else state.find(state.find_name(slot))


def _has_succeeded(successor: ServiceSpecificCredential, recorded: RecordedCredential | None) -> pulumi.Output[bool]:
    """Return True if this run issues a new password or key in the slot, or will do so (in a preview).

    If `--target` leaves out a resource, the engine returns its recorded outputs, and the SDK adds the planned inputs.
    So only a different id or time of issue shows the rotation.
    """

    def compare(values: Any) -> bool:  # noqa: ANN401 - a list of outputs, or an unknown value
        if not is_known(values):
            return is_dry_run()
        credential_id, issued_at = values
        issued = None if issued_at is None else datetime.fromisoformat(issued_at)
        return recorded is None or (credential_id, issued) != (recorded.id, recorded.issued)

    return pulumi.Output.all(successor.credential_id, successor.issued_at).apply(compare, run_with_unknowns=True)


def _forget_resources(output: pulumi.Output[bool]) -> pulumi.Output[bool]:
    """Return the output without its resources: the engine rejects a dependency on one that `--target` leaves out."""

    async def read() -> bool:
        return await output.future() is True

    return pulumi.Output.from_input(read())


def _describe_previous(
    previous: ServiceSpecificCredential | None, current: ServiceSpecificCredential, overlap: timedelta
) -> pulumi.Output[Mapping[str, str] | None]:
    """Return the id, login and, if known, end of the previous credential; None if it is retired."""
    if previous is None:
        return pulumi.Output.from_input(None)

    def describe(values: list[Any]) -> Mapping[str, str] | None:
        status, credential_id, user_name, alias, expires, current_status, issued_at, created = values
        if status == Status.INACTIVE:
            return None
        is_kept = current_status == Status.INACTIVE  # someone uses the previous one again, and no run retires it
        end = None if is_kept else add_time(datetime.fromisoformat(issued_at or created), overlap)
        ends = [each for each in (end, expires and datetime.fromisoformat(expires)) if each]
        until = {"valid_until": min(ends).isoformat()} if ends else {}
        return {"id": credential_id, "user_name": user_name or alias} | until

    return pulumi.Output.all(
        previous.status,
        previous.credential_id,
        previous.service_user_name,
        previous.service_credential_alias,
        previous.expiration_date,
        current.status,
        current.issued_at,
        current.create_date,
    ).apply(describe)
