"""Previews for tests of `iamcreds plan`: some recorded from the real engine, others written by hand.

The recorded ones come from the real engine on the IAM emulator, without stack traces and paths: see `record.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from iamcreds.cli import main

if TYPE_CHECKING:
    from click.testing import Result


RECORDED = Path(__file__).parent / "recorded"
CREDENTIAL = "pulumi-python:dynamic/iam:ServiceSpecificCredential"
UNMANAGED = "pulumi-python:dynamic/iam:UnmanagedCredentials"
ACCESS_KEYS = "pulumi-python:dynamic/iam:AccessKeys"
PLAINTEXT = "Hunter2+SecretSecretSecret/Secret="


def run_plan(*arguments: str, given: str | bytes | None = None) -> Result:
    """Run `iamcreds plan`."""
    return CliRunner().invoke(main, ["plan", *arguments], input=given)


def run_recorded(name: str, *arguments: str) -> Result:
    """Run `iamcreds plan` on a recorded preview."""
    return run_plan(str(RECORDED / f"{name}.json"), *arguments)


def load_recorded(name: str) -> dict[str, Any]:
    """Return a recorded preview, which the caller may change."""
    return dict(json.loads((RECORDED / f"{name}.json").read_text()))


def make_preview(*steps: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a preview of these steps."""
    return json.dumps({"config": {}, "steps": steps, "changeSummary": {}} | more)


def make_step(op: str, name: str, type_: str = CREDENTIAL, **sides: dict[str, Any]) -> dict[str, Any]:
    """Return a step; `old` and `new` are inputs, and recorded outputs equal the inputs."""
    urn = f"urn:pulumi:test::iamcreds::{type_}::{name}"
    states = {
        f"{side}State": {"urn": urn, "type": type_, "inputs": inputs, "outputs": inputs}
        for side, inputs in sides.items()
    }
    return {"op": op, "urn": urn, **states}


def make_deletions(deleted: int, kept: int) -> str:
    """Return a preview that deletes some of a stack's credentials."""
    inputs = {"user": "jane", "service": "logs.amazonaws.com"}
    gone = [make_step("delete", f"gone-{number}", old=inputs) for number in range(deleted)]
    return make_preview(*gone, *(make_step("same", f"kept-{number}", old=inputs, new=inputs) for number in range(kept)))
