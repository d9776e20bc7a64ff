"""Steps of tests about delivered secrets: the store, its calls, and the passwords in a state."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import boto3

from tests.e2e.stack import SECONDS

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

REGION = "eu-west-1"
SECRET = "codecommit/jane"
DESCRIBE, TAG = "secretsmanager:DescribeSecret", "secretsmanager:TagResource"
CREATE_SECRET, PUT = "secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"
LIST = "secretsmanager:ListSecrets"
"""The calls of Secrets Manager."""
READS = ("iam:List", "iam:Get", "sts:")


def open_store(emulator: Emulator, region: str = REGION) -> SecretsManagerClient:
    """Return a client of Secrets Manager, as a consumer has it."""
    return boto3.client(
        "secretsmanager", endpoint_url=emulator.url, region_name=region,
        aws_access_key_id="a", aws_secret_access_key="b",
    )  # fmt: skip


def read_secret(store: SecretsManagerClient, name: str = SECRET) -> dict[str, str]:
    """Return the content of a secret, as a consumer reads it."""
    return dict(json.loads(store.get_secret_value(SecretId=name)["SecretString"]))


def overwrite(store: SecretsManagerClient, name: str = SECRET) -> None:
    """Overwrite a secret, as a person does in the console."""
    store.put_secret_value(SecretId=name, SecretString="overwritten")


def assert_stored(store: SecretsManagerClient, emulator: Emulator, name: str = SECRET) -> dict[str, str]:
    """Assert that the store has the valid password of a credential; return the secret's content."""
    content = read_secret(store, name)
    assert content["password"] == emulator.controls.passwords()[content["credentialId"]]
    return content


def list_calls(stack: Stack, emulator: Emulator, *arguments: str) -> list[str]:
    """Run pulumi, which must succeed, and return the calls to stores, and those that change IAM, in their order."""
    emulator.controls.clear_counts()
    stack.succeed(*(arguments or ("up", "--yes", "--skip-preview")))
    return [call for call in emulator.controls.calls() if not call.startswith(READS)]


def export_state(stack: Stack) -> str:
    """Return the state with all passwords in clear text, without adding it to `printed`."""
    exported = subprocess.run(
        ["pulumi", "stack", "export", "--show-secrets"],  # noqa: S607 - found by the PATH of the stack
        cwd=stack.folder, env=stack.env, capture_output=True, text=True, timeout=SECONDS, check=True,
    )  # fmt: skip
    return exported.stdout


def find_recorded(stack: Stack, emulator: Emulator) -> list[str]:
    """Return the passwords that the state has, from all that were ever issued."""
    state = export_state(stack)
    return [secret for secret in emulator.controls.secrets() if secret in state]


def read_delivery(stack: Stack, name: str) -> dict[str, Any]:
    """Return the delivery of a credential in the stack's outputs."""
    return dict(stack.read_outputs()["credentials"][name]["delivery"])
