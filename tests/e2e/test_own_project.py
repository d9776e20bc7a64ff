"""A project of a team: the built wheel in an empty folder, with the real engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import UV, assert_no_leak
from tests.e2e.existing import JANE, list_credentials, pass_a_day
from tests.e2e.recorded.restoring import STATES, list_recorded_ids, restore, specs_of_make
from tests.e2e.stack import ROOT, Stack, make_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a virtual environment with the wheel and the installed libraries, without a package index."""
    folder = tmp_path_factory.mktemp("environment") / ".venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True, timeout=200)
    python = folder / "bin/python"
    subprocess.run([UV, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel], check=True, timeout=200)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    return folder


@pytest.fixture
def project(tmp_path: Path, environment: Path, engine: str, emulator: Emulator) -> Iterator[Stack]:
    """Create a project with `iamcreds init` in an empty folder, and its stack."""
    variables = make_environment(tmp_path, engine, emulator.url)
    variables["PATH"] = variables["PATH"].replace(str(ROOT / ".venv/bin"), str(environment / "bin"))
    (tmp_path / "backend").mkdir()
    folder = tmp_path / "project"
    init = [str(environment / "bin/iamcreds"), "init", str(folder), "--account", "123456789012", "--stack", "test"]
    done = subprocess.run(init, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    (folder / ".venv").symlink_to(environment)
    stack = Stack(folder, variables)
    (step,) = re.findall(r"  (pulumi stack init .*)", done.stdout)
    stack.succeed(*step.split()[1:])
    yield stack
    assert_no_leak(stack, tmp_path, emulator.controls.secrets())


def test_wheel(wheel: Path) -> None:
    """The wheel contains every file of both packages in git, links as files, and only its metadata in addition."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "iamcreds", "dynamic_providers"],  # noqa: S607 - a person's git
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == set(listed.stdout.splitlines())
        assert all(archive.read(name) == (ROOT / name).read_bytes() for name in names)


def test_runs_the_wheel(environment: Path) -> None:
    """These tests run the wheel, not the working copy."""
    code = "import iamcreds, dynamic_providers as providers; print(iamcreds.__file__, providers.__file__)"
    shown = subprocess.run(
        [environment / "bin/python", "-c", code],
        cwd=environment, env={}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.count(str(environment)) == 2
    assert str(ROOT) not in shown.stdout


def test_own_project(project: Stack, iam: IAMClient) -> None:
    """An empty folder becomes a project: its first run creates the declared credentials; the next has no changes."""
    printed = project.fail("preview")
    assert "the specs declare no users" in printed
    iam.create_user(UserName="jane")
    (project.folder / "specs/jane.yaml").write_text(f"# yaml-language-server: $schema=schema.json\n{JANE}\n")
    assert "jane/codecommit" in project.preview()
    assert list_credentials(iam, "jane") == []
    project.up()
    assert len(list_credentials(iam, "jane")) == 1
    project.assert_no_changes()
    assert project.read_resources()["jane/codecommit"]["inputs"]["account"] == "123456789012"


def test_dump(project: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """Existing credentials are dumped into the project's specs; `up` changes nothing in AWS and leaves no changes."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
        iam.create_service_specific_credential(UserName=user, ServiceName="codecommit.amazonaws.com")
    pass_a_day(emulator)
    subprocess.run(
        ["iamcreds", "dump", "--to", "specs"],  # noqa: S607 - by the project's PATH
        cwd=project.folder, env=project.env, check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    emulator.controls.clear_counts()
    project.up()
    project.assert_no_changes()
    assert not {name for name in emulator.controls.counts() if not re.match("(iam:(Get|List)|sts:)", name)}
    assert set(project.read_resources()) == {"jane/codecommit", "joe/codecommit"}


@pytest.mark.parametrize("recorded", STATES, ids=lambda path: path.stem)
def test_upgrade(recorded: Path, project: Stack, iam: IAMClient, emulator: Emulator) -> None:
    """A project manages a stack of an older version without any changes, and keeps every password."""
    state = json.loads(recorded.read_text())
    restore(iam, emulator, state)
    pass_a_day(emulator)
    project.write_specs(**specs_of_make())
    project.succeed("stack", "import", "--file", str(recorded))
    secrets = project.read_secrets()
    project.assert_no_changes()
    project.up()
    ids = {name: resource["id"] for name, resource in project.read_resources().items()}
    assert ids == list_recorded_ids(state)
    assert project.read_secrets() == secrets
    assert not {"iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential"} & set(
        emulator.controls.counts()
    )
