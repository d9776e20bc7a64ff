"""The control API under `/_emulator/`: small JSON over HTTP, outside of what AWS has.

GET    calls             {"calls": ["iam:ListUsers", …]}: the operation of each call, in the order of their coming,
                         refused ones included
GET    counts            {"iam:ListUsers": 1, …}: calls of each operation
DELETE counts            count from zero, calls too
GET    settings          the whole settings
PUT    settings          the whole settings; what is left out is as by default
POST   faults            {"operation": "iam:ListUsers" | "iam:*", "when": "before"|"after", "call": 1,
                         "times": 1 | null (all that follow), "answer": one of
                             "drop"                                        the connection breaks
                             {"hang": 5}                                   no answer for 5 s, then it breaks
                             {"cut": 0.5, "whole_length": true|false}      half of the body; `after` only
                             {"status": …, "code": …, "message": …}        an error
                             "pause"}                                      held until released, then as always
DELETE faults            no faults any more
GET    held              {"held": [{"operation": …, "when": …}, …]}: the calls that are held now
POST   release           {"go_on": true|false}: let them go on, or break their connections
GET    passwords         {"ACCA…": …}: the valid secret of each live credential
GET    secrets           {"secrets": […]}: every password, API key and secret access key ever issued, in the clear,
                         so that a test can look for them where none may be; they open nothing but this emulator
POST   credentials       {"id": …, "user": …, "service": …} and, if you like, "status", "created", "expires",
                         "login", "password": a credential of that id
POST   access-key-usage  {"access_key_id": …, "date": "2026-01-31T12:00:00Z", "service": "s3", "region": "us-east-1"}
POST   reset             users, credentials, settings, faults, counts, secrets: everything as at the start
"""

from __future__ import annotations

import json
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from moto.iam.models import AccessKeyLastUsed, iam_backends
from werkzeug.wrappers import Request, Response

from iamcreds.emulator.account import ACCOUNT, CREDENTIALS, SWITCHES, reset
from iamcreds.emulator.exceptions import AwsError
from iamcreds.emulator.faults.documents import ControlError, read_date, read_object, read_texts
from iamcreds.emulator.faults.fault import Fault
from iamcreds.emulator.faults.settings import Settings
from iamcreds.emulator.models import Credential
from iamcreds.model import Status

PREFIX = "/_emulator/"


@Request.application
def respond(request: Request) -> Response:
    """Carry out a request to the control API; this is a WSGI application."""
    status, document = _carry_out(request)
    return Response(json.dumps(document), status, content_type="application/json")


def _carry_out(request: Request) -> tuple[HTTPStatus, object]:
    method, name = request.method, request.path.removeprefix(PREFIX)
    try:
        return HTTPStatus.OK, _ask(name) if method == "GET" else _do(method, name, _read_document(request.get_data()))
    except LookupError as error:
        return HTTPStatus.NOT_FOUND, {"error": error.args[0]}
    except (ControlError, AwsError) as error:
        return HTTPStatus.BAD_REQUEST, {"error": str(error)}


def _read_document(body: bytes) -> object:
    try:
        return json.loads(body) if body else {}
    except ValueError as error:
        raise ControlError(f"no JSON: {error}") from error


def _ask(name: str) -> object:
    match name:
        case "calls":
            return {"calls": SWITCHES.calls()}
        case "counts":
            return SWITCHES.counts()
        case "settings":
            return asdict(SWITCHES.settings)
        case "held":
            return {"held": [{"operation": operation, "when": when} for operation, when in SWITCHES.pauses.held()]}
        case "passwords":
            return CREDENTIALS.secrets()
        case "secrets":
            return {"secrets": SWITCHES.secrets()}
        case _:
            raise LookupError(f"no such control: GET {name}")


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
    """Take in a credential with an id that somebody else gave it."""
    optional = frozenset({"status", "created", "expires", "login", "password"})
    given = read_texts(document, {"id", "user", "service"}, optional)
    user = given["user"]
    if user not in iam_backends[ACCOUNT]["aws"].users:
        raise LookupError(f"no such user: {user}")
    if given.get("status", "Active") not in {Status.ACTIVE, Status.INACTIVE}:
        raise ControlError("status must be Active or Inactive")
    credential = Credential(
        id=given["id"],
        user=user,
        service=given["service"],
        login=given.get("login") or CREDENTIALS.find_free_login(user, given["service"]),
        created=read_date(given["created"]) if "created" in given else SWITCHES.now().replace(microsecond=0),
        expires=read_date(given["expires"]) if "expires" in given else None,
        switched=Status(given.get("status", "Active")),
    )
    SWITCHES.remember(CREDENTIALS.put(credential, credential.created, given.get("password")))


def _use_access_key(document: object) -> None:
    """Say when, where and for what an access key was used last."""
    given = read_texts(document, {"access_key_id", "date", "service", "region"})
    key = iam_backends[ACCOUNT]["aws"].access_keys.get(given["access_key_id"])
    if key is None:
        raise LookupError(f"no such access key: {given['access_key_id']}")
    # moto's dates are UTC without saying so.
    key.last_used = AccessKeyLastUsed(read_date(given["date"]).replace(tzinfo=None), given["service"], given["region"])
