"""The requests of a program to the engine, and the failures of the protocol."""

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
_Response = TypeVar("_Response")
_SHUTTING_DOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_REPORTED_ALREADY = 32  # the exit code after which Pulumi's language host prints nothing more


def find_monitor() -> ResourceMonitorStub:
    """Return the monitor, which receives the program's requests.

    Raises:
        pulumi.RunError: the program runs without an engine.
    """
    monitor = get_monitor()
    if monitor is None:
        raise pulumi.RunError("the program runs without the Pulumi engine. Run `pulumi preview` or `pulumi up`")
    return monitor


async def send(method: Callable[[_Request], _Response], request: _Request) -> _Response:
    """Send a request to the engine, and return its response when the resource is completed.

    Raises:
        SystemExit: the engine is shutting down, and has reported why.
        pulumi.RunError: the engine rejects the request.
    """
    try:
        return await asyncio.to_thread(method, request)
    except grpc.RpcError as error:
        if error.code() in _SHUTTING_DOWN:
            raise SystemExit(_REPORTED_ALREADY) from None
        raise pulumi.RunError(str(error.details())) from None


async def invoke(function: str, version: str) -> dict[str, Any]:
    """Return the result of a plugin's function without arguments; `version` is the plugin's.

    Raises:
        SystemExit: as `send`.
        pulumi.RunError: it fails, or there is no such plugin.
    """
    response = await send(find_monitor().Invoke, ResourceInvokeRequest(tok=function, version=version))
    if response.failures:
        raise pulumi.RunError("\n".join(f"{function}: {failure.reason}" for failure in response.failures))
    return MessageToDict(getattr(response, "return"))
