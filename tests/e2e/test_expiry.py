"""Expiry of API keys with the real engine and a shifted clock, from the documented spec."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.documents.reading import blocks
from tests.e2e.existing import list_credentials, set_status
from tests.e2e.stack import ROOT
from tests.e2e.test_dump import WRITES, iamcreds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

DAY = 86_400
USER, NAME = "ai-assistant", "ai-assistant/bedrock"
(SPEC,) = (block.text for block in blocks(ROOT / "docs/expiry.md") if block.heading == "Expiry")
ENDLESS = f"users: {{{USER}: {{credentials: [{{service: bedrock}}]}}}}"


def rate_by_prowler(key: Any, now: datetime) -> str:  # noqa: ANN401 - an item of a list result
    """Rate a key by Prowler's check `bedrock_api_key_no_long_term_credentials`, in our words.

    (https://hub.prowler.com/check/bedrock_api_key_no_long_term_credentials.) An expired key passes. Any other long-term
    key fails: with severity critical if more than 10,000 days are left, which counts as never, and otherwise high.
    IAM omits the date of a key without an expiry, which never expires either.
    """
    if "ExpirationDate" not in key or (key["ExpirationDate"] - now).days > 10_000:
        return "critical"
    return "pass" if key["ExpirationDate"] <= now else "high"


def is_accepted_by_datadog(key: Any, now: datetime) -> bool:  # noqa: ANN401 - as above
    """Return True if a key passes Datadog's rules about long-term Bedrock keys, in our words.

    (https://docs.datadoghq.com/security/default_rules/def-000-usw/: an Active key must have an expiry and be at most 90
    days old. https://docs.datadoghq.com/security/default_rules/def-000-l7a/: a create is reported if the year of the
    expiry begins with 21, which stands for never.)
    """
    if key["Status"] != "Active":
        return True
    is_young = now - key["CreateDate"] <= timedelta(days=90)
    return is_young and "ExpirationDate" in key and not str(key["ExpirationDate"].year).startswith("21")


def find_keys(iam: IAMClient) -> list[Any]:
    """List the existing keys."""
    return list(list_credentials(iam, USER))


def at(key: Any, days: int) -> datetime:  # noqa: ANN401 - as above
    """Return the time so many days after the creation of a key."""
    created: datetime = key["CreateDate"]
    return created + timedelta(days=days)


def count(emulator: Emulator, operations: Iterable[str] = WRITES) -> int:
    """Count the calls that change a credential."""
    counts = emulator.controls.counts()
    return sum(counts.get(f"iam:{operation}ServiceSpecificCredential", 0) for operation in operations)


def test_documented_spec(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A documented key passes Datadog's rules for life, is never critical for Prowler, and is replaced by such a key.

    It costs no call that a key without an expiry does not cost.
    """
    iam.create_user(UserName=USER)
    calls: dict[str, list[dict[str, int]]] = {}
    for name, spec in (("endless", ENDLESS), ("expiring", SPEC)):
        stack.write_specs(ai=spec)
        for run in (stack.preview, stack.up, stack.preview):
            emulator.controls.clear_counts()
            run()
            calls.setdefault(name, []).append(emulator.controls.counts())
        (key,) = find_keys(iam)
        ratings = {rate_by_prowler(key, at(key, 0)), is_accepted_by_datadog(key, at(key, 1))}
        assert ratings == ({"critical", False} if name == "endless" else {"high", True})
        if name == "endless":
            stack.write_specs(ai=f"users: {{{USER}: {{credentials: []}}}}")
            stack.up()
    once = dict.fromkeys(("iam:ListServiceSpecificCredentials", "sts:GetCallerIdentity"), 1)
    first = once | {"iam:ListUsers": 1}
    assert calls["expiring"] == [first, first | {"iam:CreateServiceSpecificCredential": 1}, once]
    assert calls["endless"] == calls["expiring"]
    assert all(is_accepted_by_datadog(key, at(key, day)) for day in range(91))
    stack.assert_no_changes()

    emulator.controls.set(clock_shift=90 * DAY + 60)
    (old,) = find_keys(iam)
    assert (old["Status"], rate_by_prowler(old, at(old, 90)), is_accepted_by_datadog(old, at(old, 91))) == (
        "Expired",
        "pass",
        True,
    )
    preview = stack.run("preview", "--json").text
    (stack.folder / "preview.json").write_text(preview)
    comment = iamcreds(stack, "plan", "preview.json")
    (row,) = (line for line in comment.splitlines() if line.startswith(f"| `{NAME}`"))
    assert "| replace | expired" in row
    assert "deletes a working" not in comment
    stack.up()
    (new,) = find_keys(iam)
    assert new["ServiceSpecificCredentialId"] != old["ServiceSpecificCredentialId"]
    assert new["ExpirationDate"] == at(new, 90)
    assert stack.read_resources()[NAME]["outputs"]["issued_at"] == new["CreateDate"].isoformat()
    stack.assert_no_changes()


def test_deactivated_before_the_end(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A key that was deactivated, as a run recorded, is not replaced after its end until its `reset` changes."""
    iam.create_user(UserName=USER)
    stack.write_specs(ai=SPEC)
    stack.up()
    (old,) = find_keys(iam)
    emulator.controls.set(clock_shift=DAY)
    set_status(iam, USER, "Inactive")
    stack.up()
    emulator.controls.set(clock_shift=91 * DAY)
    warning = f"credential {old['ServiceSpecificCredentialId']} of user {USER} is Expired and is not replaced"
    for _ in range(2):
        completed = stack.run("preview", "--diff", "--expect-no-changes")
        assert (completed.code, completed.text.count(warning)) == (0, 1), completed.text
        assert warning in stack.up()
    assert stack.read_resources()[NAME]["outputs"]["deactivated"] is True
    assert find_keys(iam) == [old | {"Status": "Expired"}]
    stack.succeed("stack", "export", "--file", "state.json")
    found = json.loads(iamcreds(stack, "drift", "specs", "--state", "state.json", "--format", "json", code=2))
    (difference,) = found["accounts"][0]["differences"]
    assert "is not replaced, because it was deactivated manually before its expiry" in difference["message"]
    assert difference["live"][0]["issuedAt"] == old["CreateDate"].isoformat()
    stack.write_specs(ai=SPEC.replace("service: bedrock", "service: bedrock\n        reset: leaked"))
    stack.up()
    (new,) = find_keys(iam)
    assert (new["Status"], new["ExpirationDate"]) == ("Active", at(new, 90))
    stack.assert_no_changes()


def test_adopted(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """The specs of `dump` import a key with its end date without a change, and its successor ends as well.

    Without `expire`, each run names the line to add, and adding it changes nothing in AWS.
    """
    iam.create_user(UserName=USER)
    iam.create_service_specific_credential(UserName=USER, ServiceName="bedrock.amazonaws.com", CredentialAgeDays=45)
    (old,) = find_keys(iam)
    emulator.controls.set(clock_shift=DAY)
    emulator.controls.clear_counts()
    iamcreds(stack, "dump", "--to", "specs")
    spec = (stack.folder / f"specs/{USER}.yaml").read_text()
    assert "expire: {after: 45d}" in spec
    line = "but its successor would not expire. Declare `expire: {after: 45d}`"
    (stack.folder / f"specs/{USER}.yaml").write_text(spec.replace("        expire: {after: 45d}\n", ""))
    assert line in stack.preview()
    assert line in stack.up()
    (stack.folder / f"specs/{USER}.yaml").write_text(spec)
    stack.preview()
    stack.up()
    stack.assert_no_changes()
    assert (count(emulator), find_keys(iam)) == (0, [old])
    emulator.controls.set(clock_shift=46 * DAY)
    stack.up()
    (new,) = find_keys(iam)
    assert new["ServiceSpecificCredentialId"] != old["ServiceSpecificCredentialId"]
    assert new["ExpirationDate"] == at(new, 45)
    stack.assert_no_changes()


def test_program_with_an_older_state(stack: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A program with classes shows no change for a state without `issued_at`, and knows a manual deactivation."""
    iam.create_user(UserName=USER)
    program = (
        "import pulumi\nfrom dynamic_providers import ServiceSpecificCredential\n"
        f'user = pulumi.Output.from_input("{USER}")\n'
        'key = ServiceSpecificCredential("{}", user=user, service="bedrock", age_days=30{})\n'
        'pulumi.export("issued", key.issued_at)\n'
    )
    stack.write_program(program.format("key", ""))
    stack.up()
    state = json.loads(stack.succeed("stack", "export"))
    for resource in state["deployment"]["resources"]:
        resource.get("outputs", {}).pop("issued_at", None)
    (stack.folder / "state.json").write_text(json.dumps(state))
    stack.succeed("stack", "import", "--file", "state.json")
    emulator.controls.set(clock_shift=DAY)
    stack.assert_no_changes()
    stack.up()
    assert stack.read_outputs().get("issued") is None
    set_status(iam, USER, "Inactive")
    stack.succeed("refresh", "--yes")
    emulator.controls.set(clock_shift=31 * DAY)
    before = find_keys(iam)
    stack.write_program(program.format("renamed", ', opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="key")])'))
    assert "is Expired and is not replaced" in stack.up()
    assert find_keys(iam) == before
