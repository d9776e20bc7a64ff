"""The code and the commands in the sentences of the report; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMAND = re.compile(
    r"(?<!\S)(?:aws|iamcreds|pulumi)"
    r"(?: (?!(?:after|and|before|if|otherwise|or|then|to|unless|when|where|which)(?!\S))"
    r"(?:'[^']*'|[^\s',;]|[,;](?!\s|$))+)+"
)
"""A command in a next step: from the name of a program to a comma, a semicolon, a word of prose, or the end."""


def mark_code(sentence: str) -> Markup:
    """Return a sentence with the text between backticks as code."""
    parts = enumerate(escape_invisible(sentence).split("`"))
    return Markup().join(Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in parts)


def mark_step(step: str) -> Markup:
    """Return a next step with its commands as code, to which the script adds copy buttons."""
    return Markup().join(
        _format_code(part) if odd % 2 else Markup().join(_mark_commands(part))
        for odd, part in enumerate(escape_invisible(step).split("`"))
    )


def _mark_commands(prose: str) -> Iterator[Markup]:
    end = 0
    for command in _COMMAND.finditer(prose):
        yield escape(prose[end : command.start()])
        yield _format_code(command[0])
        end = command.end()
    yield escape(prose[end:])


def _format_code(text: str) -> Markup:
    kind = Markup(' class="command"') if _COMMAND.match(text) else Markup()
    return Markup("<code{}>{}</code>").format(kind, text)
