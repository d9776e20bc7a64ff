"""Specs that are not regular files, lead out of their folder, or are too many or too large."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from iamcreds.specs.sources import MAX_SIZE, read_documents

GOOD = "users: {}\n"
MEMORY = 500_000_000
"""The memory, in bytes, that suffices for 50,000 users, including Python and its modules."""

LOAD = """
import sys, time
from pathlib import Path
from iamcreds.specs import load
best = float("inf")
for _ in range(int(sys.argv[2])):
    begun = time.process_time()
    users = len(load(Path(sys.argv[1])).users)
    best = min(best, time.process_time() - begun)
print(users, best)
"""


def read(path: Path) -> dict[str, set[str]]:
    """Return the broken rules by the name of each file of a path."""
    return {Path(found.file).name: {problem.rule for problem in found.problems} for found in read_documents(path)}


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    """Return a folder with a valid spec, next to a folder outside of it."""
    for name in ("specs", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "good.yaml").write_text(GOOD)
    return tmp_path / "specs"


@pytest.mark.timeout(20)
def test_pipes_and_sockets(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe without a writer and a socket are reported, and nothing blocks."""
    os.mkfifo(specs / "pipe.yaml")
    monkeypatch.chdir(specs)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket.yaml")
    assert read(specs) == {"good.yaml": set(), "pipe.yaml": {"no-file"}, "socket.yaml": {"no-file"}}
    assert read(specs / "pipe.yaml") == {"pipe.yaml": {"no-file"}}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_devices(device: str, specs: Path) -> None:
    """A device is reported if it is named, or if a link leads to it."""
    assert read(Path(device)) == {Path(device).name: {"no-file"}}
    (specs / "zeros.yaml").symlink_to(device)
    assert read(specs) == {"good.yaml": set(), "zeros.yaml": {"outside-link"}}


def test_links(specs: Path) -> None:
    """A link to a file or folder outside is reported, and a link within the folder is followed."""
    (specs / "out.yaml").symlink_to("../elsewhere/good.yaml")
    (specs / "passwords.yaml").symlink_to("/etc/passwd")
    (specs / "environment.yaml").symlink_to("/proc/self/environ")
    (specs / "gone.yaml").symlink_to("nowhere.yaml")
    (specs / "folder").symlink_to("../elsewhere")
    (specs / "inside.yaml").symlink_to("../specs/good.yaml")
    outside = {"outside-link"}
    assert read(specs) == {
        "good.yaml": set(), "inside.yaml": set(), "gone.yaml": {"unreadable-file"},
        "out.yaml": outside, "passwords.yaml": outside, "environment.yaml": outside, "folder": outside,
    }  # fmt: skip


def test_folder_that_is_a_link(specs: Path, tmp_path: Path) -> None:
    """The named path may be a link, and links within it are followed, as Kubernetes creates them for a ConfigMap."""
    (specs / "..data").mkdir()
    (specs / "..data" / "mounted.yaml").write_text(GOOD)
    (specs / "mounted.yaml").symlink_to("..data/mounted.yaml")
    (tmp_path / "named").symlink_to(specs)
    assert read(tmp_path / "named") == {"good.yaml": set(), "mounted.yaml": set()}


@pytest.mark.timeout(20)
def test_loops(specs: Path) -> None:
    """Links in a loop are reported, and folders with a million link paths are read once."""
    (specs / "a.yaml").symlink_to("b.yaml")
    (specs / "b.yaml").symlink_to("a.yaml")
    for number in range(40):
        folder = specs / f"folder{number:02}"
        folder.mkdir()
        (folder / "again").symlink_to(f"../folder{number + 1:02}")
        (folder / "twice").symlink_to(f"../folder{number + 1:02}")
    (specs / "folder40").symlink_to(".")
    loop = {"unreadable-file"}
    assert read(specs) == {"a.yaml": loop, "b.yaml": loop, "good.yaml": set()}


@pytest.mark.timeout(60)
def test_deep_folders(specs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders deeper than Python's stack and longer than a path may be cause no exception."""
    monkeypatch.chdir(specs)
    for _ in range(2500):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(specs)
    found = read(specs)
    subprocess.run(["/bin/rm", "-rf", "d"], check=True)  # Python cannot delete it
    assert found == {"good.yaml": set(), "d": {"unreadable-file"}}


def test_size(specs: Path) -> None:
    """A file of the maximum size is read, and one that is a byte larger is reported."""
    (specs / "fits.yaml").write_text(GOOD + "#" * (MAX_SIZE - len(GOOD)))
    (specs / "large.yaml").write_text(GOOD + "#" * (MAX_SIZE - len(GOOD) + 1))
    assert read(specs) == {"fits.yaml": set(), "good.yaml": set(), "large.yaml": {"too-large"}}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_locked(specs: Path) -> None:
    """Unreadable files and folders are reported, and the others are read."""
    (specs / "locked").mkdir(mode=0)
    (specs / "locked.yaml").touch(mode=0)
    locked = {"unreadable-file"}
    assert read(specs) == {"good.yaml": set(), "locked": locked, "locked.yaml": locked}


def load(folder: Path, number: int, runs: int) -> float:
    """Return the shortest processor time for loading that many users, in a process with bounded memory."""
    user = "  user-{}:\n    credentials:\n      - {{service: codecommit, reset: first}}\n"
    path = folder / f"{number}.yaml"
    path.write_text("users:\n" + "".join(map(user.format, range(number))))
    done = subprocess.run(
        [sys.executable, "-c", LOAD, path, str(runs)], capture_output=True, text=True, timeout=200, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    users, seconds = done.stdout.split()
    assert int(users) == number
    return float(seconds)


def test_many_users(tmp_path: Path) -> None:
    """50,000 users are loaded in bounded memory, and in about ten times the time of 5,000."""
    few = load(tmp_path, 5_000, 3)
    assert load(tmp_path, 50_000, 1) < 25 * few
