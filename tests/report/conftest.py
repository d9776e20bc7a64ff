"""`iamcreds report` by its own door, against the embedded IAM in this process; mail to a server on 127.0.0.1."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aiosmtpd.controller import Controller
from click.testing import CliRunner

from iamcreds.cli import Commands
from iamcreds.commands.report import command
from tests.report import company

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from iamcreds.emulator.server import Emulator

ARTIFACTS = Path(__file__).parents[2] / ".artifacts"
"""Where screenshots are kept; Git ignores it."""

SECRET = "hunter2-app-password"


@dataclass(frozen=True)
class Ran:
    """What a run came to."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Reporting:
    """The command, the specs that it is given, and the page that it writes."""

    specs: Path
    page: Path

    def declare(self, text: str) -> None:
        """Make this the specs."""
        self.specs.mkdir(exist_ok=True)
        (self.specs / "users.yaml").write_text(text)

    def run(self, *options: str) -> Ran:
        """Run it; it never ends in a traceback."""
        door = Commands("iamcreds", commands={"report": command})
        result = CliRunner().invoke(door, ["report", str(self.specs), "--html", str(self.page), *options])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    @property
    def text(self) -> str:
        """The page as it was written."""
        return self.page.read_text("utf-8")


@dataclass
class Mailbox:
    """A mail server on 127.0.0.1, and the mail that came in."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: bool = False

    @property
    def url(self) -> str:
        """Where --notify is to send to."""
        return f"mailto://127.0.0.1:{self.port}?from=iam@example.com&to=security@example.com&mode=insecure"

    @property
    def url_with_secret(self) -> str:
        """The same with a user name and a password, which this server does not want."""
        return self.url.replace("//", f"//iam:{SECRET}@")

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: ANN401, N802 - as aiosmtpd calls it
        """Take a mail, or refuse it."""
        if self.refuses:
            return "550 not wanted"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def reporting(signed_in: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reporting:
    """The command in a folder of its own, on the empty account."""
    assert signed_in.url
    monkeypatch.delenv("IAMCREDS_NOTIFY_URLS", raising=False)
    monkeypatch.chdir(tmp_path)
    return Reporting(Path("specs"), Path("report.html"))


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        box = Mailbox(free.getsockname()[1])
    server = Controller(box, hostname="127.0.0.1", port=box.port)
    server.start()
    yield box
    server.stop()


@pytest.fixture(scope="session")
def company_page(endpoint: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page about a company, written by the command; made once, because it takes a second."""
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
