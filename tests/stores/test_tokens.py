"""Words of attempts and tokens of delivered versions."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.stores.tokens import make_attempt, make_token, read_time

NOW = datetime(2026, 11, 30, 12, 0, 5, tzinfo=UTC)

values = st.tuples(
    st.text("ACAB0123", min_size=1, max_size=4),
    st.integers(0, 12),
    st.none() | st.text("None1\n'", max_size=4),
    st.text("ab1\n", max_size=4),
)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis
def test_time(now: datetime) -> None:
    """A word has the server time of its attempt, in seconds."""
    assert read_time(make_attempt(now)) == now.replace(microsecond=0)


def test_time_zone() -> None:
    """The time of a word is UTC."""
    attempt = make_attempt(NOW.astimezone(timezone(timedelta(hours=2))))
    assert attempt.startswith("20261130T120005Z-")
    assert read_time(attempt) == NOW


def test_chance() -> None:
    """Two attempts of one second have different words."""
    assert len({make_attempt(NOW) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "attempt",
    [
        "",
        "word",
        "20261130T120005Z",
        "20261130T120005Z-0123456789abcde",
        "20261130T120005Z-0123456789ABCDEF",
        "20261130T120005Z-0123456789abcdef\n",
        "20261330T120005Z-0123456789abcdef",
        "\u0662\u0660261130T120005Z-0123456789abcdef",  # Arabic-Indic digits
    ],
)
def test_other_words(attempt: str) -> None:
    """A different word, or one with an impossible date, has no time."""
    assert read_time(attempt) is None


def test_token_is_stable() -> None:
    """The token of a version is the same in every release, because a later run recognizes its own version by it."""
    token = make_token("ACCAEXAMPLE1234567890", 3, "leak", "20261130T120005Z-0123456789abcdef")
    assert token == "8802aaf1-2c90-57d3-b713-e8c5c3bbeb7e"
    assert make_token("ACCAEXAMPLE1234567890", 0, None, "") == "f33d39f9-771b-5d2d-9fd8-0561feccd598"
    assert str(uuid.UUID(token)) == token


@given(values, values)
def test_tokens_differ(first: tuple[str, int, str | None, str], second: tuple[str, int, str | None, str]) -> None:
    """Two versions have the same token only if credential, rotation, reset and attempt are the same."""
    assert (make_token(*first) == make_token(*second)) == (first == second)
