"""Registers what the specs say with the engine, by the engine's own protocol.

The specs are known before the program starts, so it needs none of the SDK's outputs, stack traces and debug messages:
it sends everything at once, each resource with the place of its spec, and passes on what the engine answers, in the
engine's words. That takes three quarters of the time of the SDK's classes and half the state, and a stack that they
made is taken over without a change. The protocol is what lets every engine serve older SDKs of every language.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.resource_pb2 import RegisterResourceOutputsRequest, Result
from pulumi.runtime.rpc import UNKNOWN, wrap_rpc_secret
from pulumi.runtime.settings import get_monitor, get_root_resource, is_dry_run

from dynamic_providers.credential_inputs import CredentialInputs
from dynamic_providers.credential_state import SECRETS
from dynamic_providers.passwords import read_passwords
from dynamic_providers.progress import RunProgress, tell_engine
from dynamic_providers.properties import CREDENTIAL_TYPE
from dynamic_providers.recorded import read_state, run_message
from dynamic_providers.requests import (
    access_keys_request,
    credential_request,
    spec_file_request,
    unmanaged_credentials_request,
)
from dynamic_providers.run import NEVER, Refuse
from iamcreds.model import Existing
from iamcreds.services import LOGIN_OUTPUTS
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse
    from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub

    from dynamic_providers.recorded import RecordedState
    from iamcreds.model import Desired, DesiredCredential, DesiredUser, Place

_Request = TypeVar("_Request")
_Answer = TypeVar("_Answer")
_LOGINS = tuple(LOGIN_OUTPUTS.values())
_UNKNOWN_SECRET = "unknown, because it was adopted: a `reset` makes a new one"  # noqa: S105 - there is none
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
    run = asyncio.ensure_future(_read_run(desired))  # while the components of the files are registered
    files = groupby(sorted(desired.users, key=_file), key=_file)
    registrations = [_register_file(file, list(users), run, parent or "") for file, users in files]
    registered = [resource for file in await asyncio.gather(*registrations) for resource in file]
    _raise_refusals(refusal for resource in registered for refusal in resource.refusals())
    told = [resource for resource in registered if resource.is_credential and (resource.is_made or is_dry_run())]
    return {
        "credentials": {credential.name: credential.public_outputs() for credential in told},
        "secrets": {credential.name: credential.secret_output() for credential in told},
    }


async def _read_run(desired: Desired) -> _Run:
    passwords = await read_passwords(desired)
    state = await asyncio.to_thread(read_state)
    if state is not None:
        state = replace(state, users=frozenset(user.name for user in desired.users))
    total = sum(len(user.credentials) for user in desired.users)
    return _Run(desired.account, state, passwords, RunProgress(total, tell_engine))


def _file(user: DesiredUser) -> str:
    return user.place.file


def _raise_refusals(refusals: Iterable[tuple[Place, str]]) -> None:
    lines = [f"{place}: {escape_invisible(sentence)}" for place, sentence in sorted(refusals)]
    if lines:
        raise pulumi.RunError("\n".join(["`pulumi up` would refuse:", *lines]))


@dataclass(frozen=True)
class _Run:
    """What goes for every resource: the specs' account, what the state has, passwords by name, the progress."""

    account: str | None
    state: RecordedState | None
    passwords: Mapping[str, str] = field(repr=False)
    progress: RunProgress


async def _register_file(
    file: str, users: Sequence[DesiredUser], run: Awaitable[_Run], parent: str
) -> list[Registered]:
    """Register the component of a spec file, then all at once what stands under it."""
    component = (await _register_resource(spec_file_request(file, parent))).urn
    known = await run
    requests = _list_requests(file, users, known, component)
    registrations = (_register_declared(place, request, known.progress) for place, request in requests)
    registered = await asyncio.gather(*registrations)
    await ask(_monitor().RegisterResourceOutputs, RegisterResourceOutputsRequest(urn=component))
    return registered


async def _register_declared(place: Place, request: RegisterResourceRequest, progress: RunProgress) -> Registered:
    registered = Registered(place, request, await _register_resource(request))
    if registered.is_credential:
        progress.count(failed=registered.answer.result == Result.FAIL)
    return registered


def _list_requests(
    file: str, users: Sequence[DesiredUser], run: _Run, parent: str
) -> Iterator[tuple[Place, RegisterResourceRequest]]:
    """What is registered under a spec file's component, and where it is declared."""
    refuse = {"refuse": Refuse.PREVIEW if is_dry_run() else Refuse.CREATE}
    for credential, same in (pair for user in users for pair in _with_siblings(user.credentials)):
        password = run.passwords.get(credential.resource_name)
        inputs = CredentialInputs.declare(
            credential,
            declared=len(same),
            account=run.account,
            password=None if password is None else wrap_rpc_secret(password),
        )
        message = _write_message(run.state, credential, same) | refuse
        yield credential.place, credential_request(credential, inputs, run=message, parent=parent)
    asked = [user for user in users if user.unmanaged is not None and user.judges_credentials]
    if asked:
        message = _write_unmanaged_message(run.state, asked) | refuse
        request = unmanaged_credentials_request(file, asked, account=run.account, run=message, parent=parent)
        yield asked[0].place, request
    watched = [user for user in users if user.access_keys is not None]
    if watched:
        yield watched[0].place, access_keys_request(file, watched, account=run.account, run=refuse, parent=parent)


def _write_unmanaged_message(state: RecordedState | None, users: Sequence[DesiredUser]) -> dict[str, Any]:
    """What the provider is told of the run: every id that the state has, and what this run may yet make its own.

    An id that a spec names to be adopted counts as declared, whatever comes of that.
    Of the state every id, and not those of these users alone: IAM renames users, and what it calls them now nobody
    knows here.
    A user and service of which a declared credential is not in the state yet is undecided: that credential's own
    decision, to adopt or to refuse, is about whatever is live there.
    """
    if state is None:
        return {}
    recorded = set(state.every.values())
    undecided = {
        (wanted.user, wanted.service)
        for user in users
        for wanted in user.credentials
        if recorded.isdisjoint({wanted.resource_name, wanted.former_resource_name})
    }
    account = {"account": state.account} if state.account else {}
    named = {wanted.adopt for user in users for wanted in user.credentials if wanted.adopt is not None}
    return {"owned": sorted({*state.every, *named}), "undecided": [list(pair) for pair in sorted(undecided)], **account}


def _write_message(
    state: RecordedState | None, credential: DesiredCredential, same: Sequence[DesiredCredential]
) -> dict[str, Any]:
    """What the credential's provider is told of the run, by the names that resources have now."""
    former, name = credential.former_resource_name, credential.resource_name
    message = run_message(state, former or name, credential.user, credential.service) | {"resource": name}
    names = {wanted.former_resource_name: wanted.resource_name for wanted in same}
    if "owned" in message:
        message["owned"] = {key: names.get(owner, owner) for key, owner in message["owned"].items()}
    if credential.protect:
        message["protect"] = True
    claimed = {wanted.resource_name: wanted.adopt for wanted in same if wanted.adopt is not None}
    adopting = (wanted for wanted in same if wanted.adopt is None and wanted.existing is Existing.ADOPT)
    adopters = {wanted.resource_name: NEVER for wanted in adopting}
    told = {"claimed": claimed, "adopters": adopters}
    return message | {name: values for name, values in told.items() if values}


def _with_siblings(
    credentials: Sequence[DesiredCredential],
) -> Iterator[tuple[DesiredCredential, Sequence[DesiredCredential]]]:
    """Each of a user's credentials with all that are declared for its service, itself among them."""
    per_service: dict[str, list[DesiredCredential]] = defaultdict(list)
    for credential in credentials:
        per_service[credential.service].append(credential)
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

    @property
    def is_without_secret(self) -> bool:
        """Whether it was adopted, and nobody has told its password."""
        fields = self.answer.object.fields
        return "credential_id" in fields and not any(name in fields for name in SECRETS)

    def public_outputs(self) -> dict[str, Any]:
        """What anybody may see of it."""
        outputs = {"id": ("credential_id",), "user_name": _LOGINS, "status": ("status",)}
        unknown = {"secret": _UNKNOWN_SECRET} if self.is_without_secret else {}
        return {output: self._output(*names) for output, names in outputs.items()} | unknown

    def secret_output(self) -> Any:  # noqa: ANN401 - a secret as the protocol wraps it
        """Its password or API key, a Pulumi secret; None of one that was adopted without it."""
        return None if self.is_without_secret else wrap_rpc_secret(self._output(*SECRETS))

    def refusals(self) -> Iterator[tuple[Place, str]]:
        """Why its provider refused it in a preview, and where it is declared."""
        if "refused" in self.answer.object.fields:
            for sentence in self.answer.object.fields["refused"].list_value.values:
                yield self.place, f"{self.name}: {sentence.string_value}"

    def _output(self, *names: str) -> Any:  # noqa: ANN401 - any property value
        """The output by the first of these names that it has, as the protocol has it; without one it is not known."""
        fields = self.answer.object.fields
        return next((MessageToDict(fields[name]) for name in names if name in fields), UNKNOWN)
