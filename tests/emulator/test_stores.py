"""Faults and controls of the secret stores."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from iamcreds.emulator.account import SWITCHES
from tests.emulator.asking import read_code, request_control
from tests.emulator.conftest import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.faults.fault import When
    from iamcreds.emulator.server import Emulator

MOMENT = datetime(2031, 5, 1, 23, 30, tzinfo=UTC)
WRITES: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "secretsmanager": ("CreateSecret", lambda store: store.create_secret(Name="a", SecretString="x")),
    "ssm": ("PutParameter", lambda store: store.put_parameter(Name="a", Value="x", Type="SecureString")),
    "kms": ("CreateKey", lambda store: store.create_key()),
}
READS: dict[str, Callable[[Any], int]] = {
    "secretsmanager": lambda store: len(store.list_secrets()["SecretList"]),
    "ssm": lambda store: len(store.describe_parameters()["Parameters"]),
    "kms": lambda _: 0,
}
STORES = pytest.mark.parametrize("service", sorted(WRITES))
DATA = pytest.mark.parametrize("service", ["secretsmanager", "ssm"])


def write(emulator: Emulator, service: str) -> dict[str, Any]:
    """Write to a store, and return the response."""
    return WRITES[service][1](open_store(emulator.url, service))


def count(emulator: Emulator, service: str) -> int:
    """Return the number of secrets or parameters."""
    return READS[service](open_store(emulator.url, service))


def name_write(service: str) -> str:
    """Return the name of the write in faults and counts."""
    return f"{service}:{WRITES[service][0]}"


@STORES
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("deny", (400, "AccessDeniedException")),
        ("throttle", (400, "ThrottlingException")),
        ("fail", (500, "InternalServiceError")),
    ],
)
def test_error_codes(
    emulator: Emulator, controls: Controls, service: str, fault: str, expected: tuple[int, str]
) -> None:
    """The errors of the controls have the codes and statuses of the JSON services, and are counted."""
    controls.clear_counts()
    getattr(controls, fault)(f"{service}:*")
    with pytest.raises(ClientError) as caught:
        write(emulator, service)
    assert read_code(caught) == expected
    assert controls.counts() == {name_write(service): 1}
    controls.clear_faults()
    assert count(emulator, service) == 0


@STORES
def test_rate(emulator: Emulator, controls: Controls, service: str) -> None:
    """The rate limit applies to every service, with its error code."""
    controls.set(rate=0.001, burst=1)
    WRITES[service][1](open_store(emulator.url, service))
    with pytest.raises(ClientError, match="Rate exceeded") as caught:
        write(emulator, service)
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"


@DATA
@pytest.mark.parametrize(("when", "written"), [("before", 0), ("after", 1)])
def test_lost_calls(emulator: Emulator, controls: Controls, service: str, when: When, written: int) -> None:
    """A call is lost before its effect, and a response after it."""
    controls.drop(name_write(service), when=when)
    with pytest.raises(ConnectionClosedError):
        write(emulator, service)
    assert count(emulator, service) == written


@DATA
def test_error_after_the_effect(emulator: Emulator, controls: Controls, service: str) -> None:
    """A call can fail with a server error although it took effect."""
    controls.fail(name_write(service), when="after")
    with pytest.raises(ClientError):
        write(emulator, service)
    assert count(emulator, service) == 1


@DATA
def test_silence(emulator: Emulator, controls: Controls, service: str) -> None:
    """A call without a response times out."""
    controls.hang(name_write(service), 30)
    with pytest.raises(ReadTimeoutError):
        WRITES[service][1](open_store(emulator.url, service, read_timeout=0.2))
    controls.abandon()
    assert count(emulator, service) == 0


@DATA
@pytest.mark.parametrize("whole_length", [False, True])
def test_cut_response(emulator: Emulator, controls: Controls, service: str, *, whole_length: bool) -> None:
    """A response can be cut off after the call took effect; boto3 takes it for an empty one."""
    controls.cut(name_write(service), 0.5, whole_length=whole_length)
    assert set(write(emulator, service)) == {"ResponseMetadata"}
    assert count(emulator, service) == 1


@DATA
def test_held_call(emulator: Emulator, controls: Controls, service: str) -> None:
    """A call that is held before its effect and abandoned has none."""
    controls.pause(name_write(service))
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(write, emulator, service)
        while not controls.held():
            time.sleep(0.01)
        assert controls.held() == [{"operation": name_write(service), "when": "before"}]
        controls.abandon()
        assert isinstance(held.exception(), ConnectionClosedError)
    assert count(emulator, service) == 0


def fill(secrets: SecretsManagerClient, parameters: SSMClient) -> None:
    """Write every kind of data to the stores."""
    secrets.create_secret(Name="a", SecretString="one", Tags=[{"Key": "k", "Value": "v"}])
    secrets.put_secret_value(SecretId="a", SecretString="two")
    secrets.get_secret_value(SecretId="a")
    secrets.put_resource_policy(SecretId="a", ResourcePolicy='{"Statement": []}')
    secrets.create_secret(Name="b", SecretString="gone")
    secrets.delete_secret(SecretId="b")
    parameters.put_parameter(
        Name="/p/q", Value="three", Type="SecureString", Description="d", Tags=[{"Key": "k", "Value": "v"}]
    )
    parameters.put_parameter(Name="/p/q", Value="four", Overwrite=True)


def describe_all(secrets: SecretsManagerClient, parameters: SSMClient) -> str:
    """Return everything that the stores show."""
    shown = [
        secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"],
        secrets.get_resource_policy(SecretId="a").get("ResourcePolicy"),
        parameters.describe_parameters()["Parameters"],
        parameters.list_tags_for_resource(ResourceType="Parameter", ResourceId="/p/q")["TagList"],
    ]
    return json.dumps(shown, default=str)


def test_stored_values(secrets: SecretsManagerClient, parameters: SSMClient, controls: Controls) -> None:
    """The controls show the current values by store, region and name, which is not an access, and is not counted."""
    fill(secrets, parameters)
    shown = describe_all(secrets, parameters)
    controls.clear_counts()
    assert controls.stored_values(region="eu-west-1") == {"a": "two", "b": "gone"}
    assert controls.stored_values("ssm", "eu-west-1") == {"/p/q": "four"}
    assert controls.stored_values() == controls.stored_values("ssm") == {}
    assert controls.counts() == {}
    assert describe_all(secrets, parameters) == shown


def test_values_are_not_issued_secrets(
    secrets: SecretsManagerClient, parameters: SSMClient, controls: Controls
) -> None:
    """The issued secrets are those of IAM only."""
    fill(secrets, parameters)
    assert controls.secrets() == []


def test_reset(secrets: SecretsManagerClient, parameters: SSMClient, keys: KMSClient, controls: Controls) -> None:
    """A reset empties the stores and removes the keys."""
    fill(secrets, parameters)
    key = keys.create_key()["KeyMetadata"]["KeyId"]
    controls.reset()
    assert controls.copy_stores() == {"secrets": [], "parameters": []}
    assert secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
    with pytest.raises(keys.exceptions.NotFoundException):
        keys.describe_key(KeyId=key)


def test_copy(
    secrets: SecretsManagerClient, parameters: SSMClient, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of the stores restores all of it, and lists that lag show it."""
    monkeypatch.setattr(SWITCHES, "clock", lambda: MOMENT)
    fill(secrets, parameters)
    copy, shown = controls.copy_stores(), describe_all(secrets, parameters)
    controls.reset()
    secrets.create_secret(Name="later", SecretString="x")
    controls.restore_stores(json.loads(json.dumps(copy)))
    controls.set(clock_shift=60, list_lag=30)
    assert describe_all(secrets, parameters) == shown
    assert controls.copy_stores() == copy
    assert secrets.get_secret_value(SecretId="a", VersionStage="AWSPREVIOUS")["SecretString"] == "one"


@pytest.mark.parametrize(
    "document", [{}, [], {"secrets": [1], "parameters": []}, {"secrets": [], "parameters": [{"region": "x"}]}]
)
def test_invalid_copy(emulator: Emulator, secrets: SecretsManagerClient, controls: Controls, document: object) -> None:
    """A document that is not a copy changes nothing."""
    secrets.create_secret(Name="a", SecretString="x")
    status, answer = request_control(emulator, "PUT", "stores", json.dumps(document))
    assert (status, answer) == (400, {"error": "expected the result of GET stores"})
    assert controls.stored_values(region="eu-west-1") == {"a": "x"}


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
@DATA
def test_invalid_body(emulator: Emulator, service: str, body: bytes) -> None:
    """A request whose body is not a JSON object is an error of the client."""
    store = open_store(emulator.url, service)
    store.meta.events.register("before-sign", lambda request, **_: setattr(request, "data", body))
    with pytest.raises(ClientError) as caught:
        WRITES[service][1](store)
    assert caught.value.response["Error"]["Code"] == "SerializationException"
