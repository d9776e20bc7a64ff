"""`ServiceSpecificCredential`: one IAM service-specific credential as a Pulumi resource."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import (
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from dynamic_providers.credential_inputs import failures, normal
from dynamic_providers.credential_state import INPUTS, SECRETS, recorded, secret, seen_live
from dynamic_providers.resource import Provider, Resource, known, warn
from iamcreds.errors import AccountError, ExistingCredentialError, NoSuchCredentialError
from iamcreds.model import Credential, Status
from iamcreds.services import MAX_PER_SERVICE, Family, service_family, service_name

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
        existing: `fail`, the default: do not create when a live credential that nobody declared is in the way.
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
        inputs = zip(INPUTS, (user, service, status, reset, age_days, existing, declared, account), strict=True)
        given = {name: value for name, value in inputs if value is not None}
        # ResourceOptions.merge would do as well, but makes half a dozen outputs of its own each time.
        options = copy.copy(opts) if opts else pulumi.ResourceOptions()
        options.additional_secret_outputs = [*(options.additional_secret_outputs or ()), *SECRETS]
        outputs = dict.fromkeys(_outputs(service, age_days))
        super().__init__(ServiceSpecificCredentialProvider(), resource_name, outputs | given, options)

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
        """Start a process that has seen nothing; what it sees is never pickled."""
        super().configure(req)
        self._seen: set[str] = set()
        self._being_replaced: set[str] = set()

    def check(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> CheckResult:
        """Refuse inputs that IAM would refuse, and any other account; tell of a user who does not exist yet."""
        inputs = normal(news)
        found = [*failures(inputs), *self.account_failures(inputs)]
        if not found and self._is_for_a_missing_user(olds, inputs):
            missing = f"the account has no IAM user {inputs['user']}"
            warn(f"{missing}: until it has, no {inputs['service']} credential can be made there")
        return CheckResult(inputs, found)

    def _is_for_a_missing_user(self, olds: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
        """Asked only of a credential yet to be created: one that is live has a user."""
        user = inputs["user"]
        return known(user) and olds.get("user") != user and not self.account.has_user(user)

    def diff(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        """Another user, service or age replaces, and so does expiry; a declared status or reset updates."""
        self._seen.add(credential_id)
        if olds.get("status") == Status.INACTIVE and "status" not in news:
            warn(_SWITCHED_OFF.format(id=credential_id, **olds))
        replaces = [name for name in _REPLACING if olds.get(name) != news.get(name)]
        if olds.get("status") == Status.EXPIRED:
            replaces.append("status")
        if not replaces:
            declared = (olds.get("desired_status"), olds.get("reset")) != (news.get("status"), news.get("reset"))
            return DiffResult(changes=declared or news.get("status") not in (None, olds.get("status")))
        self._being_replaced.add(credential_id)
        return DiffResult(changes=True, replaces=replaces, delete_before_replace=self._is_full(olds, news))

    def _is_full(self, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        """Whether the new credential needs the place of the old one."""
        if any(olds.get(name) != news.get(name) for name in ("user", "service")):
            return False
        return len(self.account.credentials_of(olds["user"], olds["service"])) >= MAX_PER_SERVICE

    def create(self, props: Mapping[str, Any]) -> CreateResult:
        """Create the credential, unless one that nobody declared is in the way; all of it or nothing.

        Raises:
            ExistingCredentialError: as many as are declared are live already.
            AccountError: as AWS answers; what had been made by then is deleted again.
        """
        user, service = props["user"], props["service"]
        self._refuse_if_taken(user, service, int(props.get("declared", 1)))
        age_days = props.get("age_days")  # a float: the engine has no whole numbers
        issued = self.account.create(user, service, None if age_days is None else int(age_days))
        live = issued.credential
        self._seen.add(live.id)
        if props.get("status") == Status.INACTIVE:
            live = self._switched_off_or_undone(live)
        return CreateResult(
            live.id, recorded(props) | seen_live(live) | secret(issued) | {"account_id": self.account.id()}
        )

    def _refuse_if_taken(self, user: str, service: str, declared: int) -> None:
        live = [one for one in self.account.credentials_of(user, service) if one.id not in self._being_replaced]
        if len(live) >= declared:
            raise _existing(declared, [one for one in live if one.id not in self._seen] or live)

    def _switched_off_or_undone(self, live: Credential) -> Credential:
        try:
            self.account.set_status(live.user, live.id, Status.INACTIVE)
        except AccountError as error:
            raise AccountError(f"{error}; {self._undo(live)}") from error
        return replace(live, status=Status.INACTIVE)

    def _undo(self, live: Credential) -> str:
        try:
            self.account.delete(live.user, live.id)
        except AccountError as error:
            return (
                f"and the new credential could not be deleted ({error}): delete {live.id} of user {live.user} by hand"
            )
        return f"the new credential {live.id} of user {live.user} was deleted again"

    def read(self, id_: str, props: Mapping[str, Any]) -> ReadResult:
        """What is live now; gone only when a list of its user has confirmed it. The secret is carried over."""
        self.account.require_account(props.get("account_id"), "this state is of")
        self._seen.add(id_)
        live = self._find(id_, props)
        if live is None:
            return ReadResult(None, {})
        outs = dict(props) | seen_live(live)
        inputs = {name: outs[name] for name in INPUTS if name in outs}
        if "desired_status" not in outs:
            del inputs["status"]
        return ReadResult(id_, outs, inputs)

    def _find(self, credential_id: str, props: Mapping[str, Any]) -> Credential | None:
        return self.account.find_credential(props["user"], credential_id, datetime.fromisoformat(props["create_date"]))

    def update(self, credential_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> UpdateResult:
        """Switch and reset, in an order in which no old password comes to life again; repeating it converges.

        Raises:
            NoSuchCredentialError: it was deleted behind our back.
            AccountError: as AWS answers; the state stays as it was, and the next run does all of it again.
        """
        self.account.require_account(olds.get("account_id"), "this state is of")
        live = self._find(credential_id, olds)
        target = Status(news["status"]) if "status" in news else None
        if live is None:
            raise NoSuchCredentialError(
                f"credential {credential_id} of user {olds['user']} is gone: run with --refresh"
            )
        switches = target is not None and target is not live.status
        password: dict[str, Any] = {}
        if switches and target is Status.INACTIVE:
            self.account.set_status(live.user, live.id, Status.INACTIVE)
        if news.get("reset") not in (None, olds.get("reset")):
            password = secret(self.account.reset(live.user, live.id))
        if switches and target is Status.ACTIVE:
            self.account.set_status(live.user, live.id, Status.ACTIVE)
        live = replace(live, status=target or live.status)
        kept = {name: olds[name] for name in (*SECRETS, "account_id") if name in olds}
        return UpdateResult(recorded(news) | seen_live(live) | kept | password)

    def delete(self, credential_id: str, props: Mapping[str, Any]) -> None:
        """Delete it; one that is gone already counts as deleted.

        Raises:
            AccountError: as AWS answers.
        """
        self.account.require_account(props.get("account_id"), "this state is of")
        self.account.delete(props["user"], credential_id)


def _existing(declared: int, found: Sequence[Credential]) -> ExistingCredentialError:
    user, service = found[0].user, found[0].service
    named = ", ".join(f"{one.id} ({one.status}, {_age(one)})" for one in found)
    return ExistingCredentialError(
        f"user {user} has {declared} declared for {service}, and as many are live already. This stack does not know"
        f" {named}, nor its password. Three ways out: delete it (aws iam delete-service-specific-credential"
        f" --user-name {user} --service-specific-credential-id {found[0].id}); if it serves somebody, declare one more"
        " under another `name`; if this stack declared it under another name, say `was: THAT-NAME`",
    )


def _age(live: Credential) -> str:
    return f"created on {live.created:%Y-%m-%d}, {(datetime.now(UTC) - live.created).days} days ago"
