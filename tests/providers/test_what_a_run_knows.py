"""What one process knows of a run, by itself: what it is told, and what it makes of that."""

from __future__ import annotations

import pytest
from dynamic_providers.run import NEVER, Message, Refuse, Run
from pulumi.output import UNKNOWN

LOGS = ("jane", "logs.amazonaws.com")


def test_message() -> None:
    """A message is read as the program has sent it; numbers come as the protocol has them."""
    told = {
        "resource": "jane/logs",
        "owned": {"ACCA1": "jane/logs"},
        "account": "123456789012",
        "claimed": {"jane/logs/a": "ACCA2"},
        "protect": True,
        "on_rejection": "collect",
        "adopters": {"jane/logs/b": 5.0},
        "created_users": ["jane"],
    }
    message = Message.read({"run": told})
    assert message == Message(
        resource="jane/logs",
        owned={"ACCA1": "jane/logs"},
        account="123456789012",
        claimed={"jane/logs/a": "ACCA2"},
        protect=True,
        refuse=Refuse.PREVIEW,
        adopters={"jane/logs/b": 5},
        created_users=("jane",),
    )


@pytest.mark.parametrize("properties", [{}, {"run": None}, {"run": {}}, {"run": UNKNOWN}, {"run": {"owned": UNKNOWN}}])
def test_no_message(properties: dict[str, object]) -> None:
    """Without a message, or with one that is not known yet, nothing is told."""
    assert Message.read(properties) == Message()


def test_aliases() -> None:
    """Owners have the names that the program gives them now; a name that the state has already is another's."""
    owned = {"ACCA1": "old", "ACCA2": "other"}
    read = Message.read({"run": {"owned": owned, "renamed": {"old": "new", "gone": "other"}}})
    assert read.owned == {"ACCA1": "new", "ACCA2": "other"}
    done = {"ACCA1": "old", "ACCA2": "new"}
    assert Message.read({"run": {"owned": done, "renamed": {"old": "new"}}}).owned == done


def test_a_part_of_a_message() -> None:
    """What of a message is not known yet is not told, and the rest is."""
    told = {"resource": "key", "owned": UNKNOWN, "of_user": UNKNOWN, "account": "123456789012", "claimed": {}}
    assert Message.read({"run": told}) == Message(resource="key", account="123456789012")


def test_owner_of_what_was_made() -> None:
    """What a plan has come to is its resource's; what was made without one is the stack's, and nobody knows whose."""
    run = Run()
    run.plan(*LOGS, "jane/logs", None)
    run.plan(*LOGS, "jane/logs/adopting", "ACCA2")
    run.finish(*LOGS, "ACCA2", "ACCA2")
    run.finish(*LOGS, None, "ACCA1")
    run.finish(*LOGS, None, "ACCA3")
    assert [run.owner(f"ACCA{number}") for number in range(1, 5)] == ["jane/logs", "jane/logs/adopting", "", None]
    assert run.plans_beside(*LOGS, "") == {}


def test_owner_who_was_told() -> None:
    """What the engine has had read keeps the name that the program has told of it."""
    run = Run()
    run.hear(*LOGS, Message(owned={"ACCA1": "jane/logs"}))
    assert run.is_unread("ACCA1")
    run.read("ACCA1")
    run.read("ACCA2")
    assert (run.owner("ACCA1"), run.owner("ACCA2")) == ("jane/logs", "")
    assert not run.is_unread("ACCA1")
    assert not run.is_unread("ACCA2")
    assert run.has("jane/logs")
    assert not run.is_recorded("jane/logs")


def test_resource_without_a_name() -> None:
    """Of a resource whose name is not known nothing is known either."""
    run = Run()
    run.record("")
    run.own("ACCA1")
    assert not run.is_recorded("")
    assert not run.has("")


def test_adopters_to_come() -> None:
    """Who has a credential already, or has decided, adopts no more; how long theirs last is told of the others."""
    run = Run()
    run.hear(*LOGS, Message(adopters={"having": 1, "planning": 2, "a": 3, "b": NEVER}))
    run.plan(*LOGS, "planning", None)
    assert run.adopters_to_come(*LOGS, {"having"}) == [3, None]
    assert run.adopters_to_come("joe", LOGS[1], ()) == []


def test_claims() -> None:
    """A credential is claimed by whoever names it, but for those who have one."""
    run = Run()
    run.hear(*LOGS, Message(claimed={"a": "ACCA1", "having": "ACCA2"}))
    run.claim(*LOGS, "c", "ACCA3")
    assert run.claimed(*LOGS, {"having"}) == {"ACCA1", "ACCA3"}
    assert run.claimed("joe", LOGS[1], ()) == frozenset()


def test_reason_to_keep() -> None:
    """A protected resource keeps the credential that it has, and nobody else's."""
    run = Run()
    run.keep("jane/logs", "its age differs")
    run.keep("", "its name is not known")
    run.hear(*LOGS, Message(owned={"ACCA1": "jane/logs", "ACCA2": "jane/logs/b"}))
    assert [run.reason_to_keep(f"ACCA{number}") for number in (1, 2, 3)] == ["its age differs", None, None]
