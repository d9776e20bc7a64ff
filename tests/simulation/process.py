"""A provider process: the real provider and the real account, on the history's clock, locks and wire."""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast
from unittest import mock

from pulumi.dynamic import Config, ConfigureRequest

from dynamic_providers import service_specific_credential, unmanaged_credentials
from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from dynamic_providers.unmanaged_credentials import UnmanagedCredentialsProvider
from iamcreds.aws import Account, create_journal, inventory, threads, users
from iamcreds.aws import account as account_module
from iamcreds.emulator import models
from iamcreds.pulumi_engine import apply, check, group_facts
from iamcreds.pulumi_engine import session as provider_session
from iamcreds.pulumi_engine.handover import Handover
from iamcreds.pulumi_engine.session import Session as ProviderSession
from tests.simulation.clock import current_run
from tests.simulation.locks import Lock
from tests.simulation.machine import Notes
from tests.simulation.state import Kind
from tests.simulation.wire import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import boto3
    from pulumi.dynamic import ResourceProvider

    from tests.simulation.engine import Run


_LOCKING = (account_module, inventory, users, create_journal, provider_session, models)
"""The modules that make locks."""


class Provider(ServiceSpecificCredentialProvider):
    """The real one; only its account is this process's and not the only one of a whole Python."""

    account: Account = cast("Account", None)  # the class's own are properties; these are set in every process
    session: ProviderSession = cast("ProviderSession", None)


class UnmanagedProvider(UnmanagedCredentialsProvider):
    """The real one, with the same account and session."""

    account: Account = cast("Account", None)
    session: ProviderSession = cast("ProviderSession", None)


def new_process(run: Run) -> Mapping[Kind, ResourceProvider]:
    """The providers of a new process, which remember nothing."""

    def now() -> datetime:
        return run.clock.now() + timedelta(seconds=run.world.conditions.skew)

    account = Account(cast("boto3.Session", Session(run)), now=now, sleep=run.clock.sleep, warn=warn)
    shared = ProviderSession(_Handover(run.handed_over))
    providers: dict[Kind, Provider | UnmanagedProvider] = {
        Kind.CREDENTIAL: Provider(),
        Kind.UNMANAGED: UnmanagedProvider(),
    }
    for provider in providers.values():
        provider.account, provider.session = account, shared
        provider.configure(ConfigureRequest(Config({"project:now": now().isoformat()}, "project")))
    return providers


def is_reported_first(error: Exception) -> bool:
    """What a process remembers of the failures that it has told."""
    run = current_run()
    is_first = type(error) not in run.told
    run.told.add(type(error))
    return is_first


def warn(message: str) -> None:
    """What stands where the provider tells the engine of a warning."""
    current_run().warnings.append(message)


@contextlib.contextmanager
def stage() -> Iterator[None]:
    """The product's locks, threads and warnings, and the emulator's dice, become the simulation's."""
    numbers = count(1)
    locks = SimpleNamespace(**{**vars(threading), "Lock": Lock, "RLock": Lock})
    changes: list[tuple[Any, str, Any]] = [
        *((module, "threading", locks) for module in _LOCKING),
        (create_journal, "process_id", lambda: f"run {current_run().number}-"),
        (account_module, "Notes", Notes),
        (threads, "ThreadPoolExecutor", _InTurn),
        (service_specific_credential, "warn", warn),
        (unmanaged_credentials, "warn", warn),
        (apply, "warn", warn),
        (group_facts, "warn", warn),
        (check, "warn", warn),
        (service_specific_credential, "is_reported_first", is_reported_first),
        (models, "_new_id", lambda: f"ACCA{next(numbers):017d}"),
        (models, "_new_secret", lambda _service: ""),
    ]
    with contextlib.ExitStack() as stack:
        for module, name, value in changes:
            stack.enter_context(mock.patch.object(module, name, value))
        yield


class _Handover(Handover):
    """What the processes of a phase tell each other, on no disk."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(None, "")
        self._ids = ids

    def leave(self, credential_id: str) -> None:
        self._ids.append(credential_id)

    def take(self) -> list[str]:
        return self._ids


class _InTurn:
    """A pool of threads that does one thing after another."""

    def __init__(self, **_: object) -> None:
        self.map = map

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
