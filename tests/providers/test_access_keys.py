"""The `AccessKeys` provider, called as the engine calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import UNKNOWN

from dynamic_providers.access_keys import AccessKeysProvider
from iamcreds.emulator.account import ACCOUNT
from iamcreds.errors import RejectedError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator


@pytest.fixture
def watcher(provider: ServiceSpecificCredentialProvider) -> AccessKeysProvider:
    """Return a configured provider, in the year 2030."""
    del provider  # starts a new process
    made = AccessKeysProvider()
    made.configure(ConfigureRequest(Config({"iamcreds:now": "2030-01-01"}, "iamcreds")))
    return made


def failures(watcher: AccessKeysProvider, **inputs: object) -> list[tuple[str, str]]:
    """Return the failures of a check by property."""
    return [(failure.property, failure.reason) for failure in watcher.check({}, inputs).failures or []]


def test_keys_are_seen(watcher: AccessKeysProvider, emulator: Emulator, iam: IAMClient) -> None:
    """A check reads every key of the watched users, and the last use of each used key."""
    iam.create_user(UserName="bob")
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    policies = {"jane": {"max": 1.0}, "bob": {"max": 0.0}}
    shown: dict[str, Any] = {"id": key["AccessKeyId"], "status": "Active", "created": key["CreateDate"].isoformat()}
    checked = watcher.check({}, {"users": policies, "account": ACCOUNT, "run": {"resource": "x"}})
    assert checked.failures == []
    seen = {"users": policies, "account": ACCOUNT, "keys": {"bob": [], "jane": [shown]}, "findings": []}
    assert checked.inputs == seen
    emulator.controls.use_access_key(key["AccessKeyId"], key["CreateDate"], "s3", "eu-west-1")
    iam.update_access_key(UserName="jane", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    again = watcher.check({}, {"users": policies}).inputs["keys"]["jane"]
    used = {"last_used": key["CreateDate"].date().isoformat(), "service": "s3", "region": "eu-west-1"}
    assert again == [shown | {"status": "Inactive"} | used]


def test_findings(watcher: AccessKeysProvider, iam: IAMClient, capsys: pytest.CaptureFixture[str]) -> None:
    """A violated policy causes a warning, or stops the run if it is enforced; ages are relative to `now`."""
    iam.create_user(UserName="bob")
    for user in ("jane", "bob"):
        iam.create_access_key(UserName=user)
    policies = {"jane": {"max_age_days": 30.0}, "bob": {"max": 0.0, "enforce": True}}
    checked = watcher.check({}, {"users": policies})
    by_bob, by_jane = checked.inputs["findings"]
    assert by_bob.startswith("bob: has 1 access key")
    assert by_jane.startswith("jane: access key AKIA")
    (stop,) = checked.failures or []
    options = "Options: fix the access keys; or allow the run with --config enforce=false"
    assert (stop.property, stop.reason) == ("", f"{by_bob}, and the policy is enforced. {options}")
    assert capsys.readouterr().err == f"warning: {by_jane}\n"
    told = watcher.check({}, {"users": policies, "run": {"on_rejection": "collect"}})
    assert (told.failures, told.inputs["refused"]) == ([], [stop.reason])


@pytest.mark.parametrize("on_rejection", ["collect", "defer"])
def test_enforced(watcher: AccessKeysProvider, iam: IAMClient, on_rejection: str) -> None:
    """Findings of an enforced policy are an input, which counts as a change, and create and update fail with them."""
    iam.create_access_key(UserName="jane")
    users = {"jane": {"max": 0.0, "enforce": True}}
    checked = watcher.check({}, {"users": users, "run": {"on_rejection": on_rejection}})
    (reason,) = checked.inputs["refused"]
    assert checked.failures == []
    before = {name: value for name, value in checked.inputs.items() if name != "refused"}
    assert watcher.diff("x", before, checked.inputs).changes
    with pytest.raises(RejectedError) as raised:
        watcher.create(checked.inputs)
    assert str(raised.value) == reason
    with pytest.raises(RejectedError, match="the policy is enforced"):
        watcher.update("x", before, checked.inputs)
    assert watcher.create(before).outs == before


def test_wording_of_findings(watcher: AccessKeysProvider, iam: IAMClient) -> None:
    """A finding in the wording of an earlier version is not a change; a different user, rule or key is."""
    iam.create_access_key(UserName="jane")
    news = watcher.check({}, {"users": {"jane": {"max": 0.0}}}).inputs
    (finding,), key = news["findings"], news["keys"]["jane"][0]["id"]
    earlier = f"jane: has 1 access key ({key}), and at most 0 may exist [too-many-access-keys]"
    assert finding != earlier
    assert not watcher.diff("x", news | {"findings": [earlier]}, news).changes
    others = (earlier.replace("jane", "bob"), earlier.replace("too-many", "other"), earlier.replace(key, "AKIA" * 5))
    for findings in ([], [earlier, earlier], ["other"], *([other] for other in others)):
        assert watcher.diff("x", news | {"findings": findings}, news).changes


def test_denied_read(watcher: AccessKeysProvider, emulator: Emulator, iam: IAMClient) -> None:
    """If AWS denies the read of a user, or inputs are malformed, only this resource fails in `up`."""
    iam.create_access_key(UserName="jane")
    emulator.controls.deny("iam:ListAccessKeys")
    users = {"jane": {"max": 1.0}}
    for wrong, reason in ((users, "listing the access keys of user jane: AWS error AccessDenied"), (7.0, "users: exp")):
        checked = watcher.check({}, {"users": wrong, "run": {"on_rejection": "defer"}})
        assert checked.failures == []
        assert checked.inputs["refused"][0].startswith(reason)
        assert watcher.diff("x", {"users": users, "keys": {}, "findings": []}, checked.inputs).changes
        with pytest.raises(RejectedError):
            watcher.update("x", {}, checked.inputs)
    ((_, reason),) = failures(watcher, users=users)
    assert "AccessDenied" in reason


def test_user_name_in_a_different_case(watcher: AccessKeysProvider, iam: IAMClient) -> None:
    """The finding about a missing user names the user whose name differs by case only."""
    iam.create_user(UserName="Greta")
    (finding,) = watcher.check({}, {"users": {"greta": {"max": 1.0}}}).inputs["findings"]
    assert finding == (
        "greta: the IAM user does not exist, so there are no access keys to watch: IAM has user Greta [missing-user]"
    )


def test_enforcement_is_let_go(watcher: AccessKeysProvider, iam: IAMClient, capsys: pytest.CaptureFixture[str]) -> None:
    """With the config `enforce: false`, nothing stops the run; every finding and the config itself cause a warning."""
    watcher.configure(ConfigureRequest(Config({"iamcreds:enforce": "False"}, "iamcreds")))
    iam.create_access_key(UserName="jane")
    checked = watcher.check({}, {"users": {"jane": {"max": 0.0, "enforce": True}}})
    assert checked.failures == []
    config, finding = capsys.readouterr().err.splitlines()
    assert config.startswith(
        "warning: access key policies are not enforced, because the stack's config has enforce=false"
    )
    assert finding == f"warning: {checked.inputs['findings'][0]}"


def test_warned_of_once(watcher: AccessKeysProvider, iam: IAMClient, capsys: pytest.CaptureFixture[str]) -> None:
    """A process warns only once, although the engine checks in the refresh and for the program."""
    iam.create_access_key(UserName="jane")
    for _ in range(2):
        watcher.check({}, {"users": {"jane": {"max": 0.0}}})
    assert capsys.readouterr().err.count("jane: has 1 access key") == 1


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({"max": 0.0, "max_age_days": 1.0, "max_idle_days": None, "enforce": False}, None),
        ({"max": -1.0}, "jane: expected max to be a whole number, 0 or more"),
        ({"max_age_days": 1.5}, "jane: expected max_age_days to be a whole number, 0 or more"),
        ({"max_idle_days": True}, "jane: expected max_idle_days to be a whole number, 0 or more"),
        ({"max": "1"}, "jane: expected max to be a whole number, 0 or more"),
        ({"max": float("inf")}, "jane: expected max to be a whole number, 0 or more"),
        ({"enforce": 1.0}, "jane: expected enforce to be true or false"),
        ({"most": 1.0}, "jane: unknown policy 'most'; expected one of enforce, max, max_age_days, max_idle_days"),
        (7.0, "jane: expected a policy such as {'max': 1, 'max_age_days': 90}"),
    ],
)
@pytest.mark.usefixtures("iam")
def test_policies(watcher: AccessKeysProvider, policy: object, reason: str | None) -> None:
    """A policy has known fields within their bounds; every other value is rejected with the expected form."""
    assert failures(watcher, users={"jane": policy}) == ([] if reason is None else [("users", reason)])


@pytest.mark.usefixtures("iam")
def test_every_policy_is_looked_at(watcher: AccessKeysProvider) -> None:
    """All problems are reported at once, sorted by user and name."""
    found = failures(watcher, users={"jane": {"x": 1.0, "max": -1.0}, "bob": 7.0})
    assert [reason.split(" ")[:3] for _, reason in found] == [
        ["bob:", "expected", "a"],
        ["jane:", "expected", "max"],
        ["jane:", "unknown", "policy"],
    ]
    ((name, reason),) = failures(watcher, users=["jane"])
    assert (name, reason) == ("users", "expected policies by user name, such as {'jane': {'max': 1}}")


@pytest.mark.usefixtures("iam")
def test_what_is_not_looked_at(watcher: AccessKeysProvider, emulator: Emulator) -> None:
    """Users that are still unknown are accepted, and the keys of a wrong account are never read."""
    emulator.controls.clear_counts()
    for users in (UNKNOWN, {"jane": {"max": UNKNOWN}}):
        checked = watcher.check({}, {"users": users, "account": None})
        assert (checked.inputs, checked.failures) == ({"users": users}, [])
    known: dict[str, object] = {"jane": {}}
    for meant in (known, UNKNOWN):
        ((name, reason),) = failures(watcher, users=meant, account="999999999999")
        assert name == "account"
        assert "this resource is declared for account 999999999999" in reason
    assert emulator.controls.counts() == {"sts:GetCallerIdentity": 1}


@pytest.mark.usefixtures("iam")
def test_what_is_known_already(watcher: AccessKeysProvider) -> None:
    """Known problems are reported even if other values are still unknown."""
    users = {"jane": {"max": UNKNOWN, "most": 1.0}, "bob": UNKNOWN, "jim": {"max": "two"}}
    assert [reason.partition(";")[0] for _, reason in failures(watcher, users=users)] == [
        "jane: unknown policy 'most'",
        "jim: expected max to be a whole number, 0 or more",
    ]


@pytest.mark.parametrize("user", ["", "jane doe", "ja\nne", "j" * 65])
@pytest.mark.usefixtures("iam")
def test_no_user_name(watcher: AccessKeysProvider, emulator: Emulator, user: str) -> None:
    """An invalid user name is reported in one line, without a request to IAM."""
    emulator.controls.clear_counts()
    ((name, reason),) = failures(watcher, users={user: {"max": 1.0}})
    assert name == "users"
    assert reason.endswith(" is not an IAM user name: 1 to 64 letters, digits and characters of _+=,.@-")
    assert "\n" not in reason
    assert "iam:ListAccessKeys" not in emulator.controls.counts()


@pytest.mark.usefixtures("iam")
def test_what_is_recorded(watcher: AccessKeysProvider) -> None:
    """The result of check is recorded under an id of the account, and every difference is a change."""
    seen = {"users": {"jane": {"max": 1.0}}, "keys": {"jane": []}, "findings": []}
    made = watcher.create(seen)
    assert (made.id, made.outs) == (f"{ACCOUNT}/access-keys", seen)
    read = watcher.read(made.id, seen)
    assert (read.id, read.outs) == (made.id, seen)
    assert watcher.update(made.id, {}, seen).outs == seen
    assert not watcher.diff(made.id, seen | {"account": "1"}, seen).changes
    for name, other in {"users": {}, "keys": {}, "findings": ["so"]}.items():
        assert watcher.diff(made.id, seen, seen | {name: other}).changes
