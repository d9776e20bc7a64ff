"""The declared credentials of one user and service x the live ones -> findings; pure.

Without state nobody can tell which live id is which declared credential. So they are matched by number and status as
well as they can be, and a finding names an id only where every possible matching agrees on it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.model import Finding, Kind, Status
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from iamcreds.model import Credential, DesiredCredential, DesiredUser, Place

_OTHER = {Status.ACTIVE: Status.INACTIVE, Status.INACTIVE: Status.ACTIVE}


@dataclass(frozen=True)
class Pair:
    """What one user should have for one service (full name), and has; either may be empty, both are sorted."""

    user: DesiredUser
    service: str
    declared: tuple[DesiredCredential, ...]
    live: tuple[Credential, ...]

    @property
    def alias(self) -> str:
        """The service's short name."""
        return service_alias(self.service)

    @property
    def place(self) -> Place:
        """Where the specs say what is desired: at the credential, or at the user where it is none or several."""
        return self.declared[0].place if len(self.declared) == 1 else self.user.place

    def finding(self, rule: str, message: str, *, live: str, kind: Kind = Kind.DRIFT, id_: str = "") -> Finding:
        """A finding about this user and service."""
        desired = ", ".join(map(_wanted, self.declared)) or "none"
        return Finding(self.user.name, id_, rule, message, self.service, kind, self.place, desired, live)


def findings(pair: Pair, at: datetime, soon: timedelta) -> Iterator[Finding]:
    """Everything that somebody should know about the pair at this time; an expiry within `soon` of it is a finding."""
    if not pair.declared:
        yield from _none_declared(pair)
        return
    yield from _numbers(pair)
    yield from _statuses(pair)
    for one in pair.live:
        yield from _expiry(pair, one, at, soon)


def _none_declared(pair: Pair) -> Iterator[Finding]:
    for one in pair.live:
        message = f"{pair.alias} credential {one.id} ({_state(one)}) is live, and none is declared"
        yield pair.finding("unmanaged-credential", message, live=_state(one), kind=Kind.UNMANAGED, id_=one.id)


def _numbers(pair: Pair) -> Iterator[Finding]:
    declared, live = len(pair.declared), len(pair.live)
    has, wants = _all(pair.live), ", ".join(map(_wanted, pair.declared))
    if live == 0:
        for one in pair.declared:
            name = "" if one.name == pair.alias else f" {one.name}"
            message = f"{pair.alias} credential{name} is declared, and none is live"
            yield Finding(
                pair.user.name, "", "missing-credential", message, pair.service, Kind.DRIFT, one.place,
                _wanted(one), "none",
            )  # fmt: skip
    elif live < declared:
        message = f"{declared} {pair.alias} credentials are declared ({wants}), and only {live} is live ({has})"
        yield pair.finding("missing-credential", f"{message}: only the state knows which is missing", live=has)
    elif live > declared:
        message = f"{live} {pair.alias} credentials are live ({has}), and only {declared} is declared ({wants})"
        message += f": only the state knows which {'is' if live - declared == 1 else 'are'} unmanaged"
        yield pair.finding("unmanaged-credential", message, live=has, kind=Kind.UNMANAGED)


def _statuses(pair: Pair) -> Iterator[Finding]:
    """Statuses that differ, and switch-offs, as many as there are in the best of all possible matchings."""
    want: Counter[Status] = Counter(one.status for one in pair.declared if one.status is not None)
    have: Counter[Status] = Counter(one.status for one in pair.live if one.status is not Status.EXPIRED)
    expired = len(pair.live) - have.total()
    met = want & have
    short, spare = want - met, have - met
    either = len(pair.declared) - want.total()  # without a status: an Active one is as meant, an Inactive one as left
    active = min(either, spare[Status.ACTIVE])
    inactive = min(either - active, spare[Status.INACTIVE])
    # An expired one may be any of them.
    matched = met.total() + active + inactive + min(expired, short.total() + either - active - inactive)
    differ = min(len(pair.declared), len(pair.live)) - matched
    for status in sorted(short) if differ else ():
        yield from _differing(pair, status, differ)
    off = min(max(0, either - spare[Status.ACTIVE] - expired), spare[Status.INACTIVE])
    if off:
        yield from _switched_off(pair, off)


def _differing(pair: Pair, status: Status, number: int) -> Iterator[Finding]:
    """So many are not of the declared status; which ones is known where all that could be are."""
    candidates = [one for one in pair.live if one.status is _OTHER[status]]
    names = " or ".join(one.name for one in pair.declared if one.status is status)
    names = "it" if names == pair.alias else names
    place = min(one.place for one in pair.declared if one.status is status)
    if number == len(candidates):
        for one in candidates:
            message = f"{pair.alias} credential {one.id} is {one.status}, and {names} is declared {status}"
            yield Finding(
                pair.user.name, one.id, "status-differs", message, pair.service, Kind.DRIFT, place, status, one.status
            )
        return
    message = f"{_one_of(pair, candidates, number)} should be {status}, as {names} is declared"
    yield Finding(
        pair.user.name, "", "status-differs", message, pair.service, Kind.DRIFT, place, status, _all(tuple(candidates))
    )


def _switched_off(pair: Pair, number: int) -> Iterator[Finding]:
    candidates = [one for one in pair.live if one.status is Status.INACTIVE]
    rest = "somebody switched it off, and it stays so; declare `status: Inactive` if it is meant"
    if number == len(candidates):
        for one in candidates:
            message = f"{pair.alias} credential {one.id} is Inactive: {rest}"
            yield pair.finding("switched-off", message, live=_state(one), kind=Kind.FINDING, id_=one.id)
        return
    message = f"{_one_of(pair, candidates, number)} is Inactive without being declared so: {rest}"
    yield pair.finding("switched-off", message, live=_all(tuple(candidates)), kind=Kind.FINDING)


def _expiry(pair: Pair, one: Credential, at: datetime, soon: timedelta) -> Iterator[Finding]:
    what = f"{pair.alias} credential {one.id}"
    if one.status is Status.EXPIRED or (one.expires is not None and one.expires <= at):
        date = "" if one.expires is None else f" on {one.expires:%Y-%m-%d}"
        yield pair.finding("expired", f"{what} expired{date}", live=f"Expired{date}", kind=Kind.FINDING, id_=one.id)
    elif one.expires is not None and one.expires - at <= soon:
        date = f"{one.expires:%Y-%m-%d}"
        yield pair.finding(
            "expiring-soon", f"{what} expires on {date}", live=f"expires on {date}", kind=Kind.FINDING, id_=one.id
        )


def _one_of(pair: Pair, candidates: Sequence[Credential], number: int) -> str:
    return f"{number} of the {pair.alias} credentials {' and '.join(one.id for one in candidates)}"


def _wanted(one: DesiredCredential) -> str:
    return one.name if one.status is None else f"{one.name} {one.status}"


def _all(live: Sequence[Credential]) -> str:
    return ", ".join(f"{one.id} {one.status}" for one in live)


def _state(one: Credential) -> str:
    return f"{one.status}, created on {one.created:%Y-%m-%d}"
