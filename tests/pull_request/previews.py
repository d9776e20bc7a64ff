"""Previews to run `iamcreds plan` on: recorded from the real engine, and made by hand.

The recorded ones are from the real engine on the embedded IAM, without stack traces and paths: see `record.py`.
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
    """Run it on a recorded preview."""
    return run_plan(str(RECORDED / f"{name}.json"), *arguments)


def load_recorded(name: str) -> dict[str, Any]:
    """A recorded preview, to be changed."""
    return dict(json.loads((RECORDED / f"{name}.json").read_text()))


def make_preview(*steps: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 - any JSON
    """A preview of these steps."""
    return json.dumps({"config": {}, "steps": steps, "changeSummary": {}} | more)


def make_step(op: str, name: str, type_: str = CREDENTIAL, **sides: dict[str, Any]) -> dict[str, Any]:
    """A step; `old` and `new` are inputs, and what is live is the same as the old inputs."""
    urn = f"urn:pulumi:test::iamcreds::{type_}::{name}"
    states = {
        f"{side}State": {"urn": urn, "type": type_, "inputs": inputs, "outputs": inputs}
        for side, inputs in sides.items()
    }
    return {"op": op, "urn": urn, **states}


def make_deletions(deleted: int, kept: int) -> str:
    """A preview that deletes some of a stack's credentials."""
    inputs = {"user": "jane", "service": "logs.amazonaws.com"}
    gone = [make_step("delete", f"gone-{number}", old=inputs) for number in range(deleted)]
    return make_preview(*gone, *(make_step("same", f"kept-{number}", old=inputs, new=inputs) for number in range(kept)))
