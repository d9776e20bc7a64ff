"""IAMCREDS_DEBUG=1, for those who work on iamcreds: errors come with their traceback; see also `account.tracing`."""

from __future__ import annotations

import os
import traceback

from iamcreds.errors import IamcredsError


def is_debugging() -> bool:
    """Whether the environment asks for tracebacks and for the calls to AWS."""
    return os.environ.get("IAMCREDS_DEBUG") == "1"


def format_traceback(error: BaseException) -> str:
    """The traceback of an error and of what led to it, the first cause first.

    Only our own errors keep their text: botocore's may quote an answer of AWS, passwords included.
    """
    cause = error.__cause__ or error.__context__
    before = f"{format_traceback(cause)}\nwhich led to\n\n" if cause else ""
    name = type(error).__qualname__
    text = f": {error}" if isinstance(error, IamcredsError) else " (its text is not shown)"
    return f"{before}{''.join(traceback.format_tb(error.__traceback__))}{name}{text}\n"
