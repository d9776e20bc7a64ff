"""`iamcreds report`: the page, its file, and exit codes."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from tests.drift.accounts import FULL_NAMES, fill
from tests.drift.test_drift import export, ids

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.report.conftest import Reporting

CODECOMMIT = FULL_NAMES[0]
JANE = "users: {jane: {credentials: [{service: codecommit}]}}\n"


def names(folder: Path) -> list[str]:
    """List the names of files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_clean(reporting: Reporting) -> None:
    """If account and specs agree, page and output report this, and the exit code is 0."""
    fill(["jane"], [CODECOMMIT])
    reporting.declare(JANE)
    ran = reporting.run()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "wrote report.html: no differences in account 123456789012\n"
    assert "No differences" in reporting.text
    assert "specs/users.yaml:1:30" in reporting.text


def test_drift(reporting: Reporting, emulator: Emulator) -> None:
    """If something differs, the page shows it, and the exit code is 2; the page contains no secret."""
    fill(["jane", "stranger"], access_keys=1)
    reporting.declare("users: {jane: {credentials: [{service: logs}], accessKeys: {max: 0}}}")
    ran = reporting.run()
    assert (ran.code, ran.err) == (2, "")
    assert ran.out == "wrote report.html: 1 drifted, 2 unmanaged, 2 undeclared, 1 finding in account 123456789012\n"
    for rule in ("missing-credential", "unmanaged-credential", "undeclared-user", "too-many-access-keys"):
        assert f'id="rule-{rule}"' in reporting.text
    assert not [secret for secret in emulator.controls.secrets() if secret in reporting.text]


def test_options(reporting: Reporting, emulator: Emulator, iam: IAMClient) -> None:
    """--user, --service, --expiring-within and --exact have the same meaning as for `iamcreds drift`."""
    fill(["bob", "jane"], access_keys=1)
    iam.create_service_specific_credential(UserName="bob", ServiceName="bedrock.amazonaws.com", CredentialAgeDays=20)
    reporting.declare(
        "defaults: {accessKeys: {max: 2}}\n"
        "users:\n"
        "  bob: {credentials: [{service: bedrock}, {service: codecommit}, {service: keyspaces}]}\n"
        "  jane: {credentials: [{service: codecommit}]}\n"
    )
    assert reporting.run("--user", "bob").code == 0
    assert ">jane<" not in reporting.text
    assert reporting.run("--user", "bob", "--expiring-within", "3w").code == 2
    assert "within 21 days" in reporting.text
    assert reporting.run("--service", "keyspaces").code == 2
    assert "Access keys not checked, because they do not belong to a service" in reporting.text
    emulator.controls.clear_counts()
    reporting.run("--exact")
    assert emulator.controls.counts()["iam:ListAccessKeys"] == 2
    assert "iam:GetCredentialReport" not in emulator.controls.counts()
    assert reporting.text.count("AKIA") >= 2


def test_state(reporting: Reporting, iam: IAMClient) -> None:
    """With --state, ages count from the last reset, and differences are about ids; unknown code ends the command."""
    fill(["jane"], [CODECOMMIT, CODECOMMIT])
    reporting.declare(JANE)
    own, unmanaged = ids(iam, "jane")
    state = export(("jane", CODECOMMIT, own))
    state = state.replace('"create_date"', '"issued_at": "2026-02-03T00:00:00+00:00", "create_date"')
    (reporting.specs.parent / "state.json").write_text(state)
    assert reporting.run("--state", "state.json").code == 2
    assert f"codecommit credential {unmanaged} (" in reporting.text
    assert "2026-02-03" in reporting.text
    assert "Resets not known" not in reporting.text
    (reporting.specs.parent / "state.json").write_text(state.replace('"__provider": "', '"__provider": "x'))
    assert reporting.run("--state", "state.json").out.startswith("unknown code: ")


def test_allow_empty(reporting: Reporting) -> None:
    """Specs without users are an error; with --allow-empty, every existing credential is undeclared."""
    fill(["jane"], [CODECOMMIT])
    reporting.declare("users: {}")
    assert reporting.run().code == 1
    assert not reporting.page.exists()
    assert reporting.run("--allow-empty").code == 2


def test_only_the_owner_reads_it(reporting: Reporting, tmp_path: Path) -> None:
    """The page has mode 0600, even if it replaces a file with a different mode, and no temporary file is left."""
    fill(["jane"], [CODECOMMIT])
    reporting.declare(JANE)
    reporting.page.write_text("yesterday's")
    reporting.page.chmod(0o644)
    assert reporting.run().code == 0
    assert stat.S_IMODE(reporting.page.stat().st_mode) == 0o600
    assert names(tmp_path) == ["report.html", "specs"]
    assert "yesterday" not in reporting.text


def test_through_a_link(reporting: Reporting, tmp_path: Path, emulator: Emulator) -> None:
    """A symbolic link is rejected before any request to the account, and its target stays unchanged."""
    reporting.declare(JANE)
    (tmp_path / "precious").write_text("mine")
    reporting.page.symlink_to(tmp_path / "precious")
    assert "report.html: it is a symbolic link, which another user may have created" in reporting.run().err
    assert (tmp_path / "precious").read_text() == "mine"
    assert emulator.controls.counts() == {}


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("specs", "cannot write specs: it is a folder; specify a file"),
        ("nowhere/report.html", "cannot write nowhere/report.html: folder "),
        ("specs/users.yaml/report.html", "cannot write specs/users.yaml/report.html: folder "),
        ("/dev/null", "cannot write /dev/null: it is not a regular file"),
        ("x" * 300, "File name too long"),
        ("specs/loop.html/report.html", "cannot write specs/loop.html"),
    ],
)
def test_wrong_file(reporting: Reporting, emulator: Emulator, tmp_path: Path, page: str, sentence: str) -> None:
    """A file that cannot be written is a one-line error before any request to the account."""
    fill(["jane"], [CODECOMMIT])
    reporting.declare(JANE)
    (reporting.specs / "loop.html").symlink_to("loop.html")
    ran = reporting.run("--html", page)
    assert (ran.code, ran.out) == (1, "")
    assert sentence in ran.err
    assert ran.err.count("\n") == 1
    assert emulator.controls.counts() == {}
    assert names(tmp_path) == ["specs"]


def test_full_disk(reporting: Reporting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the page cannot be written, the previous one stays, no temporary file is left, and the exit code is 1."""
    fill(["jane"], [CODECOMMIT])
    reporting.declare(JANE)
    reporting.page.write_text("yesterday's")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    ran = reporting.run()
    assert (ran.code, ran.out, ran.err) == (1, "", "Error: cannot write report.html: No space left on device\n")
    assert names(tmp_path) == ["report.html", "specs"]
    assert reporting.text == "yesterday's"


def test_faults(reporting: Reporting, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invalid specs, a missing permission and an unreachable endpoint exit with 1, and the previous page stays."""
    reporting.page.write_text("yesterday's")
    reporting.declare("users: {jane: {credentails: []}}")
    assert "[unknown-key]" in reporting.run().err
    reporting.declare(JANE)
    emulator.controls.fail("iam:ListUsers", status=403, code="AccessDenied", message="not authorized")
    assert "AccessDenied" in reporting.run().err
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    ran = reporting.run()
    assert (ran.code, ran.out) == (1, "")
    assert "no response from AWS" in ran.err
    assert reporting.text == "yesterday's"


@pytest.mark.parametrize("words", [["--nonsense"], ["--expiring-within", "soon"], ["--html"]])
def test_wrong_words(reporting: Reporting, words: list[str]) -> None:
    """An invalid option exits with 1, because 2 means drift."""
    reporting.declare(JANE)
    ran = reporting.run(*words)
    assert (ran.code, ran.out) == (1, "")
    assert "Usage: " in ran.err
