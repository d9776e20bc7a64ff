"""`iamcreds dump`: specs from existing credentials."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.commands._options import select, selection_options
from iamcreds.commands._terminal import progress_bars
from iamcreds.desired import Desired
from iamcreds.errors import OutputFileError
from iamcreds.files import check_target
from iamcreds.model import Status
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
    help="Folder for the specs, with one file per user.  [default: one document on standard output]",
)
@click.option(
    "--into",
    "specs",
    type=click.Path(path_type=Path),
    metavar="SPECS",
    help="Specs to extend with the ids of existing credentials (`adopt: ID`), without other changes.  [default: none]",
)
@click.option("--overwrite", is_flag=True, help="Replace existing files.  [default: off]")
@selection_options
def command(
    folder: Path | None, specs: Path | None, *, overwrite: bool, users: tuple[str, ...], services: tuple[str, ...]
) -> None:
    """Generate specs from existing credentials, each with the id to import it.

    `pulumi up` imports the credentials without changes in AWS. The command needs read permissions only, and no
    passwords. It omits users without credentials, and expired credentials.

    The older of two credentials of a service gets the service's name, the newer one is called "second". Inactive
    credentials have a status, and API keys with an expiry have `expire`. If a file exists, nothing is written.

    With --into, the command adds the ids to existing specs, for example after a lost state. The exit code is 3 if the
    id of a declared credential is undecided; each one is listed with its candidates.

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
    selected = [each for each in inventory.credentials if selection.has(each.user, each.service)]
    by_user = dict(split_by_user(selected))
    if folder is None:
        for line in write_document(inventory.account, by_user.items()):
            click.echo(line, nl=False)
    else:
        schema = find_schema(folder)
        files = {
            folder / name_file(user): write_document(inventory.account, [(user, credentials)], schema)
            for user, credentials in by_user.items()
        }
        _write_files(folder, files, overwrite=overwrite)
    _report(selected, by_user)


def _read(selection: Selection) -> Inventory:
    """Read the account, with progress at a terminal.

    Raises:
        NothingSelectedError: a selected user or service does not exist.
        AccountError
    """
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import
    from iamcreds.drift.detection import read_inventory  # noqa: PLC0415 - drift takes 30 ms to import

    with progress_bars() as progress:
        inventory = read_inventory(Account(), Desired(), datetime.now(UTC), progress=progress)
    selection.require_known(Desired(), inventory)
    return inventory


def _write_files(folder: Path, files: Mapping[Path, Iterable[str]], *, overwrite: bool) -> None:
    """Write a file for each user; without `overwrite`, write none if one of them exists.

    Raises:
        OutputFileError: a file exists, or cannot be written.
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
    existing = [str(file) for file in files if file.exists() or file.is_symlink()]
    if existing:
        more = f" and {len(existing) - _NAMED:,} more" if len(existing) > _NAMED else ""
        verb = "exists" if len(existing) == 1 else "exist"
        raise OutputFileError(
            f"nothing was written, because {', '.join(existing[:_NAMED])}{more} already {verb}. Options: specify a"
            " different folder, or use --overwrite"
        )


def _report(selected: Sequence[Credential], by_user: Mapping[str, Sequence[Credential]]) -> None:
    """Print the counts of written and omitted credentials to standard error."""
    expired = sum(credential.status is Status.EXPIRED for credential in selected)
    omitted = f"; {format_count(expired, 'expired credential')} omitted" if expired else ""
    written = f"{format_count(len(by_user), 'user')}, {format_count(len(selected) - expired, 'credential')}"
    click.echo(f"{written}{omitted}", err=True)
