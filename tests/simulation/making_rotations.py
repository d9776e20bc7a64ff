"""A generator of histories of rotated credentials."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from iamcreds.desired import Retire, RotationPolicy
from tests.simulation.clock import START
from tests.simulation.history import SERVICES, Act, Adopt, Change, Declare, Human, Limit, Restore, Step, Wait
from tests.simulation.making import DAY, SPARE, RenewingMaker
from tests.simulation.world import USERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.simulation.program import Declared

PASSWORDS = "codecommit.amazonaws.com"
"""A service whose credentials have passwords and no expiry."""

TRIGGERS = (None, "t1", "t2", "t3")


class RotatingMaker(RenewingMaker):
    """A generator of histories over months, in which most credentials are rotated."""

    _human_weights = (2, 3, 6, 2, 1, 1, 1, 5)

    def history(self) -> Iterator[Step]:
        """Generate a history of about three to twelve steps."""
        if self._random.random() < 0.4:
            yield self._limit()
        for _ in range(self._random.choice((0, 0, 1, 2))):
            yield self._declare()
        yield from super().history()

    def _makers(self) -> tuple[tuple[Callable[[], Step], int], ...]:
        return (*super()._makers(), (self._limit, 1), (self._restore, 4), (self._wait, 3), (self._change, 4))

    def _any(self) -> Declared:
        random, declared = self._random, super()._any()
        service = random.choices((PASSWORDS, SERVICES[0]), (3, 1))[0]
        name = random.choices((service.partition(".")[0], SPARE), (4, 1))[0]
        return replace(declared, user=random.choices(USERS, (2, 1))[0], service=service, name=name)

    def _declare(self) -> Declare:
        step = super()._declare()
        declared = self._rotating(step.declared)
        self._declared[step.stack][declared.resource_name] = declared
        return replace(step, declared=declared)

    def _adopt(self) -> Adopt:
        step = super()._adopt()
        declared = self._rotating(step.declared)
        self._declared[step.stack][declared.resource_name] = declared
        return replace(step, declared=declared)

    def _rotating(self, declared: Declared) -> Declared:
        random = self._random
        policy = self._policy()
        ages = (None, 60, 120) if declared.service in SERVICES else (None,)
        return replace(
            declared,
            reset=random.choices((None, "r1"), (4, 1))[0],
            renew_before_hours=None,
            age_days=random.choice(ages),
            existing=random.choices((None, "adopt"), (3, 1))[0],
            rotate=policy,
            trigger="t1" if policy.every_hours is None else random.choices(TRIGGERS, (4, 1, 1, 1))[0],
        )

    def _policy(self) -> RotationPolicy:
        random = self._random
        days = random.choices((None, 20, 30, 90), (1, 3, 4, 1))[0]
        later = random.choices((None, 40, 100), (6, 1, 1))[0]
        return RotationPolicy(
            overlap_hours=random.choices((48, 7 * 24, 16 * 24), (2, 4, 1))[0],
            every_hours=None if days is None else days * 24,
            retire=random.choices(list(Retire), (2, 1))[0],
            not_before=None if later is None else START.replace(hour=0) + timedelta(days=later),
        )

    def _change(self) -> Change:
        random, stack = self._random, self._stack()
        fields: tuple[tuple[str, object], ...] = random.choice(
            (
                (("reset", random.choice((None, "r1", "r2", "r3"))),),
                (("reset", random.choice(("r4", "r5"))), ("trigger", random.choice(TRIGGERS))),
                (("trigger", random.choice(TRIGGERS)),),
                (("rotate", self._policy()),),
                (("rotate", None),),
                (("rotate", self._policy()), ("age_days", random.choice((None, 60, 120)))),
                (("age_days", random.choice((None, 60, 120))),),
                (("rotate", None), ("age_days", 30), ("renew_before_hours", 14 * 24)),
                (("existing", random.choice((None, "adopt"))),),
                (("status", random.choice(("Active", "Inactive"))), ("rotate", None)),
            )
        )
        return Change(stack, self._known(stack).resource_name, fields)

    def _human(self) -> Human:
        step = super()._human()
        return replace(step, days=step.days if step.service in SERVICES and step.act is Act.CREATE else None)

    def _limit(self) -> Limit:
        return Limit(0, self._random.choice((None, 1, 1, 2)))

    def _restore(self) -> Restore:
        return Restore(self._stack(), self._random.choice((1, 1, 2, 3)))

    def _wait(self) -> Wait:
        days = self._random.choices((0.5, 3, 8, 17, 29, 31, 100), (1, 3, 5, 4, 4, 4, 1))[0]
        return Wait(days * DAY + 61.0)
