"""Drift as text, JSON and Markdown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.desired import Desired, DesiredCredential
from iamcreds.drift.comparing import compare
from iamcreds.drift.rules.access_key_limits import AccessKeyIdle, AccessKeyTooOld, TooManyAccessKeys
from iamcreds.drift.rules.changed import StatusDiffers
from iamcreds.drift.rules.checked_credential import CheckedCredential
from iamcreds.drift.rules.credential_limits import ServiceNotAllowed
from iamcreds.drift.rules.missing import MissingCredential, MissingUser
from iamcreds.drift.rules.undeclared import UndeclaredUser
from iamcreds.model import AccessKey, Credential, CredentialReport, Inventory, SourceLocation, Status, User
from iamcreds.report.json_document import build_document, format_json
from iamcreds.report.markdown import MARKER, MAX_LENGTH, format_markdown
from iamcreds.report.summary import describe_limits, describe_scope, summarize
from iamcreds.report.text import format_text
from iamcreds.services import Family
from tests.report.states import make_state

if TYPE_CHECKING:
    from iamcreds.drift.rules.difference import Difference

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVICE = "codecommit.amazonaws.com"
LIVE = Credential("ACCA0", "jane", SERVICE, Status.ACTIVE, NOW, Family.PASSWORD, "jane-at-1", NOW + timedelta(days=9))
INVENTORY = Inventory(
    "123456789012",
    NOW,
    (User("jane", NOW),),
    (LIVE,),
    access_keys_read=("jane",),
    report=CredentialReport(NOW - timedelta(minutes=5)),
)
PLACE = SourceLocation("specs/jane.yaml", 4, 9)
SPARE = DesiredCredential("jane", SERVICE, "spare", PLACE, Status.ACTIVE)
KEY = AccessKey("AKIA0", "jane", Status.ACTIVE, datetime(2026, 1, 1, tzinfo=UTC))
MISSING = MissingCredential(user="jane", service=SERVICE, location=PLACE, desired=(SPARE,), existing=())
OLD = AccessKeyTooOld(user="jane", limit=90, existing=(KEY,))
DRIFT = replace(
    compare(Desired(()), INVENTORY), differences=(MISSING, OLD), users=1, credentials=2, watched=1, resets=3
)


def test_text() -> None:
    """A difference is a line that starts with its source location; summary and notes are last."""
    lines = format_text(DRIFT).splitlines()
    delete = "aws iam delete-access-key --user-name jane --access-key-id AKIA0"
    assert lines[:5] == [
        "specs/jane.yaml:4:9: jane: codecommit credential spare is declared, but does not exist [missing-credential]",
        "    next: pulumi up",
        "jane: access key AKIA0 is older than 90 days: created on 2026-01-01 [access-key-too-old]",
        f"    next: if the key is no longer needed: {delete}",
        f"{summarize(DRIFT)}: {describe_scope(DRIFT)}",
    ]
    assert lines[5:] == [f"note: {note}" for note in describe_limits(DRIFT)]


def test_summary() -> None:
    """The summary counts the existing kinds, and the scope lists everything that was compared."""
    assert summarize(DRIFT) == "1 drifted, 1 finding in account 123456789012"
    assert summarize(replace(DRIFT, differences=(OLD, OLD))) == "2 findings in account 123456789012"
    assert describe_scope(DRIFT) == "compared 2 declared credentials of 1 user with 1 existing one of 1 IAM user"


def test_text_of_nothing() -> None:
    """Without a difference, the output is one line."""
    clean = replace(DRIFT, differences=())
    assert format_text(clean).startswith("no differences in account 123456789012: compared 2 declared")


def test_json() -> None:
    """The JSON document has the documented shape, which is stable."""
    document = json.loads(format_json(DRIFT))
    (account,) = document.pop("accounts")
    notes = account.pop("notes")
    location = {"file": "specs/jane.yaml", "line": 4, "column": 9}
    assert document == {"version": 2, "clean": False}
    assert account == {
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
        "notChecked": {
            "resetTriggers": 3,
            "credentialAges": 0,
            "rotations": 0,
            "deliveries": 0,
            "ids": False,
            "accessKeys": False,
            "undeclared": 0,
        },
        "differences": [
            {
                "kind": "drift",
                "rule": "missing-credential",
                "user": "jane",
                "service": SERVICE,
                "id": None,
                "place": location,
                "due": None,
                "number": 1,
                "desired": [{"service": SERVICE, "name": "spare", "status": "Active", "place": location}],
                "live": [],
                "message": "codecommit credential spare is declared, but does not exist",
                "next": "pulumi up",
            },
            {
                "kind": "finding",
                "rule": "access-key-too-old",
                "user": "jane",
                "service": None,
                "id": "AKIA0",
                "place": None,
                "due": None,
                "number": 1,
                "desired": {"maxAgeDays": 90},
                "live": [{"id": "AKIA0", "status": "Active", "created": "2026-01-01T00:00:00+00:00", "lastUsed": None}],
                "message": "access key AKIA0 is older than 90 days: created on 2026-01-01",
                "next": "if the key is no longer needed:"
                " aws iam delete-access-key --user-name jane --access-key-id AKIA0",
            },
        ],
        "waived": [],
        "unsettled": [],
        "previous": [],
        "rotations": [],
    }
    assert [note for note in notes if "reset texts" in note]


@pytest.mark.parametrize(
    ("difference", "values"),
    [
        (MissingUser(user="jane", desired=(SPARE, SPARE)), {"number": 2, "live": None, "id": None}),
        (
            UndeclaredUser(user="jane", service=SERVICE, existing=(LIVE,)),
            {
                "number": 1,
                "desired": [],
                "live": [
                    {
                        "id": "ACCA0",
                        "service": SERVICE,
                        "status": "Active",
                        "created": "2026-11-23T12:00:00+00:00",
                        "issuedAt": "2026-11-23T12:00:00+00:00",
                        "expires": "2026-12-02T12:00:00+00:00",
                        "delivery": None,
                    }
                ],
                "id": "ACCA0",
            },
        ),
        (
            StatusDiffers(user="jane", desired=(SPARE,), existing=(LIVE, LIVE), number=1, status=Status.INACTIVE),
            {"number": 1, "id": None},
        ),
        (
            TooManyAccessKeys(user="jane", limit=1, existing=(KEY,) * 3),
            {"number": 2, "desired": {"max": 1}, "id": None},
        ),
        (
            AccessKeyIdle(user="jane", limit=45, existing=(replace(KEY, last_used=NOW),)),
            {
                "number": 1,
                "desired": {"maxIdleDays": 45},
                "live": [
                    {
                        "id": "AKIA0",
                        "status": "Active",
                        "created": "2026-01-01T00:00:00+00:00",
                        "lastUsed": "2026-11-23T12:00:00+00:00",
                    }
                ],
            },
        ),
        (
            ServiceNotAllowed(
                user="jane",
                service=SERVICE,
                existing=(replace(LIVE, expires=None),),
                limit=("bedrock.amazonaws.com",),
                checked=CheckedCredential(user="jane", service=SERVICE, existing=LIVE, is_managed=False),
            ),
            {
                "number": 1,
                "id": "ACCA0",
                "desired": {"services": ["bedrock.amazonaws.com"]},
                "live": [
                    {
                        "id": "ACCA0",
                        "service": SERVICE,
                        "status": "Active",
                        "created": "2026-11-23T12:00:00+00:00",
                        "issuedAt": NOW.isoformat(),
                        "expires": None,
                        "delivery": None,
                    }
                ],
            },
        ),
    ],
)
def test_json_values(difference: Difference, values: dict[str, Any]) -> None:
    """Each difference has its number, and desired and actual values; dates are ISO 8601."""
    drift = replace(DRIFT, differences=(difference,), state=make_state({"ACCA0": {"issued": NOW}}))
    (account,) = build_document(drift)["accounts"]
    (found,) = account["differences"]
    assert values.items() <= found.items()


def test_unknown_issue() -> None:
    """A credential whose last reset the state does not have, or that no state has, has the value null."""
    undeclared = UndeclaredUser(user="jane", service=SERVICE, existing=(LIVE,))
    for state in (None, make_state({}), make_state({"ACCA1": {"issued": NOW}})):
        (account,) = build_document(replace(DRIFT, differences=(undeclared,), state=state))["accounts"]
        assert account["differences"][0]["live"][0]["issuedAt"] is None


def test_json_without_report() -> None:
    """Without a credential report, the document has null."""
    (account,) = build_document(replace(DRIFT, inventory=replace(INVENTORY, report=None)))["accounts"]
    assert account["accessKeys"] == {"usersRead": 1, "credentialReport": None}


def test_markdown() -> None:
    """An issue has a marker, a headline, counts, a table per existing kind, and folded details."""
    text = format_markdown(DRIFT)
    lines = text.splitlines()
    assert lines[:2] == [MARKER, "## 1 drifted, 1 finding in account 123456789012"]
    assert "| Credentials of undeclared users | 0 |" in lines
    assert [line for line in lines if line.startswith("###")] == ["### Drift (1)", "### Findings (1)"]
    assert (
        "| jane | codecommit credential spare is declared, but does not exist | `specs/jane.yaml:4:9`"
        " | spare Active | none | pulumi up | `missing-credential` |"
    ) in lines
    assert "<details><summary>Scope and limits</summary>\n\n- Read at `2026-11-23` `12:00` UTC" in text
    assert "\n- 3 reset texts not checked" in text
    assert text.endswith("- Rules: access-key-too-old, missing-credential\n\n</details>\n")


def test_markdown_mentions_nobody() -> None:
    """Names that Markdown, HTML or GitHub would interpret are code, each in its cell."""
    wild = replace(MISSING, user="_a*@team", desired=(replace(SPARE, name="<b>|`x` #12\nnext"),))
    row = next(line for line in format_markdown(replace(DRIFT, differences=(wild,))).splitlines() if "team" in line)
    assert row.startswith("| `_a*@team` | codecommit credential <code>&#60;b&#62;&#124;&#96;x&#96;</code> ")


@pytest.mark.parametrize("limit", [MAX_LENGTH, 5_000])
def test_markdown_fits(limit: int) -> None:
    """The output fits the limit, keeps every heading and the details, and counts omitted rows."""
    many = tuple(replace(MISSING, user=f"user-{number}") for number in range(5_000))
    more = tuple(replace(OLD, user=f"user-{number}") for number in range(300))
    text = format_markdown(replace(DRIFT, differences=(*many, *more)), limit)
    assert limit * 0.9 < len(text) <= limit
    assert "### Drift (5,000)" in text
    assert "### Findings (300)" in text
    assert text.endswith("</details>\n")
    cut = [int(found.replace(",", "")) for found in re.findall(r"\*([0-9,]+) of [0-9,]+ are not shown", text)]
    assert sum(cut) + len(re.findall(r"`\w+-[\w-]+` \|$", text, re.MULTILINE)) == 5_300


def test_same_bytes() -> None:
    """Every format only depends on the drift."""
    for form in (format_text, format_json, format_markdown):
        assert form(DRIFT) == form(replace(DRIFT, differences=tuple(DRIFT.differences)))
