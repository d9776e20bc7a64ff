"""What is done about a credential that a stack does not have yet, and why it is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from iamcreds.decision.deciding import (
    Adopt,
    AdoptNamed,
    Ambiguous,
    Create,
    DeclaredTwice,
    HasExpired,
    InTheWay,
    MissingUser,
    NoPlace,
    NotAdoptable,
    NotLive,
    OfAnother,
    Owned,
    Refusal,
    Situation,
    UnknownService,
    Unproven,
    Wanted,
    decide,
)
from iamcreds.decision.refusals import protected, sentence

from iamcreds.model import Credential, Existing, Status
from iamcreds.services import Family

NOW = datetime(2026, 11, 24, tzinfo=UTC)
WANTED = Wanted("jane", "codecommit.amazonaws.com")
ADOPTING = replace(WANTED, existing=Existing.ADOPT)
A, B = (
    Credential(
        f"ACCA{name}", "jane", WANTED.service, Status.ACTIVE, NOW - timedelta(days=3), Family.PASSWORD, "jane-at"
    )
    for name in "AB"
)
DELETE_A = "aws iam delete-service-specific-credential --user-name jane --service-specific-credential-id ACCAA"


def test_create() -> None:
    """Where nothing is live, one is created."""
    assert decide(WANTED, Situation()) == Create()


def test_beside_our_own() -> None:
    """Beside a credential of the stack's own there is a place for one more."""
    assert decide(WANTED, Situation(live=[A], owners={A.id: "jane/codecommit/old"})) == Create()


def test_in_the_way() -> None:
    """What no resource of the stack has stops a create, whatever number is declared; it is named with the ways out."""
    for declared in (1, 2):
        wanted = replace(WANTED, declared=declared)
        refusal = decide(wanted, Situation(live=[A, B], owners={B.id: "jane/codecommit"}))
        assert refusal == InTheWay((A,))
    said = sentence(InTheWay((A,)), WANTED, NOW)
    assert said.startswith(
        "no codecommit credential is made for user jane: ACCAA (Active, created on 2026-11-21, 3 days ago) is live"
    )
    assert f"Three ways out: delete it ({DELETE_A}); take it over with `existing: adopt`" in said
    assert "ACCAB" not in said


@pytest.mark.parametrize(
    "foreign",
    [
        (replace(A, status=Status.EXPIRED, expires=A.created + timedelta(days=1)),),
        (replace(A, expires=A.created + timedelta(days=30)),),
        (A, B),
    ],
)
def test_ways_out(foreign: tuple[Credential, ...]) -> None:
    """To adopt what is in the way is no way out where that would be refused next."""
    assert not isinstance(decide(ADOPTING, Situation(live=foreign)), Adopt)
    said = sentence(InTheWay(foreign), WANTED, NOW)
    it = "it" if len(foreign) == 1 else "them"
    assert f"Two ways out: delete {it} ({DELETE_A}" in said
    assert "or leave it to whom it serves, and take this credential out of the specs" in said
    assert "existing: adopt" not in said


@pytest.mark.parametrize(
    ("hours", "words"), [(-1, "0 days ago"), (23, "0 days ago"), (24, "1 day ago"), (48, "2 days ago")]
)
def test_age(hours: int, words: str) -> None:
    """The age of what is in the way is told in whole days, also where the clocks differ."""
    assert f", {words})" in sentence(InTheWay((A,)), WANTED, A.created + timedelta(hours=hours))


def test_adopt() -> None:
    """With `existing: adopt` the foreign one is taken over, and not one that a sibling is about to take over."""
    assert decide(ADOPTING, Situation(live=[A])) == Adopt(A)
    both = replace(ADOPTING, declared=2)
    assert decide(both, Situation(live=[A, B], adopted=frozenset({A.id}))) == Adopt(B)


def test_adopt_by_id() -> None:
    """What the spec names is taken over as it is, whatever else is live; an age that is declared has to be its own."""
    named = replace(WANTED, adopt=A.id)
    assert decide(named, Situation(live=[A, B], named=A)) == AdoptNamed(A)
    assert decide(named, Situation(live=[A, B], named=A, owners={B.id: "jane/b"})) == AdoptNamed(A)
    expiring = replace(A, expires=A.created + timedelta(days=90))
    assert decide(named, Situation(live=[expiring], named=expiring)) == AdoptNamed(expiring)
    assert decide(replace(named, age_days=90), Situation(live=[expiring], named=expiring)) == AdoptNamed(expiring)
    assert decide(replace(named, age_days=30), Situation(live=[expiring], named=expiring)) == NotAdoptable(expiring)


def test_not_adopted_by_id() -> None:
    """What is not live, another's, owned, adopted by a sibling, expired or unproven is not taken over, and told."""
    named = replace(WANTED, adopt=A.id)
    others = replace(A, user="john", service="logs.amazonaws.com")
    expired = replace(A, status=Status.EXPIRED)
    refused: dict[Refusal, Situation] = {
        NotLive(A.id): Situation(live=[B]),
        OfAnother(others): Situation(named=others),
        Owned(A, "jane/codecommit/old"): Situation(live=[A], named=A, owners={A.id: "jane/codecommit/old"}),
        Owned(A, ""): Situation(live=[A], named=A, adopted=frozenset({A.id})),
        HasExpired(expired): Situation(live=[expired], named=expired),
    }
    for refusal, situation in refused.items():
        assert decide(named, situation) == refusal
        assert A.id in sentence(refusal, named, NOW)
    assert decide(named, Situation(live=[A], named=A, is_whole=False)) == Unproven((A,))
    assert "which user jane is to adopt, is not live: correct the id" in sentence(NotLive(A.id), named, NOW)
    assert "is a logs credential of user john, and user jane is to adopt it as a codecommit credential" in sentence(
        OfAnother(others), named, NOW
    )
    assert "jane/codecommit/old has it already" in sentence(Owned(A, "jane/codecommit/old"), named, NOW)
    assert "another resource of this stack has it already" in sentence(Owned(A, ""), named, NOW)
    assert "nobody can switch it on again" in sentence(HasExpired(expired), named, NOW)


def test_claimed() -> None:
    """What a sibling's spec names to be adopted is foreign to nobody: neither in the way nor taken by another."""
    claimed = frozenset({A.id})
    assert decide(replace(WANTED, declared=2), Situation(live=[A], claimed=claimed)) == Create()
    assert decide(replace(ADOPTING, declared=2), Situation(live=[A, B], claimed=claimed)) == Adopt(B)


def test_siblings_that_adopt() -> None:
    """What siblings will adopt is in nobody's way, whoever is asked first; one that nobody can adopt is."""
    wanted = replace(WANTED, declared=2)
    assert decide(wanted, Situation(live=[A], adopters=[None])) == Create()
    assert decide(wanted, Situation(live=[A, B], adopters=[None])) == InTheWay((B,)), "A is the sibling's"
    assert isinstance(decide(wanted, Situation(live=[A, B], adopters=[None, None])), NoPlace)
    assert decide(wanted, Situation(live=[replace(A, status=Status.EXPIRED)], adopters=[None])) != Create()
    assert decide(replace(wanted, declared=1), Situation(live=[A], adopters=[None], is_whole=False)) == Unproven((A,))
    assert decide(replace(ADOPTING, declared=2), Situation(live=[A], adopters=[None])) == Adopt(A)
    aged = replace(wanted, age_days=30)
    assert decide(aged, Situation(live=[A], adopters=[None])) == Create(), "it is about what the sibling adopts"
    assert decide(wanted, Situation(live=[A], adopters=[30])) == InTheWay((A,))
    assert decide(replace(aged, existing=Existing.ADOPT), Situation(live=[A], adopters=[30, None])) == Create()
    assert decide(replace(aged, existing=Existing.ADOPT), Situation(live=[A], adopters=[30])) == NotAdoptable(A)


def test_ambiguous() -> None:
    """Where more is foreign than is declared, nobody can tell which is meant: none is reset."""
    assert decide(ADOPTING, Situation(live=[A, B])) == Ambiguous((A, B))
    said = sentence(Ambiguous((A, B)), ADOPTING, NOW)
    assert f"only 1 is declared, so nobody can tell which is meant: delete one ({DELETE_A} or aws" in said


@pytest.mark.parametrize(
    ("live", "age_days", "is_adoptable"),
    [
        (A, None, True),
        (A, 30, False),
        (replace(A, expires=A.created + timedelta(days=30)), 30, True),
        (replace(A, expires=A.created + timedelta(days=30)), None, False),
        (replace(A, expires=A.created + timedelta(days=30)), 31, False),
        (replace(A, expires=A.created + timedelta(days=1), status=Status.EXPIRED), 1, False),
        (replace(A, status=Status.INACTIVE), None, True),
    ],
)
def test_adoptable(live: Credential, age_days: int | None, *, is_adoptable: bool) -> None:
    """Only what a Reset makes right is adopted: an expiry stays as it is, and an expired one is dead."""
    wanted = replace(ADOPTING, age_days=age_days)
    expected = Adopt(live) if is_adoptable else NotAdoptable(live)
    assert decide(wanted, Situation(live=[live])) == expected
    if not is_adoptable:
        assert DELETE_A in sentence(NotAdoptable(live), wanted, NOW)
    not_known_yet = decide(replace(ADOPTING, is_lifetime_known=False), Situation(live=[live]))
    assert not_known_yet == (NotAdoptable(live) if live.status is Status.EXPIRED else Adopt(live))


@pytest.mark.parametrize(
    ("live", "age_days", "words"),
    [
        (A, 30, "never expires, and one of 30 days is wanted"),
        (
            replace(A, expires=datetime(2026, 12, 21, tzinfo=UTC)),
            None,
            "expires on 2026-12-21, and one that never expires is wanted",
        ),
        (A, 1, "never expires, and one of 1 day is wanted"),
        (replace(A, expires=A.created + timedelta(days=1), status=Status.EXPIRED), 1, "has expired"),
    ],
)
def test_not_adoptable(live: Credential, age_days: int | None, words: str) -> None:
    """When it ends, and when it should, is said of what cannot be adopted, with the command that makes room."""
    assert sentence(NotAdoptable(live), replace(ADOPTING, age_days=age_days), NOW) == (
        f"codecommit credential ACCAA of user jane cannot be adopted: it {words}, which Reset does not change: delete"
        f" it ({DELETE_A})"
    )


def test_no_place() -> None:
    """IAM's two places, whoever of the stack's own has or is about to get them, are all there is."""
    owners = {A.id: "jane/codecommit/a", B.id: ""}
    assert isinstance(decide(WANTED, Situation(live=[A, B], owners=owners)), NoPlace)
    assert isinstance(decide(WANTED, Situation(live=[A], owners=owners, coming=1)), NoPlace)
    assert isinstance(decide(WANTED, Situation(coming=2)), NoPlace)
    assert decide(WANTED, Situation(live=[A], owners=owners)) == Create()
    assert decide(WANTED, Situation(coming=1)) == Create()
    said = sentence(NoPlace((A, B), owners), WANTED, NOW)
    assert "(ACCAA by jane/codecommit/a and ACCAB by this stack)" in said
    assert "`was: OLD-NAME`" in said
    assert "planned (this run makes them) take both" in sentence(NoPlace((), {}), WANTED, NOW)
    assert "delete-service-specific-credential" not in said


def test_leaving() -> None:
    """What is deleted before the create needs no place."""
    owners = {A.id: "jane/codecommit", B.id: "jane/codecommit/b"}
    assert decide(WANTED, Situation(live=[A, B], owners=owners, leaving=frozenset({A.id}))) == Create()


def test_no_successor_beside_a_foreign_one() -> None:
    """Nothing of ours is deleted for a successor while somebody else's is in the other place."""
    assert decide(WANTED, Situation(live=[A, B], owners={A.id: "r"}, leaving=frozenset({A.id}))) == InTheWay((B,))


def test_unproven() -> None:
    """Where the state was not seen whole, nothing is called foreign: no command to delete it, and no reset."""
    for wanted in (WANTED, ADOPTING):
        assert decide(wanted, Situation(live=[A], is_whole=False)) == Unproven((A,))
        said = sentence(Unproven((A,)), wanted, NOW)
        assert said.endswith("run with --refresh, and without --target and --exclude")
        assert "delete" not in said
    assert decide(replace(WANTED, declared=2), Situation(live=[A], is_whole=False)) == Create()


def test_replaced_and_left() -> None:
    """What is older than one of ours that was not read may be what that one has replaced: it is not called foreign."""
    younger = replace(B, created=A.created + timedelta(seconds=1))
    for wanted in (WANTED, ADOPTING, replace(ADOPTING, declared=2)):
        for old, new in ((A, younger), (A, replace(B, created=A.created))):
            ours = Situation(live=[old, new], owners={new.id: "r"}, unread=frozenset({new.id}))
            assert decide(wanted, ours) == Unproven((old,))
            assert isinstance(decide(wanted, replace(ours, unread=frozenset())), InTheWay | Adopt)
    leaving = Situation(live=[A, B], owners={B.id: "r"}, unread=frozenset({B.id}), leaving=frozenset({B.id}))
    assert decide(replace(WANTED, declared=2), leaving) == Unproven((A,))
    later = Situation(live=[A, younger], owners={A.id: "r"}, unread=frozenset({A.id}))
    assert decide(WANTED, later) == InTheWay((younger,))
    said = sentence(Unproven((A,)), WANTED, NOW)
    assert "has it, or has left it when it was replaced" in said


def test_missing_user() -> None:
    """A user who does not exist is told before anything else, under the new name where IAM has renamed the user."""
    situation = Situation(has_user=False, has_service=False)
    assert decide(WANTED, situation) == MissingUser(None)
    assert "the account has no IAM user jane: create" in sentence(MissingUser(None), WANTED, NOW)
    assert decide(WANTED, replace(situation, renamed_to="joan")) == MissingUser("joan")
    assert "IAM renamed it to joan, and so must the specs" in sentence(MissingUser("joan"), WANTED, NOW)


def test_unknown_service() -> None:
    """A service that AWS does not know is told."""
    assert decide(WANTED, Situation(has_service=False)) == UnknownService()
    assert "AWS knows no such credentials of codecommit.amazonaws.com" in sentence(UnknownService(), WANTED, NOW)


def test_declared_twice() -> None:
    """Two resources that each say to be the only one are told; two that say two are not."""
    situation = Situation(declaring=frozenset({"b", "a"}))
    assert decide(WANTED, situation) == DeclaredTwice(frozenset({"a", "b"}))
    assert (
        "a and b declare a codecommit credential of user jane: say in each of them how many there are (declared=2)"
        in (sentence(DeclaredTwice(frozenset({"a", "b"})), WANTED, NOW))
    )
    assert decide(replace(WANTED, declared=2), situation) == Create()
    assert sentence(DeclaredTwice(frozenset("abc")), WANTED, NOW) == (
        "a and b and c declare a codecommit credential of user jane: IAM allows two, so take out what is more"
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Any situation of a user who exists."""
    live = draw(st.lists(st.sampled_from([A, B]), unique=True))
    ids = st.frozensets(st.sampled_from([A.id, B.id]))
    return Situation(
        live=live,
        owners=dict.fromkeys(draw(ids), "r"),
        unread=draw(ids),
        is_whole=draw(st.booleans()),
        leaving=draw(ids),
        adopted=draw(ids),
        coming=draw(st.integers(0, 2)),
    )


@given(situations(), st.sampled_from(list(Existing)), st.integers(1, 2))
def test_never(situation: Situation, existing: Existing, declared: int) -> None:
    """Our own is never adopted nor named as foreign, nothing is without proof, and there are never three."""
    wanted = replace(WANTED, existing=existing, declared=declared)
    decision = decide(wanted, situation)
    match decision:
        case Adopt(live):
            assert existing is Existing.ADOPT
            assert situation.is_whole
            assert live.id not in situation.owners
        case InTheWay(foreign) | Ambiguous(foreign):
            assert situation.is_whole
            assert not {live.id for live in foreign} & situation.owners.keys()
        case Create():
            assert len(situation.staying) + situation.coming < 2 or not situation.is_whole


@pytest.mark.parametrize(("live", "which"), [((A, B), f" {A.id} and {B.id}"), ((), "")])
def test_protected(live: tuple[Credential, ...], which: str) -> None:
    """A protected credential is named by its id, where it is live, with all that would replace it and the way out."""
    assert protected("jane", "codecommit.amazonaws.com", live, ["age_days", "user"]) == (
        f"codecommit credential{which} of user jane is protected, and would have to be replaced (age_days, user): take"
        " back what asks for another, or take `protect` out and, because the state has it too, run"
        " `pulumi state unprotect`"
    )
