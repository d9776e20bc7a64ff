"""The timeline of a schedule in a real browser, as a file of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.report.schedule.chart import format_svg
from tests.report.conftest import ARTIFACTS
from tests.report.test_chart import CASES, make_events, with_events

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

LONG = "a-very-long.user+name@some.department.example.com"
LONG_NAMES = with_events(
    replace(event, user=f"{LONG}{event.user}", id=f"{event.id}{LONG}", when=event.when)
    for event in make_events(20, (-3, 40))
)

OVERLAPS = """
() => {
  const boxes = [...document.querySelectorAll("text")].map((text) => {
    const own = text.getBoundingClientRect();
    const outer = text.ownerSVGElement.getBoundingClientRect();
    const box = { text: text.textContent, top: own.top, bottom: own.bottom, left: own.left };
    return { ...box, right: Math.min(own.right, outer.right) };
  });
  const found = boxes.filter((box) => box.left < 0 || box.right > 1000 || box.left >= box.right);
  boxes.forEach((one, at) => boxes.slice(at + 1).forEach((other) => {
    const isAside = one.right <= other.left || other.right <= one.left;
    if (!isAside && one.bottom - 2 > other.top && other.bottom - 2 > one.top) found.push(one, other);
  }));
  const labels = [...document.querySelectorAll("tspan")].filter((span) => span.textContent.includes("…"));
  const edge = document.querySelector("tspan")?.ownerSVGElement.getBoundingClientRect().right;
  return [...found, ...labels.filter((span) => span.getBoundingClientRect().right > edge)];
}
"""
"""The texts of a picture that overlap, that leave it, or that are cut at the edge of their column."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", [*CASES, "long names", "no events"])
def test_texts(browser: Browser, tmp_path: Path, case: str, scheme: Any) -> None:  # noqa: ANN401 - a literal to playwright
    """No text overlaps another one or leaves the picture, and shortened names fit; screenshots are saved."""
    schedule = {**CASES, "long names": LONG_NAMES, "no events": with_events(())}[case]
    (tmp_path / "schedule.svg").write_text(format_svg(schedule), "utf-8")
    page = browser.new_page(viewport={"width": 1000, "height": 900}, color_scheme=scheme)
    page.goto((tmp_path / "schedule.svg").as_uri())
    assert page.evaluate(OVERLAPS) == []
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"schedule-{case.replace(' ', '-')}-{scheme}.png")
    colors = {"light": "rgb(255, 255, 255)", "dark": "rgb(26, 32, 41)"}
    assert page.evaluate("getComputedStyle(document.querySelector('.page')).fill") == colors[scheme]
    page.close()
