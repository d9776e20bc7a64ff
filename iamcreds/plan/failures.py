"""The errors of a preview that are not rejections; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iamcreds.plan.changes import Plan, Refusal

_HEAD = "`pulumi up` would refuse:"
_LOCATION = re.compile(r"[^:\n]+:\d+:\d+: ?")
_CONSEQUENCE = "an unhandled error occurred: program exited with non-zero exit code: 1"
"""The engine's own error after the program has reported the rejections as its error."""


def find_failures(plan: Plan) -> list[str]:
    """Return the errors of a preview that are not rejections; with any of them the preview is incomplete."""
    others = [error for error in plan.errors if not _is_rejection(error, plan.refusals)]
    is_raised = any(error.startswith(_HEAD) for error in plan.errors if error not in others)
    return [error for error in others if not (is_raised and error == _CONSEQUENCE)]


def _is_rejection(error: str, refusals: Sequence[Refusal]) -> bool:
    """Return True if an error consists of rejections, each with or without its source location."""
    rest = error
    for text in sorted(map(str, refusals), key=len, reverse=True):
        rest = rest.replace(text, "")
    return rest != error and all(line in ("", _HEAD) or _LOCATION.fullmatch(line) for line in rest.split("\n"))
