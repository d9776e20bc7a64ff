"""Playback of a case: the fault, the updates until one is clean, and the checks afterwards."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.faults.cases import READING
from tests.faults.delivered import find_store_problems, watch_store
from tests.faults.engine import MINUTE, copy_engine, create_engine, read_secret
from tests.faults.passwords import list_working, select_in_use, watch
from tests.faults.scenarios import Live

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from tests.faults.account import Account, Recorded
    from tests.faults.cases import Case
    from tests.faults.engine import Engine
    from tests.faults.passwords import Password
    from tests.faults.scenarios import Scenario

MOST_UPS = 3
DAY = 86_400
LEAKED = 20
"""The number of characters of a secret that count as a leak, because a truncated response may have no more."""

_REPEAT_LATER = re.compile(r"in a minute")
_DELETE_COMMAND = re.compile(
    r"aws iam delete-service-specific-credential\s+--user-name (\S+)\s+--service-specific-credential-id (\w+)"
)
_SECRETS = ("service_password", "service_credential_secret")


@dataclass(frozen=True)
class Prepared:
    """The stack and the account of a scenario before its `up`, and the calls of that `up` without a fault."""

    folder: Path
    recorded: Recorded
    calls: tuple[str, ...]


@dataclass
class Outcome:
    """The outcome of a case.

    Attributes:
        is_met: True if the call with the fault occurred.
        ups: the number of updates after the one with the fault.
        ways_out: the printed commands that were executed.
        orphans: ids of existing credentials that are not in the state.
        lost: ids of credentials whose password in the state is not valid.
        leaks: the number of issued secrets in printed output or files.
        problems: any other problems, one sentence each.
    """

    is_met: bool = True
    ups: int = 0
    cancels: int = 0
    ways_out: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    leaks: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: float = 0
    said: str = ""

    @property
    def is_good(self) -> bool:
        """Return True if nothing is wrong."""
        return not (self.orphans or self.lost or self.leaks or self.problems)


def prepare(scenario: Scenario, folder: Path, binaries: str, account: Account) -> Prepared:
    """Prepare the stack and the account of a scenario on the days before, and record the calls of its `up`.

    Raises:
        AssertionError: the scenario fails without a fault.
    """
    account.empty()
    account.controls.set(clock_shift=-DAY * scenario.days[0])
    for service in scenario.unmanaged:
        account.create_credential("jane", service)
    for credential_id, service in scenario.named:
        account.controls.put_credential(credential_id, "jane", service)
    engine = create_engine(folder / "before", binaries, account.url)
    if scenario.before:
        engine.write(scenario.before)
    for days in scenario.days if scenario.before else ():
        account.controls.set(clock_shift=-DAY * days)
        assert engine.up(account), engine.printed[-1]
    engine.write(scenario.desired)
    recorded = account.record()
    engine = copy_engine(folder / "before", folder / "quiet", binaries, account.url)
    account.restore(recorded)
    assert engine.up(account, has_checkpoints=scenario.has_checkpoints), engine.printed[-1]
    calls = tuple(account.controls.calls())
    outcome = Outcome()
    check(scenario, recorded, engine, account, outcome)
    outcome.problems += find_repeated(engine, account) if scenario.secret is not None else ()
    assert outcome.is_good, outcome
    return Prepared(folder / "before", recorded, calls)


def play(case: Case, prepared: Prepared, home: Path, binaries: str, account: Account) -> Outcome:
    """Inject the fault, run updates until one is clean, and check the result."""
    started = time.monotonic()
    outcome = Outcome()
    engine = copy_engine(prepared.folder, home, binaries, account.url)
    account.restore(prepared.recorded)
    account.controls.clear_counts()
    try:
        secret = case.scenario.secret if case.scenario.keeps_delivered else None
        with watch(list_in_use(case.scenario, engine)) as problems, watch_store(secret) as store_problems:
            case.kind.arm(account.controls, case.call)
            is_clean = engine.up_with(case.kind, account, has_checkpoints=case.scenario.has_checkpoints)
            outcome.is_met = len(account.controls.calls()) >= case.call
            account.controls.clear_faults()
            engine.end_processes()
            recover(engine, account, outcome, is_clean=is_clean)
            complete(case.scenario, engine, account, outcome)
            check(case.scenario, prepared.recorded, engine, account, outcome)
            if case.scenario.keeps_working or case.scenario.secret is not None:
                outcome.problems += find_repeated(engine, account)
        # A person who follows the advice deletes an orphan, also if the store hands out its password until the next up.
        outcome.problems += [*problems, *(each for each in store_problems if not names_any(each, outcome.ways_out))]
        if not case.kind.victims and any("Traceback" in said for said in engine.printed):
            outcome.problems.append("a traceback was printed")
    finally:
        engine.end_processes()
    outcome.seconds = time.monotonic() - started
    outcome.said = "\n".join(engine.printed)
    return outcome


def names_any(problem: str, ids: Iterable[str]) -> bool:
    """Return True if a problem names one of the ids."""
    return any(each in problem for each in ids)


def list_in_use(scenario: Scenario, engine: Engine) -> dict[str, Password]:
    """Return the passwords that must work all the time, by id."""
    return (
        select_in_use(list_working(), engine.read_state(), retires=scenario.retires) if scenario.keeps_working else {}
    )


def recover(engine: Engine, account: Account, outcome: Outcome, *, is_clean: bool) -> None:
    """Recover like a user: follow the advice of the last run and repeat the run, until it is clean."""
    while not is_clean and outcome.ups < MOST_UPS:
        outcome.cancels += engine.cancel()
        if _REPEAT_LATER.search(engine.printed[-1]):
            account.wait(MINUTE)
        take_ways_out(engine, account, outcome)
        outcome.ups += 1
        is_clean = engine.up(account)
    if not is_clean:
        outcome.problems.append(f"not clean after {MOST_UPS} ups")
    outcome.cancels += engine.cancel()


def complete(scenario: Scenario, engine: Engine, account: Account, outcome: Outcome) -> None:
    """Run the updates that the result may need after a clean one: a retirement, and the rotation after it."""
    for _ in range(scenario.extra_ups):
        if not list(find_problems(scenario, map(_describe, account.list_credentials()))):
            return
        outcome.ups += 1
        if not engine.up(account):
            outcome.problems.append("an update after a clean one fails")


def find_repeated(engine: Engine, account: Account) -> Iterator[str]:
    """Run another update, and yield the calls that change something."""
    account.controls.clear_counts()
    if not engine.up(account):
        yield "another up fails"
    yield from (f"another up calls {call}" for call in account.controls.calls() if not call.startswith(READING))


def take_ways_out(engine: Engine, account: Account, outcome: Outcome) -> None:
    """Execute the printed commands of the last run, except for credentials in the state."""
    commands = find_delete_commands(engine.printed[-1])
    ours = {resource["id"] for resource in engine.read_state()} if commands else set()
    existing = account.controls.passwords()
    for user, credential_id in sorted(commands):
        if credential_id in ours:
            outcome.problems.append(f"advised to delete {credential_id}, which is in the state")
        elif credential_id in existing:
            account.delete_credential(user, credential_id)
            outcome.ways_out.append(credential_id)
            if account.has_lag():  # lists lag, and the person who deleted it waits until it is gone
                account.wait(MINUTE)
        else:
            outcome.problems.append(f"advised to delete {credential_id}, which is gone")


def find_delete_commands(said: str) -> set[tuple[str, str]]:
    """Find user and id in each printed command that deletes a credential; of alternatives, only in the first."""
    found = _DELETE_COMMAND.finditer(said)
    return {(command[1], command[2]) for command in found if not said[: command.start()].endswith(" or ")}


def check(scenario: Scenario, recorded: Recorded, engine: Engine, account: Account, outcome: Outcome) -> None:
    """Check the existing credentials, the state, the output and the files."""
    existing = account.list_credentials()
    state = engine.read_state()
    passwords = {resource["id"]: _read_password(resource) for resource in state}
    valid = account.controls.passwords()
    unmanaged = {credential["credential_id"] for credential in recorded.credentials} if scenario.has_foreign else set()
    outcome.orphans = sorted(valid.keys() - passwords.keys() - unmanaged)
    known = {key for key in passwords if scenario.has_passwords or passwords[key] is not None}
    outcome.lost = sorted(key for key in valid.keys() & known if passwords[key] != valid[key])
    outcome.leaks = count_leaks(engine, account.controls.secrets())
    outcome.problems += find_problems(scenario, map(_describe, existing))
    outcome.problems += find_state_problems(state, valid)
    outcome.problems += find_store_problems(scenario, state)
    if scenario.secret is not None and not scenario.has_passwords:
        recorded_ids = [key for key, password in passwords.items() if password is not None]
        outcome.problems += [f"the password of {key} is in the state" for key in recorded_ids]
    old = {credential["password"] for credential in recorded.credentials}
    if scenario.is_renewing and old & set(passwords.values()):
        outcome.problems.append("an old password is in the state")
    if engine.is_locked():
        outcome.problems.append("the backend is locked")


def find_problems(scenario: Scenario, existing: Iterable[Live]) -> Iterator[str]:
    """Yield the differences between the existing credentials and those of the scenario."""
    wanted, found = Counter(scenario.existing), Counter(existing)
    yield from (f"missing: {missing}" for missing in (wanted - found).elements())
    yield from (f"unexpected: {surplus}" for surplus in (found - wanted).elements())


def find_state_problems(state: list[dict[str, Any]], existing: Collection[str]) -> Iterator[str]:
    """Yield the ids that are gone but in the state, that are in it twice, and that wait for deletion."""
    times = Counter(resource["id"] for resource in state)
    yield from (f"{credential_id} is only in the state" for credential_id in times if credential_id not in existing)
    yield from (f"{credential_id} is in the state {n} times" for credential_id, n in times.items() if n > 1)
    yield from (f"{resource['id']} is still to be deleted" for resource in state if resource.get("delete"))


def count_leaks(engine: Engine, issued: list[str]) -> int:
    """Count the issued secrets that appear in printed output or in any remaining file."""
    files = (path for path in engine.home.rglob("*") if path.is_file() and not path.is_symlink())
    texts = [*engine.printed, *(path.read_bytes().decode(errors="replace") for path in files)]
    return sum(any(secret[:LEAKED] in text for text in texts) for secret in issued)


def _read_password(resource: dict[str, Any]) -> object:
    outputs = resource["outputs"]
    return next((read_secret(outputs[name]) for name in _SECRETS if outputs.get(name) is not None), None)


def _describe(credential: dict[str, Any]) -> Live:
    expires = credential.get("ExpirationDate")
    days = (expires - credential["CreateDate"]).days if expires else None
    return Live(credential["ServiceName"], credential["Status"], credential["UserName"], days)
