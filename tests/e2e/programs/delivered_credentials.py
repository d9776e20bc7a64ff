"""Two delivered credentials, and a consumer of the ARNs in the same program."""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult

from dynamic_providers import ServiceSpecificCredential, rotating_credential


class RecordingProvider(ResourceProvider):
    """A provider that records its inputs."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Record the inputs."""
        return CreateResult("recorded", props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Record the inputs."""
        return UpdateResult(news)


class Folder(Resource):
    """A resource whose path is an output, unknown in the first preview."""

    path: pulumi.Output[str]

    def __init__(self, name: str, path: str) -> None:
        super().__init__(RecordingProvider(), name, {"path": path})


class Consumer(Resource):
    """A resource that needs the ARNs of secrets, such as a function that reads them."""

    arns: pulumi.Output[list[str]]

    def __init__(self, name: str, arns: list[object]) -> None:
        super().__init__(RecordingProvider(), name, {"arns": arns})


folder = Folder("folder", "team")
git = ServiceSpecificCredential(
    "git",
    user="jane",
    service="codecommit",
    deliver={"secrets_manager": {"name": pulumi.Output.concat(folder.path, "/{user}")}},
)
vault = rotating_credential(
    "vault",
    user="jane",
    service="keyspaces",
    every="90d",
    overlap="7d",
    deliver={"secrets_manager": {"name": "{service}/{user}"}},
)
arns = [each.delivery.apply(lambda delivery: delivery and delivery["arn"]) for each in (git, vault)]
consumer = Consumer("consumer", arns)
pulumi.export("arns", consumer.arns)
pulumi.export("passwords", [git.service_password, vault.service_password])
pulumi.export("version", vault.delivery.apply(lambda delivery: delivery and delivery["version"]))
