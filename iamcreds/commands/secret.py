"""`iamcreds secret`: the login and password of one credential, for the one who needs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from iamcreds.errors import SecretError
from iamcreds.state.secrets import Form, find_secret, format_secret, refuse_host
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from iamcreds.state.secrets import Secret

_SECONDS = 300
"""How long the engine may take to decrypt a state."""


@click.command("secret")
@click.argument("name")
@click.argument("operation", required=False, type=click.Choice(["get", "store", "erase"]))
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
def command(name: str, operation: str | None, project: Path, stack: str | None, form: str) -> None:
    """Print the login and the password or API key of NAME, and of nothing else.

    NAME is the credential's resource name, such as jane/codecommit. It is read from the state of the stack, by `pulumi
    stack export` with the stack's own passphrase or key, so that it is right after a failed `pulumi up`, too. To a
    terminal it first says what comes. OPERATION is git's: it asks a credential helper to get, store or erase, and only
    get is answered, to CodeCommit's own hosts over TLS and to this machine.

    \b
    Examples:
      iamcreds secret jane/codecommit
      iamcreds secret jane/keyspaces --as cqlshrc
      eval "$(iamcreds secret jane/bedrock --as env)"
      git config credential.helper '!iamcreds secret jane/codecommit --as git-credential --cwd /path/to/project'
    """
    chosen = Form(form)
    if operation is not None and chosen is not Form.GIT_CREDENTIAL:
        raise click.UsageError(f"{operation} goes with --as git-credential")
    if operation in ("store", "erase"):
        return
    if operation == "get" and (refusal := refuse_host(sys.stdin.buffer.read().decode(errors="replace"))):
        click.echo(f"iamcreds: no password for git: {escape_invisible(refusal)}", err=True)
        return
    secret = find_secret(_export(project, stack), name)
    document = format_secret(secret, chosen)
    if sys.stdout.isatty():
        click.echo(f"{_describe(secret)}:", err=True)
    click.echo(document, nl=False)


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
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SecretError(
            f"`pulumi stack export` did not end within {_SECONDS} seconds: run it alone to see why"
        ) from None
    if done.returncode:
        raise SecretError(f"`pulumi stack export`: {escape_invisible(done.stderr.strip().removeprefix('error: '))}")
    return done.stdout
