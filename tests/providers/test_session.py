"""The facts that a provider process knows about its run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from iamcreds.model import Credential, Status
from iamcreds.planning.decisions import Adopt, Create, Import, InTheWay
from iamcreds.planning.group import Group, Member
from iamcreds.pulumi_engine.run_context import RunContext
from iamcreds.pulumi_engine.session import Returned, Session
from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGS = ("jane", "logs.amazonaws.com")
ONE, TWO = Member(), Member(declared=2)
A, B = (
    Credential(f"ACCA{name}", *LOGS, Status.ACTIVE, datetime(2026, 11, 24, tzinfo=UTC), Family.API_KEY, "jane-at")
    for name in "AB"
)


def hear(
    session: Session, resource: str, members: Mapping[str, Member] | None = None, context: RunContext | None = None
) -> None:
    """Register a request for a resource of jane's logs credentials in the session."""
    context = context or RunContext(resource=resource)
    session.note_request(*LOGS, context, members or {resource: ONE})


def test_owner() -> None:
    """A credential has the owner from the state, the resource that this run created it for, or an unnamed owner."""
    session = Session()
    hear(session, "a", context=RunContext(resource="a", owned={"ACCA1": "jane/logs"}))
    session.finish(*LOGS, "jane/logs/new", "ACCA2")
    session.own("ACCA3")
    owners = [session.owner(f"ACCA{number}") for number in range(1, 5)]
    assert owners == ["jane/logs", "jane/logs/new", "", None]


def test_read_credential_keeps_its_owner() -> None:
    """A credential that the engine read keeps the owner's name from the run context."""
    session = Session()
    hear(session, "a", context=RunContext(resource="a", owned={"ACCA1": "jane/logs"}))
    assert session.is_unread("ACCA1")
    session.read("ACCA1")
    session.read("ACCA2")
    assert (session.owner("ACCA1"), session.owner("ACCA2")) == ("jane/logs", "")
    assert (session.has_read("ACCA2"), session.has_read("ACCA3")) == (True, False)
    assert not any(session.is_unread(f"ACCA{number}") for number in (1, 2, 3))


def test_recorded_resources() -> None:
    """A resource is in the state if the engine requested its check with its old inputs."""
    session = Session()
    session.note_request(*LOGS, RunContext(resource="a"), {"a": ONE}, is_recorded=True)
    hear(session, "b")
    assert session.is_recorded("a")
    assert not session.is_recorded("b")


def test_members() -> None:
    """The members are the declared ones, and requested ones with their actual inputs."""
    session = Session()
    hear(session, "a", {"a": ONE, "b": TWO})
    assert session.group(*LOGS).members == {"a": ONE, "b": TWO}
    hear(session, "b", {"a": TWO, "b": ONE})
    assert session.group(*LOGS).members == {"a": ONE, "b": ONE}
    hear(session, "moved")
    assert session.group(*LOGS).members == {"a": ONE, "b": ONE, "moved": ONE}
    assert session.group("joe", LOGS[1]).members == {}


def test_is_whole() -> None:
    """A group is whole if a program sent the owners of its credentials."""
    session = Session()
    hear(session, "a")
    assert not session.group(*LOGS).is_whole
    hear(session, "a", context=RunContext(resource="a", owned={}))
    assert session.group(*LOGS).is_whole
    hear(session, "b")
    assert session.group(*LOGS).is_whole


def test_narrowed() -> None:
    """In a narrowed run, only requested resources take free quota; the process knows that before the first check."""
    session = Session()
    session.read("ACCA1")
    hear(session, "a", {"a": TWO, "b": TWO}, RunContext(resource="a", recorded=2))
    assert session.group(*LOGS).requested == frozenset({"a"})
    session.read("ACCA2")
    hear(session, "b", {"a": TWO, "b": TWO}, RunContext(resource="b", recorded=2))
    assert session.group(*LOGS).requested == frozenset({"a", "b"})
    assert session.group("joe", LOGS[1]).requested == frozenset()


def test_not_narrowed() -> None:
    """In a run of all resources, or if their number is unknown, every member takes free quota."""
    session = Session()
    session.read("ACCA1")
    hear(session, "a", context=RunContext(resource="a", recorded=1))
    hear(session, "b", context=RunContext(resource="b", recorded=2))
    assert session.group(*LOGS).requested is None
    unknown = Session()
    hear(unknown, "a")
    assert unknown.group(*LOGS).requested is None


def test_newest_unread() -> None:
    """In a narrowed run, the newest credential of a service may have a predecessor that the engine did not read."""
    newest = RunContext(resource="a", recorded=1, newest=A.created)
    session = Session()
    hear(session, "a", context=newest)
    assert session.newest_unread(LOGS[1]) == A.created
    assert session.newest_unread("bedrock.amazonaws.com") is None
    whole = Session()
    whole.read("ACCA1")
    hear(whole, "a", context=newest)
    assert whole.newest_unread(LOGS[1]) is None


def test_replaced() -> None:
    """The first decision about a replacement counts, until the replacement is created."""
    session = Session()
    session.replace(*LOGS, "a", frees_quota=True)
    session.replace(*LOGS, "a", frees_quota=False)
    session.replace(*LOGS, "b", frees_quota=False)
    assert session.group(*LOGS).replaced == {"a": True, "b": False}
    session.finish(*LOGS, "a", "ACCA1")
    assert session.group(*LOGS).replaced == {"b": False}


def test_decisions() -> None:
    """Returned decisions count until their resources have their credentials."""
    session = Session()
    group = Group(*LOGS, {"a": TWO, "b": TWO}, [A, B])
    assert session.adopted(*LOGS) == frozenset()
    session.decide(group, "a", Adopt(A))
    session.decide(group, "b", Import(B))
    session.decide(group, "c", InTheWay([B]))
    assert session.adopted(*LOGS) == {A.id, B.id}
    assert session.group(*LOGS).decided == {"a": Adopt(A), "b": Import(B), "c": InTheWay([B])}
    session.finish(*LOGS, "a", A.id)
    assert session.adopted(*LOGS) == {B.id}
    assert session.owner(A.id) == "a"


def test_find() -> None:
    """Create finds its resource by its inputs and the id that it adopts, and each resource only once."""
    session = Session()
    members = {"a": TWO, "b": TWO, "one": ONE}
    for name in members:
        hear(session, name, members)
    group = Group(*LOGS, members, [A])
    session.decide(group, "a", Adopt(A))
    session.decide(group, "b", Create())
    assert session.find(*LOGS, TWO, A.id) == ("a", Returned(Adopt(A), frozenset({A.id})))
    assert session.find(*LOGS, TWO, None) == ("b", Returned(Create(), frozenset({A.id})))
    assert session.find(*LOGS, ONE, None) == ("one", None)
    session.finish(*LOGS, "b", "ACCA1")
    assert session.find(*LOGS, TWO, None)[1] is None


def test_find_unknown_resource() -> None:
    """A create without a check belongs to a resource of unknown name, which is a member from then on."""
    session = Session()
    assert session.find(*LOGS, TWO, None) == ("", None)
    assert session.group(*LOGS).members == {"": TWO}


def test_reason_to_keep() -> None:
    """The reason of a rejected replacement is kept only for the credentials of that resource."""
    session = Session()
    session.keep(["ACCA1"], "quota exceeded")
    session.keep([], "the user is missing")
    assert [session.reason_to_keep(credential_id) for credential_id in ("ACCA1", "ACCA2")] == [
        "quota exceeded",
        None,
    ]


def test_moved_resource() -> None:
    """A resource that a transformation moved here, with the run context of a different user, is one more member."""
    session = Session()
    hear(session, "a", {"a": TWO, "b": TWO})
    moved = Member(declared=2, is_certain=False)
    hear(session, "moved", {"moved": moved}, RunContext(resource="moved", user="joe", service=LOGS[1]))
    assert session.group(*LOGS).members == {"a": TWO, "b": TWO, "moved": moved}
