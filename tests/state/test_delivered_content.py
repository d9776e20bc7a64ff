"""The content of a delivered secret, which other programs may have written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iamcreds.errors import SecretError
from iamcreds.state.delivered_content import read_content
from iamcreds.state.secret_forms import Form, format_secret

PASSWORD = "hunter2+/='=="
CONTENT = {
    "username": "jane-at-1",
    "password": PASSWORD,
    "service": "codecommit.amazonaws.com",
    "credentialId": "ACCA1",
}


def make_content(**changes: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a content with these fields instead of valid ones."""
    return json.dumps(CONTENT | changes)


@pytest.mark.parametrize(
    ("service", "names"),
    [
        ("codecommit.amazonaws.com", ["service_user_name", "service_password"]),
        ("cassandra.amazonaws.com", ["service_user_name", "service_password"]),
        ("bedrock.amazonaws.com", ["service_credential_alias", "service_credential_secret"]),
        ("new.amazonaws.com", ["service_user_name", "service_password"]),
    ],
)
def test_kinds(service: str, names: list[str]) -> None:
    """The service determines the names of login and secret; the secret has no representation."""
    secret = read_content("jane/x", "jane", make_content(service=service))
    assert (secret.login, secret.secret, secret.service, secret.id) == ("jane-at-1", PASSWORD, service, "ACCA1")
    assert list(secret.outputs) == names
    assert PASSWORD not in repr(secret)


def test_no_login() -> None:
    """An API key without an alias has an empty login, as iamcreds delivers it."""
    secret = read_content("jane/x", "jane", make_content(username="", service="bedrock.amazonaws.com"))
    assert format_secret(secret, Form.KEY) == f"{PASSWORD}\n"


def test_unknown_fields() -> None:
    """Fields of a later version are ignored, and an unknown user is null for programs."""
    secret = read_content("arn:x", None, make_content(rotation=3))
    assert json.loads(format_secret(secret, Form.JSON)) == {
        "user": None,
        "service": "codecommit.amazonaws.com",
        "credential_id": "ACCA1",
        "service_user_name": "jane-at-1",
        "service_password": PASSWORD,
    }


@pytest.mark.parametrize(
    "content",
    [
        "",
        PASSWORD,
        f'"{PASSWORD}"',
        f'["{PASSWORD}"]',
        "null",
        "{}",
        "[" * 100_000,
        "9" * 10_000,
        json.dumps({"username": "jane", "password": PASSWORD}),
        *(make_content(**{name: value}) for name in CONTENT for value in (None, 1, [PASSWORD], {"a": PASSWORD})),
        *(make_content(**{name: ""}) for name in CONTENT if name != "username"),
        *(
            make_content(service=service)
            for service in (PASSWORD, "codecommit", "X.amazonaws.com", "a.amazonaws.com.evil")
        ),
        make_content(credentialId=PASSWORD),
        make_content(credentialId="ACCA1\n"),
        make_content(service="codecommit.amazonaws.com\n"),
    ],
)
def test_other_contents(content: str) -> None:
    """Any other content is an error with a next step that does not quote it."""
    with pytest.raises(
        SecretError, match=r"^the secret of jane/x in its store is not a credential that iamcreds"
    ) as raised:
        read_content("jane/x", "jane", content)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("name", ["username", "password"])
@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\ud800", "\t"])
def test_weapons(name: str, character: str) -> None:
    """Characters that could control a terminal or add a line for git are rejected, and not printed."""
    with pytest.raises(SecretError, match="has characters that IAM does not use") as raised:
        read_content("jane/x", "jane", make_content(**{name: f"hunter2{character}host=evil.example"}))
    assert not {"hunter2", "evil"} & set(str(raised.value).replace("=", " ").split())


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.sampled_from(list(CONTENT)), inner)
    )
)
def test_any_document(document: object) -> None:
    """Any document is a valid secret or a SecretError."""
    try:
        secret = read_content("jane/x", "jane", json.dumps(document))
    except SecretError:
        return
    assert secret.secret.isprintable()
