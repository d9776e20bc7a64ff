"""Drift as coloured text at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from iamcreds.drift.rules.difference import Kind
from iamcreds.drift.waivers import describe_waiver
from iamcreds.report.summary import TITLES, WAIVED_TITLE, describe_limits, describe_scope, summarize
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.rules.difference import Difference


def print_coloured(drift: Drift) -> None:
    """Print the text with a heading for each kind, in colours that are readable on black and on white."""
    console = Console(highlight=False)
    for kind in Kind:
        differences = drift.by_kind(kind)
        if differences:
            colour = "red" if kind is Kind.DRIFT else "magenta"
            console.print(Text(f"{TITLES[kind]} ({len(differences):,})", style=f"bold {colour}"))
        for difference in differences:
            _print_difference(console, difference)
            step = escape_invisible(f"      next: {difference.describe().next}")
            console.print(Text(step), soft_wrap=True)  # one line to copy
    if drift.waived:
        console.print(Text(f"{WAIVED_TITLE} ({len(drift.waived):,})", style="bold"))
    for waived in drift.waived:
        _print_difference(console, waived.difference)
        _print_wrapped(console, Text(escape_invisible(describe_waiver(waived.waiver))), indent=6)
    _print_wrapped(console, Text.assemble((escape_invisible(summarize(drift)), "bold"), f": {describe_scope(drift)}"))
    for note in describe_limits(drift):
        _print_wrapped(console, Text(escape_invisible(f"note: {note}"), style="dim"))


def _print_difference(console: Console, difference: Difference) -> None:
    location = "" if difference.location is None else f"  {difference.location}"
    user, message = escape_invisible(difference.user), escape_invisible(difference.describe().message)
    line = Text.assemble((user, "bold"), f" {message}  ", (f"[{difference.rule}]{location}", "dim"))
    _print_wrapped(console, line, indent=2)


def _print_wrapped(console: Console, text: Text, indent: int = 0) -> None:
    """Wrap a text between words, so that ids stay in one piece; all lines after the first are indented further."""
    further = indent + 2
    for number, line in enumerate(text.wrap(console, console.width - further)):
        line.rstrip()
        line.pad_left(further if number else indent)
        console.print(line, soft_wrap=True)
