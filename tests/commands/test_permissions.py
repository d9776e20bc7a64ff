"""`iamcreds permissions`: policies allow exactly the operations that the account code declares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from moto.iam.access_control import IAMPolicyStatement, PermissionResult

from iamcreds.cli import main
from iamcreds.policies.documents import Owner

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from tests.commands.conftest import Run

READS = ["GetAccessKeyLastUsed", "GetUser", "ListAccessKeys", "ListServiceSpecificCredentials", "ListUsers"]
REPORTS = ["GenerateCredentialReport", "GetCredentialReport"]
WRITES = [f"{verb}ServiceSpecificCredential" for verb in ("Create", "Delete", "Reset", "Update")]
CHANGES = [operation for operation in WRITES if not operation.startswith("Delete")]
ACCOUNT = "123456789012"
SERVICE = "iam:ServiceSpecificCredentialServiceName"


@pytest.mark.parametrize(
    ("run", "statements"),
    [
        ("up", {"Read": READS, "ChangeCredentials": WRITES}),
        ("preview", {"Read": READS}),
        ("drift", {"Read": READS + REPORTS}),
    ],
)
def test_policies(run: str, statements: dict[str, list[str]]) -> None:
    """The policy of a run only allows the IAM operations that it calls."""
    policy = json.loads(CliRunner().invoke(main, ["permissions", "--for", run]).stdout)
    assert policy["Version"] == "2012-10-17"
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}
    assert policy["Statement"][0]["Resource"] == "*", "reads concern all users"
    assert {statement["Sid"]: statement["Action"] for statement in policy["Statement"]} == {
        name: sorted(f"iam:{operation}" for operation in operations) for name, operations in statements.items()
    }


def test_owner() -> None:
    """By default, users belong to any account in the partition `aws`."""
    assert Owner().user_arn("jane") == "arn:aws:iam::*:user/jane"
    assert Owner(ACCOUNT, "aws-cn").user_arn("*") == f"arn:aws-cn:iam::{ACCOUNT}:user/*"


def test_account() -> None:
    """An account limits changes to its users; without one, changes of users in any account are allowed."""
    for words, users in (
        ([], "arn:aws:iam::*:user/*"),
        (["--account", "123456789012"], "arn:aws:iam::123456789012:user/*"),
    ):
        policy = json.loads(CliRunner().invoke(main, ["permissions", *words]).stdout)
        assert [statement["Resource"] for statement in policy["Statement"]] == ["*", users]


@pytest.mark.parametrize("words", [["--account", "1234"], ["--for", "drift", "--account", "123456789012"]])
def test_refused(words: list[str]) -> None:
    """An invalid account, or one that has no effect, is rejected, and the error names valid uses."""
    result = CliRunner().invoke(main, ["permissions", *words])
    assert result.exit_code == 2
    assert "12 digits, and only with --for up" in result.stderr


class Policies:
    """Printed policies, evaluated like the enforcement of the IAM emulator."""

    def __init__(self, *results: Result) -> None:
        assert all(result.exit_code == 0 for result in results), results[0].output
        self.documents = [json.loads(result.stdout) for result in results]
        self.statements: list[dict[str, Any]] = [each for document in self.documents for each in document["Statement"]]

    def allow(self, operation: str, user: str, service: str = "codecommit", account: str = ACCOUNT) -> bool:
        """Return True if the policies allow an operation on a user, given with its path, and on a service."""
        context = {SERVICE: f"{service}.amazonaws.com"}
        target = f"arn:aws:iam::{account}:user/{user}"
        return PermissionResult.PERMITTED in [
            IAMPolicyStatement(statement).is_action_permitted(f"iam:{operation}", target, None, context)
            for statement in self.statements
        ]


def run_with(specs: Path, text: str, *words: str) -> Result:
    """Return the result of the command with these specs."""
    specs.write_text(text)
    return CliRunner().invoke(main, ["permissions", "--specs", str(specs), *words])


SPECS = f"""
account: "{ACCOUNT}"
users:
  jane: {{credentials: [{{service: codecommit}}, {{service: bedrock}}]}}
  bot: {{credentials: [{{service: codecommit}}, {{service: codecommit, name: spare}}]}}
  watched: {{accessKeys: {{max: 1}}}}
"""


def test_narrowed_to_specs(tmp_path: Path) -> None:
    """With specs, changes are allowed for declared users, with any path, and only for their declared services."""
    policies = Policies(run_with(tmp_path / "a.yaml", SPECS))
    for name in CHANGES:
        for user in ("jane", "team/eu/jane", "bot"):
            assert policies.allow(name, user)
        for other in ("joe", "watched", "mary-jane", "jane2", "jane/joe"):
            assert not policies.allow(name, other)
        assert policies.allow(name, "jane", "bedrock")
        assert not policies.allow(name, "bot", "bedrock")
        assert not policies.allow(name, "jane", "logs")
        assert not policies.allow(name, "jane", account="999999999999")


def test_leavers(tmp_path: Path) -> None:
    """Users who leave the specs lose their credentials, so deletion is allowed for every user of the account."""
    policies = Policies(run_with(tmp_path / "a.yaml", SPECS))
    assert policies.allow("DeleteServiceSpecificCredential", "left", "logs")
    assert not policies.allow("DeleteServiceSpecificCredential", "left", account="999999999999")
    assert {action for statement in policies.statements for action in statement["Action"]} == {
        f"iam:{operation}" for operation in READS + WRITES
    }


def test_conditions(tmp_path: Path) -> None:
    """Each statement that allows changes has full names of users and services; others have no condition."""
    for statement in Policies(run_with(tmp_path / "a.yaml", SPECS)).statements:
        if statement["Sid"].startswith("ChangeCredentials"):
            assert statement["Action"] == [f"iam:{operation}" for operation in CHANGES]
            assert statement["Condition"].keys() == {"StringEquals"}
            assert all(name.endswith(".amazonaws.com") for name in statement["Condition"]["StringEquals"][SERVICE])
            assert all(arn.startswith(f"arn:aws:iam::{ACCOUNT}:user/") for arn in statement["Resource"])
        else:
            assert "Condition" not in statement


def test_no_account(tmp_path: Path) -> None:
    """If neither specs nor option have an account, any account is allowed, and standard error warns about it."""
    text = SPECS.replace("account:", "# account:")
    open_result = run_with(tmp_path / "a.yaml", text)
    assert "neither the specs nor --account name an account" in open_result.stderr
    assert Policies(open_result).allow("CreateServiceSpecificCredential", "jane", account="999999999999")
    given = run_with(tmp_path / "a.yaml", text, "--account", ACCOUNT)
    assert given.stderr == ""
    assert not Policies(given).allow("CreateServiceSpecificCredential", "jane", account="999999999999")


def many(count: int) -> str:
    """Return specs of that many users."""
    users = (f"  user-number-{number}: {{credentials: [{{service: codecommit}}]}}\n" for number in range(count))
    return f'account: "{ACCOUNT}"\nusers:\n' + "".join(users)


def test_several_policies(tmp_path: Path) -> None:
    """Too many users for one policy result in several, within IAM's quota, that together cover all of them."""
    first = run_with(tmp_path / "a.yaml", many(150))
    assert "part 1 of 3" in first.stderr
    policies = Policies(first, *(run_with(tmp_path / "a.yaml", many(150), "--part", part) for part in "23"))
    lengths = [len(json.dumps(document, separators=(",", ":"))) for document in policies.documents]
    assert max(lengths) <= 6144
    assert min(lengths[:-1]) > 5900
    assert all(policies.allow("CreateServiceSpecificCredential", f"user-number-{number}") for number in range(150))
    assert not policies.allow("CreateServiceSpecificCredential", "user-number-150")
    beyond = run_with(tmp_path / "a.yaml", many(150), "--part", "4")
    assert (beyond.exit_code, beyond.stdout) == (2, "")
    assert "part 4 does not exist; the number of parts is 3" in beyond.stderr


def test_too_many_users(tmp_path: Path) -> None:
    """Too many users for a role's policies result in one policy for all users, limited to services, and a note."""
    result = run_with(tmp_path / "a.yaml", many(700))
    assert "IAM allows 10 per role: this policy allows changes to all users of the account" in result.stderr
    policies = Policies(result)
    assert policies.allow("CreateServiceSpecificCredential", "anybody")
    assert not policies.allow("CreateServiceSpecificCredential", "anybody", "bedrock")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--account", "999999999999"], f"the specs are for account {ACCOUNT}"),
        (["--part", "2"], "part 2 does not exist; the number of parts is 1"),
    ],
)
def test_refused_with_specs(words: list[str], sentence: str, tmp_path: Path) -> None:
    """Options that have no effect or contradict the specs are rejected, and no policy is printed."""
    refused = run_with(tmp_path / "a.yaml", SPECS, *words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert sentence in refused.stderr


def test_bad_specs(tmp_path: Path) -> None:
    """Specs that cannot be read result in their errors, and in no policy."""
    result = run_with(tmp_path / "a.yaml", "users: {jane: {credentials: [{servise: x}]}}")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "a.yaml:1:" in result.stderr


def test_part_without_specs() -> None:
    """--part without specs is rejected."""
    assert CliRunner().invoke(main, ["permissions", "--part", "1"]).exit_code == 2


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eu-west-1", "aws"), ("", "aws")],
)
def test_partition(region: str, partition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The partition of the users' ARNs is that of AWS_REGION, which takes precedence over AWS_DEFAULT_REGION."""
    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-gov-east-1" if region else "us-east-1")
    done = CliRunner().invoke(main, ["permissions"])
    assert f'"arn:{partition}:iam::*:user/*"' in done.stdout


def test_unknown_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown region is an error, not a policy for a different partition."""
    monkeypatch.setenv("AWS_REGION", "atlantis-1")
    done = CliRunner().invoke(main, ["permissions"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: AWS has no region 'atlantis-1'. Check AWS_REGION\n"


READING, BOUNDARY = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("reading", "boundary"))
MADE = f"""
account: "{ACCOUNT}"
users:
  jane:
    credentials: [{{service: codecommit}}]
    iamUser: {{policyArns: [{READING}], permissionsBoundary: {BOUNDARY}}}
  bot: {{credentials: [], iamUser: true}}
  own: {{credentials: []}}
"""


def allow(result: Result, operation: str, user: str, **context: str) -> bool:
    """Return True if a policy allows an operation on a user, with these values of IAM's condition keys.

    The IAM emulator does not support ArnEquals, so this function evaluates the conditions, which are all exact.
    """
    action, target = f"iam:{operation}", f"arn:aws:iam::{ACCOUNT}:user/{user}"
    judged = []
    for statement in json.loads(result.stdout)["Statement"]:
        conditions = statement.pop("Condition", {})
        assert conditions.keys() <= {"StringEquals", "ArnEquals"}
        exact = conditions.values()
        wanted = [(key.removeprefix("iam:"), values) for each in exact for key, values in each.items()]
        if all(context.get(key) in ([values] if isinstance(values, str) else values) for key, values in wanted):
            judged.append(IAMPolicyStatement(statement).is_action_permitted(action, target))
    return PermissionResult.PERMITTED in judged


def test_making_users(tmp_path: Path) -> None:
    """Only declared users can be created, and only with declared policies and boundaries; any user can be deleted."""
    result = run_with(tmp_path / "a.yaml", MADE)
    for operation in ("CreateUser", "UpdateUser", "TagUser", "UntagUser", "DeleteUserPermissionsBoundary"):
        for user in ("jane", "team/jane", "bot"):
            assert allow(result, operation, user)
        for user in ("own", "somebody"):
            assert not allow(result, operation, user)
    assert allow(result, "AttachUserPolicy", "jane", PolicyARN=READING)
    assert not allow(result, "AttachUserPolicy", "jane", PolicyARN=BOUNDARY)
    assert not allow(result, "AttachUserPolicy", "bot", PolicyARN=READING)
    assert allow(result, "PutUserPermissionsBoundary", "jane", PermissionsBoundary=BOUNDARY)
    assert not allow(result, "PutUserPermissionsBoundary", "jane", PermissionsBoundary=READING)
    assert not allow(result, "PutUserPermissionsBoundary", "bot", PermissionsBoundary=BOUNDARY)
    for operation in ("DeleteUser", "DetachUserPolicy", "ListGroupsForUser"):
        assert allow(result, operation, "left")
    assert allow(result, "ListAttachedUserPolicies", "left")
    assert not allow(result, "RemoveUserFromGroup", "jane")


def test_users_who_exist(tmp_path: Path) -> None:
    """Without `iamUser`, no statement allows creating users, and a preview is only allowed to read."""
    assert 'User"' not in run_with(tmp_path / "a.yaml", SPECS).stdout.replace('GetUser"', "")
    plain = run_with(tmp_path / "a.yaml", SPECS, "--for", "preview")
    assert plain.stdout == CliRunner().invoke(main, ["permissions", "--for", "preview"]).stdout
    preview = json.loads(run_with(tmp_path / "a.yaml", MADE, "--for", "preview").stdout)
    (read,) = preview["Statement"]
    assert read["Action"] == sorted(f"iam:{operation}" for operation in [*READS, "ListAttachedUserPolicies"])


def many_made(count: int) -> str:
    """Return specs of that many users with `iamUser`."""
    made = f"{{credentials: [{{service: codecommit}}], iamUser: {{policyArns: [{READING}]}}}}"
    users = (f"  user-number-{number}: {made}\n" for number in range(count))
    return f'account: "{ACCOUNT}"\nusers:\n' + "".join(users)


def test_making_many_users(tmp_path: Path) -> None:
    """Many users result in several policies within the quota; too many result in one for all users."""
    first = run_with(tmp_path / "a.yaml", many_made(60))
    assert "part 1 of 4" in first.stderr
    parts = [first, *(run_with(tmp_path / "a.yaml", many_made(60), "--part", part) for part in "234")]
    assert all(len(json.dumps(json.loads(part.stdout), separators=(",", ":"))) <= 6144 for part in parts)
    for operation, context in (("CreateUser", {}), ("AttachUserPolicy", {"PolicyARN": READING})):
        for number in range(60):
            assert any(allow(part, operation, f"user-number-{number}", **context) for part in parts)
        assert not any(allow(part, operation, "user-number-60", **context) for part in parts)
    wide = run_with(tmp_path / "a.yaml", many_made(400))
    assert "this policy allows changes to all users of the account" in wide.stderr
    assert allow(wide, "CreateUser", "anybody")
    assert allow(wide, "AttachUserPolicy", "anybody", PolicyARN=READING)
    assert not allow(wide, "AttachUserPolicy", "anybody", PolicyARN=BOUNDARY)


def test_unknown_profile(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist is an error that names the variable."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    shown = run("permissions")
    assert shown.exit_code == 1
    assert "The config profile (nobody) could not be found). Check AWS_PROFILE" in shown.stderr


def test_expiry(tmp_path: Path) -> None:
    """An expiry changes no policy: a renewal creates and deletes credentials of the same user and service."""
    plain = run_with(tmp_path / "a.yaml", SPECS)
    expiring = run_with(
        tmp_path / "a.yaml",
        SPECS.replace("service: bedrock", "service: bedrock, expire: {after: 90d, renewBefore: 2w}"),
    )
    assert plain.exit_code == 0
    assert expiring.stdout == plain.stdout
