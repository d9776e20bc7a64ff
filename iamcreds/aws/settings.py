"""Settings of the AWS SDK: the variable or the key of a profile that has an unusable value."""

from __future__ import annotations

import contextlib
import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import botocore.session
from botocore import exceptions as boto

from iamcreds.errors import ConfigError
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator

_INVALID_ENDPOINT = "Invalid endpoint: "
"""The beginning of botocore's ValueError for an endpoint that is not a URL; the value follows."""


@contextlib.contextmanager
def reading_settings() -> Iterator[None]:
    """Translate a ValueError of botocore, which has many causes, into an error that names the setting.

    Raises:
        ConfigError: a setting has an unusable value.
    """
    try:
        yield
    except boto.InvalidRegionError as error:
        raise _invalid(error.kwargs["region_name"], "a valid region, such as us-east-1") from None
    except ValueError as error:
        if str(error).startswith(_INVALID_ENDPOINT):
            raise _invalid_address(str(error).removeprefix(_INVALID_ENDPOINT)) from None
        unusable = _find_unconvertible()
        raise ConfigError(unusable or f"a setting of the AWS SDK is not valid ({type(error).__name__})") from None


def require_address(url: str) -> None:
    """Reject an endpoint with an invalid port, which botocore accepts until a call is sent.

    Raises:
        ConfigError: the port is not a number from 0 to 65535.
    """
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise _invalid_address(url) from None


def name_settings(value: str) -> str:
    """Return the names of the environment variables and of the profile's keys that have this value."""
    core = botocore.session.get_session()
    names = sorted(
        name for name, text in os.environ.items() if text == value and name.startswith(("AWS_", "REQUESTS_"))
    )
    profiles: dict[str, dict[str, str]] = {}
    with contextlib.suppress(boto.BotoCoreError):
        profiles = core.full_config["profiles"]
    used = core.profile or "default"
    for profile in sorted(profiles, key=lambda name: (name != used, name)):
        if not names:
            names = [f"`{key}` of profile {profile}" for key, text in profiles[profile].items() if text == value]
    return escape_invisible(" and ".join(names)) or "a setting of the AWS SDK"


def find_unusable_bundle() -> str | None:
    """Return the reason why the file of CA certificates in use cannot be read; None if it can, or there is none."""
    core = botocore.session.get_session()
    bundle = core.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    if not bundle:
        return None
    path = Path(bundle).expanduser()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        return f"{name_settings(bundle)}: {path} has no CA certificates in PEM format"
    except OSError as error:
        return f"{name_settings(bundle)}: {path}: {error.strerror}"
    return None


def _invalid(value: str, expected: str) -> ConfigError:
    return ConfigError(f"{name_settings(value)}: {value!r} is not {expected}")


def _invalid_address(url: str) -> ConfigError:
    return _invalid(url, "a valid address, such as http://127.0.0.1:4599")


def _find_unconvertible() -> str | None:
    """Describe the first setting that botocore cannot convert, such as a number of seconds."""
    core = botocore.session.get_session()
    for name, (key, variables, *_) in core.session_var_map.items():
        try:
            core.get_config_variable(name)
        except ValueError:
            names = [variables] if isinstance(variables, str) else variables or []
            present = [variable for variable in names if variable in os.environ]
            return f"{' and '.join(present) or f'`{key}` of the profile'} is not a valid number"
    return None
