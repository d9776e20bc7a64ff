"""The field `waive`: its rules that a schema cannot express, and the waivers that it declares; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.desired import Waiver
from iamcreds.model import Problem
from iamcreds.specs.dates import check_date, parse_date
from iamcreds.specs.nodes import Block, Items, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.specs.nodes import Plain, Tree


def make_waivers(tree: Tree, fields: Mapping[str, Any]) -> tuple[Waiver, ...]:
    """Return the waivers of a user or credential with these valid fields, by rule."""
    declared = fields.get("waive", Items())
    waivers = (
        Waiver(each["rule"], each["reason"], parse_date(each["until"]), tree.location(mark))
        for each, mark in zip(declared, declared.marks, strict=True)
    )
    return tuple(sorted(waivers, key=lambda waiver: waiver.rule))


def check_waivers(tree: Tree, fields: Plain) -> Iterator[Problem]:
    """Yield every problem of the waivers of a user or credential."""
    declared = fields.get("waive") if isinstance(fields, Block) else None
    first: dict[str, Block] = {}
    for each in declared if isinstance(declared, Items) else ():
        if not isinstance(each, Block):
            continue
        yield from check_date(tree, each, "until")
        if not isinstance(rule := each.get("rule"), str):
            continue
        before = first.setdefault(rule, each)
        if before is not each:
            message = f"{quoted(rule)} is already waived at {tree.location(before.marks['rule'])}: remove one of them"
            yield Problem(tree.location(each.marks["rule"]), message, "duplicate-waiver")
