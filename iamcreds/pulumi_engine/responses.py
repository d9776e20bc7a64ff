"""The engine's response for a resource that the specs declare, and its part of the stack's outputs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.resource_pb2 import Result
from pulumi.runtime.rpc import UNKNOWN, wrap_rpc_secret

from iamcreds.due_dates import add_time
from iamcreds.model import Status
from iamcreds.pulumi_engine.outputs import SECRETS
from iamcreds.pulumi_engine.rejection_report import RejectedResource
from iamcreds.resource_names import split_slot
from iamcreds.services import LOGIN_OUTPUTS
from iamcreds.state.recorded import find_date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse

    from iamcreds.desired import RotationPolicy
    from iamcreds.model import SourceLocation
    from iamcreds.planning.slot_plan import SlotPlan

_LOGINS = tuple(LOGIN_OUTPUTS.values())
_UNKNOWN_SECRET = "unknown, because the state does not have it: a `reset` creates a new secret"  # noqa: S105 - none


@dataclass(frozen=True)
class RegisteredResource:
    """A resource, its source location in the specs, and the engine's response."""

    location: SourceLocation
    request: RegisterResourceRequest
    response: RegisterResourceResponse

    @property
    def name(self) -> str:
        """Return the resource's name."""
        return self.request.name

    @property
    def is_done(self) -> bool:
        """Return True if the resource neither failed nor was skipped."""
        return self.response.result == Result.SUCCESS and not self.response.unknown

    def is_left_out(self, reset: str | None) -> bool:
        """Return True if `--target` left the resource out, so that its outputs do not have this `reset` text."""
        fields = self.response.object.fields
        recorded = fields["reset"].string_value if "reset" in fields else None
        return self.response.result == Result.SUCCESS and recorded != reset

    @property
    def is_without_secret(self) -> bool:
        """Return True if the state does not have the password: it was delivered, or imported without it."""
        fields = self.response.object.fields
        return "credential_id" in fields and not any(name in fields for name in SECRETS)

    def _describe_secret(self) -> dict[str, Any]:
        """Return the ARN and version of a delivered secret, or the reason why the secret is unknown."""
        fields = self.response.object.fields
        if "delivery" in fields:
            return {"delivery": MessageToDict(fields["delivery"])}
        return {"secret": _UNKNOWN_SECRET} if self.is_without_secret else {}

    def public_outputs(self) -> dict[str, Any]:
        """Return the outputs of a credential that are not secret."""
        outputs = {"id": ("credential_id",), "user_name": _LOGINS, "status": ("status",)}
        return {output: self._output(*names) for output, names in outputs.items()} | self._describe_secret()

    def secret_output(self) -> Any:  # noqa: ANN401 - a secret as the protocol wraps it
        """Return the password or API key as a Pulumi secret; None if the state does not have it."""
        return None if self.is_without_secret else wrap_rpc_secret(self._output(*SECRETS))

    def previous_outputs(self, current: RegisteredResource, rotate: RotationPolicy | None) -> dict[str, Any]:
        """Return the outputs of a previous credential that are not secret; it works until its expiry or retirement."""
        outputs = self.public_outputs()
        ends = [self._read_date("expiration_date"), None if rotate is None else current.find_overlap_end(rotate)]
        known = [end for end in ends if end is not None]
        until: dict[str, Any] = {"valid_until": min(known).isoformat()} if known else {}
        if rotate is not None and not current.has_dates:
            until = {"valid_until": UNKNOWN}
        return {name: outputs[name] for name in ("id", "user_name")} | until

    def find_overlap_end(self, rotate: RotationPolicy) -> datetime | None:
        """Return the time until which the previous credential works, None if it is unknown."""
        issued = self._read_date("issued_at") or self._read_date("create_date")
        return None if issued is None else add_time(issued, timedelta(hours=rotate.overlap_hours))

    @property
    def has_dates(self) -> bool:
        """Return True if the response has a creation date, which a preview of a new credential lacks."""
        return "create_date" in self.response.object.fields

    def _read_date(self, name: str) -> datetime | None:
        fields = self.response.object.fields
        return find_date({name: fields[name].string_value}, name) if name in fields else None

    @property
    def is_retired(self) -> bool:
        """Return True if the credential is Inactive."""
        fields = self.response.object.fields
        return "status" in fields and fields["status"].string_value == Status.INACTIVE

    @property
    def rotation(self) -> int:
        """Return the number of predecessors of the credential."""
        fields = self.response.object.fields
        return int(fields["rotation"].number_value) if "rotation" in fields else 0

    def rejections(self) -> Iterator[RejectedResource]:
        """Return the reasons for which the provider rejects the resource in a preview."""
        if "refused" in self.response.object.fields:
            for sentence in self.response.object.fields["refused"].list_value.values:
                yield RejectedResource(self.location, f"{self.name}: {sentence.string_value}", self.response.urn)

    def _output(self, *names: str) -> Any:  # noqa: ANN401 - any property value
        """Return the output with the first of these names that exists, as in the protocol; else unknown."""
        fields = self.response.object.fields
        return next((MessageToDict(fields[name]) for name in names if name in fields), UNKNOWN)


def make_outputs(credentials: Iterable[RegisteredResource], plans: Mapping[str, SlotPlan]) -> dict[str, dict[str, Any]]:
    """Return the stack's outputs `credentials` and `secrets`; `plans` are those of credentials with successors."""
    slots = group_slots(credentials, plans)
    return {
        "credentials": {name: describe_slots(group, plans.get(name)) for name, group in slots.items()},
        "secrets": {name: current.secret_output() for name, (current, *_) in slots.items()},
    }


def group_slots(
    credentials: Iterable[RegisteredResource], plans: Mapping[str, SlotPlan]
) -> dict[str, list[RegisteredResource]]:
    """Return the slots of each credential by its declared name, the current one first.

    The outputs show the current one, and not the planned one: `--target` or a failure may have left out the latter. If
    the recorded current one failed, the previous one does not take its place.
    """
    groups: dict[str, list[RegisteredResource]] = defaultdict(list)
    for credential in credentials:
        groups[split_slot(credential.name)[0]].append(credential)
    ordered = {name: sorted(group, key=lambda each: -each.rotation) for name, group in groups.items()}
    return {
        name: group for name, group in ordered.items() if name not in plans or group[0].rotation >= plans[name].rotation
    }


def describe_slots(slots: Sequence[RegisteredResource], plan: SlotPlan | None) -> dict[str, Any]:
    """Return the outputs of a credential that are not secret, and those of the previous one while it works."""
    current, *others = slots
    is_kept = current.is_retired  # someone uses the previous one again, and no run retires it
    rotate = None if plan is None or is_kept else plan.slots[0].rotate
    previous = [each.previous_outputs(current, rotate) for each in others if not each.is_retired]
    return current.public_outputs() | ({"previous": previous[0]} if previous else {})
