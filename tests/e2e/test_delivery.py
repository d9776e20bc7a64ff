"""Deliveries to Secrets Manager through the real engine: `deliver: {secretsManager: {name: "{service}/{user}"}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.delivery import CREDENTIAL_TAG
from tests.bench.bench import create_users
from tests.e2e.deliveries import (
    CREATE_SECRET,
    DESCRIBE,
    LIST,
    PUT,
    SECRET,
    TAG,
    assert_stored,
    find_recorded,
    list_calls,
    overwrite,
    read_delivery,
    read_secret,
)
from tests.e2e.stack import WITHOUT_CHECKPOINTS
from tests.e2e.successors import CREATE, RESET

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.emulator.server import Emulator
    from tests.e2e.stack import Stack

NAME = "jane/codecommit"
UP = ("up", "--yes", "--skip-preview")
DELIVER = '{secretsManager: {name: "{service}/{user}"}}'
KEPT = '{secretsManager: {name: "{service}/{user}"}, keepInState: true}'
PLAIN = "users: {jane: {credentials: [{service: codecommit}]}}"
RENAMED = '{secretsManager: {name: "team/{user}"}}'
NEW_NAME = "team/jane"
COUNT = 120
"""More than a page of ListSecrets."""


def spec(deliver: str, user: str = "jane", more: str = "") -> str:
    """Return specs of one password with a delivery."""
    return f"users: {{{user}: {{credentials: [{{service: codecommit, deliver: {deliver}{more}}}]}}}}"


def test_created(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """`up` creates credential and secret; the password is in the store only, and a reset replaces it there."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec(DELIVER))
    assert list_calls(stack, emulator, "preview", "--diff") == [DESCRIBE]
    assert 'name:"codecommit/jane"' in stack.printed[-1].replace(" ", "")
    assert list_calls(stack, emulator) == [DESCRIBE, DESCRIBE, CREATE, CREATE_SECRET]
    content = assert_stored(store, emulator)
    described = store.describe_secret(SecretId=SECRET)
    (version,) = described["VersionIdsToStages"]
    assert read_delivery(stack, NAME) == {"arn": described["ARN"], "version": version}
    assert stack.read_outputs()["credentials"][NAME]["id"] == content["credentialId"]
    assert list_calls(stack, emulator) == [LIST], "a second `up`"
    stack.assert_no_changes()
    stack.write_specs(jane=spec(DELIVER, more=", reset: new"))
    assert list_calls(stack, emulator) == [LIST, DESCRIBE, TAG, RESET, PUT]
    assert assert_stored(store, emulator)["password"] != content["password"]
    assert find_recorded(stack, emulator) == []
    files = [path for path in (stack.folder.parent / "backend").rglob("*") if path.is_file()]
    assert not [path.name for path in files if b'"service_password":' in path.read_bytes()], "no earlier state has one"
    stack.assert_no_changes()


def test_added_and_removed(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """Adding `deliver` moves the password from the state to the store; after its removal the password is unknown."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=PLAIN)
    stack.up()
    password = stack.read_secrets()[NAME]
    assert find_recorded(stack, emulator) == [password]
    stack.write_specs(jane=spec(DELIVER))
    assert 'delivers:"codecommit/jane"' in stack.preview().replace(" ", "")
    assert list_calls(stack, emulator) == [DESCRIBE, DESCRIBE, CREATE_SECRET]
    assert assert_stored(store, emulator)["password"] == password
    assert find_recorded(stack, emulator) == []
    stack.assert_no_changes()
    stack.write_specs(jane=PLAIN)
    warning = "was removed. The password stays in the store, and the state does not have it until a `reset`"
    assert warning in stack.preview()
    assert list_calls(stack, emulator) == []
    assert_stored(store, emulator)
    assert stack.read_outputs()["credentials"][NAME]["secret"].startswith("unknown, because the state does not have it")
    stack.assert_no_changes()


def test_moved(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """A new name, or `keepInState`, requires a `reset`, because the state does not have the password."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec(DELIVER))
    stack.up()
    old = read_secret(store)
    for change, secret in ((RENAMED, NEW_NAME), (KEPT, SECRET)):
        stack.write_specs(jane=spec(change))
        advice = (
            f"cannot be delivered to secret {secret}, because the state does not have it. Change `reset` to deliver"
        )
        assert advice in stack.fail("preview")
        assert advice in stack.fail(*UP)
    stack.write_specs(jane=spec(RENAMED, more=", reset: new"))
    stack.up()
    assert read_secret(store) == old
    assert assert_stored(store, emulator, NEW_NAME)["password"] != old["password"]
    assert read_delivery(stack, NAME)["arn"] == store.describe_secret(SecretId=NEW_NAME)["ARN"]
    assert find_recorded(stack, emulator) == []
    stack.assert_no_changes()


def test_kept_in_state(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """With `keepInState`, state and store have the password; a lost secret is put again without a reset."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec(KEPT))
    stack.up()
    password = stack.read_secrets()[NAME]
    assert assert_stored(store, emulator)["password"] == password
    overwrite(store)
    assert 'delivers:"codecommit/jane"' in stack.preview().replace(" ", "")
    assert list_calls(stack, emulator) == [LIST, DESCRIBE, DESCRIBE, PUT]
    assert assert_stored(store, emulator)["password"] == password == stack.read_secrets()[NAME]
    stack.assert_no_changes()
    store.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    stack.up()
    assert assert_stored(store, emulator)["password"] == password
    stack.assert_no_changes()


def test_lost(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """A lost secret causes a warning and no change, until a `reset` delivers a new password."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec(DELIVER))
    stack.up()
    (key,) = emulator.controls.passwords()
    overwrite(store)
    lost = f"so the password of codecommit credential {key} of user jane is lost. Change `reset` to deliver a new one"
    assert f"secret {SECRET} of Secrets Manager has a different value, {lost}" in stack.preview()
    store.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    shown = stack.preview()
    assert f"secret {SECRET} of Secrets Manager does not exist, {lost}" in shown
    assert list_calls(stack, emulator) == [LIST, DESCRIBE]
    stack.write_specs(jane=spec(DELIVER, more=", reset: new"))
    assert "Change `reset`" not in stack.preview()
    stack.up()
    assert_stored(store, emulator)
    stack.assert_no_changes()


def test_other_owner(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """A secret of a different owner is rejected in the preview; with --continue-on-error, others are delivered."""
    for user in ("jane", "joe"):
        iam.create_user(UserName=user)
    store.create_secret(Name=SECRET, SecretString="own")
    store.create_secret(
        Name="codecommit/joe", SecretString="joe's", Tags=[{"Key": CREDENTIAL_TAG, "Value": "joe/codecommit"}]
    )
    stack.write_specs(jane=spec(DELIVER), joe=spec(DELIVER, "joe"))
    reason = f"Secrets Manager already has the secret {SECRET}, which iamcreds does not manage"
    assert reason in stack.fail("preview")
    assert reason in stack.fail(*UP, "--continue-on-error")
    assert store.get_secret_value(SecretId=SECRET)["SecretString"] == "own"
    assert_stored(store, emulator, "codecommit/joe")
    assert len(emulator.controls.passwords()) == 1
    store.tag_resource(SecretId=SECRET, Tags=[{"Key": CREDENTIAL_TAG, "Value": NAME}])
    stack.up()
    assert_stored(store, emulator)
    stack.assert_no_changes()


def test_failing_store(stack: Stack, store: SecretsManagerClient, iam: IAMClient, emulator: Emulator) -> None:
    """A store that fails leaves no new credential; after a reset, the error names the lost password, and `up` heals."""
    iam.create_user(UserName="jane")
    stack.write_specs(jane=spec(DELIVER))
    emulator.controls.deny(CREATE_SECRET)
    assert "was deleted again" in stack.fail(*UP)
    assert emulator.controls.passwords() == {}
    emulator.controls.clear_faults()
    stack.up()
    stack.write_specs(jane=spec(DELIVER, more=", reset: new"))
    emulator.controls.deny(DESCRIBE)
    assert f"reading secret {SECRET}" in stack.fail(*UP)
    assert_stored(store, emulator)
    emulator.controls.clear_faults()
    emulator.controls.deny(PUT)
    assert "the password is already reset, and the store does not have the new one" in stack.fail(*UP)
    emulator.controls.clear_faults()
    stack.up()
    assert_stored(store, emulator)
    assert find_recorded(stack, emulator) == []
    stack.assert_no_changes()


def test_hundreds(stack: Stack, store: SecretsManagerClient, emulator: Emulator) -> None:
    """A preview of 120 delivered credentials lists the store in two pages, also if all of them rotate."""
    stack.env |= WITHOUT_CHECKPOINTS
    credentials = f"[{{service: codecommit, deliver: {DELIVER}}}]"
    users = create_users(emulator.url, COUNT)
    stack.write_specs(team="users:\n" + "".join(f"  {user}: {{credentials: {credentials}}}\n" for user in users))
    calls = list_calls(stack, emulator)
    assert {call: calls.count(call) for call in set(calls)} == {
        DESCRIBE: 2 * COUNT,
        CREATE: COUNT,
        CREATE_SECRET: COUNT,
    }
    assert list_calls(stack, emulator, "preview", "--expect-no-changes") == [LIST] * 2
    rotate = "rotate: {every: 90d, overlap: 7d}"
    team = (stack.folder / "specs" / "team.yaml").read_text()
    stack.write_specs(team=team.replace("service: codecommit", f"service: codecommit, {rotate}"))
    assert list_calls(stack, emulator) == [LIST] * 2
    assert list_calls(stack, emulator, "preview", "--expect-no-changes") == [LIST] * 2
    assert_stored(store, emulator, f"codecommit/{users[-1]}")
