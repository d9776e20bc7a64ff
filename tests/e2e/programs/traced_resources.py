"""The resources that declared.json lists, with a provider that records its requests."""

import json
from pathlib import Path

import pulumi
import pulumi.dynamic
from traced import Traced


class Resource(pulumi.dynamic.Resource, module="simulation", name="Resource"):
    """A resource of that provider."""


for one in json.loads(Path("declared.json").read_text()):
    aliases = [pulumi.Alias(name=name) for name in one["aliases"]]
    protect = one["protect"] or None
    opts = pulumi.ResourceOptions(aliases=aliases, delete_before_replace=one["delete_first"], protect=protect)
    Resource(Traced(), one["name"], one["properties"], opts)
