"""The content of a delivered secret: a login and a secret as JSON; pure.

The content is not trusted: other programs may write to the store.
"""

from __future__ import annotations

import json
import re

from iamcreds.errors import SecretError
from iamcreds.services import LOGIN_OUTPUTS, SECRET_OUTPUTS, Family, service_family
from iamcreds.state.secret_forms import Secret

_FIELDS = ("username", "password", "service", "credentialId")
_SERVICE = re.compile(r"[a-z0-9-]{1,60}\.amazonaws\.com")
_ID = re.compile(r"[A-Za-z0-9_]{1,128}")


def read_content(resource: str, user: str | None, content: str) -> Secret:
    """Return the secret in the content of a delivered secret; unknown fields are ignored.

    The secret of an unknown service is a password.

    Args:
        resource: the credential's name or the ARN of the secret, for messages.
        user: the IAM user, None if unknown.
        content: the content.

    Raises:
        SecretError: it is not the content of a delivered secret; the message never quotes it.
    """
    fields = _read_fields(content)
    if fields is None or not (_SERVICE.fullmatch(fields["service"]) and _ID.fullmatch(fields["credentialId"])):
        raise SecretError(
            f"the secret of {resource} in its store is not a credential that iamcreds delivered. Declare a `reset` to"
            " deliver a new one"
        )
    if not all(text.isprintable() for text in fields.values()):
        raise SecretError(
            f"the secret of {resource} in its store has characters that IAM does not use, so it may be manipulated."
            " Declare a `reset` to deliver a new one"
        )
    family = service_family(fields["service"]) or Family.PASSWORD
    outputs = {LOGIN_OUTPUTS[family]: fields["username"], SECRET_OUTPUTS[family]: fields["password"]}
    return Secret(resource, user, fields["service"], fields["credentialId"], outputs)


def _read_fields(content: str) -> dict[str, str] | None:
    """Return the fields, None if the content is not a JSON object with each of them; only a login may be empty."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    fields = {name: document.get(name) for name in _FIELDS} if isinstance(document, dict) else {}
    texts = {name: text for name, text in fields.items() if isinstance(text, str) and (text or name == "username")}
    return texts if len(texts) == len(_FIELDS) else None
