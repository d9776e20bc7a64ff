"""What spec files may not say together: rules between files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iamcreds.model import Problem
from iamcreds.specs.nodes import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iamcreds.model import DesiredUser
    from iamcreds.specs.reading import Setting, Spec


def check_files(specs: Sequence[Spec]) -> Iterator[Problem]:
    """Every rule between files that the specs break."""
    yield from _check_accounts(specs)
    yield from _check_defaults(specs)
    yield from _check_adopted(adopt for spec in specs for adopt in spec.adopted)
    yield from _check_users(user.desired for spec in specs for user in spec.users)


def _check_accounts(specs: Iterable[Spec]) -> Iterator[Problem]:
    accounts = [spec.account for spec in specs if spec.account is not None]
    for account in accounts[1:]:
        if account.value != (first := accounts[0]).value:
            message = f"{quoted(account.value)} is another account than {quoted(first.value)} at {first.place}"
            yield Problem(account.place, f"{message}: specs are for one account", "conflicting-account")


def _check_defaults(specs: Iterable[Spec]) -> Iterator[Problem]:
    places = [spec.defaults.place for spec in specs if spec.defaults is not None]
    for place in places[1:]:
        message = f'"defaults" may stand in one file only, and stands at {places[0]} too'
        yield Problem(place, message, "repeated-defaults")


def _check_adopted(adopted: Iterable[Setting[str]]) -> Iterator[Problem]:
    first: dict[str, Setting[str]] = {}
    for adopt in adopted:
        before = first.setdefault(adopt.value, adopt)
        if before is not adopt:
            message = f"{quoted(adopt.value)} is adopted twice, first at {before.place}: take one out"
            yield Problem(adopt.place, message, "adopted-twice")


def _check_users(users: Iterable[DesiredUser]) -> Iterator[Problem]:
    first: dict[str, DesiredUser] = {}
    for user in users:
        before = first.setdefault(user.name.lower(), user)
        if before.name != user.name:
            message = f"{quoted(user.name)} and {quoted(before.name)} at {before.place} differ by case only"
            yield Problem(user.place, f"{message}: IAM takes them for one user", "user-case")
        elif before is not user:
            message = f"{quoted(user.name)} is declared twice, first at {before.place}"
            yield Problem(user.place, message, "duplicate-user")
