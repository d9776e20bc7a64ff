"""Resources for any Pulumi program, and their providers, which the Pulumi engine calls.

Module and class names of this package are persisted in every state, because a provider is pickled by reference.
"""

from dynamic_providers.access_keys import AccessKeys
from dynamic_providers.credential import ServiceSpecificCredential
from dynamic_providers.rotation import rotating_credential
from dynamic_providers.rotation_outputs import RotatingCredential

__all__ = ["AccessKeys", "RotatingCredential", "ServiceSpecificCredential", "rotating_credential"]
