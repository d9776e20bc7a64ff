"""Counted steps of a backtracking search: the work of Python's `re`, independent of the machine and its load.

The static checker regexploit misses quadratic patterns and cannot read possessive repeats.
"""

from __future__ import annotations

import itertools
import re
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_CATEGORIES = {
    op.CATEGORY_DIGIT: r"\d",
    op.CATEGORY_SPACE: r"\s",
    op.CATEGORY_NOT_SPACE: r"\S",
    op.CATEGORY_WORD: r"\w",
}


class TooManyStepsError(Exception):
    """A search needs more than the allowed number of steps."""


class Search:
    """A search of one pattern in one text, in the order of the engine of `re`.

    Attributes:
        steps: how many elements of the pattern were compared so far.
    """

    def __init__(self, pattern: str, flags: re.RegexFlag, text: str, most_steps: int) -> None:
        self._parsed = _parser.parse(pattern, flags)
        self._is_multiline = bool(flags & re.MULTILINE)
        self._ascii = flags & re.ASCII
        self._text = text
        self._most_steps = most_steps
        self.steps = 0

    def fullmatch(self) -> bool:
        """Return True if the whole text matches."""
        return any(end == len(self._text) for end in self._match(self._parsed, 0, 0))

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield start and end of each match, as `finditer` does."""
        start, was_empty = 0, False
        while start <= len(self._text):
            ends = self._match(self._parsed, 0, start)
            end = next((end for end in ends if end > start or not was_empty), None)
            was_empty = end == start
            if end is not None:
                yield start, end
            start = start + 1 if end is None else end

    def _match(self, elements: Any, index: int, start: int) -> Iterator[int]:  # noqa: ANN401 - a parsed pattern
        if index == len(elements):
            yield start
            return
        code, argument = elements[index]
        for end in self._match_element(code, argument, start):
            yield from self._match(elements, index + 1, end)

    def _match_element(self, code: Any, argument: Any, start: int) -> Iterator[int]:  # noqa: ANN401 - same
        self._count_step()
        match code:
            case op.MAX_REPEAT:
                yield from self._repeat(argument, start)
            case op.POSSESSIVE_REPEAT:
                yield from itertools.islice(self._repeat(argument, start), 1)
            case op.SUBPATTERN:
                yield from self._match(argument[-1], 0, start)
            case op.BRANCH:
                for branch in argument[1]:
                    yield from self._match(branch, 0, start)
            case op.ASSERT | op.ASSERT_NOT:
                is_true = self._looks_at(argument, start)
                yield from [start] if is_true == (code is op.ASSERT) else []
            case op.AT:
                yield from [start] if self._is_at(argument, start) else []
            case _:
                if start < len(self._text) and self._accepts(code, argument, self._text[start]):
                    yield start + 1

    def _count_step(self) -> None:
        self.steps += 1
        if self.steps > self._most_steps:
            raise TooManyStepsError

    def _repeat(self, argument: Any, start: int) -> Iterator[int]:  # noqa: ANN401 - same
        least, most, body = argument
        if most > 0:
            for end in self._match(body, 0, start):
                if end > start:
                    yield from self._repeat((max(least - 1, 0), most - 1, body), end)
        if least == 0:
            yield start

    def _looks_at(self, argument: Any, start: int) -> bool:  # noqa: ANN401 - same
        direction, elements = argument
        begin = start if direction > 0 else start - elements.getwidth()[0]
        return begin >= 0 and any(True for _ in self._match(elements, 0, begin))

    def _is_at(self, where: Any, start: int) -> bool:  # noqa: ANN401 - same
        if where is op.AT_BEGINNING:
            return start == 0 or (self._is_multiline and self._text[start - 1] == "\n")
        assert where is op.AT_END
        rest = self._text[start:]
        return rest in {"", "\n"} or (self._is_multiline and rest.startswith("\n"))

    def _accepts(self, code: Any, argument: Any, character: str) -> bool:  # noqa: ANN401 - same
        match code:
            case op.LITERAL:
                return character == chr(argument)
            case op.NOT_LITERAL:
                return character != chr(argument)
            case op.ANY:
                return character != "\n"
            case op.RANGE:
                return bool(argument[0] <= ord(character) <= argument[1])
            case op.CATEGORY:
                return re.match(_CATEGORIES[argument], character, self._ascii) is not None
            case op.IN:
                is_negated = argument[0][0] is op.NEGATE
                return is_negated != any(self._accepts(code, item, character) for code, item in argument[is_negated:])
            case _:
                raise NotImplementedError(code)
