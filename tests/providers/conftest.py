"""Providers as the engine has them, called without the engine."""

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
    """A configured provider in a process that has seen nothing yet, and that no engine has started."""
    del signed_in  # only has to be there
    monkeypatch.setattr("sys.argv", ["provider"])
    return new_process()


def new_process() -> ServiceSpecificCredentialProvider:
    """A configured provider in another process, as the next run or phase has it."""
    process._account.cache_clear()  # noqa: SLF001 - a new process is what is meant
    process._session.cache_clear()  # noqa: SLF001 - same
    read_approval.cache_clear()
    process._reported.clear()  # noqa: SLF001 - same
    process._warned.clear()  # noqa: SLF001 - same
    made = ServiceSpecificCredentialProvider()
    made.configure(ConfigureRequest(Config({}, "iamcreds")))
    return made
