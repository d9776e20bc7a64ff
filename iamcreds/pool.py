"""Many calls at once, and never more than so many; whoever waits is told how far they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

from iamcreds import aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Tell(Protocol):
    """Hears how far something is: what is being done, how much of it is done, and of how much where that is known."""

    def __call__(self, doing: str, done: int, total: int | None = None) -> None:
        """Hear it."""


def tell_nobody(doing: str, done: int, total: int | None = None) -> None:
    """Where nobody waits."""


def all_of(
    call: Callable[[Item], Answer],
    items: Iterable[Item],
    doing: str = "",
    tell: Tell = tell_nobody,
) -> dict[Item, Answer]:
    """What the call answers to each of the items, in their order; the first error ends it and is raised.

    Args:
        call: what to do, from several threads.
        items: for what; each is done once.
        doing: what this is, in words, for those who wait.
        tell: hears how far it is.
    """
    once = list(dict.fromkeys(items))
    answers: dict[Item, Answer] = {}
    with ThreadPoolExecutor(max_workers=aws.POOL) as pool:
        for item, answer in zip(once, pool.map(call, once), strict=True):
            answers[item] = answer
            tell(doing, len(answers), len(once))
    return answers
