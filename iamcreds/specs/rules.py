"""Rules of specs that a schema cannot express: between the fields and credentials of a user, and between files.

They also apply to specs with other errors, and use the readable part of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.model import Problem
from iamcreds.services import MAX_PER_SERVICE, service_alias, service_name
from iamcreds.specs.delivery import check_delivery, check_secrets
from iamcreds.specs.expiry import check_expiry, has_renewal
from iamcreds.specs.former_users import check_former_users
from iamcreds.specs.known_services import check_service
from iamcreds.specs.nodes import Block, Items, quoted
from iamcreds.specs.rotation import check_rotation
from iamcreds.specs.waivers import check_waivers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.desired import DesiredUser
    from iamcreds.model import SourceLocation
    from iamcreds.specs.nodes import Plain, Tree
    from iamcreds.specs.reading import Setting, Spec

RULES = {
    "adopted-twice": "two credentials declare the same id in `adopt`",
    "alias-bomb": "the aliases of a file expand to more values than any spec needs",
    "complex-key": "a key is a list or a mapping",
    "conflicting-account": "two files declare different accounts",
    "duplicate-key": "a mapping has the same key twice",
    "duplicate-name": "two credentials of a user would be the same resource",
    "duplicate-secret": "two credentials are delivered to the same secret",
    "duplicate-user": "two files declare the same user",
    "duplicate-waiver": "a user or credential waives the same rule twice",
    "empty-file": "a file is empty",
    "expiry-of-protected": "`expire` on a credential with `protect`",
    "expiry-on-password-service": "`expire` or `requireExpiry` on a service with passwords instead of API keys",
    "merge-key": "a merge key (<<)",
    "missing-key": "a required key is missing",
    "no-account": "warning of `iamcreds validate` only: no file declares the account",
    "no-file": "a pipe, a device or a socket instead of a file",
    "no-users": "no file declares a user, and --allow-empty is not set",
    "not-utf-8": "a file is not UTF-8",
    "out-of-range": "a number is too small or too large",
    "outside-link": "a link that leads outside the folder of the specs",
    "overlap-too-long": "`overlap` is more than 80% of `every`, or without `every` of `expire.after`",
    "recursive-alias": "an alias is inside the value of its own anchor",
    "renewal-before-creation": "a `renewBefore` that is not shorter than `after`",
    "renewal-with-rotation": "`renewBefore` on a credential with `rotate`",
    "renewal-with-status": "`status` on a credential with `renewBefore`",
    "repeated-defaults": "two files declare `defaults`",
    "retirement-before-overlap": "`retireWhen.by` is shorter than `overlap`",
    "retirement-of-protected": "`protect` on a credential with `retire: delete`",
    "retirement-too-late": "`retireWhen.by` is more than 80% of `every`, or without `every` of `expire.after`",
    "retirement-without-read-date": "`retireWhen` without `deliver: {secretsManager: …}`",
    "rotate-with-status": "`status` on a credential with `rotate`",
    "rotation-after-expiry": "`every` is longer than `expire.after` minus `overlap`, or minus `retireWhen.by`",
    "several-documents": "a file contains more than one YAML document",
    "syntax": "a file is not valid YAML",
    "template-placeholder": "a template placeholder that was not rendered",
    "too-deep": "a file is nested deeper than any spec needs",
    "too-large": "a file is larger than 5 MB",
    "too-many-credentials": "a user has more than two credentials for a service",
    "too-many-tags": "a secret has more than 48 tags, or a parameter has more than 47",
    "unknown-alias": "an alias without a preceding anchor",
    "unknown-key": "an unknown key; the message suggests the most similar known key",
    "unknown-placeholder": "an unknown placeholder in the name of a secret",
    "unknown-service": "warning: a service that is not known to have such credentials",
    "unknown-tag": "a YAML tag, which specs do not support",
    "unreadable-file": "a file or folder that does not exist or cannot be read",
    "user-case": "two user names differ by case only",
    "was-with-iam-user": "`was` of a user with `iamUser`",
    "wrong-format": "a text in the wrong format",
    "wrong-secret-name": "the name of a secret, after replacing placeholders, that the store does not accept",
    "wrong-tag": "a tag of a secret with a reserved key or value, or with characters that AWS does not accept",
    "wrong-type": "a value of the wrong type: a list instead of a mapping, text instead of a number",
    "wrong-value": "a value that is not one of the valid values",
    "wrong-was": "a former name that is still in use or is used twice",
}
"""Every rule that a problem can name, and the problem; the names are persistent."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The readable part of a declared credential, which is compared with the user's other credentials.

    Attributes:
        user: the user's name.
        service: the service's full name.
        alias: the service's short name.
        name: the credential's name, by default the service's short name.
        fields: its plain values.
        tree: the file that declares it.
        location: the source location of its start.
    """

    user: str
    service: str
    alias: str
    name: str
    fields: Block
    tree: Tree
    location: SourceLocation

    def key_location(self, field: str) -> SourceLocation:
        """Return the source location of a field's key."""
        return self.tree.location(self.fields.key_marks[field])

    def value_location(self, field: str) -> SourceLocation:
        """Return the source location of a field's value."""
        return self.tree.location(self.fields.marks[field])


def find_declared(tree: Tree, user: str, fields: Plain) -> Iterator[Declared]:
    """Yield the credentials of a user that declare at least their service."""
    credentials = fields.get("credentials") if isinstance(fields, Block) else None
    if not isinstance(credentials, Items):
        return
    for item, mark in zip(credentials, credentials.marks, strict=True):
        if isinstance(item, Block) and isinstance(service := item.get("service"), str):
            alias = service_alias(service)
            name = str(item.get("name") or alias)
            yield Declared(user, service_name(service), alias, name, item, tree, tree.location(mark))


def check_credentials(credentials: Sequence[Declared]) -> Iterator[Problem]:
    """Yield every violation of a rule by the credentials of one user."""
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
            message = (
                f"{quoted(credential.user)} already has a credential for {credential.alias}"
                f" named {quoted(credential.name)}, at {before.location}: give each a different name"
            )
            yield Problem(credential.location, message, "duplicate-name")


def _check_number(credentials: Iterable[Declared]) -> Iterator[Problem]:
    used: dict[str, int] = defaultdict(int)
    for credential in credentials:
        count = MAX_PER_SERVICE if "rotate" in credential.fields or has_renewal(credential.fields) else 1
        if used[credential.service] <= MAX_PER_SERVICE < used[credential.service] + count:
            message = (
                f"quota exceeded: {quoted(credential.user)} has more than two credentials for {credential.alias},"
                " and IAM allows two (one with `rotate` or `renewBefore` counts as two)"
            )
            yield Problem(credential.location, message, "too-many-credentials")
        used[credential.service] += count


def _check_former_names(credentials: Sequence[Declared]) -> Iterator[Problem]:
    named = {(credential.alias, credential.name): credential for credential in reversed(credentials)}
    first: dict[tuple[str, str], Declared] = {}
    for credential in credentials:
        if not isinstance(was := credential.fields.get("was"), str):
            continue
        before = first.setdefault((credential.alias, was), credential)
        if was == credential.name:
            message = f'{quoted(was)} is this credential\'s current name: remove "was", or rename the credential'
        elif other := named.get((credential.alias, was)):
            message = (
                f"{quoted(was)} is the name of the credential at {other.location}: rename one credential at a time,"
                " with an `up` after each (to swap two names, use a temporary third name)"
            )
        elif before is not credential:
            message = f'the credential at {before.location} has the same "was": remove one of them'
        else:
            continue
        yield Problem(credential.value_location("was"), message, "wrong-was")


def _check_credential(credential: Declared) -> Iterator[Problem]:
    yield from check_rotation(credential)
    yield from check_expiry(credential)
    yield from check_delivery(credential)
    yield from check_waivers(credential.tree, credential.fields)
    yield from check_service(str(credential.fields["service"]), credential.value_location("service"))


def check_files(specs: Sequence[Spec]) -> Iterator[Problem]:
    """Yield every violation of a rule between files."""
    yield from _check_accounts(specs)
    yield from _check_defaults(specs)
    yield from _check_adopted(adopt for spec in specs for adopt in spec.adopted)
    yield from _check_users(user.desired for spec in specs for user in spec.users)
    account = next((spec.account.value for spec in specs if spec.account is not None), None)
    yield from check_secrets((secret for spec in specs for secret in spec.secrets), account)
    yield from check_former_users(specs)


def _check_accounts(specs: Iterable[Spec]) -> Iterator[Problem]:
    accounts = [spec.account for spec in specs if spec.account is not None]
    for account in accounts[1:]:
        if account.value != (first := accounts[0]).value:
            message = f"account {quoted(account.value)} differs from {quoted(first.value)} at {first.location}"
            yield Problem(account.location, f"{message}: declare one account for all specs", "conflicting-account")


def _check_defaults(specs: Iterable[Spec]) -> Iterator[Problem]:
    locations = [spec.defaults.location for spec in specs if spec.defaults is not None]
    for location in locations[1:]:
        message = f'"defaults" is already declared at {locations[0]}: declare it in one file only'
        yield Problem(location, message, "repeated-defaults")


def _check_adopted(adopted: Iterable[Setting[str]]) -> Iterator[Problem]:
    first: dict[str, Setting[str]] = {}
    for adopt in adopted:
        before = first.setdefault(adopt.value, adopt)
        if before is not adopt:
            message = f"{quoted(adopt.value)} is imported twice, first at {before.location}: remove one of them"
            yield Problem(adopt.location, message, "adopted-twice")


def _check_users(users: Iterable[DesiredUser]) -> Iterator[Problem]:
    first: dict[str, DesiredUser] = {}
    for user in users:
        before = first.setdefault(user.name.lower(), user)
        if before.name != user.name:
            message = f"{quoted(user.name)} and {quoted(before.name)} at {before.location} differ by case only"
            yield Problem(user.location, f"{message}: IAM allows only one of them", "user-case")
        elif before is not user:
            message = f"{quoted(user.name)} is declared twice, first at {before.location}"
            yield Problem(user.location, message, "duplicate-user")
