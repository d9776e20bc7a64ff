"""The screenshot of a pull request's comment shows the output of `iamcreds plan`."""

from __future__ import annotations

from tests.pull_request.picture import render_page


def test_page() -> None:
    """The comment is a heading, a table with a row per credential, and folded details; the marker is invisible."""
    page = render_page()
    assert "<h3>IAM credentials: <code>production</code></h3>" in page
    assert page.count("<tr>") == 1 + 6
    assert page.count("<details><summary>") == 3
    assert "<!-- iamcreds plan: production -->" in page
    assert "|" not in page[page.index("<h3>") : page.index("<details>")]
    assert "http" not in page
