"""Commands in messages: a shell parses them as intended, and AWS supports their operations."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import botocore.session
import pytest
from botocore import xform_name

from iamcreds.project.locked import EXTRAS
from iamcreds.text.commands import (
    cancel_rotation,
    create_user,
    delete_access_key,
    delete_credential,
    delete_secret,
    format_option,
    install_extra,
    restore_secret,
    switch_credential,
    untag_secret,
)
from tests.documents.reading import parse

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = ["jane", "contractor+x@example.com", "-x", "--all", "o'brien", "a b", "$(touch x)", "`x`", "a;b", "*", ""]
MODELS = {
    service: botocore.session.get_session().get_service_model(service) for service in ("iam", "secretsmanager", "ssm")
}
OPERATIONS = {
    (service, xform_name(name, "-")): model.operation_model(name)
    for service, model in MODELS.items()
    for name in model.operation_names
}
ARN = "arn:aws:{}:eu-west-1:123456789012:x"


def take_apart(command: str, service: str = "iam") -> tuple[str, dict[str, str]]:
    """Return the operation of the service that a shell would request with `aws`, and its parameters.

    The region, which only regional services have, is the parameter `region`.

    Raises:
        KeyError: the service does not support the operation or the parameter.
    """
    program, named, operation, *words = shlex.split(command)
    assert (program, named) == ("aws", service)
    shape = OPERATIONS[service, operation].input_shape
    assert shape is not None
    names = {f"--{xform_name(name, '-')}": name for name in shape.members}
    names |= {} if service == "iam" else {"--region": "region"}
    given: dict[str, str] = {}
    while words:
        option, separator, value = words.pop(0).partition("=")
        given[names[option]] = value if separator else words.pop(0)
    assert set(shape.required_members) <= set(given)
    return operation, given


@pytest.mark.parametrize("extra", EXTRAS)
def test_install_extra(extra: str) -> None:
    """The command that adds an extra is valid, and pip installs no package by name."""
    text = install_extra(extra)
    (init,) = re.findall("`iamcreds (.*?)`", text)
    parse([*shlex.split(init), "--account", "123456789012"])
    assert re.findall("pip install (.*?)`", text) == ["-r requirements.txt"]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    ("make", "operation", "parameters"),
    [
        (create_user, "create-user", ["UserName"]),
        (delete_credential, "delete-service-specific-credential", ["UserName", "ServiceSpecificCredentialId"]),
        (delete_access_key, "delete-access-key", ["UserName", "AccessKeyId"]),
        (
            switch_credential,
            "update-service-specific-credential",
            ["UserName", "ServiceSpecificCredentialId", "Status"],
        ),
    ],
)
def test_pasted(make: Callable[..., str], operation: str, parameters: list[str], value: str) -> None:
    """A command that is pasted into a shell requests that operation with exactly these values."""
    values = [f"{value}{number or ''}" for number in range(len(parameters))]
    assert take_apart(make(*values)) == (operation, dict(zip(parameters, values, strict=True)))


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    ("make", "service", "operation", "parameter"),
    [
        (delete_secret, "secretsmanager", "delete-secret", "SecretId"),
        (restore_secret, "secretsmanager", "restore-secret", "SecretId"),
        (cancel_rotation, "secretsmanager", "cancel-rotate-secret", "SecretId"),
        (delete_secret, "ssm", "delete-parameter", "Name"),
    ],
)
def test_pasted_for_a_store(
    make: Callable[..., str], service: str, operation: str, parameter: str, value: str
) -> None:  # fmt: skip
    """A command for a secret requests that operation of its store, in the region of the secret."""
    found = take_apart(make(ARN.format(service), value), service)
    assert found == (operation, {parameter: value, "region": "eu-west-1"})


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("secretsmanager", "untag-resource", {"SecretId": "a b"}),
        ("ssm", "remove-tags-from-resource", {"ResourceType": "Parameter", "ResourceId": "a b"}),
    ],
)
def test_untagged(service: str, operation: str, parameters: dict[str, str]) -> None:
    """The command that keeps a secret removes one tag."""
    found = take_apart(untag_secret(ARN.format(service), "a b", "x:y"), service)
    assert found == (operation, parameters | {"TagKeys": "x:y", "region": "eu-west-1"})


def test_option_that_looks_like_one() -> None:
    """A value that begins with a dash is not parsed as an option."""
    assert format_option("--user", "-x") == "--user=-x"
    assert format_option("--user", "x-y") == "--user x-y"
