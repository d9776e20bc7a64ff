"""Credential policies in runs: a warning, or a rejection of this credential only."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from iamcreds.desired import CredentialPolicy, DesiredCredential, RotationPolicy
from iamcreds.errors import RejectedError
from iamcreds.model import RecordedCredential, SourceLocation
from iamcreds.planning.slot_plan import SlotPlan
from iamcreds.pulumi_engine.program_context import credential_context, policy_context, rotation_context
from iamcreds.pulumi_engine.run_context import RunContext
from iamcreds.pulumi_engine.stack_state import StackState
from tests.providers.conftest import new_process
from tests.providers.requests import AGED, BEDROCK, CODECOMMIT, INPUTS, UNMANAGED, create, news, reasons

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

pytestmark = pytest.mark.usefixtures("iam", "provider")
ID = "ACCAMANAGED0000000000"
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
LATER = CREATED + timedelta(days=91)
OLD: dict[str, Any] = {"max_age_days": 90.0}
EXPIRING: dict[str, Any] = {"require_expiry": [BEDROCK]}
SHORT: dict[str, Any] = {"max_lifetime_days": 4.0}
ONLY_KEYS: dict[str, Any] = {"services": [BEDROCK]}
ENFORCED = {"enforce": True}
TOO_OLD = f"password of codecommit credential {ID} is older than 90 days: issued on 2026-01-01 [credential-too-old]"
OPTIONS = "Options: change `reset` in the specs; or allow the run with --config enforce=false"


def start(now: datetime = LATER, **config: str) -> ServiceSpecificCredentialProvider:
    """Return a provider in a new process, at this time of the stack's config."""
    provider = new_process()
    settings = {"now": now.isoformat()} | config
    raw = {f"iamcreds:{key}": value for key, value in settings.items()}
    provider.configure(ConfigureRequest(Config(raw, "iamcreds")))
    return provider


def put(emulator: Emulator, service: str = CODECOMMIT, **fields: str) -> None:
    """Create a credential at `CREATED`."""
    emulator.controls.put_credential(ID, "jane", service, created=CREATED.isoformat(), **fields)


def own(policy: dict[str, Any], issued: datetime | None = CREATED, **context: object) -> dict[str, Any]:
    """Return the inputs of a credential that the state has, with a policy in the run context."""
    known = {} if issued is None else {"issued_at": issued.isoformat()}
    return news(policy=policy, owned={ID: "jane/codecommit"}, **known, **context)


def test_warning(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A violation is one warning per run, and changes no input."""
    put(emulator)
    provider = start()
    for _ in range(2):
        checked = provider.check(INPUTS, own(OLD))
        assert (checked.inputs, checked.failures) == (INPUTS, [])
    assert capsys.readouterr().err == f"warning: jane: {TOO_OLD}\n"


@pytest.mark.parametrize(("days", "count"), [(90, 0), (91, 1)])
def test_age(emulator: Emulator, capsys: pytest.CaptureFixture[str], days: int, count: int) -> None:
    """The age is that at the config `now`; without a recorded date, the create date counts, and the text has it."""
    put(emulator)
    provider = start(CREATED + timedelta(days=days))
    provider.check(INPUTS, own(OLD))
    provider.check(INPUTS, own(OLD, None))
    shown = capsys.readouterr().err
    assert shown.count("issued on 2026-01-01 [") == count
    assert shown.count("created on 2026-01-01 (the date of a later reset is unknown) [") == count


def test_reset_since(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """An old credential with a new password is not too old."""
    put(emulator)
    assert start().check(INPUTS, own(OLD | ENFORCED, LATER)).failures == []
    assert capsys.readouterr().err == ""


def test_without_policy(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a policy in the run context, as in programs with classes, nothing is checked."""
    put(emulator)
    assert start(enforce="false").check(INPUTS, news(owned={ID: "jane/codecommit"})).inputs == INPUTS
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("on_rejection", ["collect", "defer"])
def test_enforced(emulator: Emulator, on_rejection: str) -> None:
    """A violation of an enforced policy is a rejection: the update fails, and the credential stays as it is."""
    put(emulator)
    provider, before = start(), emulator.controls.passwords()
    (reason,) = reasons(provider.check(INPUTS, own(OLD | ENFORCED)))
    assert reason == f"{TOO_OLD}, and the policy is enforced. {OPTIONS}"
    provider = start()
    checked = provider.check(INPUTS, own(OLD | ENFORCED, on_rejection=on_rejection))
    assert (checked.inputs, checked.failures) == (INPUTS | {"refused": [reason]}, [])
    outputs = INPUTS | {"credential_id": ID, "status": "Active", "create_date": CREATED.isoformat()}
    diff = provider.diff(ID, outputs, checked.inputs)
    assert (diff.changes, diff.replaces) == (True, None)
    with pytest.raises(RejectedError, match="credential-too-old"):
        provider.update(ID, outputs, checked.inputs)
    with pytest.raises(RejectedError, match="credential-too-old"):
        provider.delete(ID, outputs)
    assert emulator.controls.passwords() == before


@pytest.mark.parametrize(
    ("rotation", "edit"),
    [
        (RotationPolicy(7 * 24, 120 * 24), "declare `every: 83d` in the specs"),
        (RotationPolicy(7 * 24), "declare `every: 83d` in the specs"),
        (RotationPolicy(7 * 24, 83 * 24, not_before=LATER + timedelta(days=1)), "remove `notBefore` from the specs"),
        (RotationPolicy(80 * 24, 100 * 24), "declare a shorter `every` and `overlap` in the specs"),
    ],
)
def test_rejected_rotation(emulator: Emulator, rotation: RotationPolicy, edit: str) -> None:
    """A rotating credential is rejected with the edit that rotates it, because `reset` ends the overlap."""
    put(emulator)
    desired = DesiredCredential("jane", CODECOMMIT, "codecommit", SourceLocation("a.yaml", 1, 1), rotate=rotation)
    context = rotation_context(SlotPlan((desired,)), desired, is_preview=True)
    (reason,) = reasons(start().check(INPUTS, own(OLD | ENFORCED, **context)))
    assert reason.endswith(f"Options: {edit}; or allow the run with --config enforce=false")


def test_rotation_that_waits(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """A credential whose rotation is due is not rejected, because a later run rotates it without an edit."""
    put(emulator)
    desired = DesiredCredential(
        "jane", CODECOMMIT, "codecommit", SourceLocation("a.yaml", 1, 1), rotate=RotationPolicy(7 * 24, 83 * 24)
    )
    context = rotation_context(SlotPlan((desired,), is_due=True), desired, is_preview=True)
    assert reasons(start().check(INPUTS, own(OLD | ENFORCED, **context))) == []
    assert "credential-too-old" in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"reset": "old"}, {"rotation": 1.0}, {"status": "Inactive"}, {"service": "logs"}])
def test_new_password(emulator: Emulator, change: dict[str, object]) -> None:
    """A run that resets, rotates, deactivates or replaces the credential is not rejected because of its age."""
    put(emulator)
    checked = start().check(INPUTS, own(OLD | ENFORCED, on_rejection="collect") | change)
    assert checked.failures == []
    assert "refused" not in checked.inputs


def test_same_reset(emulator: Emulator) -> None:
    """A reset that was applied before does not let the credential through, and its removal does not either."""
    put(emulator)
    applied, reset = INPUTS | {"reset": "x"}, {"reset": "x"}
    assert len(reasons(start().check(applied, own(OLD | ENFORCED) | reset))) == 1
    assert len(reasons(start().check(applied, own(OLD | ENFORCED)))) == 1


def test_several_violations(emulator: Emulator) -> None:
    """One reason has all violations; if only the removal resolves one of them, it resolves the others, too."""
    put(emulator)
    (both,) = reasons(start().check(INPUTS, own(OLD | ONLY_KEYS | ENFORCED)))
    assert both == (
        f"codecommit credential {ID} is not allowed: the policy allows only bedrock [service-not-allowed]; {TOO_OLD},"
        " and the policy is enforced. Options: remove the credential from the specs; or allow the run with --config"
        " enforce=false"
    )


def test_equal_options(emulator: Emulator) -> None:
    """Two violations that one edit resolves have it as one option."""
    put(emulator, BEDROCK, expires=(CREATED + timedelta(days=3650)).isoformat())
    context = own(EXPIRING | {"max_lifetime_days": 365.0} | ENFORCED) | {"service": BEDROCK}
    (reason,) = reasons(start().check({"user": "jane", "service": BEDROCK}, context))
    assert "Options: declare `expire: {after: 365d}` in the specs; or allow" in reason


@pytest.mark.parametrize("change", [{"reset": "leaked"}, {"rotation": 1.0}, {"status": "Inactive"}])
@pytest.mark.parametrize(
    ("policy", "rule"),
    [({"services": [CODECOMMIT]}, "service-not-allowed"), (EXPIRING, "no-expiry"), (SHORT, "lifetime-too-long")],
)
def test_emergency(
    emulator: Emulator, capsys: pytest.CaptureFixture[str], policy: dict[str, Any], rule: str, change: dict[str, Any]
) -> None:  # fmt: skip
    """A run that resets or deactivates a credential is not rejected, whatever the violation, but warns about it."""
    ends = {"expires": (CREATED + timedelta(days=365)).isoformat()} if policy is SHORT else {}
    put(emulator, BEDROCK, **ends)
    recorded = {"user": "jane", "service": BEDROCK}
    context = own(policy | ENFORCED, on_rejection="collect") | recorded
    assert rule in reasons(start().check(recorded, own(policy | ENFORCED) | recorded))[0]
    capsys.readouterr()
    checked = start().check(recorded, context | change)
    assert checked.failures == []
    assert "refused" not in checked.inputs
    gives_access = "status" not in change or rule == "service-not-allowed"
    assert (f"[{rule}]" in capsys.readouterr().err) is gives_access


def test_created_as_inactive() -> None:
    """A new credential of a service that is not allowed is rejected, also an inactive one."""
    (reason,) = reasons(start().check({}, news(policy=ONLY_KEYS | ENFORCED) | {"status": "Inactive"}))
    assert "[service-not-allowed]" in reason


@pytest.mark.parametrize("is_previous", [True, False])
def test_previous_credential(emulator: Emulator, capsys: pytest.CaptureFixture[str], *, is_previous: bool) -> None:
    """A previous credential is never rejected; a warning names its end. Without a successor, it is rejected."""
    put(emulator, BEDROCK, expires=(CREATED + timedelta(days=365)).isoformat())
    recorded = {"user": "jane", "service": BEDROCK, "age_days": 365, "declared": 2}
    policy = EXPIRING | OLD | {"max_lifetime_days": 90.0} | ENFORCED
    context = own(policy, previous=is_previous) | recorded
    checked = start().check(recorded, context)
    assert len(reasons(checked)) == (0 if is_previous else 1)
    name = f"bedrock credential {ID} (previous, valid until 2027-01-01)"
    expected = [
        f"warning: jane: API key of {name} is older than 90 days: issued on 2026-01-01 [credential-too-old]",
        f"warning: jane: {name} has a lifetime of 365 days, but the policy allows at most 90 days [lifetime-too-long]",
    ]
    assert capsys.readouterr().err.splitlines() == (expected if is_previous else [])


@pytest.mark.parametrize(
    ("inputs", "option"),
    [
        ({"adopt": UNMANAGED}, "without `adopt`; or"),
        ({"existing": "adopt"}, "in the specs; or"),
    ],
)
@pytest.mark.parametrize("lifetime", [None, 365])
def test_unfit_key(
    emulator: Emulator, iam: IAMClient, inputs: dict[str, str], option: str, lifetime: int | None
) -> None:  # fmt: skip
    """A key with a lifetime other than the declared one is not imported or adopted, so it has to be deleted."""
    ends = {} if lifetime is None else {"expires": (CREATED + timedelta(days=lifetime)).isoformat()}
    emulator.controls.put_credential(UNMANAGED, "jane", BEDROCK, created=CREATED.isoformat(), **ends)
    context = news(policy=EXPIRING | {"max_lifetime_days": 30.0} | ENFORCED, owned={}) | {"service": BEDROCK}
    unfit = {} if inputs.get("existing") is None or lifetime is None else {"age_days": lifetime}
    (reason,) = reasons(start().check({}, context | inputs | unfit))
    command = "aws iam delete-service-specific-credential --user-name jane --service-specific-credential-id"
    step = f"Options: delete the existing one ({command} {UNMANAGED}) and declare `expire: {{after: 30d}}` in the specs"
    assert step in reason
    assert option in reason
    new = {name: value for name, value in inputs.items() if name != "adopt"} | {"age_days": 30}
    assert "cannot" in reasons(start().check({}, context | inputs | {"age_days": 30}))[0], "without the deletion"
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=UNMANAGED)
    assert reasons(start().check({}, context | new)) == []


def test_fit_key(emulator: Emulator) -> None:
    """A key whose lifetime the policy allows is imported with `expire`, as the reason suggests."""
    ends = (CREATED + timedelta(days=365)).isoformat()
    emulator.controls.put_credential(UNMANAGED, "jane", BEDROCK, created=CREATED.isoformat(), expires=ends)
    context = news(policy=EXPIRING | ENFORCED, owned={}) | {"service": BEDROCK, "adopt": UNMANAGED}
    (reason,) = reasons(start().check({}, context))
    assert "Options: declare `expire: {after: 365d}` in the specs; or" in reason
    assert reasons(start().check({}, context | {"age_days": 365})) == []


def test_protected_credential(emulator: Emulator) -> None:
    """A protected credential cannot be replaced, so the option begins with the end of its protection."""
    put(emulator, BEDROCK)
    recorded = {"user": "jane", "service": BEDROCK}
    (reason,) = reasons(start().check(recorded, own(EXPIRING | ENFORCED, options={"protect": True}) | recorded))
    assert "Options: remove `protect`, run pulumi state unprotect and declare `expire: {after: 90d}` in" in reason


def test_not_enforced(emulator: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The config `enforce: false` permits the run, with a warning about it and about each violation."""
    put(emulator)
    assert start(enforce="False").check(INPUTS, own(OLD | ENFORCED)).failures == []
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("warning: credential policies are not enforced, because the stack's config has enforce=f")
    assert second == f"warning: jane: {TOO_OLD}"


@pytest.mark.parametrize(
    ("policy", "inputs", "rule"),
    [
        (EXPIRING, {"service": BEDROCK}, "bedrock credential main is declared without `expire`"),
        (EXPIRING, AGED, ""),
        (SHORT, AGED, "main is declared with a lifetime of 5 days, but the policy allows at most 4 days"),
        (SHORT, AGED | {"age_days": 4}, ""),
        (ONLY_KEYS, AGED, ""),
        ({"services": [CODECOMMIT]}, AGED, "main is not allowed: the policy allows only codecommit"),
        (OLD, AGED, ""),
        (EXPIRING, {"service": BEDROCK, "status": "Inactive"}, ""),
    ],
)
def test_new_credential(policy: dict[str, Any], inputs: dict[str, object], rule: str) -> None:
    """A new credential is checked by its declaration, and a rejected one is not created."""
    context = news(resource="jane/bedrock/main", policy=policy | ENFORCED)
    found = reasons(start().check({}, context | inputs))
    assert [rule in reason for reason in found] == ([True] if rule else [])


def test_slot_2_has_the_declared_name() -> None:
    """The successor of a renewed credential is named as declared."""
    context = news(resource="jane/bedrock/main~2", policy=EXPIRING | ENFORCED)
    (reason,) = reasons(start().check({}, context | {"service": BEDROCK}))
    assert reason.startswith("bedrock credential main is declared without `expire`")


def test_replacement(emulator: Emulator) -> None:
    """A replacement is checked by its declaration: it may resolve a violation, or may be one."""
    put(emulator, BEDROCK)
    recorded = {"user": "jane", "service": BEDROCK}
    context = own(EXPIRING | {"max_lifetime_days": 90.0} | ENFORCED) | {"service": BEDROCK}
    assert "never expires" in reasons(start().check(recorded, context))[0]
    assert reasons(start().check(recorded, context | {"age_days": 90})) == []
    provider = start()
    (reason,) = reasons(provider.check(recorded, context | {"age_days": 91}))
    assert "bedrock credential is declared with a lifetime of 91 days" in reason
    with pytest.raises(RejectedError, match="lifetime-too-long"):
        provider.delete(ID, recorded | {"create_date": CREATED.isoformat()})


def test_existing_expiry(emulator: Emulator) -> None:
    """An imported key with an end date is checked by both: its own dates and its declaration."""
    put(emulator, BEDROCK, expires=(CREATED + timedelta(days=3650)).isoformat())
    recorded = {"user": "jane", "service": BEDROCK}
    context = own(EXPIRING | {"max_lifetime_days": 365.0} | ENFORCED) | {"service": BEDROCK}
    (reason,) = reasons(start().check(recorded, context))
    assert "but it is declared without `expire`, so its replacement never expires [no-expiry]; " in reason
    assert "has a lifetime of 3,650 days, but the policy allows at most 365 days [lifetime-too-long], and" in reason


@pytest.mark.parametrize(
    ("inputs", "is_rejected"),
    [
        ({"existing": "adopt"}, False),
        ({"adopt": UNMANAGED}, True),
        ({"adopt": UNMANAGED, "reset": "old"}, False),
        ({"adopt": UNMANAGED, "status": "Inactive"}, False),
    ],
)
def test_adoption(emulator: Emulator, inputs: dict[str, object], *, is_rejected: bool) -> None:
    """An adopted credential gets a new password; an imported one keeps its own, which may be too old."""
    emulator.controls.put_credential(UNMANAGED, "jane", CODECOMMIT, created=CREATED.isoformat())
    found = reasons(start().check({}, news(policy=OLD | ENFORCED) | inputs))
    assert [UNMANAGED in reason for reason in found] == ([True] if is_rejected else [])


@pytest.mark.parametrize(
    ("status", "is_rejected"), [(None, False), ("Inactive", False), ("Active", True)]
)  # fmt: skip
def test_inactive(emulator: Emulator, iam: IAMClient, status: str | None, *, is_rejected: bool) -> None:
    """An inactive credential may be old, but a run does not activate an old password."""
    put(emulator)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=ID, Status="Inactive")
    declared = {} if status is None else {"status": status}
    assert bool(reasons(start().check(INPUTS, own(OLD | ENFORCED) | declared))) is is_rejected


def test_unknown_state(emulator: Emulator) -> None:
    """If the state could not be read, the age of the password is unknown, and is not checked."""
    put(emulator)
    assert reasons(start().check(INPUTS, own(OLD | ENFORCED, None) | {"run": {"policy": OLD | ENFORCED}})) == []


def test_warned_credential_is_created(capsys: pytest.CaptureFixture[str]) -> None:
    """A policy that is not enforced changes neither the inputs nor the outputs of a created credential."""
    _, outputs = create(start(), run={"resource": "jane/codecommit", "owned": {}, "policy": ONLY_KEYS})
    assert "[service-not-allowed]" in capsys.readouterr().err
    assert not {"policy", "findings", "refused"} & outputs.keys()


def test_run_context() -> None:
    """The program sends the policy of the user, and the recorded date; a provider reads the same."""
    desired = DesiredCredential("jane", BEDROCK, "main", SourceLocation("a.yaml", 1, 1), was="old")
    recorded = RecordedCredential("jane/bedrock/old", ID, "jane", BEDROCK, CREATED, issued=LATER)
    state = StackState({("jane", BEDROCK): {ID: "jane/bedrock/old"}}, None, recorded={ID: recorded})
    policy = CredentialPolicy(90, 30, (BEDROCK,), (BEDROCK, CODECOMMIT), enforce=True)
    sent = policy_context(state, desired, policy)
    read = RunContext.read({"run": sent | {"policy": {**sent["policy"], "max_age_days": 90.0}}})
    assert (read.policy, read.issued) == (policy, LATER)
    assert policy_context(state, desired, None) == {}
    kept, renewed = replace(desired, rotation=1), replace(desired, slot=2, rotation=2)
    contexts = [credential_context(None, each, [renewed, kept]) for each in (kept, renewed)]
    assert [RunContext.read({"run": context}).is_previous for context in contexts] == [True, False]
    assert "previous" not in credential_context(None, desired, [desired])
    assert policy_context(None, desired, CredentialPolicy(1)) == {"policy": {"max_age_days": 1}}
    assert RunContext.read({"run": {"policy": {}}}).policy == CredentialPolicy()
    assert RunContext.read({"run": {}}).policy is None
