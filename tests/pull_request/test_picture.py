"""The picture of a pull request's comment is of what `iamcreds plan` says."""

from __future__ import annotations

from tests.pull_request.picture import render_page


def test_page() -> None:
    """The comment becomes a heading, a table with a row for each credential, and what folds; the marker is not seen."""
    page = render_page()
    assert "<h3>IAM credentials: <code>production</code></h3>" in page
    assert page.count("<tr>") == 1 + 6
    assert page.count("<details><summary>") == 3
    assert "<!-- iamcreds plan: production -->" in page
    assert "|" not in page[page.index("<h3>") : page.index("<details>")]
    assert "http" not in page
