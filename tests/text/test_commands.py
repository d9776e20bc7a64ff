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
    create_user,
    delete_access_key,
    delete_credential,
    format_option,
    install_extra,
    switch_credential,
)
from tests.documents.reading import parse

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = ["jane", "contractor+x@example.com", "-x", "--all", "o'brien", "a b", "$(touch x)", "`x`", "a;b", "*", ""]
IAM = botocore.session.get_session().get_service_model("iam")
OPERATIONS = {xform_name(name, "-"): IAM.operation_model(name) for name in IAM.operation_names}


def take_apart(command: str) -> tuple[str, dict[str, str]]:
    """Return the IAM operation that a shell would request with `aws`, and its parameters.

    Raises:
        KeyError: IAM does not support the operation or the parameter.
    """
    program, service, operation, *words = shlex.split(command)
    assert (program, service) == ("aws", "iam")
    shape = OPERATIONS[operation].input_shape
    assert shape is not None
    names = {f"--{xform_name(name, '-')}": name for name in shape.members}
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


def test_option_that_looks_like_one() -> None:
    """A value that begins with a dash is not parsed as an option."""
    assert format_option("--user", "-x") == "--user=-x"
    assert format_option("--user", "x-y") == "--user x-y"
