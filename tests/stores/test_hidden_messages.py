"""Errors of writes: no text of them contains the value, in either store."""

from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING

import pytest

from iamcreds.errors import AccessDeniedError, AccountError, UnreadableAnswerError, format_traceback
from iamcreds.stores.store import SecretSettings

if TYPE_CHECKING:
    from iamcreds.emulator.server import Emulator
    from iamcreds.stores.parameter_store import ParameterStore
    from iamcreds.stores.secrets_manager import SecretsManager
    from iamcreds.stores.store import Store

NAME, TOKEN = "/keyspaces/jane", "00000000-0000-0000-0000-000000000001"
SETTINGS = SecretSettings({"iamcreds:credential": "jane/keyspaces"})
PASSWORD = "hunter2/Battery+Staple="
VALUE = json.dumps({"username": "jane-at-123456789012", "password": PASSWORD})
WRITES = ("ssm:PutParameter", "secretsmanager:CreateSecret", "secretsmanager:PutSecretValue")
HIDDEN = "its message is not shown, because it may contain the secret"


@pytest.fixture(params=["new parameter", "parameter", "new secret", "secret"])
def write(request: pytest.FixtureRequest, parameter_store: ParameterStore, secrets_manager: SecretsManager) -> Write:
    """Return a write of a new or an existing secret in a store."""
    store: Store = parameter_store if request.param.endswith("parameter") else secrets_manager
    return Write(store, is_new=request.param.startswith("new"))


class Write:
    """A write of a secret."""

    def __init__(self, store: Store, *, is_new: bool) -> None:
        self._store = store
        self._stored = None
        if not is_new:
            store.put(NAME, None, "before", TOKEN.replace("1", "2"), SETTINGS)
            self._stored = store.describe(NAME)

    def fail(self) -> AccountError:
        """Write the secret, and return the error."""
        with pytest.raises(AccountError) as failure:
            self._store.put(NAME, self._stored, VALUE, TOKEN, SETTINGS)
        return failure.value


def find_texts(error: BaseException) -> str:
    """Return all texts of an error: tracebacks and each error of its chain."""
    texts = [format_traceback(error), "".join(traceback.format_exception(error))]
    chain: list[BaseException | None] = [error]
    while chain:
        link = chain.pop()
        if link is not None:
            texts += [str(link), repr(link), str(vars(link))]
            chain += [link.__cause__, link.__context__]
    return "\n".join(texts)


def fail_writes(emulator: Emulator, code: str, message: str, status: int = 400) -> None:
    """Let every write fail."""
    for operation in WRITES:
        emulator.controls.fail(operation, times=None, status=status, code=code, message=message)


@pytest.mark.parametrize(
    "message",
    [
        f"1 validation error detected: Value '{VALUE}' at 'value' failed to satisfy constraint",
        f"Value {PASSWORD[:12]}... is too long",
        f"User: x is not authorized to perform: ssm:{PASSWORD} on resource: {PASSWORD}",
    ],
)
@pytest.mark.parametrize("code", ["ValidationException", "InvalidParameterException", PASSWORD])
def test_quoted_value(write: Write, emulator: Emulator, code: str, message: str) -> None:
    """A message or code that quotes the value, or its beginning, is not shown."""
    fail_writes(emulator, code, message)
    failure = write.fail()
    assert "hunter2" not in find_texts(failure)
    assert str(failure).startswith("writing ")
    assert ("did not come from AWS" if code == PASSWORD else f"AWS error {code}: {HIDDEN}") in str(failure)


@pytest.mark.parametrize("action", ["kms:GenerateDataKey", "ssm:PutParameter", "secretsmanager:CreateSecret"])
@pytest.mark.parametrize("resource", ["", " on resource: arn:aws:kms:eu-west-1:123456789012:key/x because of hunter2"])
def test_denied_action(write: Write, emulator: Emulator, action: str, resource: str) -> None:
    """The action that AWS denies is shown, and nothing else of its message."""
    fail_writes(emulator, "AccessDeniedException", f"User: hunter2 is not authorized to perform: {action}{resource}")
    failure = write.fail()
    assert isinstance(failure, AccessDeniedError)
    assert f"AWS error AccessDeniedException: the action {action} is denied. Run `iamcreds permissions`" in str(failure)
    assert "hunter2" not in find_texts(failure)


def test_cut_response(write: Write, emulator: Emulator) -> None:
    """Unreadable responses, whose errors quote nothing, are reported as such."""
    for operation in WRITES:
        emulator.controls.cut(operation, 0.3, times=None, whole_length=False)
    emulator.controls.deny("ssm:DescribeParameters")
    failure = write.fail()
    assert isinstance(failure, UnreadableAnswerError)
    assert "hunter2" not in find_texts(failure)
