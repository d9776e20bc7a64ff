"""Manual changes in the account."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from iamcreds.emulator.exceptions import AwsError
from iamcreds.model import Status
from tests.simulation.history import Act
from tests.simulation.world import HUMAN

if TYPE_CHECKING:
    from iamcreds.emulator.models import Credential
    from tests.simulation.history import Human
    from tests.simulation.rules import Record
    from tests.simulation.world import World


def act(human: Human, world: World, record: Record) -> None:
    """Apply a manual change; an error of AWS is ignored."""
    with contextlib.suppress(AwsError):
        match human.act:
            case Act.CREATE:
                world.create(HUMAN, human.user, human.service, human.days)
            case Act.RENAME:
                world.rename_user(human.user, f"{human.user}-new")
            case Act.RESTORE:
                world.rename_user(f"{human.user}-new", human.user)
            case Act.ADD_USER:
                world.add_user(human.user)
            case Act.ROLL_BACK:
                _roll_back(human, world, record)
            case _:
                _act_on_credential(human, world, record)


def _act_on_credential(human: Human, world: World, record: Record) -> None:
    found = find_live(world, human.user, human.service, human.nth)
    if found is None:
        return
    record.touched_by_human[found.id] = world.clock.seconds
    match human.act:
        case Act.DELETE:
            world.delete(found.user, found.id)
        case Act.SWITCH:
            _switch(found, world, record)
        case Act.RESET:
            world.reset(found.user, found.id)
            record.doubtful[found.id] = None


def _roll_back(human: Human, world: World, record: Record) -> None:
    """Activate the Inactive credentials and deactivate the Active ones, in this order."""
    found = world.credentials.select(human.user, human.service)
    for credential in sorted(found, key=lambda each: each.stored_status is Status.ACTIVE):
        _switch(credential, world, record)


def _switch(found: Credential, world: World, record: Record) -> None:
    record.touched_by_human[found.id] = world.clock.seconds
    record.activated_by_human(found.id)
    world.switch(found.user, found.id, Status.INACTIVE if found.stored_status is Status.ACTIVE else Status.ACTIVE)


def find_live(world: World, user: str, service: str, nth: int) -> Credential | None:
    """Return the nth of the user's credentials for the service, oldest first, modulo their number; None without any."""
    existing = world.existing().values()
    found = [credential for credential in existing if (credential.user, credential.service) == (user, service)]
    return sorted(found, key=lambda credential: credential.id)[nth % len(found)] if found else None
