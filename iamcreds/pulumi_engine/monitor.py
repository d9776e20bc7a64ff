"""The engine as a program sees it: whom to ask, and what a failure of the protocol means."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.resource_pb2 import ResourceInvokeRequest
from pulumi.runtime.settings import get_monitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")
_SHUTTING_DOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_SAID_ALREADY = 32  # the exit code at which Pulumi's language host adds nothing to what has been said


def find_monitor() -> ResourceMonitorStub:
    """What takes requests.

    Raises:
        pulumi.RunError: nobody does.
    """
    monitor = get_monitor()
    if monitor is None:
        raise pulumi.RunError("there is no engine: run `pulumi preview` or `pulumi up`")
    return monitor


async def ask(method: Callable[[_Request], _Answer], request: _Request) -> _Answer:
    """Send a request to the engine, which answers when it is through with the resource.

    Raises:
        SystemExit: the engine is shutting down, and has told why.
        pulumi.RunError: the engine does not take the request.
    """
    try:
        return await asyncio.to_thread(method, request)
    except grpc.RpcError as error:
        if error.code() in _SHUTTING_DOWN:
            raise SystemExit(_SAID_ALREADY) from None
        raise pulumi.RunError(str(error.details())) from None


async def invoke(function: str, version: str) -> dict[str, Any]:
    """What a function of a provider's plugin answers that takes no arguments; `version` is the plugin's.

    Raises:
        SystemExit: as `ask`.
        pulumi.RunError: it fails, or there is no such plugin.
    """
    answer = await ask(find_monitor().Invoke, ResourceInvokeRequest(tok=function, version=version))
    if answer.failures:
        raise pulumi.RunError("\n".join(f"{function}: {failure.reason}" for failure in answer.failures))
    return MessageToDict(getattr(answer, "return"))
