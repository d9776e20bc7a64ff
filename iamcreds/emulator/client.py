"""A client of the control API: for tests, in the emulator's process or in another."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from iamcreds.emulator.controls import ControlError

if TYPE_CHECKING:
    from datetime import datetime

TIMEOUT = 10


class Controls:
    """The switches of a running embedded IAM.

    Args:
        url: where it listens, such as http://127.0.0.1:4599.
    """

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def counts(self) -> dict[str, int]:
        """Calls of each operation, refused ones included: `{"iam:ListUsers": 1}`."""
        return cast("dict[str, int]", self._call("GET", "counts"))

    def clear_counts(self) -> None:
        """Count from zero."""
        self._call("DELETE", "counts")

    def settings(self) -> dict[str, Any]:
        """The settings as they are; `iamcreds.emulator.controls.Settings` says what they mean."""
        return cast("dict[str, Any]", self._call("GET", "settings"))

    def set(self, **changes: float | None) -> None:
        """Change some settings and leave the others: `set(latency=0.05, all_users=False)`.

        Raises:
            ControlError: a setting is unknown or its value makes no sense.
        """
        self._call("PUT", "settings", {**self.settings(), **changes})

    def fail(  # noqa: PLR0913 a fault has this many sides
        self,
        operation: str,
        *,
        when: str = "before",
        call: int = 1,
        times: int = 1,
        status: int = 500,
        code: str = "ServiceFailure",
        message: str = "Service failure",
    ) -> None:
        """Have an operation answer an error, `before` its effect or `after`, from its `call`-th call from now on.

        Raises:
            ControlError: this makes no sense.
        """
        answer = {"status": status, "code": code, "message": message}
        self._add_fault(operation, when, call, times, answer)

    def drop(self, operation: str, *, when: str = "before", call: int = 1, times: int = 1) -> None:
        """Break the connection instead of an answer, `before` the operation's effect or `after`.

        Raises:
            ControlError: this makes no sense.
        """
        self._add_fault(operation, when, call, times, "drop")

    def clear_faults(self) -> None:
        """No faults any more."""
        self._call("DELETE", "faults")

    def use_access_key(
        self, access_key_id: str, date: datetime, service: str = "s3", region: str = "us-east-1"
    ) -> None:
        """Say when, for what and where an access key was used last.

        Raises:
            ControlError: there is no such key.
        """
        usage = {"access_key_id": access_key_id, "date": date.isoformat(), "service": service, "region": region}
        self._call("POST", "access-key-usage", usage)

    def secrets(self) -> list[str]:
        """Every password, API key and secret access key ever issued, to look for where none may be."""
        return cast("dict[str, list[str]]", self._call("GET", "secrets"))["secrets"]

    def reset(self) -> None:
        """Everything as at the start: no users, default settings, nothing counted."""
        self._call("POST", "reset")

    def _add_fault(self, operation: str, when: str, call: int, times: int, answer: object) -> None:
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
