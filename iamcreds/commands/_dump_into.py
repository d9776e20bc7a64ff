"""`iamcreds dump --into SPECS`: the ids of existing credentials, added to the specs that declare them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.commands._options import load_specs
from iamcreds.commands._terminal import progress_bars
from iamcreds.files import rewrite
from iamcreds.specs.adoption import Match, Undecided, find_matches
from iamcreds.specs.insertion import insert_ids
from iamcreds.text.escaping import escape_invisible
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iamcreds.desired import Desired
    from iamcreds.drift.selection import Selection
    from iamcreds.model import Credential, Inventory

UNDECIDED = 3
"""The exit code if the id of a declared credential cannot be decided."""
_BOM = b"\xef\xbb\xbf"


def add_ids(specs: Path, selection: Selection) -> None:
    """Add `adopt: ID` to the selected credentials, file by file, and list the added and the undecided ones.

    Raises:
        SpecsError: the specs have problems.
        WrongAccountError: the specs are for a different account.
        NothingSelectedError: a user or service is neither declared nor existing.
        OutputFileError: a file cannot be written. Earlier files have their ids; the next run adds the others.
        AccountError
        click.exceptions.Exit: the id of a credential is undecided.
    """
    desired = load_specs(specs, allow_empty=True)
    inventory = _read(desired, selection)
    results = [
        each
        for each in find_matches(desired, inventory.credentials)
        if selection.has(each.desired.user, each.desired.service)
    ]
    undecided = [each for each in results if isinstance(each, Undecided)]
    added = 0
    for file, matches in _group([each for each in results if isinstance(each, Match)]).items():
        if _rewrite(Path(file), matches):
            added += len(matches)
            for match in matches:
                click.echo(f"{match.desired.location}: {match.desired.resource_name}: adopt: {match.credential.id}")
        else:
            undecided += [Undecided(each.desired, "this file cannot be edited", (each.credential,)) for each in matches]
    for each in sorted(undecided, key=lambda each: each.desired.location):
        click.echo(_describe(each))
    _report(added, undecided)


def _read(desired: Desired, selection: Selection) -> Inventory:
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import
    from iamcreds.drift.detection import read_inventory  # noqa: PLC0415 - drift takes 30 ms to import

    account = Account()
    account.require_account(desired.account, "the specs are for")
    users = tuple(replace(user, access_keys=None) for user in desired.users)
    with progress_bars() as progress:
        inventory = read_inventory(account, replace(desired, users=users), datetime.now(UTC), progress=progress)
    selection.require_known(desired, inventory)
    return inventory


def _group(matches: Iterable[Match]) -> dict[str, list[Match]]:
    per_file: dict[str, list[Match]] = defaultdict(list)
    for match in sorted(matches, key=lambda match: match.desired.location):
        per_file[match.desired.location.file].append(match)
    return per_file


def _rewrite(file: Path, matches: Sequence[Match]) -> bool:
    """Write the ids into a file; return False if it cannot be edited, or has changed since it was read."""
    try:
        data = file.read_bytes()
        before = data.removeprefix(_BOM).decode()
    except (OSError, UnicodeDecodeError):
        return False
    head = _BOM if data.startswith(_BOM) else b""
    ids = {match.desired.resource_name: match.credential.id for match in matches}
    text = insert_ids(matches[0].desired.location.file, before, ids)
    if text is None:
        return False
    rewrite(file, head + text.encode())
    return True


def _describe(undecided: Undecided) -> str:
    desired = undecided.desired
    candidates = ", ".join(map(_format, undecided.candidates))
    return f"{desired.location}: {desired.resource_name}: undecided, {undecided.reason}: {candidates}"


def _format(credential: Credential) -> str:
    login = escape_invisible(credential.login)
    return f"{credential.id} ({credential.status}, created on {credential.created:%Y-%m-%d}, {login})"


def _report(added: int, undecided: Sequence[Undecided]) -> None:
    """Print the counts to standard error, and exit if a credential is undecided."""
    if not added and not undecided:
        click.echo("nothing to add: none of the declared credentials without `adopt` exists", err=True)
        return
    click.echo(f"`adopt` added to {format_count(added, 'credential')}, {len(undecided)} undecided", err=True)
    if undecided:
        click.echo(
            "Run `iamcreds list credentials` to see the candidates, then add `adopt: ID` to the specs.", err=True
        )
        raise click.exceptions.Exit(UNDECIDED)
