"""What our resources share: serialisation that scales, one account a process, errors in one sentence."""

from __future__ import annotations

import contextlib
import functools
import pickle
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
from pulumi.dynamic import CheckFailure, ResourceProvider
from pulumi.runtime.proto.engine_pb2 import LogRequest, LogSeverity
from pulumi.runtime.proto.engine_pb2_grpc import EngineStub

from iamcreds.debugging import format_traceback, is_debugging
from iamcreds.errors import ConfigError, IamcredsError, WrongAccountError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi.dynamic import ConfigureRequest

    from iamcreds.account import Account

_PICKLER: Any = pickle._Pickler  # noqa: SLF001 - the class that Pulumi's SDK patches


class Resource(pulumi.dynamic.Resource):
    """A dynamic resource of which a program can have thousands."""

    def __init__(
        self, provider: ResourceProvider, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions | None
    ) -> None:
        with _pickler_kept():
            super().__init__(provider, name, props, opts)


@contextlib.contextmanager
def _pickler_kept() -> Iterator[None]:
    """Undo what the SDK does to pickle at every resource.

    `pulumi.dynamic.serialize_provider` wraps a method of the pickler once more each time and never restores it, which
    ends in a RecursionError at about 320 resources (SDK 3.259.0 to 3.272.0).
    """
    saved = {name: getattr(_PICKLER, name) for name in ("_batch_setitems", "save_dict")}
    try:
        yield
    finally:
        for name, method in saved.items():
            setattr(_PICKLER, name, method)


class Provider(ResourceProvider):
    """A provider of ours: pickled by reference (it keeps no state) and out of the encryption path."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:
        """Read the stack's `now`; called once in a provider process, before anything else.

        Raises:
            ConfigError: `now` is no date.
        """
        speak_plainly()
        self.now = parse_now(req.config.get("now"))

    @property
    def account(self) -> Account:
        """The account of this process, one for all providers in it."""
        with _ONE_AT_A_TIME:  # the engine asks from four threads at once, and a cache alone lets each build its own
            return _account()

    def account_failures(self, inputs: Mapping[str, Any]) -> list[CheckFailure]:
        """Why `check` refuses the account in use: none where it is the one that the input `account` names, if any."""
        expected = inputs.get("account")
        try:
            self.account.require_account(expected if known(expected) else None, "the specs are for")
        except WrongAccountError as error:
            return [CheckFailure("account", str(error))]
        return []


_ONE_AT_A_TIME = threading.Lock()


@functools.cache
def _account() -> Account:
    from iamcreds.account import Account  # noqa: PLC0415 - boto3 is slow to import, and the program never needs it

    return Account()


def parse_now(text: str | None) -> datetime:
    """The time that the config `now` says (an ISO date or time, UTC unless it says otherwise), or the present.

    Raises:
        ConfigError: it is neither.
    """
    try:
        now = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError as error:
        raise ConfigError(f"config `now` is {text!r}, which is no date: write it as 2027-03-01") from error
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def warn(message: str) -> None:
    """Have the engine show a warning, from within a provider process.

    The engine starts a provider with its own address as the first argument. Without one the line goes to stderr,
    which the engine shows as well.
    """
    if len(sys.argv) > 1:
        _engine(sys.argv[1]).Log(LogRequest(severity=LogSeverity.WARNING, message=message))
    else:
        sys.stderr.write(f"warning: {message}\n")


@functools.cache
def _engine(address: str) -> EngineStub:
    return EngineStub(grpc.insecure_channel(address))


def known(value: Any) -> bool:  # noqa: ANN401 - any property value
    """Whether a preview knows the value already (an output of a resource yet to be made is not known)."""
    return bool(value != pulumi.runtime.rpc.UNKNOWN)


def speak_plainly() -> None:
    """Make the provider process answer a failure with a sentence instead of a traceback.

    The SDK's process formats every exception by `traceback.format_exc()` for the engine, which prints it. Its module
    is `__main__` there; in a process that is not the SDK's nothing happens.
    """
    host = sys.modules["__main__"]
    if hasattr(host, "DynamicResourceProviderServicer"):
        host.traceback = _Sentences  # type: ignore[attr-defined]


class _Sentences:
    """Stands where the SDK's provider process has the module `traceback`."""

    @staticmethod
    def format_exc() -> str:
        error = sys.exc_info()[1]
        sentence = str(error) if isinstance(error, IamcredsError) else unexpected(error)
        return f"{sentence}\n{format_traceback(error)}" if error and is_debugging() else sentence


def unexpected(error: BaseException | None) -> str:
    """A bug of ours in one line: the type and the place, but not the text, which might hold anything."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}: this is a bug in iamcreds; please report this line"
