"""Reading of one spec file into users, settings and problems; the nodes of the file, which are many, are not kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from iamcreds.desired import DesiredCredential, DesiredIamUser, DesiredUser
from iamcreds.model import Existing, Problem, Severity, SourceLocation, Status, Unmanaged
from iamcreds.specs.credential_policy import check_policies
from iamcreds.specs.delivery import find_secrets, make_delivery
from iamcreds.specs.expiry import count_hours
from iamcreds.specs.former_users import check_user
from iamcreds.specs.nodes import Block
from iamcreds.specs.rotation import make_rotation
from iamcreds.specs.rules import check_credentials, find_declared
from iamcreds.specs.validation import validate
from iamcreds.specs.waivers import check_waivers, make_waivers
from iamcreds.text.names import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.specs.delivery import DeclaredSecret
    from iamcreds.specs.nodes import Plain, Tree
    from iamcreds.specs.rules import Declared
    from iamcreds.specs.sources import Document

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Setting(Generic[_Value]):
    """A declared value and its source location."""

    value: _Value
    location: SourceLocation


@dataclass(frozen=True)
class SpecUser:
    """A user as one file declares it, without the defaults, which a different file may declare.

    Attributes:
        desired: the user without the defaults; only name and source location if the file has an error.
        access_keys: the declared fields of the access key policy.
        credential_policy: the declared fields of the credential policy.
    """

    desired: DesiredUser
    access_keys: Mapping[str, Any] = field(default_factory=dict)
    credential_policy: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Spec:
    """The readable part of a spec file, and every problem of the file.

    `adopted` has the ids of credentials to import, `secrets` the secrets in stores, and `former_users` the former names
    of users by their names, even if the file has errors.
    """

    file: str
    problems: frozenset[Problem]
    account: Setting[str] | None = None
    defaults: Setting[Any] | None = None
    users: tuple[SpecUser, ...] = ()
    adopted: tuple[Setting[str], ...] = ()
    secrets: tuple[DeclaredSecret, ...] = ()
    former_users: Mapping[str, Setting[str]] = field(default_factory=dict)


def read(document: Document) -> Spec:
    """Read a spec file."""
    if document.tree is None:
        return Spec(document.file, frozenset(document.problems))
    tree, violations = validate(document.tree)
    declared_users = tree.values.get("users")
    fields_of_users = declared_users.items() if isinstance(declared_users, Block) else ()
    users = [(name, tuple(find_declared(tree, name, fields))) for name, fields in fields_of_users]
    problems = {*document.problems, *violations, *check_policies(tree)}
    for name, fields in fields_of_users:
        problems.update(check_user(tree, name, fields))
        problems.update(check_waivers(tree, fields))
    for _, credentials in users:
        problems.update(check_credentials(credentials))
    is_valid = all(problem.severity is Severity.WARNING for problem in problems)
    return Spec(
        file=document.file,
        problems=frozenset(problems),
        account=_find_account(tree),
        defaults=_find_defaults(tree),
        adopted=tuple(_find_adopted(declared for _, credentials in users for declared in credentials)),
        secrets=tuple(find_secrets(declared for _, credentials in users for declared in credentials)),
        users=tuple(_make_user(tree, name, credentials, is_valid=is_valid) for name, credentials in users),
        former_users=dict(_find_former_users(tree, fields_of_users)),
    )


def _find_account(tree: Tree) -> Setting[str] | None:
    account = tree.values.get("account")
    is_valid = isinstance(account, str) and ACCOUNT_ID.fullmatch(account)
    return Setting(str(account), tree.value_location(["account"])) if is_valid else None


def _find_adopted(credentials: Iterable[Declared]) -> Iterator[Setting[str]]:
    for credential in credentials:
        if isinstance(adopt := credential.fields.get("adopt"), str):
            yield Setting(adopt, credential.value_location("adopt"))


def _find_former_users(tree: Tree, users: Iterable[tuple[str, Plain]]) -> Iterator[tuple[str, Setting[str]]]:
    for name, fields in users:
        if isinstance(fields, Block) and isinstance(was := fields.get("was"), str):
            yield name, Setting(was, tree.value_location(["users", name, "was"]))


def _find_defaults(tree: Tree) -> Setting[Any] | None:
    return Setting(tree.values["defaults"], tree.key_location(["defaults"])) if "defaults" in tree.values else None


def _make_user(tree: Tree, name: str, credentials: Iterable[Declared], *, is_valid: bool) -> SpecUser:
    location = tree.key_location(["users", name])
    if not is_valid:
        return SpecUser(DesiredUser(name, location))
    users: Any = tree.values["users"]
    fields = users[name]
    desired = (_make_credential(declared, fields) for declared in credentials)
    user = DesiredUser(
        name,
        location,
        credentials=tuple(sorted(desired, key=lambda credential: (credential.service, credential.name))),
        judges_credentials="credentials" in fields,
        unmanaged=Unmanaged(fields["unmanaged"]) if "unmanaged" in fields else None,
        iam_user=_make_iam_user(tree, name, fields.get("iamUser")),
        releases_iam_user=fields.get("iamUser") is False,
        was=fields.get("was"),
        owner=fields.get("owner"),
        waive=make_waivers(tree, fields),
    )
    return SpecUser(user, fields.get("accessKeys", {}), fields.get("credentialPolicy", {}))


def _make_iam_user(tree: Tree, name: str, declared: Any) -> DesiredIamUser | None:  # noqa: ANN401 - as in the schema
    """Return the IAM user that `iamUser` declares, None if it is absent or false."""
    if declared in (None, False):
        return None
    fields: Mapping[str, Any] = {} if declared is True else declared
    return DesiredIamUser(
        location=tree.key_location(["users", name, "iamUser"]),
        path=fields.get("path"),
        permissions_boundary=fields.get("permissionsBoundary"),
        tags=dict(fields.get("tags", {})),
        policy_arns=tuple(fields.get("policyArns", ())),
        is_imported=fields.get("import", False),
        protect=fields.get("protect", False),
        retain_on_delete=fields.get("retainOnDelete", False),
    )


def _make_credential(declared: Declared, user: Mapping[str, Any]) -> DesiredCredential:
    """Return a credential; `user` contains the fields of its user."""
    fields: Mapping[str, Any] = declared.fields
    existing = fields.get("existing", user.get("existing"))
    expire: Mapping[str, str] = fields.get("expire", {})
    rotate: Mapping[str, Any] = fields.get("rotate", {})
    return DesiredCredential(
        user=declared.user,
        service=declared.service,
        name=declared.name,
        location=declared.location,
        status=Status(fields["status"]) if "status" in fields else None,
        reset=fields.get("reset"),
        was=fields.get("was"),
        protect=fields.get("protect", False),
        existing=None if existing is None else Existing(existing),
        adopt=fields.get("adopt"),
        user_was=user.get("was"),
        expire_after_days=count_hours(expire["after"]) // 24 if expire else None,
        renew_before_hours=count_hours(expire["renewBefore"]) if "renewBefore" in expire else None,
        rotate=make_rotation(rotate),
        trigger=rotate.get("trigger"),
        deliver=make_delivery(declared),
        owner=fields.get("owner", user.get("owner")),
        waive=make_waivers(declared.tree, declared.fields),
    )
