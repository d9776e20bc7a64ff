"""The field `rotate`: its rules that a schema cannot express, and the policy that it declares; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.delivery import STORE_FIELDS
from iamcreds.desired import Retire, RotationPolicy
from iamcreds.model import Problem
from iamcreds.specs.dates import check_date, parse_date
from iamcreds.specs.expiry import count_hours, has_renewal, read_hours
from iamcreds.specs.nodes import Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.specs.rules import Declared

_TOO_LONG = {"overlap": "overlap-too-long", "by": "retirement-too-late"}


def make_rotation(fields: Mapping[str, Any]) -> RotationPolicy | None:
    """Return the policy with these valid fields, or None without fields."""
    if not fields:
        return None
    return RotationPolicy(
        overlap_hours=count_hours(fields["overlap"]),
        every_hours=count_hours(fields["every"]) if "every" in fields else None,
        retire=Retire(fields.get("retire", Retire.DEACTIVATE)),
        not_before=parse_date(fields["notBefore"]) if "notBefore" in fields else None,
        retire_by_hours=count_hours(fields["retireWhen"]["by"]) if "retireWhen" in fields else None,
    )


def check_rotation(credential: Declared) -> Iterator[Problem]:
    """Yield every violation of a rule about the rotation of a credential."""
    fields, rotate = credential.fields, credential.fields.get("rotate")
    if not isinstance(rotate, Block):
        return
    if "status" in fields:
        message = '"status" is not valid together with "rotate", which activates and deactivates credentials itself'
        yield Problem(credential.key_location("status"), message, "rotate-with-status")
    if fields.get("protect") is True and rotate.get("retire") == Retire.DELETE:
        message = '"protect" is not valid together with "retire: delete", which deletes the previous credential'
        yield Problem(credential.key_location("protect"), message, "retirement-of-protected")
    expire = fields.get("expire")
    if isinstance(expire, Block) and has_renewal(fields):
        message = '"renewBefore" is not valid together with "rotate", which replaces the key before it expires'
        location = credential.tree.location(expire.key_marks["renewBefore"])
        yield Problem(location, message, "renewal-with-rotation")
    yield from _check_end(credential, rotate, rotate, "overlap")
    if isinstance(condition := rotate.get("retireWhen"), Block):
        yield from _check_condition(credential, rotate, condition)
    yield from check_date(credential.tree, rotate, "notBefore")


def _check_condition(credential: Declared, rotate: Block, condition: Block) -> Iterator[Problem]:
    """Yield every violation by `retireWhen`."""
    deliver = credential.fields.get("deliver")
    stores = deliver.keys() & STORE_FIELDS.keys() if isinstance(deliver, Block) else set()
    if "secretsManager" not in stores:
        reason = (
            "Parameter Store has no date of the last read"
            if stores
            else "only Secrets Manager has the date of the last read"
        )
        message = f'"retireWhen" is valid only with "deliver: {{secretsManager: …}}", because {reason}'
        yield Problem(credential.tree.location(rotate.key_marks["retireWhen"]), message, "retirement-without-read-date")
    yield from _check_end(credential, rotate, condition, "by")
    overlap, by = read_hours(rotate.get("overlap")), read_hours(condition.get("by"))
    if overlap is not None and by is not None and by < overlap:
        message = f'"by" must be at least "overlap": {condition["by"]} is shorter than {rotate["overlap"]}'
        yield Problem(credential.tree.location(condition.marks["by"]), message, "retirement-before-overlap")


def _check_end(credential: Declared, rotate: Block, fields: Block, name: str) -> Iterator[Problem]:
    """Yield the violations by a field that limits the use of the previous credential."""
    every, end = read_hours(rotate.get("every")), read_hours(fields.get(name))
    if end is None:
        return
    location = credential.tree.location(fields.marks[name])
    if every is not None and 5 * end > 4 * every:  # the next rotation is due after 85% of it at the earliest
        message = f'"{name}" must be at most 80% of "every": {fields[name]} is more than 80% of {rotate["every"]}'
        yield Problem(location, message, _TOO_LONG[name])
    expire = credential.fields.get("expire")
    lifetime = expire.get("after") if isinstance(expire, Block) else None
    after = read_hours(lifetime)
    if after is not None and every is not None and every + end > after:
        message = f'"every" and "{name}" together must not be longer than "after": the previous key would expire early'
        yield Problem(location, message, "rotation-after-expiry")
    if after is not None and every is None and 5 * end > 4 * after:
        message = f'"{name}" must be at most 80% of "after": {fields[name]} is more than 80% of {lifetime}'
        yield Problem(location, message, _TOO_LONG[name])
