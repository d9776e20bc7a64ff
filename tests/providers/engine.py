"""The engine's side of the protocol, as far as a program needs it, in this process on 127.0.0.1."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto.engine_pb2_grpc import EngineServicer, add_EngineServicer_to_server
from pulumi.runtime.proto.provider_pb2 import CheckFailure, InvokeResponse
from pulumi.runtime.proto.resource_pb2 import RegisterResourceResponse
from pulumi.runtime.proto.resource_pb2_grpc import (
    ResourceMonitorServicer,
    ResourceMonitorStub,
    add_ResourceMonitorServicer_to_server,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi.runtime.proto.engine_pb2 import LogRequest
    from pulumi.runtime.proto.resource_pb2 import (
        RegisterResourceOutputsRequest,
        RegisterResourceRequest,
        ResourceInvokeRequest,
    )


class Engine(ResourceMonitorServicer, EngineServicer):
    """An engine with these resources in its state (None: no state), which returns the given responses by resource name.

    A response may be a gRPC error. Functions of providers return the given results; a text means failures, one for each
    line.

    Attributes:
        asked: the requested functions, with their arguments.
        versions: the plugin versions of the requested functions.
        requests: the registered resources, by type and name.
        ended: the URNs of completed components.
        logged: the log messages that it received.
    """

    def __init__(
        self,
        resources: dict[str, Any] | None = None,
        answers: Mapping[str, RegisterResourceResponse | grpc.StatusCode] | None = None,
        functions: Mapping[str, dict[str, Any] | str] | None = None,
    ) -> None:
        self.resources = resources
        self.answers = answers or {}
        self.functions = functions or {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.versions: set[str] = set()
        self.requests: dict[tuple[str, str], RegisterResourceRequest] = {}
        self.ended: list[str] = []
        self.logged: list[LogRequest] = []

    def Invoke(self, request: ResourceInvokeRequest, context: grpc.ServicerContext) -> InvokeResponse:  # noqa: N802 - gRPC's
        """Return the state, or an error if there is none, or the result of a provider's function."""
        self.asked.append((request.tok, dict(request.args.items())))
        if request.tok in self.functions:
            self.versions.add(request.version)
            return self._answer(self.functions[request.tok])
        if self.resources is None:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such stack")
        answer = InvokeResponse()
        getattr(answer, "return").update({"outputs": self.resources})
        return answer

    def _answer(self, said: dict[str, Any] | str) -> InvokeResponse:
        if isinstance(said, str):
            return InvokeResponse(failures=[CheckFailure(reason=reason) for reason in said.splitlines()])
        answer = InvokeResponse()
        getattr(answer, "return").update(said)
        return answer

    def RegisterResource(  # noqa: N802 - gRPC's
        self, request: RegisterResourceRequest, context: grpc.ServicerContext
    ) -> RegisterResourceResponse:
        """Return the response for this resource; by default, it is created without outputs."""
        self.requests[request.type, request.name] = request
        answer = self.answers.get(request.name, RegisterResourceResponse())
        if isinstance(answer, grpc.StatusCode):
            context.abort(answer, "the engine rejects it")
        answer.urn = f"urn:{request.name}"
        return answer

    def RegisterResourceOutputs(  # noqa: N802 - gRPC's
        self, request: RegisterResourceOutputsRequest, context: grpc.ServicerContext
    ) -> Empty:
        """Complete a component."""
        del context
        self.ended.append(request.urn)
        return Empty()

    def Log(self, request: LogRequest, context: grpc.ServicerContext) -> Empty:  # noqa: N802 - gRPC's
        """Receive a log message from a program or a provider."""
        del context
        self.logged.append(request)
        return Empty()


@contextmanager
def serving(engine: Engine) -> Iterator[str]:
    """Serve the engine and yield its address."""
    server = grpc.server(ThreadPoolExecutor(4))
    add_ResourceMonitorServicer_to_server(engine, server)
    add_EngineServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def asking(engine: Engine) -> Iterator[ResourceMonitorStub]:
    """Yield the connection of a program that this engine runs."""
    with serving(engine) as address, grpc.insecure_channel(address) as channel:
        yield ResourceMonitorStub(channel)
