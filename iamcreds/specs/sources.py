"""Spec files: the files at a path, and the content of each.

A fault of a path, a file or its text is a problem, never an exception.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from iamcreds.model import Problem, SourceLocation
from iamcreds.specs.composer import compose, locate_offset
from iamcreds.specs.nodes import Block, Tree, locate
from iamcreds.specs.schema import find_fields_as_written
from iamcreds.specs.templates import mask
from iamcreds.text.decoding import name_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

SUFFIXES = frozenset({".yaml", ".yml"})
"""The suffixes of spec files in a folder, regardless of case."""

MAX_SIZE = 5_000_000
"""The maximum size of a file in bytes, enough for a hundred thousand users."""

NO_FILE = "this is a pipe, a device or a socket: save the spec as a regular file"
OUTSIDE_LINK = "this link leads outside the folder of the specs: replace it with a copy of the file"
TOO_LARGE = f"this file is larger than {MAX_SIZE // 1_000_000} MB: split it, for example by team"


@dataclass(frozen=True)
class Document:
    """One spec file: its values (None if it contains no mapping), and its problems so far."""

    file: str
    tree: Tree | None
    problems: tuple[Problem, ...] = ()


def read_documents(path: Path) -> Iterator[Document]:
    """Yield every spec file at a path, sorted by name: the file itself, or all spec files below the folder.

    Names with a leading dot are skipped in folders (Kubernetes and editors keep copies under such names). Links within
    the folder are followed, and a folder with several links to it is read once.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a path that is too long
        yield _read(path)
        return
    root = Path(os.path.realpath(path))
    for file, real in _find_files(path, root):
        yield _read(file) if real.is_relative_to(root) else _reject(file, OUTSIDE_LINK, "outside-link")


def format_path(path: Path) -> str:
    """Return a path for source locations: relative to the working directory if it is below it, otherwise unchanged."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except (ValueError, FileNotFoundError):  # the latter: the working directory was removed
        return path.as_posix()


def parse(file: str, text: str) -> Document:
    """Parse the text of a spec file."""
    masked, placeholders = mask(file, text)
    documents, problems = compose(file, masked, find_fields_as_written())
    if documents is None:  # the placeholders may be the cause
        return Document(file, None, placeholders or problems)
    problems += placeholders
    match documents:
        case [Block() as values]:
            return Document(file, Tree(file, values), problems)
        case [] | [None]:
            empty = Problem(
                SourceLocation(file, 1, 1), 'this file is empty: delete it, or write "users: {}"', "empty-file"
            )
            return Document(file, None, (*problems, empty))
        case _:
            message = 'a spec file contains a mapping with the key "users", not a list or a single value'
            location = locate(file, documents.marks[0])
            return Document(file, None, (*problems, Problem(location, message, "wrong-type")))


def _find_files(folder: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the spec files below a folder, each with its real path; the folder's real path is `root`.

    This includes items that are rejected later: links to the outside, and folders that cannot be read.
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
    """Return the real path of an item in a folder, given the real path of the folder."""
    return Path(os.path.realpath(folder / path.name)) if path.is_symlink() else folder / path.name


def _read(path: Path) -> Document:
    try:
        mode = path.stat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # not opened, because reading might never end
            return _reject(path, NO_FILE, "no-file")
        with path.open("rb") as file:
            return read_stream(format_path(path), file)
    except OSError as error:
        return _reject_unreadable(path, error)


def read_stream(file: str, stream: BinaryIO) -> Document:
    """Read the spec in a stream, such as standard input; its source locations name it `file`."""
    data = stream.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        return Document(file, None, (Problem(SourceLocation(file, 1, 1), TOO_LARGE, "too-large"),))
    if encoding := name_encoding(data):
        message = f"this file is {encoding}: save it as UTF-8"
        return Document(file, None, (Problem(SourceLocation(file, 1, 1), message, "not-utf-8"),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8-sig")
        location = locate_offset(file, before, len(before))
        return Document(file, None, (Problem(location, "this file is not UTF-8: save it as UTF-8", "not-utf-8"),))
    return parse(file, text)


def _reject_unreadable(path: Path, error: OSError) -> Document:
    reason = (error.strerror or "unknown reason").lower()
    is_nothing = isinstance(error, FileNotFoundError) and not path.is_symlink()
    hint = "; `iamcreds skeleton` prints a sample spec" if is_nothing else ""
    return _reject(path, f"cannot be read: {reason}{hint}", "unreadable-file")


def _reject(path: Path, message: str, rule: str) -> Document:
    file = format_path(path)
    return Document(file, None, (Problem(SourceLocation(file, 1, 1), message, rule),))
