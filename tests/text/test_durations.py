"""Durations in the form that people write."""

from __future__ import annotations

from datetime import timedelta

import pytest

from iamcreds.text.durations import format_duration, parse_duration

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "length"),
    [("0h", 0 * DAY), ("12h", DAY / 2), ("90d", 90 * DAY), ("2w", 14 * DAY), ("36600d", 36_600 * DAY)],
)
def test_parse(text: str, length: timedelta) -> None:
    """A number with the unit h, d or w is a duration."""
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "d", "1", "1.5d", "-1d", " 1d", "1d\n", "1m", "1D", "٣d", "36601d", "5229w"])
def test_parse_nothing_else(text: str) -> None:
    """Other texts, and durations of more than a century, are rejected with a message that quotes them."""
    with pytest.raises(ValueError, match="is not a duration such as 12h, 14d or 2w, of at most 36600 days") as caught:
        parse_duration(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 seconds"), (1, "1 second"), (90, "1 minute"), (7_300, "2 hours"), (200_000, "2 days")],
)
def test_format(seconds: int, words: str) -> None:
    """A duration is shown in its largest whole unit."""
    assert format_duration(timedelta(seconds=seconds)) == words
