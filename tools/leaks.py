"""Options of the engine that write the data of providers to files, including passwords in clear text.

This is the only list of them: the documents include it, and a test with the real engine verifies each entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Switch:
    """An option of `pulumi`: its name, its effect, and the arguments or variables that enable it; `{file}` is a file.

    `is_clean` means that with this option the engine that `make` builds writes no password, unlike an older one.
    """

    written: str
    does: str
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    is_clean: bool = False


SWITCHES = (
    Switch(
        "pulumi -v=9",
        "writes every property to standard error or, without `--logtostderr`, to files in the temporary folder that"
        " every user can read. Pulumi 3.274.1 no longer does this",
        ("-v=9",),
        is_clean=True,
    ),
    Switch("pulumi --tracing=file:F", "writes them to a file that every user can read", ("--tracing=file:{file}",)),
    Switch("PULUMI_DEBUG_GRPC=F", "writes them to a file", variables={"PULUMI_DEBUG_GRPC": "{file}"}),
)
"""Measured on engines 3.259.0 and 3.274.1."""
