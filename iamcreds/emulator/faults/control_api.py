"""The control API under `/_emulator/`: JSON over HTTP, not a part of AWS.

GET    calls             `{"calls": ["iam:ListUsers", …]}`: the operation of each call, oldest first, including
                         rejected calls
GET    counts            `{"iam:ListUsers": 1, …}`: the number of calls of each operation
DELETE counts            reset the counts and the calls
GET    settings          all settings
PUT    settings          all settings; omitted ones get their defaults
POST   faults            `{"operation": "iam:ListUsers" | "iam:*", "when": "before" | "after", "call": 1,`
                         `"times": 1 | null, "answer": ANSWER}`: `null` is every later call, `ANSWER` is one of
                             `"drop"`                                      the connection breaks
                             `{"hang": 5}`                                 no response for 5 s, then it breaks
                             `{"cut": 0.5, "whole_length": true|false}`    half of the body; `after` only
                             `{"status": …, "code": …, "message": …}`      an error
                             `"pause"`                                     held until released, then the usual response
DELETE faults            remove all faults
GET    held              `{"held": [{"operation": …, "when": …}, …]}`: the calls that are held now
POST   release           `{"go_on": true|false}`: continue the held calls, or break their connections
GET    passwords         `{"ACCA…": …}`: the valid secret of each credential
GET    secrets           `{"secrets": […]}`: every password, API key and secret access key ever issued, in plain text.
                         Tests search for them where none may be; they are valid for this emulator only
GET    stored-values     `{"secretsmanager": {REGION: {NAME: VALUE}}, "ssm": …}`: the current values in the stores;
                         this is not an access
GET    stores            all secrets and parameters with values, tags and dates
PUT    stores            replace all secrets and parameters by the result of GET
POST   credentials       `{"id": …, "user": …, "service": …}` and optionally `"status"`, `"created"`, `"expires"`,
                         `"login"`, `"password"`: a credential with that id
POST   access-key-usage  `{"access_key_id": …, "date": "2026-01-31T12:00:00Z", "service": "s3", "region": "us-east-1"}`
POST   reset             reset users, credentials, stores, KMS keys, settings, faults, counts and secrets
"""

from __future__ import annotations

import json
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from moto.iam.models import AccessKeyLastUsed, iam_backends
from werkzeug.wrappers import Request, Response

from iamcreds.emulator.account import ACCOUNT, CREDENTIALS, SWITCHES, reset
from iamcreds.emulator.exceptions import AwsError
from iamcreds.emulator.faults.documents import ControlError, read_date, read_object, read_texts
from iamcreds.emulator.faults.fault import Fault
from iamcreds.emulator.faults.settings import Settings
from iamcreds.emulator.models import Credential
from iamcreds.emulator.stores import copies
from iamcreds.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "/_emulator/"


@Request.application
def respond(request: Request) -> Response:
    """Process a request to the control API; this is a WSGI application."""
    status, document = _process(request)
    return Response(json.dumps(document), status, content_type="application/json")


def _process(request: Request) -> tuple[HTTPStatus, object]:
    method, name = request.method, request.path.removeprefix(PREFIX)
    try:
        return HTTPStatus.OK, _get(name) if method == "GET" else _do(method, name, _read_document(request.get_data()))
    except LookupError as error:
        return HTTPStatus.NOT_FOUND, {"error": error.args[0]}
    except (ControlError, AwsError) as error:
        return HTTPStatus.BAD_REQUEST, {"error": str(error)}


def _read_document(body: bytes) -> object:
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise ControlError(f"the request is not valid JSON: {error}") from error


def _list_held() -> dict[str, list[dict[str, str]]]:
    return {"held": [{"operation": operation, "when": when} for operation, when in SWITCHES.pauses.held()]}


_READ: Mapping[str, Callable[[], object]] = {
    "calls": lambda: {"calls": SWITCHES.calls()},
    "counts": SWITCHES.counts,
    "settings": lambda: asdict(SWITCHES.settings),
    "held": _list_held,
    "passwords": CREDENTIALS.secrets,
    "secrets": lambda: {"secrets": SWITCHES.secrets()},
    "stored-values": copies.read_values,
    "stores": copies.copy,
}


def _get(name: str) -> object:
    if name not in _READ:
        raise LookupError(f"no such control: GET {name}")
    return _READ[name]()


def _do(method: str, name: str, document: object) -> dict[str, Any]:
    match method, name:
        case "DELETE", "counts":
            SWITCHES.clear_counts()
        case "PUT", "settings":
            SWITCHES.set(Settings.read(document))
        case "POST", "faults":
            SWITCHES.add_fault(Fault.read(document))
        case "DELETE", "faults":
            SWITCHES.clear_faults()
        case "POST", "release":
            _release(document)
        case "PUT", "stores":
            copies.restore(document)
        case "POST", "credentials":
            _put_credential(document)
        case "POST", "access-key-usage":
            _use_access_key(document)
        case "POST", "reset":
            reset()
        case _:
            raise LookupError(f"no such control: {method} {name}")
    return {}


def _release(document: object) -> None:
    go_on = read_object(document, {"go_on"}).get("go_on")
    if not isinstance(go_on, bool):
        raise ControlError("go_on must be true or false")
    SWITCHES.pauses.release(go_on=go_on)


def _put_credential(document: object) -> None:
    """Add a credential with an id from the request."""
    optional = frozenset({"status", "created", "expires", "login", "password"})
    fields = read_texts(document, {"id", "user", "service"}, optional)
    user = fields["user"]
    if user not in iam_backends[ACCOUNT]["aws"].users:
        raise LookupError(f"no such user: {user}")
    if fields.get("status", "Active") not in {Status.ACTIVE, Status.INACTIVE}:
        raise ControlError("status must be Active or Inactive")
    credential = Credential(
        id=fields["id"],
        user=user,
        service=fields["service"],
        login=fields.get("login") or CREDENTIALS.find_free_login(user, fields["service"]),
        created=read_date(fields["created"]) if "created" in fields else SWITCHES.now().replace(microsecond=0),
        expires=read_date(fields["expires"]) if "expires" in fields else None,
        stored_status=Status(fields.get("status", "Active")),
    )
    SWITCHES.remember(CREDENTIALS.put(credential, credential.created, fields.get("password")))


def _use_access_key(document: object) -> None:
    """Set the last use of an access key."""
    usage = read_texts(document, {"access_key_id", "date", "service", "region"})
    key = iam_backends[ACCOUNT]["aws"].access_keys.get(usage["access_key_id"])
    if key is None:
        raise LookupError(f"no such access key: {usage['access_key_id']}")
    # moto's dates are in UTC without a time zone.
    key.last_used = AccessKeyLastUsed(read_date(usage["date"]).replace(tzinfo=None), usage["service"], usage["region"])
