"""Operations of Parameter Store. Names of parameters and error codes are those of AWS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from moto.utilities.utils import get_partition

from iamcreds.emulator.account import ACCOUNT, PARAMETERS, SWITCHES
from iamcreds.emulator.exceptions import AwsError, ValidationError
from iamcreds.emulator.stores.filters import select_parameters
from iamcreds.emulator.stores.keys import find_problem
from iamcreds.emulator.stores.parameters import SECURE, Parameter, describe, make_key
from iamcreds.emulator.stores.service import JsonService, read_tags

Arguments = Mapping[str, Any]

DEFAULT_KEY = "alias/aws/ssm"
PAGE = 10
"""Parameters on a page without `MaxResults`, as in moto; the maximum is 50 (API reference)."""

LONGEST_VALUE = 4096
"""The characters of a value in the standard tier (PutParameter in the API reference)."""

_NAME = re.compile(r"[a-zA-Z0-9_./-]+")
_RESERVED = re.compile(r"/?(aws|ssm)", re.IGNORECASE)


class ParameterStore(JsonService):
    """One request to Parameter Store."""

    service = "ssm"
    invalid_token = "InvalidNextToken"  # noqa: S105 - an error code
    served: ClassVar[Mapping[str, str]] = {
        "AddTagsToResource": "ResourceId ResourceType Tags",
        "DeleteParameter": "Name",
        "DescribeParameters": "MaxResults NextToken ParameterFilters",
        "GetParameter": "Name WithDecryption",
        "ListTagsForResource": "ResourceId ResourceType",
        "PutParameter": "Description KeyId Name Overwrite Tags Tier Type Value",
        "RemoveTagsFromResource": "ResourceId ResourceType TagKeys",
    }

    def respond(self, operation: str, body: bytes) -> str:
        """Return the response; one operation at a time, because most depend on the state before."""
        with PARAMETERS.lock:
            return super().respond(operation, body)

    def put_parameter(self, arguments: Arguments) -> dict[str, Any]:
        """Create a parameter, or write its next version; without a description, the previous one stays."""
        name = arguments["Name"]
        _check(arguments)
        existing = PARAMETERS.find(self.region, make_key(name))
        if existing is not None and not arguments.get("Overwrite"):
            message = "The parameter already exists. To overwrite it, set the overwrite option in the request to true."
            raise AwsError(message, "ParameterAlreadyExists", 400)
        kind = arguments.get("Type") or (existing.type if existing else None)
        if kind is None:
            raise ValidationError("A parameter type is required when you create a parameter.")
        if existing is not None and kind != existing.type:
            message = "Parameter Store doesn't support changing a parameter type in a hierarchy."
            raise AwsError(message, "HierarchyTypeMismatchException", 400)
        parameter = Parameter(
            name=existing.name if existing else name,
            arn=f"{self._prefix}{name.removeprefix('/')}",
            type=kind,
            value=arguments["Value"],
            version=existing.version + 1 if existing else 1,
            changed=SWITCHES.now(),
            user=self.caller,
            description=arguments.get("Description", existing.description if existing else ""),
            kms_key_id=self._read_key(arguments, kind),
            tags=existing.tags if existing else read_tags(arguments),
        )
        PARAMETERS.put(self.region, make_key(name), parameter)
        return {"Version": parameter.version, "Tier": "Standard"}

    def _read_key(self, arguments: Arguments, kind: str) -> str | None:
        """Return the key of a SecureString: the requested one, or that of the account (API reference, PutParameter).

        Raises:
            AwsError: the key cannot encrypt.
        """
        key = arguments.get("KeyId")
        if kind != SECURE:
            if key is not None:
                raise ValidationError("KeyId is required for SecureString type parameter only.")
            return None
        self._require_key(key or DEFAULT_KEY)
        return key or DEFAULT_KEY

    def _require_key(self, key: str) -> None:
        """Require that a key can encrypt; the error contains that of KMS (see `find_problem`).

        Raises:
            AwsError: it cannot.
        """
        problem = find_problem(self.region, key)
        if problem is not None:
            message = f"{problem.message} (Service: AWSKMS; Status Code: 400; Error Code: {problem.code})"
            raise AwsError(message, "InvalidKeyId", 400)

    def get_parameter(self, arguments: Arguments) -> dict[str, Any]:
        """Return a parameter with its value, which stays encrypted without `WithDecryption`."""
        parameter = self._require(arguments["Name"])
        value = parameter.value
        if parameter.kms_key_id is not None:
            if arguments.get("WithDecryption"):
                self._require_key(parameter.kms_key_id)
            else:
                value = f"encrypted version {parameter.version}"
        return {
            "Parameter": {
                "Name": parameter.name, "ARN": parameter.arn, "Type": parameter.type, "Value": value,
                "Version": parameter.version, "LastModifiedDate": parameter.changed, "DataType": "text",
            }
        }  # fmt: skip

    def delete_parameter(self, arguments: Arguments) -> dict[str, Any]:
        """Delete a parameter by its name."""
        PARAMETERS.put(self.region, make_key(self._require(arguments["Name"]).name), None)
        return {}

    def describe_parameters(self, arguments: Arguments) -> dict[str, Any]:
        """List parameters by name."""
        known = PARAMETERS.select(self.region, SWITCHES.settings.list_lag)
        found = select_parameters(known, arguments.get("ParameterFilters", ()))
        page, paging = self.cut_page(found, "name", arguments, "DescribeParameters", PAGE)
        return {"Parameters": list(map(describe, page)), **paging}

    def add_tags_to_resource(self, arguments: Arguments) -> dict[str, Any]:
        """Add tags to a parameter."""
        parameter = self._require_resource(arguments)
        return self._put_tags(parameter, {**parameter.tags, **read_tags(arguments)})

    def remove_tags_from_resource(self, arguments: Arguments) -> dict[str, Any]:
        """Remove tags from a parameter."""
        parameter, gone = self._require_resource(arguments), arguments["TagKeys"]
        return self._put_tags(parameter, {key: value for key, value in parameter.tags.items() if key not in gone})

    def list_tags_for_resource(self, arguments: Arguments) -> dict[str, Any]:
        """Return the tags of a parameter."""
        tags = self._require_resource(arguments).tags
        return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _put_tags(self, parameter: Parameter, tags: Mapping[str, str]) -> dict[str, Any]:
        PARAMETERS.put(self.region, make_key(parameter.name), replace(parameter, tags=tags))
        return {}

    @property
    def _prefix(self) -> str:
        return f"arn:{get_partition(self.region)}:ssm:{self.region}:{ACCOUNT}:parameter/"

    def _find(self, name: str) -> Parameter | None:
        path = name.removeprefix(self._prefix) if name.startswith("arn:") else name
        is_path = name.startswith("arn:") and "/" in path
        return PARAMETERS.find(self.region, make_key(path)) or (
            PARAMETERS.find(self.region, f"/{path}") if is_path else None
        )

    def _require(self, name: str) -> Parameter:
        parameter = self._find(name)
        if parameter is None:
            raise AwsError(f"Parameter {name} not found.", "ParameterNotFound", 400)
        return parameter

    def _require_resource(self, arguments: Arguments) -> Parameter:
        if arguments["ResourceType"] != "Parameter":
            raise AwsError("the IAM emulator supports the type Parameter only", "InvalidResourceType", 400)
        parameter = self._find(arguments["ResourceId"])
        if parameter is None:
            raise AwsError("Invalid Resource Id", "InvalidResourceId", 400)
        return parameter


def _check(arguments: Arguments) -> None:
    """Check the arguments of PutParameter that do not depend on existing parameters.

    Raises:
        ValidationError: one is not valid.
    """
    name = arguments["Name"]
    if arguments.get("Overwrite") and arguments.get("Tags"):
        raise ValidationError(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove"
            " overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or"
            " RemoveTagsFromResource."
        )
    if not _NAME.fullmatch(name) or _RESERVED.match(name) or ("/" in name[1:] and not name.startswith("/")):
        raise ValidationError(
            'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive). If formed as a path, it can'
            " consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers"
            " and the following 3 symbols .-_"
        )
    if len(arguments["Value"]) > LONGEST_VALUE:
        raise ValidationError("Standard tier parameters support a maximum parameter value of 4096 characters.")
    if arguments.get("Tier", "Standard") != "Standard":
        raise AwsError("the IAM emulator supports the standard tier only", "InvalidAction", 400)
