"""`iamcreds init`: options, prompts in a terminal, and no prompts elsewhere."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import shlex
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from iamcreds.cli import main

IAMCREDS = str(Path(sys.executable).with_name("iamcreds"))
ACCOUNT = ("--account", "123456789012")
VERSION = metadata.version("iamcreds")
WHEEL = f"iamcreds-{VERSION}-py3-none-any.whl"
REQUIREMENTS = ("--overwrite", "requirements.txt")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Create a wheel that declares this version of iamcreds."""
    (tmp_path / "dist").mkdir()
    write_wheel(tmp_path / "dist" / WHEEL)
    return tmp_path / "dist" / WHEEL


def write_wheel(file: Path, code: str = "") -> None:
    """Write a wheel with this code."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"iamcreds-{VERSION}.dist-info/METADATA", f"Name: iamcreds\nVersion: {VERSION}\n")
        archive.writestr("iamcreds/__init__.py", code)


def init(folder: Path, *words: str) -> Result:
    """Run `iamcreds init`, which may fail, but without a traceback."""
    done = CliRunner().invoke(main, ["init", str(folder), *ACCOUNT, *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def read_content(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def format_pin(file: Path, extras: str = "") -> str:
    """Format the line of requirements.txt for a wheel."""
    return f"./{WHEEL}{extras} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def test_options(tmp_path: Path) -> None:
    """The options determine the files and the next steps; a second run changes nothing."""
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
    assert again.output.count("already exists, unchanged") == first.output.count(": written\n") > 0
    assert again.output.endswith("0 files written.\n")


def test_differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next version shows how kept files differ from its own, printable and with colours at a terminal only."""
    init(tmp_path)
    stacks = tmp_path / ".github/stacks.json"
    stacks.write_text(stacks.read_text().replace("us-east-1", "eu\x1b-west-1"))
    done = init(tmp_path)
    diff = done.output.partition("0 files written.\n")[2].splitlines()
    assert diff[1:3] == ["--- .github/stacks.json (existing)", "+++ .github/stacks.json (this version)"]
    changed = [line for line in diff[3:] if line.startswith(("+", "-"))]
    assert changed == [r'-    "region": "eu\x1b-west-1",', '+    "region": "us-east-1",']
    assert diff[-1] == "1 file kept. To replace a file, use --overwrite FILE."
    assert "Next:" not in done.output
    assert "\x1b" in stacks.read_text()
    monkeypatch.setattr("iamcreds.commands.init.is_coloured", lambda: True)
    coloured = CliRunner().invoke(main, ["init", str(tmp_path), *ACCOUNT], color=True).output
    assert '\x1b[32m+    "region": "us-east-1",\x1b[0m\n' in coloured


def test_no_terminal(tmp_path: Path) -> None:
    """Without a terminal nothing prompts: the account is required, and other options have defaults."""
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
    """The default region is the one that AWS tools use."""
    done = CliRunner(env={"AWS_REGION": "ap-south-1"}).invoke(main, ["init", str(tmp_path), *ACCOUNT])
    assert done.exit_code == 0, done.output
    assert '"region": "ap-south-1"' in (tmp_path / ".github/stacks.json").read_text()


def test_questions(tmp_path: Path) -> None:
    """In a terminal, a prompt asks for each missing option, and repeats after an invalid value."""
    asked = answer(tmp_path, ["init", "new"], ["12", "123456789012", "eu-west-1", "", "passphrase"])
    assert "'12' is not a 12-digit AWS account ID" in asked
    assert "AWS region [" in asked
    assert "--secrets-provider passphrase" in asked
    assert '"123456789012"' in (tmp_path / "new/specs/account.yaml").read_text()
    assert '"region": "eu-west-1"' in (tmp_path / "new/.github/stacks.json").read_text()
    assert "backend" not in (tmp_path / "new/Pulumi.yaml").read_text()


def test_odd_region_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invalid region in the environment is neither suggested nor printed."""
    monkeypatch.setenv("AWS_REGION", "\x9b2J\x1b]0;t\x07")
    asked = answer(tmp_path, ["init", "new", *ACCOUNT], ["eu-west-1", "", "passphrase"])
    assert "AWS region: " in asked
    assert all(line.isprintable() for line in asked.split("\n"))


def answer(folder: Path, words: list[str], answers: list[str]) -> str:
    """Run a command in a terminal, enter these texts, and return everything that it prints."""
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
        (["--account", "12345678901\n"], "'12345678901\\n' is not a 12-digit AWS account ID"),
        (["--region", "eu west 1"], "is not a region such as eu-west-1"),
        (["--backend", 'x: "y"\nname: z'], "is not a URL such as s3://"),
        (["--backend", "s3://a b"], "is not a URL such as s3://"),
        (["--secrets-provider", "awskms"], "is not default, passphrase or a URL"),
        (["--stack", "a/b"], "is not a stack's name"),
    ],
)
def test_wrong_answers(words: list[str], said: str, tmp_path: Path) -> None:
    """An invalid account, region, URL or name is an error, and nothing is written."""
    done = CliRunner().invoke(main, ["init", str(tmp_path), *ACCOUNT, *words])
    assert done.exit_code == 2
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


def test_overwriting(tmp_path: Path) -> None:
    """After an upgrade, only the schema is overwritten on request, and other files stay."""
    for name in ("specs/schema.json", "Pulumi.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    done = CliRunner().invoke(main, ["init", str(tmp_path), *ACCOUNT, "--overwrite", "specs/schema.json"])
    assert f"{tmp_path}/specs/schema.json: overwritten\n" in done.output
    assert f"{tmp_path}/Pulumi.yaml: already exists with different content, kept\n" in done.output
    assert (tmp_path / "Pulumi.yaml").read_text() == "mine"
    wrong = CliRunner().invoke(main, ["init", str(tmp_path), *ACCOUNT, "--overwrite", "schema.json"])
    assert wrong.exit_code == 2
    assert "Error: --overwrite: a project has no file schema.json; its files are .github/" in wrong.output


def test_wheel(wheel: Path, tmp_path: Path) -> None:
    """The wheel is copied and pinned by its hash; no step builds it, and a second run changes nothing."""
    folder = tmp_path / "project"
    first = init(folder, "--wheel", str(wheel))
    assert first.exit_code == 0, first.output
    assert f"{folder / WHEEL}: written\n" in first.output
    assert (folder / WHEEL).read_bytes() == wheel.read_bytes()
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if "iamcreds" in line and not line.startswith("#")] == [format_pin(wheel)]
    assert first.output.partition("\nNext:\n")[2].startswith(f"  cd {folder}\n")
    assert "0 files written." in init(folder, "--wheel", str(wheel)).output
    assert "0 files written." in init(folder, "--wheel", str(folder / WHEEL)).output


def test_steps_without_a_wheel(wheel: Path, tmp_path: Path) -> None:
    """Without a wheel, the first steps build it and repeat `init` with it and with all options."""
    folder = tmp_path / "our project"
    options = ["--region", "eu-west-1", "--backend", "s3://state?x=1&y=2", "--stack", "audit", "--extra", "notify"]
    options += ["--secrets-provider", "awskms:///alias/x?region=eu-west-1", "--extra", "aws"]
    first = init(folder, *options)
    build, again, change = first.output.partition("\nNext:\n")[2].splitlines()[:3]
    assert re.search("uv build --wheel --offline ", build)
    assert change == f"  cd '{folder}'"
    program, *words = shlex.split(again)
    assert Path(program).name == "iamcreds"
    words[-1] = str(wheel)
    second = CliRunner().invoke(main, words)
    assert second.exit_code == 0, second.output
    outcomes = dict(re.findall(rf"{folder}/(\S+): (.*)", second.output))
    assert outcomes.pop("requirements.txt") == "overwritten"
    assert outcomes.pop(WHEEL) == "written"
    assert set(outcomes.values()) == {"already exists, unchanged"}
    assert f"\n{format_pin(wheel, '[aws,notify]')}\n" in (folder / "requirements.txt").read_text()


def test_steps_replace_an_older_build(wheel: Path, tmp_path: Path) -> None:
    """If the folder already has a wheel, the printed `init` replaces it."""
    folder = tmp_path / "project"
    init(folder, "--wheel", str(wheel))
    again = init(folder, *REQUIREMENTS).output.partition("\nNext:\n")[2].splitlines()[1]
    write_wheel(wheel, "new = 1")
    assert CliRunner().invoke(main, [*shlex.split(again)[1:-1], str(wheel)]).exit_code == 0
    assert (folder / WHEEL).read_bytes() == wheel.read_bytes()


def test_kept_requirements(wheel: Path, tmp_path: Path) -> None:
    """If requirements.txt is kept, as after an upgrade of the schema, no step concerns the wheel."""
    init(tmp_path / "project", "--wheel", str(wheel))
    (tmp_path / "project/specs/schema.json").write_text("{}")
    done = init(tmp_path / "project", "--overwrite", "specs/schema.json")
    assert "requirements.txt: already exists with different content, kept\n" in done.output
    assert done.output.partition("\nNext:\n")[2].startswith(f"  cd {tmp_path}/project\n")


@pytest.mark.parametrize(
    ("overwrite", "missing"),
    [
        ((), f"--overwrite requirements.txt --overwrite {WHEEL}"),
        (REQUIREMENTS, f"--overwrite {WHEEL}"),
        (("--overwrite", WHEEL), "--overwrite requirements.txt"),
    ],
    ids=["none", "requirements", "wheel"],
)
def test_different_wheel(overwrite: tuple[str, ...], missing: str, wheel: Path, tmp_path: Path) -> None:
    """A different wheel of the same name replaces both files or none: a hash never belongs to a kept wheel."""
    folder = tmp_path / "project"
    init(folder, "--wheel", str(wheel))
    before = read_content(folder)
    write_wheel(wheel, "new = 1")
    done = init(folder, "--wheel", str(wheel), *overwrite)
    assert done.exit_code == 1
    assert done.output.endswith(f"Run the command again with {missing}\n")
    assert read_content(folder) == before
    assert init(folder, "--wheel", str(wheel), *REQUIREMENTS, "--overwrite", WHEEL).exit_code == 0
    assert (folder / WHEEL).read_bytes() == wheel.read_bytes()
    assert format_pin(wheel) in (folder / "requirements.txt").read_text()


@pytest.mark.parametrize("name", ["missing.whl", f"missing/{WHEEL}", f"text/{WHEEL}", f"other/{WHEEL}", "other.whl"])
def test_rejected_wheel(name: str, tmp_path: Path) -> None:
    """A file that is not a wheel of this version is rejected in one line, and nothing is written."""
    for folder in ("text", "other"):
        (tmp_path / folder).mkdir()
    (tmp_path / "text" / WHEEL).write_text("no zip")
    with zipfile.ZipFile(tmp_path / "other" / WHEEL, "w") as archive:
        archive.writestr(f"iamcreds-{VERSION}.dist-info/METADATA", f"Name: other\nVersion: {VERSION}\n")
    done = init(tmp_path / "project", "--wheel", str(tmp_path / name))
    assert done.exit_code == 1
    assert re.fullmatch(r"Error: [^\n]+\n", done.output)
    assert not (tmp_path / "project").exists()


def test_wheel_through_a_link(wheel: Path, tmp_path: Path) -> None:
    """The wheel is not written through a link."""
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "project" / WHEEL).symlink_to(tmp_path / "elsewhere")
    done = init(tmp_path / "project", "--wheel", str(wheel), "--overwrite", WHEEL)
    assert done.exit_code == 1
    assert done.output.endswith(f"{WHEEL} cannot be written: it is a link\n")
    assert (tmp_path / "elsewhere").read_text() == "mine"


def test_unknown_extra(tmp_path: Path) -> None:
    """Only the extras of iamcreds are valid."""
    done = init(tmp_path / "project", "--extra", "awss")
    assert done.exit_code == 2
    assert "'awss' is not one of 'aws', 'emulator', 'notify'" in done.output
