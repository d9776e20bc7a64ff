"""The specs: what the files of a path mean, or everything that is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.errors import SpecsError
from iamcreds.model import (
    AccessKeyPolicy,
    Desired,
    DesiredCredential,
    DesiredUser,
    Existing,
    Place,
    Problem,
    Severity,
    Unmanaged,
)
from iamcreds.specs import agreement
from iamcreds.specs.reading import read
from iamcreds.specs.sources import format_path, read_documents, read_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from iamcreds.specs.reading import Spec
    from iamcreds.specs.sources import Document

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
    "too-deep": "a file nests deeper than any spec needs",
    "too-large": "a file has more than 5 MB",
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
    return combine(read_documents(path), Place(format_path(path), 1, 1), allow_empty=allow_empty)


def load_all(paths: Sequence[Path], given: BinaryIO, *, allow_empty: bool = False) -> Desired:
    """What the specs of several files and folders say together, each file once.

    Args:
        paths: files and folders; `-` is what is `given`, whose places are named so.
        given: standard input.
        allow_empty: specs without a single user are meant.

    Raises:
        SpecsError: with every problem of every file.
    """
    documents = (document for path in paths for document in _read_path(path, given))
    first = Place(format_path(paths[0]), 1, 1)
    return combine({document.file: document for document in documents}.values(), first, allow_empty=allow_empty)


def _read_path(path: Path, given: BinaryIO) -> Iterable[Document]:
    return [read_stream("-", given)] if str(path) == "-" else read_documents(path)


def combine(files: Iterable[Document], whole: Place, *, allow_empty: bool = False) -> Desired:
    """What spec files say together; `whole` is the place of what concerns none of them."""
    specs = tuple(map(read, files))
    problems = _find_problems(specs)
    if not (_find_errors(problems) or allow_empty or any(spec.users for spec in specs)):
        problems += (_refuse_no_users(whole),)
    if _find_errors(problems):
        raise SpecsError(problems)
    defaults: Mapping[str, Any] = next((spec.defaults.value for spec in specs if spec.defaults is not None), {})
    account = next((spec.account.value for spec in specs if spec.account is not None), None)
    return Desired(_make_users(specs, defaults), account, problems, tuple(spec.file for spec in specs))


def check_account(desired: Desired) -> tuple[Problem, ...]:
    """A warning where specs name no account, as nothing else keeps a first run out of a wrong one."""
    if desired.account is not None or not desired.files:
        return ()
    message = (
        "no file names the account these specs are for: with a line such as"
        ' account: "123456789012" nothing is done in any other'
    )
    return (Problem(Place(desired.files[0], 1, 1), message, "no-account", Severity.WARNING),)


def _find_problems(specs: Sequence[Spec]) -> tuple[Problem, ...]:
    """Every problem of the files and of what they say together, each once; no warning about what is an error anyway."""
    found = {*agreement.find_problems(specs), *(problem for spec in specs for problem in spec.problems)}
    wrong = {error.place for error in _find_errors(found)}
    return tuple(
        sorted(problem for problem in found if problem.severity is Severity.ERROR or problem.place not in wrong)
    )


def _find_errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _refuse_no_users(whole: Place) -> Problem:
    message = (
        "there are no users here; if nobody should have any of these credentials,"
        " say so with --allow-empty (to a stack: pulumi config set allowEmpty true)"
    )
    return Problem(whole, message, "no-users")


def _make_users(specs: Iterable[Spec], defaults: Mapping[str, Any]) -> tuple[DesiredUser, ...]:
    watched = defaults.get("accessKeys", {})
    existing = Existing(defaults["existing"]) if "existing" in defaults else None
    unmanaged = Unmanaged(defaults["unmanaged"]) if "unmanaged" in defaults else None
    users = (
        DesiredUser(
            user.name,
            user.place,
            _apply_default(user.credentials, existing),
            _make_policy({**watched, **user.access_keys}),
            judges_credentials=user.judges_credentials,
            unmanaged=user.unmanaged or unmanaged,
            iam_user=user.iam_user,
            releases_iam_user=user.releases_iam_user,
        )
        for spec in specs
        for user in spec.users
    )
    return tuple(sorted(users, key=lambda user: user.name))


def _apply_default(
    credentials: tuple[DesiredCredential, ...], existing: Existing | None
) -> tuple[DesiredCredential, ...]:
    """The credentials with what the defaults say of each that says nothing itself, nor its user."""
    if existing is None:
        return credentials
    return tuple(
        credential if credential.existing is not None else replace(credential, existing=existing)
        for credential in credentials
    )


def _make_policy(fields: Mapping[str, Any]) -> AccessKeyPolicy | None:
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
