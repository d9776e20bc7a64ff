"""The files of a new project: those that this repository has itself, and those that depend on options."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from iamcreds.project.files import Project, make_files
from iamcreds.project.locked import read_locked
from tests.e2e.runner import read_workflow
from tests.e2e.stack import ROOT
from tools.engine import VERSION

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = Project("123456789012", "eu-west-1", "prod")
OURS = (
    ".github/actions/tools/action.yml",
    ".github/workflows/build.yml",
    ".github/workflows/code-scanning.yml",
    ".github/workflows/drift.yml",
    ".github/workflows/pull-request.yml",
    ".github/workflows/up.yml",
    "Pulumi.yaml",
    "__main__.py",
    "specs/schema.json",
)
SETUP = ".github/actions/setup/action.yml"
"""The one file that differs: a project installs the package, and this repository is the package."""


@pytest.mark.parametrize("path", OURS)
def test_ours_and_theirs_are_one(path: str) -> None:
    """The workflows, the schema, the program and Pulumi's own file equal those of this repository."""
    assert make_files(PROJECT)[path] == (ROOT / path).read_text()


def test_nothing_else() -> None:
    """A project has these files, and no others."""
    others = [SETUP, ".github/stacks.json", ".gitignore", "requirements.txt", "specs/account.yaml"]
    assert list(make_files(PROJECT)) == sorted([*OURS, *others])


def test_setup() -> None:
    """The workflows set up the Python version of this repository, and the engine of its tests."""
    ours, theirs = (read_workflow(text) for text in ((ROOT / SETUP).read_text(), make_files(PROJECT)[SETUP]))
    assert theirs["inputs"] == {"engine": ours["inputs"]["engine"]}
    assert theirs["runs"]["steps"][0] == ours["runs"]["steps"][0]
    engine = theirs["runs"]["steps"][-1]
    assert engine["env"] == {"VERSION": VERSION}
    assert engine["if"] == "inputs.engine == 'true'"
    assert "/.cache/iamcreds/engine-$VERSION" in engine["run"]
    assert "~/.cache/iamcreds/engine-*" in make_files(PROJECT)[".github/actions/tools/action.yml"]


CURL = """#!/bin/bash -eu
case "$4" in
    https://get.pulumi.com/releases/sdk/pulumi-v*-linux-x64.tar.gz) cp "$HOME/archive" "$3" ;;
    https://github.com/pulumi/pulumi/releases/download/v*/SHA512SUMS) cp "$HOME/sums" "$3" ;;
esac
"""


@pytest.mark.parametrize(
    ("sums", "is_accepted"),
    [
        ("{right}  pulumi-{version}-darwin-x64.tar.gz\n{right}  pulumi-{version}-linux-x64.tar.gz\n", True),
        ("{wrong}  pulumi-{version}-linux-x64.tar.gz\n", False),
        ("{right}  pulumi-{version}-darwin-x64.tar.gz\n", False),
        ("<html>", False),
        ("", False),
    ],
    ids=["right", "wrong", "another platform's", "a page", "nothing"],
)
def test_checksum(sums: str, tmp_path: Path, *, is_accepted: bool) -> None:
    """The engine is unpacked, and added to PATH, only if its archive has the checksum from the second source."""
    (tmp_path / "pulumi").mkdir()
    (tmp_path / "pulumi/pulumi").touch(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/curl").write_text(CURL)
    (tmp_path / "bin/curl").chmod(0o755)
    with tarfile.open(tmp_path / "archive", "w:gz") as archive:
        archive.add(tmp_path / "pulumi", "pulumi")
    right = hashlib.sha512((tmp_path / "archive").read_bytes()).hexdigest()
    (tmp_path / "sums").write_text(sums.format(right=right, wrong="0" * 128, version=VERSION))
    engine = read_workflow(make_files(PROJECT)[SETUP])["runs"]["steps"][-1]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", engine["run"]],  # noqa: S607 - as the runner finds it
        env=engine["env"] | {
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(tmp_path), "RUNNER_TEMP": str(tmp_path),
            "GITHUB_PATH": str(tmp_path / "path"),
        },
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    folder = tmp_path / f".cache/iamcreds/engine-{VERSION}"
    assert (done.returncode == 0) is is_accepted, done.stderr
    assert (folder / "pulumi").exists() is is_accepted
    assert (tmp_path / "path").exists() is is_accepted


def test_account_region_and_stack() -> None:
    """The account is a guard in the specs; the list of stacks has its roles, in the partition of the region."""
    files = make_files(Project("123456789012", "us-gov-west-1", "audit"))
    assert yaml.safe_load(files["specs/account.yaml"]) == {"account": "123456789012"}
    assert json.loads(files[".github/stacks.json"]) == [
        {
            "stack": "audit",
            "specs": "specs",
            "region": "us-gov-west-1",
            "driftRole": "arn:aws-us-gov:iam::123456789012:role/iamcreds-drift",
            "readRole": "arn:aws-us-gov:iam::123456789012:role/iamcreds-read",
            "writeRole": "arn:aws-us-gov:iam::123456789012:role/iamcreds-write",
        }
    ]


def test_backend() -> None:
    """The backend is in Pulumi.yaml, so that every machine finds the state; other settings equal this repository's."""
    url = "s3://state?region=eu-west-1&s3ForcePathStyle=true"
    text = make_files(Project("123456789012", "eu-west-1", "prod", url))["Pulumi.yaml"]
    assert yaml.safe_load(text) == yaml.safe_load((ROOT / "Pulumi.yaml").read_text()) | {"backend": {"url": url}}


def test_without_a_wheel() -> None:
    """Without a wheel no line names iamcreds except comments, so that pip never looks for it on an index."""
    text = make_files(PROJECT)["requirements.txt"]
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines[:2] == ["--require-hashes", "--only-binary :all:"]
    assert not [line for line in lines if "iamcreds" in line]
    assert "--account 123456789012 --wheel FILE --overwrite requirements.txt\n" in text
    assert text.endswith(f"\n{read_locked(())}")


def test_with_a_wheel() -> None:
    """With a wheel its line is the only one that names iamcreds; the extras' packages follow."""
    line = "./iamcreds-0.1.0-py3-none-any.whl[aws] --hash=sha256:0"
    text = make_files(replace(PROJECT, extras=("aws",), requirement=line))["requirements.txt"]
    assert [found for found in text.splitlines() if "iamcreds" in found and not found.startswith("#")] == [line]
    assert text.endswith(f"\n{line}\n{read_locked(['aws'])}")
    assert "\npulumi-aws==" in text


def test_setup_requires_hashes() -> None:
    """The workflows install with hashes and wheels only, even if someone removes the options from requirements.txt."""
    install = read_workflow(make_files(PROJECT)[SETUP])["runs"]["steps"][1]["run"]
    assert re.findall("pip install (.*)", install) == [
        "--quiet --require-hashes --only-binary :all: --requirement requirements.txt"
    ]
