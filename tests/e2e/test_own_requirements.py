"""The packages of a project: bash runs the printed steps with the real pip and the real engine.

The index has a fake iamcreds, as anyone could register one; no test may request it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iamcreds.project.locked import EXTRAS
from tests.e2e.conftest import UV, contain_any
from tests.e2e.existing import pass_a_day
from tests.e2e.package_index import PackageIndex, serve_packages
from tests.e2e.runner import read_workflow
from tests.e2e.stack import ROOT, make_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

INIT = [str(ROOT / ".venv/bin/iamcreds"), "init", "project", "--account", "123456789012"]
PIP = [str(ROOT / ".venv/bin/pip"), "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
REQUIREMENTS = ["-r", "requirements.txt"]
SETUP = ".github/actions/setup/action.yml"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[PackageIndex]:
    """An index with a fake iamcreds."""
    (tmp_path / "index").mkdir()
    with serve_packages(tmp_path / "index") as index:
        yield index


@pytest.fixture
def project(tmp_path: Path, wheel: Path) -> Path:
    """Create a project with the wheel."""
    subprocess.run([*INIT, "--wheel", wheel], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    return tmp_path / "project"


def run(command: list[str], folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command, which may fail."""
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=200)


def run_pip(folder: Path, index: PackageIndex, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a dry `pip install`, as if nothing were installed."""
    return run([*PIP, *words], folder, {"PATH": "/usr/bin:/bin", "HOME": str(folder), **index.make_environment()})


def list_packages(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """List the packages that pip would install, with their versions."""
    assert done.returncode == 0, done.stderr
    metadata = [package["metadata"] for package in json.loads(done.stdout)["install"]]
    return {package["name"].lower().replace("_", "-"): package["version"] for package in metadata}


def assert_iamcreds_is_not_requested(index: PackageIndex) -> None:
    """Assert that pip used the index, and never for iamcreds."""
    assert "/boto3/" in index.requested
    assert not [path for path in index.requested if "iamcreds" in path]


def test_printed_steps(tmp_path: Path, engine: str, index: PackageIndex, iam: IAMClient, emulator: Emulator) -> None:
    """The steps that `init` prints work as written, from the build of the wheel to the first preview."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    iam.create_service_specific_credential(UserName="joe", ServiceName="codecommit.amazonaws.com")
    pass_a_day(emulator)
    env = make_environment(tmp_path, engine, emulator.url) | index.make_environment()
    env["PATH"] = os.pathsep.join([env["PATH"], str(Path(UV).parent)])
    (tmp_path / "backend").mkdir()
    done = run([*INIT, "--stack", "test"], tmp_path, env)
    assert done.returncode == 0, done.stderr
    steps = re.findall("^  (.*)", done.stdout, re.MULTILINE)
    (skeleton,) = re.findall("# in a new account: (.*), and edit it", done.stdout)
    script = "\n".join(["set -e", *steps, skeleton, "pulumi preview", "command -v iamcreds", "pip freeze"])
    shown = run(["bash", "-c", script], tmp_path, env)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "joe/codecommit" in shown.stdout
    assert "jane/codecommit" in shown.stdout.partition("joe/codecommit")[2]
    assert f"\n{tmp_path}/project/.venv/bin/iamcreds\n" in shown.stdout
    assert f"\niamcreds @ file://{tmp_path}/project/iamcreds-" in shown.stdout
    assert_iamcreds_is_not_requested(index)
    assert not contain_any([shown.stdout, shown.stderr], emulator.controls.secrets())


def test_without_a_wheel(tmp_path: Path, index: PackageIndex) -> None:
    """Without a wheel pip never requests iamcreds, although the index offers one."""
    assert list_packages(run_pip(tmp_path, index, "iamcreds")) == {"iamcreds": "9.9.9"}
    index.requested.clear()
    subprocess.run(INIT, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    assert "iamcreds" not in list_packages(run_pip(tmp_path / "project", index, *REQUIREMENTS))
    assert_iamcreds_is_not_requested(index)


def test_extras(tmp_path: Path, wheel: Path, index: PackageIndex) -> None:
    """With all extras, pip finds every package that the wheel declares, and iamcreds is the wheel."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    subprocess.run([*INIT, *extras, "--wheel", wheel], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    packages = list_packages(run_pip(tmp_path / "project", index, *REQUIREMENTS))
    assert {"iamcreds", "pulumi-aws", "apprise", "moto"} <= set(packages)
    assert_iamcreds_is_not_requested(index)


def test_changed_wheel(project: Path, index: PackageIndex) -> None:
    """A wheel with one changed bit is rejected because of its hash."""
    (copy,) = project.glob("*.whl")
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    done = run_pip(project, index, *REQUIREMENTS)
    assert done.returncode != 0
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr


@pytest.mark.parametrize("text", ["iamcreds\n", "iamcreds==0.1.0\n", "{lines}moto==5.2.5\n"])
def test_unhashed_line(text: str, project: Path, index: PackageIndex) -> None:
    """The workflows' setup rejects a line without a hash, even if the file no longer has its options."""
    lines = re.sub("^--.*", "", (project / "requirements.txt").read_text(), flags=re.MULTILINE)
    (project / "requirements.txt").write_text(text.format(lines=lines))
    done = run_setup(project, index)
    assert done.returncode != 0
    assert "in --require-hashes mode" in done.stderr.lower()
    assert not (project / ".venv/bin/iamcreds").exists()


def test_added_name(project: Path, index: PackageIndex) -> None:
    """Next to the wheel, only the wheel satisfies a line with the name iamcreds."""
    with (project / "requirements.txt").open("a") as file:
        file.write("iamcreds\n")
    done = run_pip(project, index, *REQUIREMENTS)
    packages = json.loads(done.stdout)["install"]
    (url,) = (package["download_info"]["url"] for package in packages if package["metadata"]["name"] == "iamcreds")
    assert url.startswith(project.as_uri())
    assert_iamcreds_is_not_requested(index)


def test_setup(project: Path, index: PackageIndex) -> None:
    """The workflows' setup installs the wheel."""
    done = run_setup(project, index)
    assert done.returncode == 0, done.stderr
    assert run([".venv/bin/iamcreds", "--version"], project, {}).stdout.startswith("iamcreds, version ")
    assert_iamcreds_is_not_requested(index)


def run_setup(project: Path, index: PackageIndex) -> subprocess.CompletedProcess[str]:
    """Run the step of the workflows that installs iamcreds."""
    step = read_workflow((project / SETUP).read_text())["runs"]["steps"][1]
    env = {"PATH": f"{ROOT}/.venv/bin:/usr/bin:/bin", "HOME": str(project), "GITHUB_PATH": str(project / "path")}
    return run(["bash", "-euo", "pipefail", "-c", step["run"]], project, env | index.make_environment())
