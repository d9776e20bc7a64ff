"""The control API under `/_emulator/`: small JSON over HTTP, outside of what AWS has.

GET    counts            {"iam:ListUsers": 1, …}: calls of each operation, refused ones included
DELETE counts            count from zero
GET    settings          the whole settings
PUT    settings          the whole settings; what is left out is as by default
POST   faults            {"operation": …, "when": "before"|"after", "call": 1, "times": 1,
                         "answer": "drop" | {"status": …, "code": …, "message": …}}
DELETE faults            no faults any more
POST   access-key-usage  {"access_key_id": …, "date": "2026-01-31T12:00:00Z", "service": "s3", "region": "us-east-1"}
GET    secrets           {"secrets": […]}: every password, API key and secret access key ever issued, in the clear,
                         so that a test can look for them where none may be; they open nothing but this emulator
POST   reset             users, credentials, settings, faults, counts, secrets: everything as at the start
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.base_backend import BackendDict
from moto.iam.models import AccessKeyLastUsed, iam_backends

from iamcreds.emulator.controls import ControlError, Fault, Settings, read_object
from iamcreds.emulator.responses import ACCOUNT, CREDENTIALS, REPORTS, SWITCHES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

PREFIX = "/_emulator/"


def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The WSGI application of the control API."""
    status, document = _answered(environ)
    body = json.dumps(document).encode()
    start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def reset(settings: Settings | None = None) -> None:
    """Empty the account: nothing of moto's, no credentials, settings as given or by default."""
    BackendDict.reset()
    CREDENTIALS.clear()
    REPORTS.clear()
    SWITCHES.reset(settings)


def _answered(environ: WSGIEnvironment) -> tuple[str, Any]:
    try:
        return "200 OK", _do(environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(PREFIX), _document(environ))
    except LookupError as error:
        return "404 Not Found", {"error": error.args[0]}
    except ControlError as error:
        return "400 Bad Request", {"error": str(error)}


def _document(environ: WSGIEnvironment) -> object:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise ControlError(f"no JSON: {error}") from error


def _do(method: str, name: str, document: object) -> object:
    match method, name:
        case "GET", "counts":
            return SWITCHES.counts()
        case "DELETE", "counts":
            SWITCHES.clear_counts()
        case "GET", "settings":
            return asdict(SWITCHES.settings)
        case "PUT", "settings":
            SWITCHES.set(Settings.read(document))
        case "POST", "faults":
            SWITCHES.add_fault(Fault.read(document))
        case "DELETE", "faults":
            SWITCHES.clear_faults()
        case "POST", "access-key-usage":
            _use_access_key(document)
        case "GET", "secrets":
            return {"secrets": SWITCHES.secrets()}
        case "POST", "reset":
            reset()
        case _:
            raise LookupError(f"no such control: {method} {name}")
    return {}


def _use_access_key(document: object) -> None:
    """Say when, where and for what an access key was used last."""
    wanted = {"access_key_id", "date", "service", "region"}
    given = read_object(document, wanted)
    if set(given) != wanted or not all(isinstance(value, str) for value in given.values()):
        raise ControlError(f"texts are wanted: {', '.join(sorted(wanted))}")
    key = iam_backends[ACCOUNT]["aws"].access_keys.get(given["access_key_id"])
    if key is None:
        raise LookupError(f"no such access key: {given['access_key_id']}")
    key.last_used = AccessKeyLastUsed(_date(given["date"]), given["service"], given["region"])


def _date(text: str) -> datetime:
    """A date as moto keeps it: UTC, and not saying so."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    except ValueError as error:
        raise ControlError(f"no ISO 8601 date: {text}") from error
