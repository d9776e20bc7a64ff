"""The filters of lists of secrets and parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iamcreds.emulator.exceptions import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from iamcreds.emulator.stores.parameters import Parameter
    from iamcreds.emulator.stores.secrets import Secret

_SECRET_TEXTS: Mapping[str, Callable[[Secret], Iterable[str]]] = {
    "name": lambda secret: [secret.name],
    "tag-key": lambda secret: secret.tags,
    "tag-value": lambda secret: secret.tags.values(),
}


def select_secrets(secrets: Iterable[Secret], filters: Iterable[Mapping[str, Any]]) -> list[Secret]:
    """Return the secrets that match every filter: one of its values is the beginning of the text, in the same case.

    (Filter in the API reference of Secrets Manager)

    Raises:
        AwsError: a filter is not supported.
    """
    selected = list(secrets)
    for each in filters:
        key, values = str(each.get("Key")), tuple(each.get("Values", ()))
        if key not in _SECRET_TEXTS or not values or any(value.startswith("!") for value in values):
            raise AwsError(f"the IAM emulator does not support the filter {key!r}", "InvalidAction", 400)
        selected = [one for one in selected if any(text.startswith(values) for text in _SECRET_TEXTS[key](one))]
    return selected


def select_parameters(parameters: Iterable[Parameter], filters: Iterable[Mapping[str, Any]]) -> list[Parameter]:
    """Return the parameters that match every filter: its text equals one of its values, or begins with it.

    A filter by tag without values selects the parameters that have the tag.
    (ParameterStringFilter in the API reference of Systems Manager)

    Raises:
        AwsError: a filter is not valid or not supported.
    """
    selected = list(parameters)
    for each in filters:
        key, values, option = str(each.get("Key")), each.get("Values", []), each.get("Option", "Equals")
        if key != "Name" and not key.startswith("tag:"):
            raise AwsError(f"the IAM emulator does not support the filter {key!r}", "InvalidAction", 400)
        if option not in {"BeginsWith", "Equals"}:
            message = (
                f"The following filter option is not valid: {option}. Valid options include: [BeginsWith, Equals]."
            )
            raise AwsError(message, "InvalidFilterOption", 400)
        selected = [one for one in selected if _matches(_find_text(one, key), values, option)]
    return selected


def _find_text(parameter: Parameter, key: str) -> str | None:
    return parameter.name if key == "Name" else parameter.tags.get(key.removeprefix("tag:"))


def _matches(text: str | None, values: list[str], option: str) -> bool:
    if text is None or not values:
        return text is not None
    return text in values if option == "Equals" else text.startswith(tuple(values))
