"""The summary, scope and limits of a comparison, for every output format; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.rules.difference import Kind
from iamcreds.model import Status
from iamcreds.text.durations import format_duration
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from iamcreds.desired import Waiver
    from iamcreds.drift.comparing import Drift
    from iamcreds.slots import PreviousCredential

TITLES = {
    Kind.DRIFT: "Drift",
    Kind.UNMANAGED: "Unmanaged credentials of declared users",
    Kind.UNDECLARED: "Credentials of undeclared users",
    Kind.FINDING: "Findings",
}
"""The titles of the kinds of differences."""

WAIVED_TITLE = "Waived"
"""The title of waived differences."""

_MAX_NAMED = 5
_WATCHED = ("user with a policy", "users with a policy")
_ENDS = {False: "retires after the overlap", True: "keeps, because the current one is Inactive"}
_COUNTED = {Kind.DRIFT: "drifted", Kind.UNMANAGED: "unmanaged", Kind.UNDECLARED: "undeclared"}


def summarize(drift: Drift) -> str:
    """Return the result in one sentence: `2 drifted, 1 waived in account 123456789012`."""
    numbers = {kind: len(drift.by_kind(kind)) for kind in Kind}
    counts = [
        format_count(number, "finding") if kind is Kind.FINDING else f"{number:,} {_COUNTED[kind]}"
        for kind, number in numbers.items()
        if number
    ]
    counts = counts or ["no differences"]
    counts += [f"{len(drift.waived):,} waived"] if drift.waived else []
    return f"{', '.join(counts)} in account {drift.inventory.account}"


def describe_scope(drift: Drift) -> str:
    """Return the scope of the comparison in one sentence."""
    inventory = drift.inventory
    return (
        f"compared {format_count(drift.credentials, 'declared credential')} of {format_count(drift.users, 'user')} with"
        f" {format_count(len(inventory.credentials), 'existing one')} of"
        f" {format_count(len(inventory.users), 'IAM user')}"
    )


def describe_limits(drift: Drift) -> Iterator[str]:
    """Yield sentences on omitted comparisons, and on the sources of the result."""
    inventory = drift.inventory
    if drift.unsettled:
        users = sorted({difference.user for difference in drift.unsettled})
        yield (
            f"{format_count(len(drift.unsettled), 'difference')} of {_enumerate(users, 'other user')} not reported,"
            " because IAM is eventually consistent and the user or credential is less than a minute old: run again in a"
            " minute"
        )
    if any(difference.may_be_outdated(inventory) for difference in drift.differences):
        yield "IAM is eventually consistent, so changes made in the last minute may be reported incorrectly"
    if drift.resets:
        texts = format_count(drift.resets, "reset text")
        yield f"{texts} not checked: only the stack's state has the applied texts"
    if drift.ages:
        credentials = format_count(drift.ages, "credential")
        yield f"ages of {credentials} not checked: only the stack's state has the dates of resets"
    if drift.rotations:
        credentials = format_count(drift.rotations, "credential")
        yield f"rotations of {credentials} not checked: only the stack's state has their dates and triggers"
    if drift.secrets is None and drift.deliveries:
        credentials = format_count(drift.deliveries, "credential")
        yield f"deliveries of {credentials} not checked: only the stack's state has the delivered versions"
    yield from drift.store_notes
    if drift.are_ids_unknown:
        yield "ids not checked: only the stack's state has the ids of declared credentials"
    yield from _describe_waivers(drift)
    yield from _describe_previous(drift)
    if drift.ignored:
        yield f"{format_count(drift.ignored, 'credential')} of undeclared users ignored"
    yield from _describe_access_keys(drift)


def _describe_access_keys(drift: Drift) -> Iterator[str]:
    inventory, read = drift.inventory, len(drift.inventory.access_keys_read)
    if drift.are_keys_skipped:
        yield "access keys not checked, because they do not belong to a service"
    if inventory.report_missing is not None:
        reason = f"no credential report is available ({inventory.report_missing})"
        yield f"access keys of {format_count(read, *_WATCHED)} read one by one, because {reason}"
    if inventory.report is not None:
        age = format_duration(inventory.read_at - inventory.report.generated)
        yield (
            f"access keys of {format_count(drift.watched, *_WATCHED)}: those of {read:,} read now, the others from"
            f" the credential report, which is {age} old; only --exact finds keys created or activated since, and the"
            " age of keys with a changed status"
        )


def _describe_waivers(drift: Drift) -> Iterator[str]:
    """Yield the waivers that have ended, so that a reader knows why findings count again, and those without any."""
    if ended := drift.ended_waivers:
        verb = "waiver has ended, and its" if len(ended) == 1 else "waivers have ended, and their"
        yield f"{len(ended):,} {verb} findings count again: {_list_waivers(ended, drift.inventory.read_at)}"
    if unused := drift.unused_waivers:
        verb = "waiver matches" if len(unused) == 1 else "waivers match"
        yield f"{len(unused):,} {verb} no finding: {_list_waivers(unused, drift.inventory.read_at)}"


def _list_waivers(waivers: Sequence[Waiver], now: datetime) -> str:
    """List a few waivers with their rule, source location and, if that has passed, their end, and count the others."""
    ends = (f" (ended on {waiver.until:%Y-%m-%d})" if waiver.until <= now else "" for waiver in waivers)
    places = (f"{waiver.rule} at {waiver.location}" for waiver in waivers)
    return _enumerate([place + end for place, end in zip(places, ends, strict=True)], "other")


def _describe_previous(drift: Drift) -> Iterator[str]:
    """Yield the previous credentials that consumers may still use, and those that await their deletion."""
    if renewed := [each for each in drift.previous if each.desired.rotate is None]:
        number = format_count(len(renewed), "renewed credential")
        yield f"{number} with a previous one, which `pulumi up` deletes after its expiry: {_list_previous(renewed)}"
    working = (each for each in drift.previous if each.credential.status is Status.ACTIVE)
    rotated = [each for each in working if each.desired.rotate is not None]
    for is_kept, effect in _ENDS.items():
        if some := [each for each in rotated if each.is_kept is is_kept]:
            number = format_count(len(some), "rotated credential")
            yield f"{number} with a previous one, which `pulumi up` {effect}: {_list_previous(some)}"


def _list_previous(previous: Sequence[PreviousCredential]) -> str:
    """List a few previous credentials with their end, and count the others."""
    return _enumerate(
        [f"{each.credential.id} of {each.desired.declared_name} ({each.describe()})" for each in previous], "other"
    )


def _enumerate(texts: Sequence[str], other: str) -> str:
    """List a few texts, and count the others."""
    more = len(texts) - _MAX_NAMED
    return ", ".join(texts[:_MAX_NAMED]) + (f" and {format_count(more, other)}" if more > 0 else "")
