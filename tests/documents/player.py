"""Plays a document: runs the commands of its `console` blocks, and compares what they say with what stands there.

A block has commands, each after `$ `, and what they print. `…` stands for any text within a line and, alone on a line,
for any lines. Ids, dates and spans of time differ from run to run: an id of the document stands for one and the same
live id from its first appearance on, in commands too. A `yaml` block whose first line is `# specs/NAME.yaml` is written
there. While a block `console deny=OPERATION` is played, IAM refuses that operation; with `lose=OPERATION` it carries it
out, and every answer is lost.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.emulator.faults.controls import Controls
    from tests.documents.reading import Block
    from tests.e2e.stack import Stack

ID = re.compile(r"\bACCA[0-9A-Z]{17}\b")
_VOLATILE = (
    (r"\d{4}-\d\d-\d\dT[\d:.+]+Z?", r"\d{4}-\d\d-\d\dT[\d:.+]+Z?"),
    (r"\d{4}-\d\d-\d\d", r"\d{4}-\d\d-\d\d"),
    (r"\b\d+ (?:days?|seconds|minutes)\b", r"\d+ (?:days?|seconds|minutes)"),
    (r"\d+(?:\.\d+)?s\b", r"\d+(?:\.\d+)?s"),
    (r"…", r"[^\n]*"),
)
"""What is not compared, and the pattern that it stands for."""


@dataclass
class Player:
    """Plays blocks on a stack; knows which live id each id of the document stands for."""

    stack: Stack
    controls: Controls
    env: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)

    def play(self, block: Block) -> None:
        """Write a spec, or run commands and compare.

        Raises:
            AssertionError: a command says something else.
        """
        spec = re.match(r"# (specs/\S+\.yaml)\n", block.text)
        if block.language == "yaml" and spec:
            (self.stack.folder / spec[1]).write_text(block.text)
        elif block.language == "console":
            for operation in re.findall(r"deny=(\S+)", block.options):
                self.controls.deny(operation)
            for operation in re.findall(r"lose=(\S+)", block.options):
                self.controls.drop(operation, when="after", times=None)
            for command, said in steps(block.text):
                self.compare(command, said, self.run(command))
            self.controls.clear_faults()

    def run(self, command: str) -> str:
        """What a command says, its errors too."""
        script = ID.sub(lambda found: self.ids.get(found[0], found[0]), command)
        done = subprocess.run(
            ["bash", "-c", script],  # noqa: S607 - by the PATH of the stack
            cwd=self.stack.folder, env=self.env, timeout=200, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.stack.printed.append(done.stdout)
        return done.stdout

    def compare(self, command: str, said: str, live: str) -> None:
        """Compare what the document says with what was said now, and learn the ids."""
        names: dict[str, str] = {}
        found = re.fullmatch(self.pattern(said, names), stripped(live))
        assert found, f"{command}\nsays in the document:\n{said}\nand now:\n{live}"
        self.ids |= {name: found[group] for group, name in names.items()}

    def pattern(self, said: str, names: dict[str, str]) -> str:
        """A pattern for what a document says; `names` gets the ids that are new, by group."""
        return "".join(self.line(line, names) for line in stripped(said).splitlines())

    def line(self, line: str, names: dict[str, str]) -> str:
        """A pattern for one line."""
        if line.strip() == "…":
            return r"(?:[^\n]*\n)*?"
        pattern = ""
        parts = re.compile("|".join([ID.pattern, *(volatile for volatile, _ in _VOLATILE)]))
        end = 0
        for found in parts.finditer(line):
            pattern += re.escape(line[end : found.start()]) + self.part(found[0], names)
            end = found.end()
        return pattern + re.escape(line[end:]) + r"\n"

    def part(self, text: str, names: dict[str, str]) -> str:
        """A pattern for an id, a date or the like."""
        if not ID.fullmatch(text):
            return next(pattern for volatile, pattern in _VOLATILE if re.fullmatch(volatile, text))
        if text in self.ids:
            return self.ids[text]
        if text in names.values():
            return f"(?P={text.lower()})"
        names[text.lower()] = text
        return f"(?P<{text.lower()}>{ID.pattern})"


def steps(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a block, and what each says; a command goes on in the next line after a backslash."""
    command, said = "", ""
    for line in text.splitlines(keepends=True):
        if line.startswith("$ ") and not command.endswith("\\\n"):
            if command:
                yield command, said
            command, said = line[2:], ""
        elif command.endswith("\\\n") and not said:
            command += line
        else:
            said += line
    yield command, said


def stripped(text: str) -> str:
    """Text without blank lines, and without blanks at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())
