"""The rules of specs that no schema can express: between the fields and credentials of a user, and between files.

They apply to specs that may have other errors, too, and use the part of them that can be read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.model import Problem, Severity
from iamcreds.services import (
    MAX_PER_SERVICE,
    SERVICES,
    SUFFIX,
    Family,
    known_service,
    service_alias,
    service_family,
    service_name,
)
from iamcreds.specs.former_users import check_former_users
from iamcreds.specs.hints import did_you_mean, find_nearest
from iamcreds.specs.nodes import Block, Items, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.model import DesiredUser, Place
    from iamcreds.specs.nodes import Plain, Tree
    from iamcreds.specs.reading import Setting, Spec

RULES = {
    "adopted-twice": "two credentials adopt the same live one",
    "alias-bomb": "the aliases of a file stand for more values than any spec needs",
    "complex-key": "a key is a list or a mapping",
    "conflicting-account": "two files name different accounts",
    "duplicate-key": "a mapping has a key twice",
    "duplicate-name": "two credentials of a user would be the same resource",
    "duplicate-user": "a user stands in two files",
    "empty-file": "a file holds nothing",
    "expiry-on-password-service": "an expiry on a service that has passwords, not API keys",
    "merge-key": "a merge key (<<)",
    "missing-key": "something that must be said is not",
    "no-account": "warning of `iamcreds validate` alone: no file names the account that the specs are for",
    "no-file": "a pipe, a device or a socket where a file should be",
    "no-users": "no file declares a user, and --allow-empty does not say that this is meant",
    "not-supported-yet": "a field or value that has its meaning, in a later release",
    "not-utf-8": "a file is not UTF-8",
    "out-of-range": "a number is too small or too large",
    "outside-link": "a link that leads out of the folder of the specs",
    "recursive-alias": "an alias stands in what it names",
    "repeated-defaults": "defaults in more than one file",
    "rotate-with-status": "a status on a credential that rotates",
    "several-documents": "a file holds more than one YAML document",
    "syntax": "a file is not YAML",
    "template-placeholder": "a placeholder of a template that was not rendered",
    "too-deep": "a file nests deeper than any spec needs",
    "too-large": "a file has more than 5 MB",
    "too-many-credentials": "a user has more than two credentials for a service",
    "unknown-alias": "an alias without an anchor",
    "unknown-key": "a key that means nothing, with the nearest one that does",
    "unknown-service": "warning: a service that is not known to have such credentials",
    "unknown-tag": "a YAML tag",
    "unreadable-file": "a file or folder that is not there or may not be read",
    "user-case": "two users differ by upper and lower case only",
    "was-with-iam-user": "a former name of a user whom the stack itself makes by `iamUser`",
    "wrong-format": "a text that is not written as it must be",
    "wrong-type": "a value of another type: a list for a mapping, text for a number",
    "wrong-value": "a value that is none of the possible ones",
    "wrong-was": "a former name that is still, or twice, in use",
}
"""Every rule a problem can name, and what breaks it; names are for good."""

_SHORT_NAMES = {service.name.removesuffix(SUFFIX): service.name for service in SERVICES} | {
    service.alias: service.alias for service in SERVICES if service.alias is not None
}


@dataclass(frozen=True, slots=True)
class Declared:
    """A credential as far as it can be read: enough to compare it with the others of its user.

    Attributes:
        user: the user's name.
        service: the service's full name.
        alias: the service's short name.
        name: the credential's name, the service's short one by default.
        fields: its plain values.
        tree: the file it stands in.
        place: where the credential begins.
    """

    user: str
    service: str
    alias: str
    name: str
    fields: Block
    tree: Tree
    place: Place

    def key_place(self, field: str) -> Place:
        """Return the place of a field's key."""
        return self.tree.place(self.fields.key_marks[field])

    def value_place(self, field: str) -> Place:
        """Return the place of a field's value."""
        return self.tree.place(self.fields.marks[field])


def find_declared(tree: Tree, user: str, fields: Plain) -> Iterator[Declared]:
    """The credentials of a user that say at least which service they are for."""
    credentials = fields.get("credentials") if isinstance(fields, Block) else None
    if not isinstance(credentials, Items):
        return
    for item, mark in zip(credentials, credentials.marks, strict=True):
        if isinstance(item, Block) and isinstance(service := item.get("service"), str):
            alias = service_alias(service)
            name = str(item.get("name") or alias)
            yield Declared(user, service_name(service), alias, name, item, tree, tree.place(mark))


def check_credentials(credentials: Sequence[Declared]) -> Iterator[Problem]:
    """Every rule that the credentials of one user break."""
    yield from _check_names(credentials)
    yield from _check_number(credentials)
    yield from _check_former_names(credentials)
    for credential in credentials:
        yield from _check_credential(credential)


def _check_names(credentials: Iterable[Declared]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Declared] = {}
    for credential in credentials:
        before = first.setdefault((credential.alias, credential.name), credential)
        if before is not credential:
            same = (
                f"{quoted(credential.user)} has another credential for {credential.alias}"
                f" named {quoted(credential.name)}, at {before.place}"
            )
            yield Problem(credential.place, f"{same}: give one of them another name", "duplicate-name")


def _check_number(credentials: Iterable[Declared]) -> Iterator[Problem]:
    taken: dict[str, int] = defaultdict(int)
    for credential in credentials:
        places = MAX_PER_SERVICE if "rotate" in credential.fields else 1
        if taken[credential.service] <= MAX_PER_SERVICE < taken[credential.service] + places:
            message = (
                f"{quoted(credential.user)} has more than two credentials for {credential.alias}"
                " (a rotating one counts two): IAM allows two"
            )
            yield Problem(credential.place, message, "too-many-credentials")
        taken[credential.service] += places


def _check_former_names(credentials: Sequence[Declared]) -> Iterator[Problem]:
    named = {(credential.alias, credential.name): credential for credential in reversed(credentials)}
    first: dict[tuple[str, str], Declared] = {}
    for credential in credentials:
        if not isinstance(was := credential.fields.get("was"), str):
            continue
        before = first.setdefault((credential.alias, was), credential)
        if was == credential.name:
            message = f'{quoted(was)} is this credential\'s name now: take "was" out, or give it another name'
        elif other := named.get((credential.alias, was)):
            message = (
                f"{quoted(was)} is the name of the credential at {other.place}: rename one at a time, with an `up`"
                " after each (two swap their names over a third one)"
            )
        elif before is not credential:
            message = f'the credential at {before.place} has the same "was"'
        else:
            continue
        yield Problem(credential.value_place("was"), message, "wrong-was")


def _check_credential(credential: Declared) -> Iterator[Problem]:
    if "rotate" in credential.fields and "status" in credential.fields:
        message = '"status" cannot stand beside "rotate", which switches credentials on and off itself'
        yield Problem(credential.key_place("status"), message, "rotate-with-status")
    if "expire" in credential.fields and service_family(credential.service) is Family.PASSWORD:
        message = f'"expire" is for API keys, and {credential.alias} has passwords: use "rotate"'
        yield Problem(credential.key_place("expire"), message, "expiry-on-password-service")
    if known_service(credential.service) is None:
        yield _warn_of_service(credential)


def _warn_of_service(credential: Declared) -> Problem:
    near = find_nearest(credential.service.removesuffix(SUFFIX), _SHORT_NAMES)
    hint = did_you_mean(None if near is None else _SHORT_NAMES[near])
    message = f"{quoted(credential.fields['service'])} is not a service known to have such credentials{hint}"
    return Problem(credential.value_place("service"), message, "unknown-service", Severity.WARNING)


def check_files(specs: Sequence[Spec]) -> Iterator[Problem]:
    """Every rule between files that the specs break."""
    yield from _check_accounts(specs)
    yield from _check_defaults(specs)
    yield from _check_adopted(adopt for spec in specs for adopt in spec.adopted)
    yield from _check_users(user.desired for spec in specs for user in spec.users)
    yield from check_former_users(specs)


def _check_accounts(specs: Iterable[Spec]) -> Iterator[Problem]:
    accounts = [spec.account for spec in specs if spec.account is not None]
    for account in accounts[1:]:
        if account.value != (first := accounts[0]).value:
            message = f"{quoted(account.value)} is another account than {quoted(first.value)} at {first.place}"
            yield Problem(account.place, f"{message}: specs are for one account", "conflicting-account")


def _check_defaults(specs: Iterable[Spec]) -> Iterator[Problem]:
    places = [spec.defaults.place for spec in specs if spec.defaults is not None]
    for place in places[1:]:
        message = f'"defaults" may stand in one file only, and stands at {places[0]} too'
        yield Problem(place, message, "repeated-defaults")


def _check_adopted(adopted: Iterable[Setting[str]]) -> Iterator[Problem]:
    first: dict[str, Setting[str]] = {}
    for adopt in adopted:
        before = first.setdefault(adopt.value, adopt)
        if before is not adopt:
            message = f"{quoted(adopt.value)} is adopted twice, first at {before.place}: take one out"
            yield Problem(adopt.place, message, "adopted-twice")


def _check_users(users: Iterable[DesiredUser]) -> Iterator[Problem]:
    first: dict[str, DesiredUser] = {}
    for user in users:
        before = first.setdefault(user.name.lower(), user)
        if before.name != user.name:
            message = f"{quoted(user.name)} and {quoted(before.name)} at {before.place} differ by case only"
            yield Problem(user.place, f"{message}: IAM takes them for one user", "user-case")
        elif before is not user:
            message = f"{quoted(user.name)} is declared twice, first at {before.place}"
            yield Problem(user.place, message, "duplicate-user")
