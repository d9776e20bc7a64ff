"""`iamcreds init`: the files that a project of a team's own begins with."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.text.escaping import escape_invisible
from iamcreds.text.formatting import format_count
from iamcreds.text.names import ACCOUNT_ID, ACCOUNT_ID_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

_REGION = re.compile(r"[a-z]+(-[a-z]+)+-[0-9]+")
_STACK = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_BACKEND = re.compile(r"([a-z][a-z0-9+.-]*://[!-~]+)?")
_SECRETS_PROVIDER = re.compile(r"default|passphrase|[a-z]+://[!-~]+")

_Check = tuple[re.Pattern[str], str]


def _answer(check: _Check, question: str, default: Callable[[], str] | None = None) -> Callable[..., str]:
    """What an option does without a value: asks at a terminal, and takes the default where there is none."""

    def callback(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
        if value is None and sys.stdin.isatty() and not context.resilient_parsing:
            suggested = default() if default else None
            suggested = suggested if check[0].fullmatch(suggested or "") else None
            return str(click.prompt(question, suggested, value_proc=check_value, show_default=bool(suggested)))
        if value is None and default is None and not context.resilient_parsing:
            raise click.MissingParameter(ctx=context, param=parameter)
        return check_value(default() if value is None and default else value or "")

    def check_value(value: str) -> str:
        pattern, words = check
        if not pattern.fullmatch(value):
            raise click.BadParameter(f"{value!r} is not {words}")
        return value

    return callback


def _find_region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--account",
    metavar="ID",
    callback=_answer((ACCOUNT_ID, ACCOUNT_ID_WORDS), "AWS account (12 digits)"),
    help="The AWS account that the specs are for; in no other is anything done.",
)
@click.option(
    "--region",
    metavar="REGION",
    callback=_answer((_REGION, "a region such as eu-west-1"), "AWS region", _find_region),
    help="The AWS region of the workflows. [default: AWS_REGION, AWS_DEFAULT_REGION, us-east-1]",
)
@click.option(
    "--backend",
    metavar="URL",
    callback=_answer(
        (_BACKEND, "a URL such as s3://BUCKET?region=REGION"),
        "Pulumi backend, such as s3://BUCKET?region=REGION (empty: the one that you are logged in to)",
        lambda: "",
    ),
    help="Where Pulumi keeps the state. [default: where you are logged in]",
)
@click.option(
    "--secrets-provider",
    metavar="URL",
    callback=_answer(
        (_SECRETS_PROVIDER, "default, passphrase or a URL such as awskms:///alias/NAME?region=REGION"),
        "Secrets provider, such as awskms:///alias/NAME?region=REGION",
        lambda: "default",
    ),
    help="What encrypts the passwords in the state. [default: the backend's own way]",
)
@click.option(
    "--stack",
    metavar="NAME",
    default="prod",
    show_default=True,
    callback=_answer((_STACK, "a stack's name: 1 to 100 letters, digits and characters of _.-"), "Stack"),
    help="The name of the first stack: one stack is one account.",
)
@click.option(
    "--overwrite",
    metavar="FILE",
    multiple=True,
    help="Write this file although it is there, such as specs/schema.json after an upgrade; may be repeated.",
)
def command(  # noqa: PLR0913 - one for each option
    folder: Path, *, account: str, region: str, backend: str, secrets_provider: str, stack: str, overwrite: tuple[str]
) -> None:
    """Write into DIR the files that a project of your own begins with.

    Pulumi.yaml, a program that runs this version of iamcreds, specs with their schema, GitHub workflows. What is there
    already stays as it is and is told, unless --overwrite names it. At a terminal, what no option says is asked. Needs
    neither AWS nor Pulumi.

    \b
    Examples:
      iamcreds init credentials --account 123456789012
      iamcreds init . --account 123456789012 --region eu-west-1 --backend "s3://BUCKET?region=eu-west-1" \\
        --secrets-provider "awskms:///alias/iamcreds-prod?region=eu-west-1"
      iamcreds init . --account 123456789012 --overwrite specs/schema.json
    """
    from iamcreds.project.files import Project, make_files  # noqa: PLC0415 - Jinja is slow to import
    from iamcreds.project.writing import Outcome, write_files  # noqa: PLC0415 - as above

    files = make_files(Project(account, region, stack, backend))
    unknown = sorted(set(overwrite) - set(files))
    if unknown:
        raise click.UsageError(f"no file of a project: {', '.join(unknown)}; its files are {', '.join(files)}")
    outcomes: list[Outcome] = []
    for path, outcome in write_files(folder, files, overwrite):
        click.echo(f"{escape_invisible(str(folder / path))}: {outcome}")
        outcomes.append(outcome)
    written = sum(outcome in (Outcome.WRITTEN, Outcome.OVERWRITTEN) for outcome in outcomes)
    click.echo(f"{format_count(written, 'file')} written.\n\nNext:")
    for step in _list_next_steps(folder, stack, secrets_provider):
        click.echo(f"  {escape_invisible(step)}")


def _list_next_steps(folder: Path, stack: str, secrets_provider: str) -> list[str]:
    return [
        f"cd {shlex.quote(str(folder))}",
        "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
        'export PATH="$PWD/.venv/bin:$PATH"; umask 077',
        f"pulumi stack init {shlex.quote(stack)} --secrets-provider {shlex.quote(secrets_provider)}",
        "iamcreds dump --to specs    # what is live; or, for a new account: iamcreds skeleton > specs/jane.yaml",
        "pulumi preview",
    ]
