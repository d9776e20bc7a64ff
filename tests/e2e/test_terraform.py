"""The migration from Terraform in `docs/adoption.md`: its commands run as written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.documents.reading import blocks
from tests.e2e.existing import pass_a_day
from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

CODECOMMIT = "codecommit.amazonaws.com"
FIRST, SECOND, KEY, FOREIGN = (f"ACCATERRAFORM{number:08}" for number in range(4))
PASSWORDS = {FIRST: "first/+=first", SECOND: "second $HOME %s", KEY: "ABSKkey0000000000"}


def terraform_state() -> dict[str, Any]:
    """A state in Terraform's format, version 4: two passwords of jane's, john's API key by `for_each`, and a user.

    The provider writes an empty password for an API key, and loses some passwords (terraform-provider-aws#47421).
    """
    provider = 'provider["registry.terraform.io/hashicorp/aws"]'
    credential = "aws_iam_service_specific_credential"

    def instance(user: str, service: str, credential_id: str, **more: str) -> dict[str, Any]:
        attributes = {
            "id": f"{service}:{user}:{credential_id}",
            "service_name": service,
            "service_specific_credential_id": credential_id,
            "service_password": None,
            "service_credential_secret": None,
            "status": "Active",
            "user_name": user,
        }
        return {"schema_version": 0, "attributes": attributes | more, "sensitive_attributes": []}

    def resource(type_: str, name: str, *instances: dict[str, Any]) -> dict[str, Any]:
        return {"mode": "managed", "type": type_, "name": name, "provider": provider, "instances": list(instances)}

    user = {"schema_version": 0, "attributes": {"id": "jane", "name": "jane"}, "sensitive_attributes": []}
    key = instance("john", "bedrock.amazonaws.com", KEY, service_password="", service_credential_secret=PASSWORDS[KEY])
    lost = instance("john", CODECOMMIT, FOREIGN, service_password="", service_credential_secret="")
    return {
        "version": 4,
        "terraform_version": "1.9.8",
        "serial": 7,
        "lineage": "3f0c0d5e-0f0a-4a0e-9d8e-000000000000",
        "outputs": {},
        "resources": [
            resource("aws_iam_user", "jane", user),
            resource(credential, "git", instance("jane", CODECOMMIT, FIRST, service_password=PASSWORDS[FIRST])),
            resource(credential, "spare", instance("jane", CODECOMMIT, SECOND, service_password=PASSWORDS[SECOND])),
            resource(credential, "keys", key | {"index_key": "john"}),
            resource(credential, "lost", lost),
            resource(credential, "gone", instance("jane", CODECOMMIT, "ACCADELETED0000000000", service_password="x")),
        ],
        "check_results": None,
    }


STUB = """#!/bin/sh
case "$*" in
  "state pull") cat state.json ;;
  query*) cat declared.json ;;
  "config set"*) shift 4; echo "$1=$(cat)" ;;
esac
"""


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not on PATH, and the migration from Terraform uses it")
def test_passwords_from_terraform(tmp_path: Path) -> None:
    """Every secret of the state becomes a password of the config, and no empty one does."""
    names = {
        FIRST: "jane/codecommit",
        SECOND: "jane/codecommit/second",
        KEY: "john/bedrock",
        FOREIGN: "john/codecommit",
    }
    (tmp_path / "state.json").write_text(json.dumps(terraform_state()))
    (tmp_path / "declared.json").write_text(
        json.dumps([{"adopt": id_, "resource": name} for id_, name in names.items()])
    )
    for program in ("terraform", "iamcreds", "pulumi"):
        (tmp_path / program).write_text(STUB)
        (tmp_path / program).chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", read_commands()],  # noqa: S607 - a person's shell
        cwd=tmp_path, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    passwords = {f'passwords["{names[id_]}"]={password}' for id_, password in PASSWORDS.items()}
    assert set(done.stdout.splitlines()) == passwords


def read_commands() -> str:
    """Return the commands of the document."""
    (commands,) = (block.text for block in blocks(ROOT / "docs/adoption.md") if block.language == "bash")
    return commands


def test_from_terraform(stack: Stack, iam: IAMClient, emulator: Emulator, tmp_path: Path) -> None:
    """After the migration, the stack has every password that Terraform knows, without a change in AWS."""
    if shutil.which("jq") is None:
        pytest.skip("jq is not on PATH, and the migration from Terraform uses it")
    for user in ("jane", "john"):
        iam.create_user(UserName=user)
    put = emulator.controls.put_credential
    put(FIRST, "jane", CODECOMMIT, created="2026-01-01T00:00:00+00:00", password=PASSWORDS[FIRST])
    put(SECOND, "jane", CODECOMMIT, created="2026-02-01T00:00:00+00:00", password=PASSWORDS[SECOND])
    put(KEY, "john", "bedrock.amazonaws.com", password=PASSWORDS[KEY])
    put(FOREIGN, "john", CODECOMMIT)
    pass_a_day(emulator)
    emulator.controls.clear_counts()
    state = tmp_path / "kept-elsewhere"  # outside the stack: the search for leaks must not find Terraform's own file
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/terraform").write_text(f"#!/bin/sh\n[ \"$*\" = 'state pull' ] && cat {state}\n")
    (tmp_path / "bin/terraform").chmod(0o755)
    state.write_text(json.dumps(terraform_state()))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", read_commands()],  # noqa: S607 - a person's shell
        cwd=stack.folder, env=stack.env | {"PATH": f"{tmp_path}/bin:{stack.env['PATH']}"},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    state.unlink()
    stack.printed.append(done.stdout + done.stderr)
    assert done.returncode == 0, done.stderr
    assert stack.read_secrets() == {
        "jane/codecommit": PASSWORDS[FIRST],
        "jane/codecommit/second": PASSWORDS[SECOND],
        "john/bedrock": PASSWORDS[KEY],
    } | ({"john/codecommit": None} if "john/codecommit" in stack.read_secrets() else {})
    writes = [name for name in emulator.controls.counts() if "List" not in name and "Get" not in name]
    assert writes == []
    assert sorted(path.name for path in stack.folder.iterdir() if path.suffix == ".json") == []
    stack.assert_no_changes()
