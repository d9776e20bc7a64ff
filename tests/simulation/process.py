"""A provider process: the real provider and account, with the clock, locks and wire of the history."""

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
from iamcreds.pulumi_engine.provider import DECLARED_FOR
from iamcreds.pulumi_engine.session import Session as ProviderSession
from iamcreds.pulumi_engine.successors import plan_credentials
from tests.simulation.clock import current_run
from tests.simulation.locks import Lock
from tests.simulation.machine import Notes
from tests.simulation.state import Kind
from tests.simulation.wire import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    import boto3
    from pulumi.dynamic import ResourceProvider

    from iamcreds.desired import DesiredCredential
    from iamcreds.planning.slot_plan import SlotPlan
    from iamcreds.pulumi_engine.stack_state import StackState
    from tests.simulation.engine import Run
    from tests.simulation.program import Program


_LOCKING = (account_module, inventory, users, create_journal, provider_session, models)
"""The modules that create locks."""


class Provider(ServiceSpecificCredentialProvider):
    """The real provider, with an account for each simulated process instead of one for the Python process."""

    account: Account = cast("Account", None)  # a property in the class; set for each process here
    session: ProviderSession = cast("ProviderSession", None)


class UnmanagedProvider(UnmanagedCredentialsProvider):
    """The real provider, with the same account and session."""

    account: Account = cast("Account", None)
    session: ProviderSession = cast("ProviderSession", None)


def new_process(run: Run) -> Mapping[Kind, ResourceProvider]:
    """Return the providers of a new process, which has no memory of earlier ones."""
    account = _new_account(run)
    shared = ProviderSession(_Handover(run.handed_over))
    providers: dict[Kind, Provider | UnmanagedProvider] = {
        Kind.CREDENTIAL: Provider(),
        Kind.UNMANAGED: UnmanagedProvider(),
    }
    for provider in providers.values():
        provider.account, provider.session = account, shared
        provider.configure(ConfigureRequest(Config({"project:now": _local_time(run).isoformat()}, "project")))
    return providers


def plan_slots(
    run: Run, planned: Sequence[DesiredCredential], state: StackState, program: Program
) -> Mapping[str, SlotPlan]:
    """Return the plans of credentials with successors, as the program's own process makes them."""
    account = _new_account(run)
    account.require_account(program.account or state.account, DECLARED_FOR)
    return plan_credentials(account, planned, state, account.clock.now(), warn, max_rotations=program.max_rotations)


def _new_account(run: Run) -> Account:
    session = cast("boto3.Session", Session(run))
    return Account(session, now=lambda: _local_time(run), sleep=run.clock.sleep, warn=warn)


def _local_time(run: Run) -> datetime:
    return run.clock.now() + timedelta(seconds=run.world.conditions.skew)


def is_reported_first(error: Exception) -> bool:
    """Return True for the first failure of its type, and remember it."""
    run = current_run()
    is_first = type(error) not in run.told
    run.told.add(type(error))
    return is_first


def warn(message: str) -> None:
    """Record a warning that the provider sends to the engine."""
    current_run().warnings.append(message)


@contextlib.contextmanager
def stage() -> Iterator[None]:
    """Replace the product's locks, threads and warnings, and the emulator's random values."""
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
    """A handover between the processes of an operation without files."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(None, "")
        self._ids = ids

    def leave(self, credential_id: str) -> None:
        self._ids.append(credential_id)

    def take(self) -> list[str]:
        return self._ids


class _InTurn:
    """A thread pool that processes one item after another."""

    def __init__(self, **_: object) -> None:
        self.map = map

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
