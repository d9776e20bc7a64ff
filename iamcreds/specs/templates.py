"""Unrendered placeholders of template languages in specs (Jinja, Helm, shell); pure.

A placeholder is not valid YAML, or not a valid value of its field, so it would cause problems of several kinds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iamcreds.model import Problem, SourceLocation
from iamcreds.specs.nodes import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RULE = "template-placeholder"

_PLACEHOLDER = re.compile(r"\{\{[^{}\n]*\}\}|\{%[^%\n]*%\}|\$\{[^{}\n]*\}|<no value>|<nil>")
_CONTROL = re.compile(r"\{%|\{\{-? *(?:/\*|(?:block|define|else|end|if|range|with|\$\w+ :?=)(?!\w))")
_COMMENT = re.compile(r"(?:^|(?<=\s))#")
_STAND_INS = range(0xE000, 0xF900)
"""Unicode's characters for private use, which YAML allows in plain text."""


def mask(file: str, text: str) -> tuple[str, tuple[Problem, ...]]:
    """Replace the placeholders of a text so that it can be parsed, and return a problem for each of them.

    Each placeholder becomes a different stand-in, repeated, so source locations do not change. A line of control
    statements becomes a comment. Comments, and placeholders for which no stand-in is left, do not change.
    """
    if _PLACEHOLDER.search(text) is None:
        return text, ()
    masking = _Masking(file)
    masked = [masking.mask_line(number, line) for number, line in enumerate(text.split("\n"), 1)]
    return "\n".join(masked), tuple(masking.problems)


class _Masking:
    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._stand_ins = map(chr, _STAND_INS)

    def mask_line(self, number: int, line: str) -> str:
        comment = _COMMENT.search(line)
        end = len(line) if comment is None else comment.start()
        content = line[:end]
        is_control = _CONTROL.match(content.lstrip()) and not _PLACEHOLDER.sub("", content).strip()

        def mask_one(placeholder: re.Match[str]) -> str:
            stand_in = "#" if is_control else next(self._stand_ins, None)
            if stand_in is None:
                return placeholder[0]
            message = f"{quoted(placeholder[0])} is a template placeholder: render the template first"
            self.problems.append(Problem(SourceLocation(self._file, number, placeholder.start() + 1), message, RULE))
            return stand_in * len(placeholder[0])

        return _PLACEHOLDER.sub(mask_one, content) + line[end:]


def drop_consequences(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems, except those in a line with a placeholder, which may be their cause."""
    problems = tuple(problems)
    lines = {(problem.location.file, problem.location.line) for problem in problems if problem.rule == RULE}
    return (
        problem
        for problem in problems
        if problem.rule == RULE or (problem.location.file, problem.location.line) not in lines
    )
