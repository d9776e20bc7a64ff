"""What is known of the AWS services that have such credentials; a new service is one more definition here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_PER_SERVICE = 2
"""How many credentials IAM lets one user have for one service, active or not."""


class Family(StrEnum):
    """What a credential consists of: a user name and a password, or an API key with an alias."""

    PASSWORD = "password"  # noqa: S105 - the name of a kind
    API_KEY = "api-key"


LOGIN_OUTPUTS = {Family.PASSWORD: "service_user_name", Family.API_KEY: "service_credential_alias"}
"""The output that has a credential's login; every state has these names."""

SECRET_OUTPUTS = {Family.PASSWORD: "service_password", Family.API_KEY: "service_credential_secret"}
"""The output that has what opens a credential, a secret; every state has these names."""


@dataclass(frozen=True)
class Service:
    """A service that was seen to have such credentials.

    Attributes:
        name: its full name, in lower case.
        family: what its credentials consist of.
        alias: a short name that specs may use. It is part of resource names, which are promises: a service that has
            none today never gets one.
        secret_prefix: what its API keys begin with; empty of passwords, and where nobody has told.
        variable: the environment variable that AWS's SDKs read its API key from; empty where there is none.
    """

    name: str
    family: Family
    alias: str | None = None
    secret_prefix: str = ""
    variable: str = ""

    @property
    def short_name(self) -> str:
        """What people call it, whether specs may or not: `cloudwatch`."""
        return self.alias or self.name.removesuffix(SUFFIX)


SUFFIX = ".amazonaws.com"
"""How the names of AWS's services end."""

SERVICES = (
    Service("aws-external-anthropic.amazonaws.com", Family.API_KEY, secret_prefix="AEAA"),  # noqa: S106 - a beginning
    Service("bedrock.amazonaws.com", Family.API_KEY, "bedrock", "ABSK", "AWS_BEARER_TOKEN_BEDROCK"),
    Service("cassandra.amazonaws.com", Family.PASSWORD, "keyspaces"),
    Service("cloudwatch.amazonaws.com", Family.API_KEY, secret_prefix="APIAACWM"),  # noqa: S106 - same
    Service("codecommit.amazonaws.com", Family.PASSWORD, "codecommit"),
    Service("logs.amazonaws.com", Family.API_KEY, "logs", "ACWL"),
    Service("xray.amazonaws.com", Family.API_KEY),
)
"""Every service that is known to have such credentials (the IAM and X-Ray guides; prefixes as recorded on AWS)."""

_BY_NAME = {service.name: service for service in SERVICES}
_BY_ALIAS = {service.alias: service for service in SERVICES if service.alias is not None}
_BY_SHORT_NAME = {service.name.removesuffix(SUFFIX): service for service in SERVICES} | _BY_ALIAS


def known_service(service: str) -> Service | None:
    """What is known of a service given by alias or by name, or None of one that is new to us."""
    return _BY_NAME.get(service_name(service))


def service_name(service: str) -> str:
    """The full, lower-case name of a service given by alias or by name: `keyspaces` -> `cassandra.amazonaws.com`.

    IAM compares service names without regard to case and stores them in lower case.
    """
    lower = service.lower()
    return _BY_ALIAS[lower].name if lower in _BY_ALIAS else lower


def complete_service_name(service: str) -> str:
    """Return the full, lower-case name of a service given by any name in use: `xray` -> `xray.amazonaws.com`.

    For filters and queries: specs do not accept all of these names.
    """
    known = _BY_SHORT_NAME.get(service.lower())
    return service_name(service) if known is None else known.name


def short_service_name(service: str) -> str:
    """Return the short name of a service given by its full name: `cassandra.amazonaws.com` -> `keyspaces`.

    Resource names have `service_alias` instead, which not every service has.
    """
    known = known_service(service)
    return service.removesuffix(SUFFIX) if known is None else known.short_name


def service_alias(service: str) -> str:
    """The short name of a service: its alias, or the full name of a service that has none."""
    known = known_service(service)
    return service_name(service) if known is None or known.alias is None else known.alias


def service_family(service: str) -> Family | None:
    """What credentials of a service consist of, or None of a service that is new to us."""
    known = known_service(service)
    return None if known is None else known.family


def service_aliases() -> tuple[str, ...]:
    """The short names that specs may use, sorted."""
    return tuple(sorted(_BY_ALIAS))
