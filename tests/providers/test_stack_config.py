"""The configuration of a stack: the selected specs, and the resulting warnings and outputs."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pulumi
import pytest
from pulumi.runtime.config import CONFIG
from pulumi.runtime.settings import Settings, configure

from dynamic_providers import program
from dynamic_providers.program import find_unknown_keys, load_specs, run
from iamcreds.desired import Desired
from iamcreds.model import Problem, Severity, SourceLocation

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


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("key", "hint"),
    [("spec", "; did you mean `specs`?"), ("allow_empty", "; did you mean `allowEmpty`?"), ("team\x1b", "")],
)
def test_unknown_key(key: str, hint: str) -> None:
    """A key that nothing reads is a warning with the known keys; keys of other namespaces are not ours to judge."""
    known = ["allowEmpty", "enforce", "now", "passwords", "specs"]
    CONFIG.set({f"project:{name}": "x" for name in [*known, key]} | {"aws:region": "x", "projects:x": "x"})
    (warning,) = find_unknown_keys()
    shown = key.replace("\x1b", r"\x1b")
    assert warning == f"config `{shown}` is unknown: known keys are {', '.join(known)}{hint}"


@pytest.mark.usefixtures("folder")
def test_unknown_key_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run reports it before it rejects the specs, whose folder a misspelled key may have meant."""
    CONFIG.set({"project:spec": "others", "project:specs": "nowhere"})
    warned: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with pytest.raises(pulumi.RunError):
        run()
    assert len(warned) == 1


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_refused(folder: Path, name: str) -> None:
    """Specs with problems fail with all of them, and missing specs fail as well."""
    del folder  # is required to exist
    CONFIG.set({"project:specs": name})
    with pytest.raises(pulumi.RunError, match=f"the specs have problems:\n.*{name}"):
        load_specs()


def test_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning about the specs is shown, and the outputs are exported under their names."""
    warning = Problem(SourceLocation("specs/a.yaml", 1, 1), "mind the gap", "gap", Severity.WARNING)
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
