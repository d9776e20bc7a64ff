"""The files that the engine writes: with each debugging option in the documents, and its automatic logs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.e2e.conftest import contain_any
from tests.e2e.deliveries import assert_stored, export_state
from tests.e2e.stack import SECONDS
from tools.leaks import SWITCHES

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

UP = ("up", "--yes", "--skip-preview")
DELIVERED = """
users:
  jane:
    credentials: [{{service: codecommit, reset: {}, deliver: {{secretsManager: {{name: codecommit/jane}}}}}}]
"""
SPECS = "users: {{jane: {{credentials: [{{service: codecommit, reset: {}}}]}}}}"


def find_files(folder: Path) -> set[Path]:
    """Find all files below a folder."""
    return {path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def test_switches(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Each documented option writes a new password to a file, unless the documents call it safe."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=SPECS.format("first"))
    stack.up()
    folder = stack.folder.parent
    for switch in SWITCHES:
        before, file = find_files(folder), str(folder / "written")
        stack.write_specs(team=SPECS.format(f"because of {switch.written}".replace(":", "")))
        variables = {name: value.format(file=file) for name, value in switch.variables.items()}
        stack.succeed(*UP, *(word.format(file=file) for word in switch.arguments), **variables)
        written = find_files(folder) - before
        secrets = emulator.controls.secrets()
        leaking = [path for path in written if contain_any([path.read_text(errors="replace")], secrets)]
        assert bool(leaking) is not switch.is_clean, switch.written
        for path in leaking:
            path.unlink()  # the fixture searches all other files


def test_delivered(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """A password that iamcreds creates or resets for the store never passes through the engine.

    No documented option writes it to a file, and it is in no output or state.
    """
    iam.create_user(UserName="jane")
    folder = stack.folder.parent
    for switch in SWITCHES:
        before, file = find_files(folder), str(folder / "written")
        stack.write_specs(team=DELIVERED.format(f"because of {switch.written}".replace(":", "")))
        variables = {name: value.format(file=file) for name, value in switch.variables.items()}
        arguments = (word.format(file=file) for word in switch.arguments)
        stack.succeed(*UP, "--diff", "--show-secrets", *arguments, **variables)  # the fixture searches its output
        assert find_files(folder) - before, switch.written
        assert_stored(store, emulator)
    texts = [path.read_text(errors="replace") for path in find_files(folder)]
    logs = [decrypt(stack, path) for path in find_files(folder / "pulumi" / "logs")]
    shown = run_with_secrets(stack, "preview", "--diff")
    assert not contain_any([*texts, *logs, shown, export_state(stack)], emulator.controls.secrets())


def test_automatic_logs(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The engine's automatic logs are encrypted and contain no password, as docs/state.md states."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=SPECS.format("first"))
    stack.up()
    logs = sorted(find_files(stack.folder.parent / "pulumi" / "logs"))
    assert logs
    secrets = emulator.controls.secrets()
    assert not contain_any([path.read_bytes().decode(errors="replace") for path in logs], [*secrets, "pulumi up"])
    texts = {path.name: decrypt(stack, path) for path in logs}
    assert any("pulumi up" in text for text in texts.values())
    found = [name for name, text in texts.items() if contain_any([text], secrets)]
    assert found == [], "the engine's own logs contain passwords: document this in docs/state.md"


def test_show_secrets(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """With --show-secrets the engine prints the passwords in diffs that docs/state.md lists, and none as JSON.

    Without --diff the engine prints the outputs of a stack or omits them, depending on the order of its own events.
    """
    iam.create_user(UserName="jane")
    diff = "--diff"

    def show(*arguments: str) -> list[bool]:
        text = run_with_secrets(stack, *arguments)
        return [contain_any([text], [secret]) for secret in emulator.controls.secrets()]

    stack.write_specs(team=SPECS.format("first"))
    assert show("preview", diff) == []
    assert show(*UP, diff) == [True]
    stack.write_specs(team=SPECS.format("second"))
    assert show("preview", diff) == [True]
    assert show("preview") in ([True], [False])
    assert show("preview", "--json") == [False]
    assert show(*UP) in ([True, True], [False, False])
    stack.write_specs(team=SPECS.format("third"))
    assert show(*UP, diff) == [False, True, True]
    assert show(*UP) in ([False, False, True], [False, False, False])
    stack.write_specs(team="users: {jane: {credentials: []}}")
    assert show("preview", diff) == [False, False, True]
    assert show("preview") in ([False, False, True], [False, False, False])
    assert show(*UP, diff) == [False, False, True]


def run_with_secrets(stack: Stack, *arguments: str) -> str:
    """Run pulumi with --show-secrets, and return the output without adding it to `printed`."""
    done = subprocess.run(
        ["pulumi", "--non-interactive", *arguments, "--show-secrets"],  # noqa: S607 - found by the PATH of the stack
        cwd=stack.folder, env=stack.env, capture_output=True, text=True,
        timeout=SECONDS, check=True,
    )  # fmt: skip
    return done.stdout + done.stderr


def decrypt(stack: Stack, log: Path) -> str:
    """Return the decrypted content of an automatic log without adding it to `printed`."""
    done = subprocess.run(
        ["pulumi", "--non-interactive", "logs", "decrypt", str(log)],  # noqa: S607 - found by the PATH of the stack
        cwd=stack.folder, env=stack.env, capture_output=True, text=True,
        timeout=SECONDS, check=True,
    )  # fmt: skip
    return done.stdout
