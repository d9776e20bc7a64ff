"""Operations with JSON requests: validation by botocore's model, dispatch, tags and pages."""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from botocore import xform_name
from moto.core.utils import get_service_model

from iamcreds.emulator.account import SWITCHES
from iamcreds.emulator.exceptions import AwsError, ValidationError
from iamcreds.emulator.paging import cut_page
from iamcreds.emulator.validation import check_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TYPES: Mapping[str, type] = {
    "boolean": bool,
    "integer": int,
    "list": list,
    "long": int,
    "string": str,
    "structure": dict,
}
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
_MARKS = frozenset("_.:/=+-@")


class JsonService:
    """A service. Each served operation is a method with its name in snake case: `create_secret(parameters)`.

    Attributes:
        service: the name of the service.
        served: the supported parameters of each served operation, separated by spaces.
        invalid_token: the error code of a token that is not valid for the operation.

    Args:
        region: the region of the request.
        caller: ARN of the caller.
    """

    service: ClassVar[str]
    served: ClassVar[Mapping[str, str]]
    invalid_token: ClassVar[str]

    def __init__(self, region: str, caller: str) -> None:
        self.region = region
        self.caller = caller

    def respond(self, operation: str, body: bytes) -> str:
        """Return the response of a served operation as JSON; dates are seconds since 1970.

        Raises:
            AwsError: the request is not valid, has a parameter that is not supported, or is rejected.
        """
        parameters = self._read(operation, body)
        response = getattr(self, xform_name(operation))(parameters)
        return json.dumps(response, default=datetime.timestamp)

    def _read(self, operation: str, body: bytes) -> dict[str, Any]:
        parameters = _parse(body)
        shape = get_service_model(self.service).operation_model(operation).input_shape
        known = {name: parameters[name] for name in shape.members if parameters.get(name) is not None}
        unsupported = sorted(set(known) - set(self.served[operation].split()))
        if unsupported:
            raise AwsError(
                f"the IAM emulator does not support {', '.join(unsupported)} of {self.service}:{operation}",
                "InvalidAction",
                400,
            )
        for name, value in known.items():
            if not isinstance(value, _TYPES[shape.members[name].type_name]):
                raise AwsError(f"{name} has an unexpected type", "SerializationException", 400)
        check_parameters(shape, known)
        return known

    def cut_page(
        self, items: Iterable[Any], key: str, parameters: Mapping[str, Any], operation: str, size: int
    ) -> tuple[list[Any], dict[str, str]]:
        """Return the requested page of a list with its `NextToken`.

        Args:
            items: all items.
            key: the attribute by which they are sorted.
            parameters: the parameters, of which `MaxResults` and `NextToken` select the page.
            operation: the operation; tokens of other operations are rejected.
            size: the number of items on a page without `MaxResults`.
        """
        wanted = {"MaxItems": parameters.get("MaxResults", size)}
        if "NextToken" in parameters:
            wanted["Marker"] = parameters["NextToken"]
        try:
            limit = SWITCHES.settings.page_limit
            page, paging = cut_page(items, lambda item: str(getattr(item, key)), wanted, kind=operation, limit=limit)
        except ValidationError as error:
            raise AwsError("The NextToken value is invalid.", self.invalid_token, 400) from error
        return page, {"NextToken": paging["Marker"]} if "Marker" in paging else {}


def _parse(body: bytes) -> dict[str, Any]:
    try:
        parameters = json.loads(body or b"{}")
    except ValueError:
        parameters = None
    if not isinstance(parameters, dict):
        raise AwsError("the request is not a JSON object", "SerializationException", 400)
    return parameters


def read_tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameter `Tags` by key.

    Raises:
        ValidationError: a tag is not valid ("Tagging your AWS resources" in the AWS General Reference).
    """
    tags: dict[str, str] = {}
    for tag in parameters.get("Tags", ()):
        key, value = tag.get("Key"), tag.get("Value", "")
        if not (_is_tag(key, _LONGEST_KEY) and key and _is_tag(value, _LONGEST_VALUE)):
            raise ValidationError(
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must satisfy regular"
                r" expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"
            )
        if key.lower().startswith("aws:"):
            raise ValidationError("aws: prefixed tag key names are not allowed for external use.")
        tags[key] = value
    return tags


def _is_tag(text: object, longest: int) -> bool:
    return isinstance(text, str) and len(text) <= longest and all(map(_is_tag_letter, text))


def _is_tag_letter(letter: str) -> bool:
    return letter in _MARKS or unicodedata.category(letter)[0] in "LZN"
