"""The limits on the removals and rotations of a preview; pure."""

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
"""The default minimum stack size for a share, because one credential is a large share of a smaller stack."""


@dataclass(frozen=True)
class Gate:
    """The maximum removals or rotations, as a percentage or a number, for stacks with `at_least` credentials.

    Each IAM user of the stack counts like a credential. The percentage of removals is based on the stack's credentials
    and users and on the unmanaged credentials that the preview removes. That of rotations is based on the stack's
    credentials.
    """

    percent: Decimal | None
    number: int | None
    at_least: int

    def find_removals(self, changes: Changes) -> str | None:
        """Return a description of removals above the limit, or None.

        Raises:
            PreviewError: the number of credentials is unknown.
        """
        stack, unmanaged = _count_credentials(changes, "removals") + changes.user_count, changes.unmanaged_removals
        total = stack + unmanaged
        if stack < self.at_least or not self._is_excess(changes.removals, total):
            return None
        resources = "credentials and IAM users" if changes.user_count else "credentials"
        origin = f", {unmanaged:,} of them unmanaged," if unmanaged else ""
        return (
            f"{_describe_share(changes.removals, total, resources)}{origin} would be deleted, replaced, reset or"
            f" deactivated, but the limit is {self._limit}"
        )

    def find_rotations(self, changes: Changes) -> str | None:
        """Return a description of rotations above the limit, or None.

        Raises:
            PreviewError: the number of credentials is unknown.
        """
        total = _count_credentials(changes, "rotations")
        if total < self.at_least or not self._is_excess(changes.rotations, total):
            return None
        share = _describe_share(changes.rotations, total, "credentials")
        return f"{share} would be rotated, but the limit is {self._limit}"

    @property
    def _limit(self) -> str:
        return f"{self.percent}%" if self.percent is not None else str(self.number)

    def _is_excess(self, count: int, total: int) -> bool:
        if self.percent is not None:
            return count * _HUNDRED > self.percent * total
        return count > (self.number or 0)


def _count_credentials(changes: Changes, counted: str) -> int:
    if changes.credential_count is None:
        raise PreviewError(
            f"cannot compute the share of {counted}: the preview does not list every resource of the stack."
            " Run it without `--target`, with refresh or with `--show-sames`"
        )
    return changes.credential_count


def _describe_share(count: int, total: int, resources: str) -> str:
    share = f" ({Decimal(count * _HUNDRED) / total:.0f}%)" if total else ""
    return f"{count:,} of {total:,} {resources}{share}"


def parse_limit(limit: str, at_least: int | None) -> Gate:
    """Parse a limit such as `30%` or `12`.

    By default, a share applies to stacks of ten or more credentials, and a number to every stack.

    Raises:
        ValueError: the limit is neither.
    """
    share = _SHARE.fullmatch(limit)
    if share:
        return Gate(Decimal(share[1]), None, _SHARE_AT_LEAST if at_least is None else at_least)
    if _NUMBER.fullmatch(limit):
        return Gate(None, int(limit), at_least or 0)
    raise ValueError(f"{limit!r} is neither a share such as 30% nor a number such as 12")
