"""The shown and masked properties in a plan, compared with the properties of the resource."""

from __future__ import annotations

from datetime import UTC, datetime

from iamcreds.model import Credential, Status
from iamcreds.pull_request import preview, properties
from iamcreds.pulumi_engine.inputs import INPUTS
from iamcreds.pulumi_engine.outputs import SECRETS, record_existing
from iamcreds.services import Family

DECIDED_IN_A_PREVIEW = {"adopts", "adopts_status", "refused", "rotates", "retires", "delivers"}
"""Inputs that the provider adds in `check`."""


def test_every_input_is_shown_or_left_out() -> None:
    """Each input of the resource is in exactly one of two lists: shown or left out."""
    known = set(INPUTS) - preview.SECRETS | DECIDED_IN_A_PREVIEW
    assert known <= {*properties.SHOWN, *properties.LEFT_OUT}
    assert {*properties.SHOWN, *properties.LEFT_OUT - {"__provider"}} <= known
    assert not set(properties.SHOWN) & properties.LEFT_OUT


def test_every_secret_is_masked() -> None:
    """Every secret of the resource is masked wherever a preview has it, and none is shown."""
    assert set(SECRETS) <= preview.SECRETS
    assert not preview.SECRETS & {*properties.SHOWN, *properties.LIVE_SHOWN}


def test_what_is_shown_exists() -> None:
    """The shown properties of an unmanaged credential are properties that the state records."""
    born = datetime(2026, 11, 1, tzinfo=UTC)
    existing = Credential("ACCA1", "jane", "logs.amazonaws.com", Status.ACTIVE, born, Family.API_KEY, "jane", born)
    assert set(properties.LIVE_SHOWN) <= record_existing(existing).keys()
