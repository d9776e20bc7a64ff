"""A SARIF 2.1.0 document; pure. The same results give the same bytes.

What GitHub asks beyond the standard is kept, too: a place for every result, a description and help for every rule
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

    from iamcreds.model import Place, Severity

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"
"""What GitHub calls the root of the repository."""


@dataclass(frozen=True)
class Result:
    """A problem of the specs or a difference.

    Attributes:
        rule: the name of the rule that is broken.
        severity: how bad it is.
        message: a sentence.
        place: where it is shown; its file is relative to the current folder, or absolute.
        subject: what it is about, in words that stay the same while lines move and texts are edited elsewhere.
    """

    rule: str
    severity: Severity
    message: str
    place: Place
    subject: tuple[str, ...]


@dataclass(frozen=True)
class Checkout:
    """A repository's root, and the folder that file names are relative to; both absolute."""

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
        results: what was found, in order.
        rules: every rule that there is, and what breaks it.
        guide: the document that tells more about them.
        checkout: where the files are.
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
    help_text = f"{sentence} Each result says what to do about it; {guide} tells more."
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
        place = result.place
        region = {"startLine": place.line, "startColumn": place.column}
        yield {
            "ruleId": result.rule,
            "ruleIndex": rules.index(result.rule),
            "level": result.severity.value,
            "message": {"text": _make_plain(result.message)},
            "locations": [{"physicalLocation": {"artifactLocation": checkout.locate(place.file), "region": region}}],
            # By this one GitHub knows an alert again. Its upload logs that it would have made another, and keeps ours.
            "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:{seen[fingerprint]}"},
        }


def _make_fingerprint(result: Result) -> str:
    """Return a hash of the rule and the subject of its result, not of the line or the words."""
    subject = json.dumps([result.rule, *result.subject])
    return hashlib.sha256(subject.encode()).hexdigest()[:32]


def _make_plain(message: str) -> str:
    """Return a message in one line without SARIF's links, `[text](target)`, whatever names it contains."""
    return escape_invisible(message).replace("](", "] (")
