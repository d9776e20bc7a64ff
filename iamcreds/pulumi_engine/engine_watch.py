"""End this process when its engine is gone, so that no process is left that holds passphrase and AWS credentials.

An engine that is killed (`kill -9`, out of memory) leaves its children behind. Their parent is a shell or Pulumi's
language host, which stay as well, so only the connection to the engine shows that it is gone.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.runtime.proto.engine_pb2 import GetRootResourceRequest
from pulumi.runtime.proto.engine_pb2_grpc import EngineStub
from pulumi.runtime.settings import get_engine

from iamcreds.errors import EngineGoneError

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 2.0
"""Seconds between two requests to the engine, and seconds that it has to respond."""
_MISSES = 2
"""Requests in a row that must fail before the engine counts as gone."""

_IS_PROGRAM = any(Path(word).name == "pulumi-language-python-exec" for word in sys.orig_argv)
"""Pulumi's language host started this process, by its own script, to run a program."""

_lock = threading.Condition()
_running = 0
_is_gone = False
_is_watching = False


def watch_engine(engine: EngineStub) -> None:
    """Start to watch the engine, once in a process."""
    global _is_watching  # noqa: PLW0603 - a process has one engine
    with _lock:
        if _is_watching:
            return
        _is_watching = True
    threading.Thread(target=_watch, args=(engine,), name="engine watch", daemon=True).start()


def watch_program() -> None:
    """Watch the engine of this Python program, if the process is the program's own.

    An inline program of the Automation API runs in the process of its caller, which outlives every engine.
    """
    engine = get_engine()
    if _IS_PROGRAM and isinstance(engine, EngineStub):
        watch_engine(engine)


def finish_before_end(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a call that has begun finish before the process ends, and start none after the engine is gone.

    Raises:
        EngineGoneError: (the wrapped method) no engine would record the result of the call.
    """

    @functools.wraps(method)
    def wrapper(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - any method
        global _running  # noqa: PLW0603 - as above
        with _lock:
            if _is_gone:
                raise EngineGoneError("the Pulumi engine is gone: nothing was changed")
            _running += 1
        try:
            return method(*arguments, **options)
        finally:
            with _lock:
                _running -= 1
                _lock.notify_all()

    return wrapper


def _watch(engine: EngineStub) -> None:
    misses = 0
    pause = threading.Event()
    while misses < _MISSES:
        pause.wait(_SECONDS)
        misses = 0 if _responds(engine) else misses + 1
    _end()


def _responds(engine: EngineStub) -> bool:
    """Return False if no process listens at the engine's address; an engine that is stopped or busy is not gone."""
    try:
        engine.GetRootResource(GetRootResourceRequest(), timeout=_SECONDS)
    except grpc.RpcError as error:
        return error.code() is not grpc.StatusCode.UNAVAILABLE
    return True


def _end() -> None:
    global _is_gone  # noqa: PLW0603 - as above
    with _lock:
        _is_gone = True
        _lock.wait_for(lambda: _running == 0)
    os._exit(1)  # a thread that waits for the engine would keep an ordinary end waiting
