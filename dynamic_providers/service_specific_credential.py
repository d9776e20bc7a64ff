"""`ServiceSpecificCredential`: one IAM service-specific credential as a Pulumi resource."""

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from dynamic_providers.credential_inputs import CredentialInputs, find_failures
from dynamic_providers.credential_state import (
    SECRETS,
    declared_inputs,
    record_inputs,
    record_live,
    record_secret,
    recorded_live,
)
from dynamic_providers.properties import credential_properties
from dynamic_providers.provider import ACCOUNT_WIDE, Provider, is_told_first, warn
from dynamic_providers.recorded import read_state, run_message
from dynamic_providers.resource import Resource
from dynamic_providers.run import Message, Refuse, Run
from dynamic_providers.situation import find_leaving, foresee, is_full, observe
from dynamic_providers.unknowns import is_known
from iamcreds.decision import Adopt, Create, MissingUser, Refusal, decide
from iamcreds.errors import ExistingCredentialError, NoSuchCredentialError
from iamcreds.model import Credential, IssuedCredential, Status
from iamcreds.refusals import sentence
from iamcreds.services import Family, service_family, service_name

_REPLACING = ("user", "service", "age_days")
_ALWAYS = ("credential_id", "status", "create_date")
_OF_FAMILY = {
    Family.PASSWORD: ("service_user_name", "service_password"),
    Family.API_KEY: ("service_credential_alias", "service_credential_secret"),
}
_SWITCHED_OFF = (
    "somebody switched off {service} credential {id} of user {user}, and off it stays:"
    " switch it on in IAM, or declare `status: Active`"
)
_YOUNG = (
    "{service} credential {id} of user {user} is less than a minute old, and IAM's lists do not show it as it was made"
    " yet: it is kept as recorded"
)


class ServiceSpecificCredential(Resource, module="iam", name="ServiceSpecificCredential"):
    """A service-specific credential of an IAM user.

    Args:
        resource_name: the Pulumi name.
        user: the IAM user's name; another one replaces the credential.
        service: `codecommit`, `keyspaces`, `bedrock`, `logs` or a full name such as `logs.amazonaws.com`; another one
            replaces the credential.
        status: `Active` or `Inactive` is enforced. Without it the credential is created active, and a later
            switch-off by a human stays and is warned of.
        reset: any text; another value than before gives the credential a new password.
        age_days: days until it expires, 1 to 36600, None for never; another value replaces the credential.
        existing: what to do about a live credential that no resource has: `fail`, the default, refuses to create
            beside it, and `adopt` takes it over by Reset, previewed as the input `adopts` with its id.
        declared: how many credentials of this user and service the program declares, 1 (the default) or 2.
        account: 12 digits; refuse to act in any other account.
        opts: as for every resource.
    """

    if TYPE_CHECKING:  # for type checkers and readers alone: the SDK would evaluate it all for every single instance
        credential_id: pulumi.Output[str]
        """IAM's id, `ACCA…`."""
        service_user_name: pulumi.Output[str | None]
        """The user name to sign in with; None of an API key."""
        service_password: pulumi.Output[str | None]
        """The password, a Pulumi secret; None of an API key."""
        service_credential_alias: pulumi.Output[str | None]
        """The public part of an API key; None of a password."""
        service_credential_secret: pulumi.Output[str | None]
        """The API key, a Pulumi secret; None of a password."""
        status: pulumi.Output[str]
        """The live status: `Active`, `Inactive` or `Expired`."""
        create_date: pulumi.Output[str]
        """When it was created, ISO 8601."""
        expiration_date: pulumi.Output[str | None]
        """When it expires, ISO 8601; None for never."""

    def __init__(  # noqa: PLR0913 - as many as a credential has properties
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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = CredentialInputs(user, service, status, reset, age_days, existing, declared, account)
        properties = credential_properties(inputs, run_message(read_state(), resource_name, user, service))
        # ResourceOptions.merge would do as well, but makes half a dozen outputs of its own each time.
        options = copy.copy(opts) if opts else pulumi.ResourceOptions()
        options.additional_secret_outputs = [*(options.additional_secret_outputs or ()), *SECRETS]
        outputs = dict.fromkeys(_outputs(service, age_days))
        super().__init__(ServiceSpecificCredentialProvider(), resource_name, outputs | properties, options)

    def __getattr__(self, name: str) -> pulumi.Output[None]:
        """None for an output that a credential of this service, or one without an age, has not."""
        if name in ("expiration_date", *_OF_FAMILY[Family.PASSWORD], *_OF_FAMILY[Family.API_KEY]):
            return pulumi.Output.from_input(None)
        raise AttributeError(f"ServiceSpecificCredential has no {name}")


def _outputs(service: pulumi.Input[str], age_days: pulumi.Input[int] | None) -> tuple[str, ...]:
    """The outputs a credential can have; only these, for the SDK pays for each with the number of all of them."""
    family = service_family(service_name(service)) if isinstance(service, str) else None
    families = [family] if family else list(Family)
    expiry = () if age_days is None else ("expiration_date",)
    return (*_ALWAYS, *expiry, *(name for one in families for name in _OF_FAMILY[one]))


class ServiceSpecificCredentialProvider(Provider):
    """Makes one live credential what its inputs say. The class and module name are persisted in every state."""

    def configure(self, req: ConfigureRequest) -> None:
        """Start a process that knows nothing of the run; what it learns is never pickled."""
        super().configure(req)
        self._run = Run()

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> CheckResult:
        """Refuse what IAM would refuse, any other account, and a credential that could not be created."""
        message = Message.read(news)
        inputs = CredentialInputs.read(news)
        found = [*find_failures(inputs), *self.account_failures(inputs.account, message.account)]
        if found or not is_known([inputs.user, inputs.service]):
            return CheckResult(inputs.properties(), found)
        self._run.hear(inputs.user, inputs.service, message)
        if olds:  # it is in the state already; where it is to be replaced, another check without them follows
            return CheckResult(inputs.properties(), [])
        return self._check_create(inputs, message)

    def _check_create(self, inputs: CredentialInputs, message: Message) -> CheckResult:
        decision = decide(inputs.wanted(), foresee(self.account, self._run, inputs, message))
        resource = message.resource or f"{id(inputs)}"
        match decision:
            case Create():
                self._run.plan(inputs.user, inputs.service, resource, None)
                return CheckResult(inputs.properties(), [])
            case Adopt(live):
                self._run.plan(inputs.user, inputs.service, resource, live.id)
                return CheckResult(inputs.properties() | {"adopts": live.id}, [])
            case MissingUser() if message.refuse is Refuse.CHECK:
                # Another program may make the user in the same run.
                warn(sentence(decision, inputs.wanted(), self.account.now()))
                return CheckResult(inputs.properties(), [])
        return self._refuse(decision, inputs, message)

    def _refuse(self, refusal: Refusal, inputs: CredentialInputs, message: Message) -> CheckResult:
        reason = sentence(refusal, inputs.wanted(), self.account.now())
        is_replacement = bool(find_leaving(self.account, self._run, inputs, message))
        if message.refuse is Refuse.PREVIEW:
            return CheckResult(inputs.properties() | {"refused": [reason]}, [])
        if message.refuse is Refuse.CREATE and not is_replacement:
            return CheckResult(inputs.properties(), [])  # create will refuse it
        return CheckResult(inputs.properties(), [CheckFailure("", reason)])

    def diff(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        """Another user, service or age replaces, and so does expiry; a declared status or reset updates."""
        self._run.own(credential_id)
        self.account.require_account(olds.get("account_id"), "this state is of")
        inputs = CredentialInputs.read(news)
        if olds.get("status") == Status.INACTIVE and inputs.status is None:
            warn(_SWITCHED_OFF.format(id=credential_id, **olds))
        replaces = [name for name in _REPLACING if olds.get(name) != getattr(inputs, name)]
        if olds.get("status") == Status.EXPIRED:
            replaces.append("status")
        if replaces:
            self._run.replace(credential_id)
        declared = (olds.get("desired_status"), olds.get("reset")) != (inputs.status, inputs.reset)
        return DiffResult(
            changes=bool(replaces) or declared or inputs.status not in (None, olds.get("status")),
            replaces=replaces,
            delete_before_replace=self._needs_its_place(olds, inputs),
        )

    def _needs_its_place(self, olds: Mapping[str, Any], inputs: CredentialInputs) -> bool:
        """Whether a replacement, ours or one that somebody asked the engine for, needs the place of the old one."""
        same = (olds.get("user"), olds.get("service")) == (inputs.user, inputs.service)
        return same and is_full(self.account, inputs)

    def create(self, props: Mapping[str, Any]) -> CreateResult:
        """Create the credential, or adopt the one that the preview has shown; all of it or nothing.

        Raises:
            ExistingCredentialError: what is live is in the way.
            AccountError: as AWS answers; what had been made by then is deleted again.
        """
        inputs = CredentialInputs.read(props)
        adopts = props.get("adopts")
        self.account.require_account(inputs.account, "the specs are for")
        match decide(inputs.wanted(), observe(self.account, self._run, inputs, adopts)):
            case Create():
                issued = self.account.issue(inputs.user, inputs.service, inputs.age_days, inputs.target)
            case Adopt(live) if live.id == adopts:
                issued = self._adopt(live, inputs)
            case Adopt(live):
                raise ExistingCredentialError(
                    f"credential {live.id} of user {live.user} has come since the preview: repeat, to adopt it"
                )
            case refusal:
                raise ExistingCredentialError(sentence(refusal, inputs.wanted(), self.account.now()))
        live = issued.credential
        self._run.finish(inputs.user, inputs.service, adopts, live.id)
        outputs = record_inputs(inputs) | record_live(live) | record_secret(issued)
        return CreateResult(live.id, outputs | {"account_id": self.account.id()})

    def _adopt(self, live: Credential, inputs: CredentialInputs) -> IssuedCredential:
        issued = self.account.change(live.user, live.id, status=inputs.target, reset=True)
        assert issued is not None  # noqa: S101 - it was asked for
        return issued

    def read(self, id_: str, props: Mapping[str, Any]) -> ReadResult:
        """What is live now; gone only when lists that cannot lag any more lack it. The secret is carried over."""
        self._run.own(id_)
        try:
            live = self._find(id_, props)
        except ACCOUNT_WIDE as error:
            if is_told_first(error):
                raise
            return ReadResult(id_, dict(props), declared_inputs(props))  # the run ends by what was told already
        is_young = self.account.is_young(datetime.fromisoformat(props["create_date"]))
        if live is None and not is_young:
            return ReadResult(None, {})
        if live is None or (is_young and live.status != props.get("status")):
            warn(_YOUNG.format(id=id_, **props))
            return ReadResult(id_, dict(props), declared_inputs(props))
        outs = dict(props) | record_live(live)
        return ReadResult(id_, outs, declared_inputs(outs))

    def _find(self, credential_id: str, props: Mapping[str, Any]) -> Credential | None:
        self.account.require_account(props.get("account_id"), "this state is of")
        return self.account.find_credential(props["user"], credential_id)

    def update(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> UpdateResult:
        """Switch and reset, in an order in which no old password comes to life again; repeating it converges.

        A declared status is sent where it or what is recorded changes, whatever lists say, for they may lag.

        Raises:
            NoSuchCredentialError: it was deleted behind our back.
            AccountError: as AWS answers; the state stays as it was, and the next run does all of it again.
        """
        inputs = CredentialInputs.read(news)
        live = self._find(credential_id, olds)
        status = inputs.target
        known = {olds.get("desired_status"), olds["status"], status if live is None else live.status.value}
        try:
            issued = self.account.change(
                olds["user"] if live is None else live.user,
                credential_id,
                status=None if known == {inputs.status} else status,
                reset=inputs.reset is not None and inputs.reset != olds.get("reset"),
            )
        except NoSuchCredentialError as error:
            raise NoSuchCredentialError(f"{error}: it is gone; run with --refresh") from error
        now_live = recorded_live(olds) if live is None else record_live(live)
        now_status = {} if status is None else {"status": status.value}
        kept = {name: olds[name] for name in (*SECRETS, "account_id") if name in olds}
        secret = {} if issued is None else record_secret(issued)
        return UpdateResult(record_inputs(inputs) | now_live | now_status | kept | secret)

    def delete(self, credential_id: str, props: Mapping[str, Any]) -> None:
        """Delete it, also under a new name of its user; one that is gone already counts as deleted.

        Raises:
            AccountError: as AWS answers.
        """
        self.account.require_account(props.get("account_id"), "this state is of")
        self.account.delete(props["user"], credential_id)
