"""Placeholders of template languages that are left in specs: Jinja, Helm, shell; pure.

A placeholder is not YAML, or not valid where it stands, so it would cause problems of several kinds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iamcreds.model import Place, Problem
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
    """Return a text that parses in spite of its placeholders, at the same locations, and a problem for each of them.

    A character of its own, repeated, stands in for each placeholder; a line of control statements becomes a comment.
    Comments stay, and so does the rest of a file with more placeholders than stand-ins.
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

        def mask_one(found: re.Match[str]) -> str:
            stand_in = "#" if is_control else next(self._stand_ins, None)
            if stand_in is None:
                return found[0]
            message = f"{quoted(found[0])} is a template placeholder: render the template first"
            self.problems.append(Problem(Place(self._file, number, found.start() + 1), message, RULE))
            return stand_in * len(found[0])

        return _PLACEHOLDER.sub(mask_one, content) + line[end:]


def drop_consequences(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield the problems without those that stand in a line with a placeholder, because it may cause them."""
    problems = tuple(problems)
    lines = {(problem.place.file, problem.place.line) for problem in problems if problem.rule == RULE}
    return (
        problem for problem in problems if problem.rule == RULE or (problem.place.file, problem.place.line) not in lines
    )
