"""Specs of existing credentials, each with its id in `adopt`; pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote

from iamcreds.model import Status
from iamcreds.services import Family, service_alias
from iamcreds.text.yaml_values import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.model import Credential

SECOND = "second"
"""The name of the younger of two credentials of a service; the older one has the service's short name."""

_HEAD = """\
# Existing credentials, written by `iamcreds dump`. The first `pulumi up` imports each credential by its id, unchanged.
# Later, `adopt` has no effect, and you can keep or remove it.
account: {account}
"""


def split_by_user(credentials: Iterable[Credential]) -> Iterator[tuple[str, Sequence[Credential]]]:
    """Yield the users, sorted, each with its credentials; omit users whose credentials have all expired."""
    for user, group in groupby(sorted(credentials, key=_order), key=lambda credential: credential.user):
        own = tuple(group)
        if any(credential.status is not Status.EXPIRED for credential in own):
            yield user, own


def write_document(
    account: str, users: Iterable[tuple[str, Sequence[Credential]]], schema: str | None = None
) -> Iterator[str]:
    """Yield the lines of a spec of these users; an expired credential is a comment, because it cannot be imported.

    `schema` is the path from the spec's folder to the schema, which editors read.
    """
    if schema is not None:
        yield f"# yaml-language-server: $schema={schema}\n"
    yield _HEAD.format(account=format_value(account))
    lines = (line for user, credentials in users for line in _write_user(user, credentials))
    first = next(lines, None)
    if first is None:
        yield "users: {}\n"
        return
    yield "users:\n"
    yield first
    yield from lines


def name_file(user: str) -> str:
    """Return the name of a user's file in the folder of the specs, unique on every file system.

    IAM's user names differ by more than case, and their characters are valid in file names. A file name with a leading
    dot is not that of a spec, so this dot becomes %2E. Other characters, which only the endpoint of a different
    implementation returns, are percent-encoded, too.
    """
    name = quote(user, safe="+=,@")
    return f"{name.replace('.', '%2E', 1) if name.startswith('.') else name}.yaml"


def _order(credential: Credential) -> tuple[object, ...]:
    is_expired = credential.status is Status.EXPIRED
    return credential.user, credential.service, is_expired, credential.created, credential.id


def _write_user(user: str, credentials: Sequence[Credential]) -> Iterator[str]:
    yield f"  {format_value(user)}:\n"
    yield "    credentials:\n"
    for service, group in groupby(credentials, key=lambda credential: credential.service):
        for number, credential in enumerate(group):
            if credential.status is Status.EXPIRED:
                expired = f"{format_value(credential.id)} for {format_value(service_alias(service))}"
                yield f"      # {expired} has expired and is omitted.\n"
            else:
                yield from _write_credential(credential, is_second=number > 0)


def _write_credential(credential: Credential, *, is_second: bool) -> Iterator[str]:
    yield f"      - service: {format_value(service_alias(credential.service))}\n"
    if is_second:
        yield f"        name: {SECOND}\n"
    if credential.family is Family.API_KEY and credential.lifetime_days is not None:
        yield f"        expire: {{after: {credential.lifetime_days}d}}\n"
    if credential.status is Status.INACTIVE:
        yield f"        status: {credential.status.value}\n"
    yield f"        adopt: {format_value(credential.id)}\n"
