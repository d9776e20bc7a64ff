"""Validation of the providers' inputs: each rule at both bounds, without a request to AWS."""

from __future__ import annotations

import pytest
from pulumi.output import UNKNOWN as UNKNOWN_OBJECT
from pulumi.runtime.rpc import UNKNOWN

from iamcreds.pulumi_engine.inputs import CredentialInputs, find_failures

JANE = {"user": "jane", "service": "bedrock"}


@pytest.mark.parametrize(
    ("name", "value", "is_accepted"),
    [
        ("user", "j", True),
        ("user", "j" * 64, True),
        ("user", "j" * 65, False),
        ("user", "", False),
        ("user", "+=,.@-_9", True),
        ("user", "jane doe", False),
        ("user", "jane\n", False),
        ("user", 7.0, False),
        ("user", None, False),
        ("service", "logs", True),
        ("service", "x", True),
        ("service", "", False),
        ("service", ".logs", False),
        ("service", "bed rock", False),
        ("service", 7.0, False),
        ("service", None, False),
        ("status", "Active", True),
        ("status", "Inactive", True),
        ("status", "active", False),
        ("status", "Expired", False),
        ("age_days", 0.0, False),
        ("age_days", 1.0, True),
        ("age_days", 36600.0, True),
        ("age_days", 36601.0, False),
        ("age_days", 1.5, False),
        ("age_days", "30", False),
        ("age_days", True, False),
        ("existing", "fail", True),
        ("existing", "adopt", True),
        ("existing", "take", False),
        ("declared", 0.0, False),
        ("declared", 1.0, True),
        ("declared", 2.0, True),
        ("declared", 3.0, False),
        ("declared", True, False),
        ("adopt", "ACCAEXAMPLE1234567890", True),
        ("adopt", "ACCA", False),
        ("adopt", "ACCAEXAMPLE1234567890\n", False),
        ("password", "hunter2", True),
        ("password", "", False),
        ("password", 7.0, False),
    ],
)
def test_bounds(name: str, value: object, *, is_accepted: bool) -> None:
    """Each input is accepted up to its bound, and rejected beyond it under its own name."""
    failures = list(find_failures(CredentialInputs.read(JANE | {name: value})))
    assert [failure.property for failure in failures] == ([] if is_accepted else [name])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("user", "", "expected an IAM user name: 1 to 64 letters, digits and characters of _+=,.@-"),
        ("service", "", "expected bedrock, codecommit, keyspaces, logs or a full service name"),
        ("status", "on", "expected Active or Inactive"),
        ("age_days", 0.0, "expected a whole number of days from 1 to 36600"),
        ("existing", "take", "expected fail or adopt"),
        ("declared", 3.0, "expected 1 or 2, because IAM allows two"),
    ],
)
def test_reasons(name: str, value: object, expected: str) -> None:
    """A rejection names the accepted values."""
    (failure,) = find_failures(CredentialInputs.read(JANE | {name: value}))
    assert failure.reason == expected


def test_as_meant() -> None:
    """Inputs are normalized (whole numbers, triggers as text, full service names), and None is removed."""
    read = CredentialInputs.read(JANE | {"age_days": 30.0, "declared": 2.0, "reset": 7.0, "status": None})
    assert read.properties() == {
        "user": "jane",
        "service": "bedrock.amazonaws.com",
        "reset": "7.0",
        "age_days": 30,
        "declared": 2,
    }
    assert isinstance(read.age_days, int)
    assert isinstance(read.declared, int)


def test_expiry_of_a_password() -> None:
    """A password has no expiry, as in the specs; a service that is unknown to iamcreds may have one."""
    aged = {"user": "jane", "age_days": 30.0}
    (failure,) = find_failures(CredentialInputs.read(aged | {"service": "keyspaces"}))
    assert (failure.property, failure.reason) == (
        "age_days",
        "only API keys expire, but keyspaces credentials are passwords",
    )
    for service in ("bedrock", "new.amazonaws.com", UNKNOWN, UNKNOWN_OBJECT):
        assert list(find_failures(CredentialInputs.read(aged | {"service": service}))) == []


@pytest.mark.parametrize("service", [None, 7.0, True, ["bedrock"], {"name": "bedrock"}])
def test_expiry_of_no_service(service: object) -> None:
    """An invalid service is rejected as such, regardless of the other inputs."""
    failures = find_failures(CredentialInputs.read({"user": "jane", "service": service, "age_days": 30.0}))
    assert [failure.property for failure in failures] == ["service"]
