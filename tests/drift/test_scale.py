"""The cost of a drift run in calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.drift.accounts import fill, names, write_specs

if TYPE_CHECKING:
    from iamcreds.emulator.server import Emulator
    from tests.drift.conftest import Drifting

LATENCY = 0.05


def test_five_thousand(drifting: Drifting, emulator: Emulator) -> None:
    """5,000 credentials of 2,500 watched users and two services at 50 ms a call: 11 calls to IAM."""
    fill(names(2_500), access_keys=1)
    write_specs(drifting.specs, names(2_500), policy="{max: 1, maxAgeDays: 90, maxIdleDays: 30}")
    emulator.controls.set(latency=LATENCY)
    ran = drifting.json()
    assert (ran.code, ran.account["live"]) == (0, {"users": 2_500, "credentials": 5_000})
    assert emulator.controls.counts() == {
        "iam:GenerateCredentialReport": 2,
        "iam:GetCredentialReport": 1,
        "iam:ListServiceSpecificCredentials": 5,
        "iam:ListUsers": 3,
        "sts:GetCallerIdentity": 1,
    }


def test_pages(drifting: Drifting, emulator: Emulator) -> None:
    """Calls grow with pages, not with users: 100 credentials of 50 users in pages of 20 are 8 calls."""
    fill(names(50))
    write_specs(drifting.specs, names(50))
    emulator.controls.set(page_limit=20)
    assert drifting.run().code == 0
    assert emulator.controls.counts() == {
        "iam:ListServiceSpecificCredentials": 5,
        "iam:ListUsers": 3,
        "sts:GetCallerIdentity": 1,
    }


def test_drift_costs_its_own(drifting: Drifting, emulator: Emulator) -> None:
    """Each user with a missing credential costs one more call, and an unmanaged credential costs none."""
    fill(names(50))
    fill(["undeclared"])
    fill(["missing-1", "missing-2"], [])
    write_specs(drifting.specs, [*names(49), "missing-1", "missing-2", "nobody"])
    assert len(drifting.json().found) == 2 + 2 + 2 + 2 + 1
    assert emulator.controls.counts() == {
        "iam:GetUser": 1,
        "iam:ListServiceSpecificCredentials": 1 + 2,
        "iam:ListUsers": 1,
        "sts:GetCallerIdentity": 1,
    }
