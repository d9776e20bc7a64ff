"""Fast and correct parsing of IAM's dates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.aws.client import open_session
from iamcreds.aws.client import parse_date as parse
from iamcreds.aws.credential_lists import to_credential


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - Hypothesis requires naive dates
def test_iam_dates(when: datetime) -> None:
    """A date in IAM's format is parsed as botocore parses it."""
    written = f"{when:%Y-%m-%dT%H:%M:%SZ}"
    assert parse(written) == parse_timestamp(written) == when.replace(microsecond=0, tzinfo=UTC)


@pytest.mark.parametrize(
    "written", ["Tue, 24 Nov 2026 23:00:00 GMT", "1795561200", "2026-11-24T23:00:00.000+0000", 1795561200, 1.7955612e9]
)
def test_other_dates(written: str | float) -> None:
    """Other formats, which some endpoints and the JSON services use, are parsed as well."""
    assert parse(written) == datetime(2026, 11, 24, 23, tzinfo=UTC)


def test_dates_are_in_utc() -> None:
    """A credential's dates are in UTC, and so is their day, regardless of the time zone of the response."""
    made = datetime(2026, 11, 24, 1, tzinfo=timezone(timedelta(hours=2)))
    said = {"UserName": "jane", "ServiceName": "bedrock.amazonaws.com", "Status": "Active"}
    existing = to_credential(
        said | {"ServiceSpecificCredentialId": "ACCA1", "CreateDate": made, "ExpirationDate": made + timedelta(days=1)}
    )
    assert existing.expires is not None
    assert existing.created.tzinfo is existing.expires.tzinfo is UTC
    assert (existing.created, existing.expires.day) == (datetime(2026, 11, 23, 23, tzinfo=UTC), 24)


def test_reader_is_used() -> None:
    """Clients of our session parse dates with this function."""
    core = open_session()._session  # noqa: SLF001 - boto3 has no public access to it
    parser = core.get_component("response_parser_factory").create_parser("query")
    assert parser._timestamp_parser is parse  # noqa: SLF001 - same
    assert parse("2026-11-24T23:00:00Z").utcoffset() == timedelta()
