"""The Automation API of Pulumi: callers see no password unless the output is a secret."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

import pytest
from pulumi import automation, export

from dynamic_providers import ServiceSpecificCredential
from tests.e2e.conftest import contain_any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

SPECS = "users: {{jane: {{credentials: [{{service: codecommit, reset: {reset}}}, {{service: bedrock}}]}}}}"
CONSUMER = """
import pulumi
secrets = pulumi.StackReference("organization/iamcreds/test").require_output("secrets")
pulumi.export("one", secrets.apply(lambda found: found["jane/codecommit"]))
pulumi.export("length", secrets.apply(lambda found: len(found)))
"""


@pytest.fixture
def automated(
    stack: Stack, iam: IAMClient, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> Iterator[automation.Stack]:
    """Select the stack with the Automation API and run `up`; all output is added to `printed`."""
    iam.create_user(UserName="jane")
    stack.write_specs(team=SPECS.format(reset="first"))
    monkeypatch.setattr(os, "environ", os.environ | stack.env)
    chosen = automation.select_stack(
        "test", work_dir=str(stack.folder), opts=automation.LocalWorkspaceOptions(env_vars=stack.env)
    )
    events: list[str] = []
    result = chosen.up(on_output=stack.printed.append, on_event=lambda event: events.append(repr(event.__dict__)))
    stack.printed += [*events, result.stdout, result.stderr, repr(result.summary.__dict__)]
    assert_secret(result.outputs, emulator.controls.secrets())
    yield chosen
    stack.printed += events


def assert_secret(outputs: Mapping[str, automation.OutputValue], issued: list[str]) -> None:
    """Assert that an output is a secret, as a whole, if and only if it contains a password at any depth."""
    assert set(outputs) == {"credentials", "secrets"}
    for name, output in outputs.items():
        assert output.secret is contain_any([json.dumps(output.value)], issued), name


def test_outputs(automated: automation.Stack, stack: Stack, emulator: Emulator) -> None:
    """Outputs are secret at the top level; preview, a reset, refresh and history show no password."""
    first = emulator.controls.passwords()
    assert_secret(automated.outputs(), list(first.values()))
    stack.write_specs(team=SPECS.format(reset="second"))
    preview = automated.preview(diff=True, on_event=lambda event: stack.printed.append(repr(event.__dict__)))
    second = automated.up(diff=True, on_event=lambda event: stack.printed.append(repr(event.__dict__)))
    assert_secret(second.outputs, emulator.controls.secrets())
    refresh = automated.refresh()
    stack.printed += [preview.stdout, preview.stderr, second.stdout, refresh.stdout]
    stack.printed += [repr(summary.__dict__) for summary in automated.history(show_secrets=False)]
    assert emulator.controls.passwords() != first


def test_inline_program(stack: Stack, iam: IAMClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller of an inline program outlives its engine, so this process starts no engine watch."""
    iam.create_user(UserName="jane")
    monkeypatch.setattr(os, "environ", os.environ | stack.env)
    inline = automation.create_stack(
        "inline",
        project_name="iamcreds",
        program=lambda: export("login", declare().service_user_name),
        opts=automation.LocalWorkspaceOptions(env_vars=stack.env, work_dir=str(stack.folder)),
    )
    assert inline.up(on_output=stack.printed.append).outputs["login"].value == "jane-at-123456789012"
    assert [thread.name for thread in threading.enumerate() if thread.name == "engine watch"] == []


def declare() -> ServiceSpecificCredential:
    """Declare jane's password for Git."""
    return ServiceSpecificCredential("jane/codecommit", user="jane", service="codecommit")


def test_readers(automated: automation.Stack, stack: Stack, emulator: Emulator) -> None:
    """`pulumi stack output secrets` and stack references still work; without --show-secrets nothing is printed."""
    passwords = {
        name: emulator.controls.passwords()[found["id"]]
        for name, found in automated.outputs()["credentials"].value.items()
    }
    assert stack.succeed("stack", "output", "secrets").strip() == "[secret]"
    assert stack.read_secrets() == passwords
    stack.write_program(CONSUMER)
    stack.succeed("stack", "init", "consumer")
    consumer = automation.select_stack("consumer", work_dir=str(stack.folder))
    outputs = consumer.up().outputs
    assert (outputs["one"].value, outputs["one"].secret) == (passwords["jane/codecommit"], True)
    assert (outputs["length"].value, outputs["length"].secret) == (2, True)
