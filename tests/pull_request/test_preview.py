"""Input that is not a preview of the engine, and invalid options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pull_request.previews import make_preview, make_step, run_plan, run_recorded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "options", [["--max-removals", "many"], ["--max-removals", "130%"], ["--at-least", "3"], ["--marker", "a --> b"]]
)
def test_wrong_options(options: list[str]) -> None:
    """An invalid option is rejected, not ignored."""
    done = run_recorded("changes", *options)
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("error: no stack selected", "line 1, column 1"),
        ("{}\n{}", "line 2, column 1: Extra data"),
        ("[]", "it is not a JSON object"),
        ("{}", "it has neither steps nor a summary"),
        ('{"steps": 1}', "steps is not a list of objects"),
        ('{"steps": [1]}', "steps is not a list of objects"),
        ('{"steps": [], "result": "ok"}', "unknown key 'result'"),
        ('{"steps": [{"op": "create"}]}', "has no urn"),
        ('{"steps": [{"op": "create", "urn": "jane"}]}', "invalid urn"),
        ('{"steps": [{"urn": "urn:pulumi:a::b::c::d"}]}', "has no op"),
        ('{"changeSummary": {"same": "3"}}', "changeSummary is not an object of numbers"),
        ('{"diagnostics": [{"message": 3}]}', "a diagnostic is not text"),
        ('{"steps": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        (make_preview(make_step("create", "x") | {"newState": 3}), "a state is not an object"),
        (make_preview(make_step("create", "x", new={}) | {"replaceReasons": 3}), "replaceReasons is not a list"),
        (
            make_preview(make_step("explode", "x", new={})),
            "step 'explode', which this version does not support",
        ),
        (b"\xff\xfe", "it is UTF-16: save it as UTF-8"),
    ],
)
def test_not_a_preview(text: str | bytes, said: str) -> None:
    """Input that is not a preview is a one-line error on standard error, with exit code 1."""
    done = run_plan("-", given=text)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_byte_order_mark() -> None:
    """A byte order mark, which some editors and shells add, does not count."""
    assert run_plan("-", given=b'\xef\xbb\xbf{"steps": []}').exit_code == 0


def test_no_such_file(tmp_path: Path) -> None:
    """The error names a preview that does not exist."""
    done = run_plan(str(tmp_path / "none.json"))
    assert done.exit_code == 2
    assert "none.json" in done.stderr
