"""The words for differences, the same in every form of output; pure.

Sentences about access keys are stored in states (output `findings` of `AccessKeys`) and shown as property diffs, so
they hold still from day to day and from version to version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING

from iamcreds.drift import differences
from iamcreds.services import service_alias
from iamcreds.text.escaping import escape_invisible, shorten
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iamcreds.drift.differences import Difference
    from iamcreds.model import AccessKey, Credential, DesiredCredential

RULES = {
    "access-key-idle": "an active access key was not used for longer than maxIdleDays",
    "access-key-too-old": "an active access key is older than maxAgeDays",
    "expired": "a credential of a declared user and service has expired",
    "expiring-soon": "a credential of a declared user and service expires within the time asked for",
    "missing-credential": "fewer credentials are live than declared",
    "no-longer-declared": "the stack's state has a credential that no spec declares (with `--state` alone)",
    "missing-user": "the account has no such IAM user",
    "reset-pending": "a reset trigger is another than the one that was carried out (with `--state` alone)",
    "status-differs": "a live status is not the declared one",
    "switched-off": "a credential without a declared status is Inactive: somebody switched it off, and it stays so",
    "too-many-access-keys": "a user has more access keys than max, inactive ones counted",
    "undeclared-user": "a user whom no spec declares has a credential",
    "unmanaged-credential": "more credentials of a declared user are live than declared",
}
"""Every rule that a difference can name, and what breaks it; names are for good."""


_LONGEST = 60
"""Characters of a reset trigger in a sentence at most."""


@dataclass(frozen=True)
class Words:
    """A difference in words: a sentence about the user that does not name the user; desired and live, or None."""

    message: str
    desired: str | None = None
    live: str | None = None


def format_line(difference: Difference) -> str:
    """A difference in one line, as compilers have it: `specs/jane.yaml:4:9: jane: … [missing-credential]`."""
    sentence = format_sentence(difference)
    return sentence if difference.place is None else f"{difference.place}: {sentence}"


def format_sentence(difference: Difference) -> str:
    """A difference with its user and its rule: `jane: … [missing-credential]`."""
    return escape_invisible(f"{difference.user}: {describe(difference).message} [{difference.rule}]")


@singledispatch
def describe(difference: Difference) -> Words:
    """A difference in words."""
    raise TypeError(f"there are no words for {difference!r}")


@describe.register(differences.MissingUser)
def _describe_missing_user(difference: differences.MissingUser) -> Words:
    number = len(difference.desired)
    rest = f", so {format_count(number, 'declared credential')} cannot be" if number else ""
    if difference.is_made and difference.renamed_to is None:
        return Words(f"the account does not have the IAM user yet{rest}", format_count(number, "credential"), "not yet")
    renamed = f": IAM seems to have renamed it to {difference.renamed_to}" if difference.renamed_to else ""
    live = f"seems to be {difference.renamed_to} now" if difference.renamed_to else "no such user"
    return Words(f"the account has no such IAM user{rest}{renamed}", format_count(number, "credential"), live)


@describe.register(differences.MissingCredential)
def _describe_missing_credential(difference: differences.MissingCredential) -> Words:
    service, desired, live = service_alias(difference.service), difference.desired, difference.live
    wanted, found = _list_desired(desired), _list_live(live)
    if not live:
        name = "" if desired[0].name == service else f" {desired[0].name}"
        return Words(f"{service} credential{name} is declared, and {_describe_recorded(difference)}", wanted, "none")
    message = f"{len(desired)} {service} credentials are declared ({wanted}), and only {len(live)} is live ({found})"
    return Words(f"{message}: only the state knows which is missing", wanted, found)


def _describe_recorded(difference: differences.MissingCredential) -> str:
    if difference.recorded is None:
        return "none is live"
    if difference.lives_under is None:
        return f"{difference.recorded}, which the state has, is not live"
    return (
        f"{difference.recorded}, which the state has, is user {difference.lives_under}'s now: IAM has renamed the user"
    )


@describe.register(differences.UnmanagedCredential)
def _describe_unmanaged_credential(difference: differences.UnmanagedCredential) -> Words:
    service, desired, live = service_alias(difference.service), difference.desired, difference.live
    if not desired:
        state = _format_state(live[0])
        return Words(f"{service} credential {live[0].id} ({state}) is live, and none is declared", "none", state)
    wanted, found = _list_desired(desired), _list_live(live)
    if len(live) == 1:
        state = _format_state(live[0])
        return Words(f"{service} credential {live[0].id} ({state}) is live, and the stack has it not", wanted, state)
    message = f"{len(live)} {service} credentials are live ({found}), and only {len(desired)} is declared ({wanted})"
    verb = "is" if difference.number == 1 else "are"
    return Words(f"{message}: only the state knows which {verb} unmanaged", wanted, found)


@describe.register(differences.UndeclaredUser)
def _describe_undeclared_user(difference: differences.UndeclaredUser) -> Words:
    (live,) = difference.live
    what = f"{service_alias(difference.service)} credential {live.id} ({_format_state(live)})"
    return Words(f"has {what}, and no spec declares this user", live=_format_state(live))


@describe.register(differences.StatusDiffers)
def _describe_status_differs(difference: differences.StatusDiffers) -> Words:
    service, status = service_alias(difference.service), difference.status
    names = " or ".join(wanted.name for wanted in difference.desired)
    names = "it" if names == service else names
    if len(difference.live) == 1:
        (live,) = difference.live
        message = f"{service} credential {live.id} is {live.status}, and {names} is declared {status}"
        return Words(message, status, live.status)
    message = f"{_some_of(service, difference.live, difference.number)} should be {status}, as {names} is declared"
    return Words(message, status, _list_live(difference.live))


@describe.register(differences.SwitchedOff)
def _describe_switched_off(difference: differences.SwitchedOff) -> Words:
    service, wanted = service_alias(difference.service), _list_desired(difference.desired)
    rest = "somebody switched it off, and it stays so; declare `status: Inactive` if it is meant"
    if len(difference.live) == 1:
        (live,) = difference.live
        return Words(f"{service} credential {live.id} is Inactive: {rest}", wanted, _format_state(live))
    some = _some_of(service, difference.live, difference.number)
    return Words(f"{some} is Inactive without being declared so: {rest}", wanted, _list_live(difference.live))


@describe.register(differences.ResetPending)
def _describe_reset_pending(difference: differences.ResetPending) -> Words:
    (live,), (wanted,), service = difference.live, difference.desired, service_alias(difference.service)
    before = "no reset" if difference.recorded is None else _quote(difference.recorded)
    desired = _quote(wanted.reset or "")
    return Words(f"{service} credential {live.id} is to be reset ({desired}), and was not ({before})", desired, before)


@describe.register(differences.NoLongerDeclared)
def _describe_no_longer_declared(difference: differences.NoLongerDeclared) -> Words:
    recorded, live = difference.recorded, difference.live
    state = _format_state(live[0]) if live else "not live"
    resource = escape_invisible(recorded.resource)
    what = f"{service_alias(difference.service)} credential {recorded.id} ({state}) of {resource}"
    why = "was replaced, and waits to be deleted" if recorded.is_leaving else "is in the state, and no spec declares it"
    return Words(f"{what} {why}", "none", state)


@describe.register(differences.Expired)
@describe.register(differences.ExpiringSoon)
def _describe_expiry(difference: differences.Expired | differences.ExpiringSoon) -> Words:
    (live,) = difference.live
    what, wanted = f"{service_alias(difference.service)} credential {live.id}", _list_desired(difference.desired)
    date = "" if live.expires is None else f" on {live.expires:%Y-%m-%d}"
    if isinstance(difference, differences.Expired):
        return Words(f"{what} expired{date}", wanted, f"Expired{date}")
    return Words(f"{what} expires{date}", wanted, f"expires{date}")


@describe.register(differences.MissingWatchedUser)
def _describe_missing_watched_user(_: differences.MissingWatchedUser) -> Words:
    return Words("the account has no such IAM user, so there are no access keys to watch")


@describe.register(differences.TooManyAccessKeys)
def _describe_too_many_access_keys(difference: differences.TooManyAccessKeys) -> Words:
    keys = difference.live
    ids, most = ", ".join(key.id for key in keys), f"at most {difference.limit}"
    message = f"has {format_count(len(keys), 'access key')} ({ids}), and {most} may exist"
    return Words(message, most, _list_live(keys))


@describe.register(differences.AccessKeyTooOld)
def _describe_access_key_too_old(difference: differences.AccessKeyTooOld) -> Words:
    (key,) = difference.live
    days, created = _format_days(difference.limit), f"created on {key.created:%Y-%m-%d}"
    return Words(f"access key {key.id} is older than {days}: {created}", f"at most {days} old", created)


@describe.register(differences.AccessKeyIdle)
def _describe_access_key_idle(difference: differences.AccessKeyIdle) -> Words:
    (key,) = difference.live
    days = _format_days(difference.limit)
    since = f"last used on {key.last_used:%Y-%m-%d}" if key.last_used else f"never since {key.created:%Y-%m-%d}"
    return Words(f"access key {key.id} has not been used for {days}: {since}", f"used within {days}", since)


def _some_of(service: str, candidates: Sequence[Credential], number: int) -> str:
    return f"{number} of the {service} credentials {' and '.join(live.id for live in candidates)}"


def _list_desired(desired: Iterable[DesiredCredential]) -> str:
    return ", ".join(wanted.name if wanted.status is None else f"{wanted.name} {wanted.status}" for wanted in desired)


def _list_live(live: Iterable[Credential | AccessKey]) -> str:
    return ", ".join(f"{found.id} {found.status}" for found in live)


def _format_state(live: Credential) -> str:
    return f"{live.status}, created on {live.created:%Y-%m-%d}"


def _quote(text: str) -> str:
    return escape_invisible(json.dumps(shorten(text, _LONGEST), ensure_ascii=False))


def _format_days(number: int) -> str:
    """So many days, in the words that states hold: without a separator of thousands."""
    return "1 day" if number == 1 else f"{number} days"
