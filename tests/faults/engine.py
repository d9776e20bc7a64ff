"""The engine with the stack of a case: as in other tests, and in a form that can be killed."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING, Any

from tests.e2e.stack import WITHOUT_CHECKPOINTS, Stack, copy_stack, create_stack
from tests.faults.kinds import Kind, Victim
from tests.faults.processes import find_processes, find_providers, send

if TYPE_CHECKING:
    from tests.faults.account import Account
    from tests.faults.scenarios import Project

SECONDS = 100
"""The time limit of a `pulumi up`."""

BETWEEN_SIGNALS = 0.5
"""The pause, in seconds, between two signals, as if a person pressed Ctrl-C twice."""

UP = ("pulumi", "--non-interactive", "up", "--yes", "--skip-preview")
WAITING = "waiting for IAM's lists to show it"
MINUTE = 71
"""The seconds by which the account's clock advances when the product waits a minute or asks the user to."""

IMPATIENT = Path(__file__).parent / "impatient"
_SECRET = "4dabf18193072939515e22adb298388d"


@dataclass
class Engine:
    """The engine with one stack, whose files are all in the folder `home`."""

    home: Path
    stack: Stack

    @property
    def printed(self) -> list[str]:
        """Return the output of all commands."""
        return self.stack.printed

    def write(self, project: Project) -> None:
        """Write the project of the stack."""
        if project.is_program:
            self.stack.write_program(project.text)
        else:
            self.stack.write_specs(specs=project.text)

    def up(self, account: Account, *, has_checkpoints: bool = True) -> bool:
        """Run `pulumi up`, and return True if it succeeded."""
        return self._finish(self._start({} if has_checkpoints else WITHOUT_CHECKPOINTS), account)

    def up_with(self, kind: Kind, account: Account, *, has_checkpoints: bool) -> bool:
        """Run `pulumi up` with a fault, send its signals, and return True if it succeeded."""
        variables = {"PYTHONPATH": str(IMPATIENT)} if kind.is_impatient else {}
        running = self._start(variables if has_checkpoints else variables | WITHOUT_CHECKPOINTS)
        if kind.victims and self._wait_until_held(running, account):
            self._end(kind, running)
            account.controls.release() if kind.goes_on else account.controls.abandon()
        return self._finish(running, account)

    def cancel(self) -> bool:
        """Run `pulumi cancel` if a killed update has left the stack locked, and return True in that case."""
        if not self.is_locked():
            return False
        self.stack.succeed("cancel", "--yes")
        return True

    def is_locked(self) -> bool:
        """Return True if the backend holds a lock."""
        return any((self.home / "backend").glob(".pulumi/locks/**/*.json"))

    def read_state(self) -> list[dict[str, Any]]:
        """Read the credentials in the state with their decrypted secrets, and do not record the output."""
        shown = subprocess.run(
            ["pulumi", "--non-interactive", "stack", "export", "--show-secrets"],  # noqa: S607 - found by the stack's PATH
            cwd=self.stack.folder, env=self.stack.env, capture_output=True, text=True, timeout=SECONDS, check=True,
        )  # fmt: skip
        resources = json.loads(shown.stdout)["deployment"].get("resources") or []
        return [resource for resource in resources if "credential_id" in resource.get("outputs", {})]

    def end_processes(self) -> None:
        """End the processes that a killed engine has left."""
        for pid in find_processes(self.home):
            send(pid, SIGKILL)
        deadline = time.monotonic() + SECONDS
        while find_processes(self.home) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _start(self, variables: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            UP, cwd=self.stack.folder, env=self.stack.env | variables, text=True,
            stdout=(self.home / "printed").open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip

    def _end(self, kind: Kind, running: subprocess.Popen[str]) -> None:
        for number, signal in enumerate(kind.signals):
            time.sleep(BETWEEN_SIGNALS if number else 0)
            for victim in kind.victims:
                pids = [running.pid] if victim is Victim.ENGINE else find_providers(self.home)
                for pid in pids:
                    send(pid, signal)

    def _finish(self, running: subprocess.Popen[str], account: Account) -> bool:
        """Wait for the end of the update, and return True if it succeeded.

        Whenever it starts to wait for lists, the account's clock advances.
        """
        deadline = time.monotonic() + SECONDS
        waits = 0
        while running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
            told = self._read_printed().count(WAITING)
            if told > waits:
                account.wait(MINUTE)
            waits = told
        if running.poll() is None:
            running.kill()
            self.printed.append(f"still running after {SECONDS} s")
        code = running.wait()
        self.printed.append(self._read_printed())
        return code == 0

    def _read_printed(self) -> str:
        return (self.home / "printed").read_text(errors="replace")

    def _wait_until_held(self, running: subprocess.Popen[str], account: Account) -> bool:
        """Wait until the call is held, or until the engine ends without it."""
        while running.poll() is None:
            if account.controls.held():
                return True
            time.sleep(0.02)
        return False


def read_secret(value: object) -> object:
    """Read an output in the form that the state has with `--show-secrets`."""
    if isinstance(value, dict) and _SECRET in value:
        return json.loads(value["plaintext"])
    return value


def create_engine(home: Path, binaries: str, url: str) -> Engine:
    """Create a stack in the folder for the engine in the folder `binaries`."""
    home.mkdir(parents=True)
    return Engine(home, create_stack(home, binaries, url))


def copy_engine(source: Path, home: Path, binaries: str, url: str) -> Engine:
    """Copy a stack in its current state to another folder."""
    shutil.rmtree(home, ignore_errors=True)
    return Engine(home, copy_stack(source, home, binaries, url))
