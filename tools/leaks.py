"""The engine's own switches that have it write down what it tells providers, passwords included, in clear text.

The one list of them: the documents show it, and a test on the real engine proves each entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Switch:
    """A switch of `pulumi`: how it is written, what it does, and how to turn it on; `{file}` stands for a file.

    `is_clean` says that the engine which `make` builds writes no password down by it, other than an older one.
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
        " everybody may read (3.259.0; clean on 3.274.1)",
        ("-v=9",),
        is_clean=True,
    ),
    Switch("pulumi --tracing=file:F", "writes them to a file that everybody may read", ("--tracing=file:{file}",)),
    Switch("PULUMI_DEBUG_GRPC=F", "writes them to a file", variables={"PULUMI_DEBUG_GRPC": "{file}"}),
)
"""Measured on engines 3.259.0 and 3.274.1."""
