"""The arguments of `rotating_credential`, tested with Pulumi's mocks, under which there is no state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.rpc import is_rpc_secret

from dynamic_providers import RotatingCredential, ServiceSpecificCredential, rotating_credential
from tests.providers.test_credential import MADE, Given, Monitor

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
VALID = {"user": "jane", "service": "keyspaces", "every": "90d", "overlap": "7d"}
KEY = {"service": "bedrock", "age_days": 120}
DELIVERED = {"deliver": {"secrets_manager": {"name": "{service}/{user}"}}}
PROTECTED = pulumi.ResourceOptions(protect=True)
RETAINED = pulumi.ResourceOptions(retain_on_delete=True)


def run(program: Callable[[], object], monitor: Monitor | None = None) -> None:
    """Run a program under mocks."""
    pulumi.runtime.set_mocks(Given(), monitor=monitor)
    pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]


def declare(name: Any = "vault", **arguments: Any) -> RotatingCredential:  # noqa: ANN401 - any arguments
    """Declare a rotating credential with some other arguments; None removes one."""
    given = {key: value for key, value in (VALID | arguments).items() if value is not None or key == "user"}
    return rotating_credential(name, **given)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"name": "vault~2"}, "name: expected text without `~`"),
        ({"name": ""}, "name: expected text without `~`"),
        ({"user": None}, "user: expected an IAM user name, or an output"),
        ({"user": "jane doe"}, "user: expected an IAM user name"),
        ({"service": pulumi.Output.from_input("keyspaces")}, "service: expected bedrock, "),
        ({"every": None}, "every: expected a duration such as 90d; or set `trigger`"),
        ({"every": "3 months"}, "every: expected a duration such as 90d, 12h or 2w"),
        ({"every": 90}, "every: expected a duration such as 90d, 12h or 2w"),
        ({"overlap": "0d"}, "overlap: expected a duration such as 90d, 12h or 2w"),
        ({"overlap": "73d"}, "overlap: 73d is more than 80% of `every`, 90d"),
        ({"trigger": 5}, "trigger: expected text"),
        ({"retire": "never"}, "retire: expected deactivate or delete"),
        ({"not_before": "soon"}, "not_before: expected an ISO 8601 date such as 2027-03-01"),
        ({"reset": 5}, "reset: expected text"),
        ({"age_days": 120}, "age_days: only API keys expire"),
        ({**KEY, "age_days": 96}, "age_days: expected at least `every` and `overlap` together"),
        ({**KEY, "age_days": 0}, "age_days: expected a whole number of days from 1 to 36600"),
        ({**KEY, "age_days": 6, "every": None, "trigger": "a"}, "overlap: 7d is more than 80% of `age_days`, 6"),
        ({"deliver": {"vault": {}}}, "deliver: expected one of the keys secrets_manager and ssm"),
        ({"retire_after_read_by": "30d"}, "retire_after_read_by: expected `deliver` with secrets_manager"),
        ({**DELIVERED, "retire_after_read_by": "soon"}, "retire_after_read_by: expected a duration such as 90d"),
        ({**DELIVERED, "retire_after_read_by": "6d"}, "retire_after_read_by: 6d is shorter than `overlap`, 7d"),
        ({**DELIVERED, "retire_after_read_by": "73d"}, "retire_after_read_by: 73d is more than 80% of `every`, 90d"),
        ({"existing": "keep"}, "existing: expected fail or adopt"),
        ({"adopt": "x"}, "adopt: expected a credential ID"),
        ({"retire": "delete", "opts": PROTECTED}, "opts: protect is not valid together with retire='delete'"),
        ({**KEY, "opts": PROTECTED}, "opts: protect is not valid together with age_days"),
        ({"retire": "delete", "opts": RETAINED}, "opts: retain_on_delete is not valid together with retire='delete'"),
    ],
)
def test_invalid_argument(arguments: dict[str, Any], reason: str) -> None:
    """An invalid argument ends the program with an error that names it, and nothing is declared."""
    monitor = Monitor()
    with pytest.raises(pulumi.RunError) as caught:
        run(lambda: declare(**arguments), monitor)
    name = arguments.get("name", "vault")
    assert str(caught.value).startswith(f"rotating_credential {name}: {reason}")
    assert not any("dynamic" in request.type for request in monitor.requests.values())


def test_every_error() -> None:
    """One error lists all invalid arguments."""
    with pytest.raises(
        pulumi.RunError, match="trigger: expected text that is not empty; retire: expected deactivate or delete"
    ):
        run(lambda: declare(trigger=5, retire="never"))


def test_status() -> None:
    """A rotating credential has no status of its own, because rotation activates and deactivates it."""
    with pytest.raises(TypeError, match="status"):
        run(lambda: declare(status="Active"))


@pytest.mark.parametrize(
    "arguments",
    [
        {"overlap": "72d"},
        {"every": None, "trigger": "2027-01", "overlap": "400d"},
        {"not_before": "2027-03-01T12:00:00+01:00", "retire": "delete"},
        {**KEY, "age_days": 97, "existing": "adopt"},
        {"opts": PROTECTED},
        {"opts": RETAINED},
    ],
)
def test_valid_arguments(arguments: dict[str, Any]) -> None:
    """Valid arguments at their limits declare one plain credential if there is no state."""
    monitor = Monitor()
    run(lambda: declare(**arguments), monitor)
    sent = MessageToDict(monitor.requests["vault"].object)
    assert "vault~2" not in monitor.requests
    assert {name: sent.get(name) for name in ("user", "declared", "trigger", "existing", "rotation")} == {
        "user": "jane",
        "declared": 2,
        "trigger": arguments.get("trigger"),
        "existing": arguments.get("existing"),
        "rotation": None,
    }
    assert monitor.requests["vault"].deleteBeforeReplace


def test_outputs() -> None:
    """Under mocks, the outputs are those of the only credential, and there is no previous one."""
    seen: dict[str, Any] = {}

    def program() -> None:
        vault = declare()
        for name in ("credential_id", "service_user_name", "service_password", "service_credential_alias", "previous"):
            getattr(vault, name).apply(lambda value, name=name: seen.update({name: value}))
        assert [type(each) for each in vault.resources] == [ServiceSpecificCredential]

    run(program)
    assert seen == {
        "credential_id": "ACCA1",
        "service_user_name": MADE["service_user_name"],
        "service_password": MADE["service_password"],
        "service_credential_alias": None,
        "previous": None,
    }


def test_password() -> None:
    """Only the first resource gets the known password of an imported credential, as a secret."""
    monitor = Monitor()
    run(lambda: declare(adopt="ACCA1234567890123456", password="hunter2"), monitor)
    sent = MessageToDict(monitor.requests["vault"].object)
    assert is_rpc_secret(sent["password"])
    assert sent["adopt"] == "ACCA1234567890123456"


def plain(name: str, **arguments: Any) -> ServiceSpecificCredential:  # noqa: ANN401 - any arguments
    """Declare a plain credential."""
    given = {"user": "jane", "service": "cassandra.amazonaws.com"} | arguments
    return ServiceSpecificCredential(name, **given)


def declare_each(*steps: Callable[[], object]) -> None:
    """Run a program of these steps."""
    run(lambda: [step() for step in steps])


def test_reserved_names() -> None:
    """Both resource names are reserved from the first run on, in either order."""
    for order in ((declare, lambda: plain("vault~2")), (lambda: plain("vault~2"), declare), (declare, declare)):
        with pytest.raises(pulumi.RunError, match="the program declares two credentials with the resource name"):
            declare_each(*order)


def test_second_credential() -> None:
    """A second credential of the user and service is rejected, in either order; other services are not."""
    declare_each(declare, lambda: plain("git", service="codecommit"), lambda: plain("joes", user="joe"))
    words = "the program declares 'other' and 'vault' for one user and service, but rotating credential 'vault' needs"
    for order in ((declare, lambda: plain("other")), (lambda: plain("other"), declare)):
        with pytest.raises(pulumi.RunError, match=words):
            declare_each(*order)
    with pytest.raises(pulumi.RunError, match=words):
        run(lambda: _declare_two(pulumi.Output.from_input("jane")))


def _declare_two(user: pulumi.Output[str]) -> None:
    """Declare two credentials of one user, whose name is the same output."""
    declare(user=user)
    plain("other", user=user)
