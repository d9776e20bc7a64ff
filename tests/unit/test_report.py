"""Drift as text, JSON and Markdown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from iamcreds.model import Credential, CredentialReport, Drift, Finding, Inventory, Kind, Place, Status, User
from iamcreds.report import text as report
from iamcreds.services import Family

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVICE = "codecommit.amazonaws.com"
INVENTORY = Inventory(
    "123456789012",
    NOW,
    (User("jane", NOW),),
    (Credential("ACCA0", "jane", SERVICE, Status.ACTIVE, NOW, Family.PASSWORD, "jane-at-1"),),
    access_keys_read=("jane",),
    report=CredentialReport(NOW - timedelta(minutes=5)),
)
MISSING = Finding(
    "jane", "", "missing-credential", "codecommit credential spare is declared, and none is live", SERVICE, Kind.DRIFT,
    Place("specs/jane.yaml", 4, 9), "spare Active", "none",
)  # fmt: skip
OLD = Finding("jane", "AKIA0", "access-key-too-old", "access key AKIA0 is older than 90 days: created on 2026-01-01")
DRIFT = Drift(INVENTORY, (MISSING, OLD), users=1, credentials=2, watched=1, resets=3, notes=("3 reset triggers not",))


def test_text() -> None:
    """A finding is a line with its place first; the summary and the notes come last."""
    assert report.text(DRIFT).splitlines() == [
        "specs/jane.yaml:4:9: jane: codecommit credential spare is declared, and none is live [missing-credential]",
        "jane: access key AKIA0 is older than 90 days: created on 2026-01-01 [access-key-too-old]",
        f"{report.summary(DRIFT)}: {report.scope(DRIFT)}",
        "note: 3 reset triggers not",
    ]


def test_summary() -> None:
    """The summary counts each kind that there is, and the scope says what was compared."""
    assert report.summary(DRIFT) == "1 drifted, 1 finding in account 123456789012"
    assert report.summary(replace(DRIFT, findings=(OLD, OLD))) == "2 findings in account 123456789012"
    assert report.scope(DRIFT) == "compared 2 declared credentials of 1 user with 1 live one of 1 IAM user"


def test_text_of_nothing() -> None:
    """Where there is nothing, one line says so."""
    clean = replace(DRIFT, findings=(), notes=())
    assert report.text(clean).startswith("no drift and no findings in account 123456789012: compared 2 declared")


def test_json() -> None:
    """The JSON document has the shape that README describes, for good."""
    assert json.loads(report.as_json(DRIFT)) == {
        "version": 1,
        "account": "123456789012",
        "readAt": "2026-11-23T12:00:00+00:00",
        "clean": False,
        "counts": {"drift": 1, "unmanaged": 0, "undeclared": 0, "finding": 1},
        "declared": {"users": 1, "credentials": 2, "watchedUsers": 1},
        "live": {"users": 1, "credentials": 1},
        "accessKeys": {
            "usersRead": 1,
            "credentialReport": {"generated": "2026-11-23T11:55:00+00:00", "ageSeconds": 300},
        },
        "notChecked": {"resetTriggers": 3},
        "findings": [
            {
                "kind": "drift",
                "rule": "missing-credential",
                "user": "jane",
                "service": SERVICE,
                "id": None,
                "place": {"file": "specs/jane.yaml", "line": 4, "column": 9},
                "message": "codecommit credential spare is declared, and none is live",
                "desired": "spare Active",
                "live": "none",
            },
            {
                "kind": "finding",
                "rule": "access-key-too-old",
                "user": "jane",
                "service": None,
                "id": "AKIA0",
                "place": None,
                "message": "access key AKIA0 is older than 90 days: created on 2026-01-01",
                "desired": None,
                "live": None,
            },
        ],
        "notes": ["3 reset triggers not"],
    }


def test_json_without_report() -> None:
    """Where no credential report was used, the document says null."""
    drift = replace(DRIFT, inventory=replace(INVENTORY, report=None))
    assert report.document(drift)["accessKeys"] == {"usersRead": 1, "credentialReport": None}


def test_markdown() -> None:
    """An issue has a marker, a headline, counts, a table of each kind that there is, and folded details."""
    text = report.markdown(DRIFT)
    lines = text.splitlines()
    assert lines[:2] == [report.MARKER, "## 1 drifted, 1 finding in account 123456789012"]
    assert "| Credentials of users nobody declared | 0 |" in lines
    assert [line for line in lines if line.startswith("###")] == ["### Drift (1)", "### Findings (1)"]
    assert (
        "| jane | codecommit credential spare is declared, and none is live | specs/jane.yaml:4:9 | spare Active"
        " | none | `missing-credential` |"
    ) in lines
    assert text.endswith(
        "<details><summary>What was looked at, and what was not</summary>\n\n"
        "- Read at 2026-11-23 12:00 UTC\n"
        "- 3 reset triggers not\n"
        "- Rules: access-key-too-old, missing-credential\n\n"
        "</details>\n"
    )


def test_markdown_mentions_nobody() -> None:
    """Names that Markdown, HTML or GitHub would take for something else are shown as they are."""
    wild = replace(OLD, user="_a*@team", message="<b>|`x` #12\nnext")
    row = next(line for line in report.markdown(replace(DRIFT, findings=(wild,))).splitlines() if "team" in line)
    assert row.startswith(r"| \_a\*&#64;team | &lt;b&gt;\|\`x\` &#35;12\\nnext |")


@pytest.mark.parametrize("limit", [report.LIMIT, 5_000])
def test_markdown_fits(limit: int) -> None:
    """However much there is, it fits, keeps every heading and the details, and counts what was cut."""
    many = tuple(replace(MISSING, user=f"user-{number}") for number in range(5_000))
    more = tuple(replace(OLD, user=f"user-{number}") for number in range(300))
    text = report.markdown(replace(DRIFT, findings=(*many, *more)), limit)
    assert limit * 0.9 < len(text) <= limit
    assert "### Drift (5,000)" in text
    assert "### Findings (300)" in text
    assert text.endswith("</details>\n")
    cut = [int(found.replace(",", "")) for found in re.findall(r"\*([0-9,]+) of [0-9,]+ are not shown here", text)]
    assert sum(cut) + text.count("| `") == 5_300


def test_same_bytes() -> None:
    """The same drift gives the same bytes in every form."""
    for form in (report.text, report.as_json, report.markdown):
        assert form(DRIFT) == form(replace(DRIFT, findings=tuple(DRIFT.findings)))
