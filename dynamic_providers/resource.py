"""A dynamic resource of which a program can have thousands."""

from __future__ import annotations

import contextlib
import pickle
from typing import TYPE_CHECKING, Any

import pulumi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi.dynamic import ResourceProvider

_PICKLER: Any = pickle._Pickler  # noqa: SLF001 - the class that Pulumi's SDK patches


class Resource(pulumi.dynamic.Resource):
    """A dynamic resource of which a program can have thousands."""

    def __init__(
        self, provider: ResourceProvider, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None
    ) -> None:
        with _pickler_kept():
            super().__init__(provider, name, props, opts)


@contextlib.contextmanager
def _pickler_kept() -> Iterator[None]:
    """Undo what the SDK does to pickle at every resource.

    `pulumi.dynamic.serialize_provider` wraps a method of the pickler once more each time and never restores it, which
    ends in a RecursionError at about 320 resources (SDK 3.259.0 to 3.272.0).
    """
    saved = {name: getattr(_PICKLER, name) for name in ("_batch_setitems", "save_dict")}
    try:
        yield
    finally:
        for name, method in saved.items():
            setattr(_PICKLER, name, method)
