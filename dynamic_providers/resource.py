"""A dynamic resource of which a program can have thousands."""

from __future__ import annotations

import contextlib
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.proto.source_pb2 import SourcePosition, StackFrame, StackTrace

from iamcreds.pulumi_engine.engine_watch import watch_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi.dynamic import ResourceProvider

_PICKLER: Any = pickle._Pickler  # noqa: SLF001 - the class that Pulumi's SDK patches
_OWN_FRAMES = ("contextlib", "dynamic_providers")


class Resource(pulumi.dynamic.Resource):
    """A dynamic resource of which a program can have thousands."""

    def __init__(
        self, provider: ResourceProvider, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None
    ) -> None:
        watch_program()
        with keep_pickler(), _record_caller_only():
            super().__init__(provider, name, props, opts)


@contextlib.contextmanager
def keep_pickler() -> Iterator[None]:
    """Undo the changes that the SDK makes to pickle at every resource.

    `pulumi.dynamic.serialize_provider` wraps a method of the pickler once more each time and never restores it, which
    ends in a RecursionError at about 320 resources (SDK 3.259.0 to 3.272.0).
    """
    saved = {name: getattr(_PICKLER, name) for name in ("_batch_setitems", "save_dict")}
    try:
        yield
    finally:
        for name, method in saved.items():
            setattr(_PICKLER, name, method)


@contextlib.contextmanager
def _record_caller_only() -> Iterator[None]:
    """Record a resource with one frame, the caller's.

    The SDK records the whole stack: 17 frames of asyncio with paths of the machine, a third of the state. It has no
    option for that (SDK 3.272.0).
    """
    trace = _trace_caller()
    whole_trace = pulumi.runtime.resource._get_stack_trace  # noqa: SLF001 - as above
    pulumi.runtime.resource._get_stack_trace = lambda: trace  # noqa: SLF001
    try:
        yield
    finally:
        pulumi.runtime.resource._get_stack_trace = whole_trace  # noqa: SLF001


def _trace_caller() -> StackTrace:
    """Return the frame that called this package, or no frame for code without a file."""
    frame = sys._getframe()  # noqa: SLF001 - `inspect` and `traceback` would read the source of every frame
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _OWN_FRAMES:
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    if not path.is_absolute():
        return StackTrace()
    return StackTrace(frames=[StackFrame(pc=SourcePosition(uri=path.as_uri(), line=frame.f_lineno))])
