"""The specs: what the files of a path mean, or everything that is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.errors import SpecsError
from iamcreds.model import AccessKeyPolicy, Desired, Existing, Place, Problem, Severity, Unmanaged
from iamcreds.specs.reading import read
from iamcreds.specs.rules import check_files
from iamcreds.specs.sources import format_path, read_documents, read_stream
from iamcreds.specs.templates import drop_consequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from iamcreds.model import DesiredUser
    from iamcreds.specs.reading import Spec, SpecUser
    from iamcreds.specs.sources import Document


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
    problems = _collect_problems(specs)
    if not (_find_errors(problems) or allow_empty or any(spec.users for spec in specs)):
        problems += (_refuse_no_users(whole),)
    if _find_errors(problems):
        raise SpecsError(problems)
    defaults: Mapping[str, Any] = next((spec.defaults.value for spec in specs if spec.defaults is not None), {})
    account = next((spec.account.value for spec in specs if spec.account is not None), None)
    users = (_apply_defaults(user, defaults) for spec in specs for user in spec.users)
    by_name = tuple(sorted(users, key=lambda user: user.name))
    return Desired(by_name, account, problems, tuple(spec.file for spec in specs), whole.file)


def check_account(desired: Desired) -> tuple[Problem, ...]:
    """A warning where specs name no account, as nothing else keeps a first run out of a wrong one."""
    if desired.account is not None or not desired.files:
        return ()
    message = (
        "no file names the account these specs are for: with a line such as"
        ' account: "123456789012" nothing is done in any other'
    )
    return (Problem(Place(desired.files[0], 1, 1), message, "no-account", Severity.WARNING),)


def _collect_problems(specs: Sequence[Spec]) -> tuple[Problem, ...]:
    """Every problem of the files and of what they say together, each once; no warning about what is an error anyway."""
    found = set(drop_consequences({*check_files(specs), *(problem for spec in specs for problem in spec.problems)}))
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


def _apply_defaults(user: SpecUser, defaults: Mapping[str, Any]) -> DesiredUser:
    """Return the user with the defaults, field by field, unless the user or a credential has the field itself."""
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
        unmanaged=user.desired.unmanaged or unmanaged,
    )


def _make_policy(fields: Mapping[str, Any]) -> AccessKeyPolicy | None:
    """Return the policy of these fields, None without any."""
    if not fields:
        return None
    max_keys, max_age, max_idle = (
        None if fields.get(limit) is None else int(fields[limit]) for limit in ("max", "maxAgeDays", "maxIdleDays")
    )
    return AccessKeyPolicy(max_keys, max_age, max_idle, enforce=fields.get("enforce", False))
