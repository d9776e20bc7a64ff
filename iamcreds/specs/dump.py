"""Specs for what is live: each credential with the id that it is adopted by; pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING
from urllib.parse import quote

from iamcreds.model import Status
from iamcreds.services import service_alias
from iamcreds.text.yaml_values import format_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.model import Credential

SECOND = "second"
"""The name of the younger of two credentials of a service; the older one has the service's short name."""

_HEAD = """\
# What is live, written by `iamcreds dump`. The first `pulumi up` takes each credential over by its id, as it is; later
# `adopt` changes nothing, and may stay or go.
account: {account}
"""


def split_by_user(credentials: Iterable[Credential]) -> Iterator[tuple[str, Sequence[Credential]]]:
    """The users, sorted, with their credentials; a user of whom all have expired is left out."""
    for user, found in groupby(sorted(credentials, key=_order), key=lambda live: live.user):
        own = tuple(found)
        if any(live.status is not Status.EXPIRED for live in own):
            yield user, own


def write_document(
    account: str, users: Iterable[tuple[str, Sequence[Credential]]], schema: str | None = None
) -> Iterator[str]:
    """A spec of these users, line by line; an expired credential is a comment, for nobody can adopt one.

    `schema` is the path of the schema from the spec's folder, for editors.
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
    """The file of a user, below the folder of the specs; no two users have one, whatever the file system.

    IAM's user names differ by more than case, and have no character that a file's may not. A file that begins with
    a dot is no spec, so that one dot is written as %2E, and so is what only an endpoint of another make can send.
    """
    name = quote(user, safe="+=,@")
    return f"{name.replace('.', '%2E', 1) if name.startswith('.') else name}.yaml"


def _order(live: Credential) -> tuple[object, ...]:
    return live.user, live.service, live.status is Status.EXPIRED, live.created, live.id


def _write_user(user: str, credentials: Sequence[Credential]) -> Iterator[str]:
    yield f"  {format_value(user)}:\n"
    yield "    credentials:\n"
    for service, found in groupby(credentials, key=lambda live: live.service):
        for number, live in enumerate(found):
            if live.status is Status.EXPIRED:
                expired = f"{format_value(live.id)} for {format_value(service_alias(service))}"
                yield f"      # {expired} has expired, and is left out.\n"
            else:
                yield from _write_credential(live, is_second=number > 0)


def _write_credential(live: Credential, *, is_second: bool) -> Iterator[str]:
    yield f"      - service: {format_value(service_alias(live.service))}\n"
    if is_second:
        yield f"        name: {SECOND}\n"
    if live.status is Status.INACTIVE:
        yield f"        status: {live.status.value}\n"
    yield f"        adopt: {format_value(live.id)}\n"
