"""The documents match the code: generated parts, commands, links, specs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from iamcreds.cli import SUMMARIES
from iamcreds.specs import load
from tests.documents.reading import anchors, blocks, commands, links, parse
from tools.documents import ROOT, documents, with_parts

if TYPE_CHECKING:
    from pathlib import Path

README = ROOT / "README.md"
DOCUMENTS = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in documents()]
SHELLS = ("sh", "console")
NAMED = re.compile(r"`((?:iamcreds|dynamic_providers|tests|tools|deploy|\.github)/[\w./-]+)`")
TARGETS = set(re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)) | {".venv/.synced"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_generated_parts(document: Path) -> None:
    """The generated parts of the documents equal the output of the code: `make documents` writes them."""
    text = document.read_text()
    assert text == with_parts(text)


def test_readme_is_short() -> None:
    """The README introduces the product in at most 150 lines; details are in docs/."""
    assert len(README.read_text().splitlines()) <= 150


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links(document: Path) -> None:
    """A link within the repository has an existing file, and heading, as its target."""
    for link in links(document):
        if link.startswith("https://"):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_rooms() -> None:
    """The drawing of the architecture has every package."""
    drawing = (ROOT / "docs/architecture.md").read_text()
    rooms = [path.parent.name for path in ROOT.glob("iamcreds/*/__init__.py")]
    assert rooms
    assert not [room for room in rooms if f"    {room}/ " not in drawing]


def test_block_of_a_leaked_key() -> None:
    """The policy against a leaked Bedrock key denies its use on both endpoints (the Bedrock guide)."""
    document = ROOT / "docs/incidents.md"
    (policy,) = (json.loads(block.text) for block in blocks(document) if block.language == "json")
    (statement,) = policy["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Action"] == ["bedrock:CallWithBearerToken", "bedrock-mantle:CallWithBearerToken"]
    named = set(re.findall(r"([\w-]+):CallWithBearerToken", document.read_text()))
    assert named == {"bedrock", "bedrock-mantle", "cloudwatch", "logs", "xray"}


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md"])
def test_named_tests(name: str) -> None:
    """The tests that a document names exist in the named files."""
    named = re.findall(r"\[((?:test|assert)_\w+)\]\(([\w/.]+)\)", (ROOT / name).read_text())
    assert named
    for proof, file in named:
        assert f"def {proof}(" in (ROOT / file).read_text(), proof


def test_every_promise_is_shown() -> None:
    """Each promise about security names a test."""
    promises = (ROOT / "SECURITY.md").read_text().partition("## Promises")[2].partition("\n## ")[0]
    _, *items = re.split(r"^- ", promises, flags=re.MULTILINE)
    assert len(items) > 10
    assert all(re.search(r"\[(test|assert)_\w+\]\(tests/", item) for item in items)


def test_every_document_is_linked() -> None:
    """Links from the README lead to every document, directly or indirectly."""
    seen, next_ones = set(), {README}
    while next_ones:
        document = next_ones.pop()
        seen.add(document)
        found = {(document.parent / link.partition("#")[0]).resolve() for link in links(document) if "://" not in link}
        next_ones |= {path for path in found if path.suffix == ".md"} - seen
    assert set(documents()) <= seen


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files(document: Path) -> None:
    """Every file or folder of this repository that a document names exists."""
    if document.name == "CHANGELOG.md":
        return  # it also names removed files
    for name in NAMED.findall(document.read_text()):
        assert (ROOT / name).exists() or "NAME" in name, name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands(document: Path) -> None:
    """Every make target, iamcreds command and option in the documents exists."""
    for block in blocks(document):
        for words in commands(block) if block.language in SHELLS else ():
            match words:
                case ["make", *targets]:
                    named = [word for word in targets if not word.startswith("-") and "=" not in word]
                    assert set(named) <= TARGETS, words
                case ["iamcreds", *rest]:
                    parse(rest)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_private_files(document: Path) -> None:
    """If a document runs previews or `up` on a real account, only the user can read files of the engine."""
    for block in blocks(document):
        run = re.search(r"^pulumi (preview|up|stack init)", block.text, re.MULTILINE)
        if run and block.language == "sh":
            assert "umask 077" in block.text[: run.start()], block.text


def test_every_command_is_told_of() -> None:
    """Every iamcreds command is in a shell block of a document."""
    told = {
        words[1]
        for document in documents()
        for block in blocks(document)
        if block.language in SHELLS
        for words in commands(block)
        if words[:1] == ["iamcreds"]
    }
    assert set(SUMMARIES) <= told


@pytest.mark.parametrize("document", DOCUMENTS)
def test_specs(document: Path, tmp_path: Path) -> None:
    """Every spec in a document is valid."""
    for block in blocks(document):
        if block.language == "yaml" and re.search("^users:", block.text, re.MULTILINE):
            (tmp_path / "spec.yaml").write_text(block.text)
            assert load(tmp_path / "spec.yaml").warnings == ()
