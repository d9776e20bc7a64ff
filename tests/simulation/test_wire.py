"""The simulation's AWS, compared with boto3 and the IAM emulator: the same responses and errors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.simulation import process
from tests.simulation.clock import Clock
from tests.simulation.engine import Run
from tests.simulation.process import stage
from tests.simulation.program import Program
from tests.simulation.rules import Record
from tests.simulation.state import Options, Stack
from tests.simulation.wire import Client
from tests.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_iam import IAMClient

CODECOMMIT, BEDROCK = "codecommit.amazonaws.com", "bedrock.amazonaws.com"
_VARYING = ("ServiceSpecificCredentialId", "CreateDate", "ExpirationDate", "ServicePassword", "ServiceCredentialSecret")


def script(iam: Any) -> list[object]:  # noqa: ANN401 - boto3's client or its replacement
    """Call every operation of the simulation, and return the responses and errors."""
    told: list[object] = []

    def ask(operation: str, **arguments: object) -> Any:  # noqa: ANN401 - boto3's responses
        try:
            answer = getattr(iam, operation)(**arguments)
        except ClientError as error:
            refusal = error.response["Error"]
            told.append((operation, refusal["Code"], re.sub(r"ACCA\w+", "…", refusal["Message"])))
            return None
        told.append((operation, _comparable(answer)))
        return answer

    def credential(operation: str, id_: str, user: str = "jane", **more: object) -> None:
        ask(f"{operation}_service_specific_credential", UserName=user, ServiceSpecificCredentialId=id_, **more)

    made = ask("create_service_specific_credential", UserName="jane", ServiceName=CODECOMMIT)
    found: str = made["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    ask("create_service_specific_credential", UserName="jane", ServiceName=BEDROCK, CredentialAgeDays=30)
    for user, service in (("jane", CODECOMMIT), ("jane", CODECOMMIT), ("nobody", CODECOMMIT), ("jane", "tea.pot")):
        ask("create_service_specific_credential", UserName=user, ServiceName=service)
    for id_, user in ((found, "jane"), (found, "john"), (found, "nobody"), ("ACCA" + "0" * 17, "jane")):
        credential("reset", id_, user)
        credential("update", id_, user, Status="Inactive")
    ask("list_service_specific_credentials", AllUsers=True, MaxItems=1000)
    for user in ("jane", "nobody"):
        ask("list_service_specific_credentials", UserName=user, MaxItems=1000)
        ask("list_service_specific_credentials", UserName=user, ServiceName="tea.pot", MaxItems=1000)
        ask("get_user", UserName=user)
        credential("delete", found, user)
    credential("delete", found)
    ask("list_users", MaxItems=1000)
    return told


def _comparable(answer: Any) -> object:  # noqa: ANN401 - boto3's responses
    """Return a response without values that differ between accounts, but with all fields."""
    match answer:
        case dict():
            told = {
                name: "…" if name in (*_VARYING, "UserId", "Arn") else _comparable(value)
                for name, value in answer.items()
                if name not in ("ResponseMetadata", "Arn", "Tags")
            }
            return dict(sorted(told.items()))
        case list():
            return sorted(map(_comparable, answer), key=str)
        case _:
            return answer


def test_same_answers(iam: IAMClient) -> None:
    """The simulation returns the fields, codes and messages that boto3 returns from the IAM emulator."""
    for user in ("jane", "john"):
        iam.create_user(UserName=user)
    assert in_simulation(script) == script(iam)


def in_simulation(work: Callable[[Client], list[object]]) -> list[object]:
    """Return the result of the work with a client of the simulation."""
    with stage():
        clock = Clock()
        world = World(clock)
        for user in ("jane", "john"):
            world.add_user(user)
        run = Run(Stack("A", Program()), world, Options(), Record(), new_process=process.new_process)
        told: list[object] = []
        clock.spawn(lambda: told.extend(work(Client(run, attempts=1))), run)
        clock.play()
    return told


def test_nothing_outside_of_a_task() -> None:
    """Waiting outside of a task is a mistake of the test, and is reported as such."""
    with pytest.raises(AssertionError, match="outside of a task"):
        Clock().sleep(1.0)
