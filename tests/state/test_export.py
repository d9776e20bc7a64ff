"""Credentials in the export of a state, and invalid exports."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from iamcreds.errors import StateError
from iamcreds.model import PendingCreate, StackExport
from iamcreds.pulumi_engine.outputs import is_deactivated
from iamcreds.resource_types import CREDENTIAL_TYPE
from iamcreds.state.export import read_export

REAL = Path(__file__).parents[1] / "e2e/recorded/state.json"
URN = f"urn:pulumi:test::iamcreds::iamcreds:index:SpecFile${CREDENTIAL_TYPE}::"
OUTPUTS = {
    "credential_id": "ACCAEXAMPLE1234567890",
    "user": "jane",
    "service": "codecommit.amazonaws.com",
    "create_date": "2026-11-01T00:00:00+00:00",
    "account_id": "123456789012",
    "reset": "lost",
    "service_password": {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"},
}


CREATING = {"urn": f"{URN}x", "type": CREDENTIAL_TYPE, "inputs": {"user": {"ciphertext": "x"}, "service": "logs"}}


def export(*resources: dict[str, Any]) -> str:
    """Return an export with these resources."""
    return json.dumps({"version": 3, "deployment": {"resources": list(resources)}})


def credential(name: str = "jane/codecommit", **more: object) -> dict[str, Any]:
    """Return a credential in the engine's format."""
    return {"urn": f"{URN}{name}", "type": CREDENTIAL_TYPE, "outputs": OUTPUTS} | more


def test_credential() -> None:
    """Ids, names, dates and the reset are read; the secret is not."""
    text = export(credential("a::b/c"), {"urn": f"{URN}x", "type": "pulumi:pulumi:Stack"})
    (found,) = read_export(text).credentials
    assert (found.resource, found.id, found.user, found.reset) == ("a::b/c", OUTPUTS["credential_id"], "jane", "lost")
    assert (found.account, found.is_leaving) == ("123456789012", False)
    assert "v1:x" not in repr(found)


def test_password() -> None:
    """The time of the last reset, the expiry and a manual deactivation are read; older states have none of them."""
    aged = {"issued_at": "2026-11-02T00:00:00+00:00", "expiration_date": "2026-12-01T00:00:00+00:00", "age_days": 30.0}
    found, old = read_export(export(credential(outputs=OUTPUTS | aged), credential("old"))).credentials
    assert (found.issued, found.expires, found.age_days) == (
        datetime(2026, 11, 2, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
        30,
    )
    assert (old.issued, old.expires, old.age_days, old.was_deactivated) == (None, None, None, False)


@pytest.mark.parametrize("name", ["create_date", "expiration_date", "issued_at"])
@pytest.mark.parametrize("text", ["2026-11-01", "2026-11-01T00:00:00"])
def test_date_without_an_offset(name: str, text: str) -> None:
    """A date without an offset, as in an edited state, is in UTC, so that it is comparable with other dates."""
    (found,) = read_export(export(credential(outputs=OUTPUTS | {name: text}))).credentials
    dates = {"create_date": found.created, "expiration_date": found.expires, "issued_at": found.issued}
    assert dates[name] == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["rotation", "age_days"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), -1, 1.5, "1", {"a": 1}, True])
def test_wrong_number(name: str, value: object) -> None:
    """A number that is not a whole number is an error that names the property."""
    with pytest.raises(StateError, match=f"property `{name}` is not a whole number"):
        read_export(export(credential(outputs=OUTPUTS | {name: value})))


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ({"status": "Active"}, False),
        ({"status": "Inactive"}, True),
        ({"status": "Inactive", "desired_status": "Inactive"}, False),
        ({"status": "Inactive", "desired_status": "Active"}, False),
        ({"status": "Expired"}, False),
        ({"status": "Expired", "deactivated": True}, True),
        ({"status": "Expired", "deactivated": True, "desired_status": "Active"}, False),
    ],
)
def test_deactivation(outputs: dict[str, Any], *, expected: bool) -> None:
    """Only a credential without a declared status was deactivated manually, in the state as in the provider."""
    (found,) = read_export(export(credential(outputs=OUTPUTS | outputs))).credentials
    assert found.was_deactivated == is_deactivated(outputs) == expected


def test_old_copy() -> None:
    """A replaced credential that waits for deletion is distinguished from its replacement."""
    assert [found.is_leaving for found in read_export(export(credential(delete=True), credential())).credentials] == [
        True,
        False,
    ]


def test_two_of_one_name() -> None:
    """Two credentials with one name are rejected with their URNs, because specs are compared by name."""
    twin = credential(urn=f"urn:pulumi:test::iamcreds::{CREDENTIAL_TYPE}::jane/codecommit")
    with pytest.raises(StateError, match="the state has 2 credentials named 'jane/codecommit'") as raised:
        read_export(export(credential(), twin))
    assert all(one["urn"] in str(raised.value) for one in (credential(), twin))


@pytest.mark.parametrize("deployment", [None, {}, {"resources": None}, {"resources": []}])
def test_empty(deployment: object) -> None:
    """An empty stack has no credentials."""
    assert read_export(json.dumps({"version": 3, "deployment": deployment})) == StackExport()


@pytest.mark.parametrize("service", ["codecommit", "codecommit.amazonaws.com"])
def test_pending_creates(service: str) -> None:
    """Pending creates of credentials are read from a state; other operations and other resources are not."""
    created = {"urn": f"{URN}jane/codecommit", "type": CREDENTIAL_TYPE, "inputs": {"user": "jane", "service": service}}
    operations = [
        {"type": "creating", "resource": created},
        {"type": "deleting", "resource": created},
        {"type": "creating", "resource": {"urn": f"{URN}x", "type": "aws:iam/user:User", "inputs": {}}},
    ]
    expected = StackExport(creates=(PendingCreate("jane/codecommit", "jane", "codecommit.amazonaws.com"),))
    deployment = {"resources": [], "pending_operations": operations}
    assert read_export(json.dumps({"version": 3, "deployment": deployment})) == expected
    assert read_export(json.dumps({"version": 3, "checkpoint": {"latest": deployment}})) == expected


def test_recorded() -> None:
    """The state of an earlier version is read."""
    assert [found.resource for found in read_export(REAL.read_text()).credentials]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        '{"deployment": 7}',
        '{"deployment": {"resources": 7}}',
        '{"deployment": {"resources": [7]}}',
        export(credential(outputs=OUTPUTS | {"create_date": "yesterday"})),
        export(credential(outputs=OUTPUTS | {"create_date": 7})),
        export(credential(outputs=OUTPUTS | {"user": {"ciphertext": "x"}})),
        export(credential(outputs=OUTPUTS | {"user": "ja\nne"})),
        export(credential(outputs=OUTPUTS | {"credential_id": "\x1b[31m"})),
        export(credential(urn="x")),
        export({"type": CREDENTIAL_TYPE, "outputs": OUTPUTS}),
        '{"deployment": {"pending_operations": [7]}}',
        json.dumps({"deployment": {"pending_operations": [{"type": "creating", "resource": CREATING}]}}),
        "[" * 100_000,
    ],
)
def test_no_export(text: str) -> None:
    """An invalid export is an error that quotes none of it."""
    with pytest.raises(StateError) as raised:
        read_export(text)
    assert "\x1b" not in str(raised.value)
