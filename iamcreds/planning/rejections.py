"""Messages of rejections: the reason with ids, and the options, each of which ends with a clean run; pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.model import Status, credential_name
from iamcreds.planning.decisions import (
    Ambiguous,
    DeclaredTwice,
    HasExpired,
    InTheWay,
    MissingUser,
    NotAdoptable,
    NotFound,
    OfAnother,
    Owned,
    QuotaExceeded,
    Rejection,
    Transformed,
    UnknownService,
    Unproven,
)
from iamcreds.services import MAX_PER_SERVICE, service_alias
from iamcreds.text.commands import create_user, delete_credential, rename_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from iamcreds.model import Credential
    from iamcreds.planning.group import Group, Member


_RECENT = timedelta(minutes=1)
"""The age below which a different run may not have recorded a new credential yet."""
_DELETED_JUST_NOW = "(What was deleted just now may still be listed: then repeat in a minute.)"


def describe(rejection: Rejection, group: Group, name: str, now: datetime) -> str:  # noqa: C901, PLR0911
    """Return why nothing is created for this resource of the group, and the options."""
    member = group.members[name]
    what, user = f"{service_alias(group.service)} credential", f"user {group.user}"
    match rejection:
        case MissingUser():
            return _describe_missing_user(rejection, group)
        case UnknownService():
            return f"no {what} can be made for {user}: {unknown_service(group.service)}"
        case DeclaredTwice(resources):
            declare = f"{_and(sorted(resources))} declare a {what} of {user}"
            if len(resources) > MAX_PER_SERVICE:
                return f"{declare}: IAM allows two, so take out what is more"
            return f"{declare}: say in each of them how many there are (declared={len(resources)}), or take one out"
        case InTheWay(unmanaged):
            return (
                f"no {what} is made for {user}: {_live(unmanaged, now)}, no resource of this stack has"
                f" {_it(unmanaged)}, and nobody here knows the password. {_options(unmanaged, group, name, now)}."
                f" {_DELETED_JUST_NOW}"
            )
        case Unproven(live):
            return (
                f"no {what} is made for {user}: {_live(live, now)}, and this run cannot tell whether a resource of this"
                " program has it, or has left it when it was replaced, because it did not read the whole state: run"
                " with --refresh, and without --target and --exclude"
            )
        case Ambiguous(unmanaged):
            return (
                f"no {what} is adopted for {user}: {_live(unmanaged, now)}, and only {member.declared} is declared, so"
                f" nobody can tell which is meant: delete one ({_or(map(_delete_command, unmanaged))}), or import one"
                f" unchanged with {_or(f'`adopt: {each.id}`' for each in unmanaged)}"
            )
        case NotAdoptable(credential):
            return (
                f"{what} {credential.id} of {user} cannot be adopted: {_mismatch(credential, member)}, which Reset does"
                f" not change: delete it ({_delete_command(credential)})"
            )
        case NotFound() | OfAnother() | Owned() | HasExpired():
            return _describe_import(rejection, what, user, group)
        case Transformed(unmanaged):
            return (
                f"cannot create a {what} for {user}: {_live(unmanaged, now)}, and a transformation changed this"
                " resource's user, service or options. Options: set these values in the program; or delete"
                f" {_it(unmanaged)} ({_and(map(_delete_command, unmanaged))})"
            )
        case QuotaExceeded(taken, owners):
            held = _and(f"{live.id} by {owners.get(live.id) or 'this stack'}" for live in taken)
            return (
                f"there is no place for another {what} of {user}: IAM allows two, and those that are there or planned"
                f" ({held or 'this run makes them'}) take both until this run ends."
                f"{_suggest_was(owners.values(), group)} Otherwise take this one out until an `up` has gone through,"
                f" which deletes what was replaced or is declared no more. {_DELETED_JUST_NOW}"
            )


def unknown_service(service: str) -> str:
    """Why nothing can be made for a service, whoever it is for."""
    return f"AWS knows no such credentials of {service}: check the service name, or whether this partition has it"


def not_renamed(user: str, former: str, others: Sequence[Credential], *, exists: bool) -> str:
    """Return why `was: FORMER` of a user is rejected: IAM has not renamed the former user so.

    Args:
        user: the declared user.
        former: the declared former name.
        others: the existing credentials that the state has, of different users.
        exists: True if IAM has the declared user.
    """
    owner = others[0].user if others else former
    held = f"{_and(live.id for live in others)} belongs to user {owner}" if others else f"IAM still has user {former}"
    if owner != former:
        option = f"declare {owner} with `was: {former}`"
    elif exists:
        option = f"declare {former}; or remove `was`, which deletes this credential and creates a new one"
    else:
        option = f"rename the user ({rename_user(former, user)}); or declare {former}"
    return (
        f"user {user} has `was: {former}`, and IAM has not renamed {former} to {user}: {held}. Options: {option} (if"
        " the user was renamed in the last minute, run again)"
    )


def protected(user: str, service: str, live: Sequence[Credential], reasons: Sequence[str]) -> str:
    """Why a protected credential is not replaced; `reasons` are the inputs that changed, or what has happened to it."""
    which = f" {_and(credential.id for credential in live)}" if live else ""
    return (
        f"{service_alias(service)} credential{which} of user {user} is protected, and would have to be replaced"
        f" ({', '.join(reasons)}): take back what asks for another, or take `protect` out and, because the state has it"
        " too, run `pulumi state unprotect`"
    )


def _describe_missing_user(rejection: MissingUser, group: Group) -> str:
    """Return why nothing is created for a missing user, and the options."""
    message, renamed_to = f"the account has no IAM user {group.user}", rejection.renamed_to
    if renamed_to is not None and group.has_iam_user:  # `was` is not supported then
        return f"{message}: IAM renamed it to {renamed_to}. Rename it back ({rename_user(renamed_to, group.user)})"
    if renamed_to is not None:
        return (
            f"{message}: IAM renamed it to {renamed_to}. In specs, call the user {renamed_to} and add"
            f" `was: {group.user}`, which keeps credentials and passwords; in your own program, change `user`"
        )
    if rejection.case_variant is None:
        return f"{message}: create the user ({create_user(group.user)}), or remove what is declared for the user"
    return (
        f"{message}, and IAM does not allow it next to {rejection.case_variant}. Options: declare the user as"
        f" {rejection.case_variant}; or remove what is declared for the user"
    )


def _describe_import(rejection: NotFound | OfAnother | Owned | HasExpired, what: str, user: str, group: Group) -> str:
    """Return why a credential that the program names is not imported."""
    match rejection:
        case NotFound(credential_id, unmanaged):
            ids = _and(credential.id for credential in unmanaged)
            return (
                f"credential {credential_id}, which {user} is to import as a {what}, does not exist, and unmanaged"
                f" {ids} {'does' if len(unmanaged) == 1 else 'do'}. Options: correct the id; or delete"
                f" {_it(unmanaged)} ({_and(map(_delete_command, unmanaged))}), and a new one is created (if it was"
                " created in the last minute, lists may lack it: run again)"
            )
        case OfAnother(credential):
            return (
                f"credential {credential.id} is a {service_alias(credential.service)} credential of user"
                f" {credential.user}, and {user} is to adopt it as a {what}: declare it there, or correct the id"
            )
        case Owned(credential, owner):
            return (
                f"credential {credential.id} of {user} cannot be adopted: {owner or 'another resource of this stack'}"
                " has it already, or adopts it as well. Correct the id, or remove `adopt`."
                f"{_suggest_was([owner], group)}"
            )
        case HasExpired(credential):
            return (
                f"credential {credential.id} of {user} cannot be adopted: it has expired, and nobody can switch it on"
                f" again. Take `adopt` out to have one created, and delete it ({_delete_command(credential)})"
            )


def _suggest_was(owners: Iterable[str], group: Group) -> str:
    """Return the field that keeps the credential of a resource that is no longer declared; empty if there is none."""
    former = sorted(owner for owner in set(owners) - {""} if owner not in group.members)
    names = (credential_name(owner, group.user, group.service) or owner for owner in former)
    fields = _or(f"`was: {name}`" for name in names)
    return f" If this is a renamed credential, {fields} keeps it (in a program of your own an alias)." if former else ""


def _options(unmanaged: Sequence[Credential], group: Group, name: str, now: datetime) -> str:
    """What to do about what is in the way; to adopt it only where that would not be refused next."""
    it = _it(unmanaged)
    is_recent = any(now - live.created < _RECENT for live in unmanaged)
    unless = f", unless a different run is creating {it}" if is_recent else ""
    ways = [f"delete {it} ({_and(map(_delete_command, unmanaged))}){unless}"]
    member = group.members[name]
    can_adopt = not group.replaces(name) and len(unmanaged) <= member.declared and all(map(member.fits, unmanaged))
    if can_adopt:
        ways.append(f"take {it} over with `existing: adopt`, which resets the password")
    if importable := [live.id for live in unmanaged if _can_import(live, group, name)]:
        one = "it" if len(unmanaged) == 1 else "one of them"
        ways.append(f"import {one} unchanged with {_or(f'`adopt: {credential_id}`' for credential_id in importable)}")
    ways.append("leave it to whom it serves, and declare no new credential")
    return f"{('Two', 'Three', 'Four')[len(ways) - 2]} ways out: {'; '.join(ways[:-1])}; or {ways[-1]}"


def _can_import(unmanaged: Credential, group: Group, name: str) -> bool:
    """Return True if `adopt` with its id would not be rejected: a replacement is created, and not imported."""
    member = group.members[name]
    has_lifetime = member.lifetime is None or member.fits(unmanaged)
    return not group.replaces(name) and has_lifetime and unmanaged.status is not Status.EXPIRED


def _live(credentials: Sequence[Credential], now: datetime) -> str:
    named = _and(f"{live.id} ({live.status}, {_age(live, now)})" for live in credentials)
    return f"{named} {'is' if len(credentials) == 1 else 'are'} live already"


def _age(live: Credential, now: datetime) -> str:
    days = max(0, (now - live.created).days)
    return f"created on {live.created:%Y-%m-%d}, {days} day{'' if days == 1 else 's'} ago"


def _delete_command(live: Credential) -> str:
    return delete_credential(live.user, live.id)


def _mismatch(credential: Credential, member: Member) -> str:
    if credential.status is Status.EXPIRED:
        return "it has expired"
    expiry = "never expires" if credential.expires is None else f"expires on {credential.expires:%Y-%m-%d}"
    days = None if member.lifetime is None else member.lifetime.days
    lifetime = "one that never expires" if days is None else f"one of {days} day{'' if days == 1 else 's'}"
    return f"it {expiry}, and {lifetime} is wanted"


def _it(credentials: Sequence[Credential]) -> str:
    return "it" if len(credentials) == 1 else "them"


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)


def _or(words: Iterable[str]) -> str:
    return " or ".join(words)
