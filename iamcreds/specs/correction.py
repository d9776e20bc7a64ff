"""Correction of misspelt keys, so that one mistake is one problem and the values below are validated; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.model import Problem
from iamcreds.specs.hints import did_you_mean, find_meant_key
from iamcreds.specs.look_alikes import quoted_with_look_alikes
from iamcreds.specs.nodes import Block, Items
from iamcreds.specs.schema import SCHEMA, resolve_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.specs.nodes import Plain, Tree


def correct_keys(tree: Tree) -> tuple[Tree, list[Problem]]:
    """Return a copy of a tree with corrected keys, and a problem for each misspelt key.

    A key is not corrected if its mapping also has the correct key.
    """
    correction = _Correction(tree)
    return replace(tree, values=correction.correct(tree.values, SCHEMA, ())), correction.problems


class _Correction:
    def __init__(self, tree: Tree) -> None:
        self.problems: list[Problem] = []
        self._tree = tree

    def correct(self, value: Plain, field: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - as in the schema
        """Return a value with corrected keys; `field` is its schema, and not a mapping if it has none."""
        if not isinstance(field, dict):
            return value
        schema = resolve_reference(field)
        match value:
            case Block():
                return self._correct_block(value, schema, path)
            case Items():
                items = Items()
                items.extend(self.correct(item, schema.get("items"), (*path, at)) for at, item in enumerate(value))
                items.marks = value.marks
                return items
            case int() | float() if schema.get("x-text"):
                return str(value)  # under the correct key, the value would be text as written
            case _:
                return value

    def _correct_block(self, block: Block, schema: Mapping[str, Any], path: tuple[str | int, ...]) -> Block:
        properties = schema.get("properties", {})
        corrected = Block()
        for key, value in block.items():
            name = self._find_name(block, key, properties, path) if schema.get("additionalProperties") is False else key
            name = key if name in corrected else name
            part = properties.get(name, schema.get("additionalProperties"))
            corrected[name] = self.correct(value, part, (*path, key))
            corrected.key_marks[name], corrected.marks[name] = block.key_marks[key], block.marks[key]
        return corrected

    def _find_name(self, block: Block, key: str, properties: Mapping[str, Any], path: tuple[str | int, ...]) -> str:
        name = None if key in properties else find_meant_key(path, block, key, properties)
        if name is None or name in block:
            return key
        message = f"unknown key {quoted_with_look_alikes(key)}{did_you_mean(name)}"
        self.problems.append(Problem(self._tree.key_location((*path, key)), message, "unknown-key"))
        return name
