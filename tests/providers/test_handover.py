"""What the process that reads leaves for the one that decides."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from dynamic_providers.handover import Handover
from dynamic_providers.session import Session

if TYPE_CHECKING:
    from pathlib import Path

ENGINE = "127.0.0.1:40001"


def test_read_in_another_process(tmp_path: Path) -> None:
    """What one process has had read, the next one of the same phase knows for the stack's own, and for read."""
    reading = Session(Handover(tmp_path, ENGINE))
    for credential_id in ("ACCA1", "ACCA2"):
        reading.read(credential_id)
    deciding = Session(Handover(tmp_path, ENGINE))
    assert (deciding.owner("ACCA1"), deciding.owner("ACCA3")) == ("", None)
    assert deciding.has_read("ACCA2")
    assert reading.owner("ACCA1") == ""
    assert list(tmp_path.iterdir()) == [], "it is needed once"


def test_another_phase(tmp_path: Path) -> None:
    """Another phase, which another engine's address is, is told nothing."""
    Session(Handover(tmp_path, ENGINE)).read("ACCA1")
    for other in ("127.0.0.1:40002", ""):
        assert not Session(Handover(tmp_path, other)).has_read("ACCA1")
    assert not Session(Handover(None, ENGINE)).has_read("ACCA1")


def test_what_an_earlier_run_has_left(tmp_path: Path) -> None:
    """What nobody took is neither mixed with what the next run reads nor believed or kept for longer than an hour."""
    Handover(tmp_path, ENGINE).leave("ACCA1")
    Handover(tmp_path, ENGINE).leave("ACCA2")
    assert Handover(tmp_path, ENGINE).take() == ["ACCA2"]
    Handover(tmp_path, ENGINE).leave("ACCA1")
    (left,) = tmp_path.iterdir()
    hours_ago = time.time() - 2 * 3600
    os.utime(left, (hours_ago, hours_ago))
    Handover(tmp_path, "another").leave("ACCA3")
    assert not left.exists()
    Handover(tmp_path, ENGINE).leave("ACCA1")
    os.utime(left, (hours_ago, hours_ago))
    assert Handover(tmp_path, ENGINE).take() == []


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A folder that is gone, or a file that is none of ours, hands nothing over and stops nobody."""
    gone = Handover(tmp_path / "gone", ENGINE)
    gone.leave("ACCA1")
    assert gone.take() == []
    Handover(tmp_path, ENGINE).leave("ACCA1")
    (left,) = tmp_path.iterdir()
    left.write_bytes(b"\xff")
    assert Handover(tmp_path, ENGINE).take() == []
