"""IAM's behavior with service-specific credentials and access keys, as far as the product depends on it.

The tests run on the IAM emulator. If IAMCREDS_CONTRACT_ENDPOINT is a URL, or `aws` for AWS itself, they run there, with
the default region and credentials of all AWS tools. They create users named `iamcreds-contract-…` and delete them
afterwards. The tests use no control settings of the IAM emulator.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from iamcreds.services import SERVICES, Family

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_iam import IAMClient

CODECOMMIT = "codecommit.amazonaws.com"
KEYSPACES = "cassandra.amazonaws.com"
BEDROCK = "bedrock.amazonaws.com"
PREFIXES = {
    "aws-external-anthropic.amazonaws.com": "AEAA",
    BEDROCK: "ABSK",
    "cloudwatch.amazonaws.com": "APIAACWM",
    "logs.amazonaws.com": "ACWL",
    "xray.amazonaws.com": "",  # the prefix is unknown
}
NOBODY = "iamcreds-contract-nobody"
UNKNOWN_ID = "ACCAEXAMPLE1234567890"
NO_STATUS = "Value at 'status' failed to satisfy constraint: Member must satisfy enum value set"
SECRETS = {"ServicePassword", "ServiceCredentialSecret"}


def create(iam: IAMClient, user: str, service: str = CODECOMMIT, **more: int) -> dict[str, Any]:
    """Create a credential."""
    answer = iam.create_service_specific_credential(UserName=user, ServiceName=service, **more)
    return dict(answer["ServiceSpecificCredential"])


def listed(iam: IAMClient, **which: Any) -> list[dict[str, Any]]:  # noqa: ANN401 as boto3 has it
    """Return every credential of a list, whatever the number of pages."""
    found: list[dict[str, Any]] = []
    marker: dict[str, Any] = {}
    while True:
        answer = iam.list_service_specific_credentials(**which, **marker)
        found += [dict(one) for one in answer["ServiceSpecificCredentials"]]
        if not answer["IsTruncated"]:
            return found
        marker = {"Marker": answer["Marker"]}


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[int, str, str]:  # noqa: ANN401 as boto3 has it
    """Return the HTTP status, code and message of the error of a call."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def account_of(iam: IAMClient, user: str) -> str:
    """Return the account id from the ARN of one of its users."""
    return iam.get_user(UserName=user)["User"]["Arn"].split(":")[4]


# Create


@pytest.mark.parametrize("service", [service.name for service in SERVICES if service.family is Family.PASSWORD])
def test_password_service(contract_iam: IAMClient, user: str, service: str) -> None:
    """A password service returns a user name and a password of 60 characters, and no field of an API key."""
    credential = create(contract_iam, user, service)
    assert credential["ServiceUserName"] == f"{user}-at-{account_of(contract_iam, user)}"
    assert len(credential["ServicePassword"]) == 60
    assert set(credential) == {
        "CreateDate",
        "ServiceName",
        "ServiceUserName",
        "ServicePassword",
        "ServiceSpecificCredentialId",
        "UserName",
        "Status",
    }
    assert (credential["UserName"], credential["ServiceName"], credential["Status"]) == (user, service, "Active")


@pytest.mark.parametrize("service", [service.name for service in SERVICES if service.family is Family.API_KEY])
def test_api_key_service(contract_iam: IAMClient, user: str, service: str) -> None:
    """An API-key service returns an alias and a secret with the service's prefix, and no field of a password."""
    credential = create(contract_iam, user, service)
    assert credential["ServiceCredentialAlias"] == f"{user}-at-{account_of(contract_iam, user)}"
    assert credential["ServiceCredentialSecret"].startswith(PREFIXES[service])
    assert not {"ServiceUserName", "ServicePassword", "ExpirationDate"} & set(credential)


def test_id(contract_iam: IAMClient, user: str) -> None:
    """An id starts with ACCA and has 21 characters."""
    assert re.fullmatch(r"ACCA[A-Z0-9]{17}", create(contract_iam, user)["ServiceSpecificCredentialId"])


@pytest.mark.parametrize(("service", "login"), [(CODECOMMIT, "ServiceUserName"), (BEDROCK, "ServiceCredentialAlias")])
def test_second_login(contract_iam: IAMClient, user: str, service: str, login: str) -> None:
    """The second credential of a user and service has +1 in its login, counted per service."""
    create(contract_iam, user, KEYSPACES)
    create(contract_iam, user, service)
    assert create(contract_iam, user, service)[login] == f"{user}+1-at-{account_of(contract_iam, user)}"


def test_limit(contract_iam: IAMClient, user: str) -> None:
    """A third credential of one user and service is rejected; inactive ones count."""
    first = create(contract_iam, user)["ServiceSpecificCredentialId"]
    create(contract_iam, user)
    contract_iam.update_service_specific_credential(UserName=user, ServiceSpecificCredentialId=first, Status="Inactive")
    create(contract_iam, user, KEYSPACES)
    assert refusal(contract_iam.create_service_specific_credential, UserName=user, ServiceName=CODECOMMIT) == (
        409,
        "LimitExceeded",
        "Cannot exceed quota for ContextSpecificCredentialsPerUserPerContext: 2",
    )


@pytest.mark.parametrize("service", [CODECOMMIT, BEDROCK])
def test_expiry(contract_iam: IAMClient, user: str, service: str) -> None:
    """An age in days sets an expiration date that many days after creation, also in lists."""
    credential = create(contract_iam, user, service, CredentialAgeDays=30)
    assert credential["ExpirationDate"] - credential["CreateDate"] == timedelta(days=30)
    assert listed(contract_iam, UserName=user)[0]["ExpirationDate"] == credential["ExpirationDate"]


def test_service_name_case(contract_iam: IAMClient, user: str) -> None:
    """A service name is accepted in any case, stored in lower case, and found in any case."""
    assert create(contract_iam, user, "CodeCommit.AmazonAWS.com")["ServiceName"] == CODECOMMIT
    assert len(listed(contract_iam, UserName=user, ServiceName="CODECOMMIT.amazonaws.com")) == 1


# Errors that several operations share


def test_missing_user(contract_iam: IAMClient) -> None:
    """A missing user is a 404 for every operation, and takes precedence over an unknown service or id."""
    expected = (404, "NoSuchEntity", f"The user with name {NOBODY} cannot be found.")
    named = {"UserName": NOBODY}
    with_id = {**named, "ServiceSpecificCredentialId": UNKNOWN_ID}
    assert refusal(contract_iam.create_service_specific_credential, **named, ServiceName="nothing") == expected
    assert refusal(contract_iam.list_service_specific_credentials, **named, ServiceName="nothing") == expected
    assert refusal(contract_iam.update_service_specific_credential, **with_id, Status="Active") == expected
    assert refusal(contract_iam.reset_service_specific_credential, **with_id) == expected
    assert refusal(contract_iam.delete_service_specific_credential, **with_id) == expected
    assert refusal(contract_iam.list_access_keys, **named) == expected
    assert refusal(contract_iam.create_access_key, **named) == expected


def test_unknown_service(contract_iam: IAMClient, user: str) -> None:
    """An unknown service is a 404 in Create and List."""
    expected = (
        404,
        "NoSuchEntity",
        "No such service x.amazonaws.com is supported for Service Specific Credentials",
    )
    parameters = {"UserName": user, "ServiceName": "x.amazonaws.com"}
    assert refusal(contract_iam.create_service_specific_credential, **parameters) == expected
    assert refusal(contract_iam.list_service_specific_credentials, **parameters) == expected


def test_unreadable_service(contract_iam: IAMClient, user: str) -> None:
    """A service name with characters other than letters, digits, dots and hyphens is a 400."""
    answer = refusal(contract_iam.create_service_specific_credential, UserName=user, ServiceName="code commit")
    assert answer[:2] == (400, "ValidationError")


def test_unknown_id(contract_iam: IAMClient, user: str) -> None:
    """An unknown id is a 404 for Update, Reset and Delete."""
    expected = (404, "NoSuchEntity", f"No such credential {UNKNOWN_ID} exists")
    parameters = {"UserName": user, "ServiceSpecificCredentialId": UNKNOWN_ID}
    assert refusal(contract_iam.update_service_specific_credential, **parameters, Status="Active") == expected
    assert refusal(contract_iam.reset_service_specific_credential, **parameters) == expected
    assert refusal(contract_iam.delete_service_specific_credential, **parameters) == expected


def test_id_of_another_user(contract_iam: IAMClient, new_user: Callable[[], str]) -> None:
    """The id of a different user is a 400 for Update, Reset and Delete."""
    owner, other = new_user(), new_user()
    credential_id = create(contract_iam, owner)["ServiceSpecificCredentialId"]
    expected = (
        400,
        "ValidationError",
        f"User {other} does not have a service specific credential with id {credential_id}",
    )
    parameters = {"UserName": other, "ServiceSpecificCredentialId": credential_id}
    assert refusal(contract_iam.update_service_specific_credential, **parameters, Status="Active") == expected
    assert refusal(contract_iam.reset_service_specific_credential, **parameters) == expected
    assert refusal(contract_iam.delete_service_specific_credential, **parameters) == expected


@pytest.mark.parametrize(
    ("parameters", "field", "constraint"),
    [
        ({"UserName": "a/b"}, "userName", r"satisfy regular expression pattern: [\w+=,.@-]+"),
        ({"UserName": "a" * 65}, "userName", "have length less than or equal to 64"),
        ({"MaxItems": 0}, "maxItems", "have value greater than or equal to 1"),
        ({"MaxItems": 1001}, "maxItems", "have value less than or equal to 1000"),
    ],
)
def test_constraints(contract_iam: IAMClient, parameters: dict[str, Any], field: str, constraint: str) -> None:
    """A parameter that the service model does not allow is a 400 that names parameter and constraint."""
    status, code, message = refusal(contract_iam.list_service_specific_credentials, **parameters)
    assert (status, code) == (400, "ValidationError")
    assert message.startswith("1 validation error detected: Value ")
    assert message.endswith(f"at '{field}' failed to satisfy constraint: Member must {constraint}")


@pytest.mark.parametrize("days", [0, 36601])
def test_age_out_of_range(contract_iam: IAMClient, user: str, days: int) -> None:
    """An age outside of 1 to 36600 days is a 400."""
    answer = refusal(
        contract_iam.create_service_specific_credential,
        UserName=user,
        ServiceName=CODECOMMIT,
        CredentialAgeDays=days,
    )
    assert answer[:2] == (400, "ValidationError")


def test_short_id(contract_iam: IAMClient, user: str) -> None:
    """An id of fewer than 20 characters is a 400."""
    answer = refusal(
        contract_iam.delete_service_specific_credential, UserName=user, ServiceSpecificCredentialId="ACCA1"
    )
    assert answer[:2] == (400, "ValidationError")
    assert "'serviceSpecificCredentialId'" in answer[2]
    assert answer[2].endswith("Member must have length greater than or equal to 20")


# List


def test_list_has_no_secrets(contract_iam: IAMClient, user: str) -> None:
    """A list has every field of the response to Create except the secret."""
    password, api_key = create(contract_iam, user), create(contract_iam, user, BEDROCK)
    expected = [{name: one[name] for name in set(one) - SECRETS} for one in (password, api_key)]
    found = listed(contract_iam, UserName=user)
    assert sorted(found, key=lambda one: one["ServiceName"]) == sorted(expected, key=lambda one: one["ServiceName"])


def test_list_filters(contract_iam: IAMClient, new_user: Callable[[], str]) -> None:
    """A list has the credentials of one user, and of one service on request."""
    one, other = new_user(), new_user()
    wanted = create(contract_iam, one)
    create(contract_iam, one, KEYSPACES)
    create(contract_iam, other)
    assert len(listed(contract_iam, UserName=one)) == 2
    found = listed(contract_iam, UserName=one, ServiceName=CODECOMMIT)
    assert [credential["ServiceSpecificCredentialId"] for credential in found] == [
        wanted["ServiceSpecificCredentialId"]
    ]


def test_list_all_users(contract_iam: IAMClient, new_user: Callable[[], str]) -> None:
    """AllUsers lists the credentials of every user, for every service or for a given one."""
    one, other = new_user(), new_user()
    create(contract_iam, one)
    create(contract_iam, other, BEDROCK)
    ours = [(c["UserName"], c["ServiceName"]) for c in listed(contract_iam, AllUsers=True)]
    assert {(one, CODECOMMIT), (other, BEDROCK)} <= set(ours)
    bedrock = listed(contract_iam, AllUsers=True, ServiceName=BEDROCK)
    assert other in {credential["UserName"] for credential in bedrock}
    assert one not in {credential["UserName"] for credential in bedrock}


def test_all_users_and_one(contract_iam: IAMClient, user: str) -> None:
    """AllUsers together with a user name is a 400."""
    assert refusal(contract_iam.list_service_specific_credentials, UserName=user, AllUsers=True) == (
        400,
        "InvalidInput",
        "Cannot list credentials for all users if a username is given",
    )


def test_pages(contract_iam: IAMClient, user: str) -> None:
    """Pages of one have every credential exactly once, in the order of the whole list."""
    for service in (CODECOMMIT, KEYSPACES, BEDROCK):
        create(contract_iam, user, service)
    whole = listed(contract_iam, UserName=user)
    assert listed(contract_iam, UserName=user, MaxItems=1) == whole
    assert len(whole) == 3


def test_pages_while_others_write(contract_iam: IAMClient, user: str) -> None:
    """A marker stays valid if its last item is deleted and other items are added."""
    for service in (CODECOMMIT, CODECOMMIT, KEYSPACES, KEYSPACES):
        create(contract_iam, user, service)
    before = [one["ServiceSpecificCredentialId"] for one in listed(contract_iam, UserName=user)]
    page = contract_iam.list_service_specific_credentials(UserName=user, MaxItems=2)
    first = [one["ServiceSpecificCredentialId"] for one in page["ServiceSpecificCredentials"]]
    contract_iam.delete_service_specific_credential(UserName=user, ServiceSpecificCredentialId=first[-1])
    create(contract_iam, user, BEDROCK)
    rest = [one["ServiceSpecificCredentialId"] for one in listed(contract_iam, UserName=user, Marker=page["Marker"])]
    assert set(before) <= set(first) | set(rest)
    assert not set(first) & set(rest)


def test_bad_marker(contract_iam: IAMClient, user: str) -> None:
    """A marker that IAM did not issue is a 400."""
    answer = refusal(contract_iam.list_service_specific_credentials, UserName=user, Marker="no marker")
    assert answer[:2] == (400, "ValidationError")


# Update


def test_switch_off_and_on(contract_iam: IAMClient, user: str) -> None:
    """Update deactivates and activates a credential, and changes nothing else."""
    credential = create(contract_iam, user)
    credential_id = credential["ServiceSpecificCredentialId"]
    for status in ("Inactive", "Active"):
        contract_iam.update_service_specific_credential(
            UserName=user,
            ServiceSpecificCredentialId=credential_id,
            Status=status,
        )
        expected = {**{name: credential[name] for name in set(credential) - SECRETS}, "Status": status}
        assert listed(contract_iam, UserName=user) == [expected]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Expired", (400, "InvalidInput", "Operation does not support status Expired")),
        (
            "off",
            (
                400,
                "ValidationError",
                f"1 validation error detected: {NO_STATUS}",
            ),
        ),
    ],
)
def test_impossible_status(contract_iam: IAMClient, user: str, status: str, expected: tuple[int, str, str]) -> None:
    """The status Expired cannot be set, and other words are not a valid status."""
    credential_id = create(contract_iam, user)["ServiceSpecificCredentialId"]
    answer = refusal(
        contract_iam.update_service_specific_credential,
        UserName=user,
        ServiceSpecificCredentialId=credential_id,
        Status=status,
    )
    assert answer == expected


# Reset


@pytest.mark.parametrize(("service", "secret"), [(CODECOMMIT, "ServicePassword"), (BEDROCK, "ServiceCredentialSecret")])
def test_reset(contract_iam: IAMClient, user: str, service: str, secret: str) -> None:
    """Reset returns a new secret of the same kind and keeps all other fields; its effect on expiry is unknown."""
    before = create(contract_iam, user, service, CredentialAgeDays=9)
    after = contract_iam.reset_service_specific_credential(
        UserName=user, ServiceSpecificCredentialId=before["ServiceSpecificCredentialId"]
    )["ServiceSpecificCredential"]
    assert after[secret] != before[secret]  # type: ignore[literal-required]
    assert len(after[secret]) == len(before[secret])  # type: ignore[literal-required]
    for name in set(before) - {secret, "ExpirationDate"}:
        assert after[name] == before[name]  # type: ignore[literal-required]


def test_reset_inactive(contract_iam: IAMClient, user: str) -> None:
    """Reset of an inactive credential keeps it inactive."""
    credential_id = create(contract_iam, user)["ServiceSpecificCredentialId"]
    which = {"UserName": user, "ServiceSpecificCredentialId": credential_id}
    contract_iam.update_service_specific_credential(**which, Status="Inactive")
    answer = contract_iam.reset_service_specific_credential(**which)
    assert answer["ServiceSpecificCredential"]["Status"] == "Inactive"


# Delete, and changes of users


def test_delete(contract_iam: IAMClient, user: str) -> None:
    """A deleted credential no longer exists, and the next one gets the login that became free."""
    first = create(contract_iam, user)
    create(contract_iam, user)
    which = {"UserName": user, "ServiceSpecificCredentialId": first["ServiceSpecificCredentialId"]}
    contract_iam.delete_service_specific_credential(**which)
    assert refusal(contract_iam.delete_service_specific_credential, **which)[:2] == (404, "NoSuchEntity")
    assert create(contract_iam, user)["ServiceUserName"] == first["ServiceUserName"]


def test_delete_user_with_credential(contract_iam: IAMClient, user: str) -> None:
    """A user who has a credential cannot be deleted."""
    create(contract_iam, user)
    assert refusal(contract_iam.delete_user, UserName=user) == (
        409,
        "DeleteConflict",
        "Cannot delete entity, must remove referenced objects first.",
    )


def test_rename_user(contract_iam: IAMClient, user: str) -> None:
    """Renaming a user changes UserName of credentials and access keys, and keeps ids and logins."""
    credential = create(contract_iam, user)
    key = contract_iam.create_access_key(UserName=user)["AccessKey"]
    renamed = f"{user}-renamed"
    contract_iam.update_user(UserName=user, NewUserName=renamed)
    expected = {**{name: credential[name] for name in set(credential) - SECRETS}, "UserName": renamed}
    assert listed(contract_iam, UserName=renamed) == [expected]
    assert contract_iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == renamed
    answer = refusal(contract_iam.list_service_specific_credentials, UserName=user)
    assert answer == (404, "NoSuchEntity", f"The user with name {user} cannot be found.")


def test_rename_to_taken_name(contract_iam: IAMClient, new_user: Callable[[], str]) -> None:
    """A user cannot be renamed to an existing name."""
    one, other = new_user(), new_user()
    answer = refusal(contract_iam.update_user, UserName=one, NewUserName=other)
    assert answer[:2] == (409, "EntityAlreadyExists")


@pytest.mark.parametrize("change_case", [str.upper, str.title, str])
def test_user_name_case(
    contract_iam: IAMClient, new_user: Callable[[], str], change_case: Callable[[str], str]
) -> None:
    """A user name is taken in any case, also for its own user."""
    one, other = new_user(), new_user()
    expected = (409, "EntityAlreadyExists", f"User with name {change_case(one)} already exists.")
    assert refusal(contract_iam.create_user, UserName=change_case(one)) == expected
    assert refusal(contract_iam.update_user, UserName=other, NewUserName=change_case(one)) == expected
    if change_case is not str:
        assert refusal(contract_iam.update_user, UserName=one, NewUserName=change_case(one)) == expected
        assert refusal(contract_iam.get_user, UserName=change_case(one))[1] == "NoSuchEntity"


def test_list_users_in_pages(contract_iam: IAMClient, new_user: Callable[[], str]) -> None:
    """ListUsers returns pages of MaxItems, which together have every user once."""
    names = {new_user() for _ in range(3)}
    pages = list(contract_iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2}))
    found = [user["UserName"] for page in pages for user in page["Users"]]
    assert max(len(page["Users"]) for page in pages) <= 2
    assert names <= set(found)
    assert len(found) == len(set(found))


# Access keys


def test_access_key_limit(contract_iam: IAMClient, user: str) -> None:
    """A third access key is rejected; inactive ones count."""
    for _ in range(2):
        key_id = contract_iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
        contract_iam.update_access_key(UserName=user, AccessKeyId=key_id, Status="Inactive")
    answer = refusal(contract_iam.create_access_key, UserName=user)
    assert answer == (409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")


def test_access_keys_in_pages(contract_iam: IAMClient, user: str) -> None:
    """ListAccessKeys returns pages of MaxItems, without secrets."""
    made = {contract_iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"] for _ in range(2)}
    paginator = contract_iam.get_paginator("list_access_keys")
    pages = list(paginator.paginate(UserName=user, PaginationConfig={"PageSize": 1}))
    keys = [key for page in pages for key in page["AccessKeyMetadata"]]
    assert [len(page["AccessKeyMetadata"]) for page in pages] == [1, 1]
    assert {key["AccessKeyId"] for key in keys} == made
    assert {name for key in keys for name in key} == {"AccessKeyId", "CreateDate", "Status", "UserName"}


def test_unused_access_key(contract_iam: IAMClient, user: str) -> None:
    """A key that was never used has N/A for service and region, and no date."""
    key_id = contract_iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
    answer = contract_iam.get_access_key_last_used(AccessKeyId=key_id)
    assert answer["UserName"] == user
    assert answer["AccessKeyLastUsed"] == {"Region": "N/A", "ServiceName": "N/A"}


def test_unknown_access_key(contract_iam: IAMClient) -> None:
    """The last use of an unknown key is a 403, not a 404, and its message has no colon after "perform"."""
    status, code, message = refusal(contract_iam.get_access_key_last_used, AccessKeyId="AKIAEXAMPLE123456789")
    assert (status, code) == (403, "AccessDenied")
    end = "is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key AKIAEXAMPLE123456789"
    assert message.endswith(end)


def test_change_of_an_unknown_access_key(contract_iam: IAMClient, user: str) -> None:
    """Update or Delete of a missing key is a 404, and its message ends with a full stop."""
    key = {"UserName": user, "AccessKeyId": "AKIAEXAMPLE123456789"}
    unknown = (404, "NoSuchEntity", "The Access Key with id AKIAEXAMPLE123456789 cannot be found.")
    assert refusal(contract_iam.update_access_key, **key, Status="Inactive") == unknown
    assert refusal(contract_iam.delete_access_key, **key) == unknown


def test_service_names(contract_iam: IAMClient, user: str) -> None:
    """A service name with invalid characters is a 400 with IAM's own message; an empty one in List is not a filter."""
    refused = (400, "ValidationError", "ServiceName must match [a-zA-Z0-9.-]*")
    assert refusal(contract_iam.create_service_specific_credential, UserName=user, ServiceName="a b") == refused
    create(contract_iam, user)
    assert len(listed(contract_iam, UserName=user, ServiceName="")) == 1


def test_delete_user_with_access_key(contract_iam: IAMClient, user: str) -> None:
    """A user who has an access key cannot be deleted."""
    contract_iam.create_access_key(UserName=user)
    assert refusal(contract_iam.delete_user, UserName=user)[:2] == (409, "DeleteConflict")
