# ruff: noqa: E501 - tables
"""The cause of a failure to reach or to use AWS: the message names the file, the variable or the setting."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from iamcreds.aws import Account
from iamcreds.errors import IamcredsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from iamcreds.emulator.server import Emulator

ROLE = "role_arn = arn:aws:iam::123456789012:role/x"
ROLE_OF_BASE = f"{ROLE}\nsource_profile = base\nregion = us-east-1\n[profile base]\naws_access_key_id = a\naws_secret_access_key = b"
SSO = """sso_session = company
sso_account_id = 123456789012
sso_role_name = admin
[sso-session company]
sso_region = us-east-1
sso_start_url = https://127.0.0.1:9/start"""
EXPIRED = '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "Expiration": "2020-01-01T00:00:00Z"}'
PROCESS = r"no usable AWS credentials \(.*credential_process: "

PROFILES = {
    "process without JSON": ("credential_process = echo hunter2", PROCESS + "it did not print JSON"),
    "process with a list": ("credential_process = echo []", PROCESS + "it did not print a JSON object"),
    "process with no date": (
        'credential_process = echo \'{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "Expiration": "hunter2"}\'',
        PROCESS + "its Expiration is not an ISO 8601 date",
    ),
    "process with no UTF-8": (r"credential_process = printf '\377'", PROCESS + "it did not print JSON"),
    "process that fails": (
        "credential_process = sh -c 'echo \"no  token\" >&2; echo hunter2; exit 3'",
        PROCESS + "it ended with exit code 3: no token",
    ),
    "process that fails silently": ("credential_process = false", PROCESS + "it ended with exit code 1"),
    "no such process": (
        "credential_process = /nonexistent/x",
        PROCESS + "/nonexistent/x cannot be started: No such file or directory",
    ),
    "open quote": ("credential_process = sh 'x", r"from custom-process: No closing quotation"),
    "expired": (f"credential_process = echo '{EXPIRED}'", "refreshed credentials are still expired"),
    "region": (
        "region = us east 1\naws_access_key_id = a\naws_secret_access_key = b",
        "^`region` of profile asked: 'us east 1' is not a valid region",
    ),
    "endpoint": (
        "endpoint_url = localhost:1\naws_access_key_id = a\naws_secret_access_key = b",
        "^`endpoint_url` of profile asked: 'localhost:1' is not a valid address",
    ),
    "token file": (
        f"{ROLE}\nregion = us-east-1\nweb_identity_token_file = /nonexistent/token",
        "`web_identity_token_file` of profile asked: /nonexistent/token: No such file or directory",
    ),
    "role without a region": (
        ROLE_OF_BASE.replace("region = us-east-1\n", ""),
        "assume-role: You must specify a region",
    ),
    "role with a bad name": (
        ROLE_OF_BASE.replace("arn:aws:iam::123456789012:role/x", "x"),
        "from assume-role: Parameter validation failed: Invalid length for parameter RoleArn",
    ),
    "role of no profile": (f"{ROLE}\nsource_profile = none", 'source_profile "none" .* does not exist'),
    "not signed in": (SSO, r"Token for company does not exist\)\. Run `aws sso login`$"),
}
"""The rest of a profile `asked`, and the pattern of the error."""

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
WEB_IDENTITY = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/x", "AWS_REGION": "us-east-1"}
CONTAINER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/"}
VARIABLES: dict[str, tuple[dict[str, str], str]] = {
    "region": (
        KEYS | {"AWS_REGION": "us_east_1"},
        "^AWS_REGION: 'us_east_1' is not a valid region, such as us-east-1$",
    ),
    "default region": (KEYS | {"AWS_DEFAULT_REGION": "us east 1"}, "^AWS_DEFAULT_REGION: 'us east 1' is not a valid"),
    "endpoint": (KEYS | {"AWS_ENDPOINT_URL_IAM": "x"}, "^AWS_ENDPOINT_URL_IAM: 'x' is not a valid address"),
    "port": (
        KEYS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:x"},
        "^AWS_ENDPOINT_URL: 'http://127.0.0.1:x' is not a valid",
    ),
    "number": (
        {"AWS_METADATA_SERVICE_TIMEOUT": "soon"},
        "^AWS_METADATA_SERVICE_TIMEOUT is not a valid number$",
    ),
    "token file": (
        WEB_IDENTITY | {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent/token"},
        "AWS_WEB_IDENTITY_TOKEN_FILE: /nonexistent/token: No such file or directory",
    ),
    "token folder": (
        WEB_IDENTITY | {"AWS_WEB_IDENTITY_TOKEN_FILE": "/"},
        "AWS_WEB_IDENTITY_TOKEN_FILE: /: Is a directory",
    ),
    "container token file": (
        CONTAINER | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nonexistent/token"},
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: /nonexistent/token: No such file or directory",
    ),
    "container token": (
        CONTAINER | {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "hunter2\n"},
        "from container-role: Auth token value is not a legal header value",
    ),
    "line end in a key": (
        KEYS | {"AWS_SECRET_ACCESS_KEY": "hunter2\n"},
        "from env: a key or token contains a line end",
    ),
    "half": ({"AWS_ACCESS_KEY_ID": "a"}, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
    "profile": ({"AWS_PROFILE": "nobody"}, r"\(nobody\) could not be found\)\. Check AWS_PROFILE and /.*config"),
    "proxy": (
        KEYS | {"AWS_ENDPOINT_URL": "http://iam.invalid", "HTTP_PROXY": "http://127.0.0.1:9"},
        r"proxy URL: \"http://127.0.0.1:9\"\)\. Check HTTPS_PROXY and HTTP_PROXY$",
    ),
    "malformed proxy": (
        KEYS | {"AWS_ENDPOINT_URL": "http://iam.invalid", "HTTP_PROXY": "x:y:z"},
        "the proxy in HTTPS_PROXY or HTTP_PROXY is not a valid address$",
    ),
}
"""Environment variables, and the pattern of the error."""

REJECTION = "<ErrorResponse><Error><Code>{}</Code><Message>{}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
RESPONSES = {
    "web page": (
        200,
        "text/html; charset=x",
        "<!DOCTYPE html><p>Sign in<br>",
        r"response \(HTTP 200, text/html\) did not come from AWS",
    ),
    "not found": (
        404,
        "text/html",
        "<html><hr></html>",
        r"response \(HTTP 404, text/html\) did not come from AWS\. Check AWS_END",
    ),
    "JSON": (
        501,
        "application/json",
        '{"message": "hunter2"}',
        r"response \(HTTP 501, application/json\) did not come from AWS",
    ),
    "nothing": (200, "x", "", r"response \(HTTP 200\) did not come from AWS\. Check AWS_ENDPOINT_URL and proxies$"),
    "another document": (200, "text/xml", "<a/>", r"response \(HTTP 200, text/xml\) did not come from AWS"),
    "no such operation": (
        400,
        "text/xml",
        REJECTION.format("InvalidAction", "Could not find operation"),
        "does not have the operation GetCallerIdentity: check AWS_ENDPOINT_URL$",
    ),
    "not implemented": (
        501,
        "text/xml",
        REJECTION.format("InternalFailure", "x"),
        "does not have the operation GetCaller",
    ),
    "clock": (
        403,
        "text/xml",
        REJECTION.format("SignatureDoesNotMatch", "Signature expired: 1 is now earlier than 2"),
        "Signature expired: 1 is now earlier than 2. Set the clock of this machine$",
    ),
}
"""Status, media type and body of an endpoint's response, and the pattern of the error."""


@pytest.fixture(autouse=True)
def nobody(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without credentials, and an endpoint that has the account."""
    del signed_in
    for name in (*KEYS, "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1")


def cause() -> str:
    """The message of the failure to find out the account, without a secret."""
    with pytest.raises(IamcredsError) as failed:
        Account().id()
    assert "hunter2" not in str(failed.value)
    assert "\n" not in str(failed.value)
    return str(failed.value)


@pytest.mark.parametrize(("profile", "pattern"), PROFILES.values(), ids=PROFILES)
def test_profile(profile: str, pattern: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile that cannot be used is an error that names its key, also if a provider process has no terminal."""
    if "endpoint_url" in profile:
        monkeypatch.delenv("AWS_ENDPOINT_URL")
    (tmp_path / "config").write_text(f"[profile asked]\n{profile}\n")
    monkeypatch.setenv("AWS_PROFILE", "asked")
    assert_matches(pattern, cause())


@pytest.mark.parametrize("is_interactive", [True, False])
def test_process_at_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, is_interactive: bool) -> None:
    """A `credential_process` is checked at a terminal as well."""
    monkeypatch.setattr("iamcreds.aws.credential_sources.is_interactive", lambda: is_interactive)
    test_profile(*PROFILES["process without JSON"], monkeypatch, tmp_path)


@pytest.mark.parametrize(("variables", "pattern"), VARIABLES.values(), ids=VARIABLES)
def test_variable(variables: dict[str, str], pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable with an unusable value is named."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert_matches(pattern, cause())


@pytest.mark.parametrize("content", [b"[profile asked\nx", "[profile asked]\nregion = é".encode("latin-1")])
def test_malformed_file(content: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A configuration file that cannot be parsed is named."""
    (tmp_path / "config").write_bytes(content)
    monkeypatch.setenv("AWS_PROFILE", "asked")
    assert f"{tmp_path}/config: it is not a valid INI file in UTF-8" in cause()


def test_expired_sign_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An expired token of SSO is an error that names `aws sso login` only."""
    monkeypatch.setattr("botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(tmp_path))
    token = {"startUrl": "x", "region": "us-east-1", "accessToken": "hunter2", "expiresAt": "2020-01-01T00:00:00Z"}
    (tmp_path / f"{hashlib.sha1(b'company').hexdigest()}.json").write_text(json.dumps(token))  # noqa: S324 - the SDK's name
    test_profile(SSO, r"Token has expired and refresh failed\)\. Run `aws sso login`$", monkeypatch, tmp_path)


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("x", "has no CA certificates in PEM format")])
@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_certificates(
    variable: str, content: str | None, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An unusable file of CA certificates is named."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", os.environ["AWS_ENDPOINT_URL"].replace("http:", "https:"))
    assert f"{variable}: {tmp_path}/ca.pem" in cause()
    assert words in cause()


@pytest.mark.parametrize(("status", "kind", "body", "pattern"), RESPONSES.values(), ids=RESPONSES)
def test_other_endpoint(status: int, kind: str, body: str, pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without these operations is described, and no repetition is suggested."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for url in serving(status, kind, body):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        message = cause()
    assert_matches(pattern, message)
    assert "repeat" not in message


def test_rejected_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A rejected role names the role and its trust policy, not the permissions of iamcreds."""
    for url in serving(403, "text/xml", REJECTION.format("AccessDenied", "not authorized to perform: sts:AssumeRole")):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        test_profile(
            ROLE_OF_BASE,
            r"sts:AssumeRole\. Check the role in the profile or in AWS_ROLE_ARN, and its trust policy$",
            monkeypatch,
            tmp_path,
        )


def serving(status: int, kind: str, body: str) -> Iterator[str]:
    """Serve one response on 127.0.0.1 while the caller uses the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def assert_matches(pattern: str, message: str) -> None:
    """Require that the message has the pattern."""
    assert re.search(pattern, message), message
