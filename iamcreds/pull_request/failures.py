"""The errors of a preview that are not rejections; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.pull_request.changes import Changes, RejectedChange

HEAD = "`pulumi up` would reject:"
"""The first line of the error with which a preview with rejections fails."""
_LINE_AND_COLUMN = re.compile(r":\d+:\d+: ")


def find_failures(changes: Changes) -> list[str]:
    """Return the errors of a preview that are not rejections. If there are any, the preview is incomplete.

    With `IAMCREDS_REJECTIONS=report`, the program reports each rejection as one error, and the preview completes.
    Otherwise it fails with one error that lists all rejections, and the engine plans no deletions. This error is a
    failure.
    """
    rejections = _format(changes.rejections)
    return [error for error in changes.errors if "\n" in error or rejections.isdisjoint(_list_sentences(error))]


def find_unreported(rejections: Iterable[RejectedChange], errors: Iterable[str]) -> list[RejectedChange]:
    """Return the rejections that no line of an error reports."""
    reported = {sentence for error in errors for line in error.split("\n") for sentence in _list_sentences(line)}
    return [rejection for rejection in rejections if reported.isdisjoint(_format([rejection]))]


def _format(rejections: Iterable[RejectedChange]) -> set[str]:
    """Return the sentences with which the provider and the program report rejections."""
    sentences = set(map(str, rejections))
    return sentences | set(map(escape_invisible, sentences))


def _list_sentences(line: str) -> Iterator[str]:
    """Yield the line, and the line without each possible source location."""
    yield line
    for position in _LINE_AND_COLUMN.finditer(line):
        yield line[position.end() :]
