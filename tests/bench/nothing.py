"""A resource whose provider does nothing: the floor of the engine."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ResourceProvider

from dynamic_providers.resource import keep_pickler


class NothingProvider(ResourceProvider):
    """A provider that returns its inputs at once; it is pickled by reference, like ours."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create nothing."""
        return CreateResult(props["user"], dict(props))


class Nothing(pulumi.dynamic.Resource, module="bench", name="Nothing"):
    """A resource with two inputs and equal outputs, by the plain SDK, with a fix that thousands of resources need."""

    user: pulumi.Output[str]
    service: pulumi.Output[str]

    def __init__(self, name: str, parent: pulumi.Resource) -> None:
        props = {"user": name, "service": "codecommit.amazonaws.com"}
        with keep_pickler():
            super().__init__(NothingProvider(), name, props, pulumi.ResourceOptions(parent=parent))
