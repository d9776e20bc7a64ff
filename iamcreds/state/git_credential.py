"""Requests of git's credential protocol, and the hosts that may receive passwords; pure.

Requests are not trusted: git percent-decodes URLs, so a URL can put any byte except a line feed into a value
(gitcredentials(7), git-credential(1)).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from iamcreds.errors import GitRequestError

_REGION = r"[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}"
_ENDPOINT = rf"git-codecommit(?:-fips)?\.{_REGION}"
_CODECOMMIT = re.compile(
    rf"(?:{_ENDPOINT}\.amazonaws\.com(?:\.cn)?|(?:vpce-[a-z0-9-]+\.)?{_ENDPOINT}\.vpce\.amazonaws\.com(?:\.cn)?)(?::443)?"
)
"""CodeCommit's Git endpoints and its VPC endpoints (CodeCommit User Guide), with the port of HTTPS or without it."""

_LOCALHOST = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")
_URL = re.compile(
    r"(?P<protocol>[a-z]+)://(?:(?P<username>[^/?#@:\\]*)(?::[^/?#@\\]*)?@)?(?P<host>[^/?#@\\]+)(?:/(?P<path>.*))?"
)
_REPOSITORY = re.compile(r"v1/repos/[A-Za-z0-9._-]{1,100}")
"""The path of a repository (CodeCommit User Guide, "HTTPS connections"; names: CodeCommit API Reference)."""

_PRINTABLE = range(0x20, 0x7F)
_SINGLE = frozenset({"protocol", "host", "path", "username", "url"})


@dataclass(frozen=True)
class GitRequest:
    """The part of a request that determines the response; `username` is None if git does not request a login."""

    protocol: str = ""
    host: str = ""
    username: str | None = None


def parse_request(request: bytes) -> GitRequest:
    """Parse the standard input of a credential helper.

    Git separates lines by line feeds only. Unknown keys are ignored and may repeat: git 2.46 sends `capability[]` and
    `wwwauth[]` several times.

    Raises:
        GitRequestError: the request has a control character, a byte that is not ASCII, a repeated key, or an invalid
            URL.
    """
    if any(byte not in _PRINTABLE for byte in request.replace(b"\n", b"")):
        raise GitRequestError("the request has control characters or bytes that are not ASCII")
    values: dict[str, str] = {}
    for line in request.decode("ascii").split("\n"):
        key, separator, value = line.partition("=")
        if separator and key in _SINGLE:
            _add(values, key, value)
    return GitRequest(values.get("protocol", ""), values.get("host", ""), values.get("username"))


def _add(values: dict[str, str], key: str, value: str) -> None:
    """Add a value; a URL adds the keys that git reads from it."""
    if key == "url":
        parts = _URL.fullmatch(value)
        if parts is None:
            raise GitRequestError("the URL in the request is not valid")
        for name, part in parts.groupdict().items():
            if part is not None:
                _add(values, name, part)
    if key in values:
        raise GitRequestError(f"the request has {key} twice")
    values[key] = value


def require_allowed_host(request: GitRequest, *, allow_localhost: bool) -> None:
    """Reject a request for any host except CodeCommit's endpoints over HTTPS.

    Args:
        request: the parsed request.
        allow_localhost: also allow this machine, over HTTP or HTTPS at any port.

    Raises:
        GitRequestError: the host may not receive the password.
    """
    host = request.host.lower()
    if _LOCALHOST.fullmatch(host) and request.protocol in ("http", "https"):
        if not allow_localhost:
            raise GitRequestError(f"{host} is this machine, which gets passwords only with --allow-localhost")
    elif not _CODECOMMIT.fullmatch(host):
        raise GitRequestError(f"{host or 'an empty host'} is not CodeCommit")
    elif request.protocol != "https":
        raise GitRequestError(f"{host} is requested over {request.protocol or 'no protocol'}, not https")


def require_repository(url: str) -> None:
    """Require the HTTPS URL of a CodeCommit repository, without a login.

    Raises:
        GitRequestError: it is a different one; the message contains no login.
    """
    parts = _URL.fullmatch(url)
    if parts is None or parts["username"] is not None or not _REPOSITORY.fullmatch(parts["path"] or ""):
        raise GitRequestError(
            "it is not the URL of a CodeCommit repository, such as"
            " https://git-codecommit.us-east-1.amazonaws.com/v1/repos/NAME"
        )
    require_allowed_host(GitRequest(parts["protocol"], parts["host"]), allow_localhost=False)
