"""Copies of the stores as JSON documents, by which tests read values and restore accounts."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from iamcreds.emulator.account import PARAMETERS, SECRETS
from iamcreds.emulator.faults.documents import ControlError, read_date
from iamcreds.emulator.stores.parameters import Parameter, make_key
from iamcreds.emulator.stores.secrets import CURRENT, Secret, SecretVersion

_DATES = ("created", "changed", "accessed", "deleted")


def read_values() -> dict[str, dict[str, dict[str, str]]]:
    """Return the current value of each secret and parameter, by service, region and name; this is not an access."""
    values: dict[str, dict[str, dict[str, str]]] = {"secretsmanager": {}, "ssm": {}}
    for region, secret in SECRETS.current():
        current = secret.find_stage(CURRENT)
        if current is not None:
            values["secretsmanager"].setdefault(region, {})[secret.name] = current.value
    for region, parameter in PARAMETERS.current():
        values["ssm"].setdefault(region, {})[parameter.name] = parameter.value
    return values


def copy() -> dict[str, Any]:
    """Return all secrets and parameters; `restore` reads the result."""
    return {
        "secrets": [{"region": region, **_write(secret)} for region, secret in SECRETS.current()],
        "parameters": [{"region": region, **_write(parameter)} for region, parameter in PARAMETERS.current()],
    }


def restore(document: object) -> None:
    """Replace all secrets and parameters by a copy; lists that lag show them from their last change.

    Raises:
        ControlError: the document is not a copy.
    """
    try:
        secrets = [(fields.pop("region"), _read_secret(fields)) for fields in map(dict, document["secrets"])]  # type: ignore[index]
        parameters = [(fields.pop("region"), _read_parameter(fields)) for fields in map(dict, document["parameters"])]  # type: ignore[index]
    except (LookupError, TypeError, ValueError) as error:
        raise ControlError("expected the result of GET stores") from error
    SECRETS.clear()
    PARAMETERS.clear()
    for region, secret in secrets:
        SECRETS.put(region, secret.name, secret, secret.changed)
    for region, parameter in parameters:
        PARAMETERS.put(region, make_key(parameter.name), parameter, parameter.changed)


def _write(record: Secret | Parameter) -> dict[str, Any]:
    fields = asdict(record)
    for version in fields.get("versions", ()):
        version["created"] = version["created"].isoformat()
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()}


def _read_secret(fields: dict[str, Any]) -> Secret:
    versions = tuple(
        SecretVersion(**{**version, "created": read_date(version["created"]), "stages": tuple(version["stages"])})
        for version in fields["versions"]
    )
    return Secret(**{**_read_dates(fields), "versions": versions})


def _read_parameter(fields: dict[str, Any]) -> Parameter:
    return Parameter(**_read_dates(fields))


def _read_dates(fields: dict[str, Any]) -> dict[str, Any]:
    dates = {name: read_date(fields[name]) for name in _DATES if fields.get(name) is not None}
    return {**fields, **dates}
