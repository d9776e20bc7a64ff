"""The mutations of a source file: mutmut's operators, applied to one place at a time.

Mutations without an observable effect are omitted: annotations, type aliases, type variables, TYPE_CHECKING blocks,
imports, decorators and `__all__`. Sentences for people are omitted as well, because tests check their words and not
every character.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import libcst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_WRITTEN_NOT_RUN = (libcst.Annotation, libcst.Decorator, libcst.Import, libcst.ImportFrom)
_WORDS = " "
"""The mark of a sentence for people, whose words tests check, but not every character."""


@dataclass(frozen=True)
class Mutant:
    """A mutation.

    Attributes:
        path: the file, relative to the root.
        line: the line, from 1.
        before: the original code.
        after: the changed code.
        is_within_function: True if the code runs in a function call, False if it runs at import.
        make_source: returns the whole file with the change.
    """

    path: Path
    line: int
    before: str
    after: str
    is_within_function: bool
    make_source: Callable[[], str]


def find_mutants(root: Path, path: Path) -> Iterator[Mutant]:
    """Yield every mutant of the file, in the order of the source."""
    wrapper = MetadataWrapper(libcst.parse_module((root / path).read_text()))
    module = wrapper.module
    positions = wrapper.resolve(PositionProvider)
    parents = wrapper.resolve(ParentNodeProvider)
    for node in _nodes(module):
        for changed in _change(node):
            before, after = (" ".join(module.code_for_node(part).split()) for part in (node, changed))
            yield Mutant(
                path=path,
                line=positions[_placed(node, positions, parents)].start.line,
                before=before,
                after=after,
                is_within_function=_is_within_function(node, parents),
                make_source=partial(_replace, module, node, changed),
            )


def _replace(module: libcst.Module, node: libcst.CSTNode, changed: libcst.CSTNode) -> str:
    replaced = module.deep_replace(node, changed)
    assert isinstance(replaced, libcst.Module)
    return replaced.code


def _nodes(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    """Yield the nodes that affect execution, outermost first."""
    if isinstance(node, _WRITTEN_NOT_RUN) or _is_for_types(node):
        return
    yield node
    for child in node.children:
        yield from _nodes(child)


def _is_for_types(node: libcst.CSTNode) -> bool:
    match node:
        case libcst.If(test=libcst.Name("TYPE_CHECKING")):
            return True
        case libcst.AnnAssign(annotation=libcst.Annotation(libcst.Name("TypeAlias"))):
            return True
        case libcst.Assign(value=libcst.Call(func=libcst.Name("TypeVar"))):
            return True
        case libcst.Assign(targets=[libcst.AssignTarget(libcst.Name("__all__"))]):
            return True
    return False


def _change(node: libcst.CSTNode) -> Iterator[libcst.CSTNode]:
    if isinstance(node, libcst.SimpleString) and _WORDS in node.value:
        return
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            yield from operator(node)


def _placed(
    node: libcst.CSTNode,
    positions: Mapping[libcst.CSTNode, object],
    parents: Mapping[libcst.CSTNode, libcst.CSTNode],
) -> libcst.CSTNode:
    """Return the node, or its closest ancestor with a position."""
    while node not in positions:
        node = parents[node]
    return node


def _is_within_function(node: libcst.CSTNode, parents: Mapping[libcst.CSTNode, libcst.CSTNode]) -> bool:
    child = node
    while child in parents:
        parent = parents[child]
        if isinstance(parent, (libcst.FunctionDef, libcst.Lambda)) and parent.body is child:
            return True
        child = parent
    return False
