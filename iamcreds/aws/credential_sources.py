"""The sources of botocore's credentials: none waits for input without a terminal, and failures name the source.

botocore prompts for MFA codes, and runs `credential_process` commands that may prompt, without a time limit. In a
provider process without a terminal, such a run would never end. botocore also raises OSError, ValueError and KeyError
for a missing token file or a malformed response, in the middle of any call, when it signs the call.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

from botocore.credentials import CredentialResolver
from botocore.exceptions import CredentialRetrievalError, NoRegionError, ParamValidationError
from botocore.utils import parse_timestamp

from iamcreds.aws.settings import name_settings
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from botocore.credentials import Credentials, ProcessProvider, ReadOnlyCredentials
    from botocore.session import Session

PROCESS_SECONDS = 60
"""The time limit of a `credential_process` that no person can interrupt, in seconds."""

_MFA = (
    "this profile needs an MFA code, and iamcreds has no terminal to prompt for it. Run eval"
    ' "$(aws configure export-credentials --profile NAME --format env)" first, or use a profile of `aws sso login`'
)


def is_interactive() -> bool:
    """Return True if a person can respond to prompts and interrupt a wait: only in a command at a terminal."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def guard_sources(session: Session) -> None:
    """Make the session's sources raise CredentialRetrievalError for every failure of their own.

    Unless a person is at a terminal, they also fail if they would prompt, and their time is limited.
    """
    resolver = session.get_component("credential_provider")
    assume_role = resolver.get_provider("assume-role")
    process = CredentialProcess
    if not is_interactive():
        process = UnattendedProcess
        assume_role._prompter = _reject_prompt  # noqa: SLF001 - botocore's session has no parameter for it
    builder = assume_role._profile_provider_builder  # noqa: SLF001 - as above
    create = builder._create_process_provider  # noqa: SLF001 - as above
    builder._create_process_provider = lambda profile_name: _use(process, create(profile_name))  # noqa: SLF001 - as above
    _use(process, resolver.get_provider("custom-process"))
    session.register_component("credential_provider", _Resolver(resolver.providers))


def _use(process: type[CredentialProcess], provider: ProcessProvider) -> ProcessProvider:
    provider._popen = process  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    return provider


class _Resolver(CredentialResolver):
    """The sources in botocore's order, of which the first one with credentials is used."""

    def load_credentials(self) -> Credentials | None:
        for provider in self.providers:
            source = str(provider.METHOD)
            with _naming(source):
                credentials: Credentials | None = provider.load()
            if credentials is not None:
                return _guard(credentials, source)
        return None


def _guard(credentials: Credentials, source: str) -> Credentials:
    """Name the source in failures of later reads as well: most credentials are refreshed when a call is signed."""
    read = credentials.get_frozen_credentials

    def get_frozen_credentials() -> ReadOnlyCredentials:
        with _naming(source):
            frozen = read()
        if any(not text.isprintable() for text in frozen if isinstance(text, str)):
            raise CredentialRetrievalError(
                provider=source, error_msg="a key or token contains a line end or another control character"
            )
        return frozen

    credentials.get_frozen_credentials = get_frozen_credentials  # type: ignore[method-assign]
    return credentials


@contextlib.contextmanager
def _naming(source: str) -> Iterator[None]:
    try:
        yield
    except (ParamValidationError, NoRegionError) as error:
        raise CredentialRetrievalError(provider=source, error_msg=_flatten(str(error))) from None
    except OSError as error:
        file = f"{name_settings(str(error.filename))}: {error.filename}: " if error.filename else ""
        raise CredentialRetrievalError(provider=source, error_msg=f"{file}{error.strerror}") from None
    except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        # Subclasses such as JSONDecodeError may quote a response.
        text = (
            str(error) if type(error) in (ValueError, RuntimeError) else f"unusable response ({type(error).__name__})"
        )
        raise CredentialRetrievalError(provider=source, error_msg=_flatten(text)) from None


def _flatten(text: str) -> str:
    return shorten(escape_invisible(" ".join(text.split())))


def _reject_prompt(_prompt: str) -> NoReturn:
    raise CredentialRetrievalError(provider="assume-role", error_msg=_MFA)


class CredentialProcess(subprocess.Popen[bytes]):
    """A `credential_process` whose failures and malformed outputs are errors that never quote its output."""

    def __init__(self, command: Sequence[str], **options: object) -> None:
        try:
            super().__init__(command, **options)  # type: ignore[call-overload]
        except OSError as error:
            raise _process_error(f"{command[0]} cannot be started: {error.strerror}") from None

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 - as Popen
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """Wait for the process to end, and check its output.

        Raises:
            CredentialRetrievalError: it failed, or did not print credentials in the format of `credential_process`.
        """
        output, errors = super().communicate(input, timeout)
        if self.returncode:
            output_text = _flatten(errors.decode(errors="replace"))
            raise _process_error(f"it ended with exit code {self.returncode}{output_text and f': {output_text}'}")
        _check_output(output)
        return output, errors


def _check_output(output: bytes) -> None:
    try:
        document = json.loads(output)
    except ValueError:
        raise _process_error("it did not print JSON") from None
    if not isinstance(document, dict):
        raise _process_error("it did not print a JSON object")
    try:
        parse_timestamp(document.get("Expiration") or "2000-01-01T00:00:00Z")
    except (ValueError, TypeError, RuntimeError):
        raise _process_error("its Expiration is not an ISO 8601 date") from None


def _process_error(reason: str) -> CredentialRetrievalError:
    return CredentialRetrievalError(provider="custom-process", error_msg=f"credential_process: {reason}")


class UnattendedProcess(CredentialProcess):
    """A `credential_process` without input, without a terminal and with a time limit."""

    def __init__(self, command: Sequence[str], **options: object) -> None:
        super().__init__(command, **options, stdin=subprocess.DEVNULL, start_new_session=True)

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 - as Popen
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """Wait for the process and its children to end.

        Raises:
            CredentialRetrievalError: as above, or it exceeded the time limit and was killed.
        """
        try:
            return super().communicate(input, timeout or PROCESS_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            subprocess.Popen.communicate(self)
            raise CredentialRetrievalError(
                provider="custom-process", error_msg=f"credential_process did not end within {PROCESS_SECONDS} seconds"
            ) from None
