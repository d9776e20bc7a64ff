"""Values that a preview does not know yet: outputs of resources that are yet to be made."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi


def is_known(value: object) -> bool:
    """Whether a property value, with all its parts, is known already.

    A provider meets an unknown value as an object of the SDK or as the engine's own word for it.
    """
    match value:
        case pulumi.output.Unknown():
            return False
        case Mapping():
            return all(map(is_known, value.values()))
        case list():
            return all(map(is_known, value))
        case _:
            return bool(value != pulumi.runtime.rpc.UNKNOWN)
