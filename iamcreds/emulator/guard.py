"""Access control of the IAM emulator: only programs on this machine may send requests, and no web page.

A browser lets any open page send requests to 127.0.0.1, also through the page's own host name if it resolves to that
address (DNS rebinding). Such requests have an Origin, Sec-Fetch-Site, or a Host that is not this machine's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)

ANSWER = b"the IAM emulator accepts requests from programs on this machine only, not from web pages\n"


def is_allowed(environ: WSGIEnvironment) -> bool:
    """Return True if a program of this machine sent the request."""
    is_of_a_page = "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE", "none") != "none"
    return not is_of_a_page and _LOOPBACK.fullmatch(environ.get("HTTP_HOST", "")) is not None


def respond_forbidden() -> Response:
    """Return the response to a rejected request, which no page can read."""
    return Response(ANSWER, 403, content_type="text/plain")
