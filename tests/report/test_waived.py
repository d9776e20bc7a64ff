"""Waived differences in every output format: listed with reason, date and source location, and not counted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from iamcreds.desired import Waiver
from iamcreds.drift.waivers import WaivedDifference
from iamcreds.model import SourceLocation
from iamcreds.report.json_document import build_document
from iamcreds.report.markdown import MAX_LENGTH, format_markdown
from iamcreds.report.message import write_message
from iamcreds.report.sarif.differences import format_drift
from iamcreds.report.summary import summarize
from iamcreds.report.terminal import print_coloured
from iamcreds.report.text import format_text
from tests.report.test_sarif import CHECKOUT, WHOLE, fingerprints_of, read
from tests.report.test_text import DRIFT, LIVE, MISSING, OLD

PLACE = SourceLocation("specs/jane.yaml", 7, 13)
WAIVER = Waiver("access-key-too-old", "the vendor supports no rotation", datetime(2027, 1, 31, tzinfo=UTC), PLACE)
BOTH = replace(DRIFT, differences=(MISSING,), waived=(WaivedDifference(OLD, WAIVER),))
ALL = replace(BOTH, differences=())


def test_summary() -> None:
    """The summary counts waived differences last, and is clean if no other one exists."""
    assert summarize(BOTH) == "1 drifted, 1 waived in account 123456789012"
    assert summarize(ALL) == "no differences, 1 waived in account 123456789012"
    many = replace(ALL, waived=ALL.waived * 1_200)
    assert summarize(many) == "no differences, 1,200 waived in account 123456789012"


def test_text() -> None:
    """A waived difference is listed after the others, with its waiver in place of the next step."""
    lines = format_text(BOTH).splitlines()
    assert lines[1:5] == [
        "    next: pulumi up",
        "jane: access key AKIA0 is older than 90 days: created on 2026-01-01 [access-key-too-old]",
        "    waived until 2027-01-31 (specs/jane.yaml:7:13): the vendor supports no rotation",
        next(line for line in lines if line.startswith(summarize(BOTH))),
    ]


def test_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal, waived differences have a heading of their own."""
    monkeypatch.setenv("COLUMNS", "200")
    print_coloured(BOTH)
    lines = capsys.readouterr().out.splitlines()
    start = lines.index("Waived (1)")
    assert lines[start + 1].startswith("  jane access key AKIA0 is older than 90 days")
    assert lines[start + 2] == "      waived until 2027-01-31 (specs/jane.yaml:7:13): the vendor supports no rotation"
    assert "Findings (1)" not in lines


def test_json() -> None:
    """The document has waived differences in a list of their own, each with its waiver, and counts none of them."""
    document = build_document(ALL)
    (account,) = document["accounts"]
    assert (document["clean"], account["clean"], account["differences"]) == (True, True, [])
    assert set(account["counts"].values()) == {0}
    (waived,) = account["waived"]
    waiver = waived.pop("waiver")
    assert waived == build_document(replace(DRIFT, differences=(OLD,)))["accounts"][0]["differences"][0]
    assert waiver == {
        "reason": "the vendor supports no rotation",
        "until": "2027-01-31T00:00:00+00:00",
        "place": {"file": "specs/jane.yaml", "line": 7, "column": 13},
    }


def test_markdown() -> None:
    """An issue has a table of waived differences, which the counts exclude."""
    lines = format_markdown(BOTH).splitlines()
    assert lines[1] == "## 1 drifted, 1 waived in account 123456789012"
    assert "| Findings | 0 |" in lines
    start = lines.index("### Waived (1)")
    assert lines[start + 2] == "| User | Difference | Waived at | Until | Reason | Rule |"
    assert lines[start + 4].endswith(
        "| `specs/jane.yaml:7:13` | `2027-01-31` | the vendor supports no rotation | `access-key-too-old` |"
    )
    assert "\n- Rules: access-key-too-old, missing-credential\n" in format_markdown(BOTH)
    assert "Waived" not in format_markdown(DRIFT)


def test_markdown_fits() -> None:
    """Waived differences do not displace others, and omitted rows are counted."""
    missing = tuple(replace(MISSING, user=f"user-{number}") for number in range(100))
    many = replace(BOTH, differences=missing, waived=BOTH.waived * 5_000)
    text = format_markdown(many)
    assert MAX_LENGTH * 0.9 < len(text) <= MAX_LENGTH
    assert text.count("| `missing-credential` |") == 100
    (cut,) = re.findall(r"\*([0-9,]+) of 5,000 are not shown", text)
    assert int(cut.replace(",", "")) + text.count("| `access-key-too-old` |") == 5_000


def test_sarif() -> None:
    """A waived difference is a suppressed result of the lowest level, and keeps its fingerprint."""
    run = read(format_drift(BOTH, WHOLE, CHECKOUT))
    missing, old = run["results"]
    assert ("suppressions" in missing, old["level"]) == (False, "note")
    assert old["message"]["text"].endswith(
        ". Until 2027-01-31, it is waived: the vendor supports no rotation"
    )  # fmt: skip
    uri = {"uri": "accounts/prod/specs/jane.yaml", "uriBaseId": "%SRCROOT%"}
    region = {"startLine": 7, "startColumn": 13}
    assert old["suppressions"] == [
        {
            "kind": "inSource",
            "status": "accepted",
            "justification": "the vendor supports no rotation",
            "location": {"physicalLocation": {"artifactLocation": uri, "region": region}},
        }
    ]
    counted = read(format_drift(replace(DRIFT, differences=(MISSING, OLD)), WHOLE, CHECKOUT))
    assert fingerprints_of(run) == fingerprints_of(counted)


def test_message() -> None:
    """A notification has the number of waived differences, and does not list them."""
    title, body = write_message(BOTH)
    assert title == "iamcreds: 1 drifted, 1 waived in account 123456789012"
    assert "\nWaived, and not listed: 1." in body
    assert "AKIA0" not in body
    assert "Waived" not in write_message(DRIFT)[1]


@pytest.mark.parametrize("reason", ["[x](https://evil.example)", "a|b `c` <b>", "first\n::error::second", "\u202ex"])
def test_hostile_reason(reason: str) -> None:
    """A program reads the exact reason from JSON, and SARIF has no link of it."""
    hostile = replace(ALL, waived=(WaivedDifference(OLD, replace(WAIVER, reason=reason)),))
    document = json.loads(json.dumps(build_document(hostile)))
    assert document["accounts"][0]["waived"][0]["waiver"]["reason"] == reason
    assert "](" not in format_drift(hostile, WHOLE, CHECKOUT)
    assert LIVE.id not in format_text(hostile)
