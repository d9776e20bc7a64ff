"""The whole command line: help, examples, completion, and errors for unknown words."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.query.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HEAVY = {
    "apprise",
    "boto3",
    "botocore",
    "flask",
    "grpc",
    "jinja2",
    "jsonschema_rs",
    "moto",
    "pulumi",
    "rich",
    "sqlite3",
    "yaml",
}
SHELLS = ["bash", "fish", "zsh"]


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below a group with the words that call it, such as `list credentials`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield " ".join([*above, name]), found
        if isinstance(found, click.Group):
            yield from commands(found, *above, name)


COMMANDS = dict(commands(main))


def examples(command: click.Command) -> Iterator[list[str]]:
    """Yield the words after `iamcreds` of each example in a command's help, up to a pipe or a redirection."""
    _, _, text = (command.help or "").partition("Examples:")
    lines = iter(text.replace("\b", "").splitlines())
    for line in lines:
        found = re.match(r"(?:.*\| )?\s*iamcreds (.*)", line)
        if found is None:
            continue
        whole = found[1]
        while whole.count('"') % 2 or whole.endswith("\\"):  # a statement or a command in several lines
            whole = whole.removesuffix("\\") + "\n" + next(lines)
        parser = shlex.shlex(whole, posix=True, punctuation_chars="|>&;")
        parser.whitespace_split = True
        words = list(parser)
        yield words[: next((number for number, word in enumerate(words) if word[0] in "|>&;"), len(words))]


EXAMPLES = sorted({shlex.join(words) for command in COMMANDS.values() for words in examples(command)})


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name: str) -> None:
    """The --help of each command describes it and has examples, each on its own line."""
    result = CliRunner().invoke(main, [*name.split(), "--help"], prog_name="iamcreds")
    assert result.exit_code == 0
    _, _, shown = result.output.partition("\n  Examples:\n")
    assert re.search(r"^ +.*iamcreds ", shown, re.MULTILINE), result.output


@pytest.mark.parametrize("name", ["", *COMMANDS])
@pytest.mark.parametrize("width", [80, 200])
def test_help_fits(name: str, width: int) -> None:
    """No line of help is wider than the terminal, except commands to copy; each command is listed on one line."""
    result = CliRunner(env={"COLUMNS": str(width)}).invoke(main, [*name.split(), "--help"], prog_name="iamcreds")
    assert "\x1b" not in result.output
    for line in result.output.splitlines():
        assert len(line) <= width or re.match(r" +(\S+ .*\| )?(iamcreds|git|eval) ", line), line
    if isinstance(COMMANDS.get(name, main), click.Group):
        listed = result.output[result.output.index("\nCommands:\n") :].splitlines()[2:]
        assert all(re.match(r"  [a-z-]+  ", line) for line in listed), listed


@pytest.mark.parametrize("name", COMMANDS)
def test_options(name: str) -> None:
    """Every option has its own sentence, and the help text names every argument."""
    command = COMMANDS[name]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
            assert parameter.help[-1] in ".)]", parameter.opts
        else:
            word = (
                parameter.make_metavar(click.Context(command)).strip("[].")
                if parameter.metavar
                else str(parameter.name).upper()
            )
            assert word in (command.help or ""), word


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line accepts every example of a help text if the named files exist."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    for name in ("preview.json", "state.json", "Pulumi.prod.yaml"):
        (tmp_path / name).write_text("{}", "utf-8")
    for command in COMMANDS.values():
        if not isinstance(command, click.Group):
            monkeypatch.setattr(command, "callback", lambda *_, **__: None)
    result = CliRunner().invoke(main, shlex.split(example))
    assert result.exit_code == 0, result.output


def test_help_is_quick() -> None:
    """No help text needs an import of boto3, the emulator, the engine, YAML or tables."""
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from iamcreds.cli import main\n"
        "for name in sys.argv[1:]:\n"
        "    assert CliRunner().invoke(main, [*name.split(), '--help']).exit_code == 0\n"
        f"print(sorted({HEAVY!r} & sys.modules.keys()))\n"
    )
    command = [sys.executable, "-c", program, *COMMANDS]
    assert subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["lst"], "No such command 'lst'. Did you mean 'list'?"),
        (["list", "credential"], "No such command 'credential'. Did you mean 'credentials'?"),
        (
            ["list", "credentials", "--all-user", "x"],
            "No such option '--all-user'. (Did you mean one of: '--all-users', '--user'?)",
        ),
        (["list", "credentials", "--format", "xml"], "'xml' is not one of 'table', 'json', 'yaml', 'csv'."),
        (["list", "credentials", "--max-items", "0"], "0 is not in the range 1<=x<=1000."),
        (["list", "access-keys", "--max-items", "many"], "'many' is not a valid integer"),
        (["list", "access-keys", "--service", "bedrock"], "No such option '--service'"),
        (["list", "credentials", "--user", "a b"], "'a b' is not an IAM user name: 1 to 64 letters"),
        (["list", "credentials", "--user", "a" * 65], "is not an IAM user name: 1 to 64 letters"),
        (["list", "credentials", "--user", ""], "'' is not an IAM user name: 1 to 64 letters"),
        (["list", "credentials", "--service", "code commit"], "is not a service name: letters, digits, dots"),
        (["list", "credentials", "--marker", ""], "'' is not a marker from an earlier page"),
        (["list", "credentials", "--user", "jane", "--all-users"], "--all-users cannot be combined with --user"),
        (["list", "access-keys", "--user", "jane", "--all-users"], "--all-users cannot be combined with --user"),
        (["query", "SELECT 1", "--timeout", "0"], "0.0 is not in the range x>0."),
        (
            ["query", "SELECT * FROM desired"],
            "the statement reads table desired, which requires --specs PATH",
        ),
        (["query"], "Missing argument 'SQL'."),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'."),
    ],
)
def test_wrong_words(words: list[str], sentence: str) -> None:
    """An error for an invalid word suggests valid ones, before any request to AWS."""
    result = CliRunner().invoke(main, words)
    assert result.exit_code != 0
    assert result.stdout == ""
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_query_help_has_every_column() -> None:
    """The help of `query` lists every table with all of its columns."""
    shown = CliRunner().invoke(main, ["query", "--help"]).stdout
    for table, columns in TABLES.items():
        _, _, after = shown.partition(f"\n    {table}")
        described = re.split(r"\n {0,4}(?=\S)", after)[0]
        assert all(re.search(rf"\b{column}\b", described) for column in columns), table


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_script(shell: str) -> None:
    """The script of each shell calls this command."""
    result = CliRunner().invoke(main, ["completion", shell])
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_IAMCREDS_COMPLETE={shell}_complete" in result.stdout
    assert "complete" in result.stdout


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("iamcreds lis", {"list"}),
        ("iamcreds list ", {"access-keys", "credentials"}),
        ("iamcreds list credentials --format ", {"table", "json", "yaml", "csv"}),
        ("iamcreds list credentials --service k", {"keyspaces"}),
        ("iamcreds completion ", {"bash", "zsh", "fish"}),
        ("iamcreds query --time", {"--timeout"}),
    ],
)
def test_completion_in_bash(line: str, words: set[str], tmp_path: Path) -> None:
    """A real bash with the script completes commands, options and their values."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not on PATH")
    script = tmp_path / "complete.bash"
    script.write_text(CliRunner().invoke(main, ["completion", "bash"]).stdout, "utf-8")
    parts = line.split(" ")
    program = (
        f"source {shlex.quote(str(script))}\n"
        f"COMP_WORDS=({' '.join(shlex.quote(part) for part in parts)})\n"
        f"COMP_CWORD={len(parts) - 1}\n"
        "_iamcreds_completion iamcreds\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    (tmp_path / "iamcreds").write_text(
        f'#!{sys.executable}\nfrom iamcreds.cli import main\nmain(prog_name="iamcreds")\n'
    )
    (tmp_path / "iamcreds").chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [bash, "--norc", "-c", program], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    assert set(done.stdout.split()) == words, json.dumps([done.stdout, done.stderr])


def test_common_commands() -> None:
    """Without arguments, five common commands are listed above all commands, and each of them exists."""
    text = CliRunner().invoke(main, []).output
    _, _, rest = text.partition("Common commands:\n")
    shown, _, _ = rest.partition("\n\n")
    named = [line.split()[1] for line in shown.splitlines()]
    assert named == ["init", "dump", "validate", "drift", "secret"]
    assert set(named) <= COMMANDS.keys()
