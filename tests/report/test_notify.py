"""`iamcreds report --notify`: delivery of mails, and addresses that stay secret."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from iamcreds.cli import Commands
from iamcreds.commands.drift import command
from iamcreds.desired import Desired
from iamcreds.drift.comparing import compare
from iamcreds.drift.rules.missing import MissingUser
from iamcreds.model import Inventory
from iamcreds.report import message as notify
from tests.drift.accounts import FULL_NAMES, fill
from tests.report.conftest import SECRET

if TYPE_CHECKING:
    from pathlib import Path

    from iamcreds.emulator.server import Emulator
    from tests.report.conftest import Mailbox, Reporting

CODECOMMIT = FULL_NAMES[0]
JANE = "users: {jane: {credentials: [{service: codecommit}]}}\n"


@pytest.fixture
def drifted(reporting: Reporting) -> Reporting:
    """Return the command with an account that has drift."""
    fill(["jane"], [])
    reporting.declare(JANE)
    return reporting


def test_mail(drifted: Reporting, mailbox: Mailbox, tmp_path: Path) -> None:
    """The mail's subject is the summary; the body has the findings and the path of the report."""
    ran = drifted.run("--notify", mailbox.url)
    assert (ran.code, ran.err) == (2, "")
    assert len(mailbox.mails) == 1
    mail = mailbox.mails[0]
    assert mail["Subject"] == "iamcreds: 1 drifted in account 123456789012"
    assert "security@example.com" in mail["To"]
    body = mail.get_body(("html",))
    assert body is not None
    text = body.get_content()
    finding = "specs/users.yaml:1:30: jane: codecommit credential is declared, but does not exist [missing-credential]"
    finding += "; next: pulumi up"
    assert f"<li><code>{finding}</code></li>" in text
    assert f"Full report: <code>{tmp_path / 'report.html'}</code>" in text


def test_nothing_to_say(reporting: Reporting, mailbox: Mailbox) -> None:
    """Without a difference, no mail is sent."""
    fill(["jane"], [CODECOMMIT])
    reporting.declare(JANE)
    assert reporting.run("--notify", mailbox.url).code == 0
    assert mailbox.mails == []


def test_from_the_environment(drifted: Reporting, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """IAMCREDS_NOTIFY_URLS contains addresses separated by whitespace, and --notify overrides it."""
    monkeypatch.setenv("IAMCREDS_NOTIFY_URLS", f"{mailbox.url}\n  {mailbox.url}")
    assert drifted.run().code == 2
    assert len(mailbox.mails) == 2
    drifted.run("--notify", mailbox.url)
    assert len(mailbox.mails) == 3
    monkeypatch.setenv("IAMCREDS_NOTIFY_URLS", "")
    assert drifted.run().code == 2
    assert len(mailbox.mails) == 3


def test_refused(drifted: Reporting, mailbox: Mailbox) -> None:
    """If a server rejects the mail, the exit code is 1 with a one-line error, and the page is still written."""
    mailbox.rejects = True
    ran = drifted.run("--notify", mailbox.url)
    assert ran.code == 1
    assert ran.out.startswith("wrote report.html: 1 drifted")
    assert ran.err.startswith("Error: cannot send the notification by E-Mail (the address). Run `apprise")
    assert ran.err.count("\n") == 1
    assert drifted.page.exists()


def test_one_of_several(
    drifted: Reporting, mailbox: Mailbox, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """If one address fails, the others still get the mail; no address is printed or logged, at any level."""
    caplog.set_level(1)
    before = logging.root.manager.disable
    closed = mailbox.url_with_secret.replace(str(mailbox.port), "9")
    hook = f"json://iam:{SECRET}@127.0.0.1:9/{SECRET}"
    words = ["--notify", closed, "--notify", mailbox.url_with_secret, "--notify", mailbox.url, "--notify", hook]
    ran = drifted.run(*words)
    assert ran.code == 1
    assert len(mailbox.mails) == 1
    assert (
        "cannot send the notification by E-Mail (address 1 of 4) and E-Mail (address 2 of 4) and JSON (address 4 of 4)"
        in ran.err
    )
    captured = capfd.readouterr()
    for shown in (ran.out, ran.err, caplog.text, captured.out, captured.err, drifted.text):
        assert SECRET not in shown
    assert logging.root.manager.disable == before


@pytest.mark.parametrize("url", [f"nonsense://{SECRET}", SECRET, f"slack://{SECRET}", f"mailto://iam:{SECRET}@", ""])
def test_wrong_address(drifted: Reporting, emulator: Emulator, url: str) -> None:
    """An invalid address is an error before any request to the account, and is not shown."""
    ran = drifted.run("--notify", url)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "Error: cannot notify the address, which apprise does not support. Run `apprise -vv -b test ADDRESS` to see"
        " the reason; the address may contain a secret and is not shown\n"
    )
    assert emulator.controls.counts() == {}


@pytest.mark.parametrize(
    "words",
    [
        ["--notify", "json://example.com", f"mailto://iam:{SECRET}@example.com"],
        [f"--notfiy=mailto://iam:{SECRET}@example.com"],
        ["--notfiy", f"mailto://iam:{SECRET}@example.com"],
        ["--expiring-within", f"mailto://iam:{SECRET}@example.com"],
        ["-nmailto://iam:{SECRET}@example.com"],
    ],
)
def test_misplaced_address(drifted: Reporting, words: list[str]) -> None:
    """An error about an address in a wrong position does not quote it."""
    ran = drifted.run(*words)
    assert ran.code == 1
    assert "Usage: " in ran.err
    assert SECRET not in ran.err


def test_not_installed(drifted: Reporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without apprise, --notify reports how to install it; a report does not need it."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert drifted.run().code == 2
    ran = drifted.run("--notify", f"mailto://iam:{SECRET}@127.0.0.1:9")
    assert (ran.code, ran.out) == (1, "")
    assert "run `iamcreds init . --extra notify " in ran.err
    assert SECRET not in ran.err


def test_many_findings(reporting: Reporting, mailbox: Mailbox) -> None:
    """A mail has the first twenty findings and the number of the others."""
    fill([f"user-{number:02}" for number in range(30)], [CODECOMMIT])
    reporting.declare(JANE)
    assert reporting.run("--notify", mailbox.url).code == 2
    body = mailbox.mails[0].get_body(("html",))
    assert body is not None
    text = body.get_content()
    assert text.count("<li>") == notify.MAX_DIFFERENCES
    assert "<p>And 11 more.</p>" in text


def test_names_are_text(reporting: Reporting, mailbox: Mailbox) -> None:
    """Names in the mail are shown as text, without effect as markup."""
    fill(["jane"], [])
    reporting.specs.mkdir()
    (reporting.specs / "<script>`x`.yaml").write_text(JANE)
    ran = reporting.run("--notify", mailbox.url)
    assert ran.code == 2
    body = mailbox.mails[0].get_body(("html",))
    assert body is not None
    assert "&lt;script&gt;'x'.yaml" in body.get_content()
    assert "<script>" not in body.get_content()


def test_long_lines() -> None:
    """A difference is one line of limited length, whatever the name of the user."""
    wild = MissingUser(user="one\ntwo " + "x" * 1_000, desired=())
    inventory = Inventory("123456789012", datetime(2026, 11, 23, tzinfo=UTC))
    title, body = notify.write_message(replace(compare(Desired(()), inventory), differences=(wild,)))
    assert title == "iamcreds: 1 drifted in account 123456789012"
    line = next(line for line in body.splitlines() if line.startswith("- "))
    assert line.startswith("- `one\\ntwo xxx")
    assert len(line) < notify.MAX_LINE + 50
    assert line.endswith(" more characters)`")
    assert "Full report" not in body


def test_drift(drifted: Reporting, mailbox: Mailbox) -> None:
    """`iamcreds drift --notify` sends the same mail, with next steps, and none without a difference."""
    door = Commands("iamcreds", commands={"drift": command})
    ran = CliRunner().invoke(door, ["drift", str(drifted.specs), "--notify", mailbox.url])
    assert (ran.exit_code, ran.stderr) == (2, "")
    (mail,) = mailbox.mails
    assert mail["Subject"] == "iamcreds: 1 drifted in account 123456789012"
    body = mail.get_body(("html",))
    assert body is not None
    assert "next: pulumi up" in body.get_content()
    drifted.declare("users: {jane: {credentials: []}}")
    ran = CliRunner().invoke(door, ["drift", str(drifted.specs), "--notify", mailbox.url])
    assert (ran.exit_code, len(mailbox.mails)) == (0, 1)
