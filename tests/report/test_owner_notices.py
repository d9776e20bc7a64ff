"""`iamcreds drift --notify owners`: real mails to owners, also after a failed run, and none to other recipients."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from click.testing import CliRunner

from iamcreds.cli import Commands
from iamcreds.commands.drift import command
from tests.drift.stack import Stack
from tests.report.conftest import SECRET, Ran

if TYPE_CHECKING:
    from email.message import EmailMessage

    from iamcreds.emulator.server import Emulator
    from tests.report.conftest import Mailbox, Reporting

DAY = 86_400
OWNERS = ("--notify", "owners")
USERS = """\
account: "123456789012"
users:
  jane:
    owner: mailto:jane+keys@example.com
    credentials:
      - {service: bedrock, expire: {after: 100d}, existing: adopt}
      - {service: keyspaces, owner: "mailto:team@example.com", rotate: {every: 100d, overlap: 7d}}
  joe:
    credentials:
      - {service: bedrock, expire: {after: 100d}}
"""
AGE = 93.5
"""The age of every credential, in days: its keys expire in 6.5 days, and its rotation is due."""


@pytest.fixture
def new_stack(signed_in: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox) -> Stack:
    """Return a stack in a new folder, on the empty account, and set the mail server."""
    assert signed_in.url
    monkeypatch.delenv("IAMCREDS_NOTIFY_URLS", raising=False)
    monkeypatch.setenv("IAMCREDS_OWNERS_URL", mailbox.url)
    monkeypatch.chdir(tmp_path)
    stack = Stack(Path("specs"))
    stack.declare(USERS)
    return stack


@pytest.fixture
def stack(signed_in: Emulator, new_stack: Stack) -> Stack:
    """Return the stack after its specs were applied `AGE` days ago, with its state in a file."""
    signed_in.controls.set(clock_shift=-AGE * DAY)
    for name in ("jane", "joe"):
        boto3.client("iam", region_name="us-east-1").create_user(UserName=name)
    new_stack.up()
    signed_in.controls.set(clock_shift=0)
    Path("state.json").write_text(new_stack.export())
    return new_stack


def run(*options: str) -> Ran:
    """Run the command and assert that it ends without a traceback."""
    result = CliRunner().invoke(Commands("iamcreds", commands={"drift": command}), ["drift", "specs", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


def read(mail: EmailMessage) -> str:
    """Return the text of a mail on one line, without HTML."""
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def show(mailbox: Mailbox) -> dict[str, str]:
    """Return the subject of the only mail to each recipient."""
    assert all(len(recipients) == 1 for recipients in mailbox.recipients)
    found = {
        recipients[0]: str(mail["Subject"]) for recipients, mail in zip(mailbox.recipients, mailbox.mails, strict=True)
    }
    assert len(found) == len(mailbox.mails)
    return found


def find_mail(mailbox: Mailbox, owner: str) -> str:
    """Return the text of the only mail to an owner."""
    (text,) = (read(mail) for mail, to in zip(mailbox.mails, mailbox.recipients, strict=True) if to == [owner])
    return text


@pytest.mark.usefixtures("stack")
def test_one_mail_per_owner(mailbox: Mailbox) -> None:
    """Each owner gets one mail with threshold, date, id, source location and command; the rest has no owner."""
    ran = run(*OWNERS, "--state", "state.json")
    assert ran.code == 2
    assert show(mailbox) == {
        "jane+keys@example.com": "iamcreds: 1 notice about account 123456789012",
        "team@example.com": "iamcreds: 1 notice about account 123456789012",
    }
    assert [str(mail["To"]) for mail in mailbox.mails] == ["jane+keys@example.com", "team@example.com"]
    assert all(mail["Cc"] is None and mail["From"] == "iam@example.com" for mail in mailbox.mails)
    ids = {
        line["user"]: line["id"]
        for line in json.loads(run("--format", "json", "--state", "state.json").out)["accounts"][0]["differences"]
        if line["rule"] == "expiring-soon"
    }
    date = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"
    key = find_mail(mailbox, "jane+keys@example.com")
    finding = rf"specs/users\.yaml:6:9: jane: bedrock credential {ids['jane']} expires \[expire\]"
    assert re.search(rf"7 days before the date, {date}: {finding} Next: after the expiry: pulumi up", key)
    assert "joe" not in key
    assert "keyspaces" not in key
    password = find_mail(mailbox, "team@example.com")
    finding = r"specs/users\.yaml:7:9: jane: pulumi up rotates keyspaces credential ACCA.* \[rotate\]"
    assert re.search(rf"since the date, {date}: {finding} Next: pulumi up", password)
    assert "may repeat them" in password
    assert ran.err == "sent 2 notices to 2 owners\nnote: 1 notice not sent, because the specs declare no `owner`\n"
    assert ran.out.startswith("specs/users.yaml:")


@pytest.mark.usefixtures("stack")
def test_threshold_passed(mailbox: Mailbox) -> None:
    """A run whose period does not contain the crossing of a threshold sends nothing."""
    assert run(*OWNERS, "--period", "11h", "--user", "joe", "--user", "jane").code == 2
    assert mailbox.mails == []
    ran = run(*OWNERS, "--period", "13h", "--user", "jane")
    assert list(show(mailbox)) == ["jane+keys@example.com"]
    assert "once per 13 hours" in read(mailbox.mails[0])
    assert ran.err == "sent 1 notice to 1 owner\n"


@pytest.mark.usefixtures("stack")
def test_selection(mailbox: Mailbox) -> None:
    """Only owners of selected services get notices."""
    run(*OWNERS, "--state", "state.json", "--service", "keyspaces")
    assert list(show(mailbox)) == ["team@example.com"]


@pytest.mark.parametrize(
    "recipients",
    [
        "/path@example.com/x@example.com?from=iam@example.com&to=to@example.com&cc=cc@example.com&bcc=bcc@example.com",
        "?from=iam@example.com&to=a@example.com,b@example.com&%2BCc=head@example.com&+bcc=head@example.com",
        "?from=iam@example.com&+To=head@example.com&+Resent-To=head@example.com",
    ],
)
@pytest.mark.usefixtures("stack")
def test_other_recipients(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, recipients: str) -> None:
    """No recipient of the configured address gets a notice or is in its headers; a reply address stays."""
    url = f"mailto://127.0.0.1:{mailbox.port}{recipients}&mode=insecure&reply=help@example.com"
    monkeypatch.setenv("IAMCREDS_OWNERS_URL", f" {url}\n")
    run(*OWNERS, "--state", "state.json")
    assert mailbox.recipients == [["jane+keys@example.com"], ["team@example.com"]]
    for mail in mailbox.mails:
        addresses = set(re.findall(r"[\w.+-]+@example\.com", mail.as_string()))
        assert addresses - {"iam@example.com", "help@example.com"} == {str(mail["To"])}


@pytest.mark.parametrize("owner", ["-@-", "a..b@x", ".@y.z", "a+b+c@example.com", "root@localhost", "--cc@b"])
def test_strange_owners(stack: Stack, mailbox: Mailbox, owner: str) -> None:
    """A mail goes to exactly the owner, even if apprise would read a different address from its text."""
    stack.declare(USERS.replace("jane+keys@example.com", f'"{owner}"').replace('mailto:"', '"mailto:'))
    run(*OWNERS, "--user", "jane", "--service", "bedrock")
    assert mailbox.recipients == [[owner]]


@pytest.mark.usefixtures("stack")
def test_with_other_addresses(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The word in the variable, or next to other addresses, sends notices in addition to the summary."""
    monkeypatch.setenv("IAMCREDS_NOTIFY_URLS", f"owners {mailbox.url}")
    assert run("--state", "state.json").code == 2
    assert [to[0] for to in mailbox.recipients] == ["jane+keys@example.com", "team@example.com", "security@example.com"]
    mailbox.recipients.clear()
    assert run("--state", "state.json", "--notify", mailbox.url, *OWNERS).code == 2
    assert [to[0] for to in mailbox.recipients] == ["jane+keys@example.com", "team@example.com", "security@example.com"]


@pytest.mark.usefixtures("stack")
def test_one_of_several(mailbox: Mailbox) -> None:
    """If the mail of one owner fails, the others get theirs, the comparison is printed, and the exit code is 1."""
    mailbox.rejected = frozenset({"jane+keys@example.com"})
    ran = run(*OWNERS, "--state", "state.json", "--notify", mailbox.url)
    assert mailbox.recipients == [["team@example.com"], ["security@example.com"]]
    assert ran.code == 1
    assert "[expiring-soon]" in ran.out
    assert ran.err.startswith("Error: cannot send the notices of jane+keys@example.com. Run `apprise -vv -b test ADDR")
    assert "sent 1 notice to 1 owner\n" in ran.err


@pytest.mark.usefixtures("stack")
def test_other_notification_fails(mailbox: Mailbox) -> None:
    """Owners get their notices before other notifications, even if these fail."""
    ran = run(*OWNERS, "--state", "state.json", "--notify", mailbox.url.replace(str(mailbox.port), "9"))
    assert (ran.code, len(mailbox.mails)) == (1, 2)
    assert "Error: cannot send the notification by E-Mail (the address)" in ran.err


@pytest.mark.usefixtures("stack")
def test_unprintable(mailbox: Mailbox) -> None:
    """Owners get their notices even if the result cannot be printed."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [Path(sys.executable).parent / "iamcreds", "drift", "specs", *OWNERS, "--state", "state.json"],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "sent 2 notices to 2 owners" in done.stderr
    assert len(mailbox.mails) == 2


def test_unreadable_account(stack: Stack, mailbox: Mailbox, signed_in: Emulator) -> None:
    """If the account cannot be read, the notices follow from the state; error and exit code stay the same."""
    signed_in.controls.fail(
        "iam:ListServiceSpecificCredentials", times=50, status=403, code="AccessDenied", message="no"
    )
    expected = run("--state", "state.json")
    ran = run(*OWNERS, "--state", "state.json")
    assert (expected.code, expected.out) == (ran.code, ran.out) == (1, "")
    assert ran.err.endswith(expected.err)
    assert sorted(show(mailbox)) == ["jane+keys@example.com", "team@example.com"]
    text = find_mail(mailbox, "jane+keys@example.com")
    assert text.startswith("The run failed, so the dates follow from the stack's state")
    assert "are unknown: listing the service" in text
    assert "7 days before" in text
    assert stack.state["jane/bedrock"][1]["credential_id"] in text
    assert "since the date" in find_mail(mailbox, "team@example.com")


def test_unreadable_account_and_no_state(stack: Stack, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a state, each owner gets one short mail that the dates are unknown."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    stack.declare(USERS)
    ran = run(*OWNERS)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("sent 2 notices about unknown dates, because the run failed\nError: reading the")
    assert show(mailbox) == {
        "jane+keys@example.com": "iamcreds: unknown dates of 1 declaration in account 123456789012",
        "team@example.com": "iamcreds: unknown dates of 1 declaration in account 123456789012",
    }
    text = find_mail(mailbox, "team@example.com")
    assert text.startswith("All dates are unknown, because the run failed: reading the AWS account ID: no resp")
    assert "specs/users.yaml:7:9: jane/keyspaces" in text


def test_state_with_unknown_code(stack: Stack, mailbox: Mailbox) -> None:
    """Nothing of a state with unknown code is used: notices follow from the account, and the exit code stays 2."""
    Path("state.json").write_text(stack.export().replace('"__provider": "', '"__provider": "gASV'))
    expected = run("--state", "state.json")
    ran = run(*OWNERS, "--state", "state.json")
    assert (ran.code, ran.out) == (expected.code, expected.out) == (2, expected.out)
    assert "unknown code: " in ran.out
    key = find_mail(mailbox, "jane+keys@example.com")
    assert key.startswith(
        "The run could not use the stack's state, so the dates of rotations and age limits are unknown: the state has"
        " unknown code"
    )
    assert "7 days before" in key
    password = find_mail(mailbox, "team@example.com")
    assert "unknown code" in password
    assert "since the date" not in password
    assert show(mailbox)["team@example.com"] == "iamcreds: 0 notices about account 123456789012"


@pytest.mark.parametrize("content", ["", "{}}", None])
@pytest.mark.usefixtures("stack")
def test_unreadable_state(mailbox: Mailbox, content: str | None) -> None:
    """If the state is damaged or missing, notices follow from the account, and the exit code stays 1."""
    if content is None:
        Path("state.json").unlink()
    else:
        Path("state.json").write_text(content)
    expected = run("--state", "state.json")
    ran = run(*OWNERS, "--state", "state.json")
    assert (ran.code, ran.out) == (expected.code, expected.out) == (1, "")
    assert ran.err.endswith(expected.err)
    assert "7 days before" in find_mail(mailbox, "jane+keys@example.com")
    assert "could not use the stack's state" in find_mail(mailbox, "team@example.com")


@pytest.mark.usefixtures("stack")
def test_nothing_is_readable(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """If neither the state nor the account can be read, the mails have both errors."""
    Path("state.json").write_text("{}}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ran = run(*OWNERS, "--state", "state.json")
    assert ran.code == 1
    text = find_mail(mailbox, "team@example.com")
    assert "this is not the output of `pulumi stack export`".replace("`", "'") in text
    assert "no response from AWS" in text


@pytest.mark.parametrize(
    ("specs", "state", "basis"),
    [
        ("111111111111", "123456789012", "All dates are unknown"),
        ("111111111111", "111111111111", "The run failed, so the dates follow from the stack's state"),
        ("123456789012", "111111111111", "The run could not use the stack's state"),
        (None, "111111111111", "All dates are unknown"),
    ],
)
def test_wrong_account(stack: Stack, mailbox: Mailbox, specs: str | None, state: str, basis: str) -> None:
    """A state is used only if it is of the account of the specs, and an account only if it is certainly theirs."""
    line = "" if specs is None else f'account: "{specs}"\n'
    stack.declare(USERS.replace('account: "123456789012"\n', line))
    Path("state.json").write_text(stack.export().replace("123456789012", state))
    assert run(*OWNERS, "--state", "state.json").code == 1
    assert find_mail(mailbox, "team@example.com").startswith(basis)


def test_invalid_specs(new_stack: Stack, mailbox: Mailbox) -> None:
    """Invalid specs have no known owners, so nothing is sent."""
    new_stack.declare(USERS.replace("service: bedrock", "servise: bedrock"))
    ran = run(*OWNERS)
    assert (ran.code, mailbox.mails) == (1, [])
    assert "the specs have problems" in ran.err


@pytest.mark.parametrize(
    "url",
    [
        None, "", "  ", f"json://iam:{SECRET}@127.0.0.1", f"mailto://iam:{SECRET}@", f"nonsense://{SECRET}", SECRET,
        f"xmailto://iam:{SECRET}@127.0.0.1", "mailto://127.0.0.1", f"deltachat://iam:{SECRET}@example.com",
    ],
)  # fmt: skip
def test_wrong_server(
    new_stack: Stack, mailbox: Mailbox, signed_in: Emulator, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    """A missing or wrong mail server is an error before any read, and its address is not shown."""
    monkeypatch.delenv("IAMCREDS_OWNERS_URL")
    if url is not None:
        monkeypatch.setenv("IAMCREDS_OWNERS_URL", url)
    new_stack.declare("invalid: specs")
    before = signed_in.controls.counts()
    ran = run(*OWNERS)
    assert (ran.code, ran.out, mailbox.mails) == (1, "", [])
    assert ran.err.startswith("Error: ")
    assert ran.err.count("\n") == 1
    assert "IAMCREDS_OWNERS_URL" in ran.err
    assert SECRET not in ran.err
    assert signed_in.controls.counts() == before


@pytest.mark.usefixtures("stack")
def test_server_without_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `--notify owners`, the variable of the mail server has no effect."""
    monkeypatch.setenv("IAMCREDS_OWNERS_URL", "nonsense")
    assert run().code == 2


def test_not_installed(new_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without apprise, the error has the commands that install it."""
    assert new_stack.specs.exists()
    monkeypatch.setitem(sys.modules, "apprise", None)
    ran = run(*OWNERS)
    assert (ran.code, ran.out) == (1, "")
    assert "run `iamcreds init . --extra notify " in ran.err


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--period", "24h"], "--period needs `--notify owners`"),
        (["--period", "24h", "--notify", "json://example.com"], "--period needs `--notify owners`"),
        ([*OWNERS, "--period", "0h"], "the period must be longer than 0"),
        ([*OWNERS, "--period", "soon"], "'soon' is not a duration"),
    ],
)
def test_wrong_period(options: list[str], error: str) -> None:
    """A period without effect is a usage error."""
    ran = run(*options)
    assert ran.code == 1
    assert "Usage: " in ran.err
    assert error in ran.err


def test_report(reporting: Reporting, monkeypatch: pytest.MonkeyPatch) -> None:
    """`iamcreds report` rejects the word, also in the variable, because it sends no notices."""
    reporting.declare("users: {jane: {credentials: []}}")
    ran = reporting.run(*OWNERS)
    assert ran.code == 1
    assert "only `iamcreds drift` notifies owners: remove `owners` from --notify" in ran.err
    monkeypatch.setenv("IAMCREDS_NOTIFY_URLS", f"owners mailto://iam:{SECRET}@127.0.0.1:9")
    ran = reporting.run()
    assert ran.code == 1
    assert "only `iamcreds drift` notifies owners" in ran.err
    assert SECRET not in ran.err
    assert not reporting.page.exists()


@pytest.mark.usefixtures("stack")
def test_no_leak(
    mailbox: Mailbox,
    signed_in: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The password of the mail server is in no output, log or mail, and no mail has a secret of the account."""
    caplog.set_level(1)
    monkeypatch.setenv("IAMCREDS_OWNERS_URL", mailbox.url_with_secret)
    monkeypatch.setenv("IAMCREDS_DEBUG", "1")
    texts = []
    for accepts, code in ((True, 2), (False, 1)):
        mailbox.accepts_password = accepts
        ran = run(*OWNERS, "--state", "state.json")
        assert ran.code == code
        texts += [ran.out, ran.err]
    assert len(mailbox.mails) == 2
    captured = capfd.readouterr()
    texts += [caplog.text, captured.out, captured.err, *(mail.as_string() for mail in mailbox.mails)]
    secrets = [*signed_in.controls.secrets(), SECRET]
    assert len(secrets) > 3
    assert not [secret for secret in secrets for text in texts if secret in text]
    assert logging.root.manager.disable == 0
