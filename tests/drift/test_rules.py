"""The words of every rule: states contain some of them, and people read all of them."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from iamcreds.desired import Desired, DesiredCredential, Retire, RotationPolicy
from iamcreds.drift.comparing import Drift, compare, list_rules
from iamcreds.drift.rules.access_key_limits import AccessKeyIdle, AccessKeyTooOld, TooManyAccessKeys
from iamcreds.drift.rules.changed import Deactivated, ResetPending, RetiredIsActive, StatusDiffers
from iamcreds.drift.rules.checked_credential import CheckedCredential
from iamcreds.drift.rules.credential_limits import (
    CredentialTooOld,
    LifetimeTooLong,
    NoExpiry,
    ServiceNotAllowed,
)
from iamcreds.drift.rules.delivery import DeliveryLost, LeftoverSecret, NotPickedUp
from iamcreds.drift.rules.expiring import ExpiringSoon, RenewalOverdue
from iamcreds.drift.rules.expiry import Expired, ExpiryDiffers
from iamcreds.drift.rules.missing import MissingCredential, MissingUser, MissingWatchedUser
from iamcreds.drift.rules.next_rotation import RotationFacts
from iamcreds.drift.rules.rotation import RotationDifference, RotationDue, RotationOverdue, RotationPending
from iamcreds.drift.rules.undeclared import NoLongerDeclared, UndeclaredUser, UnmanagedCredential, UnresolvedCreate
from iamcreds.model import (
    AccessKey,
    Credential,
    CredentialReport,
    Inventory,
    RecordedCredential,
    SourceLocation,
    Status,
)
from iamcreds.report.summary import describe_limits
from iamcreds.services import Family
from iamcreds.slots import PreviousCredential
from tests.documents.reading import parse
from tests.text.test_commands import take_apart

if TYPE_CHECKING:
    from iamcreds.drift.rules.difference import Difference

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SERVICE = "codecommit.amazonaws.com"
PLACE = SourceLocation("specs/jane.yaml", 4, 9)
WANTED = DesiredCredential("jane", SERVICE, "codecommit", PLACE)
MAIN, SPARE = (replace(WANTED, name="main", status=Status.ACTIVE), replace(WANTED, name="spare"))
ON = Credential("ACCA0", "jane", SERVICE, Status.ACTIVE, NOW, Family.PASSWORD, "jane-at-1")
OFF = replace(ON, id="ACCA1", status=Status.INACTIVE)
ENDING = replace(ON, expires=NOW + timedelta(days=3))
KEYS = (
    AccessKey("AKIA0", "jane", Status.ACTIVE, datetime(2023, 1, 2, tzinfo=UTC), datetime(2023, 3, 4, tzinfo=UTC)),
    AccessKey("AKIA1", "jane", Status.INACTIVE, NOW),
)
RECORDED = RecordedCredential("jane/x\n", "ACCA0", "jane", SERVICE, NOW)
JANE: dict[str, Any] = {"user": "jane", "service": SERVICE}
BEDROCK = "bedrock.amazonaws.com"
KEY = replace(ON, service=BEDROCK, family=Family.API_KEY)
LIMITED: dict[str, Any] = {"user": "jane", "service": BEDROCK, "existing": (KEY,)}
CHECKED = CheckedCredential(user="jane", service=BEDROCK, existing=KEY)
NEW = replace(CHECKED, existing=None, name="bedrock")

POLICY = RotationPolicy(overlap_hours=7 * 24, every_hours=90 * 24)
ROTATING = replace(WANTED, rotate=POLICY, trigger="b\u202e")
DUE = datetime(2027, 2, 25, tzinfo=UTC)
DEFERRED = replace(ROTATING, rotate=replace(POLICY, not_before=DUE))


def rotating(existing: Credential, desired: DesiredCredential = ROTATING, **facts: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the fields of a difference about the rotation of an existing credential."""
    facts |= {"desired": desired, "recorded": replace(RECORDED, trigger="a"), "existing": existing, "at": DUE}
    fields = {"desired": (desired,), "existing": (existing,), "facts": RotationFacts(**facts)}
    return {**JANE, "service": existing.service, **fields}


class Expected(NamedTuple):
    """The message, the desired and the actual state of a difference in words."""

    message: str
    desired: str | None = None
    existing: str | None = None


EXPECTED: list[tuple[Difference, Expected]] = [
    (
        MissingUser(user="jane", desired=(MAIN, SPARE)),
        Expected(
            "the IAM user does not exist, so 2 declared credentials cannot be created", "2 credentials", "no such user"
        ),
    ),
    (
        MissingUser(user="jane", desired=()),
        Expected("the IAM user does not exist", "0 credentials", "no such user"),
    ),
    (
        MissingUser(user="jane", desired=(MAIN,), is_created_by_stack=True),
        Expected(
            "the IAM user does not exist yet, so 1 declared credential cannot be created",
            "1 credential",
            "not created yet",
        ),
    ),
    (
        MissingCredential(**JANE, desired=(WANTED,), existing=(), recorded="ACCA0"),
        Expected(
            "codecommit credential is declared, but ACCA0, which the state has, does not exist", "codecommit", "none"
        ),
    ),
    (
        MissingCredential(**JANE, desired=(WANTED,), existing=(), recorded="ACCA0", current_user="joan"),
        Expected(
            "codecommit credential is declared, but ACCA0, which the state has, belongs to user joan: the user was"
            " renamed in IAM",
            "codecommit",
            "none",
        ),
    ),
    (
        UnmanagedCredential(**JANE, desired=(MAIN,), existing=(ON,), is_state_known=True),
        Expected(
            "codecommit credential ACCA0 (Active, created on 2026-11-23) exists, but the stack does not manage it",
            "main Active",
            "Active, created on 2026-11-23",
        ),
    ),
    (
        UnmanagedCredential(**JANE, desired=(replace(MAIN, adopt="ACCA1"),), existing=(ON,)),
        Expected(
            "codecommit credential ACCA0 (Active, created on 2026-11-23) exists, but `adopt` declares a different id",
            "main Active",
            "Active, created on 2026-11-23",
        ),
    ),
    (
        ResetPending(**JANE, desired=(replace(WANTED, reset="b\u202e"),), existing=(ON,), recorded=None),
        Expected(
            'codecommit credential ACCA0 has a pending reset (declared: "b\\u202e", applied: no reset)',
            '"b\\u202e"',
            "no reset",
        ),
    ),
    (
        ExpiryDiffers(**LIMITED, desired=(replace(WANTED, service=BEDROCK, expire_after_days=1),), recorded=RECORDED),
        Expected(
            "bedrock credential ACCA0 never expires, but it is declared with `expire: {after: 1d}`",
            "1 day",
            "no expiry",
        ),
    ),
    (
        RotationOverdue(**rotating(ON), overdue=DUE),
        Expected(
            "password of codecommit credential ACCA0 was issued on 2026-11-23, and its rotation has been overdue since"
            " 2027-02-25",
            "every 90 days",
            "issued on 2026-11-23",
        ),
    ),
    (
        RotationOverdue(
            **rotating(replace(KEY, expires=ENDING.expires), replace(ROTATING, rotate=replace(POLICY, every_hours=36))),
            overdue=DUE,
        ),
        Expected(
            "API key of bedrock credential ACCA0 was issued on 2026-11-23, and its rotation has been overdue since"
            " 2027-02-25. It expires on 2026-11-26",
            "every 36 hours",
            "issued on 2026-11-23",
        ),
    ),
    (
        RotationOverdue(**rotating(OFF), overdue=DUE),
        Expected(
            "password of codecommit credential ACCA1 was issued on 2026-11-23, and its rotation has been overdue since"
            " 2027-02-25. It is not rotated, because it was deactivated outside Pulumi",
            "every 90 days",
            "issued on 2026-11-23",
        ),
    ),
    (
        RotationPending(**rotating(ON, previous=PreviousCredential(OFF, ROTATING, DUE))),
        Expected(
            'codecommit credential ACCA0 has a pending rotation (declared: "b\\u202e", applied: "a")',
            '"b\\u202e"',
            '"a"',
        ),
    ),
    (
        RetiredIsActive(**JANE, desired=(ROTATING,), existing=(ON,)),
        Expected(
            "codecommit credential ACCA0 is Active, but it is the retired previous credential of jane/codecommit",
            "Inactive",
            "Active",
        ),
    ),
    (
        RetiredIsActive(
            **JANE, desired=(replace(ROTATING, rotate=replace(POLICY, retire=Retire.DELETE)),), existing=(ON,)
        ),
        Expected(
            "codecommit credential ACCA0 is Active, but it is the retired previous credential of jane/codecommit",
            "Inactive",
            "Active",
        ),
    ),
    (
        Deactivated(**JANE, desired=(ROTATING,), existing=(OFF,), may_be_previous=True),
        Expected(
            "codecommit credential ACCA1 is Inactive. Either it was deactivated outside Pulumi, or it is the previous"
            " one and the current one is missing",
            "codecommit",
            "Inactive, created on 2026-11-23",
        ),
    ),
    (
        UnresolvedCreate(**JANE, desired=(MAIN,), existing=(ON, OFF), resource="jane/x\n"),
        Expected(
            "the state has a pending create of jane/x\\n, and codecommit credential ACCA0 or ACCA1 may be its result",
            "main Active",
            "ACCA0 Active, ACCA1 Inactive",
        ),
    ),
    (
        UnresolvedCreate(**JANE, existing=(), resource="jane/x"),
        Expected("the state has a pending create of jane/x", "none", "none"),
    ),
    (
        NoLongerDeclared(**JANE, existing=(ON,), recorded=RECORDED),
        Expected(
            "codecommit credential ACCA0 (Active, created on 2026-11-23) of jane/x\\n is in the state, but no spec"
            " declares it",
            "none",
            "Active, created on 2026-11-23",
        ),
    ),
    (
        NoLongerDeclared(**JANE, existing=(), recorded=replace(RECORDED, is_leaving=True)),
        Expected(
            "codecommit credential ACCA0 (missing) of jane/x\\n was replaced, but has not been deleted yet",
            "none",
            "missing",
        ),
    ),
    (
        MissingUser(user="jane", desired=(MAIN,), renamed_to="jane-doe"),
        Expected(
            "the IAM user does not exist, so 1 declared credential cannot be created: it was probably renamed to"
            " jane-doe in IAM",
            "1 credential",
            "probably renamed to jane-doe",
        ),
    ),
    (
        MissingCredential(**JANE, desired=(WANTED,), existing=()),
        Expected("codecommit credential is declared, but does not exist", "codecommit", "none"),
    ),
    (
        MissingCredential(**JANE, desired=(MAIN,), existing=()),
        Expected("codecommit credential main is declared, but does not exist", "main Active", "none"),
    ),
    (
        MissingCredential(**JANE, desired=(MAIN, SPARE), existing=(OFF,)),
        Expected(
            "2 codecommit credentials are declared (main Active, spare), but only 1 exists (ACCA1 Inactive); only the"
            " state shows which one is missing",
            "main Active, spare",
            "ACCA1 Inactive",
        ),
    ),
    (
        UnmanagedCredential(**JANE, desired=(), existing=(ON,)),
        Expected(
            "codecommit credential ACCA0 (Active, created on 2026-11-23) exists, but none is declared",
            "none",
            "Active, created on 2026-11-23",
        ),
    ),
    (
        UnmanagedCredential(**JANE, desired=(MAIN,), existing=(ON, OFF)),
        Expected(
            "2 codecommit credentials exist (ACCA0 Active, ACCA1 Inactive), but only 1 is declared (main Active);"
            " only the state shows which is unmanaged",
            "main Active",
            "ACCA0 Active, ACCA1 Inactive",
        ),
    ),
    (
        UndeclaredUser(**JANE, existing=(ON,)),
        Expected(
            "has codecommit credential ACCA0 (Active, created on 2026-11-23), but no spec declares this user",
            None,
            "Active, created on 2026-11-23",
        ),
    ),
    (
        StatusDiffers(**JANE, desired=(WANTED,), existing=(OFF,), status=Status.ACTIVE),
        Expected("codecommit credential ACCA1 is Inactive, but it is declared Active", "Active", "Inactive"),
    ),
    (
        StatusDiffers(**JANE, desired=(MAIN, SPARE), existing=(ON, replace(ON, id="ACCA2")), status=Status.INACTIVE),
        Expected(
            "1 of the codecommit credentials ACCA0 and ACCA2 must be Inactive, because main or spare is declared"
            " Inactive",
            "Inactive",
            "ACCA0 Active, ACCA2 Active",
        ),
    ),
    (
        Deactivated(**JANE, desired=(WANTED,), existing=(OFF,)),
        Expected(
            "codecommit credential ACCA1 is Inactive: it was deactivated outside Pulumi and stays Inactive; declare"
            " `status: Inactive` if this is intended",
            "codecommit",
            "Inactive, created on 2026-11-23",
        ),
    ),
    (
        Deactivated(**JANE, desired=(WANTED,), existing=(OFF, replace(OFF, id="ACCA2"))),
        Expected(
            "1 of the codecommit credentials ACCA1 and ACCA2 is Inactive without a declared status: it was deactivated"
            " outside Pulumi and stays Inactive; declare `status: Inactive` if this is intended",
            "codecommit",
            "ACCA1 Inactive, ACCA2 Inactive",
        ),
    ),
    (
        Expired(**JANE, desired=(WANTED,), existing=(ENDING,)),
        Expected("codecommit credential ACCA0 expired on 2026-11-26", "codecommit", "Expired on 2026-11-26"),
    ),
    (
        Expired(**JANE, desired=(WANTED,), existing=(replace(ON, status=Status.EXPIRED),)),
        Expected("codecommit credential ACCA0 expired", "codecommit", "Expired"),
    ),
    (
        Expired(**JANE, desired=(WANTED,), existing=(ENDING,), is_managed=True, is_kept=True),
        Expected(
            "codecommit credential ACCA0 expired on 2026-11-26, and is not replaced, because it was deactivated"
            " manually before its expiry",
            "codecommit",
            "Expired on 2026-11-26",
        ),
    ),
    (
        ExpiringSoon(**JANE, desired=(WANTED,), existing=(ENDING,)),
        Expected(
            "codecommit credential ACCA0 expires on 2026-11-26. If the stack manages it, pulumi up replaces it from"
            " then on",
            "codecommit",
            "expires on 2026-11-26",
        ),
    ),
    *(
        (
            ExpiringSoon(**{**JANE, "desired": (WANTED,), "existing": (ENDING,)} | fields),
            Expected(
                f"codecommit credential ACCA0 expires on 2026-11-26, {plan}", "codecommit", "expires on 2026-11-26"
            ),
        )
        for fields, plan in (
            ({"due": NOW}, "and its renewal has been due since 2026-11-23"),
            ({"due": NOW, "desired": (ROTATING,)}, "and its rotation has been due since 2026-11-23"),
            ({"desired": (DEFERRED,)}, "and `notBefore` defers its rotation to 2027-02-25"),
            ({"recorded": RECORDED}, "and pulumi up replaces it from then on"),
            ({"recorded": replace(RECORDED, is_protected=True)}, "and `protect` prevents its replacement"),
            (
                {"recorded": RECORDED, "is_kept": True},
                "and pulumi up does not replace it, because it was deactivated manually",
            ),
            (
                {"desired": (replace(WANTED, expire_after_days=9),)},
                "and the next pulumi up replaces it, because its lifetime is not the declared one",
            ),
        )
    ),
    (
        RenewalOverdue(**LIMITED | {"existing": (replace(KEY, expires=DUE),)}, desired=(WANTED,), due=NOW, overdue=NOW),
        Expected(
            "bedrock credential ACCA0 has no successor, and its renewal has been overdue since 2026-11-23 (due since"
            " 2026-11-23). It expires on 2027-02-25",
            "codecommit",
            "expires on 2027-02-25",
        ),
    ),
    (
        RotationDue(**rotating(replace(KEY, expires=ENDING.expires)), due=DUE),
        Expected(
            "rotation of bedrock credential ACCA0 has been due since 2027-02-25. It expires on 2026-11-26",
            "every 90 days",
            "issued on 2026-11-23",
        ),
    ),
    (
        CredentialTooOld(
            **JANE, existing=(ON,), limit=90, checked=replace(CHECKED, issued=datetime(2026, 8, 1, tzinfo=UTC))
        ),
        Expected(
            "password of codecommit credential ACCA0 is older than 90 days: issued on 2026-08-01",
            "at most 90 days old",
            "issued on 2026-08-01",
        ),
    ),
    (
        CredentialTooOld(**LIMITED, limit=1, checked=CHECKED),
        Expected(
            "API key of bedrock credential ACCA0 is older than 1 day: created on 2026-11-23 (the date of a later reset"
            " is unknown)",
            "at most 1 day old",
            "created on 2026-11-23 (the date of a later reset is unknown)",
        ),
    ),
    (
        NoExpiry(**LIMITED, limit=(BEDROCK,), checked=CHECKED, days=90),
        Expected("bedrock credential ACCA0 never expires, but the policy requires an expiry", "an expiry", "no expiry"),
    ),
    (
        NoExpiry(**LIMITED | {"existing": (replace(KEY, expires=ENDING.expires),)}, limit=(), checked=CHECKED, days=3),
        Expected(
            "bedrock credential ACCA0 expires on 2026-11-26, but it is declared without `expire`, so its replacement"
            " never expires",
            "an expiry",
            "no `expire`",
        ),
    ),
    (
        NoExpiry(**LIMITED | {"existing": ()}, limit=(BEDROCK,), checked=replace(NEW, name="main"), days=90),
        Expected(
            "bedrock credential main is declared without `expire`, but the policy requires an expiry",
            "an expiry",
            "no expiry",
        ),
    ),
    (
        LifetimeTooLong(
            **LIMITED | {"existing": (replace(KEY, expires=NOW + timedelta(days=365)),)},
            limit=90,
            checked=CHECKED,
            is_declared_too_long=False,
        ),
        Expected(
            "bedrock credential ACCA0 has a lifetime of 365 days, but the policy allows at most 90 days",
            "at most 90 days",
            "365 days",
        ),
    ),
    (
        LifetimeTooLong(
            **LIMITED | {"existing": ()}, limit=90, checked=replace(NEW, age_days=91), is_declared_too_long=True
        ),
        Expected(
            "bedrock credential is declared with a lifetime of 91 days, but the policy allows at most 90 days",
            "at most 90 days",
            "91 days",
        ),
    ),
    (
        ServiceNotAllowed(**JANE, existing=(ON,), limit=(BEDROCK, "cassandra.amazonaws.com"), checked=CHECKED),
        Expected(
            "codecommit credential ACCA0 is not allowed: the policy allows only bedrock, keyspaces",
            "bedrock, keyspaces",
            "codecommit",
        ),
    ),
]
"""The differences in the output of commands."""

IN_STATES: list[tuple[Difference, Expected]] = [
    (
        MissingWatchedUser(user="jane"),
        Expected("the IAM user does not exist, so there are no access keys to watch"),
    ),
    (
        MissingWatchedUser(user="jane", case_variant="Jane"),
        Expected("the IAM user does not exist, so there are no access keys to watch: IAM has user Jane"),
    ),
    (
        TooManyAccessKeys(user="jane", limit=1, existing=KEYS),
        Expected(
            "has 2 access keys (AKIA0, AKIA1), but the policy allows at most 1",
            "at most 1",
            "AKIA0 Active, AKIA1 Inactive",
        ),
    ),
    (
        TooManyAccessKeys(user="jane", limit=0, existing=KEYS[:1]),
        Expected("has 1 access key (AKIA0), but the policy allows at most 0", "at most 0", "AKIA0 Active"),
    ),
    (
        AccessKeyTooOld(user="jane", limit=1_000, existing=KEYS[:1]),
        Expected(
            "access key AKIA0 is older than 1000 days: created on 2023-01-02",
            "at most 1000 days old",
            "created on 2023-01-02",
        ),
    ),
    (
        AccessKeyIdle(user="jane", limit=1, existing=KEYS[:1]),
        Expected(
            "access key AKIA0 has not been used for 1 day: last used on 2023-03-04",
            "used within 1 day",
            "last used on 2023-03-04",
        ),
    ),
    (
        AccessKeyIdle(user="jane", limit=45, existing=KEYS[1:]),
        Expected(
            "access key AKIA1 has not been used for 45 days: never used, created on 2026-11-23",
            "used within 45 days",
            "never used, created on 2026-11-23",
        ),
    ),
]
"""The differences in states of `AccessKeys`."""


@pytest.mark.parametrize(("difference", "expected"), [*EXPECTED, *IN_STATES])
def test_words(difference: Difference, expected: Expected) -> None:
    """Each difference has exactly these words."""
    words = difference.describe()
    assert (words.message, words.desired, words.existing) == expected


def test_every_difference_has_words() -> None:
    """Every rule is in the examples above, except those in test_deliveries.py."""
    shown = {type(difference) for difference, _ in [*EXPECTED, *IN_STATES]}
    assert shown == set(list_rules()) - {DeliveryLost, LeftoverSecret, NotPickedUp}


@pytest.mark.parametrize("difference", [difference for difference, _ in [*EXPECTED, *IN_STATES]])
def test_every_difference_has_a_next_step(difference: Difference) -> None:
    """Each difference has a next step on one line, which contains the id if it needs one."""
    step = difference.describe().next
    assert step.isprintable()
    is_open = isinstance(difference, Deactivated) and difference.may_be_previous
    is_about_id = difference.id and not is_open and not isinstance(difference, ExpiringSoon | UnresolvedCreate)
    assert not is_about_id or difference.id in step or "pulumi up" in step


@pytest.mark.parametrize("user", ["jane", "-x", "o'brien; rm -rf x", "$(x)"])
@pytest.mark.parametrize("difference", [difference for difference, _ in [*EXPECTED, *IN_STATES]])
def test_next_step_can_be_pasted(difference: Difference, user: str) -> None:
    """Each command in a next step is valid for the command line and for AWS, whatever the name of the user."""
    fields: dict[str, Any] = {"user": user}
    if existing := getattr(difference, "existing", ()):
        fields["existing"] = tuple(replace(one, user=user) for one in existing)
    if isinstance(difference, RotationDifference):
        fields["facts"] = replace(difference.facts, existing=fields["existing"][0])
    step = replace(difference, **fields).describe().next
    for command in re.findall(r"(?:aws|iamcreds) .*?(?=, (?:or|which) |$)", step):
        program, *words = shlex.split(command)
        if program == "aws":
            assert take_apart(command)[1]["UserName"] == user
        else:
            parse([word for word in words if word not in {"-", "--state"}])
            assert "dump" not in words or {user, f"--user={user}"} & set(words)


def test_next_step_of_a_made_user() -> None:
    """A user that the specs create is created by the next `up`, unless IAM has renamed the user."""
    missing = MissingCredential(**JANE, desired=(WANTED,), existing=(), recorded="ACCA0", current_user="joan")
    assert missing.describe().next.endswith(
        "or run only pulumi up, which creates a new credential and deletes the recorded one"
    )
    assert replace(missing, current_user=None).describe().next == "pulumi up"
    created = MissingUser(user="jane", desired=(), is_created_by_stack=True)
    assert created.describe().next == "pulumi up, which creates the user"
    renamed = replace(created, renamed_to="jo")
    assert replace(renamed, has_iam_user=True).describe().next == (
        "aws iam update-user --user-name jo --new-user-name jane"
    ), "`was` is not supported next to `iamUser`"


def test_next_step_of_a_renamed_user() -> None:
    """`was` keeps the credentials of a renamed user, or the user is renamed if specs have it already."""
    new_name = "rename user jane to joan in the specs and add `was: jane`, which keeps the credentials; then pulumi up"
    assert MissingUser(user="jane", desired=(), renamed_to="joan").describe().next == new_name
    assert UndeclaredUser(**JANE | {"user": "joan"}, existing=(ON,), renamed_from="jane").describe().next == new_name
    wanted = replace(WANTED, user="joan", user_was="jane")
    message, step, *_ = vars(MissingUser(user="joan", desired=(wanted,), was="jane").describe()).values()
    assert message.endswith("the specs declare `was: jane`, but that user has not been renamed in IAM")
    assert step == "aws iam update-user --user-name jane --new-user-name joan"
    missing = MissingCredential(
        user="joan", service=SERVICE, desired=(wanted,), existing=(), recorded="ACCA0", current_user="jane"
    )
    assert missing.describe().next == "declare it for user jane, or remove `was`"
    gone = NoLongerDeclared(**JANE, existing=(replace(ON, user="joan"),), recorded=RECORDED)
    assert gone.describe().next.startswith("add `was: jane` to user joan in the specs, which keeps it; or pulumi up")


def test_line() -> None:
    """A line starts with the source location, as in compilers, then has the user, the message and the rule."""
    old, missing = IN_STATES[4][0], MissingCredential(**JANE, location=PLACE, desired=(WANTED,), existing=())
    sentence = "jane: access key AKIA0 is older than 1000 days: created on 2023-01-02 [access-key-too-old]"
    assert old.format_sentence() == old.format_line() == sentence
    assert missing.format_line().startswith("specs/jane.yaml:4:9: jane: codecommit credential is declared, but")


def drift(there: Inventory, **fields: Any) -> Drift:  # noqa: ANN401 - any of them
    """Compare nothing desired with an account, and replace these fields."""
    return replace(compare(Desired(()), there), **fields)


def test_limits() -> None:
    """Notes report unchecked facts and the sources of the result."""
    there = Inventory("123456789012", NOW, access_keys_read=("jane",))
    assert list(describe_limits(drift(there))) == []
    unknown = drift(there, resets=2, ages=1, rotations=3, are_ids_unknown=True, are_keys_skipped=True)
    assert list(describe_limits(unknown)) == [
        "2 reset texts not checked: only the stack's state has the applied texts",
        "ages of 1 credential not checked: only the stack's state has the dates of resets",
        "rotations of 3 credentials not checked: only the stack's state has their dates and triggers",
        "ids not checked: only the stack's state has the ids of declared credentials",
        "access keys not checked, because they do not belong to a service",
    ]
    reported = replace(there, report=CredentialReport(NOW - timedelta(minutes=95)))
    (note,) = describe_limits(drift(reported, watched=1_200))
    assert note == (
        "access keys of 1,200 users with a policy: those of 1 read now, the others from the credential report, which is"
        " 1 hour old; only --exact finds keys created or activated since, and the age of keys with a"
        " changed status"
    )
    missing = MissingCredential(**JANE, desired=(WANTED,), existing=())
    assert list(describe_limits(drift(there, differences=(missing,)))) == [
        "IAM is eventually consistent, so changes made in the last minute may be reported incorrectly"
    ]
    unsettled = tuple(replace(missing, user=f"user-{number}") for number in range(7))
    (note,) = describe_limits(drift(there, unsettled=unsettled))
    assert note == (
        "7 differences of user-0, user-1, user-2, user-3, user-4 and 2 other users not reported, because IAM is"
        " eventually consistent and the user or credential is less than a minute old: run again in a minute"
    )
    refused = replace(there, report_missing="AccessDenied")
    assert list(describe_limits(drift(refused))) == [
        "access keys of 1 user with a policy read one by one, because no credential report is available (AccessDenied)"
    ]
