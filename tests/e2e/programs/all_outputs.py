"""A credential and a watcher whose inputs are all outputs of another resource."""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from dynamic_providers import AccessKeys, ServiceSpecificCredential


class EchoProvider(ResourceProvider):
    """A provider that returns its input as an output, which is unknown during a preview."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Return the input as an output."""
        return CreateResult("echo", {"said": props["given"]})


class Echo(Resource):
    """A resource whose output is its input."""

    said: pulumi.Output[Any]

    def __init__(self, name: str, given: object) -> None:
        super().__init__(EchoProvider(), name, {"given": given, "said": None})


ServiceSpecificCredential(
    "key",
    user=Echo("user", "jane").said,
    service=Echo("service", "bedrock").said,
    status=Echo("status", "Inactive").said,
    reset=Echo("reset", "2026-11-01").said,
    age_days=Echo("age", 30).said,
)
AccessKeys("keys", users=Echo("users", {"jane": {"max": 1}}).said)
