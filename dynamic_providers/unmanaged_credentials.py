"""The provider for unmanaged credentials of declared users. Its module and class name are in every state."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckResult

from iamcreds.errors import NotApprovedError, RejectedError, UserDeniedError
from iamcreds.model import Status, Unmanaged
from iamcreds.pulumi_engine.provider import DECLARED_FOR, WatcherProvider, warn
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.model import Credential

_ACTION = {
    Unmanaged.REPORT: "declare it with `adopt: {id}`, or delete it",
    Unmanaged.DEACTIVATE: "`pulumi up` switches it off",
    Unmanaged.DELETE: "`pulumi up` deletes it",
}
_UNPROVEN = (
    "user {user} has {service} credential {id}, which no spec declares and which a resource of this stack may have left"
    " when it was replaced: this run did not read the whole state and cannot tell, so it is left alone"
)
_UNTOLD = (
    "this run cannot tell which live credentials are the stack's own, because its state could not be read: unmanaged"
    " ones are neither told nor touched"
)
_DENIED = "{error}. Unmanaged credentials of this spec file are neither reported nor changed"


class UnmanagedCredentialsProvider(WatcherProvider):
    """Looks in every check, and acts on the ids alone that the check has put into the inputs.

    Inputs: `users` (what is to become of each user's: report, deactivate, delete) and `account`. What check adds:
    `unmanaged` (id, service, status and creation by user), and the ids that are acted on, `deactivates` and `deletes`.
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
            warn(_describe(credential, action, is_recent=self.account.clock.is_young(credential.created)))
            unmanaged[credential.user].append(_properties(credential))
            if action is not Unmanaged.DEACTIVATE or credential.status is Status.ACTIVE:
                ids[action].append(credential.id)
        actions = {"deactivates": ids[Unmanaged.DEACTIVATE], "deletes": ids[Unmanaged.DELETE]}
        return CheckResult(inputs | {"unmanaged": dict(unmanaged)} | actions, [])

    def _find_all(self, users: Mapping[str, str], context: Mapping[str, Any]) -> list[Credential]:
        """Return the unmanaged credentials of these users, by user, service and id; none if that is unknown."""
        if context.get("owned") is None:
            warn(_UNTOLD)
            return []
        try:
            return sorted(self._find(users, context), key=lambda each: (each.user, each.service, each.id))
        except UserDeniedError as error:
            warn(_DENIED.format(error=error))
            return []

    def _find(self, users: Mapping[str, str], context: Mapping[str, Any]) -> Iterator[Credential]:
        """Find the unmanaged credentials of these users, except those that a resource may adopt in this run."""
        self.account.inventory.reread(())  # an endpoint that cannot list all users at once is asked for each
        owned = set(context["owned"])
        undecided = {(user, service) for user, service in context.get("undecided") or ()}
        for credential_id, (user, service) in (context.get("declared") or {}).items():
            if not self._exists(user, credential_id):  # then its resource creates or adopts one
                undecided.add((user, service))
        credentials = self.account.inventory.all()
        own: dict[tuple[str, str], list[Credential]] = defaultdict(list)
        for live in credentials:
            if live.id in owned:
                own[live.user, live.service].append(live)
        for live in credentials:
            if live.user not in users or (live.user, live.service) in undecided:
                continue
            if live.id in owned or self._is_own(live):
                continue
            if self._may_be_left(live, own[live.user, live.service]):
                warn(_UNPROVEN.format(user=live.user, service=service_alias(live.service), id=live.id))
            else:
                yield live

    def _exists(self, user: str, credential_id: str) -> bool:
        """Return True if the credential certainly exists; AWS may deny the read of its user."""
        try:
            return self.account.inventory.find(user, credential_id) is not None
        except UserDeniedError:
            return False

    def _is_own(self, live: Credential) -> bool:
        """Return True if this run has read it as managed, adopts it or created it, also by a create in flight."""
        if self.session.owner(live.id) is not None or self.account.inventory.has_written(live.id):
            return True
        if live.id in self.session.adopted(live.user, live.service):
            return True
        with self.account.create_journal.hold(live.user, live.service):
            return self.account.inventory.has_written(live.id)

    def _may_be_left(self, live: Credential, own: Iterable[Credential]) -> bool:
        """Return True if it may be a replaced copy of one of these, which the program does not see.

        The engine has them read together with their successors, if it has these read at all.
        """
        return any(live.created <= one.created and not self.session.has_read(one.id) for one in own)

    def record(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Deactivate and delete the ids that the inputs name; return the outputs as the next check finds them.

        Raises:
            NotApprovedError: some steps are not approved; the others are done.
            AccountError: as AWS responds; the steps before it are done, and the next run finds the rest.
        """
        self.account.require_account(inputs.get("account"), DECLARED_FOR)
        left: dict[str, list[dict[str, str]]] = {}
        rejections: list[str] = []
        for user, credentials in inputs["unmanaged"].items():
            for live in credentials:
                try:
                    remaining = self._act_on(user, live, inputs)
                except NotApprovedError as error:
                    rejections.append(str(error))
                    continue
                if remaining is not None:
                    left.setdefault(user, []).append(remaining)
        if rejections:
            raise NotApprovedError("\n".join(rejections))
        return {**inputs, "unmanaged": left, "deactivates": [], "deletes": []}

    def _act_on(self, user: str, live: dict[str, str], inputs: Mapping[str, Any]) -> dict[str, str] | None:
        """Deactivate or delete one credential; return it as it is then, None if it is deleted."""
        if live["id"] in inputs["deletes"]:
            self._prepare(user, live)
            self.account.credentials.delete(user, live["id"])
            return None
        if live["id"] in inputs["deactivates"] and self._prepare(user, live):
            self.account.credentials.change(user, live["id"], status=Status.INACTIVE)
            return live | {"status": Status.INACTIVE.value}
        return live

    def _prepare(self, user: str, credential: Mapping[str, str]) -> bool:
        """Return True if the credential still exists and may be changed; plans of this run count it as it is now.

        Raises:
            RejectedError: a resource of this run has adopted it since, or is about to.
        """
        credential_id, adopted = credential["id"], self.session.adopted(user, credential["service"])
        if self.account.inventory.has_written(credential_id) or credential_id in adopted:
            raise RejectedError(
                f"credential {credential_id} of user {user} is taken over by a resource of this run: it is left alone"
            )
        existing = self.account.inventory.find(user, credential_id)
        if existing is not None:
            self.session.note_change(existing)
        return existing is not None


def _describe(live: Credential, action: Unmanaged, *, is_recent: bool) -> str:
    what = f"{service_alias(live.service)} credential {live.id} ({live.status}, created on {live.created:%Y-%m-%d})"
    end = _ACTION[action].format(id=live.id)
    if action is Unmanaged.DEACTIVATE and live.status is not Status.ACTIVE:
        end = "it stays as it is"
    if action is Unmanaged.REPORT and live.status is Status.EXPIRED:
        end = "delete it"
    elif action is Unmanaged.REPORT and is_recent:
        end += ", unless a different run is creating it"
    return f"user {live.user} has {what}, which no spec declares and this stack has not: {end}"


def _properties(live: Credential) -> dict[str, str]:
    return {
        "id": live.id,
        "service": live.service,
        "status": live.status.value,
        "created": live.created.isoformat(),
    }
