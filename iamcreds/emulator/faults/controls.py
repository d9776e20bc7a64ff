"""Controls of a running IAM emulator for tests, in the same process or a different one."""

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
    """The calls of an operation that a fault affects; `*` in the name of the operation is a wildcard.

    Attributes:
        when: `before` (the default) or `after` the effect of the operation.
        call: the first of these calls; 1, the default, is the next one.
        times: the number of calls; None is every call from then on. The default is 1.
    """

    when: When
    call: int
    times: int | None


class Controls:
    """The controls of a running IAM emulator. `iamcreds.emulator.faults.control_api` describes the protocol.

    Each method raises ControlError if the emulator rejects the request, with the reason as its message.

    Args:
        url: the emulator's URL, such as http://127.0.0.1:4599.
    """

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    # Calls

    def calls(self) -> list[str]:
        """Return the operation of each call, oldest first, including rejected calls: `["iam:ListUsers"]`."""
        return cast("dict[str, list[str]]", self._call("GET", "calls"))["calls"]

    def counts(self) -> dict[str, int]:
        """Return the number of calls of each operation, including rejected calls: `{"iam:ListUsers": 1}`."""
        return cast("dict[str, int]", self._call("GET", "counts"))

    def clear_counts(self) -> None:
        """Reset the counts and the calls."""
        self._call("DELETE", "counts")

    # Settings

    def settings(self) -> dict[str, Any]:
        """Return the current settings; `iamcreds.emulator.faults.settings.Settings` describes them."""
        return cast("dict[str, Any]", self._call("GET", "settings"))

    def set(self, **changes: float | Sequence[str] | None) -> None:
        """Change some settings and keep the others: `set(latency=0.05, all_users=False)`."""
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
        """Let an operation return an error."""
        self._add_fault(operation, {"status": status, "code": code, "message": message}, **calls)

    def throttle(self, operation: str, **calls: Unpack[Calls]) -> None:
        """Let an operation return Throttling."""
        self.fail(operation, status=400, code="Throttling", message="Rate exceeded", **calls)

    def deny(self, operation: str, **calls: Unpack[Calls]) -> None:
        """Let an operation return AccessDenied, by default for every later call."""
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
        """Truncate the response after a share of its body (0 to less than 1); the operation takes effect.

        With `whole_length`, Content-Length is the length of the whole body, otherwise that of the sent part.
        """
        calls.setdefault("when", "after")
        self._add_fault(operation, {"cut": share, "whole_length": whole_length}, **calls)

    def pause(self, operation: str, **calls: Unpack[Calls]) -> None:
        """Hold a call until `release` or `abandon`."""
        self._add_fault(operation, "pause", **calls)

    def clear_faults(self) -> None:
        """Remove all faults; held calls stay held."""
        self._call("DELETE", "faults")

    # Held calls

    def held(self) -> list[dict[str, str]]:
        """Return the calls that are held now: `[{"operation": "iam:ListUsers", "when": "before"}]`."""
        return cast("dict[str, list[dict[str, str]]]", self._call("GET", "held"))["held"]

    def release(self) -> None:
        """Continue the held calls."""
        self._call("POST", "release", {"go_on": True})

    def abandon(self) -> None:
        """Break the connections of the held calls; calls held before their effect never take effect."""
        self._call("POST", "release", {"go_on": False})

    # The account

    def passwords(self) -> dict[str, str]:
        """Return the valid password or API key of each credential, by id."""
        return cast("dict[str, str]", self._call("GET", "passwords"))

    def secrets(self) -> list[str]:
        """Return every password, API key and secret access key ever issued, to search for leaked secrets."""
        return cast("dict[str, list[str]]", self._call("GET", "secrets"))["secrets"]

    def stored_values(self, store: str = "secretsmanager", region: str = "us-east-1") -> dict[str, str]:
        """Return the current value of each secret (`ssm`: parameter) of a region, by name; this is not an access."""
        values = cast("dict[str, dict[str, dict[str, str]]]", self._call("GET", "stored-values"))
        return values[store].get(region, {})

    def copy_stores(self) -> dict[str, Any]:
        """Return all secrets and parameters; `restore_stores` reads the result."""
        return cast("dict[str, Any]", self._call("GET", "stores"))

    def restore_stores(self, copy: dict[str, Any]) -> None:
        """Replace all secrets and parameters by a copy."""
        self._call("PUT", "stores", copy)

    def put_credential(self, credential_id: str, user: str, service: str, **more: str) -> None:
        """Add a credential with a given id, such as one of a recorded state; the user must exist.

        Args:
            credential_id: id of the credential.
            user: name of the IAM user.
            service: full name of the service.
            more: `status`, `created` and `expires` (ISO 8601), `login`, `password`; each has a default.
        """
        self._call("POST", "credentials", {"id": credential_id, "user": user, "service": service, **more})

    def use_access_key(
        self, access_key_id: str, date: datetime, service: str = "s3", region: str = "us-east-1"
    ) -> None:
        """Set the last use of an access key."""
        usage = {"access_key_id": access_key_id, "date": date.isoformat(), "service": service, "region": region}
        self._call("POST", "access-key-usage", usage)

    def reset(self) -> None:
        """Reset the emulator: no users, empty stores, default settings, no counts."""
        self._call("POST", "reset")

    def _add_fault(self, operation: str, effect: object, **calls: Unpack[Calls]) -> None:
        self._call("POST", "faults", {"operation": operation, "answer": effect, **calls})

    def _call(self, method: str, name: str, document: object = None) -> object:
        connection = HTTPConnection(self._address, timeout=TIMEOUT)
        try:
            connection.request(method, f"/_emulator/{name}", None if document is None else json.dumps(document))
            response = connection.getresponse()
            result = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:  # noqa: PLR2004 OK
            raise ControlError(result["error"])
        return result
