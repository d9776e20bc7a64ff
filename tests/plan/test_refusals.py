"""A preview in which providers refuse what resources declare: the comment says all of it, and nothing is a change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.plan.previews import ACCESS_KEYS, make_preview, make_step, run_plan, run_recorded

JANE = {"user": "jane", "service": "codecommit.amazonaws.com"}
GHOST = {"user": "ghost", "service": "codecommit.amazonaws.com"}
IN_THE_WAY = "credential ACCAEXAMPLE1234567890 is live and nobody declared it"
NO_USER = "the account has no IAM user ghost"
ERROR = {
    "severity": "error",
    "message": (
        "error: the preview is refused:\n"
        f"specs/ghost.yaml:2:3: ghost/codecommit: {NO_USER}\n"
        f"specs/jane.yaml:4:9: jane/codecommit: {IN_THE_WAY}"
    ),
}
"""What the program ends with: one error that lists every refusal with its place."""


def make_refused(*others: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 - any JSON
    """A preview in which two creates are refused."""
    return make_preview(
        make_step("create", "jane/codecommit", new=JANE | {"refused": [IN_THE_WAY]}),
        make_step("create", "ghost/codecommit", new=GHOST | {"refused": [NO_USER]}),
        *others,
        **more,
    )


def test_recorded_refusals() -> None:
    """Of a preview recorded from the engine every refusal is told with its place, and the other changes are, too."""
    done = run_recorded("refused", "--max-removals", "0")
    assert done.exit_code == 1
    assert "1 to update (1 reset), 4 refused; the stack has 2 credentials." in done.stdout
    assert "\nspecs/team.yaml:8:9: ghost/bedrock: the account has no IAM user ghost" in done.stdout
    assert "\nspecs/team.yaml:11:9: jane/codecommit: no codecommit credential is made for user jane:" in done.stdout
    assert "\nspecs/team.yaml:3:3: specs/team.yaml: bot: has 2 access keys" in done.stdout
    assert done.stdout.count("ghost/bedrock") == 1
    assert (
        "| `bot/bedrock` | `bedrock.amazonaws.com` | reset | because of `lost` | `specs/team.yaml:4` |" in done.stdout
    )
    assert done.stderr == (
        "Error: the preview failed: ghost/bedrock: the account has no IAM user ghost:"
        " create the user, or take it out of the specs, and 3 more refused\n"
    )


def test_refusals_are_errors() -> None:
    """The comment has every refusal with its place, says that the preview failed, and the exit code is 1."""
    done = run_plan("-", given=make_refused(diagnostics=[ERROR]))
    assert done.exit_code == 1
    assert "**The preview failed**" in done.stdout
    assert f"\nspecs/ghost.yaml:2:3: ghost/codecommit: {NO_USER}\n" in done.stdout
    assert f"\nspecs/jane.yaml:4:9: jane/codecommit: {IN_THE_WAY}\n" in done.stdout
    assert done.stdout.count(IN_THE_WAY) == 1
    assert done.stderr == f"Error: the preview failed: ghost/codecommit: {NO_USER}, and 1 more refused\n"


def test_refused_resources_are_no_changes() -> None:
    """What is refused is counted as that, is in no table, and its refusal is no property."""
    done = run_plan("-", given=make_refused(make_step("delete", "old/logs", old=JANE), diagnostics=[ERROR]))
    assert "\n1 to delete, 2 refused; the stack has 1 credential.\n" in done.stdout
    assert "| create |" not in done.stdout
    assert "refused:" not in done.stdout.replace("the preview is refused:", "")


def test_nothing_but_refusals() -> None:
    """Where everything is refused nobody reads that nothing changes, with --always or without."""
    for options in ([], ["--always"]):
        done = run_plan("-", *options, given=make_refused(diagnostics=[ERROR]))
        assert "No changes" not in done.stdout
        assert "\n2 refused; the stack has 0 credentials.\n" in done.stdout


def test_failed_preview_without_steps() -> None:
    """Of a preview that failed before anything was seen, what would change is not known."""
    done = run_plan("-", given=make_preview(diagnostics=[{"severity": "error", "message": "error: it broke"}]))
    assert done.exit_code == 1
    assert "What would change is not known" in done.stdout
    assert "No changes" not in done.stdout


def test_refusals_that_nobody_told() -> None:
    """A refusal that no error of the preview repeats is told all the same, and fails the plan."""
    done = run_plan("-", given=make_refused())
    assert done.exit_code == 1
    assert f"\nghost/codecommit: {NO_USER}\njane/codecommit: {IN_THE_WAY}\n" in done.stdout


def test_refused_findings() -> None:
    """A policy of access keys that is enforced is told like any other refusal."""
    watcher = {"users": {"jane": {"max": 1, "enforce": True}}, "refused": ["jane: has 2 access keys"]}
    done = run_plan("-", given=make_preview(make_step("update", "a.yaml", ACCESS_KEYS, old={}, new=watcher)))
    assert done.exit_code == 1
    assert "\na.yaml: jane: has 2 access keys\n" in done.stdout
    assert "watch" not in done.stdout


@pytest.mark.parametrize("refused", [[], None, "no list"])
def test_nothing_refused(refused: object) -> None:
    """An empty list of refusals refuses nothing, and is no property either."""
    done = run_plan("-", given=make_preview(make_step("create", "jane/codecommit", new=JANE | {"refused": refused})))
    assert done.exit_code == 0
    assert "1 to create" in done.stdout
    assert "refused" not in done.stdout


def test_resources_of_others() -> None:
    """A property of that name which another provider's resource has is not a refusal."""
    done = run_plan("-", given=make_preview(make_step("create", "a", "aws:s3/bucket:Bucket", new={"refused": ["no"]})))
    assert done.exit_code == 0
    assert "1 other resource" in done.stdout
