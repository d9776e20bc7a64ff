"""The strict parser of the output of `pulumi preview --json`; pure.

Engines 3.259 and 3.274 print one document, even if the preview fails. The steps of `refresh: always` come first and
have the state before the refresh. Unchanged resources have a step only with `--show-sames`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from iamcreds.errors import PreviewError
from iamcreds.resource_types import urn_name, urn_type
from iamcreds.services import SECRET_OUTPUTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEYS = frozenset({"config", "steps", "diagnostics", "duration", "changeSummary", "maybeCorrupt"})
SECRETS = frozenset({*SECRET_OUTPUTS.values(), "secrets", "password", "passwords"})
_POSITION = re.compile(r"project:///(.+)#([0-9]+)(?:,[0-9]+)?")
_SHORTEST_SECRET = 8
MASK = "[secret]"
"""The engine's placeholder for a secret."""


@dataclass(frozen=True)
class State:
    """The old or the new state of a resource in a step, with masked secrets.

    Attributes:
        urn: the URN.
        type: the resource type.
        inputs: the inputs.
        outputs: the outputs.
        is_protected: True if the resource has `protect`.
        location: the source location, such as `specs/jane.yaml:4`, or empty if the engine does not have it.
        is_retained: True if a deletion removes the resource only from the state.
        id: the id, or empty for a new resource.
        is_leaving: True for a replaced copy that has not been deleted yet.
    """

    urn: str
    type: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    is_protected: bool
    location: str = ""
    is_retained: bool = False
    id: str = ""
    is_leaving: bool = False

    @property
    def name(self) -> str:
        """The resource's name."""
        return urn_name(self.urn)


@dataclass(frozen=True)
class Step:
    """A step of the engine; `op` is its operation, such as `create`, `same` or `refresh`."""

    op: str
    urn: str
    old: State | None
    new: State | None
    reasons: tuple[str, ...]

    @property
    def name(self) -> str:
        """The resource's name."""
        return urn_name(self.urn)

    @property
    def type(self) -> str:
        """The resource's type."""
        return urn_type(self.urn)

    @property
    def state(self) -> State | None:
        """The new state or, for a deletion, the old one."""
        return self.new or self.old

    @property
    def location(self) -> str:
        """The source location or, of a deleted resource, the last one; empty if the engine does not have it."""
        return self.state.location if self.state else ""


@dataclass(frozen=True)
class Diagnostic:
    """A message of the engine, the program or a provider, with masked secrets."""

    severity: str
    message: str
    urn: str


@dataclass(frozen=True)
class Preview:
    """A preview; `summary` contains the number of resources by operation."""

    steps: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...]
    summary: Mapping[str, int]

    @property
    def stack(self) -> str:
        """The stack's name, or empty if the preview has no steps."""
        return next((step.urn.split("::")[0].removeprefix("urn:pulumi:") for step in self.steps), "")

    @property
    def project(self) -> str:
        """The project's name, or empty if the preview has no steps."""
        return next((step.urn.split("::")[1] for step in self.steps), "")


def parse_preview(text: str) -> Preview:
    """Parse a preview.

    Raises:
        PreviewError: the text is not a preview; the message has the reason.
    """
    try:
        return _read_preview(_load_document(text))
    except RecursionError:
        raise _make_error("it is nested too deeply") from None


def _read_preview(document: dict[str, Any]) -> Preview:
    unknown = sorted(document.keys() - _KEYS)
    if unknown or not document.keys() & {"steps", "diagnostics", "changeSummary"}:
        raise _make_error(f"it has the unknown key {unknown[0]!r}" if unknown else "it has neither steps nor a summary")
    secrets = sorted(set(_find_secrets(document)), key=len, reverse=True)
    diagnostics = [_read_diagnostic(diagnostic, secrets) for diagnostic in _read_objects(document, "diagnostics")]
    if document.get("maybeCorrupt"):
        diagnostics.append(Diagnostic("error", "the engine reports that the stack's state may be corrupt", ""))
    steps = map(_read_step, _read_objects(document, "steps"))
    return Preview(tuple(steps), tuple(diagnostics), _read_summary(document))


def _load_document(text: str) -> dict[str, Any]:
    if not text.strip():
        raise _make_error("it is empty. See the error that pulumi printed to standard error")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise _make_error(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(document, dict):
        raise _make_error("it is not a JSON object")
    return document


def _make_error(why: str) -> PreviewError:
    return PreviewError(f"this is not the output of `pulumi preview --json`: {why}")


def _read_objects(document: Mapping[str, Any], key: str) -> list[Any]:
    items = document.get(key) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _make_error(f"{key} is not a list of objects")
    return items


def _read_summary(document: Mapping[str, Any]) -> Mapping[str, int]:
    summary = document.get("changeSummary") or {}
    if not isinstance(summary, dict) or not all(type(number) is int for number in summary.values()):
        raise _make_error("changeSummary is not an object of numbers")
    return summary


def _read_step(step: Mapping[str, Any]) -> Step:
    old, new = _read_state(step.get("oldState")), _read_state(step.get("newState"))
    return Step(_read_text(step, "op"), _read_urn(step), old, new, tuple(_read_list(step, "replaceReasons")))


def _read_state(state: object) -> State | None:
    if state is None:
        return None
    if not isinstance(state, dict):
        raise _make_error("a state is not an object")
    inputs, outputs = state.get("inputs") or {}, state.get("outputs") or {}
    if not isinstance(inputs, dict) or not isinstance(outputs, dict):
        raise _make_error("a state's inputs or outputs are not an object")
    secret = SECRETS.union(_read_list(state, "additionalSecretOutputs"))
    inputs, outputs = (
        {key: MASK if key in secret else value for key, value in side.items()} for side in (inputs, outputs)
    )
    location = _read_location(state.get("sourcePosition"))
    return State(
        urn=_read_urn(state),
        type=_read_text(state, "type"),
        inputs=inputs,
        outputs=outputs,
        is_protected=bool(state.get("protect")),
        location=location,
        is_retained=bool(state.get("retainOnDelete")),
        id=_read_text(state, "id") if state.get("id") else "",
        is_leaving=bool(state.get("delete")),
    )


def _read_location(position: object) -> str:
    """Return the engine's `project:///specs/jane.yaml#4,9` as `specs/jane.yaml:4`."""
    match = _POSITION.fullmatch(position) if isinstance(position, str) else None
    return f"{unquote(match[1])}:{match[2]}" if match else ""


def _read_list(item: Mapping[str, Any], key: str) -> list[str]:
    items = item.get(key) or []
    if not isinstance(items, list):
        raise _make_error(f"{key} is not a list")
    return list(map(str, items))


def _read_urn(item: Mapping[str, Any]) -> str:
    urn = _read_text(item, "urn")
    if not urn.startswith("urn:pulumi:") or urn.count("::") < 3:  # noqa: PLR2004 - stack, project, type, name
        raise _make_error("a step has an invalid urn")
    return urn


def _read_text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise _make_error(f"a step or state has no {key}")
    return value


def _read_diagnostic(diagnostic: Mapping[str, Any], secrets: list[str]) -> Diagnostic:
    severity, message, urn = (diagnostic.get(key) or "" for key in ("severity", "message", "urn"))
    if not all(isinstance(text, str) for text in (severity, message, urn)):
        raise _make_error("a diagnostic is not text")
    for secret in secrets:
        message = message.replace(secret, MASK)
    return Diagnostic(severity, message.strip().removeprefix(f"{severity}: "), urn)


def _find_secrets(node: object, names: frozenset[str] = SECRETS, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the plaintext secrets of a preview with `--show-secrets`, which are then masked in messages."""
    match node:
        case dict():
            names = names.union(_read_list(node, "additionalSecretOutputs"))
            for key, value in node.items():
                yield from _find_secrets(value, names, is_secret=is_secret or key in names)
        case list():
            for value in node:
                yield from _find_secrets(value, names, is_secret=is_secret)
        case str() if is_secret and node != MASK and len(node) >= _SHORTEST_SECRET:
            yield node
