"""Parameter Store as a secret store: lists, writes, lost responses, tags and errors."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from iamcreds.delivery import DeliveredSecret
from iamcreds.errors import AccessDeniedError, AccountError, NoSuchSecretError
from iamcreds.stores.parameter_store import PAGE, WRITES
from iamcreds.stores.store import SecretSettings, StoredSecret

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_ssm import SSMClient

    from iamcreds.emulator.server import Emulator
    from iamcreds.stores.parameter_store import ParameterStore

NAME = "/keyspaces/jane"
ARN = "arn:aws:ssm:eu-west-1:123456789012:parameter/keyspaces/jane"
CREDENTIAL = {"iamcreds:credential": "jane/keyspaces"}
MANAGED = {**CREDENTIAL, "iamcreds:delivered": "true"}
SETTINGS = SecretSettings(CREDENTIAL)
FIRST, SECOND = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
PUT, DESCRIBE, TAGS = "ssm:PutParameter", "ssm:DescribeParameters", "ssm:ListTagsForResource"


@pytest.fixture
def stored(parameter_store: ParameterStore) -> StoredSecret:
    """Return a delivered parameter as Parameter Store describes it."""
    parameter_store.put(NAME, None, "first", FIRST, SETTINGS)
    return require(parameter_store)


def require(store: ParameterStore, name: str = NAME) -> StoredSecret:
    """Return an existing parameter."""
    stored = store.describe(name)
    assert stored is not None
    return stored


def read_metadata(ssm: SSMClient, name: str = NAME) -> Any:  # noqa: ANN401 - a parameter as boto3 returns it
    """Return a parameter as a different client reads it."""
    filters: Any = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    (parameter,) = ssm.describe_parameters(ParameterFilters=filters)["Parameters"]
    return parameter


def read_tags(ssm: SSMClient, name: str = NAME) -> dict[str, str]:
    """Return the tags of a parameter as a different client reads them."""
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]
    return {tag["Key"]: tag["Value"] for tag in tags}


def test_create(parameter_store: ParameterStore, ssm: SSMClient, emulator: Emulator) -> None:
    """A new parameter is an encrypted one with the tags, the token and its number, in one call."""
    delivered = parameter_store.put(NAME, None, "first", FIRST, SecretSettings({**CREDENTIAL, "team": "payments"}))
    assert delivered == DeliveredSecret(ARN, "1")
    assert emulator.controls.counts() == {PUT: 1, "sts:GetCallerIdentity": 1}
    metadata = read_metadata(ssm)
    assert (metadata["Type"], metadata["Description"]) == ("SecureString", f"iamcreds {FIRST} 1")
    assert metadata["KeyId"] == "alias/aws/ssm"
    assert read_tags(ssm) == {**MANAGED, "team": "payments"}
    assert ssm.get_parameter(Name=NAME, WithDecryption=True)["Parameter"]["Value"] == "first"


def test_describe(stored: StoredSecret) -> None:
    """A description has all fields, and the token of the current version."""
    assert stored == StoredSecret(NAME, ARN, "1", FIRST, MANAGED, "alias/aws/ssm")
    assert stored.credential == "jane/keyspaces"


@pytest.mark.parametrize("name", [NAME, "plain"])
def test_describe_by_arn(parameter_store: ParameterStore, name: str) -> None:
    """An ARN has no leading slash, and finds the same parameter as its name."""
    delivered = parameter_store.put(name, None, "first", FIRST, SETTINGS)
    assert parameter_store.describe(delivered.arn) == require(parameter_store, name)


def test_describe_without_slash(parameter_store: ParameterStore) -> None:
    """A name with and without a leading slash is the same parameter, as in AWS."""
    parameter_store.put("/plain", None, "first", FIRST, SETTINGS)
    assert require(parameter_store, "plain").name == "/plain"


def test_describe_missing(parameter_store: ParameterStore, emulator: Emulator) -> None:
    """A missing parameter is None after one call, also next to a parameter whose name begins with its name."""
    parameter_store.put(f"{NAME}/more", None, "first", FIRST, SETTINGS)
    emulator.controls.clear_counts()
    assert parameter_store.describe(NAME) is None
    assert emulator.controls.counts() == {DESCRIBE: 1}


def test_arn_in_response(parameter_store: ParameterStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ARN in a response of AWS has precedence, and an endpoint without it gets one."""
    page: dict[str, Any] = {"Name": NAME, "Version": 3, "Type": "SecureString"}
    answers = iter([page, {**page, "ARN": "arn:aws-cn:ssm:cn-north-1:1:parameter/x"}])
    client = parameter_store._parameters  # noqa: SLF001 - the emulator cannot omit the ARN
    monkeypatch.setattr(client, "describe_parameters", lambda **_: {"Parameters": [next(answers)]})
    first, second = (parameter_store.list_secrets()[NAME] for _ in range(2))
    assert (first.arn, second.arn) == (ARN, "arn:aws-cn:ssm:cn-north-1:1:parameter/x")
    assert (first.version, first.token, first.kms_key_id) == ("3", None, None)


def test_list(parameter_store: ParameterStore, ssm: SSMClient, emulator: Emulator) -> None:
    """A list has the delivered parameters of all pages, their versions and tokens, and reads no tags."""
    names = {f"/keyspaces/user-{number}" for number in range(PAGE + 5)}
    for name in names:
        parameter_store.put(name, None, "first", FIRST, SETTINGS)
    ssm.put_parameter(Name="/other", Value="x", Type="SecureString", Tags=[{"Key": "team", "Value": "payments"}])
    tags: Any = [{"Key": "iamcreds:delivered", "Value": "false"}]
    ssm.put_parameter(Name="/false", Value="x", Type="SecureString", Tags=tags)
    emulator.controls.clear_counts()
    listed = parameter_store.list_secrets()
    assert set(listed) == names
    assert {(stored.version, stored.token) for stored in listed.values()} == {("1", FIRST)}
    assert set(emulator.controls.counts()) == {DESCRIBE}


def test_pages(parameter_store: ParameterStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list requests the largest pages, and goes on after a page that AWS left empty."""
    pages = {None: ([], "a"), "a": ([{"Name": NAME, "Version": 1, "Type": "SecureString"}], "b"), "b": ([], None)}
    requests: list[dict[str, Any]] = []

    def describe(**request: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3
        requests.append(dict(request))
        items, token = pages[request.get("NextToken")]
        return {"Parameters": items, **({"NextToken": token} if token else {})}

    monkeypatch.setattr(parameter_store._parameters, "describe_parameters", describe)  # noqa: SLF001
    assert list(parameter_store.list_secrets()) == [NAME]
    filters = [{"Key": "tag:iamcreds:delivered", "Values": ["true"]}]
    expected = {"MaxResults": 50, "ParameterFilters": filters}
    assert requests == [expected, {**expected, "NextToken": "a"}, {**expected, "NextToken": "b"}]


def test_overwrite(parameter_store: ParameterStore, ssm: SSMClient, stored: StoredSecret, emulator: Emulator) -> None:
    """A new version has the new value and token; tags stay; it costs one call."""
    emulator.controls.clear_counts()
    settings = SecretSettings({**CREDENTIAL, "team": "payments"})
    assert parameter_store.put(NAME, stored, "second", SECOND, settings) == DeliveredSecret(ARN, "2")
    assert emulator.controls.counts() == {PUT: 1}
    assert read_metadata(ssm)["Description"] == f"iamcreds {SECOND} 2"
    assert require(parameter_store).token == SECOND
    assert read_tags(ssm) == MANAGED
    assert parameter_store.read(NAME) == "second"


def test_other_writer(parameter_store: ParameterStore, ssm: SSMClient, stored: StoredSecret) -> None:
    """The token of a version that a different program wrote is unknown, although the description stays."""
    ssm.put_parameter(Name=NAME, Value="manual", Overwrite=True, Description=f"iamcreds {FIRST} {stored.version}")
    found = require(parameter_store)
    assert (found.version, found.token) == ("2", None)


@pytest.mark.parametrize(
    "description", ["", f"iamcreds {FIRST}", f"iamcreds {FIRST} 1 more", "iamcreds x 1", "of ours"]
)
def test_foreign_description(parameter_store: ParameterStore, ssm: SSMClient, description: str) -> None:
    """A description that iamcreds did not write proves nothing."""
    ssm.put_parameter(Name=NAME, Value="manual", Type="SecureString", Description=description)
    found = require(parameter_store)
    assert (found.version, found.token, found.credential) == ("1", None, None)


def test_plain_parameter(parameter_store: ParameterStore, ssm: SSMClient, stored: StoredSecret) -> None:
    """A parameter of a different type is not encrypted."""
    ssm.put_parameter(Name="/plain", Value="manual", Type="String")
    assert stored.is_encrypted
    assert not require(parameter_store, "/plain").is_encrypted


def test_kms_key(parameter_store: ParameterStore, ssm: SSMClient, kms: KMSClient, stored: StoredSecret) -> None:
    """Each write encrypts with the declared key, or with the key of the store."""
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    parameter_store.put(NAME, stored, "second", SECOND, SecretSettings(CREDENTIAL, key))
    assert read_metadata(ssm)["KeyId"] == key
    parameter_store.put(NAME, require(parameter_store), "third", FIRST, SETTINGS)
    assert read_metadata(ssm)["KeyId"] == "alias/aws/ssm"


# Faults


@pytest.mark.parametrize("fault", ["drop", "fail", "cut"])
def test_lost_create(parameter_store: ParameterStore, ssm: SSMClient, emulator: Emulator, fault: str) -> None:
    """A repeated create fails, because the first one took effect; the token proves it."""
    lose(emulator, fault)
    assert parameter_store.put(NAME, None, "first", FIRST, SETTINGS) == DeliveredSecret(ARN, "1")
    assert emulator.controls.counts()[DESCRIBE] == 1
    assert require(parameter_store).token == FIRST
    assert read_tags(ssm) == MANAGED


@pytest.mark.parametrize("fault", ["drop", "fail", "cut"])
def test_lost_overwrite(parameter_store: ParameterStore, stored: StoredSecret, emulator: Emulator, fault: str) -> None:
    """A repeated overwrite writes a second version; one more write lets number and token agree."""
    emulator.controls.clear_counts()
    lose(emulator, fault)
    assert parameter_store.put(NAME, stored, "second", SECOND, SETTINGS) == DeliveredSecret(ARN, "4")
    assert emulator.controls.counts() == {PUT: 3}
    found = require(parameter_store)
    assert (found.version, found.token) == ("4", SECOND)
    assert parameter_store.read(NAME) == "second"


def test_lost_for_good(parameter_store: ParameterStore, stored: StoredSecret, emulator: Emulator) -> None:
    """A write that took effect once is complete, although every later attempt fails."""
    lose(emulator, "drop")
    emulator.controls.fail(PUT, status=400, code="TooManyUpdates", message="busy", call=2)
    assert parameter_store.put(NAME, stored, "second", SECOND, SETTINGS) == DeliveredSecret(ARN, "2")
    assert require(parameter_store).token == SECOND


def test_same_token_again(parameter_store: ParameterStore, stored: StoredSecret) -> None:
    """The create of an earlier run with the same token is complete."""
    assert parameter_store.put(NAME, None, "first", FIRST, SETTINGS).version == stored.version
    assert require(parameter_store) == stored


def test_existing_parameter(parameter_store: ParameterStore, stored: StoredSecret) -> None:
    """A create does not overwrite a parameter with a different token."""
    with pytest.raises(
        AccountError, match=rf"^writing parameter {NAME}: AWS error ParameterAlreadyExists: its message"
    ):
        parameter_store.put(NAME, None, "second", SECOND, SETTINGS)
    assert require(parameter_store) == stored
    assert parameter_store.read(NAME) == "first"


def test_concurrent_writer(parameter_store: ParameterStore, ssm: SSMClient, stored: StoredSecret) -> None:
    """A number that a different program took in the meantime is not returned."""
    ssm.put_parameter(Name=NAME, Value="manual", Overwrite=True)
    assert parameter_store.put(NAME, stored, "second", SECOND, SETTINGS).version == "4"
    assert require(parameter_store).token == SECOND


def test_endless_writer(
    parameter_store: ParameterStore, ssm: SSMClient, stored: StoredSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that writes all the time ends the attempts."""
    client = parameter_store._parameters  # noqa: SLF001 - a program that writes between two calls
    put, versions = client.put_parameter, []

    def write_twice(**request: Any) -> Any:  # noqa: ANN401 - as boto3
        ssm.put_parameter(Name=NAME, Value="manual", Overwrite=True)
        versions.append(put(**request))
        return versions[-1]

    monkeypatch.setattr(client, "put_parameter", write_twice)
    with pytest.raises(AccountError, match=rf"^writing parameter {NAME}: a different program writes it at the same"):
        parameter_store.put(NAME, stored, "second", SECOND, SETTINGS)
    assert len(versions) == WRITES


def test_unavailable(parameter_store: ParameterStore, emulator: Emulator) -> None:
    """An error of the write is reported, even if the parameter cannot be read either."""
    emulator.controls.fail(PUT, status=400, code="TooManyUpdates", message="busy")
    emulator.controls.deny(DESCRIBE)
    with pytest.raises(AccountError, match=rf"^writing parameter {NAME}: AWS error TooManyUpdates"):
        parameter_store.put(NAME, None, "first", FIRST, SETTINGS)


def test_denied_list(parameter_store: ParameterStore, emulator: Emulator) -> None:
    """A denied list is an error with AWS's message."""
    emulator.controls.deny(DESCRIBE)
    with pytest.raises(AccessDeniedError, match=rf"^listing parameters of Parameter Store: .* perform: {DESCRIBE}"):
        parameter_store.list_secrets()


def lose(emulator: Emulator, fault: str) -> None:
    """Lose the response to the next write."""
    match fault:
        case "drop":
            emulator.controls.drop(PUT, when="after")
        case "fail":
            emulator.controls.fail(PUT, when="after")
        case "cut":
            emulator.controls.cut(PUT, 0.5, whole_length=False)


# Tags, delete, read


def test_attempt(parameter_store: ParameterStore, ssm: SSMClient) -> None:
    """The word of an attempt is a tag; a parameter that was tagged manually then appears in the list."""
    tags: Any = [{"Key": "iamcreds:credential", "Value": "jane/keyspaces"}]
    ssm.put_parameter(Name=NAME, Value="manual", Type="SecureString", Tags=tags)
    assert parameter_store.list_secrets() == {}
    parameter_store.tag_attempt(require(parameter_store), "word")
    assert require(parameter_store).attempt == "word"
    assert read_tags(ssm) == {**MANAGED, "iamcreds:attempt": "word"}
    assert list(parameter_store.list_secrets()) == [NAME]


def test_configure(parameter_store: ParameterStore, ssm: SSMClient, stored: StoredSecret, emulator: Emulator) -> None:
    """Only different tags are written; others stay."""
    parameter_store.tag_attempt(stored, "word")
    parameter_store.configure(stored, SecretSettings({**CREDENTIAL, "team": "payments"}))
    assert read_tags(ssm) == {**MANAGED, "iamcreds:attempt": "word", "team": "payments"}
    emulator.controls.clear_counts()
    parameter_store.configure(stored, SETTINGS)
    assert emulator.controls.counts() == {}


def test_configure_listed(parameter_store: ParameterStore, stored: StoredSecret, emulator: Emulator) -> None:
    """The tags of a parameter from the list are read before they are compared."""
    listed = parameter_store.list_secrets()[stored.name]
    emulator.controls.clear_counts()
    parameter_store.configure(listed, SETTINGS)
    assert emulator.controls.counts() == {TAGS: 1}


def test_delete(parameter_store: ParameterStore, stored: StoredSecret, emulator: Emulator) -> None:
    """A deletion whose response was lost is complete, as a repeated one is."""
    emulator.controls.drop("ssm:DeleteParameter", when="after")
    parameter_store.delete(stored)
    assert parameter_store.describe(NAME) is None
    parameter_store.delete(stored)


def test_denied_delete(parameter_store: ParameterStore, stored: StoredSecret, emulator: Emulator) -> None:
    """A denied deletion is an error."""
    emulator.controls.deny("ssm:DeleteParameter")
    with pytest.raises(AccessDeniedError, match=rf"^deleting parameter {NAME}: "):
        parameter_store.delete(stored)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("name", [NAME, ARN])
def test_read(parameter_store: ParameterStore, emulator: Emulator, name: str) -> None:
    """The value is read by name or ARN, decrypted, with one permission."""
    emulator.controls.clear_counts()
    assert parameter_store.read(name) == "first"
    assert emulator.controls.counts() == {"ssm:GetParameter": 1}


def test_read_missing(parameter_store: ParameterStore) -> None:
    """A missing parameter is an error of its own type."""
    with pytest.raises(
        NoSuchSecretError, match=rf"^reading the value of parameter {NAME}: AWS error ParameterNotFound"
    ):
        parameter_store.read(NAME)


# Names


@pytest.mark.parametrize("name", ["a", "/a", "/a/b_c.D-9", "/" + "/".join("a" * 15), "x" * 900, "/keys/aws"])
def test_valid_names(parameter_store: ParameterStore, name: str) -> None:
    """Parameter Store accepts the names of its user guide."""
    assert parameter_store.find_broken_rule(name) is None


@pytest.mark.parametrize(
    "name", ["", "/", "a/b", "/a/", "/a//b", "/a b", "/jane@example.com", "/" + "/".join("a" * 16), "/é", "/a\n"]
)
def test_invalid_names(parameter_store: ParameterStore, name: str) -> None:
    """Other names break the rule."""
    rule = parameter_store.find_broken_rule(name)
    assert rule == "letters, digits and _.- in up to 15 levels that begin with a slash, without the prefix aws or ssm"


@pytest.mark.parametrize("name", ["awsTestParameter", "SSM-testparameter", "/aws/testparam1", "/Ssm/x"])
def test_reserved_names(parameter_store: ParameterStore, name: str) -> None:
    """The prefixes aws and ssm are reserved, in any case."""
    assert str(parameter_store.find_broken_rule(name)).endswith("without the prefix aws or ssm")


def test_long_name(parameter_store: ParameterStore) -> None:
    """The limit is the length of the ARN."""
    longest = 1011 - len("arn:aws:ssm:eu-west-1:123456789012:parameter/")
    assert parameter_store.find_broken_rule("a" * longest) is None
    assert parameter_store.find_broken_rule("a" * (longest + 1)) == "up to 1011 characters of its ARN"
