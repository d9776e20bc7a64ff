"""Plan and drift read the deliveries of a real stack: its preview, its state and the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest

from iamcreds.cli import main

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

REGION = "eu-west-1"
PLAIN = "users: {jane: {credentials: [{service: codecommit}]}}"
DELIVERED = """users:
  jane:
    credentials:
      - {service: codecommit, deliver: {secretsManager: {name: "{service}/{user}", region: eu-west-1}}}
"""


def test_added_and_lost(stack: Stack, iam: IAMClient, signed_in: Emulator, capfd: pytest.CaptureFixture[str]) -> None:
    """The plan of an added `deliver` shows the delivery, and drift finds its secret, until someone deletes it."""
    signed_in.controls.set(clock_shift=-3_600)
    iam.create_user(UserName="jane")
    stack.write_specs(jane=PLAIN)
    stack.up()
    stack.write_specs(jane=DELIVERED)
    preview = stack.folder / "preview.json"
    preview.write_text(stack.succeed("preview", "--json"))
    main(["plan", str(preview)], standalone_mode=False)
    planned = capfd.readouterr().out
    assert "1 to update (1 delivered); the stack has 1 credential." in planned
    note = "deliver | delivers to `secrets_manager`; then the state no longer has the password"
    assert f"| `jane/codecommit` | `codecommit.amazonaws.com` | {note} |" in planned
    assert '+   delivers: "codecommit/jane"' in planned
    stack.up()
    stack.assert_no_changes()
    signed_in.controls.set(clock_shift=0)
    state = stack.folder / "state.json"
    state.write_text(stack.succeed("stack", "export"))
    words = ["drift", str(stack.folder / "specs"), "--state", str(state), "--format", "json"]
    main(words, standalone_mode=False)
    assert json.loads(capfd.readouterr().out)["clean"]
    boto3.client("secretsmanager", region_name=REGION).delete_secret(
        SecretId="codecommit/jane", ForceDeleteWithoutRecovery=True
    )
    with pytest.raises(SystemExit, match=r"\A2\Z"):
        main(words)
    (account,) = json.loads(capfd.readouterr().out)["accounts"]
    (found,) = account["differences"]
    assert (found["rule"], found["live"][0]["delivery"]["arn"].count("codecommit/jane")) == ("delivery-lost", 1)
