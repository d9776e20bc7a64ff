"""The delivery of a secret to a store, as specs and programs declare it, and the recorded result; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from iamcreds.services import service_alias

SECRETS_MANAGER, PARAMETER_STORE = STORES = ("secrets_manager", "ssm")
"""The stores, by their keys in the input `deliver`, which every state of a delivered credential has.

docs/adding.md lists the steps for a new store. If it differs from others, add it to `_WITH_POLICY` or
`_ENCRYPTED_BY_PUT`, too.
"""

STORE_FIELDS = {"secretsManager": SECRETS_MANAGER, "ssm": PARAMETER_STORE}
"""The stores by their fields in specs."""

READ_BY_USER = "user"
"""The value of `resource_policy` that permits the IAM user to read its own secret."""

CREDENTIAL_TAG = "iamcreds:credential"
"""The tag with the credential whose secret it is; a secret without it is not changed."""

_WITH_POLICY = frozenset({SECRETS_MANAGER})
"""The stores whose secrets have a resource policy."""

_ENCRYPTED_BY_PUT = frozenset({PARAMETER_STORE})
"""The stores that change the KMS key only together with the value."""

RESERVED_TAGS = ("aws:", "iamcreds:")
"""The prefixes of tags that only AWS and iamcreds set."""

_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_FIELDS = ("name", "region", "kms_key_id", "tags", "resource_policy", "delete_secret")


@dataclass(frozen=True)
class Delivery:
    """The store of a credential's secret.

    Attributes:
        store: one of `STORES`.
        name: the name in the store, in which `{user}`, `{service}` and `{account}` stand for those of the credential.
        region: the store's region; None for the region of the environment.
        kms_key_id: id, ARN or alias of the KMS key; None for the store's own key.
        tags: additional tags of the secret.
        resource_policy: `user` permits the IAM user to read the secret; None changes no resource policy.
        delete_secret: True if the secret is deleted from the store with the credential.
        keep_in_state: True if the state has the secret, too.
    """

    store: str
    name: str
    region: str | None = None
    kms_key_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)  # a declared credential is a key of mappings
    resource_policy: str | None = None
    delete_secret: bool = False
    keep_in_state: bool = False

    @classmethod
    def read(cls, properties: Mapping[str, Any]) -> Self:
        """Read a valid input `deliver`; see `find_mistake`."""
        store = next(name for name in STORES if name in properties)
        fields = {name: properties[store].get(name) for name in _FIELDS}
        fields |= {"tags": dict(fields["tags"] or {}), "delete_secret": bool(fields["delete_secret"])}
        return cls(store=store, keep_in_state=bool(properties.get("keep_in_state")), **fields)

    @classmethod
    def find(cls, properties: object) -> Self | None:
        """Return a recorded `deliver`; None without one and if it is not valid, as that of a newer version."""
        if not isinstance(properties, Mapping) or find_mistake(properties) is not None:
            return None
        return cls.read(properties)

    def properties(self) -> dict[str, Any]:
        """Return the input `deliver`, without default values."""
        fields = {name: getattr(self, name) for name in _FIELDS}
        kept = {name: dict(value) if name == "tags" else value for name, value in fields.items() if value}
        return {self.store: kept} | ({"keep_in_state": True} if self.keep_in_state else {})

    def resolve_name(self, user: str, service: str, account: str) -> str:
        """Return the name in the store for a credential of this user, service (full name) and account."""
        return fill_name(self.name, {"user": user, "service": service_alias(service), "account": account})

    def is_moved(self, recorded: Delivery) -> bool:
        """Return True if the secret is a different one than that of the recorded delivery."""
        return (self.store, self.name) != (recorded.store, recorded.name) or self._has_other_region(recorded)

    def _has_other_region(self, recorded: Delivery) -> bool:
        return recorded.region is not None and self.region not in (None, recorded.region)

    def needs_secret(self, recorded: Delivery | None) -> bool:
        """Return True if the change from the recorded delivery requires the secret itself."""
        if recorded is None or self.is_moved(recorded):
            return True
        is_encrypted_anew = self.store in _ENCRYPTED_BY_PUT and self.kms_key_id != recorded.kms_key_id
        return is_encrypted_anew or (self.keep_in_state and not recorded.keep_in_state)


@dataclass(frozen=True)
class DeliveredSecret:
    """The output `delivery`: the version of a secret in a store that has a credential's password.

    Attributes:
        arn: ARN of the secret or parameter.
        version: id of the version in Secrets Manager, or number of the version in Parameter Store.
    """

    arn: str
    version: str

    @classmethod
    def find(cls, outputs: Mapping[str, Any]) -> Self | None:
        """Return the recorded delivery, None without one or if it is not valid."""
        delivery = outputs.get("delivery")
        if not isinstance(delivery, Mapping):
            return None
        arn, version = delivery.get("arn"), delivery.get("version")
        return cls(arn, version) if isinstance(arn, str) and isinstance(version, str) else None

    def properties(self) -> dict[str, str]:
        """Return the output `delivery`."""
        return {"arn": self.arn, "version": self.version}

    @property
    def region(self) -> str:
        """Return the region in the ARN."""
        return [*self.arn.split(":"), "", "", "", ""][3]


def name_credential(user: str, service: str) -> str:
    """Return the value of the tag `iamcreds:credential`; see `name_tagged_user`."""
    return f"{name_tagged_user(user)}/{service_alias(service)}"


def name_tagged_user(user: str) -> str:
    """Return a user name for a tag, in which a comma, which tags cannot contain, is a space; user names have none."""
    return user.replace(",", " ")


def fill_name(name: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders of a name that `values` has, and keep others."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), name)


def find_placeholders(name: str) -> list[str]:
    """Return the placeholders of a name, without their braces."""
    return _PLACEHOLDER.findall(name)


def find_mistake(properties: object) -> str | None:
    """Return the expectation that an input `deliver` does not meet, None for a valid one."""
    if not isinstance(properties, Mapping):
        return f"a mapping with one of the keys {' and '.join(STORES)}"
    stores = [name for name in STORES if name in properties]
    unknown = properties.keys() - {*STORES, "keep_in_state"}
    if len(stores) != 1 or unknown or not isinstance(properties.get("keep_in_state", False), bool):
        return f"one of the keys {' and '.join(STORES)}, and optionally keep_in_state (true or false)"
    (store,) = stores
    fields = properties[store]
    if not isinstance(fields, Mapping) or fields.keys() - set(_FIELDS) or not _is_text(fields.get("name")):
        return f"a store with the key name, and optionally {', '.join(_FIELDS[1:])}"
    if unfilled := set(find_placeholders(fields["name"])) - {"user", "service", "account"}:
        return f"a name without {{{min(unfilled)}}}: only {{user}}, {{service}} and {{account}} are replaced"
    if fields.get("resource_policy") is not None and store not in _WITH_POLICY:
        return f"no resource_policy: secrets of {store} have none"
    return _find_wrong_field(fields)


def _find_wrong_field(fields: Mapping[str, Any]) -> str | None:
    texts = (name for name in ("region", "kms_key_id") if fields.get(name) is not None)
    if any(not _is_text(fields[name]) for name in texts):
        return "region and kms_key_id as text"
    if mistake := _find_wrong_tags(fields.get("tags")):
        return mistake
    if fields.get("resource_policy") not in (None, READ_BY_USER):
        return f"resource_policy {READ_BY_USER}"
    return None if isinstance(fields.get("delete_secret", False), bool) else "delete_secret true or false"


def _find_wrong_tags(tags: object) -> str | None:
    if tags is None:
        return None
    if not isinstance(tags, Mapping) or not all(isinstance(text, str) for tag in tags.items() for text in tag):
        return "tags as a mapping of text to text"
    is_reserved = any(key.lower().startswith(RESERVED_TAGS) for key in tags)
    return f"tags without the prefixes {' and '.join(RESERVED_TAGS)}" if is_reserved else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
