"""`adopt: ID` at the provider: the writes to AWS, the recorded outputs, and the end of its effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pulumi.output import UNKNOWN

from iamcreds.errors import AccountError, RejectedError
from tests.providers.conftest import new_process

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

CODECOMMIT = "codecommit.amazonaws.com"
ID = "ACCAADOPTED0000000000"
INPUTS = {"user": "jane", "service": CODECOMMIT, "adopt": ID}
RESET = "iam:ResetServiceSpecificCredential"
UPDATE = "iam:UpdateServiceSpecificCredential"
pytestmark = pytest.mark.usefixtures("iam")


def news(**more: object) -> dict[str, Any]:
    """Return the inputs of a program whose state is empty."""
    return INPUTS | {"run": {"resource": "jane/codecommit", "owned": {}}} | more


def take_over(provider: ServiceSpecificCredentialProvider, **more: object) -> dict[str, Any]:
    """Check and create a credential, and return its outputs."""
    checked = provider.check({}, news(**more))
    assert checked.failures == []
    made = provider.create(checked.inputs)
    assert made.id == ID
    assert made.outs is not None
    return made.outs


def writes(emulator: Emulator) -> dict[str, int]:
    """Count the calls that change something."""
    return {name: number for name, number in emulator.controls.counts().items() if name in (RESET, UPDATE)}


def test_untouched(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A credential is imported with its status, without a write, and its password is not an output."""
    emulator.controls.put_credential(ID, "jane", CODECOMMIT, status="Inactive")
    emulator.controls.clear_counts()
    outs = take_over(provider)
    assert (outs["credential_id"], outs["status"], outs["account_id"]) == (ID, "Inactive", "123456789012")
    assert "service_password" not in outs
    assert writes(emulator) == {}
    assert not provider.diff(ID, outs, INPUTS).changes


def test_known_password(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A declared password becomes an output, and is no longer an input from then on."""
    emulator.controls.put_credential(ID, "jane", CODECOMMIT, password="hunter2")
    emulator.controls.put_credential("ACCAKEY00000000000000", "jane", "logs.amazonaws.com", password="ACWL2")
    emulator.controls.clear_counts()
    outs = take_over(provider, password="hunter2")
    assert outs["service_password"] == "hunter2"
    assert "password" not in outs
    assert provider.check(INPUTS, news(password="hunter2")).inputs == INPUTS
    assert not provider.diff(ID, outs, INPUTS).changes
    updated = provider.update(ID, outs, INPUTS | {"status": "Active"}).outs
    assert updated is not None
    assert updated["service_password"] == "hunter2"
    logs = {"service": "logs.amazonaws.com", "adopt": "ACCAKEY00000000000000", "password": "ACWL2"}
    provider = new_process()
    key = provider.create(provider.check({}, news(**logs)).inputs)
    assert key.outs is not None
    assert key.outs["service_credential_secret"] == "ACWL2"


def test_password_of_none(provider: ServiceSpecificCredentialProvider) -> None:
    """A password without an id to import is rejected."""
    checked = provider.check({}, news(password="hunter2", adopt=None))
    assert [failure.property for failure in checked.failures or []] == [""]
    assert "hunter2" not in str([failure.reason for failure in checked.failures or []])


@pytest.mark.parametrize(
    ("beside", "status", "expected"),
    [
        ({"status": "Active"}, "Active", {}),
        ({"status": "Inactive"}, "Inactive", {UPDATE: 1}),
        ({"reset": "known"}, "Active", {RESET: 1}),
        ({"status": "Inactive", "reset": "known"}, "Inactive", {UPDATE: 1, RESET: 1}),
    ],
)
def test_what_is_declared_beside(
    provider: ServiceSpecificCredentialProvider,
    emulator: Emulator,
    beside: dict[str, str],
    status: str,
    expected: dict[str, int],
) -> None:
    """A declared status and a reset are previewed and applied with the import; then nothing differs."""
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    emulator.controls.clear_counts()
    checked = provider.check({}, news(**beside))
    assert checked.inputs["adopts"] == ID
    assert checked.inputs.get("adopts_status") == (None if status == "Active" else "Active")
    outs = take_over(provider, **beside)
    assert writes(emulator) == expected
    assert outs["status"] == status
    assert outs.get("service_password") == (emulator.controls.passwords()[ID] if "reset" in beside else None)
    assert not provider.diff(ID, outs, INPUTS | beside).changes


def test_killed_and_repeated(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """If an import fails between two writes, repeating it in another process ends with a valid password."""
    emulator.controls.put_credential(ID, "jane", CODECOMMIT, status="Inactive")
    emulator.controls.fail(UPDATE, status=403, code="AccessDenied", message="not today")
    inputs = provider.check({}, news(status="Active", reset="known")).inputs
    with pytest.raises(AccountError):
        provider.create(inputs)
    outs = take_over(new_process(), status="Active", reset="known")
    assert outs["service_password"] == emulator.controls.passwords()[ID]
    assert outs["status"] == "Active"


def test_gone_since_the_preview(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """If the credential to import is deleted after the check, create fails and creates nothing."""
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    inputs = provider.check({}, news()).inputs
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=ID)
    with pytest.raises(RejectedError, match=f"cannot adopt or import credential {ID} of user jane, because"):
        new_process().create(inputs)
    assert emulator.controls.passwords() == {}


def test_successor_is_made(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A replacement of an imported credential is created, because `adopt` applies only to the first create."""
    emulator.controls.put_credential(ID, "jane", "logs.amazonaws.com")
    logs = {"service": "logs.amazonaws.com"}
    outs = take_over(provider, **logs)
    provider = new_process()
    owned = {"run": {"resource": "jane/codecommit", "owned": {ID: "jane/codecommit"}}}
    aged = logs | {"age_days": 30}
    provider.read(ID, outs)
    assert provider.check(INPUTS | logs, INPUTS | aged | owned).inputs == INPUTS | aged
    assert provider.diff(ID, outs, INPUTS | aged).replaces == ["age_days"]
    successor = provider.check({}, INPUTS | aged | owned)
    assert successor.failures == []
    assert "adopt" not in successor.inputs
    made = provider.create(successor.inputs)
    assert made.id != ID
    assert made.outs is not None
    provider.delete(ID, outs)
    assert list(emulator.controls.passwords()) == [made.id]
    assert not new_process().diff(made.id, made.outs, INPUTS | aged).changes


@pytest.mark.parametrize("is_asked", [False, True])
def test_successor_of_what_is_gone_or_asked_for(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, *, is_asked: bool
) -> None:
    """A replacement is created if the old credential is gone, and if it was requested without a diff."""
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    take_over(provider)
    provider = new_process()
    context = {"resource": "jane/codecommit", "owned": {ID: "jane/codecommit"}}
    if is_asked:
        emulator.controls.set(all_users=False)
    else:
        emulator.controls.set(clock_shift=61)
        provider.account.credentials.delete("jane", ID)
        provider.check(INPUTS, news(run=context))
    checked = provider.check({}, news(run=context))
    assert checked.failures == []
    assert "adopt" not in checked.inputs
    assert provider.create(checked.inputs).id != ID


def test_beside_a_new_one(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """One of two is imported, and the other one is created, even if it is requested first."""
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    group = {"jane/codecommit": {"declared": 2, "adopt": ID}, "jane/codecommit/new": {"declared": 2}}
    message = {"resource": "jane/codecommit/new", "owned": {}, "group": group}
    new = {"user": "jane", "service": CODECOMMIT, "declared": 2}
    made = provider.check({}, new | {"run": message})
    adopted = provider.check({}, news(declared=2))
    assert (made.failures, adopted.failures) == ([], [])
    assert provider.create(made.inputs).id != ID
    assert provider.create(adopted.inputs).id == ID
    assert len(emulator.controls.passwords()) == 2


def test_missing(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the id does not exist, a credential is created with a warning, unless an unmanaged one exists."""
    other = "ACCAOTHER000000000000"
    checked = provider.check({}, news())
    assert (checked.inputs, checked.failures) == (INPUTS, [])
    made = provider.create(checked.inputs)
    assert set(emulator.controls.passwords()) == {made.id}
    assert (
        f"codecommit credential {ID} of user jane cannot be imported, because it does not exist"
        in capsys.readouterr().err
    )
    provider.delete(made.id, made.outs or {})
    emulator.controls.put_credential(other, "jane", CODECOMMIT)
    (failure,) = new_process().check({}, news()).failures or []
    assert f"cannot import credential {ID} as a codecommit credential of user jane: it does not exist" in failure.reason
    assert other in failure.reason


def test_not_known_yet(provider: ServiceSpecificCredentialProvider) -> None:
    """An id that is still unknown is not looked for."""
    checked = provider.check({}, news(adopt=UNKNOWN))
    assert checked.failures == []
    assert "adopts" not in checked.inputs


def test_named_by_who_has_one(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """`adopt` applies only to the first create: if the resource has a credential, the named one blocks creates."""
    made = provider.create(provider.check({}, news(adopt=None)).inputs)
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    provider = new_process()
    group = {"jane/codecommit": {"declared": 2, "adopt": ID}, "jane/codecommit/spare": {"declared": 2}}
    context = {"owned": {made.id: "jane/codecommit"}, "group": group}
    provider.read(made.id, made.outs or {})
    provider.check(INPUTS | {"adopt": None}, news(declared=2, run=context | {"resource": "jane/codecommit"}))
    spare = news(adopt=None, declared=2, run=context | {"resource": "jane/codecommit/spare"})
    failures = provider.check({}, spare).failures
    assert failures is not None
    assert f"{ID} (Active" in failures[0].reason
    assert "unmanaged credential" in failures[0].reason


def test_asked_again(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A repeated check returns the same result: the resource's own plan does not block it.

    After the adoption, the credential belongs to that resource by name.
    """
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    first, second = (provider.check({}, news(declared=2)) for _ in range(2))
    assert (second.inputs, second.failures) == (first.inputs, [])
    provider.create(second.inputs)
    told = provider.check({}, news(declared=2, run={"resource": "jane/codecommit/spare", "owned": {}})).failures
    assert told is not None
    assert "jane/codecommit manages or imports it" in told[0].reason


def test_of_a_different_user(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A preview rejects the import of a different user's credential, even if this run creates the user."""
    emulator.controls.put_credential(ID, "jane", CODECOMMIT)
    context = {"resource": "new/codecommit", "owned": {}, "on_rejection": "collect", "created_users": ["new"]}
    (reason,) = provider.check({}, news(user="new", run=context)).inputs["refused"]
    assert "it is a codecommit credential of user jane" in reason
