"""`check_state`: the code that a state would make the engine run."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from dynamic_providers.access_keys import AccessKeysProvider
from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from dynamic_providers.unmanaged_credentials import UnmanagedCredentialsProvider
from iamcreds.errors import StateError
from iamcreds.resource_types import ACCESS_KEYS_TYPE, CREDENTIAL_TYPE, PROVIDER_CLASSES, UNMANAGED_CREDENTIALS_TYPE
from iamcreds.state.providers import PROVIDERS, ForeignCode, check_state
from iamcreds.state.secrets_provider import parse_settings

RECORDED = (Path(__file__).parents[1] / "e2e/recorded/state.json").read_text()
OURS = str(serialize_provider(ServiceSpecificCredentialProvider()))
URN = f"urn:pulumi:prod::iamcreds::{CREDENTIAL_TYPE}::jane/codecommit"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
FOREIGN = "its provider does not belong to iamcreds, so the engine would run unknown code"
ENCRYPTED = "its provider is encrypted, so the code that the engine would run is unknown"


class Trap(ResourceProvider):
    """A provider that is pickled with its code, like every provider of a program."""


class Bomb:
    """An object that fails the test when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("the provider of a state was run",)


def state(**changes: object) -> str:
    """Return an export with one credential, with these changes."""
    resource = {"urn": URN, "type": CREDENTIAL_TYPE, "inputs": {"__provider": OURS}, "outputs": {"__provider": OURS}}
    return json.dumps({"version": 3, "deployment": {"resources": [resource | changes]}})


def reasons(text: str, *plugins: str) -> list[str]:
    """Return the reasons why a state contains unknown code."""
    return [code.reason for code in check_state(text, plugins).unmanaged]


@pytest.mark.parametrize(
    "provider", [ServiceSpecificCredentialProvider, AccessKeysProvider, UnmanagedCredentialsProvider]
)
@pytest.mark.parametrize("protocol", [4, 5])
def test_our_providers(provider: type[ResourceProvider], protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The accepted providers are those that Pulumi's SDK serializes, with Python's old and new default protocol."""
    monkeypatch.setattr(pickle, "DEFAULT_PROTOCOL", protocol)
    assert serialize_provider(provider()) in PROVIDERS


def test_our_types() -> None:
    """Each of our resource types maps to the provider class in the state."""
    classes = {
        CREDENTIAL_TYPE: ServiceSpecificCredentialProvider,
        ACCESS_KEYS_TYPE: AccessKeysProvider,
        UNMANAGED_CREDENTIALS_TYPE: UnmanagedCredentialsProvider,
    }
    assert {type_: (each.__module__, each.__name__) for type_, each in classes.items()} == PROVIDER_CLASSES


def test_recorded_state() -> None:
    """A state that an earlier version recorded contains only our code, as an export and as a backend file."""
    checked = check_state(RECORDED)
    assert checked.unmanaged == ()
    assert checked.resources == len(json.loads(RECORDED)["deployment"]["resources"])
    kept = {"version": 3, "checkpoint": {"stack": "organization/iamcreds/prod", "latest": {"resources": []}}}
    assert check_state(json.dumps(kept)).resources == 0


@pytest.mark.parametrize("side", ["inputs", "outputs"])
@pytest.mark.parametrize(
    "provider",
    [
        str(serialize_provider(Trap())),
        base64.b64encode(pickle.dumps(Bomb())).decode(),
        OURS + "\n",
        OURS.replace("=", ""),
        "",
    ],
)
def test_foreign_provider(side: str, provider: str) -> None:
    """A provider that differs from ours in any byte is reported with its URN, and is not run."""
    checked = check_state(state(**{side: {"__provider": provider}}))
    assert checked.unmanaged == (ForeignCode(URN, FOREIGN),)


def test_provider_in_the_way() -> None:
    """Providers are found in pending operations, under repeated keys, in unusual spelling, and outside of resources."""
    pending = {"type": "creating", "resource": {"urn": URN, "inputs": {"__provider": "x"}}}
    assert reasons(json.dumps({"deployment": {"pending_operations": [pending]}})) == [FOREIGN]
    twice = '{"deployment": {"resources": [{"urn": "u", "inputs": {"__provider": "x"}, "inputs": {}}]}}'
    assert reasons(twice) == [FOREIGN]
    odd = '{"deployment": {"Resources": [{"URN": "u", "INPUTS": {"\\u005f_provider": "x"}}]}}'
    assert check_state(odd).unmanaged == (ForeignCode("", FOREIGN),)


def test_encrypted_provider() -> None:
    """An encrypted provider is rejected, because it cannot be identified."""
    assert reasons(state(inputs={"__provider": SECRET})) == [ENCRYPTED]
    assert reasons(state(inputs={"__provider": SECRET | {"plaintext": json.dumps(OURS)}})) == [ENCRYPTED]


def test_foreign_type() -> None:
    """A dynamic resource of an unknown type is reported, regardless of its provider."""
    other = "pulumi-python:dynamic/iam:Other"
    assert reasons(state(type=other)) == [f"the type {other} does not belong to iamcreds"]


def test_foreign_plugin() -> None:
    """A plugin that the engine would start is reported, unless the program is known to need it."""
    provider = {"urn": "urn:pulumi:prod::p::pulumi:providers:aws::default", "type": "pulumi:providers:aws"}
    user = {"urn": "urn:pulumi:prod::p::aws:iam/user:User::jane", "provider": f"{provider['urn']}::1"}
    text = json.dumps({"deployment": {"resources": [provider, user]}})
    assert reasons(text) == ["the engine would run the plugin aws"] * 2
    assert reasons(text, "aws") == []
    assert reasons(text.replace("aws:", "aws-evil:"), "aws") == ["the engine would run the plugin aws-evil"] * 2


@pytest.mark.parametrize("more", [" x", "\n", "\t", ":x", "\u00a0", "$x", "\0", "/../x", "@1"])
@pytest.mark.parametrize("side", ["type", "urn", "provider"])
def test_plugin_of_a_similar_name(side: str, more: str) -> None:
    """A plugin whose name begins like ours is rejected: provider types are compared byte for byte."""
    urn = "urn:pulumi:prod::p::pulumi:providers:pulumi-python::default"
    values = {"type": "pulumi:providers:pulumi-python", "urn": urn, "provider": f"{urn}::1"}
    assert reasons(json.dumps({"deployment": {"resources": [values]}})) == []
    forged = values | {side: values[side].replace("pulumi-python", f"pulumi-python{more}")}
    if side != "type" and more == "$x":  # a child of a provider, whose own type is x
        return
    assert reasons(json.dumps({"deployment": {"resources": [forged]}})) == [
        f"the engine would run the plugin pulumi-python{more}"
    ]


@pytest.mark.parametrize(
    "inputs",
    [
        '{"__internal": {"name": "evil"}}',
        '{"name": "evil"}',
        '{"__INTERNAL": {"NAME": "evil"}}',
        '{"__internal": {"name": "evil", "urn": "x"}}',
        '{"__internal": {"name": "evil"}, "urn": "x"}',
        '{"__internal": {"name": "pulumi-python", "name": "evil"}}',
        '{"__internal": {"name": "evil", "name": "pulumi-python"}}',
        '{"__internal": {"name": "pulumi-python"}, "__internal": {"name": "evil"}}',
        '{"__internal": {"name": "pulumi-python"}, "__internal": null, "name": "evil"}',
    ],
)
def test_plugin_of_another_name(inputs: str) -> None:
    """A provider whose inputs name a different plugin than its type is rejected: the engine would run that plugin."""
    provider = f'{{"urn": "u", "type": "pulumi:providers:pulumi-python", "inputs": {inputs}}}'
    text = f'{{"deployment": {{"resources": [{provider}]}}}}'
    assert reasons(text) == ["the engine would run the plugin evil"]
    assert reasons(text.replace("evil", "pulumi-python")) == []


@pytest.mark.parametrize("value", [[OURS], ["x"], [], None, 1, True, {"x": OURS}, [{"x": OURS}]])
@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_provider_of_another_kind(side: str, value: object) -> None:
    """A provider that is a list, a number or null is unknown code; only dependencies on it are a list."""
    found = reasons(state(**{side: {"__provider": value}}))
    assert set(found) == {ENCRYPTED if isinstance(value, dict) else FOREIGN}
    assert reasons(state(__provider=[OURS])) == [FOREIGN]
    assert reasons(state(propertyDependencies={"__provider": []})) == []
    assert reasons(state(propertyDependencies={"__provider": None})) == []


KMS = "awskms:///alias/iamcreds-prod?region=eu-west-1"
SALT = "v1:abc"


def with_secrets(kind: object, **values: object) -> str:
    """Return a state with this secrets provider."""
    return json.dumps({"deployment": {"resources": [], "secrets_providers": {"type": kind, "state": values}}})


def judge(text: str, settings: str | None = None) -> list[str]:
    """List the reasons against a state, compared with the text of a settings file."""
    expected = None if settings is None else parse_settings(settings.encode())
    return [code.reason for code in check_state(text, (), expected).unmanaged]


def test_secrets_provider_of_the_settings() -> None:
    """Only the secrets provider of the settings file is accepted."""
    cloud = f"secretsprovider: {KMS}\nencryptedkey: AQIC\nconfig: {{iamcreds:specs: specs}}\n"
    salted = f"encryptionsalt: {SALT}\n"
    good = {
        cloud: with_secrets("cloud", url=KMS, encryptedkey="AQIC"),
        salted: with_secrets("passphrase", salt=SALT),
        "": with_secrets("service", url="https://api.pulumi.com", owner="acme", project="p", stack="s"),
    }
    forged = [
        *good.values(),
        with_secrets("cloud", url=f"{KMS}&endpoint=http://evil.example", encryptedkey="AQIC"),
        with_secrets("cloud", url=KMS, encryptedkey="other"),
        with_secrets("cloud", url=KMS.replace("/alias", "arn:aws:kms:us-east-1:6:alias"), encryptedkey="AQIC"),
        with_secrets("passphrase", salt="v1:other"),
        with_secrets("plain"),
        with_secrets(["cloud"]),
        json.dumps({"deployment": {"secrets_providers": "cloud"}}),
        json.dumps({"deployment": {"secrets_providers": {"type": "cloud", "state": "x"}}}),
        '{"deployment": {"Secret\u017f_Provider\u017f": {"Type": "cloud", "STATE": {"Url": "awskms://x?endpoint=y"}}}}',
        json.dumps({"deployment": {}, "checkpoint": {"latest": {"secrets_providers": {"type": "x", "urn": "u"}}}}),
        with_secrets("passphrase", salt="v1:x", SALT=SALT),
    ]
    for settings, accepted in good.items():
        assert judge(accepted, settings) == []
        for text in forged:
            assert (judge(text, settings) == []) is (text == accepted), text
    assert judge(json.dumps({"deployment": {"secrets_providers": None}}), cloud) == []


@pytest.mark.parametrize(
    ("url", "is_accepted"),
    [
        (KMS, True),
        (f"{KMS}&profile=x&awssdk=v2&context_a=b", True),
        ("gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k", True),
        ("hashivault://key", True),
        (f"{KMS}&endpoint=http://evil.example", False),
        (f"{KMS}&%65ndpoint=http://evil.example", False),
        (f"{KMS};endpoint=http://evil.example", False),
        (f"{KMS}&role=arn:aws:iam::1:role/x", False),
        ("azurekeyvault://evil.example/keys/x", False),
        ("https://evil.example", False),
        ("awskms://[", False),
        ("", False),
    ],
)
def test_endpoint_without_settings(url: str, *, is_accepted: bool) -> None:
    """Without a settings file, a URL that may name its own endpoint is rejected with the option to use."""
    found = judge(with_secrets("cloud", url=url, encryptedkey="AQIC"))
    assert (found == []) is is_accepted
    assert all("--settings Pulumi.STACK.yaml" in reason for reason in found)


@pytest.mark.parametrize(
    "text", ["[", "x", "- a", "encryptionsalt: 1", "encryptedkey: [a]", "a: b: c", "!!python/none x"]
)
def test_no_settings(text: str) -> None:
    """A file that is not the settings file of a stack is an error that quotes none of it."""
    with pytest.raises(StateError, match=r"is not the settings file of a stack \(Pulumi\.STACK\.yaml\)$"):
        parse_settings(text.encode())


def test_engines_own_plugins() -> None:
    """The plugin of stack references and Pulumi's own for Python are part of every state of ours."""
    types = [f"pulumi:providers:{name}" for name in ("pulumi", "pulumi-python")]
    providers = [{"urn": f"urn:pulumi:prod::p::{type_}::default", "type": type_} for type_ in types]
    assert reasons(json.dumps({"deployment": {"resources": providers}})) == []


@pytest.mark.parametrize("name", ["pluginDownloadURL", "parameterization"])
def test_plugin_from_elsewhere(name: str) -> None:
    """A download location of a plugin is reported, even for a plugin that the program needs."""
    provider = {"urn": "u", "type": "pulumi:providers:aws", "inputs": {"__internal": {name: "https://evil"}}}
    found = reasons(json.dumps({"deployment": {"resources": [provider]}}), "aws")
    assert found == [f"{name} names a plugin that the engine would download and run"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1, column 1: Expecting value"),
        ("{", "line 1, column 2: Expecting property name enclosed in double quotes"),
        ("[]", "it has neither a deployment nor a checkpoint"),
        ('{"Deployment": {}}', "it has neither a deployment nor a checkpoint"),
        ('{"steps": [{"deployment": {}}]}', "it has neither a deployment nor a checkpoint"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"deployment":' * 100_000, "it is nested too deeply"),
        (state() + "x", "line 1, column"),
    ],
)
def test_no_state(text: str, why: str) -> None:
    """An invalid state is an error in one sentence, and is never accepted."""
    with pytest.raises(StateError, match="this is not the output of `pulumi stack export`: ") as raised:
        check_state(text)
    assert why in str(raised.value)
    assert len(str(raised.value)) < 200


def test_empty_stack() -> None:
    """An empty stack is accepted."""
    assert check_state('{"version": 3, "deployment": null}').resources == 0


def test_long_numbers() -> None:
    """Numbers of any length are accepted."""
    assert check_state('{"deployment": {"version": ' + "9" * 10_000 + "}}").unmanaged == ()


def test_memory() -> None:
    """A state of 30 MB takes a few times as much memory, and seconds."""
    program = """if True:
        import json, resource, sys
        from iamcreds.state.providers import PROVIDERS, check_state
        inputs = {"__provider": min(PROVIDERS), "users": ["x"] * 100}
        one = {"urn": "urn:pulumi:p::p::t::" + "n" * 100, "inputs": inputs}
        text = json.dumps({"deployment": {"resources": [one] * 40_000}})
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert check_state(text).resources == 40_000
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / len(text))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) < 4


def test_second_slot() -> None:
    """The resource of slot 2 is our code, and unknown code in it is reported by its URN."""
    assert reasons(state(urn=f"{URN}~2")) == []
    checked = check_state(state(urn=f"{URN}~2", inputs={"__provider": "x"}))
    assert checked.unmanaged == (ForeignCode(f"{URN}~2", FOREIGN),)
