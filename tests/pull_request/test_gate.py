"""The gate: the definition of a removal, its limits, and the message for too many."""

from __future__ import annotations

import pytest

from tests.pull_request.previews import (
    CREDENTIAL,
    UNMANAGED,
    make_deletions,
    make_preview,
    make_step,
    run_plan,
    run_recorded,
)


@pytest.mark.parametrize(
    ("deleted", "kept", "options", "exit_code"),
    [
        (3, 7, ["--max-removals", "30%"], 0),
        (4, 6, ["--max-removals", "30%"], 3),
        (4, 5, ["--max-removals", "30%"], 0),
        (4, 5, ["--max-removals", "30%", "--at-least", "9"], 3),
        (4, 6, ["--max-removals", "30%", "--at-least", "11"], 0),
        (1, 7, ["--max-removals", "12.5%", "--at-least", "0"], 0),
        (1, 6, ["--max-removals", "12.5%", "--at-least", "0"], 3),
        (9, 0, ["--max-removals", "100%", "--at-least", "0"], 0),
        (2, 0, ["--max-removals", "2"], 0),
        (3, 0, ["--max-removals", "2"], 3),
        (3, 0, ["--max-removals", "2", "--at-least", "4"], 0),
        (1, 99, ["--max-removals", "0"], 3),
        (9, 0, [], 0),
    ],
)
def test_gate(deleted: int, kept: int, options: list[str], exit_code: int) -> None:
    """Too many removals, as a share or number of a large stack, are rejected in the comment and by exit code 3."""
    done = run_plan("-", *options, given=make_deletions(deleted, kept))
    assert done.exit_code == exit_code, done.output
    refused = f"{deleted} of {deleted + kept} credentials"
    assert (f"**Rejected**: {refused}" in done.stdout) is (exit_code == 3)
    assert (f"Rejected: {refused}" in done.stderr) is (exit_code == 3)


@pytest.mark.parametrize(
    ("limit", "allowed", "credentials", "removed"),
    [
        ("30%", 30, 100, "31 of 100 credentials (31%)"),
        ("12.5%", 250, 2_000, "251 of 2,000 credentials (13%)"),
        ("0%", 0, 10, "1 of 10 credentials (10%)"),
        ("1200", 1_200, 4_000, "1,201 of 4,000 credentials (30%)"),
        ("0", 0, 3, "1 of 3 credentials (33%)"),
    ],
)
def test_exact_limit(limit: str, allowed: int, credentials: int, removed: str) -> None:
    """The exact limit passes, one removal more is rejected, and the message has both numbers."""
    sentence = f"{removed} would be deleted, replaced, reset or deactivated, but the limit is {limit}"
    passed = run_plan("-", "--max-removals", limit, given=make_deletions(allowed, credentials - allowed))
    assert (passed.exit_code, passed.stderr) == (0, "")
    assert "Refused" not in passed.stdout
    refused = run_plan("-", "--max-removals", limit, given=make_deletions(allowed + 1, credentials - allowed - 1))
    assert (refused.exit_code, refused.stderr) == (3, f"Rejected: {sentence}.\n")
    assert f"\n\n**Rejected**: {sentence}.\n\n" in refused.stdout


def test_exact_size() -> None:
    """A share applies to stacks of ten or more credentials, or to the number in --at-least."""
    assert run_plan("-", "--max-removals", "30%", given=make_deletions(9, 0)).exit_code == 0
    assert run_plan("-", "--max-removals", "30%", given=make_deletions(9, 1)).exit_code == 3
    assert run_plan("-", "--max-removals", "30%", "--at-least", "5", given=make_deletions(4, 0)).exit_code == 0
    assert run_plan("-", "--max-removals", "30%", "--at-least", "5", given=make_deletions(4, 1)).exit_code == 3


@pytest.mark.parametrize(
    ("op", "before", "after", "is_removal"),
    [
        ("update", {"status": "Active"}, {"status": "Inactive"}, True),
        ("update", {"status": "Inactive"}, {"status": "Active"}, False),
        ("update", {}, {"reset": "lost"}, True),
        ("update", {"reset": "lost"}, {}, False),
        ("update", {"reset": "[secret]"}, {"reset": "[secret]"}, True),
        ("update", {"status": "[secret]"}, {"status": "[secret]"}, True),
        ("replace", {}, {}, True),
        ("create", None, {}, False),
        ("delete", {}, None, True),
    ],
)
def test_what_counts_as_a_removal(
    op: str, before: dict[str, str] | None, after: dict[str, str] | None, *, is_removal: bool
) -> None:
    """Only steps that invalidate a working password count: delete, replace, reset and deactivate."""
    known = {"user": "jane", "service": "logs"}
    sides = {side: known | inputs for side, inputs in (("old", before), ("new", after)) if inputs is not None}
    done = run_plan("-", "--max-removals", "0", given=make_preview(make_step(op, "x", CREDENTIAL, **sides)))
    assert done.exit_code == (3 if is_removal else 0)


@pytest.mark.parametrize(
    ("kept", "unmanaged", "exit_code"),
    [(20, 8, 0), (20, 9, 3), (10, 400, 3), (0, 54, 0)],
)
def test_share_of_what_may_be_removed(kept: int, unmanaged: int, exit_code: int) -> None:
    """A share is of the stack's credentials and the unmanaged ones that are removed, so it is never above 100%."""
    inputs = {"user": "jane", "service": "logs"}
    ids = [f"ACCA{number}" for number in range(unmanaged)]
    acting = {"unmanaged": {"jane": [{"id": id_, "service": "logs"} for id_ in ids]}, "deletes": ids}
    adopting = [
        make_step("create", f"jane/logs/{id_}", new=inputs | {"existing": "adopt", "adopts": id_}) for id_ in ids
    ]
    sames = [make_step("same", f"kept-{number}", old=inputs, new=inputs) for number in range(kept)]
    for steps in ([make_step("update", "a.yaml", UNMANAGED, old={}, new=acting)], adopting):
        done = run_plan("-", "--max-removals", "29%", given=make_preview(*steps, *sames))
        assert done.exit_code == exit_code, done.stderr
        share = f"{100 * unmanaged / (kept + unmanaged):.0f}%"
        reason = f"{unmanaged} of {kept + unmanaged} credentials ({share}), {unmanaged} of them unmanaged, would be"
        assert (reason in done.stderr) is (exit_code == 3)


def test_gate_needs_every_resource() -> None:
    """A preview that omits resources is rejected, because without refresh and --show-sames the gate cannot count."""
    assert run_recorded("without-refresh").exit_code == 0
    done = run_recorded("without-refresh", "--max-removals", "30%")
    assert done.exit_code == 1
    assert "Run it without `--target`, with refresh or with `--show-sames`" in done.stderr
