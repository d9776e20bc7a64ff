"""Credentials in the export of a state, and invalid exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iamcreds.errors import StateError
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


def export(*resources: dict[str, Any]) -> str:
    """Return an export with these resources."""
    return json.dumps({"version": 3, "deployment": {"resources": list(resources)}})


def credential(name: str = "jane/codecommit", **more: object) -> dict[str, Any]:
    """Return a credential in the engine's format."""
    return {"urn": f"{URN}{name}", "type": CREDENTIAL_TYPE, "outputs": OUTPUTS} | more


def test_credential() -> None:
    """Ids, names, dates and the reset are read; the secret is not."""
    (found,) = read_export(export(credential("a::b/c"), {"urn": f"{URN}x", "type": "pulumi:pulumi:Stack"}))
    assert (found.resource, found.id, found.user, found.reset) == ("a::b/c", OUTPUTS["credential_id"], "jane", "lost")
    assert (found.account, found.is_leaving) == ("123456789012", False)
    assert "v1:x" not in repr(found)


def test_old_copy() -> None:
    """A replaced credential that waits for deletion is distinguished from its replacement."""
    assert [found.is_leaving for found in read_export(export(credential(delete=True), credential()))] == [True, False]


def test_two_of_one_name() -> None:
    """Two credentials with one name are rejected with their URNs, because specs are compared by name."""
    twin = credential(urn=f"urn:pulumi:test::iamcreds::{CREDENTIAL_TYPE}::jane/codecommit")
    with pytest.raises(StateError, match="the state has 2 credentials named 'jane/codecommit'") as raised:
        read_export(export(credential(), twin))
    assert all(one["urn"] in str(raised.value) for one in (credential(), twin))


@pytest.mark.parametrize("deployment", [None, {}, {"resources": None}, {"resources": []}])
def test_empty(deployment: object) -> None:
    """An empty stack has no credentials."""
    assert read_export(json.dumps({"version": 3, "deployment": deployment})) == ()


def test_recorded() -> None:
    """The state of an earlier version is read."""
    assert [found.resource for found in read_export(REAL.read_text())]


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
        "[" * 100_000,
    ],
)
def test_no_export(text: str) -> None:
    """An invalid export is an error that quotes none of it."""
    with pytest.raises(StateError) as raised:
        read_export(text)
    assert "\x1b" not in str(raised.value)
