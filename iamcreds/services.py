"""The known AWS services with service-specific credentials. A new service needs only a definition here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_PER_SERVICE = 2
"""IAM's quota of credentials per user and service, whether active or not."""


class Family(StrEnum):
    """The kind of a credential: a user name with a password, or an API key with an alias."""

    PASSWORD = "password"  # noqa: S105 - the name of a kind
    API_KEY = "api-key"


LOGIN_OUTPUTS = {Family.PASSWORD: "service_user_name", Family.API_KEY: "service_credential_alias"}
"""The output with a credential's login; every state contains these names."""

SECRET_OUTPUTS = {Family.PASSWORD: "service_password", Family.API_KEY: "service_credential_secret"}
"""The output with a credential's password or API key, which is a secret; every state contains these names."""


@dataclass(frozen=True)
class Service:
    """A service that supports service-specific credentials.

    Attributes:
        name: the full name, in lower case.
        family: the kind of its credentials.
        alias: a short name for specs. It is part of resource names, which never change: a service without an alias
            never gets one later.
        secret_prefix: the prefix of its API keys; empty for passwords and if unknown.
        variable: the environment variable from which the AWS SDKs read the API key; empty without one.
        headers_variable: the environment variable from which OpenTelemetry SDKs read the headers of the signal that the
            service receives; empty without one.
    """

    name: str
    family: Family
    alias: str | None = None
    secret_prefix: str = ""
    variable: str = ""
    headers_variable: str = ""

    @property
    def short_name(self) -> str:
        """The short name for people, even if specs do not support it: `cloudwatch`."""
        return self.alias or self.name.removesuffix(SUFFIX)


SUFFIX = ".amazonaws.com"
"""The suffix of the names of AWS services."""

SERVICES = (
    Service("aws-external-anthropic.amazonaws.com", Family.API_KEY, secret_prefix="AEAA"),  # noqa: S106 - a beginning
    Service("bedrock.amazonaws.com", Family.API_KEY, "bedrock", "ABSK", "AWS_BEARER_TOKEN_BEDROCK"),
    Service("cassandra.amazonaws.com", Family.PASSWORD, "keyspaces"),
    Service(
        "cloudwatch.amazonaws.com",
        Family.API_KEY,
        secret_prefix="APIAACWM",  # noqa: S106 - same
        headers_variable="OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    ),
    Service("codecommit.amazonaws.com", Family.PASSWORD, "codecommit"),
    Service("logs.amazonaws.com", Family.API_KEY, "logs", "ACWL", headers_variable="OTEL_EXPORTER_OTLP_LOGS_HEADERS"),
    Service("xray.amazonaws.com", Family.API_KEY, headers_variable="OTEL_EXPORTER_OTLP_TRACES_HEADERS"),
)
"""The known services (IAM User Guide and X-Ray Developer Guide; prefixes as recorded on AWS).

The API keys of `cloudwatch`, `logs` and `xray` authenticate the OTLP endpoints for metrics, logs and traces (CloudWatch
User Guide, "OTLP Endpoints"). The variables of one signal have precedence over OTEL_EXPORTER_OTLP_HEADERS, which would
send the key to the endpoints of all signals (OpenTelemetry specification, "OpenTelemetry Protocol Exporter").
"""

_BY_NAME = {service.name: service for service in SERVICES}
_BY_ALIAS = {service.alias: service for service in SERVICES if service.alias is not None}
_BY_SHORT_NAME = {service.name.removesuffix(SUFFIX): service for service in SERVICES} | _BY_ALIAS


def known_service(service: str) -> Service | None:
    """Return the definition of a service by alias or name, or None if it is unknown."""
    return _BY_NAME.get(service_name(service))


def service_name(service: str) -> str:
    """Return the full, lower-case name of a service by alias or name: `keyspaces` -> `cassandra.amazonaws.com`.

    IAM compares service names case-insensitively and stores them in lower case.
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
    """Return the alias of a service, or its full name without one."""
    definition = known_service(service)
    return service_name(service) if definition is None or definition.alias is None else definition.alias


def service_family(service: str) -> Family | None:
    """Return the kind of a service's credentials, or None if the service is unknown."""
    definition = known_service(service)
    return None if definition is None else definition.family


def service_aliases() -> tuple[str, ...]:
    """Return the aliases for specs, sorted."""
    return tuple(sorted(_BY_ALIAS))
