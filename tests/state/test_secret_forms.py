"""The formats of a secret for OpenTelemetry, key helpers and Argo CD."""

from __future__ import annotations

import re
import shlex
from urllib.parse import unquote, unquote_plus

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.errors import SecretError
from iamcreds.services import LOGIN_OUTPUTS, SECRET_OUTPUTS, SERVICES, Family, service_family
from iamcreds.state.secret_forms import Form, Secret, format_secret

KEY = "ACWL+a/b==,c;d\"e\\f%20 g'h"
URL = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/My_Product.api"
BAGGAGE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+")
"""The characters of a value (W3C Baggage, `baggage-octet`)."""
VARIABLES = {
    "cloudwatch.amazonaws.com": "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    "logs.amazonaws.com": "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
    "xray.amazonaws.com": "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
}
PRINTABLE = st.text(min_size=1).filter(str.isprintable)


def make_secret(service: str, secret: str = KEY, login: str = "jane-at-1") -> Secret:
    """Return a credential of jane."""
    family = service_family(service) or Family.PASSWORD
    outputs = {LOGIN_OUTPUTS[family]: login, SECRET_OUTPUTS[family]: secret}
    return Secret("jane/x", "jane", service, "ACCA1", outputs)


def read_headers(document: str) -> tuple[str, str]:
    """Return the variable and the value that a shell reads from an export."""
    assert document.endswith("\n")
    word, assignment = shlex.split(document)
    assert word == "export"
    variable, _, value = assignment.partition("=")
    return variable, value


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
def test_otel_headers(service: str) -> None:
    """The API keys of the three OTLP endpoints are headers of their own signal only; other services have none."""
    if service not in VARIABLES:
        with pytest.raises(SecretError, match="format otel-headers is not available for jane/x"):
            format_secret(make_secret(service), Form.OTEL_HEADERS)
        return
    variable, value = read_headers(format_secret(make_secret(service), Form.OTEL_HEADERS))
    assert variable == VARIABLES[service]
    assert value.startswith("Authorization=Bearer%20ACWL%2Ba")


@given(PRINTABLE)
def test_any_key_in_headers(key: str) -> None:
    """Any key survives a shell, SDKs that read `+` as a space, and those that split at `,`, `;` and `=`."""
    _, value = read_headers(format_secret(make_secret("logs.amazonaws.com", key), Form.OTEL_HEADERS))
    name, _, encoded = value.partition("=")
    assert name == "Authorization"
    assert BAGGAGE.fullmatch(encoded)
    assert not set(encoded) & set(",;=+")
    assert unquote(encoded) == unquote_plus(encoded) == f"Bearer {key}"


@pytest.mark.parametrize("service", [service.name for service in SERVICES if service.family is Family.API_KEY])
def test_key(service: str) -> None:
    """The bare key is one line for a key helper."""
    assert format_secret(make_secret(service, "ABSK1"), Form.KEY) == "ABSK1\n"


@pytest.mark.parametrize(
    ("form", "service"),
    [
        (Form.KEY, "codecommit.amazonaws.com"),
        (Form.KEY, "new.amazonaws.com"),
        (Form.ARGOCD_REPOSITORY, "cassandra.amazonaws.com"),
        (Form.ARGOCD_REPOSITORY, "bedrock.amazonaws.com"),
    ],
)
def test_unavailable(form: Form, service: str) -> None:
    """A format for a different kind of service is rejected without the secret."""
    with pytest.raises(SecretError, match=f"format {form} is not available for jane/x") as raised:
        format_secret(make_secret(service), form, URL)
    assert KEY not in str(raised.value)


def format_repository(login: str, password: str, url: str = URL) -> str:
    """Return the Secret of Argo CD."""
    return format_secret(make_secret("codecommit.amazonaws.com", password, login), Form.ARGOCD_REPOSITORY, url)


def test_argocd_repository() -> None:
    """The Secret has Argo CD's label and fields, and a name that Kubernetes accepts."""
    document = format_repository("jane-at-1", "x+/='Secret'==")
    assert document == (
        "apiVersion: v1\n"
        "kind: Secret\n"
        "metadata:\n"
        "  name: codecommit-my-product-api-606250fe\n"
        "  labels:\n"
        "    argocd.argoproj.io/secret-type: repository\n"
        "stringData:\n"
        '  type: "git"\n'
        f'  url: "{URL}"\n'
        '  username: "jane-at-1"\n'
        "  password: \"x+/='Secret'==\"\n"
    )


@pytest.mark.parametrize("repository", ["product", "Product", "product-2", "_", "a" * 100, "ä"])
def test_names_of_secrets(repository: str) -> None:
    """Each URL has its own name of at most 63 characters, which is a DNS label; the name never changes."""
    names = set()
    for region in ("us-east-1", "eu-central-1"):
        url = f"https://git-codecommit.{region}.amazonaws.com/v1/repos/{repository}"
        names.add(yaml.safe_load(format_repository("a", "b", url))["metadata"]["name"])
    assert len(names) == 2
    assert all(re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", name) for name in names)


@pytest.mark.parametrize("text", ["yes", "1e3", "null", "~", "0x1f", "2026-01-01", "a: b", "- a", "#a", '"', "'", "{}"])
def test_hostile_yaml(text: str) -> None:
    """A login or password that looks like YAML stays a quoted text, also for parsers with other rules than PyYAML."""
    document = format_repository(text, text)
    assert re.findall(r'^  (?:username|password): ".*"$', document, re.MULTILINE)[1:]
    assert yaml.safe_load(document)["stringData"] == {"type": "git", "url": URL, "username": text, "password": text}


@given(PRINTABLE, PRINTABLE)
def test_any_yaml(login: str, password: str) -> None:
    """Any login and password are read back unchanged, and add no line."""
    document = format_repository(login, password)
    assert document.count("\n") == format_repository("a", "b").count("\n")
    read = yaml.safe_load(document)["stringData"]
    assert (read["username"], read["password"]) == (login, password)
