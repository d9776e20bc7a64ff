"""Loading of specs: the desired state, or every problem of the files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.desired import AccessKeyPolicy, Desired
from iamcreds.errors import SpecsError
from iamcreds.model import Existing, Problem, Severity, SourceLocation, Unmanaged
from iamcreds.specs.credential_policy import make_credential_policy
from iamcreds.specs.reading import read
from iamcreds.specs.rules import check_files
from iamcreds.specs.sources import format_path, read_documents, read_stream
from iamcreds.specs.templates import drop_consequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from iamcreds.desired import DesiredUser
    from iamcreds.specs.reading import Spec, SpecUser
    from iamcreds.specs.sources import Document


def load(path: Path, *, allow_empty: bool = False) -> Desired:
    """Load a spec file, or every spec file below a folder.

    Raises:
        SpecsError: every problem of every file. Specs without a user are a problem unless `allow_empty` is set.
    """
    return combine(read_documents(path), SourceLocation(format_path(path), 1, 1), allow_empty=allow_empty)


def load_all(paths: Sequence[Path], given: BinaryIO, *, allow_empty: bool = False) -> Desired:
    """Load several files and folders together, each file once.

    Args:
        paths: files and folders; `-` is standard input, also in source locations.
        given: standard input.
        allow_empty: accept specs without a user.

    Raises:
        SpecsError: every problem of every file.
    """
    documents = (document for path in paths for document in _read_path(path, given))
    first = SourceLocation(format_path(paths[0]), 1, 1)
    return combine({document.file: document for document in documents}.values(), first, allow_empty=allow_empty)


def _read_path(path: Path, given: BinaryIO) -> Iterable[Document]:
    return [read_stream("-", given)] if str(path) == "-" else read_documents(path)


def combine(files: Iterable[Document], whole: SourceLocation, *, allow_empty: bool = False) -> Desired:
    """Combine spec files; `whole` is the source location of problems that do not concern a single file."""
    specs = tuple(map(read, files))
    problems = _collect_problems(specs)
    if not (_find_errors(problems) or allow_empty or any(spec.users for spec in specs)):
        problems += (_reject_no_users(whole),)
    if _find_errors(problems):
        raise SpecsError(problems)
    defaults: Mapping[str, Any] = next((spec.defaults.value for spec in specs if spec.defaults is not None), {})
    account = next((spec.account.value for spec in specs if spec.account is not None), None)
    users = (_apply_defaults(user, defaults) for spec in specs for user in spec.users)
    by_name = tuple(sorted(users, key=lambda user: user.name))
    limit = defaults.get("rotation", {}).get("maxPerRun")
    names = tuple(spec.file for spec in specs)
    return Desired(by_name, account, problems, names, whole.file, max_rotations=None if limit is None else int(limit))


def check_account(desired: Desired) -> tuple[Problem, ...]:
    """Warn if no spec declares an account, because nothing else prevents a first run in the wrong account."""
    if desired.account is not None or not desired.files:
        return ()
    message = (
        "no file declares the account of these specs: a line such as"
        ' account: "123456789012" prevents runs in any other account'
    )
    return (Problem(SourceLocation(desired.files[0], 1, 1), message, "no-account", Severity.WARNING),)


def _collect_problems(specs: Sequence[Spec]) -> tuple[Problem, ...]:
    """Return every problem within and between files, each once, without warnings at the location of an error."""
    problems = set(drop_consequences({*check_files(specs), *(problem for spec in specs for problem in spec.problems)}))
    error_locations = {error.location for error in _find_errors(problems)}
    return tuple(
        sorted(
            problem
            for problem in problems
            if problem.severity is Severity.ERROR or problem.location not in error_locations
        )
    )


def _find_errors(problems: Iterable[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _reject_no_users(whole: SourceLocation) -> Problem:
    message = (
        "the specs declare no users: if this is intended, use --allow-empty"
        " (for a stack: pulumi config set allowEmpty true)"
    )
    return Problem(whole, message, "no-users")


def _apply_defaults(user: SpecUser, defaults: Mapping[str, Any]) -> DesiredUser:
    """Return the user with a default for each field that the user or credential does not declare."""
    credentials = user.desired.credentials
    if "existing" in defaults:
        existing = Existing(defaults["existing"])
        credentials = tuple(
            credential if credential.existing is not None else replace(credential, existing=existing)
            for credential in credentials
        )
    unmanaged = Unmanaged(defaults["unmanaged"]) if "unmanaged" in defaults else None
    return replace(
        user.desired,
        credentials=credentials,
        access_keys=_make_policy({**defaults.get("accessKeys", {}), **user.access_keys}),
        credential_policy=make_credential_policy({**defaults.get("credentialPolicy", {}), **user.credential_policy}),
        unmanaged=user.desired.unmanaged or unmanaged,
    )


def _make_policy(fields: Mapping[str, Any]) -> AccessKeyPolicy | None:
    """Return the policy with these fields, or None without fields."""
    if not fields:
        return None
    max_keys, max_age, max_idle = (
        None if fields.get(limit) is None else int(fields[limit]) for limit in ("max", "maxAgeDays", "maxIdleDays")
    )
    return AccessKeyPolicy(max_keys, max_age, max_idle, enforce=fields.get("enforce", False))
