"""`iamcreds plan` on previews of deliveries to a secret store: an action of its own, neither a removal nor unknown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.pull_request.approval import parse_approval
from tests.pull_request.previews import make_preview, run_plan
from tests.pull_request.test_renewals import step

if TYPE_CHECKING:
    from pathlib import Path

KEY = "ACCA" + "K" * 17
NAME = "jane/codecommit"
JANE = {"user": "jane", "service": "codecommit.amazonaws.com"}
PASSWORD = {"service_password": "[secret]"}
DELIVER = {"secrets_manager": {"name": "codecommit/jane"}}
DELIVERED = {"deliver": DELIVER}
MOVED = {"deliver": {"secrets_manager": {"name": "new/jane"}}}
TAGGED = {"deliver": {"secrets_manager": {"name": "codecommit/jane", "tags": {"team": "core"}}}}
TO = "delivers to `secrets_manager`"
DROPPED = "then the state no longer has the password"
STAYS = "the former secret stays in its store"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def update(old: dict[str, Any], new: dict[str, Any], **outputs: object) -> dict[str, Any]:
    """Return an update of jane's credential with these inputs, whose recorded outputs also have `outputs`."""
    made = step("update", NAME, KEY, old=JANE | old, new=JANE | new)
    made["oldState"]["outputs"] = JANE | {"status": "Active"} | old | outputs
    return made


def read_row(*steps: dict[str, Any]) -> str:
    """Return action and note of the only row, in a comment that neither fails nor has removals."""
    ran = run_plan("-", "--max-removals", "0", given=make_preview(*steps))
    assert ran.exit_code == 0, ran.output
    (row,) = [line for line in ran.stdout.splitlines() if line.startswith(f"| `{NAME}`")]
    return row.removeprefix(f"| `{NAME}` | `codecommit.amazonaws.com` | ").removesuffix(" |  |")


@pytest.mark.parametrize(
    ("old", "new", "outputs", "row"),
    [
        ({}, DELIVERED | {"delivers": "codecommit/jane"}, PASSWORD, f"deliver | {TO}; {DROPPED}"),
        (DELIVERED, MOVED | {"delivers": "new/jane"}, {}, f"deliver | {TO}; {STAYS}"),
        (
            DELIVERED,
            DELIVERED | {"delivers": "codecommit/jane"},
            {},
            "deliver | the store has lost the password: delivers it again",
        ),
        (DELIVERED, TAGGED, {}, "deliver | changes settings of the secret in the store"),
        ({}, {"deliver": {**DELIVER, "keep_in_state": True}}, PASSWORD, f"deliver | {TO}"),
        ({}, {"deliver": UNKNOWN}, {}, "deliver | delivers to a secret store"),
        (DELIVERED, {"deliver": "[secret]"}, {}, f"deliver | delivers to a secret store; {STAYS}"),
    ],
)
def test_delivery(old: dict[str, Any], new: dict[str, Any], outputs: dict[str, Any], row: str) -> None:
    """An added, moved, lost or changed delivery is an action of its own, with its consequences."""
    assert read_row(update(old, new, **outputs)) == row


def test_counted_and_approved(tmp_path: Path) -> None:
    """A delivery is an update, needs no approval, and shows the name of the secret among the changed properties."""
    file = tmp_path / "approved.json"
    preview = make_preview(update({}, DELIVERED | {"delivers": "codecommit/jane"}))
    ran = run_plan("-", "--max-removals", "0", "--approve", str(file), given=preview)
    assert ran.exit_code == 0, ran.output
    assert "1 to update (1 delivered); the stack has 1 credential." in ran.stdout
    assert '+   deliver: {"secrets_manager": {"name": "codecommit/jane"}}' in ran.stdout
    assert '+   delivers: "codecommit/jane"' in ran.stdout
    assert not any(parse_approval(file.read_text()).ids.values())


def test_reset_with_delivery() -> None:
    """A reset of a delivered credential stays a reset: a removal, with a note about the store."""
    preview = make_preview(update(DELIVERED, DELIVERED | {"reset": "new"}))
    ran = run_plan("-", given=preview)
    assert f"| reset | {TO}; reset trigger `new` |" in ran.stdout
    assert "(1 reset)" in ran.stdout
    limited = run_plan("-", "--max-removals", "0", given=preview)
    assert limited.exit_code == 3


def test_removed() -> None:
    """Removing `deliver` changes nothing in AWS, and warns unless the state has the password."""
    note = "record | removing `deliver` keeps the secret in the store"
    unknown = "the password is unknown to the state until a reset"
    assert read_row(update(DELIVERED, {})) == f"{note}; {unknown}; nothing changes in AWS"
    assert read_row(update(DELIVERED, {}, **PASSWORD)) == f"{note}; nothing changes in AWS"
    ran = run_plan("-", given=make_preview(update(DELIVERED, {"reset": "new"})))
    assert f"| reset | {note.removeprefix('record | ')}; reset trigger `new` |" in ran.stdout


def test_created() -> None:
    """A new credential stays a create, with a note about the store; equal ones share a row."""
    new = [
        step("create", f"{user}/codecommit", "", new=JANE | {"user": user, "deliver": {"ssm": {"name": f"/{user}"}}})
        for user in ("jane", "john")
    ]
    ran = run_plan("-", given=make_preview(*new))
    assert "| `jane/codecommit`, `john/codecommit` |" in ran.stdout
    assert "| create | delivers to `ssm` |" in ran.stdout


@pytest.mark.parametrize(("is_deleted", "note"), [(True, "also deletes its secret from the store; "), (False, "")])
def test_deleted(note: str, *, is_deleted: bool) -> None:
    """A deletion shows whether the secret in the store is deleted as well."""
    deliver = {"secrets_manager": {"name": "codecommit/jane", "delete_secret": is_deleted}}
    gone = step("delete", NAME, KEY, old=JANE | {"status": "Active", "deliver": deliver})
    ran = run_plan("-", given=make_preview(gone))
    assert f"| delete | {note}deletes a working password" in ran.stdout


def test_rotation_with_a_changed_delivery() -> None:
    """A rotation delivers its new password anyway, so a changed delivery needs no additional action."""
    old = JANE | {"status": "Inactive", "declared": 2.0} | DELIVERED
    new = JANE | {"declared": 2.0, "rotation": 2.0, "rotates": "ACCA" + "C" * 17} | MOVED
    made = step("update", "jane/codecommit", KEY, old=old, new=new)
    ran = run_plan("-", given=make_preview(made))
    assert f"| rotate | ACCA{'C' * 17} stays valid for the overlap; resets and activates `{KEY}`; {TO}" in ran.stdout


@pytest.mark.parametrize("name", ["`</details><img src=x>", "a|b\n```\n::error::x", "\u202ex", "[x](https://evil)"])
def test_hostile_name(name: str) -> None:
    """The name of a secret is text of the folded properties, and not in the table."""
    deliver = {"deliver": {"secrets_manager": {"name": name}}, "delivers": name}
    ran = run_plan("-", given=make_preview(update({}, deliver)))
    table, _, folded = ran.stdout.partition("<details><summary>Property changes")
    assert "evil" not in table
    assert "img" not in table
    assert "\n::error" not in ran.stdout
    assert "\u202e" not in ran.stdout
    assert not any(line.startswith("```") for line in folded.splitlines() if "deliver" in line)


def test_wrong_delivery() -> None:
    """A preview whose `deliver` is not valid, which only a different program writes, is shown nevertheless."""
    for wrong in json.loads('[3, [], {"vault": {}}, {"ssm": {"name": 3}}]'):
        assert read_row(update({}, {"deliver": wrong})).startswith("deliver | delivers to")
