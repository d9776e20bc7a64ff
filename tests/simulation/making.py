"""Generators of the steps of a history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from iamcreds.resource_names import slot_name
from tests.simulation.faults import CREATE, OPERATIONS, Fault, Kind
from tests.simulation.history import (
    SERVICES,
    Act,
    Adopt,
    Change,
    Configure,
    Declare,
    Drop,
    Guard,
    Human,
    Rename,
    Start,
    Swap,
    Taint,
    Unmanaged,
    Wait,
    Weather,
    Work,
)
from tests.simulation.program import Declared
from tests.simulation.state import Options
from tests.simulation.world import USERS, Conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from tests.simulation.history import Step

SPARE = "spare"
WEATHERS = (
    Conditions(lag=30.0),
    Conditions(lag=30.0),
    Conditions(lag=5.0),
    Conditions(skew=90.0),
    Conditions(skew=-90.0),
    Conditions(lag=30.0, skew=-90.0),
    Conditions(lag=5.0, skew=90.0),
    Conditions(hidden=frozenset({"jane"})),
    Conditions(all_users=False),
    Conditions(),
)


DAY = 86_400.0


_Declaring = TypeVar("_Declaring", Declare, Adopt)


class Maker:
    """A generator of steps that remembers the declared credentials, so that most steps affect one of them."""

    _human_weights: tuple[int, ...] = (4, 3, 3, 1, 2, 1, 1, 0)

    def __init__(self, random: Random) -> None:
        self._random = random
        self._declared: list[dict[str, Declared]] = [{}, {}]

    def history(self) -> Iterator[Step]:
        """Generate a history of about three to twelve steps."""
        if self._random.random() < 0.1:
            yield self._human()
        if self._random.random() < 0.25:
            yield self._weather()
        for _ in range(self._random.choice((1, 1, 2))):
            yield self._declare()
        yield self._work()
        for _ in range(self._random.choice((1, 2, 2, 3, 4))):
            for _ in range(self._random.choice((0, 1, 1, 1, 2))):
                yield self._event()
            yield self._work()

    def _makers(self) -> tuple[tuple[Callable[[], Step], int], ...]:
        return (
            (self._declare, 3), (self._drop, 3), (self._rename, 2), (self._swap, 1), (self._change, 7),
            (self._taint, 1), (self._configure, 1), (self._guard, 1), (self._weather, 4), (self._wait, 1),
            (self._human, 5),
        )  # fmt: skip

    def _event(self) -> Step:
        makers = self._makers()
        (make,) = self._random.choices([maker for maker, _ in makers], [weight for _, weight in makers])
        return make()

    # Selection of a target

    def _stack(self) -> int:
        return self._random.choices((0, 1), (6, 1))[0]

    def _any(self) -> Declared:
        random = self._random
        service = random.choices(SERVICES, (4, 1))[0]
        name = random.choices((service.partition(".")[0], SPARE), (2, 1))[0]
        return Declared(random.choices(USERS, (4, 1))[0], service, name)

    def _known(self, stack: int) -> Declared:
        """Return a credential that the stack declares, or else any."""
        known = sorted(self._declared[stack].values(), key=lambda declared: declared.resource_name)
        return self._random.choice(known) if known else self._any()

    # Edits

    def _declare(self) -> Declare:
        random, stack = self._random, self._stack()
        declared = replace(
            self._any(),
            status=random.choices((None, "Active", "Inactive"), (4, 1, 1))[0],
            reset=random.choices((None, "r1"), (5, 1))[0],
            age_days=random.choices((None, 30), (6, 1))[0],
            existing=random.choices((None, "adopt"), (6, 1))[0],
        )
        self._declared[stack][declared.resource_name] = declared
        return Declare(stack, declared)

    def _drop(self) -> Drop:
        stack = self._stack()
        name = self._known(stack).resource_name
        self._declared[stack].pop(name, None)
        return Drop(stack, name)

    def _rename(self) -> Rename:
        stack = self._stack()
        declared = self._known(stack)
        new = replace(declared, name=self._random.choice([name for name in (SPARE, "third") if name != declared.name]))
        if self._declared[stack].pop(declared.resource_name, None):
            self._declared[stack][new.resource_name] = new
        return Rename(stack, declared.resource_name, new.resource_name, self._random.random() < 0.5)

    def _swap(self) -> Swap:
        stack = self._stack()
        declared = self._known(stack)
        return Swap(stack, declared.user, declared.service)

    def _change(self) -> Change:
        random, stack = self._random, self._stack()
        fields: tuple[tuple[str, object], ...] = random.choice(
            (
                (("status", "Active"),),
                (("status", "Inactive"),),
                (("status", None),),
                (("reset", random.choice((None, "r1", "r2"))),),
                (("reset", "r3"), ("status", random.choice(("Active", "Inactive")))),
                (("user", random.choice(USERS)),),
                (("service", random.choice(SERVICES)),),
                (("age_days", random.choice((None, 30, 60))),),
                (("existing", random.choice((None, "adopt"))),),
            )
        )
        return Change(stack, self._known(stack).resource_name, fields)

    def _taint(self) -> Taint:
        stack = self._stack()
        return Taint(stack, self._known(stack).resource_name)

    def _configure(self) -> Configure:
        return Configure(self._stack())

    def _guard(self) -> Guard:
        return Guard(self._stack())

    # The account

    def _weather(self) -> Weather:
        return Weather(self._random.choice(WEATHERS))

    def _wait(self) -> Wait:
        return Wait(self._random.choice((20.0, 61.0, 3600.0, 31 * 86_400.0)))

    def _human(self) -> Human:
        random = self._random
        act = random.choices(list(Act), self._human_weights)[0]
        declared = self._known(self._stack())
        return Human(act, declared.user, declared.service, random.choice((0, 1)))

    # Runs

    def _work(self) -> Work:
        random = self._random
        kinds = ("plain", "fault", "kill", "narrow", "two", "human", "preview", "elsewhere")
        (kind,) = random.choices(kinds, (8, 8, 4, 5, 2, 3, 1, 1))
        start = Start(self._stack(), Options(preview=random.random() < 0.3, go_on=random.random() < 0.2))
        humans: tuple[tuple[float, Human], ...] = ()
        runs: tuple[Start, ...] = (start,)
        match kind:
            case "fault":
                runs = (replace(start, faults=tuple(self._fault() for _ in range(random.choice((1, 1, 2))))),)
            case "kill":
                runs = (replace(start, kill=random.randrange(2, 60)),)
            case "narrow":
                runs = (replace(start, options=self._narrow(start.stack)),)
            case "two":
                faults = (self._fault(),) if random.random() < 0.5 else ()
                runs = (replace(start, faults=faults), Start(1 - start.stack, after=random.random() * 2))
            case "human":
                faults = (Fault(CREATE, random.choice(list(Kind))),) if random.random() < 0.5 else ()
                after = random.random() * random.choice((3.0, 60.0))
                runs, humans = (replace(start, faults=faults),), ((after, self._human()),)
            case "preview":
                runs = (replace(start, options=Options(update=False)),)
            case "elsewhere":
                options = random.choice((Options(), Options(refresh=False), self._narrow(start.stack)))
                runs = (replace(start, options=options, elsewhere=True),)
        return Work(runs, random.randrange(1 << 30), humans, apart=kind == "two" and random.random() < 0.3)

    def _narrow(self, stack: int) -> Options:
        name = frozenset({self._known(stack).resource_name})
        return self._random.choice(
            (
                Options(refresh=False),
                Options(targets=name),
                Options(replaced=name),
                Options(targets=name, refresh=False),
                Options(destroy=True),
            )
        )

    def _fault(self) -> Fault:
        random = self._random
        operation = random.choices(OPERATIONS, (5, 1, 2, 3, 2))[0]
        times = random.choices((1, 3, 99), (6, 2, 1))[0]
        return Fault(operation, random.choice(list(Kind)), random.choice((1, 1, 2)), times)


class AdoptingMaker(Maker):
    """A generator of histories in an existing account: the first steps create credentials to import or report."""

    def history(self) -> Iterator[Step]:
        """Generate a history of about three to twelve steps."""
        random = self._random
        for _ in range(random.choice((1, 1, 2, 3))):
            somebodys = self._any()
            yield Human(Act.CREATE, somebodys.user, somebodys.service)
        if random.random() < 0.5:
            yield self._unmanaged()
        for _ in range(random.choice((0, 1, 1, 2))):
            yield self._adopt()
        yield from super().history()

    def _makers(self) -> tuple[tuple[Callable[[], Step], int], ...]:
        return (*super()._makers(), (self._adopt, 6), (self._unmanaged, 3), (self._protect, 2))

    def _adopt(self) -> Adopt:
        random, stack = self._random, self._stack()
        declared = replace(
            self._any(),
            status=random.choices((None, "Active", "Inactive"), (4, 1, 1))[0],
            reset=random.choices((None, "r1"), (3, 1))[0],
            age_days=random.choices((None, 30), (9, 1))[0],
            existing=random.choices((None, "adopt"), (3, 1))[0],
            protect=random.random() < 0.1,
        )
        self._declared[stack][declared.resource_name] = declared
        whose = declared if random.random() < 0.85 else self._any()
        return Adopt(stack, declared, whose.user, whose.service, random.choice((0, 0, 1)), random.random() < 0.3)

    def _unmanaged(self) -> Unmanaged:
        action = self._random.choices((None, "report", "deactivate", "delete"), (1, 1, 2, 3))[0]
        return Unmanaged(0, self._random.choices(USERS, (4, 1))[0], action)

    def _protect(self) -> Change:
        stack = self._stack()
        return Change(stack, self._known(stack).resource_name, (("protect", self._random.random() < 0.7),))


class RenewingMaker(AdoptingMaker):
    """A generator of histories over months: credentials expire, and most of them get successors in slot 2."""

    def history(self) -> Iterator[Step]:
        """Generate a history of about three to twelve steps."""
        random = self._random
        if random.random() < 0.3:
            yield self._human()
        if random.random() < 0.3:
            yield self._unmanaged()
        yield self._adopt() if random.random() < 0.2 else self._declare()
        yield self._work()
        for _ in range(random.choice((2, 3, 4, 5))):
            if random.random() < 0.7:
                yield self._wait()
            for _ in range(random.choice((0, 1, 1, 2))):
                yield self._event()
            yield self._work()

    def _makers(self) -> tuple[tuple[Callable[[], Step], int], ...]:
        return (
            (self._declare, 1), (self._drop, 1), (self._rename, 2), (self._change, 4), (self._taint, 1),
            (self._configure, 1), (self._guard, 1), (self._weather, 4), (self._human, 9), (self._adopt, 1),
            (self._unmanaged, 2),
        )  # fmt: skip

    def _any(self) -> Declared:
        return replace(super()._any(), service=SERVICES[0], name=self._random.choices(("bedrock", SPARE), (4, 1))[0])

    def _declare(self) -> Declare:
        return self._renewing(super()._declare())

    def _adopt(self) -> Adopt:
        return self._renewing(super()._adopt())

    def _renewing(self, step: _Declaring) -> _Declaring:
        random = self._random
        renew_before = random.choices((14 * 24, 28 * 24, None), (6, 1, 1))[0]
        days, existing = random.choices((30, 60), (5, 1))[0], random.choice((None, "adopt"))
        declared = replace(step.declared, age_days=days, existing=existing, renew_before_hours=renew_before)
        self._declared[step.stack][declared.resource_name] = declared
        return replace(step, declared=declared)

    def _change(self) -> Change:
        random, stack = self._random, self._stack()
        fields: tuple[tuple[str, object], ...] = random.choice(
            (
                (("reset", random.choice((None, "r1", "r2"))),),
                (("age_days", random.choice((None, 30, 60))),),
                (("renew_before_hours", None),),
                (("renew_before_hours", 14 * 24),),
                (("renew_before_hours", random.choice((None, 28 * 24))), ("reset", "r3")),
                (("existing", random.choice((None, "adopt"))),),
                (("status", random.choice(("Active", "Inactive"))),),
            )
        )
        return Change(stack, self._known(stack).resource_name, fields)

    def _human(self) -> Human:
        step = super()._human()
        days = 30 if step.act is Act.CREATE and self._random.random() < 0.5 else None
        return replace(step, days=days)

    def _taint(self) -> Taint:
        step = super()._taint()
        return replace(step, name=slot_name(step.name, self._random.choice((1, 2))))

    def _wait(self) -> Wait:
        return Wait(self._random.choices((61.0, 3.0 * DAY, 17 * DAY, 31 * DAY, 100 * DAY), (1, 2, 6, 2, 1))[0])

    def _narrow(self, stack: int) -> Options:
        options, number = super()._narrow(stack), self._random.choice((1, 2))
        targets = None if options.targets is None else frozenset(slot_name(name, number) for name in options.targets)
        return replace(
            options, targets=targets, replaced=frozenset(slot_name(name, number) for name in options.replaced)
        )
