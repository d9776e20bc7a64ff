"""`ServiceSpecificCredential`: one IAM service-specific credential as a Pulumi resource."""

import copy
import functools
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import pulumi
from pulumi.runtime.settings import get_monitor

from dynamic_providers.program_names import former_names, require_current_slot, require_quota, reserve_name
from dynamic_providers.program_options import read_options
from dynamic_providers.resource import Resource
from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from iamcreds.pulumi_engine.inputs import CredentialInputs
from iamcreds.pulumi_engine.outputs import SECRETS
from iamcreds.pulumi_engine.program_context import state_context
from iamcreds.pulumi_engine.run_context import on_rejection
from iamcreds.pulumi_engine.stack_state import StackState, read_state
from iamcreds.resource_types import CREDENTIAL_TYPE, SPEC_FILE_TYPE
from iamcreds.services import LOGIN_OUTPUTS, MAX_PER_SERVICE, SECRET_OUTPUTS, Family, service_family, service_name

_ALWAYS = ("account_id", "credential_id", "status", "create_date", "issued_at")
_OF_FAMILY = {family: (LOGIN_OUTPUTS[family], SECRET_OUTPUTS[family]) for family in Family}


class ServiceSpecificCredential(Resource, module="iam", name="ServiceSpecificCredential"):
    """A service-specific credential of an IAM user.

    Args:
        resource_name: the Pulumi name.
        user: the IAM user's name; a change replaces the credential.
        service: `codecommit`, `keyspaces`, `bedrock`, `logs` or a full name such as `logs.amazonaws.com`; a change
            replaces the credential.
        status: `Active` or `Inactive` is enforced. Without it, the credential is created Active, and a later manual
            deactivation stays, with a warning in each run.
        reset: any text; a change resets the password.
        age_days: days until the credential expires, 1 to 36600, None for never; a change replaces the credential.
        existing: the behavior if an unmanaged credential exists: `fail` (default) rejects the create, and `adopt`
            resets and manages it. The preview shows its id as the input `adopts`.
        declared: number of credentials of this user and service that the program declares, 1 (default) or 2.
        account: 12 digits; the resource rejects any other account.
        adopt: the id of an existing credential to import unchanged, shown as the input `adopts`. Only the first create
            of the resource reads it. Without a `reset` or a `password`, the password stays unknown, and its output is
            None.
        password: the password or API key of the imported credential; it becomes a Pulumi secret.
        deliver: the secret store of the password or API key, which is then not in the state:
            `{"secrets_manager": {"name": "codecommit/{user}"}}` or `{"ssm": {"name": "/codecommit/{user}"}}`. Further
            keys of a store are `region`, `kms_key_id`, `tags`, `resource_policy` (`"user"`, Secrets Manager only) and
            `delete_secret`; `"keep_in_state": True` keeps the secret in the state, too.
        opts: resource options.

    Raises:
        pulumi.RunError: the program has already used the resource name, even below a different parent.
    """

    if TYPE_CHECKING:  # for type checkers and readers only: the SDK would evaluate the annotations for every instance
        account_id: pulumi.Output[str]
        """The account of the credential, 12 digits."""
        credential_id: pulumi.Output[str]
        """IAM's id, `ACCA…`."""
        service_user_name: pulumi.Output[str | None]
        """The user name to sign in with; None for an API key."""
        service_password: pulumi.Output[str | None]
        """The password, a Pulumi secret; None for an API key, and for a credential imported without its password."""
        service_credential_alias: pulumi.Output[str | None]
        """The public part of an API key; None for a password."""
        service_credential_secret: pulumi.Output[str | None]
        """The API key, a Pulumi secret; None for a password, and for a credential imported without its key."""
        status: pulumi.Output[str]
        """The actual status: `Active`, `Inactive` or `Expired`."""
        create_date: pulumi.Output[str]
        """The creation date in ISO 8601."""
        issued_at: pulumi.Output[str | None]
        """The time of the last create or reset in ISO 8601; None after an import, and in an older state."""
        expiration_date: pulumi.Output[str | None]
        """The expiration date in ISO 8601; None for never."""
        delivery: pulumi.Output[Mapping[str, str] | None]
        """ARN and version of the delivered secret; None without `deliver`."""

    def __init__(  # noqa: PLR0913 - one per property of a credential
        self,
        resource_name: str,
        *,
        user: pulumi.Input[str],
        service: pulumi.Input[str],
        status: pulumi.Input[str] | None = None,
        reset: pulumi.Input[str] | None = None,
        age_days: pulumi.Input[int] | None = None,
        existing: pulumi.Input[str] | None = None,
        declared: pulumi.Input[int] | None = None,
        account: pulumi.Input[str] | None = None,
        adopt: pulumi.Input[str] | None = None,
        password: pulumi.Input[str] | None = None,
        deliver: pulumi.Input[Mapping[str, Any]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        reserve_name(resource_name)
        secret = None if password is None else pulumi.Output.secret(password)
        inputs = CredentialInputs(user, service, status, reset, age_days, existing, declared, account, adopt, secret)
        inputs = replace(inputs, deliver=deliver)
        require_current_slot(read_state(), resource_name, former_names(opts))
        self._register(resource_name, inputs, opts, {})

    @classmethod
    def declare_slot(
        cls,
        resource_name: str,
        inputs: CredentialInputs,
        opts: pulumi.ResourceOptions | None,
        context: Mapping[str, Any],
    ) -> Self:
        """Declare a slot of a rotating credential: for `rotating_credential` only.

        Args:
            resource_name: the Pulumi name, which is already reserved.
            inputs: the planned inputs.
            opts: resource options.
            context: the part of the run context that only a slot has.
        """
        slot = cls.__new__(cls)
        slot._register(resource_name, inputs, opts, context)  # noqa: SLF001 - its own class
        return slot

    def _register(
        self,
        resource_name: str,
        inputs: CredentialInputs,
        opts: pulumi.ResourceOptions | None,
        slot_context: Mapping[str, Any],
    ) -> None:
        # ResourceOptions.merge would work as well, but creates half a dozen outputs each time.
        options = copy.copy(opts) if opts else pulumi.ResourceOptions()
        options.additional_secret_outputs = [*(options.additional_secret_outputs or ()), *SECRETS]
        if options.parent is None:
            options.aliases = [*(options.aliases or ()), _urn_below_a_spec_file(resource_name)]
        may_be_two = inputs.declared == MAX_PER_SERVICE or not isinstance(inputs.declared, int | None)
        if may_be_two and options.delete_before_replace is None:
            options.delete_before_replace = True  # as the YAML program, and for the same reason
        state = read_state()
        former = former_names(opts)
        context = state_context(state, resource_name, inputs.user, inputs.service, former)
        context |= _describe_group(state, resource_name, inputs, former)
        require_quota(context.get("group", {}))
        context |= {"options": read_options(options).properties(), "on_rejection": on_rejection(), **slot_context}
        if isinstance(inputs.user, pulumi.Output):
            context["created_users"] = pulumi.Output.from_input(_list_created(inputs.user))
        may_expire = inputs.age_days is not None or inputs.adopt is not None
        outputs = dict.fromkeys(_outputs(inputs.service, may_expire=may_expire))
        outputs |= {} if inputs.deliver is None else {"delivery": None}
        properties = outputs | inputs.properties() | {"run": context}
        super().__init__(ServiceSpecificCredentialProvider(), resource_name, properties, options)

    def __getattr__(self, name: str) -> pulumi.Output[None]:
        """Return None for an output that this credential does not have: of a different service, or without an age."""
        if name in ("expiration_date", "delivery", *_OF_FAMILY[Family.PASSWORD], *_OF_FAMILY[Family.API_KEY]):
            return pulumi.Output.from_input(None)
        raise AttributeError(f"ServiceSpecificCredential has no attribute {name}")


def _urn_below_a_spec_file(resource_name: str) -> str:
    """Return the URN that the credential has if specs declare it: an alias for a program that replaces specs."""
    stack = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}"
    return f"{stack}::{SPEC_FILE_TYPE}${CREDENTIAL_TYPE}::{resource_name}"


async def _list_created(user: pulumi.Output[str]) -> list[pulumi.Output[str]]:
    """Return the user if its name is an output of a resource, which may create the user in this run.

    A stack reference, or a function such as `get_user`, creates nothing.
    """
    resources = await user.resources()
    return [user] if any(not isinstance(resource, pulumi.StackReference) for resource in resources) else []


def _describe_group(
    state: StackState | None, resource_name: str, inputs: CredentialInputs, former: list[str]
) -> dict[str, Any]:
    """Return the declared credentials of the same user and service, their former names, and their ids in the state.

    All of them share these objects, which the SDK sends when the program has completed. So the plan of the provider
    does not depend on the order of requests. They have the same name or output for their user.
    """
    if not (isinstance(inputs.user, str | pulumi.Output) and isinstance(inputs.service, str)):
        return {}
    shared = _groups(get_monitor())[inputs.user, service_name(inputs.service)]
    shared["group"][resource_name] = inputs.in_group()
    shared["renamed"].update(dict.fromkeys(former, resource_name))
    if state is not None:  # by name, because IAM may have renamed the user since the state was written
        shared["owned_by_group"].update(state.own(resource_name, *former))
    return shared


@functools.lru_cache(maxsize=8)  # Pulumi's automation API may run several programs in one process
def _groups(_monitor: object) -> dict[tuple[object, object], dict[str, Any]]:
    return defaultdict(lambda: {"group": {}, "renamed": {}, "owned_by_group": {}})


def _outputs(service: pulumi.Input[str], *, may_expire: bool) -> tuple[str, ...]:
    """Return the outputs that a credential can have; only these, because the SDK's time grows with their square."""
    family = service_family(service_name(service)) if isinstance(service, str) else None
    families = [family] if family else list(Family)
    expiry = ("expiration_date",) if may_expire else ()
    return (*_ALWAYS, *expiry, *(name for family in families for name in _OF_FAMILY[family]))
