"""Rules of service-specific credentials that are too slow or too unusual to test over HTTP."""

from __future__ import annotations

import cProfile
from datetime import UTC, datetime

import pytest

from iamcreds.emulator.exceptions import ValidationError
from iamcreds.emulator.models import Credentials
from iamcreds.emulator.paging import cut_page
from iamcreds.services import SERVICES, Family

CODECOMMIT = "codecommit.amazonaws.com"
MOST_CALLS = 500
"""More function calls than a create takes, however many credentials exist."""


@pytest.fixture
def credentials() -> Credentials:
    """Return an account without credentials, with a constant time."""
    return Credentials("123456789012", lambda: datetime(2026, 1, 1, tzinfo=UTC))


def test_services(credentials: Credentials) -> None:
    """The secrets of each service have the defined prefix, and only API keys have one."""
    for service in SERVICES:
        _, secret = credentials.create("jane", service.name)
        assert secret.startswith(service.secret_prefix)
        assert not service.secret_prefix or service.family is Family.API_KEY


def test_login_of_a_former_user(credentials: Credentials) -> None:
    """A renamed user keeps the login, and a new user with the old name gets a different one."""
    credentials.create("jane", CODECOMMIT)
    credentials.rename_user("jane", "janet")
    assert credentials.create("jane", CODECOMMIT)[0].login == "jane+1-at-123456789012"
    assert credentials.create("janet", CODECOMMIT)[0].login == "janet-at-123456789012"


def test_order(credentials: Credentials) -> None:
    """Pages are in the order of ids, which is not the order of creation."""
    made = [credentials.create(f"user{number}", CODECOMMIT)[0].id for number in range(20)]
    found, paging = cut_page(credentials.select(), lambda one: one.id, {}, kind="x")
    assert [one.id for one in found] == sorted(made) != made
    assert paging == {"IsTruncated": False}


def test_marker_of_another_list() -> None:
    """A marker of one operation is invalid for a different one."""
    marker = cut_page(["a", "b"], str, {"MaxItems": 1}, kind="users")[1]["Marker"]
    assert cut_page(["a", "b"], str, {"Marker": marker}, kind="users")[0] == ["b"]
    with pytest.raises(ValidationError):
        cut_page(["a", "b"], str, {"Marker": marker}, kind="keys")


def test_ten_thousand(credentials: Credentials) -> None:
    """Ten thousand credentials are created and listed in ten pages, without a repeated look at earlier ones."""
    profile = cProfile.Profile()
    profile.enable()
    for number in range(10_000):
        credentials.create(f"user{number // 2}", CODECOMMIT)
    profile.disable()
    assert sum(entry.callcount for entry in profile.getstats()) < 10_000 * MOST_CALLS
    request = {"MaxItems": 1000}
    pages = 1
    paging = cut_page(credentials.select(), lambda one: one.id, request, kind="x")[1]
    while paging["IsTruncated"]:
        paging = cut_page(credentials.select(), lambda one: one.id, {**request, "Marker": paging["Marker"]}, kind="x")[
            1
        ]
        pages += 1
    assert pages == 10
