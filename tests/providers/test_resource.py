"""The persisted names in every state, and the error messages of the provider process."""

from __future__ import annotations

import base64
import pickle
import pickletools
import sys
import types
from datetime import UTC, datetime

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto.engine_pb2 import LogSeverity

from dynamic_providers import AccessKeys, ServiceSpecificCredential
from dynamic_providers.access_keys import AccessKeysProvider
from dynamic_providers.resource import keep_pickler
from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from dynamic_providers.unmanaged_credentials import UnmanagedCredentialsProvider
from iamcreds.errors import AccountError, ConfigError
from iamcreds.pulumi_engine.provider import parse_now, speak_plainly, unexpected, warn
from tests.providers.engine import Engine, serving


@pytest.mark.parametrize(
    ("provider", "module"),
    [
        (ServiceSpecificCredentialProvider, "dynamic_providers.service_specific_credential"),
        (AccessKeysProvider, "dynamic_providers.access_keys"),
    ],
)
def test_persisted_providers(provider: type, module: str) -> None:
    """A provider is pickled by reference, without state, and its names never change."""
    with keep_pickler():
        text = serialize_provider(provider())
    strings = [value for _, value, _ in pickletools.genops(base64.b64decode(text)) if isinstance(value, str)]
    assert strings == [module, provider.__name__]
    assert len(text) < 150


def test_persisted_types() -> None:
    """The types of our resources are part of every URN."""
    assert ServiceSpecificCredential._resource_type_name == "dynamic/iam:ServiceSpecificCredential"  # noqa: SLF001
    assert AccessKeys._resource_type_name == "dynamic/iam:AccessKeys"  # noqa: SLF001


def test_serialised_any_number_of_times() -> None:
    """Serialization leaves pickle unchanged, so that it works thousands of times."""
    before = pickle._Pickler._batch_setitems  # type: ignore[attr-defined]  # noqa: SLF001
    for _ in range(2000):
        with keep_pickler():
            serialize_provider(ServiceSpecificCredentialProvider())
    assert pickle._Pickler._batch_setitems is before  # type: ignore[attr-defined]  # noqa: SLF001


def test_unexpected_errors_tell_no_text() -> None:
    """The text of an unexpected error may contain a secret, so only its type and place are reported."""
    with pytest.raises(KeyError) as caught:
        raise KeyError("hunter2")
    said = unexpected(caught.value)
    assert "hunter2" not in said
    assert said.startswith("unexpected KeyError at ")
    assert "test_resource.py" in said
    assert unexpected(KeyError("hunter2")) == "unexpected KeyError: this is a bug in iamcreds; please report this line"


def test_now() -> None:
    """`now` is a date or a time, by default in UTC; any other value is an error with the correct form."""
    assert parse_now("2027-03-01") == datetime(2027, 3, 1, tzinfo=UTC)
    assert parse_now("2027-03-01T01:00:00+01:00") == datetime(2027, 3, 1, tzinfo=UTC)
    before = datetime.now(UTC)
    assert before <= parse_now(None) <= datetime.now(UTC)
    with pytest.raises(
        ConfigError, match=r"'tomorrow' is not a valid ISO 8601 date\. Run `pulumi config set now 2027-03-01`"
    ):
        parse_now("tomorrow")


def test_warnings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning is shown once, by the engine that started the process, or else on standard error."""
    engine = Engine()
    with serving(engine) as address:
        monkeypatch.setattr("sys.argv", ["provider", address])
        warn("mind the gap")
        warn("and again")
    assert [(said.severity, said.message) for said in engine.logged] == [
        (LogSeverity.WARNING, "mind the gap"),
        (LogSeverity.WARNING, "and again"),
    ]
    monkeypatch.setattr("sys.argv", ["provider"])
    warn("mind the step")
    warn("mind the step")
    assert capsys.readouterr().err == "warning: mind the step\n"


def test_out_of_the_encryption_path() -> None:
    """Providers are in plain text in the state, so that they can be read without the passphrase."""
    for provider in (ServiceSpecificCredentialProvider, AccessKeysProvider, UnmanagedCredentialsProvider):
        assert provider.serialize_as_secret_always is False


def test_plain_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's process reports our errors by their message, and other errors only by type and place."""
    host = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", host)
    speak_plainly()
    assert not hasattr(host, "traceback")
    vars(host)["DynamicResourceProviderServicer"] = object
    speak_plainly()
    assert format_failure(host, AccountError("access denied")) == "access denied"
    told = format_failure(host, ValueError("hunter2"))
    assert told.startswith("unexpected ValueError at ")
    assert "hunter2" not in told


def format_failure(host: types.ModuleType, error: Exception) -> str:
    """Return the text that the SDK's process would send to the engine."""

    def fail() -> None:
        raise error

    try:
        fail()
    except type(error):
        return str(vars(host)["traceback"].format_exc())
    raise AssertionError("it did not fail")
