"""A preview in which providers reject resources: the comment lists each rejection, and none as a change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pull_request.previews import ACCESS_KEYS, make_preview, make_step, run_plan, run_recorded

JANE = {"user": "jane", "service": "codecommit.amazonaws.com"}
GHOST = {"user": "ghost", "service": "codecommit.amazonaws.com"}
IN_THE_WAY = "unmanaged credential ACCAEXAMPLE1234567890 already exists"
NO_USER = "the account has no IAM user ghost"
REPORTED = [
    {"severity": "error", "message": f"error: specs/ghost.yaml:2:3: ghost/codecommit: {NO_USER}"},
    {"severity": "error", "message": f"error: specs/jane.yaml:4:9: jane/codecommit: {IN_THE_WAY}"},
]
"""The errors of a program that reports rejections, one per rejection."""
RAISED = {
    "severity": "error",
    "message": (
        "error: `pulumi up` would reject:\n"
        f"specs/ghost.yaml:2:3: ghost/codecommit: {NO_USER}\n"
        f"specs/jane.yaml:4:9: jane/codecommit: {IN_THE_WAY}"
    ),
}
"""The error of a program that fails: it lists every rejection with its source location."""
CONSEQUENCE = {
    "severity": "error",
    "message": "error: an unhandled error occurred: program exited with non-zero exit code: 1",
}
"""The engine's error after the program has failed."""


def make_refused(*others: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a preview in which two creates are rejected."""
    return make_preview(
        make_step("create", "jane/codecommit", new=JANE | {"refused": [IN_THE_WAY]}),
        make_step("create", "ghost/codecommit", new=GHOST | {"refused": [NO_USER]}),
        *others,
        **more,
    )


def test_recorded_failure() -> None:
    """A recorded preview that failed with rejections lists them and the other changes, and exits 1."""
    done = run_recorded("refused", "--max-removals", "0")
    assert done.exit_code == 1
    assert "**The preview failed**" in done.stdout
    assert "1 to update (1 reset), 4 rejected; the stack has 3 credentials." in done.stdout
    assert_recorded(done.stdout)
    assert done.stderr.startswith(
        "Error: the preview failed: ghost/bedrock: the account has no IAM user ghost. Options: create"
    )
    assert done.stderr.endswith(
        "and 3 more rejections. For a preview that completes with rejections, set IAMCREDS_REJECTIONS=report\n"
    )


def test_recorded_report() -> None:
    """A recorded preview that reports rejections has the deletions, too; the gate counts them, and the code is 4."""
    done = run_recorded("reported", "--max-removals", "2")
    assert done.exit_code == 4
    assert "**4 rejections**: `pulumi up --continue-on-error` applies everything else, and fails." in done.stdout
    assert "1 to update (1 reset), 1 to delete, 4 rejected; the stack has 3 credentials." in done.stdout
    assert "| `joe/logs` | `logs.amazonaws.com` | delete |" in done.stdout
    assert_recorded(done.stdout)
    assert done.stderr.startswith(
        "Rejected: ghost/bedrock: the account has no IAM user ghost. Options: create the user"
    )
    over = run_recorded("reported", "--max-removals", "1")
    assert over.exit_code == 3
    assert "**Rejected**: 2 of 3 credentials" in over.stdout
    assert "**4 rejections**" in over.stdout


def assert_recorded(comment: str) -> None:
    """Assert that the comment has the recorded rejections with their source locations, and a change next to them."""
    assert "\nspecs/team.yaml:8:9: ghost/bedrock: the account has no IAM user ghost" in comment
    assert "\nspecs/team.yaml:11:9: jane/codecommit: cannot create a codecommit credential for user jane:" in comment
    assert "\nspecs/team.yaml:3:3: specs/team.yaml: bot: has 2 access keys" in comment
    assert comment.count("ghost/bedrock") == 1
    assert "| `bot/bedrock` | `bedrock.amazonaws.com` | reset | reset trigger `lost` | `specs/team.yaml:4` |" in comment


@pytest.mark.parametrize(
    ("diagnostics", "exit_code", "stderr"),
    [
        (REPORTED, 4, f"Rejected: ghost/codecommit: {NO_USER}, and 1 more rejection"),
        (REPORTED[:1], 4, f"Rejected: ghost/codecommit: {NO_USER}, and 1 more rejection"),
        ([], 4, f"Rejected: ghost/codecommit: {NO_USER}, and 1 more rejection"),
        (
            [RAISED, CONSEQUENCE],
            1,
            f"Error: the preview failed: ghost/codecommit: {NO_USER}, and 1 more rejection. For",
        ),
        ([*REPORTED, {"severity": "error", "message": "it broke\nso"}], 1, "Error: the preview failed: it broke"),
        (
            [{"severity": "error", "message": f"it broke\njane/codecommit: {IN_THE_WAY}"}],
            1,
            "Error: the preview failed: it broke",
        ),
        ([*REPORTED, CONSEQUENCE], 1, "Error: the preview failed: an unhandled error occurred"),
    ],
)
def test_exit_code(diagnostics: list[dict[str, str]], exit_code: int, stderr: str) -> None:
    """Rejections exit 4 if they are the only errors and were reported; the comment lists each once."""
    done = run_plan("-", given=make_refused(diagnostics=diagnostics))
    assert done.exit_code == exit_code
    assert done.stderr.startswith(stderr)
    assert ("**The preview failed**" in done.stdout) is (exit_code == 1)
    assert ("**2 rejections**" in done.stdout) is (exit_code == 4)
    for rejection in (f"ghost/codecommit: {NO_USER}", f"jane/codecommit: {IN_THE_WAY}"):
        assert done.stdout.count(rejection) == 1


def test_incomplete_report() -> None:
    """A preview with rejections that does not list every resource cannot be judged, and exits 1."""
    done = run_plan("-", "--max-removals", "9", given=make_refused(diagnostics=REPORTED, changeSummary={"same": 5}))
    assert done.exit_code == 1
    assert "the preview does not list every resource" in done.stderr


@pytest.mark.parametrize("parent", ["", "iamcreds:index:SpecFile$"])
def test_rejected_iam_user(parent: str) -> None:
    """An IAM user that the program rejects at its resource is a rejection, and not a change."""
    step = make_step("create", "jane", "aws:iam/user:User", new={"name": "jane"})
    step["urn"] = step["newState"]["urn"] = step["urn"].replace("::aws:", f"::{parent}aws:")
    message = "error: specs/a.yaml:2:3: jane: IAM has user jane already"
    error = {"severity": "error", "message": message, "urn": step["urn"]}
    done = run_plan("-", given=make_preview(step, diagnostics=[error]))
    assert done.exit_code == 4
    assert "\n1 rejected; the stack has 0 credentials.\n" in done.stdout
    assert done.stdout.count("IAM has user jane already") == 1
    for change in ({"urn": ""}, {"message": "error: creating IAM User (jane): AccessDenied"}):
        assert run_plan("-", given=make_preview(step, diagnostics=[error | change])).exit_code == 1


def test_refused_resources_are_no_changes() -> None:
    """Rejected resources are counted as such and not listed in a table, and a rejection is not a property."""
    done = run_plan("-", given=make_refused(make_step("delete", "old/logs", old=JANE), diagnostics=REPORTED))
    assert "\n1 to delete, 2 rejected; the stack has 1 credential.\n" in done.stdout
    assert "| create |" not in done.stdout
    assert "refused:" not in done.stdout


def test_nothing_but_refusals() -> None:
    """If everything is rejected, the comment never reports that nothing changes, with or without --always."""
    for options in ([], ["--always"]):
        done = run_plan("-", *options, given=make_refused(diagnostics=REPORTED))
        assert "No changes" not in done.stdout
        assert "\n2 rejected; the stack has 0 credentials.\n" in done.stdout


def test_failed_preview_without_steps() -> None:
    """If a preview fails before its first step, the comment reports that changes are unknown."""
    done = run_plan("-", given=make_preview(diagnostics=[{"severity": "error", "message": "error: it broke"}]))
    assert done.exit_code == 1
    assert "Changes unknown" in done.stdout
    assert "No changes" not in done.stdout


def test_refused_findings() -> None:
    """A violation of an enforced access-key policy is listed like any other rejection."""
    watcher = {"users": {"jane": {"max": 1, "enforce": True}}, "refused": ["jane: has 2 access keys"]}
    done = run_plan("-", given=make_preview(make_step("update", "a.yaml", ACCESS_KEYS, old={}, new=watcher)))
    assert done.exit_code == 4
    assert "\na.yaml: jane: has 2 access keys\n" in done.stdout
    assert "watch" not in done.stdout


@pytest.mark.parametrize("refused", [[], None, "no list"])
def test_nothing_refused(refused: object) -> None:
    """An empty list of rejections rejects nothing, and is not a property."""
    done = run_plan("-", given=make_preview(make_step("create", "jane/codecommit", new=JANE | {"refused": refused})))
    assert done.exit_code == 0
    assert "1 to create" in done.stdout
    assert "refused" not in done.stdout


def test_resources_of_others() -> None:
    """A property of the same name is not a rejection in the resource of a different provider."""
    done = run_plan("-", given=make_preview(make_step("create", "a", "aws:s3/bucket:Bucket", new={"refused": ["no"]})))
    assert done.exit_code == 0
    assert "1 other resource" in done.stdout
