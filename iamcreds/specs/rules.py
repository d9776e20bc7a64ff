"""What no schema can say: rules between the fields, the credentials, the users and the files.

They look at specs that may be wrong in other ways too, and take of them what can be read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iamcreds.model import Place, Problem, Severity
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
from iamcreds.specs.nodes import Block, key_place, quoted, value_place
from iamcreds.specs.schema import did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SHORT_NAMES = {service.name.removesuffix(SUFFIX): service.name for service in SERVICES} | {
    service.alias: service.alias for service in SERVICES if service.alias is not None
}


@dataclass(frozen=True)
class Spec:
    """A spec file that is a mapping: its nodes, and their plain values."""

    root: Block
    values: Mapping[str, Any]

    @property
    def users(self) -> Mapping[str, Any]:
        """The users by name, as far as they can be read."""
        users = self.values.get("users")
        return users if isinstance(users, dict) else {}


@dataclass(frozen=True)
class Declared:
    """A credential as far as it can be read: enough to compare it with the others of its user."""

    user: str
    fields: Mapping[str, Any]
    root: Block
    path: tuple[str | int, ...]

    @property
    def service(self) -> str:
        """The service's full name."""
        return service_name(self.fields["service"])

    @property
    def alias(self) -> str:
        """The service's short name."""
        return service_alias(self.fields["service"])

    @property
    def name(self) -> str:
        """The name, the service's short one by default."""
        return str(self.fields.get("name") or self.alias)

    @property
    def place(self) -> Place:
        """Where the credential begins."""
        return value_place(self.root, self.path)

    def key(self, field: str) -> Place:
        """Where a field's key stands."""
        return key_place(self.root, (*self.path, field))


def declared(spec: Spec, user: str) -> Iterator[Declared]:
    """The credentials of a user that say at least which service they are for."""
    fields = spec.users[user]
    credentials = fields.get("credentials") if isinstance(fields, dict) else None
    for index, credential in enumerate(credentials if isinstance(credentials, list) else []):
        if isinstance(credential, dict) and isinstance(credential.get("service"), str):
            yield Declared(user, credential, spec.root, ("users", user, "credentials", index))


def problems(specs: Sequence[Spec]) -> Iterator[Problem]:
    """Every rule between fields, credentials, users and files that the specs break."""
    yield from _accounts(specs)
    yield from _defaults(specs)
    yield from _repeated_users(specs)
    for spec in specs:
        for user in spec.users:
            yield from _of_user(tuple(declared(spec, user)))


def _accounts(specs: Iterable[Spec]) -> Iterator[Problem]:
    first: tuple[str, Place] | None = None
    for spec in specs:
        if not isinstance(account := spec.values.get("account"), str):
            continue
        place = value_place(spec.root, ["account"])
        if first is None:
            first = (account, place)
        elif account != first[0]:
            message = (
                f"{quoted(account)} is another account than {quoted(first[0])} at {first[1]}: specs are for one account"
            )
            yield Problem(place, message, "conflicting-account")


def _defaults(specs: Iterable[Spec]) -> Iterator[Problem]:
    places = [key_place(spec.root, ["defaults"]) for spec in specs if "defaults" in spec.values]
    for place in places[1:]:
        yield Problem(
            place, f'"defaults" may stand in one file only, and stands at {places[0]} too', "repeated-defaults"
        )


def _repeated_users(specs: Iterable[Spec]) -> Iterator[Problem]:
    first: dict[str, tuple[str, Place]] = {}
    for spec in specs:
        for user in spec.users:
            place = key_place(spec.root, ["users", user])
            name, before = first.setdefault(user.lower(), (user, place))
            if name != user:
                message = (
                    f"{quoted(user)} and {quoted(name)} at {before} differ by case only: IAM takes them for one user"
                )
                yield Problem(place, message, "user-case")
            elif before != place:
                yield Problem(place, f"{quoted(user)} is declared twice, first at {before}", "duplicate-user")


def _of_user(credentials: Sequence[Declared]) -> Iterator[Problem]:
    yield from _same_names(credentials)
    yield from _too_many(credentials)
    yield from _former_names(credentials)
    for credential in credentials:
        yield from _of_credential(credential)


def _same_names(credentials: Iterable[Declared]) -> Iterator[Problem]:
    first: dict[tuple[str, str], Declared] = {}
    for one in credentials:
        before = first.setdefault((one.alias, one.name), one)
        if before is not one:
            same = f"{quoted(one.user)} has another credential for {one.alias} named {quoted(one.name)}"
            yield Problem(one.place, f"{same}, at {before.place}: give one of them another name", "duplicate-name")


def _too_many(credentials: Iterable[Declared]) -> Iterator[Problem]:
    taken: dict[str, int] = defaultdict(int)
    for one in credentials:
        places = MAX_PER_SERVICE if "rotate" in one.fields else 1
        if taken[one.service] <= MAX_PER_SERVICE < taken[one.service] + places:
            message = f"{quoted(one.user)} has more than two credentials for {one.alias} (a rotating one counts two)"
            yield Problem(one.place, f"{message}: IAM allows two", "too-many-credentials")
        taken[one.service] += places


def _former_names(credentials: Sequence[Declared]) -> Iterator[Problem]:
    named = {(one.alias, one.name): one for one in reversed(credentials)}
    first: dict[tuple[str, str], Declared] = {}
    for one in credentials:
        if not isinstance(was := one.fields.get("was"), str):
            continue
        before = first.setdefault((one.alias, was), one)
        if was == one.name:
            yield _wrong_was(
                one, f'{quoted(was)} is this credential\'s name now: take "was" out, or give it another name'
            )
        elif other := named.get((one.alias, was)):
            yield _wrong_was(one, f"{quoted(was)} is the name of the credential at {other.place}")
        elif before is not one:
            yield _wrong_was(one, f'the credential at {before.place} has the same "was"')


def _wrong_was(one: Declared, message: str) -> Problem:
    return Problem(value_place(one.root, (*one.path, "was")), message, "wrong-was")


def _of_credential(one: Declared) -> Iterator[Problem]:
    if "rotate" in one.fields and "status" in one.fields:
        message = '"status" cannot stand beside "rotate", which switches credentials on and off itself'
        yield Problem(one.key("status"), message, "rotate-with-status")
    if "expire" in one.fields and service_family(one.service) is Family.PASSWORD:
        message = f'"expire" is for API keys, and {one.alias} has passwords: use "rotate"'
        yield Problem(one.key("expire"), message, "expiry-on-password-service")
    if known_service(one.service) is None:
        yield _unknown_service(one)


def _unknown_service(one: Declared) -> Problem:
    near = nearest(one.service.removesuffix(SUFFIX), _SHORT_NAMES)
    hint = did_you_mean(None if near is None else _SHORT_NAMES[near])
    message = f"{quoted(one.fields['service'])} is not a service known to have such credentials{hint}"
    return Problem(value_place(one.root, (*one.path, "service")), message, "unknown-service", Severity.WARNING)
