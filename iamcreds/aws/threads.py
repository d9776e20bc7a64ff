"""Concurrent calls, limited in number, with progress."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from iamcreds.aws import client
from iamcreds.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from iamcreds.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")


def call_all(
    call: Callable[[Item], Result],
    items: Iterable[Item],
    doing: str,
    progress: Progress = no_progress,
) -> dict[Item, Result]:
    """Return the result of the call for each item, in the order of the items. The first error is raised.

    Args:
        call: the function to call, from several threads.
        items: the arguments; duplicates are called once.
        doing: description of the operation in progress reports.
        progress: receives the number of completed calls and of all calls.
    """
    unique = list(dict.fromkeys(items))
    results: dict[Item, Result] = {}
    with ThreadPoolExecutor(max_workers=client.POOL) as pool:
        for item, result in pool.map(lambda item: (item, call(item)), unique):
            results[item] = result
            progress(doing, len(results), len(unique))
    return results
