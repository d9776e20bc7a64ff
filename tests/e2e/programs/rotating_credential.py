"""A rotating credential, and a consumer of its password in the same program."""

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult

from dynamic_providers import rotating_credential


class ConsumerProvider(ResourceProvider):
    """A provider that records its inputs."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Record the inputs."""
        return CreateResult("consumer", props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Record the inputs."""
        return UpdateResult(news)


class Consumer(Resource):
    """A resource that needs a login and its password."""

    login: pulumi.Output[str]
    password: pulumi.Output[str]

    def __init__(self, name: str, login: object, password: object) -> None:
        options = pulumi.ResourceOptions(additional_secret_outputs=["password"])
        super().__init__(ConsumerProvider(), name, {"login": login, "password": password}, options)


vault = rotating_credential("vault", user="jane", service="keyspaces", every="90d", overlap="7d")
consumer = Consumer("consumer", vault.service_user_name, vault.service_password)
pulumi.export("id", vault.credential_id)
pulumi.export("secrets", pulumi.Output.secret({"login": consumer.login, "password": consumer.password}))
pulumi.export("previous", vault.previous)
