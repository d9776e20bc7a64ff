"""A resource whose provider does nothing: the engine's floor."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, ResourceProvider

from dynamic_providers.resource import keep_pickler


class NothingProvider(ResourceProvider):
    """Answers the engine at once, with what it was given; pickled by reference, as ours are."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make nothing."""
        return CreateResult(props["user"], dict(props))


class Nothing(pulumi.dynamic.Resource, module="bench", name="Nothing"):
    """Two inputs, which are its outputs; by the plain SDK, mended where it could not make a thousand."""

    user: pulumi.Output[str]
    service: pulumi.Output[str]

    def __init__(self, name: str, parent: pulumi.Resource) -> None:
        props = {"user": name, "service": "codecommit.amazonaws.com"}
        with keep_pickler():
            super().__init__(NothingProvider(), name, props, pulumi.ResourceOptions(parent=parent))
