"""An `Account` against the embedded IAM, with time that does not pass by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iamcreds.aws import Account

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator


@pytest.fixture
def iam(iam: IAMClient) -> IAMClient:
    """Somebody else who works on the account, with a user jane."""
    iam.create_user(UserName="jane")
    return iam


@pytest.fixture
def slept() -> list[float]:
    """The seconds that the account has waited."""
    return []


@pytest.fixture
def account(signed_in: Emulator, slept: list[float]) -> Account:
    """The account; waiting takes no time."""
    del signed_in  # only has to be there
    return Account(sleep=slept.append)
