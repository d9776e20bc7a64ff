"""`iamcreds init`: the files of a new project."""

from __future__ import annotations

import functools
import os
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.commands._options import check_text, matching
from iamcreds.commands._terminal import is_coloured
from iamcreds.project.clone import find_clone
from iamcreds.project.locked import EXTRAS
from iamcreds.project.steps import format_init, list_project_steps, list_wheel_steps
from iamcreds.project.wheel import check_is_installed, format_wheel_name, read_wheel
from iamcreds.project.writing import Outcome, compare, find_different, write_files
from iamcreds.text.escaping import escape_invisible
from iamcreds.text.formatting import format_count
from iamcreds.text.names import ACCOUNT_ID, ACCOUNT_ID_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iamcreds.project.wheel import Wheel

REQUIREMENTS = "requirements.txt"
_REGION = re.compile(r"[a-z]+(-[a-z]+)+-[0-9]+")
_STACK = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_BACKEND = re.compile(r"([a-z][a-z0-9+.-]*://[!-~]+)?")
_SECRETS_PROVIDER = re.compile(r"default|passphrase|[a-z]+://[!-~]+")


def _answer(
    pattern: re.Pattern[str], words: str, question: str, default: Callable[[], str] | None = None
) -> Callable[..., str]:
    """Return the callback of an option, which prompts for a missing value at a terminal, or uses the default."""
    check = functools.partial(check_text, pattern, words)

    def callback(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
        if value is None and sys.stdin.isatty() and not context.resilient_parsing:
            suggested = default() if default else None
            suggested = suggested if pattern.fullmatch(suggested or "") else None
            return str(click.prompt(question, suggested, value_proc=check, show_default=bool(suggested)))
        if value is None and default is None and not context.resilient_parsing:
            raise click.MissingParameter(ctx=context, param=parameter)
        return check(default() if value is None and default else value or "")

    return callback


def _find_region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--account",
    metavar="ID",
    callback=_answer(ACCOUNT_ID, ACCOUNT_ID_WORDS, "AWS account (12 digits)"),
    help="AWS account of the specs. Runs in any other account are rejected.  [default: prompt at a terminal]",
)
@click.option(
    "--region",
    metavar="REGION",
    callback=_answer(_REGION, "a region such as eu-west-1", "AWS region", _find_region),
    help="AWS region of the workflows.  [default: AWS_REGION, AWS_DEFAULT_REGION, us-east-1]",
)
@click.option(
    "--backend",
    metavar="URL",
    callback=_answer(
        _BACKEND,
        "a URL such as s3://BUCKET?region=REGION",
        "Pulumi backend, such as s3://BUCKET?region=REGION (empty: the one that you are logged in to)",
        lambda: "",
    ),
    help="Backend with Pulumi's state.  [default: the backend that you are logged in to]",
)
@click.option(
    "--secrets-provider",
    metavar="URL",
    callback=_answer(
        _SECRETS_PROVIDER,
        "default, passphrase or a URL such as awskms:///alias/NAME?region=REGION",
        "Secrets provider, such as awskms:///alias/NAME?region=REGION",
        lambda: "default",
    ),
    help="Secrets provider that encrypts the passwords in the state.  [default: the backend's]",
)
@click.option(
    "--stack",
    metavar="NAME",
    default="prod",
    show_default=True,
    callback=matching(_STACK, "a stack's name: 1 to 100 letters, digits and characters of _.-"),
    help="Name of the first stack. Each account has its own stack.",
)
@click.option(
    "--wheel",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Wheel of this version of iamcreds, copied into DIR and pinned by its hash.  [default: none]",
)
@click.option(
    "--extra",
    "extras",
    type=click.Choice(EXTRAS),
    multiple=True,
    help="Extra of iamcreds for requirements.txt, such as aws for `iamUser`; may be repeated.  [default: none]",
)
@click.option(
    "--overwrite",
    metavar="FILE",
    multiple=True,
    help="Existing file to replace, such as specs/schema.json after an upgrade; may be repeated.  [default: none]",
)
def command(  # noqa: PLR0913 - one for each option
    folder: Path,
    *,
    account: str,
    region: str,
    backend: str,
    secrets_provider: str,
    stack: str,
    wheel: Path | None,
    extras: tuple[str, ...],
    overwrite: tuple[str, ...],
) -> None:
    """Create the files of a new project in DIR.

    The files are Pulumi.yaml, a program, specs with their schema, GitHub workflows, and a requirements.txt with the
    hashes of all packages. No package index has iamcreds itself, so --wheel adds it. Existing files are kept unless
    --overwrite names them, and init shows their differences from those of this version. At a terminal, init prompts
    for missing options. It needs neither AWS nor Pulumi.

    \b
    Examples:
      iamcreds init credentials --account 123456789012
      iamcreds init credentials --account 123456789012 --wheel dist/iamcreds-0.1.0-py3-none-any.whl
      iamcreds init . --account 123456789012 --region eu-west-1 --backend "s3://BUCKET?region=eu-west-1" \\
        --secrets-provider "awskms:///alias/iamcreds-prod?region=eu-west-1"
      iamcreds init . --account 123456789012 --overwrite specs/schema.json
    """
    from iamcreds.project.files import Project, make_files  # noqa: PLC0415 - Jinja is slow to import

    version = metadata.version("iamcreds")
    extras = tuple(sorted(set(extras)))
    read = read_wheel(wheel, version) if wheel else None
    requirement = read.format_requirement(extras) if read else ""
    outcomes = _write(
        folder, make_files(Project(account, region, stack, backend, extras, requirement)), read, overwrite
    )
    if not _list_written(outcomes):
        return
    steps = list_project_steps(folder, stack, secrets_provider)
    if read is None and outcomes[REQUIREMENTS] is not Outcome.KEPT:
        options = [
            ("--account", account),
            ("--region", region),
            ("--backend", backend),
            ("--secrets-provider", secrets_provider),
            ("--stack", stack),
            *(("--extra", extra) for extra in extras),
        ]
        steps = [*_list_wheel_steps(folder, version, options), *steps]
    click.echo("\n".join(["", "Next:", *(f"  {escape_invisible(step)}" for step in steps)]))


def _write(folder: Path, texts: dict[str, str], wheel: Wheel | None, overwrite: tuple[str, ...]) -> dict[str, Outcome]:
    """Write the files and print the outcome of each."""
    files = {wheel.name: wheel.content} if wheel else {}
    files |= {path: text.encode() for path, text in texts.items()}
    unknown = sorted(set(overwrite) - set(files))
    if unknown:
        raise click.UsageError(
            f"--overwrite: a project has no file {', '.join(unknown)}; its files are {', '.join(files)}"
        )
    if wheel:
        kept = {name: files[name] for name in (REQUIREMENTS, wheel.name) if name not in overwrite}
        check_is_installed(folder, wheel, find_different(folder, kept))
    outcomes = {}
    for path, outcome in write_files(folder, files, overwrite):
        click.echo(f"{escape_invisible(str(folder / path))}: {outcome}")
        outcomes[path] = outcome
    click.echo(f"{format_count(len(_list_written(outcomes)), 'file')} written.")
    _show_differences(folder, {path: files[path] for path in outcomes if outcomes[path] is Outcome.KEPT})
    return outcomes


def _list_written(outcomes: Mapping[str, Outcome]) -> list[str]:
    return [path for path, outcome in outcomes.items() if outcome in (Outcome.WRITTEN, Outcome.OVERWRITTEN)]


def _show_differences(folder: Path, kept: Mapping[str, bytes]) -> None:
    """Print the differences between each kept file and the one of this version."""
    colours = {"+": "green", "-": "red", "@": "cyan"} if is_coloured() else {}
    for path, content in kept.items():
        click.echo()
        for line in compare(folder, path, content):
            click.echo(click.style(line, fg=colours[line[0]]) if line[:1] in colours else line)
    if kept:
        click.echo(f"\n{format_count(len(kept), 'file')} kept. To replace a file, use --overwrite FILE.")


def _list_wheel_steps(folder: Path, version: str, options: list[tuple[str, str]]) -> list[str]:
    """List the commands that add the wheel, or replace an older build of it."""
    wheel = format_wheel_name(version)
    names = [wheel, REQUIREMENTS] if os.path.lexists(folder / wheel) else [REQUIREMENTS]
    again = format_init(_find_program(), folder, [*options, *(("--overwrite", name) for name in names)])
    return list_wheel_steps(find_clone(version), version, again)


def _find_program() -> str:
    """Return `iamcreds` if the shell finds this one, otherwise its path."""
    program = Path(sys.executable).with_name("iamcreds")
    on_path = shutil.which("iamcreds")
    is_found = on_path and program.exists() and Path(on_path).samefile(program)
    return "iamcreds" if is_found or not program.exists() else str(program)
