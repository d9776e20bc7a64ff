"""The specs: YAML files with places, a schema, rules across files; what they mean, or everything wrong with them."""

from iamcreds.specs.digest import compute_digest
from iamcreds.specs.loading import check_account, load, load_all
from iamcreds.specs.rules import RULES

__all__ = ["RULES", "check_account", "compute_digest", "load", "load_all"]
