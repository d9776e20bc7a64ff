"""The words for a drift as a whole, the same in every form of output; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import Kind
from iamcreds.text.durations import format_duration
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.drift.comparing import Drift

TITLES = {
    Kind.DRIFT: "Drift",
    Kind.UNMANAGED: "Unmanaged credentials of declared users",
    Kind.UNDECLARED: "Credentials of users nobody declared",
    Kind.FINDING: "Findings",
}
"""What the differences of a kind are called together."""

_MAX_NAMED = 5
_COUNTED = {Kind.DRIFT: "drifted", Kind.UNMANAGED: "unmanaged", Kind.UNDECLARED: "undeclared"}


def summarize(drift: Drift) -> str:
    """Return the result in one sentence: `2 drifted, 1 unmanaged in account 123456789012`."""
    numbers = {kind: len(drift.by_kind(kind)) for kind in Kind}
    counts = [
        format_count(number, "finding") if kind is Kind.FINDING else f"{number:,} {_COUNTED[kind]}"
        for kind, number in numbers.items()
        if number
    ]
    return f"{', '.join(counts) or 'no drift and no findings'} in account {drift.inventory.account}"


def describe_scope(drift: Drift) -> str:
    """Return the scope of the comparison in one sentence."""
    live = drift.inventory
    return (
        f"compared {format_count(drift.credentials, 'declared credential')} of {format_count(drift.users, 'user')} with"
        f" {format_count(len(live.credentials), 'live one')} of {format_count(len(live.users), 'IAM user')}"
    )


def describe_limits(drift: Drift) -> Iterator[str]:
    """Yield sentences on what was not compared, and on the sources of the result."""
    inventory = drift.inventory
    read = len(inventory.access_keys_read)
    if drift.unsettled:
        users = sorted({difference.user for difference in drift.unsettled})
        yield (
            f"{format_count(len(drift.unsettled), 'difference')} of {_enumerate(users)} not told: made within the last"
            " minute, and IAM's lists may lag behind: repeat in a minute"
        )
    if any(difference.may_be_outdated(inventory) for difference in drift.differences):
        yield "what was made or deleted within the last minute may be told wrongly, for IAM's lists lag behind"
    if drift.resets:
        triggers = format_count(drift.resets, "reset trigger")
        yield f"{triggers} not checked: only the stack's state knows what was carried out"
    if drift.are_ids_unknown:
        yield "ids not checked: only the stack's state knows which live id is which declared credential"
    if drift.ignored:
        yield f"{format_count(drift.ignored, 'credential')} of undeclared users left out, as was asked for"
    if drift.are_keys_skipped:
        yield "access keys were not looked at: they belong to no service"
    if inventory.report_missing is not None:
        reason = f"there is no credential report ({inventory.report_missing})"
        yield f"the access keys of {format_count(read, 'watched user')} were read one by one, because {reason}"
    if inventory.report is not None:
        age = format_duration(inventory.read_at - inventory.report.generated)
        yield (
            f"access keys of {format_count(drift.watched, 'watched user')}: those of {read:,} were read now, the others"
            f" judged by the credential report, which is {age} old: a key made or switched on since, or older than its"
            " last change, is only seen with --exact"
        )


def _enumerate(users: Sequence[str]) -> str:
    """List a few users by name, and count the others."""
    named, more = users[:_MAX_NAMED], len(users) - _MAX_NAMED
    return ", ".join(named) + (f" and {format_count(more, 'other user')}" if more > 0 else "")
