"""`iamcreds dump`: specs for what is live."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.commands._options import select, selection_options
from iamcreds.commands._terminal import progress_bars
from iamcreds.errors import OutputFileError
from iamcreds.files import check_target
from iamcreds.model import Desired, Status
from iamcreds.project.schema import find_schema
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from iamcreds.drift.selection import Selection
    from iamcreds.model import Credential, Inventory

_NAMED = 5


@click.command("dump")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write a file for each user below this folder; left out: one document on standard output.",
)
@click.option(
    "--into",
    "specs",
    type=click.Path(path_type=Path),
    metavar="SPECS",
    help="Add `adopt: ID` to the credentials that these specs declare, and write nothing else.",
)
@click.option("--overwrite", is_flag=True, help="Write files that are there already anew.")
@selection_options
def command(
    folder: Path | None, specs: Path | None, *, overwrite: bool, users: tuple[str, ...], services: tuple[str, ...]
) -> None:
    """Write specs for what is live, each credential with the id by which it is adopted.

    `pulumi up` on them changes nothing in AWS: it takes over what is there. Needs permissions to read only, and no
    password. Users without credentials are left out, and so are credentials that have expired.

    The older of two credentials of a service gets the service's name, the younger one is called "second". A status is
    written where it is Inactive. A file that is there already stops the command before anything is written.

    With --into, existing specs get the ids, for example after a lost state. Exits 3 if it cannot decide which id a
    declared credential has; each is listed with its candidates.

    \b
    Examples:
      iamcreds dump
      iamcreds dump --to specs
      iamcreds dump --user jane --user john --to specs
      iamcreds dump --service codecommit > specs/codecommit.yaml
      iamcreds dump --into specs
    """
    if specs is not None and (folder is not None or overwrite):
        raise click.UsageError("--into changes the files of SPECS: remove --to and --overwrite")
    if specs is not None:
        from iamcreds.commands._dump_into import add_ids  # noqa: PLC0415 - YAML and JSON Schema are slow to import

        add_ids(specs, select(users, services))
        return
    from iamcreds.specs.dump import name_file, split_by_user, write_document  # noqa: PLC0415 - YAML and JSON Schema are slow to import

    selection = select(users, services)
    inventory = _read(selection)
    chosen = [live for live in inventory.credentials if selection.has(live.user, live.service)]
    by_user = dict(split_by_user(chosen))
    if folder is None:
        for line in write_document(inventory.account, by_user.items()):
            click.echo(line, nl=False)
    else:
        schema = find_schema(folder)
        one_by_one = {
            folder / name_file(user): write_document(inventory.account, [(user, credentials)], schema)
            for user, credentials in by_user.items()
        }
        _write_files(folder, one_by_one, overwrite=overwrite)
    _tell(chosen, by_user)


def _read(selection: Selection) -> Inventory:
    """What the account has, with progress at a terminal.

    Raises:
        NothingSelectedError: a user or service is not live.
        AccountError
    """
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import
    from iamcreds.drift.detection import read_inventory  # noqa: PLC0415 - drift takes 30 ms to import

    with progress_bars() as progress:
        inventory = read_inventory(Account(), Desired(), datetime.now(UTC), progress=progress)
    selection.require_known(Desired(), inventory)
    return inventory


def _write_files(folder: Path, files: Mapping[Path, Iterable[str]], *, overwrite: bool) -> None:
    """A file for each user, all or none of them where one is there already.

    Raises:
        OutputFileError: one is there, or cannot be written.
    """
    if not overwrite:
        _require_new(files)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            check_target(file)
        for file, lines in files.items():
            with file.open("w" if overwrite else "x", encoding="utf-8") as opened:
                opened.writelines(lines)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputFileError(f"cannot write {error.filename or folder}: {reason}") from error


def _require_new(files: Iterable[Path]) -> None:
    there = [str(file) for file in files if file.exists() or file.is_symlink()]
    if there:
        named = ", ".join(there[:_NAMED]) + (f" and {len(there) - _NAMED:,} more" if len(there) > _NAMED else "")
        verb = "is" if len(there) == 1 else "are"
        raise OutputFileError(
            f"{named} {verb} there already, and nothing was written: name another folder, or --overwrite"
        )


def _tell(chosen: Sequence[Credential], by_user: Mapping[str, Sequence[Credential]]) -> None:
    """What was written and what was left out, on standard error."""
    expired = sum(live.status is Status.EXPIRED for live in chosen)
    left_out = f"; {format_count(expired, 'expired credential')} left out" if expired else ""
    written = f"{format_count(len(by_user), 'user')}, {format_count(len(chosen) - expired, 'credential')}"
    click.echo(f"{written}{left_out}", err=True)
