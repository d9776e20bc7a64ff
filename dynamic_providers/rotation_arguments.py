"""The arguments of `rotating_credential`: their validation, and the credential that they declare; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from iamcreds.delivery import SECRETS_MANAGER, Delivery
from iamcreds.desired import DesiredCredential, Retire, RotationPolicy
from iamcreds.model import Existing, SourceLocation
from iamcreds.pulumi_engine.inputs import CredentialInputs, find_failures
from iamcreds.services import service_alias, service_name
from iamcreds.text.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iamcreds.pulumi_engine.run_context import Options

_HOUR = timedelta(hours=1)
_ANY_USER = "user"
_DURATION = "{name}: expected a duration such as 90d, 12h or 2w, of at most 36600 days"
_PROTECTED = "opts: protect is not valid together with {other}, which deletes credentials"
_RETAINED = "opts: retain_on_delete is not valid together with {other}, because retained credentials use the quota"


@dataclass(frozen=True)
class DeclaredCredential(DesiredCredential):
    """A credential that a program declares, with any resource name.

    Attributes:
        own_name: the resource name of slot 1.
        former_names: its former resource names.
    """

    own_name: str = ""
    former_names: tuple[str, ...] = ()

    @property
    def declared_name(self) -> str:
        """The resource name of slot 1."""
        return self.own_name

    @property
    def former_declared_names(self) -> tuple[str, ...]:
        """The former resource names of slot 1."""
        return self.former_names


@dataclass(frozen=True)
class RotationArguments:
    """The arguments of `rotating_credential` that must be plain values, as the program passes them."""

    name: Any
    user: Any
    service: Any
    every: Any
    overlap: Any
    trigger: Any
    retire: Any
    not_before: Any
    reset: Any
    age_days: Any
    existing: Any
    adopt: Any
    deliver: Any
    retire_after_read_by: Any = None

    def find_errors(self, options: Options) -> Iterator[str]:
        """Yield a sentence for each invalid argument; `options` are the resource options."""
        if not isinstance(self.name, str) or not self.name or "~" in self.name:
            yield "name: expected text without `~`, which the name of the second resource contains"
        inputs = CredentialInputs(
            user=self.user if isinstance(self.user, str) else _ANY_USER,
            service=service_name(self.service) if isinstance(self.service, str) else self.service,
            age_days=self.age_days,
            existing=self.existing,
            adopt=self.adopt,
            trigger=self.trigger,
            deliver=self.deliver,
        )
        yield from (f"{failure.property}: {failure.reason}" for failure in find_failures(inputs))
        if self.user is None:
            yield "user: expected an IAM user name, or an output"
        if self.reset is not None and not isinstance(self.reset, str):
            yield "reset: expected text"
        yield from self._find_policy_errors()
        yield from self._find_option_errors(options)

    def _find_policy_errors(self) -> Iterator[str]:
        if self.every is None and self.trigger is None:
            yield "every: expected a duration such as 90d; or set `trigger`"
        if self.retire not in list(Retire):
            yield f"retire: expected {' or '.join(Retire)}"
        if self.not_before is not None and _parse_date(self.not_before) is None:
            yield "not_before: expected an ISO 8601 date such as 2027-03-01"
        every, overlap = _parse_length(self.every), _parse_length(self.overlap)
        if self.retire_after_read_by is not None:
            yield from self._find_retirement_errors(every, overlap)
        if self.every is not None and every is None:
            yield _DURATION.format(name="every")
        if overlap is None:
            yield _DURATION.format(name="overlap")
        else:
            yield from self._find_length_errors(every, overlap)

    def _find_retirement_errors(self, every: timedelta | None, overlap: timedelta | None) -> Iterator[str]:
        name, latest = "retire_after_read_by", _parse_length(self.retire_after_read_by)
        is_read_shown = isinstance(self.deliver, Mapping) and SECRETS_MANAGER in self.deliver
        if not is_read_shown:
            yield f"{name}: expected `deliver` with secrets_manager, because no other store shows the last read"
        if latest is None:
            yield _DURATION.format(name=name)
        elif overlap is not None and latest < overlap:
            yield f"{name}: {self.retire_after_read_by} is shorter than `overlap`, {self.overlap}"
        elif every is not None and 5 * latest > 4 * every:
            yield f"{name}: {self.retire_after_read_by} is more than 80% of `every`, {self.every}"

    def _find_length_errors(self, every: timedelta | None, overlap: timedelta) -> Iterator[str]:
        if every is not None and 5 * overlap > 4 * every:  # the next rotation is due after 85% of it at the earliest
            yield f"overlap: {self.overlap} is more than 80% of `every`, {self.every}"
        if not isinstance(self.age_days, int):
            return
        if every is not None and every + overlap > timedelta(days=self.age_days):
            yield "age_days: expected at least `every` and `overlap` together, or the previous key expires too early"
        if every is None and 5 * overlap > 4 * timedelta(days=self.age_days):
            yield f"overlap: {self.overlap} is more than 80% of `age_days`, {self.age_days}"

    def _find_option_errors(self, options: Options) -> Iterator[str]:
        deletes = {"retire='delete'": self.retire == Retire.DELETE, "age_days": self.age_days is not None}
        for other in (name for name, is_set in deletes.items() if is_set):
            if options.protect:
                yield _PROTECTED.format(other=other)
            if options.retain:
                yield _RETAINED.format(other=other)

    def declare(self, former_names: Sequence[str]) -> DeclaredCredential:
        """Return the declared credential, without a user if that is an output. The arguments must be valid."""
        every, overlap = _parse_length(self.every), parse_duration(self.overlap)
        latest = _parse_length(self.retire_after_read_by)
        policy = RotationPolicy(
            overlap_hours=overlap // _HOUR,
            every_hours=None if every is None else every // _HOUR,
            retire=Retire(self.retire),
            not_before=_parse_date(self.not_before),
            retire_by_hours=None if latest is None else latest // _HOUR,
        )
        return DeclaredCredential(
            user=self.user if isinstance(self.user, str) else "",
            service=service_name(self.service),
            name=service_alias(self.service),
            location=SourceLocation("program", 1, 1),
            reset=self.reset,
            existing=None if self.existing is None else Existing(self.existing),
            adopt=self.adopt,
            expire_after_days=self.age_days,
            rotate=policy,
            trigger=self.trigger,
            deliver=None if self.deliver is None else Delivery.read(self.deliver),
            own_name=self.name,
            former_names=tuple(former_names),
        )


def _parse_length(value: object) -> timedelta | None:
    """Return the length of a duration that is not zero, None for any other value."""
    try:
        return parse_duration(value) or None if isinstance(value, str) else None
    except ValueError:
        return None


def _parse_date(value: object) -> datetime | None:
    """Return an ISO 8601 date or time, by default in UTC; None for any other value."""
    try:
        date = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return date if date is None or date.tzinfo is not None else date.replace(tzinfo=UTC)
