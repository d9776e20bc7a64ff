"""Registration of all resources that the specs declare, by the engine's own protocol.

The specs are known before the program starts, so it needs none of the SDK's outputs, stack traces and debug messages.
It sends all resources at once with their source locations, and passes on the engine's responses.
That takes three quarters of the time of the SDK's classes and half the state. A stack of these classes keeps its
resources unchanged. Every engine supports the protocol, because it serves older SDKs of every language.
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

from iamcreds.pulumi_engine.iam_users import find_orphans, find_plugin_version, find_rejections, require_account
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.monitor import find_monitor, send
from iamcreds.pulumi_engine.passwords import read_passwords
from iamcreds.pulumi_engine.program_context import (
    credential_context,
    policy_context,
    rotation_context,
    unmanaged_context,
    users_context,
)
from iamcreds.pulumi_engine.rejection_report import raise_rejections, report_rejections
from iamcreds.pulumi_engine.requests import (
    credential_request,
    depend_on,
    iam_user_request,
    policy_attachment_requests,
    spec_file_request,
    watcher_request,
)
from iamcreds.pulumi_engine.responses import RegisteredResource, make_outputs
from iamcreds.pulumi_engine.run_progress import RunProgress, show_progress
from iamcreds.pulumi_engine.stack_state import read_state
from iamcreds.pulumi_engine.successor_messages import find_missing_resets
from iamcreds.pulumi_engine.successors import declare_slots, plan_successors
from iamcreds.pulumi_engine.waivers import waivers_context
from iamcreds.resource_types import ACCESS_KEYS_TYPE, CREDENTIAL_TYPE, IAM_USER_TYPE, UNMANAGED_CREDENTIALS_TYPE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence

    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse

    from iamcreds.desired import Desired, DesiredUser
    from iamcreds.model import SourceLocation
    from iamcreds.planning.slot_plan import SlotPlan
    from iamcreds.pulumi_engine.rejection_report import RejectedResource
    from iamcreds.pulumi_engine.stack_state import StackState


def register(desired: Desired) -> pulumi.Output[dict[str, dict[str, Any]]]:
    """Register all resources that the specs declare; return the stack's outputs `credentials` and `secrets`.

    Values that a preview does not know yet are unknown in them. They lack credentials that failed, that `--target` left
    out, or that a preview rejects.

    Raises:
        pulumi.RunError: (when the output is awaited) a preview with rejections fails, see `report_rejections`; or
            pulumi-aws is missing, or uses a different account.
    """
    return pulumi.Output.from_input(_register(desired))


async def _register(desired: Desired) -> dict[str, dict[str, Any]]:
    root = get_root_resource()
    parent = await root.urn.future() if root else None
    run = asyncio.ensure_future(_read_run(desired))  # while the components of the files are registered
    files = groupby(sorted(desired.users, key=_file), key=_file)
    registrations = [_register_file(file, list(users), run, parent or "") for file, users in files]
    resources = [resource for file in await asyncio.gather(*registrations) for resource in file]
    facts = await run
    await _report(facts, resources)
    for warning in find_missing_resets(facts.plans, resources):
        pulumi.log.warn(warning)
    return make_outputs((resource for resource in resources if _has_outputs(resource)), facts.plans)


async def _report(run: _Run, resources: Iterable[RegisteredResource]) -> None:
    """Report all rejections of a preview; it fails for those that concern the whole run."""
    rejections = [*run.orphans, *(rejection for each in resources for rejection in _list_rejections(each, run))]
    if run.orphans:
        raise_rejections(rejections)
    await report_rejections(rejections)


def _list_rejections(resource: RegisteredResource, run: _Run) -> Iterator[RejectedResource]:
    """Return the rejections of a resource in this run: `--target` may exclude some IAM users."""
    yield from resource.rejections()
    if resource.request.type == IAM_USER_TYPE and resource.is_done and resource.name in run.rejected_users:
        yield replace(run.rejected_users[resource.name], urn=resource.response.urn)


def _has_outputs(resource: RegisteredResource) -> bool:
    """Return True for a credential that the stack's outputs have."""
    is_expected = not any(resource.rejections()) if is_dry_run() else resource.is_done
    return resource.request.type == CREDENTIAL_TYPE and is_expected


async def _read_run(desired: Desired) -> _Run:
    passwords = await read_passwords(desired)
    state = await asyncio.to_thread(read_state)
    if state is not None:
        state = replace(state, users=frozenset(user.name for user in desired.users))
    plans = await plan_successors(desired, state)
    users = [declare_slots(user, plans) for user in desired.users]
    progress = RunProgress(sum(len(user.credentials) for user in users), show_progress)
    run = _Run(desired.account, state, passwords, progress, find_orphans(desired.users, state), plans=plans)
    if run.orphans and not is_dry_run():  # the engine would be about to delete users
        raise pulumi.RunError("\n".join(map(str, sorted(run.orphans))))
    created = [user for user in desired.users if user.iam_user is not None]
    return await _check_users(run, created) if created else run


async def _check_users(run: _Run, created: Sequence[DesiredUser]) -> _Run:
    """Return the facts of the run with those about the users that the program creates or imports by pulumi-aws."""
    version = find_plugin_version(min(user.iam_user.location for user in created if user.iam_user is not None))
    of_state = None if run.state is None else run.state.account
    await require_account({account for account in (run.account, of_state) if account}, version)
    new = [user for user in created if run.is_new(user.name)]
    rejections = await find_rejections(new, version) if is_dry_run() and run.state is not None else {}
    return replace(run, plugin_version=version, rejected_users=rejections)


def _file(user: DesiredUser) -> str:
    return user.location.file


@dataclass(frozen=True)
class _Run:
    """The facts of the run that every resource needs.

    Attributes:
        account: the account of the specs.
        state: the stack's state, None if it cannot be read.
        passwords: passwords to import, by resource name.
        progress: the progress of the run.
        orphans: IAM users for which the whole run is rejected.
        plans: the plans of credentials with successors, by declared name.
        plugin_version: the version of pulumi-aws, empty if the program creates no user.
        rejected_users: IAM users that cannot be created or imported, by name; in a preview only.
    """

    account: str | None
    state: StackState | None
    passwords: Mapping[str, str] = field(repr=False)
    progress: RunProgress
    orphans: Sequence[RejectedResource]
    plans: Mapping[str, SlotPlan] = field(default_factory=dict)
    plugin_version: str = ""
    rejected_users: Mapping[str, RejectedResource] = field(default_factory=dict)

    def is_new(self, user: str) -> bool:
        """Return True if the state does not have this IAM user, or could not be read."""
        return self.state is None or user not in self.state.iam_users


async def _register_file(
    file: str, users: Sequence[DesiredUser], run: Awaitable[_Run], parent: str
) -> list[RegisteredResource]:
    """Register the component of a spec file, then all resources below it at once."""
    component = (await _send_registration(spec_file_request(file, parent))).urn
    facts = await run
    users = [declare_slots(user, facts.plans) for user in users]
    watchers = _list_watchers(file, users, facts, component)
    resources = await asyncio.gather(
        *(_register_user(user, facts, component) for user in users), _register_all(watchers, facts.progress)
    )
    await send(find_monitor().RegisterResourceOutputs, RegisterResourceOutputsRequest(urn=component))
    return [resource for each in resources for resource in each]


async def _register_user(user: DesiredUser, run: _Run, parent: str) -> list[RegisteredResource]:
    """Register the IAM user, if the specs declare it, and then all resources of the user at once."""
    requests = list(_list_credentials(user, run, parent))
    resources: list[RegisteredResource] = []
    if user.iam_user is not None:
        version, is_new = run.plugin_version, run.is_new(user.name) and user.name not in run.rejected_users
        request = iam_user_request(user.name, user.iam_user, version=version, is_new=is_new, parent=parent)
        resources = [await _register_one(user.iam_user.location, request, run.progress)]
        attachments = policy_attachment_requests(user.name, user.iam_user, version=version, parent=parent)
        requests += ((user.iam_user.location, attachment) for attachment in attachments)
        for _, dependent in requests:
            depend_on(dependent, resources[0].response.urn)
    return [*resources, *await _register_all(requests, run.progress)]


async def _register_all(
    requests: Iterable[tuple[SourceLocation, RegisterResourceRequest]], progress: RunProgress
) -> list[RegisteredResource]:
    return await asyncio.gather(*(_register_one(location, request, progress) for location, request in requests))


async def _register_one(
    location: SourceLocation, request: RegisterResourceRequest, progress: RunProgress
) -> RegisteredResource:
    resource = RegisteredResource(location, request, await _send_registration(request))
    if request.type == CREDENTIAL_TYPE:
        progress.count(failed=resource.response.result == Result.FAIL)
    return resource


async def _send_registration(request: RegisterResourceRequest) -> RegisterResourceResponse:
    return await send(find_monitor().RegisterResource, request)


def _list_credentials(
    user: DesiredUser, run: _Run, parent: str
) -> Iterator[tuple[SourceLocation, RegisterResourceRequest]]:
    """Return the requests of the user's credentials, with the source locations."""
    per_service = defaultdict(list)
    for credential in user.credentials:
        per_service[credential.service].append(credential)
    for credential in user.credentials:
        declared = per_service[credential.service]
        number = max(len(declared), *(each.number for each in declared))
        password = None if credential.adopt is None else run.passwords.get(credential.resource_name)
        inputs = CredentialInputs.declare(
            credential,
            declared=number,
            account=run.account,
            password=None if password is None else wrap_rpc_secret(password),
        )
        context = credential_context(run.state, credential, declared) | users_context([user], is_preview=is_dry_run())
        context |= policy_context(run.state, credential, user.credential_policy, user.waive)
        context |= rotation_context(run.plans.get(credential.declared_name), credential, is_preview=is_dry_run())
        yield credential.location, credential_request(credential, inputs, run=context, parent=parent)


def _list_watchers(
    file: str, users: Sequence[DesiredUser], run: _Run, parent: str
) -> Iterator[tuple[SourceLocation, RegisterResourceRequest]]:
    """Return the requests of the resources that watch a spec file's users, with the source locations."""
    judged = [user for user in users if user.unmanaged is not None and user.judges_credentials]
    if judged:
        actions = {user.name: user.unmanaged for user in judged}
        context = unmanaged_context(run.state, judged) | waivers_context({user.name: user.waive for user in judged})
        properties = {"users": actions, "account": run.account, "run": context}
        location = judged[0].location
        yield location, watcher_request(UNMANAGED_CREDENTIALS_TYPE, file, location, properties, parent)
    watched = [user for user in users if user.access_keys is not None]
    if watched:
        policies = {user.name: user.access_keys.properties() for user in watched if user.access_keys is not None}
        context = users_context(watched, is_preview=is_dry_run())
        context |= waivers_context({user.name: user.waive for user in watched})
        properties = {"users": policies, "account": run.account, "run": context}
        location = watched[0].location
        yield location, watcher_request(ACCESS_KEYS_TYPE, file, location, properties, parent)
