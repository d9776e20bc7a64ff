"""The controls of a running embedded IAM: for tests, in its process or in another."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast
from urllib.parse import urlsplit

from iamcreds.emulator.faults.documents import ControlError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from iamcreds.emulator.faults.fault import When

TIMEOUT = 10


class Calls(TypedDict, total=False):
    """The calls of an operation that a fault meets; `*` in the name of the operation stands for anything.

    Attributes:
        when: `before` (the default) or `after` the effect of the operation.
        call: the first of these calls; 1, the default, is the next one.
        times: the number of calls; None is every call from then on. The default is 1.
    """

    when: When
    call: int
    times: int | None


class Controls:
    """The switches of a running IAM emulator. `iamcreds.emulator.faults.control_api` describes its protocol.

    Each method raises ControlError if the emulator rejects the request, with the reason as its message.

    Args:
        url: the emulator's URL, such as http://127.0.0.1:4599.
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
        """Change some settings and leave the others: `set(latency=0.05, all_users=False)`."""
        self._call("PUT", "settings", {**self.settings(), **changes})

    # Faults

    def fail(
        self,
        operation: str,
        *,
        status: int = 500,
        code: str = "ServiceFailure",
        message: str = "Service failure",
        **calls: Unpack[Calls],
    ) -> None:
        """Have an operation respond with an error."""
        self._add_fault(operation, {"status": status, "code": code, "message": message}, **calls)

    def throttle(self, operation: str, **calls: Unpack[Calls]) -> None:
        """Have an operation respond with Throttling."""
        self.fail(operation, status=400, code="Throttling", message="Rate exceeded", **calls)

    def deny(self, operation: str, **calls: Unpack[Calls]) -> None:
        """Have an operation respond with AccessDenied, by default to every call from now on."""
        message = f"User: arn:aws:iam::123456789012:user/ci is not authorized to perform: {operation}"
        calls.setdefault("times", None)
        self.fail(operation, status=403, code="AccessDenied", message=message, **calls)

    def drop(self, operation: str, **calls: Unpack[Calls]) -> None:
        """Break the connection instead of a response."""
        self._add_fault(operation, "drop", **calls)

    def hang(self, operation: str, seconds: float, **calls: Unpack[Calls]) -> None:
        """Break the connection after this many seconds without a response."""
        self._add_fault(operation, {"hang": seconds}, **calls)

    def cut(self, operation: str, share: float, *, whole_length: bool = True, **calls: Unpack[Calls]) -> None:
        """Cut the response after a share of its body (0 to below 1); the operation has its effect.

        With `whole_length` its Content-Length is that of the whole body, otherwise that of the sent part.
        """
        calls.setdefault("when", "after")
        self._add_fault(operation, {"cut": share, "whole_length": whole_length}, **calls)

    def pause(self, operation: str, **calls: Unpack[Calls]) -> None:
        """Hold a call until `release` or `abandon`."""
        self._add_fault(operation, "pause", **calls)

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
        """
        self._call("POST", "credentials", {"id": credential_id, "user": user, "service": service, **more})

    def use_access_key(
        self, access_key_id: str, date: datetime, service: str = "s3", region: str = "us-east-1"
    ) -> None:
        """Say when, for what and where an access key was used last."""
        usage = {"access_key_id": access_key_id, "date": date.isoformat(), "service": service, "region": region}
        self._call("POST", "access-key-usage", usage)

    def reset(self) -> None:
        """Everything as at the start: no users, default settings, nothing counted."""
        self._call("POST", "reset")

    def _add_fault(self, operation: str, answer: object, **calls: Unpack[Calls]) -> None:
        self._call("POST", "faults", {"operation": operation, "answer": answer, **calls})

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
