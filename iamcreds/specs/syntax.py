"""Why a text is not YAML, for those who wrote it and not for those who write parsers.

A parser says where it could not go on; what was done wrong is found by looking at the text around that place.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from iamcreds.specs.look_alikes import name_look_alikes
from iamcreds.specs.nodes import quoted

if TYPE_CHECKING:
    from yaml import MarkedYAMLError

    from iamcreds.specs.nodes import Mark

BAD_ESCAPE = "in double quotes a backslash begins an escape, and one here stands for no character: use single quotes"
DIRECTIVE = 'a line that begins with "%" is a directive, and the only one with a meaning here is "%YAML 1.2"'

_FORBIDDEN = re.compile("[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INDICATORS = frozenset(" :-,[]{}#\"'")
_CONFLICT = re.compile(r"(<{7}|={7}|>{7})( |$)")
_FIELD = re.compile(r"\s*(?:- +)*+(?P<key>[^\s:#][^:#]*): +(?P<value>[^\s#].*)")
_NO_SPACE = re.compile(r"\s*(?:- +)*[^\s:#]+:[^\s:]")


class Spot(NamedTuple):
    """A mark of our own."""

    line: int
    column: int


_Diagnosis: TypeAlias = "tuple[Mark, str] | None"


def find_forbidden_character(text: str) -> int | None:
    """The offset of the first character that may not stand in a text, if there is one.

    Those are what YAML does not allow, byte order marks, and the line breaks that only YAML 1.1 and no editor knows.
    """
    found = _FORBIDDEN.search(text)
    return None if found is None else found.start()


def explain(error: MarkedYAMLError, text: str) -> tuple[Mark, str]:
    """Where a text ceases to be YAML, and what to do about it."""
    failure = _Failure(error, text)
    parser_words = " ".join(f"{failure.problem or 'it is malformed'} {failure.context}".split())
    diagnoses = (diagnose(failure) for diagnose in _DIAGNOSES)
    mark, message = next(filter(None, diagnoses), (failure.mark, parser_words))
    return mark, message + name_look_alikes(failure.lines[mark.line], of=_INDICATORS)


class _Failure:
    """What a parser said of a text.

    Attributes:
        problem: what it came upon, in its words.
        context: what it was reading then, in its words.
        mark: where it came upon that.
        start: where what it was reading begins.
        lines: the lines of the text, and an empty one after them.
    """

    def __init__(self, error: MarkedYAMLError, text: str) -> None:
        self.problem = error.problem or ""
        self.context = error.context or ""
        self.mark: Mark = error.problem_mark or error.context_mark or Spot(0, 0)
        self.start: Mark = error.context_mark or self.mark
        self.lines = [*re.split("\r\n|\r|\n", text), ""]

    @cached_property
    def line(self) -> str:
        """The line of the mark."""
        return self.lines[self.mark.line]

    @cached_property
    def indentation(self) -> int:
        """How many blanks that line begins with."""
        return len(self.line) - len(self.line.lstrip())

    @cached_property
    def is_at_the_end(self) -> bool:
        """Whether nothing follows the mark."""
        return not any([self.line[self.mark.column :].strip(), *map(str.strip, self.lines[self.mark.line + 1 :])])

    def character(self, mark: Mark) -> str:
        """The character at a mark, or nothing at the end of a line."""
        return self.lines[mark.line][mark.column : mark.column + 1]

    @cached_property
    def line_before(self) -> int | None:
        """The number of the last line above that is neither blank nor a comment."""
        above = range(self.mark.line - 1, -1, -1)
        return next((number for number in above if self.lines[number].split("#")[0].strip()), None)


def _find_conflict(failure: _Failure) -> _Diagnosis:
    for number, line in enumerate(failure.lines):
        if _CONFLICT.match(line):
            return Spot(number, 0), "a merge conflict is left here: keep one of its sides, and take its marks out"
    return None


def _find_tab(failure: _Failure) -> _Diagnosis:
    column = failure.line[: failure.indentation].find("\t")
    if column >= 0:
        return Spot(failure.mark.line, column), "there is a tab here: indent with spaces"
    return (failure.mark, "there is a tab here: use spaces") if failure.character(failure.mark) == "\t" else None


def _find_quotes(failure: _Failure) -> _Diagnosis:
    if "quoted scalar" not in failure.context:
        return None
    if "escape" in failure.problem or "hexdecimal" in failure.problem:
        return failure.start, BAD_ESCAPE
    return failure.start, "the quote that opens here is never closed"


def _find_indicator(failure: _Failure) -> _Diagnosis:
    character = failure.character(failure.start)
    is_mark_of_yaml = character in {"*", "&", "!"} and "block" not in failure.context
    if is_mark_of_yaml or "cannot start any token" in failure.problem:
        return failure.start, f"what begins with {quoted(character)} must be quoted"
    return None


def _find_directive(failure: _Failure) -> _Diagnosis:
    if "document start" in failure.problem:
        return failure.mark, "the document has ended before this, and a file holds one"
    return (failure.mark, DIRECTIVE) if failure.line.startswith("%") else None


def _find_colon(failure: _Failure) -> _Diagnosis:
    if failure.character(failure.mark) != ":":
        return None
    if "flow" in failure.context:
        return failure.mark, 'a ":" too many: put a comma between two fields, or quote a text that has ": " in it'
    field = _FIELD.match(failure.line)
    if field is not None and field.start("value") < failure.mark.column:
        key, value = quoted(field["key"]).strip('"'), quoted(field["value"].rstrip())
        start = Spot(failure.mark.line, field.start("value"))
        return start, f'a text that has ": " in it must be quoted: {key}: {value}'
    return _find_in_line_before(failure)


def _find_in_line_before(failure: _Failure) -> _Diagnosis:
    """A key that is taken for the next line of a text."""
    if failure.line_before is None:
        return None
    before = failure.lines[failure.line_before]
    content = Spot(failure.line_before, len(before) - len(before.lstrip()))
    if _NO_SPACE.match(before):
        return content, 'a space is missing after the ":" of this line'
    if _FIELD.match(before) is None:
        return content, 'a ":" is missing after the key of this line'
    message = "this line is indented deeper than the one before, which has a value already: indent both alike"
    return Spot(failure.mark.line, failure.indentation), message


def _find_key(failure: _Failure) -> _Diagnosis:
    return (failure.start, 'a ":" is missing after this key') if "find expected ':'" in failure.problem else None


def _find_bracket(failure: _Failure) -> _Diagnosis:
    if "flow" not in failure.context:
        return None
    opened = failure.character(failure.start)
    if opened not in {"[", "{"}:
        return failure.mark, "a value or a closing bracket is missing here"
    if failure.is_at_the_end:
        return failure.start, f"the {quoted(opened)} here is never closed"
    closing = {"[": "]", "{": "}"}[opened]
    since = f"line {failure.start.line + 1}, column {failure.start.column + 1}"
    return failure.mark, f'a comma, or the "{closing}" to the "{opened}" of {since}, is missing before this'


def _find_block_text(failure: _Failure) -> _Diagnosis:
    if "block scalar" not in failure.context:
        return None
    return failure.start, f"only a comment may follow a {quoted(failure.character(failure.start))} in its line"


def _find_layout(failure: _Failure) -> _Diagnosis:
    """A line, or the rest of one, that belongs to nothing above."""
    if "block" not in failure.context:
        return None
    if failure.mark.column > failure.indentation:
        return _find_in_rest_of_line(failure)
    if "collection" in failure.context:
        message = 'this belongs to no item of the list above: begin it with "- ", or indent it as what follows a dash'
    elif failure.line.lstrip().startswith("-"):
        message = "a dash begins an item of a list, and what stands above is none: give all of them a dash, or none"
    else:
        message = "this line is indented like none of those above that it could belong to"
    return failure.mark, message


def _find_in_rest_of_line(failure: _Failure) -> tuple[Mark, str]:
    character = failure.character(failure.mark)
    if character in {"]", "}"}:
        return failure.mark, f"there is one {quoted(character)} too many"
    if failure.line[: failure.mark.column].rstrip().endswith("'"):
        return failure.mark, "the quoted text has ended before this: a ' within single quotes is written twice"
    return failure.mark, "the value has ended before this: if this belongs to it, quote the whole value"


_DIAGNOSES = (
    _find_conflict,
    _find_tab,
    _find_quotes,
    _find_indicator,
    _find_directive,
    _find_colon,
    _find_key,
    _find_bracket,
    _find_block_text,
    _find_layout,
)
"""What is looked for, in this order: the first that is found is told."""
