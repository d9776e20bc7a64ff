"""Drift as SARIF; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.drift.differences import Kind, MissingCredential
from iamcreds.model import Severity
from iamcreds.report.advice import advise
from iamcreds.report.sarif.document import Result, format_sarif
from iamcreds.report.wording import RULES, describe

if TYPE_CHECKING:
    from iamcreds.drift.differences import Difference, Drift
    from iamcreds.model import Place
    from iamcreds.report.sarif.document import Checkout

SEVERITIES = {
    Kind.DRIFT: Severity.ERROR,
    Kind.UNMANAGED: Severity.WARNING,
    Kind.UNDECLARED: Severity.WARNING,
    Kind.FINDING: Severity.WARNING,
}


def format_drift(drift: Drift, whole: Place, checkout: Checkout) -> str:
    """The document with every difference; one of which the specs do not speak stands at `whole`."""
    account = drift.inventory.account
    results = (_make_result(difference, account, whole) for difference in drift.differences)
    return format_sarif(results, RULES, "docs/drift.md", checkout)


def _make_result(difference: Difference, account: str, whole: Place) -> Result:
    message = f"{difference.user}: {describe(difference).message}. Next: {advise(difference)}"
    subject = (account, difference.kind.value, difference.user, difference.service, *_name(difference))
    return Result(difference.rule, SEVERITIES[difference.kind], message, difference.place or whole, subject)


def _name(difference: Difference) -> tuple[str, ...]:
    """What tells a difference from another of its rule, user and service."""
    match difference:
        case MissingCredential(desired=desired):
            return tuple(wanted.name for wanted in desired)
        case _:
            return (difference.id,)
