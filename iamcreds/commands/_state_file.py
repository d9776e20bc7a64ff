"""Reads of a state and its settings file, and reports of unknown code, in `drift` and `state`."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import IO, TYPE_CHECKING, Any

import click

from iamcreds.commands._errors import FINDINGS
from iamcreds.errors import StateError
from iamcreds.state.export import read_export
from iamcreds.text.decoding import decode
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from iamcreds.model import StackExport
    from iamcreds.state.providers import CheckedState
    from iamcreds.state.secrets_provider import SecretsProvider

_GZIP = b"\x1f\x8b"
"""The first bytes of a gzip file (RFC 1952)."""

plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="NAME",
    help="Plugin that your own program needs in addition, such as aws; may be repeated.  [default: none]",
)


class StateFile(click.File):
    """The type of --state. A missing file is an error of the read, before which the specs are known."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - as click has it
        """Open the file."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            return _MissingFile(error.message)


class _MissingFile(io.BytesIO):
    """A file that cannot be read, with the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self._reason = reason

    def read(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002 - as io has it
        raise StateError(f"cannot read the state: {self._reason}")


def read_text(file: IO[bytes]) -> str:
    """Return the text of a state, which may be compressed with gzip, such as a backend's `.json.gz` file.

    Raises:
        StateError: it is too long, damaged, or not UTF-8.
    """
    from iamcreds.state.providers import MAX_BYTES  # noqa: PLC0415 - YAML is slow to import

    content = file.read(MAX_BYTES + 1)
    try:
        if content.startswith(_GZIP):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as compressed:
                content = compressed.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise StateError(f"cannot read the state: it is longer than {MAX_BYTES >> 20} MiB")
        return decode(content)
    except (OSError, EOFError, zlib.error):
        raise StateError("this is not a state: the gzip file is incomplete or damaged") from None
    except ValueError as error:
        raise StateError(f"this is not the output of `pulumi stack export`: {error}") from None


def read_recorded(file: IO[bytes], plugins: Sequence[str]) -> StackExport:
    """Return an exported state; if it has unknown code, report it and exit.

    Raises:
        StateError: it is not a state.
    """
    from iamcreds.state.providers import check_state  # noqa: PLC0415 - YAML is slow to import

    text = read_text(file)
    reject_unknown_code(check_state(text, plugins))
    return read_export(text)


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
        raise StateError(f"cannot read the settings file {file}: {error.strerror}") from None


def reject_unknown_code(checked: CheckedState) -> None:
    """If a state contains code of other programs than iamcreds, report all of it and exit with code 2."""
    for code in checked.unmanaged:
        click.echo(f"unknown code: {_show(code.urn) or '(outside of resources)'}: {_show(code.reason)}")
    if checked.unmanaged:
        click.echo("Do not run Pulumi on this state until you know who wrote it.", err=True)
        raise click.exceptions.Exit(FINDINGS)


def _show(text: str) -> str:
    return shorten(escape_invisible(text))
