"""A comment never contains secrets, and never interprets markup in other texts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.pull_request.previews import PLAINTEXT, load_recorded, make_preview, make_step, run_plan, run_recorded

HOSTILE = (
    "a|b `c` <img src=x onerror=alert(1)> @octocat [x](https://evil.example) www.evil.example\n# \u202etxt <!-- -->"
)


def unmask(node: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a preview as `--show-secrets` would print it if the engine supported it."""
    match node:
        case dict():
            return {key: unmask(value) for key, value in node.items()}
        case list():
            return [unmask(value) for value in node]
        case _:
            return PLAINTEXT if node == "[secret]" else node


@pytest.mark.parametrize("name", ["changes", "drift", "replace", "failed"])
def test_show_secrets(name: str) -> None:
    """A preview with plaintext secrets results in the same comment as one without."""
    shown = unmask(load_recorded(name))
    assert PLAINTEXT in json.dumps(shown)
    assert run_plan("-", given=json.dumps(shown)).output == run_recorded(name).output


def test_secrets_in_odd_places() -> None:
    """A secret is masked in a message that repeats it, in a property marked as secret, and in an unknown property."""
    inputs = {"user": "jane", "service": "logs"}
    odd = make_step(
        "update", "jane/logs", old=inputs | {"reset": PLAINTEXT}, new=inputs | {"reset": "x", "token": PLAINTEXT}
    )
    for side in ("oldState", "newState"):
        odd[side]["additionalSecretOutputs"] = ["reset"]
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": PLAINTEXT}
    wrapped = make_step("create", "jane/bedrock", new=inputs | {"reset": secret})
    said = [{"severity": "warning", "message": f"warning: the password is {PLAINTEXT}"}]
    done = run_plan("-", given=make_preview(odd, wrapped, diagnostics=said))
    assert PLAINTEXT not in done.output
    assert "the password is [secret]" in done.stdout
    assert "+   token: (not shown)" in done.stdout
    assert "+   reset: (not shown)" in done.stdout


def test_hostile_names() -> None:
    """Names and values from YAML are shown as code: no markup, no mention, no additional table cell."""
    inputs = {"user": HOSTILE, "service": HOSTILE, "reset": HOSTILE}
    said = [{"severity": "warning", "message": f"warning: ```\n{HOSTILE}\n````\n</details>"}]
    done = run_plan("-", given=make_preview(make_step("update", HOSTILE, old={}, new=inputs), diagnostics=said))
    assert done.exit_code == 0
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(done.stdout)
    assert rendered.count("<td") == 5
    outside = re.sub(r"<code.*?</code>", "", rendered, flags=re.DOTALL)
    assert not re.search(r"octocat|evil|img|onerror|\u202e", outside)
    assert outside.count("</details>") == 2
