"""An account with an example of everything for a report: people, build machines, leavers, undeclared users."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

CODECOMMIT, KEYSPACES = "codecommit.amazonaws.com", "cassandra.amazonaws.com"
BEDROCK, LOGS = "bedrock.amazonaws.com", "logs.amazonaws.com"
DAY = 86_400
TEAM = [f"engineer-{number:02}" for number in range(1, 25)]

SPECS = """\
defaults:
  accessKeys: {max: 1, maxAgeDays: 180, maxIdleDays: 60}
users:
  build-bot:
    credentials:
      - {service: codecommit, name: primary, status: Active}
      - {service: codecommit, name: spare, status: Inactive}
    accessKeys: {max: 2, maxAgeDays: 365}
  jane:
    credentials:
      - {service: codecommit, reset: "2026-11-01 laptop lost"}
      - {service: keyspaces}
  new-starter:
    credentials: [{service: codecommit}]
  payments-assistant:
    credentials: [{service: bedrock}]
    accessKeys: {max: 0, enforce: true}
  retired:
    credentials: []
"""


def declare(folder: Path) -> Path:
    """Write specs in two files: the company, and a large team."""
    folder.mkdir(exist_ok=True)
    (folder / "company.yaml").write_text(SPECS)
    lines = [f"  {user}: {{credentials: [{{service: codecommit}}, {{service: bedrock}}]}}\n" for user in TEAM]
    (folder / "engineers.yaml").write_text("users:\n" + "".join(lines))
    return folder


def fill(emulator: Emulator, iam: IAMClient) -> None:
    """Fill the account, mostly as declared, over the last year and a half."""
    clock = emulator.controls
    clock.set(clock_shift=-500 * DAY)
    for user in ["build-bot", "contractor+x@example.com", "jane", "payments-assistant", "retired", *TEAM]:
        iam.create_user(UserName=user)
    iam.create_service_specific_credential(UserName="retired", ServiceName=CODECOMMIT)
    iam.create_access_key(UserName="payments-assistant")
    old = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    clock.set(clock_shift=-200 * DAY)
    for user in ["build-bot", "build-bot", "jane"]:
        iam.create_service_specific_credential(UserName=user, ServiceName=CODECOMMIT)
    iam.create_service_specific_credential(UserName="contractor+x@example.com", ServiceName=LOGS, CredentialAgeDays=150)
    iam.create_service_specific_credential(UserName="payments-assistant", ServiceName=BEDROCK, CredentialAgeDays=205)
    iam.create_access_key(UserName="contractor+x@example.com")
    for number, user in enumerate(TEAM):
        clock.set(clock_shift=-(5 + 6 * number) * DAY)
        iam.create_service_specific_credential(UserName=user, ServiceName=CODECOMMIT)
        iam.create_service_specific_credential(UserName=user, ServiceName=BEDROCK, CredentialAgeDays=150 + 19 * number)
        iam.create_access_key(UserName=user)
    clock.set(clock_shift=0)
    iam.create_service_specific_credential(UserName="jane", ServiceName=KEYSPACES)
    iam.create_service_specific_credential(UserName=TEAM[3], ServiceName=CODECOMMIT)
    clock.use_access_key(old, datetime.now(UTC) - timedelta(days=90))
    listed = iam.list_service_specific_credentials(UserName=TEAM[5], ServiceName=CODECOMMIT)
    iam.update_service_specific_credential(
        UserName=TEAM[5],
        ServiceSpecificCredentialId=listed["ServiceSpecificCredentials"][0]["ServiceSpecificCredentialId"],
        Status="Inactive",
    )
