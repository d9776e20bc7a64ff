"""Expiry of API keys: the lifetime, the replacement of an expired key, and manual deactivation before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.errors import AccountError
from iamcreds.pulumi_engine.outputs import declared_inputs
from iamcreds.state.recorded import read_recorded
from tests.providers.conftest import new_process
from tests.providers.requests import BEDROCK, CREATE, UNMANAGED, create, news

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.literals import StatusTypeType

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

DAY = 86_400
KEY = {"user": "jane", "service": BEDROCK}
AGED = KEY | {"age_days": 30}
OUTPUTS = {"user": "jane", "service": BEDROCK, "age_days": 30, "create_date": "2026-01-01T00:00:00+00:00"}
ENDED = OUTPUTS | {"status": "Expired", "expiration_date": "2026-01-31T00:00:00+00:00"}
WRITES = {f"iam:{verb}ServiceSpecificCredential" for verb in ("Create", "Reset", "Update", "Delete")}


def existing(iam: IAMClient) -> dict[str, Any]:
    """Return jane's only credential."""
    (found,) = iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"]
    return dict(found)


def switch(iam: IAMClient, status: StatusTypeType) -> None:
    """Set the status of jane's only credential, as a person does."""
    name = existing(iam)["ServiceSpecificCredentialId"]
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=name, Status=status)


def read(credential_id: str, outputs: dict[str, Any]) -> dict[str, Any]:
    """Refresh the outputs in a new process."""
    outs = new_process().read(credential_id, outputs).outs
    assert outs is not None
    return dict(outs)


def plan(credential_id: str, outputs: dict[str, Any], inputs: dict[str, Any], before: dict[str, Any]) -> list[str]:
    """Return the reasons of the replacement that check and diff plan; both plan it, or neither of them.

    `before` are the outputs before the refresh, which the program reads.
    """
    deactivated = {"deactivated": True} if read_recorded("jane/bedrock", before).was_deactivated else {}
    context: dict[str, Any] = {
        "resource": "jane/bedrock",
        "owned": {credential_id: "jane/bedrock"},
        "user": "jane",
        "service": BEDROCK,
    }
    provider = new_process()
    context |= deactivated | {"options": {"protect": True}}
    checked = provider.check(declared_inputs(outputs), inputs | {"run": context})
    is_rejected = any("is protected and cannot be replaced" in each.reason for each in checked.failures or [])
    replaces = list(provider.diff(credential_id, outputs, inputs).replaces or [])
    assert is_rejected == bool(replaces), "a protected credential is rejected if it is to be replaced"
    return replaces


def test_create_with_lifetime(provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator) -> None:
    """The lifetime is sent as CredentialAgeDays, and `issued_at` is the server time of the create."""
    emulator.controls.set(clock_shift=-100 * DAY)
    _, outs = create(provider, **AGED)
    assert existing(iam)["ExpirationDate"] - existing(iam)["CreateDate"] == timedelta(days=30)
    assert outs["issued_at"] == outs["create_date"] == existing(iam)["CreateDate"].isoformat()


def is_shifted(issued_at: str, days: int) -> bool:
    """Return True if a time is by so many days ahead of this machine's clock."""
    return abs(datetime.fromisoformat(issued_at) - timedelta(days=days) - datetime.now(UTC)) < timedelta(hours=12)


def test_reset(provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator) -> None:
    """A reset sets `issued_at` to its server time; a refresh and an unrelated update keep it."""
    name, outs = create(provider, **KEY)
    emulator.controls.set(clock_shift=50 * DAY)
    news = KEY | {"reset": "lost"}
    reset = new_process().update(name, outs, news).outs
    assert reset is not None
    assert is_shifted(reset["issued_at"], 50)
    assert reset["create_date"] == outs["create_date"]
    emulator.controls.set(clock_shift=60 * DAY)
    assert read(name, reset) == reset
    inactive = new_process().update(name, reset, news | {"status": "Inactive"}).outs
    assert inactive is not None
    assert inactive["issued_at"] == reset["issued_at"]
    assert existing(iam)["Status"] == "Inactive"


def test_adoption(provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator) -> None:
    """An adoption resets the password and sets `issued_at`; an import does not know it, a declared reset does."""
    emulator.controls.put_credential(UNMANAGED, "jane", BEDROCK, created="2020-01-01T00:00:00+00:00")
    emulator.controls.set(clock_shift=20 * DAY)
    _, adopted = create(provider, **KEY, existing="adopt")
    assert (existing(iam)["ServiceSpecificCredentialId"], is_shifted(adopted["issued_at"], 20)) == (UNMANAGED, True)
    name, imported = create(new_process(), **KEY, adopt=UNMANAGED, password="known")
    assert (name, "issued_at" in imported) == (UNMANAGED, False)
    _, imported = create(new_process(), **KEY, adopt=UNMANAGED, reset="now")
    assert is_shifted(imported["issued_at"], 20)


@pytest.mark.usefixtures("iam")
def test_lost_response(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """If the response to a create is lost, `issued_at` is the time of the reset that followed."""
    emulator.controls.set(clock_shift=-10 * DAY)
    emulator.controls.drop(CREATE, when="after")
    _, outs = create(provider, **AGED)
    assert emulator.controls.counts()["iam:ResetServiceSpecificCredential"] == 1
    assert is_shifted(outs["issued_at"], -10)


@pytest.mark.usefixtures("iam")
def test_older_state(provider: ServiceSpecificCredentialProvider) -> None:
    """A state without `issued_at` shows no change, and a refresh and an update do not invent it."""
    name, outs = create(provider, **KEY)
    old = {key: value for key, value in outs.items() if key != "issued_at"}
    assert not provider.diff(name, old, KEY).changes
    assert read(name, old) == old
    updated = provider.update(name, old, KEY | {"status": "Inactive"}).outs
    assert updated is not None
    assert "issued_at" not in updated


@pytest.mark.parametrize(
    ("recorded", "inputs", "replaces"),
    [
        ({}, {}, ["status"]),
        ({"deactivated": True}, {}, []),
        ({"deactivated": True}, {"reset": "leaked"}, ["status"]),
        ({"deactivated": True, "reset": "leaked"}, {"reset": "leaked"}, []),
        ({"deactivated": True}, {"status": "Inactive"}, ["status"]),
        ({"deactivated": True}, {"status": "Active"}, ["status"]),
        ({"deactivated": True}, {"rotation": 1}, ["rotation", "status"]),
        ({"deactivated": True, "rotation": 1.0}, {"rotation": 1}, []),
        ({"deactivated": True}, {"age_days": 31}, ["age_days"]),
        ({"desired_status": "Inactive"}, {}, ["status"]),
        ({"status": "Active"}, {}, []),
        ({"status": "Active"}, {"age_days": 90}, ["age_days"]),
        ({"status": "Active"}, {"age_days": None}, ["age_days"]),
        ({"status": "Active", "age_days": None}, {}, []),
        ({"status": "Active", "age_days": None}, {"age_days": 31}, ["age_days"]),
        ({"status": "Active", "age_days": None}, {"age_days": None}, []),
        ({"status": "Active"}, {"rotation": 1}, ["rotation"]),
        ({"status": "Active"}, {"rotation": 1, "reset": "leaked"}, []),
        ({"status": "Active", "age_days": None}, {"age_days": None, "rotation": 1}, []),
    ],
)
@pytest.mark.usefixtures("iam", "provider")
def test_replacement(
    capsys: pytest.CaptureFixture[str], recorded: dict[str, Any], inputs: dict[str, Any], replaces: list[str]
) -> None:
    """An Expired key is replaced unless it was deactivated before and no new secret is required; so is a new lifetime.

    The actual lifetime of an imported key is not a new one.
    """
    outputs = ENDED | {"account_id": "123456789012"} | recorded
    news = {key: value for key, value in (AGED | inputs).items() if value is not None}
    assert list(new_process().diff(UNMANAGED, outputs, news).replaces or []) == replaces
    is_kept = outputs["status"] == "Expired" and not replaces
    assert ("is Expired and is not replaced, because it was deactivated" in capsys.readouterr().err) is is_kept


def test_expired_after_deactivation(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refresh records a manual deactivation, later ones keep it over the expiry; such a key is not replaced."""
    name, outs = create(provider, **AGED)
    emulator.controls.set(clock_shift=DAY)
    switch(iam, "Inactive")
    inactive = read(name, outs)
    assert (inactive["status"], "deactivated" in inactive) == ("Inactive", False)
    emulator.controls.set(clock_shift=31 * DAY)
    expired = read(name, inactive)
    assert (expired["status"], expired["deactivated"]) == ("Expired", True)
    assert read(name, expired) == expired
    for before in (inactive, expired):
        capsys.readouterr()
        assert plan(name, expired, AGED, before) == []
        assert f"credential {name} of user jane is Expired and is not replaced" in capsys.readouterr().err
        assert plan(name, expired, AGED | {"reset": "leaked"}, before) == ["status"]
        assert plan(name, expired, AGED | {"status": "Inactive"}, before) == ["status"]


def test_active_again(provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator) -> None:
    """A key that was activated again before its expiry is replaced after it."""
    name, outs = create(provider, **AGED)
    emulator.controls.set(clock_shift=DAY)
    switch(iam, "Inactive")
    inactive = read(name, outs)
    switch(iam, "Active")
    active = read(name, inactive)
    emulator.controls.set(clock_shift=31 * DAY)
    expired = read(name, active)
    assert "deactivated" not in expired
    assert plan(name, expired, AGED, active) == ["status"]
    assert "deactivated" not in read(name, expired | {"status": "Active", "deactivated": True})


@pytest.mark.parametrize("shift", [DAY, 31 * DAY])
def test_unrecorded_deactivation(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator, shift: int
) -> None:
    """A deactivation that no run recorded, and one after the expiry, look like an expiry: the key is replaced."""
    name, outs = create(provider, **AGED)
    emulator.controls.set(clock_shift=shift)
    switch(iam, "Inactive")
    emulator.controls.set(clock_shift=32 * DAY)
    expired = read(name, outs)
    assert (expired["status"], "deactivated" in expired) == ("Expired", False)
    assert plan(name, expired, AGED, outs) == ["status"]


def test_declared_status_is_no_manual_deactivation(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator
) -> None:
    """A key with `status: Inactive` is replaced by an Inactive one, also if the status is no longer declared."""
    name, outs = create(provider, **AGED, status="Inactive")
    emulator.controls.set(clock_shift=31 * DAY)
    expired = read(name, outs)
    assert (existing(iam)["Status"], "deactivated" in expired) == ("Expired", False)
    assert plan(name, expired, AGED | {"status": "Inactive"}, outs) == ["status"]
    assert plan(name, expired, AGED, outs) == ["status"]


def test_update_after_expiry(provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator) -> None:
    """An update of a key that expired after the refresh records the deactivation, and one of a kept key keeps it."""
    name, outs = create(provider, **KEY | {"age_days": 30, "reset": "a"})
    emulator.controls.set(clock_shift=DAY)
    switch(iam, "Inactive")
    inactive = read(name, outs)
    emulator.controls.set(clock_shift=31 * DAY)
    updated = new_process().update(name, inactive, AGED).outs
    assert updated is not None
    assert (updated["status"], updated["deactivated"]) == ("Expired", True)
    again = new_process().update(name, updated | {"reset": "a"}, AGED).outs
    assert again == updated


def test_imported_key(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a declared lifetime each run names the missing line; adding it changes the state only."""
    emulator.controls.put_credential(UNMANAGED, "jane", BEDROCK, expires=days_ahead(60), created=days_ahead(-30))
    line = "but its successor would not expire. Declare `expire: {after: 90d}` (in a program, `age_days=90`)"
    name, outs = create(provider, **KEY, adopt=UNMANAGED)
    assert line in capsys.readouterr().err
    provider = new_process()
    assert not provider.diff(name, outs, KEY).changes
    assert line in capsys.readouterr().err
    news = KEY | {"age_days": 90, "adopt": UNMANAGED}
    emulator.controls.clear_counts()
    found = new_process().diff(name, outs, news)
    assert (found.changes, list(found.replaces or [])) == (True, [])
    updated = new_process().update(name, outs, news).outs
    assert updated == outs | {"age_days": 90}
    assert not WRITES & emulator.controls.counts().keys()
    provider = new_process()
    assert not provider.diff(name, updated, news).changes
    assert line not in capsys.readouterr().err
    assert plan(name, updated, KEY | {"age_days": 30}, updated) == ["age_days"]
    assert plan(name, updated, KEY, updated) == ["age_days"]
    assert existing(iam)["ServiceSpecificCredentialId"] == UNMANAGED


def days_ahead(days: int) -> str:
    """Return the date that many days ahead, in whole seconds."""
    return (datetime.now(UTC).replace(microsecond=0, hour=0, minute=0, second=0) + timedelta(days=days)).isoformat()


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize(("inputs", "is_named"), [(AGED, True), (KEY, True), ({"service": "codecommit"}, False)])
def test_denied_create(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, inputs: dict[str, Any], *, is_named: bool
) -> None:
    """A denied create of an API key names the organization's policies, and the limit in AWS's sample; no other does."""
    emulator.controls.deny(CREATE)
    with pytest.raises(AccountError) as failed:
        provider.create(provider.check({}, news() | inputs).inputs)
    said = str(failed.value)
    assert "`iamcreds permissions`" in said
    words = "denies an expiry of 30 days or more, exactly 30 as well, but not keys without an expiry"
    assert [words in said, "organization's policies (SCPs)" in said] == [is_named, is_named]
