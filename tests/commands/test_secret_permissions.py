"""`iamcreds permissions` with deliveries: runs may write declared secrets only, and never read a value."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.delivery import CREDENTIAL_TAG
from iamcreds.policies.documents import MAX_LENGTH
from iamcreds.policies.store_operations import OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

ACCOUNT = "123456789012"
SECRETS, PARAMETERS = "arn:aws:secretsmanager:eu-west-1:123456789012", "arn:aws:ssm:eu-west-1:123456789012"
KEYS = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key"
VALUES = [
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
]
PLAIN = f"""
account: "{ACCOUNT}"
users:
  jane: {{credentials: [{{service: keyspaces, deliver: {{secretsManager: {{name: "keys/{{user}}"}}}}}}]}}
  joe: {{credentials: [{{service: bedrock, deliver: {{ssm: {{name: "/{{account}}/{{user}}", region: eu-west-1}}}}}}]}}
"""
WHOLE = f"""
account: "{ACCOUNT}"
users:
  jane:
    credentials:
      - service: keyspaces
        deliver:
          secretsManager:
            {{name: "keys/{{user}}", region: eu-west-1, kmsKeyId: alias/creds, resourcePolicy: user,
             deleteSecret: true}}
      - service: codecommit
        deliver: {{secretsManager: {{name: plain, region: eu-west-1}}}}
  joe:
    credentials:
      - service: bedrock
        deliver: {{ssm: {{name: parameter, region: eu-west-1, kmsKeyId: a-b, deleteSecret: true}}}}
"""


def run(specs: Path, text: str, *words: str) -> Result:
    """Return the result of the command with these specs."""
    specs.write_text(text)
    return CliRunner().invoke(main, ["permissions", "--specs", str(specs), *words])


def matches(patterns: str | list[str], value: str) -> bool:
    """Return True if one of the patterns with wildcards matches a value."""
    listed = [patterns] if isinstance(patterns, str) else patterns
    expressions = (re.escape(each).replace(r"\*", ".*").replace(r"\?", ".") for each in listed)
    return any(re.fullmatch(expression, value) for expression in expressions)


def meets(operator: str, key: str, expected: Any, context: dict[str, str]) -> bool:  # noqa: ANN401 - as in a policy
    """Return True if a request meets a condition."""
    if operator == "Null":
        return bool((key not in context) == (expected == "true"))
    assert operator in {"Bool", "ForAnyValue:StringEquals", "StringEquals", "StringLike"}
    return key in context and matches(expected, context[key])


def allow(
    policies: str | list[str], operation: str, resource: str = "*", context: dict[str, str] | None = None
) -> bool:
    """Return True if policies allow an operation on a resource, with these values of condition keys."""
    documents = [json.loads(each) for each in ([policies] if isinstance(policies, str) else policies)]
    return any(
        matches(statement["Action"], operation)
        and matches(statement["Resource"], resource)
        and all(
            meets(operator, key, expected, context or {})
            for operator, keys in statement.get("Condition", {}).items()
            for key, expected in keys.items()
        )
        for document in documents
        for statement in document["Statement"]
    )


def list_actions(policy: str) -> set[str]:
    """Return the operations of a policy that are not those of IAM."""
    statements = json.loads(policy)["Statement"]
    return {action for each in statements for action in each["Action"] if not action.startswith("iam:")}


@pytest.mark.parametrize("run_name", ["up", "preview", "drift"])
def test_no_deliveries(tmp_path: Path, run_name: str) -> None:
    """Without declared deliveries, no run has permissions for stores."""
    text = "users: {jane: {credentials: [{service: keyspaces}]}}"
    assert list_actions(run(tmp_path / "a.yaml", text, "--for", run_name).stdout) == set()


@pytest.mark.parametrize("run_name", ["preview", "drift"])
def test_reads(tmp_path: Path, run_name: str) -> None:
    """A preview and drift read metadata of the declared stores, and of KMS keys if one is declared."""
    plain = run(tmp_path / "a.yaml", PLAIN, "--for", run_name).stdout
    reads = {operation for operations in OPERATIONS.values() for operation in operations.reads}
    assert list_actions(plain) == reads
    assert list_actions(run(tmp_path / "a.yaml", WHOLE, "--for", run_name).stdout) == {*reads, "kms:DescribeKey"}
    one_store = "users: {joe: {credentials: [{service: bedrock, deliver: {ssm: {name: a}}}]}}"
    printed = run(tmp_path / "a.yaml", one_store, "--for", run_name).stdout
    assert list_actions(printed) == {"ssm:DescribeParameters", "ssm:ListTagsForResource"}


def test_declared_names(tmp_path: Path) -> None:
    """An update may write the declared secrets only, in the declared region, or in any without one."""
    printed = run(tmp_path / "a.yaml", PLAIN).stdout
    for operation in ("CreateSecret", "PutSecretValue", "TagResource", "UpdateSecret"):
        for name in ("keys/jane", "keys/jane-a1B2c3"):
            assert allow(printed, f"secretsmanager:{operation}", f"{SECRETS}:secret:{name}")
        for name in ("keys/joe-a1B2c3", "keys/jane2-a1B2c3", "keys/jane-a1B2c3-d", "a/keys/jane-a1B2c3"):
            assert not allow(printed, f"secretsmanager:{operation}", f"{SECRETS}:secret:{name}")
        elsewhere = SECRETS.replace(ACCOUNT, "999999999999")
        assert not allow(printed, f"secretsmanager:{operation}", f"{elsewhere}:secret:keys/jane-a1B2c3")
    for operation in ("PutParameter", "AddTagsToResource"):
        assert allow(printed, f"ssm:{operation}", f"{PARAMETERS}:parameter/{ACCOUNT}/joe")
        assert not allow(printed, f"ssm:{operation}", f"{PARAMETERS}:parameter/{ACCOUNT}/jane")
        elsewhere = PARAMETERS.replace("eu-west-1", "us-east-1")
        assert not allow(printed, f"ssm:{operation}", f"{elsewhere}:parameter/{ACCOUNT}/joe")


def test_optional_operations(tmp_path: Path) -> None:
    """Deletions, resource policies and KMS keys are in the policy only if specs declare them."""
    required = {
        operation
        for operations in OPERATIONS.values()
        for operation in {**operations.reads, **operations.creates, **operations.changes}
    }
    assert list_actions(run(tmp_path / "a.yaml", PLAIN).stdout) == required
    assert list_actions(run(tmp_path / "a.yaml", WHOLE).stdout) == required | {
        "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
        "secretsmanager:DeleteSecret", "secretsmanager:PutResourcePolicy", "ssm:DeleteParameter",
    }  # fmt: skip


def test_deletions(tmp_path: Path) -> None:
    """Removed credentials are not declared, so every managed secret may be deleted, but no other one."""
    printed = run(tmp_path / "a.yaml", WHOLE).stdout
    managed = {f"aws:ResourceTag/{CREDENTIAL_TAG}": "jane/keyspaces"}
    for operation, resource in (
        ("secretsmanager:DeleteSecret", f"{SECRETS}:secret:left-a1B2c3"),
        ("ssm:DeleteParameter", f"{PARAMETERS}:parameter/left"),
    ):
        assert allow(printed, operation, resource, managed)
        assert not allow(printed, operation, resource)


def test_resource_policies(tmp_path: Path) -> None:
    """Only a secret with a declared resource policy may get one, and none that permits broad access."""
    printed = run(tmp_path / "a.yaml", WHOLE).stdout
    operation, private = "secretsmanager:PutResourcePolicy", {"secretsmanager:BlockPublicPolicy": "true"}
    assert allow(printed, operation, f"{SECRETS}:secret:keys/jane-a1B2c3", private)
    assert not allow(printed, operation, f"{SECRETS}:secret:keys/jane-a1B2c3")
    assert not allow(printed, operation, f"{SECRETS}:secret:plain-a1B2c3", private)


def test_keys(tmp_path: Path) -> None:
    """A declared KMS key may be used only by the store, on behalf of the run."""
    printed = run(tmp_path / "a.yaml", WHOLE).stdout
    by_secrets_manager = {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}
    named = {**by_secrets_manager, "kms:ResourceAliases": "alias/creds"}
    for operation in ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"):
        assert allow(printed, operation, f"{KEYS}/any", named)
        assert not allow(printed, operation, f"{KEYS}/any", {"kms:ResourceAliases": "alias/creds"})
        assert not allow(printed, operation, f"{KEYS}/any", by_secrets_manager)
    by_parameter_store = {"kms:ViaService": "ssm.eu-west-1.amazonaws.com"}
    assert allow(printed, "kms:Encrypt", f"{KEYS}/a-b", by_parameter_store)
    assert not allow(printed, "kms:Encrypt", f"{KEYS}/a-c", by_parameter_store)
    assert not allow(printed, "kms:Encrypt", f"{KEYS}/a-b")
    assert not allow(printed, "kms:Decrypt", f"{KEYS}/a-b", by_parameter_store)


@pytest.mark.parametrize(
    ("key", "resource", "alias"),
    [
        ("arn:aws:kms:eu-west-2:999999999999:key/a-b", "arn:aws:kms:eu-west-2:999999999999:key/a-b", None),
        ("arn:aws:kms:eu-west-2:999999999999:alias/x", "arn:aws:kms:eu-west-2:999999999999:key/*", "alias/x"),
        ("alias/x/y", f"{KEYS}/*", "alias/x/y"),
        ("mrk-1234", f"{KEYS}/mrk-1234", None),
    ],
)
def test_forms_of_keys(tmp_path: Path, key: str, resource: str, alias: str | None) -> None:
    """The id, the ARN and the alias of a key each become the ARN of keys, because policies do not resolve aliases."""
    printed = run(tmp_path / "a.yaml", WHOLE.replace("alias/creds", key)).stdout
    uses = [each for each in json.loads(printed)["Statement"] if "kms:Decrypt" in each["Action"]]
    assert [each["Resource"] for each in uses] == [resource]
    condition = uses[0]["Condition"].get("ForAnyValue:StringEquals")
    assert condition == (None if alias is None else {"kms:ResourceAliases": alias})


def write_many(count: int, name: str = "keys/{user}") -> str:
    """Return specs of that many users with deliveries."""
    fields = f"[{{service: keyspaces, deliver: {{secretsManager: {{name: '{name}', resourcePolicy: user}}}}}}]"
    users = (f"  user-number-{number}: {{credentials: {fields}}}\n" for number in range(count))
    return f'account: "{ACCOUNT}"\nusers:\n' + "".join(users)


def test_several_policies(tmp_path: Path) -> None:
    """Too many secrets for one policy result in several, within IAM's quota, that together cover all of them."""
    specs, text = tmp_path / "a.yaml", write_many(40)
    first = run(specs, text)
    (count,) = re.findall(r"part 1 of (\d)", first.stderr)
    parts = [first.stdout, *(run(specs, text, "--part", str(part)).stdout for part in range(2, int(count) + 1))]
    assert all(len(json.dumps(json.loads(part), separators=(",", ":"))) <= MAX_LENGTH for part in parts)
    private = {"secretsmanager:BlockPublicPolicy": "true"}
    for number in range(41):
        arn = f"{SECRETS}:secret:keys/user-number-{number}-a1B2c3"
        assert allow(parts, "secretsmanager:PutSecretValue", arn) == (number < 40)
        assert allow(parts, "secretsmanager:PutResourcePolicy", arn, private) == (number < 40)


@pytest.mark.parametrize(
    ("name", "other"), [("keys/{user}", "other/joe-a1B2c3"), ("{user}-{name}", None), ("k/{user}/same", "k/joe-a1B2c3")]
)
def test_too_many_secrets(tmp_path: Path, name: str, other: str | None) -> None:
    """Too many secrets result in one policy with wildcards, which permits changes of managed secrets only."""
    result = run(tmp_path / "a.yaml", write_many(500, name))
    assert "IAM allows 10 per role" in result.stderr
    assert len(json.dumps(json.loads(result.stdout), separators=(",", ":"))) <= MAX_LENGTH
    declared = f"{SECRETS}:secret:{name.format(user='user-number-7', name='keyspaces')}-a1B2c3"
    managed = {f"aws:ResourceTag/{CREDENTIAL_TAG}": "x", "secretsmanager:BlockPublicPolicy": "true"}
    for operation in ("CreateSecret", "PutSecretValue", "PutResourcePolicy", "TagResource", "UpdateSecret"):
        assert allow(result.stdout, f"secretsmanager:{operation}", declared, managed)
        if other is not None:
            assert not allow(result.stdout, f"secretsmanager:{operation}", f"{SECRETS}:secret:{other}", managed)
    private = {"secretsmanager:BlockPublicPolicy": "true"}
    for operation in ("PutSecretValue", "PutResourcePolicy", "UpdateSecret"):
        assert not allow(result.stdout, f"secretsmanager:{operation}", declared, private)


def test_too_many_names(tmp_path: Path) -> None:
    """Too many names that differ by more than the user result in one wildcard."""
    users = (
        f"  user-{number}: {{credentials: [{{service: keyspaces, deliver: {{ssm: {{name: parameter-{number}}}}}}}]}}\n"
        for number in range(1200)
    )
    result = run(tmp_path / "a.yaml", f'account: "{ACCOUNT}"\nusers:\n' + "".join(users))
    assert "IAM allows 10 per role" in result.stderr
    assert len(json.dumps(json.loads(result.stdout), separators=(",", ":"))) <= MAX_LENGTH
    assert allow(result.stdout, "ssm:PutParameter", f"{PARAMETERS}:parameter/parameter-1199")


@pytest.mark.parametrize("run_name", ["up", "preview", "drift"])
def test_stores_of_programs(run_name: str) -> None:
    """Without specs, an update may create secrets, and change and delete those that have the tag of iamcreds."""
    stores = ["--store", "secretsManager", "--store", "ssm"]
    printed = CliRunner().invoke(main, ["permissions", "--for", run_name, *stores]).stdout
    reads = {operation for operations in OPERATIONS.values() for operation in operations.reads}
    if run_name != "up":
        assert list_actions(printed) == reads
        return
    every = {
        operation
        for each in OPERATIONS.values()
        for operation in [*each.creates, *each.changes, *each.policies, *each.deletes]
    }
    assert list_actions(printed) == reads | every
    facts = {"secretsmanager:BlockPublicPolicy": "true"}
    for operation in every:
        of_store = operation.startswith("secretsmanager")
        resource = f"{SECRETS}:secret:any-a1B2c3" if of_store else f"{PARAMETERS}:parameter/any"
        assert allow(printed, operation, resource, {**facts, f"aws:ResourceTag/{CREDENTIAL_TAG}": "jane/keyspaces"})
        may_create = any(operation in each.creates for each in OPERATIONS.values())
        assert allow(printed, operation, resource, facts) == may_create


def test_one_store() -> None:
    """A store is permitted only if it is requested."""
    printed = CliRunner().invoke(main, ["permissions", "--store", "ssm"]).stdout
    assert {action.partition(":")[0] for action in list_actions(printed)} == {"ssm"}


def test_no_run_reads_values(tmp_path: Path) -> None:
    """No policy of a run permits reading the value of a secret, or decrypting it without the store."""
    specs = tmp_path / "a.yaml"
    policies = [run(specs, WHOLE, "--for", name).stdout for name in ("up", "preview", "drift")]
    policies += [run(specs, write_many(500)).stdout]
    options = [[], ["--store", "secretsManager", "--store", "ssm"]]
    policies += [CliRunner().invoke(main, ["permissions", *words]).stdout for words in options]
    resources = [
        f"{SECRETS}:secret:keys/jane-a1B2c3",
        f"{SECRETS}:secret:keys/jane",
        f"{PARAMETERS}:parameter/parameter",
    ]
    facts = {f"aws:ResourceTag/{CREDENTIAL_TAG}": "jane/keyspaces", "kms:ResourceAliases": "alias/creds"}
    for policy in policies:
        assert json.loads(policy)["Statement"]
        for operation in VALUES:
            assert not any(allow(policy, operation, resource, facts) for resource in [*resources, "*"])
        assert not allow(policy, "kms:Decrypt", f"{KEYS}/any", facts)


@pytest.mark.parametrize(
    ("credential", "operation", "resource", "others"),
    [
        (
            "jane/keyspaces",
            "secretsmanager:GetSecretValue",
            f"{SECRETS}:secret:keys/jane-a1B2c3",
            ["plain-a1B2c3", "keys/j"],
        ),
        ("jane/codecommit", "secretsmanager:GetSecretValue", f"{SECRETS}:secret:plain-a1B2c3", ["keys/jane-a1B2c3"]),
        ("joe/bedrock", "ssm:GetParameter", f"{PARAMETERS}:parameter/parameter", ["parameters"]),
    ],
)
def test_reader(tmp_path: Path, credential: str, operation: str, resource: str, others: list[str]) -> None:
    """The policy of a consumer permits reading one secret, and decrypting it with a declared key."""
    printed = run(tmp_path / "a.yaml", WHOLE, "--read-secret", credential).stdout
    assert allow(printed, operation, resource)
    beginning = re.split("secret:|parameter/", resource)[0] + ("parameter/" if "ssm" in operation else "secret:")
    assert not any(allow(printed, operation, beginning + other) for other in others)
    has_key = credential != "jane/codecommit"
    assert list_actions(printed) == {operation, *(["kms:Decrypt"] if has_key else [])}
    service = operation.partition(":")[0]
    facts = {"kms:ViaService": f"{service}.eu-west-1.amazonaws.com", "kms:ResourceAliases": "alias/creds"}
    assert allow(printed, "kms:Decrypt", f"{KEYS}/a-b", facts) == has_key
    assert not allow(printed, "kms:Decrypt", f"{KEYS}/a-b", {"kms:ResourceAliases": "alias/creds"})


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--read-secret", "jane/logs"], "the specs have no credential jane/logs"),
        (["--read-secret", "joe/codecommit"], "the specs declare no `deliver` for joe/codecommit"),
        (["--read-secret", "jane/keyspaces", "--for", "up"], "only with --specs, and without --for"),
        (["--store", "ssm"], "only without --specs"),
        (["--read-secret", "jane/keyspaces", "--part", "1"], "only with --for up and --specs"),
        (["--read-secret", "jane/keyspaces", "--account", "999999999999"], f"the specs are for account {ACCOUNT}"),
    ],
)
def test_refused_readers(tmp_path: Path, words: list[str], sentence: str) -> None:
    """A credential without a delivery and options without effect are rejected, and no policy is printed."""
    refused = run(tmp_path / "a.yaml", f"{WHOLE}      - service: codecommit\n", *words)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert sentence in refused.stderr


def test_reader_without_specs() -> None:
    """--read-secret without specs is rejected."""
    assert CliRunner().invoke(main, ["permissions", "--read-secret", "jane/keyspaces"]).exit_code == 2
