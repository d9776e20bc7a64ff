"""The whole story: read the specs, declare what they say, tell what came of it."""

import gc
from itertools import groupby
from pathlib import Path

import pulumi

from dynamic_providers.spec_file import SpecFile
from iamcreds.errors import SpecsError
from iamcreds.model import Desired, DesiredUser
from iamcreds.specs import load


def desired() -> Desired:
    """The specs that the stack's configuration names, or every problem they have."""
    config = pulumi.Config()
    try:
        return load(Path(config.get("specs") or "specs"), allow_empty=config.get_bool("allowEmpty") or False)
    except SpecsError as error:
        raise pulumi.RunError(f"the specs have problems:\n{error}") from None


def spec_file(user: DesiredUser) -> str:
    """The file that declares the user."""
    return user.place.file


# The SDK keeps several futures for every output to the end, and the collector would walk them all again and again: a
# third of this program's time at 1,000 credentials.
gc.freeze()
gc.set_threshold(200_000, 20, 100)

specs = desired()
for warning in specs.warnings:
    pulumi.log.warn(str(warning))

files = [
    SpecFile(file, list(users), specs.account)
    for file, users in groupby(sorted(specs.users, key=spec_file), key=spec_file)
]
pulumi.export("credentials", {name: one.credentials[name] for one in files for name in sorted(one.credentials)})
pulumi.export("secrets", {name: one.secrets[name] for one in files for name in sorted(one.secrets)})
