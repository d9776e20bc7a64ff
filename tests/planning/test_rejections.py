"""The messages of rejections: the reason with ids, and the options, each of which ends with a clean run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from iamcreds.model import Credential, Existing, Status
from iamcreds.planning.decisions import (
    Adopt,
    Ambiguous,
    DeclaredTwice,
    HasExpired,
    Import,
    InTheWay,
    MissingUser,
    NotAdoptable,
    NotFound,
    OfAnother,
    Owned,
    QuotaExceeded,
    Rejection,
    Transformed,
    UnknownService,
    Unproven,
)
from iamcreds.planning.group import Group, Member
from iamcreds.planning.planner import plan
from iamcreds.planning.rejections import describe, protected
from iamcreds.services import Family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOW = datetime(2026, 11, 24, tzinfo=UTC)
USER, SERVICE, NAME = "jane", "codecommit.amazonaws.com", "jane/codecommit"
MEMBER = Member()
ADOPTING = Member(existing=Existing.ADOPT)
A, B = (
    Credential(f"ACCA{name}", USER, SERVICE, Status.ACTIVE, NOW - timedelta(days=3), Family.PASSWORD, "jane-at")
    for name in "AB"
)
EXPIRING = replace(A, expires=A.created + timedelta(days=30))
EXPIRED = replace(A, status=Status.EXPIRED, expires=A.created + timedelta(days=1))
DELETE_A = "aws iam delete-service-specific-credential --user-name jane --service-specific-credential-id ACCAA"


def say(
    rejection: Rejection,
    member: Member = MEMBER,
    now: datetime = NOW,
    existing: Sequence[Credential] = (),
    owners: Mapping[str, str] | None = None,
) -> str:
    """Return the message about one resource of jane's codecommit credentials."""
    return describe(rejection, Group(USER, SERVICE, {NAME: member}, existing, owners or {}), NAME, now)


def test_missing_user() -> None:
    """The message about a missing user has the command that creates the user, or the new name."""
    assert (
        "the account has no IAM user jane. Options: create the user (aws iam create-user --user-name jane); or"
        in say(MissingUser(None))
    )
    assert "the account has no IAM user jane: IAM renamed it to joan" in say(MissingUser("joan"))
    assert say(MissingUser(None, "Jane")) == (
        "the account has no IAM user jane, and IAM does not allow it next to Jane. Options: declare the user as Jane;"
        " or remove this resource"
    )


def test_unknown_service() -> None:
    """The message about an unknown service has its full name."""
    assert "does not support service-specific credentials for codecommit.amazonaws.com" in say(UnknownService())


def test_declared_twice() -> None:
    """The message about too many resources has their names, and the number to declare unless there are three."""
    assert say(DeclaredTwice(frozenset("ba"))) == (
        "a and b declare a codecommit credential of user jane, but `declared` is 1. Options: set `declared` to 2 in"
        " each of them; or remove one"
    )
    assert say(DeclaredTwice(frozenset("abc"))) == (
        "a and b and c declare a codecommit credential of user jane, but IAM allows two. Remove the surplus resources"
    )


def test_in_the_way() -> None:
    """The message about an unmanaged credential has its id, status and date, and all options."""
    message = say(InTheWay((A,)))
    assert message == (
        "cannot create a codecommit credential for user jane: unmanaged credential ACCAA (Active, created 2026-11-21)"
        f" already exists. Options: delete it ({DELETE_A}); adopt it with `existing: adopt`, which resets the password;"
        " import it unchanged with `adopt: ACCAA`; or declare no new credential (if it was just deleted, run again in a"
        " minute)"
    )


def test_no_import_of_a_successor() -> None:
    """A successor is never imported, so that is not an option while the current credential exists."""
    current, successor = Member(declared=2, is_renewed=True), f"{NAME}~2"
    group = Group(USER, SERVICE, {NAME: current, successor: current}, (A, B), {B.id: NAME})
    message = describe(InTheWay((A,)), group, successor, NOW)
    assert ("import" in message, f"delete it ({DELETE_A}" in message) == (False, True)
    first = Group(USER, SERVICE, {NAME: current}, (A,))
    assert "import it unchanged with `adopt: ACCAA`" in describe(InTheWay((A,)), first, NAME, NOW)


@pytest.mark.parametrize(
    ("unmanaged", "imports"),
    [
        ((EXPIRED,), ""),
        ((EXPIRING,), "import it unchanged with `adopt: ACCAA`"),
        ((A, B), "import one of them unchanged with `adopt: ACCAA` or `adopt: ACCAB`"),
    ],
    ids=["expired", "a different lifetime", "two of one"],
)
def test_no_option_that_is_rejected(unmanaged: tuple[Credential, ...], imports: str) -> None:
    """Adoption is not an option if it would be rejected next."""
    assert not isinstance(plan(Group(USER, SERVICE, {NAME: ADOPTING}, unmanaged))[NAME], Adopt)
    message = say(InTheWay(unmanaged))
    it = "it" if len(unmanaged) == 1 else "them"
    assert f"Options: delete {it} ({DELETE_A}" in message
    assert (imports in message) if imports else ("import" not in message)
    for found in unmanaged if imports else ():
        importing = replace(MEMBER, adopt=found.id)
        group = Group(USER, SERVICE, {NAME: importing}, unmanaged, imports={found.id: found})
        assert plan(group)[NAME] == Import(found)
    assert "; or declare no new credential (" in message
    assert "existing: adopt" not in message


@pytest.mark.parametrize(("seconds", "is_recent"), [(59, True), (60, False)])
def test_created_just_now(seconds: int, *, is_recent: bool) -> None:
    """A credential that a different run may be creating is not to be deleted."""
    message = say(InTheWay((A,)), now=A.created + timedelta(seconds=seconds))
    assert (f"delete it ({DELETE_A}), unless a different run is creating it;" in message) is is_recent


def test_replacement_does_not_adopt() -> None:
    """Adoption is not an option for a replacement, which never adopts."""
    replaced = replace(B, id="ACCAOLD")
    assert "existing: adopt" not in say(InTheWay((A,)), existing=[A, replaced], owners={replaced.id: NAME})


def test_unproven() -> None:
    """If the credential may be managed, the message has the options of a full run, and no command that deletes it."""
    message = say(Unproven((A,)))
    assert "already exists, and this run read only a part of the state, so the stack may manage it" in message
    assert message.endswith("Run with --refresh, without --target and --exclude")
    assert "delete" not in message
    assert A.id in message


def test_ambiguous() -> None:
    """The message about more unmanaged credentials than declared ones has the number and both commands."""
    message = say(Ambiguous((A, B)), ADOPTING)
    assert f"already exist, but only 1 is declared. Options: delete one ({DELETE_A} or aws" in message


@pytest.mark.parametrize(
    ("credential", "days", "words"),
    [
        (A, 30, "never expires, but the declared credential expires after 30 days"),
        (
            replace(A, expires=datetime(2026, 12, 21, tzinfo=UTC)),
            None,
            "expires on 2026-12-21, but the declared credential never expires",
        ),
        (A, 1, "never expires, but the declared credential expires after 1 day"),
        (EXPIRED, 1, "has expired"),
    ],
)
def test_not_adoptable(credential: Credential, days: int | None, words: str) -> None:
    """The message about a different expiry has both, and the command that deletes the credential."""
    member = replace(ADOPTING, lifetime=None if days is None else timedelta(days=days))
    assert say(NotAdoptable(credential), member) == (
        f"cannot adopt or import codecommit credential ACCAA of user jane: it {words}, which a reset does not"
        f" change. Delete it ({DELETE_A})"
    )


def test_not_adoptable_key() -> None:
    """An API key with an expiry becomes the declared one if the specs declare its lifetime."""
    key = replace(A, service="bedrock.amazonaws.com", family=Family.API_KEY, expires=A.created + timedelta(days=90))
    options = "Options: declare `expire: {after: 90d}` (in a program, `age_days=90`); or delete it ("
    assert options in say(NotAdoptable(key), ADOPTING)
    assert "Options" not in say(NotAdoptable(key), replace(ADOPTING, lifetime=timedelta(days=30)))


def test_not_found() -> None:
    """The message about a missing import has its id and the unmanaged ones, and both options."""
    message = say(NotFound("ACCAX", (A,)))
    assert "cannot import credential ACCAX as a codecommit credential of user jane: it does not exist" in message
    assert "unmanaged ACCAA does." in message
    assert f"Options: correct the id; or delete ACCAA ({DELETE_A}), so that `up` creates a new credential" in message
    assert "unmanaged ACCAA and ACCAB do." in say(NotFound("ACCAX", (A, B)))


def test_import() -> None:
    """The messages about the credential to import have its id, and its user, its owner or its expiry."""
    other = replace(A, user="john", service="logs.amazonaws.com")
    assert say(OfAnother(other)) == (
        "cannot import credential ACCAA as a codecommit credential of user jane: it is a logs credential of user john."
        " Options: declare it there; or correct the id"
    )
    assert say(Owned(A, "jane/codecommit/old")) == (
        "cannot import credential ACCAA as a codecommit credential of user jane: jane/codecommit/old manages or imports"
        " it. Options: correct the id; remove `adopt`; or if this is a renamed credential, keep it with `was: old` (in"
        " your own program, with an alias)"
    )
    assert "of user jane: a different resource of this stack manages or imports it" in say(Owned(A, ""))
    assert "`was" not in say(Owned(A, NAME)) + say(Owned(A, "")) + say(Owned(A, f"{NAME}~2"))
    assert "keep it with `was: old` (in your" in say(Owned(A, "jane/codecommit/old~2"))
    message = say(HasExpired(EXPIRED))
    assert "it has expired and cannot be reactivated" in message
    assert DELETE_A in message


def test_quota_exceeded() -> None:
    """The message about the quota has ids and owners, and no command that deletes a managed credential."""
    message = say(QuotaExceeded((A, B), {A.id: "jane/codecommit/a", B.id: ""}))
    assert "(ACCAA by jane/codecommit/a and ACCAB by this stack)" in message
    assert "if this is a renamed credential, keep it with `was: a`" in message
    declared = {NAME: MEMBER, "jane/codecommit/a": MEMBER}
    rejection = QuotaExceeded((A, B), {A.id: NAME, B.id: "jane/codecommit/a"})
    assert "`was" not in describe(rejection, Group(USER, SERVICE, declared), NAME, NOW)
    assert "delete-service-specific-credential" not in message
    assert say(QuotaExceeded((), {})) == (
        "quota exceeded: IAM allows two codecommit credentials per user, and jane's are in use (this run creates them)."
        " Options: remove this resource, run `up`, which deletes replaced and removed credentials, then add it"
        " again (if one was just deleted, run again in a minute)"
    )


def test_transformed() -> None:
    """The message about a transformed resource has the unmanaged credentials and the commands that delete them."""
    message = say(Transformed((A,)))
    assert "ACCAA (Active" in message
    assert "a transformation changed this resource's user, service or options" in message
    assert f"delete it ({DELETE_A})" in message
    assert f"delete them ({DELETE_A} and aws" in say(Transformed((A, B)))


@pytest.mark.parametrize(("existing", "which"), [((A, B), f" {A.id} and {B.id}"), ((), "")])
def test_protected(existing: tuple[Credential, ...], which: str) -> None:
    """The message about a protected credential has its id, the inputs that would replace it, and the options."""
    assert protected(USER, SERVICE, existing, ["age_days", "user"]) == (
        f"codecommit credential{which} of user jane is protected and cannot be replaced (age_days, user). Options: undo"
        " the change; or remove `protect` and run `pulumi state unprotect`, because the state protects it as well"
    )
