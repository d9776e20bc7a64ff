"""The report of a preview's rejections: the program fails, or logs them and completes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime.proto.engine_pb2 import ERROR, LogRequest
from pulumi.runtime.settings import get_engine

from iamcreds.pull_request.failures import HEAD
from iamcreds.pulumi_engine.monitor import send
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iamcreds.model import SourceLocation

VARIABLE = "IAMCREDS_REJECTIONS"
_REPORT = "report"


@dataclass(frozen=True, order=True)
class RejectedResource:
    """A resource that `up` would reject, and one reason.

    Attributes:
        location: the source location of the resource in the specs.
        sentence: the resource's name and the reason.
        urn: the resource's URN, empty if there is none.
    """

    location: SourceLocation
    sentence: str
    urn: str = ""

    def __str__(self) -> str:
        return f"{self.location}: {escape_invisible(self.sentence)}"


def completes_with_rejections() -> bool:
    """Return True if a preview with rejections completes, so that the engine plans deletions.

    Raises:
        pulumi.RunError: the variable has a different value.
    """
    value = os.environ.get(VARIABLE)
    if value not in (None, _REPORT):
        raise pulumi.RunError(
            f"{VARIABLE}={shorten(escape_invisible(value))} is not valid. Options: set it to {_REPORT}; or unset it"
        )
    return value is not None


async def report_rejections(rejections: Iterable[RejectedResource]) -> None:
    """Report the rejected resources of a preview, each by one error of its resource.

    Raises:
        pulumi.RunError: there are some, and the preview must not complete.
    """
    if not completes_with_rejections():
        raise_rejections(rejections)
    engine = get_engine()
    for rejection in sorted(rejections):
        if engine is not None:
            await send(engine.Log, LogRequest(severity=ERROR, urn=rejection.urn, message=str(rejection)))


def raise_rejections(rejections: Iterable[RejectedResource]) -> None:
    """Fail the preview with all rejections.

    Raises:
        pulumi.RunError: there are some.
    """
    lines = list(map(str, sorted(rejections)))
    if lines:
        raise pulumi.RunError("\n".join([HEAD, *lines]))
