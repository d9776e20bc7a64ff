"""The cases: every kind of fault at every call of every scenario, or a sample with each of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from tests.faults.kinds import KINDS, Kind
from tests.faults.scenarios import SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_STORES = ("kms", "secretsmanager", "ssm")
READING = (
    "iam:Get",
    "iam:List",
    "sts:Get",
    *(f"{name}:{verb}" for name in _STORES for verb in ("Describe", "List")),
    "*",
)
"""The prefixes of operations that change nothing; `*` is a fault of all operations."""


@dataclass(frozen=True)
class Case:
    """A fault at one call of one scenario; the first call is 1."""

    scenario: Scenario
    kind: Kind
    call: int
    operation: str

    @property
    def id(self) -> str:
        """Return the id, such as `create:lost-answer:4`."""
        return f"{self.scenario.name}:{self.kind.name}:{self.call}"


def make_cases(calls: Mapping[str, Sequence[str]]) -> Iterator[Case]:
    """Generate every case.

    Args:
        calls: the operations that each scenario calls without a fault, in order, by the scenario's name.
    """
    for scenario in SCENARIOS:
        for kind in KINDS if scenario.name in calls else ():
            operations = ["*"] if kind.everywhere else calls[scenario.name]
            for call, operation in enumerate(operations, 1):
                yield Case(scenario, kind, call, operation)


def sample(cases: Sequence[Case]) -> Iterator[Case]:
    """Choose a sample: each changing call, each other operation, each scenario, and each kind of fault.

    In a scenario with a delivery, only the calls of the store count: other scenarios have those of IAM.
    """
    met: Counter[Kind | Scenario] = Counter()
    for location in dict.fromkeys(map(_find_place, cases)):
        chosen = min((case for case in cases if _find_place(case) == location), key=lambda case: met[case.kind])
        met.update([chosen.kind, chosen.scenario])
        yield chosen
    for case in cases:
        if not (met[case.kind] and met[case.scenario]):
            met.update([case.kind, case.scenario])
            yield case


def _find_place(case: Case) -> tuple[str, int] | str:
    """Return the unit of a sample: the call if it changes something, otherwise the operation."""
    is_change = not case.operation.startswith(("iam:", *READING) if case.scenario.secret else READING)
    return (case.scenario.name, case.call) if is_change else case.operation


def select(cases: Sequence[Case], patterns: Sequence[str]) -> Iterator[Case]:
    """Select cases by id; `*` matches any text."""
    return (case for case in cases if any(fnmatchcase(case.id, pattern) for pattern in patterns))
