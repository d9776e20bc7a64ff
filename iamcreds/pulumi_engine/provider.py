"""The base of all providers: one account and one session per process, warnings, and errors in one line each."""

from __future__ import annotations

import atexit
import functools
import gc
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
from pulumi.dynamic import CheckFailure, CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult
from pulumi.runtime.proto.engine_pb2 import LogRequest, LogSeverity
from pulumi.runtime.proto.engine_pb2_grpc import EngineStub

from iamcreds.errors import (
    AccountError,
    ConfigError,
    IamcredsError,
    RejectedError,
    WrongAccountError,
    format_traceback,
    is_debugging,
)
from iamcreds.pulumi_engine.approved_plan import read_approval
from iamcreds.pulumi_engine.engine_watch import finish_before_end, watch_engine
from iamcreds.pulumi_engine.inputs import is_known
from iamcreds.pulumi_engine.session import Session
from iamcreds.text.escaping import escape_invisible, escape_lines
from iamcreds.text.names import ACCOUNT_ID, ACCOUNT_ID_WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi.dynamic import ConfigureRequest

    from iamcreds.aws import Account
    from iamcreds.stores.deliveries import Deliveries

DECLARED_FOR = "this resource is declared for"
"""The subject that requires the account of the input `account`, in an error."""

_ONE_AT_A_TIME = threading.Lock()
_CALLS = frozenset({"check", "diff", "create", "read", "update", "delete"})
"""The engine's requests, by method."""


class Provider(ResourceProvider):
    """A provider that is pickled by reference (it keeps no state) and not encrypted in the state."""

    serialize_as_secret_always = False

    def __init_subclass__(cls) -> None:
        for name in _CALLS & cls.__dict__.keys():
            setattr(cls, name, finish_before_end(cls.__dict__[name]))

    def configure(self, req: ConfigureRequest) -> None:
        """Read the stack's `now` and the approved plan; called once in a provider process, before anything else.

        Raises:
            ConfigError: `now` is not a valid date.
            ApprovalError: the approved plan cannot be read.
        """
        speak_plainly()
        read_approval()
        if is_provider_process() and len(sys.argv) > 1:  # the first argument is the engine's address
            watch_engine(_engine(sys.argv[1]))
        atexit.register(gc.freeze)  # without it, Python collects garbage in all of boto3 at exit while the engine waits
        self.now = parse_now(req.config.get("now"))

    @property
    def account(self) -> Account:
        """Return the account of this process, one for all providers in it."""
        # The engine sends requests from four threads at once; without a lock, each of them would build an account.
        with _ONE_AT_A_TIME:
            return _account()

    @property
    def deliveries(self) -> Deliveries:
        """Return the secret stores of this process, one object for all providers in it."""
        account = self.account
        with _ONE_AT_A_TIME:
            return _deliveries(account)

    @property
    def session(self) -> Session:
        """Return the facts of this process about its run, one object for all providers in it; it is never pickled."""
        with _ONE_AT_A_TIME:
            return _session()

    def account_failures(self, expected: Any, of_state: str | None = None) -> list[CheckFailure]:  # noqa: ANN401 - an input
        """Return the failures of `check` about the input `account` and the account in use.

        There are none if it is the account of the input, of the state (`of_state`), and of the approved plan, if known.
        """
        named = expected if is_known(expected) else None
        if named is not None and not (isinstance(named, str) and ACCOUNT_ID.fullmatch(named)):
            return [CheckFailure("account", f"expected {ACCOUNT_ID_WORDS}")]
        try:
            self.account.require_account(named, DECLARED_FOR)
            self.account.require_account(of_state, "this state is of")
            approval = read_approval()
            self.account.require_account(approval.account if approval else None, "the approved plan is of")
        except WrongAccountError as error:
            return [CheckFailure("account", str(error))]
        return []


class WatcherProvider(Provider):
    """A provider that reads the account in `check`, adds the results to the inputs, and records them.

    A subclass sets `compared`, the inputs whose difference is a change, and `id_suffix`, which follows the account in
    the resource's id; it may override `record`.
    """

    compared: tuple[str, ...]
    id_suffix: str

    def diff(self, _id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        """Compare the inputs with the recorded ones."""
        return DiffResult(changes=any(olds.get(name) != news.get(name) for name in self.compared))

    def create(self, props: Mapping[str, Any]) -> CreateResult:
        """Record the checked inputs; see `record` for errors."""
        return CreateResult(f"{self.account.id()}/{self.id_suffix}", self.record(props))

    def read(self, id_: str, props: Mapping[str, Any]) -> ReadResult:
        """Return the recorded outputs, because `check` reads the account in the same run."""
        return ReadResult(id_, dict(props))

    def update(self, _id: str, _olds: Mapping[str, Any], news: Mapping[str, Any]) -> UpdateResult:
        """Record the checked inputs; see `record` for errors."""
        return UpdateResult(self.record(news))

    def record(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs of a resource with these checked inputs.

        Raises:
            RejectedError: `check` rejected the inputs.
        """
        raise_rejection(inputs)
        return dict(inputs)


ACCOUNT_WIDE = (AccountError, ConfigError)
"""Failures of a read that every other read of the run meets as well; catch UserDeniedError first."""


def raise_rejection(inputs: Mapping[str, Any]) -> None:
    """Fail a create or update that `check` rejected; its reason is among the inputs.

    Raises:
        RejectedError: there is one.
    """
    if inputs.get("refused"):
        raise RejectedError("; ".join(inputs["refused"]))


_reported: set[type[Exception]] = set()
_warned: set[str] = set()


def is_reported_first(error: IamcredsError) -> bool:
    """Return True for the first failure of its kind in this process: 27 resources do not report it 27 times."""
    with _ONE_AT_A_TIME:
        is_first = type(error) not in _reported
        _reported.add(type(error))
        return is_first


@functools.cache
def _account() -> Account:
    from iamcreds.aws import Account  # noqa: PLC0415 - boto3 is slow to import, and the program never needs it

    return Account(approval=read_approval(), warn=warn)


@functools.cache
def _deliveries(account: Account) -> Deliveries:
    from iamcreds.stores.deliveries import Deliveries  # noqa: PLC0415 - as above

    return Deliveries(account)


@functools.cache
def _session() -> Session:
    from iamcreds.pulumi_engine.handover import open_handover  # noqa: PLC0415 - as above

    return Session(open_handover())


def parse_now(text: str | None) -> datetime:
    """Return the time in the config `now` (an ISO date or time, UTC by default), or the present.

    Raises:
        ConfigError: the text is neither.
    """
    try:
        now = datetime.fromisoformat(text) if text else datetime.now(UTC)
    except ValueError as error:
        raise ConfigError(
            f"config `now`: {text!r} is not a valid ISO 8601 date. Run `pulumi config set now 2027-03-01`"
        ) from error
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def warn(message: str) -> None:
    """Let the engine show a warning, once per process; for use in a provider process."""
    _log(message, LogSeverity.WARNING, "warning: ")


def inform(message: str) -> None:
    """Let the engine show information that needs no action, once per process; for use in a provider process."""
    _log(message, LogSeverity.INFO)


def _log(message: str, severity: LogSeverity.ValueType, prefix: str = "") -> None:
    """Let the engine show a message, once per process.

    The engine requests a diff in the refresh and again for the program. It starts a provider with its own address as
    the first argument. Without one, the line goes to standard error, which the engine shows as well.
    """
    message = escape_invisible(message)
    with _ONE_AT_A_TIME:
        if message in _warned:
            return
        _warned.add(message)
    if len(sys.argv) > 1:
        _engine(sys.argv[1]).Log(LogRequest(severity=severity, message=message))
    else:
        sys.stderr.write(f"{prefix}{message}\n")


@functools.cache
def _engine(address: str) -> EngineStub:
    return EngineStub(grpc.insecure_channel(address))


def speak_plainly() -> None:
    """Make the provider process report a failure by a sentence instead of a traceback.

    The SDK's process formats every exception by `traceback.format_exc()` for the engine, which prints it. The SDK's
    module is `__main__` in it. In any other process, this function has no effect.
    """
    if is_provider_process():
        sys.modules["__main__"].traceback = _Sentences  # type: ignore[attr-defined]


def is_provider_process() -> bool:
    """Return True if this process is the SDK's, which serves providers to the engine."""
    return hasattr(sys.modules["__main__"], "DynamicResourceProviderServicer")


class _Sentences:
    """A replacement of the module `traceback` in the SDK's provider process."""

    @staticmethod
    def format_exc() -> str:
        error = sys.exc_info()[1]
        sentence = escape_lines(str(error)) if isinstance(error, IamcredsError) else unexpected(error)
        return f"{sentence}\n{format_traceback(error)}" if error and is_debugging() else sentence


def unexpected(error: BaseException | None) -> str:
    """Describe a bug of iamcreds in one line: type and source location, without the text, which may be a secret."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    location = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{location}: this is a bug in iamcreds; please report this line"
