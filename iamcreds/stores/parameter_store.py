"""Parameter Store (AWS Systems Manager) as a secret store: parameters of type SecureString.

Parameter Store has no tokens, and it returns no tags in a list. So the description of a parameter has the word
iamcreds, the token and the number of the version, and the tag `iamcreds:delivered` has a constant value by which
DescribeParameters filters. The description proves the origin of that version only: a different program that writes a
new version usually keeps it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from iamcreds.aws import client
from iamcreds.aws.failures import reading_answers, translate_errors
from iamcreds.aws.secret_writes import write_secret
from iamcreds.delivery import DeliveredSecret
from iamcreds.errors import AccountError, NoSuchSecretError
from iamcreds.stores.keys import require_key
from iamcreds.stores.store import ATTEMPT_TAG, HOW_TO_READ, SecretSettings, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_kms import KMSClient
    from mypy_boto3_ssm import SSMClient

    from iamcreds.aws import Account

PAGE = 50
"""The maximum number of parameters on a page (API reference, DescribeParameters)."""

WRITES = 3
"""The number of writes of one version, if other writes take its number."""

DELIVERED_TAG = "iamcreds:delivered"
"""The tag of every parameter that iamcreds writes; its value is `true`."""

_DELIVERED = {DELIVERED_TAG: "true"}
_TYPE = "SecureString"
_DEFAULT_KEY = "alias/aws/ssm"
_DESCRIPTION = re.compile(r"iamcreds ([0-9a-f-]{36}) ([0-9]{1,18})")

# User guide, "Understanding parameter name requirements and constraints"
_NAME = re.compile(r"[A-Za-z0-9_.-]+|(?:/[A-Za-z0-9_.-]+){1,15}")
_RESERVED = ("aws", "ssm")
_NAME_RULE = "letters, digits and _.- in up to 15 levels that begin with a slash, without the prefix aws or ssm"
_LONGEST_ARN = 1011


class ParameterStore:
    """Parameter Store in one region; see `Store`."""

    title = "Parameter Store"

    def __init__(self, account: Account, region: str) -> None:
        self.region = region
        self._account = account
        self._parameters: SSMClient = account.open_client("ssm", region)
        self._keys: KMSClient = account.open_client("kms", region)

    def find_broken_rule(self, name: str) -> str | None:
        """Return the rule for names that a name breaks, None for a valid name."""
        if len(self._make_arn(name)) > _LONGEST_ARN:
            return f"up to {_LONGEST_ARN} characters of its ARN"
        is_reserved = name.lower().removeprefix("/").startswith(_RESERVED)
        return None if _NAME.fullmatch(name) and not is_reserved else _NAME_RULE

    def list_secrets(self) -> Mapping[str, StoredSecret]:
        """Return the parameters with `DELIVERED_TAG` by name, without tags; one call per 50 parameters."""
        delivered = {"Key": f"tag:{DELIVERED_TAG}", "Values": [_DELIVERED[DELIVERED_TAG]]}
        return {stored.name: stored for stored in self._select(delivered, "listing parameters of Parameter Store")}

    def describe(self, name: str) -> StoredSecret | None:
        """Return a parameter by its name or ARN, None if it does not exist."""
        stored = self._find(name)
        return stored and replace(stored, tags=self._read_tags(stored.name))

    def require_key(self, kms_key_id: str) -> None:
        """Require that a KMS key can encrypt secrets."""
        require_key(self._keys, kms_key_id)

    def tag_attempt(self, stored: StoredSecret, attempt: str) -> None:
        """Write the word of an attempt to the tags of a parameter."""
        self._tag(stored, {ATTEMPT_TAG: attempt, **_DELIVERED})

    def put(
        self, name: str, stored: StoredSecret | None, value: str, token: str, settings: SecretSettings
    ) -> DeliveredSecret:
        """Write a value as the current version, encrypted with the declared KMS key.

        A write whose response was lost is repeated by boto3 and then writes one more version, whose number differs from
        the one in its description. The value is written again until both agree.
        """
        parameter = {"Name": stored.name if stored else name, "Value": value, "Type": _TYPE, **_write_key(settings)}
        mode: dict[str, Any] = {"Overwrite": True}  # AWS accepts no tags together with it
        expected, arn = 1, self._make_arn(name)
        if stored is None:
            mode = {"Overwrite": False, "Tags": _write_tags({**settings.tags, **_DELIVERED})}
        else:
            expected, arn = int(stored.version or 0) + 1, stored.arn
        for _ in range(WRITES):
            written = self._write({**parameter, **mode}, token, expected)
            if written == expected:
                return DeliveredSecret(arn, str(written))
            expected, mode = written + 1, {"Overwrite": True}
        raise AccountError(f"writing parameter {name}: a different program writes it at the same time. Run again")

    def configure(self, stored: StoredSecret, settings: SecretSettings) -> None:
        """Apply the declared tags to an existing parameter; `put` applies the KMS key."""
        actual = stored.tags or self._read_tags(stored.name)
        differing = {key: tag for key, tag in {**settings.tags, **_DELIVERED}.items() if actual.get(key) != tag}
        if differing:
            self._tag(stored, differing)

    def delete(self, stored: StoredSecret) -> None:
        """Delete a parameter immediately; no effect if it does not exist, as after a lost response."""
        try:
            with translate_errors(f"deleting parameter {stored.name}"):
                client.read(self._parameters.delete_parameter, Name=stored.name)
        except NoSuchSecretError:
            return

    def read(self, name: str) -> str:
        """Return the value of the current version, by name or ARN."""
        if_denied = HOW_TO_READ.format(action="ssm:GetParameter")
        with translate_errors(f"reading the value of parameter {name}", if_denied=if_denied), reading_answers():
            response = client.read(self._parameters.get_parameter, Name=name, WithDecryption=True)
            return str(response["Parameter"]["Value"])

    def read_previous(self, name: str) -> str | None:
        """Return None: no label names the previous version of a parameter."""
        del name
        return None

    def _write(self, parameter: Mapping[str, Any], token: str, number: int) -> int:
        """Write a version and return its number, also if an earlier write of the same token was successful."""
        description = f"iamcreds {token} {number}"
        try:
            with translate_errors(f"writing parameter {parameter['Name']}"), reading_answers():
                response = write_secret(self._parameters.put_parameter, Description=description, **parameter)
                return int(response["Version"])
        except AccountError:
            written = self._find_version(parameter["Name"], token)
            if written is None:
                raise
            return written

    def _find_version(self, name: str, token: str) -> int | None:
        """Return the number of the current version if it was written with the token."""
        try:
            stored = self._find(name)
        except AccountError:  # the error of the write is the one to report
            return None
        return int(stored.version) if stored and stored.version and stored.token == token else None

    def _find(self, name: str) -> StoredSecret | None:
        named = {"Key": "Name", "Option": "Equals", "Values": _find_spellings(name)}
        return next(iter(self._select(named, f"reading parameter {name}")), None)

    def _select(self, parameter_filter: Mapping[str, Any], doing: str) -> Sequence[StoredSecret]:
        arguments: dict[str, Any] = {"MaxResults": PAGE, "ParameterFilters": [parameter_filter]}
        selected: list[StoredSecret] = []
        with translate_errors(doing), reading_answers():
            while True:  # a page may be empty although more pages follow
                page = client.read(self._parameters.describe_parameters, **arguments)
                selected += [self._read(item) for item in page["Parameters"]]
                if not page.get("NextToken"):
                    return selected
                arguments["NextToken"] = page["NextToken"]

    def _read(self, item: Mapping[str, Any]) -> StoredSecret:
        description = _DESCRIPTION.fullmatch(item.get("Description") or "")
        is_own = description is not None and int(description[2]) == item["Version"]
        return StoredSecret(
            name=item["Name"],
            arn=item.get("ARN") or self._make_arn(item["Name"]),
            version=str(item["Version"]),
            token=description[1] if description and is_own else None,
            kms_key_id=item.get("KeyId"),
            is_encrypted=item["Type"] == _TYPE,
        )

    def _read_tags(self, name: str) -> Mapping[str, str]:
        with translate_errors(f"reading the tags of parameter {name}"), reading_answers():
            list_tags = self._parameters.list_tags_for_resource
            response = client.read(list_tags, ResourceType="Parameter", ResourceId=name)
            return {tag["Key"]: tag["Value"] for tag in response["TagList"]}

    def _tag(self, stored: StoredSecret, tags: Mapping[str, str]) -> None:
        with translate_errors(f"tagging parameter {stored.name}"):
            add = self._parameters.add_tags_to_resource
            client.read(add, ResourceType="Parameter", ResourceId=stored.name, Tags=_write_tags(tags))

    def _make_arn(self, name: str) -> str:
        """Return the ARN of a parameter, in which a name begins without a slash."""
        owner = f"{self._parameters.meta.partition}:ssm:{self.region}:{self._account.id()}"
        return f"arn:{owner}:parameter/{name.removeprefix('/')}"


def _find_spellings(name: str) -> list[str]:
    """Return the names to which a name or ARN may refer: `a` and `/a` are the same parameter."""
    path = name.partition(":parameter/")[2] or name.removeprefix("/")
    return [f"/{path}"] if "/" in path else [path, f"/{path}"]


def _write_tags(tags: Mapping[str, str]) -> list[Any]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _write_key(settings: SecretSettings) -> dict[str, str]:
    return {"KeyId": settings.kms_key_id or _DEFAULT_KEY}
