"""`rotating_credential()` in a program of its own, through the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.existing import list_credentials
from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

PROGRAM = (ROOT / "tests/e2e/programs/rotating_credential.py").read_text()
WRITES = {f"iam:{verb}ServiceSpecificCredential" for verb in ("Create", "Reset", "Update", "Delete")}


def pass_days(emulator: Emulator, days: float) -> None:
    """Set the account's clock to that many days after the start."""
    emulator.controls.set(clock_shift=days * 86_400)


def list_statuses(iam: IAMClient) -> dict[str, str]:
    """Return the statuses of jane's credentials by id, oldest first."""
    credentials = sorted(list_credentials(iam, "jane"), key=lambda each: each["CreateDate"])
    return {each["ServiceSpecificCredentialId"]: each["Status"] for each in credentials}


def assert_no_writes(stack: Stack, emulator: Emulator) -> None:
    """Run `pulumi up` again, which must not change anything in AWS."""
    emulator.controls.clear_counts()
    stack.up()
    assert not WRITES & emulator.controls.counts().keys()


def test_rotations(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A consumer in the same program gets each new password in the same `up`; the previous one works until its end."""
    iam.create_user(UserName="jane")
    stack.write_program(PROGRAM)
    stack.preview()
    stack.up()
    (first,) = list_statuses(iam)
    assert stack.read_outputs()["id"] == first
    assert stack.read_outputs().get("previous") is None
    password = stack.read_secrets()["password"]
    assert password == emulator.controls.passwords()[first]
    pass_days(emulator, 91)
    assert "rotates" in stack.preview()
    stack.up()
    _, second = list_statuses(iam)
    assert list_statuses(iam) == {first: "Active", second: "Active"}
    assert emulator.controls.passwords()[first] == password, "the previous password works"
    consumer = stack.read_secrets()
    assert consumer == {"login": "jane+1-at-123456789012", "password": emulator.controls.passwords()[second]}
    outputs = stack.read_outputs()
    assert (outputs["id"], outputs["previous"]["id"]) == (second, first)
    assert outputs["previous"]["user_name"] == "jane-at-123456789012"
    assert_no_writes(stack, emulator)
    pass_days(emulator, 99)
    stack.up()
    assert list_statuses(iam) == {first: "Inactive", second: "Active"}
    assert stack.read_outputs().get("previous") is None
    pass_days(emulator, 182)
    stack.up()
    assert list_statuses(iam) == {first: "Active", second: "Active"}
    assert stack.read_outputs()["id"] == first
    assert stack.read_secrets() == {
        "login": "jane-at-123456789012",
        "password": emulator.controls.passwords()[first],
    }
    assert_no_writes(stack, emulator)
    stack.write_program("")
    stack.up()
    assert list_statuses(iam) == {}


def run_narrowly(stack: Stack, resource: str) -> str:
    """Run an update of one resource only, and return the output `id`."""
    stack.succeed("up", "--yes", "--skip-preview", "--target", f"**::{resource}")
    return str(stack.read_outputs()["id"])


def fail_rotation(stack: Stack, emulator: Emulator, operation: str) -> str:
    """Run an update that fails because AWS denies an operation, and return the output `id`."""
    emulator.controls.deny(operation)
    assert "AccessDenied" in stack.fail("up", "--yes", "--skip-preview", "--continue-on-error")
    emulator.controls.clear_faults()
    return str(stack.read_outputs()["id"])


def test_interrupted_create(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """If `--target` leaves out the first rotation, or it fails, outputs and consumer keep the current password."""
    iam.create_user(UserName="jane")
    stack.write_program(PROGRAM)
    stack.up()
    (first,) = list_statuses(iam)
    consumer = stack.read_secrets()
    pass_days(emulator, 91)
    assert run_narrowly(stack, "consumer") == first
    assert fail_rotation(stack, emulator, "iam:CreateServiceSpecificCredential") == first
    assert stack.read_secrets() == consumer
    stack.up()
    assert stack.read_outputs()["previous"]["id"] == first


def test_interrupted_reset(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The same applies to a later rotation, which resets the retired credential."""
    iam.create_user(UserName="jane")
    stack.write_program(PROGRAM)
    for days in (0, 91, 99):
        pass_days(emulator, days)
        stack.up()
    first, second = list_statuses(iam)
    consumer = stack.read_secrets()
    pass_days(emulator, 182)
    assert run_narrowly(stack, "consumer") == second
    assert fail_rotation(stack, emulator, "iam:ResetServiceSpecificCredential") == second
    assert stack.read_secrets() == consumer
    assert list_statuses(iam) == {first: "Inactive", second: "Active"}
    stack.up()
    assert stack.read_outputs()["id"] == first


CLASS = """from dynamic_providers import ServiceSpecificCredential
ServiceSpecificCredential({name!r}, user="jane", service="keyspaces")
"""
FUNCTION = """import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
from dynamic_providers import rotating_credential

class UserProvider(ResourceProvider):
    def create(self, props):
        return CreateResult("jane", props)

class User(Resource):
    def __init__(self, name):
        super().__init__(UserProvider(), name, {"name": name, "arn": None})

user = User("jane").name
git = rotating_credential("git", user=user, service="codecommit", trigger="a", overlap="7d")
vault = rotating_credential("vault", user=user, service="keyspaces", every="90d", overlap="7d")
pulumi.export("id", vault.credential_id)
"""


def test_class_and_function(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The function keeps the class's credential, and a change back that would delete the current one is rejected."""
    iam.create_user(UserName="jane")
    stack.write_program(CLASS.format(name="vault"))
    stack.up()
    (first,) = list_statuses(iam)
    password = emulator.controls.passwords()[first]
    stack.write_program(FUNCTION)
    stack.preview()
    stack.up()
    assert emulator.controls.passwords()[first] == password
    emulator.controls.clear_counts()
    stack.assert_no_changes()
    counts = emulator.controls.counts()
    names = ("iam:ListServiceSpecificCredentials", "sts:GetCallerIdentity")
    assert [counts[name] for name in names] == [2, 2], "one of the provider and one of the program"
    pass_days(emulator, 91)
    stack.up()
    second = stack.read_outputs()["id"]
    assert second != first
    stack.write_program(CLASS.format(name="vault"))
    rejection = f"the current password or key of 'vault' is {second} in resource 'vault~2', which this program would"
    assert rejection in stack.fail("preview")
    assert rejection in stack.fail("up", "--yes", "--skip-preview")
    stack.write_program(CLASS.format(name="vault~2"))
    stack.up()
    assert list_statuses(iam) == {second: "Active"}
    stack.assert_no_changes()


def test_errors(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Invalid arguments and errors of AWS in the program end the run without a traceback."""
    iam.create_user(UserName="jane")
    stack.write_program(PROGRAM.replace('overlap="7d"', 'overlap="80d"'))
    assert "rotating_credential vault: overlap: 80d is more than 80% of `every`, 90d" in stack.fail("preview")
    stack.write_program(PROGRAM)
    stack.up()
    emulator.controls.deny("iam:ListServiceSpecificCredentials")
    assert "AccessDenied" in stack.fail("preview", "--refresh=false")
