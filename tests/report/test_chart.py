"""The timeline of a schedule in SVG, which the tests read as XML."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise, product
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.report.schedule import chart
from iamcreds.report.schedule.axis import Axis
from iamcreds.report.schedule.chart import LEFT, MAX_ROWS, RIGHT, SHAPES, STYLE, WIDTH, format_svg
from iamcreds.report.schedule.marks import OVERDUE, SIZE
from iamcreds.report.schedule.summary import describe_event
from iamcreds.schedule.event import Event, EventKind
from tests.report.example import NOW, SPECS, YEAR, make_example
from tests.report.picture import SCHEDULE
from tests.test_hostile_names import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from iamcreds.emulator.server import Emulator
    from iamcreds.schedule.events import Schedule

DAY = timedelta(days=1)
LOGS = "logs.amazonaws.com"
TEXTS = (12, 344)
"""The columns of the texts, from left to right."""
TAGS = {"svg", "title", "desc", "style", "rect", "path", "text", "tspan", "g"}
SVG = "{http://www.w3.org/2000/svg}"


def read(schedule: Schedule) -> ET.Element:
    """Return the picture of a schedule as XML."""
    return ET.fromstring(format_svg(schedule))  # noqa: S314 - our own document


def find_marks(picture: ET.Element) -> Iterator[tuple[float, float, str, str, int]]:
    """Yield the position, the class, the title and the number of events of each mark, without those of the legend."""
    for group in picture.iter(f"{SVG}g"):
        title, path, number = group.find(f"{SVG}title"), group.find(f"{SVG}path"), group.find(f"{SVG}text")
        assert title is not None
        assert path is not None
        x, y = map(float, re.findall(r"[\d.]+", path.attrib["transform"]))
        count = 1 if number is None else int(re.sub(r"\D", "", number.text or ""))
        yield x, y, path.attrib["class"].removeprefix("mark "), title.text or "", count


def find_texts(picture: ET.Element) -> list[str]:
    """Return the texts of the picture, without their titles."""
    return [text.text or " ".join(span.text or "" for span in text[1:]) for text in picture.iter(f"{SVG}text")]


def make_events(number: int, days: Iterable[int] = (5,), kinds: Iterable[EventKind] = EventKind) -> tuple[Event, ...]:
    """Return events of that many users: each kind in this many days, plus a day per user."""
    events = [
        Event(
            when=NOW + (day + at) * DAY, kind=kind, user=f"user-{at:04}", service="logs.amazonaws.com", id=f"ACCA{at}"
        )
        for at in range(number)
        for day, kind in product(days, kinds)
    ]
    return tuple(sorted(events, key=lambda event: event.order))


def with_events(events: Iterable[Event]) -> Schedule:
    """Return the schedule of the example with other events."""
    return replace(make_example(), events=tuple(events))


def test_marks() -> None:
    """Each event has a mark at the position of its date, or left of the axis if it is overdue, with its sentence."""
    schedule = make_example()
    marks = {(kind, title): (x, count) for x, _, kind, title, count in find_marks(read(schedule))}
    assert len(marks) == len(schedule.events) > 50
    for event in schedule.events:
        x, count = marks[event.kind.value, describe_event(event, schedule)]
        assert count == 1
        if event.when <= NOW:
            assert OVERDUE + SIZE / 2 <= x < LEFT - SIZE
        else:
            assert x == pytest.approx(LEFT + (event.when - NOW) / YEAR * (RIGHT - LEFT), abs=0.1)


def test_kinds() -> None:
    """The legend has each kind, and each kind has a shape and a color of its own."""
    picture = read(make_example())
    legend = {path.attrib["class"]: path.attrib["d"] for path in picture.findall(f"{SVG}path") if "d" in path.attrib}
    kinds = [f"mark {kind.value}" for kind in EventKind]
    assert [legend[kind] for kind in kinds] == [SHAPES[kind] for kind in EventKind]
    assert len(set(SHAPES.values())) == len(EventKind)
    for colors in read_colors().values():
        assert len({colors[kind.value] for kind in EventKind}) == len(EventKind)
    texts = find_texts(picture)
    for name in ("rotation", "retirement", "renewal", "expiry", "policy violation", "today 2026-11-23"):
        assert name in texts


def test_bars() -> None:
    """A bar shows the overlap with a successor, from the rotation, or the renewal, to the end of the previous one."""
    schedule = make_example()
    axis = Axis(NOW, NOW + YEAR, LEFT, RIGHT)
    bars = Counter(
        (bar.attrib["class"], float(bar.attrib["x"]), float(bar.attrib["width"]))
        for bar in read(schedule).iter(f"{SVG}rect")
        if bar.find(f"{SVG}title") is not None
    )
    overlaps = [event for event in schedule.events if event.until is not None]
    assert len(overlaps) > 20
    for event in overlaps:
        left = axis.place(max(event.when, NOW))
        right = axis.place(min(event.until or NOW, NOW + YEAR))
        assert bars[f"bar {event.kind.value}", left, round(right - left, 1)] == 1
    (end,) = (event for event in schedule.events if event.id == "ACCAEXAMPLE0000000099")
    assert bars["bar expire", LEFT, round(axis.place(end.when) - LEFT, 1)] == 1


CASES = {
    "example": make_example(),
    "ten years": make_example(NOW + 10 * YEAR),
    "a week": make_example(NOW + 7 * DAY),
    "an hour": make_example(NOW + timedelta(hours=1)),
    "overdue": with_events(make_events(40, (-60, -50))),
    "crowded": with_events(make_events(3, range(300))),
    "many": with_events(make_events(330)),
}


@pytest.mark.parametrize("case", CASES)
def test_nothing_overlaps(case: str) -> None:
    """Marks and bars are right of the texts and within the picture, and no mark overlaps another one or its number."""
    picture = read(CASES[case])
    width, height = map(float, picture.attrib["viewBox"].split()[2:])
    assert width == WIDTH
    marks = sorted((y, x, count) for x, y, _, _, count in find_marks(picture))
    assert marks
    for y, x, count in marks:
        assert TEXTS[1] <= x - SIZE / 2
        assert x + (0 if count == 1 else 38) <= WIDTH
        assert y + SIZE / 2 <= height
    for (y, x, count), (next_y, next_x, _) in pairwise(marks):
        assert next_y - y >= SIZE or (next_y == y and next_x - x >= (SIZE if count == 1 else 30))
    for bar in picture.iter(f"{SVG}rect"):
        if bar.find(f"{SVG}title") is not None:
            assert float(bar.attrib["x"]) >= LEFT
            assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= RIGHT + 0.1
    boxes = [box.attrib for box in picture.findall(f"{SVG}svg")]
    assert all(float(box["x"]) >= TEXTS[0] for box in boxes)
    (labels,) = (box for box in boxes if float(box["width"]) < WIDTH / 2)
    assert float(labels["x"]) + float(labels["width"]) < 266


@pytest.mark.parametrize("case", CASES)
def test_totals(case: str) -> None:
    """The numbers above the rows are those of all events, also of those in rows that are not shown."""
    schedule = CASES[case]
    axis = Axis(NOW, max(schedule.until, NOW + DAY), LEFT, RIGHT)
    ahead = [event.when for event in schedule.events if not schedule.is_due(event)]
    numbers = [period.number for period in axis.list_periods(ahead)]
    assert sum(numbers) == len(ahead)
    texts = (text for text in read(schedule).iter(f"{SVG}text") if "soft" not in text.attrib.get("class", ""))
    shown = {text.text for text in texts if re.fullmatch(r"[\d,]+", text.text or "")}
    overdue = len(schedule.events) - len(ahead)
    assert shown <= {f"{number:,}" for number in (*numbers, overdue)}
    assert f"{max(*numbers, overdue):,}" in shown


def test_crowded_events() -> None:
    """Events that are too close to each other share a mark with their number; its title has the first sentences."""
    events = make_events(1, range(1, 300), [EventKind.ROTATE])
    marks = list(find_marks(read(with_events(events))))
    assert sum(count for *_, count in marks) == len(events)
    assert len(marks) < 20
    _, _, _, title, count = marks[0]
    assert title.split("\n") == [
        *(describe_event(event, make_example()) for event in events[:5]),
        f"and {count - 5} more until {events[count - 1].when:%Y-%m-%d}",
    ]


def test_size() -> None:
    """The picture of 100,000 events of 500 users has less than 1 MB."""
    events = make_events(500, range(-20, 20), EventKind)
    assert len(events) == 100_000
    assert len(format_svg(with_events(events))) < 1_000_000


def test_rows() -> None:
    """The credentials with the soonest events have rows, the most urgent first; the others are counted."""
    picture = read(with_events(make_events(330, (-2, 30))))
    texts = find_texts(picture)
    rows = [text for text in texts if text.startswith("user-")]
    assert rows == [f"user-{number:04} logs ACCA{number}" for number in range(MAX_ROWS)]
    assert "300 more rows with 3,000 events not shown, the first on 2026-12-21" in texts
    dates = [text for text in texts if re.fullmatch("20[0-9-]{8}", text)]
    assert dates == [f"{NOW + (number - 2) * DAY:%Y-%m-%d}" for number in range(MAX_ROWS)]
    assert not [text for text in find_texts(read(make_example())) if "not shown" in text]


def test_one_row_for_a_credential() -> None:
    """A credential has one row with its successors, and the access keys of a user have one row."""
    rows = [text for text in find_texts(read(make_example())) if " " in text.removeprefix("today ")]
    assert [row for row in rows if row.startswith(("payments", "etl"))] == [
        "payments keyspaces",
        "etl-legacy access keys",
    ]
    assert {"deploy-bot codecommit/primary", "deploy-bot codecommit/spare"} <= set(rows)


def test_no_events() -> None:
    """Without events, the picture has the axis, and nothing is called overdue."""
    texts = find_texts(read(with_events(())))
    assert {"no events", "today 2026-11-23", "Dec", "2027"} <= set(texts)
    assert "overdue" not in texts
    assert "overdue" in find_texts(read(make_example()))


@pytest.mark.parametrize(
    ("days", "labels"),
    [
        (1, ["24 Nov"]),
        (7, ["24 Nov", "25 Nov", "26 Nov", "27 Nov", "28 Nov", "29 Nov", "30 Nov"]),
        (31, ["30 Nov", "7 Dec", "14 Dec", "21 Dec"]),
        (90, ["Dec", "2027", "Feb"]),
        (365, ["Dec", "2027", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov"]),
        (800, ["2027", "Apr", "Jul", "Oct", "2028", "Apr", "Jul", "Oct", "2029"]),
        (3_660, [str(year) for year in range(2027, 2037)]),
    ],
)
def test_axis(days: int, labels: list[str]) -> None:
    """The axis has ticks for days, Mondays, months, quarters or years, by its length, at most 15 of them."""
    axis = Axis(NOW, NOW + days * DAY, LEFT, RIGHT)
    periods = list(axis.list_periods([]))
    assert [period.label for period in periods[1:]] == labels
    assert periods[0].x == LEFT
    for period, after in pairwise(periods):
        assert period.x + period.width == pytest.approx(after.x)
    for length in range(1, 3_661):
        assert len(list(Axis(NOW, NOW + length * DAY, LEFT, RIGHT).list_periods([]))) <= 16
    if days == 365:
        march = next(period for period in periods if period.label == "Mar")
        assert march.x == axis.place(datetime(2027, 3, 1, tzinfo=NOW.tzinfo))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_hostile_names(name: str) -> None:
    """Names are text: the picture stays well-formed, has no element or reference of a name, and no hidden text."""
    events = (
        replace(event, user=name, id=name, service=name if event.service else "", desired=None)
        for event in make_example().events[:9]
    )
    drift = make_example().drift
    inventory = replace(drift.inventory, account=name)
    schedule = replace(with_events(events), drift=replace(drift, inventory=inventory, store_notes=(name,)))
    for text in (format_svg(schedule), str(chart.render_inline(schedule))):
        assert all(line.isprintable() for line in text.split("\n"))
        picture = ET.fromstring(text)  # noqa: S314 - our own document
        assert {element.tag.removeprefix(SVG) for element in picture.iter()} <= TAGS
        assert not [key for element in picture.iter() for key in element.attrib if key.startswith(("on", "href"))]


def test_self_contained() -> None:
    """The picture has no script, no reference and no attribute with a style; the same schedule gives the same bytes."""
    text = format_svg(make_example())
    assert text == format_svg(make_example())
    assert re.findall('[a-z]+://[^"]*', text) == ["http://www.w3.org/2000/svg"]
    assert not re.search("script|href|url\\(|@import|@font-face|style=", text)
    inline = str(chart.render_inline(make_example()))
    assert "://" not in inline
    assert "<style" not in inline
    assert ET.fromstring(inline).attrib["viewBox"].startswith("0 0 1000 ")  # noqa: S314 - our own document


def test_names_for_a_screen_reader() -> None:
    """The picture is an image with a title and a description, which has the summary, the soonest event and notes."""
    schedule = make_example()
    picture = read(schedule)
    assert picture.attrib["role"] == "img"
    labels = {element.get("id"): element.text or "" for element in picture if element.get("id")}
    assert list(labels) == picture.attrib["aria-labelledby"].split()
    assert labels["schedule-title"] == "Schedule of account 123456789012, 2026-11-23 to 2027-11-23"
    assert "rotations" in labels["schedule-desc"]
    assert describe_event(schedule.events[0], schedule) in labels["schedule-desc"]
    assert "Dates are in UTC" in labels["schedule-desc"]


def read_colors() -> dict[str, dict[str, str]]:
    """Return the color of each class in the light and in the dark scheme."""
    light, _, dark = STYLE.partition("@media screen and (prefers-color-scheme: dark)")
    rule = re.compile(r"\.schedule \.?([\w.]+) \{ (?:fill|stroke): (#\w{6})")
    colors = dict(rule.findall(light))
    return {"light": colors, "dark": colors | dict(rule.findall(dark))}


def compute_luminance(color: str) -> float:
    """Return the relative luminance of a color, as WCAG defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def compute_contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, as WCAG defines it."""
    bright, dark = sorted(map(compute_luminance, (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str) -> None:
    """The contrast of texts is at least 4.5, and that of marks at least 3, on each background of the scheme."""
    colors = read_colors()[scheme]
    backgrounds = [colors[name] for name in ("page", "even", "overdue")]
    for name, least in {"text": 4.5, "soft": 4.5, "late": 4.5, **{kind.value: 3.0 for kind in EventKind}}.items():
        used = backgrounds if name != "soft" else backgrounds[:2]
        assert [compute_contrast(colors[name], background) >= least for background in used] == [True] * len(used), name


def test_both_schemes() -> None:
    """Each color of the light scheme has one in the dark scheme."""
    schemes = read_colors()
    unchanged = {name for name, color in schemes["light"].items() if schemes["dark"][name] == color}
    assert unchanged == set()


SIMULATED: Mapping[str, tuple[tuple[float, float, float], ...]] = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""The simulations of color blindness by Machado, Oliveira and Fernandes (2009)."""


@pytest.mark.parametrize("blindness", SIMULATED)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_color_blindness(scheme: str, blindness: str) -> None:
    """The colors of the kinds are distinct for people who do not see all colors."""
    colors = read_colors()[scheme]
    seen = [
        tuple(
            sum(factor * int(colors[kind.value][at : at + 2], 16) for factor, at in zip(row, (1, 3, 5), strict=True))
            for row in SIMULATED[blindness]
        )
        for kind in EventKind
    ]
    distances = [
        sum((one - other) ** 2 for one, other in zip(seen[first], seen[second], strict=True)) ** 0.5
        for first in range(len(seen))
        for second in range(first)
    ]
    assert min(distances) > 50


def test_document() -> None:
    """The picture in the documents is up to date; `make pictures` writes it."""
    assert SCHEDULE.read_text("utf-8") == format_svg(make_example())


def test_command(signed_in: Emulator, tmp_path: Path) -> None:
    """`iamcreds schedule --format svg` prints the picture."""
    assert signed_in.url
    (tmp_path / "users.yaml").write_bytes(SPECS)
    words = ["schedule", str(tmp_path), "--until", "1000d", "--format", "svg"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert ET.fromstring(result.stdout).tag == f"{SVG}svg"  # noqa: S314 - our own document
    assert result.stdout.endswith("</svg>\n")
