"""Messages of rejections: the reason with ids, and the options, each of which ends with a clean run; pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.model import Status
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
from iamcreds.resource_names import credential_name, split_slot
from iamcreds.services import MAX_PER_SERVICE, Family, service_alias
from iamcreds.text.commands import create_user, delete_credential, rename_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from iamcreds.model import Credential
    from iamcreds.planning.group import Group, Member


_RECENT = timedelta(minutes=1)
"""The age below which a different run may not have recorded a new credential yet."""


def describe(rejection: Rejection, group: Group, name: str, now: datetime) -> str:  # noqa: C901, PLR0911
    """Return why nothing is created for this resource of the group, and the options."""
    member = group.members[name]
    what, user = f"{service_alias(group.service)} credential", f"user {group.user}"
    match rejection:
        case MissingUser():
            return _describe_missing_user(rejection, group)
        case UnknownService():
            return f"cannot create a {what} for {user}: {unknown_service(group.service)}"
        case DeclaredTwice(resources):
            declare = f"{_and(sorted(resources))} declare a {what} of {user}"
            if len(resources) > MAX_PER_SERVICE:
                return f"{declare}, but IAM allows two. Remove the surplus resources"
            return (
                f"{declare}, but `declared` is {member.declared}. Options: set `declared` to {len(resources)} in each"
                " of them; or remove one"
            )
        case InTheWay(unmanaged):
            return (
                f"cannot create a {what} for {user}: unmanaged {_list_existing(unmanaged)}. Options:"
                f" {_list_options(unmanaged, group, name, now)} (if {_it(unmanaged)}"
                f" {'was' if len(unmanaged) == 1 else 'were'} just deleted, run again in a minute)"
            )
        case Unproven(existing):
            return (
                f"cannot create or import a {what} for {user}: {_list_existing(existing)}, and this run read only"
                f" a part of the state, so the stack may manage {_it(existing)}. Run with --refresh, without --target"
                " and --exclude"
            )
        case Ambiguous(unmanaged):
            return (
                f"cannot adopt a {what} for {user}: unmanaged {_list_existing(unmanaged)}, but only"
                f" {group.count_adopters(name)} is declared. Options: delete one"
                f" ({_or(map(_delete_command, unmanaged))}); or import one unchanged with"
                f" {_or(f'`adopt: {each.id}`' for each in unmanaged)}"
            )
        case NotAdoptable(credential):
            return (
                f"cannot adopt or import {what} {credential.id} of {user}: {_describe_mismatch(credential, member)},"
                f" which a reset does not change. {_suggest_expiry(credential, member)}"
            )
        case NotFound() | OfAnother() | Owned() | HasExpired():
            return _describe_import(rejection, what, user, group)
        case Transformed(unmanaged):
            return (
                f"cannot create a {what} for {user}: {_list_existing(unmanaged)}, and a transformation changed this"
                " resource's user, service or options. Options: set these values in the program; or delete"
                f" {_it(unmanaged)} ({_and(map(_delete_command, unmanaged))})"
            )
        case QuotaExceeded(existing, owners):
            users = _and(f"{each.id} by {owners.get(each.id) or 'this stack'}" for each in existing)
            options = [
                "remove this resource, run `up`, which deletes replaced and removed credentials, then add it again",
                *_suggest_was(owners.values(), group),
            ]
            return (
                f"quota exceeded: IAM allows two {what}s per user, and {group.user}'s are in use"
                f" ({users or 'this run creates them'}). Options: {_join_options(options)} (if one was just deleted,"
                " run again in a minute)"
            )


def unknown_service(service: str) -> str:
    """Return why no credential of a service can be created for any user."""
    return (
        f"IAM does not support service-specific credentials for {service}. Check the service name, and whether this"
        " partition has the service"
    )


def not_renamed(user: str, former: str, others: Sequence[Credential], *, exists: bool) -> str:
    """Return why `was: FORMER` of a user is rejected: IAM has not renamed the former user so.

    Args:
        user: the declared user.
        former: the declared former name.
        others: the existing credentials that the state has, of different users.
        exists: True if IAM has the declared user.
    """
    owner = others[0].user if others else former
    held = (
        f"{_and(existing.id for existing in others)} belongs to user {owner}"
        if others
        else f"IAM still has user {former}"
    )
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


def in_use(user: str, service: str, credential_id: str) -> str:
    """Return why a credential is not rotated: a password is reset only while it is Inactive."""
    return (
        f"{service_alias(service)} credential {credential_id} of user {user} is not rotated, because it was activated"
        " just now, and its password may be in use. Run again"
    )


def protected(user: str, service: str, existing: Sequence[Credential], reasons: Sequence[str]) -> str:
    """Return why a protected credential is not replaced; `reasons` are the changed inputs, or its expiry."""
    ids = f" {_and(credential.id for credential in existing)}" if existing else ""
    return (
        f"{service_alias(service)} credential{ids} of user {user} is protected and cannot be replaced"
        f" ({', '.join(reasons)}). Options: undo the change; or remove `protect` and run `pulumi state unprotect`,"
        " because the state protects it as well"
    )


def _describe_missing_user(rejection: MissingUser, group: Group) -> str:
    """Return why nothing is created for a missing user, and the options."""
    message, renamed_to = f"the account has no IAM user {group.user}", rejection.renamed_to
    if renamed_to is not None and group.has_iam_user:  # `was` is not supported then
        return f"{message}: IAM renamed it to {renamed_to}. Rename it back ({rename_user(renamed_to, group.user)})"
    if renamed_to is not None:
        return (
            f"{message}: IAM renamed it to {renamed_to}. In specs, rename the user to {renamed_to} and add"
            f" `was: {group.user}`, which keeps credentials and passwords; in your own program, change `user`"
        )
    if rejection.case_variant is None:
        return f"{message}. Options: create the user ({create_user(group.user)}); or remove this resource"
    return (
        f"{message}, and IAM does not allow it next to {rejection.case_variant}. Options: declare the user as"
        f" {rejection.case_variant}; or remove this resource"
    )


def _describe_import(rejection: NotFound | OfAnother | Owned | HasExpired, what: str, user: str, group: Group) -> str:
    """Return why a credential that the program names is not imported."""
    credential_id = rejection.credential_id if isinstance(rejection, NotFound) else rejection.credential.id
    message = f"cannot import credential {credential_id} as a {what} of {user}"
    match rejection:
        case NotFound(_, unmanaged):
            ids = _and(credential.id for credential in unmanaged)
            return (
                f"{message}: it does not exist, and unmanaged {ids} {'does' if len(unmanaged) == 1 else 'do'}. Options:"
                f" correct the id; or delete {ids} ({_and(map(_delete_command, unmanaged))}), so that `up` creates a"
                f" new credential (if {credential_id} was just created, run again in a minute)"
            )
        case OfAnother(credential):
            return (
                f"{message}: it is a {service_alias(credential.service)} credential of user {credential.user}. Options:"
                " declare it there; or correct the id"
            )
        case Owned(_, owner):
            options = ["correct the id", "remove `adopt`", *_suggest_was([owner], group)]
            return (
                f"{message}: {owner or 'a different resource of this stack'} manages or imports it. Options:"
                f" {_join_options(options)}"
            )
        case HasExpired(credential):
            return (
                f"{message}: it has expired and cannot be reactivated. Remove `adopt` to create a new one, and delete"
                f" this one ({_delete_command(credential)})"
            )


def _suggest_was(owners: Iterable[str], group: Group) -> Iterator[str]:
    """Yield the option that keeps the credential of a resource that is no longer declared, if there is one."""
    former = sorted({split_slot(owner)[0] for owner in owners} - {"", *group.members})
    names = (credential_name(owner, group.user, group.service) or owner for owner in former)
    if former:
        fields = _or(f"`was: {name}`" for name in names)
        yield f"if this is a renamed credential, keep it with {fields} (in your own program, with an alias)"


def _list_options(unmanaged: Sequence[Credential], group: Group, name: str, now: datetime) -> str:
    """Return the options if unmanaged credentials block a create, without those that would be rejected next."""
    it = _it(unmanaged)
    is_recent = any(now - credential.created < _RECENT for credential in unmanaged)
    unless = f", unless a different run is creating {it}" if is_recent else ""
    options = [f"delete {it} ({_and(map(_delete_command, unmanaged))}){unless}"]
    member = group.members[name]
    can_adopt = (
        not group.replaces(name) and len(unmanaged) <= group.count_adopters(name) and all(map(member.fits, unmanaged))
    )
    if can_adopt:
        options.append(f"adopt {it} with `existing: adopt`, which resets the password")
    if importable := [credential.id for credential in unmanaged if _can_import(credential, group, name)]:
        one = "it" if len(unmanaged) == 1 else "one of them"
        ids = _or(f"`adopt: {credential_id}`" for credential_id in importable)
        options.append(f"import {one} unchanged with {ids}")
    return _join_options([*options, "declare no new credential"])


def _join_options(options: Sequence[str]) -> str:
    return f"{'; '.join(options[:-1])}; or {options[-1]}" if len(options) > 1 else options[0]


def _can_import(unmanaged: Credential, group: Group, name: str) -> bool:
    """Return True if `adopt` with its id would not be rejected: a replacement is created, and not imported."""
    member = group.members[name]
    has_lifetime = member.lifetime is None or member.fits(unmanaged)
    if member.is_renewed and len(group.members) > 1:  # a successor is never imported
        return False
    return not group.replaces(name) and has_lifetime and unmanaged.status is not Status.EXPIRED


def _list_existing(credentials: Sequence[Credential]) -> str:
    ids = _and(f"{each.id} ({each.status}, created {each.created:%Y-%m-%d})" for each in credentials)
    return f"credential {ids} already exists" if len(credentials) == 1 else f"credentials {ids} already exist"


def _delete_command(credential: Credential) -> str:
    return delete_credential(credential.user, credential.id)


def _describe_mismatch(credential: Credential, member: Member) -> str:
    if credential.status is Status.EXPIRED:
        return "it has expired"
    expiry = "never expires" if credential.expires is None else f"expires on {credential.expires:%Y-%m-%d}"
    days = None if member.lifetime is None else member.lifetime.days
    lifetime = "never expires" if days is None else f"expires after {days} day{'' if days == 1 else 's'}"
    return f"it {expiry}, but the declared credential {lifetime}"


def _suggest_expiry(credential: Credential, member: Member) -> str:
    """Return the option to declare the credential's expiry, if that is not declared, and the one to delete it."""
    delete = f"elete it ({_delete_command(credential)})"
    days = credential.lifetime_days
    is_supported = credential.family is Family.API_KEY and credential.status is not Status.EXPIRED
    if days is None or not is_supported or member.lifetime is not None:
        return f"D{delete}"
    return f"Options: declare `expire: {{after: {days}d}}` (in a program, `age_days={days}`); or d{delete}"


def _it(credentials: Sequence[Credential]) -> str:
    return "it" if len(credentials) == 1 else "them"


def _and(words: Iterable[str]) -> str:
    return " and ".join(words)


def _or(words: Iterable[str]) -> str:
    return " or ".join(words)
