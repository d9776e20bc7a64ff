"""Spec files: which ones a path stands for, and what each of them holds.

Whatever is wrong with a path, a file or its text is a problem, never an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from iamcreds.model import Place, Problem
from iamcreds.specs.composer import compose, locate_offset
from iamcreds.specs.nodes import Block, Scalar, Tree, locate
from iamcreds.specs.schema import find_fields_as_written

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = frozenset({".yaml", ".yml"})
"""How the names of the files end that a folder is read for, in any case."""


@dataclass(frozen=True)
class Document:
    """One spec file: its nodes, or None where there is no mapping to speak of, and what is wrong with it so far."""

    file: str
    tree: Tree | None
    problems: tuple[Problem, ...] = ()


def read_documents(path: Path) -> Iterator[Document]:
    """Every spec file a path stands for, in the order of their names: the file itself, or all below the folder.

    What begins with a dot is passed over in folders (Kubernetes and editors keep copies under such names).
    """
    try:
        files = list(_find_files(path, ())) if path.is_dir() else [path]
    except OSError as error:
        yield _refuse_unreadable(Path(error.filename or path), error)
        return
    for file in files:
        yield _read(file)


def format_path(path: Path) -> str:
    """A path as places name it: relative to the current folder where it is below that, else as it was given."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def parse(file: str, text: str) -> Document:
    """What the text of a spec file holds."""
    root, problems = compose(file, text, find_fields_as_written())
    start = Place(file, 1, 1)
    match root:
        case Block():
            return Document(file, Tree(file, root), problems)
        case None if problems:
            return Document(file, None, problems)
        case None | Scalar(value=None):
            empty = Problem(start, 'this file is empty: delete it, or write "users: {}"', "empty-file")
            return Document(file, None, (*problems, empty))
        case _:
            message = 'a spec file holds a mapping with the key "users", not a list or a single value'
            return Document(file, None, (*problems, Problem(locate(file, root.mark), message, "wrong-type")))


def _find_files(folder: Path, above: tuple[Path, ...]) -> Iterator[Path]:
    """The spec files below a folder; a link that leads back to a folder it is in ends there."""
    real = folder.resolve()
    if real in above:
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _find_files(path, (*above, real))
        elif path.suffix.lower() in SUFFIXES:
            yield path


def _read(path: Path) -> Document:
    file = format_path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        return _refuse_unreadable(path, error)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8-sig")
        place = locate_offset(file, before, len(before))
        return Document(file, None, (Problem(place, "this is not UTF-8: save the file in that encoding", "not-utf-8"),))
    return parse(file, text)


def _refuse_unreadable(path: Path, error: OSError) -> Document:
    file = format_path(path)
    message = f"cannot be read: {(error.strerror or 'unknown reason').lower()}"
    return Document(file, None, (Problem(Place(file, 1, 1), message, "unreadable-file"),))
