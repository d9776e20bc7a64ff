"""The ways by which botocore gets credentials, none of which may wait for a person who is not there.

botocore prompts for MFA codes, and runs `credential_process` commands that may prompt, without a time limit. In a
provider process nobody can respond, and the run would never end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

from botocore.exceptions import CredentialRetrievalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore.credentials import ProcessProvider
    from botocore.session import Session

PROCESS_SECONDS = 60
"""How long a `credential_process` may take if nobody is there to interrupt it, in seconds."""

_MFA = (
    "this profile needs an MFA code, which nobody can enter here. Run eval"
    ' "$(aws configure export-credentials --profile NAME --format env)" first, or use a profile of `aws sso login`'
)


def is_interactive() -> bool:
    """Return True if a person can respond to prompts and interrupt a wait: only in a command at a terminal."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def forbid_prompts(session: Session) -> None:
    """Make the session's sources of credentials fail if they would prompt, and limit their time."""
    resolver = session.get_component("credential_provider")
    assume_role = resolver.get_provider("assume-role")
    assume_role._prompter = _reject_prompt  # noqa: SLF001 - botocore's session has no parameter for it
    builder = assume_role._profile_provider_builder  # noqa: SLF001 - as above
    create = builder._create_process_provider  # noqa: SLF001 - as above
    builder._create_process_provider = lambda profile_name: _limit(create(profile_name))  # noqa: SLF001 - as above
    _limit(resolver.get_provider("custom-process"))


def _limit(provider: ProcessProvider) -> ProcessProvider:
    provider._popen = CredentialProcess  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    return provider


def _reject_prompt(_prompt: str) -> NoReturn:
    raise CredentialRetrievalError(provider="assume-role", error_msg=_MFA)


class CredentialProcess(subprocess.Popen[bytes]):
    """A `credential_process` without input, without a terminal and with a time limit."""

    def __init__(self, command: Sequence[str], **_: object) -> None:
        pipe = subprocess.PIPE
        super().__init__(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True)

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 - as Popen
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """Wait for the process to end, with all that it started.

        Raises:
            CredentialRetrievalError: it did not end in time, and was ended.
        """
        try:
            return super().communicate(input, timeout or PROCESS_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            super().communicate()
            raise CredentialRetrievalError(
                provider="custom-process", error_msg=f"credential_process did not end within {PROCESS_SECONDS} seconds"
            ) from None
