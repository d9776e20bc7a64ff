"""`iamcreds plan` on previews of renewed credentials: two resources, shown by one declared name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.pull_request.previews import CREDENTIAL, make_preview, make_step, run_plan

if TYPE_CHECKING:
    from pathlib import Path

OLDER, NEWER = "ACCA" + "O" * 17, "ACCA" + "N" * 17
JANE = {"user": "jane", "service": "bedrock.amazonaws.com", "age_days": 90}
ACTIVE = JANE | {"status": "Active", "create_date": "2026-09-11T00:00:00+00:00"}
OLD = ACTIVE | {"expiration_date": "2026-12-10T00:00:00+00:00"}
NEW = ACTIVE | {"expiration_date": "2027-03-01T00:00:00+00:00", "rotation": 1.0}
EXPIRED = OLD | {"status": "Expired"}
ROW = "| `jane/bedrock` | `bedrock.amazonaws.com` |"


def step(op: str, name: str, id_: str, **sides: dict[str, Any]) -> dict[str, Any]:
    """Return a step of a credential with an id; the inputs have no outputs among them."""
    made = make_step(op, name, CREDENTIAL, **sides)
    for state in (made[key] for key in ("oldState", "newState") if key in made):
        state["inputs"] = {key: value for key, value in state["inputs"].items() if "date" not in key}
        state["inputs"].pop("status", None)
    if "oldState" in made:
        made["oldState"]["id"] = id_
    return made


def refresh(name: str, id_: str, old: dict[str, Any], new: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the step of a refresh; without `new`, it changes nothing."""
    made = step("refresh", name, id_, old=old, new=new or old)
    made["newState"]["id"] = id_
    return made


def same(name: str, id_: str, state: dict[str, Any]) -> dict[str, Any]:
    """Return the step of an unchanged credential."""
    return step("same", name, id_, old=state, new=state)


def plan(*steps: dict[str, Any]) -> str:
    """Return the comment."""
    return run_plan("-", given=make_preview(*steps)).stdout


def approve(folder: Path, *steps: dict[str, Any]) -> dict[str, list[str]]:
    """Return the approved ids by action."""
    file = folder / "approved.json"
    done = run_plan("-", "--approve", str(file), given=make_preview(*steps))
    assert done.exit_code == 0, done.output
    return {key: ids for key, ids in json.loads(file.read_text()).items() if isinstance(ids, list) and ids}


def removes(*steps: dict[str, Any]) -> bool:
    """Return True if the gate counts a removal."""
    code = run_plan("-", "--max-removals", "0", given=make_preview(*steps)).exit_code
    assert code in (0, 3)
    return code == 3


RENEWAL = step("create", "jane/bedrock~2", "", new=JANE | {"rotation": 1.0})
BACK = step("create", "jane/bedrock", "", new=JANE | {"rotation": 2.0})


@pytest.mark.parametrize(
    "steps",
    [
        [same("jane/bedrock", OLDER, OLD), RENEWAL],
        [refresh("jane/bedrock", OLDER, OLD), RENEWAL],
        [RENEWAL, same("jane/bedrock", OLDER, OLD)],
        [same("jane/bedrock~2", OLDER, OLD | {"rotation": 1.0}), BACK],
        [refresh("jane/bedrock", OLDER, OLD | {"status": "Inactive"}, OLD), RENEWAL],
    ],
)
def test_renewal(tmp_path: Path, steps: list[dict[str, Any]]) -> None:
    """A created successor is a renewal of the declared name with the end of the other credential; nothing is removed.

    It needs no approval, because it has no id yet.
    """
    comment = plan(*steps)
    assert f"{ROW} renew | {OLDER} stays valid until 2026-12-10 |  |\n" in comment
    assert "1 to renew; the stack has 1 credential." in comment
    assert "~2" not in comment
    assert not removes(*steps)
    assert approve(tmp_path, *steps) == {}


@pytest.mark.parametrize(
    ("older", "note"),
    [
        (EXPIRED, f"{OLDER} expired on 2026-12-10"),
        (EXPIRED | {"expiration_date": None}, f"{OLDER} expired"),
        (OLD | {"expiration_date": "soon"}, f"{OLDER} stays valid"),
        (OLD | {"status": "Inactive"}, f"{OLDER} is `Inactive`"),
    ],
)
def test_other_states_of_the_renewed_one(older: dict[str, Any], note: str) -> None:
    """The note about the renewed credential has its status, and its end if the state has a date."""
    assert f"{ROW} renew | {note} |  |\n" in plan(same("jane/bedrock", OLDER, older), RENEWAL)


def test_hostile_id() -> None:
    """An id that is not one of IAM does not become markup."""
    comment = plan(same("jane/bedrock", "<b>|", OLD), RENEWAL)
    assert f"{ROW} renew | the previous one stays valid until 2026-12-10 |  |\n" in comment


def test_renewal_of_a_renamed_credential() -> None:
    """A renamed credential may be renewed in the same preview."""
    renamed = step("same", "jane/bedrock/main", OLDER, old=OLD, new=OLD)
    renamed["oldState"]["urn"] = renamed["oldState"]["urn"].removesuffix("/main")
    renewal = step("create", "jane/bedrock/main~2", "", new=JANE | {"rotation": 1.0})
    comment = plan(renamed, renewal)
    assert "| `jane/bedrock/main` | `bedrock.amazonaws.com` | rename | was `jane/bedrock` |  |\n" in comment
    assert f"| renew | {OLDER} stays valid until 2026-12-10 |  |\n" in comment


@pytest.mark.parametrize(
    "steps",
    [
        [step("create", "jane/bedrock", "", new=JANE)],
        [same("jane/bedrock", OLDER, OLD), step("create", "jane/bedrock~2", "", new=JANE)],
        [same("jane/bedrock", OLDER, OLD), step("create", "joe/bedrock~2", "", new=JANE | {"rotation": 1.0})],
        [same("jane/bedrock~2", NEWER, NEW), step("create", "jane/bedrock", "", new=JANE)],
    ],
)
def test_create_is_no_renewal(steps: list[dict[str, Any]]) -> None:
    """A credential without a predecessor is created."""
    assert "| create |" in plan(*steps)


@pytest.mark.parametrize(("number", "row"), [(1.0, "create | deleted outside Pulumi"), (2.0, "renew | ACCA")])
def test_current_one_is_created_again(number: float, row: str) -> None:
    """A current credential that was deleted manually is created again with its number, and not renewed."""
    gone = step("refresh", "jane/bedrock~2", NEWER, old=NEW)
    again = step("create", "jane/bedrock~2", "", new=JANE | {"rotation": number})
    assert f"{ROW} {row}" in plan(gone, same("jane/bedrock", OLDER, OLD), again)


def test_replacement_of_an_expired_one(tmp_path: Path) -> None:
    """A renewal into the slot of an expired credential names all ids, removes nothing, and is approved by its id."""
    replaced = step("replace", "jane/bedrock", OLDER, old=EXPIRED, new=JANE | {"rotation": 2.0})
    steps = [replaced | {"replaceReasons": ["rotation"]}, same("jane/bedrock~2", NEWER, NEW)]
    comment = plan(*steps)
    assert f"{ROW} renew | {NEWER} stays valid until 2027-03-01; replaces `{OLDER}` |  |\n" in comment
    assert "+   rotation: 2\n" in comment
    assert not removes(*steps)
    assert approve(tmp_path, *steps) == {"replace": [OLDER]}


def test_replacement_of_a_working_one(tmp_path: Path) -> None:
    """A renewal that replaces a working credential is a removal as well."""
    replaced = step("replace", "jane/bedrock", OLDER, old=OLD, new=JANE | {"rotation": 2.0})
    steps = [replaced | {"replaceReasons": ["rotation"]}, same("jane/bedrock~2", NEWER, NEW)]
    assert f"{ROW} renew, replace | {NEWER} stays valid until" in plan(*steps)
    assert "deletes a working API key" in plan(*steps)
    assert removes(*steps)
    assert approve(tmp_path, *steps) == {"replace": [OLDER]}


def test_ordinary_replacement() -> None:
    """A replacement without a greater number does not renew."""
    replaced = step("replace", "jane/bedrock~2", NEWER, old=NEW, new=JANE | {"rotation": 1.0, "age_days": 30})
    assert f"{ROW} replace |" in plan(replaced, same("jane/bedrock", OLDER, OLD))


def test_deletion_of_an_expired_previous_one(tmp_path: Path) -> None:
    """The deletion of an expired previous credential does not count as a removal, and is approved by its id."""
    steps = [step("delete", "jane/bedrock", OLDER, old=EXPIRED), same("jane/bedrock~2", NEWER, NEW)]
    comment = plan(*steps)
    assert f"{ROW} delete expired | expired |  |\n" in comment
    assert "1 expired to delete; the stack has 1 credential." in comment
    assert not removes(*steps)
    assert approve(tmp_path, *steps) == {"delete": [OLDER]}


def test_deletion_of_a_working_previous_one(tmp_path: Path) -> None:
    """Without `renewBefore`, the previous credential is deleted while it works: a removal like any other."""
    steps = [step("delete", "jane/bedrock", OLDER, old=OLD), same("jane/bedrock~2", NEWER, NEW)]
    assert f"{ROW} delete | previous, valid until 2026-12-10; deletes a working API key" in plan(*steps)
    assert removes(*steps)
    assert approve(tmp_path, *steps) == {"delete": [OLDER]}


def test_deletion_of_both() -> None:
    """A credential that is no longer declared is deleted in both slots, and its expired current one is a removal."""
    steps = [step("delete", "jane/bedrock", OLDER, old=EXPIRED), step("delete", "jane/bedrock~2", NEWER, old=NEW)]
    comment = plan(*steps)
    assert f"{ROW} delete expired | expired |  |\n" in comment
    assert f"{ROW} delete | deletes a working API key" in comment
    assert removes(*steps)
    assert removes(step("delete", "jane/bedrock", OLDER, old=EXPIRED))


def test_previous_one_is_no_renamed_one() -> None:
    """A new credential next to a deleted previous one is not advised to continue it."""
    steps = [
        step("delete", "jane/bedrock", OLDER, old=OLD),
        same("jane/bedrock~2", NEWER, NEW),
        step("create", "jane/bedrock/spare", "", new=JANE),
    ]
    assert "| `jane/bedrock/spare` | `bedrock.amazonaws.com` | create |  |  |\n" in plan(*steps)


def test_move_to_slot_1() -> None:
    """A credential that continues the resource of slot 2 does not change."""
    moved = step("same", "jane/bedrock", NEWER, old=NEW, new=NEW)
    moved["oldState"]["urn"] += "~2"
    assert plan(moved) == ""


def test_greater_number_without_an_age() -> None:
    """A greater number resets a credential without an age, as the provider does."""
    old = {key: value for key, value in OLD.items() if key != "age_days"}
    new = {"user": "jane", "service": "bedrock.amazonaws.com", "rotation": 1.0}
    steps = [step("update", "jane/bedrock", OLDER, old=old, new=new)]
    assert f"{ROW} reset |" in plan(*steps)
    assert removes(*steps)


def test_reset_of_both_slots() -> None:
    """A reset deactivates the previous credential, whose row has its end."""
    retired = step("update", "jane/bedrock", OLDER, old=OLD, new=JANE)
    retired["newState"]["inputs"]["status"] = "Inactive"
    reset = step("update", "jane/bedrock~2", NEWER, old=NEW, new=JANE | {"rotation": 2.0, "reset": "leak"})
    comment = plan(retired, reset)
    assert f"{ROW} deactivate | previous, valid until 2026-12-10 |  |\n" in comment
    assert f"{ROW} reset | reset trigger `leak` |  |\n" in comment


@pytest.mark.parametrize("number", [float("inf"), float("nan"), "x", True])
def test_wrong_number(number: object) -> None:
    """A number that is not valid counts as none."""
    comment = plan(same("jane/bedrock", OLDER, OLD | {"rotation": number}), RENEWAL)
    assert f"{ROW} renew | {OLDER} stays valid until 2026-12-10 |  |\n" in comment
