"""Names and durations, compared with their definitions in the schema."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.specs.schema import SCHEMA, accepts
from iamcreds.text import names
from iamcreds.text.durations import MAX_DURATION, parse_duration

if TYPE_CHECKING:
    import re

PROPERTIES: Any = SCHEMA["properties"]
HOURS = {"h": 1, "d": 24, "w": 168}
DEFINITIONS: Any = SCHEMA["$defs"]


@pytest.mark.parametrize(
    ("pattern", "words", "field"),
    [
        (names.USER_NAME, names.USER_NAME_WORDS, PROPERTIES["users"]["propertyNames"]),
        (names.SERVICE_NAME, names.SERVICE_NAME_WORDS, DEFINITIONS["service"]),
        (names.ACCOUNT_ID, names.ACCOUNT_ID_WORDS, PROPERTIES["account"]),
        (names.CREDENTIAL_ID, names.CREDENTIAL_ID_WORDS, DEFINITIONS["credential"]["properties"]["adopt"]),
    ],
    ids=["user", "service", "account", "credential"],
)
def test_schema_agrees(pattern: re.Pattern[str], words: str, field: dict[str, Any]) -> None:
    """The specs and the rest of the code have the same pattern for a name, and the same words for its rejection."""
    assert (field["pattern"], field["x-expected"]) == (f"^{pattern.pattern}$", words)


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "jané", "a\n", "a/b"])
def test_not_a_user_name(name: str) -> None:
    """A name that IAM rejects is not a user name."""
    assert names.USER_NAME.fullmatch(name) is None


@given(st.from_regex(r"[0-9]{1,6}[hdwms]", fullmatch=True) | st.text(max_size=8))
def test_durations_agree(text: str) -> None:
    """Specs and code accept the same durations, except that specs reject zero and have no maximum."""
    is_in_specs = accepts(DEFINITIONS["duration"], text)
    try:
        assert is_in_specs == bool(parse_duration(text))
    except ValueError:
        assert not is_in_specs or int(text[:-1]) * HOURS[text[-1]] > MAX_DURATION / timedelta(hours=1)
