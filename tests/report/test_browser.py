"""The HTML report in a real browser, without network, at the width of a phone and of a desktop."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from iamcreds.desired import Desired, DesiredUser
from iamcreds.drift.comparing import compare
from iamcreds.model import SourceLocation, Status, User
from iamcreds.report.html import render
from iamcreds.report.html.columns import NARROW
from iamcreds.report.html.page import FOLDED
from tests.report.conftest import ARTIFACTS
from tests.report.example import load_example, make_example
from tests.report.test_text import INVENTORY, LIVE, NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

WIDTHS = {"phone": (360, 740), "tablet": (NARROW, 740), "laptop": (NARROW + 1, 740), "desktop": (1280, 800)}
SCHEMES = ("light", "dark")
expect.set_options(timeout=60_000)  # a busy machine renders late
SECTIONS = ("findings", "timeline", "services", "credentials", "keys")

CUT = """
() => [...document.querySelectorAll("body *")].filter((element) => {
  if (element.closest(".unseen, label, script, svg, input") || !element.checkVisibility()) return false;
  const { overflowX, overflowY } = getComputedStyle(element);
  const isBox = overflowX !== "visible" || overflowY !== "visible";
  const { scrollHeight, clientHeight, scrollWidth, clientWidth } = element;
  const isCut = isBox && (scrollHeight > clientHeight + 1 || scrollWidth > clientWidth + 1);
  return isCut || element.getBoundingClientRect().right > innerWidth + 1;
}).map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 40)}`)
"""
"""Elements with a scroll box of their own, or beyond the edge of the window."""

REFUSED = """
() => new Promise((resolve) => {
  document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
  ACT;
})
"""
"""The directive of the page's policy that rejects an action."""

FOCUS_IS_SEEN = """
() => {
  const { top, bottom } = document.activeElement.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight && getComputedStyle(document.activeElement).outlineStyle === "solid";
}
"""

AXE = Path(str(metadata.distribution("axe-playwright-python").locate_file("axe_playwright_python/axe.min.js")))


class Sheet:
    """The page in the browser, with its requests and console messages."""

    def __init__(self, browser: Browser, path: Path, width: str = "desktop", **context: Any) -> None:  # noqa: ANN401 - playwright's options
        self.requests: list[str] = []
        self.complaints: list[str] = []
        across, down = WIDTHS[width]
        self._context = browser.new_context(viewport={"width": across, "height": down}, offline=True, **context)
        self.page: Page = self._context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.url = path.as_uri()
        self.page.goto(self.url)

    def close(self) -> None:
        """Close the page, and assert that it only requested itself and logged no message."""
        self._context.close()
        assert self.requests == [self.url]
        assert self.complaints == []

    def head(self, table: str, name: str) -> Locator:
        """Return the heading of a column."""
        return self.page.locator(f"#table-{table} thead th", has_text=name)

    def column(self, table: str, number: int) -> list[str]:
        """Return the text of a column's visible cells."""
        rows = self.page.locator(f"#table-{table} tbody tr:not([hidden])")
        cells: list[str] = rows.evaluate_all("(rows, at) => rows.map((row) => row.cells[at].textContent)", number)
        return cells

    def overflow(self) -> int:
        """Return the number of pixels by which the page is wider than its window."""
        wider: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return wider


@pytest.fixture
def sheet(browser: Browser, company_page: Path) -> Iterator[Sheet]:
    """Open the company's page at the width of a desktop."""
    opened = Sheet(browser, company_page)
    yield opened
    opened.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits(browser: Browser, company_page: Path, width: str, scheme: Any) -> None:  # noqa: ANN401 - a literal to playwright
    """At each width and in each color scheme, only the page itself scrolls, and only down; screenshots are saved."""
    sheet = Sheet(browser, company_page, width, color_scheme=scheme)
    assert sheet.overflow() == 0
    assert sheet.page.evaluate(CUT) == []
    ARTIFACTS.mkdir(exist_ok=True)
    sheet.page.screenshot(path=ARTIFACTS / f"report-{width}-{scheme}.png", full_page=True)
    sheet.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_hidden(browser: Browser, company_page: Path, width: str) -> None:
    """The page shows every finding with its user, rule, message and next step, and the whole menu is visible."""
    sheet = Sheet(browser, company_page, width)
    rows = sheet.page.locator("#table-findings tbody tr")
    assert str(rows.count()) == sheet.page.locator("#findings .count").text_content()
    shown = rows.evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].every((cell) => cell.innerText.trim() && cell.offsetHeight > 10))"
    )
    assert shown == [True] * len(shown)
    links = sheet.page.locator("nav a").evaluate_all("(all) => all.map((link) => link.getBoundingClientRect().right)")
    assert len(links) == len(SECTIONS)
    assert max(links) <= WIDTHS[width][0]
    sheet.close()


def test_cards_on_a_phone(browser: Browser, company_page: Path) -> None:
    """On a phone, a row is a card: its parts are stacked and labeled, none is empty, and cards can be sorted."""
    sheet = Sheet(browser, company_page, "phone")
    empty = sheet.page.locator("tbody td:visible").evaluate_all(
        "(cells) => cells.filter((cell) => !cell.textContent.trim()).length"
    )
    assert empty == 0
    names = sheet.page.locator("#table-keys tbody tr:first-child td:visible").evaluate_all(
        "(cells) => cells.map((cell) => getComputedStyle(cell, '::before').content)"
    )
    assert names[:3] == ['"Id"', '"Status"', '"Age, days"']
    sheet.head("credentials", "User").get_by_role("button").click()
    sheet.head("credentials", "User").get_by_role("button").click()
    users = sheet.column("credentials", 0)
    assert users == sorted(users, reverse=True)
    sheet.page.get_by_label("Filter all tables").fill("jane keyspaces")
    expect(sheet.page.locator("#credentials .count")).to_have_text(f"1 of {len(users)}")
    expect(sheet.page.locator("#table-credentials tbody tr:visible")).to_have_count(1)
    sheet.close()


@pytest.fixture(scope="module")
def example_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page about the example of each event."""
    file = tmp_path_factory.mktemp("example") / "report.html"
    file.write_text(render(make_example().drift, load_example()), "utf-8")
    return file


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", ["phone", "desktop"])
@pytest.mark.parametrize("name", ["company_page", "example_page"])
def test_axe(browser: Browser, request: pytest.FixtureRequest, name: str, width: str, scheme: Any) -> None:  # noqa: ANN401 - as above
    """Axe finds no accessibility problem in names, roles, contrast or order, and makes no request."""
    sheet = Sheet(browser, request.getfixturevalue(name), width, color_scheme=scheme)
    sheet.page.evaluate(AXE.read_text("utf-8"))
    found = sheet.page.evaluate("axe.run()")
    assert {"color-contrast", "label", "button-name", "region"} <= {rule["id"] for rule in found["passes"]}
    doubtful = [*found["violations"], *found["incomplete"]]
    nodes = [(rule["id"], node["html"]) for rule in doubtful for node in rule["nodes"]]
    # Axe does not see the background of a text in a picture; test_chart.py checks the contrast there.
    assert [node for node in nodes if not (node[0] == "color-contrast" and node[1].startswith("<t"))] == []
    sheet.close()


def test_axe_sees_a_mistake(browser: Browser, tmp_path: Path) -> None:
    """Axe detects mistakes: an image without text, and low contrast."""
    (tmp_path / "bad.html").write_text('<body style="color: #999; background: #888"><img src="data:,"><p>text</p>')
    page = browser.new_page()
    page.goto((tmp_path / "bad.html").as_uri())
    page.evaluate(AXE.read_text("utf-8"))
    broken = page.evaluate("axe.run().then(({ violations }) => violations.map(({ id }) => id))")
    page.close()
    assert {"image-alt", "color-contrast"} <= set(broken)


def receive(server: socket.socket) -> bytes:
    """Return the bytes that a server receives; chromium may connect before its policy rejects the request."""
    server.settimeout(0.3)
    try:
        connection, _ = server.accept()
    except TimeoutError:
        return b""
    with connection:
        connection.settimeout(0.3)
        return connection.recv(1_000)


@pytest.mark.parametrize(
    ("act", "directive"),
    [
        ("fetch(URL).catch(() => {})", "connect-src"),
        ("new Image().src = URL", "img-src"),
        ("document.body.append(Object.assign(document.createElement('iframe'), { src: URL }))", "frame-src"),
        ("document.body.append(Object.assign(document.createElement('script'), { src: URL }))", "script-src-elem"),
        ("document.body.append(Object.assign(document.createElement('script'), { text: 'x = 1' }))", "script-src-elem"),
    ],
)
def test_no_request_leaves_the_page(browser: Browser, company_page: Path, act: str, directive: str) -> None:
    """The page's policy blocks every request of a script before anything is sent, even with a network."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        page = browser.new_page()
        page.goto(company_page.as_uri())
        url = f"'http://127.0.0.1:{server.getsockname()[1]}/'"
        assert page.evaluate(REFUSED.replace("ACT", act.replace("URL", url))) == directive
        page.close()
        assert receive(server) == b""


def test_schemes_differ(browser: Browser, company_page: Path) -> None:
    """The page is dark if the user prefers dark, and light otherwise."""
    colours = set()
    for scheme in SCHEMES:
        sheet = Sheet(browser, company_page, color_scheme=scheme)
        colours.add(sheet.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        sheet.close()
    assert len(colours) == 2


def test_sort_by_click(sheet: Sheet) -> None:
    """A click on a heading sorts by that column, a second click reverses the order, and empty cells are last."""
    ages = sheet.head("credentials", "Age, days")
    ages.get_by_role("button").click()
    assert ages.get_attribute("aria-sort") == "ascending"
    numbers = [int(text.replace(",", "")) for text in sheet.column("credentials", 7)]
    assert len(numbers) > 50
    assert numbers == sorted(numbers)
    ages.get_by_role("button").click()
    assert ages.get_attribute("aria-sort") == "descending"
    assert [int(text.replace(",", "")) for text in sheet.column("credentials", 7)] == sorted(numbers, reverse=True)
    expires = sheet.head("credentials", "Expires")
    for direction in (1, -1):
        expires.get_by_role("button").click()
        dates = sheet.column("credentials", 8)
        some = [date for date in dates if date]
        assert some == sorted(some)[::direction]
        assert dates == [*some, *[""] * dates.count("")]
    assert ages.get_attribute("aria-sort") is None


def test_keyboard_alone(sheet: Sheet) -> None:
    """Tab visits menu, filter, tiles and headings in that order, always visible; Enter and Space activate them."""
    keyboard = sheet.page.keyboard
    reached: list[str] = []
    while not reached or reached[-1] != "User":
        keyboard.press("Tab")
        assert sheet.page.evaluate(FOCUS_IS_SEEN), reached
        reached.append(sheet.page.evaluate("document.activeElement.textContent"))
    assert reached[:6] == ["Findings", "Timeline", "Services", "Credentials", "Access keys", ""]
    assert [tile[:4] for tile in reached[6:8]] == ["Exis", "Decl"]
    users = sheet.column("findings", 0)
    keyboard.press("Enter")
    keyboard.press("Space")
    assert sheet.head("findings", "User").get_attribute("aria-sort") == "descending"
    assert sheet.column("findings", 0) == sorted(users, reverse=True)
    for _ in reached[6:]:
        keyboard.press("Shift+Tab")
    keyboard.type("retired")
    expect(sheet.page.locator("#shown")).to_have_text(re.compile(" of "))
    assert set(sheet.column("findings", 0)) == {"retired"}


def test_filter(sheet: Sheet) -> None:
    """Words in the filter limit every table to rows with all of them, and the counts change."""
    every = len(sheet.column("credentials", 0))
    sheet.page.get_by_label("Filter all tables").fill("JANE codecommit")
    expect(sheet.page.locator("#shown")).to_have_text(re.compile("^[0-9]+ of [0-9]+ rows$"))
    assert set(sheet.column("credentials", 0)) == {"jane"}
    assert sheet.page.locator("#credentials .count").text_content() == f"1 of {every}"
    assert sheet.column("services", 0) == []
    assert sheet.overflow() == 0
    sheet.head("credentials", "User").get_by_role("button").click()
    assert set(sheet.column("credentials", 0)) == {"jane"}
    sheet.page.get_by_label("Filter all tables").fill("")
    expect(sheet.page.locator("#shown")).to_have_text("")
    assert len(sheet.column("credentials", 0)) == every
    assert sheet.page.locator("#credentials .count").text_content() == str(every)


def test_without_script(browser: Browser, company_page: Path) -> None:
    """Without JavaScript, all content is readable, and controls that need it are absent."""
    sheet = Sheet(browser, company_page, java_script_enabled=False)
    assert sheet.page.get_by_label("Filter all tables").is_hidden()
    assert sheet.page.locator("thead button").count() == 0
    assert sheet.page.locator("#table-credentials tbody tr").first.is_visible()
    sheet.close()


def test_names_for_a_screen_reader(sheet: Sheet) -> None:
    """Tables, sections, search and sort buttons have accessible names and roles."""
    tree = sheet.page.locator("body").aria_snapshot()
    for part in (
        "- banner:", "- main:", "- contentinfo:", '- navigation "Sections":', "- search:", '- heading "Timeline',
        '- table "Access keys":', '- columnheader "Status', '- button "Status', '- rowheader "jane"',
        '- searchbox "Filter all tables"', '- region "Summary":',
    ):  # fmt: skip
        assert part in tree


def test_print(sheet: Sheet) -> None:
    """In print, the page is complete on landscape sheets, without interactive controls, and light."""
    ARTIFACTS.mkdir(exist_ok=True)
    pdf = sheet.page.pdf(path=ARTIFACTS / "report.pdf", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    sheet.page.emulate_media(media="print", color_scheme="dark")
    sheet.page.set_viewport_size({"width": 1032, "height": 730})  # A4 landscape within its margins
    assert sheet.overflow() <= 0
    assert sheet.page.locator("nav").is_hidden()
    assert sheet.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert sheet.page.evaluate(CUT) == []
    assert sheet.page.locator("#table-findings td:visible").count() == 4 * len(sheet.column("findings", 0))
    sheet.page.screenshot(path=ARTIFACTS / "report-print.png", full_page=True)


@pytest.fixture(scope="module")
def large_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with a thousand findings and credentials, every other one Inactive."""
    users = tuple(
        DesiredUser(f"user-{number:04}", SourceLocation("specs/users.yaml", number, 3)) for number in range(1, 1_001)
    )
    statuses = (Status.ACTIVE, Status.INACTIVE)
    existing = tuple(
        replace(LIVE, id=f"ACCA{user.name[5:]}", user=user.name, expires=None, status=statuses[number % 2])
        for number, user in enumerate(users)
    )
    inventory = replace(INVENTORY, users=tuple(User(user.name, NOW) for user in users), credentials=existing)
    desired = Desired(users)
    file = tmp_path_factory.mktemp("large") / "many.html"
    file.write_text(render(compare(desired, inventory), desired), "utf-8")
    return file


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_a_thousand_findings(browser: Browser, large_page: Path, width: str) -> None:
    """A thousand findings are all on the page, and are sorted and filtered; only the first fifty are laid out."""
    sheet = Sheet(browser, large_page, width)
    visible = sheet.page.locator("#table-findings tbody tr:visible")
    assert len(sheet.column("findings", 0)) == 1_000
    assert sheet.overflow() == 0
    expect(visible).to_have_count(FOLDED)
    sheet.head("findings", "User").get_by_role("button").click()
    sheet.head("findings", "User").get_by_role("button").click()
    assert sheet.column("findings", 0)[0] == "user-1000"
    expect(visible).to_have_count(FOLDED)
    sheet.page.get_by_label("Filter all tables").fill("user-0042")
    expect(sheet.page.locator("#findings .count")).to_have_text("1 of 1,000")
    assert sheet.column("findings", 0) == ["user-0042"]
    expect(visible).to_have_count(1)  # it is beyond the first fifty
    sheet.page.get_by_label("Filter all tables").fill("")
    expect(visible).to_have_count(FOLDED)
    sheet.close()


@pytest.mark.parametrize("script", [True, False])
def test_fold(browser: Browser, large_page: Path, *, script: bool) -> None:
    """A long section shows fifty rows, and all of them after a click on its fold or on paper, without a script too."""
    sheet = Sheet(browser, large_page, "phone", java_script_enabled=script)
    rows = sheet.page.locator("#table-credentials tbody tr:visible")
    expect(rows).to_have_count(FOLDED)
    fold = sheet.page.locator("section[aria-labelledby=credentials] .fold summary")
    fold.click()
    expect(rows).to_have_count(1_000)
    expect(fold).to_have_text("Show only the first 50 rows", use_inner_text=True)
    fold.click()
    expect(rows).to_have_count(FOLDED)
    sheet.page.emulate_media(media="print")
    expect(rows).to_have_count(1_000)
    expect(fold).to_be_hidden()
    sheet.close()


def test_height_on_a_phone(browser: Browser, large_page: Path) -> None:
    """Two thousand rows are not a hundred times as high as the window, and menu and filter stay in reach."""
    sheet = Sheet(browser, large_page, "phone")
    assert sheet.page.evaluate("document.documentElement.scrollHeight / innerHeight") < 50
    sheet.page.locator("#keys").scroll_into_view_if_needed()
    assert sheet.page.evaluate("scrollY") > 10_000
    expect(sheet.page.get_by_role("link", name="Findings", exact=True)).to_be_in_viewport()
    expect(sheet.page.get_by_label("Filter all tables")).to_be_in_viewport()
    assert sheet.page.locator("nav").evaluate("(nav) => nav.offsetHeight / innerHeight") < 0.15
    sheet.page.get_by_role("link", name="Credentials", exact=True).click()
    below = "(heading) => heading.getBoundingClientRect().top - document.querySelector('nav').offsetHeight"
    assert sheet.page.locator("#credentials").evaluate(below) >= 0
    sheet.close()


def test_filter_by_status(browser: Browser, large_page: Path) -> None:
    """The filter does not find a status within a different one; names and ids are found by any part."""
    sheet = Sheet(browser, large_page)
    counts = {"active": 500, "Inact": 500, "managed": 0, "unmanaged": 1_000, "er-0042": 1, "a0042": 1, "0042 active": 0}
    for text, number in counts.items():
        sheet.page.get_by_label("Filter all tables").fill(text)
        expect(sheet.page.locator("#credentials .count")).to_have_text(f"{number:,} of 1,000")
    sheet.close()


def test_copy(browser: Browser, company_page: Path) -> None:
    """A button next to each command copies it; without a script there is none."""
    sheet = Sheet(browser, company_page)
    sheet.page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    commands = sheet.page.locator("code.command")
    assert commands.count() == sheet.page.get_by_role("button", name="Copy").count() > 10
    button = sheet.page.get_by_role("button", name="Copy").first
    button.click()
    expect(sheet.page.get_by_role("button", name="Copied")).to_have_count(1)
    assert sheet.page.evaluate("window.copied") == commands.first.text_content()
    sheet.close()
    sheet = Sheet(browser, company_page, java_script_enabled=False)
    assert sheet.page.locator("code.command").count() > 10
    assert sheet.page.get_by_role("button").count() == 0
    sheet.close()
