"""`iamcreds plan --approve`: the file of the steps that a preview allows, and the validation of such a file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.errors import ApprovalError, NotApprovedError
from iamcreds.pull_request.approval import Approval, format_approval, parse_approval
from iamcreds.pull_request.changes import Action
from tests.pull_request.previews import CREDENTIAL, RECORDED, make_preview, make_step, run_plan
from tests.pull_request.test_refusals import CONSEQUENCE, IN_THE_WAY, JANE, RAISED, REPORTED, make_refused

if TYPE_CHECKING:
    from pathlib import Path

OWN, OTHER = "ACCAOWN00000000000000", "ACCAOTHER000000000000"
KEYS = ("adopt", "activate", "deactivate", "reset", "replace", "delete", "rotate")
EMPTY: dict[str, Any] = {key: [] for key in KEYS}
GOOD = EMPTY | {
    "version": 1,
    "project": "iamcreds",
    "stack": "test",
    "account": "123456789012",
    "plannedAt": "2026-11-29T08:00:00+00:00",
    "specs": "0" * 64,
    "delete": [OWN],
}


def make_owned(op: str, old: dict[str, Any] | None, new: dict[str, Any] | None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Make a step of a credential whose id is `OWN`, if it has an old state."""
    sides = {side: JANE | inputs for side, inputs in (("old", old), ("new", new)) if inputs is not None}
    step = make_step(op, "jane/codecommit", CREDENTIAL, **sides)
    if "oldState" in step:
        step["oldState"] |= {"id": OWN} | more
    return step


def approve(file: Path, preview: str, *options: str, code: int = 0) -> dict[str, Any] | None:
    """Run `iamcreds plan --approve`, and read the file; return None if there is none."""
    done = run_plan("-", "--approve", str(file), *options, given=preview)
    assert done.exit_code == code, done.output
    return json.loads(file.read_text()) if file.exists() else None


def read_ids(document: dict[str, Any] | None) -> dict[str, list[str]]:
    """Read the approved ids by action, without actions that have none."""
    assert document is not None
    return {key: document[key] for key in KEYS if document[key]}


@pytest.mark.parametrize(
    ("step", "approved"),
    [
        (make_owned("create", None, {}), {}),
        (make_owned("create", None, {"adopts": OTHER}), {"adopt": [OTHER], "reset": [OTHER]}),
        (
            make_owned("create", None, {"adopts": OTHER, "status": "Inactive"}),
            {"adopt": [OTHER], "deactivate": [OTHER], "reset": [OTHER]},
        ),
        (make_owned("create", None, {"adopt": OTHER, "adopts": OTHER, "status": "Active"}), {"adopt": [OTHER]}),
        (
            make_owned(
                "create", None, {"adopt": OTHER, "adopts": OTHER, "adopts_status": "Active", "status": "Inactive"}
            ),
            {"adopt": [OTHER], "deactivate": [OTHER]},
        ),
        (make_owned("create", None, {"adopt": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}), {}),
        (make_owned("update", {"status": "Active"}, {"status": "Inactive"}), {"deactivate": [OWN]}),
        (make_owned("update", {"status": "Inactive"}, {"status": "Active"}), {"activate": [OWN]}),
        (make_owned("update", {"status": "Active"}, {"status": "Active", "reset": "x"}), {"reset": [OWN]}),
        (make_owned("update", {"status": "Active"}, {}), {}),
        (make_owned("update", {"reset": "x"}, {}), {}),
        (make_owned("replace", {}, {"user": "joe"}), {"replace": [OWN]}),
        (make_owned("delete", {}, None), {"delete": [OWN]}),
        (make_owned("same", {}, {}), {}),
        (make_owned("refresh", {}, {}, delete=True), {"delete": [OWN]}),
        (make_owned("refresh", {}, None, delete=True), {}),
        (make_owned("refresh", {}, {}), {}),
    ],
)
def test_approved_steps(tmp_path: Path, step: dict[str, Any], approved: dict[str, list[str]]) -> None:
    """The file lists each step on an existing credential by its id; a new credential needs no approval."""
    assert read_ids(approve(tmp_path / "approved.json", make_preview(step))) == approved


def test_enforced_status(tmp_path: Path) -> None:
    """A status that is declared now is sent even if lists already show it, so it is approved."""
    step = make_owned("update", {}, {"status": "Active"})
    step["oldState"]["outputs"] = JANE | {"status": "Active"}
    assert read_ids(approve(tmp_path / "approved.json", make_preview(step))) == {"activate": [OWN]}


def test_unmanaged_credentials(tmp_path: Path) -> None:
    """Unmanaged credentials are approved by the action of the preview."""
    shown = [{"id": OWN, "service": "logs.amazonaws.com"}, {"id": OTHER, "service": "logs.amazonaws.com"}]
    inputs = {"unmanaged": {"jane": shown}, "deletes": [OWN], "deactivates": [OTHER]}
    type_ = "pulumi-python:dynamic/iam:UnmanagedCredentials"
    preview = make_preview(make_step("update", "team.yaml", type_, old={}, new=inputs))
    assert read_ids(approve(tmp_path / "a.json", preview)) == {"deactivate": [OTHER], "delete": [OWN]}


def test_whole_file(tmp_path: Path) -> None:
    """The file has the stack, the account, the time and the digest, mode 0600, and no text of the preview."""
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "team.yaml").write_text("users: {jane: {credentials: []}}")
    step = make_owned("delete", {"account": "123456789012"}, None)
    before = datetime.now(UTC).replace(microsecond=0)
    document = approve(tmp_path / "approved.json", make_preview(step), "--specs", str(specs))
    assert document is not None
    assert list(document) == ["version", "project", "stack", "account", "plannedAt", "specs", *KEYS]
    assert (document["version"], document["project"], document["stack"]) == (1, "iamcreds", "test")
    assert document["account"] == "123456789012"
    assert before <= datetime.fromisoformat(document["plannedAt"]) <= datetime.now(UTC)
    assert len(document["specs"]) == len("0" * 64)
    assert (tmp_path / "approved.json").stat().st_mode & 0o777 == 0o600
    assert parse_approval((tmp_path / "approved.json").read_text()).ids[Action.DELETE] == {OWN}


def test_several_accounts(tmp_path: Path) -> None:
    """A preview of several accounts approves no account."""
    steps = [make_owned("delete", {"account": account}, None) for account in ("123456789012", "999999999999")]
    document = approve(tmp_path / "approved.json", make_preview(*steps))
    assert document is not None
    assert document["account"] is None


def test_over_the_gate(tmp_path: Path) -> None:
    """A plan that the gate rejects is not approved, and an earlier file is deleted."""
    file, preview = tmp_path / "approved.json", make_preview(make_owned("delete", {}, None))
    assert approve(file, preview, "--max-removals", "1") is not None
    assert approve(file, preview, "--max-removals", "0", code=3) is None


@pytest.mark.parametrize(
    ("diagnostics", "code"),
    [
        ([], 4),
        (REPORTED, 4),
        ([{"severity": "error", "message": f"specs/a:b.yaml:4:9: jane/codecommit: {IN_THE_WAY}"}], 4),
        ([{"severity": "error", "message": f"jane/codecommit: {IN_THE_WAY}"}], 4),
        ([RAISED, CONSEQUENCE], 1),
        ([CONSEQUENCE], 1),
        ([*REPORTED, {"severity": "error", "message": "Preview failed: it broke"}], 1),
        ([{"severity": "error", "message": f"it broke\njane/codecommit: {IN_THE_WAY}"}], 1),
    ],
)
def test_rejections(tmp_path: Path, diagnostics: list[dict[str, str]], code: int) -> None:
    """A preview with rejections is approved without the rejected steps, and one with any other error is not."""
    file = tmp_path / "approved.json"
    file.write_text("an earlier one")
    deleted = make_step("delete", "old/logs", old=JANE)
    deleted["oldState"] |= {"id": OWN}
    document = approve(file, make_refused(deleted, diagnostics=diagnostics), code=code)
    assert (document is not None) is (code == 4)
    assert document is None or read_ids(document) == {"delete": [OWN]}


def test_rejections_over_the_gate(tmp_path: Path) -> None:
    """The gate counts the steps next to rejections, which requires that the preview lists every resource."""
    deleted = make_step("delete", "old/logs", old=JANE)
    deleted["oldState"] |= {"id": OWN}
    for code, limit, summary in ((4, "1", {}), (3, "0", {}), (1, "1", {"same": 5})):
        preview = make_refused(deleted, changeSummary=summary, diagnostics=REPORTED)
        document = approve(tmp_path / "a.json", preview, "--max-removals", limit, code=code)
        assert (document is not None) is (code == 4)


def test_recorded_rejections(tmp_path: Path) -> None:
    """A preview of the engine that reports rejections is approved; one that failed is not."""
    text = (RECORDED / "reported.json").read_text()
    steps = [step for step in json.loads(text)["steps"] if step["op"] in ("update", "delete")]
    owned = {step["op"]: step["oldState"]["id"] for step in steps}
    expected = {"reset": [owned["update"]], "delete": [owned["delete"]]}
    assert read_ids(approve(tmp_path / "a.json", text, code=4)) == expected
    for name in ("refused", "failed", "unreachable"):
        assert approve(tmp_path / "a.json", (RECORDED / f"{name}.json").read_text(), code=1) is None


def test_no_stack(tmp_path: Path) -> None:
    """A preview without steps has no stack, and is not approved."""
    done = run_plan("-", "--approve", str(tmp_path / "a.json"), given=make_preview())
    assert done.exit_code == 1
    assert "cannot approve this preview: it has no steps" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--specs", "specs"], "--specs requires --approve"),
        (["--approve", "link.json"], "link.json: it is a symbolic link"),
        (["--approve", "missing/a.json"], "does not exist. Run `mkdir -p "),
        (["--approve", "a.json", "--specs", "missing"], "missing:1:1: cannot be read: no such file or directory"),
    ],
)
def test_wrong_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str) -> None:
    """Wrong options and files are errors, links are not followed, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.json").symlink_to(tmp_path / "target.json")
    done = run_plan("-", *options, given=make_preview(make_owned("delete", {}, None)))
    assert done.exit_code != 0
    assert message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["link.json"]


def test_round_trip() -> None:
    """A parsed file equals the written one."""
    approval = parse_approval(json.dumps(GOOD))
    assert approval == Approval(
        project="iamcreds",
        stack="test",
        account="123456789012",
        planned_at=datetime(2026, 11, 29, 8, tzinfo=UTC),
        specs="0" * 64,
        ids=approval.ids,
    )
    assert approval.ids[Action.DELETE] == {OWN}
    assert json.loads(format_approval(approval)) == GOOD


def test_optional_key() -> None:
    """A plan without the key `rotate` approves no rotation; the other keys are required."""
    for key in KEYS:
        text = json.dumps({name: value for name, value in GOOD.items() if name != key})
        if key == "rotate":
            assert not parse_approval(text).permits(OWN, Action.ROTATE)
        else:
            with pytest.raises(ApprovalError, match=f"it lacks key '{key}'"):
                parse_approval(text)
    assert parse_approval(json.dumps(GOOD | {"rotate": [OWN]})).permits(OWN, Action.ROTATE)
    assert parse_approval(json.dumps(GOOD | {"account": None, "specs": None})).account is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("9" * 10_000, "it is not JSON"),
        ("[" * 100_000, "it is nested too deeply"),
        ("[]", "it is not an object"),
        ("{}", "it has no version"),
        (json.dumps(GOOD | {"version": True}), "it has no version"),
        (json.dumps(GOOD | {"version": 0}), "it has no version"),
        (json.dumps({"version": 2}), "it was written by a newer version of iamcreds"),
        (json.dumps({"version": 1}), "it lacks key 'project'"),
        (json.dumps(GOOD | {"\x1b[2J\n::error::": 1}), r"it has the unknown key '\\x1b[2J\\n"),
        (json.dumps(GOOD | {"stack": ""}), "stack is not valid"),
        (json.dumps(GOOD | {"project": 7}), "project is not valid"),
        (json.dumps(GOOD | {"account": "12"}), "account is not valid"),
        (json.dumps(GOOD | {"account": 123456789012}), "account is not valid"),
        (json.dumps(GOOD | {"plannedAt": "yesterday"}), "plannedAt is not valid"),
        (json.dumps(GOOD | {"plannedAt": "2026-11-29"}), "plannedAt is not valid"),
        (json.dumps(GOOD | {"plannedAt": None}), "plannedAt is not valid"),
        (json.dumps(GOOD | {"specs": "0"}), "specs is not valid"),
        (json.dumps(GOOD | {"delete": OWN}), "delete is not a list of credential ids"),
        (json.dumps(GOOD | {"delete": ["*"]}), "delete is not a list of credential ids"),
        (json.dumps(GOOD | {"rotate": ["*"]}), "rotate is not a list of credential ids"),
        (json.dumps(GOOD | {"adopt": [OWN, None]}), "adopt is not a list of credential ids"),
    ],
)
def test_hostile_files(text: str, message: str) -> None:
    """Any file that `iamcreds plan` did not write is an error of one printable line."""
    with pytest.raises(ApprovalError) as raised:
        parse_approval(text)
    assert message in str(raised.value)
    assert str(raised.value).isprintable()


def test_required_action() -> None:
    """An id is approved only for its action, and the error names credential, user and plan."""
    approval = parse_approval(json.dumps(GOOD))
    approval.require("jane", OWN, Action.DELETE)
    approval.require("jane", OWN, Action.REPLACE, Action.DELETE)
    assert not approval.permits(OWN, Action.RESET)
    with pytest.raises(NotApprovedError) as raised:
        approval.require("jane", OTHER, Action.DELETE, Action.REPLACE)
    assert str(raised.value).startswith(
        f"cannot delete credential {OTHER} of user jane: the approved plan of 2026-11-29 08:00 UTC does not name this"
    )
