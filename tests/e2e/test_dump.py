"""Import of a whole account: the specs of `iamcreds dump` change nothing in AWS, and the next run has no changes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.e2e.existing import pass_a_day

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

WRITES = ("Create", "Reset", "Update", "Delete")
SERVICES = ("codecommit.amazonaws.com", "logs.amazonaws.com")


def test_fifty(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """An import changes none of fifty credentials; the next preview has no changes, and drift has no findings."""
    for number in range(20):
        user = f"user-{number:02}"
        iam.create_user(UserName=user)
        for service in (*SERVICES, *(SERVICES[:1] if number < 10 else ())):
            made = iam.create_service_specific_credential(UserName=user, ServiceName=service)
            if number % 5 == 0:
                iam.update_service_specific_credential(
                    UserName=user,
                    ServiceSpecificCredentialId=made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"],
                    Status="Inactive",
                )
    pass_a_day(emulator)
    before = iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"]
    assert len(before) == 50
    emulator.controls.clear_counts()
    iamcreds(stack, "dump", "--to", "specs")
    assert iamcreds(stack, "validate", "specs") == "20 files, 20 users, 50 credentials\n"
    assert stack.preview().count("adopts: ") == 50
    stack.up()
    stack.assert_no_changes()
    counts = emulator.controls.counts()
    assert sum(counts.get(f"iam:{write}ServiceSpecificCredential", 0) for write in WRITES) == 0
    assert iam.list_service_specific_credentials(AllUsers=True)["ServiceSpecificCredentials"] == before
    assert len(stack.read_resources()) == 50
    state = stack.folder / "state.json"
    stack.succeed("stack", "export", "--file", str(state))
    said = iamcreds(stack, "drift", "specs", "--state", "state.json")
    assert said.startswith("no differences in account 123456789012: compared 50 declared credentials")
    assert "not checked" not in said
    made = iam.create_service_specific_credential(UserName="user-19", ServiceName=SERVICES[0])
    unmanaged = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    said = iamcreds(stack, "drift", "specs", "--state", "state.json", code=2)
    assert f"user-19: codecommit credential {unmanaged} (Active, " in said
    assert said.count("next: ") == 1


def iamcreds(stack: Stack, *words: str, code: int = 0) -> str:
    """Run a command in the stack's folder without the passphrase, assert its exit code, and return standard output."""
    env = {name: value for name, value in stack.env.items() if name != "PULUMI_CONFIG_PASSPHRASE"}
    done = subprocess.run(
        ["iamcreds", *words],  # noqa: S607 - found by the PATH of the stack
        cwd=stack.folder, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    stack.printed.append(done.stdout + done.stderr)
    assert done.returncode == code, done.stderr
    return done.stdout
