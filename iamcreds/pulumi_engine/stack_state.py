"""The part of the stack's state that the program can read.

A provider cannot read it. The engine's function `readStackResourceOutputs`, which stack references use, returns the
whole state, also in a run narrowed by `--target` or `--refresh=false`. It omits old copies that wait for deletion.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct, Value
from pulumi.runtime.proto.resource_pb2 import ResourceInvokeRequest
from pulumi.runtime.proto.resource_pb2_grpc import ResourceMonitorStub
from pulumi.runtime.settings import get_monitor

from iamcreds.errors import StateError
from iamcreds.resource_types import CREDENTIAL_TYPE, IAM_USER_TYPE, urn_name
from iamcreds.services import SECRET_OUTPUTS, service_name
from iamcreds.state.recorded import OUTPUTS, read_recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.desired import DesiredCredential
    from iamcreds.model import RecordedCredential

_READ_STATE = "pulumi:pulumi:readStackResourceOutputs"
_PAUSES = (0.0, 0.1, 0.5)
"""Seconds before each attempt to read the state: the first one failed in one of some 1,800 runs on a busy machine."""

_TWINS = (
    "{name}: the state has {count} credentials with this name, {ids}, so the current one is unknown. Give one a"
    " different name in the program, with an alias that keeps it"
)
_UNREADABLE = (
    "{name}: the state has properties of credential {ids} that are not valid. Correct them with `pulumi stack export`"
    " and `pulumi stack import`"
)


@dataclass(frozen=True)
class StackState:
    """The credentials and the IAM users in the stack's state.

    Attributes:
        names: resource names by credential id, by user and service.
        account: the account of the credentials, 12 digits; None if there are none.
        users: the users that the program declares, None unless all of them are known.
        iam_users: the IAM users that the stack created.
        newest: creation date (ISO 8601) of the newest credential of each service.
        recorded: the credentials by id, without those whose outputs a program has made secret.
    """

    names: Mapping[tuple[str, str], Mapping[str, str]]
    account: str | None
    users: frozenset[str] | None = None
    iam_users: frozenset[str] = frozenset()
    newest: Mapping[str, str] = field(default_factory=dict)
    recorded: Mapping[str, RecordedCredential] = field(default_factory=dict)

    def describe(self, resource_name: str, user: object, service: object) -> dict[str, Any]:
        """Return the part of a run context about the credentials of a user and a service (name or alias).

        The service becomes a full name. `owned` has resource names by id: of this user and service, of the resource
        itself, and of this service's users that the program does not declare. IAM may have renamed such a user since
        the state was written. `strays` has the undeclared users by id. `of_user` has the ids that the state has
        under this user's name. `newest` is the creation date of the service's newest credential, unless specs declare
        the users. A user or service that is not text, which check rejects, has none of them.
        """
        if not (isinstance(user, str) and isinstance(service, str)):
            return {"user": None, "service": None, "owned": {}, "of_user": [], "newest": None}
        full = service_name(service)
        of_user = self.names.get((user, full), {})
        strays = self._strays.get(full, {})
        owned = {**{key: self.every[key] for key in strays}, **self.own(resource_name), **of_user}
        # Specs name the user in a resource's name, so only other programs move a resource to a different user.
        newest = {"newest": self.newest.get(full)} if self.users is None else {}
        return {"user": user, "service": full, "owned": owned, "of_user": sorted(of_user), **newest} | (
            {"strays": strays} if strays else {}
        )

    def own(self, *resource_names: str) -> dict[str, str]:
        """Return the credentials of these resources: resource names by id."""
        owned = (self._by_name.get(name, {}) for name in resource_names)
        return dict(pair for ids in owned if len(ids) == 1 for pair in ids.items())

    def is_deactivated(self, *resource_names: str) -> bool:
        """Return True if the state shows that the credential with one of these names was deactivated manually."""
        recorded = next((found for name in resource_names if (found := self.find(name)) is not None), None)
        return recorded is not None and recorded.was_deactivated

    def find(self, resource_name: str) -> RecordedCredential | None:
        """Return the credential of a resource, None if the state does not have it or two resources have the name."""
        return next((self.recorded[key] for key in self.own(resource_name) if key in self.recorded), None)

    def has(self, resource_name: str) -> bool:
        """Return True if the state has a credential with this resource name, even if it cannot be read."""
        return resource_name in self._by_name

    def read(self, resource_name: str) -> RecordedCredential:
        """Return the credential of a resource that the state has.

        Raises:
            StateError: two resources have the name, or the outputs are not those of a credential.
        """
        recorded = self.find(resource_name)
        if recorded is not None:
            return recorded
        ids = sorted(self._by_name[resource_name])
        message = _UNREADABLE if len(ids) == 1 else _TWINS
        raise StateError(message.format(name=resource_name, count=len(ids), ids=" and ".join(ids)))

    def find_name(self, credential: DesiredCredential) -> str:
        """Return the name of its resource in the state, which may be a former one; else the declared name."""
        candidates = (credential.resource_name, *credential.former_resource_names)
        return next((name for name in candidates if name in self._resources), credential.resource_name)

    @functools.cached_property
    def every(self) -> Mapping[str, str]:
        """Return the resource names of all credentials, by id."""
        return dict(pair for names in self.names.values() for pair in names.items())

    @functools.cached_property
    def _resources(self) -> frozenset[str]:
        return frozenset(self.every.values())

    @functools.cached_property
    def _strays(self) -> Mapping[str, Mapping[str, str]]:
        strays: dict[str, dict[str, str]] = defaultdict(dict)
        for (user, service), names in self.names.items():
            if self.users is not None and user not in self.users:
                strays[service].update(dict.fromkeys(names, user))
        return strays

    @functools.cached_property
    def _by_name(self) -> Mapping[str, Mapping[str, str]]:
        """Return the credentials of each resource name; resources with different parents may have one name."""
        by_name: dict[str, dict[str, str]] = defaultdict(dict)
        for credential_id, name in self.every.items():
            by_name[name][credential_id] = name
        return by_name


def read_state() -> StackState | None:
    """Return the stack's state, None if the engine cannot return it, as under Pulumi's mocks."""
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    return _read_state(get_monitor(), stack) if has_engine() else None


def has_engine() -> bool:
    """Return False under Pulumi's mocks, which have no state."""
    return isinstance(get_monitor(), ResourceMonitorStub)


@functools.lru_cache(maxsize=8)  # one request per program; Pulumi's automation API may run several in one process
def _read_state(monitor: ResourceMonitorStub, stack: str) -> StackState | None:
    response = _request_state(monitor, stack)
    if response is None:
        return None
    names: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    newest: dict[str, str] = {}
    recorded: dict[str, RecordedCredential] = {}
    accounts = set()
    resources = getattr(response, "return").fields["outputs"].struct_value.fields
    for name, outputs in _select(CREDENTIAL_TYPE, resources):
        user, service, credential_id, account = (
            _text(outputs[key]) for key in ("user", "service", "credential_id", "account_id")
        )
        names[user, service][credential_id] = name
        newest[service] = max(newest.get(service, ""), _text(outputs["create_date"]))
        accounts.add(account)
        with suppress(StateError, LookupError, TypeError, ValueError):
            recorded[credential_id] = read_recorded(name, {key: _read_output(key, outputs) for key in OUTPUTS})
    iam_users = frozenset(_text(outputs["name"]) for _, outputs in _select(IAM_USER_TYPE, resources))
    of_all = min(accounts - {""}, default=None)
    return StackState(names, of_all, iam_users=iam_users, newest=newest, recorded=recorded)


def _request_state(monitor: ResourceMonitorStub, stack: str) -> Any:  # noqa: ANN401 - generated code has no types
    """Return the engine's response, None if it fails: it reads the backend, which it writes to at the same time."""
    arguments = Struct()
    arguments.update({"stackName": stack})
    for pause in _PAUSES:
        time.sleep(pause)
        try:
            return monitor.Invoke(ResourceInvokeRequest(tok=_READ_STATE, args=arguments))
        except grpc.RpcError as error:
            pulumi.log.debug(f"the state of {stack} cannot be read: {error.code()}")
    return None


def _select(type_: str, resources: Mapping[str, Value]) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """Yield the resource name and outputs of each resource of a type. The response has the whole state with secrets."""
    for urn, resource in resources.items():
        fields = resource.struct_value.fields
        if fields["type"].string_value == type_:
            yield urn_name(urn), fields["outputs"].struct_value.fields


def _read_output(name: str, outputs: Mapping[str, Value]) -> Any:  # noqa: ANN401 - a value of JSON
    """Return an output; True for a secret, which is not read."""
    return (name in outputs or None) if name in SECRET_OUTPUTS.values() else _plain(outputs[name])


def _plain(value: Value) -> Any:  # noqa: ANN401 - a value of JSON
    """Return a text, number, truth value or mapping; None for any other value, and for an absent one."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value" and "value" not in value.struct_value.fields:  # `_text` would add it
        return MessageToDict(value.struct_value)
    return getattr(value, kind) if kind in ("string_value", "number_value", "bool_value") else _text(value) or None


def _text(value: Value) -> str:
    """Return a text; the engine wraps one that a program marked as secret."""
    fields = value.struct_value.fields
    # To read an absent field by its key would add it to the message.
    return value.string_value or (fields["value"].string_value if "value" in fields else "")
