"""What became of a resource that the specs declare, and what of it the stack's outputs have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.resource_pb2 import Result
from pulumi.runtime.rpc import UNKNOWN, wrap_rpc_secret

from iamcreds.pulumi_engine.outputs import SECRETS
from iamcreds.resource_types import CREDENTIAL_TYPE, IAM_USER_TYPE
from iamcreds.services import LOGIN_OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse

    from iamcreds.model import Place

_LOGINS = tuple(LOGIN_OUTPUTS.values())
_UNKNOWN_SECRET = "unknown, because it was adopted: a `reset` makes a new one"  # noqa: S105 - there is none


@dataclass(frozen=True)
class Registered:
    """A resource, where the specs declare it, and what the engine answered for it."""

    place: Place
    request: RegisterResourceRequest
    answer: RegisterResourceResponse

    @property
    def name(self) -> str:
        """The resource's name."""
        return self.request.name

    @property
    def is_credential(self) -> bool:
        """Whether it is one, and no watcher."""
        return self.request.type == CREDENTIAL_TYPE

    @property
    def is_iam_user(self) -> bool:
        """Whether it is an IAM user itself."""
        return self.request.type == IAM_USER_TYPE

    @property
    def is_made(self) -> bool:
        """Whether it is neither failed nor skipped."""
        return self.answer.result == Result.SUCCESS and not self.answer.unknown

    @property
    def is_without_secret(self) -> bool:
        """Whether it was adopted, and nobody has told its password."""
        fields = self.answer.object.fields
        return "credential_id" in fields and not any(name in fields for name in SECRETS)

    def public_outputs(self) -> dict[str, Any]:
        """What anybody may see of it."""
        outputs = {"id": ("credential_id",), "user_name": _LOGINS, "status": ("status",)}
        unknown = {"secret": _UNKNOWN_SECRET} if self.is_without_secret else {}
        return {output: self._output(*names) for output, names in outputs.items()} | unknown

    def secret_output(self) -> Any:  # noqa: ANN401 - a secret as the protocol wraps it
        """Its password or API key, a Pulumi secret; None of one that was adopted without it."""
        return None if self.is_without_secret else wrap_rpc_secret(self._output(*SECRETS))

    def refusals(self) -> Iterator[tuple[Place, str]]:
        """Why its provider refused it in a preview, and where it is declared."""
        if "refused" in self.answer.object.fields:
            for sentence in self.answer.object.fields["refused"].list_value.values:
                yield self.place, f"{self.name}: {sentence.string_value}"

    def _output(self, *names: str) -> Any:  # noqa: ANN401 - any property value
        """The output by the first of these names that it has, as the protocol has it; without one it is not known."""
        fields = self.answer.object.fields
        return next((MessageToDict(fields[name]) for name in names if name in fields), UNKNOWN)
