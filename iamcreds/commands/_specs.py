"""Loading of specs for commands that compare them with the account or narrow a policy to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from iamcreds.model import Desired


def load_specs(specs: Path, *, allow_empty: bool) -> Desired:
    """What the specs say; warnings go to standard error.

    Raises:
        SpecsError: with every problem.
    """
    from iamcreds.specs import load  # noqa: PLC0415 - YAML and JSON Schema are slow to import

    desired = load(specs, allow_empty=allow_empty)
    for warning in desired.warnings:
        click.echo(str(warning), err=True)
    return desired
