"""Write the generated parts of the documents: `python -m tools.documents`, or `make documents`.

A part is between `<!-- NAME -->` and `<!-- /NAME -->`, in any document and any number of times.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iamcreds import specs
from iamcreds.cli import SUMMARIES
from iamcreds.drift.comparing import list_rules
from iamcreds.policies import permissions
from iamcreds.policies.documents import Owner
from iamcreds.services import SERVICES
from iamcreds.specs.schema import SCHEMA, resolve_reference
from iamcreds.text.yaml_values import format_value
from tools.leaks import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
_PLACE = re.compile(r"(<!-- ([a-z-]+) -->\n).*?(?=<!-- /\2 -->)", re.DOTALL)


def documents() -> list[Path]:
    """Return every document, sorted."""
    return sorted(path for folder in (ROOT, ROOT / "docs", ROOT / "deploy") for path in folder.glob("*.md"))


def with_parts(text: str) -> str:
    """Return a document with the current text of every generated part.

    Raises:
        KeyError: the document has a marker of an unknown part.
    """
    written = parts()
    return _PLACE.sub(lambda location: location[1] + written[location[2]], text)


def parts() -> dict[str, str]:
    """Return the generated parts, by name."""
    return {
        "commands": table("command", "description", commands()),
        "fields": table("field", "meaning", fields("", SCHEMA, {})),
        "findings": table("rule", "condition", rules({rule.rule: rule.meaning for rule in list_rules()})),
        "rules": table("rule", "condition", rules(specs.RULES)),
        "leaks": table("option to avoid", "effect", leaks()),
        "services": table("service", "short name", services()),
        "policy-up": policy(permissions.up_policy(Owner())),
        "policy-drift": policy(permissions.drift_policy()),
    }


def table(left: str, right: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return a table with two columns."""
    return f"| {left} | {right} |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in rows)


def rules(meanings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the rules, each with its meaning."""
    return ((f"`{name}`", meanings[name]) for name in sorted(meanings))


def services() -> Iterator[tuple[str, str]]:
    """Yield the known services, each with its short name if it has one."""
    return ((f"`{service.name}`", f"`{service.alias}`" if service.alias else "") for service in SERVICES)


def leaks() -> Iterator[tuple[str, str]]:
    """Yield the engine's options that write passwords to files."""
    return ((f"`{switch.written}`", switch.does) for switch in SWITCHES)


def commands() -> Iterator[tuple[str, str]]:
    """Yield the commands, each with its summary."""
    return ((f"`iamcreds {name}`", SUMMARIES[name]) for name in sorted(SUMMARIES))


def fields(path: str, parent: Mapping[str, Any], described: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield every field of a mapping with its description, and shared definitions once."""
    for name, field in parent["properties"].items():
        if "description" not in field and field["$ref"] in described:
            yield f"`{path}{name}`", f"As `{described[field['$ref']]}`."
        else:
            described.setdefault(field.get("$ref", ""), f"{path}{name}")
            yield f"`{path}{name}`", meaning(resolve_reference(field))
            yield from below(f"{path}{name}", resolve_reference(field), described)


def meaning(field: Mapping[str, Any]) -> str:
    """Return the schema's text about a field, references resolved: its description, choices, bounds and default."""
    return " ".join([field["description"], *limits(field)])


def limits(field: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each limit of a field."""
    if len(field.get("enum", [])) > 1:
        yield f"Valid values: {', '.join(field['enum'])}."
    elif "enum" in field:
        yield f"Only valid value: {format_value(field['enum'][0])}."
    if "minimum" in field:
        yield f"From {field['minimum']} to {field['maximum']}."
    if "default" in field:
        yield f"Default: {format_value(field['default'])}."


def below(path: str, field: Mapping[str, Any], described: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the fields of a mapping, of each value of a mapping by name, or of each item of a list."""
    match field:
        case {"properties": _}:
            yield from fields(f"{path}.", field, described)
        case {"propertyNames": _, "additionalProperties": each} if "properties" in resolve_reference(each):
            yield from fields(f"{path}.NAME.", resolve_reference(each), described)
        case {"items": each} if "properties" in resolve_reference(each):
            yield from fields(f"{path}[].", resolve_reference(each), described)


def policy(document: object) -> str:
    """Return a code block with an IAM policy."""
    return f"```json\n{json.dumps(document, indent=2)}\n```\n"


if __name__ == "__main__":
    for path in documents():
        path.write_text(with_parts(path.read_text()))
