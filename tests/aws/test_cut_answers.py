"""Responses with a password, truncated at every position and broken in every way: nothing of them leaks."""

from __future__ import annotations

import io
import re
import socketserver
import threading
import traceback
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from iamcreds.aws import Account
from iamcreds.errors import AccountError, LostAnswerError, format_traceback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.awsrequest import AWSRequest

    from iamcreds.emulator.server import Emulator

CODECOMMIT, BEDROCK = "codecommit.amazonaws.com", "bedrock.amazonaws.com"
EMPTY = (
    b"<R><ListServiceSpecificCredentialsResult><IsTruncated>false</IsTruncated><ServiceSpecificCredentials/>"
    b"</ListServiceSpecificCredentialsResult></R>"
)
LOGIN, PIECE = 30, 6
"""The length that no login exceeds, and the number of password characters that count as a leak."""

_VALUE = re.compile(rb">([^<>\s]{6,})<")


class Answer:
    """A response of IAM to a call, and a repetition of the call."""

    def __init__(self, account: Account, call: str, service: str) -> None:
        issued = account.credentials.create("jane", service)
        self._known = issued.credential.id
        self._service = service
        self._call = call
        self.body = b""

    def repeat(self, account: Account) -> None:
        """Repeat the call."""
        if self._call == "Create":
            account.credentials.create("jane", self._service)
        else:
            account.credentials.change("jane", self._known, reset=True)

    def values(self) -> set[str]:
        """Return the values that only the response contains, except the request id; long ones as prefixes."""
        known = {self._service, self._known, re.findall(rb"RequestId>(.*?)<", self.body)[0].decode()}
        told = {value.decode() for value in _VALUE.findall(self.body)} - known
        return {value[:PIECE] if len(value) > LOGIN else value for value in told}


@pytest.fixture(params=[(call, service) for call in ("Create", "Reset") for service in (CODECOMMIT, BEDROCK)])
def answer(request: pytest.FixtureRequest, signed_in: Emulator, monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return an intact response that contains a password or an API key."""
    monkeypatch.setenv("IAMCREDS_DEBUG", "1")
    session = boto3.Session(region_name="us-east-1")
    session.client("iam").create_user(UserName="jane")
    account = Account(session, sleep=lambda _: None)
    call, service = request.param
    made = Answer(account, call, service)

    def keep(response_dict: dict[str, Any], **_: object) -> None:
        made.body = response_dict["body"]

    iam = boto3.Session(region_name="us-east-1")
    iam.events.register(f"before-parse.iam.{call}ServiceSpecificCredential", keep)
    made.repeat(Account(iam, sleep=lambda _: None))
    assert any(secret.encode() in made.body for secret in signed_in.controls.secrets())
    return made


def all_told(error: BaseException) -> str:
    """Return all printable texts of an error: tracebacks, and the text of each error in its chain."""
    told = ["".join(traceback.format_exception(error)), format_traceback(error)]
    chain: list[BaseException | None] = [error]
    while chain:
        link = chain.pop()
        if link is not None:
            told += [str(link), repr(link)]
            chain += [link.__cause__, link.__context__]
    return "\n".join(told)


class Cutting:
    """An account whose IAM returns a body truncated to `length`, and empty lists."""

    def __init__(self, body: bytes) -> None:
        self.length = 0
        self._body = body
        session = boto3.Session(region_name="us-east-1")
        session.events.register("before-send.iam", cast("Any", self._answer))
        self.account = Account(session, sleep=lambda _: None)

    def _answer(self, request: AWSRequest, **_: object) -> AWSResponse:
        body = EMPTY if "Action=List" in str(request.body) else self._body[: self.length]
        raw = HTTPResponse(io.BytesIO(body), status=200, preload_content=False)
        return AWSResponse(str(request.url), 200, HTTPHeaders(), raw)


def test_every_cut(answer: Answer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """For every truncated response, no error, traceback, log or debug line contains any of it."""
    caplog.set_level("DEBUG")
    values = answer.values()
    assert len(values) >= 4
    cutting = Cutting(answer.body)
    for cutting.length in range(len(answer.body)):
        with pytest.raises(LostAnswerError) as failed:
            answer.repeat(cutting.account)
        told = all_told(failed.value) + caplog.text + "".join(capfd.readouterr())
        assert not [value for value in values if value in told], (cutting.length, told)
        caplog.clear()


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "closed too soon": lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + body,
    "no end of headers": lambda body: b"HTTP/1.1 200 OK\r\nServer: x\r\n" + body + b"\r\n\r\n",
    "no headers": lambda body: b"HTTP/1.1 200 OK\r\n" + body,
    "no HTTP": lambda body: body,
    "bad chunk": lambda body: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body,
    "no gzip": lambda body: b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + body,
    "two lengths": lambda body: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + body,
    "as an error": lambda body: b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" + body,
    "as a failure": lambda body: b"HTTP/1.1 500 Failed\r\nConnection: close\r\n\r\n" + body,
    "as another document": lambda body: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<a>" + body + b"</a>",
    "half of it as an error": lambda body: b"HTTP/1.1 403 No\r\nConnection: close\r\n\r\n" + body[:-90],
    "without a date": lambda body: b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body.replace(b"CreateDate", b"X"),
    "another status": lambda body: (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body.replace(b"Active", b"ABSK1234")
    ),
}


class Sending(socketserver.ThreadingTCPServer):
    """An endpoint that sends these bytes in response to every request."""

    sent = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Sender)


class Sender(socketserver.StreamRequestHandler):
    """A request to it."""

    def handle(self) -> None:
        """Send the bytes and close the connection."""
        while self.rfile.readline().strip():
            pass
        assert isinstance(self.server, Sending)
        self.wfile.write(self.server.sent)


@pytest.fixture
def sending(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sending]:
    """Start an endpoint for IAM and yield it; a test sets its bytes."""
    monkeypatch.setattr("time.sleep", lambda _: None)  # pauses of botocore
    with Sending() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", f"http://127.0.0.1:{server.server_address[1]}")
        yield server
        server.shutdown()


def test_broken(
    answer: Answer, sending: Sending, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """For every broken response, no error, traceback, log or debug line contains any of it."""
    caplog.set_level("DEBUG")
    account = Account(sleep=lambda _: None)
    sending.sent = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + EMPTY
    account.inventory.all()
    for how, send in BROKEN.items():
        sending.sent = send(answer.body)
        told = ""
        try:
            answer.repeat(account)
        except AccountError as error:
            told = all_told(error)
        told += caplog.text + "".join(capfd.readouterr())
        assert not [value for value in answer.values() if value in told], (how, told)
        caplog.clear()
