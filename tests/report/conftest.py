"""Fixtures for `iamcreds report` on the IAM emulator in this process, and a mail server on 127.0.0.1."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from click.testing import CliRunner
from playwright.sync_api import sync_playwright

from iamcreds.cli import Commands
from iamcreds.commands.report import command
from tests.report import company
from tests.report.browser import ARGUMENTS, find_browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from playwright.sync_api import Browser

    from iamcreds.emulator.server import Emulator

ARTIFACTS = Path(__file__).parents[2] / ".artifacts"
"""The folder of screenshots, which Git ignores."""

SECRET = "hunter2-app-password"


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a run."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Reporting:
    """The command, its specs, and the page that it writes."""

    specs: Path
    page: Path

    def declare(self, text: str) -> None:
        """Replace the specs."""
        self.specs.mkdir(exist_ok=True)
        (self.specs / "users.yaml").write_text(text)

    def run(self, *options: str) -> Ran:
        """Run the command and assert that it ends without a traceback."""
        door = Commands("iamcreds", commands={"report": command})
        result = CliRunner().invoke(door, ["report", str(self.specs), "--html", str(self.page), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    @property
    def text(self) -> str:
        """Return the text of the written page."""
        return self.page.read_text("utf-8")


@dataclass
class Mailbox:
    """A mail server on 127.0.0.1, with the mails that it received.

    Attributes:
        port: its port.
        mails: the mails.
        recipients: the recipients of each mail, according to its envelope.
        rejects: True if it rejects every mail.
        rejected: the recipients whose mails it rejects.
        accepts_password: True if it accepts a login with the password.
    """

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    rejects: bool = False
    rejected: frozenset[str] = frozenset()
    accepts_password: bool = False

    @property
    def url(self) -> str:
        """Return the address for --notify."""
        return f"mailto://127.0.0.1:{self.port}?from=iam@example.com&to=security@example.com&mode=insecure"

    def authenticate(self, *arguments: Any) -> AuthResult:  # noqa: ANN401 - as aiosmtpd calls it
        """Accept or reject a login."""
        is_right = arguments[-1].password == SECRET.encode()
        return AuthResult(success=self.accepts_password and is_right, handled=False)

    @property
    def url_with_secret(self) -> str:
        """Return the address with a user name and a password, which this server rejects by default."""
        return self.url.replace("//", f"//iam:{SECRET}@")

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: ANN401, N802 - as aiosmtpd calls it
        """Accept or reject a mail."""
        if self.rejects or self.rejected.intersection(envelope.rcpt_tos):
            return "550 not wanted"
        self.recipients.append(envelope.rcpt_tos)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def reporting(signed_in: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reporting:
    """Return the command in a new folder, on the empty account."""
    assert signed_in.url
    monkeypatch.delenv("IAMCREDS_NOTIFY_URLS", raising=False)
    monkeypatch.chdir(tmp_path)
    return Reporting(Path("specs"), Path("report.html"))


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """Start a mail server on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        box = Mailbox(free.getsockname()[1])
    server = Controller(
        box, hostname="127.0.0.1", port=box.port, authenticator=box.authenticate, auth_require_tls=False
    )
    server.start()
    yield box
    server.stop()


@pytest.fixture(scope="session")
def company_page(endpoint: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page about a company with the command, once, because this takes a second."""
    folder = tmp_path_factory.mktemp("company")
    endpoint.controls.reset()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("AWS_ENDPOINT_URL", endpoint.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.delenv("IAMCREDS_NOTIFY_URLS", raising=False)
        company.fill(endpoint, boto3.client("iam", region_name="us-east-1"))
        reporting = Reporting(company.declare(Path("specs")), folder / "report.html")
        assert reporting.run().code == 2
    secrets = endpoint.controls.secrets()
    assert len(secrets) > 50
    assert not [secret for secret in secrets if secret in reporting.text]
    return reporting.page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start a browser of this machine."""
    program = find_browser()
    if program is None:
        pytest.skip("chromium is not on PATH: install Debian's package chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()
