"""Specs: YAML files, loaded into the desired state or into a list of problems with source locations."""

from iamcreds.specs.digest import compute_digest
from iamcreds.specs.loading import check_account, load, load_all
from iamcreds.specs.rules import RULES

__all__ = ["RULES", "check_account", "compute_digest", "load", "load_all"]
