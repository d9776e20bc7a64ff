"""`iamcreds validate`: the problems of specs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.errors import SpecsError
from iamcreds.model import Problem, Severity
from iamcreds.text.escaping import escape_invisible, escape_json
from iamcreds.text.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iamcreds.desired import Desired

_IN_A_MESSAGE = "%\r\n"
_IN_A_PROPERTY = "%\r\n:,"


@click.command("validate")
@click.argument("specs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--allow-empty", is_flag=True, help="Accept specs without users.  [default: off]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="Output format: lines, a JSON document, annotations in a GitHub workflow, or SARIF for code scanning.",
)
def command(specs: tuple[Path, ...], *, allow_empty: bool, form: str) -> None:
    """Validate SPECS, which are files, folders and - for standard input, and report every problem.

    All of them together are one set of specs. The command needs neither AWS nor Pulumi. The exit code is 1 if there are
    errors, and 0 otherwise, even with warnings.

    \b
    Examples:
      iamcreds validate specs
      iamcreds validate specs/payments.yaml --format json
      iamcreds skeleton | iamcreds validate -
      iamcreds validate specs/build.yaml specs/payments.yaml
      iamcreds validate specs --format github    # in a workflow: annotations at the source lines
      iamcreds validate specs --format sarif > specs.sarif
    """
    from iamcreds.specs import check_account, load_all  # noqa: PLC0415 - YAML and JSON Schema are slow to import

    try:
        desired = load_all(specs, sys.stdin.buffer, allow_empty=allow_empty)
    except SpecsError as error:
        _print_problems(form, error.problems, None)
        click.echo(format_count(_count_errors(error.problems), "problem"), err=True)
        raise click.exceptions.Exit(1) from None
    _print_problems(form, sorted([*desired.warnings, *check_account(desired)]), desired)


def _print_problems(form: str, problems: Sequence[Problem], desired: Desired | None) -> None:
    """Print problems in a format."""
    match form:
        case "json":
            document = {**_count(desired), "problems": [_make_record(problem) for problem in problems]}
            click.echo(escape_json(json.dumps(document, indent=2)))
        case "sarif":
            from iamcreds.commands._checkout import find_checkout  # noqa: PLC0415 - importlib.metadata is slow to import
            from iamcreds.report.sarif.problems import format_problems  # noqa: PLC0415 - same

            click.echo(format_problems(problems, find_checkout()))
        case _:
            _print_lines(problems, desired, _format_annotation if form == "github" else str)


def _print_lines(problems: Sequence[Problem], desired: Desired | None, write: Callable[[Problem], str]) -> None:
    """Print a line for each problem and, if the specs are valid, the counts."""
    for problem in problems:
        click.echo(write(problem))
    if desired is not None:
        counts = _count(desired).items()
        click.echo(", ".join(format_count(number, things.removesuffix("s")) for things, number in counts))


def _format_annotation(problem: Problem) -> str:
    """Return a problem as a workflow command of GitHub Actions."""
    location = problem.location
    properties = {
        "file": escape_invisible(location.file),
        "line": location.line,
        "col": location.column,
        "title": problem.rule,
    }
    written = ",".join(f"{key}={_escape(str(value), _IN_A_PROPERTY)}" for key, value in properties.items())
    return f"::{problem.severity} {written}::{_escape(escape_invisible(problem.message), _IN_A_MESSAGE)}"


def _escape(text: str, special: str) -> str:
    return "".join(f"%{ord(character):02X}" if character in special else character for character in text)


def _make_record(problem: Problem) -> dict[str, str | int]:
    location = problem.location
    return {
        "file": location.file,
        "line": location.line,
        "column": location.column,
        "severity": problem.severity.value,
        "rule": problem.rule,
        "message": problem.message,
    }


def _count(desired: Desired | None) -> dict[str, int]:
    if desired is None:
        return {}
    return {
        "files": len(desired.files),
        "users": len(desired.users),
        "credentials": sum(len(user.credentials) for user in desired.users),
    }


def _count_errors(problems: Sequence[Problem]) -> int:
    return sum(problem.severity is Severity.ERROR for problem in problems)
