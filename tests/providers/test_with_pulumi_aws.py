"""The documented program with a `pulumi_aws.iam.User`, tested with Pulumi's mocks because its plugin is missing."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest

from dynamic_providers import ServiceSpecificCredential
from tests.e2e.stack import ROOT


class Mocks(pulumi.runtime.Mocks):
    """Mocks that respond like the engine and record the registrations."""

    def __init__(self) -> None:
        self.registered: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create every resource with its inputs as outputs."""
        self.registered[args.name] = dict(args.inputs)
        outputs = {"outputs": {"jane": "jane"}} if args.typ == "pulumi:pulumi:StackReference" else {}
        return f"{args.name}-id", dict(args.inputs) | outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Return nothing for a function."""
        del args
        return {}, None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_documented_program() -> None:
    """A user that pulumi-aws creates in the same program is the user of the credentials."""
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)
    run = pulumi.runtime.test(lambda: exec(compile(program(), "own-program.md", "exec"), {}))  # type: ignore[no-untyped-call]  # noqa: S102 - our own document
    run()
    assert mocks.registered["jane"]["name"] == "jane"
    for name, service in (("jane-git", "codecommit"), ("vault", "cassandra.amazonaws.com")):
        credential = mocks.registered[name]
        assert (credential["user"], credential["service"]) == ("jane", service)
        assert credential["run"]["created_users"] == ["jane"]


def test_user_of_a_different_stack() -> None:
    """An output of a stack reference, or of no resource, is not a user that the program creates."""
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)

    def declare() -> None:
        reference = pulumi.StackReference("organization/users/prod")
        for name, user in (("a", reference.get_output("jane")), ("b", pulumi.Output.from_input("jane"))):
            ServiceSpecificCredential(name, user=user, service="codecommit")

    pulumi.runtime.test(declare)()  # type: ignore[no-untyped-call]
    assert [mocks.registered[name]["run"]["created_users"] for name in ("a", "b")] == [[], []]


def program() -> str:
    """Return the documented Python program, whose second part uses the user of the first one."""
    blocks: list[str] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/own-program.md").read_text(), re.DOTALL)
    return "\n".join(blocks)
