"""The roles of `deploy/aws`: their trust policies, and their permissions for a state, statement by statement."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.e2e.runner import GITHUB
from tests.e2e.stack import ROOT

CLAIMS = "token.actions.githubusercontent.com"
REPOSITORY = "repo:ORGANISATION/REPOSITORY"
WRITES = {"s3:PutObject", "s3:DeleteObject"}


def read_statements(name: str) -> list[dict[str, Any]]:
    """Return the statements of a policy."""
    policy = json.loads((ROOT / f"deploy/aws/{name}.json").read_text())
    assert policy["Version"] == "2012-10-17"
    return list(policy["Statement"])


def listed(value: str | list[str]) -> list[str]:
    """Return the items of a value that IAM accepts as a list or as a single item."""
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("role", "claims"),
    [
        ("write", {"sub": f"{REPOSITORY}:environment:STACK", "ref": "refs/heads/main"}),
        ("read", {"sub": f"{REPOSITORY}:pull_request"}),
        ("drift", {"sub": f"{REPOSITORY}:ref:refs/heads/main"}),
    ],
)
def test_who_may_assume(role: str, claims: dict[str, str]) -> None:
    """Each role is for one kind of run of this repository; the writing one is bound to environment and branch."""
    (statement,) = read_statements(f"trust-{role}")
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"] == {
        "StringEquals": {f"{CLAIMS}:{name}": value for name, value in ({"aud": "sts.amazonaws.com"} | claims).items()}
    }


def test_state_of_one_stack() -> None:
    """A role's permissions for objects are limited to its own stack, named in full except for its folders."""
    for name in ("state-read", "state-write"):
        for statement in read_statements(name):
            assert statement["Effect"] == "Allow"
            for resource in listed(statement["Resource"]):
                if statement["Action"] == "s3:ListBucket":
                    assert resource == "arn:aws:s3:::BUCKET"
                elif resource.startswith("arn:aws:s3"):
                    assert "STACK" in resource or not WRITES & set(listed(statement["Action"]))
                    assert "*" not in resource.removesuffix("/STACK/*")


def test_reading_role_writes_nothing() -> None:
    """The role of pull requests can only list, get and decrypt."""
    actions = {action for statement in read_statements("state-read") for action in listed(statement["Action"])}
    assert actions == {"s3:ListBucket", "s3:GetObject", "kms:Decrypt"}


def test_key_of_one_stack() -> None:
    """A role uses one key, named in full."""
    for name in ("state-read", "state-write"):
        keys = [each["Resource"] for each in read_statements(name) if "kms:" in json.dumps(each["Action"])]
        assert keys == ["arn:aws:kms:us-east-1:123456789012:key/KEY"]


def test_roles_of_stacks() -> None:
    """Every stack has three different roles."""
    for stack in json.loads((GITHUB / "stacks.json").read_text()):
        assert len({stack["driftRole"], stack["readRole"], stack["writeRole"]}) == 3


def test_kubernetes() -> None:
    """The example is well-formed, and deleting the operator's object never deletes credentials."""
    objects = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/stack.yaml").read_text()))
    assert [each["kind"] for each in objects] == ["ServiceAccount", "ClusterRoleBinding", "Stack"]
    assert objects[-1]["spec"]["destroyOnFinalize"] is False
