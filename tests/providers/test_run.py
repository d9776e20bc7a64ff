"""What the providers decide about a run: whose credential is whose, what is refused and when, and what is told once."""

from __future__ import annotations

import functools
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import UNKNOWN

from dynamic_providers.access_keys import AccessKeysProvider
from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
from iamcreds.account import Account
from iamcreds.errors import AccountError, LostAnswerError, RejectedError, UnreachableError, WrongAccountError
from tests.providers.conftest import new_process

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mypy_boto3_iam import IAMClient
    from pulumi.dynamic import CheckResult

    from iamcreds.emulator.faults import When
    from iamcreds.emulator.server import Emulator

CODECOMMIT = "codecommit.amazonaws.com"
BEDROCK = "bedrock.amazonaws.com"
INPUTS = {"user": "jane", "service": CODECOMMIT}
AGED = {"service": BEDROCK, "age_days": 5}
CREATE = "iam:CreateServiceSpecificCredential"
LIST = "iam:ListServiceSpecificCredentials"
FOREIGN = "ACCAFOREIGN0000000000"
pytestmark = pytest.mark.usefixtures("iam")


def run(**message: object) -> dict[str, Any]:
    """The inputs with the message of a program whose state has nothing of this user and service, unless said."""
    return INPUTS | {"run": {"resource": "jane/codecommit", "owned": {}} | message}


def reasons(checked: CheckResult) -> list[str]:
    """Why a check failed."""
    return [failure.reason for failure in checked.failures or []]


def create(provider: ServiceSpecificCredentialProvider, **inputs: object) -> tuple[str, dict[str, Any]]:
    """The id and outputs of what comes of a check and a create."""
    checked = provider.check({}, run() | inputs)
    assert checked.failures == []
    made = provider.create(checked.inputs)
    assert made.outs is not None
    return made.id, made.outs


def test_the_message_is_not_recorded(provider: ServiceSpecificCredentialProvider) -> None:
    """What a program says of its run with a credential is in no inputs."""
    assert provider.check({}, run()).inputs == INPUTS
    assert provider.check(INPUTS, run()).inputs == INPUTS


def test_refused_when(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A credential in the way is refused at once, told to a program that collects, or left to create, as asked."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    (reason,) = reasons(provider.check({}, run()))
    assert FOREIGN in reason
    told = provider.check({}, run(on_rejection="collect"))
    assert (told.inputs, told.failures) == (INPUTS | {"refused": [reason]}, [])
    later = provider.check({}, run(on_rejection="defer"))
    assert (later.inputs, later.failures) == (INPUTS, [])
    with pytest.raises(RejectedError, match=FOREIGN):
        provider.create(later.inputs)
    assert list(emulator.controls.passwords()) == [FOREIGN]


def test_a_replacement_is_refused_before_anything_is_deleted(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator
) -> None:
    """With somebody else's credential in the other place, a replacement stops the run, even where creates go on."""
    name, outs = create(provider, **AGED)
    emulator.controls.put_credential(FOREIGN, "jane", BEDROCK)
    provider = new_process()
    news = run(owned={name: "jane/codecommit"}, on_rejection="defer") | AGED | {"age_days": 6}
    provider.read(name, outs)
    provider.check(INPUTS | AGED, news)
    difference = provider.diff(name, outs, INPUTS | AGED | {"age_days": 6})
    assert (difference.replaces, difference.delete_before_replace) == (["age_days"], True)
    (reason,) = reasons(provider.check({}, news))
    assert FOREIGN in reason
    assert name not in reason


def test_an_asked_for_replacement_of_one_of_two_is_refused_first(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator
) -> None:
    """Where two are declared the engine deletes first: what would then not be created stops the run before that."""
    name, _ = create(provider)
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    provider = new_process()
    news = run(owned={name: "jane/codecommit"}, on_rejection="defer") | {"declared": 2}
    assert provider.check(INPUTS, news).failures == []
    (reason,) = reasons(provider.check({}, news))
    assert FOREIGN in reason
    assert reasons(provider.check({}, news | {"user": "ghost"}))
    other = news | {"run": news["run"] | {"resource": "jane/codecommit/b"}}
    assert provider.check({}, other).failures == []


def test_an_asked_for_replacement_of_one_of_two_takes_its_place(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator
) -> None:
    """Where two are declared and live, the successor of one gets the place that the engine makes by deleting first."""
    owned = {create(provider, run=run(resource=name)["run"], declared=2)[0]: name for name in "ab"}
    provider = new_process()
    news = run(resource="a", owned=owned) | {"declared": 2}
    assert provider.check(INPUTS, news).failures == []
    checked = provider.check({}, news)
    assert checked.failures == []
    first, second = owned
    provider.account.delete("jane", first)
    assert {provider.create(checked.inputs).id, second} == set(emulator.controls.passwords())


def test_what_a_sibling_has_just_made_counts_once(provider: ServiceSpecificCredentialProvider) -> None:
    """What is live already is not counted again as its sibling's plan, although the sibling has not said so yet."""
    provider.run.plan("jane", CODECOMMIT, "a", None)
    provider.account.create("jane", CODECOMMIT)
    assert provider.check({}, run(resource="b") | {"declared": 2}).failures == []
    (reason,) = reasons(provider.check({}, run(resource="c") | {"declared": 2}))
    assert "there is no place" in reason


def test_a_sibling_that_is_replaced_keeps_its_place(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient
) -> None:
    """What another resource is having replaced is no place for this one, also where IAM has renamed the user."""
    name, outs = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    provider = new_process()
    outs = dict(provider.read(name, outs).outs or {})
    assert provider.diff(name, outs, INPUTS).replaces == ["user"]
    joan = {"user": "joan", "declared": 2}
    assert provider.check({}, run(resource="b") | joan).failures == []
    (reason,) = reasons(provider.check({}, run(resource="c") | joan))
    assert "there is no place" in reason


@pytest.mark.parametrize("sibling", [False, True])
def test_replacement_in_its_own_place(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, *, sibling: bool
) -> None:
    """A replacement is created first where there is a place for it, and else takes the place of the old one."""
    name, outs = create(provider, **AGED)
    owned = {name: "jane/codecommit"}
    if sibling:
        emulator.controls.put_credential("ACCASIBLING0000000000", "jane", BEDROCK)
        owned["ACCASIBLING0000000000"] = "jane/codecommit/b"
    provider = new_process()
    assert provider.diff(name, outs, INPUTS | AGED | {"age_days": 6}).delete_before_replace is sibling
    assert provider.check({}, run(owned=owned) | AGED | {"age_days": 6}).failures == []


def test_asked_for_replacement(provider: ServiceSpecificCredentialProvider) -> None:
    """A replacement that somebody asks the engine for finds nothing in its way."""
    name, outs = create(provider)
    provider = new_process()
    owned = run(owned={name: "jane/codecommit"})
    assert provider.check(INPUTS, owned).failures == []
    assert not provider.diff(name, outs, INPUTS).changes
    checked = provider.check({}, owned)
    assert checked.failures == []
    assert provider.create(checked.inputs).id != name


def test_narrowed_run(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """Where nobody tells what the state has, what is live is not called foreign, nor adopted."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    for inputs in (INPUTS, INPUTS | {"existing": "adopt"}):
        (reason,) = reasons(provider.check({}, inputs))
        assert "run with --refresh, and without --target" in reason
        assert "delete" not in reason


def test_what_was_read_is_our_own(provider: ServiceSpecificCredentialProvider) -> None:
    """What the engine had read in this process is the stack's own, also where the program tells nothing of it."""
    name, outs = create(provider)
    provider = new_process()
    assert reasons(provider.check({}, INPUTS))
    provider.read(name, outs)
    assert provider.check({}, INPUTS).failures == []
    provider = new_process()
    provider.diff(name, outs, INPUTS)
    assert provider.check({}, INPUTS).failures == [], "what it was asked about, too"


def test_replaced_and_left(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """What a resource left when it was replaced is known where that was read, and elsewhere not called foreign."""
    name, outs = create(provider)
    put_old(emulator, "jane", FOREIGN)
    spare = run(resource="jane/codecommit/spare", owned={name: "jane/codecommit"}) | {"declared": 2}
    for existing in ("fail", "adopt"):
        (reason,) = reasons(new_process().check({}, spare | {"existing": existing}))
        assert f"{FOREIGN} (Active" in reason
        assert "has left it when it was replaced" in reason
    provider = new_process()
    provider.read(name, outs)
    provider.read(FOREIGN, outs | {"credential_id": FOREIGN})
    (reason,) = reasons(provider.check({}, spare))
    assert f"({FOREIGN} by this stack and {name} by jane/codecommit)" in reason
    assert "take this one out until an `up` has gone through, which deletes what was replaced" in reason


def test_adopt(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """With `existing: adopt` the id is shown by the check, taken over by Reset, and is the stack's own from then on."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT, status="Inactive")
    checked = provider.check({}, run() | {"existing": "adopt", "status": "Active"})
    assert (checked.inputs["adopts"], checked.failures) == (FOREIGN, [])
    made = provider.create(checked.inputs)
    assert made.outs is not None
    assert (made.id, made.outs["status"]) == (FOREIGN, "Active")
    assert {FOREIGN: made.outs["service_password"]} == emulator.controls.passwords()
    assert "adopts" not in made.outs
    assert provider.check({}, run(resource="jane/codecommit/b") | {"declared": 2}).failures == []


def test_adopts_only_what_was_shown(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """What came or went since the check is not adopted: the run says to repeat."""
    adopting = run() | {"existing": "adopt"}
    nothing = provider.check({}, adopting)
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    provider.account.reread_users(["jane"])
    with pytest.raises(RejectedError, match=f"{FOREIGN} of user jane has come since the preview: repeat"):
        provider.create(nothing.inputs)
    shown = provider.check({}, adopting)
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=FOREIGN)
    provider.account.reread_users(["jane"])
    with pytest.raises(RejectedError, match=f"{FOREIGN} of user jane, which was to be adopted, is gone"):
        provider.create(shown.inputs)


@pytest.mark.parametrize("order", [1, -1])
def test_two_adopt_two(provider: ServiceSpecificCredentialProvider, emulator: Emulator, order: int) -> None:
    """Two resources adopt one each, in whatever order their turns come."""
    other = "ACCAOTHER000000000000"
    for name in (FOREIGN, other):
        emulator.controls.put_credential(name, "jane", CODECOMMIT)
    more = {"existing": "adopt", "declared": 2}
    checked = [provider.check({}, run(resource=f"jane/codecommit/{name}") | more).inputs for name in "ab"]
    assert sorted(inputs["adopts"] for inputs in checked) == sorted([FOREIGN, other])
    assert [provider.create(inputs).id for inputs in checked[::order]] == [one["adopts"] for one in checked[::order]]


@pytest.mark.parametrize("is_first", [True, False])
def test_one_adopts_and_one_fails(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, *, is_first: bool
) -> None:
    """Where one of two says `existing: adopt`, it gets what is foreign, and the other a new one, in whatever order."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    told = {"owned": {}, "adopters": {"jane/codecommit/a": 0.0}, "on_rejection": "collect"}
    adopting = run(resource="jane/codecommit/a", **told) | {"declared": 2, "existing": "adopt"}
    failing = run(resource="jane/codecommit/b", **told) | {"declared": 2}
    first, second = (adopting, failing) if is_first else (failing, adopting)
    made = {}
    for inputs in (first, second):
        checked = provider.check({}, inputs)
        assert "refused" not in checked.inputs
        made[inputs["run"]["resource"]] = provider.create(checked.inputs).id
    assert made["jane/codecommit/a"] == FOREIGN
    assert set(emulator.controls.passwords()) == set(made.values())


def test_who_has_adopted_adopts_no_more(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A sibling that the state has already takes nothing more over: what is foreign beside it is in the way."""
    name, _ = create(provider)
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    provider = new_process()
    told = {"owned": {name: "jane/codecommit/a"}, "adopters": {"jane/codecommit/a": 0.0}, "on_rejection": "collect"}
    checked = provider.check({}, run(resource="jane/codecommit/b", **told) | {"declared": 2})
    assert FOREIGN in checked.inputs["refused"][0]


def test_third(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """What siblings are about to make counts: with one of ours that stays, the second new one has no place."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    owned = {"owned": {FOREIGN: "jane/codecommit/old"}}
    assert provider.check({}, run(resource="jane/codecommit/b", **owned) | {"declared": 2}).failures == []
    (reason,) = reasons(provider.check({}, run(resource="jane/codecommit/c", **owned) | {"declared": 2}))
    assert (
        "there is no place for another codecommit credential of user jane: IAM allows two, and those that are" in reason
    )
    assert f"{FOREIGN} by jane/codecommit/old" in reason


def test_declared_twice(provider: ServiceSpecificCredentialProvider) -> None:
    """Two resources of a program that declare the same without saying that they are two are told."""
    assert provider.check({}, run(resource="a")).failures == []
    (reason,) = reasons(provider.check({}, run(resource="b")))
    assert reason.startswith("a and b declare a codecommit credential of user jane: say in each")


def test_declared_twice_in_any_order(provider: ServiceSpecificCredentialProvider) -> None:
    """A new one is told of its sibling by the program, before that one is asked about."""
    (reason,) = reasons(provider.check({}, run(resource="a", declaring=["b", "a"])))
    assert reason.startswith("a and b declare a codecommit credential of user jane: say in each")
    assert reasons(provider.check(INPUTS, run(resource="b", declaring=["b", "a"]))) == [], "the state has it"


def test_missing_user(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """A user who does not exist is refused by the YAML program, and warned of by the class in another program."""
    ghost = run(on_rejection="collect") | {"user": "ghost"}
    assert "no IAM user ghost" in provider.check({}, ghost).inputs["refused"][0]
    assert provider.check({}, run() | {"user": "ghost"}).failures == []
    name, _ = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    for told in ({}, {"resource": "jane/codecommit/b", "of_user": [name]}):  # its own, or another of the same user
        renamed = new_process().check({}, run(on_rejection="collect", owned={name: "jane/codecommit"}, **told))
        assert "IAM renamed it to joan" in renamed.inputs["refused"][0]
    new = run(resource="ghost/codecommit", on_rejection="collect", owned={name: "jane/codecommit"}) | {"user": "ghost"}
    assert "no IAM user ghost: create the user" in new_process().check({}, new).inputs["refused"][0], "jane is leaving"
    iam.delete_service_specific_credential(UserName="joan", ServiceSpecificCredentialId=name)
    gone = new_process().check({}, run(on_rejection="collect", owned={name: "jane/codecommit"}, of_user=[name]))
    assert "no IAM user jane: create the user" in gone.inputs["refused"][0]


def test_unknown_service(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A service that AWS does not know is refused, for one call a service; one that is known to us costs none."""
    create(provider)
    emulator.controls.clear_counts()
    for resource in "ab":
        teapot = run(resource=resource, on_rejection="collect") | {"service": "teapot.amazonaws.com", "declared": 2}
        assert "AWS knows no such credentials of teapot" in provider.check({}, teapot).inputs["refused"][0]
    assert emulator.controls.counts() == {LIST: 1}


def test_unknown_service_of_somebody_to_come(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """It is refused although the user is yet to be made, by whomever, for one call as well: any user will do."""
    teapot = {"service": "teapot.amazonaws.com"}
    sentence = "AWS knows no such credentials of teapot.amazonaws.com: check the service name, or whether"
    made = {"on_rejection": "collect", "created_users": ["new"]}
    assert sentence in provider.check({}, run(**made) | teapot | {"user": "new"}).inputs["refused"][0]
    for user in ("ghost", UNKNOWN):
        (reason,) = reasons(provider.check({}, run(resource=f"{user}") | teapot | {"user": user}))
        assert sentence in reason
        assert reasons(provider.check({}, run(resource="known") | {"user": user})) == []
    assert emulator.controls.counts()[LIST] == 1, "of the service"


def test_unknown_service_in_an_empty_account(provider: ServiceSpecificCredentialProvider, iam: IAMClient) -> None:
    """Where there is no user at all nobody can be asked about, and nothing is refused."""
    iam.delete_user(UserName="jane")
    teapot = run() | {"service": "teapot.amazonaws.com", "user": UNKNOWN}
    assert reasons(provider.check({}, teapot)) == []


def test_declared_twice_of_somebody_to_come(provider: ServiceSpecificCredentialProvider) -> None:
    """Whatever else is wrong is refused although a program may make the user."""
    first, second = (run(resource=name) | {"user": "ghost"} for name in "ab")
    assert reasons(provider.check({}, first)) == []
    assert "a and b declare a codecommit credential of user ghost" in reasons(provider.check({}, second))[0]


def test_account_of_the_state(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """Nothing is checked, compared or created with a state of another account, however narrow the run."""
    (reason,) = reasons(provider.check({}, run(account="999999999999", on_rejection="defer")))
    assert "but this state is of account 999999999999: nothing was changed" in reason
    with pytest.raises(WrongAccountError):
        provider.diff("ACCA1", INPUTS | {"account_id": "999999999999"}, INPUTS)
    with pytest.raises(WrongAccountError):
        provider.create(INPUTS | {"account": "999999999999"})
    assert emulator.controls.passwords() == {}


def test_account_of_the_state_of_an_unknown_user(provider: ServiceSpecificCredentialProvider) -> None:
    """The state's account is told, although what the state has of a user whom the preview does not know yet is not."""
    told = run(account="999999999999", owned=UNKNOWN) | {"user": UNKNOWN}
    (reason,) = reasons(provider.check({}, told))
    assert "but this state is of account 999999999999" in reason


@pytest.mark.parametrize("account", ["", "12345678901", "1234567890123", "12345678901a", 123456789012.0, ["x"], True])
def test_no_account(provider: ServiceSpecificCredentialProvider, account: object) -> None:
    """What is no account's number is refused as that, by both classes, and not compared with the account in use."""
    watcher = AccessKeysProvider()
    for checked in (
        provider.check({}, run() | {"account": account}),
        watcher.check({}, {"users": {"jane": {}}, "account": account}),
    ):
        assert [(failure.property, failure.reason) for failure in checked.failures or []] == [
            ("account", "expected an AWS account id of 12 digits")
        ]


def test_right_account(provider: ServiceSpecificCredentialProvider) -> None:
    """The account that is meant is let through."""
    account = "123456789012"
    checked = provider.check({}, run(account=account) | {"account": account})
    assert checked.failures == []
    assert provider.create(checked.inputs).outs is not None


@pytest.mark.parametrize("name", ["user", "service", "status", "reset", "age_days", "declared", "existing", "account"])
def test_unknown_inputs(provider: ServiceSpecificCredentialProvider, name: str) -> None:
    """Any input may be another resource's output that a preview does not know yet."""
    checked = provider.check({}, run() | {name: UNKNOWN})
    assert checked.failures == []
    assert checked.inputs[name] is UNKNOWN
    made, outs = create(provider)
    assert provider.diff(made, outs, INPUTS | {name: UNKNOWN}).changes is (
        name in {"user", "service", "status", "reset", "age_days"}
    )


@pytest.mark.parametrize(
    ("name", "known"), [("existing", {}), ("age_days", {"existing": "adopt"}), ("declared", {"existing": "adopt"})]
)
def test_unknown_inputs_refuse_nothing(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, name: str, known: dict[str, str]
) -> None:
    """What is not known yet may be what lets `up` through: the preview shows what is taken over then."""
    made = iam.create_service_specific_credential(UserName="jane", ServiceName=BEDROCK, CredentialAgeDays=5)
    inputs = AGED | known | {name: UNKNOWN}
    checked = provider.check({}, run() | inputs)
    assert checked.failures == []
    assert checked.inputs["adopts"] == made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]


def test_unknown_number(provider: ServiceSpecificCredentialProvider) -> None:
    """Two resources that do not say yet how many they are may be two."""
    for resource in ("a", "b"):
        assert reasons(provider.check({}, run(resource=resource) | {"declared": UNKNOWN})) == []


def test_endpoint_down_is_told_once(
    provider: ServiceSpecificCredentialProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many resources that meet the same failure one tells it; the others are kept as recorded."""
    made = [create(provider), create(provider, service="bedrock")]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    provider = new_process()
    with pytest.raises(UnreachableError):
        provider.read(*made[0])
    again = provider.read(*made[1])
    assert (again.id, again.outs) == made[1]
    assert not provider.diff(*made[1], INPUTS | {"service": "bedrock"}).changes


def test_young_is_kept(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """What lists do not show yet, or show as it was, is kept as recorded, with a warning; a minute later it is gone."""
    name, outs = create(provider, status="Inactive")
    emulator.controls.set(list_lag=30)
    kept = new_process().read(name, outs)
    assert (kept.id, kept.outs, kept.inputs) == (name, outs, INPUTS | {"status": "Inactive"})
    assert f"warning: {CODECOMMIT} credential {name} of user jane is less than a minute old" in capsys.readouterr().err
    emulator.controls.set(list_lag=0)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=name, Status="Active")
    assert new_process().read(name, outs).outs == outs
    iam.delete_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=name)
    emulator.controls.set(clock_shift=61)
    assert new_process().read(name, outs).id is None


def test_status_within_the_lag(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """A status that is declared anew within the lag of a list is sent, whatever the list still says."""
    name, outs = create(provider, status="Active")
    emulator.controls.set(list_lag=30)
    provider = new_process()
    read = provider.read(name, outs)
    assert read.outs is not None
    assert provider.diff(name, read.outs, INPUTS | {"status": "Inactive"}).changes
    updated = provider.update(name, read.outs, INPUTS | {"status": "Inactive"}).outs
    assert updated is not None
    assert updated["status"] == updated["desired_status"] == "Inactive"
    emulator.controls.set(list_lag=0)
    (live,) = iam.list_service_specific_credentials(UserName="jane")["ServiceSpecificCredentials"]
    assert live["Status"] == "Inactive"


def test_delete(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """Deleting deletes, under a new name of the user too; what is gone already counts as deleted."""
    name, outs = create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    new_process().delete(name, outs)
    assert emulator.controls.passwords() == {}
    with pytest.raises(AccountError, match="repeat in a minute"):  # no list could show so young a one
        new_process().delete(name, outs)
    emulator.controls.set(clock_shift=61)
    new_process().delete(name, outs)


def test_expiry_is_recorded(provider: ServiceSpecificCredentialProvider) -> None:
    """When a credential expires is an output, and an expired one is replaced."""
    name, outs = create(provider, service="bedrock", age_days=30)
    assert outs["expiration_date"][:10] > outs["create_date"][:10]
    news = {"user": "jane", "service": "bedrock.amazonaws.com", "age_days": 30}
    assert not provider.diff(name, outs, news).changes
    assert provider.diff(name, outs | {"status": "Expired"}, news).replaces == ["status"]


def put_old(emulator: Emulator, user: str, credential_id: str) -> None:
    """Give the user a credential that was made an hour ago, before this process began."""
    emulator.controls.set(clock_shift=-3_600)
    emulator.controls.put_credential(credential_id, user, CODECOMMIT)
    emulator.controls.set(clock_shift=0)


def test_guard_without_all_users(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """Where the endpoint does not know AllUsers, a foreign credential is in the way all the same."""
    put_old(emulator, "jane", FOREIGN)
    emulator.controls.set(all_users=False)
    (reason,) = reasons(provider.check({}, run()))
    assert FOREIGN in reason


def test_guard_behind_a_user_left_out(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """Once a recorded credential proves that the list of all leaves users out, foreign ones of them all are found."""
    name, outs = create(provider, service="bedrock")
    iam.create_user(UserName="bob")
    put_old(emulator, "bob", FOREIGN)
    emulator.controls.set(hidden_users=["bob", "jane"], clock_shift=120)
    provider = new_process()
    assert provider.read(name, outs).id == name
    (reason,) = reasons(provider.check({}, run() | {"user": "bob"}))
    assert FOREIGN in reason


@pytest.mark.parametrize("number", [1, 2])
def test_guard_where_nothing_tells(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient, number: int
) -> None:
    """What the list of all leaves out is told by IAM's answer to Create: what was made is deleted again, all is named.

    From then on the list of all is believed no more.
    """
    iam.create_user(UserName="bob")
    for user in ("jane", "bob"):
        for _ in range(number):
            iam.create_service_specific_credential(UserName=user, ServiceName=CODECOMMIT)
    foreign = set(emulator.controls.passwords())
    emulator.controls.set(hidden_users=["bob", "jane"], clock_shift=120)
    checked = provider.check({}, run())
    assert checked.failures == []
    with pytest.raises(RejectedError, match="no resource of this stack has") as refused:
        provider.create(checked.inputs)
    assert set(emulator.controls.passwords()) == foreign
    assert sum(name in str(refused.value) for name in foreign) == number
    assert ("was deleted again" in str(refused.value)) is (number == 1)
    assert (str(refused.value) == reasons(provider.check({}, run()))[0]) is (number == 2)
    assert "no resource of this stack has" in reasons(provider.check({}, run() | {"user": "bob"}))[0]


def test_adopts_what_nothing_tells(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `existing: adopt` what the list of all leaves out is taken over, and told, for no preview could show it.

    What was made beside it is deleted again, and the next run has nothing to do.
    """
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    emulator.controls.set(hidden_users=["jane"], clock_shift=120)
    inputs = {"existing": "adopt", "status": "Inactive"}
    name, outs = create(provider, **inputs)
    assert emulator.controls.passwords() == {FOREIGN: outs["service_password"]}
    assert (name, outs["status"]) == (FOREIGN, "Inactive")
    assert f"those of user jane, so no preview could show that credential {FOREIGN} is live" in capsys.readouterr().err
    provider = new_process()
    assert provider.read(name, outs).id == name
    checked = provider.check(INPUTS | inputs, run(owned={name: "jane/codecommit"}) | inputs)
    assert not provider.diff(name, outs, checked.inputs).changes


def test_adopts_two_that_nothing_tells(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """Where IAM has no place for another, the first is taken over, and then the next preview shows the other."""
    foreign = {FOREIGN, "ACCAOTHER000000000000"}
    for credential_id in foreign:
        emulator.controls.put_credential(credential_id, "jane", CODECOMMIT)
    emulator.controls.set(hidden_users=["jane"], clock_shift=120)
    more = {"existing": "adopt", "declared": 2}
    checked = {name: provider.check({}, run(resource=name) | more).inputs for name in "ab"}
    first = provider.create(checked["a"])
    with pytest.raises(RejectedError, match="has come since the preview: repeat, to adopt it"):
        provider.create(checked["b"])
    provider = new_process()
    provider.read(first.id, first.outs or {})
    shown = provider.check({}, run(resource="b", owned={first.id: "a"}) | more).inputs
    assert {first.id, shown["adopts"]} == foreign
    assert {first.id, provider.create(shown).id} == foreign == set(emulator.controls.passwords())


def test_adopts_nothing_that_has_just_come(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """What may be missing from the list of all because it is young is somebody's, just made: it is not taken over."""
    checked = provider.check({}, run() | {"existing": "adopt"})
    iam.create_service_specific_credential(UserName="jane", ServiceName=CODECOMMIT)
    before = emulator.controls.passwords()
    with pytest.raises(RejectedError, match="was deleted again"):
        provider.create(checked.inputs)
    assert emulator.controls.passwords() == before


def test_a_sibling_adopts_what_nothing_tells(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """Beside what its sibling will adopt a new one stays, also where only IAM's answer tells that this is there."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    emulator.controls.set(hidden_users=["jane"], clock_shift=120)
    told = {"owned": {}, "adopters": {"jane/codecommit/a": 0}}
    new = provider.create(provider.check({}, run(resource="jane/codecommit/b", **told) | {"declared": 2}).inputs)
    adopting = run(resource="jane/codecommit/a", **told) | {"declared": 2, "existing": "adopt"}
    assert provider.create(provider.check({}, adopting).inputs).id == FOREIGN
    assert set(emulator.controls.passwords()) == {FOREIGN, new.id}


def test_adopts_nothing_beside_what_is_left(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """Where what was made cannot be deleted again nothing is adopted, and what is left is named."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    emulator.controls.set(hidden_users=["jane"], clock_shift=120)
    emulator.controls.fail("iam:DeleteServiceSpecificCredential", status=403, code="AccessDenied", message="no")
    before = emulator.controls.passwords()[FOREIGN]
    with pytest.raises(RejectedError, match=r"could not be deleted .* by hand"):
        provider.create(provider.check({}, run() | {"existing": "adopt"}).inputs)
    assert emulator.controls.passwords()[FOREIGN] == before


def test_second_login_beside_nothing(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """A login with a number alone is no reason to refuse: IAM may have renamed the user who has the name without."""
    create(provider)
    iam.update_user(UserName="jane", NewUserName="joan")
    iam.create_user(UserName="jane")
    emulator.controls.clear_counts()
    _, outs = create(new_process())
    assert outs["service_user_name"] == "jane+1-at-123456789012"
    assert emulator.controls.counts()[LIST] == 2


def test_found_by_a_list_is_not_undone(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """What a lost answer's list shows may be somebody's after all: it is not deleted for another that is there."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    emulator.controls.set(hidden_users=["jane"], clock_shift=120)
    checked = provider.check({}, run())
    emulator.controls.drop("iam:CreateServiceSpecificCredential", when="after")
    made = provider.create(checked.inputs)
    assert set(emulator.controls.passwords()) == {FOREIGN, made.id}


def test_narrowed_create_beside_a_hidden_one(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """Where nobody tells what the state has, what a closer look shows is not called foreign, and nothing is undone."""
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    emulator.controls.set(hidden_users=["jane"])
    made = provider.create(provider.check({}, INPUTS).inputs)
    assert set(emulator.controls.passwords()) == {FOREIGN, made.id}


def test_another_user_is_no_reason_to_delete_first(
    provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient
) -> None:
    """With only the user or service changed the successor comes first, also where both places of the old are taken."""
    iam.create_user(UserName="bob")
    name, outs = create(provider)
    emulator.controls.put_credential(FOREIGN, "jane", CODECOMMIT)
    provider = new_process()
    for news, changed in ((INPUTS | {"user": "bob"}, "user"), (INPUTS | {"service": "logs.amazonaws.com"}, "service")):
        difference = provider.diff(name, outs, news)
        assert (difference.replaces, difference.delete_before_replace) == ([changed], False)


def test_undone(provider: ServiceSpecificCredentialProvider, emulator: Emulator) -> None:
    """A create that cannot be switched off is undone, and said to be: nothing is live, and the next one is let in."""
    emulator.controls.fail("iam:UpdateServiceSpecificCredential", status=403, code="AccessDenied", message="no")
    inputs = run() | {"status": "Inactive"}
    checked = provider.check({}, inputs)
    with pytest.raises(AccountError, match=r"the new credential ACCA\w+ of user jane was deleted again"):
        provider.create(checked.inputs)
    assert emulator.controls.passwords() == {}
    made = provider.create(provider.check({}, inputs).inputs).outs
    assert made is not None
    assert made["status"] == "Inactive"


def test_what_is_recorded(provider: ServiceSpecificCredentialProvider) -> None:
    """A credential's outputs are its inputs and what IAM says of it, the other family's not among them."""
    name, outs = create(provider, status="Inactive", reset="x")
    assert outs.keys() == {
        "user", "service", "desired_status", "reset", "account_id", "credential_id", "status", "create_date",
        "service_user_name", "service_password",
    }  # fmt: skip
    recorded = (outs["credential_id"], outs["status"], outs["desired_status"], outs["account_id"])
    assert recorded == (name, "Inactive", "Inactive", "123456789012")
    _, key = create(provider, service="bedrock")
    assert key.keys() & {"service_credential_alias", "service_credential_secret", "service_password"} == {
        "service_credential_alias",
        "service_credential_secret",
    }


def test_switched_off_by_somebody(
    provider: ServiceSpecificCredentialProvider, iam: IAMClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """What somebody switched off stays off where no status is declared, and is told with the ways out."""
    name, outs = create(provider)
    iam.update_service_specific_credential(UserName="jane", ServiceSpecificCredentialId=name, Status="Inactive")
    provider = new_process()
    capsys.readouterr()
    assert not provider.diff(name, outs | {"status": "Inactive"}, INPUTS).changes
    assert (
        f"somebody switched off {CODECOMMIT} credential {name} of user jane, and off it stays"
        in capsys.readouterr().err
    )
    assert provider.diff(name, outs | {"status": "Inactive"}, INPUTS | {"status": "Active"}).changes
    assert provider.diff(name, outs, INPUTS | {"reset": "x"}).changes
    assert not provider.diff(name, outs, INPUTS).changes
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("signed_in")
def test_sibling_of_a_lost_answer(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """While one looks for what its lost Create made, its sibling waits, and calls that not somebody else's."""
    looking, decided = threading.Event(), threading.Event()
    looks = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:  # by now a list has shown what was made
            looking.set()
            decided.wait(0.5)

    account = Account(sleep=sleep)
    monkeypatch.setattr("dynamic_providers.provider._account", lambda: account)
    provider = ServiceSpecificCredentialProvider()
    provider.configure(ConfigureRequest(Config({}, "iamcreds")))
    names = [f"jane/codecommit/{name}" for name in "ab"]
    first, second = (provider.check({}, run(resource=name) | {"declared": 2.0}).inputs for name in names)
    emulator.controls.fail(CREATE, when="after")
    with ThreadPoolExecutor() as pool:
        lost = pool.submit(provider.create, first)
        assert looking.wait(10)
        sibling = pool.submit(provider.create, second)
        sibling.add_done_callback(lambda _: decided.set())
        ids = {lost.result(30).id, sibling.result(30).id}
    assert ids == set(emulator.controls.passwords())
    assert len(ids) == 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_repeated_within_the_lag(monkeypatch: pytest.MonkeyPatch, signed_in: Emulator, when: When) -> None:
    """Who repeats a Create whose answer was lost waits until lists must show what it made, and makes no second one."""
    passed = [0.0]
    signed_in.controls.set(list_lag=30)

    def sleep(seconds: float) -> None:
        passed[0] += seconds
        signed_in.controls.set(clock_shift=passed[0])

    monkeypatch.setattr("dynamic_providers.provider._account", functools.cache(lambda: Account(sleep=sleep)))
    monkeypatch.setattr("sys.argv", ["provider"])
    first = new_process()
    signed_in.controls.fail(CREATE, when=when)
    with pytest.raises(LostAnswerError):
        first.create(INPUTS)
    assert passed == [7.0]
    assert first.check({}, run()).failures == []
    assert passed == [7.0], "a sibling need not wait"
    monkeypatch.setattr("iamcreds.account.create_journal.process_id", lambda: "another")
    again = new_process()
    if when == "before":
        again.create(again.check({}, run()).inputs)
    else:
        (made,) = signed_in.controls.passwords()
        (reason,) = reasons(again.check({}, run()))
        assert made in reason
    assert passed[0] == pytest.approx(71.5 if when == "before" else 31.5, abs=2)
    assert len(signed_in.controls.passwords()) == 1


def test_decided_and_made_in_one_hold(
    provider: ServiceSpecificCredentialProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the decision to its result, in the preview and in the run, others of this user and service wait."""
    held: list[tuple[str, str]] = []
    hold = provider.account.hold_creates

    def hold_creates(user: str, service: str) -> AbstractContextManager[None]:
        held.append((user, service))
        return hold(user, service)

    monkeypatch.setattr(provider.account, "hold_creates", hold_creates)
    create(provider)
    assert held == [("jane", CODECOMMIT)] * 2


def test_killed_create(
    provider: ServiceSpecificCredentialProvider,
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """What a run that was killed may have made is waited for before anything is decided, and that is told once."""
    provider = new_process()
    emulator.controls.fail(CREATE, when="before")
    with pytest.raises(LostAnswerError):
        create(provider)
    monkeypatch.setattr("iamcreds.account.create_journal.process_id", lambda: "another")
    looks: list[float] = []

    def look(seconds: float) -> None:
        looks.append(seconds)
        emulator.controls.set(clock_shift=71)

    later = new_process()
    monkeypatch.setattr(later.account._open_creates, "_sleep", look)  # noqa: SLF001 - time passes by itself
    assert later.check({}, run() | {"service": BEDROCK}).failures == []
    assert looks == []
    assert later.check({}, run()).failures == []
    assert later.check({}, run()).failures == []
    assert looks == [3.0]
    said = capfd.readouterr().err
    assert said.count("a run on this machine began to make a codecommit credential of user jane a moment ago") == 1
    assert re.search(r"waiting until IAM's lists must show it, for \d\d seconds at most\n", said)
