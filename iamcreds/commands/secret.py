"""`iamcreds secret`: the login and password of one credential, for the one who needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.errors import GitRequestError, SecretError
from iamcreds.state.git_credential import GitRequest, parse_request, require_allowed_host
from iamcreds.state.secrets import Form, find_secret, format_secret
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from iamcreds.state.secrets import Secret

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")

_SECONDS = 300
"""How long the engine may take to decrypt a state."""


@click.command("secret")
@click.argument("name")
@click.argument("operation", required=False)
@click.option(
    "--cwd",
    "project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    metavar="FOLDER",
    help="The folder of the Pulumi project.  [default: this one]",
)
@click.option("--stack", metavar="STACK", help="The stack that has it.  [default: the selected one]")
@click.option(
    "--as",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.TEXT.value,
    show_default=True,
    help="For people, for programs, or for a service's own tool.",
)
@click.option(
    "--allow-localhost",
    is_flag=True,
    help="With --as git-credential, also answer requests for localhost over HTTP or HTTPS.  [default: off]",
)
def command(  # noqa: PLR0913 - one for each option
    name: str, operation: str | None, project: Path, stack: str | None, form: str, *, allow_localhost: bool
) -> None:
    """Print the login and the password or API key of NAME, and of nothing else.

    NAME is the credential's resource name, such as jane/codecommit, or its URN. If two credentials have the name,
    nothing is printed but their URNs. It is read from the state of the stack, by `pulumi stack export` with the stack's
    own passphrase or key, so that it is right after a failed `pulumi up`, too. To a terminal it first says what comes.

    OPERATION is an operation of git's credential helpers. Only get is answered, and only for CodeCommit's own hosts
    over HTTPS. If git asks for a different login than NAME has, nothing is printed, so that git asks the next helper.

    \b
    Examples:
      iamcreds secret jane/codecommit
      iamcreds secret jane/keyspaces --as cqlsh-credentials
      eval "$(iamcreds secret jane/bedrock --as env)"
      git config credential.https://git-codecommit.us-east-1.amazonaws.com.helper \\
        '!iamcreds secret jane/codecommit --as git-credential --cwd /path'
    """
    chosen = Form(form)
    if operation is not None and chosen is not Form.GIT_CREDENTIAL:
        raise click.UsageError(f"{operation} goes with --as git-credential")
    if allow_localhost and chosen is not Form.GIT_CREDENTIAL:
        raise click.UsageError("--allow-localhost goes with --as git-credential")
    if operation not in (None, "get"):  # git: a helper ignores operations that it does not know
        return
    try:
        request = GitRequest() if operation is None else _read_request(allow_localhost=allow_localhost)
    except GitRequestError as error:
        click.echo(f"iamcreds: no password for git: {escape_invisible(str(error))}", err=True)
        return
    secret = find_secret(_export(project, stack), name)
    if request.username not in (None, secret.login):
        return
    document = format_secret(secret, chosen)
    if sys.stdout.isatty():
        click.echo(f"{_describe(secret)}:", err=True)
    click.echo(document, nl=False)


def _read_request(*, allow_localhost: bool) -> GitRequest:
    """Read git's request, whose host may have the password.

    Raises:
        GitRequestError: it may not.
    """
    request = parse_request(sys.stdin.buffer.read())
    require_allowed_host(request, allow_localhost=allow_localhost)
    return request


def _describe(secret: Secret) -> str:
    return f"What opens {secret.service} credential {secret.id} of user {secret.user}"


def _export(project: Path, stack: str | None) -> str:
    """The decrypted state, which never leaves memory.

    Raises:
        SecretError: there is no engine, or it says no.
    """
    engine = shutil.which("pulumi")
    if engine is None:
        raise SecretError(
            "there is no `pulumi` on PATH, which alone can decrypt the state: install it"
            ' (https://www.pulumi.com/docs/install), or in a clone of iamcreds: eval "$(make -s env)"'
        )
    arguments = ["--non-interactive", "stack", "export", "--show-secrets", *(["--stack", stack] if stack else [])]
    try:
        done = subprocess.run(  # noqa: S603 - the engine, and a stack's name
            [engine, *arguments],
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SecretError(
            f"`pulumi stack export` did not end within {_SECONDS} seconds: run it alone to see why"
        ) from None
    is_qualified = "/" in (stack or os.environ.get("PULUMI_STACK", ""))  # then no project is needed
    if done.returncode and not is_qualified and not _has_project(project.absolute()):
        raise SecretError(
            f"there is no Pulumi project in {project.absolute()} or above it: run this command in the project's folder,"
            " or name it with --cwd FOLDER"
        )
    if done.returncode:
        raise SecretError(f"`pulumi stack export`: {escape_invisible(done.stderr.strip().removeprefix('error: '))}")
    return done.stdout


def _has_project(folder: Path) -> bool:
    """Return True if the folder or one above it has the file of a Pulumi project."""
    return any((each / name).is_file() for each in (folder, *folder.parents) for name in _PROJECT_FILES)
