"""Explanations of YAML syntax errors for the authors of specs.

A parser reports the position at which it stopped. The mistake is found in the text around this position.
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

BAD_ESCAPE = "invalid escape sequence in double quotes: use single quotes for a text with backslashes"
DIRECTIVE = 'a line that begins with "%" is a directive, and "%YAML 1.2" is the only supported one'

_FORBIDDEN = re.compile("[^\t\n\r -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_INDICATORS = frozenset(" :-,[]{}#\"'")
_CONFLICT = re.compile(r"(<{7}|={7}|>{7})( |$)")
_FIELD = re.compile(r"\s*(?:- +)*+(?P<key>[^\s:#][^:#]*): +(?P<value>[^\s#].*)")
_NO_SPACE = re.compile(r"\s*(?:- +)*[^\s:#]+:[^\s:]")


class Spot(NamedTuple):
    """A mark that a diagnosis creates."""

    line: int
    column: int


_Diagnosis: TypeAlias = "tuple[Mark, str] | None"


def find_forbidden_character(text: str) -> int | None:
    """Return the offset of the first forbidden character of a text, if there is one.

    Forbidden are characters that YAML does not allow, byte order marks, and line breaks of YAML 1.1 that no editor
    supports.
    """
    forbidden = _FORBIDDEN.search(text)
    return None if forbidden is None else forbidden.start()


def explain(error: MarkedYAMLError, text: str) -> tuple[Mark, str]:
    """Return the position of a syntax error, and a message with its correction."""
    failure = _Failure(error, text)
    parser_words = " ".join(f"{failure.problem or 'it is malformed'} {failure.context}".split())
    diagnoses = (diagnose(failure) for diagnose in _DIAGNOSES)
    mark, message = next(filter(None, diagnoses), (failure.mark, parser_words))
    return mark, message + name_look_alikes(failure.lines[mark.line], of=_INDICATORS)


class _Failure:
    """The error of a parser, with the text.

    Attributes:
        problem: the parser's description of the problem.
        context: the parser's description of the construct with the problem.
        mark: the position of the problem.
        start: the start of the construct.
        lines: the lines of the text, followed by an empty line.
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
        """The number of whitespace characters at the start of that line."""
        return len(self.line) - len(self.line.lstrip())

    @cached_property
    def is_at_the_end(self) -> bool:
        """True if only whitespace follows the mark."""
        return not any([self.line[self.mark.column :].strip(), *map(str.strip, self.lines[self.mark.line + 1 :])])

    def character(self, mark: Mark) -> str:
        """Return the character at a mark, empty at the end of a line."""
        return self.lines[mark.line][mark.column : mark.column + 1]

    @cached_property
    def line_before(self) -> int | None:
        """The number of the last line above that is neither blank nor a comment."""
        above = range(self.mark.line - 1, -1, -1)
        return next((number for number in above if self.lines[number].split("#")[0].strip()), None)


def _find_conflict(failure: _Failure) -> _Diagnosis:
    for number, line in enumerate(failure.lines):
        if _CONFLICT.match(line):
            return Spot(number, 0), "unresolved merge conflict: keep one of its sides, and remove its markers"
    return None


def _find_tab(failure: _Failure) -> _Diagnosis:
    column = failure.line[: failure.indentation].find("\t")
    if column >= 0:
        return Spot(failure.mark.line, column), "tabs are not allowed here: indent with spaces"
    return (failure.mark, "tabs are not allowed here: use spaces") if failure.character(failure.mark) == "\t" else None


def _find_quotes(failure: _Failure) -> _Diagnosis:
    if "quoted scalar" not in failure.context:
        return None
    if "escape" in failure.problem or "hexdecimal" in failure.problem:
        return failure.start, BAD_ESCAPE
    return failure.start, "the quote that opens here is not closed"


def _find_indicator(failure: _Failure) -> _Diagnosis:
    character = failure.character(failure.start)
    is_mark_of_yaml = character in {"*", "&", "!"} and "block" not in failure.context
    if is_mark_of_yaml or "cannot start any token" in failure.problem:
        return failure.start, f"text that begins with {quoted(character)} must be quoted"
    return None


def _find_directive(failure: _Failure) -> _Diagnosis:
    if "document start" in failure.problem:
        return failure.mark, "the document ends before this line, and a file contains one document only"
    return (failure.mark, DIRECTIVE) if failure.line.startswith("%") else None


def _find_colon(failure: _Failure) -> _Diagnosis:
    if failure.character(failure.mark) != ":":
        return None
    if "flow" in failure.context:
        return failure.mark, 'unexpected ":": put a comma between two fields, or quote a text that contains ": "'
    field = _FIELD.match(failure.line)
    if field is not None and field.start("value") < failure.mark.column:
        key, value = quoted(field["key"]).strip('"'), quoted(field["value"].rstrip())
        start = Spot(failure.mark.line, field.start("value"))
        return start, f'a text that contains ": " must be quoted: {key}: {value}'
    return _find_in_line_before(failure)


def _find_in_line_before(failure: _Failure) -> _Diagnosis:
    """Diagnose a key that the parser read as the next line of a text."""
    if failure.line_before is None:
        return None
    before = failure.lines[failure.line_before]
    content = Spot(failure.line_before, len(before) - len(before.lstrip()))
    if _NO_SPACE.match(before):
        return content, 'a space is missing after the ":" in this line'
    if _FIELD.match(before) is None:
        return content, 'a ":" is missing after the key in this line'
    message = "this line is indented deeper than the previous one, which already has a value: indent both equally"
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
        return failure.start, f"the {quoted(opened)} here is not closed"
    closing = {"[": "]", "{": "}"}[opened]
    since = f"line {failure.start.line + 1}, column {failure.start.column + 1}"
    return failure.mark, f'a comma is missing before this, or the "{closing}" that closes the "{opened}" at {since}'


def _find_block_text(failure: _Failure) -> _Diagnosis:
    if "block scalar" not in failure.context:
        return None
    return failure.start, f"only a comment can follow a {quoted(failure.character(failure.start))} in the same line"


def _find_layout(failure: _Failure) -> _Diagnosis:
    """Diagnose a line, or the rest of one, that does not belong to anything above it."""
    if "block" not in failure.context:
        return None
    if failure.mark.column > failure.indentation:
        return _find_in_rest_of_line(failure)
    if "collection" in failure.context:
        message = 'this line is not part of the list above: begin it with "- ", or indent it like the text after a dash'
    elif failure.line.lstrip().startswith("-"):
        message = "this line begins with a dash, and the entry above does not: begin both with a dash, or neither"
    else:
        message = "the indentation of this line does not match any line above that it could belong to"
    return failure.mark, message


def _find_in_rest_of_line(failure: _Failure) -> tuple[Mark, str]:
    character = failure.character(failure.mark)
    if character in {"]", "}"}:
        return failure.mark, f"unexpected {quoted(character)}: no bracket is open"
    if failure.line[: failure.mark.column].rstrip().endswith("'"):
        return failure.mark, "the quoted text ends before this: within single quotes, write ' twice"
    return failure.mark, "the value ends before this: if this is part of it, quote the whole value"


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
"""The diagnoses, in order of precedence."""
