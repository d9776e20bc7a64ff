"""Drift as coloured text at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from iamcreds.drift.rules.difference import Kind
from iamcreds.report.summary import TITLES, describe_limits, describe_scope, summarize
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift


def print_coloured(drift: Drift) -> None:
    """The text at a terminal: a heading for each kind, in a colour that can be read on black and on white."""
    console = Console(highlight=False)
    for kind in Kind:
        found = drift.by_kind(kind)
        if found:
            colour = "red" if kind is Kind.DRIFT else "magenta"
            console.print(Text(f"{TITLES[kind]} ({len(found):,})", style=f"bold {colour}"))
        for difference in found:
            place = "" if difference.place is None else f"  {difference.place}"
            words = difference.describe()
            user, message = escape_invisible(difference.user), escape_invisible(words.message)
            told = Text.assemble((user, "bold"), f" {message}  ", (f"[{difference.rule}]{place}", "dim"))
            _print_wrapped(console, told, indent=2)
            console.print(Text(escape_invisible(f"      next: {words.next}")), soft_wrap=True)  # to be copied
    _print_wrapped(console, Text.assemble((escape_invisible(summarize(drift)), "bold"), f": {describe_scope(drift)}"))
    for note in describe_limits(drift):
        _print_wrapped(console, Text(escape_invisible(f"note: {note}"), style="dim"))


def _print_wrapped(console: Console, text: Text, indent: int = 0) -> None:
    """Break a text between its words, so that no id is broken; what follows its first line stands further right."""
    further = indent + 2
    for number, line in enumerate(text.wrap(console, console.width - further)):
        line.rstrip()
        line.pad_left(further if number else indent)
        console.print(line, soft_wrap=True)
