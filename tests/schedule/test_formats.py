"""The schedule as text and as a JSON document, byte by byte."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from iamcreds.desired import AccessKeyPolicy, DesiredUser
from iamcreds.model import AccessKey, SourceLocation, Status
from iamcreds.report.schedule.json_document import format_json
from iamcreds.report.schedule.text import format_text
from tests.documents.reading import blocks
from tests.schedule.accounts import DAY, KEY, NOW, PLACE, RENEWED, ROTATED, existing, record, schedule
from tools.documents import ROOT

if TYPE_CHECKING:
    from iamcreds.schedule.events import Schedule

PASSWORD_ID, KEY_ID, OTHER_ID = "ACCA1EXAMPLE", "ACCA2EXAMPLE", "ACCA3EXAMPLE"

TEXT = """\
Due since
2026-11-07  renew    jane: pulumi up creates the successor of bedrock credential ACCA2EXAMPLE, which expires on \
2026-11-26, but unmanaged ACCA3EXAMPLE blocks it
                     specs/jane.yaml:6:9: resolve unmanaged ACCA3EXAMPLE first (see unmanaged-credential), \
then pulumi up
2026-11-21  violate  jane: access key AKIA1EXAMPLE is older than 90 days [access-key-too-old]
                     specs/jane.yaml:2:3: if the key is no longer needed: aws iam delete-access-key --user-name jane \
--access-key-id AKIA1EXAMPLE

November 2026
2026-11-26  expire   jane: bedrock credential ACCA2EXAMPLE expires
                     specs/jane.yaml:6:9: after the expiry: resolve unmanaged ACCA3EXAMPLE first \
(see unmanaged-credential), then pulumi up, which replaces it

December 2026
2026-12-18  rotate   jane: pulumi up rotates keyspaces credential ACCA1EXAMPLE and issues a new password; \
the previous one works until 2026-12-25
2026-12-25  retire   jane: pulumi up deactivates the previous keyspaces credential ACCA1EXAMPLE
                     specs/jane.yaml:4:9: use its successor before: iamcreds secret jane/keyspaces

1 rotation, 1 retirement, 1 renewal, 1 expiry, 1 policy violation until 2026-12-31 in account 123456789012
note: dates are in UTC, and each one assumes that `pulumi up` runs now and at the dates before it
"""


def example() -> Schedule:
    """Return a schedule with each kind of event, and a blocked one."""
    renewed = replace(RENEWED, renew_before_hours=19 * 24, location=replace(RENEWED.location, line=6))
    user = DesiredUser("jane", PLACE, (ROTATED, renewed), access_keys=AccessKeyPolicy(max_age_days=90))
    password, key = existing(PASSWORD_ID, 0), existing(KEY_ID, 85, KEY)
    return schedule(
        user,
        [password, key, existing(OTHER_ID, 1, replace(KEY, expire_after_days=None))],
        [record(password), record(key)],
        days=40,
        access_keys=(AccessKey("AKIA1EXAMPLE", "jane", Status.ACTIVE, NOW - 90 * DAY),),
        access_keys_read=("jane",),
    )


def test_text() -> None:
    """The text has a heading per month, a line per event, and its next step unless that is only an update."""
    assert f"{format_text(example())}\n" == TEXT
    assert format_text(schedule(ROTATED, recorded=[], days=1)) == (
        "no events until 2026-11-22 in account 123456789012\n"
        "note: dates are in UTC, and each one assumes that `pulumi up` runs now and at the dates before it"
    )


def test_document() -> None:
    """The example of the document is this schedule of the specs in it."""
    document = ROOT / "docs/schedule.md"
    (spec,) = (block.text for block in blocks(document) if block.language == "yaml")
    (shown,) = (block.text for block in blocks(document) if block.language == "console")
    assert shown == f"$ pulumi stack export | iamcreds schedule specs --until 2026-12-31 --state -\n{TEXT}"
    lines = spec.splitlines()
    assert [lines[number - 1][column - 1 :].split(":")[0] for number, column in ((2, 3), (4, 9), (6, 9))] == [
        "jane", "service", "service",
    ]  # fmt: skip


def test_json() -> None:
    """The JSON document has every field of every event, the notes, and a version."""
    document = json.loads(format_json(example()))
    (account,) = document.pop("accounts")
    events = account.pop("events")
    assert document == {"version": 1}
    assert account == {
        "account": "123456789012",
        "readAt": "2026-11-21T12:00:00+00:00",
        "until": "2026-12-31T12:00:00+00:00",
        "notes": ["dates are in UTC, and each one assumes that `pulumi up` runs now and at the dates before it"],
    }
    assert [(event["event"], event["due"]) for event in events] == [
        ("renew", True), ("violate", True), ("expire", False), ("rotate", False), ("retire", False),
    ]  # fmt: skip
    assert events[0] == {
        "when": "2026-11-07T12:00:00+00:00",
        "event": "renew",
        "due": True,
        "rule": "renewal-overdue",
        "user": "jane",
        "service": "bedrock.amazonaws.com",
        "resource": "jane/bedrock",
        "id": KEY_ID,
        "previous": False,
        "previousEnds": "2026-11-26T12:00:00+00:00",
        "limitDays": None,
        "blockedBy": [OTHER_ID],
        "owner": None,
        "place": {"file": "specs/jane.yaml", "line": 6, "column": 9},
        "message": (
            f"pulumi up creates the successor of bedrock credential {KEY_ID}, which expires on 2026-11-26, but"
            f" unmanaged {OTHER_ID} blocks it"
        ),
        "next": f"resolve unmanaged {OTHER_ID} first (see unmanaged-credential), then pulumi up",
    }
    assert (events[1]["service"], events[1]["resource"], events[1]["limitDays"]) == (None, None, 90)
    assert (events[4]["rule"], events[4]["previous"]) == (None, True)


def test_hostile_names() -> None:
    """Control characters of file names and ids reach neither a terminal nor the log of a CI system."""
    hostile = "a\x1b[2J\n::add-mask::\u202e.yaml"
    key = existing("ACCA\x1b]0;", 80, replace(KEY, location=SourceLocation(hostile, 1, 1)))
    found = schedule(replace(KEY, location=SourceLocation(hostile, 1, 1)), [key], [record(key)], days=11)
    text = format_text(found)
    assert all(line.isprintable() for line in text.split("\n"))
    assert not any(line.lstrip().startswith("::") for line in text.split("\n"))
    document = format_json(found)
    assert all(line.isprintable() for line in document.split("\n"))
    assert json.loads(document)["accounts"][0]["events"][0]["place"]["file"] == hostile
