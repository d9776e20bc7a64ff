"""Two credentials with one resource name, below parents of different types: nothing selects one of them silently."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.existing import JANE

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

PROGRAM = """
import pulumi
from dynamic_providers import ServiceSpecificCredential

red, blue = (pulumi.ComponentResource(f"team:index:{{color}}", "team") for color in ("Red", "Blue"))
ServiceSpecificCredential(
    "x", user="jane", service="codecommit", declared={declared}, opts=pulumi.ResourceOptions(parent=red)
)
ServiceSpecificCredential(
    {name!r}, user={user!r}, service="codecommit", declared={declared},
    opts=pulumi.ResourceOptions(parent=blue, aliases={aliases}),
)
"""
ALIAS = '[pulumi.Alias(name="x")]'


@pytest.fixture(params=["jane", "joe"])
def user(request: pytest.FixtureRequest, iam: IAMClient) -> str:
    """Return the user of the second credential; the first one is of jane."""
    for name in ("jane", "joe"):
        iam.create_user(UserName=name)
    return str(request.param)


@pytest.fixture
def twins(stack: Stack, user: str) -> Stack:
    """Create a stack whose state has two credentials with the name x, as an earlier version could record them."""
    stack.write_program(write_program(user, "y", "[]"))
    stack.up()
    state = stack.folder / "state.json"
    stack.succeed("stack", "export", "--file", str(state))
    state.write_text(state.read_text().replace("::y", "::x"))
    stack.succeed("stack", "import", "--file", str(state))
    return stack


def write_program(user: str, name: str, aliases: str) -> str:
    """Write a program with a credential x of jane and one of this user and name."""
    return PROGRAM.format(user=user, name=name, aliases=aliases, declared=1 + (user == "jane"))


def read_urns(stack: Stack) -> dict[str, str]:
    """Read the ids of the credentials in the state, by URN."""
    state = json.loads(stack.succeed("stack", "export"))
    return {found["urn"]: found["id"] for found in state["deployment"]["resources"] if "dynamic" in found["type"]}


def run_iamcreds(stack: Stack, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run `iamcreds` without keeping its output."""
    return subprocess.run(
        ["iamcreds", *arguments],  # noqa: S607 - found by the PATH of the stack
        cwd=stack.folder, env=stack.env, input=given, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def test_preview(stack: Stack, user: str) -> None:
    """A program with such credentials fails in a preview, and the error names the resource and the solution."""
    stack.write_program(write_program(user, "x", "[]"))
    printed = stack.fail("preview")
    assert "the program declares two credentials with the resource name 'x'" in printed
    assert "`aliases=[pulumi.Alias(name='x')]`" in printed


def test_way_out(twins: Stack, user: str, emulator: Emulator) -> None:
    """A different name with an alias keeps both credentials that an earlier version has recorded."""
    before = sorted(read_urns(twins).values())
    twins.write_program(write_program(user, "y", ALIAS))
    emulator.controls.clear_counts()
    twins.preview()
    twins.up()
    twins.assert_no_changes()
    assert sorted(read_urns(twins).values()) == before
    assert all(call.startswith(("iam:Get", "iam:List", "sts:")) for call in emulator.controls.calls())
    assert set(twins.read_resources()) == {"x", "y"}


def test_secret(twins: Stack, emulator: Emulator) -> None:
    """The name prints no secret, only both URNs, and each URN prints the secret of its credential."""
    urns = read_urns(twins)
    for options in ((), ("--as", "git-credential")):
        done = run_iamcreds(twins, "secret", "x", *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert "the stack has 2 credentials named 'x'" in done.stderr
        assert all(urn in done.stderr for urn in urns)
    for urn, credential_id in urns.items():
        assert emulator.controls.passwords()[credential_id] in run_iamcreds(twins, "secret", urn).stdout


def test_drift(twins: Stack) -> None:
    """`iamcreds drift --state` fails with both URNs, because it compares specs and state by name."""
    twins.write_specs(jane=JANE)
    done = run_iamcreds(twins, "drift", "specs", "--state", "-", given=twins.succeed("stack", "export"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "the state has 2 credentials named 'x'" in done.stderr
    assert all(urn in done.stderr for urn in read_urns(twins))
