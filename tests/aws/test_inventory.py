"""The trust of a run in the list of all users, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.aws import Account
    from iamcreds.emulator.server import Emulator

CODECOMMIT, KEYSPACES = "codecommit.amazonaws.com", "cassandra.amazonaws.com"
LIST = "iam:ListServiceSpecificCredentials"


@pytest.fixture
def ids(iam: IAMClient, emulator: Emulator) -> dict[tuple[str, str], str]:
    """Return the ids of an hour-old credential of bob and of jane for each of two services, by user and service."""
    emulator.controls.set(clock_shift=-3_600)
    iam.create_user(UserName="bob")
    found = {}
    for user in ("bob", "jane"):
        for service in (CODECOMMIT, KEYSPACES):
            made = iam.create_service_specific_credential(UserName=user, ServiceName=service)
            found[user, service] = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    emulator.controls.set(clock_shift=0)
    emulator.controls.clear_counts()
    return found


def count_lists(emulator: Emulator) -> int:
    """Count the lists of credentials that were requested."""
    return emulator.controls.counts().get(LIST, 0)


def test_believed(account: Account, emulator: Emulator, ids: dict[tuple[str, str], str]) -> None:
    """One list serves every user and service while nothing contradicts it."""
    for (user, service), id_ in ids.items():
        assert [existing.id for existing in account.inventory.of(user, service)] == [id_]
        found = account.inventory.find(user, id_)
        assert found is not None
        assert (found.user, found.service) == (user, service)
    assert count_lists(emulator) == 1


def test_not_believed_any_more(account: Account, emulator: Emulator, ids: dict[tuple[str, str], str]) -> None:
    """If a user's own list shows a credential that the list of all users lacks, each user is listed once."""
    emulator.controls.set(hidden_users=["bob", "jane"])
    assert account.inventory.find("jane", ids["jane", CODECOMMIT]) is not None
    assert count_lists(emulator) == 2
    for service in (CODECOMMIT, KEYSPACES):
        assert [existing.id for existing in account.inventory.of("bob", service)] == [ids["bob", service]]
        assert [existing.id for existing in account.inventory.of("jane", service)] == [ids["jane", service]]
    assert count_lists(emulator) == 3


def test_believed_after_a_deletion(
    account: Account, emulator: Emulator, iam: IAMClient, ids: dict[tuple[str, str], str]
) -> None:
    """A credential that its user's own list lacks as well is gone, and the list of all users stays trusted."""
    gone = ids["jane", CODECOMMIT]
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=gone)
    emulator.controls.clear_counts()
    assert account.inventory.find("jane", gone) is None
    assert count_lists(emulator) == 2
    assert [existing.id for existing in account.inventory.of("bob", CODECOMMIT)] == [ids["bob", CODECOMMIT]]
    assert account.inventory.find("jane", gone) is None
    assert count_lists(emulator) == 2


@pytest.mark.parametrize("hidden", [["bob"], ["bob", "jane"]])
def test_reread(account: Account, emulator: Emulator, ids: dict[tuple[str, str], str], hidden: list[str]) -> None:
    """If the list of all users lacks a user that is read again, every user is read, but none twice."""
    emulator.controls.set(hidden_users=hidden)
    account.inventory.reread(["bob"])
    assert {existing.id for existing in account.inventory.all()} == set(ids.values())
    account.inventory.reread([])
    assert [existing.id for existing in account.inventory.of("jane", KEYSPACES)] == [ids["jane", KEYSPACES]]
    assert count_lists(emulator) == 1 + 2


def test_endpoint_without_all_users(account: Account, emulator: Emulator, ids: dict[tuple[str, str], str]) -> None:
    """If the endpoint does not support AllUsers, each user is listed once, on demand, and the services are separate."""
    emulator.controls.set(all_users=False)
    for (user, service), id_ in ids.items():
        assert [existing.id for existing in account.inventory.of(user, service)] == [id_]
    assert count_lists(emulator) == 1 + 2


def test_renamed_while_lists_lag(
    account: Account, emulator: Emulator, iam: IAMClient, ids: dict[tuple[str, str], str]
) -> None:
    """A credential that a lagging list shows under the old name of a renamed user is not gone.

    IAM does not delete users who have credentials.
    """
    emulator.controls.set(list_lag=30)
    assert len(account.inventory.all()) == len(ids)
    iam.update_user(UserName="jane", NewUserName="joan")
    assert account.inventory.find("jane", "ACCAUNKNOWN0000000000") is None
    assert account.inventory.find("jane", ids["jane", CODECOMMIT]) is not None
