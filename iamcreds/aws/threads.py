"""Many calls at once, and never more than so many; whoever waits is told how far they are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from iamcreds.aws import client
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from iamcreds.progress import Progress

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def call_all(
    call: Callable[[Item], Answer],
    items: Iterable[Item],
    doing: str,
    progress: Progress = no_progress,
) -> dict[Item, Answer]:
    """What the call answers to each of the items, in their order; the first error ends it and is raised.

    Args:
        call: what to do, from several threads.
        items: for what; each is done once.
        doing: what this is, in words, for those who wait.
        progress: hears how far it is.
    """
    once = list(dict.fromkeys(items))
    answers: dict[Item, Answer] = {}
    with ThreadPoolExecutor(max_workers=client.POOL) as pool:
        for item, answer in pool.map(lambda item: (item, call(item)), once):
            answers[item] = answer
            progress(doing, len(answers), len(once))
    return answers
