"""The next step of every rule, carried out: it is accepted, and the difference is gone."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.drift.comparing import list_rules
from iamcreds.drift.rules.access_key_limits import AccessKeyIdle, AccessKeyTooOld, TooManyAccessKeys
from iamcreds.drift.rules.changed import Deactivated, ResetPending, RetiredIsActive, StatusDiffers
from iamcreds.drift.rules.credential_limits import CredentialTooOld, LifetimeTooLong, NoExpiry, ServiceNotAllowed
from iamcreds.drift.rules.delivery import DeliveryLost, LeftoverSecret, NotPickedUp
from iamcreds.drift.rules.expiring import ExpiringSoon, RenewalOverdue
from iamcreds.drift.rules.expiry import Expired, ExpiryDiffers
from iamcreds.drift.rules.missing import MissingCredential, MissingUser, MissingWatchedUser
from iamcreds.drift.rules.rotation import RotationDue, RotationOverdue, RotationPending
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UndeclaredUser, UnmanagedCredential, UnresolvedCreate
from tests.drift.stack import Stack
from tests.text.test_commands import take_apart

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.literals import StatusTypeType

    from iamcreds.drift.rules.difference import Difference
    from iamcreds.emulator.server import Emulator

CODECOMMIT, BEDROCK = "codecommit.amazonaws.com", "bedrock.amazonaws.com"
JANE = "users: {jane: {credentials: [{service: codecommit}]}}"
NOBODY = "users: {jane: {credentials: []}}"
ONE, OTHER = "ACCAONE00000000000000", "ACCAOTHER000000000000"
STATE = "state.json"
REGION = "eu-west-1"
DELIVER = "deliver: {{secretsManager: {{name: {}}}}}"


@dataclass
class World:
    """An account with the user jane, and a stack."""

    iam: IAMClient
    emulator: Emulator
    stack: Stack

    def put(self, *credential_ids: str, service: str = CODECOMMIT, expires: int | None = None, **more: str) -> None:
        """Give jane credentials that are a year old; `expires` is the number of days until the expiry."""
        now = datetime.now(UTC).replace(microsecond=0)
        more |= {} if expires is None else {"expires": (now + timedelta(days=expires)).isoformat()}
        created = (now - timedelta(days=365)).isoformat()
        for credential_id in credential_ids:
            self.emulator.controls.put_credential(credential_id, "jane", service, created=created, **more)

    def manage(self, specs: str, *credential_ids: str) -> None:
        """Import existing credentials into the stack by specs with `adopt`, one for each `{}`."""
        self.stack.declare(specs.format(*(f"adopt: {credential_id}" for credential_id in credential_ids)))
        self.stack.up()

    def delete(self, credential_id: str) -> None:
        """Delete a credential of jane outside the stack."""
        self.iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=credential_id)

    def compare(self, *options: str, given: str | None = None) -> list[dict[str, Any]]:
        """Return the differences that `iamcreds drift` reports with these options."""
        words = ["drift", str(self.stack.specs), "--format", "json", "--allow-empty", "--exact", *options]
        result = CliRunner().invoke(main, words, input=given)
        assert result.exit_code in {0, 2}, result.output
        (account,) = json.loads(result.stdout)["accounts"]
        differences: list[dict[str, Any]] = account["differences"]
        return differences


@pytest.fixture
def world(signed_in: Emulator, iam: IAMClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An account in which jane was created an hour ago, and an empty stack."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["provider"])
    monkeypatch.setenv("AWS_REGION", REGION)
    signed_in.controls.set(clock_shift=-400 * 86_400)
    iam.create_user(UserName="jane")
    signed_in.controls.set(clock_shift=0)
    return World(iam, signed_in, Stack(Path("specs")))


@dataclass(frozen=True)
class Row:
    """A situation of a rule.

    Attributes:
        rule: the rule.
        arrange: makes the situation.
        next: a pattern of the whole next step. Each group is an option. Options named `aws…`, `store…`, `iamcreds…`
            and `up…` (`pulumi up`) are carried out as printed, and an `edit…` as in `edits`.
        edits: the specs after an edit, by group.
        is_state_known: whether drift gets the stack's state.
    """

    rule: type[Difference]
    arrange: Callable[[World], None]
    next: str
    edits: dict[str, str]
    is_state_known: bool = True


def row(
    rule: type[Difference], pattern: str, arrange: Callable[[World], None], *, state: bool = True, **edits: str
) -> Row:  # fmt: skip
    """Return a row of the table."""
    return Row(rule, arrange, pattern, edits, state)


AWS = r"(?P<aws>aws iam [^,;]+)"
UP = r"(?P<up>pulumi up)"
WITH_STATE = r"(?P<iamcreds>pulumi stack export \| iamcreds drift specs --state -), which compares them by id"
TWO = "users: {{jane: {{credentials: [{{service: codecommit, {}}}, {{service: codecommit, name: spare, {}}}]}}}}"
MANAGED = "users: {{jane: {{credentials: [{{service: codecommit, {}}}]}}}}"
KEY = "users: {{jane: {{credentials: [{{service: bedrock, {}}}]}}}}"
DEFAULTS = "defaults: {{credentialPolicy: {{{}}}}}\n"
ROTATE = "rotate: {every: 90d, overlap: 7d}"
SLOWLY = "rotate: {every: 380d, overlap: 7d}"
TRIGGERED = "rotate: {trigger: a, overlap: 7d}"
ENDLESS = r"\. Declare `expire: \{after: 368d\}`, otherwise its successor does not expire"
KEYS = "users: {{jane: {{accessKeys: {{{}: {}}}}}}}"


def unmanaged(world: World, specs: str = JANE, *, managed: tuple[str, ...] = (ONE,), **more: Any) -> None:  # noqa: ANN401
    """Have managed credentials, and an unmanaged one."""
    world.put(*managed)
    if managed:
        world.manage(MANAGED, *managed)
    world.put(OTHER, **more)
    world.stack.declare(specs)


def no_user(world: World, user: str = "greta", existing: str | None = None) -> None:
    """Declare a user who does not exist."""
    if existing:
        world.iam.create_user(UserName=existing)
    world.stack.declare(f"users: {{{user}: {{credentials: [{{service: codecommit}}]}}}}")


def deleted(world: World, specs: str = MANAGED, *ids: str) -> None:
    """Have a managed credential that was deleted outside the stack."""
    world.put(*(ids or (ONE,)))
    world.manage(specs, *(ids or (ONE,)))
    world.delete(ONE)


def one_of_two(world: World) -> None:
    """Have one of two managed credentials, which specs without ids cannot distinguish."""
    deleted(world, TWO, ONE, OTHER)
    world.stack.declare(TWO.format("status: Active", "status: Active"))


def blocked(world: World) -> None:
    """Have an unmanaged credential in the place of a declared one."""
    unmanaged(world, managed=())


def pending(world: World) -> None:
    """Have an interrupted create, and its result."""
    unmanaged(world, managed=())
    world.stack.creating["jane/codecommit"] = {"user": "jane", "service": CODECOMMIT}


def changed(world: World, specs: str, *, status: StatusTypeType = "Active") -> None:
    """Have a managed credential, then change its status and the specs."""
    world.put(ONE)
    world.manage(MANAGED, ONE)
    world.iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=ONE, Status=status)
    world.stack.declare(specs)


def protected(world: World) -> None:
    """Have a managed credential that is protected and not declared."""
    changed(world, NOBODY)
    world.stack.protected.add("jane/codecommit")


def expiring(  # noqa: PLR0913 - independent conditions
    world: World,
    *,
    days: int,
    is_managed: bool = True,
    is_blocked: bool = False,
    is_deactivated: bool = False,
    expire: str = "",
) -> None:
    """Have an API key that expires in so many days, or expired a day ago (-1)."""
    world.put(ONE, service=BEDROCK, expires=max(days, 1))
    if is_managed:
        world.manage(KEY.replace("{}", f"{{}}, {expire.replace('{', '{{').replace('}', '}}')}") if expire else KEY, ONE)
    if is_deactivated:
        world.iam.update_service_specific_credential(
            UserName="jane", ServiceSpecificCredentialId=ONE, Status="Inactive"
        )
        world.stack.up()
    if is_blocked:
        world.put(OTHER, service=BEDROCK)
    world.stack.declare(f"users: {{jane: {{credentials: [{{service: bedrock, {expire}}}]}}}}")
    if days < 0:
        world.emulator.controls.set(clock_shift=2 * 86_400)


def two_expiring(world: World) -> None:
    """Have two managed API keys, one of which expires soon."""
    world.put(ONE, service=BEDROCK, expires=3)
    world.put(OTHER, service=BEDROCK)
    world.manage(TWO.replace("codecommit", "bedrock"), ONE, OTHER)


def access_keys(world: World, limit: str, value: int) -> None:
    """Have two access keys that are 400 days old and were never used."""
    world.emulator.controls.set(clock_shift=-400 * 86_400)
    for _ in range(2 if limit == "max" else 1):
        world.iam.create_access_key(UserName="jane")
    world.emulator.controls.set(clock_shift=0)
    world.stack.declare(KEYS.format(limit, value))


def limited(
    world: World, policy: str, specs: str = MANAGED, *, expires: int | None = None, adopts: bool = True
) -> None:
    """Have a credential that is a year old, managed if `adopts`, and a policy for it."""
    world.put(ONE, service=BEDROCK if "bedrock" in specs else CODECOMMIT, expires=expires)
    if adopts:
        world.manage(specs, ONE)
    world.stack.declare(f"{DEFAULTS.format(policy)}{specs.format('protect: false') if adopts else NOBODY}")


def undeclared(world: World) -> None:
    """Have a managed credential that is no longer declared, and a policy that does not allow it."""
    limited(world, "services: [bedrock]")
    world.stack.declare(f"{DEFAULTS.format('services: [bedrock]')}{NOBODY}")


def shielded(world: World, policy: str, *, is_declared: bool = True) -> None:
    """Have a protected API key that violates a policy."""
    limited(world, policy, KEY)
    world.stack.protected.add("jane/bedrock")
    specs = KEY.format("protect: true") if is_declared else NOBODY
    world.stack.declare(f"{DEFAULTS.format(policy)}{specs}")


def renewed(world: World) -> None:
    """Have a previous API key whose lifetime is longer than the policy allows, and its successor."""
    now = datetime.now(UTC).replace(microsecond=0)
    dates = {"created": (now - timedelta(days=4)).isoformat(), "expires": (now + timedelta(days=86)).isoformat()}
    world.put(ONE, service=BEDROCK, expires=3)
    world.emulator.controls.put_credential(OTHER, "jane", BEDROCK, **dates)
    imports = (f"expire: {{after: {days}d}}, adopt: {id_}" for days, id_ in ((368, ONE), (90, OTHER)))
    world.stack.declare(TWO.replace("codecommit", "bedrock").format(*imports))
    world.stack.up()
    inputs, outputs = world.stack.state.pop("jane/bedrock/spare")
    world.stack.state["jane/bedrock~2"] = inputs | {"rotation": 1}, outputs | {"rotation": 1}
    expire = "expire: {after: 90d, renewBefore: 14d}"
    world.stack.declare(f"{DEFAULTS.format('maxLifetimeDays: 90, enforce: true')}{KEY.format(expire)}")


def renewing(world: World) -> None:
    """Have an API key with `renewBefore` whose lifetime is longer than a policy allows."""
    expire = "expire: {{after: 368d, renewBefore: 60d}}"
    limited(world, "maxLifetimeDays: 30", KEY.replace("{}", f"{{}}, {expire}"), expires=3)


def relifed(world: World, before: str, after: str, *, expires: int | None = None, protects: bool = False) -> None:
    """Have a managed API key whose `expire` in the specs was changed."""
    world.put(ONE, service=BEDROCK, expires=expires)
    world.manage(KEY.replace("{}", f"{{}}, {before.replace('{', '{{').replace('}', '}}')}"), ONE)
    if protects:
        world.stack.protected.add("jane/bedrock")
    world.stack.declare(f"users: {{jane: {{credentials: [{{service: bedrock, {after}}}]}}}}")


def pending_expiry(world: World) -> None:
    """Have a managed API key without an expiry, which specs declare by now."""
    limited(world, "requireExpiry: [bedrock]", KEY)
    world.stack.declare(f"{DEFAULTS.format('requireExpiry: [bedrock]')}{KEY.format('expire: {after: 90d}')}")


def rotating(
    world: World, fields: str = ROTATE, *, first: str = "", is_blocked: bool = False, off: bool = False
) -> None:
    """Have a managed credential that is a year old and rotates; `first` are its fields in the first update."""
    world.put(ONE)
    world.manage(MANAGED.replace("{}", f"{{}}, {first.replace('{', '{{').replace('}', '}}')}"), ONE)
    if is_blocked:
        world.put(OTHER)
    if off:
        switch(world, ONE, "Inactive")
    world.stack.declare(MANAGED.format(fields))


def switch(world: World, credential_id: str, status: StatusTypeType) -> None:
    """Set the status of a credential of jane outside the stack."""
    world.iam.update_service_specific_credential(
        UserName="jane", ServiceSpecificCredentialId=credential_id, Status=status
    )


def rotated(world: World) -> str:
    """Have a rotated credential and a previous one that an update retired after its overlap; return the current id."""
    rotating(world)
    world.stack.up()
    world.emulator.controls.set(clock_shift=8 * 86_400)
    world.stack.up()
    world.emulator.controls.set(clock_shift=0)
    current: str = world.stack.state["jane/codecommit~2"][1]["credential_id"]
    return current


def lost(world: World) -> None:
    """Have a retired previous credential, and a state that has lost the current one, which someone deleted."""
    world.delete(rotated(world))
    del world.stack.state["jane/codecommit~2"]


def rotating_key(world: World) -> None:
    """Have a managed API key that rotates, and whose `expire` in the specs was changed."""
    relifed(world, f"expire: {{after: 368d}}, {TRIGGERED}", f"expire: {{after: 90d}}, {TRIGGERED}", expires=3)


def reactivated(
    world: World, fields: str = ROTATE, *, is_rolled_back: bool = False, is_only_one: bool = False
) -> None:  # fmt: skip
    """Have a retired previous credential that someone activated, and deactivate the current one for a rollback.

    With `is_only_one`, someone deleted the current one.
    """
    current = rotated(world)
    switch(world, ONE, "Active")
    if is_rolled_back:
        switch(world, current, "Inactive")
    if is_only_one:
        world.delete(current)
    world.stack.declare(MANAGED.format(fields))


def rotating_with_policy(world: World, fields: str, *, is_blocked: bool = False) -> None:
    """Have a managed credential that is a year old, rotates, and violates a policy."""
    rotating(world, is_blocked=is_blocked)
    world.stack.declare(DEFAULTS.format("maxAgeDays: 90") + MANAGED.format(fields))


def no_longer_rotating(world: World) -> None:
    """Have a rotated credential whose `rotate` was removed from the specs."""
    rotated(world)
    world.stack.declare(JANE)


def overlapping(world: World, fields: str = ROTATE) -> None:
    """Have a current and a previous credential that are both a year old and Active."""
    world.put(ONE, OTHER)
    world.manage(TWO, ONE, OTHER)
    inputs, outputs = world.stack.state.pop("jane/codecommit/spare")
    world.stack.state["jane/codecommit~2"] = inputs | {"rotation": 1}, outputs | {"rotation": 1}
    world.stack.declare(MANAGED.format(fields))


def delivering(world: World, change: str, fields: str = "") -> None:
    """Have a secret that was delivered an hour ago, and delete, overwrite or leave it in the store."""
    world.emulator.controls.set(clock_shift=-3_600)
    world.stack.declare(DELIVERING.format(f"{DELIVER.format('old')}{fields}"))
    world.stack.up()
    world.emulator.controls.set(clock_shift=0)
    store = boto3.client("secretsmanager", region_name=REGION)
    if change == "delete":
        store.delete_secret(SecretId="old", ForceDeleteWithoutRecovery=True)
    elif change == "schedule":
        store.delete_secret(SecretId="old")
    elif change == "overwrite":
        store.put_secret_value(SecretId="old", SecretString="own")
    else:
        world.stack.declare(DELIVERING.format(f"{DELIVER.format('new')}, reset: new"))
        world.stack.up()


DELIVERING = "users: {{jane: {{credentials: [{{service: codecommit, {}}}]}}}}"
STORE = "aws secretsmanager [^,;]+"
ROWS = [
    *(
        row(
            DeliveryLost,
            "(?P<edit>change `reset` in the specs, then pulumi up), which delivers a new password",
            lambda world, change=change: delivering(world, change),  # type: ignore[misc] # bound now
            edit=DELIVERING.format(f"{DELIVER.format('old')}, reset: new"),
        )
        for change in ("delete", "overwrite")
    ),
    row(DeliveryLost, f"(?P<store>{STORE})", lambda world: delivering(world, "schedule")),
    row(DeliveryLost, "pulumi up, which rotates it", lambda world: delivering(world, "delete", f", {ROTATE}")),
    row(
        LeftoverSecret,
        f"if no consumer reads it: (?P<store_delete>{STORE}); or, to keep it: (?P<store_keep>{STORE})",
        lambda world: delivering(world, "leave"),
    ),
    row(MissingUser, rf"{AWS}, or (?P<edit>remove the user from the specs)", no_user, edit="users: {}"),
    row(
        MissingUser,
        "(?P<edit>declare the user as Greta)",
        lambda world: no_user(world, existing="Greta"),
        edit="users: {Greta: {credentials: [{service: codecommit}]}}",
    ),
    row(MissingCredential, UP, deleted),
    row(MissingCredential, "resolve unmanaged ACCAOTHER.* first .see unmanaged-credential., then pulumi up", blocked),
    row(MissingCredential, WITH_STATE, one_of_two, state=False),
    row(
        UnmanagedCredential,
        rf"declare it with (?P<edit>a new `name` and `adopt: {OTHER}`), or {AWS}",
        unmanaged,
        edit=TWO.format("status: Active", f"adopt: {OTHER}"),
    ),
    row(
        UnmanagedCredential,
        rf"(?P<edit>set `adopt: {OTHER}` for codecommit at specs/users.yaml:1:30), or {AWS}",
        blocked,
        edit=MANAGED.format(f"adopt: {OTHER}"),
    ),
    row(
        UnmanagedCredential,
        rf"{UP}, which imports it, or {AWS}",
        lambda world: unmanaged(world, MANAGED.format(f"adopt: {OTHER}"), managed=()),
    ),
    row(UnmanagedCredential, AWS, lambda world: unmanaged(world, expires=-1)),
    row(UnmanagedCredential, AWS, lambda world: unmanaged(world, NOBODY, managed=(), expires=-1), state=False),
    row(UnmanagedCredential, WITH_STATE, unmanaged, state=False),
    row(
        UnmanagedCredential,
        rf"declare it with (?P<edit>`adopt: {OTHER}`), or {AWS}",
        lambda world: unmanaged(world, NOBODY, managed=()),
        state=False,
        edit=MANAGED.format(f"adopt: {OTHER}"),
    ),
    row(
        UndeclaredUser,
        rf"(?P<iamcreds>iamcreds dump --user jane --to specs), or {AWS}",
        lambda world: unmanaged(world, "users: {}", managed=()),
    ),
    row(UndeclaredUser, AWS, lambda world: unmanaged(world, "users: {}", managed=(), expires=-1)),
    row(
        UnresolvedCreate,
        r"repeat after the update has ended, with a new export of the state; if it was interrupted, first run "
        r"(?P<clear>pulumi refresh --clear-pending-creates)",
        pending,
    ),
    row(
        NoLongerDeclared,
        rf"{UP}, which deletes it; or (?P<edit>declare it again)",
        lambda world: changed(world, NOBODY),
        edit="users: {jane: {credentials: [{service: codecommit}]}}",
    ),
    row(
        NoLongerDeclared,
        "(?P<edit>declare it again); or run (?P<unprotect>pulumi state unprotect), then pulumi up",
        protected,
        edit="users: {jane: {credentials: [{service: codecommit}]}}",
    ),
    row(StatusDiffers, UP, lambda world: changed(world, MANAGED.format("status: Active"), status="Inactive")),
    row(ResetPending, UP, lambda world: changed(world, MANAGED.format("reset: lost"))),
    row(
        Deactivated,
        rf"{AWS}, or (?P<edit>declare `status: Inactive`)",
        lambda world: changed(world, JANE, status="Inactive"),
        edit="users: {jane: {credentials: [{service: codecommit, status: Inactive}]}}",
    ),
    row(Expired, rf"{UP}, which replaces it", lambda world: expiring(world, days=-1)),
    row(
        Expired,
        "resolve unmanaged ACCAOTHER.* first .see unmanaged-credential., then pulumi up, which replaces it",
        lambda world: expiring(world, days=-1, is_blocked=True),
    ),
    row(
        Expired,
        rf"{UP}, which replaces it if the stack manages it; otherwise aws iam .*",
        lambda world: expiring(world, days=-1),
        state=False,
    ),
    row(
        Expired,
        rf"pulumi up, which replaces it if the stack manages it; otherwise {AWS}",
        lambda world: expiring(world, days=-1, is_managed=False),
        state=False,
    ),
    row(
        Expired,
        rf"{UP}, which replaces it with one that expires after 366 days",
        lambda world: expiring(world, days=-1, expire="expire: {after: 366d}"),
    ),
    row(
        Expired,
        "(?P<edit_reset>change its `reset` in the specs and run pulumi up), which replaces it; or"
        " (?P<edit_gone>remove the credential from the specs)",
        lambda world: expiring(world, days=-1, is_deactivated=True),
        edit_reset="users: {jane: {credentials: [{service: bedrock, reset: left}]}}",
        edit_gone="users: {jane: {credentials: []}}",
    ),
    row(
        ExpiryDiffers,
        rf"{UP}, which replaces it with one that expires after 90 days; or (?P<edit>remove `expire`) from the specs,"
        " which keeps it",
        lambda world: relifed(world, "", "expire: {after: 90d}"),
        edit="users: {jane: {credentials: [{service: bedrock}]}}",
    ),
    row(
        ExpiryDiffers,
        rf"{UP}, which replaces it with one that expires after 90 days; or (?P<edit>declare `after: 368d`),"
        " which keeps it",
        lambda world: relifed(world, "expire: {after: 368d}", "expire: {after: 90d}", expires=3),
        edit="users: {jane: {credentials: [{service: bedrock, expire: {after: 368d}}]}}",
    ),
    row(
        ExpiryDiffers,
        rf"{UP}, which replaces it; or (?P<edit>declare `expire: {{after: 368d}}`), which keeps it",
        lambda world: relifed(world, "expire: {after: 368d}", "", expires=3),
        edit="users: {jane: {credentials: [{service: bedrock, expire: {after: 368d}}]}}",
    ),
    row(
        ExpiryDiffers,
        "(?P<edit>declare `expire: {after: 368d}`), which keeps it; or remove `protect` from the specs and run "
        "(?P<unprotect>pulumi state unprotect), then pulumi up, which replaces the credential",
        lambda world: relifed(world, "expire: {after: 368d}", "", expires=3, protects=True),
        edit="users: {jane: {credentials: [{service: bedrock, expire: {after: 368d}}]}}",
    ),
    row(
        ExpiringSoon,
        rf"{UP}, which replaces it with one that expires after 90 days",
        lambda world: relifed(world, "expire: {after: 368d}", "expire: {after: 90d}", expires=3),
        state=False,
    ),
    row(
        ExpiringSoon,
        rf"(?P<edit>declare a second one with a new `name` before the expiry), because an expiry cannot be"
        rf" changed{ENDLESS}",
        lambda world: expiring(world, days=3),
        edit="users: {jane: {credentials: [{service: bedrock}, {service: bedrock, name: new}]}}",
    ),
    row(
        ExpiringSoon,
        "declare `renewBefore`, so that pulumi up creates its successor before the expiry; or after"
        " the expiry, run (?P<later>pulumi up), which replaces it with one that expires after 368 days",
        lambda world: expiring(world, days=3, expire="expire: {after: 368d}"),
    ),
    row(
        ExpiringSoon,
        rf"after the expiry, run (?P<later>pulumi up), which replaces it \(the quota is used, so a new one cannot be "
        rf"created before the expiry\){ENDLESS}",
        two_expiring,
    ),
    row(
        ExpiringSoon,
        rf"{UP}, which renews it",
        lambda world: expiring(world, days=3, expire="expire: {after: 368d, renewBefore: 4d}"),
    ),
    row(
        ExpiringSoon,
        rf"{AWS}, or (?P<edit_gone>remove it from the specs)",
        lambda world: expiring(world, days=3, is_deactivated=True),
        edit_gone=NOBODY,
    ),
    *(
        row(
            RenewalOverdue,
            rf"{UP}, which renews it",
            lambda world: expiring(world, days=3, expire="expire: {after: 368d, renewBefore: 60d}"),
            state=is_state_known,
        )
        for is_state_known in (True, False)
    ),
    row(
        RenewalOverdue,
        "resolve unmanaged ACCAOTHER.* first .see unmanaged-credential., then pulumi up, which renews it",
        lambda world: expiring(world, days=3, expire="expire: {after: 368d, renewBefore: 60d}", is_blocked=True),
    ),
    row(RotationDue, rf"{UP}, which rotates it", lambda world: rotating(world, SLOWLY)),
    row(
        RotationDue,
        "resolve unmanaged ACCAOTHER.* first .see unmanaged-credential., then pulumi up, which rotates it",
        lambda world: rotating(world, SLOWLY, is_blocked=True),
    ),
    row(
        RotationDue,
        rf"(?P<twice>pulumi up) from \d{{4}}-\d\d-\d\d on, which retires {ONE}; the next one rotates",
        lambda world: overlapping(world, SLOWLY),
    ),
    row(RotationOverdue, rf"{UP}, which rotates it", rotating),
    row(
        RotationOverdue,
        rf"{AWS}, or (?P<edit>remove it from the specs)",
        lambda world: rotating(world, off=True),
        edit=NOBODY,
    ),
    row(
        RotationOverdue,
        "resolve unmanaged ACCAOTHER.* first .see unmanaged-credential., then pulumi up, which rotates it",
        lambda world: rotating(world, is_blocked=True),
    ),
    row(
        RotationOverdue,
        rf"(?P<twice>pulumi up) from \d{{4}}-\d\d-\d\d on, which retires {ONE}; the next one rotates",
        overlapping,
    ),
    row(RotationOverdue, rf"{UP}, which resets it", lambda world: rotating(world, f"{ROTATE}, reset: lost")),
    row(
        RotationPending,
        rf"{UP}, which rotates it",
        lambda world: rotating(world, "rotate: {trigger: b, overlap: 7d}", first="rotate: {trigger: a, overlap: 7d}"),
    ),
    row(RetiredIsActive, rf"if its password is not in use: {UP}, which deactivates it", reactivated),
    row(
        RetiredIsActive,
        rf"if its password is not in use: {UP}, which deletes it",
        lambda world: reactivated(world, "rotate: {every: 90d, overlap: 7d, retire: delete}"),
    ),
    row(
        RetiredIsActive,
        rf"{AWS}, and then pulumi up, which deactivates {ONE}",
        lambda world: reactivated(world, is_rolled_back=True),
    ),
    row(
        Deactivated,
        rf"{AWS}, or (?P<edit>remove it from the specs)",
        lambda world: rotating(world, "rotate: {trigger: a, overlap: 7d}", off=True),
        edit=NOBODY,
    ),
    row(Deactivated, WITH_STATE, lambda world: rotating(world, off=True), state=False),
    row(
        ExpiringSoon,
        rf"{UP}, which rotates it",
        lambda world: expiring(world, days=3, expire="expire: {after: 368d}, rotate: {trigger: a, overlap: 7d}"),
    ),
    row(
        ExpiringSoon,
        r"(?P<edit_date>remove `notBefore` from the specs, then pulumi up), which rotates it; or after the expiry, run"
        r" (?P<later>pulumi up), which replaces it with one that expires after 368 days",
        lambda world: expiring(
            world,
            days=3,
            expire="expire: {after: 368d}, rotate: {every: 90d, overlap: 7d, notBefore: 2100-01-01}",
        ),
        edit_date=KEY.format(f"expire: {{after: 368d}}, {ROTATE}"),
    ),
    row(
        NoLongerDeclared,
        rf"{UP}, which deletes it; or (?P<edit>declare `rotate` again)",
        no_longer_rotating,
        edit=MANAGED.format(ROTATE),
    ),
    row(
        CredentialTooOld,
        r"(?P<edit_every>declare `every: 83d` in the specs, then pulumi up), which rotates it",
        lambda world: rotating_with_policy(world, ROTATE),
        edit_every=DEFAULTS.format("maxAgeDays: 90") + MANAGED.format("rotate: {every: 83d, overlap: 7d}"),
    ),
    row(
        CredentialTooOld,
        "(?P<up_overlap>pulumi up), which rotates it",
        lambda world: rotating_with_policy(world, "rotate: {every: 60d, overlap: 30d}"),
    ),
    row(
        CredentialTooOld,
        "declare a shorter `every` and `overlap` in the specs, then pulumi up, which rotates it",
        lambda world: rotating_with_policy(world, "rotate: {every: 100d, overlap: 80d}"),
    ),
    row(
        CredentialTooOld,
        "(?P<edit_every>remove `notBefore` from the specs, then pulumi up), which rotates it",
        lambda world: rotating_with_policy(world, "rotate: {every: 83d, overlap: 7d, notBefore: 9999-12-31}"),
        edit_every=DEFAULTS.format("maxAgeDays: 90") + MANAGED.format("rotate: {every: 83d, overlap: 7d}"),
    ),
    row(
        CredentialTooOld,
        "resolve unmanaged ACCAOTHER.* first .see unmanaged-credential., then pulumi up, which rotates it",
        lambda world: rotating_with_policy(world, "rotate: {every: 83d, overlap: 7d}", is_blocked=True),
    ),
    row(
        ExpiryDiffers,
        rf"{UP}, which rotates it; or (?P<edit>declare `after: 368d`), which keeps it",
        rotating_key,
        edit=KEY.format(f"expire: {{after: 368d}}, {TRIGGERED}"),
    ),
    row(
        RetiredIsActive,
        rf"{UP}, which creates the current one again and keeps this one until the overlap ends; or, if its password is"
        rf" not in use: {AWS}",
        lambda world: reactivated(world, is_only_one=True),
    ),
    row(MissingCredential, rf"{UP}, which issues a new password", lost),
    row(TooManyAccessKeys, f"if the key is no longer needed: {AWS}", lambda world: access_keys(world, "max", 1)),
    row(AccessKeyTooOld, f"if the key is no longer needed: {AWS}", lambda world: access_keys(world, "maxAgeDays", 90)),
    row(AccessKeyIdle, f"if the key is no longer needed: {AWS}", lambda world: access_keys(world, "maxIdleDays", 90)),
    row(
        CredentialTooOld,
        "(?P<edit>change `reset` in the specs, then pulumi up)",
        lambda world: limited(world, "maxAgeDays: 90"),
        edit=DEFAULTS.format("maxAgeDays: 90") + MANAGED.format("reset: old"),
    ),
    row(
        CredentialTooOld,
        f"if the credential is no longer needed: {AWS}",
        lambda world: limited(world, "maxAgeDays: 90", adopts=False),
    ),
    row(
        NoExpiry,
        r"(?P<edit>declare `expire: \{after: 90d\}` in the specs, then pulumi up)",
        lambda world: limited(world, "requireExpiry: [bedrock]", KEY),
        edit=DEFAULTS.format("requireExpiry: [bedrock]") + KEY.format("expire: {after: 90d}"),
    ),
    row(
        NoExpiry,
        r"(?P<edit>declare `expire: \{after: 30d\}` in the specs, then pulumi up)",
        lambda world: limited(world, "requireExpiry: [bedrock], maxLifetimeDays: 30", KEY),
        state=False,
        edit=DEFAULTS.format("requireExpiry: [bedrock]") + KEY.format("expire: {after: 30d}"),
    ),
    row(
        NoExpiry,
        f"if the credential is no longer needed: {AWS}",
        lambda world: limited(world, "requireExpiry: [bedrock]", KEY, adopts=False),
        state=False,
    ),
    row(NoExpiry, rf"{UP}, which replaces it", pending_expiry),
    row(
        LifetimeTooLong,
        r"(?P<edit>declare `expire: \{after: 90d\}` in the specs, then pulumi up)",
        lambda world: limited(world, "maxLifetimeDays: 90", KEY, expires=30),
        edit=DEFAULTS.format("maxLifetimeDays: 90") + KEY.format("expire: {after: 90d}"),
    ),
    row(
        ServiceNotAllowed,
        "(?P<edit>remove the credential from the specs, then pulumi up)",
        lambda world: limited(world, "services: [bedrock]"),
        edit=DEFAULTS.format("services: [bedrock]") + NOBODY,
    ),
    row(ServiceNotAllowed, f"{UP}, which deletes it", undeclared),
    row(
        LifetimeTooLong,
        rf"if its successor is in use: {AWS}; or run (?P<later>pulumi up) after the expiry, which deletes it",
        renewed,
    ),
    row(
        LifetimeTooLong,
        r"(?P<edit>declare `after: 30d` and a shorter `renewBefore` in the specs, then pulumi up)",
        renewing,
        edit=DEFAULTS.format("maxLifetimeDays: 30") + KEY.format("expire: {after: 30d, renewBefore: 14d}"),
    ),
    row(
        NoExpiry,
        r"(?P<edit>remove `protect`, run pulumi state unprotect and declare `expire: \{after: 90d\}` in the specs, then"
        r" pulumi up)",
        lambda world: shielded(world, "requireExpiry: [bedrock]"),
        edit=DEFAULTS.format("requireExpiry: [bedrock]") + KEY.format("expire: {after: 90d}"),
    ),
    row(
        ServiceNotAllowed,
        "(?P<edit>remove the credential from the specs and run pulumi state unprotect, then pulumi up)",
        lambda world: shielded(world, "services: [logs]"),
        edit=DEFAULTS.format("services: [logs]") + NOBODY,
    ),
    row(
        ServiceNotAllowed,
        "run (?P<unprotect>pulumi state unprotect), then pulumi up, which deletes it",
        lambda world: shielded(world, "services: [logs]", is_declared=False),
    ),
]
"""A row for each rule that drift reports and for each kind of its advice, except the one for renamed users."""

STAYS = {
    ("expiring-soon", "edit"),
    ("expiring-soon", "aws"),
    ("unmanaged-credential", "iamcreds"),
    ("missing-credential", "iamcreds"),
}
STAYS |= {("switched-off", "iamcreds"), ("credential-too-old", "edit_every"), ("credential-too-old", "up_overlap")}
"""Rules and options that leave the difference as it is: an expiry cannot change, and a comparison changes nothing. A
previous password stays too old until its overlap ends."""


def test_every_rule_has_a_row() -> None:
    """A new rule has a row; `MissingWatchedUser` has no next step that a user reads, and `NotPickedUp` only waits."""
    assert {row.rule for row in ROWS} == set(list_rules()) - {MissingWatchedUser, NotPickedUp}


def find(world: World, row: Row) -> list[dict[str, Any]]:
    """Return the differences of the row's rule."""
    Path(STATE).write_text(world.stack.export())
    options = ["--state", STATE] if row.is_state_known else []
    return [found for found in world.compare(*options) if found["rule"] == row.rule.rule]


OPTIONS = [(row, option) for row in ROWS for option in re.compile(row.next).groupindex or ["none"]]


@pytest.mark.parametrize(("row", "option"), OPTIONS, ids=[f"{row.rule.rule}-{option}" for row, option in OPTIONS])
def test_advice(world: World, row: Row, option: str) -> None:
    """Each option of a next step is accepted by IAM, `iamcreds` and the next update, and the difference is gone."""
    row.arrange(world)
    step = find(world, row)[0]["next"]
    match = re.fullmatch(row.next, step)
    assert match, step
    if option == "none":
        return
    take(world, row, option, match[option])
    left = find(world, row)
    assert bool(left) is ((row.rule.rule, option) in STAYS), left


def run_aws(world: World, text: str) -> None:
    """Run a command for IAM or Secrets Manager."""
    if text.startswith("aws iam"):
        operation, parameters = take_apart(text)
        getattr(world.iam, operation.replace("-", "_"))(**parameters)
        return
    operation, parameters = take_apart(text, "secretsmanager")
    client = boto3.client("secretsmanager", region_name=parameters.pop("region"))
    keys = {"TagKeys": [parameters.pop("TagKeys")]} if "TagKeys" in parameters else {}
    getattr(client, operation.replace("-", "_"))(**parameters, **keys)


def take(world: World, row: Row, option: str, text: str) -> None:
    """Take an option: run the command, or make the edit and update the stack."""
    if text.startswith("aws "):
        run_aws(world, text)
        world.stack.up()
    elif option == "iamcreds":
        command = text.rpartition(" | ")[2]
        result = CliRunner().invoke(main, shlex.split(command)[1:], input=world.stack.export())
        assert result.exit_code == (2 if "drift" in command else 0), result.output
        if "drift" not in command:
            world.stack.up()
    elif option == "clear":
        world.stack.creating.clear()
    elif option == "unprotect":
        world.stack.protected.clear()
        world.stack.up()
    else:
        if "unprotect" in text:
            world.stack.protected.clear()
        if option == "later":
            world.emulator.controls.set(clock_shift=10 * 86_400)
        if option == "twice":
            world.stack.up()
        if option in row.edits:
            world.stack.declare(row.edits[option])
        world.stack.up()
