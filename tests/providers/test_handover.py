"""The handover of ids from the reading process to the deciding process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from iamcreds.planning.group import Member
from iamcreds.pulumi_engine.handover import Handover
from iamcreds.pulumi_engine.run_context import RunContext
from iamcreds.pulumi_engine.session import Session

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = "127.0.0.1:40001 4711 1764403200.5"
LOGS = ("jane", "logs.amazonaws.com")
PROVIDER = """
import sys
from iamcreds.pulumi_engine.handover import open_handover
handover = open_handover()
handover.leave(sys.argv[2]) if sys.argv[2] else print(handover.take())
"""


def test_read_in_a_different_process(tmp_path: Path) -> None:
    """The deciding process knows the ids that an earlier process read; they are handed over once."""
    reading = Session(Handover(tmp_path, ENGINE))
    for credential_id in ("ACCA1", "ACCA2"):
        reading.read(credential_id)
    deciding = Session(Handover(tmp_path, ENGINE))
    assert (deciding.owner("ACCA1"), deciding.owner("ACCA3")) == ("", None)
    assert deciding.has_read("ACCA2")
    assert reading.owner("ACCA1") == ""
    assert list(tmp_path.iterdir()) == []


def test_different_engine(tmp_path: Path) -> None:
    """A process of a different engine receives no ids, even if the engine has the address of an earlier one."""
    Session(Handover(tmp_path, ENGINE)).read("ACCA1")
    for engine in (ENGINE.replace("40001", "40002"), ENGINE.replace("4711", "4712"), ENGINE.replace(".5", ".6"), ""):
        assert not Session(Handover(tmp_path, engine)).has_read("ACCA1")
    assert not Session(Handover(None, ENGINE)).has_read("ACCA1")


def test_stale_file(tmp_path: Path) -> None:
    """A process of a second engine at the same address ignores the file of the first one."""

    def run(credential_id: str) -> str:
        # Like the engine, each shell starts a script that starts the process.
        script = f"{sys.executable} -c '{PROVIDER}' 127.0.0.1:40001 {credential_id or repr('')}; true"
        engine = ["sh", "-c", f'sh -c "$0"; {"true"}', script]
        env = os.environ | {"TMPDIR": str(tmp_path)}
        return subprocess.run(engine, env=env, capture_output=True, text=True, check=True, timeout=60).stdout

    assert run("ACCA1") == ""
    assert list(tmp_path.glob("*/read-*"))
    assert run("") == "[]\n"


def test_counts_as_read(tmp_path: Path) -> None:
    """A run is not narrowed if a different process has read every credential of the state."""
    for recorded, is_narrowed in ((2, False), (3, True)):
        reading = Session(Handover(tmp_path, ENGINE))
        for credential_id in ("ACCA1", "ACCA2"):
            reading.read(credential_id)
        session = Session(Handover(tmp_path, ENGINE))
        session.note_request(*LOGS, RunContext("jane/logs", recorded=recorded), {"jane/logs": Member()})
        assert (session.group(*LOGS).requested is not None) is is_narrowed


def test_old_files(tmp_path: Path) -> None:
    """A file that no process read is not merged into the next one, and is removed after an hour."""
    Handover(tmp_path, ENGINE).leave("ACCA1")
    Handover(tmp_path, ENGINE).leave("ACCA2")
    assert Handover(tmp_path, ENGINE).take() == ["ACCA2"]
    Handover(tmp_path, ENGINE).leave("ACCA1")
    (file,) = tmp_path.iterdir()
    hours_ago = time.time() - 2 * 3600
    os.utime(file, (hours_ago, hours_ago))
    Handover(tmp_path, "different").leave("ACCA3")
    assert not file.exists()


def test_unreadable(tmp_path: Path) -> None:
    """A missing folder or an invalid file hands over nothing."""
    missing = Handover(tmp_path / "missing", ENGINE)
    missing.leave("ACCA1")
    assert missing.take() == []
    Handover(tmp_path, ENGINE).leave("ACCA1")
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"\xff")
    assert Handover(tmp_path, ENGINE).take() == []
