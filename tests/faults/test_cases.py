"""Tests of the cases, the samples and the detected commands, without the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.emulator.account import SECRETS
from iamcreds.emulator.stores.secrets import CURRENT, Secret, SecretVersion
from tests.faults.account import Recorded, open_account
from tests.faults.campaign import play_case
from tests.faults.cases import Case, make_cases, sample, select
from tests.faults.delivered import REGION, find_store_problems, watch_store
from tests.faults.engine import IMPATIENT
from tests.faults.kinds import KINDS
from tests.faults.passwords import Password, find_broken, list_working, select_in_use, watch
from tests.faults.playing import Outcome, Prepared, find_delete_commands, find_problems, find_state_problems
from tests.faults.scenarios import CODECOMMIT, SCENARIOS, Live

if TYPE_CHECKING:
    from iamcreds.emulator.server import Emulator
    from tests.faults.account import Account

SECRET = "codecommit/jane"
START = datetime(2026, 11, 21, tzinfo=UTC)
CREATE, DELETE, PUT = "iam:Create", "iam:Delete", "secretsmanager:PutSecretValue"
CALLS = {
    each.name: ["sts:GetCallerIdentity", "iam:ListUsers", PUT if each.secret else CREATE, DELETE] for each in SCENARIOS
}


@pytest.fixture
def cases() -> list[Case]:
    """Return every case, as if every scenario made four calls."""
    return list(make_cases(CALLS))


def test_every_kind_at_every_call(cases: list[Case]) -> None:
    """Every kind of fault occurs at every call of every scenario, and each case has a unique id."""
    at_calls = sum(not kind.everywhere for kind in KINDS)
    assert len(cases) == len(SCENARIOS) * (4 * at_calls + len(KINDS) - at_calls)
    assert len({case.id for case in cases}) == len(cases)


def test_sample(cases: list[Case]) -> None:
    """A sample has one case for each changing call and each other operation, and every kind of fault."""
    chosen = list(sample(cases))
    delivering = {each.name for each in SCENARIOS if each.secret}
    changing = {(case.scenario.name, case.call) for case in chosen if case.operation in {CREATE, PUT, DELETE}}
    every = {(name, call) for name in CALLS for call in (3, 4) if call == 3 or name not in delivering}
    (other,) = changing - every  # a delete next to a delivery is one more operation
    assert (every - changing, other[1]) == (set(), 4)
    others = [case.operation for case in chosen if case.operation not in {CREATE, PUT, DELETE}]
    assert sorted(others) == ["*", "iam:ListUsers", "sts:GetCallerIdentity"]
    assert {case.kind for case in chosen} == set(KINDS)


def test_nothing_is_left_out() -> None:
    """A sample includes a scenario without changes, and every kind of fault even if kinds outnumber calls."""
    calls = {"create": ["iam:ListUsers", "iam:Create"], "adopt-by-id": ["iam:ListUsers"]}
    chosen = list(sample(list(make_cases(calls))))
    assert {case.scenario.name for case in chosen} == set(calls)
    assert {case.kind for case in chosen} == set(KINDS)
    assert len(chosen) == len(KINDS) + 1


@pytest.mark.parametrize(
    "failure", [AssertionError("error: failed to load checkpoint"), subprocess.TimeoutExpired(["pulumi"], 100)]
)
def test_failed_recovery(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    """A case whose recovery fails is reported as failed, and does not end the campaign."""

    def fail(*_: object) -> Outcome:
        raise failure

    monkeypatch.setattr("tests.faults.campaign.play", fail)
    outcome = play_case(cases[0], Prepared(tmp_path, Recorded([], {}), ()), tmp_path, "")
    assert not outcome.is_good
    assert outcome.problems == [f"the recovery fails: {failure}"]


def test_select(cases: list[Case]) -> None:
    """Cases are selected by id or by pattern."""
    assert [case.id for case in select(cases, ["reset:storm:2"])] == ["reset:storm:2"]
    assert {case.id for case in select(cases, ["reset:storm:*", "nothing"])} == {
        f"reset:storm:{n}" for n in (1, 2, 3, 4)
    }


def test_delete_commands() -> None:
    """Printed commands that delete credentials are found in any context."""
    command = "aws iam delete-service-specific-credential --user-name j.d --service-specific-credential-id ACCA"
    assert find_delete_commands(f"delete it ({command}1); or") == {("j.d", "ACCA1")}
    assert find_delete_commands(f"delete them ({command}1 and {command}2)") == {("j.d", "ACCA1"), ("j.d", "ACCA2")}
    assert find_delete_commands(f"delete one ({command}1 or {command}2)") == {("j.d", "ACCA1")}
    assert find_delete_commands("nothing to delete") == set()


def test_problems() -> None:
    """Missing and unexpected credentials are reported separately."""
    (create,) = (scenario for scenario in SCENARIOS if scenario.name == "create")
    assert list(find_problems(create, [Live(CODECOMMIT)])) == []
    missing, surplus = find_problems(create, [Live(CODECOMMIT, "Inactive")])
    assert missing.startswith("missing: Live(service='codecommit.amazonaws.com', status='Active'")
    assert surplus.startswith("unexpected: Live(service='codecommit.amazonaws.com', status='Inactive'")


def test_state_problems() -> None:
    """An id that is gone, an id that is in the state twice, and a pending deletion are reported."""
    state: list[dict[str, Any]] = [{"id": "ACCA1"}, {"id": "ACCA1", "delete": True}, {"id": "ACCA2"}]
    assert list(find_state_problems(state, {"ACCA1"})) == [
        "ACCA2 is only in the state",
        "ACCA1 is in the state 2 times",
        "ACCA1 is still to be deleted",
    ]
    assert list(find_state_problems([{"id": "ACCA1"}], {"ACCA1"})) == []


def test_broken_passwords() -> None:
    """A credential that worked and was deleted, deactivated or reset since is reported; a new one is not."""
    old = Password("jane-at-1", "secret")
    before = {"ACCA1": old, "ACCA2": old, "ACCA3": old, "ACCA5": old}
    after = {"ACCA1": old, "ACCA2": old._replace(password="new"), "ACCA4": old, "ACCA5": old._replace(login="j")}
    assert list(find_broken(before, after)) == [
        "ACCA3 no longer works",
        "the password of ACCA2 is changed",
        "the login of ACCA5 is changed",
    ]
    assert list(find_broken(before, {**before, "ACCA4": old})) == []


def test_passwords_in_use() -> None:
    """The previous password is in use until its overlap ends."""
    working = {"ACCA1": Password("jane-at-1", "one"), "ACCA2": Password("jane+1-at-1", "two")}
    state: list[dict[str, Any]] = [{"id": "ACCA1", "outputs": {}}, {"id": "ACCA2", "outputs": {"rotation": 1.0}}]
    assert select_in_use(working, state, retires=False) == working
    assert select_in_use(working, state, retires=True) == {"ACCA2": working["ACCA2"]}


def test_watch(emulator: Emulator) -> None:
    """A password that fails for a moment is reported, although it works before and afterwards."""
    emulator.controls.reset()
    account = open_account(emulator, ("jane",))
    account.empty()
    account.create_credential("jane", CODECOMMIT)
    (credential,) = account.list_credentials()
    name = {"UserName": "jane", "ServiceSpecificCredentialId": credential["ServiceSpecificCredentialId"]}
    before = list_working()
    with watch(before) as problems:
        account.iam.update_service_specific_credential(**name, Status="Inactive")
        account.iam.update_service_specific_credential(**name, Status="Active")
        assert list_working() == before
        account.iam.reset_service_specific_credential(**name)
    credential_id = name["ServiceSpecificCredentialId"]
    assert problems == [f"{credential_id} no longer works", f"the password of {credential_id} is changed"]


def test_impatience(signed_in: Emulator) -> None:
    """With the folder `impatient` on PYTHONPATH, the product waits one second for a response."""
    signed_in.controls.hang("*", 60)
    listed = subprocess.run(
        [Path(sys.executable).with_name("iamcreds"), "list", "credentials", "--all-users"],
        env=os.environ | {"PYTHONPATH": str(IMPATIENT)}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (listed.returncode, listed.stderr) == (0, "")


@pytest.fixture
def delivered(emulator: Emulator) -> Account:
    """Return an account with a credential whose password is in the store."""
    emulator.controls.reset()
    account = open_account(emulator, ("jane",))
    account.empty()
    account.create_credential("jane", CODECOMMIT)
    ((key, password),) = list_working().items()
    content = {"username": password.login, "password": password.password, "credentialId": key}
    secrets = Secret(SECRET, "arn", START, START, (SecretVersion("1", json.dumps(content), START, (CURRENT,)),), {})
    SECRETS.put(REGION, SECRET, secrets)
    return account


def test_store(delivered: Account) -> None:
    """A secret that is missing, of a different credential or without a working password is reported."""
    (scenario,) = (each for each in SCENARIOS if each.name == "deliver-create")
    (key,) = list_working()
    state: list[dict[str, Any]] = [{"id": key, "outputs": {}}]
    assert list(find_store_problems(scenario, state)) == []
    newer = [*state, {"id": "ACCA2", "outputs": {"rotation": 1.0}}]
    assert list(find_store_problems(scenario, newer)) == [
        f"{SECRET} is the password of {key}, and the current credential is ACCA2"
    ]
    assert list(find_store_problems(scenario, [])) == [f"{SECRET} is not deleted"]
    delivered.delete_credential("jane", key)
    useless = f"{SECRET} hands out a password of {key} that does not work"
    assert list(find_store_problems(scenario, state)) == [useless]
    SECRETS.put(REGION, SECRET, None)
    assert list(find_store_problems(scenario, state)) == [f"the store does not have {SECRET}"]
    assert list(find_store_problems(scenario, [])) == []


def test_watched_store(delivered: Account) -> None:
    """A password in the store that fails for a moment is reported; without a name, nothing is."""
    (key,) = list_working()
    name = {"UserName": "jane", "ServiceSpecificCredentialId": key}
    with watch_store(SECRET) as problems, watch_store(None) as none:
        delivered.iam.update_service_specific_credential(**name, Status="Inactive")
        delivered.iam.update_service_specific_credential(**name, Status="Active")
        SECRETS.put(REGION, SECRET, None)
    assert problems == [
        f"{SECRET} hands out a password of {key} that does not work",
        f"the store does not have {SECRET}",
    ]
    assert none == []
