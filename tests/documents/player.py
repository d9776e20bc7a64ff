"""Play a document: run the commands of its `console` blocks, and compare their output with the document.

A block has commands, each after `$ `, and their output. `…` stands for any text within a line; a line with only `…`
stands for any lines. Ids, dates and durations differ from run to run. An id of the document stands for the same
actual id from its first occurrence on, even in commands. A `yaml` block whose first line is `# specs/NAME.yaml` is
written to this file. With a block `console deny=OPERATION`, IAM denies that operation.
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
"""Patterns of texts that are not compared, each with the pattern of accepted texts."""


@dataclass
class Player:
    """A player of blocks on a stack, with the actual id for each id of the document."""

    stack: Stack
    controls: Controls
    env: dict[str, str]
    ids: dict[str, str] = field(default_factory=dict)

    def play(self, block: Block) -> None:
        """Write a spec, or run commands and compare their output.

        Raises:
            AssertionError: the output of a command differs.
        """
        spec = re.match(r"# (specs/\S+\.yaml)\n", block.text)
        if block.language == "yaml" and spec:
            (self.stack.folder / spec[1]).write_text(block.text)
        elif block.language == "console":
            for operation in re.findall(r"deny=(\S+)", block.options):
                self.controls.deny(operation)
            for command, said in steps(block.text):
                self.compare(command, said, self.run(command))
            self.controls.clear_faults()

    def run(self, command: str) -> str:
        """Run a command, and return its output and errors."""
        script = ID.sub(lambda found: self.ids.get(found[0], found[0]), command)
        done = subprocess.run(
            ["bash", "-c", script],  # noqa: S607 - by the PATH of the stack
            cwd=self.stack.folder, env=self.env, timeout=200, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.stack.printed.append(done.stdout)
        return done.stdout

    def compare(self, command: str, said: str, existing: str) -> None:
        """Compare the documented output with the actual one, and record new ids."""
        names: dict[str, str] = {}
        found = re.fullmatch(self.pattern(said, names), stripped(existing))
        assert found, f"{command}\noutput in the document:\n{said}\nactual output:\n{existing}"
        self.ids |= {name: found[group] for group, name in names.items()}

    def pattern(self, said: str, names: dict[str, str]) -> str:
        """Return a pattern for documented output; `names` receives new ids, by group."""
        return "".join(self.line(line, names) for line in stripped(said).splitlines())

    def line(self, line: str, names: dict[str, str]) -> str:
        """Return a pattern for one line."""
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
        """Return a pattern for an id, a date or a similar text."""
        if not ID.fullmatch(text):
            return next(pattern for volatile, pattern in _VOLATILE if re.fullmatch(volatile, text))
        if text in self.ids:
            return self.ids[text]
        if text in names.values():
            return f"(?P={text.lower()})"
        names[text.lower()] = text
        return f"(?P<{text.lower()}>{ID.pattern})"


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield the commands of a block with their output; a command continues on the next line after a backslash."""
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
    """Return the text without blank lines, and without spaces at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines() if line.strip())
