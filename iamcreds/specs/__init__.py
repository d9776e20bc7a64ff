"""The specs: YAML files with places, a schema, rules across files; what they mean, or everything wrong with them."""

from iamcreds.specs.loading import RULES, load, missing_account

__all__ = ["RULES", "load", "missing_account"]
