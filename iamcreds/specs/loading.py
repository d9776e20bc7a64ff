"""The specs: what the files of a path mean, or everything that is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.errors import SpecsError
from iamcreds.model import (
    AccessKeyPolicy,
    Desired,
    DesiredCredential,
    DesiredUser,
    Place,
    Problem,
    Severity,
    Status,
)
from iamcreds.specs import rules, schema
from iamcreds.specs.nodes import key_place
from iamcreds.specs.rules import Declared, Spec, declared
from iamcreds.specs.sources import documents, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from iamcreds.specs.sources import Document

RULES = {
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
    "no-users": "no file declares a user, and --allow-empty does not say that this is meant",
    "not-supported-yet": "a field or value that has its meaning, in a later release",
    "not-utf-8": "a file is not UTF-8",
    "out-of-range": "a number is too small or too large",
    "recursive-alias": "an alias stands in what it names",
    "repeated-defaults": "defaults in more than one file",
    "rotate-with-status": "a status on a credential that rotates",
    "several-documents": "a file holds more than one YAML document",
    "syntax": "a file is not YAML",
    "too-deep": "a file nests deeper than any spec needs",
    "too-many-credentials": "a user has more than two credentials for a service",
    "unknown-alias": "an alias without an anchor",
    "unknown-key": "a key that means nothing, with the nearest one that does",
    "unknown-service": "warning: a service that is not known to have such credentials",
    "unknown-tag": "a YAML tag",
    "unreadable-file": "a file or folder that is not there or may not be read",
    "user-case": "two users differ by upper and lower case only",
    "wrong-format": "a text that is not written as it must be",
    "wrong-type": "a value of another type: a list for a mapping, text for a number",
    "wrong-value": "a value that is none of the possible ones",
    "wrong-was": "a former name that is still, or twice, in use",
}
"""Every rule a problem can name, and what breaks it; names are for good."""


def load(path: Path, *, allow_empty: bool = False) -> Desired:
    """What the specs of a file, or of every spec file below a folder, say.

    Raises:
        SpecsError: With every problem of every file. Specs without a single user are one, unless `allow_empty`.
    """
    return desired(documents(path), Place(shown(path), 1, 1), allow_empty=allow_empty)


def desired(files: Iterable[Document], whole: Place, *, allow_empty: bool = False) -> Desired:
    """What spec files say together; `whole` is the place of what concerns none of them."""
    files = tuple(files)
    specs = tuple(Spec(file.root, schema.values(file.root)) for file in files if file.root is not None)
    found = problems(files, specs)
    if all(problem.severity is Severity.WARNING for problem in found) and not allow_empty:
        found += tuple(_without_users(specs, whole))
    if any(problem.severity is Severity.ERROR for problem in found):
        raise SpecsError(found)
    users = tuple(sorted(_users(specs), key=lambda user: user.name))
    account = next((str(spec.values["account"]) for spec in specs if "account" in spec.values), None)
    return Desired(users, account, found, tuple(file.file for file in files))


def problems(files: Iterable[Document], specs: Sequence[Spec]) -> tuple[Problem, ...]:
    """Every problem of the files and of what they say together, each once; no warning about what is an error anyway."""
    found = {problem for file in files for problem in file.problems}
    found.update(problem for spec in specs for problem in schema.problems(spec.root))
    found.update(rules.problems(specs))
    wrong = {problem.place for problem in found if problem.severity is Severity.ERROR}
    return tuple(sorted(one for one in found if one.severity is Severity.ERROR or one.place not in wrong))


def _without_users(specs: Iterable[Spec], whole: Place) -> Iterator[Problem]:
    if not any(spec.users for spec in specs):
        message = (
            "there are no users here; if nobody should have any of these credentials,"
            " say so with --allow-empty (to a stack: pulumi config set allowEmpty true)"
        )
        yield Problem(whole, message, "no-users")


def _users(specs: Sequence[Spec]) -> Iterator[DesiredUser]:
    defaults: Mapping[str, Any] = next((spec.values["defaults"] for spec in specs if "defaults" in spec.values), {})
    for spec in specs:
        for name, fields in spec.users.items():
            credentials = sorted(map(_credential, declared(spec, name)), key=lambda one: (one.service, one.name))
            policy = _access_keys({**defaults.get("accessKeys", {}), **fields.get("accessKeys", {})})
            yield DesiredUser(name, key_place(spec.root, ["users", name]), tuple(credentials), policy)


def _credential(one: Declared) -> DesiredCredential:
    status = one.fields.get("status")
    return DesiredCredential(
        user=one.user,
        service=one.service,
        name=one.name,
        place=one.place,
        status=None if status is None else Status(status),
        reset=one.fields.get("reset"),
        was=one.fields.get("was"),
        protect=one.fields.get("protect", False),
    )


def _access_keys(fields: Mapping[str, Any]) -> AccessKeyPolicy | None:
    """A policy of the fields of a user over those of the defaults, or None where neither says anything."""
    if not fields:
        return None
    limits = {field: None if fields.get(field) is None else int(fields[field]) for field in _LIMITS}
    return AccessKeyPolicy(
        max=limits["max"],
        max_age_days=limits["maxAgeDays"],
        max_idle_days=limits["maxIdleDays"],
        enforce=fields.get("enforce", False),
    )


_LIMITS = ("max", "maxAgeDays", "maxIdleDays")
