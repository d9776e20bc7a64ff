"""Draw the pictures of report and schedule for the documents: `python -m tests.report.picture`, or `make pictures`.

`iamcreds report` writes the page about the company of the tests on the IAM emulator, and Debian's chromium draws it.
The timeline of the schedule is about an account at a fixed time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
from playwright.sync_api import sync_playwright

from iamcreds.emulator.server import Emulator
from iamcreds.report.schedule.chart import format_svg
from tests.report import company
from tests.report.browser import ARGUMENTS, find_browser
from tests.report.example import make_example

PICTURE = Path(__file__).parents[2] / "docs/report.png"
SCHEDULE = Path(__file__).parents[2] / "docs/schedule.svg"
WIDTH, HEIGHT = 1280, 960


def write_report(folder: Path) -> Path:
    """Write the page about the company in the folder."""
    company.declare(folder / "specs")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "IAMCREDS_"))}
    env = kept | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": os.devnull}
    with Emulator() as emulator:
        iam = boto3.client(
            "iam", endpoint_url=emulator.url, region_name="us-east-1",
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # fmt: skip
        company.fill(emulator, iam)
        command = [str(Path(sys.executable).parent / "iamcreds"), "report", "specs", "--html", "report.html"]
        done = subprocess.run(command, cwd=folder, env=env | {"AWS_ENDPOINT_URL": emulator.url}, check=False)
    if done.returncode != 2:  # the exit code of drift, which the company has
        sys.exit("iamcreds did not write the report")
    return folder / "report.html"


def main() -> None:
    """Write the timeline and the report, draw the report, and save the top of the page."""
    SCHEDULE.write_text(format_svg(make_example()), "utf-8")
    program = find_browser()
    if program is None:
        sys.exit("chromium is not on PATH: install Debian's package chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = write_report(Path(folder))
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(page_file.as_uri())
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
