"""A SARIF 2.1.0 document; pure. The same results give the same bytes.

It meets GitHub's additional requirements: a location for each result, a description and help for each rule
(https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from iamcreds.text.escaping import escape_invisible, escape_json
from iamcreds.text.formatting import capitalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from iamcreds.desired import Waiver
    from iamcreds.model import Severity, SourceLocation

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
"""GitHub's name for the root of the repository."""
_SUPPRESSED = "note"
"""The level of suppressed results, because GitHub and other programs ignore suppressions."""


@dataclass(frozen=True)
class Result:
    """A problem of the specs or a difference.

    Attributes:
        rule: the name of the violated rule.
        severity: the severity.
        message: a sentence.
        location: the source location; its file is relative to the current folder, or absolute.
        subject: the identity of the result, which stays the same if lines move and other texts change.
        waiver: the waiver of a difference, which suppresses the result; None without one.
    """

    rule: str
    severity: Severity
    message: str
    location: SourceLocation
    subject: tuple[str, ...]
    waiver: Waiver | None = None


@dataclass(frozen=True)
class Checkout:
    """The root of a repository, and the folder of relative file names; both absolute."""

    root: Path
    folder: Path

    def locate(self, file: str) -> dict[str, str]:
        """Return a file as a URI, relative to the root if it is below the root."""
        absolute = os.path.normpath(self.folder / file)
        relative = os.path.relpath(absolute, self.root)
        if relative.partition("/")[0] == os.pardir:
            return {"uri": f"file://{quote(absolute, errors='surrogatepass')}"}
        return {"uri": quote(relative, errors="surrogatepass"), "uriBaseId": ROOT}


def format_sarif(results: Iterable[Result], rules: Mapping[str, str], guide: str, checkout: Checkout) -> str:
    """Return the document.

    Args:
        results: the results, in order.
        rules: the meaning of every rule by its name.
        guide: the document about the rules.
        checkout: the repository of the files.
    """
    driver = {
        "name": "iamcreds",
        "version": version("iamcreds"),
        "rules": [_describe_rule(rule, meaning, guide) for rule, meaning in rules.items()],
    }
    run = {
        "tool": {"driver": driver},
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": list(_build_results(results, list(rules), checkout)),
    }
    return escape_json(json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2))


def _describe_rule(rule: str, meaning: str, guide: str) -> dict[str, Any]:
    sentence = f"{capitalize(meaning)}."
    help_text = f"{sentence} Each result has a next step. See {guide} for details."
    return {
        "id": rule,
        "shortDescription": {"text": sentence},
        "fullDescription": {"text": sentence},
        "help": {"text": help_text, "markdown": help_text},
        "properties": {"tags": ["security", "iam"]},
    }


def _build_results(results: Iterable[Result], rules: list[str], checkout: Checkout) -> Iterator[dict[str, Any]]:
    seen: Counter[str] = Counter()
    for result in results:
        fingerprint = _make_fingerprint(result)
        seen[fingerprint] += 1
        yield {
            "ruleId": result.rule,
            "ruleIndex": rules.index(result.rule),
            "level": result.severity.value if result.waiver is None else _SUPPRESSED,
            "message": {"text": _make_plain(result.message)},
            "locations": [_describe_location(result.location, checkout)],
            # GitHub identifies alerts by this fingerprint. Its upload logs a different value, but keeps this one.
            "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:{seen[fingerprint]}"},
            **({} if result.waiver is None else {"suppressions": [_describe_suppression(result.waiver, checkout)]}),
        }


def _describe_location(location: SourceLocation, checkout: Checkout) -> dict[str, Any]:
    region = {"startLine": location.line, "startColumn": location.column}
    return {"physicalLocation": {"artifactLocation": checkout.locate(location.file), "region": region}}


def _describe_suppression(waiver: Waiver, checkout: Checkout) -> dict[str, Any]:
    return {
        "kind": "inSource",
        "status": "accepted",
        "justification": _make_plain(waiver.reason),
        "location": _describe_location(waiver.location, checkout),
    }


def _make_fingerprint(result: Result) -> str:
    """Return a hash of the rule and the subject of its result, not of the line or the words."""
    subject = json.dumps([result.rule, *result.subject])
    return hashlib.sha256(subject.encode()).hexdigest()[:32]


def _make_plain(message: str) -> str:
    """Return a message in one line without SARIF's links, `[text](target)`, which names might contain."""
    return escape_invisible(message).replace("](", "] (")
