"""The resources in other programs: inputs that are outputs, expiry, and replacement at the quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.existing import list_credentials
from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

PROGRAM = (ROOT / "tests/e2e/programs/key_with_expiry.py").read_text()
KEY_ALONE = "\n".join(line for line in PROGRAM.splitlines() if "login" not in line)
BEDROCK = "bedrock.amazonaws.com"
DAY = 86_400


def test_inputs_may_be_outputs(stack: Stack, iam: IAMClient) -> None:
    """User and reset trigger may be outputs of another resource, which are unknown before it is created."""
    iam.create_user(UserName="jane")
    stack.write_program(PROGRAM)
    stack.preview()
    stack.up()
    shown = stack.read_outputs()
    assert shown["account"] == "123456789012"
    assert (shown["login"], shown["alias"], shown["key"]) == (
        "jane-at-123456789012",
        "jane-at-123456789012",
        "[secret]",
    )
    stack.assert_no_changes()


def test_refused_inputs(stack: Stack) -> None:
    """The preview rejects all inputs that IAM would reject, and lists every error."""
    stack.write_program(
        PROGRAM.replace('user="jane"', 'user="jane doe"').replace('service="bedrock"', 'service="bed rock"')
    )
    stack.succeed("config", "set", "ageDays", "40000")
    said = stack.fail("preview")
    assert "expected an IAM user name" in said
    assert "or a full service name" in said
    assert "expected a whole number of days from 1 to 36600" in said


def test_replaced_create_first(stack: Stack, iam: IAMClient) -> None:
    """A changed age replaces the key; if the quota has room, the new one is created before the old one is deleted."""
    iam.create_user(UserName="jane")
    stack.write_program(KEY_ALONE)
    stack.succeed("config", "set", "ageDays", "30")
    stack.up()
    old = ids(iam)
    stack.succeed("config", "set", "ageDays", "60")
    replaced = stack.succeed("up", "--yes", "--skip-preview")
    assert replaced.index("created replacement") < replaced.index("deleted original")
    assert len(ids(iam)) == 1
    assert ids(iam) != old
    stack.assert_no_changes()


def test_replaced_at_the_limit(stack: Stack, iam: IAMClient) -> None:
    """If the program uses the whole quota, the old key is deleted before the new one is created; the other stays."""
    iam.create_user(UserName="jane")
    both = KEY_ALONE.replace('service="bedrock",', 'service="bedrock", declared=2,')
    stack.write_program(f'{both}\nServiceSpecificCredential("other", user="jane", service="bedrock", declared=2)\n')
    stack.up()
    before = {name: resource["id"] for name, resource in stack.read_resources().items()}
    stack.succeed("config", "set", "ageDays", "60")
    replaced = stack.succeed("up", "--yes", "--skip-preview")
    assert replaced.index("deleted original") < replaced.index("created replacement")
    assert len(ids(iam)) == 2
    assert before["other"] in ids(iam)
    assert before["key"] not in ids(iam)
    stack.assert_no_changes()


def test_replaced_under_a_new_name(stack: Stack, iam: IAMClient) -> None:
    """At the quota, a key is replaced although an alias renames it in the same run."""
    iam.create_user(UserName="jane")
    key = 'ServiceSpecificCredential("{}", user="jane", service="bedrock", declared=2, age_days={}{})\n'
    start = "import pulumi\nfrom dynamic_providers import ServiceSpecificCredential\n" + key.format("other", 90, "")
    stack.write_program(start + key.format("key", 30, ""))
    stack.up()
    before = {name: resource["id"] for name, resource in stack.read_resources().items()}
    options = ', opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="key")])'
    stack.write_program(start + key.format("renamed", 60, options))
    stack.preview()
    stack.up()
    assert set(stack.read_resources()) == {"other", "renamed"}
    assert len(ids(iam)) == 2
    assert before["other"] in ids(iam)
    assert before["key"] not in ids(iam)
    stack.assert_no_changes()


def test_replaced_beside_a_foreign_key(stack: Stack, iam: IAMClient) -> None:
    """If an unmanaged key uses the rest of the quota, a replacement is rejected before anything is deleted."""
    iam.create_user(UserName="jane")
    stack.write_program(KEY_ALONE)
    stack.up()
    iam.create_service_specific_credential(UserName="jane", ServiceName=BEDROCK)
    before = ids(iam)
    stack.succeed("config", "set", "ageDays", "60")
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        assert "cannot create a bedrock credential for user jane" in stack.fail(*command)
    assert ids(iam) == before


def test_expired_is_replaced(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """An expired key is replaced, and no request activates it."""
    iam.create_user(UserName="jane")
    stack.write_program(KEY_ALONE)
    stack.succeed("config", "set", "ageDays", "1")
    emulator.controls.set(clock_shift=-3 * DAY)
    stack.up()
    old = ids(iam)
    emulator.controls.set(clock_shift=0)
    stack.up()
    assert not old & ids(iam)
    assert "iam:UpdateServiceSpecificCredential" not in emulator.controls.counts()
    stack.assert_no_changes()


def test_delivery_may_be_a_secret_output(stack: Stack, iam: IAMClient) -> None:
    """The delivery may be a secret with an output that a preview does not know; the state has no password."""
    iam.create_user(UserName="jane")
    stack.write_program(
        f"{PROGRAM}\n"
        'store = {"name": pulumi.Output.concat("keys/", key.credential_id), "region": "eu-west-1"}\n'
        'deliver = pulumi.Output.secret({"secrets_manager": store})\n'
        'given = ServiceSpecificCredential("given", user="jane", service="keyspaces", deliver=deliver)\n'
    )
    stack.preview()
    stack.up()
    outputs = stack.read_resources()["given"]["outputs"]
    assert "keys/ACCA" in outputs["delivery"]["arn"]
    assert "service_password" not in outputs
    stack.assert_no_changes()


def ids(iam: IAMClient) -> set[str]:
    """Return the ids of jane's existing API keys."""
    return {
        credential["ServiceSpecificCredentialId"]
        for credential in list_credentials(iam, "jane")
        if credential["ServiceName"] == BEDROCK
    }
