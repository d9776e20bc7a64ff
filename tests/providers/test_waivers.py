"""Waivers in runs: a waived finding is information, and a rejection only from its date on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.dynamic import Config, ConfigureRequest

from dynamic_providers.access_keys import AccessKeysProvider
from dynamic_providers.unmanaged_credentials import UnmanagedCredentialsProvider
from iamcreds.desired import CredentialPolicy
from iamcreds.pulumi_engine.program_context import policy_context
from iamcreds.pulumi_engine.registration import _list_watchers, _Run
from iamcreds.pulumi_engine.run_context import RunContext
from iamcreds.pulumi_engine.run_progress import RunProgress
from iamcreds.pulumi_engine.waivers import waivers_context
from iamcreds.specs import load
from tests.providers.conftest import new_process
from tests.providers.requests import CODECOMMIT, INPUTS, UNMANAGED, reasons
from tests.providers.test_credential_policy import (
    ENFORCED,
    LATER,
    OLD,
    ONLY_KEYS,
    OPTIONS,
    TOO_OLD,
    own,
    put,
    start,
)

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

pytestmark = pytest.mark.usefixtures("iam", "provider")
END = datetime(2026, 5, 1, tzinfo=UTC)
SOON = END - timedelta(microseconds=1)
PLACE = "specs/jane.yaml:7:13"
KEYS = {"jane": {"max": 0.0, "enforce": True}}


def waive(*rules: str, user: str = "jane", reason: str = "vendor") -> dict[str, Any]:
    """Return the part of a run context with waivers of these rules, with numbers as the engine sends them."""
    place = ["specs/jane.yaml", 7.0, 13.0]
    waivers = [{"rule": rule, "reason": reason, "until": END.isoformat(), "place": place} for rule in rules]
    return {"waivers": {user: waivers}}


def start_watcher(now: datetime = SOON) -> AccessKeysProvider:
    """Return the provider of access keys in a new process, at this time of the stack's config."""
    new_process()
    watcher = AccessKeysProvider()
    watcher.configure(ConfigureRequest(Config({"iamcreds:now": now.isoformat()}, "iamcreds")))
    return watcher


@pytest.mark.parametrize("is_enforced", [False, True])
def test_credential(emulator: Emulator, capsys: pytest.CaptureFixture[str], *, is_enforced: bool) -> None:
    """Before its date, a waived violation is one line of information, enforced or not, and changes no input."""
    put(emulator)
    context = own(OLD | (ENFORCED if is_enforced else {}), **waive("credential-too-old"))
    for now in (LATER, SOON):
        checked = start(now).check(INPUTS, context)
        assert (checked.inputs, checked.failures) == (INPUTS, [])
        assert capsys.readouterr().err == f"jane: {TOO_OLD}, waived until 2026-05-01 ({PLACE}): vendor\n"


def test_end_of_waiver(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """From its date on, the violation is rejected again, and the rejection has the end of the waiver."""
    put(emulator)
    context = own(OLD | ENFORCED, **waive("credential-too-old"))
    (reason,) = reasons(start(END).check(INPUTS, context))
    assert reason == f"{TOO_OLD} (waived until 2026-05-01), and the policy is enforced. {OPTIONS}"
    assert start(END).check(INPUTS, own(OLD, **waive("credential-too-old"))).failures == []
    assert capsys.readouterr().err == f"warning: jane: {TOO_OLD}\n"


def test_other_violation(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A waiver of one rule does not permit the violation of another one, whose rejection does not have it."""
    put(emulator)
    context = own(OLD | ONLY_KEYS | ENFORCED, **waive("credential-too-old"))
    (reason,) = reasons(start().check(INPUTS, context))
    assert "[service-not-allowed], and the policy is enforced" in reason
    assert "credential-too-old" not in reason
    assert "[credential-too-old], waived until" in capsys.readouterr().err


def test_other_user(emulator: Emulator) -> None:
    """If a transformation has changed the user, the waivers of the declared user do not apply."""
    put(emulator)
    assert reasons(start().check(INPUTS, own(OLD | ENFORCED, **waive("credential-too-old", user="joe")))) != []


def test_not_enforced(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The config `enforce: false` causes its warning also if every violation is waived."""
    put(emulator)
    start(enforce="false").check(INPUTS, own(OLD | ENFORCED, **waive("credential-too-old")))
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"jane: {TOO_OLD}, waived until")
    assert second.startswith("warning: credential policies are not enforced")


def test_hostile_reason(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A reason with line breaks and control characters stays on the line of its finding."""
    put(emulator)
    start().check(INPUTS, own(OLD, **waive("credential-too-old", reason="x\n::error::\x1b[2J")))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r": x\n::error::\x1b[2J")


def test_access_keys(iam: IAMClient, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the date, a waived finding is information, and is recorded apart from the findings that count."""
    iam.create_access_key(UserName="jane")
    watcher = start_watcher()
    checked = watcher.check({}, {"users": KEYS, "run": waive("too-many-access-keys")})
    assert (checked.failures, checked.inputs["findings"], "refused" in checked.inputs) == ([], [], False)
    (waived,) = checked.inputs["waived"]
    assert capsys.readouterr().err == f"{waived['finding']}, waived until 2026-05-01 ({PLACE}): vendor\n"
    assert waived.keys() == {"finding", "until", "reason"}
    assert (waived["until"], waived["reason"]) == ("2026-05-01", "vendor")
    assert watcher.create(checked.inputs).outs == checked.inputs


def test_end_of_access_key_waiver(iam: IAMClient) -> None:
    """From the date on, the finding of an enforced policy is a rejection with the end of the waiver."""
    iam.create_access_key(UserName="jane")
    checked = start_watcher(END).check({}, {"users": KEYS, "run": waive("too-many-access-keys")})
    ((finding,), (failure,)) = checked.inputs["findings"], checked.failures or []
    assert failure.reason.startswith(f"{finding} (waived until 2026-05-01), and the policy is enforced")
    assert "waived" not in checked.inputs


def test_states_without_waivers(iam: IAMClient) -> None:
    """Without a waived finding, the inputs are those of earlier versions, so that no existing state changes."""
    iam.create_access_key(UserName="jane")
    watcher = start_watcher()
    without = watcher.check({}, {"users": {"jane": {"max": 0.0}}}).inputs
    unrelated = watcher.check({}, {"users": {"jane": {"max": 0.0}}, "run": waive("access-key-idle")}).inputs
    assert without.keys() == {"users", "keys", "findings"}
    assert unrelated == without
    assert not watcher.diff("x", without, without).changes


def test_changed_waiver(iam: IAMClient) -> None:
    """A new, changed or ended waiver is a change of the watcher; a moved one, or a new wording, is none."""
    iam.create_access_key(UserName="jane")
    watcher = start_watcher()
    before = watcher.check({}, {"users": KEYS, "run": waive("too-many-access-keys")}).inputs
    without = watcher.check({}, {"users": KEYS, "run": {"on_rejection": "collect"}}).inputs
    other = watcher.check({}, {"users": KEYS, "run": waive("too-many-access-keys", reason="other")}).inputs
    for olds, news in ((before, without), (without, before), (before, other)):
        assert watcher.diff("x", olds, news).changes
    moved = waive("too-many-access-keys")
    moved["waivers"]["jane"][0]["place"] = ["specs/team.yaml", 1.0, 1.0]
    assert not watcher.diff("x", before, watcher.check({}, {"users": KEYS, "run": moved}).inputs).changes
    key = before["keys"]["jane"][0]["id"]
    (waived,) = before["waived"]
    earlier = waived | {"finding": f"jane: has 1 access key ({key}), and at most 0 may exist [too-many-access-keys]"}
    assert not watcher.diff("x", before | {"waived": [earlier]}, before).changes


@pytest.mark.parametrize(
    ("action", "now", "line"),
    [
        ("report", SOON, f" is unmanaged, waived until 2026-05-01 ({PLACE}): vendor"),
        ("report", END, f" is unmanaged. Options: import it with `adopt: {UNMANAGED}`; or delete it"),
        ("delete", SOON, " is unmanaged. `pulumi up` deletes it"),
    ],
)
def test_unmanaged(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], action: str, now: datetime, line: str
) -> None:
    """A waived unmanaged credential is information in place of a warning, unless the run changes it."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT, created="2026-01-01T00:00:00+00:00")
    new_process()
    unmanaged = UnmanagedCredentialsProvider()
    unmanaged.configure(ConfigureRequest(Config({"iamcreds:now": now.isoformat()}, "iamcreds")))
    checked = unmanaged.check({}, {"users": {"jane": action}, "run": {"owned": []} | waive("unmanaged-credential")})
    shown = capsys.readouterr().err
    assert shown.endswith(f"codecommit credential {UNMANAGED} (Active, created 2026-01-01) of user jane{line}\n")
    assert shown.startswith("warning: ") is (". " in line)
    assert checked.inputs["unmanaged"]["jane"][0]["id"] == UNMANAGED
    assert checked.inputs["deletes"] == ([UNMANAGED] if action == "delete" else [])


SPECS = """users:
  jane:
    waive: [{rule: access-key-idle, reason: vendor, until: 2026-05-01}]
    unmanaged: report
    accessKeys: {max: 1}
    credentials: [{service: codecommit, waive: [{rule: credential-too-old, reason: é, until: 2026-06-01}]}]
  joe: {unmanaged: report, accessKeys: {max: 1}, credentials: [{service: codecommit}]}
"""


def test_sent_waivers(tmp_path: Path) -> None:
    """The program sends a user's waivers to each watcher, and with a policy also those of the credential."""
    (tmp_path / "a.yaml").write_text(SPECS)
    jane, joe = load(tmp_path / "a.yaml").users
    (credential,) = jane.credentials
    sent = policy_context(None, credential, CredentialPolicy(90), jane.waive)
    assert RunContext.read({"run": sent}).waivers == {"jane": (*jane.waive, *credential.waive)}
    assert policy_context(None, credential, None, jane.waive) == {}
    assert policy_context(None, joe.credentials[0], CredentialPolicy(90), joe.waive).keys() == {"policy"}
    run = _Run(None, None, {}, RunProgress(2, print), [])
    for users, expected in (([jane, joe], {"jane": jane.waive}), ([joe], {})):
        watchers = [MessageToDict(request.object) for _, request in _list_watchers("a.yaml", users, run, "urn")]
        assert [RunContext.read(watcher).waivers for watcher in watchers] == [expected, expected]
        assert [("waivers" in watcher["run"]) for watcher in watchers] == [bool(expected)] * 2
    assert waivers_context({"jane": ()}) == {}
