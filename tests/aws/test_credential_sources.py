"""Sources of AWS credentials that would wait for user input."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.aws import Account, client, credential_sources
from iamcreds.errors import UnauthenticatedError

if TYPE_CHECKING:
    from pathlib import Path

ROLE = """
[profile asked]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/jane
[profile base]
aws_access_key_id = test
aws_secret_access_key = test
"""
SSO = """
[profile asked]
sso_session = company
sso_account_id = 123456789012
sso_role_name = admin
[sso-session company]
sso_region = us-east-1
sso_start_url = https://127.0.0.1:9/start
"""
PROCESS = """
[profile asked]
credential_process = {command}
[profile chained]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = asked
"""


def use_profile(monkeypatch: pytest.MonkeyPatch, folder: Path, config: str, profile: str = "asked") -> None:
    """Make AWS's tools use a profile of this configuration and nothing else."""
    (folder / "config").write_text(config)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_PROFILE", profile)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


def test_mfa(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile that needs an MFA code raises an error with the solution, without a prompt."""
    use_profile(monkeypatch, tmp_path, ROLE)
    with pytest.raises(UnauthenticatedError) as raised:
        Account().id()
    assert "this profile needs an MFA code" in str(raised.value)
    assert "aws configure export-credentials" in str(raised.value)
    assert "aws sso login" in str(raised.value)


@pytest.mark.parametrize("profile", ["asked", "chained"])
def test_endless_process(profile: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A `credential_process` that never ends is stopped together with its children, even behind a role."""
    trace = tmp_path / "children"
    script = (
        f"import os, time; child = os.fork(); open({str(trace)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(600)"
    )
    (tmp_path / "endless.py").write_text(script)
    use_profile(monkeypatch, tmp_path, PROCESS.format(command=f"{sys.executable} {tmp_path}/endless.py"), profile)
    monkeypatch.setattr(credential_sources, "PROCESS_SECONDS", 1)
    with pytest.raises(UnauthenticatedError, match="credential_process did not end within 1 seconds"):
        Account().id()
    pids = trace.read_text().split()
    assert pids
    listed = subprocess.run(["ps", "-o", "stat=", "-p", ",".join(pids)], capture_output=True, text=True, check=False)  # noqa: S607 - found by PATH
    assert all(state.startswith("Z") for state in listed.stdout.split())


def test_asking_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A `credential_process` that prompts has no input and no terminal, and fails at once."""
    (tmp_path / "asks.py").write_text("import getpass; input(); getpass.getpass()")
    use_profile(monkeypatch, tmp_path, PROCESS.format(command=f"{sys.executable} {tmp_path}/asks.py"))
    with pytest.raises(UnauthenticatedError, match="custom-process"):
        Account().id()


def test_sso(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An SSO profile without a session raises an error that names `aws sso login`."""
    use_profile(monkeypatch, tmp_path, SSO)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UnauthenticatedError, match="aws sso login"):
        Account().id()


def test_silent_endpoint() -> None:
    """The calls that botocore makes for credentials have time-outs of seconds and few attempts."""
    core: Any = client.open_session()._session  # noqa: SLF001 - boto3 has no public access to it
    config = core.create_client("sts", region_name="us-east-1").meta.config
    assert config.connect_timeout == client.CONNECT_TIMEOUT
    assert (config.read_timeout, config.retries["total_max_attempts"]) == (20, 2)
