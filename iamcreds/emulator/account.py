"""The state of the emulated account: one for the process, as moto's is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.core.base_backend import BackendDict

from iamcreds.emulator.credential_report import Reports
from iamcreds.emulator.faults.switches import Switches
from iamcreds.emulator.models import Credentials
from iamcreds.emulator.stores.records import Records

if TYPE_CHECKING:
    from iamcreds.emulator.faults.settings import Settings
    from iamcreds.emulator.stores.parameters import Parameter
    from iamcreds.emulator.stores.secrets import Secret

ACCOUNT = "123456789012"
"""moto's account."""

# moto keeps its users in module globals, so the data of these users has the same lifetime.
SWITCHES = Switches()
CREDENTIALS = Credentials(ACCOUNT, SWITCHES.now)
REPORTS = Reports(ACCOUNT, SWITCHES.now)
SECRETS: Records[Secret] = Records(SWITCHES.now)
PARAMETERS: Records[Parameter] = Records(SWITCHES.now)


def reset(settings: Settings | None = None) -> None:
    """Empty the account, with moto's data, and apply the settings (default: `Settings()`)."""
    BackendDict.reset()
    CREDENTIALS.clear()
    REPORTS.clear()
    SECRETS.clear()
    PARAMETERS.clear()
    SWITCHES.reset(settings)
