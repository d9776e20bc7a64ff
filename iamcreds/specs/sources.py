"""Spec files: which ones a path stands for, and what each of them holds.

Whatever is wrong with a path, a file or its text is a problem, never an exception.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from iamcreds.model import Place, Problem
from iamcreds.specs.composer import compose, locate_offset
from iamcreds.specs.nodes import Block, Tree, locate
from iamcreds.specs.schema import find_fields_as_written
from iamcreds.specs.templates import mask
from iamcreds.text.decoding import name_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

SUFFIXES = frozenset({".yaml", ".yml"})
"""How the names of the files end that a folder is read for, in any case."""

MAX_SIZE = 5_000_000
"""Bytes of a file at most, which is room for a hundred thousand users."""

NO_FILE = "this is a pipe, a device or a socket: put the text into a file"
OUTSIDE_LINK = "this link leads out of the folder of the specs: put the file itself here"
TOO_LARGE = f"this file has more than {MAX_SIZE // 1_000_000} MB: split it, by teams for instance"


@dataclass(frozen=True)
class Document:
    """One spec file: its values, or None where there is no mapping to speak of, and what is wrong with it so far."""

    file: str
    tree: Tree | None
    problems: tuple[Problem, ...] = ()


def read_documents(path: Path) -> Iterator[Document]:
    """Every spec file a path stands for, in the order of their names: the file itself, or all below the folder.

    What begins with a dot is passed over in folders (Kubernetes and editors keep copies under such names). Links are
    followed as long as they stay in the folder, and a folder that several lead to is read once.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a path that is too long
        yield _read(path)
        return
    root = Path(os.path.realpath(path))
    for found, real in _find_files(path, root):
        yield _read(found) if real.is_relative_to(root) else _refuse(found, OUTSIDE_LINK, "outside-link")


def format_path(path: Path) -> str:
    """A path as places name it: relative to the current folder where it is below that, else as it was given."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except (ValueError, FileNotFoundError):  # the latter: the working directory was removed
        return path.as_posix()


def parse(file: str, text: str) -> Document:
    """What the text of a spec file holds."""
    masked, placeholders = mask(file, text)
    documents, problems = compose(file, masked, find_fields_as_written())
    if documents is None:  # what cannot be read may be due to the placeholders
        return Document(file, None, placeholders or problems)
    problems += placeholders
    match documents:
        case [Block() as values]:
            return Document(file, Tree(file, values), problems)
        case [] | [None]:
            empty = Problem(Place(file, 1, 1), 'this file is empty: delete it, or write "users: {}"', "empty-file")
            return Document(file, None, (*problems, empty))
        case _:
            message = 'a spec file holds a mapping with the key "users", not a list or a single value'
            place = locate(file, documents.marks[0])
            return Document(file, None, (*problems, Problem(place, message, "wrong-type")))


def _find_files(folder: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    """The spec files below a folder, and where they really are (the folder: at `root`).

    What will be refused is among them: links that lead elsewhere, folders that are locked.
    """
    seen: set[Path] = set()
    left = [(folder, root)]
    while left:
        path, real = left.pop()
        try:
            if not (real.is_dir() and real.is_relative_to(root)):
                if path.suffix.lower() in SUFFIXES or real.is_dir():
                    yield path, real
            elif real not in seen:
                seen.add(real)
                items = sorted((item for item in path.iterdir() if not item.name.startswith(".")), reverse=True)
                left += [(item, _locate(item, real)) for item in items]
        except OSError:
            yield path, real


def _locate(path: Path, folder: Path) -> Path:
    """Where a path really is that stands in a folder, of which that is known."""
    return Path(os.path.realpath(folder / path.name)) if path.is_symlink() else folder / path.name


def _read(path: Path) -> Document:
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # it is not opened, because it might never end
            return _refuse(path, NO_FILE, "no-file")
        with path.open("rb") as file:
            return read_stream(format_path(path), file)
    except OSError as error:
        return _refuse_unreadable(path, error)


def read_stream(file: str, stream: BinaryIO) -> Document:
    """The spec that a stream holds, such as standard input; its places name it `file`."""
    data = stream.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        return Document(file, None, (Problem(Place(file, 1, 1), TOO_LARGE, "too-large"),))
    if encoding := name_encoding(data):
        return Document(file, None, (Problem(Place(file, 1, 1), f"this is {encoding}: save it as UTF-8", "not-utf-8"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8-sig")
        place = locate_offset(file, before, len(before))
        return Document(file, None, (Problem(place, "this is not UTF-8: save the file in that encoding", "not-utf-8"),))
    return parse(file, text)


def _refuse_unreadable(path: Path, error: OSError) -> Document:
    reason = (error.strerror or "unknown reason").lower()
    is_nothing = isinstance(error, FileNotFoundError) and not path.is_symlink()
    hint = "; `iamcreds skeleton` prints a spec to begin with" if is_nothing else ""
    return _refuse(path, f"cannot be read: {reason}{hint}", "unreadable-file")


def _refuse(path: Path, message: str, rule: str) -> Document:
    file = format_path(path)
    return Document(file, None, (Problem(Place(file, 1, 1), message, rule),))
