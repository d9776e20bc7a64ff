"""Plans of whole groups in the real engine: previews and updates agree by resource name and id."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.existing import list_credentials

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

UNMANAGED = "ACCAUNMANAGED00000000"
CODECOMMIT = "codecommit.amazonaws.com"
UP = ("up", "--yes", "--skip-preview", "--continue-on-error")
IMPORTS = "import pulumi\nfrom dynamic_providers import ServiceSpecificCredential\n"
TWO_KEYS = """
for name, days in {{"a": {days}, "b": 30}}.items():
    options = pulumi.ResourceOptions({options}) if name == "a" else None
    ServiceSpecificCredential(name, user="jane", service="bedrock", age_days=days, declared=2, opts=options)
"""
TRANSFORMATION = """
def move(args):
    if args.name == "moved":
        return pulumi.ResourceTransformationResult({**args.props, "user": "jane"}, args.opts)

pulumi.runtime.register_stack_transformation(move)
ServiceSpecificCredential("moved", user="bob", service="codecommit", existing="adopt")
ServiceSpecificCredential("janes", user="jane", service="codecommit", existing="adopt")
"""


def find_changes(emulator: Emulator) -> dict[str, int]:
    """Find the calls since the last `clear_counts` that change anything."""
    counts = emulator.controls.counts().items()
    return {name: count for name, count in counts if "ServiceSpecificCredential" in name and ":List" not in name}


def test_two_adopters(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If two resources adopt, previews and the update give the unmanaged credential to the same one."""
    iam.create_user(UserName="jane")
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    credentials = "[{service: codecommit, name: laptop}, {service: codecommit}]"
    stack.write_specs(jane=f"defaults: {{existing: adopt}}\nusers: {{jane: {{credentials: {credentials}}}}}")
    for _ in range(3):
        shown = stack.preview()
        assert re.findall(r'jane/codecommit(?:/laptop)?::|adopts: "(\w+)"', shown).count(UNMANAGED) == 1
        (adopter,) = re.findall(r"ServiceSpecificCredential::(\S+?)\][^+]*adopts", shown)
        assert adopter == "jane/codecommit"
    stack.up()
    assert stack.read_resources()["jane/codecommit"]["id"] == UNMANAGED
    stack.assert_no_changes()


def test_leftover(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """An Inactive leftover goes to the declared Inactive credential, and the other one is created Active."""
    iam.create_user(UserName="jane")
    emulator.controls.put_credential(UNMANAGED, "jane", "cassandra.amazonaws.com", status="Inactive")
    credentials = "[{service: keyspaces, name: one}, {service: keyspaces, name: two, status: Inactive}]"
    stack.write_specs(jane=f"defaults: {{existing: adopt}}\nusers: {{jane: {{credentials: {credentials}}}}}")
    stack.up()
    resources = stack.read_resources()
    assert resources["jane/keyspaces/two"]["id"] == UNMANAGED
    statuses = {found["ServiceSpecificCredentialId"]: found["Status"] for found in list_credentials(iam, "jane")}
    assert statuses == {UNMANAGED: "Inactive", resources["jane/keyspaces/one"]["id"]: "Active"}


def test_adopted_without_status(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A credential that is adopted without a declared status is Active afterwards, and the preview shows it."""
    iam.create_user(UserName="jane")
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT, status="Inactive")
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit, existing: adopt}]}}")
    assert 'adopts_status: "Inactive"' in stack.preview()
    stack.up()
    assert [found["Status"] for found in list_credentials(iam, "jane")] == ["Active"]
    stack.assert_no_changes()


@pytest.mark.parametrize(
    ("options", "command"),
    [("retain_on_delete=True", ()), ("delete_before_replace=False", ()), ("delete_before_replace=False", ("replace",))],
)
def test_replacement_without_a_slot(
    stack: Stack, iam: IAMClient, emulator: Emulator, options: str, command: tuple[str, ...]
) -> None:
    """With both slots used, a replacement that frees none is rejected by preview and update; nothing is changed."""
    iam.create_user(UserName="jane")
    stack.write_program(IMPORTS + TWO_KEYS.format(days=30, options=options))
    stack.up()
    resources = stack.read_resources()
    stack.write_program(IMPORTS + TWO_KEYS.format(days=30 if command else 60, options=options))
    emulator.controls.clear_counts()
    replaced = ("--replace", resources["a"]["urn"]) if command else ()
    for run in (("preview",), UP):
        assert "quota exceeded: IAM allows two bedrock credentials per user" in stack.fail(*run, *replaced)
    assert find_changes(emulator) == {}
    assert {name: found["id"] for name, found in stack.read_resources().items()} == {
        name: found["id"] for name, found in resources.items()
    }


def test_transformed_user(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A resource that a transformation moves to a different user does not adopt the credential of a sibling."""
    for user in ("jane", "bob"):
        iam.create_user(UserName=user)
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT)
    stack.write_program(IMPORTS + TRANSFORMATION)
    assert "a transformation changed this resource" in stack.fail("preview")
    assert "a transformation changed this resource" in stack.fail(*UP)
    resources = stack.read_resources()
    assert {name: found["id"] for name, found in resources.items()} == {"janes": UNMANAGED}
