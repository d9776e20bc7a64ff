"""What `drift` and `state` share: reading a state, and what is said of foreign code in one."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, TYPE_CHECKING

import click

from iamcreds.commands._errors import FOUND
from iamcreds.errors import StateError
from iamcreds.text.decoding import decode
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from pathlib import Path

    from iamcreds.state.providers import CheckedState
    from iamcreds.state.secrets_provider import SecretsProvider

_GZIP = b"\x1f\x8b"
"""The first bytes of a gzip file (RFC 1952)."""

plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="NAME",
    help="A plugin that your own program needs beside the specs, such as aws; may be repeated.",
)


def read_text(file: IO[bytes]) -> str:
    """Return the text of a state, which may be compressed by gzip, as a backend with `.json.gz` files keeps it.

    Raises:
        StateError: it is longer than any state, it is damaged, or it is not UTF-8.
    """
    from iamcreds.state.providers import MAX_BYTES  # noqa: PLC0415 - YAML is slow to import

    content = file.read(MAX_BYTES + 1)
    try:
        if content.startswith(_GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as compressed:
                content = compressed.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise StateError(f"the state is longer than {MAX_BYTES >> 20} MiB, and was not read")
        return decode(content)
    except (OSError, EOFError, zlib.error):
        raise StateError("this is not a state: it is not a complete gzip file") from None
    except ValueError as error:
        raise StateError(f"this is not what `pulumi stack export` prints: {error}") from None


def read_settings(file: Path) -> SecretsProvider:
    """Read the secrets provider of a stack's settings file.

    Raises:
        StateError: the file cannot be read, or is not a settings file.
    """
    from iamcreds.state.secrets_provider import MAX_SETTINGS, parse_settings  # noqa: PLC0415 - YAML is slow to import

    try:
        with file.open("rb") as opened:
            return parse_settings(opened.read(MAX_SETTINGS + 1))
    except OSError as error:
        raise StateError(f"the settings file {file} cannot be read: {error.strerror}") from None


def refuse_foreign_code(checked: CheckedState) -> None:
    """End with exit code 2 where a state holds code that is not ours, after telling all of it."""
    for code in checked.foreign:
        click.echo(f"foreign: {_show(code.urn) or '(beside the resources)'}: {_show(code.reason)}")
    if checked.foreign:
        click.echo("Do not run anything on this state before you know who wrote it.", err=True)
        raise click.exceptions.Exit(FOUND)


def _show(text: str) -> str:
    return shorten(escape_invisible(text))
