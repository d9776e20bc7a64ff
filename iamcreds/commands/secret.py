"""`iamcreds secret`: the login and password of one credential."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from iamcreds.errors import GitRequestError, SecretError
from iamcreds.state.git_credential import GitRequest, parse_request, require_allowed_host, require_repository
from iamcreds.state.secret_forms import Form, format_secret
from iamcreds.state.secrets import find_secret, find_secret_of_login
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from iamcreds.state.secret_forms import Secret

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")

_SECONDS = 300
"""Time limit of the engine for the export of a state."""


class _Options(TypedDict):
    """The options of the command, except for the format."""

    project: Path | None
    stack: str | None
    from_store: bool
    specs: Path | None
    url: str | None
    allow_localhost: bool


@click.command("secret")
@click.argument("name")
@click.argument("operation", required=False)
@click.option(
    "--cwd",
    "project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder of the Pulumi project.  [default: the current folder]",
)
@click.option("--stack", metavar="STACK", help="Stack of the credential.  [default: the selected stack]")
@click.option(
    "--from-store",
    is_flag=True,
    help="Read the secret from the store of `deliver`, not from the state.  [default: off]",
)
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="With --from-store, file or folder of the specs, which declare the store.  [default: specs]",
)
@click.option(
    "--as",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.TEXT.value,
    show_default=True,
    metavar="FORMAT",
    help=f"Output format: {', '.join(Form)}.",
)
@click.option(
    "--url", metavar="URL", help="With --as argocd-repository, HTTPS URL of the CodeCommit repository; required."
)
@click.option(
    "--allow-localhost",
    is_flag=True,
    help="With --as git-credential, accept requests for localhost over HTTP or HTTPS.  [default: off]",
)
def command(name: str, operation: str | None, form: str, **options: Unpack[_Options]) -> None:
    """Print the login and the password or API key of the credential NAME.

    NAME is the resource name of the credential, such as jane/codecommit, or its URN. If two credentials have the same
    name, the error lists their URNs. With `rotate` or `renewBefore`, jane/bedrock is the current credential, whichever
    of jane/bedrock and jane/bedrock~2 it is in. The command reads the state with `pulumi stack export`, which needs
    the stack's passphrase or key. So the result is current even after a failed `pulumi up`.

    With --from-store, NAME is the ARN of a secret or parameter, or the name of a credential with `deliver` in the
    specs. The command needs no state and only one permission: secretsmanager:GetSecretValue or ssm:GetParameter for
    that secret. If the secret has a customer managed KMS key, it also needs kms:Decrypt for that key.

    OPERATION is an operation of git's credential helpers. Only get prints a password, and only for CodeCommit's hosts
    over HTTPS. For the login of the previous credential of a rotation, it prints the previous password until that is
    retired. With --from-store, it prints the one in the previous version, which only Secrets Manager has. For any other
    login, nothing is printed, so that git continues with the next helper.

    \b
    Examples:
      iamcreds secret jane/codecommit
      iamcreds secret jane/keyspaces --from-store
      iamcreds secret jane/keyspaces --as cqlsh-credentials
      eval "$(iamcreds secret jane/bedrock --as env)"
      eval "$(iamcreds secret jane/logs --as otel-headers)"
      iamcreds secret ci/codecommit --as argocd-repository \\
        --url https://git-codecommit.us-east-1.amazonaws.com/v1/repos/product
      git config credential.https://git-codecommit.us-east-1.amazonaws.com.helper \\
        '!iamcreds secret jane/codecommit --as git-credential --cwd /path'
    """
    chosen = Form(form)
    _check_options(name, operation, chosen, options)
    if operation not in (None, "get"):  # git: a helper ignores unknown operations
        return
    try:
        request = GitRequest() if operation is None else _read_request(allow_localhost=options["allow_localhost"])
    except GitRequestError as error:
        click.echo(f"iamcreds: no password for git: {escape_invisible(str(error))}", err=True)
        return
    secret = _find_secret(name, request.username, options)
    if secret is None:
        return
    document = format_secret(secret, chosen, options["url"] or "")
    if sys.stdout.isatty():
        click.echo(f"{_describe(secret)}:", err=True)
    click.echo(document, nl=False)


def _check_options(name: str, operation: str | None, form: Form, options: _Options) -> None:
    """Reject options that do not belong together.

    Raises:
        click.UsageError: they do not.
    """
    if form is not Form.GIT_CREDENTIAL and operation is not None:
        raise click.UsageError(f"{operation} requires --as git-credential")
    if form is not Form.GIT_CREDENTIAL and options["allow_localhost"]:
        raise click.UsageError("--allow-localhost requires --as git-credential")
    if options["from_store"] and (options["project"] or options["stack"]):
        raise click.UsageError("--from-store reads no state: --cwd and --stack cannot be combined with it")
    if options["specs"] and (not options["from_store"] or name.startswith("arn:")):
        raise click.UsageError("--specs requires --from-store with the name of a credential")
    _check_url(form, options["url"])


def _check_url(form: Form, url: str | None) -> None:
    if (form is Form.ARGOCD_REPOSITORY) != (url is not None):
        raise click.UsageError("--as argocd-repository and --url require each other")
    if url is None:
        return
    try:
        require_repository(url)
    except GitRequestError as error:
        raise click.UsageError(f"--url: {error}") from None


def _find_secret(name: str, login: str | None, options: _Options) -> Secret | None:
    """Return the secret from the store or the state, None if it has a different login than git requests.

    Raises:
        SecretError: there is none.
    """
    if options["from_store"]:
        from iamcreds.commands._stored_secret import read_stored_secret  # noqa: PLC0415 - boto3 is slow to import

        return read_stored_secret(name, options["specs"] or Path("specs"), login)
    export = _export(options["project"] or Path(), options["stack"])
    return find_secret(export, name) if login is None else find_secret_of_login(export, name, login)


def _read_request(*, allow_localhost: bool) -> GitRequest:
    """Read git's request, and check that its host may get the password.

    Raises:
        GitRequestError: the request is malformed, or its host is not allowed.
    """
    request = parse_request(sys.stdin.buffer.read())
    require_allowed_host(request, allow_localhost=allow_localhost)
    return request


def _describe(secret: Secret) -> str:
    owner = "" if secret.user is None else f" of user {secret.user}"
    return f"Login and secret of {secret.service} credential {secret.id}{owner}"


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
