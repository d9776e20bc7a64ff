"""Lock and journal of creates: one create at a time for each user and service, recorded before its call.

If the engine ends before it records a created credential, the journal shows the create to the next run on this machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import uuid
import zlib
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from iamcreds.aws.clock import Clock
    from iamcreds.aws.notes import Notes
    from iamcreds.model import Credential

LONGEST_CREATE = timedelta(seconds=10)
"""IAM creates a credential within this time after the call; a later credential is from a different create."""

LOCKS = 1024
"""The number of locks. Locks have numbers, because a name in a shared folder must not reveal a user."""

_DAY = timedelta(days=1)
_FIRST = {"began": 0, "made": 1}
"""The kinds of lines to read first: they may be in a different folder than the later lines of a create."""

_PROCESS = uuid.uuid4().hex


def process_id() -> str:
    """Return an id of this process that is unique across containers."""
    return _PROCESS


@dataclass(frozen=True)
class NotedCreate:
    """A create whose credential may exist although the state lacks it.

    Attributes:
        call: unique id, which begins with the id of the process.
        service: full name of the service.
        began: server time of the call.
        id: id of the created credential; None without a response.
        created: server time at which the credential exists at the latest.
        is_listed: True if the last list showed the credential, False if it lacked it; None without a list.
        since: server time of the first such list; None without a list.
    """

    call: str
    service: str
    began: datetime
    id: str | None
    created: datetime
    is_listed: bool | None = None
    since: datetime | None = None

    @property
    def is_of_this_process(self) -> bool:
        """True if this process made the call."""
        return self.call.startswith(process_id())

    def may_have_created(self, candidate: Credential, clock: Clock) -> bool:
        """Return True if there was no response and the candidate was created within the time of the call."""
        ended = self.began + LONGEST_CREATE
        return self.id is None and clock.may_be_within(candidate.created, self.began, ended)


class CreateJournal:
    """The creates of this machine. Safe to use from several threads.

    Args:
        notes: files and locks that the processes of this machine share.
        account: returns a text that identifies the account and its endpoint.
        clock: server time.
    """

    def __init__(self, notes: Notes, account: Callable[[], str], clock: Clock) -> None:
        self._notes = notes
        self._account = account
        self._clock = clock
        self._has_removed = False
        self._guard = threading.Lock()
        self._locks: dict[tuple[str, str], threading.RLock] = defaultdict(threading.RLock)

    @contextlib.contextmanager
    def hold(self, user: str, service: str) -> Iterator[None]:
        """Block other creates for the user and service (full name), in all processes of this machine.

        Until the result of a create is known, a list may show its credential as unmanaged. A run therefore holds the
        lock from the first list to the end of the create. A thread may hold it twice.
        """
        number = int(_hash(self._account(), user, service)[:8], 16) % LOCKS
        with self._guard:
            in_process = self._locks[user, service]
        with in_process, self._notes.hold(f"create-{number:04}"):
            yield

    def begin(self, user: str, service: str) -> str:
        """Record the start of a create, and return the id of the call."""
        self._remove_old()
        call = f"{process_id()}-{uuid.uuid4().hex}"
        self._note(user, "began", call, service, self._clock.now().isoformat())
        return call

    def confirm(self, user: str, call: str, created: Credential) -> None:
        """Record the created credential."""
        self._note(user, "made", call, created.id, created.created.isoformat())

    def close(self, user: str, call: str) -> None:
        """Record that IAM rejected the create, or that the state has the credential."""
        self._note(user, "closed", call)

    def delete(self, user: str, credential_id: str) -> None:
        """Record the deletion of a credential."""
        if self._lines(user):
            self._note(user, "deleted", credential_id)

    def note_list(self, user: str, create: NotedCreate, *, is_listed: bool) -> NotedCreate:
        """Record the first list that shows the credential of a create, or lacks it again; return the updated create."""
        now = self._clock.now()
        self._note(user, "listed" if is_listed else "missed", create.call, now.isoformat())
        return replace(create, is_listed=is_listed, since=now)

    def ids(self, user: str) -> set[str]:
        """Return the ids of the credentials that this machine created for the user, if IAM responded."""
        return {line[2] for line in self._lines(user) if line[0] == "made"}

    def has_other(self, user: str, call: str, candidate: Credential) -> bool:
        """Return True if a create other than this call, of any process, may have created the candidate."""
        creates = self.read(user, candidate.service)
        return any(create.call != call and create.may_have_created(candidate, self._clock) for create in creates)

    def read(self, user: str, service: str) -> list[NotedCreate]:
        """Return the creates for a user and service that are neither closed nor deleted, oldest first."""
        creates: dict[str, NotedCreate] = {}
        for line in sorted(self._lines(user), key=lambda line: _FIRST.get(line[0], len(_FIRST))):
            match line:
                case ["began", call, of_service, when]:
                    began = datetime.fromisoformat(when)
                    creates[call] = NotedCreate(call, of_service, began, None, began + LONGEST_CREATE)
                case ["made", call, credential_id, when] if call in creates:
                    creates[call] = replace(creates[call], id=credential_id, created=datetime.fromisoformat(when))
                case ["listed" | "missed" as kind, call, when] if call in creates:
                    since = datetime.fromisoformat(when)
                    creates[call] = replace(creates[call], is_listed=kind == "listed", since=since)
                case ["closed", call]:
                    creates.pop(call, None)
                case ["deleted", credential_id]:
                    creates = {call: create for call, create in creates.items() if create.id != credential_id}
        selected = (create for create in creates.values() if create.service == service)
        return sorted(selected, key=lambda create: create.began)

    def _note(self, user: str, *line: str) -> None:
        text = json.dumps(line).encode()
        self._notes.append(self._name(user, self._clock.now()), b"%08x %s" % (zlib.crc32(text), text))

    def _lines(self, user: str) -> list[list[str]]:
        """Return the intact lines about a user from yesterday to tomorrow, because the clock may have been set."""
        names = [self._name(user, self._clock.now() + days * _DAY) for days in (-1, 0, 1)]
        return [line for name in names for text in self._notes.read(name) for line in _parse(text)]

    def _name(self, user: str, day: datetime) -> str:
        """Return the name of a day's file; with one file per day, no process writes to a file that is removed."""
        return f"creates-{_hash(self._account(), user)[:32]}-{day:%Y%m%d}"

    def _remove_old(self) -> None:
        if not self._has_removed:
            self._has_removed = True
            yesterday = f"{self._clock.now() - _DAY:%Y%m%d}"
            self._notes.remove("creates-*", lambda name: name[-len(yesterday) :] < yesterday)


def _parse(line: bytes) -> Iterator[list[str]]:
    """Yield the words of a line, unless it is torn or damaged."""
    checksum, _, text = line.partition(b" ")
    if checksum == b"%08x" % zlib.crc32(text):
        yield json.loads(text)


def _hash(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()
