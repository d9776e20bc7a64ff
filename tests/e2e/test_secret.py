"""`iamcreds secret`: one login and password from the state of a stack, in the formats of other tools."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

SPEC = """
users:
  jane:
    credentials: [{service: codecommit}, {service: bedrock}]
  joe:
    credentials: [{service: codecommit}]
"""
COMMIT = "1" * 40


@pytest.fixture
def filled(stack: Stack, iam: IAMClient) -> Stack:
    """Create a stack with three credentials of two users."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    stack.write_specs(team=SPEC)
    stack.up()
    return stack


def run(stack: Stack, *command: str, given: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the stack's folder without adding its output to `printed`."""
    return subprocess.run(
        command, cwd=stack.folder, env=stack.env | env, input=given,
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_one_secret(filled: Stack, emulator: Emulator) -> None:
    """`iamcreds secret` prints login and password of one credential only, as text and for programs."""
    passwords = emulator.controls.passwords()
    ids = {name: resource["id"] for name, resource in filled.read_resources().items()}
    done = run(filled, "iamcreds", "secret", "jane/codecommit")
    assert (done.returncode, done.stderr) == (0, "")
    own = passwords[ids["jane/codecommit"]]
    assert done.stdout == f"service_user_name: jane-at-123456789012\nservice_password: {own}\n"
    told = json.loads(run(filled, "iamcreds", "secret", "jane/codecommit", "--as", "json").stdout)
    assert (told["credential_id"], told["service_password"]) == (ids["jane/codecommit"], own)
    env = run(filled, "bash", "-c", 'eval "$(iamcreds secret jane/bedrock --as env)"; echo "$AWS_BEARER_TOKEN_BEDROCK"')
    assert env.stdout == f"{passwords[ids['jane/bedrock']]}\n"
    key = run(filled, "iamcreds", "secret", "jane/bedrock", "--as", "key")
    assert key.stdout == env.stdout
    url = f"https://{HOST}/v1/repos/product"
    repository = run(filled, "iamcreds", "secret", "jane/codecommit", "--as", "argocd-repository", "--url", url)
    assert yaml.safe_load(repository.stdout)["stringData"] == {
        "type": "git", "url": url, "username": "jane-at-123456789012", "password": own
    }  # fmt: skip
    missing = run(filled, "iamcreds", "secret", "jane/keyspaces")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "the stack has no credential 'jane/keyspaces'" in missing.stderr


def test_after_a_failed_up(filled: Stack, emulator: Emulator) -> None:
    """After a failed `up`, which leaves old outputs, `iamcreds secret` prints the valid password."""
    emulator.controls.deny("iam:DeleteServiceSpecificCredential")
    filled.write_specs(team="users: {jane: {credentials: [{service: codecommit}, {service: bedrock, reset: lost}]}}")
    assert filled.run("up", "--yes", "--skip-preview", "--continue-on-error").code != 0
    key = json.loads(run(filled, "iamcreds", "secret", "jane/bedrock", "--as", "json").stdout)
    assert key["service_credential_secret"] == emulator.controls.passwords()[key["credential_id"]]


def test_wrong_passphrase(filled: Stack) -> None:
    """Without the stack's passphrase it prints one error of the engine, and no secret."""
    done = run(filled, "iamcreds", "secret", "jane/codecommit", PULUMI_CONFIG_PASSPHRASE="wrong")
    assert (done.returncode, done.stdout) == (1, "")
    assert "`pulumi stack export`" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("stack_name", ["", "test"])
def test_no_project(stack: Stack, tmp_path: Path, stack_name: str) -> None:
    """In a folder without a project it prints that, and not the engine's suggestion to create one."""
    env = stack.env | {"PULUMI_STACK": stack_name}
    command = ["iamcreds", "secret", "jane/codecommit", "--cwd", str(tmp_path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: no Pulumi project in {tmp_path} or above it. Options: run this command in the project's folder, or"
        " specify the folder with --cwd FOLDER\n"
    )


@pytest.fixture
def git_server(filled: Stack, emulator: Emulator) -> Iterator[str]:
    """Start a Git server over HTTP that accepts jane's current password, and return its URL."""
    identity = filled.read_resources()["jane/codecommit"]["id"]
    login = f"jane-at-123456789012:{emulator.controls.passwords()[identity]}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_jane = self.headers["Authorization"] == f"Basic {base64.b64encode(login.encode()).decode()}"
            body = f"{COMMIT}\trefs/heads/main\n".encode() if is_jane else b""
            self.send_response(200 if is_jane else 401)
            if not is_jane:
                self.send_header("WWW-Authenticate", 'Basic realm="codecommit"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/repos/product"
        server.shutdown()
        thread.join()


HELPER = "iamcreds secret jane/codecommit --as git-credential"
HOST = "git-codecommit.us-east-1.amazonaws.com"
GIT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def configure_git(stack: Stack, helper: str) -> None:
    """Configure a credential helper in the stack's folder, for every host."""
    assert run(stack, "git", "init", "--quiet", **GIT).returncode == 0
    assert run(stack, "git", "config", "credential.helper", f"!{helper}", **GIT).returncode == 0


def test_git(filled: Stack, git_server: str) -> None:
    """Git gets the password for a server on this machine only if `--allow-localhost` is given."""
    assert run(filled, "git", "ls-remote", git_server, **GIT).returncode != 0
    configure_git(filled, HELPER)
    rejected = run(filled, "git", "ls-remote", git_server, **GIT)
    assert rejected.returncode != 0
    assert "127.0.0.1" in rejected.stderr
    assert "which gets passwords only with --allow-localhost" in rejected.stderr
    configure_git(filled, f"{HELPER} --allow-localhost")
    done = run(filled, "git", "ls-remote", git_server, **GIT)
    assert (done.returncode, done.stdout) == (0, f"{COMMIT}\trefs/heads/main\n"), done.stderr
    with_login = git_server.replace("://", "://jane-at-123456789012@")
    assert run(filled, "git", "ls-remote", with_login, **GIT).returncode == 0
    other_login = git_server.replace("://", "://build-bot+1-at-123456789012@")
    assert run(filled, "git", "ls-remote", other_login, **GIT).returncode != 0


@pytest.fixture
def eavesdropper() -> Iterator[tuple[int, list[str]]]:
    """A server on 127.0.0.2 that asks for a password: its port, and every Authorization header that it receives."""
    received: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.extend(self.headers.get_all("Authorization", []))
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="codecommit"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
            """Print nothing."""

    with HTTPServer(("127.0.0.2", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_port, received
        server.shutdown()
        thread.join()


def test_git_smuggled_host(filled: Stack, eavesdropper: tuple[int, list[str]]) -> None:
    """A URL whose user name contains lines of git's protocol sends no password anywhere."""
    port, received = eavesdropper
    configure_git(filled, HELPER)
    for separator in ("%0b", "%0c", "%1c", "%1d", "%1e", "%c2%85", "%e2%80%a8", "%e2%80%a9", "%0d"):
        smuggled = f"{separator}protocol=https{separator}host={HOST}{separator}"
        done = run(filled, "git", "ls-remote", f"http://{smuggled}@127.0.0.2:{port}/r.git", **GIT)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
    assert [header for header in received if not header.endswith("Og==")] == []  # only an empty password


def test_git_elsewhere(filled: Stack) -> None:
    """A host that is not CodeCommit gets nothing, and stderr has the reason; unknown operations are ignored."""
    helper = HELPER.split()
    done = run(filled, *helper, "get", given="protocol=https\nhost=evil.example\n")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "iamcreds: no password for git: evil.example is not CodeCommit\n"
    for operation in ("erase", "store", "capability", "unheard-of"):
        ignored = run(filled, *helper, operation, given=f"protocol=https\nhost={HOST}\n")
        assert (ignored.returncode, ignored.stdout, ignored.stderr) == (0, "", "")


def test_git_login(filled: Stack) -> None:
    """If git asks for a different login, the helper prints nothing, so that git asks the next one."""
    helper = HELPER.split()
    request = f"protocol=https\nhost={HOST}\nusername="
    answered = run(filled, *helper, "get", given=f"{request}jane-at-123456789012\n")
    assert answered.stdout.startswith("username=jane-at-123456789012\npassword=")
    for login in ("build-bot+1-at-123456789012", "joe-at-123456789012", ""):
        ignored = run(filled, *helper, "get", given=f"{request}{login}\n")
        assert (ignored.returncode, ignored.stdout, ignored.stderr) == (0, "", "")


def test_options_of_git_alone(filled: Stack) -> None:
    """An option or operation for git is rejected with any other format."""
    for words in (("--allow-localhost",), ("get",)):
        done = run(filled, "iamcreds", "secret", "jane/codecommit", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "requires --as git-credential" in done.stderr


ROTATING = "users: {jane: {credentials: [{service: codecommit, rotate: {every: 90d, overlap: 7d}}]}}"
FIRST, SECOND = "jane-at-123456789012", "jane+1-at-123456789012"


def fill_in(stack: Stack, url: str) -> str | None:
    """Return the password that `git credential fill` gets for a URL, None for none."""
    done = run(stack, "git", "credential", "fill", given=f"url={url}\n\n", **GIT)
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert (done.returncode == 0) is ("password" in found), done.stderr
    return f"{found['username']} {found['password']}" if found else None


def test_git_rotation(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Git gets either login's own password during the overlap, and nothing for the retired one afterwards."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=ROTATING)
    stack.up()
    emulator.controls.set(clock_shift=91 * 86_400)
    stack.up()
    configure_git(stack, HELPER)
    passwords = {}
    for name, login in (("jane/codecommit", FIRST), ("jane/codecommit~2", SECOND)):
        passwords[login] = f"{login} {emulator.controls.passwords()[stack.read_resources()[name]['id']]}"
    for login in (FIRST, SECOND):
        assert fill_in(stack, f"https://{login}@{HOST}/v1/repos/product") == passwords[login]
        assert fill_in(stack, f"https://{login.replace('+', '%2B')}@{HOST}/v1/repos/product") == passwords[login]
    assert fill_in(stack, f"https://{HOST}/v1/repos/product") == passwords[SECOND]
    assert fill_in(stack, f"https://jane+2-at-123456789012@{HOST}/v1/repos/product") is None
    emulator.controls.set(clock_shift=99 * 86_400)
    stack.up()
    assert fill_in(stack, f"https://{FIRST}@{HOST}/v1/repos/product") is None
    assert fill_in(stack, f"https://{SECOND}@{HOST}/v1/repos/product") == passwords[SECOND]
    emulator.controls.set(clock_shift=190 * 86_400)
    emulator.controls.deny("iam:UpdateServiceSpecificCredential")
    assert stack.run("up", "--yes", "--skip-preview").code != 0
    assert fill_in(stack, f"https://{FIRST}@{HOST}/v1/repos/product") is None, "its rotation failed"
    assert fill_in(stack, f"https://{HOST}/v1/repos/product") == passwords[SECOND]
    emulator.controls.clear_faults()
    stack.up()
    current = emulator.controls.passwords()[stack.read_resources()["jane/codecommit"]["id"]]
    assert fill_in(stack, f"https://{HOST}/v1/repos/product") == f"{FIRST} {current}"
    assert fill_in(stack, f"https://{SECOND}@{HOST}/v1/repos/product") == passwords[SECOND]
