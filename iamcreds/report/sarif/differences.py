"""Drift as SARIF; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.drift.comparing import list_rules
from iamcreds.report.sarif.document import Result, format_sarif

if TYPE_CHECKING:
    from iamcreds.desired import Waiver
    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.rules.difference import Difference
    from iamcreds.model import SourceLocation
    from iamcreds.report.sarif.document import Checkout


def format_drift(drift: Drift, whole: SourceLocation, checkout: Checkout) -> str:
    """Return the document with every difference; `whole` is the location of one that the specs do not mention.

    Waived differences are suppressed results.
    """
    account = drift.inventory.account
    results = [
        *(_make_result(difference, account, whole) for difference in drift.differences),
        *(_suppress(_make_result(waived.difference, account, whole), waived.waiver) for waived in drift.waived),
    ]
    return format_sarif(results, _list_meanings(), "docs/drift.md", checkout)


def _suppress(result: Result, waiver: Waiver) -> Result:
    message = f"{result.message}. Until {waiver.until:%Y-%m-%d}, it is waived: {waiver.reason}"
    return replace(result, message=message, waiver=waiver)


def _list_meanings() -> dict[str, str]:
    """Return the meaning of every rule by its name, in the order of `ruleIndex`."""
    meanings = {rule.rule: rule.meaning for rule in list_rules()}
    # by name, except `no-longer-declared`, which keeps its former position so that documents stay the same
    return dict(sorted(meanings.items(), key=lambda item: item[0].replace("no-longer", "missing-no-longer")))


def _make_result(difference: Difference, account: str, whole: SourceLocation) -> Result:
    words = difference.describe()
    message = f"{difference.user}: {words.message}. Next: {words.next}"
    subject = (account, difference.kind.value, difference.user, difference.service, *difference.subject)
    return Result(difference.rule, difference.kind.severity, message, difference.location or whole, subject)
