"""Registers what the specs say with the engine, by the engine's own protocol.

The specs are known before the program starts, so it needs none of the SDK's outputs, stack traces and debug messages:
it sends everything at once, each resource with the place of its spec, and passes on what the engine answers, in the
engine's words. That takes three quarters of the time of the SDK's classes and half the state, and a stack that they
made is taken over without a change. The protocol is what lets every engine serve older SDKs of every language.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.resource_pb2 import RegisterResourceOutputsRequest, Result
from pulumi.runtime.rpc import UNKNOWN, wrap_rpc_secret
from pulumi.runtime.settings import get_monitor, get_root_resource, is_dry_run

from dynamic_providers.credential_state import SECRETS
from dynamic_providers.properties import CREDENTIAL_TYPE
from dynamic_providers.recorded import read_state, run_message
from dynamic_providers.requests import access_keys_request, credential_request, spec_file_request
from dynamic_providers.run import Refuse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse
    from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub

    from dynamic_providers.recorded import RecordedState
    from iamcreds.model import Desired, DesiredCredential, DesiredUser, Place

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")
_LOGINS = ("service_user_name", "service_credential_alias")
_SHUTTING_DOWN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_SAID_ALREADY = 32  # the exit code at which Pulumi's language host adds nothing to what has been said


def register(desired: Desired) -> pulumi.Output[dict[str, dict[str, Any]]]:
    """Register all that the specs say; the stack's outputs `credentials` and `secrets`.

    What a preview cannot know yet is unknown in them; a credential that could not be made while others could, or that
    `--target` left out, is not among them.

    Raises:
        pulumi.RunError: (to whoever awaits the output) some credentials were refused in a preview, each of them named
            with its place.
    """
    return pulumi.Output.from_input(_register(desired))


async def _register(desired: Desired) -> dict[str, dict[str, Any]]:
    root = get_root_resource()
    parent = await root.urn.future() if root else None
    state = asyncio.ensure_future(_read_state(desired.users))  # while the components of the files are registered
    files = groupby(sorted(desired.users, key=_file), key=_file)
    registrations = [_register_file(file, list(users), desired.account, state, parent or "") for file, users in files]
    registered = [resource for file in await asyncio.gather(*registrations) for resource in file]
    _raise_refusals(refusal for resource in registered for refusal in resource.refusals())
    told = [resource for resource in registered if resource.is_credential and (resource.is_made or is_dry_run())]
    return {
        "credentials": {credential.name: credential.public_outputs() for credential in told},
        "secrets": {credential.name: credential.secret_output() for credential in told},
    }


async def _read_state(users: Iterable[DesiredUser]) -> RecordedState | None:
    state = await asyncio.to_thread(read_state)
    return None if state is None else replace(state, users=frozenset(user.name for user in users))


def _file(user: DesiredUser) -> str:
    return user.place.file


def _raise_refusals(refusals: Iterable[tuple[Place, str]]) -> None:
    lines = [f"{place}: {sentence}" for place, sentence in sorted(refusals)]
    if lines:
        raise pulumi.RunError("\n".join(["`pulumi up` would refuse:", *lines]))


async def _register_file(
    file: str, users: Sequence[DesiredUser], account: str | None, state: Awaitable[RecordedState | None], parent: str
) -> list[Registered]:
    """Register the component of a spec file, then all at once what stands under it."""
    component = (await _register_resource(spec_file_request(file, parent))).urn
    declared = list(_list_requests(file, users, account, await state, component))
    answers = await asyncio.gather(*(_register_resource(request) for _, request in declared))
    await ask(_monitor().RegisterResourceOutputs, RegisterResourceOutputsRequest(urn=component))
    return [Registered(place, request, answer) for (place, request), answer in zip(declared, answers, strict=True)]


def _list_requests(
    file: str, users: Sequence[DesiredUser], account: str | None, state: RecordedState | None, parent: str
) -> Iterator[tuple[Place, RegisterResourceRequest]]:
    """What is registered under a spec file's component, and where it is declared."""
    refuse = {"refuse": Refuse.PREVIEW if is_dry_run() else Refuse.CREATE}
    for credential, declared in (pair for user in users for pair in _count_declared(user.credentials)):
        run = _write_message(state, credential) | refuse
        yield (
            credential.place,
            credential_request(credential, declared=declared, account=account, run=run, parent=parent),
        )
    watched = [user for user in users if user.access_keys is not None]
    if watched:
        yield watched[0].place, access_keys_request(file, watched, account=account, run=refuse, parent=parent)


def _write_message(state: RecordedState | None, credential: DesiredCredential) -> dict[str, Any]:
    """What the credential's provider is told of the run, by the name that the resource has now."""
    former, name = credential.former_resource_name, credential.resource_name
    message = run_message(state, former or name, credential.user, credential.service) | {"resource": name}
    if "owned" in message:
        message["owned"] = {key: name if owner == former else owner for key, owner in message["owned"].items()}
    return message


def _count_declared(credentials: Sequence[DesiredCredential]) -> Iterator[tuple[DesiredCredential, int]]:
    """Each of a user's credentials with the number declared for its service."""
    per_service = Counter(credential.service for credential in credentials)
    return ((credential, per_service[credential.service]) for credential in credentials)


async def _register_resource(request: RegisterResourceRequest) -> RegisterResourceResponse:
    return await ask(_monitor().RegisterResource, request)


def _monitor() -> ResourceMonitorStub:
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


@dataclass(frozen=True)
class Registered:
    """A resource, where the specs declare it, and what the engine answered for it."""

    place: Place
    request: RegisterResourceRequest
    answer: RegisterResourceResponse

    @property
    def name(self) -> str:
        """The resource's name."""
        return self.request.name

    @property
    def is_credential(self) -> bool:
        """Whether it is one, and no watcher."""
        return self.request.type == CREDENTIAL_TYPE

    @property
    def is_made(self) -> bool:
        """Whether it is neither failed nor skipped."""
        return self.answer.result == Result.SUCCESS and not self.answer.unknown

    def public_outputs(self) -> dict[str, Any]:
        """What anybody may see of it."""
        outputs = {"id": ("credential_id",), "user_name": _LOGINS, "status": ("status",)}
        return {output: self._output(*names) for output, names in outputs.items()}

    def secret_output(self) -> Any:  # noqa: ANN401 - a secret as the protocol wraps it
        """Its password or API key, a Pulumi secret."""
        return wrap_rpc_secret(self._output(*SECRETS))

    def refusals(self) -> Iterator[tuple[Place, str]]:
        """Why its provider refused it in a preview, and where it is declared."""
        if "refused" in self.answer.object.fields:
            for sentence in self.answer.object.fields["refused"].list_value.values:
                yield self.place, f"{self.name}: {sentence.string_value}"

    def _output(self, *names: str) -> Any:  # noqa: ANN401 - any property value
        """The output by the first of these names that it has, as the protocol has it; without one it is not known."""
        fields = self.answer.object.fields
        return next((MessageToDict(fields[name]) for name in names if name in fields), UNKNOWN)
