"""The provider for unmanaged credentials of declared users. Its module and class name are in every state."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckResult

from iamcreds.drift.rules.undeclared import UnmanagedCredential
from iamcreds.drift.waivers import describe_waiver, find_valid
from iamcreds.errors import NotApprovedError, RejectedError, UserDeniedError
from iamcreds.model import Status, Unmanaged
from iamcreds.pulumi_engine.provider import DECLARED_FOR, WatcherProvider, inform, warn
from iamcreds.pulumi_engine.waivers import read_waivers
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.model import Credential

_ACTION = {
    Unmanaged.REPORT: "Options: import it with `adopt: {id}`; or delete it",
    Unmanaged.DEACTIVATE: "`pulumi up` deactivates it",
    Unmanaged.DELETE: "`pulumi up` deletes it",
}
_UNPROVEN = (
    "{service} credential {id} of user {user} is unmanaged, or this stack has not deleted it yet after a replacement:"
    " it is not changed, because this run did not read the whole state"
)
_UNKNOWN = (
    "unmanaged credentials are neither reported nor changed, because this run could not read the state and does not"
    " know which credentials the stack manages"
)
_DENIED = "{error}. Unmanaged credentials of this spec file are neither reported nor changed"


class UnmanagedCredentialsProvider(WatcherProvider):
    """A provider that finds unmanaged credentials in every check, and changes only the ids in the checked inputs.

    Inputs: `users` (the treatment by user: report, deactivate, delete) and `account`. Check adds `unmanaged` (id,
    service, status and creation by user), and the ids to deactivate and to delete, `deactivates` and `deletes`.
    """

    compared = ("users", "unmanaged", "deactivates", "deletes")
    id_suffix = "unmanaged-credentials"

    def check(self, _olds: Mapping[str, Any], news: Mapping[str, Any]) -> CheckResult:
        """Find unmanaged credentials, so that every preview shows them, and the ids to deactivate and to delete."""
        inputs = {name: news[name] for name in ("users", "account") if news.get(name) is not None}
        context = news.get("run") or {}
        failures = self.account_failures(inputs.get("account"), context.get("account"))
        if failures:
            return CheckResult(inputs, failures)
        credentials = self._find_all(inputs["users"], context)
        unmanaged: dict[str, list[dict[str, str]]] = defaultdict(list)
        ids: dict[Unmanaged, list[str]] = {action: [] for action in Unmanaged}
        for credential in credentials:
            action = Unmanaged(inputs["users"][credential.user])
            self._report(credential, action, context)
            unmanaged[credential.user].append(_properties(credential))
            if action is not Unmanaged.DEACTIVATE or credential.status is Status.ACTIVE:
                ids[action].append(credential.id)
        actions = {"deactivates": ids[Unmanaged.DEACTIVATE], "deletes": ids[Unmanaged.DELETE]}
        return CheckResult(inputs | {"unmanaged": dict(unmanaged)} | actions, [])

    def _report(self, existing: Credential, action: Unmanaged, context: Mapping[str, Any]) -> None:
        """Warn of an unmanaged credential, or report its waiver; a waiver prevents no action."""
        waiver = find_valid(UnmanagedCredential.rule, read_waivers(context).get(existing.user, ()), self.now)
        if waiver is not None and action is Unmanaged.REPORT:
            inform(f"{_describe(existing)}, {describe_waiver(waiver)}")
            return
        next_step = _describe_step(existing, action, is_recent=self.account.clock.is_young(existing.created))
        warn(f"{_describe(existing)}. {next_step}")

    def _find_all(self, users: Mapping[str, str], context: Mapping[str, Any]) -> list[Credential]:
        """Return the unmanaged credentials of these users, by user, service and id; none if that is unknown."""
        if context.get("owned") is None:
            warn(_UNKNOWN)
            return []
        try:
            return sorted(self._find(users, context), key=lambda each: (each.user, each.service, each.id))
        except UserDeniedError as error:
            warn(_DENIED.format(error=error))
            return []

    def _find(self, users: Mapping[str, str], context: Mapping[str, Any]) -> Iterator[Credential]:
        """Find the unmanaged credentials of these users, except those that a resource may adopt in this run."""
        self.account.inventory.reread(())  # if an endpoint cannot list all users at once, each is listed
        owned = set(context["owned"])
        undecided = {(user, service) for user, service in context.get("undecided") or ()}
        for credential_id, (user, service) in (context.get("declared") or {}).items():
            if not self._exists(user, credential_id):  # then its resource creates or adopts one
                undecided.add((user, service))
        credentials = self.account.inventory.all()
        own: dict[tuple[str, str], list[Credential]] = defaultdict(list)
        for existing in credentials:
            if existing.id in owned:
                own[existing.user, existing.service].append(existing)
        for existing in credentials:
            if existing.user not in users or (existing.user, existing.service) in undecided:
                continue
            if existing.id in owned or self._is_own(existing):
                continue
            if self._may_be_left(existing, own[existing.user, existing.service]):
                warn(_UNPROVEN.format(user=existing.user, service=service_alias(existing.service), id=existing.id))
            else:
                yield existing

    def _exists(self, user: str, credential_id: str) -> bool:
        """Return True if the credential certainly exists; AWS may deny the read of its user."""
        try:
            return self.account.inventory.find(user, credential_id) is not None
        except UserDeniedError:
            return False

    def _is_own(self, existing: Credential) -> bool:
        """Return True if this run has read it as managed, adopts it or created it, also by a create in flight."""
        if self.session.owner(existing.id) is not None or self.account.inventory.has_written(existing.id):
            return True
        if existing.id in self.session.adopted(existing.user, existing.service):
            return True
        with self.account.create_journal.hold(existing.user, existing.service):
            return self.account.inventory.has_written(existing.id)

    def _may_be_left(self, existing: Credential, own: Iterable[Credential]) -> bool:
        """Return True if it may be a replaced copy of one of these, which the program does not see.

        If the engine requests a read of these, it requests a read of their replaced copies as well.
        """
        return any(existing.created <= one.created and not self.session.has_read(one.id) for one in own)

    def record(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Deactivate and delete the ids in the inputs; return the outputs as the next check finds them.

        Raises:
            NotApprovedError: some steps are not approved; the others are done.
            AccountError: as AWS responds; the steps before it are done, and the next run finds the rest.
        """
        self.account.require_account(inputs.get("account"), DECLARED_FOR)
        left: dict[str, list[dict[str, str]]] = {}
        rejections: list[str] = []
        for user, credentials in inputs["unmanaged"].items():
            for existing in credentials:
                try:
                    remaining = self._act_on(user, existing, inputs)
                except NotApprovedError as error:
                    rejections.append(str(error))
                    continue
                if remaining is not None:
                    left.setdefault(user, []).append(remaining)
        if rejections:
            raise NotApprovedError("\n".join(rejections))
        return {**inputs, "unmanaged": left, "deactivates": [], "deletes": []}

    def _act_on(self, user: str, existing: dict[str, str], inputs: Mapping[str, Any]) -> dict[str, str] | None:
        """Deactivate or delete one credential; return it as it is then, None if it is deleted."""
        if existing["id"] in inputs["deletes"]:
            self._prepare(user, existing)
            self.account.credentials.delete(user, existing["id"])
            return None
        if existing["id"] in inputs["deactivates"] and self._prepare(user, existing):
            self.account.credentials.change(user, existing["id"], status=Status.INACTIVE)
            return existing | {"status": Status.INACTIVE.value}
        return existing

    def _prepare(self, user: str, credential: Mapping[str, str]) -> bool:
        """Return True if the credential still exists and may be changed; plans of this run count it as it is now.

        Raises:
            RejectedError: a resource of this run adopts it, or has adopted it.
        """
        credential_id, adopted = credential["id"], self.session.adopted(user, credential["service"])
        if self.account.inventory.has_written(credential_id) or credential_id in adopted:
            raise RejectedError(
                f"credential {credential_id} of user {user} is not changed, because a resource of this run adopts it"
            )
        existing = self.account.inventory.find(user, credential_id)
        if existing is not None:
            self.session.note_change(existing)
        return existing is not None


def _describe(existing: Credential) -> str:
    state = f"{existing.status}, created {existing.created:%Y-%m-%d}"
    return f"{service_alias(existing.service)} credential {existing.id} ({state}) of user {existing.user} is unmanaged"


def _describe_step(existing: Credential, action: Unmanaged, *, is_recent: bool) -> str:
    next_step = _ACTION[action].format(id=existing.id)
    if action is Unmanaged.DEACTIVATE and existing.status is not Status.ACTIVE:
        next_step = "`pulumi up` does not change it"
    if action is Unmanaged.REPORT and existing.status is Status.EXPIRED:
        next_step = "Delete it"
    elif action is Unmanaged.REPORT and is_recent:
        next_step += ", unless a different run is creating it"
    return next_step


def _properties(existing: Credential) -> dict[str, str]:
    return {
        "id": existing.id,
        "service": existing.service,
        "status": existing.status.value,
        "created": existing.created.isoformat(),
    }
