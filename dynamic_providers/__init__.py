"""What the Pulumi engine calls: resources for any Pulumi program, and the providers behind them.

Module and class names in here are persisted in every state: a provider is pickled by reference.
"""

from dynamic_providers.access_keys import AccessKeys
from dynamic_providers.credential import ServiceSpecificCredential

__all__ = ["AccessKeys", "ServiceSpecificCredential"]
