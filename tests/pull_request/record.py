"""Record the previews in this folder from the real engine on the IAM emulator: `make previews`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from iamcreds.emulator.server import Emulator
from tests.e2e.stack import Stack, add_aws_plugin, create_stack, find_engine
from tests.pull_request.previews import RECORDED

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

A_DAY = 86_400
LEFT_OUT = frozenset({"stackTrace", "duration"})
"""Keys with paths of this machine, or with values that differ in each run."""
STAND_IN = "using pulumi-resource-aws from $PATH"
"""The engine's warning about the substitute for the plugin, which has a path of this machine."""

BOT = """
users:
  bot:
    credentials:
      - {service: codecommit, name: primary, status: Active}
      - {service: codecommit, name: spare, status: Inactive}
    accessKeys: {max: 1}
"""
TEAM = """
defaults:
  accessKeys: {max: 1}
users:
  jane:
    credentials:
      - {service: codecommit}
      - {service: keyspaces}
      - {service: bedrock, status: Active}
  joe:
    credentials: [{service: bedrock}]
  old:
    credentials:
      - {service: codecommit}
      - {service: logs, protect: true}
"""
CHANGED = """
defaults:
  accessKeys: {max: 1}
users:
  jane:
    credentials:
      - {service: codecommit, status: Inactive}
      - {service: keyspaces, reset: lost}
      - {service: bedrock, status: Active, reset: x}
  joe:
    credentials: [{service: bedrock}]
  old:
    credentials:
      - {service: logs}
"""
REFUSED = """
users:
  bot:
    credentials: [{service: bedrock, reset: lost}]
    accessKeys: {max: 1, enforce: true}
  ghost:
    credentials:
      - {service: bedrock}
  jane:
    credentials:
      - {service: codecommit}
      - {service: teapot.amazonaws.com}
  old:
    credentials: [{service: logs}]
"""
ROTATING = """
users:
  jane:
    credentials: [{{service: keyspaces, rotate: {{every: 90d, overlap: 7d}}}}]
  joe:
    credentials: [{{service: bedrock, expire: {{after: 300d}}, rotate: {{every: 90d, overlap: 7d}}}}]
  bot:
    credentials: [{bot}]
  old:
    credentials:
      - {{service: codecommit, rotate: {{trigger: "{trigger}", overlap: 20d}}}}
      - {{service: logs, rotate: {{trigger: "{trigger}", overlap: 20d, retire: delete}}}}
"""
MADE = """
users:
  new-bot:
    iamUser: {path: /bots/, policyArns: ["arn:aws:iam::123456789012:policy/reading"]}
    credentials: [{service: codecommit}]
  new-one:
    iamUser: {policyArns: ["arn:aws:iam::123456789012:policy/reading"]}
    credentials: []
  jane:
    iamUser: {import: true}
    credentials: []
  joe:
    iamUser: {import: true, path: /team/, retainOnDelete: true}
    credentials: []
"""
PROGRAM = """
import pulumi
from dynamic_providers import ServiceSpecificCredential

ServiceSpecificCredential("jane/codecommit", user={0!r}, service="codecommit")
ServiceSpecificCredential("bot/bedrock", user={1!r}, service="bedrock")
ServiceSpecificCredential({2!r}, user="bot", service="logs", opts=pulumi.ResourceOptions(aliases=[{3}]))
"""


def main() -> None:
    """Record all previews."""
    engine = find_engine()
    with tempfile.TemporaryDirectory(prefix="iamcreds-previews-") as name:
        for record in (record_specs, record_refusals, record_program, record_rotations, record_iam_users):
            folder = Path(name) / record.__name__
            folder.mkdir()
            with Emulator() as emulator:
                iam = boto3.client(
                    "iam", "us-east-1", endpoint_url=emulator.url,
                    aws_access_key_id="a", aws_secret_access_key="b",
                )  # fmt: skip
                for user in ("bot", "jane", "joe", "old"):
                    iam.create_user(UserName=user)
                emulator.controls.set(clock_shift=-A_DAY)
                record(create_stack(folder, engine, emulator.url), iam, emulator)


def record_specs(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Record previews of changed specs and of a changed account."""
    for _ in range(2):
        iam.create_access_key(UserName="jane")
    stack.write_specs(bot=BOT, team=TEAM)
    record_preview(stack, "create")
    stack.up()
    record_preview(stack, "nothing")
    record_preview(stack, "without-refresh", "--refresh=false", sames=False)
    stack.write_specs(bot=BOT, team=TEAM.replace("- {service: codecommit}", "- {service: codecommit, name: laptop}", 1))
    record_preview(stack, "renamed")
    existing = {name: resource["id"] for name, resource in stack.read_resources().items()}
    emulator.controls.set(clock_shift=0)
    for name in ("jane/codecommit", "jane/bedrock"):
        iam.update_service_specific_credential(
            UserName="jane", ServiceSpecificCredentialId=existing[name], Status="Inactive"
        )
    stack.write_specs(bot=BOT.replace("Inactive", "Active"), team=CHANGED)
    record_preview(stack, "changes")
    stack.write_specs(bot=BOT, team=CHANGED.replace("- {service: logs}", "[]").replace("\n      []", " []"))
    record_preview(stack, "failed")
    stack.write_specs(bot=BOT, team=TEAM)
    iam.delete_service_specific_credential(UserName="joe", ServiceSpecificCredentialId=existing["joe/bedrock"])
    record_preview(stack, "drift")
    record_preview(stack, "unreachable", AWS_ENDPOINT_URL="http://127.0.0.1:9")


def record_refusals(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Record rejections in a preview that fails and in one that completes, next to a deletion."""
    stack.write_specs(
        team="users:\n  bot: {credentials: [{service: bedrock}]}\n  joe: {credentials: [{service: logs}]}\n"
        "  old: {credentials: [{service: logs}]}"
    )
    stack.up()
    emulator.controls.set(clock_shift=0)
    for _ in range(2):
        iam.create_access_key(UserName="bot")
    iam.create_service_specific_credential(UserName="jane", ServiceName="codecommit.amazonaws.com")
    stack.write_specs(team=REFUSED)
    record_preview(stack, "refused")
    record_preview(stack, "reported", IAMCREDS_REJECTIONS="report")


def record_program(stack: Stack, _iam: IAMClient, _emulator: Emulator) -> None:
    """Record a program that moves credentials to other users, and renames one."""
    stack.write_program(PROGRAM.format("jane", "bot", "bot/logs", ""))
    stack.up()
    stack.write_program(PROGRAM.format("bot", "jane", "bot/l", "pulumi.Alias(name='bot/logs')"))
    record_preview(stack, "replace")


def record_rotations(stack: Stack, _iam: IAMClient, emulator: Emulator) -> None:
    """Record rotations of credentials with one and with two slots, and retirements by either policy."""

    def run_at(day: int, **values: str) -> None:
        emulator.controls.set(clock_shift=(day - 200) * A_DAY)
        stack.write_specs(team=ROTATING.format(**{"bot": "", "trigger": "1"} | values))
        stack.up()

    later = "{service: bedrock, expire: {after: 150d}, rotate: {every: 80d, overlap: 7d}}"
    run_at(0)
    run_at(100)
    run_at(110)
    run_at(120, bot=later)
    run_at(175, bot=later, trigger="2")
    emulator.controls.set(clock_shift=-2 * A_DAY)
    record_preview(stack, "rotations")


def record_iam_users(stack: Stack, iam: IAMClient, _emulator: Emulator) -> None:
    """Record specs that create IAM users, and specs that remove them."""
    add_aws_plugin(stack, stack.folder.parent)
    allowed = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.create_policy(PolicyName="reading", PolicyDocument=document)
    stack.write_specs(team=MADE)
    record_preview(stack, "iam-users")
    stack.up()
    stack.write_specs(team="users: {jane: {credentials: [], iamUser: {tags: {team: payments}, protect: true}}}")
    record_preview(stack, "iam-users-gone")


def record_preview(stack: Stack, name: str, *options: str, sames: bool = True, **env: str) -> None:
    """Write the output of `pulumi preview --json` without details of this machine."""
    arguments = ["preview", "--json", *(["--show-sames"] if sames else []), *options]
    printed = stack.run(*arguments, **env).text
    document, _ = json.JSONDecoder().raw_decode(printed[printed.index("{") :])
    (RECORDED / f"{name}.json").write_text(json.dumps(strip(document), indent=1, sort_keys=True) + "\n")


def strip(node: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the document without the excluded keys."""
    if isinstance(node, list):
        return [
            strip(value) for value in node if not (isinstance(value, dict) and STAND_IN in str(value.get("message")))
        ]
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if key not in LEFT_OUT}
        if str(kept.get("sourcePosition")).startswith("project:///.."):
            del kept["sourcePosition"]
        return {key: strip(value) for key, value in kept.items()}
    return node


if __name__ == "__main__":
    main()
