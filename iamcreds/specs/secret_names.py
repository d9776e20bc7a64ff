"""The names and tags of secrets in stores: rules that a schema cannot express; pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iamcreds.delivery import RESERVED_TAGS, fill_name, find_placeholders
from iamcreds.model import Problem
from iamcreds.services import service_alias
from iamcreds.specs.nodes import Block, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.specs.rules import Declared

PLACEHOLDERS = ("user", "service", "name", "account")
"""The placeholders of a name in a store."""

MAX_TAGS = 50
"""The maximum number of tags of a secret or parameter (AWS General Reference, endpoints and quotas, tagging)."""

_ACCOUNT = "0" * 12
"""A 12-digit placeholder of the account ID, because specs may not declare the account."""

_RESERVED_NAMES = ("aws", "ssm")
_TAG_CHARACTERS = "_.:/=+-@"
_MAX_LEVELS = 15


@dataclass(frozen=True)
class StoreRules:
    """The requirements of a store.

    Attributes:
        title: the name of the store.
        characters: the special characters that a name may have next to ASCII letters and digits.
        max_length: the maximum length of a name.
        has_levels: True if slashes divide a name into levels.
        own_tags: the number of tags that iamcreds itself needs.
    """

    title: str
    characters: str
    max_length: int
    has_levels: bool
    own_tags: int

    def list_wrong(self, text: str) -> str:
        """Return the characters of a text that the store does not accept, each once."""
        return "".join(dict.fromkeys(re.sub(f"[A-Za-z0-9{re.escape(self.characters)}]", "", text)))


SECRETS_MANAGER_RULES = StoreRules("Secrets Manager", "/_+=.@-", 512, has_levels=False, own_tags=2)
"""API reference of Secrets Manager, CreateSecret, `Name`."""

PARAMETER_STORE_RULES = StoreRules("Parameter Store", "_.-/", 950, has_levels=True, own_tags=3)
"""API reference of Systems Manager, PutParameter, `Name`: 1,011 characters with the ARN before the name, at most 61."""


def check_name(credential: Declared, fields: Block, rules: StoreRules) -> Iterator[Problem]:
    """Yield every reason why a store does not accept the declared name of a secret."""
    name = fields.get("name")
    if not isinstance(name, str) or not name:
        return
    location = credential.tree.location(fields.marks["name"])
    unknown = [each for each in find_placeholders(name) if each not in PLACEHOLDERS]
    if unknown:
        message = (
            f"unknown placeholder {quoted(f'{{{unknown[0]}}}')}: only {{user}}, {{service}}, {{name}} and {{account}}"
            " are replaced"
        )
        yield Problem(location, message, "unknown-placeholder")
        return
    messages = [*_check_characters(credential, name, rules), *_check_form(resolve_name(credential, name), rules)]
    yield from (Problem(location, message, "wrong-secret-name") for message in messages)


def _check_characters(credential: Declared, name: str, rules: StoreRules) -> Iterator[str]:
    literal = fill_name(name, dict.fromkeys(PLACEHOLDERS, ""))
    if wrong := rules.list_wrong(literal):
        yield (
            f"the name contains {quoted(wrong)}, and {rules.title} accepts only letters, digits and characters of"
            f" {rules.characters}"
        )
    if "user" in find_placeholders(name) and (wrong := rules.list_wrong(credential.user)):
        user = re.sub(f"[{re.escape(wrong)}]", "-", credential.user)
        example = fill_name(name, {"user": user})
        yield (
            f"user name {quoted(credential.user)} contains {quoted(wrong)}, which {rules.title} does not accept:"
            f" declare a name without {{user}}, such as {quoted(example)}"
        )


def _check_form(name: str, rules: StoreRules) -> Iterator[str]:
    """Yield the violations of a resolved name (User Guide of Systems Manager, constraints for parameter names)."""
    name = fill_name(name, {"account": _ACCOUNT})
    if len(name) > rules.max_length:
        yield f"the name has {len(name)} characters, and {rules.title} allows {rules.max_length}"
    if not rules.has_levels:
        return
    if "/" in name and not name.startswith("/"):
        yield f"a name with a slash must begin with a slash: {quoted(f'/{name}')}"
    levels = name.removeprefix("/").split("/")
    if not all(levels):
        yield "a name must not end with a slash or have two slashes in succession"
    if levels[0].lower().startswith(_RESERVED_NAMES):
        yield f'a name must not begin with "aws" or "ssm", which {rules.title} reserves'
    if len(levels) > _MAX_LEVELS:
        yield f"the name has {len(levels)} levels, and {rules.title} allows {_MAX_LEVELS}"


def check_tags(credential: Declared, fields: Block, rules: StoreRules) -> Iterator[Problem]:
    """Yield every reserved tag or wrong character, and a problem if there are too many tags."""
    tags = fields.get("tags")
    if not isinstance(tags, Block):
        return
    for key, value in tags.items():
        if reason := _find_wrong_tag(key, value if isinstance(value, str) else ""):
            location = credential.tree.location(tags.key_marks[key])
            yield Problem(location, f"tag {quoted(key)} {reason}", "wrong-tag")
    if len(tags) > MAX_TAGS - rules.own_tags:
        message = f"too many tags: {rules.title} allows {MAX_TAGS}, and iamcreds needs {rules.own_tags} of them"
        yield Problem(credential.tree.location(fields.key_marks["tags"]), message, "too-many-tags")


def _find_wrong_tag(key: str, value: str) -> str | None:
    """Return the reason why a tag is not valid (API reference of Systems Manager, Tag; the same for all services)."""
    if key.lower().startswith(RESERVED_TAGS):
        return 'is reserved: keys must not begin with "aws:" or "iamcreds:"'
    if value.lower().startswith("aws:"):
        return 'has a reserved value: values must not begin with "aws:"'
    wrong = "".join(dict.fromkeys(each for each in key + value if not _is_tag_character(each)))
    if not wrong:
        return None
    return f"contains {quoted(wrong)}, and AWS accepts only letters, digits, spaces and characters of {_TAG_CHARACTERS}"


def _is_tag_character(character: str) -> bool:
    return character in _TAG_CHARACTERS or unicodedata.category(character)[0] in "LNZ"


def resolve_name(declared: Declared, name: str) -> str:
    """Replace the placeholders of a name in the store, except `{account}`, which specs may not know."""
    values = {"user": declared.user, "service": service_alias(declared.service), "name": declared.name}
    return fill_name(name, values)
