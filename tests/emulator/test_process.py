"""The IAM emulator as its own process, and as a server in this one."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iamcreds.emulator.faults.controls import Controls
from iamcreds.emulator.server import Emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_iam import IAMClient

COMMAND = [str(Path(sys.executable).with_name("iamcreds")), "emulator"]
PATIENCE = 30


class Running:
    """A process and the URL that it prints."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", self.line)
        assert found, self.line
        self.url = found[0]

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal, and return the exit code and the output after the first line."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out + err


@pytest.fixture
def running_process() -> Iterator[Running]:
    """Run the IAM emulator in its own process."""
    running = Running("--latency", "0.01", "--rate", "500")
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate(timeout=PATIENCE)


def test_process(running_process: Running, iam_client: Callable[..., IAMClient]) -> None:
    """The process prints its URL on one line, serves IAM and controls, prints nothing else, and ends on SIGTERM."""
    url = running_process.url
    assert running_process.line == (
        f"IAM emulator on {url} (account 123456789012); to use it, run: export AWS_ENDPOINT_URL={url};"
        " stop it with Ctrl-C\n"
    )
    iam = iam_client(url)
    iam.create_user(UserName="jane")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName="nobody")
    controls = Controls(url)
    assert controls.counts()["iam:CreateUser"] == 1
    assert (controls.settings()["latency"], controls.settings()["rate"]) == (0.01, 500)
    assert running_process.stop(signal.SIGTERM) == (0, "")


def test_interrupt(running_process: Running) -> None:
    """Ctrl-C ends the process without output."""
    assert running_process.stop(signal.SIGINT) == (0, "")


def test_taken_port_of_a_process() -> None:
    """A port in use is a one-line error with exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--port", str(port)], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    assert done.returncode == 1
    assert done.stdout == ""
    assert (
        done.stderr
        == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use; --port 0 selects a free port\n"
    )


def test_taken_port() -> None:
    """In Python, a port in use raises an OSError that names it."""
    with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            Emulator(port).start()


@pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2")
def test_loopback_only() -> None:
    """Other machines cannot connect, nor clients of other loopback addresses."""
    with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=5).close()
        with socket.create_server(("127.0.0.2", port)):
            pass


def test_stopped() -> None:
    """After it has stopped, connections fail, and the port is free."""
    with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with Emulator(port) as again:
        assert again.url == emulator.url


def test_start_is_empty(iam_client: Callable[..., IAMClient]) -> None:
    """A new emulator has no users of a previous one."""
    with Emulator() as emulator:
        iam_client(emulator.url).create_user(UserName="jane")
    with Emulator() as emulator:
        assert iam_client(emulator.url).list_users()["Users"] == []
