"""A stack of specs in this process: the program's inputs and the provider's responses, without the engine."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iamcreds.aws import Account
from iamcreds.emulator.account import ACCOUNT
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.program_context import credential_context, policy_context, rotation_context, users_context
from iamcreds.pulumi_engine.stack_state import StackState
from iamcreds.pulumi_engine.successors import declare_slots, has_slots, plan_credentials
from iamcreds.resource_types import CREDENTIAL_TYPE
from iamcreds.specs import load
from iamcreds.state.providers import serialize_by_reference
from iamcreds.state.recorded import read_recorded
from tests.providers.conftest import new_process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pulumi.dynamic import CreateResult, ReadResult, UpdateResult

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.desired import DesiredCredential, DesiredUser
    from iamcreds.planning.slot_plan import SlotPlan

_PROVIDER = serialize_by_reference(
    "dynamic_providers.service_specific_credential", "ServiceSpecificCredentialProvider", 4
)


@dataclass
class Stack:
    """The specs, and the state: inputs and outputs of each credential by resource name.

    Attributes:
        specs: the folder of the specs.
        state: inputs and outputs by resource name.
        creating: the resource names of pending creates, with their inputs.
        protected: the resource names that the engine does not delete.
    """

    specs: Path
    state: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict)
    creating: dict[str, dict[str, Any]] = field(default_factory=dict)
    protected: set[str] = field(default_factory=set)

    def declare(self, text: str) -> None:
        """Replace the specs."""
        self.specs.mkdir(exist_ok=True)
        (self.specs / "users.yaml").write_text(text)

    def up(self) -> None:
        """Do as `pulumi up` does: refresh, preview, and apply; the preview must not reject anything."""
        provider = new_process()
        for name, (inputs, outputs) in list(self.state.items()):
            read = provider.read(outputs["credential_id"], outputs)
            if read.id:
                self.state[name] = inputs, _outputs(read)
            else:
                del self.state[name]
        context = self._read_state()
        declared = set()
        users, plans = self._plan_slots(context)
        for user in users:
            for wanted in user.credentials:
                plan = rotation_context(plans.get(wanted.declared_name), wanted, is_preview=False)
                news = _declare(wanted, user, context, plan)
                olds = self.state[wanted.resource_name][0] if wanted.resource_name in self.state else {}
                self._apply(provider, wanted.resource_name, _check(provider, olds, news), news)
                declared.add(wanted.resource_name)
        for name in sorted(self.state.keys() - declared):
            assert name not in self.protected
            outputs = self.state.pop(name)[1]
            provider.delete(outputs["credential_id"], outputs)

    def _plan_slots(self, state: StackState) -> tuple[list[DesiredUser], Mapping[str, SlotPlan]]:
        """Return the declared users with both slots of their credentials with successors, and the plans of these."""
        users, account = load(self.specs, allow_empty=True).users, Account()
        renewed = [each for user in users for each in user.credentials if has_slots(each, state)]
        account.id()  # the first response shows server time
        plans = plan_credentials(account, renewed, state, account.clock.now(), lambda _: None)
        return [declare_slots(user, plans) for user in users], plans

    def _apply(
        self, provider: ServiceSpecificCredentialProvider, name: str, inputs: dict[str, Any], news: dict[str, Any]
    ) -> None:  # fmt: skip
        outputs = self.state[name][1] if name in self.state else None
        if outputs is None:
            self.state[name] = inputs, _outputs(provider.create(inputs))
            return
        credential_id = outputs["credential_id"]
        diff = provider.diff(credential_id, outputs, inputs)
        if diff.replaces:
            assert name not in self.protected
            inputs = _check(provider, {}, news)
            created = None if diff.delete_before_replace else provider.create(inputs)
            provider.delete(credential_id, outputs)
            self.state[name] = inputs, _outputs(created or provider.create(inputs))
        elif diff.changes:
            self.state[name] = inputs, _outputs(provider.update(credential_id, outputs, inputs))

    def _read_state(self) -> StackState:
        names: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for name, (_, outputs) in self.state.items():
            names[outputs["user"], outputs["service"]][outputs["credential_id"]] = name
        recorded = {outputs["credential_id"]: read_recorded(name, outputs) for name, (_, outputs) in self.state.items()}
        return StackState(names, ACCOUNT, users=None, recorded=recorded)

    def export(self) -> str:
        """Return the output of `pulumi stack export`."""
        resources = [
            _resource(name)
            | {
                "protect": name in self.protected,
                "inputs": {"__provider": _PROVIDER},
                "outputs": {
                    key: value for key, value in outputs.items() if "password" not in key and "secret" not in key
                },
            }
            for name, (_, outputs) in self.state.items()
        ]
        operations = [
            {"type": "creating", "resource": _resource(name) | {"inputs": inputs | {"__provider": _PROVIDER}}}
            for name, inputs in self.creating.items()
        ]
        return json.dumps({"version": 3, "deployment": {"resources": resources, "pending_operations": operations}})


def _check(
    provider: ServiceSpecificCredentialProvider, olds: dict[str, Any], news: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """Return the inputs of a check that rejects nothing."""
    checked = provider.check(olds, news)
    assert not checked.failures, checked.failures
    assert "refused" not in checked.inputs, checked.inputs["refused"]
    return dict(checked.inputs)


def _outputs(result: CreateResult | ReadResult | UpdateResult) -> dict[str, Any]:
    assert result.outs is not None
    return dict(result.outs)


def _resource(name: str) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:test::iamcreds::{CREDENTIAL_TYPE}::{name}", "type": CREDENTIAL_TYPE}


def _declare(
    wanted: DesiredCredential, user: DesiredUser, state: StackState, plan: Mapping[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """Return the properties that the program sends in a preview; `plan` is the run context of a rotation."""
    group = [sibling for sibling in user.credentials if sibling.service == wanted.service]
    inputs = CredentialInputs.declare(wanted, declared=max(len(group), wanted.number), account=None)
    context = credential_context(state, wanted, group) | users_context([user], is_preview=True)
    context |= policy_context(state, wanted, user.credential_policy, user.waive)
    return inputs.properties() | {"run": {**context, **plan}}
