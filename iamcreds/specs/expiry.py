"""Rules of `expire`, and its durations; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iamcreds.model import Problem
from iamcreds.services import Family, service_family
from iamcreds.specs.nodes import Block

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.specs.nodes import Plain
    from iamcreds.specs.rules import Declared

MAX_DAYS = 36600
"""The longest lifetime (`credentialAgeDays` of botocore's IAM model)."""

_DURATION = re.compile(r"([1-9][0-9]{0,4})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


def count_hours(duration: str) -> int:
    """Return the hours of a duration such as `12h`, `90d` or `2w`, which the schema accepts."""
    match = _DURATION.fullmatch(duration)
    assert match is not None, duration  # noqa: S101 - the schema has its pattern
    return int(match[1]) * _HOURS[match[2]]


def has_renewal(fields: Block) -> bool:
    """Return True if a credential with these fields gets successors."""
    expire = fields.get("expire")
    return isinstance(expire, Block) and "renewBefore" in expire


def check_expiry(credential: Declared) -> Iterator[Problem]:
    """Yield every violation of a rule about the expiry of a credential."""
    fields = credential.fields
    if "expire" not in fields:
        return
    if service_family(credential.service) is Family.PASSWORD:
        message = f'"expire" is for API keys only, and {credential.alias} has passwords: use "rotate"'
        yield Problem(credential.key_location("expire"), message, "expiry-on-password-service")
    if fields.get("protect") is True:
        message = '"protect" is not valid together with "expire", because an expired credential is replaced or deleted'
        yield Problem(credential.key_location("protect"), message, "expiry-of-protected")
    if has_renewal(fields) and "status" in fields:
        message = '"status" is not valid together with "renewBefore", because it would apply to the old and the new key'
        yield Problem(credential.key_location("status"), message, "renewal-with-status")
    if isinstance(expire := fields.get("expire"), Block):
        yield from _check_durations(credential, expire)


def _check_durations(credential: Declared, expire: Block) -> Iterator[Problem]:
    after, before = read_hours(expire.get("after")), read_hours(expire.get("renewBefore"))
    if after is not None and after > MAX_DAYS * 24:
        message = f'"after" is at most {MAX_DAYS} days'
        yield Problem(credential.tree.location(expire.marks["after"]), message, "out-of-range")
    if after is not None and before is not None and before >= after:
        message = (
            f'"renewBefore" must be shorter than "after": {expire["renewBefore"]} is not shorter than {expire["after"]}'
        )
        yield Problem(credential.tree.location(expire.marks["renewBefore"]), message, "renewal-before-creation")


def read_hours(value: Plain) -> int | None:
    """Return the hours of a duration, None for any other value, which the schema rejects."""
    return count_hours(value) if isinstance(value, str) and _DURATION.fullmatch(value) else None
