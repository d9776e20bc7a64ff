"""Secrets Manager as a store, on the emulator."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds import errors
from iamcreds.delivery import CREDENTIAL_TAG, DeliveredSecret
from iamcreds.emulator.account import SWITCHES
from iamcreds.stores.secrets_manager import SecretsManager
from iamcreds.stores.store import ATTEMPT_TAG, SecretSettings, StoredSecret
from tests.stores.conftest import REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from iamcreds.aws import Account
    from iamcreds.emulator.faults.controls import Controls
    from iamcreds.emulator.server import Emulator

NAME = "keyspaces/jane"
PASSWORD = "sQ2+hunter/2mDk9XvT4/pLw0Zr8eYbNq1uJcAfGhKiM3nOxRtVyWzEsPdUlBjCgF="
VALUE = json.dumps({"username": "jane-at-123456789012", "password": PASSWORD, "service": "cassandra.amazonaws.com"})
TOKENS = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(9)]
TAGS = {CREDENTIAL_TAG: "jane/keyspaces"}
SETTINGS = SecretSettings(TAGS)
DAY = 86_400


@pytest.fixture
def store(account: Account) -> SecretsManager:
    """Return the store."""
    return SecretsManager(account, REGION)


@pytest.fixture
def controls(signed_in: Emulator) -> Controls:
    """Return the controls of the emulator."""
    return signed_in.controls


def create(store: SecretsManager, name: str = NAME, settings: SecretSettings = SETTINGS) -> StoredSecret:
    """Create a secret with the first token, and return its description."""
    written = store.put(name, None, VALUE, TOKENS[0], settings)
    stored = store.describe(name)
    assert stored is not None
    assert (stored.arn, stored.version) == (written.arn, TOKENS[0])
    return stored


def describe(store: SecretsManager, name: str = NAME) -> StoredSecret:
    """Describe an existing secret."""
    stored = store.describe(name)
    assert stored is not None
    return stored


# Reads


def test_description(store: SecretsManager) -> None:
    """A created secret is described by name and ARN, with its version and tags, without its value."""
    stored = create(store, settings=SecretSettings({**TAGS, "team": "data"}))
    assert stored == StoredSecret(
        name=NAME, arn=stored.arn, version=TOKENS[0], token=TOKENS[0], tags={**TAGS, "team": "data"}
    )
    assert (stored.credential, stored.attempt) == ("jane/keyspaces", "")
    assert store.describe(stored.arn) == stored
    assert store.describe("none") is None
    assert PASSWORD not in repr(stored)
    assert stored.arn.split(":")[3] == store.region == REGION


def test_list(store: SecretsManager, secretsmanager: SecretsManagerClient, controls: Controls) -> None:
    """The list has the secrets of iamcreds only, as they are described, in one call per 100 of them."""
    for number in range(101):
        create(store, f"s{number:03}")
    secretsmanager.create_secret(Name="other", SecretString="x")
    secretsmanager.create_secret(Name="alike", SecretString="x", Tags=[{"Key": f"{CREDENTIAL_TAG}-2", "Value": "x"}])
    controls.clear_counts()
    listed = store.list_secrets()
    assert controls.counts() == {"secretsmanager:ListSecrets": 2}
    assert sorted(listed) == [f"s{number:03}" for number in range(101)]
    assert listed["s100"] == describe(store, "s100")


def test_list_that_lags(store: SecretsManager, controls: Controls) -> None:
    """A delayed list shows the old version; Describe shows the current one."""
    stored = create(store)
    controls.set(list_lag=300)
    assert store.list_secrets() == {}
    controls.set(clock_shift=300)
    store.put(NAME, stored, VALUE, TOKENS[1], SETTINGS)
    assert store.list_secrets()[NAME].version == TOKENS[0]
    assert describe(store).version == TOKENS[1]


def test_short_pages(store: SecretsManager, controls: Controls) -> None:
    """The list is complete although every page is short."""
    for name in "abc":
        create(store, name)
    controls.set(page_limit=1)
    assert sorted(store.list_secrets()) == ["a", "b", "c"]


def test_last_read(store: SecretsManager, controls: Controls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a read of the value sets the day of the last read."""
    monkeypatch.setattr(SWITCHES, "clock", lambda: datetime(2031, 5, 1, 23, 30, tzinfo=UTC))
    stored = create(store)
    store.tag_attempt(stored, "word")
    store.configure(stored, SETTINGS)
    assert describe(store).last_read is store.list_secrets()[NAME].last_read is None
    assert store.read(NAME) == store.read(stored.arn) == VALUE
    assert describe(store).last_read == store.list_secrets()[NAME].last_read == date(2031, 5, 1)
    controls.set(clock_shift=DAY)
    assert describe(store).last_read == date(2031, 5, 1)
    store.read(NAME)
    assert describe(store).last_read == date(2031, 5, 2)


def test_manual_changes(store: SecretsManager, secretsmanager: SecretsManagerClient) -> None:
    """A value that a person wrote, a rotation and a planned deletion are shown."""
    stored = create(store)
    written = secretsmanager.put_secret_value(SecretId=NAME, SecretString="x")["VersionId"]
    secretsmanager.rotate_secret(
        SecretId=NAME, RotateImmediately=False, RotationLambdaARN="arn:aws:lambda:eu-west-1:123456789012:function:f"
    )
    assert (describe(store).version, describe(store).is_rotated) == (written, True)
    planned = secretsmanager.delete_secret(SecretId=NAME, RecoveryWindowInDays=7)["DeletionDate"]
    assert describe(store).deleted == planned.astimezone(UTC)
    assert store.list_secrets() == {}
    assert stored.deleted is None


def test_secret_without_a_value(store: SecretsManager, secretsmanager: SecretsManagerClient) -> None:
    """A secret without a value has no version, and gets one by a Put."""
    secretsmanager.create_secret(Name=NAME, Tags=[{"Key": CREDENTIAL_TAG, "Value": "jane/keyspaces"}])
    stored = describe(store)
    assert stored.version is stored.token is None
    store.put(NAME, stored, VALUE, TOKENS[0], SETTINGS)
    assert describe(store).version == TOKENS[0]


# Writes


def test_put(store: SecretsManager, controls: Controls) -> None:
    """A Put writes the current version in one call, and leaves tags and key to `configure`."""
    stored = create(store)
    controls.clear_counts()
    written = store.put(NAME, stored, "two", TOKENS[1], SecretSettings({**TAGS, "a": "b"}))
    assert written == DeliveredSecret(stored.arn, TOKENS[1])
    assert controls.counts() == {"secretsmanager:PutSecretValue": 1}
    assert controls.stored_values(region=REGION) == {NAME: "two"}
    assert describe(store).tags == TAGS


def test_repeated_put(store: SecretsManager, controls: Controls) -> None:
    """A late Put with an old token changes nothing; a Create may be repeated with its token."""
    stored = create(store)
    assert store.put(NAME, None, VALUE, TOKENS[0], SETTINGS).arn == stored.arn
    store.put(NAME, stored, "two", TOKENS[1], SETTINGS)
    assert store.put(NAME, stored, VALUE, TOKENS[0], SETTINGS).version == TOKENS[0]
    assert controls.stored_values(region=REGION) == {NAME: "two"}
    with pytest.raises(errors.AccountError, match="ResourceExistsException"):
        store.put(NAME, None, "three", TOKENS[2], SETTINGS)


def test_attempt(store: SecretsManager) -> None:
    """The word of an attempt is a tag, which keeps the other tags."""
    stored = create(store)
    store.tag_attempt(stored, "one")
    store.tag_attempt(stored, "two")
    assert describe(store).attempt == store.list_secrets()[NAME].attempt == "two"
    assert describe(store).tags == {**TAGS, ATTEMPT_TAG: "two"}


def test_configure(store: SecretsManager, controls: Controls, kms: KMSClient) -> None:
    """Only differences cause calls; undeclared tags stay, and a policy is always written."""
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    stored = create(store, settings=SecretSettings({**TAGS, "mine": "1"}))
    controls.clear_counts()
    store.configure(stored, SETTINGS)
    assert controls.counts() == {}
    store.configure(stored, SecretSettings({**TAGS, "a": "b"}, key, '{"Statement": []}'))
    assert controls.calls() == [
        "secretsmanager:UpdateSecret", "secretsmanager:TagResource", "secretsmanager:PutResourcePolicy"
    ]  # fmt: skip
    changed = describe(store)
    assert (changed.tags, changed.kms_key_id) == ({**TAGS, "mine": "1", "a": "b"}, key)
    assert changed.version == stored.version
    store.configure(changed, SETTINGS)
    assert describe(store).kms_key_id is None


@pytest.mark.parametrize("declared", ["id", "arn", "alias", "alias arn"])
def test_same_key(store: SecretsManager, controls: Controls, kms: KMSClient, declared: str) -> None:
    """A key that the store shows in a different form causes no call, whether it was described or listed."""
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    alias = key["Arn"].replace(f"key/{key['KeyId']}", "alias/mine")
    name = {"id": key["KeyId"], "arn": key["Arn"], "alias": "alias/mine", "alias arn": alias}[declared]
    settings = SecretSettings(TAGS, name)
    stored = create(store, settings=settings)
    listed = store.list_secrets()[NAME]
    controls.clear_counts()
    store.configure(stored, settings)
    store.configure(listed, settings)
    assert controls.counts() == {}
    store.configure(stored, SecretSettings(TAGS, "alias/aws/secretsmanager"))
    store.configure(describe(store), SETTINGS)
    assert controls.counts()["secretsmanager:UpdateSecret"] == 1


def test_policy(store: SecretsManager, secretsmanager: SecretsManagerClient) -> None:
    """A secret gets its resource policy; a public one is rejected."""
    policy = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:user/jane"}}]}'
    create(store)
    store.configure(describe(store), SecretSettings(TAGS, policy=policy))
    assert secretsmanager.get_resource_policy(SecretId=NAME)["ResourcePolicy"] == policy
    public = SecretSettings(TAGS, policy='{"Statement": [{"Effect": "Allow", "Principal": "*"}]}')
    with pytest.raises(errors.AccountError, match=r"setting the resource policy of secret .*PublicPolicyException"):
        store.configure(describe(store), public)
    assert secretsmanager.get_resource_policy(SecretId=NAME)["ResourcePolicy"] == policy


def test_delete(store: SecretsManager, secretsmanager: SecretsManagerClient) -> None:
    """A deleted secret can be restored for 30 days; it may be gone or scheduled for deletion before."""
    stored = create(store)
    store.delete(stored)
    planned = describe(store).deleted
    assert planned is not None
    assert timedelta(days=29, hours=23) < planned - datetime.now(UTC) < timedelta(days=30, hours=1)
    store.delete(stored)
    assert describe(store).deleted == planned
    secretsmanager.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    store.delete(stored)


def test_recovery_window(store: SecretsManager, controls: Controls) -> None:
    """A secret that is scheduled for deletion cannot be created, written or changed."""
    stored = create(store)
    store.delete(stored)
    settings = SecretSettings({**TAGS, "a": "b"})
    for write in (
        lambda: store.put(NAME, None, VALUE, TOKENS[0], SETTINGS),
        lambda: store.put(NAME, stored, "two", TOKENS[1], SETTINGS),
        lambda: store.tag_attempt(stored, "word"),
        lambda: store.configure(stored, settings),
        lambda: store.read(NAME),
    ):
        with pytest.raises(errors.AccountError, match="InvalidRequestException"):
            write()
    assert controls.stored_values(region=REGION) == {NAME: VALUE}


# KMS keys


def test_key(store: SecretsManager, kms: KMSClient) -> None:
    """A key must exist in the region, be enabled, and encrypt symmetrically; aliases and ARNs are accepted."""
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    for name in (key["KeyId"], key["Arn"], "alias/mine", "alias/aws/secretsmanager"):
        store.require_key(name)
    signing = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    encrypting = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["KeyId"]
    for name in (signing, encrypting):
        with pytest.raises(errors.RejectedError, match="a symmetric encryption key is required"):
            store.require_key(name)
    kms.disable_key(KeyId=key["KeyId"])
    with pytest.raises(errors.RejectedError, match="cannot encrypt the secret, because it is Disabled"):
        store.require_key("alias/mine")
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    with pytest.raises(errors.RejectedError, match="because it is PendingDeletion"):
        store.require_key(key["Arn"])


@pytest.mark.parametrize("name", ["alias/none", "11111111-1111-1111-1111-111111111111", "x", "arn:aws:kms:::key/x"])
def test_missing_key(store: SecretsManager, name: str) -> None:
    """A key that does not exist is rejected before, and by the store."""
    with pytest.raises(errors.RejectedError, match=f"KMS key {name} does not exist in {REGION}"):
        store.require_key(name)
    with pytest.raises(errors.AccountError, match="InvalidParameterException") as caught:
        store.put(NAME, None, VALUE, TOKENS[0], SecretSettings(TAGS, name))
    assert_hidden(caught.value)
    assert store.describe(NAME) is None


def test_invalid_arn_of_a_key(store: SecretsManager, controls: Controls) -> None:
    """KMS rejects an ARN that is not valid with a separate error, which also means that the key does not exist."""
    controls.fail("kms:DescribeKey", status=400, code="InvalidArnException", message="Invalid arn")
    with pytest.raises(errors.RejectedError, match="KMS key arn:x does not exist"):
        store.require_key("arn:x")


def test_denied_key(store: SecretsManager, controls: Controls) -> None:
    """A denied read of a key is an error of permissions, and not a missing key."""
    controls.deny("kms:DescribeKey")
    with pytest.raises(errors.AccessDeniedError, match=r"reading KMS key alias/x: .*Run `iamcreds permissions`"):
        store.require_key("alias/x")


def test_key_disabled_later(store: SecretsManager, controls: Controls, kms: KMSClient) -> None:
    """If the key is disabled, no value is written; the error does not contain it."""
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    stored = create(store, settings=SecretSettings(TAGS, key))
    kms.disable_key(KeyId=key)
    with pytest.raises(errors.AccountError, match="EncryptionFailure") as caught:
        store.put(NAME, stored, VALUE.replace("jane", "john"), TOKENS[1], SETTINGS)
    assert_hidden(caught.value)
    with pytest.raises(errors.AccountError, match="DecryptionFailure"):
        store.read(NAME)
    assert controls.stored_values(region=REGION) == {NAME: VALUE}


# Faults

WRITES: dict[str, Callable[[SecretsManager, StoredSecret], object]] = {
    "CreateSecret": lambda store, _: store.put("new", None, VALUE, TOKENS[1], SETTINGS),
    "PutSecretValue": lambda store, stored: store.put(NAME, stored, VALUE, TOKENS[1], SETTINGS),
    "TagResource": lambda store, stored: store.tag_attempt(stored, "word"),
    "UpdateSecret": lambda store, stored: store.configure(stored, SecretSettings(TAGS, "alias/aws/ssm")),
    "PutResourcePolicy": lambda store, stored: store.configure(stored, SecretSettings(TAGS, None, '{"Statement": []}')),
    "DeleteSecret": lambda store, stored: store.delete(stored),
}
CALLS = WRITES | {
    "ListSecrets": lambda store, _: store.list_secrets(),
    "DescribeSecret": lambda store, _: store.describe(NAME),
    "GetSecretValue": lambda store, _: store.read(NAME),
}
FAULTS: dict[str, Callable[[Controls, str], None]] = {
    "lost call": lambda controls, operation: controls.drop(operation),
    "lost response": lambda controls, operation: controls.drop(operation, when="after"),
    "cut response": lambda controls, operation: controls.cut(operation, 0.5),
    "500 before": lambda controls, operation: controls.fail(operation),
    "500 after": lambda controls, operation: controls.fail(operation, when="after"),
    "throttled": lambda controls, operation: controls.throttle(operation),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
@pytest.mark.parametrize("operation", sorted(CALLS))
def test_lost_call(store: SecretsManager, controls: Controls, operation: str, fault: str) -> None:
    """After a lost call or response, a retry completes every operation, with the result of a call without fault."""
    stored = create(store)
    FAULTS[fault](controls, f"secretsmanager:{operation}")
    controls.clear_counts()
    CALLS[operation](store, stored)
    assert controls.counts()[f"secretsmanager:{operation}"] > 1
    assert set(_read_versions(controls)) <= set(TOKENS[:2])
    expected = {"CreateSecret": {"new", NAME}}.get(operation, {NAME})
    assert controls.stored_values(region=REGION).keys() == expected
    assert describe(store).deleted is not None or operation != "DeleteSecret"
    assert describe(store).version == TOKENS[1 if operation == "PutSecretValue" else 0]


def _read_versions(controls: Controls) -> list[str]:
    return [version["id"] for secret in controls.copy_stores()["secrets"] for version in secret["versions"]]


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_denied_call(store: SecretsManager, controls: Controls, operation: str) -> None:
    """Each denied operation is an error of permissions with the next step, and contains no value."""
    stored = create(store)
    controls.deny(f"secretsmanager:{operation}")
    expected = r"Run `iamcreds permissions`|Required permission for this secret"
    with pytest.raises(errors.AccessDeniedError, match=expected) as caught:
        CALLS[operation](store, stored)
    assert_hidden(caught.value)


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_permanent_failure(store: SecretsManager, controls: Controls, operation: str) -> None:
    """An operation that keeps failing is an error that asks to run again later, and contains no value."""
    stored = create(store)
    controls.fail(f"secretsmanager:{operation}", times=None)
    with pytest.raises(errors.UnavailableError, match="Run again later") as caught:
        CALLS[operation](store, stored)
    assert_hidden(caught.value)


def test_delete_that_fails(store: SecretsManager, controls: Controls) -> None:
    """A rejected delete is an error unless the secret is scheduled for deletion."""
    stored = create(store)
    controls.fail("secretsmanager:DeleteSecret", status=400, code="InvalidRequestException", message="replicated")
    with pytest.raises(errors.AccountError, match=r"deleting secret keyspaces/jane: .*replicated"):
        store.delete(stored)
    assert describe(store).deleted is None


# Secrets and hostile texts


@pytest.mark.parametrize("quote", [VALUE, PASSWORD, PASSWORD[:8], f"'{PASSWORD[20:40]}' at 'secretString'"])
@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", "InternalServiceError"])
def test_error_that_quotes_the_value(store: SecretsManager, controls: Controls, quote: str, code: str) -> None:
    """If the error of a Create or Put quotes a part of the password, nothing of the response is shown."""
    stored = create(store)
    for operation, known in (("CreateSecret", None), ("PutSecretValue", stored)):
        controls.fail(f"secretsmanager:{operation}", status=400, code=code, message=f"wrong: {quote}")
        with pytest.raises(errors.AccountError) as caught:
            store.put(NAME, known, VALUE, TOKENS[1], SETTINGS)
        hidden = f"AWS error {code}: its message is not shown, because it may contain the secret"
        assert str(caught.value).startswith(f"writing secret keyspaces/jane: {hidden}")
        assert (type(caught.value) is errors.AccessDeniedError) == (code == "AccessDeniedException")
        assert_hidden(caught.value, PASSWORD[:8], PASSWORD[20:40])


def test_error_that_quotes_a_plain_value(store: SecretsManager, controls: Controls) -> None:
    """A value that has no password is hidden as a whole, even a short one."""
    for value in ("hunter2", "a plain secret", '["hunter2!"]'):
        controls.fail("secretsmanager:CreateSecret", status=400, code="X", message=f"wrong: {value}")
        with pytest.raises(errors.AccountError, match="is not shown") as caught:
            store.put(NAME, None, value, TOKENS[1], SETTINGS)
        assert value not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("name", ["/a/b", "a_+=.@-!", "x-abcdef", "UPPER", "a" * 512])
def test_odd_names(store: SecretsManager, name: str) -> None:
    """Every name that AWS permits is found by name and ARN."""
    stored = create(store, name)
    assert store.describe(stored.arn) == store.list_secrets()[name] == stored
    assert store.read(name) == VALUE


@pytest.mark.parametrize("name", ["a b", "a\nb", "x'; --", "\u202e", "é", "$(id)", ""])
def test_invalid_names(store: SecretsManager, name: str) -> None:
    """A name that AWS rejects is an error without the value, and in one line."""
    with pytest.raises(errors.AccountError) as caught:
        store.put(name, None, VALUE, TOKENS[0], SETTINGS)
    assert_hidden(caught.value)


def test_odd_tags(store: SecretsManager) -> None:
    """Tags with every kind of permitted character are written and read; others are an error without the value."""
    tags = {**TAGS, "é Z٣_.:/=+-@": "ü\u00a0/", "empty": ""}
    assert create(store, settings=SecretSettings(tags)).tags == tags
    for key, value in (("a,b", "x"), ("a", "<x>"), ("a", "x" * 257), ("aws:x", "y"), ("a", "\u202ex")):
        with pytest.raises(errors.AccountError, match="writing secret new: AWS error ValidationException") as caught:
            store.put("new", None, VALUE, TOKENS[0], SecretSettings({**TAGS, key: value}))
        assert_hidden(caught.value)
    assert store.describe("new") is None


@pytest.mark.parametrize("message", ["\x1b[2J", "::add-mask::x\n::error::y", "x" * 5000, "\u202egnp"])
def test_hostile_errors(store: SecretsManager, controls: Controls, message: str) -> None:
    """The message of an error is escaped and shortened."""
    controls.fail("secretsmanager:DescribeSecret", status=400, code="X", message=message)
    with pytest.raises(errors.AccountError) as caught:
        store.describe(NAME)
    text = str(caught.value)
    assert len(text) < 1200
    assert not {"\x1b", "\n", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("DescribeSecret", lambda store: store.describe(NAME)),
        ("GetSecretValue", lambda store: store.read(NAME)),
        ("ListSecrets", lambda store: store.list_secrets()),
        ("PutSecretValue", lambda store: store.put(NAME, describe(store), VALUE, TOKENS[1], SETTINGS)),
    ],
)
def test_unreadable_responses(
    store: SecretsManager, controls: Controls, operation: str, call: Callable[[SecretsManager], Any]
) -> None:
    """A response that stays incomplete is an error that quotes nothing of it."""
    create(store)
    controls.cut(f"secretsmanager:{operation}", 0.7, times=None)
    with pytest.raises(errors.UnreadableAnswerError) as caught:
        call(store)
    assert_hidden(caught.value)


def assert_hidden(error: errors.AccountError, *parts: str) -> None:
    """Check that neither an error, nor its traceback and causes contain the password."""
    texts = ["".join(traceback.format_exception(error)), repr(error), str(error)]
    seen: BaseException | None = error
    while seen is not None:
        texts.append(repr(seen) + str(vars(seen)))
        seen = seen.__cause__ or seen.__context__
    assert not any(part in text for part in (PASSWORD, VALUE, *parts) for text in texts)


def test_binary_value(store: SecretsManager, monkeypatch: pytest.MonkeyPatch) -> None:
    """A binary value, which the emulator does not support, is read as an empty text."""
    client = vars(store)["_secrets"]
    monkeypatch.setattr(client, "get_secret_value", lambda **_: {"SecretBinary": b"x"})
    assert store.read(NAME) == ""
