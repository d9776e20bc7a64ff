"""A secret in a decrypted export: the right one, in the requested form."""

from __future__ import annotations

import json
import shlex
from configparser import ConfigParser
from typing import Any

import pytest

from iamcreds.errors import SecretError
from iamcreds.state.secret_forms import Form, Secret, format_secret
from iamcreds.state.secrets import find_secret, find_secret_of_login
from iamcreds.text.escaping import escape_invisible

PASSWORD = "x+/='Secret'=="
CREDENTIAL = "pulumi-python:dynamic/iam:ServiceSpecificCredential"
SIGNATURE = "4dabf18193072939515e22adb298388d"


def make_export(*resources: dict[str, Any]) -> str:
    """Return a decrypted export with these resources."""
    return json.dumps({"version": 3, "deployment": {"resources": list(resources)}})


def make_resource(name: str, service: str = "codecommit.amazonaws.com", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return a credential of jane in the format of a decrypted state."""
    secret = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps(PASSWORD)}
    outputs = {"user": "jane", "service": service, "credential_id": "ACCA1", "service_user_name": "jane-at-1"}
    return {
        "urn": f"urn:pulumi:test::iamcreds::{CREDENTIAL}::{name}",
        "type": CREDENTIAL,
        "outputs": outputs | {"service_password": secret},
    } | more


def make_secret(service: str = "codecommit.amazonaws.com") -> Secret:
    """Return the secret of a credential of jane."""
    return find_secret(make_export(make_resource("jane/x", service)), "jane/x")


def test_right_one() -> None:
    """The credential of that name is returned, and not an old one that waits for its deletion."""
    old = make_resource("jane/codecommit", delete=True)
    old["outputs"] = old["outputs"] | {"credential_id": "ACCA0", "service_password": "old"}
    export = make_export(make_resource("jane/codecommit"), old, make_resource("joe/codecommit", id="ACCA2"))
    found = find_secret(export, "jane/codecommit")
    assert (found.id, found.login, found.secret) == ("ACCA1", "jane-at-1", PASSWORD)
    assert PASSWORD not in repr(found)


def test_no_such_credential() -> None:
    """An unknown name is an error that suggests similar names, and contains no secret."""
    with pytest.raises(SecretError, match="no credential 'jane/codecomit'; did you mean jane/codecommit") as raised:
        find_secret(make_export(make_resource("jane/codecommit")), "jane/codecomit")
    assert PASSWORD not in str(raised.value)
    with pytest.raises(SecretError, match=r"'jane/codecommit'\. Run `pulumi stack output credentials` to list"):
        find_secret(json.dumps({"version": 3, "deployment": None}), "jane/codecommit")


@pytest.mark.parametrize(
    "name", ["jame/codecommit", "jan/codecommit", "codecommit", "urn:pulumi:a::b::c::jame/codecommit"]
)
def test_other_users_are_not_suggested(name: str) -> None:
    """A credential of a different user is never suggested, even if its name is similar, because a user would use it."""
    other = make_resource("jame/codecommi")
    with pytest.raises(SecretError, match=r"\. Run `pulumi stack output credentials` to list its credentials$"):
        find_secret(make_export(make_resource("jane/codecommit"), other), name)


def test_two_of_one_name() -> None:
    """A name of two credentials is rejected with both URNs, and each URN selects its credential."""
    first, second = make_resource("x"), make_resource("x")
    second["urn"] = second["urn"].replace(CREDENTIAL, f"team:index:Team${CREDENTIAL}")
    second["outputs"] = second["outputs"] | {"credential_id": "ACCA2"}
    export = make_export(first, second)
    with pytest.raises(SecretError, match="the stack has 2 credentials named 'x'") as raised:
        find_secret(export, "x")
    assert PASSWORD not in str(raised.value)
    assert set(shlex.split(str(raised.value).replace(",", "").replace("`", ""))) >= {first["urn"], second["urn"]}
    assert [find_secret(export, one["urn"]).id for one in (first, second)] == ["ACCA1", "ACCA2"]


def test_no_export() -> None:
    """An invalid export is reported as such, and never quoted."""
    with pytest.raises(SecretError, match=r"the output of `pulumi stack export` is not a state$"):
        find_secret(f"warning: {PASSWORD}", "jane/codecommit")


def test_unknown_secret() -> None:
    """An imported credential without a password has no secret, and the error explains how to get one."""
    adopted = make_resource("jane/codecommit")
    del adopted["outputs"]["service_password"]
    with pytest.raises(SecretError, match="ACCA1 of user jane is unknown, because the credential was imported"):
        find_secret(make_export(adopted), "jane/codecommit")


ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:keyspaces/jane-a1B2c3"


@pytest.mark.parametrize("arn", [ARN, "x; rm -rf ~", "x\n::add-mask::\x1b[2J"])
def test_delivered_secret(arn: str) -> None:
    """If the password is in a secret store, the error has the ARN, and a command that prints the password."""
    delivered = make_resource("jane/keyspaces", "cassandra.amazonaws.com")
    del delivered["outputs"]["service_password"]
    delivered["outputs"] = delivered["outputs"] | {"delivery": {"arn": arn, "version": "1"}}
    with pytest.raises(SecretError, match="ACCA1 of user jane is in the secret store, as ") as raised:
        find_secret(make_export(delivered), "jane/keyspaces")
    command = str(raised.value).rpartition("Run `")[2].removesuffix("`")
    assert shlex.split(command) == ["iamcreds", "secret", escape_invisible(arn), "--from-store"]
    assert str(raised.value).isprintable()


def test_delivered_secret_in_the_state() -> None:
    """With `keepInState`, the password of a delivered credential is in the state, too."""
    kept = make_resource("jane/codecommit")
    kept["outputs"] = kept["outputs"] | {"delivery": {"arn": ARN, "version": "1"}}
    assert find_secret(make_export(kept), "jane/codecommit").secret == PASSWORD


@pytest.mark.parametrize("delivery", ["", None, {}, {"arn": 1, "version": "1"}, {"arn": ARN}])
def test_invalid_delivery(delivery: object) -> None:
    """A delivery that is not valid is none."""
    resource = make_resource("jane/codecommit")
    del resource["outputs"]["service_password"]
    resource["outputs"] = resource["outputs"] | {"delivery": delivery}
    with pytest.raises(SecretError, match="is unknown, because the credential was imported"):
        find_secret(make_export(resource), "jane/codecommit")


@pytest.mark.parametrize("name", ["user", "service_user_name", "service_password"])
def test_weapons(name: str) -> None:
    """Characters that could control a terminal or add a line for git are rejected, and not printed."""
    poisoned = make_resource("jane/codecommit")
    poisoned["outputs"] = poisoned["outputs"] | {name: "x\nhost=evil.example\x1b[2J"}
    with pytest.raises(SecretError, match="has characters that IAM does not use") as raised:
        find_secret(make_export(poisoned), "jane/codecommit")
    assert "evil" not in str(raised.value)


def test_forms() -> None:
    """Each form is one document that its program can read."""
    assert format_secret(make_secret(), Form.TEXT).splitlines()[-1] == f"service_password: {PASSWORD}"
    assert json.loads(format_secret(make_secret(), Form.JSON))["service_password"] == PASSWORD
    assert format_secret(make_secret(), Form.GIT_CREDENTIAL) == f"username=jane-at-1\npassword={PASSWORD}\n"
    variable = shlex.split(format_secret(make_secret("bedrock.amazonaws.com"), Form.ENV))[1]
    assert variable == f"AWS_BEARER_TOKEN_BEDROCK={PASSWORD}"
    cqlshrc = ConfigParser()
    cqlshrc.read_string(format_secret(make_secret("cassandra.amazonaws.com"), Form.CQLSHRC))
    assert dict(cqlshrc["authentication"]) == {"username": "jane-at-1", "password": PASSWORD}
    credentials = ConfigParser(interpolation=None)
    credentials.read_string(format_secret(make_secret("cassandra.amazonaws.com"), Form.CQLSH_CREDENTIALS))
    assert dict(credentials["PlainTextAuthProvider"]) == {"username": "jane-at-1", "password": PASSWORD}


@pytest.mark.parametrize(
    ("form", "service"),
    [
        (Form.ENV, "codecommit.amazonaws.com"),
        (Form.ENV, "new.amazonaws.com"),
        (Form.GIT_CREDENTIAL, "cassandra.amazonaws.com"),
        (Form.CQLSHRC, "codecommit.amazonaws.com"),
    ],
)
def test_form_of_another_service(form: Form, service: str) -> None:
    """A form that a service does not support is rejected."""
    with pytest.raises(SecretError, match=f"format {form} is not available for jane/x, a credential for {service}"):
        format_secret(make_secret(service), form)


def make_slots(first: int | None, second: int | None) -> str:
    """Return an export with a renewed API key in both slots, with these numbers; a float as the engine writes it."""
    slots = []
    for name, credential_id, rotation in (("jane/bedrock", "ACCA1", first), ("jane/bedrock~2", "ACCA2", second)):
        slot = make_resource(name, "bedrock.amazonaws.com")
        numbers = {} if rotation is None else {"rotation": float(rotation)}
        secret = {"service_credential_secret": {SIGNATURE: "", "plaintext": json.dumps(f"key of {credential_id}")}}
        outputs = {"user": "jane", "service": "bedrock.amazonaws.com", "credential_id": credential_id}
        slots.append(slot | {"outputs": outputs | {"service_credential_alias": "jane-at-1"} | secret | numbers})
    return make_export(*slots, make_resource("jane/bedrock/spare", "bedrock.amazonaws.com"))


@pytest.mark.parametrize(("first", "second", "current"), [(None, 1, "ACCA2"), (2, 1, "ACCA1"), (None, None, "ACCA1")])
def test_current_slot(first: int | None, second: int | None, current: str) -> None:
    """The declared name selects the slot with the greatest number, in every format; other names select one slot."""
    export = make_slots(first, second)
    secret = find_secret(export, "jane/bedrock")
    assert (secret.id, secret.secret) == (current, f"key of {current}")
    assert format_secret(secret, Form.ENV) == f"export AWS_BEARER_TOKEN_BEDROCK='key of {current}'\n"
    assert format_secret(secret, Form.TEXT) == (
        f"service_credential_alias: jane-at-1\nservice_credential_secret: key of {current}\n"
    )
    assert json.loads(format_secret(secret, Form.JSON)) == {
        "user": "jane",
        "service": "bedrock.amazonaws.com",
        "credential_id": current,
        "service_credential_alias": "jane-at-1",
        "service_credential_secret": f"key of {current}",
    }
    assert find_secret(export, "jane/bedrock~2").id == "ACCA2"
    for name, credential_id in (("jane/bedrock", "ACCA1"), ("jane/bedrock~2", "ACCA2")):
        assert find_secret(export, f"urn:pulumi:test::iamcreds::{CREDENTIAL}::{name}").id == credential_id


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "x", {"a": 1}, [1], {"plaintext": "x"}])
def test_wrong_rotation(value: object) -> None:
    """Without a valid number, the current slot is unknown; the URN still selects a credential."""
    resource = make_resource("jane/codecommit")
    resource["outputs"] = resource["outputs"] | {"rotation": value}
    with pytest.raises(SecretError, match="property `rotation` in the state is not a whole number"):
        find_secret(make_export(resource), "jane/codecommit")
    assert find_secret(make_export(resource), resource["urn"]).id == "ACCA1"


def test_secret_rotation() -> None:
    """A number that the program made a secret selects the current slot."""
    other = make_resource("jane/codecommit~2")
    number = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": "1"}
    other["outputs"] = other["outputs"] | {"credential_id": "ACCA2", "rotation": number}
    assert find_secret(make_export(make_resource("jane/codecommit"), other), "jane/codecommit").id == "ACCA2"


def test_only_slot_2() -> None:
    """After the deletion of slot 1, the declared name selects slot 2."""
    only = make_resource("jane/bedrock~2")
    only["outputs"] = only["outputs"] | {"rotation": 1.0}
    export = make_export(only)
    assert find_secret(export, "jane/bedrock").resource == "jane/bedrock"
    assert find_secret(export, "jane/bedrock").id == "ACCA1"


@pytest.mark.parametrize("name", ["jane/bedrok", "jane/bedrok~2", f"urn:pulumi:a::b::{CREDENTIAL}::jane/bedrok~2"])
def test_slots_are_not_suggested(name: str) -> None:
    """A suggestion has the declared name, once."""
    with pytest.raises(SecretError, match=r"did you mean jane/bedrock( or jane/bedrock/spare)?\?$"):
        find_secret(make_slots(None, 1), name)


def test_no_second_slot() -> None:
    """The name of slot 2 never selects slot 1."""
    with pytest.raises(SecretError, match=r"no credential 'jane/bedrock~2'; did you mean jane/bedrock\?"):
        find_secret(make_export(make_resource("jane/bedrock")), "jane/bedrock~2")


def test_slots_below_two_parents() -> None:
    """Credentials of one name below different parents are listed by the URNs of their current slots."""
    other = make_resource("jane/bedrock~2")
    other["outputs"] = other["outputs"] | {"rotation": 1.0}
    other["urn"] = other["urn"].replace(CREDENTIAL, f"team:index:Team${CREDENTIAL}")
    with pytest.raises(SecretError, match="the stack has 2 credentials named 'jane/bedrock'") as raised:
        find_secret(make_export(make_resource("jane/bedrock"), other), "jane/bedrock")
    assert other["urn"] in str(raised.value)


def make_rotated(first: int, second: int, previous: str = "Active", **more: Any) -> str:  # noqa: ANN401 - any JSON
    """Return an export with both slots of a rotating credential; the slot with the smaller number has this status."""
    slots = []
    for name, login, rotation in (
        ("jane/codecommit", "jane-at-1", first), ("jane/codecommit~2", "jane+1-at-1", second)
    ):  # fmt: skip
        slot = make_resource(name)
        secret = {SIGNATURE: "", "plaintext": json.dumps(f"password of {login}")}
        outputs = {"service_user_name": login, "service_password": secret, "rotation": rotation}
        status = {"status": previous} if rotation < max(first, second) else {"status": "Active"}
        slots.append(slot | {"outputs": slot["outputs"] | outputs | status | more})
    return make_export(*slots, make_resource("jane/codecommit/spare"))


def answer(export: str, name: str, login: str) -> str | None:
    """Return the password that git gets for a login."""
    found = find_secret_of_login(export, name, login)
    assert found is None or found.login == login
    return None if found is None else found.secret


@pytest.mark.parametrize(("first", "second"), [(0, 1), (2, 1)])
def test_either_login(first: int, second: int) -> None:
    """Each login of a rotating credential gets its own password during the overlap, whichever slot is current."""
    export = make_rotated(first, second)
    for login in ("jane-at-1", "jane+1-at-1"):
        assert answer(export, "jane/codecommit", login) == f"password of {login}"
    for login in ("", "jane", "jane-at-2", "JANE-AT-1", "jane+1-at-1 "):
        assert answer(export, "jane/codecommit", login) is None


@pytest.mark.parametrize("status", ["Inactive", "Expired", "", "active", {"plaintext": '"Active"'}])
def test_retired_login(status: Any) -> None:  # noqa: ANN401 - any JSON
    """The previous login gets nothing unless it is recorded as Active, and the current one its own password."""
    export = make_rotated(0, 1, status)
    assert answer(export, "jane/codecommit", "jane-at-1") is None
    assert answer(export, "jane/codecommit", "jane+1-at-1") == "password of jane+1-at-1"


def test_failed_rotation() -> None:
    """If the rotation of a slot failed, its old password is Inactive, and the current slot is the other one."""
    export = make_rotated(2, 1, "Inactive")
    assert answer(export, "jane/codecommit", "jane+1-at-1") is None
    assert find_secret(export, "jane/codecommit").secret == "password of jane-at-1"


def test_login_of_one_slot() -> None:
    """The name of slot 2 and a URN select one slot, which has a password for its own login only."""
    export = make_rotated(0, 1)
    first = f"urn:pulumi:test::iamcreds::{CREDENTIAL}::jane/codecommit"
    assert answer(export, "jane/codecommit~2", "jane-at-1") is None
    assert answer(export, first, "jane+1-at-1") is None
    assert answer(export, first, "jane-at-1") == "password of jane-at-1"


def test_login_of_another_parent() -> None:
    """A slot with a different parent is a different credential; two credentials of one name are still an error."""
    current, other = make_resource("x"), make_resource("x~2")
    other["urn"] = other["urn"].replace(CREDENTIAL, f"team:index:Team${CREDENTIAL}")
    other["outputs"] = other["outputs"] | {"service_user_name": "jane+1-at-1", "status": "Active", "rotation": 1}
    with pytest.raises(SecretError, match="the stack has 2 credentials named 'x'"):
        find_secret_of_login(make_export(current, other), "x", "jane+1-at-1")
    assert find_secret_of_login(make_export(current, other), current["urn"], "jane+1-at-1") is None


@pytest.mark.parametrize(
    "outputs", [{"user": "joe"}, {"user": "joe", "rotation": 1}, {"service": "cassandra.amazonaws.com"}, {}]
)
def test_names_like_those_of_slots(outputs: dict[str, Any]) -> None:
    """A program's own `app~2` of a different user or service is not a slot of `app`, so its login gets nothing."""
    first, other = make_resource("app"), make_resource("app~2")
    other["outputs"] = other["outputs"] | {"service_user_name": "joe-at-1", "status": "Active"} | outputs
    export = make_export(first, other)
    assert answer(export, first["urn"], "joe-at-1") is None
    assert answer(export, "app~2", "joe-at-1") is not None
    if "rotation" in outputs:
        with pytest.raises(SecretError, match="the stack has 2 credentials named 'app'"):
            find_secret_of_login(export, "app", "joe-at-1")
    else:
        assert answer(export, "app", "joe-at-1") is None
        assert find_secret(export, "app").login == "jane-at-1"
        with pytest.raises(SecretError, match="no credential 'app'"):
            find_secret(make_export(other), "app")


def test_login_without_a_password() -> None:
    """A login whose password is unknown is an error, and a poisoned one is rejected, as for the current credential."""
    imported = make_rotated(0, 1, service_password="")
    with pytest.raises(SecretError, match="is unknown, because the credential was imported"):
        find_secret_of_login(imported, "jane/codecommit", "jane-at-1")
    poisoned = make_rotated(0, 1, user="x\nhost=evil.example")
    with pytest.raises(SecretError, match="has characters that IAM does not use"):
        find_secret_of_login(poisoned, "jane/codecommit", "jane-at-1")
