"""Who may ask the embedded IAM anything: programs of this machine, and no web page.

A browser takes whatever page is open to 127.0.0.1, and the page's own host too, where its name is made to lead there
(DNS rebinding). What it sends tells: a Host that is not this machine's, an Origin, or Sec-Fetch-Site.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)

ANSWER = b"this is the embedded IAM, which answers programs of this machine and no web page\n"


def is_allowed(environ: WSGIEnvironment) -> bool:
    """Return True if a program of this machine sent the request."""
    is_of_a_page = "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE", "none") != "none"
    return not is_of_a_page and _LOOPBACK.fullmatch(environ.get("HTTP_HOST", "")) is not None


def respond_forbidden() -> Response:
    """Return the response to any other request, which no page is allowed to read."""
    return Response(ANSWER, 403, content_type="text/plain")
