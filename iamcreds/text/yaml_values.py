"""Formatting of YAML values; pure."""

from __future__ import annotations

import json
import re

from iamcreds.text.escaping import escape_invisible

_PLAIN = re.compile("[A-Za-z][A-Za-z0-9/._-]*")
_NOT_PLAIN = frozenset({"false", "n", "no", "null", "off", "on", "true", "y", "yes"})


def format_value(value: object) -> str:
    """Return a printable YAML value, quoted if a YAML reader could interpret it differently."""
    is_plain = isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _NOT_PLAIN
    return str(value) if is_plain else escape_invisible(json.dumps(value, ensure_ascii=False))
