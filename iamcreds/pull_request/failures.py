"""The errors of a preview that are not rejections; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from iamcreds.pull_request.changes import Plan, Refusal

HEAD = "`pulumi up` would refuse:"
"""The first line of the one error by which a preview with rejections fails."""
_LINE_AND_COLUMN = re.compile(r":\d+:\d+: ")


def find_failures(plan: Plan) -> list[str]:
    """Return the errors of a preview that are not rejections; with any of them the preview is incomplete.

    The program reports each rejection as one error, and the preview completes. Without `IAMCREDS_REJECTIONS=report`
    it lists all of them in one error and fails, and the engine plans no deletions: that error is a failure.
    """
    rejections = _format(plan.refusals)
    return [error for error in plan.errors if "\n" in error or rejections.isdisjoint(_list_sentences(error))]


def find_unreported(refusals: Iterable[Refusal], errors: Iterable[str]) -> list[Refusal]:
    """Return the rejections that no line of an error reports."""
    reported = {sentence for error in errors for line in error.split("\n") for sentence in _list_sentences(line)}
    return [refusal for refusal in refusals if reported.isdisjoint(_format([refusal]))]


def _format(refusals: Iterable[Refusal]) -> set[str]:
    """Return the sentences of rejections, as the provider and as the program reports them."""
    sentences = {str(refusal) for refusal in refusals}
    return sentences | set(map(escape_invisible, sentences))


def _list_sentences(line: str) -> Iterator[str]:
    """Return a line, and the line without what may be its source location."""
    yield line
    for position in _LINE_AND_COLUMN.finditer(line):
        yield line[position.end() :]
