"""A package index on 127.0.0.1: the packages that `make` downloaded, and every path that pip requested."""

from __future__ import annotations

import re
import socketserver
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler
from threading import Thread
from typing import TYPE_CHECKING

from tests.e2e.stack import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHEELS = ROOT / ".state/wheels"
FAKE_VERSIONS = ("0.1.0", "9.9.9")


@dataclass(frozen=True)
class PackageIndex:
    """An index, and the paths that were requested from it."""

    url: str
    requested: list[str]

    def make_environment(self) -> dict[str, str]:
        """Return the environment variables that restrict pip to this index."""
        return {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": self.url, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@contextmanager
def serve_packages(folder: Path) -> Iterator[PackageIndex]:
    """Serve the downloaded packages and a fake iamcreds, which anyone could register."""
    assert (WHEELS / ".downloaded").exists(), "the packages are missing: run `make .state/wheels/.downloaded`"
    for wheel in WHEELS.glob("*.whl"):
        _add(folder, wheel.name).symlink_to(wheel)
    for version in FAKE_VERSIONS:
        _write_fake(_add(folder, f"iamcreds-{version}-py3-none-any.whl"), version)
    requested: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - as http.server calls it
            requested.append(self.path)

    socketserver.ThreadingTCPServer.daemon_threads = True
    handler = partial(Handler, directory=str(folder))
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield PackageIndex(f"http://127.0.0.1:{server.server_address[1]}/", requested)
        server.shutdown()


def _add(folder: Path, wheel: str) -> Path:
    project = folder / re.sub(r"[-_.]+", "-", wheel.partition("-")[0]).lower()
    project.mkdir(exist_ok=True)
    return project / wheel


def _write_fake(file: Path, version: str) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        metadata = f"Metadata-Version: 2.1\nName: iamcreds\nVersion: {version}\n"
        archive.writestr(f"iamcreds-{version}.dist-info/METADATA", metadata)
        archive.writestr(f"iamcreds-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"iamcreds-{version}.dist-info/RECORD", "")
        archive.writestr("iamcreds/__init__.py", "raise SystemExit('the fake iamcreds runs')\n")
