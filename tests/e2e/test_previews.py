"""Previews reject everything that `up` would reject, all at once, even in a split or narrowed run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iamcreds.cli import main
from tests.e2e.existing import list_credentials
from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

OK = "users: {ok: {credentials: [{service: codecommit}, {service: bedrock}]}}"
REFUSED = """users:
  ghost: {credentials: [{service: codecommit}]}
  jane: {credentials: [{service: codecommit}, {service: bedrock}]}
  jim: {credentials: [{service: teapot.amazonaws.com}]}
  nobody: {credentials: [{service: logs}]}
"""


def test_all_refusals_at_once(
    stack: Stack, iam: IAMClient, emulator: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    """A preview and `iamcreds plan` list everything that `up` would reject, even if a changed config splits the run."""
    for user in ("ok", "jane", "jim"):
        iam.create_user(UserName=user)
    unmanaged = iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    stack.write_specs(ok=OK)
    stack.up()
    stack.write_specs(ok=OK, refused=REFUSED)
    emulator.controls.clear_counts()
    in_one_process = refusals(stack.fail("preview"))
    assert [line.split(": ")[1] for line in in_one_process] == [
        "ghost/codecommit",
        "jane/codecommit",
        "jim/teapot.amazonaws.com",
        "nobody/logs",
    ]
    assert unmanaged["ServiceSpecificCredential"]["ServiceSpecificCredentialId"] in in_one_process[1]
    stack.succeed("config", "set", "now", "2027-01-01")
    assert refusals(stack.fail("preview")) == in_one_process

    preview = stack.folder / "preview.json"
    preview.write_text(stack.fail("preview", "--json"))
    with pytest.raises(SystemExit, match=r"\A1\Z"):
        main(["plan", str(preview)])
    planned = capfd.readouterr().out
    assert "4 rejected" in planned
    assert all(line.removesuffix(" ago")[:120] in planned for line in in_one_process)
    assert "iam:CreateServiceSpecificCredential" not in emulator.controls.counts()


def test_endpoint_that_is_down(stack: Stack, iam: IAMClient) -> None:
    """Preview and `up` report an unreachable endpoint once, however many credentials the state has."""
    users = [f"user-{number}" for number in range(9)]
    for user in users:
        iam.create_user(UserName=user)
    three = "{credentials: [{service: codecommit}, {service: keyspaces}, {service: bedrock}]}"
    stack.write_specs(team="users: {" + ", ".join(f"{user}: {three}" for user in users) + "}")
    stack.up()
    assert len(stack.read_resources()) == 27
    for command in (["preview"], ["up", "--yes", "--skip-preview"], ["preview", "--refresh=false"]):
        assert_told_once(stack.fail(*command, AWS_ENDPOINT_URL="http://127.0.0.1:9"))
    stack.succeed("config", "set", "now", "2027-01-01")
    assert_told_once(stack.fail("preview", AWS_ENDPOINT_URL="http://127.0.0.1:9"))


def test_every_input_an_output(stack: Stack, iam: IAMClient) -> None:
    """Each input of both classes may be an output of a different resource; the next preview has no changes."""
    iam.create_user(UserName="jane")
    iam.create_access_key(UserName="jane")
    stack.write_program((ROOT / "tests/e2e/programs/all_outputs.py").read_text())
    stack.preview()
    stack.up()
    (existing,) = list_credentials(iam, "jane")
    assert (existing["ServiceName"], existing["Status"]) == ("bedrock.amazonaws.com", "Inactive")
    assert (existing["ExpirationDate"] - existing["CreateDate"]).days == 30
    stack.assert_no_changes()


def test_declared_twice(stack: Stack, iam: IAMClient) -> None:
    """Two resources of a program that declare the same user and service without `declared` are rejected."""
    iam.create_user(UserName="jane")
    one = 'ServiceSpecificCredential("{}", user="jane", service="codecommit"{})\n'
    imported = "from dynamic_providers import ServiceSpecificCredential\n"
    stack.write_program(imported + one.format("a", "") + one.format("b", ""))
    said = stack.fail("preview")
    assert "a and b declare a codecommit credential of user jane, but `declared` is 1" in said
    assert "set `declared` to 2 in each of them" in said
    stack.write_program(imported + one.format("a", ", declared=2") + one.format("b", ", declared=2"))
    stack.up()
    assert len(list_credentials(iam, "jane")) == 2
    stack.assert_no_changes()


def test_declared_twice_beside_one_of_the_state(stack: Stack, iam: IAMClient) -> None:
    """A second one is rejected even if the program declares it before the managed one."""
    iam.create_user(UserName="jane")
    first, second = (f'ServiceSpecificCredential("{name}", user="jane", service="codecommit")\n' for name in "ab")
    imported = "from dynamic_providers import ServiceSpecificCredential\n"
    stack.write_program(imported + first)
    stack.up()
    for program in (first + second, second + first):
        stack.write_program(imported + program)
        for command in (["preview"], ["up", "--yes", "--skip-preview", "--parallel=1"]):
            assert "a and b declare a codecommit credential of user jane" in stack.fail(*command)
    assert len(list_credentials(iam, "jane")) == 1


def test_a_number_that_is_an_output(stack: Stack, iam: IAMClient) -> None:
    """If `declared` is an output of a different resource, one of two can be replaced: the old one is deleted first."""
    iam.create_user(UserName="jane")
    echo = (ROOT / "tests/e2e/programs/all_outputs.py").read_text().partition("ServiceSpecificCredential(\n")[0]
    both = "".join(
        f'ServiceSpecificCredential("{name}", user="jane", service="codecommit", declared=number)\n' for name in "ab"
    )
    stack.write_program(f'{echo}number = Echo("number", 2).said\n{both}')
    stack.preview()
    stack.up()
    before = {name: resource["id"] for name, resource in stack.read_resources().items()}
    replaced = ["--replace", stack.read_resources()["a"]["urn"]]
    stack.succeed("preview", *replaced)
    stack.succeed("up", "--yes", "--skip-preview", *replaced)
    after = {existing["ServiceSpecificCredentialId"] for existing in list_credentials(iam, "jane")}
    assert len(after) == 2
    assert before["b"] in after
    stack.assert_no_changes()


def test_wrong_types(stack: Stack) -> None:
    """The preview lists an error for each input of `AccessKeys` that has a wrong type."""
    stack.write_program(
        "from dynamic_providers import AccessKeys\n"
        'AccessKeys("a", users={"jane": {"max": "two"}, "joe": 3, "jim": {"most": 1}, "ann": {"enforce": "yes"}})\n'
    )
    said = stack.fail("preview")
    for sentence in (
        "jane: expected max to be a whole number, 0 or more",
        "joe: expected a policy such as {'max': 1, 'max_age_days': 90}",
        "jim: unknown policy 'most'; expected one of",
        "ann: expected enforce to be true or false",
    ):
        assert sentence in said
    for users, sentence in {
        '["jane"]': "expected policies by user name",
        '{"jane": None, 1: {"max": 1}}': "1 is not an IAM user name: 1 to 64 letters, digits and characters of"
        " _+=,.@-; jane: expected a policy such as {'max': 1, 'max_age_days': 90}",
    }.items():
        stack.write_program(f'from dynamic_providers import AccessKeys\nAccessKeys("a", users={users})\n')
        assert sentence in stack.fail("preview")


def test_no_text(stack: Stack) -> None:
    """A user or service that is not a string, or an unset configuration value, is rejected with a clear error."""
    given = 'ServiceSpecificCredential("{}", user={}, service={})\n'
    stack.write_program(
        "import pulumi\nfrom dynamic_providers import ServiceSpecificCredential\n"
        + given.format("a", '["jane"]', 'pulumi.Config().get("service")')
    )
    said = stack.fail("preview")
    assert "expected an IAM user name" in said
    assert "expected bedrock, codecommit, keyspaces, logs or a full service name" in said


def assert_told_once(printed: str) -> None:
    """Assert that the final diagnostics report the lost connection once, ignoring lines of progress."""
    assert printed.rsplit("Diagnostics:", maxsplit=1)[-1].count("no response from AWS") == 1, printed


def refusals(printed: str) -> list[str]:
    """Return the lines that list rejections, each beginning with its source location."""
    lines = [line.strip() for line in printed.splitlines()]
    start = lines.index("error: `pulumi up` would reject:") + 1
    end = next(number for number, line in enumerate(lines) if number >= start and not line.startswith("specs/"))
    return lines[start:end]
