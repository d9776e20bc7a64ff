"""The script and the alert rules for Prometheus in docs/drift.md."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import yaml

from iamcreds.report.openmetrics import format_openmetrics
from tests.documents.reading import blocks
from tests.report.test_openmetrics import read
from tests.report.test_text import DRIFT
from tools.documents import ROOT

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = [block for block in blocks(ROOT / "docs/drift.md") if block.heading == "OpenMetrics"]
COMPLETE = format_openmetrics(DRIFT)


@dataclass(frozen=True)
class Machine:
    """A machine with the script, the folder of the metrics, and programs that stand for `pulumi` and `iamcreds`."""

    folder: Path
    script: str

    def run(self, shell: str, output: str, code: int) -> list[str]:
        """Run the script while `iamcreds` prints this output and exits so; return the files of the folder."""
        (self.folder / "output").write_text(output)
        for name, text in {"pulumi": "echo '{}'", "iamcreds": f"cat > /dev/null; cat output; exit {code}"}.items():
            (self.folder / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
            (self.folder / "bin" / name).chmod(0o755)
        env = {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        subprocess.run([*shell.split(), "-c", self.script], cwd=self.folder, env=env, check=True, timeout=60)
        return sorted(path.name for path in (self.folder / "metrics").iterdir())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with metrics of an earlier run."""
    (script,) = (block.text for block in BLOCKS if block.language == "sh")
    (tmp_path / "bin").mkdir()
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/iamcreds.prom").write_text("old\n")
    return Machine(tmp_path, re.sub(r"^metrics=.*$", "metrics=metrics/iamcreds.prom", script, flags=re.MULTILINE))


@pytest.mark.parametrize("shell", ["sh", "sh -e", "bash -e -o pipefail"])
@pytest.mark.parametrize(
    ("output", "code", "expected"),
    [
        pytest.param(COMPLETE, 0, COMPLETE, id="no differences"),
        pytest.param(COMPLETE, 2, COMPLETE, id="differences"),
        pytest.param(COMPLETE, 1, COMPLETE, id="a notification that failed"),
        pytest.param("", 2, "old\n", id="a state with unknown code"),
        pytest.param("", 1, "old\n", id="an error"),
        pytest.param(COMPLETE[:-20], 137, "old\n", id="a kill"),
    ],
)
def test_script(machine: Machine, shell: str, output: str, code: int, expected: str) -> None:
    """The script replaces the file by a complete text only, whatever the exit code, and leaves no other file."""
    assert machine.run(shell, output, code) == ["iamcreds.prom"]
    assert (machine.folder / "metrics/iamcreds.prom").read_text() == expected


def test_alert_rules() -> None:
    """The alert rules use existing metrics and labels."""
    (text,) = (block.text for block in BLOCKS if block.language == "yaml")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert len(rules) == 2
    metrics = read(COMPLETE)
    for rule in rules:
        (name,) = re.findall(r"iamcreds_\w+", rule["expr"])
        labels = re.findall(r"\$labels\.(\w+)", str(rule.get("annotations", "")))
        assert set(labels) <= metrics[name].samples[0].labels.keys()


def test_documented_metrics() -> None:
    """The table has every metric."""
    rows = re.findall(r"^\| (`iamcreds_.*?) \|", (ROOT / "docs/drift.md").read_text(), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"iamcreds_\w+", row)} == read(COMPLETE).keys()
