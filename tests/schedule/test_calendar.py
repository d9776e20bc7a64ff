"""The schedule as an iCalendar file: by a parser, by the rules of RFC 5545, and with hostile texts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.model import SourceLocation
from iamcreds.report.schedule.calendar import format_calendar
from tests.schedule.accounts import DAY, HOUR, INTERVAL, KEY, NOW, ROTATED, existing, record, schedule
from tests.schedule.test_formats import KEY_ID, PASSWORD_ID, example

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.schedule.events import Schedule

PROPERTY = re.compile(r"[A-Z-]+(;[A-Z-]+=[A-Za-z0-9-]+)*:.*", re.DOTALL)
NAMES = {
    "VCALENDAR": {"VERSION", "PRODID", "NAME", "X-WR-CALNAME", "DESCRIPTION"},
    "VEVENT": {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "DESCRIPTION", "CATEGORIES", "TRANSP"},
    "VALARM": {"ACTION", "TRIGGER", "DESCRIPTION"},
}


def read_strictly(content: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the component, name and value of each property, and require the rules of RFC 5545 for lines and nesting."""
    assert content.endswith(b"\r\n")
    lines = content[:-2].split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert not any(byte < 0x20 or byte == 0x7F for line in lines for byte in line)
    unfolded = content[:-2].replace(b"\r\n ", b"").decode().split("\r\n")
    open_: list[str] = []
    for line in unfolded:
        assert PROPERTY.fullmatch(line), line
        name, _, value = line.partition(":")
        if name == "BEGIN":
            assert open_ == {"VCALENDAR": [], "VEVENT": ["VCALENDAR"], "VALARM": ["VCALENDAR", "VEVENT"]}[value]
            open_.append(value)
        elif name == "END":
            assert open_.pop() == value
        else:
            yield open_[-1], name, value
    assert not open_


def read_entries(found: Schedule) -> list[icalendar.Event]:
    """Return the events of a calendar, which is valid by the parser and by the strict rules."""
    content = format_calendar(found)
    for component, name, _ in read_strictly(content):
        assert name.partition(";")[0] in NAMES[component]
    calendar = icalendar.Calendar.from_ical(content)
    assert not calendar.errors
    entries = list(calendar.events)
    assert all(not entry.errors for entry in entries)
    return entries


def test_entries() -> None:
    """Each event is a whole day in UTC with its sentence, next step and source location; overdue ones are today."""
    entries = read_entries(example())
    assert [(entry.decoded("dtstart"), str(entry.categories[1])) for entry in entries] == [
        (date(2026, 11, 21), "renewal"),
        (date(2026, 11, 21), "policy violation"),
        (date(2026, 11, 26), "expiry"),
        (date(2026, 12, 18), "rotation"),
        (date(2026, 12, 25), "retirement"),
    ]
    overdue, expiry, rotation = entries[0], entries[2], entries[3]
    assert str(overdue["summary"]).startswith(
        f"due since 2026-11-07: jane: pulumi up creates the successor of bedrock credential {KEY_ID}"
    )
    assert str(expiry["summary"]) == f"jane: bedrock credential {KEY_ID} expires"
    assert str(rotation["description"]).split("\n") == [
        (
            f"2026-12-18 {(NOW + INTERVAL):%H:%M} UTC: jane: pulumi up rotates keyspaces credential {PASSWORD_ID} and"
            " issues a new password; the previous one works until 2026-12-25 [rotate]"
        ),
        "Next step: pulumi up",
        "Declared at specs/jane.yaml:4:9",
    ]
    assert all(entry.decoded("dtstamp") == NOW for entry in entries)


def test_nobody_is_invited() -> None:
    """No event has an organizer, an attendee or a method, by which calendars send mail, and none blocks time."""
    content = format_calendar(example()).decode()
    assert not re.search(r"^(ORGANIZER|ATTENDEE|METHOD)", content, re.MULTILINE)
    assert all(entry["transp"] == "TRANSPARENT" for entry in read_entries(example()))


def test_alarms() -> None:
    """Coming events that need a person remind 7 days and 1 day before; updates and overdue events do not."""
    alarms = [[alarm.decoded("trigger") for alarm in entry.walk("VALARM")] for entry in read_entries(example())]
    assert alarms == [[], [], [-DAY], [], [-7 * DAY, -DAY]]


def test_same_bytes() -> None:
    """The same schedule gives the same bytes."""
    assert format_calendar(example()) == format_calendar(example())


def uids(found: Schedule) -> dict[str, tuple[str, int]]:
    """Return the kind and the number of predecessors by UID."""
    entries = read_entries(found)
    return {
        str(entry["uid"]): (event.kind.value, event.rotation)
        for entry, event in zip(entries, found.events, strict=True)
    }


def test_later_import() -> None:
    """A later schedule has the same UIDs for the same events, also after an update that created the credential."""
    password = existing(PASSWORD_ID, 0)
    before = uids(schedule(ROTATED, [password], [record(password)], days=60.5))
    later = NOW + INTERVAL + HOUR
    successor = replace(existing("ACCA9", 0), created=later)
    recorded = [record(password), record(successor, 1, 2)]
    after = uids(schedule(ROTATED, [password, successor], recorded, now=later, days=60))
    assert set(before.values()) == {("rotate", 0), ("retire", 0), ("rotate", 1), ("retire", 1)}
    assert set(after.values()) == {("retire", 0), ("rotate", 1), ("retire", 1), ("rotate", 2)}
    same = before.keys() & after.keys()
    assert {before[uid] for uid in same} == {("retire", 0), ("rotate", 1), ("retire", 1)}
    assert all(before[uid] == after[uid] for uid in same)


def test_uids() -> None:
    """No two events of a schedule have the same UID, and accounts do not share them."""
    found = example()
    own = uids(found)
    assert len(own) == len(found.events)
    other = replace(found.drift, inventory=replace(found.drift.inventory, account="210987654321"))
    assert not own.keys() & uids(replace(found, drift=other)).keys()


def test_repeated_expiries() -> None:
    """The expiries of a key that each update replaces have different UIDs, although its number stays the same."""
    key = existing(KEY_ID, 80, KEY)
    assert len(uids(schedule(KEY, [key], [record(key)], days=300))) == 4


ANYTHING = st.characters(exclude_categories=())  # with lone surrogates, which file names may contain


@given(st.text(ANYTHING, min_size=1), st.text(ANYTHING, min_size=1, max_size=9))
def test_hostile_texts(name: str, id_: str) -> None:
    """Texts from outside cannot add a property, a component or a line, and the parser returns them as they are."""
    place = SourceLocation(f"{name}\r\nATTENDEE:mailto:x@example.com\r\nEND:VEVENT", 1, 1)
    desired = replace(KEY, location=place)
    key = existing(f"{id_}\nBEGIN:VEVENT;,\\", 80, desired)
    (entry,) = read_entries(schedule(desired, [key], [record(key)], days=11))
    assert str(entry["description"]).split("\n")[2].startswith("Declared at ")
    assert len(str(entry["description"]).split("\n")) == 3
    assert "ATTENDEE" not in entry


def test_long_lines() -> None:
    """Lines of characters of several bytes are folded between characters."""
    desired = replace(KEY, location=SourceLocation("é漢字😀" * 60, 1, 1))
    key = existing(KEY_ID, 80, desired)
    (entry,) = read_entries(schedule(desired, [key], [record(key)], days=11))
    assert str(entry["description"]).endswith(f"{'é漢字😀' * 60}:1:1")


def test_no_events() -> None:
    """A calendar without events is valid."""
    assert read_entries(schedule(ROTATED, recorded=[], days=timedelta(days=1) / DAY)) == []
