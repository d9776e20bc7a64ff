"""`iamcreds init`: options, questions at a terminal, and none elsewhere."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from iamcreds.cli import main

IAMCREDS = str(Path(sys.executable).with_name("iamcreds"))
ACCOUNT = ("--account", "123456789012")


def test_options(tmp_path: Path) -> None:
    """What the options say stands in the files and in what is to be done next; a repeat changes nothing."""
    folder = tmp_path / "our project"
    options = [
        "--backend",
        "s3://state",
        "--secrets-provider",
        "awskms:///alias/x?region=eu-west-1",
        "--stack",
        "audit",
    ]
    first = CliRunner().invoke(main, ["init", str(folder), *ACCOUNT, "--region", "eu-west-1", *options])
    assert first.exit_code == 0, first.output
    assert f"{folder}/specs/account.yaml: written\n" in first.output
    assert f"  cd '{folder}'\n" in first.output
    assert "  pulumi stack init audit --secrets-provider 'awskms:///alias/x?region=eu-west-1'\n" in first.output
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text())["backend"] == {"url": "s3://state"}
    again = CliRunner().invoke(main, ["init", str(folder), *ACCOUNT, "--region", "eu-west-1", *options])
    assert again.output.count("there already, and the same") == first.output.count(": written\n") > 0
    assert "0 files written." in again.output


def test_no_terminal(tmp_path: Path) -> None:
    """Without a terminal nothing is asked: the account has to be given, and the rest has defaults."""
    done = subprocess.run(
        [IAMCREDS, "init", str(tmp_path)],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "Missing option '--account'" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_region_of_the_environment(tmp_path: Path) -> None:
    """The region is the one that AWS's tools read."""
    done = CliRunner(env={"AWS_REGION": "ap-south-1"}).invoke(main, ["init", str(tmp_path), *ACCOUNT])
    assert done.exit_code == 0, done.output
    assert '"region": "ap-south-1"' in (tmp_path / ".github/stacks.json").read_text()


def test_questions(tmp_path: Path) -> None:
    """At a terminal what no option says is asked, and a wrong answer is asked again."""
    asked = answer(tmp_path, ["init", "new"], ["12", "123456789012", "eu-west-1", "", "passphrase"])
    assert "'12' is not an AWS account id of 12 digits" in asked
    assert "AWS region [" in asked
    assert "--secrets-provider passphrase" in asked
    assert '"123456789012"' in (tmp_path / "new/specs/account.yaml").read_text()
    assert '"region": "eu-west-1"' in (tmp_path / "new/.github/stacks.json").read_text()
    assert "backend" not in (tmp_path / "new/Pulumi.yaml").read_text()


def test_odd_region_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A region of the environment that is not a region is not suggested, and not printed."""
    monkeypatch.setenv("AWS_REGION", "\x9b2J\x1b]0;t\x07")
    asked = answer(tmp_path, ["init", "new", *ACCOUNT], ["eu-west-1", "", "passphrase"])
    assert "AWS region: " in asked
    assert all(line.isprintable() for line in asked.split("\n"))


def answer(folder: Path, words: list[str], answers: list[str]) -> str:
    """Run a command at a terminal, and give these answers; all that the terminal showed."""
    keyboard, terminal = pty.openpty()
    with subprocess.Popen(
        [IAMCREDS, *words], cwd=folder, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        os.close(terminal)
        os.write(keyboard, "".join(f"{each}\n" for each in answers).encode())
        shown, _ = process.communicate(timeout=30)
    os.close(keyboard)
    assert process.returncode == 0, shown
    return str(shown)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--account", "12345678901\n"], "'12345678901\\n' is not an AWS account id"),
        (["--region", "eu west 1"], "is not a region such as eu-west-1"),
        (["--backend", 'x: "y"\nname: z'], "is not a URL such as s3://"),
        (["--backend", "s3://a b"], "is not a URL such as s3://"),
        (["--secrets-provider", "awskms"], "is not default, passphrase or a URL"),
        (["--stack", "a/b"], "is not a stack's name"),
    ],
)
def test_wrong_answers(words: list[str], said: str, tmp_path: Path) -> None:
    """What is no account, region, URL or name is told, and nothing is written."""
    done = CliRunner().invoke(main, ["init", str(tmp_path), *ACCOUNT, *words])
    assert done.exit_code == 2
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


def test_overwriting(tmp_path: Path) -> None:
    """After an upgrade the schema is written anew where that is asked for, and the rest stays as it is."""
    for name in ("specs/schema.json", "Pulumi.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    done = CliRunner().invoke(main, ["init", str(tmp_path), *ACCOUNT, "--overwrite", "specs/schema.json"])
    assert f"{tmp_path}/specs/schema.json: overwritten\n" in done.output
    assert f"{tmp_path}/Pulumi.yaml: there already, another text: kept\n" in done.output
    assert (tmp_path / "Pulumi.yaml").read_text() == "mine"
    wrong = CliRunner().invoke(main, ["init", str(tmp_path), *ACCOUNT, "--overwrite", "schema.json"])
    assert wrong.exit_code == 2
    assert "Error: no file of a project: schema.json; its files are .github/" in wrong.output
