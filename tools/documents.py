"""Write the parts of the documents that the code knows better: `python -m tools.documents`, or `make documents`.

A part stands between `<!-- NAME -->` and `<!-- /NAME -->`, in any document and as often as one likes.
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
from iamcreds.services import SERVICES
from iamcreds.specs.schema import SCHEMA, is_supported, resolve_reference
from iamcreds.text.yaml_values import format_value
from tools.leaks import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
_PLACE = re.compile(r"(<!-- ([a-z-]+) -->\n).*?(?=<!-- /\2 -->)", re.DOTALL)


def documents() -> list[Path]:
    """Every document, sorted."""
    return sorted(path for folder in (ROOT, ROOT / "docs", ROOT / "deploy") for path in folder.glob("*.md"))


def with_parts(text: str) -> str:
    """A document with every generated part as the code has it now.

    Raises:
        KeyError: it has a place for a part that there is not.
    """
    written = parts()
    return _PLACE.sub(lambda place: place[1] + written[place[2]], text)


def parts() -> dict[str, str]:
    """The generated parts, by name."""
    return {
        "commands": table("command", "what it does", commands()),
        "fields": table("field", "meaning", fields("", SCHEMA, {})),
        "findings": table("rule", "what breaks it", rules({rule.rule: rule.meaning for rule in list_rules()})),
        "rules": table("rule", "what breaks it", rules(specs.RULES)),
        "leaks": table("do not use where it is kept", "what it does", leaks()),
        "services": table("service", "short name", services()),
        "policy-up": policy(permissions.up_policy(permissions.Owner())),
        "policy-preview": policy(permissions.preview_policy()),
        "policy-drift": policy(permissions.drift_policy()),
    }


def table(left: str, right: str, rows: Iterable[tuple[str, str]]) -> str:
    """A table of two columns."""
    return f"| {left} | {right} |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in rows)


def rules(meanings: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Rules and what breaks them."""
    return ((f"`{name}`", meanings[name]) for name in sorted(meanings))


def services() -> Iterator[tuple[str, str]]:
    """The services that are known, and the short name of those that have one."""
    return ((f"`{service.name}`", f"`{service.alias}`" if service.alias else "") for service in SERVICES)


def leaks() -> Iterator[tuple[str, str]]:
    """The engine's switches that write down passwords."""
    return ((f"`{switch.written}`", switch.does) for switch in SWITCHES)


def commands() -> Iterator[tuple[str, str]]:
    """The commands and what they do."""
    return ((f"`iamcreds {name}`", SUMMARIES[name]) for name in sorted(SUMMARIES))


def fields(path: str, parent: Mapping[str, Any], described: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every field below a mapping with what the schema says of it, a shared definition once; then what comes later."""
    later = []
    for name, field in parent["properties"].items():
        if not is_supported(field):
            later.append(f"`{path}{name}`")
        elif "description" not in field and field["$ref"] in described:
            yield f"`{path}{name}`", f"As `{described[field['$ref']]}`."
        else:
            described.setdefault(field.get("$ref", ""), f"{path}{name}")
            yield f"`{path}{name}`", meaning(resolve_reference(field))
            yield from below(f"{path}{name}", resolve_reference(field), described)
    if later:
        yield ", ".join(later), "Not supported yet, and refused for now."


def meaning(field: Mapping[str, Any]) -> str:
    """Return the schema's text about a field, references resolved: its description, choices, bounds and default."""
    return " ".join([field["description"], *limits(field)])


def limits(field: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each limit of a field."""
    refused = field.get("x-not-supported-yet", [])
    if "enum" in field:
        yield f"Possible: {', '.join(choice for choice in field['enum'] if choice not in refused)}."
    if refused:
        yield f"Not supported yet: {', '.join(refused)}."
    if "minimum" in field:
        yield f"From {field['minimum']} to {field['maximum']}."
    if "default" in field:
        yield f"Default: {format_value(field['default'])}."


def below(path: str, field: Mapping[str, Any], described: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The fields of a mapping, of each value of a mapping by name, or of each item of a list."""
    match field:
        case {"properties": _}:
            yield from fields(f"{path}.", field, described)
        case {"propertyNames": _, "additionalProperties": each}:
            yield from fields(f"{path}.NAME.", resolve_reference(each), described)
        case {"items": each} if "properties" in resolve_reference(each):
            yield from fields(f"{path}[].", resolve_reference(each), described)


def policy(document: object) -> str:
    """An IAM policy."""
    return f"```json\n{json.dumps(document, indent=2)}\n```\n"


if __name__ == "__main__":
    for path in documents():
        path.write_text(with_parts(path.read_text()))
