"""The limit of the removals of one preview; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from iamcreds.errors import PreviewError

if TYPE_CHECKING:
    from iamcreds.pull_request.changes import Changes

_SHARE = re.compile(r"(100|\d{1,2}(?:\.\d{1,3})?)%")
_NUMBER = re.compile(r"\d{1,9}")
_HUNDRED = 100
_SHARE_AT_LEAST = 10
"""Of fewer credentials than this, one is too large a share to say anything, unless the user says otherwise."""


@dataclass(frozen=True)
class Gate:
    """How many removals may be, as a share in percent or a number, where a stack has `at_least` credentials.

    An IAM user whom the stack has made counts as one more. A share is of everything that may count as a removal: the
    stack's credentials and users, and the unmanaged credentials that the preview removes.
    """

    percent: Decimal | None
    number: int | None
    at_least: int

    def find_excess(self, changes: Changes) -> str | None:
        """Return how far the removals exceed the limit, as a clause, or None.

        Raises:
            PreviewError: the preview does not show how many credentials there are.
        """
        if changes.credential_count is None:
            raise PreviewError(
                "the preview does not list every resource of the stack, so nobody can say how large a share it removes:"
                " make it without `--target`, with refresh or with `--show-sames`"
            )
        stack, unmanaged = changes.credential_count + changes.user_count, changes.unmanaged_removals
        had = stack + unmanaged
        if stack < self.at_least or not self._is_excess(changes.removals, had):
            return None
        share = f" ({Decimal(changes.removals * _HUNDRED) / had:.0f}%)" if had else ""
        what = "credentials and IAM users" if changes.user_count else "credentials"
        origin = f", {unmanaged:,} of them unmanaged," if unmanaged else ""
        limit = f"{self.percent}%" if self.percent is not None else str(self.number)
        return (
            f"{changes.removals:,} of {had:,} {what}{share}{origin} would be deleted, replaced, reset or"
            f" switched off, and at most {limit} may be"
        )

    def _is_excess(self, removals: int, had: int) -> bool:
        if self.percent is not None:
            return removals * _HUNDRED > self.percent * had
        return removals > (self.number or 0)


def parse_limit(limit: str, at_least: int | None) -> Gate:
    """Read a limit such as `30%` or `12` as a gate.

    A share looks at stacks of ten and more credentials unless told otherwise, a number at every stack.

    Raises:
        ValueError: the limit is neither.
    """
    share = _SHARE.fullmatch(limit)
    if share:
        return Gate(Decimal(share[1]), None, _SHARE_AT_LEAST if at_least is None else at_least)
    if _NUMBER.fullmatch(limit):
        return Gate(None, int(limit), at_least or 0)
    raise ValueError(f"{limit!r} is neither a share such as 30% nor a number such as 12")
