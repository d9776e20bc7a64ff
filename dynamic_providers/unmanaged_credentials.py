"""What becomes of live credentials of declared users that no spec declares; its names are persisted in every state."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from iamcreds.errors import NotApprovedError, RejectedError, UserDeniedError
from iamcreds.model import Status, Unmanaged
from iamcreds.pulumi_engine.provider import Provider, warn
from iamcreds.services import service_alias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.model import Credential

_COMPARED = ("users", "unmanaged", "deactivates", "deletes")
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


class UnmanagedCredentialsProvider(Provider):
    """Looks in every check, and acts on the ids alone that the check has put into the inputs.

    Inputs: `users` (what is to become of each user's: report, deactivate, delete) and `account`. What check adds:
    `unmanaged` (id, service, status and creation by user), and the ids that are acted on, `deactivates` and `deletes`.
    """

    def check(self, _olds: Mapping[str, Any], news: Mapping[str, Any]) -> CheckResult:
        """Find what is live and nobody's, so that every preview shows it, and what is to be done to which id."""
        inputs = {name: news[name] for name in ("users", "account") if news.get(name) is not None}
        told = news.get("run") or {}
        wrong: list[CheckFailure] = self.account_failures(inputs.get("account"), told.get("account"))
        if wrong:
            return CheckResult(inputs, wrong)
        if told.get("owned") is None:
            warn(_UNTOLD)
            return CheckResult(inputs | {"unmanaged": {}, "deactivates": [], "deletes": []}, [])
        try:
            found = sorted(self._find(inputs["users"], told), key=lambda live: (live.user, live.service, live.id))
        except UserDeniedError as error:
            warn(_DENIED.format(error=error))
            found = []
        actions = {live.id: Unmanaged(inputs["users"][live.user]) for live in found}
        for live in found:
            warn(_describe(live, actions[live.id]))
        deactivates = [
            live.id for live in found if actions[live.id] is Unmanaged.DEACTIVATE and live.status is Status.ACTIVE
        ]
        deletes = [live.id for live in found if actions[live.id] is Unmanaged.DELETE]
        unmanaged: dict[str, list[dict[str, str]]] = {}
        for live in found:
            unmanaged.setdefault(live.user, []).append(_show(live))
        return CheckResult(
            inputs | {"unmanaged": unmanaged, "deactivates": deactivates, "deletes": deletes},
            [],
        )

    def _find(self, users: Mapping[str, str], told: Mapping[str, Any]) -> Iterator[Credential]:
        """What is live of these users and in no state, but where this run may yet make it a resource's own."""
        self.account.inventory.reread(())  # an endpoint that cannot list all users at once is asked for each
        owned = set(told["owned"])
        undecided = {(user, service) for user, service in told.get("undecided") or ()}
        for credential_id, (user, service) in (told.get("declared") or {}).items():
            if not self._exists(user, credential_id):  # then it is made anew, or adopts
                undecided.add((user, service))
        every = self.account.inventory.all()
        own: dict[tuple[str, str], list[Credential]] = defaultdict(list)
        for live in every:
            if live.id in owned:
                own[live.user, live.service].append(live)
        for live in every:
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
        """Whether this run has read it as the stack's own, or made it: whose Create is under way is waited for."""
        if self.session.owner(live.id) is not None or self.account.inventory.has_written(live.id):
            return True
        if live.id in self.session.adopted(live.user, live.service):
            return True
        with self.account.create_journal.hold(live.user, live.service):
            return self.account.inventory.has_written(live.id)

    def _may_be_left(self, live: Credential, own: Iterable[Credential]) -> bool:
        """Whether it may be what one of these had before it was replaced: the program is not told of such old copies.

        The engine has them read together with their successors, if it has these read at all.
        """
        return any(live.created <= one.created and not self.session.has_read(one.id) for one in own)

    def diff(self, _id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        """Anything that is not as it was left, and anything to be done."""
        return DiffResult(changes=any(olds.get(name) != news.get(name) for name in _COMPARED))

    def create(self, props: Mapping[str, Any]) -> CreateResult:
        """Do what the inputs name.

        Raises:
            AccountError: as AWS answers; what was done by then is done, and the next run finds the rest.
        """
        return CreateResult(f"{self.account.id()}/unmanaged-credentials", self._act(props))

    def read(self, id_: str, props: Mapping[str, Any]) -> ReadResult:
        """What was recorded: looking is check's part, in the same run."""
        return ReadResult(id_, dict(props))

    def update(self, _id: str, _olds: Mapping[str, Any], news: Mapping[str, Any]) -> UpdateResult:
        """Do what the inputs name; see `create`."""
        return UpdateResult(self._act(news))

    def _act(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Switch off and delete, by id; what is there then, as the next check finds it.

        Raises:
            NotApprovedError: some steps are not approved; the others are done.
        """
        self.account.require_account(inputs.get("account"), "the specs are for")
        left: dict[str, list[dict[str, str]]] = {}
        rejections: list[str] = []
        for user, shown in inputs["unmanaged"].items():
            for live in shown:
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

    def _prepare(self, user: str, shown: Mapping[str, str]) -> bool:
        """Return True if the credential still exists and may be changed; plans of this run count it as it is now."""
        self._require_foreign(user, shown)
        found = self.account.inventory.find(user, shown["id"])
        if found is not None:
            self.session.note_change(found)
        return found is not None

    def _require_foreign(self, user: str, shown: Mapping[str, str]) -> None:
        """See to it that no resource of this run has made the credential its own since, or is about to.

        Raises:
            RejectedError: one has, or is.
        """
        adopted = self.session.adopted(user, shown["service"])
        if self.account.inventory.has_written(shown["id"]) or shown["id"] in adopted:
            raise RejectedError(
                f"credential {shown['id']} of user {user} is taken over by a resource of this run: it is left alone"
            )


def _describe(live: Credential, action: Unmanaged) -> str:
    what = f"{service_alias(live.service)} credential {live.id} ({live.status}, created on {live.created:%Y-%m-%d})"
    done = action is Unmanaged.DEACTIVATE and live.status is not Status.ACTIVE
    end = "it stays as it is" if done else _ACTION[action].format(id=live.id)
    return f"user {live.user} has {what}, which no spec declares and this stack has not: {end}"


def _show(live: Credential) -> dict[str, str]:
    return {
        "id": live.id,
        "service": live.service,
        "status": live.status.value,
        "created": live.created.isoformat(),
    }
