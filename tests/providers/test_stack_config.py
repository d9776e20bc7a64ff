"""The configuration of a stack: the selected specs, and the resulting warnings and outputs."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pulumi
import pytest
from pulumi.runtime.config import CONFIG
from pulumi.runtime.settings import Settings, configure

from dynamic_providers import program
from dynamic_providers.program import load_specs, run
from iamcreds.model import Desired, Place, Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

JANE = "users: {jane: {credentials: [{service: codecommit}]}}"
JOE = "users: {joe: {credentials: []}}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a project folder with specs in the default location and elsewhere; the configuration is empty."""
    for name, text in {"specs": JANE, "others": JOE, "empty": ""}.items():
        (tmp_path / name).mkdir()
        if text:
            (tmp_path / name / "a.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    configure(Settings("project", "dev"))
    before = CONFIG.set({})
    yield tmp_path
    CONFIG.reset(before)


@pytest.mark.parametrize(
    ("config", "users"),
    [({}, ["jane"]), ({"specs": "others"}, ["joe"]), ({"specs": "empty", "allowEmpty": "true"}, [])],
)
def test_which_specs(folder: Path, config: dict[str, str], users: list[str]) -> None:
    """The default folder is `specs`, unless the configuration sets another one; specs without users must be allowed."""
    del folder  # is required to exist
    CONFIG.set({f"project:{name}": value for name, value in config.items()})
    assert [user.name for user in load_specs().users] == users


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_refused(folder: Path, name: str) -> None:
    """Specs with problems fail with all of them, and missing specs fail as well."""
    del folder  # is required to exist
    CONFIG.set({"project:specs": name})
    with pytest.raises(pulumi.RunError, match=f"the specs have problems:\n.*{name}"):
        load_specs()


def test_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning about the specs is shown, and the outputs are exported under their names."""
    warning = Problem(Place("specs/a.yaml", 1, 1), "mind the gap", "gap", Severity.WARNING)
    specs = Desired(warnings=(warning,))
    asked: list[Desired] = []
    warned: list[str] = []
    exported: dict[str, object] = {}

    def register(specs: Desired) -> dict[str, str]:
        asked.append(specs)
        return {"credentials": "c", "secrets": "s"}

    monkeypatch.setattr(program, "load_specs", lambda: specs)
    monkeypatch.setattr(program, "register", register)
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    heeded = signal.getsignal(signal.SIGINT)
    try:
        run()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL, "otherwise an interrupted program shows a traceback"
    finally:
        signal.signal(signal.SIGINT, heeded)
    assert asked == [specs]
    assert exported.keys() == {"credentials", "secrets"}
    assert exported["credentials"] == "c"
    assert isinstance(exported["secrets"], pulumi.Output), "the whole mapping is one secret"
    assert warned == ["specs/a.yaml:1:1: warning: mind the gap [gap]"]
