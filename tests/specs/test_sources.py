"""The files of a path, and the parsed values of their text before validation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from iamcreds.model import SourceLocation
from iamcreds.specs.composer import compose
from iamcreds.specs.nodes import Plain, Tree, quoted, resolve
from iamcreds.specs.sources import format_path, parse, read_documents


def read_tree(text: str) -> Tree:
    """Return the tree of a text without problems."""
    document = parse("a.yaml", text)
    assert document.problems == ()
    assert document.tree is not None
    return document.tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("1.5", 1.5),
        ("1e3", 1e3),
    ],
)
def test_json_forms(text: str, value: object) -> None:
    """JSON's words and numbers have their JSON value."""
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "off",
        "yes",
        "No",
        "True",
        "NULL",
        "0123",
        "0x1F",
        "0o17",
        "1_000",
        "+1",
        ".5",
        "1.",
        ".inf",
        "2026-01-01",
        "12:30:45",
        "\u0661",
    ],
)
def test_everything_else_is_text(text: str) -> None:
    """Texts to which only YAML gives another type stay text."""
    assert resolve(text) == text


def test_long_numbers() -> None:
    """A number that is too long stays text, without an exception."""
    assert resolve("9" * 5000) == "9" * 5000
    assert resolve("1e999") == "1e999"


def test_places() -> None:
    """Keys and values have the location that an editor shows, counted from 1."""
    specs = read_tree("users:\n  jane:\n    credentials:\n      - service: codecommit\n      - {service: logs}\n")
    credentials = ["users", "jane", "credentials"]
    assert specs.key_location(["users", "jane"]) == SourceLocation("a.yaml", 2, 3)
    assert specs.value_location([*credentials, 0, "service"]) == SourceLocation("a.yaml", 4, 18)
    assert specs.key_location([*credentials, 1, "service"]) == SourceLocation("a.yaml", 5, 10)
    assert (
        specs.key_location([*credentials, 1])
        == specs.value_location([*credentials, 1])
        == SourceLocation("a.yaml", 5, 9)
    )


def test_keys_are_text() -> None:
    """A key is always text."""
    assert read_tree("1: a\non: b\nnull: c\n1.50: d\n").values == {"1": "a", "on": "b", "null": "c", "1.50": "d"}


def test_as_text() -> None:
    """A scalar under a named key stays as written; null stays null."""
    documents, _ = compose("a.yaml", "a: 1.10\nb: 1.10\nc: {a: 0123, b: null}\n", {"a", "b"})
    assert documents == [{"a": "1.10", "b": "1.10", "c": {"a": "0123", "b": None}}]


def test_strings_by_style_and_tag() -> None:
    """Quotes, block styles and the string tag turn any value into text."""
    text = "a: 'true'\nb: \"1\"\nc: |\n  2\nd: !!str 3\n"
    assert read_tree(text).values == {"a": "true", "b": "1", "c": "2\n", "d": "3"}


def test_aliases_share() -> None:
    """An alias has the value and location of its anchor, and a later anchor replaces an earlier one."""
    specs = read_tree("a: &x [1]\nb: *x\nc: &x 2\nd: *x\n")
    assert specs.values == {"a": [1], "b": [1], "c": 2, "d": 2}
    assert specs.value_location(["b"]) == specs.value_location(["a"])


def test_many_small_aliases() -> None:
    """A file may use an alias for each of ten thousand users."""
    text = "p: &p {max: 1, enforce: true}\n" + "".join(f"u{number}: *p\n" for number in range(10_000))
    assert len(read_tree(text).values) == 10_001


def test_sorted_and_below(tmp_path: Path) -> None:
    """A folder contains every spec file below it, sorted by name, except for hidden files."""
    for name in ("b.yaml", "a/z.yml", "a/b/c.YAML", "c.json", ".d.yaml", ".e/f.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("users: {}\n", "utf-8")
    found = [Path(document.file).relative_to(tmp_path).as_posix() for document in read_documents(tmp_path)]
    assert found == ["a/b/c.YAML", "a/z.yml", "b.yaml"]


def test_linked_folders(tmp_path: Path) -> None:
    """A linked folder is read, and a link to a parent folder is not followed again."""
    (tmp_path / ".real").mkdir()
    (tmp_path / ".real" / "a.yaml").write_text("users: {}\n", "utf-8")
    (tmp_path / "linked").symlink_to(".real")
    (tmp_path / "back").symlink_to(tmp_path)
    assert [Path(document.file).name for document in read_documents(tmp_path)] == ["a.yaml"]


def test_a_file_of_any_name(tmp_path: Path) -> None:
    """A file that is named explicitly is read, regardless of its extension."""
    path = tmp_path / "specs.txt"
    path.write_text("users: {}\n", "utf-8")
    (document,) = read_documents(path)
    assert document.tree is not None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_locked_folder(tmp_path: Path) -> None:
    """A folder that cannot be listed is a problem."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0)
    (document,) = read_documents(tmp_path)
    assert [problem.rule for problem in document.problems] == ["unreadable-file"]


def test_too_long_a_path(tmp_path: Path) -> None:
    """A path that is too long for the file system is a problem."""
    (document,) = read_documents(tmp_path / ("x" * 5000))
    assert [problem.rule for problem in document.problems] == ["unreadable-file"]


def test_format_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path below the current folder is shown relative to it, any other path unchanged."""
    monkeypatch.chdir(tmp_path)
    assert format_path(tmp_path / "specs" / "a.yaml") == "specs/a.yaml"
    assert format_path(Path("specs/a.yaml")) == "specs/a.yaml"
    assert format_path(tmp_path.parent / "a.yaml") == (tmp_path.parent / "a.yaml").as_posix()
    assert format_path(Path("../a.yaml")) == "../a.yaml"


def test_not_utf_8_after_a_mark(tmp_path: Path) -> None:
    """The location of an invalid UTF-8 byte counts characters, without the byte order mark."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\n\xc3\xa9\xff")
    (document,) = read_documents(path)
    assert [(problem.location.line, problem.location.column) for problem in document.problems] == [(2, 2)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        ({}, "a mapping"),
        ([], "a list"),
        ("a\nb", '"a\\nb"'),
        ("x" * 99, f'"{"x" * 59}…"'),
    ],
)
def test_quoted(value: Plain, text: str) -> None:
    """A message shows a value on one line, with at most 60 characters of it."""
    assert quoted(value) == text
