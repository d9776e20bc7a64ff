"""The stack `local`: the real engine with the IAM emulator, separate from your Pulumi login and AWS credentials.

    python -m tools.local_stack up | preview | down | env

All of its files are in `.state/`, which git ignores and only its owner can read, because it contains engine logs.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3
import psutil
from botocore.exceptions import BotoCoreError, ClientError

from iamcreds.emulator.faults.controls import Controls
from iamcreds.emulator.faults.documents import ControlError
from iamcreds.errors import SpecsError
from iamcreds.specs import load
from tools import engine

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".state"
PID, PORT, LOG = STATE / "emulator.pid", STATE / "emulator.port", STATE / "emulator.log"
BACKEND, FOLDER = STATE / "backend", STATE / "folder"
PROGRAM = str(ROOT / ".venv/bin/iamcreds")
START_SECONDS = 30
HOW_TO_MOVE = (
    "If a different program uses the port, run `rm .state/emulator.port` and `make up`, which selects a free one."
)
DROPPED = (
    "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    *(f"AWS_ENDPOINT_URL_{name}" for name in ("IAM", "STS", "SECRETS_MANAGER", "SSM", "KMS")),
)  # fmt: skip
"""Settings of the user that would interfere."""


def make_environment() -> dict[str, str]:
    """Return the environment variables with which `pulumi` and `iamcreds` use only this stack."""
    return {
        "PATH": os.pathsep.join([str(ROOT / ".venv/bin"), str(engine.find_engine()), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"{BACKEND.as_uri()}?metadata=skip",
        "PULUMI_HOME": str(STATE / "pulumi"),
        "PULUMI_STACK": "local",
        "PULUMI_CONFIG_PASSPHRASE": "the embedded IAM only",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{choose_port()}",
        "AWS_ACCESS_KEY_ID": "embedded",
        "AWS_SECRET_ACCESS_KEY": "embedded",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def claim_state() -> None:
    """Make the state private; discard a stack and an emulator address that were copied or moved with it."""
    STATE.mkdir(exist_ok=True)
    STATE.chmod(0o700)  # it may exist already, because the Makefile installs uv in it
    if find_emulator() is None and (not FOLDER.exists() or FOLDER.read_text() != str(ROOT)):
        shutil.rmtree(BACKEND, ignore_errors=True)
        PID.unlink(missing_ok=True)
        PORT.unlink(missing_ok=True)
    FOLDER.write_text(str(ROOT))


def choose_port() -> int:
    """Return the port of the IAM emulator: a free port at first use, and the same one later."""
    if not PORT.exists():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            PORT.write_text(str(free.getsockname()[1]))
    return int(PORT.read_text())


def find_emulator() -> int | None:
    """Return the process ID of this folder's running emulator, if no different process has reused it."""
    try:
        pid = int(PID.read_text().split()[0])
        command = psutil.Process(pid).cmdline()
    except (OSError, LookupError, ValueError, psutil.Error):
        return None
    return pid if PROGRAM in command and "emulator" in command else None


def start_emulator(env: dict[str, str]) -> None:
    """Start the IAM emulator unless it is running, and wait until it responds."""
    process = None if find_emulator() else launch_emulator()
    deadline = time.monotonic() + START_SECONDS
    while not is_answering(env["AWS_ENDPOINT_URL"]):
        if (process and process.poll() is not None) or time.monotonic() > deadline:
            sys.exit(f"the IAM emulator did not start: {LOG.read_text().strip()}\n{HOW_TO_MOVE}")
        time.sleep(0.1)
    print(f"IAM emulator: {env['AWS_ENDPOINT_URL']}", flush=True)  # noqa: T201 - this is a command


def launch_emulator() -> subprocess.Popen[bytes]:
    """Start the IAM emulator in the background; it runs until `down`."""
    command = [PROGRAM, "emulator", "--port", str(choose_port())]
    with LOG.open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
    PID.write_text(f"{process.pid} {secrets.token_hex()}")
    return process


def is_answering(url: str) -> bool:
    """Return True if the IAM emulator responds at this URL."""
    try:
        Controls(url).settings()
    except (OSError, ValueError, ControlError):
        return False
    return True


def create_users(env: dict[str, str]) -> None:
    """Create the IAM users of the specs; in a real account they exist already."""
    iam = boto3.client(
        "iam", endpoint_url=env["AWS_ENDPOINT_URL"], region_name=env["AWS_REGION"],
        aws_access_key_id=env["AWS_ACCESS_KEY_ID"], aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
    )  # fmt: skip
    present = {user["UserName"] for page in iam.get_paginator("list_users").paginate() for user in page["Users"]}
    for user in load(ROOT / "specs").users:
        if user.name not in present:
            iam.create_user(UserName=user.name)


def run_pulumi(env: dict[str, str], *arguments: str) -> int:
    """Run the engine in the project, and return its exit code."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    return subprocess.run(["pulumi", *arguments], cwd=ROOT, env=kept | env, check=False).returncode  # noqa: S603, S607


def prepare() -> dict[str, str]:
    """Start the emulator, create users and stack, and return the environment of the stack."""
    env = make_environment()
    start_emulator(env)
    create_users(env)
    discard_old_stack()
    if not list(BACKEND.glob(".pulumi/stacks/*/local.json")):
        run_pulumi(env, "stack", "init", "local")
    return env


def discard_old_stack() -> None:
    """Discard the stack of an emulator that has ended, because a new emulator does not have its credentials.

    A refresh would not remove them: it keeps credentials that are younger than a minute.
    """
    emulator = BACKEND / "emulator"
    if not emulator.exists() or emulator.read_text() != PID.read_text():
        shutil.rmtree(BACKEND, ignore_errors=True)
        BACKEND.mkdir()
        emulator.write_text(PID.read_text())


def up() -> int:
    """Apply the specs to the IAM emulator."""
    return run_pulumi(prepare(), "up", "--yes", "--skip-preview")


def preview() -> int:
    """Show the planned changes of `up`."""
    return run_pulumi(prepare(), "preview", "--diff")


def down() -> int:
    """Stop the IAM emulator, which deletes its account."""
    pid = find_emulator()
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    PID.unlink(missing_ok=True)
    print("the IAM emulator is stopped" if pid else "the IAM emulator was not running")  # noqa: T201
    return 0


def show_environment() -> int:
    """Print shell commands that set the environment for `pulumi` and `iamcreds`."""
    print(f"unset {' '.join(DROPPED)}")  # noqa: T201
    for name, value in make_environment().items():
        print(f"export {name}={shlex.quote(value)}")  # noqa: T201
    return 0


COMMANDS = {"up": up, "preview": preview, "down": down, "env": show_environment}


def main() -> int:
    """Run the command of the command line, and return its exit code."""
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:  # noqa: PLR2004 - the program and one word
        sys.exit(f"usage: {sys.argv[0]} {'|'.join(COMMANDS)}")
    os.umask(0o077)  # only the owner can read the engine's logs and traces
    claim_state()
    try:
        return COMMANDS[sys.argv[1]]()
    except (engine.EngineError, SpecsError, BotoCoreError, ClientError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    sys.exit(main())
