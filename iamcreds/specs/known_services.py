"""The warning about a service that is not known to have service-specific credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.model import Problem, Severity
from iamcreds.services import SERVICES, SUFFIX, known_service, service_name
from iamcreds.specs.hints import did_you_mean, find_nearest
from iamcreds.specs.nodes import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.model import SourceLocation

_SHORT_NAMES = {service.name.removesuffix(SUFFIX): service.name for service in SERVICES} | {
    service.alias: service.alias for service in SERVICES if service.alias is not None
}


def check_service(service: str, location: SourceLocation) -> Iterator[Problem]:
    """Yield a warning if a service, given by alias or full name, is unknown."""
    if known_service(service) is None:
        near = find_nearest(service_name(service).removesuffix(SUFFIX), _SHORT_NAMES)
        hint = did_you_mean(None if near is None else _SHORT_NAMES[near])
        message = f"{quoted(service)} is not a service known to have such credentials{hint}"
        yield Problem(location, message, "unknown-service", Severity.WARNING)
