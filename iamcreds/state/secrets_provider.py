"""The secrets provider of a state, compared with that of the stack's settings file; pure.

The engine decrypts a state with the secrets provider that the state itself names. An attacker who can write the state
can therefore name a different key, and forge every secret of the next run (pkg/backend/secrets in pulumi/pulumi).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import yaml

from iamcreds.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SETTINGS = 1 << 20
"""The maximum size of a settings file, in bytes."""

_CLOUD, _PASSPHRASE, _SERVICE = "cloud", "passphrase", "service"
_WITHOUT_ENDPOINT = frozenset({"awskms", "gcpkms", "hashivault"})
_PARAMETERS = frozenset({"region", "profile", "awssdk"})
"""Query parameters of `awskms` without a host or a further identity (gocloud.dev/aws, V2ConfigFromURLParams)."""
_DIFFERENT = "its secrets provider is not the one of the stack's settings file"


@dataclass(frozen=True)
class SecretsProvider:
    """A secrets provider: `cloud` with URL and encrypted key, `passphrase` with salt, or `service`."""

    kind: str
    url: str = ""
    key: str = ""


def parse_settings(content: bytes) -> SecretsProvider:
    """Parse the secrets provider in a stack's settings file, `Pulumi.STACK.yaml`.

    Raises:
        StateError: the file is too long, it is not a YAML mapping, or a value is not a string.
    """
    try:
        settings = yaml.safe_load(content) if len(content) <= MAX_SETTINGS else ""
    except (yaml.YAMLError, RecursionError, ValueError):
        settings = ""
    settings = {} if settings is None else settings
    names = ("secretsprovider", "encryptedkey", "encryptionsalt")
    if not isinstance(settings, dict) or not all(isinstance(settings.get(name, ""), str) for name in names):
        raise StateError("the file is not the settings file of a stack (Pulumi.STACK.yaml)")
    url, key, salt = (settings.get(name, "") for name in names)
    if key:
        return SecretsProvider(_CLOUD, url, key)
    return SecretsProvider(_PASSPHRASE, key=salt) if salt else SecretsProvider(_SERVICE)


def parse_state(provider: Mapping[str, object], state: Mapping[str, object]) -> SecretsProvider | None:
    """Parse a secrets provider of a state, with keys in lower case. Return None if the engine would not write it."""
    names = {_CLOUD: ("url", "encryptedkey"), _PASSPHRASE: ("", "salt"), _SERVICE: ("", "")}
    kind = provider.get("type")
    if not isinstance(kind, str) or kind not in names:
        return None
    url, key = (state.get(name, "") for name in names[kind])
    return SecretsProvider(kind, url, key) if isinstance(url, str) and isinstance(key, str) else None


def judge_secrets_provider(provider: SecretsProvider | None, settings: SecretsProvider | None) -> str | None:
    """Return the reason why the secrets of a state cannot be trusted, or None.

    Args:
        provider: the secrets provider of the state, None if it cannot be read.
        settings: that of the settings file, None without a file. Then only an endpoint in the URL can be rejected.
    """
    if provider is None:
        return "its secrets provider is unknown"
    if settings is not None:
        return None if provider == settings else _DIFFERENT
    if provider.kind == _CLOUD and _has_endpoint(provider.url):
        return "the URL of its secrets provider may name an endpoint: compare it with --settings Pulumi.STACK.yaml"
    return None


def _has_endpoint(url: str) -> bool:
    """Return True unless it is certain that the URL names no host to connect to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return True
    parameters = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True, separator="&")}
    is_context = all(name in _PARAMETERS or name.startswith("context_") for name in parameters)
    return parts.scheme not in _WITHOUT_ENDPOINT or ";" in url or not is_context
