"""A commented spec to start from, made of the descriptions in the schema, so that no field is described twice; pure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, TypeAlias

from iamcreds.specs.schema import SCHEMA, is_supported, resolve_reference
from iamcreds.specs.writing import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Field: TypeAlias = "Mapping[str, Any]"

USER = "somebody"
"""The user of the skeleton: none of the examples has one of that name."""

_LIVE = frozenset({"users", "credentials", "service"})
"""The fields that are not commented out: without them nothing would be declared."""

_WIDTH = 100

_HEAD = (
    "{description} Put a name of yours in the place of {user}. A line that begins with # and no space after it is a"
    " field: take the # away to use it. `iamcreds validate` tells what is wrong with a spec."
)


def skeleton(schema: str) -> str:
    """The text of the spec.

    Args:
        schema: where editors find the schema, as a path seen from the spec or as a URL.
    """
    writer = _Writer()
    body = [
        line
        for name in SCHEMA["properties"]
        for line in ["", *writer.write_field(name, SCHEMA["properties"][name], "")]
    ]
    head = _write_comment(_HEAD.format(description=SCHEMA["description"], user=USER), "")
    return "\n".join([f"# yaml-language-server: $schema={schema}", "#", *head, *body, ""])


class _Writer:
    """Writes fields, each description once: where a definition is used again, it has been described above."""

    def __init__(self) -> None:
        self._described: set[str] = set()

    def write_field(self, name: str, field: Field, indent: str) -> Iterator[str]:
        """The lines of a field: what it means, its name and an example, or the fields below it."""
        resolved = resolve_reference(field)
        is_known = "description" not in field and field["$ref"] in self._described
        self._described.add(field.get("$ref", ""))
        yield from _write_comment("As above." if is_known else meaning(resolved), indent)
        yield from self.write_value(name, resolved, indent, is_known=is_known)

    def write_value(self, name: str, field: Field, indent: str, *, is_known: bool) -> Iterator[str]:
        mark = "" if name in _LIVE else "#"
        if "properties" in field:
            yield f"{indent}{mark}{name}:"
            yield from self.write_fields(field, f"{indent}  ", is_known=is_known)
        elif "propertyNames" in field:
            yield f"{indent}{mark}{name}:"
            yield f"{indent}  {USER}:"
            yield from self.write_fields(resolve_reference(field["additionalProperties"]), f"{indent}    ")
        elif "properties" in resolve_reference(field.get("items", {})):
            yield f"{indent}{mark}{name}:"
            yield from _write_item(
                self.write_fields(resolve_reference(field["items"]), f"{indent}    "), f"{indent}    "
            )
        else:
            yield f"{indent}{mark}{name}: {_find_example(field)}"

    def write_fields(self, parent: Field, indent: str, *, is_known: bool = False) -> Iterator[str]:
        """The supported fields of a mapping, then the names of the others."""
        later = sorted(name for name, field in parent["properties"].items() if not is_supported(field))
        for name, field in parent["properties"].items():
            if name in later:
                continue
            if is_known:
                yield from self.write_value(name, resolve_reference(field), indent, is_known=True)
            else:
                yield from self.write_field(name, field, indent)
        if later and not is_known:
            yield from _write_comment(f"Not supported yet, and refused for now: {', '.join(later)}.", indent)


def _write_item(lines: Iterator[str], indent: str) -> Iterator[str]:
    """The lines of a mapping as those of the only item of a list: its first field follows a dash."""
    item = indent.removesuffix("  ")
    for line in lines:
        if not line.startswith(f"{indent}#"):
            yield f"{item}- {line.removeprefix(indent)}"
            break
        yield f"{item}{line.removeprefix(indent)}"
    yield from lines


def meaning(field: Field) -> str:
    """What the schema says of a field that is resolved: its description, choices, bounds and default."""
    return " ".join([field["description"], *_describe_limits(field)])


def _describe_limits(field: Field) -> Iterator[str]:
    refused = field.get("x-not-supported-yet", [])
    if "enum" in field:
        yield f"Possible: {', '.join(choice for choice in field['enum'] if choice not in refused)}."
    if refused:
        yield f"Not supported yet: {', '.join(refused)}."
    if "minimum" in field:
        yield f"From {field['minimum']} to {field['maximum']}."
    if "default" in field:
        yield f"Default: {format_value(field['default'])}."


def _find_example(field: Field) -> str:
    """A value that means something: of a choice between true and false the one that is not the default."""
    match field:
        case {"examples": [first, *_]}:
            return format_value(first)
        case {"type": "boolean", "default": bool(default)}:
            return format_value(not default)
        case {"default": default}:
            return format_value(default)
        case {"enum": [first, *_]}:
            return format_value(first)
        case _:
            return format_value(field["maximum"])


def _write_comment(text: str, indent: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
