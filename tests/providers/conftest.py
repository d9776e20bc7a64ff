"""Providers in the form that the engine uses, called without the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from iamcreds.pulumi_engine import provider as process
from iamcreds.pulumi_engine.approved_plan import read_approval
from tests.aws.conftest import iam

if TYPE_CHECKING:
    from iamcreds.emulator.server import Emulator

__all__ = ["iam"]


@pytest.fixture
def provider(signed_in: Emulator, monkeypatch: pytest.MonkeyPatch) -> ServiceSpecificCredentialProvider:
    """Return a configured provider in a new process that no engine started."""
    del signed_in  # is required to exist
    monkeypatch.setattr("sys.argv", ["provider"])
    return new_process()


def new_process() -> ServiceSpecificCredentialProvider:
    """Return a configured provider in a new process, as in the next run or operation."""
    process._account.cache_clear()  # noqa: SLF001 - a new process is simulated
    process._session.cache_clear()  # noqa: SLF001 - same
    read_approval.cache_clear()
    process._reported.clear()  # noqa: SLF001 - same
    process._warned.clear()  # noqa: SLF001 - same
    made = ServiceSpecificCredentialProvider()
    made.configure(ConfigureRequest(Config({}, "iamcreds")))
    return made
