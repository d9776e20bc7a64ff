"""`AccessKeys` in every preview: output, warnings, errors, and no changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

DAY = 86_400


def test_keys_are_shown(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The first preview shows every existing key of a watched user; later ones show changes since then."""
    iam.create_user(UserName="jane")
    key = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    stack.write_specs(jane="users: {jane: {accessKeys: {max: 2}}}")
    assert f'id: "{key}"' in stack.preview()
    stack.up()
    stack.assert_no_changes()
    emulator.controls.use_access_key(key, datetime(2026, 11, 20, 8, tzinfo=UTC), "s3", "eu-west-1")
    iam.update_access_key(UserName="jane", AccessKeyId=key, Status="Inactive")
    shown = stack.preview()
    assert '~ status: "Active" => "Inactive"' in shown
    assert '+ last_used: "2026-11-20"' in shown
    assert '+ region: "eu-west-1"' in shown
    stack.up()
    stack.assert_no_changes()


def test_findings_are_warnings(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Every run warns about too many, too old and idle keys by user, key and rule, and changes none of them."""
    iam.create_user(UserName="jane")
    emulator.controls.set(clock_shift=-100 * DAY)
    old = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    emulator.controls.set(clock_shift=0)
    new = iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"]
    emulator.controls.use_access_key(old, datetime.now(UTC) - timedelta(days=60))
    stack.write_specs(jane="users: {jane: {accessKeys: {max: 1, maxAgeDays: 90, maxIdleDays: 45}}}")
    said = stack.up()
    assert "jane: has 2 access keys" in said
    assert f"jane: access key {old} is older than 90 days: created on " in said
    assert f"jane: access key {old} has not been used for 45 days: last used on " in said
    assert f"access key {new} is" not in said
    again = stack.run("preview", "--expect-no-changes")
    assert again.code == 0
    assert "[access-key-too-old]" in again.text
    assert {key["AccessKeyId"] for key in iam.list_access_keys(UserName="jane")["AccessKeyMetadata"]} == {old, new}


def test_enforced_findings_stop_the_preview(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """`enforce` fails a run before any change, unless the config permits it; another user's finding fails none."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
        iam.create_access_key(UserName=user)
    stack.write_specs(
        team="""defaults: {accessKeys: {max: 0}}
users:
  jane: {credentials: [{service: codecommit}], accessKeys: {enforce: true}}
  joe: {credentials: []}
"""
    )
    for command in (["preview"], ["up", "--yes"]):
        said = stack.fail(*command)
        assert "jane: has 1 access key" in said
        assert "[too-many-access-keys], and the policy is enforced" in said
        assert "joe: has" not in said.split("error:")[1].splitlines()[0]
    assert "iam:CreateServiceSpecificCredential" not in emulator.controls.counts()
    said = stack.succeed("up", "--yes", "--config", "enforce=false")
    assert "jane: has 1 access key" in said
    assert "access key policies are not enforced" in said
    assert "jane/codecommit" in stack.read_resources()


def test_now_is_a_preview_of_another_day(stack: Stack, iam: IAMClient) -> None:
    """With the config `now`, a preview shows the findings of that day; an invalid date is rejected."""
    iam.create_user(UserName="jane")
    iam.create_access_key(UserName="jane")
    stack.write_specs(jane="users: {jane: {accessKeys: {maxAgeDays: 90}}}")
    stack.up()
    stack.succeed("config", "set", "now", (datetime.now(UTC) + timedelta(days=91)).date().isoformat())
    assert "is older than 90 days" in stack.preview()
    stack.succeed("config", "set", "now", "someday")
    assert "config `now`: 'someday' is not a valid ISO 8601 date" in stack.fail("preview")


def test_missing_user_and_paging(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """All pages of keys are read, however short the pages are; a user who does not exist is a finding."""
    iam.create_user(UserName="jane")
    keys = {iam.create_access_key(UserName="jane")["AccessKey"]["AccessKeyId"] for _ in range(2)}
    emulator.controls.set(page_limit=1)
    stack.write_specs(team="users: {jane: {accessKeys: {max: 2}}, ghost: {accessKeys: {max: 2}}}")
    said = stack.up()
    assert all(key in said for key in keys)
    assert "ghost: the IAM user does not exist" in said


def test_unwatched_users_cost_nothing(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Users without an access-key policy cause no requests: a preview without changes makes one call to IAM."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane="users: {jane: {credentials: [{service: codecommit}]}}")
    stack.up()
    emulator.controls.clear_counts()
    stack.assert_no_changes()
    assert emulator.controls.counts() == {"iam:ListServiceSpecificCredentials": 1, "sts:GetCallerIdentity": 1}
