"""An `Account` connected to the IAM emulator, with a clock that advances only when a test sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iamcreds.aws import Account

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator


@pytest.fixture
def iam(iam: IAMClient) -> IAMClient:
    """Return a client of a different person who works on the account, which has a user jane."""
    iam.create_user(UserName="jane")
    return iam


@pytest.fixture
def slept() -> list[float]:
    """Return the list of pauses of the account, in seconds."""
    return []


@pytest.fixture
def account(signed_in: Emulator, slept: list[float]) -> Account:
    """Return an account whose pauses take no time."""
    del signed_in  # is required to exist
    return Account(sleep=slept.append)
