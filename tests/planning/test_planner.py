"""The plan for all credentials of one user and service: a table of groups and the decisions about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.model import Credential, Existing, Status
from iamcreds.planning.decisions import (
    Adopt,
    Ambiguous,
    Create,
    Decision,
    DeclaredTwice,
    HasExpired,
    Import,
    InTheWay,
    MissingUser,
    NotAdoptable,
    NotFound,
    OfAnother,
    Owned,
    QuotaExceeded,
    Rejection,
    Transformed,
    UnknownService,
    Unproven,
)
from iamcreds.planning.group import Group, Member
from iamcreds.planning.planner import plan
from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from _pytest.mark import ParameterSet

USER, SERVICE = "jane", "logs.amazonaws.com"
CREATED = datetime(2026, 11, 21, tzinfo=UTC)
ONE = Member()
TWO = Member(declared=2)
ADOPTING = Member(existing=Existing.ADOPT)
ADOPTING_TWO = replace(ADOPTING, declared=2)
MONTH = timedelta(days=30)
A, B, C = (
    Credential(f"ACCA{name}", USER, SERVICE, Status.ACTIVE, CREATED + timedelta(days=number), Family.API_KEY, "")
    for number, name in enumerate("ABC")
)
INACTIVE = replace(A, status=Status.INACTIVE)
EXPIRING = replace(A, expires=A.created + MONTH)
EXPIRED = replace(EXPIRING, status=Status.EXPIRED)
IMPORTING = Member(adopt=A.id)
IMPORTING_TWO = replace(IMPORTING, declared=2)
IMPORT_A = {A.id: A}


def row(
    rule: str,
    members: Mapping[str, Member],
    existing: Sequence[Credential],
    decisions: Mapping[str, Decision],
    **further: Any,  # noqa: ANN401 - the fields of a group
) -> ParameterSet:
    """Return a row of a table: the group of these facts, and its decisions by resource name."""
    return pytest.param(Group(USER, SERVICE, members, existing, **further), decisions, id=rule)


CREATES = [
    row("nothing exists", {"a": ONE}, [], {"a": Create()}),
    row("two are declared", {"a": TWO, "b": TWO}, [], {"a": Create(), "b": Create()}),
    row("next to a managed one", {"a": TWO, "b": TWO}, [A], {"b": Create()}, owners={A.id: "a"}),
    row("next to one of a removed resource", {"b": ONE}, [A], {"b": Create()}, owners={A.id: "a"}),
    row("next to one of unknown owner", {"b": ONE}, [A], {"b": Create()}, owners={A.id: ""}),
    row("the managed one is gone", {"a": ONE}, [], {"a": Create()}, owners={A.id: "a"}),
    row("all exist", {"a": ONE}, [A], {}, owners={A.id: "a"}),
]
GROUP_REJECTIONS = [
    row("missing user", {"a": ONE}, [], {"a": MissingUser(None)}, has_user=False),
    row("name in a different case", {"a": ONE}, [], {"a": MissingUser(None, "A")}, has_user=False, case_variant="A"),
    row("renamed user", {"a": ONE}, [], {"a": MissingUser("joan")}, has_user=False, renamed_to="joan"),
    row(
        "a missing user comes first",
        {"a": IMPORTING, "b": ADOPTING},
        [],
        {"a": MissingUser(None), "b": MissingUser(None)},
        has_user=False,
        has_service=False,
    ),
    row("unknown service", {"a": ONE}, [], {"a": UnknownService()}, has_service=False),
    row(
        "two, each declared as the only one",
        {"a": ONE, "b": ONE},
        [],
        dict.fromkeys("ab", DeclaredTwice(frozenset("ab"))),
    ),
    row(
        "only one of two is declared as one",
        {"a": ONE, "b": TWO},
        [],
        {"a": DeclaredTwice(frozenset("ab")), "b": Create()},
    ),
    row("three", dict.fromkeys("abc", TWO), [], dict.fromkeys("abc", DeclaredTwice(frozenset("abc")))),
    row("the managed one stays", {"a": ONE, "b": ONE}, [A], {"b": DeclaredTwice(frozenset("ab"))}, owners={A.id: "a"}),
]
IMPORTS = [
    row("as it is", {"a": IMPORTING}, [A], {"a": Import(A)}, imports=IMPORT_A),
    row(
        "Inactive stays",
        {"a": replace(IMPORTING, status=Status.INACTIVE)},
        [INACTIVE],
        {"a": Import(INACTIVE)},
        imports={A.id: INACTIVE},
    ),
    row("next to an unmanaged one", {"a": IMPORTING}, [A, B], {"a": Import(A)}, imports=IMPORT_A),
    row("next to a managed one", {"a": IMPORTING}, [A, B], {"a": Import(A)}, imports=IMPORT_A, owners={B.id: "b"}),
    row(
        "the sibling is created",
        {"a": IMPORTING_TWO, "b": TWO},
        [A],
        {"a": Import(A), "b": Create()},
        imports=IMPORT_A,
    ),
    row(
        "the sibling adopts the other one",
        {"a": ADOPTING_TWO, "b": IMPORTING_TWO},
        [A, B],
        {"a": Adopt(B), "b": Import(A)},
        imports=IMPORT_A,
    ),
    row(
        "any expiry, without a lifetime",
        {"a": IMPORTING},
        [EXPIRING],
        {"a": Import(EXPIRING)},
        imports={A.id: EXPIRING},
    ),
    row(
        "the declared lifetime",
        {"a": replace(IMPORTING, lifetime=MONTH)},
        [EXPIRING],
        {"a": Import(EXPIRING)},
        imports={A.id: EXPIRING},
    ),
    row(
        "a different lifetime",
        {"a": replace(IMPORTING, lifetime=MONTH)},
        [A],
        {"a": NotAdoptable(A)},
        imports=IMPORT_A,
    ),
    row(
        "a lifetime that is unknown yet",
        {"a": replace(IMPORTING, is_lifetime_known=False)},
        [A],
        {"a": Import(A)},
        imports=IMPORT_A,
    ),
    row("only once", {"a": IMPORTING}, [A, B], {}, owners={A.id: "b", B.id: "a"}, imports=IMPORT_A),
    row("missing", {"a": IMPORTING}, [], {"a": Create(missing=A.id)}),
    row("missing next to a managed one", {"a": IMPORTING}, [B], {"a": Create(missing=A.id)}, owners={B.id: "b"}),
    row(
        "missing, and the sibling adopts",
        {"a": IMPORTING_TWO, "b": ADOPTING_TWO},
        [B],
        {"a": Create(missing=A.id), "b": Adopt(B)},
    ),
]
IMPORT_REJECTIONS = [
    row("missing next to an unmanaged one", {"a": IMPORTING}, [B], {"a": NotFound(A.id, [B])}),
    row(
        "of a different user",
        {"a": IMPORTING},
        [],
        {"a": OfAnother(replace(A, user="john"))},
        imports={A.id: replace(A, user="john")},
    ),
    row(
        "of a different service",
        {"a": IMPORTING},
        [],
        {"a": OfAnother(replace(A, service="bedrock.amazonaws.com"))},
        imports={A.id: replace(A, service="bedrock.amazonaws.com")},
    ),
    row("managed", {"a": IMPORTING}, [A], {"a": Owned(A, "old")}, owners={A.id: "old"}, imports=IMPORT_A),
    row(
        "managed by a resource of unknown name",
        {"a": IMPORTING},
        [A],
        {"a": Owned(A, "")},
        owners={A.id: ""},
        imports=IMPORT_A,
    ),
    row(
        "imported by two",
        {"a": IMPORTING_TWO, "b": IMPORTING_TWO},
        [A],
        {"a": Owned(A, "b"), "b": Owned(A, "a")},
        imports=IMPORT_A,
    ),
    row(
        "already imported by a sibling",
        {"a": IMPORTING_TWO},
        [A],
        {"a": Owned(A, "b"), "b": Import(A)},
        imports=IMPORT_A,
        decided={"b": Import(A)},
    ),
    row("expired", {"a": IMPORTING}, [EXPIRED], {"a": HasExpired(EXPIRED)}, imports={A.id: EXPIRED}),
    row("the state is unknown", {"a": IMPORTING}, [A], {"a": Unproven((A,))}, imports=IMPORT_A, is_whole=False),
    row(
        "possibly managed", {"a": IMPORTING}, [A], {"a": Unproven((A,))}, imports=IMPORT_A, uncertain=frozenset({A.id})
    ),
]
ADOPTS = [
    row("the unmanaged one", {"a": ADOPTING}, [A], {"a": Adopt(A)}),
    row("nothing exists", {"a": ADOPTING}, [], {"a": Create()}),
    row("Inactive, which becomes Active", {"a": ADOPTING}, [INACTIVE], {"a": Adopt(INACTIVE)}),
    row("a managed one is not adopted", {"a": ADOPTING}, [A, B], {"a": Adopt(B)}, owners={A.id: "b"}),
    row(
        "two of two: the older one by name",
        {"a": ADOPTING_TWO, "b": ADOPTING_TWO},
        [A, B],
        {"a": Adopt(A), "b": Adopt(B)},
    ),
    row(
        "two of two: the same status first",
        {"a": replace(ADOPTING_TWO, status=Status.INACTIVE), "b": ADOPTING_TWO},
        [A, replace(B, status=Status.INACTIVE)],
        {"a": Adopt(replace(B, status=Status.INACTIVE)), "b": Adopt(A)},
    ),
    row(
        "two of two: only the same lifetime",
        {"a": ADOPTING_TWO, "b": replace(ADOPTING_TWO, lifetime=MONTH)},
        [EXPIRING, B],
        {"a": Adopt(B), "b": Adopt(EXPIRING)},
    ),
    row("one of two by name", {"a": ADOPTING_TWO, "b": ADOPTING_TWO}, [A], {"a": Adopt(A), "b": Create()}),
    row(
        "one of two by status",
        {"a": ADOPTING_TWO, "b": replace(ADOPTING_TWO, status=Status.INACTIVE)},
        [INACTIVE],
        {"a": Create(), "b": Adopt(INACTIVE)},
    ),
    row(
        "one of two by lifetime",
        {"a": replace(ADOPTING_TWO, lifetime=MONTH), "b": ADOPTING_TWO},
        [A],
        {"a": Create(), "b": Adopt(A)},
    ),
    row("only one of two adopts", {"a": TWO, "b": ADOPTING_TWO}, [A], {"a": Create(), "b": Adopt(A)}),
    row(
        "only one of two adopts, of a different lifetime",
        {"a": ADOPTING_TWO, "b": replace(TWO, lifetime=MONTH)},
        [A],
        {"a": Adopt(A), "b": Create()},
    ),
    row(
        "not the one that was decided for a sibling",
        {"a": ADOPTING_TWO, "b": ADOPTING_TWO},
        [A, B],
        {"a": Adopt(B), "b": Adopt(A)},
        decided={"b": Adopt(A)},
    ),
    row(
        "a lifetime that is unknown yet",
        {"a": replace(ADOPTING, is_lifetime_known=False)},
        [EXPIRING],
        {"a": Adopt(EXPIRING)},
    ),
    row("the managed one is gone", {"a": ADOPTING}, [B], {"a": Adopt(B)}, owners={A.id: "a"}),
]
ADOPT_REJECTIONS = [
    row("more unmanaged than declared", {"a": ADOPTING}, [A, B], {"a": Ambiguous([A, B])}),
    row(
        "two unmanaged ones for a credential with successors",
        {"a": replace(ADOPTING_TWO, is_renewed=True)},
        [A, B],
        {"a": Ambiguous([A, B])},
    ),
    row("no expiry, but a lifetime", {"a": replace(ADOPTING, lifetime=MONTH)}, [A], {"a": NotAdoptable(A)}),
    row("expiry, but no lifetime", {"a": ADOPTING}, [EXPIRING], {"a": NotAdoptable(EXPIRING)}),
    row(
        "a different lifetime",
        {"a": replace(ADOPTING, lifetime=MONTH + timedelta(days=1))},
        [EXPIRING],
        {"a": NotAdoptable(EXPIRING)},
    ),
    row("expired", {"a": replace(ADOPTING, lifetime=MONTH)}, [EXPIRED], {"a": NotAdoptable(EXPIRED)}),
    row(
        "expired, and the lifetime is unknown yet",
        {"a": replace(ADOPTING, is_lifetime_known=False)},
        [EXPIRED],
        {"a": NotAdoptable(EXPIRED)},
    ),
    row(
        "no resource can adopt it",
        {"a": ADOPTING_TWO, "b": replace(TWO, lifetime=MONTH)},
        [EXPIRED],
        {"a": NotAdoptable(EXPIRED), "b": InTheWay([EXPIRED])},
    ),
    row("the state is unknown", {"a": ADOPTING}, [A], {"a": Unproven([A])}, is_whole=False),
    row("possibly managed", {"a": ADOPTING}, [A], {"a": Unproven([A])}, uncertain=frozenset({A.id})),
    row(
        "one of two possibly managed",
        {"a": ADOPTING_TWO},
        [A, B],
        {"a": Unproven([B])},
        uncertain=frozenset({B.id}),
    ),
    row(
        "changed by a transformation",
        {"a": replace(ADOPTING, is_certain=False)},
        [A],
        {"a": Transformed([A])},
    ),
]
BLOCKED = [
    row("unmanaged", {"a": ONE}, [A], {"a": InTheWay([A])}),
    row("two unmanaged", {"a": ONE}, [A, B], {"a": InTheWay([A, B])}),
    row("unmanaged next to a managed one", {"a": ONE}, [A, B], {"a": InTheWay([A])}, owners={B.id: "b"}),
    row(
        "unmanaged, and two are declared",
        {"a": TWO, "b": TWO},
        [A, B],
        {"a": InTheWay([A])},
        owners={B.id: "b"},
    ),
    row(
        "the other one is adopted",
        {"a": ADOPTING_TWO, "b": TWO},
        [A, B],
        {"a": Adopt(A), "b": InTheWay([B])},
    ),
    row(
        "a managed resource adopts no second one",
        {"a": ADOPTING_TWO, "b": TWO},
        [A, B],
        {"b": InTheWay([B])},
        owners={A.id: "a"},
    ),
    row(
        "a managed resource imports no second one",
        {"a": replace(TWO, adopt=B.id), "b": TWO},
        [A, B],
        {"b": InTheWay([B])},
        owners={A.id: "a"},
        imports={B.id: B},
    ),
    row("possibly managed", {"a": ONE}, [A], {"a": Unproven([A])}, uncertain=frozenset({A.id})),
    row("changed by a transformation", {"a": replace(ONE, is_certain=False)}, [A], {"a": Transformed([A])}),
]
QUOTA = [
    row(
        "two managed",
        {"c": ONE},
        [A, B],
        {"c": QuotaExceeded([A, B], {A.id: "a", B.id: ""})},
        owners={A.id: "a", B.id: ""},
    ),
    row(
        "one managed, one planned",
        {"b": TWO, "c": TWO},
        [A],
        {"b": Create(), "c": QuotaExceeded([A], {A.id: "old"})},
        owners={A.id: "old"},
    ),
    row(
        "one managed, one decided",
        {"b": TWO, "c": TWO},
        [A],
        {"b": QuotaExceeded([A], {A.id: "old"}), "c": Create()},
        owners={A.id: "old"},
        decided={"c": Create()},
    ),
    row(
        "one adopted, one planned",
        {"a": ADOPTING_TWO, "b": TWO},
        [A, B],
        {"a": Adopt(A), "b": QuotaExceeded([A, B], {B.id: "old"})},
        owners={B.id: "old"},
    ),
    row(
        "a transformed resource comes last",
        {"a": replace(TWO, is_certain=False), "b": TWO},
        [A],
        {"a": QuotaExceeded([A], {A.id: "old"}), "b": Create()},
        owners={A.id: "old"},
    ),
]
REPLACES = [
    row("next to the old one", {"a": ONE}, [A], {"a": Create()}, owners={A.id: "a"}, replaced={"a": False}),
    row(
        "in the slot of the old one",
        {"a": TWO, "b": TWO},
        [A, B],
        {"a": Create()},
        owners={A.id: "a", B.id: "b"},
        replaced={"a": True},
    ),
    row(
        "both in their slots",
        {"a": TWO, "b": TWO},
        [A, B],
        {"a": Create(), "b": Create()},
        owners={A.id: "a", B.id: "b"},
        replaced={"a": True, "b": True},
    ),
    row(
        "without a slot",
        {"a": TWO, "b": TWO},
        [A, B],
        {"a": QuotaExceeded([A, B], {A.id: "a", B.id: "b"})},
        owners={A.id: "a", B.id: "b"},
        replaced={"a": False},
    ),
    row(
        "a new one comes before a replacement without a slot",
        {"a": TWO, "b": TWO},
        [A],
        {"a": QuotaExceeded([A], {A.id: "a"}), "b": Create()},
        owners={A.id: "a"},
        replaced={"a": False},
    ),
    row(
        "a replacement in its slot leaves the other one",
        {"a": TWO, "b": TWO},
        [A],
        {"a": Create(), "b": Create()},
        owners={A.id: "a"},
        replaced={"a": True},
    ),
    row(
        "the slot of a different resource is not free",
        {"b": TWO, "c": TWO},
        [A],
        {"b": Create(), "c": QuotaExceeded([A], {A.id: "a"})},
        owners={A.id: "a"},
        replaced={"a": True},
    ),
    row(
        "next to an unmanaged one",
        {"a": ONE},
        [A, B],
        {"a": InTheWay([B])},
        owners={A.id: "a"},
        replaced={"a": True},
    ),
    row(
        "adopts none",
        {"a": ADOPTING_TWO},
        [A, B],
        {"a": InTheWay([B])},
        owners={A.id: "a"},
        replaced={"a": True},
    ),
    row(
        "imports none",
        {"a": replace(TWO, adopt=B.id)},
        [A],
        {"a": Create()},
        owners={A.id: "a"},
        replaced={"a": True},
    ),
    row(
        "next to a possibly managed one",
        {"a": TWO},
        [A, B],
        {"a": Unproven([A])},
        owners={B.id: "a"},
        replaced={"a": True},
        uncertain=frozenset({A.id}),
    ),
]
NARROWED = [
    row(
        "only requested ones take free quota",
        {"b": TWO, "c": TWO},
        [A],
        {"c": Create()},
        owners={A.id: "a"},
        requested=frozenset("c"),
    ),
    row(
        "the other ones are rejected as well",
        {"b": TWO, "c": TWO},
        [A],
        {"b": InTheWay([A]), "c": InTheWay([A])},
        requested=frozenset("c"),
    ),
    row("the state is unknown: one of one", {"a": ONE}, [A], {"a": Unproven([A])}, is_whole=False),
    row("the state is unknown: one of two", {"a": TWO}, [A], {"a": Create()}, is_whole=False),
    row("the state is unknown: two", {"a": TWO}, [A, B], {"a": Unproven([A, B])}, is_whole=False),
    row("the state is unknown: none", {"a": ONE}, [], {"a": Create()}, is_whole=False),
    row("the state is unknown: one read", {"a": ONE}, [A], {"a": Create()}, owners={A.id: ""}, is_whole=False),
    row(
        "the state is unknown: two read",
        {"a": ONE},
        [A, B],
        {"a": QuotaExceeded([A, B], {A.id: "", B.id: ""})},
        owners={A.id: "", B.id: ""},
        is_whole=False,
    ),
    row("the state is unknown: missing import", {"a": IMPORTING}, [], {"a": Create(missing=A.id)}, is_whole=False),
]
DECIDED = [
    row("stays, regardless of existing credentials", {"a": ONE}, [A], {"a": Create()}, decided={"a": Create()}),
    row(
        "a rejection stays",
        {"a": TWO, "b": TWO},
        [],
        {"a": InTheWay([A]), "b": Create()},
        decided={"a": InTheWay([A])},
    ),
    row("also of a missing user", {"a": ONE}, [], {"a": Create()}, decided={"a": Create()}, has_user=False),
]
TABLES = {
    "create": CREATES,
    "group": GROUP_REJECTIONS,
    "import": IMPORTS,
    "import rejected": IMPORT_REJECTIONS,
    "adopt": ADOPTS,
    "adopt rejected": ADOPT_REJECTIONS,
    "blocked": BLOCKED,
    "quota": QUOTA,
    "replacement": REPLACES,
    "narrowed run": NARROWED,
    "decided": DECIDED,
}
ROWS = [pytest.param(*found.values, id=f"{table}: {found.id}") for table, rows in TABLES.items() for found in rows]


@pytest.mark.parametrize(("group", "decisions"), ROWS)
def test_plan(group: Group, decisions: Mapping[str, Decision]) -> None:
    """The plan has a decision for each resource that needs a credential."""
    assert plan(group) == decisions


def test_every_rejection() -> None:
    """The tables have a row for every rejection."""
    decisions = [decision for found in ROWS for decision in found.values[1].values()]  # type: ignore[union-attr]
    assert {type(decision) for decision in decisions} >= set(get_args(Rejection))


def test_unknown_lifetime_leaves_the_only_fit() -> None:
    """A preview rejects nothing that `up` may do: `a` may turn out to fit B, and then `b` adopts the other one."""
    members = {"a": replace(ADOPTING_TWO, is_lifetime_known=False), "b": replace(ADOPTING_TWO, lifetime=MONTH)}
    decisions = plan(Group(USER, SERVICE, members, [EXPIRING, B]))
    assert not [decision for decision in decisions.values() if isinstance(decision, Rejection)]


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Return any group of an existing user."""
    existing = draw(st.lists(st.sampled_from([A, B]), unique=True))
    ids = st.frozensets(st.sampled_from([A.id, B.id]))
    names = sorted(draw(st.frozensets(st.sampled_from("abc"), min_size=1)))
    member = st.builds(
        Member,
        declared=st.integers(1, 2),
        existing=st.sampled_from(Existing),
        adopt=st.sampled_from([None, A.id, B.id]),
        is_certain=st.booleans(),
    )
    return Group(
        USER,
        SERVICE,
        members={name: draw(member) for name in names},
        existing=existing,
        owners={credential_id: draw(st.sampled_from(["a", "b", "old", ""])) for credential_id in sorted(draw(ids))},
        uncertain=draw(ids),
        is_whole=draw(st.booleans()),
        replaced={name: draw(st.booleans()) for name in sorted(draw(st.frozensets(st.sampled_from(names))))},
        imports={credential.id: credential for credential in existing},
    )


@given(groups())
def test_never(group: Group) -> None:
    """No plan adopts, imports or names a managed or uncertain credential, uses one twice, or exceeds the quota."""
    decisions = plan(group)
    assert decisions.keys() == group.needing.keys()
    adopted = [found.credential.id for found in decisions.values() if isinstance(found, Adopt | Import)]
    named = [
        credential.id
        for found in decisions.values()
        if isinstance(found, InTheWay | Ambiguous)
        for credential in found.unmanaged
    ]
    assert len(adopted) == len(set(adopted))
    assert not {*adopted, *named} & {*group.owners, *group.uncertain}
    assert group.is_whole or not [*adopted, *named]
    creates = {name for name, found in decisions.items() if isinstance(found, Create)}
    assert len(group.existing) + len(creates - group.reserved) <= 2
