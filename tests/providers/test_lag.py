"""IAM's eventual consistency and lost responses: lists that lag, creates in flight, and creates of a killed run."""

from __future__ import annotations

import functools
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from iamcreds.aws import Account
from iamcreds.errors import AccountError, LostAnswerError
from tests.providers.conftest import new_process
from tests.providers.requests import BEDROCK, CODECOMMIT, CREATE, INPUTS, create, news, reasons

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.faults.fault import When
    from iamcreds.emulator.server import Emulator

pytestmark = pytest.mark.usefixtures("iam")


def test_young_credential(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """A credential younger than a minute is kept as recorded, with a warning, if lists lack it or its status."""
    name, outs = create(provider, status="Inactive")
    emulator.controls.set(list_lag=30)
    kept = new_process().read(name, outs)
    assert (kept.id, kept.outs, kept.inputs) == (name, outs, INPUTS | {"status": "Inactive"})
    assert f"warning: {CODECOMMIT} credential {name} of user jane is less than a minute old" in capsys.readouterr().err
    emulator.controls.set(list_lag=0)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=name, Status="Active")
    assert new_process().read(name, outs).outs == outs
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=name)
    emulator.controls.set(clock_shift=61)
    assert new_process().read(name, outs).id is None


def test_status(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """A newly declared status is sent, although a list may still have the old one."""
    name, outs = create(provider, status="Active")
    emulator.controls.set(list_lag=30)
    provider = new_process()
    read = provider.read(name, outs)
    assert read.outs is not None
    assert provider.diff(name, read.outs, INPUTS | {"status": "Inactive"}).changes
    updated = provider.update(name, read.outs, INPUTS | {"status": "Inactive"}).outs
    assert updated is not None
    assert updated["status"] == updated["desired_status"] == "Inactive"
    emulator.controls.set(list_lag=0)
    (existing,) = iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"]
    assert existing["Status"] == "Inactive"


def test_delete(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """A credential is deleted even under a new name of its user; one that is already gone counts as deleted."""
    name, outs = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    new_process().delete(name, outs)
    assert emulator.controls.passwords() == {}
    with pytest.raises(AccountError, match="Run again in a minute"):  # lists may still lack a credential this young
        new_process().delete(name, outs)
    emulator.controls.set(clock_shift=61)
    new_process().delete(name, outs)


@pytest.mark.usefixtures("signed_in")
def test_sibling_of_a_lost_response(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """While a create looks for its credential after a lost response, its sibling's create waits."""
    is_looking, is_created = threading.Event(), threading.Event()
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:  # now a list has the created credential
            is_looking.set()
            is_created.wait(0.5)

    account = Account(sleep=sleep)
    monkeypatch.setattr("iamcreds.pulumi_engine.provider._account", lambda: account)
    provider = ServiceSpecificCredentialProvider()
    provider.configure(ConfigureRequest(Config({}, "iamcreds")))
    names = [f"jane/codecommit/{name}" for name in "ab"]
    first, second = (provider.check({}, news(resource=name) | {"declared": 2.0}).inputs for name in names)
    emulator.controls.fail(CREATE, when="after")
    with ThreadPoolExecutor() as pool:
        lost = pool.submit(provider.create, first)
        assert is_looking.wait(10)
        sibling = pool.submit(provider.create, second)
        sibling.add_done_callback(lambda _: is_created.set())
        ids = {lost.result(30).id, sibling.result(30).id}
    assert ids == set(emulator.controls.passwords())
    assert len(ids) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_repeated_create(monkeypatch: pytest.MonkeyPatch, signed_in: Emulator, when: When) -> None:
    """The next run after a lost response waits until lists must have the credential, and creates no second one."""
    passed, start = [0.0], time.monotonic()
    signed_in.controls.set(list_lag=30)

    def sleep(seconds: float) -> None:
        passed[0] += seconds
        signed_in.controls.set(clock_shift=passed[0])

    monkeypatch.setattr("iamcreds.pulumi_engine.provider._account", functools.cache(lambda: Account(sleep=sleep)))
    monkeypatch.setattr("sys.argv", ["provider"])
    first = new_process()
    signed_in.controls.fail(CREATE, when=when)
    with pytest.raises(LostAnswerError):
        first.create(first.check({}, news()).inputs)
    assert passed == [7.0]
    assert first.check({}, news()).failures == []
    assert passed == [7.0], "a sibling does not wait"
    monkeypatch.setattr("iamcreds.aws.create_journal.process_id", lambda: "another")
    again = new_process()
    if when == "before":
        again.create(again.check({}, news()).inputs)
    else:
        (credential_id,) = signed_in.controls.passwords()
        (reason,) = reasons(again.check({}, news()))
        assert credential_id in reason
    longest = 73.5 if when == "before" else 33.5
    assert longest - 4 - (time.monotonic() - start) <= passed[0] <= longest, "waits end earlier on a busy machine"
    assert len(signed_in.controls.passwords()) == 1


def test_lock(provider: ServiceSpecificCredentialProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check holds the lock of its user and service from plan to decision, and create from plan to outputs."""
    held: list[tuple[str, str]] = []
    hold = provider.account.create_journal.hold

    def hold_noted(user: str, service: str) -> AbstractContextManager[None]:
        held.append((user, service))
        return hold(user, service)

    monkeypatch.setattr(provider.account.create_journal, "hold", hold_noted)
    inputs = provider.check({}, news()).inputs
    assert held == [("jane", CODECOMMIT)]
    provider.create(inputs)
    assert held == [("jane", CODECOMMIT)] * 3, "the last one is for the call itself, within the second one"


def test_killed_run(
    provider: ServiceSpecificCredentialProvider,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The plan waits for the create of a killed run to appear in lists, with one warning."""
    provider = new_process()
    emulator.controls.fail(CREATE, when="before")
    with pytest.raises(LostAnswerError):
        create(provider)
    monkeypatch.setattr("iamcreds.aws.create_journal.process_id", lambda: "another")
    looks: list[float] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        emulator.controls.set(clock_shift=71)

    later = new_process()
    monkeypatch.setattr(later.account.open_creates, "_sleep", look)
    assert later.check({}, news() | {"service": BEDROCK}).failures == []
    assert looks == []
    assert later.check({}, news()).failures == []
    assert later.check({}, news(resource="jane/codecommit/b") | {"declared": 2}).failures == []
    assert looks == [3.0]
    warnings = capfd.readouterr().err
    assert (
        warnings.count(
            "a run on this machine began to create a codecommit credential for user jane less than a minute ago"
        )
        == 1
    )
    assert re.search(r"Waiting for IAM's lists to show it, at most \d\d seconds\n", warnings)
