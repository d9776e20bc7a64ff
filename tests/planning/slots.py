"""Slots of one declared credential, and the outline of their plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from iamcreds.desired import DesiredCredential
from iamcreds.model import Credential, RecordedCredential, SourceLocation, Status
from iamcreds.planning.rotation import plan_slots
from iamcreds.planning.slot_plan import Moment, Slot, SlotPlan
from iamcreds.services import Family

SERVICE = "bedrock.amazonaws.com"
ACCOUNT = "123456789012"
DAY = timedelta(days=1)
START = datetime(2026, 11, 21, tzinfo=UTC)
PLAIN = DesiredCredential("jane", SERVICE, "bedrock", SourceLocation("a.yaml", 1, 1), expire_after_days=90)
RENEWED = replace(PLAIN, renew_before_hours=14 * 24)


def slot(  # noqa: PLR0913 - one per fact
    number: int = 1,
    rotation: int = 0,
    *,
    age: int = 0,
    status: Status | None = Status.ACTIVE,
    reset: str | None = None,
    days: int | None = 90,
    trigger: str | None = None,
    issued: int | None = None,
    is_deactivated: bool = False,
    is_retired: bool = False,
) -> Slot:
    """Return a slot whose credential is that many days old at START; without a status it no longer exists.

    `issued` is the age of its password in days, None if the state does not contain it.
    """
    created = START - age * DAY
    name = RENEWED.declared_name + ("~2" if number > 1 else "")
    expires = None if days is None else created + days * DAY
    recorded = RecordedCredential(
        name, f"ACCA{number}", "jane", SERVICE, created, reset=reset, rotation=rotation, age_days=days, expires=expires,
        trigger=trigger, is_retired=is_retired,
        is_deactivated=is_deactivated, issued=None if issued is None else START - issued * DAY,
    )  # fmt: skip
    login = "jane-at-1"
    existing = Credential(
        recorded.id, "jane", SERVICE, status or Status.ACTIVE, created, Family.API_KEY, login, expires
    )
    return Slot(recorded, None if status is None else existing)


def plan(desired: DesiredCredential = RENEWED, *slots: Slot) -> SlotPlan:
    """Plan these slots at START."""
    return plan_slots(
        desired, {2 if each.recorded.resource.endswith("~2") else 1: each for each in slots}, Moment(START, ACCOUNT)
    )


def outline(plan: SlotPlan) -> list[tuple[int, int, str | None]]:
    """Return number, rotation and status of each declared slot."""
    return [(each.slot, each.rotation or 0, each.status and each.status.value) for each in plan.slots]
