"""`iamcreds secret`: the login and password of one credential."""

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
from iamcreds.state.secrets import Form, find_secret, find_secret_of_login, format_secret
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from iamcreds.state.secrets import Secret

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")

_SECONDS = 300
"""Time limit of the engine for the export of a state."""


@click.command("secret")
@click.argument("name")
@click.argument("operation", required=False)
@click.option(
    "--cwd",
    "project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    metavar="FOLDER",
    help="Folder of the Pulumi project.  [default: the current folder]",
)
@click.option("--stack", metavar="STACK", help="Stack of the credential.  [default: the selected stack]")
@click.option(
    "--as",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.TEXT.value,
    show_default=True,
    help="Output format: text, a document for programs, or the file of a service's tool.",
)
@click.option(
    "--allow-localhost",
    is_flag=True,
    help="With --as git-credential, accept requests for localhost over HTTP or HTTPS.  [default: off]",
)
def command(  # noqa: PLR0913 - one for each option
    name: str, operation: str | None, project: Path, stack: str | None, form: str, *, allow_localhost: bool
) -> None:
    """Print the login and the password or API key of the credential NAME.

    NAME is the resource name of the credential, such as jane/codecommit, or its URN. If two credentials have the same
    name, the error lists their URNs. With `rotate` or `renewBefore`, jane/bedrock is the current credential, whichever
    of jane/bedrock and jane/bedrock~2 it is in. The command reads the state with `pulumi stack export`, which needs
    the stack's passphrase or key. So the result is current even after a failed `pulumi up`.

    OPERATION is an operation of git's credential helpers. Only get prints a password, and only for CodeCommit's hosts
    over HTTPS. For the login of the previous credential of a rotation, it prints the previous password until that is
    retired. For any other login, nothing is printed, so that git continues with the next helper.

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
        raise click.UsageError(f"{operation} requires --as git-credential")
    if allow_localhost and chosen is not Form.GIT_CREDENTIAL:
        raise click.UsageError("--allow-localhost requires --as git-credential")
    if operation not in (None, "get"):  # git: a helper ignores unknown operations
        return
    try:
        request = GitRequest() if operation is None else _read_request(allow_localhost=allow_localhost)
    except GitRequestError as error:
        click.echo(f"iamcreds: no password for git: {escape_invisible(str(error))}", err=True)
        return
    export = _export(project, stack)
    secret = (
        find_secret(export, name) if request.username is None else find_secret_of_login(export, name, request.username)
    )
    if secret is None:
        return
    document = format_secret(secret, chosen)
    if sys.stdout.isatty():
        click.echo(f"{_describe(secret)}:", err=True)
    click.echo(document, nl=False)


def _read_request(*, allow_localhost: bool) -> GitRequest:
    """Read git's request, and check that its host may get the password.

    Raises:
        GitRequestError: the request is malformed, or its host is not allowed.
    """
    request = parse_request(sys.stdin.buffer.read())
    require_allowed_host(request, allow_localhost=allow_localhost)
    return request


def _describe(secret: Secret) -> str:
    return f"Login and secret of {secret.service} credential {secret.id} of user {secret.user}"


def _export(project: Path, stack: str | None) -> str:
    """Return the decrypted state, which stays in memory.

    Raises:
        SecretError: the engine is not installed, or its export fails.
    """
    engine = shutil.which("pulumi")
    if engine is None:
        raise SecretError(
            "cannot decrypt the state, because `pulumi` is not on PATH. Options: install it"
            ' (https://www.pulumi.com/docs/install), or run `eval "$(make -s env)"` in a clone of iamcreds'
        )
    arguments = ["--non-interactive", "stack", "export", "--show-secrets", *(["--stack", stack] if stack else [])]
    try:
        export = subprocess.run(  # noqa: S603 - the engine, and a stack's name
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
            f"`pulumi stack export` did not end within {_SECONDS} seconds. Run it separately to see the reason"
        ) from None
    is_qualified = "/" in (stack or os.environ.get("PULUMI_STACK", ""))  # then no project is needed
    if export.returncode and not is_qualified and not _has_project(project.absolute()):
        raise SecretError(
            f"no Pulumi project in {project.absolute()} or above it. Options: run this command in the project's folder,"
            " or specify the folder with --cwd FOLDER"
        )
    if export.returncode:
        raise SecretError(f"`pulumi stack export`: {escape_invisible(export.stderr.strip().removeprefix('error: '))}")
    return export.stdout


def _has_project(folder: Path) -> bool:
    """Return True if the folder or one above it has the file of a Pulumi project."""
    return any((each / name).is_file() for each in (folder, *folder.parents) for name in _PROJECT_FILES)
