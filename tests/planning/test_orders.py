"""The plan does not depend on the order of requests, and an update matches its preview by resource and id."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import pytest

from iamcreds.model import Credential, Existing, Status
from iamcreds.planning.decisions import Adopt, Create, Decision, Import
from iamcreds.planning.group import Group, Member
from iamcreds.planning.planner import plan
from iamcreds.services import MAX_PER_SERVICE, Family

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MONTH = timedelta(days=30)
NOW = datetime(2026, 11, 29, tzinfo=UTC)
NAMES = ("a", "b")
MEMBERS = {
    "fail": Member(declared=2),
    "adopt": Member(declared=2, existing=Existing.ADOPT),
    "adopt inactive": Member(declared=2, existing=Existing.ADOPT, status=Status.INACTIVE),
    "adopt 30 days": Member(declared=2, existing=Existing.ADOPT, lifetime=MONTH),
    "import": Member(declared=2, existing=Existing.ADOPT, adopt="ACCA0"),
    "transformed": Member(declared=2, existing=Existing.ADOPT, is_certain=False),
}
CREDENTIALS = ((Status.ACTIVE, None), (Status.INACTIVE, None), (Status.ACTIVE, MONTH), (Status.EXPIRED, MONTH))
OWNERS = (None, "a", "b", "old")

Event: TypeAlias = tuple[str, str]
"""`check` or `create`, and the resource's name."""


@dataclass
class Process:
    """A provider process and its account: it plans at each check, and applies the decisions it returned."""

    group: Group
    shown: dict[str, Decision] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hide the replacements: a process learns about each one by the check of its resource."""
        self.replaced = self.group.replaced
        self.needing = self.group.needing
        self.group = replace(self.group, replaced={})

    def play(self, events: Sequence[Event]) -> None:
        """Play the events in order."""
        for kind, name in events:
            if name in self.needing:
                (self.check if kind == "check" else self.create)(name)

    @property
    def summary(self) -> dict[str, tuple[str, str | None]]:
        """Return the kind of each decision, and the adopted or imported id, by resource name."""
        found = self.shown.items()
        ids = {name: decision.credential.id for name, decision in found if isinstance(decision, Adopt | Import)}
        return {name: (type(decision).__name__, ids.get(name)) for name, decision in found}

    def check(self, name: str) -> None:
        """Plan, and record the decision about this resource."""
        requested = None if self.group.requested is None else self.group.requested | {name}
        known = {**self.group.replaced, **({name: self.replaced[name]} if name in self.replaced else {})}
        group = replace(self.group, requested=requested, replaced=known)
        self.shown[name] = plan(group)[name]
        self.group = replace(group, decided={**group.decided, name: self.shown[name]})

    def create(self, name: str) -> None:
        """Apply the decision, as IAM would."""
        match self.shown[name]:
            case Create():
                self._delete_first(name)
                new = Credential(
                    f"new {name}", self.group.user, self.group.service, Status.ACTIVE, NOW, Family.API_KEY, ""
                )
                assert len(self.group.existing) < MAX_PER_SERVICE, "IAM's quota is exceeded"
                self.group = replace(self.group, existing=[*self.group.existing, new])
                self._own(name, new.id)
            case Adopt(credential) | Import(credential):
                self._delete_first(name)
                assert credential.id not in self.group.owners, "two resources own one credential"
                self._own(name, credential.id)

    def _delete_first(self, name: str) -> None:
        if self.group.replaced.get(name):
            left = [found for found in self.group.existing if self.group.owners.get(found.id) != name]
            self.group = replace(self.group, existing=left)

    def _own(self, name: str, credential_id: str) -> None:
        if credential_id.startswith("ACCA"):
            self.group = replace(self.group, adopted=self.group.adopted | {credential_id})
        self.results[name] = credential_id
        self.group = replace(
            self.group,
            owners={**self.group.owners, credential_id: name},
            decided={other: decision for other, decision in self.group.decided.items() if other != name},
            replaced={other: frees for other, frees in self.group.replaced.items() if other != name},
        )


def list_groups(members: dict[str, Member]) -> Iterator[Group]:
    """List groups of these members with zero to two existing credentials, and each way to replace them."""
    kinds = list(itertools.product(CREDENTIALS, OWNERS))
    for number in range(MAX_PER_SERVICE + 1):
        for chosen in itertools.product(kinds, repeat=number):
            owners = {f"ACCA{index}": owner for index, (_, owner) in enumerate(chosen) if owner is not None}
            if len(set(owners.values())) < len(owners):
                continue
            existing = [_credential(index, *kind) for index, (kind, _) in enumerate(chosen)]
            having = sorted(set(owners.values()) & set(NAMES))
            imports = {found.id: found for found in existing if found.id == "ACCA0"}
            group = Group("jane", "bedrock.amazonaws.com", members, existing, owners, imports=imports)
            for flags in itertools.product((None, True, False), repeat=len(having)):
                replaced = {name: flag for name, flag in zip(having, flags, strict=True) if flag is not None}
                yield replace(group, replaced=replaced)


def _credential(index: int, status: Status, lifetime: timedelta | None) -> Credential:
    created = NOW - timedelta(days=9 - index)
    expires = None if lifetime is None else created + lifetime
    return Credential(
        f"ACCA{index}", "jane", "bedrock.amazonaws.com", status, created, Family.API_KEY, "jane-at", expires
    )


CHECKS: tuple[Event, ...] = (("check", "a"), ("check", "b"))
ORDERS = [
    order
    for order in itertools.permutations((*CHECKS, ("create", "a"), ("create", "b")))
    if all(order.index(("check", name)) < order.index(("create", name)) for name in NAMES)
]


@pytest.mark.parametrize("first", MEMBERS)
@pytest.mark.parametrize("second", MEMBERS)
def test_orders(first: str, second: str) -> None:
    """Every order of checks and creates shows the same decision of each resource, and has the same result."""
    for group in list_groups({"a": MEMBERS[first], "b": MEMBERS[second]}):
        preview = Process(group)
        preview.play(CHECKS)
        results = []
        for order in ORDERS:
            update = Process(group)
            update.play(order)
            assert update.summary == preview.summary, (order, group)
            results.append(update.results)
        assert all(result == results[0] for result in results), group


@pytest.mark.parametrize("name", NAMES)
def test_narrowed(name: str) -> None:
    """In a narrowed run, a sibling that was not requested takes no free quota."""
    old = _credential(0, Status.ACTIVE, None)
    members = {"a": MEMBERS["fail"], "b": MEMBERS["fail"]}
    group = Group("jane", "bedrock.amazonaws.com", members, [old], {old.id: "old"}, requested=frozenset())
    process = Process(group)
    process.check(name)
    assert process.shown == {name: Create()}
    process.check("b" if name == "a" else "a")
    assert sum(isinstance(decision, Create) for decision in process.shown.values()) == 1
