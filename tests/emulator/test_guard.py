"""The IAM emulator serves programs of this machine, and rejects every web page."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import sync_playwright

from iamcreds.emulator.guard import ANSWER
from tests.report.browser import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

SIGNED = "AWS4-HMAC-SHA256 Credential=a/20261125/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=b"
CREATE_USER = "Action=CreateUser&Version=2010-05-08&UserName=mallory"

ATTACK = """
async ([url, signed, action]) => {
  const texts = [];
  const read = async (path, options) => {
    try { texts.push(await (await fetch(url + path, options)).text()); } catch { }
  };
  await read("/_emulator/secrets");
  await read("/_emulator/reset", { method: "POST", mode: "no-cors", body: "{}" });
  await read("/", { method: "POST", mode: "no-cors", body: new URLSearchParams(action) });
  await read("/", { method: "POST", body: action, headers: { Authorization: signed } });
  await read("/?" + action);
  await read("/moto-api/data.json");
  const sent = (element) => new Promise((done) => {
    element.onload = element.onerror = done; document.body.append(element); setTimeout(done, 2000);
  });
  const picture = new Image(); picture.src = url + "/?" + action; await sent(picture);
  const script = document.createElement("script"); script.src = url + "/_emulator/secrets"; await sent(script);
  const frame = document.createElement("iframe"); frame.name = "frame"; frame.src = url + "/_emulator/secrets";
  await sent(frame);
  const form = document.createElement("form"); form.action = url + "/_emulator/reset"; form.method = "POST";
  form.target = "frame"; document.body.append(form); form.submit();
  await new Promise((done) => setTimeout(done, 500));
  return texts;
}
"""


def ask(
    emulator: Emulator, method: str = "GET", path: str = "/_emulator/secrets", body: str = "", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Send a request, and return status, body and headers of the response."""
    address = emulator.url.removeprefix("http://")
    sent = {"Host": address, "Content-Type": "application/x-www-form-urlencoded"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = HTTPConnection(address, timeout=20)
    try:
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return response.status, response.read(), {name.lower(): value for name, value in response.getheaders()}
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:4599", "LocalHost", "[::1]", "[::1]:80", "127.0.0.1:1"])
def test_hosts_of_this_machine(host: str, emulator: Emulator) -> None:
    """The names of this machine are accepted, with any port."""
    assert ask(emulator, Host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:4599", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.2",
        "[::1", "localhost:", "localhost:x", "127.0.0.1@evil.example", "evil.example#127.0.0.1", "", "127.0.0.1:80:80",
        "2130706433", "[::ffff:127.0.0.1]", "localhost.", "192.168.0.1",
    ],
)  # fmt: skip
def test_other_hosts(host: str, emulator: Emulator) -> None:
    """Controls and IAM reject any other host name, such as one that DNS rebinding points here."""
    assert ask(emulator, Host=host)[:2] == (403, ANSWER)
    assert ask(emulator, "POST", "/", CREATE_USER, Host=host, Authorization=SIGNED)[:2] == (403, ANSWER)


def test_no_host(emulator: Emulator) -> None:
    """A request without a Host header, as in HTTP/1.0, is rejected."""
    address, port = emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((address, int(port)), 20) as connection:
        connection.sendall(b"GET /_emulator/secrets HTTP/1.0\r\n\r\n")
        assert b" 403 " in connection.recv(1000)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": ""}, {"Origin": "http://127.0.0.1:4599"},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "same-origin"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_pages(method: str, headers: dict[str, str], emulator: Emulator, iam: IAMClient) -> None:
    """Requests from web pages are rejected, even preflights, and no response permits a page to read it."""
    iam.create_user(UserName="jane")
    for path in ("/", "/_emulator/reset", "/_emulator/counts"):
        status, _, answered = ask(emulator, method, path, CREATE_USER, Authorization=SIGNED, **headers)
        assert status == 403
        assert not [name for name in answered if name.startswith("access-control-")]
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["jane"]


def test_no_permission_to_read(emulator: Emulator) -> None:
    """A response to a program permits no web page to read it."""
    status, _, answered = ask(emulator, "POST", "/", CREATE_USER, Authorization=SIGNED)
    assert status == 200
    assert not [name for name in answered if name.startswith("access-control-")]


@pytest.mark.parametrize(
    "path",
    [
        "/moto-api/", "/moto-api/data.json", "/moto-api/recorder/start-recording", "/favicon.ico",
        "/latest/meta-data/", "/bucket/key", "/iam_us-east-1/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_nothing_else_is_served(method: str, path: str, emulator: Emulator) -> None:
    """Neither moto's own interface nor any path outside IAM is served."""
    for authorization in ("", SIGNED):
        status, body, _ = ask(emulator, method, path, Authorization=authorization)
        assert (status, b"the IAM emulator does not support" in body) == (400, True)


def test_unsigned(emulator: Emulator, iam: IAMClient) -> None:
    """A call without a signature, as links and forms send it, has no effect."""
    assert ask(emulator, "GET", f"/?{CREATE_USER}")[0] == 400
    assert ask(emulator, "POST", "/", CREATE_USER)[0] == 400
    assert iam.list_users()["Users"] == []


@pytest.mark.parametrize("service", ["s3", "secretsmanager", "ssm", "kms", "dynamodb", "lambda", "ec2"])
def test_other_services(service: str, emulator: Emulator) -> None:
    """No other moto service is served, and no operation of the stores and of KMS that nothing needs."""
    made = boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip
    operation = {
        "s3": "list_buckets", "secretsmanager": "get_random_password", "ssm": "list_documents", "kms": "list_keys",
        "dynamodb": "list_tables", "lambda": "list_functions", "ec2": "describe_instances",
    }[service]  # fmt: skip
    with pytest.raises(ClientError) as caught:
        getattr(made, operation)()
    is_readable = service not in {"s3", "ec2", "lambda"}
    assert not is_readable or "the IAM emulator does not support" in str(caught.value)


def test_working_folder(tmp_path: Path) -> None:
    """The emulator writes nothing to its working folder, whatever the requests."""
    command = [str(Path(sys.executable).with_name("iamcreds")), "emulator", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[3]
        iam = boto3.client(
            "iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        iam.create_user(UserName="jane")
        iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
        address = url.removeprefix("http://")
        for path in ("/moto-api/recorder/start-recording", "/moto-api/recorder/replay-recording", "/moto_recording"):
            connection = HTTPConnection(address, timeout=20)
            connection.request("POST", path)
            connection.getresponse().read()
            connection.close()
        iam.list_users()
        process.terminate()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def page_url(tmp_path: Path) -> Iterator[str]:
    """Serve a hostile web page on its own host, and return its URL."""
    (tmp_path / "index.html").write_text("<!DOCTYPE html><title>evil</title><body></body>")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://evil.example:{server.server_port}/index.html"
        server.shutdown()


@pytest.mark.timeout(120)
def test_in_a_browser(page_url: str, emulator: Emulator, iam: IAMClient) -> None:
    """A page in a real browser reads and changes nothing, even if its own name resolves to the emulator."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on PATH: install Debian's package chromium")
    iam.create_user(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    rebound = emulator.url.replace("127.0.0.1", "rebound.example")
    resolve = "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP rebound.example 127.0.0.1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, resolve])
        page = browser.new_page()
        page.goto(page_url)
        told = page.evaluate(ATTACK, [emulator.url, SIGNED, CREATE_USER])
        page.goto(f"{rebound}/_emulator/secrets")  # the view of a page whose own name now resolves to the emulator
        told += [page.content(), *page.evaluate(ATTACK, [rebound, SIGNED, CREATE_USER])]
        browser.close()
    (secret,) = emulator.controls.secrets()
    assert secret not in json.dumps(told)
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["jane"]
    assert len(iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"]) == 1
