"""Problems of specs as SARIF; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iamcreds.report.sarif.document import Result, format_sarif
from iamcreds.specs.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iamcreds.model import Problem
    from iamcreds.report.sarif.document import Checkout

_LINES = re.compile(r":\d+:\d+|(?<=line )\d+|(?<=column )\d+")
"""Source locations in messages."""


def format_problems(problems: Iterable[Problem], checkout: Checkout) -> str:
    """Return the document with every problem."""
    results = (_make_result(problem, checkout) for problem in problems)
    return format_sarif(results, RULES, "docs/specs.md", checkout)


def _make_result(problem: Problem, checkout: Checkout) -> Result:
    """Identify a problem by its file and its message, without the source locations in the message."""
    subject = (checkout.locate(problem.location.file)["uri"], _LINES.sub("", problem.message))
    return Result(problem.rule, problem.severity, problem.message, problem.location, subject)
