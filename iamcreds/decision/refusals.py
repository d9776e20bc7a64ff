"""A refusal in words: what is in the way, by id, and the ways out, each of which ends with a clean run; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.decision.deciding import (
    Ambiguous,
    DeclaredTwice,
    HasExpired,
    InTheWay,
    MissingUser,
    NoPlace,
    NotAdoptable,
    NotLive,
    OfAnother,
    Owned,
    Refusal,
    UnknownService,
    Unproven,
    Wanted,
    fits,
)
from iamcreds.model import Status
from iamcreds.services import MAX_PER_SERVICE, service_alias
from iamcreds.text.commands import create_user, delete_credential

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from iamcreds.model import Credential


_DELETED_JUST_NOW = "(What was deleted just now may still be listed: then repeat in a minute.)"


def sentence(refusal: Refusal, wanted: Wanted, now: datetime) -> str:  # noqa: C901, PLR0911 - one for each kind
    """Why nothing is created for that user and service, and what to do."""
    what, user = f"{service_alias(wanted.service)} credential", f"user {wanted.user}"
    match refusal:
        case MissingUser(renamed_to=None):
            made = create_user(wanted.user)
            return f"the account has no IAM {user}: create the user ({made}), or take it out of the specs"
        case MissingUser(renamed_to=name):
            return f"the account has no IAM {user}: IAM renamed it to {name}, and so must the specs"
        case UnknownService():
            return f"no {what} can be made for {user}: {unknown_service(wanted.service)}"
        case DeclaredTwice(resources):
            declare = f"{_and(sorted(resources))} declare a {what} of {user}"
            if len(resources) > MAX_PER_SERVICE:
                return f"{declare}: IAM allows two, so take out what is more"
            return f"{declare}: say in each of them how many there are (declared={len(resources)}), or take one out"
        case InTheWay(foreign):
            return (
                f"no {what} is made for {user}: {_live(foreign, now)}, no resource of this stack has {_it(foreign)},"
                f" and nobody here knows the password. {_ways_out(foreign, wanted)}. {_DELETED_JUST_NOW}"
            )
        case Unproven(live):
            return (
                f"no {what} is made for {user}: {_live(live, now)}, and this run cannot tell whether a resource of this"
                " program has it, or has left it when it was replaced, because it did not read the whole state: run"
                " with --refresh, and without --target and --exclude"
            )
        case Ambiguous(foreign):
            return (
                f"no {what} is adopted for {user}: {_live(foreign, now)}, and only {wanted.declared} is declared, so"
                f" nobody can tell which is meant: delete one ({_or(map(_delete_command, foreign))})"
            )
        case NotAdoptable(credential):
            return (
                f"{what} {credential.id} of {user} cannot be adopted: {_mismatch(credential, wanted)}, which Reset does"
                f" not change: delete it ({_delete_command(credential)})"
            )
        case NotLive() | OfAnother() | Owned() | HasExpired():
            return _sentence_about_named(refusal, what, user)
        case NoPlace(taken, owners):
            held = _and(f"{live.id} by {owners.get(live.id) or 'this stack'}" for live in taken)
            return (
                f"there is no place for another {what} of {user}: IAM allows two, and those that are there or planned"
                f" ({held or 'this run makes them'}) take both until this run ends. A credential under a new name keeps"
                " its place with `was: OLD-NAME` (in a program of your own an alias); otherwise take this one out until"
                " an `up` has gone through, which deletes what was replaced or is declared no more."
                f" {_DELETED_JUST_NOW}"
            )


def unknown_service(service: str) -> str:
    """Why nothing can be made for a service, whoever it is for."""
    return f"AWS knows no such credentials of {service}: check the service name, or whether this partition has it"


def protected(user: str, service: str, live: Sequence[Credential], reasons: Sequence[str]) -> str:
    """Why a protected credential is not replaced; `reasons` are the inputs that changed, or what has happened to it."""
    which = f" {_and(credential.id for credential in live)}" if live else ""
    return (
        f"{service_alias(service)} credential{which} of user {user} is protected, and would have to be replaced"
        f" ({', '.join(reasons)}): take back what asks for another, or take `protect` out and, because the state has it"
        " too, run `pulumi state unprotect`"
    )


def _sentence_about_named(refusal: NotLive | OfAnother | Owned | HasExpired, what: str, user: str) -> str:
    """Why a credential that a spec names is not adopted."""
    match refusal:
        case NotLive(credential_id):
            return (
                f"credential {credential_id}, which {user} is to adopt, is not live: correct the id, or take"
                " `adopt` out to have one created. (What was made just now may not be listed yet: then repeat in a"
                " minute.)"
            )
        case OfAnother(credential):
            return (
                f"credential {credential.id} is a {service_alias(credential.service)} credential of user"
                f" {credential.user}, and {user} is to adopt it as a {what}: declare it there, or correct the id"
            )
        case Owned(credential, owner):
            return (
                f"credential {credential.id} of {user} cannot be adopted: {owner or 'another resource of this stack'}"
                " has it already, or adopts it as well. One under a new name keeps it with `was: OLD-NAME` (in a"
                " program of your own an alias) instead of `adopt`"
            )
        case HasExpired(credential):
            return (
                f"credential {credential.id} of {user} cannot be adopted: it has expired, and nobody can switch it on"
                f" again. Take `adopt` out to have one created, and delete it ({_delete_command(credential)})"
            )


def _ways_out(foreign: Sequence[Credential], wanted: Wanted) -> str:
    """What to do about what is in the way; to adopt it only where that would not be refused next."""
    it = _it(foreign)
    ways = [f"delete {it} ({_and(map(_delete_command, foreign))})"]
    if len(foreign) <= wanted.declared and all(fits(live, wanted) for live in foreign):
        ways.append(f"take {it} over with `existing: adopt`, which resets the password")
    ways.append("leave it to whom it serves, and take this credential out of the specs")
    return f"{('Two', 'Three')[len(ways) - 2]} ways out: {'; '.join(ways[:-1])}; or {ways[-1]}"


def _live(credentials: Sequence[Credential], now: datetime) -> str:
    named = _and(f"{live.id} ({live.status}, {_age(live, now)})" for live in credentials)
    return f"{named} {'is' if len(credentials) == 1 else 'are'} live already"


def _age(live: Credential, now: datetime) -> str:
    days = max(0, (now - live.created).days)
    return f"created on {live.created:%Y-%m-%d}, {days} day{'' if days == 1 else 's'} ago"


def _delete_command(live: Credential) -> str:
    return delete_credential(live.user, live.id)


def _mismatch(live: Credential, wanted: Wanted) -> str:
    if live.status is Status.EXPIRED:
        return "it has expired"
    expiry = "never expires" if live.expires is None else f"expires on {live.expires:%Y-%m-%d}"
    days = f"one of {wanted.age_days} day{'' if wanted.age_days == 1 else 's'}"
    return f"it {expiry}, and {'one that never expires' if wanted.age_days is None else days} is wanted"


def _it(credentials: Sequence[Credential]) -> str:
    return "it" if len(credentials) == 1 else "them"


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)


def _or(words: Iterable[str]) -> str:
    return " or ".join(words)
