"""`existing: adopt` at the provider: check shows the id, and create resets only that credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.errors import RejectedError
from tests.providers.conftest import new_process
from tests.providers.requests import CODECOMMIT, UNMANAGED, create, news

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

OTHER = "ACCAOTHER000000000000"
ADOPTING = {"existing": "adopt"}
pytestmark = pytest.mark.usefixtures("iam")


@pytest.mark.parametrize("status", ["Active", "Inactive", None])
def test_adopt(provider: ServiceSpecificCredentialProvider, emulator: Emulator, status: str | None) -> None:
    """Check shows the id and the old status, and create resets the credential, which is managed from then on."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT, status="Inactive")
    checked = provider.check({}, news() | ADOPTING | {"status": status})
    shown = {name: checked.inputs.get(name) for name in ("adopts", "adopts_status")}
    assert shown == {"adopts": UNMANAGED, "adopts_status": None if status == "Inactive" else "Inactive"}
    adopted = provider.create(checked.inputs)
    assert adopted.outs is not None
    assert (adopted.id, adopted.outs["status"]) == (UNMANAGED, status or "Active")
    assert emulator.controls.passwords() == {UNMANAGED: adopted.outs["service_password"]}
    assert "adopts" not in adopted.outs
    assert provider.check({}, news(resource="jane/codecommit/b") | {"declared": 2}).failures == []


def test_created_since(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A credential that appeared after the check is not adopted."""
    checked = provider.check({}, news() | ADOPTING)
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    provider.account.inventory.reread(["jane"])
    with pytest.raises(RejectedError, match=f"{UNMANAGED} of user jane appeared after the preview"):
        provider.create(checked.inputs)


def test_deleted_since(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """If the credential is deleted after the check, create fails and creates nothing."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    checked = provider.check({}, news() | ADOPTING)
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=UNMANAGED)
    provider.account.inventory.reread(["jane"])
    with pytest.raises(RejectedError, match=f"{UNMANAGED} of user jane, because it no longer exists"):
        provider.create(checked.inputs)
    assert emulator.controls.passwords() == {}


@pytest.mark.parametrize("order", [1, -1])
def test_two_of_two(provider: ServiceSpecificCredentialProvider, emulator: Emulator, order: int) -> None:
    """Two resources adopt one each, in any order of the creates."""
    for name in (UNMANAGED, OTHER):
        emulator.controls.put_credential(name, "jane", CODECOMMIT)
    inputs = ADOPTING | {"declared": 2}
    checked = [provider.check({}, news(resource=f"jane/codecommit/{name}") | inputs).inputs for name in "ab"]
    assert sorted(one["adopts"] for one in checked) == sorted([UNMANAGED, OTHER])
    assert [provider.create(one).id for one in checked[::order]] == [one["adopts"] for one in checked[::order]]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("is_created_at_once", [True, False])
def test_one_of_two(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, *, is_first: bool, is_created_at_once: bool
) -> None:
    """If only one of two adopts, it adopts the unmanaged credential in any order, and the other one is created."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    inputs: dict[str, dict[str, Any]] = {"a": ADOPTING | {"declared": 2}, "b": {"declared": 2}}
    order = "ab" if is_first else "ba"
    created, checked = {}, {}
    for name in order:
        checked[name] = provider.check({}, news(resource=name, group=inputs, on_rejection="collect") | inputs[name])
        assert "refused" not in checked[name].inputs
        if is_created_at_once:
            created[name] = provider.create(checked[name].inputs).id
    for name in order[::-1]:
        created.setdefault(name, "")
        created[name] = created[name] or provider.create(checked[name].inputs).id
    assert created["a"] == UNMANAGED
    assert set(emulator.controls.passwords()) == set(created.values())


def test_managed_resource_adopts_no_second_one(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A managed credential does not adopt a second one; the unmanaged one blocks the create."""
    name, _ = create(provider)
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    group = {"a": ADOPTING | {"declared": 2}, "b": {"declared": 2}}
    context = {"owned": {name: "a"}, "group": group, "on_rejection": "collect"}
    checked = new_process().check({}, news(resource="b", **context) | {"declared": 2})
    assert UNMANAGED in checked.inputs["refused"][0]
