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
    assert "the account has no IAM user jane: create the user (aws iam create-user --user-name jane)" in say(
        MissingUser(None)
    )
    assert "the account has no IAM user jane: IAM renamed it to joan" in say(MissingUser("joan"))


def test_unknown_service() -> None:
    """The message about an unknown service has its full name."""
    assert "AWS knows no such credentials of codecommit.amazonaws.com" in say(UnknownService())


def test_declared_twice() -> None:
    """The message about too many resources has their names, and the number to declare unless there are three."""
    assert (
        "a and b declare a codecommit credential of user jane: say in each of them how many there are (declared=2)"
        in (say(DeclaredTwice(frozenset("ba"))))
    )
    assert say(DeclaredTwice(frozenset("abc"))) == (
        "a and b and c declare a codecommit credential of user jane: IAM allows two, so take out what is more"
    )


def test_in_the_way() -> None:
    """The message about an unmanaged credential has its id, status and date, and three options."""
    message = say(InTheWay((A,)))
    assert message.startswith(
        "no codecommit credential is made for user jane: ACCAA (Active, created on 2026-11-21, 3 days ago) is live"
    )
    assert f"Three ways out: delete it ({DELETE_A}); take it over with `existing: adopt`" in message
    assert "ACCAB" not in message


@pytest.mark.parametrize(
    "unmanaged", [(EXPIRED,), (EXPIRING,), (A, B)], ids=["expired", "a different lifetime", "two of one"]
)
def test_no_option_that_is_rejected(unmanaged: tuple[Credential, ...]) -> None:
    """Adoption is not an option if it would be rejected next."""
    assert not isinstance(plan(Group(USER, SERVICE, {NAME: ADOPTING}, unmanaged))[NAME], Adopt)
    message = say(InTheWay(unmanaged))
    it = "it" if len(unmanaged) == 1 else "them"
    assert f"Two ways out: delete {it} ({DELETE_A}" in message
    assert "or leave it to whom it serves, and take this credential out of the specs" in message
    assert "existing: adopt" not in message


def test_replacement_does_not_adopt() -> None:
    """Adoption is not an option for a replacement, which never adopts."""
    replaced = replace(B, id="ACCAOLD")
    assert "existing: adopt" not in say(InTheWay((A,)), existing=[A, replaced], owners={replaced.id: NAME})


@pytest.mark.parametrize(
    ("hours", "words"), [(-1, "0 days ago"), (23, "0 days ago"), (24, "1 day ago"), (48, "2 days ago")]
)
def test_age(hours: int, words: str) -> None:
    """The age is in whole days, and never negative, even if the clocks differ."""
    assert f", {words})" in say(InTheWay((A,)), now=A.created + timedelta(hours=hours))


def test_unproven() -> None:
    """If the credential may be managed, the message has the options of a full run, and no command that deletes it."""
    message = say(Unproven((A,)))
    assert "has it, or has left it when it was replaced" in message
    assert message.endswith("run with --refresh, and without --target and --exclude")
    assert "delete" not in message
    assert A.id in message


def test_ambiguous() -> None:
    """The message about more unmanaged credentials than declared ones has the number and both commands."""
    message = say(Ambiguous((A, B)), ADOPTING)
    assert f"only 1 is declared, so nobody can tell which is meant: delete one ({DELETE_A} or aws" in message


@pytest.mark.parametrize(
    ("credential", "days", "words"),
    [
        (A, 30, "never expires, and one of 30 days is wanted"),
        (
            replace(A, expires=datetime(2026, 12, 21, tzinfo=UTC)),
            None,
            "expires on 2026-12-21, and one that never expires is wanted",
        ),
        (A, 1, "never expires, and one of 1 day is wanted"),
        (EXPIRED, 1, "has expired"),
    ],
)
def test_not_adoptable(credential: Credential, days: int | None, words: str) -> None:
    """The message about a different expiry has both, and the command that deletes the credential."""
    member = replace(ADOPTING, lifetime=None if days is None else timedelta(days=days))
    assert say(NotAdoptable(credential), member) == (
        f"codecommit credential ACCAA of user jane cannot be adopted: it {words}, which Reset does not change: delete"
        f" it ({DELETE_A})"
    )


def test_not_found() -> None:
    """The message about a missing import has its id and the unmanaged ones, and both options."""
    message = say(NotFound("ACCAX", (A,)))
    assert "credential ACCAX, which user jane is to import as a codecommit credential, does not exist" in message
    assert "unmanaged ACCAA does." in message
    assert "Options: correct the id; or remove `adopt`" in message
    assert "unmanaged ACCAA and ACCAB do." in say(NotFound("ACCAX", (A, B)))


def test_import() -> None:
    """The messages about the credential to import have its id, and its user, its owner or its expiry."""
    other = replace(A, user="john", service="logs.amazonaws.com")
    assert (
        "credential ACCAA is a logs credential of user john, and user jane is to adopt it as a codecommit credential"
        in say(OfAnother(other))
    )
    assert "ACCAA of user jane cannot be adopted: jane/codecommit/old has it already" in say(
        Owned(A, "jane/codecommit/old")
    )
    assert "ACCAA of user jane cannot be adopted: another resource of this stack has it already" in say(Owned(A, ""))
    message = say(HasExpired(EXPIRED))
    assert "nobody can switch it on again" in message
    assert DELETE_A in message


def test_quota_exceeded() -> None:
    """The message about the quota has ids and owners, and no command that deletes a managed credential."""
    message = say(QuotaExceeded((A, B), {A.id: "jane/codecommit/a", B.id: ""}))
    assert "(ACCAA by jane/codecommit/a and ACCAB by this stack)" in message
    assert "`was: OLD-NAME`" in message
    assert "delete-service-specific-credential" not in message
    assert "planned (this run makes them) take both" in say(QuotaExceeded((), {}))


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
        f"codecommit credential{which} of user jane is protected, and would have to be replaced (age_days, user): take"
        " back what asks for another, or take `protect` out and, because the state has it too, run"
        " `pulumi state unprotect`"
    )
