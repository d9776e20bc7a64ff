"""`iamcreds plan`: a preview as the comment of a pull request, and a gate before up."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from iamcreds.commands._options import matching
from iamcreds.errors import PreviewError
from iamcreds.files import discard, write_private
from iamcreds.pull_request.approval import format_approval, make_approval
from iamcreds.pull_request.comment import render_comment
from iamcreds.pull_request.failures import HEAD, find_failures
from iamcreds.pull_request.gate import parse_limit
from iamcreds.pull_request.preview import parse_preview
from iamcreds.pull_request.preview_changes import read_changes
from iamcreds.text.decoding import decode
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from iamcreds.pull_request.changes import Changes
    from iamcreds.pull_request.gate import Gate

_EXCESS = 3
"""The exit code of a plan that exceeds --max-removals or --max-rotations."""
_REJECTIONS = 4
"""The exit code of a complete preview whose only errors are rejections."""
_INCOMPLETE = "For a preview that completes with rejections, set IAMCREDS_REJECTIONS=report"
_MARKER = re.compile(r"[\w./@-]{0,100}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")


@click.command("plan")
@click.argument("preview", type=click.File("rb"))
@click.option("--marker", metavar="NAME", help="Name in the hidden first line of the comment.  [default: the stack]")
@click.option(
    "--commit",
    metavar="SHA",
    callback=matching(_COMMIT, "a valid commit: 7 to 64 hexadecimal digits"),
    help="Commit of the preview, which the comment shows.  [default: none]",
)
@click.option(
    "--always", is_flag=True, help="Print a comment even without changes, to update an earlier one.  [default: off]"
)
@click.option(
    "--max-removals",
    metavar="LIMIT",
    help="Maximum number or share of credentials and IAM users to delete, replace, reset or deactivate: 12, or 30%."
    "  [default: none]",
)
@click.option(
    "--max-rotations",
    metavar="LIMIT",
    help="Maximum number or share of credentials to rotate: 12, or 30%. Renewals and retirements do not count."
    "  [default: none]",
)
@click.option(
    "--at-least",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of credentials below which a stack has no limits.  [default: 10 for a share, 0 for a number]",
)
@click.option(
    "--approve",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="File for the approved plan, the steps that `pulumi up` may apply.  [default: none]",
)
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Specs of the preview. The approved plan contains their digest.  [default: no digest]",
)
def command(  # noqa: PLR0913 - one for each option
    preview: IO[bytes],
    marker: str | None,
    commit: str | None,
    *,
    always: bool,
    max_removals: str | None,
    max_rotations: str | None,
    at_least: int | None,
    approve: Path | None,
    specs: Path | None,
) -> None:
    """Print the changes of PREVIEW as a Markdown comment for a pull request.

    PREVIEW is the output of `pulumi preview --json`, a file or - for standard input. With `--show-sames`, the comment
    includes renamed credentials. Without changes, credential findings and waived findings, nothing is printed. The
    comment contains no secrets.

    The comment shows the project and the stack of the preview and, with --commit, the commit.

    --approve writes the credential ids that the preview adopts, activates, deactivates, resets, replaces or deletes.
    With IAMCREDS_APPROVED=FILE, `pulumi up` and `pulumi destroy` reject every other such step, and `up` fails if the
    specs differ. An earlier FILE is deleted first. Nothing is written if the preview failed or exceeds a limit.

    A preview with rejections fails, and lacks deletions. With IAMCREDS_REJECTIONS=report it completes.

    Exit codes: 0; 1 if PREVIEW failed or is not a preview; 3 if it exceeds a limit; 4 if it is complete and its
    only errors are rejections, so that `pulumi up --continue-on-error` can apply everything else.

    \b
    Examples:
      pulumi preview --json --show-sames | iamcreds plan -
      iamcreds plan preview.json --marker prod --commit 4f5e6d7 --always
      iamcreds plan preview.json --max-removals 30% --approve approved.json --specs specs
      iamcreds plan preview.json --max-rotations 12
      IAMCREDS_APPROVED=approved.json pulumi up --yes --skip-preview
    """
    if approve is not None:
        discard(approve)
    elif specs is not None:
        raise click.UsageError("--specs requires --approve")
    changes = read_changes(parse_preview(_read_text(preview)))
    name = changes.stack if marker is None else marker
    if not _MARKER.fullmatch(name):
        raise click.UsageError(f"{name!r} is not a valid marker: at most 100 letters, digits and ./@_-")
    gates = (
        _parse_limit("--max-removals", max_removals, at_least),
        _parse_limit("--max-rotations", max_rotations, at_least),
    )
    if at_least is not None and not any(gates):
        raise click.UsageError("--at-least requires --max-removals or --max-rotations")
    excess, now = _find_excess(changes, *gates), datetime.now(UTC)
    if always or not changes.is_empty:
        click.echo(render_comment(changes, name, now, excess, commit), nl=False)
    failures = find_failures(changes)
    if approve is not None and not excess and not failures:
        write_private(approve, format_approval(make_approval(changes, _digest(specs), now)))
    if failures:
        raise PreviewError(f"the preview failed: {_describe_failure(changes, failures)}")
    if excess:
        click.echo("\n".join(f"Rejected: {description}." for description in excess), err=True)
        raise click.exceptions.Exit(_EXCESS)
    if changes.rejections:
        click.echo(f"Rejected: {_shorten(list(map(str, changes.rejections)))}", err=True)
        raise click.exceptions.Exit(_REJECTIONS)


def _digest(specs: Path | None) -> str | None:
    """Return the digest of the specs. The program itself rejects specs without users."""
    if specs is None:
        return None
    from iamcreds.specs import compute_digest, load  # noqa: PLC0415 - YAML and JSON Schema are slow to import

    return compute_digest(load(specs, allow_empty=True))


def _read_text(preview: IO[bytes]) -> str:
    try:
        return decode(preview.read())
    except ValueError as error:
        raise PreviewError(f"this is not the output of `pulumi preview --json`: {error}") from None


def _describe_failure(changes: Changes, failures: list[str]) -> str:
    """Return the reason why the preview failed, in one line; the comment has all reasons."""
    if changes.rejections and any(failure.startswith(HEAD) for failure in failures):
        return f"{_shorten(list(map(str, changes.rejections)))}. {_INCOMPLETE}"
    return failures[0].splitlines()[0]


def _shorten(rejections: list[str]) -> str:
    """Return the first rejection, and the number of the others."""
    first, *others = rejections
    return first.splitlines()[0] + (f", and {format_count(len(others), 'more rejection')}" if others else "")


def _find_excess(changes: Changes, removals: Gate | None, rotations: Gate | None) -> list[str]:
    """Return the reasons of the gates for a rejection; none for a failed preview."""
    if find_failures(changes):
        return []
    reasons = (
        removals.find_removals(changes) if removals else None,
        rotations.find_rotations(changes) if rotations else None,
    )
    return [reason for reason in reasons if reason is not None]


def _parse_limit(option: str, limit: str | None, at_least: int | None) -> Gate | None:
    try:
        return None if limit is None else parse_limit(limit, at_least)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
