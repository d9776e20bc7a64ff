"""Validation of parameters by botocore's model of IAM, with IAM's error messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from iamcreds.emulator.exceptions import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import Shape, StructureShape

SERVICE_NAME = "[a-zA-Z0-9.-]*"
"""Recorded on AWS; the model does not contain it."""


def check_parameters(shape: StructureShape, parameters: Mapping[str, Any]) -> None:
    """Check an operation's top-level parameters.

    Raises:
        ValidationError: a parameter is not valid; the message counts and lists all violations.
    """
    errors = [error for name in shape.members for error in _check(shape, name, parameters)]
    if errors:
        plural = "s" if len(errors) > 1 else ""
        raise ValidationError(f"{len(errors)} validation error{plural} detected: {'; '.join(errors)}")


def _describe(name: str, constraint: str) -> str:
    """Return IAM's message about a parameter: `Value at 'userName' failed to satisfy constraint: Member must …`."""
    return f"Value at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must {constraint}"


def _check(shape: StructureShape, name: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    if name in parameters:
        member = shape.members[name]
        constraints = _broken_by_text if member.type_name == "string" else _broken_by_number
        if member.type_name in {"string", "integer"}:
            yield from (_describe(name, constraint) for constraint in constraints(member, parameters[name]))
    elif name in shape.required_members:
        yield _describe(name, "not be null")


def _broken_by_text(shape: Shape, value: str) -> Iterator[str]:
    rules = shape.metadata
    if "enum" in rules and value not in rules["enum"]:
        yield "satisfy enum value set"
    if "pattern" in rules and not matches(rules["pattern"], value):
        yield f"satisfy regular expression pattern: {rules['pattern']}"
    if len(value) < rules.get("min", 0):
        yield f"have length greater than or equal to {rules['min']}"
    if "max" in rules and len(value) > rules["max"]:
        yield f"have length less than or equal to {rules['max']}"


def _broken_by_number(shape: Shape, value: int) -> Iterator[str]:
    rules = shape.metadata
    if "min" in rules and value < rules["min"]:
        yield f"have value greater than or equal to {rules['min']}"
    if "max" in rules and value > rules["max"]:
        yield f"have value less than or equal to {rules['max']}"


def matches(pattern: str, value: str) -> bool:
    r"""Return True if the whole value matches. The patterns of the model are Java's, in which `\w` is ASCII."""
    return re.fullmatch(pattern, value, re.ASCII) is not None
