"""Draw the screenshot of a pull request's comment for the documents: `make pictures`.

The comment is the output of `iamcreds plan` for a recorded preview, rendered as Markdown with tables, in a style that
resembles GitHub's. Debian's chromium draws it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright

from tests.pull_request.previews import run_recorded
from tests.report.browser import ARGUMENTS, find_browser

PICTURE = Path(__file__).parents[2] / "docs/comment.png"
PREVIEW = "changes"
WIDTH = 1120
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A comment</title>
<style>
body {{ margin: 0; padding: 24px; background: #fff; color: #1f2328; font: 14px/1.5 "DejaVu Sans", Arial, sans-serif }}
article {{ border: 1px solid #d1d9e0; border-radius: 6px }}
header {{ padding: 8px 16px; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0; background: #f6f8fa }}
header {{ color: #59636e }}
header b {{ color: #1f2328 }}
header span {{ margin-left: 4px; padding: 0 6px; border: 1px solid #d1d9e0; border-radius: 2em; font-size: 12px }}
main {{ padding: 4px 16px }}
h3 {{ margin: 12px 0; font-size: 18px }}
table {{ width: 100%; margin: 16px 0; border-collapse: collapse }}
th, td {{ padding: 6px 13px; border: 1px solid #d1d9e0; text-align: left }}
tr:nth-child(even) td {{ background: #f6f8fa }}
code, pre {{ border-radius: 6px; background: #eff1f3; font: 12px/1.5 "DejaVu Sans Mono", monospace }}
code {{ padding: 2px 5px; white-space: nowrap }}
pre {{ padding: 12px; white-space: pre-wrap }}
pre code {{ padding: 0; white-space: inherit }}
summary {{ margin: 8px 0 }}
</style>
<article><header><b>github-actions</b><span>bot</span> commented now</header><main>{comment}</main></article>
"""


def render_page() -> str:
    """Return an HTML page with the comment."""
    comment = run_recorded(PREVIEW, "--marker", "production").output
    return PAGE.format(comment=MarkdownIt("commonmark").enable("table").render(comment))


def main() -> None:
    """Draw the page and save the screenshot."""
    program = find_browser()
    if program is None:
        sys.exit("chromium is not on PATH: install Debian's package chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 100}, color_scheme="light")
        page.set_content(render_page())
        page.screenshot(path=PICTURE, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
