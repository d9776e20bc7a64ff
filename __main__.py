"""The whole story: read the specs, register what they say, tell what came of it."""

from pathlib import Path

import pulumi

from dynamic_providers.registration import register
from iamcreds.errors import SpecsError
from iamcreds.model import Desired
from iamcreds.specs import load


def load_specs() -> Desired:
    """The specs that the stack's configuration names, or every problem they have."""
    config = pulumi.Config()
    try:
        return load(Path(config.get("specs") or "specs"), allow_empty=config.get_bool("allowEmpty") or False)
    except SpecsError as error:
        raise pulumi.RunError(f"the specs have problems:\n{error}") from None


specs = load_specs()
for warning in specs.warnings:
    pulumi.log.warn(str(warning))

registered = register(specs)
pulumi.export("credentials", registered["credentials"])
pulumi.export("secrets", registered["secrets"])
