"""Passwords from the stack's config, and the requests and outputs of the YAML program for imported credentials."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.runtime.config import set_all_config
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from iamcreds.resource_types import CREDENTIAL_TYPE
from iamcreds.specs import load
from tests.providers.engine import Engine
from tests.providers.test_program import answer, run, sent, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from iamcreds.desired import Desired

__all__ = ["settings"]

PASSWORD = "hunter2-hunter2"
SPECS = """users:
  jane:
    credentials:
      - {service: codecommit, adopt: ACCAEXAMPLE1234567890}
      - {service: codecommit, name: new, protect: true}
      - {service: logs}
"""
LIVE = {"credential_id": "ACCAEXAMPLE1234567890", "status": "Active", "service_user_name": "jane-at-1"}


@pytest.fixture
def specs(tmp_path: Path) -> Desired:
    """Return specs of three credentials, one of them imported."""
    (tmp_path / "jane.yaml").write_text(SPECS)
    return load(tmp_path)


@pytest.fixture(autouse=True)
def _no_config() -> Iterator[None]:
    """Reset the config after each test."""
    yield
    set_all_config({})


def configure(value: object, key: str = "passwords") -> None:
    """Set a value in the stack's config, as the engine passes it to a program."""
    set_all_config({f"iamcreds:{key}": value if isinstance(value, str) else json.dumps(value)})


def properties(engine: Engine, name: str) -> dict[str, Any]:
    """Return the registered properties of a credential."""
    return sent(engine.requests[CREDENTIAL_TYPE, name])


def test_sent_as_a_secret(specs: Desired) -> None:
    """A password is sent only with its own credential, as a secret."""
    configure({"jane/codecommit": PASSWORD})
    engine = Engine({})
    run(engine, specs)
    password = properties(engine, "jane/codecommit")["password"]
    assert is_rpc_secret(password)
    assert unwrap_rpc_secret(password) == PASSWORD
    assert PASSWORD not in str([properties(engine, name) for name in ("jane/codecommit/new", "jane/logs")])
    assert engine.logged == []


@pytest.mark.parametrize("character", ["\x1b", "\x7f", "\x9b", "\u202e", "\u2028", "\n::error::"], ids=ascii)
def test_unprintable_name(character: str, specs: Desired, monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning about an unused password contains no unprintable character of its name, and no workflow command."""
    configure({f"x{character}y": PASSWORD})
    warnings: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings.append)
    run(Engine({}), specs)
    (warning,) = warnings
    assert "config `passwords`: the password of x" in warning
    assert warning.isprintable()


def test_of_nobody(specs: Desired) -> None:
    """A password for a credential that is not imported is not sent."""
    configure({"jane/logs": PASSWORD})
    engine = Engine({})
    run(engine, specs)
    assert "password" not in properties(engine, "jane/logs")


@pytest.mark.parametrize(
    "value", ["hunter2", ["hunter2"], {"jane/codecommit": ""}, {"jane/codecommit": {"a": "hunter2"}}]
)
def test_malformed(specs: Desired, value: object) -> None:
    """A malformed value is an error that shows the command to set it, and nothing of the value."""
    configure(value)
    with pytest.raises(pulumi.RunError, match="pulumi config set --secret --path") as raised:
        run(Engine({}), specs)
    assert "hunter2" not in str(raised.value)


def test_messages(specs: Desired) -> None:
    """The run context has the protection, and the ids that the members of the group import."""
    engine = Engine({})
    run(engine, specs)
    messages = {name: properties(engine, f"jane/{name}")["run"] for name in ("codecommit", "codecommit/new", "logs")}
    group = {
        "jane/codecommit": {"declared": 2, "adopt": "ACCAEXAMPLE1234567890"},
        "jane/codecommit/new": {"declared": 2},
    }
    assert [messages[name]["group"] for name in messages] == [group, group, {}]
    assert [messages[name]["options"].get("protect") for name in messages] == [None, True, None]


def test_outputs_of_an_unknown_password(specs: Desired) -> None:
    """If a password is unknown, the outputs state that until it is known."""
    told = run(Engine({}, {"jane/codecommit": answer(LIVE)}), specs)
    assert told["secrets"]["jane/codecommit"] is None
    assert (
        told["credentials"]["jane/codecommit"]["secret"]
        == "unknown, because the state does not have it: a `reset` creates a new secret"
    )
    told = run(Engine({}, {"jane/codecommit": answer({**LIVE, "service_password": PASSWORD})}), specs)
    assert unwrap_rpc_secret(told["secrets"]["jane/codecommit"]) == PASSWORD
    assert "secret" not in told["credentials"]["jane/codecommit"]
