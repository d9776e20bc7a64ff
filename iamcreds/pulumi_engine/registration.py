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
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime.proto.resource_pb2 import RegisterResourceOutputsRequest, Result
from pulumi.runtime.rpc import wrap_rpc_secret
from pulumi.runtime.settings import get_root_resource, is_dry_run

from iamcreds.pulumi_engine.iam_users import find_orphans, find_plugin_version, find_refusals, require_account
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.monitor import ask, find_monitor
from iamcreds.pulumi_engine.passwords import read_passwords
from iamcreds.pulumi_engine.progress import RunProgress, tell_engine
from iamcreds.pulumi_engine.registered import Registered
from iamcreds.pulumi_engine.rejection_report import Rejection, raise_rejections, report_rejections
from iamcreds.pulumi_engine.requests import (
    access_keys_request,
    credential_request,
    depend_on,
    iam_user_request,
    policy_attachment_requests,
    spec_file_request,
    unmanaged_credentials_request,
)
from iamcreds.pulumi_engine.run_contexts import write_common_message, write_credential_message, write_unmanaged_message
from iamcreds.pulumi_engine.stack_state import read_state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence

    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse

    from iamcreds.model import Desired, DesiredCredential, DesiredUser, Place
    from iamcreds.pulumi_engine.stack_state import RecordedState


def register(desired: Desired) -> pulumi.Output[dict[str, dict[str, Any]]]:
    """Register all that the specs say; the stack's outputs `credentials` and `secrets`.

    What a preview cannot know yet is unknown in them; a credential that could not be made while others could, that
    `--target` left out, or that a preview rejects, is not among them.

    Raises:
        pulumi.RunError: (to whoever awaits the output) a preview with rejections fails, see `report_rejections`; or
            pulumi-aws is missing, or works on another account.
    """
    return pulumi.Output.from_input(_register(desired))


async def _register(desired: Desired) -> dict[str, dict[str, Any]]:
    root = get_root_resource()
    parent = await root.urn.future() if root else None
    run = asyncio.ensure_future(_read_run(desired))  # while the components of the files are registered
    files = groupby(sorted(desired.users, key=_file), key=_file)
    registrations = [_register_file(file, list(users), run, parent or "") for file, users in files]
    registered = [resource for file in await asyncio.gather(*registrations) for resource in file]
    known = await run
    await _report(known, registered)
    shown = [resource for resource in registered if _is_shown(resource)]
    return {
        "credentials": {credential.name: credential.public_outputs() for credential in shown},
        "secrets": {credential.name: credential.secret_output() for credential in shown},
    }


async def _report(run: _Run, registered: Sequence[Registered]) -> None:
    """Report all rejections of a preview; it fails for those that concern the whole run."""
    rejections = [
        *(Rejection(*rejection) for rejection in run.refusals),
        *(Rejection(*rejection, each.answer.urn) for each in registered for rejection in _list_rejections(each, run)),
    ]
    if run.refusals:
        raise_rejections(rejections)
    await report_rejections(rejections)


def _list_rejections(resource: Registered, run: _Run) -> Iterator[tuple[Place, str]]:
    """Return the rejections of a resource that the run is about: `--target` may leave out some IAM users."""
    yield from resource.refusals()
    if resource.is_iam_user and resource.is_made and resource.name in run.refused_users:
        yield run.refused_users[resource.name]


def _is_shown(resource: Registered) -> bool:
    """Return True for a credential that the stack's outputs have."""
    is_expected = not any(resource.refusals()) if is_dry_run() else resource.is_made
    return resource.is_credential and is_expected


async def _read_run(desired: Desired) -> _Run:
    passwords = await read_passwords(desired)
    state = await asyncio.to_thread(read_state)
    if state is not None:
        state = replace(state, users=frozenset(user.name for user in desired.users))
    progress = RunProgress(sum(len(user.credentials) for user in desired.users), tell_engine)
    run = _Run(desired.account, state, passwords, progress, find_orphans(desired.users, state))
    if run.refusals and not is_dry_run():  # the engine would be about to delete users
        raise pulumi.RunError("\n".join(str(Rejection(*refusal)) for refusal in sorted(run.refusals)))
    made = [user for user in desired.users if user.iam_user is not None]
    return await _ask_pulumi_aws(run, made) if made else run


async def _ask_pulumi_aws(run: _Run, made: Sequence[DesiredUser]) -> _Run:
    """What goes for every user who is made, once pulumi-aws is known to be there and on the right account."""
    version = find_plugin_version(min(user.iam_user.place for user in made if user.iam_user is not None))
    of_state = None if run.state is None else run.state.account
    await require_account({account for account in (run.account, of_state) if account}, version)
    new = [user for user in made if run.is_new(user.name)]
    refusals = await find_refusals(new, version) if is_dry_run() and run.state is not None else {}
    return replace(run, plugin_version=version, refused_users=refusals)


def _file(user: DesiredUser) -> str:
    return user.place.file


@dataclass(frozen=True)
class _Run:
    """What goes for every resource.

    Attributes:
        account: the account of the specs.
        state: what the state has, None where it cannot be read.
        passwords: by resource name.
        progress: how far the run is.
        refusals: why this run may not be, and where that is declared.
        plugin_version: that of pulumi-aws, empty where no user is to be made.
        refused_users: why users could not be made, and where they are declared, by name; in a preview only.
    """

    account: str | None
    state: RecordedState | None
    passwords: Mapping[str, str] = field(repr=False)
    progress: RunProgress
    refusals: Sequence[tuple[Place, str]]
    plugin_version: str = ""
    refused_users: Mapping[str, tuple[Place, str]] = field(default_factory=dict)

    def is_new(self, user: str) -> bool:
        """Whether the stack does not have this IAM user yet, as far as that is known."""
        return self.state is None or user not in self.state.iam_users


async def _register_file(
    file: str, users: Sequence[DesiredUser], run: Awaitable[_Run], parent: str
) -> list[Registered]:
    """Register the component of a spec file, then all at once what stands under it."""
    component = (await _register_resource(spec_file_request(file, parent))).urn
    known = await run
    watchers = _list_watchers(file, users, known, component)
    found = await asyncio.gather(
        *(_register_user(user, known, component) for user in users), _register_all(watchers, known.progress)
    )
    await ask(find_monitor().RegisterResourceOutputs, RegisterResourceOutputsRequest(urn=component))
    return [registered for each in found for registered in each]


async def _register_user(user: DesiredUser, run: _Run, parent: str) -> list[Registered]:
    """Register the IAM user, where the specs have it made, and then all at once what the user has."""
    requests = list(_list_credentials(user, run, parent))
    made: list[Registered] = []
    if user.iam_user is not None:
        version, is_new = run.plugin_version, run.is_new(user.name) and user.name not in run.refused_users
        request = iam_user_request(user.name, user.iam_user, version=version, is_new=is_new, parent=parent)
        made = [await _register_declared(user.iam_user.place, request, run.progress)]
        attachments = policy_attachment_requests(user.name, user.iam_user, version=version, parent=parent)
        requests += ((user.iam_user.place, attachment) for attachment in attachments)
        for _, dependent in requests:
            depend_on(dependent, made[0].answer.urn)
    return [*made, *await _register_all(requests, run.progress)]


async def _register_all(
    requests: Iterable[tuple[Place, RegisterResourceRequest]], progress: RunProgress
) -> list[Registered]:
    return await asyncio.gather(*(_register_declared(place, request, progress) for place, request in requests))


async def _register_declared(place: Place, request: RegisterResourceRequest, progress: RunProgress) -> Registered:
    registered = Registered(place, request, await _register_resource(request))
    if registered.is_credential:
        progress.count(failed=registered.answer.result == Result.FAIL)
    return registered


def _list_credentials(user: DesiredUser, run: _Run, parent: str) -> Iterator[tuple[Place, RegisterResourceRequest]]:
    """The user's credentials, and where they are declared."""
    for credential, same in _with_siblings(user.credentials):
        password = run.passwords.get(credential.resource_name)
        inputs = CredentialInputs.declare(
            credential,
            declared=len(same),
            account=run.account,
            password=None if password is None else wrap_rpc_secret(password),
        )
        message = write_credential_message(run.state, credential, same) | write_common_message(
            [user], is_preview=is_dry_run()
        )
        yield credential.place, credential_request(credential, inputs, run=message, parent=parent)


def _list_watchers(
    file: str, users: Sequence[DesiredUser], run: _Run, parent: str
) -> Iterator[tuple[Place, RegisterResourceRequest]]:
    """What watches a spec file's users, and where that is declared."""
    asked = [user for user in users if user.unmanaged is not None and user.judges_credentials]
    if asked:
        message = write_unmanaged_message(run.state, asked)
        request = unmanaged_credentials_request(file, asked, account=run.account, run=message, parent=parent)
        yield asked[0].place, request
    watched = [user for user in users if user.access_keys is not None]
    if watched:
        message = write_common_message(watched, is_preview=is_dry_run())
        yield watched[0].place, access_keys_request(file, watched, account=run.account, run=message, parent=parent)


def _with_siblings(
    credentials: Sequence[DesiredCredential],
) -> Iterator[tuple[DesiredCredential, Sequence[DesiredCredential]]]:
    """Each of a user's credentials with all that are declared for its service, itself among them."""
    per_service: dict[str, list[DesiredCredential]] = defaultdict(list)
    for credential in credentials:
        per_service[credential.service].append(credential)
    return ((credential, per_service[credential.service]) for credential in credentials)


async def _register_resource(request: RegisterResourceRequest) -> RegisterResourceResponse:
    return await ask(find_monitor().RegisterResource, request)
