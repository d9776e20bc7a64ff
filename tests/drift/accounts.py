"""Accounts to compare with specs, filled directly in moto: thousands of users in a moment."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from moto.iam.models import iam_backends

from iamcreds.emulator.account import ACCOUNT, CREDENTIALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SERVICES = ("codecommit", "keyspaces")
HOUR = timedelta(hours=1)
FULL_NAMES = ("codecommit.amazonaws.com", "cassandra.amazonaws.com")


def names(users: int) -> list[str]:
    """Return that many user names, sorted."""
    return [f"user-{number:05}" for number in range(users)]


def fill(
    users: Iterable[str], services: Iterable[str] = FULL_NAMES, *, access_keys: int = 0, age: timedelta = HOUR
) -> None:
    """Create users in the IAM emulator of this process, each with a credential per service and access keys.

    All users have the given age, because list results may omit resources of recently created users.
    """
    backend = iam_backends[ACCOUNT]["aws"]
    wanted = tuple(services)
    for user in users:
        backend.create_user("us-east-1", user).create_date -= age
        for service in wanted:
            CREDENTIALS.create(user, service)
        for _ in range(access_keys):
            backend.create_access_key(user)


def write_specs(folder: Path, users: Iterable[str], services: Iterable[str] = SERVICES, *, policy: str = "") -> Path:
    """Write specs that declare a credential of each service for each user, and a policy such as `{max: 1}`."""
    folder.mkdir(exist_ok=True)
    credentials = "[" + ", ".join(f"{{service: {service}}}" for service in services) + "]"
    keys = f", accessKeys: {policy}" if policy else ""
    lines = [f"  {user}: {{credentials: {credentials}{keys}}}\n" for user in users]
    (folder / "users.yaml").write_text("users:\n" + "".join(lines))
    return folder


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition was not met in time"
        time.sleep(0.01)
