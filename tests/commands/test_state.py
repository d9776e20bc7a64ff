"""`iamcreds state check`: exit codes, and no output of hostile content."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.state import providers

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def check(content: str | bytes, *options: str) -> Result:
    """Run the command with a state on standard input."""
    return CliRunner().invoke(main, ["state", "check", "-", *options], input=content)


def test_good_state() -> None:
    """A state with only resources of iamcreds exits with 0 and prints their number."""
    done = check('{"deployment": {"resources": [{"urn": "u"}]}}')
    assert (done.exit_code, done.stdout) == (0, "1 resource, no unknown code\n")


def test_foreign_state(tmp_path: Path) -> None:
    """Unknown code exits with 2 and one printable line per resource; nothing else is printed."""
    urn = "urn:pulumi:p\n::add-mask::x\x1b[2J"
    resources = [{"urn": urn, "inputs": {"__provider": "hunter2"}, "outputs": {"service_password": "hunter3"}}]
    (tmp_path / "state.json").write_text(json.dumps({"deployment": {"resources": resources}}))
    done = CliRunner().invoke(main, ["state", "check", str(tmp_path / "state.json")])
    assert done.exit_code == 2
    assert len(done.stdout.splitlines()) == 1
    assert done.stdout.startswith(
        r"unknown code: urn:pulumi:p\n::add-mask::x\x1b[2J: its provider does not belong to iamcreds"
    )
    assert "Do not run Pulumi on this state" in done.stderr
    assert "hunter" not in done.output


def test_accepted_plugin() -> None:
    """A plugin that a program needs can be accepted by name."""
    text = '{"deployment": {"resources": [{"urn": "u", "type": "pulumi:providers:aws"}]}}'
    assert check(text).exit_code == 2
    assert check(text, "--plugin", "aws").exit_code == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("no JSON", "Error: this is not the output of `pulumi stack export`: line 1, column 1"),
        (b"\x1f\x8b\x08", "the gzip file is incomplete or damaged"),
        (gzip.compress(b"{}", mtime=0)[:-9], "the gzip file is incomplete or damaged"),
        (gzip.compress(b"{}", mtime=0)[:-4] + b"hunt", "the gzip file is incomplete or damaged"),
        ("{}".encode("utf-16"), "it is UTF-16: save it as UTF-8"),
        (gzip.compress("{}".encode("utf-16"), mtime=0), "it is UTF-16: save it as UTF-8"),
        (b"{\xff", "it is not UTF-8 text"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
)
def test_no_state(content: str | bytes, sentence: str) -> None:
    """An invalid state exits with 1 and an error."""
    done = check(content)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert done.stdout == ""


def test_compressed_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that its backend keeps as `.json.gz` is checked, and limited by its length without compression."""
    text = '{"deployment": {"resources": [{"urn": "u", "type": "pulumi:providers:aws"}]}}'
    assert check(gzip.compress(text.encode())).stdout == check(text).stdout
    monkeypatch.setattr(providers, "MAX_BYTES", 1 << 20)
    done = check(gzip.compress(b" " * (2 << 20)))
    assert done.exit_code == 1
    assert "it is longer than 1 MiB" in done.stderr


def test_byte_order_mark() -> None:
    """A byte order mark, which some editors add, does not count."""
    assert check(b'\xef\xbb\xbf{"deployment": {}}').exit_code == 0


def test_endless_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that does not end is read up to the limit, and rejected."""
    monkeypatch.setattr(providers, "MAX_BYTES", 1 << 20)
    done = CliRunner().invoke(main, ["state", "check", "/dev/zero"])
    assert done.exit_code == 1
    assert "it is longer than 1 MiB" in done.stderr


@pytest.mark.parametrize("words", [["no-such-file"], [], ["-", "--no-such-option"]])
def test_wrong_words(words: list[str]) -> None:
    """An invalid option or file exits with 1, because 2 means a finding."""
    assert CliRunner().invoke(main, ["state", "check", *words]).exit_code == 1


def test_settings(tmp_path: Path) -> None:
    """The state's secrets provider is compared with the settings file, which exits with 1 if it cannot be read."""
    state = '{"deployment": {"secrets_providers": {"type": "passphrase", "state": {"salt": "v1:a"}}}}'
    file = tmp_path / "Pulumi.prod.yaml"
    missing = check(state, "--settings", str(file))
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "cannot read the settings file" in missing.stderr
    for settings, code in (("encryptionsalt: v1:a", 0), ("encryptionsalt: v1:b", 2), ("", 2), ("[", 1), ("\0", 1)):
        file.write_text(settings)
        assert check(state, "--settings", str(file)).exit_code == code, settings
    for content in (b"\xff", b"#" * ((1 << 20) + 1)):
        file.write_bytes(content)
        assert check(state, "--settings", str(file)).exit_code == 1
    assert check(state).exit_code == 0
