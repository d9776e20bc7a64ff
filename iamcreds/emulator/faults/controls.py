"""The controls of a running embedded IAM: for tests, in its process or in another."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from iamcreds.emulator.faults.documents import ControlError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from iamcreds.emulator.faults.fault import When

TIMEOUT = 10


class Controls:
    """The switches of a running embedded IAM. `iamcreds.emulator.faults.control_api` says what goes over the wire.

    Args:
        url: where it listens, such as http://127.0.0.1:4599.
    """

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    # What it was asked

    def calls(self) -> list[str]:
        """The operation of each call, in the order of their coming, refused ones included: `["iam:ListUsers"]`."""
        return cast("dict[str, list[str]]", self._call("GET", "calls"))["calls"]

    def counts(self) -> dict[str, int]:
        """Calls of each operation, refused ones included: `{"iam:ListUsers": 1}`."""
        return cast("dict[str, int]", self._call("GET", "counts"))

    def clear_counts(self) -> None:
        """Count from zero."""
        self._call("DELETE", "counts")

    # How it behaves

    def settings(self) -> dict[str, Any]:
        """The settings as they are; `iamcreds.emulator.faults.settings.Settings` says what they mean."""
        return cast("dict[str, Any]", self._call("GET", "settings"))

    def set(self, **changes: float | Sequence[str] | None) -> None:
        """Change some settings and leave the others: `set(latency=0.05, all_users=False)`.

        Raises:
            ControlError: a setting is unknown or its value makes no sense.
        """
        self._call("PUT", "settings", {**self.settings(), **changes})

    # Faults: from the `call`-th call of an operation from now on (1: the next), so many `times` (None: for ever);
    # `*` in an operation stands for anything

    def fail(  # noqa: PLR0913 a fault has this many sides
        self,
        operation: str,
        *,
        when: When = "before",
        call: int = 1,
        times: int | None = 1,
        status: int = 500,
        code: str = "ServiceFailure",
        message: str = "Service failure",
    ) -> None:
        """Have an operation answer an error, `before` its effect or `after`.

        Raises:
            ControlError: this makes no sense.
        """
        answer = {"status": status, "code": code, "message": message}
        self._add_fault(operation, when, call, times, answer)

    def throttle(self, operation: str, *, call: int = 1, times: int | None = 1) -> None:
        """Have so many calls of an operation refused as too many.

        Raises:
            ControlError: this makes no sense.
        """
        self.fail(operation, call=call, times=times, status=400, code="Throttling", message="Rate exceeded")

    def deny(self, operation: str, *, call: int = 1, times: int | None = None) -> None:
        """Have an operation refused for want of a permission.

        Raises:
            ControlError: this makes no sense.
        """
        message = f"User: arn:aws:iam::123456789012:user/ci is not authorized to perform: {operation}"
        self.fail(operation, call=call, times=times, status=403, code="AccessDenied", message=message)

    def drop(self, operation: str, *, when: When = "before", call: int = 1, times: int | None = 1) -> None:
        """Break the connection instead of an answer, `before` the operation's effect or `after`.

        Raises:
            ControlError: this makes no sense.
        """
        self._add_fault(operation, when, call, times, "drop")

    def hang(
        self, operation: str, seconds: float, *, when: When = "before", call: int = 1, times: int | None = 1
    ) -> None:
        """Give no answer for so many seconds, `before` the operation's effect or `after`; then the connection breaks.

        Raises:
            ControlError: this makes no sense.
        """
        self._add_fault(operation, when, call, times, {"hang": seconds})

    def cut(
        self, operation: str, share: float, *, whole_length: bool = True, call: int = 1, times: int | None = 1
    ) -> None:
        """Have the answer break off after a share of its body (0 to below 1); the operation had its effect.

        With `whole_length` the answer's Content-Length is the whole body's, otherwise that of what is sent.

        Raises:
            ControlError: this makes no sense.
        """
        self._add_fault(operation, "after", call, times, {"cut": share, "whole_length": whole_length})

    def pause(self, operation: str, *, when: When = "before", call: int = 1, times: int | None = 1) -> None:
        """Hold a call `before` the operation's effect or `after`, until `release` or `abandon`.

        Raises:
            ControlError: this makes no sense.
        """
        self._add_fault(operation, when, call, times, "pause")

    def clear_faults(self) -> None:
        """No faults any more; what is held stays so."""
        self._call("DELETE", "faults")

    # Calls that are held

    def held(self) -> list[dict[str, str]]:
        """The calls that are held now: `[{"operation": "iam:ListUsers", "when": "before"}]`."""
        return cast("dict[str, list[dict[str, str]]]", self._call("GET", "held"))["held"]

    def release(self) -> None:
        """Let the calls that are held go on."""
        self._call("POST", "release", {"go_on": True})

    def abandon(self) -> None:
        """Break the connections of the calls that are held; those held before their effect never have one."""
        self._call("POST", "release", {"go_on": False})

    # What the account holds

    def passwords(self) -> dict[str, str]:
        """The valid password or API key of each live credential, by its id."""
        return cast("dict[str, str]", self._call("GET", "passwords"))

    def secrets(self) -> list[str]:
        """Every password, API key and secret access key ever issued, to look for where none may be."""
        return cast("dict[str, list[str]]", self._call("GET", "secrets"))["secrets"]

    def put_credential(self, credential_id: str, user: str, service: str, **more: str) -> None:
        """Have a credential of this id, as a recorded state knows it; the user has to exist.

        Args:
            credential_id: its id.
            user: the IAM user's name.
            service: the service's full name.
            more: `status`, `created` and `expires` (ISO 8601), `login`, `password`; each has a default.

        Raises:
            ControlError: there is no such user, the id or both places are taken, or this makes no sense.
        """
        self._call("POST", "credentials", {"id": credential_id, "user": user, "service": service, **more})

    def use_access_key(
        self, access_key_id: str, date: datetime, service: str = "s3", region: str = "us-east-1"
    ) -> None:
        """Say when, for what and where an access key was used last.

        Raises:
            ControlError: there is no such key.
        """
        usage = {"access_key_id": access_key_id, "date": date.isoformat(), "service": service, "region": region}
        self._call("POST", "access-key-usage", usage)

    def reset(self) -> None:
        """Everything as at the start: no users, default settings, nothing counted."""
        self._call("POST", "reset")

    def _add_fault(self, operation: str, when: When, call: int, times: int | None, answer: object) -> None:
        fault = {"operation": operation, "when": when, "call": call, "times": times, "answer": answer}
        self._call("POST", "faults", fault)

    def _call(self, method: str, name: str, document: object = None) -> object:
        connection = HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            connection.request(method, f"/_emulator/{name}", None if document is None else json.dumps(document))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:  # noqa: PLR2004 OK
            raise ControlError(answer["error"])
        return answer
