"""The rejections of a preview: the program fails, or logs them and completes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
import pytest
from pulumi.runtime.proto.engine_pb2 import ERROR
from pulumi.runtime.proto.engine_pb2_grpc import EngineStub
from pulumi.runtime.proto.resource_pb2 import RegisterResourceResponse
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.settings import Settings, configure, set_root_resource

from dynamic_providers import program
from iamcreds.pulumi_engine.registration import register
from iamcreds.pulumi_engine.rejection_report import VARIABLE, completes_with_rejections
from iamcreds.resource_types import IAM_USER_TYPE
from iamcreds.specs import load
from tests.providers.engine import Engine, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEAM = """users:
  bob: {credentials: [{service: bedrock}]}
  jane:
    credentials: [{service: codecommit}, {service: logs}]
    accessKeys: {max: 1}
"""
MADE = """users:
  jane: {iamUser: true, credentials: [{service: codecommit}]}
  joe: {iamUser: true, credentials: []}
"""
USERS = "aws:iam/getUsers:getUsers"


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Remove the settings of other programs, and of this one."""
    set_root_resource(None)  # type: ignore[arg-type] # as before a program
    yield
    configure(Settings(None, None))


def preview(engine: Engine, specs: Path) -> dict[str, dict[str, Any]]:
    """Run the program in a preview, and return its outputs."""

    async def run() -> Any:  # noqa: ANN401 - the type of the SDK
        return await register(load(specs)).future()

    with serving(engine) as address, grpc.insecure_channel(address) as channel:
        stubs = ResourceMonitorStub(channel), EngineStub(channel)
        configure(Settings("iamcreds", "dev", *stubs, dry_run=True, organization="acme"))
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            return dict(runner.run(run()))


def reject(*reasons: str) -> RegisterResourceResponse:
    """Return the engine's response for a rejected resource."""
    response = RegisterResourceResponse()
    response.object.update({"refused": list(reasons)})
    return response


def list_errors(engine: Engine) -> list[tuple[str, str]]:
    """Return the URN and text of each logged error."""
    return [(logged.urn, logged.message) for logged in engine.logged if logged.severity == ERROR]


def test_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `report`, each rejection is an error at its resource, and the outputs have only the other credentials."""
    file = tmp_path / "a.yaml"
    file.write_text(TEAM)
    answers = {"jane/codecommit": reject("in\nthe way"), "bob/bedrock": reject("one", "two"), str(file): reject("keys")}
    monkeypatch.setenv(VARIABLE, "report")
    engine = Engine({}, answers)
    outputs = preview(engine, file)
    assert list_errors(engine) == [
        ("urn:bob/bedrock", f"{file}:2:23: bob/bedrock: one"),
        ("urn:bob/bedrock", f"{file}:2:23: bob/bedrock: two"),
        (f"urn:{file}", f"{file}:3:3: {file}: keys"),
        ("urn:jane/codecommit", f"{file}:4:19: jane/codecommit: in\\nthe way"),
    ]
    assert outputs["credentials"].keys() == outputs["secrets"].keys() == {"jane/logs"}
    monkeypatch.delenv(VARIABLE)
    engine = Engine({}, answers)
    with pytest.raises(pulumi.RunError, match=r"\A`pulumi up` would reject:\n.*bob/bedrock: one\n(.*\n){2}.*\Z"):
        preview(engine, file)
    assert list_errors(engine) == []


def test_reported_iam_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `report`, an IAM user that cannot be created is an error at its resource."""
    (tmp_path / "a.yaml").write_text(MADE)
    monkeypatch.setenv(VARIABLE, "report")
    engine = Engine({}, functions={USERS: {"names": ["jane"]}})
    preview(engine, tmp_path)
    ((urn, message),) = list_errors(engine)
    assert urn == "urn:jane"
    assert message.startswith(f"{tmp_path}/a.yaml:2:10: jane: IAM has user jane already")


def test_orphans_fail_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rejection that stops the whole `up` fails the preview with all rejections, even with `report`."""
    (tmp_path / "a.yaml").write_text("users: {jane: {credentials: [{service: codecommit}]}}")
    monkeypatch.setenv(VARIABLE, "report")
    state = {"urn:pulumi:dev::x::y::jane": {"type": IAM_USER_TYPE, "outputs": {"name": "jane"}}}
    engine = Engine(state, {"jane/codecommit": reject("no")})
    with pytest.raises(pulumi.RunError, match=r"jane: `iamUser` was taken out.*\n.*jane/codecommit: no"):
        preview(engine, tmp_path)
    assert list_errors(engine) == []


@pytest.mark.parametrize("value", ["", "Report", "fail", "1\n::add-mask::x"])
def test_other_values(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A different value is an error in one printable line before anything is registered."""
    monkeypatch.setenv(VARIABLE, value)
    monkeypatch.setattr(program, "load_specs", lambda: pytest.fail("the specs were read"))
    with pytest.raises(pulumi.RunError) as raised:
        program.run()
    assert str(raised.value).isprintable()
    assert str(raised.value).endswith("is not valid: set it to report, or unset it")


def test_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """The valid values are `report` and unset."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert not completes_with_rejections()
    monkeypatch.setenv(VARIABLE, "report")
    assert completes_with_rejections()
