"""A new rule is one class: every output format and the documents include it without any other change."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from iamcreds.desired import Desired
from iamcreds.drift.comparing import Drift, list_rules
from iamcreds.drift.rules.difference import Difference, Kind, Values, Words
from iamcreds.report.html import render
from iamcreds.report.json_document import format_json
from iamcreds.report.markdown import format_markdown
from iamcreds.report.message import write_message
from iamcreds.report.openmetrics import format_openmetrics
from iamcreds.report.sarif.differences import format_drift
from iamcreds.report.sarif.document import Checkout
from iamcreds.report.summary import summarize
from iamcreds.report.terminal import print_coloured
from iamcreds.report.text import format_text
from tests.report.test_text import DRIFT, MISSING, PLACE
from tools.documents import parts

if TYPE_CHECKING:
    import pytest


def define_rule() -> type[Difference]:
    """Return a rule that iamcreds does not have: a user without MFA."""

    @dataclass(frozen=True, kw_only=True)
    class NoMfa(Difference):
        """The user has no MFA device."""

        rule = "no-mfa"
        meaning = "a user has no MFA device"
        kind = Kind.FINDING
        seriousness = 15

        def describe(self) -> Words:
            """Describe the missing device."""
            return Words("has no MFA device", "aws iam enable-mfa-device", "a device", "no device")

        def values(self) -> Values:
            """Return the number of devices."""
            return Values(1, {"devices": 1}, ())

    return NoMfa


def show(drift: Drift) -> dict[str, str]:
    """Return the output of a drift in every format."""
    checkout = Checkout(Path("/work"), Path("/work"))
    return {
        "text": format_text(drift),
        "json": format_json(drift),
        "markdown": format_markdown(drift),
        "sarif": format_drift(drift, PLACE, checkout),
        "html": render(drift, Desired()),
        "message": write_message(drift)[1],
    }


def assert_shown(rule: type[Difference]) -> None:
    """Assert that each output format and the documents have the rule's words, and its rank among other rules."""
    drift = replace(DRIFT, differences=(MISSING, rule(user="jane", location=PLACE)))
    forms = show(drift)
    assert {form for form, text in forms.items() if "has no MFA device" in text and "enable-mfa" in text} == set(forms)
    assert summarize(drift) == "1 drifted, 1 finding in account 123456789012"
    assert "specs/jane.yaml:4:9: jane: has no MFA device [no-mfa]\n    next: aws iam" in forms["text"]
    assert {"rule": "no-mfa", "desired": {"devices": 1}, "live": []}.items() <= (
        json.loads(forms["json"])["accounts"][0]["differences"][1].items()
    )
    assert "### Findings (1)" in forms["markdown"]
    (run,) = json.loads(forms["sarif"])["runs"]
    rules = {one["id"]: one["shortDescription"]["text"] for one in run["tool"]["driver"]["rules"]}
    assert (run["results"][1]["level"], rules["no-mfa"]) == ("warning", "A user has no MFA device.")
    assert forms["html"].index('href="#rule-no-mfa"') < forms["html"].index('href="#rule-missing-credential"')
    assert "<dd>a user has no MFA device</dd>" in forms["html"]
    assert "| `no-mfa` | a user has no MFA device |" in parts()["findings"]
    assert 'kind="finding",rule="no-mfa"} 1.0' in format_openmetrics(drift)


def test_new_rule_needs_no_other_change(capsys: pytest.CaptureFixture[str]) -> None:
    """A rule that only this test defines is in every output format, in the summary and in the documents."""
    print_coloured(replace(DRIFT, differences=(define_rule()(user="jane"),)))
    assert "Findings (1)\n  jane has no MFA device" in capsys.readouterr().out
    assert_shown(define_rule())
    gc.collect()  # classes are part of cycles, and other tests must not see this rule
    assert "no-mfa" not in {rule.rule for rule in list_rules()}
