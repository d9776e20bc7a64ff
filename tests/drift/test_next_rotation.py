"""The next steps of rotating credentials, which the next `up` carries out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.desired import CredentialPolicy, Desired, DesiredUser
from iamcreds.drift.comparing import SOON, compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.changed import Deactivated, RetiredIsActive
from iamcreds.drift.rules.expiring import ExpiringSoon
from iamcreds.drift.rules.expiry import ExpiryDiffers
from iamcreds.drift.rules.missing import MissingCredential
from iamcreds.model import StackExport
from iamcreds.report.json_document import build_document
from iamcreds.report.summary import describe_limits
from tests.drift.accounts import fill
from tests.drift.test_comparing import NOW, USER_PLACE, account
from tests.drift.test_renewal import resource
from tests.drift.test_rotation import (
    ACTIVE,
    DAY,
    DECLARED,
    EXPIRING,
    INACTIVE,
    KEYSPACES,
    NEWER,
    OLDER,
    PLAIN,
    POLICY,
    drift_of,
    only,
    password,
    policy_drift,
    record,
    record_both,
    rotated,
)

if TYPE_CHECKING:
    from iamcreds.drift.comparing import Drift
    from iamcreds.emulator.server import Emulator
    from iamcreds.model import Credential
    from tests.drift.conftest import Drifting

KEEP = "; or declare `after: 100d`, which keeps it"
CHANGED = replace(EXPIRING, expire_after_days=120)


def changed(current: Credential, *others: Credential, not_before: datetime | None = None) -> ExpiryDiffers:
    """Return the difference of a credential whose `expire` was changed."""
    desired = replace(CHANGED, rotate=replace(POLICY, not_before=not_before))
    recorded = record(current, 7, age_days=100, expires=current.expires)
    differences = drift_of([current, *others], [recorded], desired).differences
    (found,) = (each for each in differences if isinstance(each, ExpiryDiffers))
    return found


def test_changed_expire_rotates() -> None:
    """A changed `expire` of a rotating credential rotates it, and replaces nothing."""
    current = password(NEWER, 7, expires=NOW + 93 * DAY)
    assert changed(current).describe().next == f"pulumi up, which rotates it{KEEP}"
    blocked = changed(current, password("ACCA9", 3)).describe().next
    assert (
        blocked == f"resolve unmanaged ACCA9 first (see unmanaged-credential), then pulumi up, which rotates it{KEEP}"
    )


def test_changed_expire_is_deferred() -> None:
    """`notBefore` defers the rotation by a changed `expire`."""
    words = changed(password(NEWER, 7, expires=NOW + 93 * DAY), not_before=NOW + DAY).describe()
    assert words.next == f"remove `notBefore` from the specs, then pulumi up, which rotates it{KEEP}"
    assert words.message.endswith(f". `notBefore` defers its rotation to {NOW + DAY:%Y-%m-%d}")


def test_changed_expire_of_a_deactivated_one() -> None:
    """A credential that someone deactivated is not rotated."""
    words = changed(replace(password(NEWER, 7, expires=NOW + 93 * DAY), status=INACTIVE)).describe()
    assert words.message.endswith(". It is not rotated, because it was deactivated outside Pulumi")
    assert words.next.startswith("aws iam update-service-specific-credential --user-name jane")


def test_changed_expire_of_a_reset_one() -> None:
    """With a new `reset` text, the credential is replaced by one with the declared lifetime."""
    current = password(NEWER, 7, expires=NOW + 93 * DAY)
    recorded = record(current, 7, age_days=100, expires=current.expires)
    differences = drift_of([current], [recorded], replace(CHANGED, reset="lost")).differences
    (found,) = (each for each in differences if isinstance(each, ExpiryDiffers))
    assert found.describe().next.startswith("pulumi up, which replaces it with one that expires after 120 days")


@pytest.mark.parametrize(("end", "effect"), [(None, f"retires {OLDER}; the next one rotates"), (1, "rotates it")])
def test_changed_expire_in_the_overlap(end: int | None, effect: str) -> None:
    """While the previous one works, no update rotates: until its retirement, or until an earlier expiry."""
    expires = None if end is None else NOW + end * DAY
    pair = [password(OLDER, 99, expires=expires), password(NEWER, 4, expires=NOW + 96 * DAY)]
    recorded = [record(pair[0], 99), record(pair[1], 4, "~2", rotation=1, age_days=100, expires=pair[1].expires)]
    found = only(drift_of(pair, recorded, CHANGED))
    assert isinstance(found, ExpiryDiffers)
    date = f"{expires or NOW + 3 * DAY:%Y-%m-%d}"
    assert found.describe().next == f"pulumi up from {date} on, which {effect}{KEEP}"


def test_due_in_the_overlap() -> None:
    """A rotation before the end waits for the retirement of the previous one."""
    pair = [password(OLDER), password(NEWER, 94, expires=NOW + 6 * DAY)]
    recorded = [record(pair[0], 99), record(pair[1], 4, "~2", rotation=1, age_days=100, expires=pair[1].expires)]
    soon = only(drift_of(pair, recorded, EXPIRING))
    assert isinstance(soon, ExpiringSoon)
    assert soon.describe().next.endswith(f"on, which retires {OLDER}; the next one rotates")


def test_changed_expire_without_the_state() -> None:
    """Without the state as well, `notBefore` defers the rotation by a changed `expire`, and no update replaces it."""
    desired = replace(CHANGED, rotate=replace(POLICY, not_before=NOW + 9 * DAY))
    soon = only(drift_of([password(NEWER, 97, expires=NOW + 3 * DAY)], None, desired))
    assert soon.describe().next.startswith("remove `notBefore` from the specs, then pulumi up, which rotates it; or")


@pytest.mark.parametrize("slot", ["", "~2"])
def test_lost_current_one(slot: str) -> None:
    """A retired credential whose successor the state has lost is not the current one: the next update resets it."""
    retired = password(OLDER, status=INACTIVE)
    recorded = record(retired, 97, slot, is_enforced=True, is_retired=True, status=INACTIVE)
    missing = only(drift_of([retired], [recorded]))
    assert isinstance(missing, MissingCredential)
    words = missing.describe()
    assert words.message == (
        "keyspaces credential is declared, but its current one does not exist: ACCA1 is the retired previous one"
    )
    assert words.next == "pulumi up, which issues a new password"


def test_lost_current_one_next_to_others() -> None:
    """An unmanaged credential blocks the replacement of a key, but no reset; a gone or expired previous one is none."""
    retired, unmanaged = password(NEWER, status=INACTIVE, expires=NOW + 50 * DAY), password("ACCA9", 3)
    recorded = record(retired, 97, "~2", rotation=1, is_enforced=True, is_retired=True, status=INACTIVE, age_days=100)
    gone = record(password(OLDER), 187)
    differences = drift_of([retired, unmanaged], [gone, recorded], replace(EXPIRING, expire_after_days=550)).differences
    (missing,) = (each for each in differences if isinstance(each, MissingCredential))
    assert missing.describe().next.startswith(
        "resolve unmanaged ACCA9 first (see unmanaged-credential), then pulumi up"
    )
    endless = replace(retired, expires=None)
    differences = drift_of([endless, unmanaged], [gone, recorded]).differences
    (missing,) = (each for each in differences if isinstance(each, MissingCredential))
    assert missing.describe().next == "pulumi up, which issues a new password"


@pytest.mark.parametrize("fields", [{"is_retired": False}, {"is_retired": True, "status": ACTIVE}])
def test_current_one_that_was_not_retired(fields: dict[str, object]) -> None:
    """A current credential that someone deactivated stays Inactive, and one that someone activated is in use."""
    current = password(OLDER, 10, ACTIVE if "status" in fields else INACTIVE)
    recorded = replace(record(current, 10), **fields)  # type: ignore[arg-type] # any of them
    differences = drift_of([current], [recorded]).differences
    assert [type(each) for each in differences] == ([] if "status" in fields else [Deactivated])


def test_status_that_is_no_longer_declared() -> None:
    """A credential without successors that specs had declared Inactive stays Inactive."""
    current = password(OLDER, 10, INACTIVE)
    recorded = record(current, 10, is_enforced=True, is_retired=True, status=INACTIVE)
    assert isinstance(only(drift_of([current], [recorded], PLAIN)), Deactivated)


def read(drift: Drift) -> tuple[list[str], list[str | None]]:
    """Return the notes and the dates about previous credentials."""
    (document,) = build_document(drift)["accounts"]
    notes = [note for note in describe_limits(drift) if "previous" in note]
    return notes, [each["validUntil"] for each in document["previous"]]


@pytest.mark.parametrize("is_retired", [True, False])
def test_kept_after_a_roll_back(*, is_retired: bool) -> None:
    """While someone has deactivated the current one, no update retires the previous one, so it has no date."""
    pair = rotated(40, newer=INACTIVE)
    notes, ends = read(drift_of(pair, record_both(pair, 40, is_retired=is_retired)))
    assert notes == [
        (
            "1 rotated credential with a previous one, which `pulumi up` keeps, because the current one is Inactive: "
            f"{OLDER} of jane/keyspaces (previous)"
        )
    ]
    assert ends == [None]
    drift = drift_of(pair, record_both(pair, 40, is_retired=is_retired), replace(DECLARED, reset="leak"))
    assert "retires after the overlap" in read(drift)[0][0]


def test_kept_key_after_a_roll_back() -> None:
    """A previous key ends by its expiry, also if no update retires it."""
    pair = rotated(40, newer=INACTIVE)
    pair[0] = replace(pair[0], expires=NOW + 20 * DAY)
    notes, ends = read(drift_of(pair, record_both(pair, 40)))
    end = NOW + 20 * DAY
    assert notes[0].endswith(f"ACCA1 of jane/keyspaces (previous, valid until {end:%Y-%m-%d})")
    assert ends == [end.isoformat(timespec="seconds")]


def test_no_date_without_the_current_one() -> None:
    """An update creates a missing current one again, and the overlap begins anew."""
    pair = rotated(40)
    notes, ends = read(drift_of(pair[:1], record_both(pair, 40)))
    assert notes[0].endswith("which `pulumi up` retires after the overlap: ACCA1 of jane/keyspaces (previous)")
    assert ends == [None]


def test_policy_of_an_expiring_previous_one() -> None:
    """A previous key whose expiry is before the end of the overlap is deleted, and not retired."""
    pair = rotated(4)
    pair[0] = replace(pair[0], expires=NOW + DAY)
    ((_, _, step),) = policy_drift(pair, record_both(pair, 4))
    assert step.endswith("; or run pulumi up after the expiry, which deletes it")


@pytest.mark.parametrize("is_retired", [True, False])
def test_activated_one_without_the_current_one(*, is_retired: bool) -> None:
    """If the current one is missing, the next update keeps the activated one, which may be the only one in use."""
    pair = rotated(40)
    differences = drift_of(pair[:1], record_both(pair, 40, is_retired=is_retired)).differences
    assert any(isinstance(each, MissingCredential) for each in differences)
    active = [each for each in differences if isinstance(each, RetiredIsActive)]
    assert len(active) == is_retired
    if active:
        assert active[0].describe().next == (
            "pulumi up, which creates the current one again and keeps this one until the overlap ends; or, if its"
            " password is not in use: aws iam update-service-specific-credential --user-name jane"
            f" --service-specific-credential-id {OLDER} --status Inactive"
        )


def too_old(existing: list[Credential], recorded: object, days: int = 97, **policy: object) -> str:
    """Return the next step of the current credential, which violates a maximum age of that many days."""
    desired = replace(DECLARED, rotate=replace(POLICY, **policy))  # type: ignore[arg-type] # any of them
    user = DesiredUser("jane", USER_PLACE, (desired,), credential_policy=CredentialPolicy(max_age_days=days))
    state = make_recorded_state(StackExport(tuple(recorded)))  # type: ignore[arg-type] # recorded credentials
    differences = compare(Desired((user,)), account(*existing), SOON, state=state).differences
    (found,) = (each for each in differences if (each.rule, each.id) == ("credential-too-old", NEWER))
    return found.describe().next


def test_too_old() -> None:
    """A password that is too old is rotated, unless `notBefore`, an unmanaged or an Active previous one prevents it."""
    current = password(NEWER)
    recorded = [record(current, 98)]
    assert too_old([current], recorded) == "pulumi up, which rotates it"
    date = "remove `notBefore` from the specs, then pulumi up, which rotates it"
    assert too_old([current], recorded, not_before=NOW + DAY) == date
    both = "declare `every: 83d` and remove `notBefore` in the specs, then pulumi up, which rotates it"
    assert too_old([current], recorded, days=90, not_before=NOW + DAY) == both
    blocked = too_old([current, password("ACCA9")], recorded)
    assert blocked == "resolve unmanaged ACCA9 first (see unmanaged-credential), then pulumi up, which rotates it"
    pair = [password(OLDER), current]
    waiting = too_old(pair, record_both(pair, 98))
    assert waiting.endswith(f"on, which retires {OLDER}; the next one rotates")


@pytest.mark.parametrize(
    ("rotate", "issued"),
    [
        ("every: 90d, overlap: 7d, notBefore: 9999-12-31", datetime(2026, 1, 1, tzinfo=UTC)),
        ("every: 90d, overlap: 7d", datetime(9999, 12, 31, tzinfo=UTC)),
        ("every: 99999w, overlap: 79999w", datetime(9000, 1, 1, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        ["drift", "specs", "--state", "state.json", "--format", "json"],
        ["report", "specs", "--state", "state.json", "--html", "report.html"],
        ["query", "select rotation_due from desired", "--specs", "specs", "--state", "state.json"],
    ],
    ids=lambda words: words[0],
)
def test_last_dates(drifting: Drifting, emulator: Emulator, words: list[str], rotate: str, issued: datetime) -> None:
    """The last possible dates are valid: a date after them is the last one."""
    fill(["jane"], [])
    now = datetime.now(UTC).replace(microsecond=0)
    resources = []
    for name, id_, days, more in (
        ("jane/keyspaces", "ACCA" + "O" * 17, 30, {}),
        ("jane/keyspaces~2", "ACCA" + "N" * 17, 20, {"rotation": 1, "issued_at": issued.isoformat()}),
    ):
        created = now - days * DAY
        emulator.controls.put_credential(id_, "jane", KEYSPACES, created=created.isoformat())
        resources.append(resource(name, id_, created, service=KEYSPACES, **more))
    Path("state.json").write_text(json.dumps({"version": 3, "deployment": {"resources": resources}}))
    drifting.declare(f"users: {{jane: {{credentials: [{{service: keyspaces, rotate: {{{rotate}}}}}]}}}}\n")
    result = CliRunner().invoke(main, words)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in {0, 2}, result.output
