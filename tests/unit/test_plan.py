"""`iamcreds plan`: what a preview says in the words of credentials, what it never says, and when it is refused.

The previews in `plans/` were recorded from engine 3.259 on the embedded IAM; stack traces and paths are taken out.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from iamcreds.cli import main
from iamcreds.plan.comment import LIMIT

if TYPE_CHECKING:
    from click.testing import Result

PLANS = Path(__file__).parent / "plans"
CREDENTIAL = "pulumi-python:dynamic/iam:ServiceSpecificCredential"
ACCESS_KEYS = "pulumi-python:dynamic/iam:AccessKeys"
PLAINTEXT = "Hunter2+SecretSecretSecret/Secret="
HOSTILE = (
    "a|b `c` <img src=x onerror=alert(1)> @octocat [x](https://evil.example) www.evil.example\n# \u202etxt <!-- -->"
)


def run(*arguments: str, given: str | bytes | None = None) -> Result:
    """Run `iamcreds plan`."""
    return CliRunner().invoke(main, ["plan", *arguments], input=given)


def recorded(name: str, *arguments: str) -> Result:
    """Run it on a recorded preview."""
    return run(str(PLANS / f"{name}.json"), *arguments)


def document(name: str) -> dict[str, Any]:
    """A recorded preview, to be changed."""
    return dict(json.loads((PLANS / f"{name}.json").read_text()))


def of(*steps: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 - any JSON
    """A preview of these steps."""
    return json.dumps({"config": {}, "steps": steps, "changeSummary": {}} | more)


def step(op: str, name: str, type_: str = CREDENTIAL, **sides: dict[str, Any]) -> dict[str, Any]:
    """A step; `old` and `new` are inputs, and what is live is the same as the old inputs."""
    urn = f"urn:pulumi:test::iamcreds::{type_}::{name}"
    states = {
        f"{side}State": {"urn": urn, "type": type_, "inputs": inputs, "outputs": inputs}
        for side, inputs in sides.items()
    }
    return {"op": op, "urn": urn, **states}


def deletions(deleted: int, kept: int) -> str:
    """A preview that deletes some of a stack's credentials."""
    inputs = {"user": "jane", "service": "logs.amazonaws.com"}
    gone = [step("delete", f"gone-{number}", old=inputs) for number in range(deleted)]
    return of(*gone, *(step("same", f"kept-{number}", old=inputs, new=inputs) for number in range(kept)))


def test_create() -> None:
    """What is new is counted, put into a table for each user, and what the preview warned of is told."""
    done = recorded("create")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "<!-- iamcreds plan: test -->"
    assert "10 to create, 5 access-key policies; the stack has 0 credentials." in lines
    assert "| `ghost/codecommit` | `codecommit.amazonaws.com` | create |  |" in lines
    assert "| access keys | | watch | `max 1` |" in lines
    assert "ghost/codecommit: the account has no IAM user ghost: until it has, this cannot be created" in lines
    assert '+   service: "cassandra.amazonaws.com"' in lines


def test_changes() -> None:
    """Reset, switch on, a status that is only recorded, delete and unprotect are told apart."""
    done = recorded("changes")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert (
        "4 to update (2 reset, 2 switched on, 1 only recorded), 1 to delete, 1 with changed protection;"
        " the stack has 8 credentials." in lines
    )
    assert "| `bot/codecommit/spare` | `codecommit.amazonaws.com` | switch on |  |" in lines
    assert (
        "| `jane/bedrock` | `bedrock.amazonaws.com` | reset, switch on | somebody made it `Inactive`; because of `x` |"
        in lines
    )
    row = "| `jane/codecommit` | `codecommit.amazonaws.com` | record | somebody made it `Inactive`;"
    assert f"{row} nothing changes in AWS |" in lines
    assert "| `old/codecommit` | `codecommit.amazonaws.com` | delete |  |" in lines
    assert "| `old/logs` | `logs.amazonaws.com` | unprotect |  |" in lines
    assert any(line.startswith("jane: has 2 access keys (AKIA") for line in lines)


def test_drift() -> None:
    """What somebody deleted or switched behind our back is said to be so."""
    done = recorded("drift")
    assert "| `joe/bedrock` | `bedrock.amazonaws.com` | create | somebody deleted it |" in done.stdout
    assert "| `jane/bedrock` | `bedrock.amazonaws.com` | switch on | somebody made it `Inactive` |" in done.stdout
    assert "1 to create, 1 to update (1 switched on)" in done.stdout
    assert "jane/codecommit: somebody switched this credential off, and off it stays" in done.stdout


def test_replace_and_rename() -> None:
    """A replacement says why, and with --show-sames a rename says what the name was."""
    done = recorded("replace")
    assert "2 to replace, 1 to rename; the stack has 3 credentials." in done.stdout
    assert "| `jane/codecommit` | `codecommit.amazonaws.com` | replace | another `user` |" in done.stdout
    assert "| `bot/l` | `logs.amazonaws.com` | rename | was `bot/logs` |" in done.stdout
    assert '-   user: "jane"\n+   user: "bot"\n' in done.stdout


def test_replacement_in_three_steps_is_one() -> None:
    """A replacement that comes as three steps is counted once, and expiry is named as its reason."""
    old, new = {"user": "jane", "service": "logs", "status": "Expired"}, {"user": "jane", "service": "logs"}
    done = run(
        "-",
        given=of(
            step("delete-replaced", "jane/logs", old=old),
            step("replace", "jane/logs", old=old, new=new) | {"replaceReasons": ["status"]},
            step("create-replacement", "jane/logs", old=old, new=new),
        ),
    )
    assert "1 to replace; the stack has 1 credential." in done.stdout
    assert "| replace | it has expired |" in done.stdout


def test_nothing_changes() -> None:
    """When nothing changes nothing is printed, findings or not, unless it is wanted for an earlier comment."""
    assert (recorded("nothing").exit_code, recorded("nothing").output) == (0, "")
    always = recorded("nothing", "--always", "--marker", "prod")
    assert always.exit_code == 0
    assert always.stdout.startswith("<!-- iamcreds plan: prod -->\n### IAM credentials: `prod`\n\nNo changes;")
    assert "Access-key findings (1)" in always.stdout


def test_standard_input() -> None:
    """A preview is taken from standard input too."""
    assert run("-", given=(PLANS / "drift.json").read_text()).stdout == recorded("drift").stdout


def test_failed_preview() -> None:
    """A preview that failed makes a comment that says so, and exit code 1, whatever the gate."""
    done = recorded("failed", "--max-removals", "0")
    assert done.exit_code == 1
    assert "**The preview failed**" in done.stdout
    assert "because it is protected" in done.stdout
    assert "Refused" not in done.output
    assert done.stderr.startswith("Error: the preview failed: Preview failed: resource")
    assert done.stderr.count("\n") == 1


def test_unreachable_endpoint() -> None:
    """What the provider said of an endpoint that does not answer is in the comment and in the error."""
    done = recorded("unreachable")
    assert done.exit_code == 1
    assert "no answer from AWS (Could not connect" in done.stdout
    assert "no answer from AWS (Could not connect" in done.stderr


def test_corrupt_state() -> None:
    """A preview that doubts the state is a failed one."""
    done = run("-", given=of(maybeCorrupt=True))
    assert done.exit_code == 1
    assert "the stack's state may be corrupt" in done.stdout


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
    """More than a share or a number of a stack that is large enough is refused, by the comment and by exit code 3."""
    done = run("-", *options, given=deletions(deleted, kept))
    assert done.exit_code == exit_code, done.output
    refused = f"{deleted} of {deleted + kept} credentials"
    assert (f"**Refused**: {refused}" in done.stdout) is (exit_code == 3)
    assert (f"Refused: {refused}" in done.stderr) is (exit_code == 3)


@pytest.mark.parametrize(
    ("op", "before", "after", "is_removal"),
    [
        ("update", {"status": "Active"}, {"status": "Inactive"}, True),
        ("update", {"status": "Inactive"}, {"status": "Active"}, False),
        ("update", {}, {"reset": "lost"}, True),
        ("update", {"reset": "lost"}, {}, False),
        ("update", {"reset": "[secret]"}, {"reset": "[secret]"}, True),
        ("replace", {}, {}, True),
        ("create", None, {}, False),
        ("delete", {}, None, True),
    ],
)
def test_what_counts_as_a_removal(
    op: str, before: dict[str, str] | None, after: dict[str, str] | None, *, is_removal: bool
) -> None:
    """What ends a password that worked counts: delete, replace, reset and switch off, and nothing else."""
    known = {"user": "jane", "service": "logs"}
    sides = {side: known | inputs for side, inputs in (("old", before), ("new", after)) if inputs is not None}
    done = run("-", "--max-removals", "0", given=of(step(op, "x", CREDENTIAL, **sides)))
    assert done.exit_code == (3 if is_removal else 0)


def test_gate_needs_every_resource() -> None:
    """A preview that hides resources is not judged: without refresh and --show-sames nobody can count."""
    assert recorded("without-refresh").exit_code == 0
    done = recorded("without-refresh", "--max-removals", "30%")
    assert done.exit_code == 1
    assert "make it without `--target`, with refresh or with `--show-sames`" in done.stderr


@pytest.mark.parametrize(
    "options", [["--max-removals", "many"], ["--max-removals", "130%"], ["--at-least", "3"], ["--marker", "a --> b"]]
)
def test_wrong_options(options: list[str]) -> None:
    """An option that means nothing is refused, not ignored."""
    done = recorded("changes", *options)
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("error: no stack selected", "line 1, column 1"),
        ("{}\n{}", "line 2, column 1: Extra data"),
        ("[]", "it is no JSON object"),
        ("{}", "it has neither steps nor a summary"),
        ('{"steps": 1}', "steps is no list of objects"),
        ('{"steps": [1]}', "steps is no list of objects"),
        ('{"steps": [], "result": "ok"}', "unknown key 'result'"),
        ('{"steps": [{"op": "create"}]}', "has no urn"),
        ('{"steps": [{"op": "create", "urn": "jane"}]}', "urn is none"),
        ('{"steps": [{"urn": "urn:pulumi:a::b::c::d"}]}', "has no op"),
        ('{"changeSummary": {"same": "3"}}', "changeSummary is no object of numbers"),
        ('{"diagnostics": [{"message": 3}]}', "a diagnostic is no text"),
        ('{"steps": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        (of(step("create", "x") | {"newState": 3}), "a state is no object"),
        (of(step("create", "x", new={}) | {"replaceReasons": 3}), "replaceReasons is no list"),
        (of(step("explode", "x", new={})), "step 'explode', which this version of iamcreds does not know"),
        (b"\xff\xfe", "it is no UTF-8 text"),
    ],
)
def test_not_a_preview(text: str | bytes, said: str) -> None:
    """Whatever is not a preview is one sentence on standard error, and exit code 1."""
    done = run("-", given=text)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_such_file(tmp_path: Path) -> None:
    """A preview that does not exist is named."""
    done = run(str(tmp_path / "none.json"))
    assert done.exit_code == 2
    assert "none.json" in done.stderr


def unmasked(node: Any) -> Any:  # noqa: ANN401 - any JSON
    """A preview as `--show-secrets` would print it, were the engine to honour it."""
    match node:
        case dict():
            return {key: unmasked(value) for key, value in node.items()}
        case list():
            return [unmasked(value) for value in node]
        case _:
            return PLAINTEXT if node == "[secret]" else node


@pytest.mark.parametrize("name", ["changes", "drift", "replace", "failed"])
def test_show_secrets(name: str) -> None:
    """Of a preview full of plaintext secrets no secret is shown, and the rest is as ever."""
    shown = unmasked(document(name))
    assert PLAINTEXT in json.dumps(shown)
    assert run("-", given=json.dumps(shown)).output == recorded(name).output


def test_secrets_in_odd_places() -> None:
    """Neither a message that repeats a secret, nor one in a property marked secret or unheard of, shows it."""
    inputs = {"user": "jane", "service": "logs"}
    odd = step(
        "update", "jane/logs", old=inputs | {"reset": PLAINTEXT}, new=inputs | {"reset": "x", "token": PLAINTEXT}
    )
    for side in ("oldState", "newState"):
        odd[side]["additionalSecretOutputs"] = ["reset"]
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": PLAINTEXT}
    wrapped = step("create", "jane/bedrock", new=inputs | {"reset": secret})
    said = [{"severity": "warning", "message": f"warning: the password is {PLAINTEXT}"}]
    done = run("-", given=of(odd, wrapped, diagnostics=said))
    assert PLAINTEXT not in done.output
    assert "the password is [secret]" in done.stdout
    assert "+   token: (not shown)" in done.stdout
    assert "+   reset: (not shown)" in done.stdout


def test_hostile_names() -> None:
    """Names and values from YAML come out as code, whatever they hold: no markup, no mention, no further table cell."""
    inputs = {"user": HOSTILE, "service": HOSTILE, "reset": HOSTILE}
    said = [{"severity": "warning", "message": f"warning: ```\n{HOSTILE}\n````\n</details>"}]
    done = run("-", given=of(step("update", HOSTILE, old={}, new=inputs), diagnostics=said))
    assert done.exit_code == 0
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(done.stdout)
    assert rendered.count("<td") == 4
    outside = re.sub(r"<code.*?</code>", "", rendered, flags=re.DOTALL)
    assert not re.search(r"octocat|evil|img|onerror|\u202e", outside)
    assert outside.count("</details>") == 2


def test_length() -> None:
    """A plan too long for a comment is cut at whole users and changes, and says how many are not shown."""
    steps = [step("create", f"user-{n:05}/logs", new={"user": f"user-{n:05}", "service": "logs"}) for n in range(3_000)]
    done = run("-", given=of(*steps))
    assert done.exit_code == 0
    assert LIMIT - 2_000 < len(done.stdout) < LIMIT
    shown = done.stdout.count("#### ")
    assert f"{3_000 - shown:,} of 3,000 users, 3,000 of 3,000 property changes are not shown" in done.stdout
    assert done.stdout.startswith("<!-- iamcreds plan: test -->\n### IAM credentials: `test`\n\n3,000 to create")


def test_warnings_before_tables() -> None:
    """A plan of any length leaves room for warnings and findings, and they for the plan."""
    steps = [step("create", f"user-{n:05}/logs", new={"user": f"user-{n:05}", "service": "logs"}) for n in range(3_000)]
    said = [{"severity": "warning", "message": f"warning: {n:05} {'x' * 90}"} for n in range(3_000)]
    done = run("-", given=of(*steps, diagnostics=said))
    assert len(done.stdout) < LIMIT
    assert done.stdout.count("#### ") > 300
    assert done.stdout.count("x" * 90) > 100


def test_long_message() -> None:
    """A message of any length leaves room for the plan."""
    said = [{"severity": "error", "message": f"error: {'x' * 200_000}"}]
    done = run("-", given=of(step("create", "a", new={"user": "jane", "service": "logs"}), diagnostics=said))
    assert len(done.stdout) < LIMIT
    assert "#### `jane`" in done.stdout
    assert "… (196,000 characters more)" in done.stdout


def test_same_bytes() -> None:
    """The engine works in parallel: whatever the order of its steps, the comment is the same."""
    shuffled = document("changes")
    random.Random(4).shuffle(shuffled["steps"])  # noqa: S311 - any order
    shuffled["diagnostics"].reverse()
    assert run("-", given=json.dumps(shuffled)).output == recorded("changes").output


def test_access_key_policies() -> None:
    """Policies that change are in their users' tables; a user who moves to another file changes nothing."""
    steps = [
        step(
            "update",
            "a.yaml",
            ACCESS_KEYS,
            old={"users": {"jane": {"max": 1}, "joe": {"max": 2}, "ann": {"max_age_days": 90}}},
            new={"users": {"jane": {"max": 1.0, "enforce": True}}},
        ),
        step("create", "b.yaml", ACCESS_KEYS, new={"users": {"joe": {"max": 2}}}),
    ]
    done = run("-", given=of(*steps))
    assert "2 access-key policies" in done.stdout
    assert "| access keys | | change policy | `max 1` → `max 1, enforce` |" in done.stdout
    assert "| access keys | | stop watching | `maxAgeDays 90` |" in done.stdout
    assert "joe" not in done.stdout


def test_keys_that_were_used_are_no_change() -> None:
    """Keys that were used since the last run make no comment of their own."""
    watched = {"users": {"jane": {"max": 1}}}
    seen = step("update", "a", ACCESS_KEYS, old=watched | {"keys": {}}, new=watched | {"keys": {"jane": []}})
    assert run("-", given=of(seen)).output == ""


def test_other_resources() -> None:
    """What else a program makes is named, and is a reason for a comment."""
    done = run("-", given=of(step("create", "jane", "aws:iam/user:User", new={"name": "jane"})))
    assert "1 other resource" in done.stdout
    assert "\ncreate aws:iam/user:User jane\n" in done.stdout


def test_user_known_after_up() -> None:
    """A user whose name only up will tell is said to be so."""
    unknown = {"user": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "service": "logs"}
    assert "#### `(known after up)`" in run("-", given=of(step("create", "a", new=unknown))).stdout
