"""`iamcreds plan` on previews of rotated credentials: rotations and retirements are kinds of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.pull_request.approval import parse_approval
from iamcreds.pull_request.changes import Action
from tests.pull_request.previews import load_recorded, make_preview, make_step, run_plan, run_recorded
from tests.pull_request.test_renewals import approve, plan, refresh, removes, same, step

if TYPE_CHECKING:
    from pathlib import Path

PREVIOUS, CURRENT = "ACCA" + "P" * 17, "ACCA" + "C" * 17
JANE = {"user": "jane", "service": "cassandra.amazonaws.com", "declared": 2.0}
ACTIVE = JANE | {"status": "Active", "create_date": "2026-09-11T00:00:00+00:00"}
OLD = ACTIVE
IDLE = ACTIVE | {"status": "Inactive"}
NEW = ACTIVE | {"rotation": 1.0}
ROW = "| `jane/keyspaces` | `cassandra.amazonaws.com` |"
SLOT_1, SLOT_2 = "jane/keyspaces", "jane/keyspaces~2"


def retire(old: dict[str, Any] = OLD) -> dict[str, Any]:
    """Return the update that deactivates the credential in slot 1."""
    made = step("update", SLOT_1, PREVIOUS, old=old, new=JANE)
    made["newState"]["inputs"] |= {"status": "Inactive"} | {key: old[key] for key in ("reset",) if key in old}
    return made


def rotate(op: str = "update", old: dict[str, Any] | None = IDLE, **new: object) -> dict[str, Any]:
    """Return the step that issues a new password in slot 1 for the credential in slot 2."""
    sides = {} if old is None else {"old": old}
    made = step(op, SLOT_1, PREVIOUS, **sides, new=JANE | {"rotation": 2.0, "rotates": CURRENT} | new)
    if "oldState" in made:
        made["oldState"]["inputs"]["status"] = "Inactive"
    return made


DELETION = step("delete", SLOT_1, PREVIOUS, old=OLD)
KEPT = same(SLOT_2, CURRENT, NEW)


def name_retired(current: dict[str, Any], id_: str = PREVIOUS) -> dict[str, Any]:
    """Return the step of a current credential whose new inputs name the retired one, as in a preview."""
    inputs = current["newState"]["inputs"] | {"retires": id_}
    return current | {"newState": current["newState"] | {"inputs": inputs}}


RETIRING = name_retired(KEPT)
AGED = {"age_days": 300.0, "expiration_date": "2027-05-01T00:00:00+00:00"}


def test_recorded(tmp_path: Path) -> None:
    """The engine's preview shows rotations by create, reset and replacement, and retirements by either policy."""
    found = {
        each["urn"].split("::")[-1]: each for each in load_recorded("rotations")["steps"] if each["op"] != "refresh"
    }
    ids = {name: each["oldState"].get("id", "") for name, each in found.items() if "oldState" in each}
    file = tmp_path / "approved.json"
    done = run_recorded("rotations", "--max-removals", "0", "--max-rotations", "3", "--approve", str(file))
    assert done.exit_code == 0, done.stderr
    assert "3 to rotate, 2 to retire; the stack has 5 credentials." in done.stdout
    bot, jane, joe = (
        f"rotate | {ids[name]} stays valid for the overlap"
        for name in ("bot/bedrock", "jane/keyspaces~2", "joe/bedrock~2")
    )
    retired = "retire | overlap has ended;"
    for row in (
        f"| `bot/bedrock` | `bedrock.amazonaws.com` | {bot} |",
        f"{ROW} {jane}; resets and activates `{ids['jane/keyspaces']}` |",
        f"| `joe/bedrock` | `bedrock.amazonaws.com` | {joe}; replaces `{ids['joe/bedrock']}` |",
        f"| `old/codecommit` | `codecommit.amazonaws.com` | {retired} deactivates the previous credential |",
        f"| `old/logs` | `logs.amazonaws.com` | {retired} deletes the previous credential |",
    ):
        assert row in done.stdout
    assert parse_approval(file.read_text()).ids == {
        Action.ADOPT: frozenset(),
        Action.RESET: {ids["jane/keyspaces"]},
        Action.ACTIVATE: {ids["jane/keyspaces"]},
        Action.REPLACE: {ids["joe/bedrock"]},
        Action.DEACTIVATE: {ids["old/codecommit"]},
        Action.DELETE: {ids["old/logs"]},
        Action.ROTATE: {ids["bot/bedrock"], ids["jane/keyspaces~2"], ids["joe/bedrock~2"]},
    }


@pytest.mark.parametrize(
    ("steps", "note", "approved"),
    [
        (
            [same(SLOT_1, CURRENT, OLD), step("create", SLOT_2, "", new=JANE | {"rotation": 1.0, "rotates": CURRENT})],
            "",
            {},
        ),
        ([KEPT, rotate()], f"; resets and activates `{PREVIOUS}`", {"activate": [PREVIOUS], "reset": [PREVIOUS]}),
        ([rotate(), KEPT], f"; resets and activates `{PREVIOUS}`", {"activate": [PREVIOUS], "reset": [PREVIOUS]}),
        (
            [KEPT, rotate(reset="x")],
            f"; resets and activates `{PREVIOUS}`",
            {"activate": [PREVIOUS], "reset": [PREVIOUS]},
        ),
        ([KEPT, rotate("replace", IDLE | AGED, age_days=300.0)], f"; replaces `{PREVIOUS}`", {"replace": [PREVIOUS]}),
        (
            [KEPT, rotate("create-replacement", IDLE | AGED, age_days=300.0)],
            f"; replaces `{PREVIOUS}`",
            {"replace": [PREVIOUS]},
        ),
        ([KEPT, rotate("replace", OLD | {"status": "Expired"})], f"; replaces `{PREVIOUS}`", {"replace": [PREVIOUS]}),
    ],
)
def test_rotation(tmp_path: Path, steps: list[dict[str, Any]], note: str, approved: dict[str, list[str]]) -> None:
    """A rotation names the credential that stays valid, is not a removal, and needs approval for its own steps."""
    comment = plan(*steps)
    assert f"{ROW} rotate | {CURRENT} stays valid for the overlap{note} |  |\n" in comment
    assert "\n1 to rotate; the stack has " in comment
    assert f'+   rotates: "{CURRENT}"\n' in comment
    assert not removes(*steps)
    assert approve(tmp_path, *steps) == approved | {"rotate": [CURRENT]}


def test_rotation_of_an_unused_slot_that_works() -> None:
    """If the state shows the slot as Active, its password may be in use, so the rotation is a removal as well."""
    assert f"{ROW} rotate, reset | {CURRENT} stays valid" in plan(KEPT, rotate(old=OLD))
    assert removes(KEPT, rotate(old=OLD))
    assert f"{ROW} rotate, replace | {CURRENT} stays valid" in plan(KEPT, rotate("replace", OLD | AGED))
    assert removes(KEPT, rotate("replace", OLD | AGED))


def test_rotation_by_adoption(tmp_path: Path) -> None:
    """A rotation that adopts an unmanaged credential resets it, which is a removal and needs an approval."""
    unmanaged = "ACCA" + "U" * 17
    new = JANE | {"rotation": 1.0, "rotates": CURRENT, "existing": "adopt", "adopts": unmanaged}
    steps = [same(SLOT_1, CURRENT, OLD), step("create", SLOT_2, "", new=new)]
    comment = plan(*steps)
    assert f"| `jane/keyspaces` from `{unmanaged}` | `cassandra.amazonaws.com` | rotate, adopt, reset |" in comment
    assert "1 to rotate;" in comment
    assert removes(*steps)
    assert approve(tmp_path, *steps) == {"adopt": [unmanaged], "reset": [unmanaged], "rotate": [CURRENT]}


def test_rotation_of_a_renamed_credential() -> None:
    """A renamed credential may be rotated in the same preview."""
    renamed = rotate()
    renamed["newState"]["urn"] = renamed["urn"] = renamed["urn"] + "/main"
    kept = same("jane/keyspaces/main~2", CURRENT, NEW)
    assert "| rename, rotate |" in plan(kept, renamed)
    assert not removes(kept, renamed)


def test_unchanged_rotation() -> None:
    """An unchanged credential whose inputs still name the rotated one does not rotate."""
    unchanged = same(SLOT_1, PREVIOUS, ACTIVE | {"rotation": 2.0})
    unchanged["newState"]["inputs"]["rotates"] = CURRENT
    assert plan(KEPT, unchanged) == ""
    assert "| record |" in plan(KEPT, unchanged | {"op": "update"})


def test_hostile_id(tmp_path: Path) -> None:
    """A rotated id that is not one of IAM becomes neither markup nor an approval."""
    for id_ in ("<b>|", 7, None, ["ACCA"]):
        assert "rotate" not in approve(tmp_path, KEPT, rotate(rotates=id_))
        assert f"{ROW} rotate | the previous one stays valid for the overlap;" in plan(KEPT, rotate(rotates=id_))


@pytest.mark.parametrize(
    ("steps", "note", "approved"),
    [
        ([RETIRING, retire()], "deactivates", {"deactivate": [PREVIOUS]}),
        ([retire(), refresh(SLOT_2, CURRENT, NEW), RETIRING], "deactivates", {"deactivate": [PREVIOUS]}),
        ([RETIRING, DELETION], "deletes", {"delete": [PREVIOUS]}),
        ([RETIRING, step("delete", SLOT_1, PREVIOUS, old=IDLE)], "deletes", {"delete": [PREVIOUS]}),
    ],
)
def test_retirement(tmp_path: Path, steps: list[dict[str, Any]], note: str, approved: dict[str, list[str]]) -> None:
    """After the overlap, the previous credential is retired: no removal, but it needs an approval."""
    comment = plan(*steps)
    assert f"{ROW} retire | overlap has ended; {note} the previous credential |  |\n" in comment
    assert "\n1 to retire; the stack has 1 credential.\n" in comment
    assert not removes(*steps)
    assert approve(tmp_path, *steps) == approved


def test_retirement_with_a_recorded_trigger() -> None:
    """A changed `trigger` that is only recorded in the current slot does not make the retirement a removal."""
    recorded = step("update", SLOT_2, CURRENT, old=NEW, new=JANE | {"rotation": 1.0, "trigger": "audit"})
    assert not removes(name_retired(recorded), retire())
    assert f'+   retires: "{PREVIOUS}"\n' in plan(name_retired(recorded), retire())


RESET = step("update", SLOT_2, CURRENT, old=NEW, new=JANE | {"rotation": 2.0, "reset": "leak"})
WITHOUT_ROTATE = step("update", SLOT_2, CURRENT, old=NEW, new=JANE | {"rotation": 1.0, "declared": None})
RETAINED = step("delete", SLOT_1, PREVIOUS, old=OLD)
RETAINED["oldState"] |= {"retainOnDelete": True}


@pytest.mark.parametrize(
    ("steps", "row"),
    [
        ([RESET, retire()], "deactivate"),
        ([RESET, retire(OLD | {"reset": "leak"})], "deactivate"),
        ([WITHOUT_ROTATE, DELETION], "delete"),
        (
            [
                name_retired(step("replace", SLOT_2, CURRENT, old=NEW, new=JANE | {"user": "joe", "rotation": 1.0})),
                DELETION,
            ],
            "delete",
        ),
        ([step("delete", SLOT_2, CURRENT, old=NEW), DELETION], "delete"),
        ([refresh(SLOT_2, CURRENT, NEW), DELETION], "delete"),
        ([KEPT, retire()], "deactivate"),
        ([KEPT, DELETION], "delete"),
        ([name_retired(KEPT, CURRENT), retire()], "deactivate"),
        ([name_retired(KEPT, ""), {**DELETION, "oldState": {**DELETION["oldState"], "id": ""}}], "delete"),
        ([name_retired(same("joe/keyspaces~2", CURRENT, NEW | {"user": "joe"})), retire()], "deactivate"),
        ([name_retired(same(SLOT_2, CURRENT, NEW | {"user": "joe"})), retire()], "deactivate"),
        ([name_retired(same(SLOT_2, CURRENT, NEW | {"service": "logs.amazonaws.com"})), DELETION], "delete"),
        ([RETIRING, RETAINED], "delete"),
        ([DELETION], "delete"),
    ],
)
def test_removal_of_a_previous_credential(steps: list[dict[str, Any]], row: str) -> None:
    """Unless the current credential names it as retired, a deactivated or deleted previous credential is a removal.

    This includes resets, removed `rotate`, `--target` and retired credentials that were activated again. It is also a
    removal if the current credential is replaced, deleted, unknown or of a different user or service.
    """
    comment = plan(*steps)
    assert f" | {row} | " in comment
    assert " | retire" not in comment
    assert removes(*steps)


def test_secret_reset() -> None:
    """A secret reset trigger is masked, so a reset of the previous credential is assumed, which is a removal."""
    secret = {"reset": "[secret]"}
    steps = [name_retired(same(SLOT_2, CURRENT, NEW | secret)), retire(OLD | secret)]
    assert f"{ROW} retire, reset | overlap has ended;" in plan(*steps)
    assert removes(*steps)


def test_emergency_reset() -> None:
    """A reset of the current credential increases its number, but it is not a rotation."""
    assert f"{ROW} reset | reset trigger `leak` |" in plan(RESET)
    assert removes(RESET)
    assert run_plan("-", "--max-rotations", "0", given=make_preview(RESET)).exit_code == 0


def test_inactive_previous_credential() -> None:
    """A previous credential that does not work is not called valid."""
    comment = plan(step("delete", SLOT_1, PREVIOUS, old=IDLE), WITHOUT_ROTATE)
    assert f"{ROW} delete | previous; " in comment


RESET_BOTH = [RESET, retire()]
SPARE = [same(f"user-{number}/logs", "", ACTIVE | {"user": f"user-{number}"}) for number in range(9)]


@pytest.mark.parametrize(
    ("steps", "option", "share"),
    [
        ([KEPT, rotate(), *SPARE], "--max-rotations", "1 of 10 credentials (10%) would be rotated"),
        ([*RESET_BOTH, *SPARE], "--max-removals", "1 of 10 credentials (10%) would be deleted"),
        ([*reversed(RESET_BOTH), *SPARE], "--max-removals", "1 of 10 credentials (10%) would be deleted"),
        ([KEPT, retire(), *SPARE], "--max-removals", "1 of 10 credentials (10%) would be deleted"),
    ],
)
def test_share_of_declared_credentials(steps: list[dict[str, Any]], option: str, share: str) -> None:
    """Both slots of a credential count once, among the changes and in the stack."""
    assert run_plan("-", option, "10%", given=make_preview(*steps)).exit_code == 0
    done = run_plan("-", option, "9.9%", given=make_preview(*steps))
    assert done.exit_code == 3
    assert done.stderr.startswith(f"Rejected: {share}")


@pytest.mark.parametrize("other", [{"user": "joe"}, {"service": "logs.amazonaws.com"}, {}])
def test_names_like_those_of_slots(other: dict[str, str]) -> None:
    """A program's own `app~2` is not a slot of `app`, whose name, share and notes it does not get."""
    first, second = same("app", PREVIOUS, OLD), same("app~2", CURRENT, OLD | other)
    for gone, kept in ((second, first), (first, second)):
        name = gone["urn"].split("::")[-1]
        deletion = {**gone, "op": "delete"}
        del deletion["newState"]
        comment = plan(deletion, kept)
        assert f"| `{name}`" in comment
        assert "previous" not in comment
        assert "1 to delete; the stack has 2 credentials." in comment
    expired = step("delete", "app", PREVIOUS, old=OLD | {"status": "Expired"})
    of_joe = same("app~2", CURRENT, NEW | {"user": "joe"})
    assert removes(expired, of_joe)
    assert "renew" not in plan(same("app", PREVIOUS, OLD), step("create", "app~2", "", new=JANE | other))


def make_rotations(rotated: int, kept: int, renewed: int = 0) -> str:
    """Return a preview of rotations by update, of renewals, and of other credentials; each has one resource."""
    inputs = {"user": "jane", "service": "logs.amazonaws.com"}
    idle, new = inputs | {"status": "Inactive"}, inputs | {"rotation": 1.0}
    steps = [make_step("update", f"{number}", old=idle, new=new | {"rotates": CURRENT}) for number in range(rotated)]
    steps += [make_step("same", f"kept-{number}", old=inputs, new=inputs) for number in range(kept)]
    steps += [make_step("create", f"kept-{number}~2", new=new) for number in range(renewed)]
    return make_preview(*steps)


@pytest.mark.parametrize(
    ("rotated", "kept", "options", "exit_code"),
    [
        (3, 7, ["--max-rotations", "30%"], 0),
        (4, 6, ["--max-rotations", "30%"], 3),
        (4, 5, ["--max-rotations", "30%"], 0),
        (4, 5, ["--max-rotations", "30%", "--at-least", "9"], 3),
        (4, 6, ["--max-rotations", "30%", "--at-least", "11"], 0),
        (2, 0, ["--max-rotations", "2"], 0),
        (3, 0, ["--max-rotations", "2"], 3),
        (3, 0, ["--max-rotations", "2", "--at-least", "4"], 0),
        (1, 99, ["--max-rotations", "0"], 3),
        (9, 0, ["--max-removals", "0"], 0),
        (9, 0, [], 0),
    ],
)
def test_limit(rotated: int, kept: int, options: list[str], exit_code: int) -> None:
    """Too many rotations, as a share or number of a large stack, are rejected in the comment and by exit code 3."""
    done = run_plan("-", *options, given=make_rotations(rotated, kept))
    assert done.exit_code == exit_code, done.output
    share = f"{100 * rotated / (rotated + kept):.0f}%"
    reason = f"{rotated} of {rotated + kept} credentials ({share}) would be rotated, but the limit is "
    assert (f"\n\n**Rejected**: {reason}" in done.stdout) is (exit_code == 3)
    assert done.stderr.startswith(f"Rejected: {reason}") is (exit_code == 3)


def test_what_counts_as_a_rotation() -> None:
    """Renewals and retirements do not count: a key that is not renewed expires."""
    done = run_plan("-", "--max-rotations", "0", given=make_rotations(0, 2, renewed=2))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "2 to renew" in done.stdout
    assert run_plan("-", "--max-rotations", "0", given=make_preview(RETIRING, retire())).exit_code == 0


def test_both_limits(tmp_path: Path) -> None:
    """Each exceeded limit has its own line, and nothing is approved."""
    file = tmp_path / "approved.json"
    preview = make_preview(KEPT, rotate(), step("delete", "joe/logs", "ACCA" + "J" * 17, old=ACTIVE | {"user": "joe"}))
    done = run_plan("-", "--max-removals", "0", "--max-rotations", "0", "--approve", str(file), given=preview)
    assert done.exit_code == 3
    assert done.stderr == (
        "Rejected: 1 of 2 credentials (50%) would be deleted, replaced, reset or deactivated, but the limit is 0.\n"
        "Rejected: 1 of 2 credentials (50%) would be rotated, but the limit is 0.\n"
    )
    assert done.stdout.count("**Rejected**: ") == 2
    assert not file.exists()


@pytest.mark.parametrize("limit", ["", "101%", "-1", "1e3", "30 %", "many", "1234567890"])
def test_wrong_limit(limit: str) -> None:
    """A limit that is neither a share nor a number is an error that names the option."""
    done = run_plan("-", "--max-rotations", limit, given=make_rotations(1, 0))
    assert done.exit_code == 2
    assert f"Invalid value for --max-rotations: {limit!r} is neither a share such as 30% nor a number" in done.stderr


def test_at_least_needs_a_limit() -> None:
    """The minimum stack size without any limit is an error."""
    done = run_plan("-", "--at-least", "5", given=make_rotations(1, 0))
    assert done.exit_code == 2
    assert "--at-least requires --max-removals or --max-rotations" in done.stderr


def test_limit_needs_every_resource() -> None:
    """A preview that omits resources is rejected, because the gate cannot count."""
    done = run_recorded("without-refresh", "--max-rotations", "3")
    assert done.exit_code == 1
    assert "cannot compute the share of rotations: the preview does not list every resource" in done.stderr


def test_failed_preview() -> None:
    """A failed preview is incomplete, so its own error takes precedence over the limit."""
    preview = json.loads(make_rotations(3, 0)) | {"diagnostics": [{"severity": "error", "message": "it broke"}]}
    done = run_plan("-", "--max-rotations", "0", given=json.dumps(preview))
    assert done.exit_code == 1
    assert "the preview failed: it broke" in done.stderr
