"""Whose code the engine would run for what a state holds; pure, and nothing of the state is loaded.

A state is code: with every dynamic resource it keeps, as `__provider`, what Python's pickle makes of its provider, and
the SDK loads that in the next run before anything of ours is asked; for every other resource it names the plugin that
the engine starts. So these texts are compared with our own, byte by byte.
"""

from __future__ import annotations

import base64
import json
import pickle
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iamcreds.errors import StateError
from iamcreds.resource_types import PROVIDER_CLASSES
from iamcreds.state.secrets_provider import judge_secrets_provider, parse_state

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from iamcreds.state.secrets_provider import SecretsProvider

MAX_BYTES = 256 << 20
"""The longest state that is read: 100,000 resources of ours take less."""

_PROTOCOLS = (4, 5)  # pickle's own default up to Python 3.13, and since
_PLUGINS = frozenset({"pulumi", "pulumi-python"})  # the engine's own, by which the program reads its state, and ours
_DYNAMIC = re.compile(r"pulumi-[\w-]+:dynamic[/:].*", re.DOTALL)
_PROVIDER = "pulumi:providers:"
_PLUGIN = re.compile(rf"{_PROVIDER}((?:(?!::|\$).)*)", re.DOTALL)
_DOWNLOADS = frozenset({"parameterization", "pluginDownloadURL"})
_UNKNOWN_PROVIDER = "its provider is none of iamcreds, and whatever code it names would be run"
_ROOTS = frozenset({"checkpoint", "deployment"})


def serialize_by_reference(module: str, name: str, protocol: int) -> str:
    """What Pulumi's SDK records of a provider that keeps nothing: the name of its class, pickled, in base64."""
    words = b"".join(
        pickle.SHORT_BINUNICODE + bytes([len(word)]) + word.encode() + pickle.MEMOIZE for word in (module, name)
    )
    instance = pickle.STACK_GLOBAL + pickle.MEMOIZE + pickle.EMPTY_TUPLE + pickle.NEWOBJ + pickle.MEMOIZE
    body = words + instance + pickle.STOP
    frame = pickle.FRAME + len(body).to_bytes(8, "little")
    return base64.b64encode(pickle.PROTO + bytes([protocol]) + frame + body).decode()


PROVIDERS = frozenset(
    serialize_by_reference(module, name, protocol)
    for module, name in PROVIDER_CLASSES.values()
    for protocol in _PROTOCOLS
)
"""Every text that a state of ours may have as `__provider`."""


@dataclass(frozen=True, order=True)
class ForeignCode:
    """Code that is not ours and that a run would load for a resource; without a URN it stands beside the resources."""

    urn: str
    reason: str


@dataclass(frozen=True)
class CheckedState:
    """How many resources were looked at, and what foreign code was found, sorted."""

    resources: int
    foreign: tuple[ForeignCode, ...]


def check_state(text: str, plugins: Collection[str] = (), settings: SecretsProvider | None = None) -> CheckedState:
    """Look for code that is not ours in `pulumi stack export`, or in a state as a backend keeps it.

    Args:
        text: the whole document; no part of it is kept but URNs.
        plugins: those that a program beside the specs needs, such as `aws`.
        settings: the secrets provider of the stack's settings file, None without one.

    Raises:
        StateError: it is no state.
    """
    reading = _Reading(_PLUGINS.union(plugins), settings)
    try:
        beside = json.loads(text, object_pairs_hook=reading.reduce, parse_int=float)
        reading.foreign.update(ForeignCode("", reason) for reason in reading.judge(beside))
    except RecursionError:
        raise _make_error("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _make_error(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not reading.keys & _ROOTS:
        raise _make_error("it has neither a deployment nor a checkpoint")
    return CheckedState(reading.resources, tuple(sorted(reading.foreign)))


def _make_error(why: str) -> StateError:
    return StateError(f"this is not what `pulumi stack export` prints: {why}")


@dataclass(frozen=True)
class _Object:
    """An object of a state: the reasons to reject it, and the values by which its parents are judged.

    Attributes:
        reasons: empty for a resource, whose reasons are recorded with its URN.
        pairs: keys in lower case with their values, repeated keys included; of the keys in `_KEPT` only.
        has_listed_provider: `__provider` is a list or null, which only `propertyDependencies` may have.
    """

    reasons: tuple[str, ...] = ()
    pairs: tuple[tuple[str, object], ...] = ()
    has_listed_provider: bool = False

    def find(self, key: str) -> Iterator[object]:
        """Yield each value of a key."""
        return (value for name, value in self.pairs if name == key)

    def values(self) -> dict[str, object] | None:
        """Return the values by key; None if a key is repeated, because readers disagree on the value that counts."""
        values = dict(self.pairs)
        return values if len(values) == len(self.pairs) else None


_KEPT = frozenset({"__internal", "encryptedkey", "name", "salt", "state", "type", "url"})
"""Keys, without case as the engine reads them, whose values decide about secrets providers and plugins."""


@dataclass
class _Reading:
    """Reads a state object by object from within, each of which becomes no more than what is foreign in it.

    It goes by keys and words wherever they stand, not by places: whatever another reader takes for a resource is seen.
    """

    plugins: frozenset[str]
    settings: SecretsProvider | None = None
    foreign: set[ForeignCode] = field(default_factory=set)
    resources: int = 0
    keys: frozenset[str] = frozenset()  # of the object read last, which in the end is the document

    def reduce(self, pairs: list[tuple[str, object]]) -> _Object:
        """Why an object is foreign; that of a resource is noted down with its URN."""
        self.keys = frozenset(key for key, _ in pairs)
        reasons = [reason for key, value in pairs for reason in self.judge(value, key)]
        if any(isinstance(value, str) and _PROVIDER in value for _, value in pairs):
            reasons += [reason for _, value in pairs for reason in self._judge_inputs(value)]
        is_listed = any(key == "__provider" and (value is None or isinstance(value, list)) for key, value in pairs)
        kept = tuple((key.casefold(), value) for key, value in pairs if key.casefold() in _KEPT)
        urn = next((value for key, value in pairs if key == "urn" and isinstance(value, str)), None)
        if urn is None:
            return _Object(tuple(reasons), kept, is_listed)
        reasons += [_UNKNOWN_PROVIDER] if is_listed else []
        self.resources += 1
        self.foreign.update(ForeignCode(urn, reason) for reason in reasons)
        return _Object(pairs=kept)

    def judge(self, value: object, key: str = "") -> Iterator[str]:
        """Why what stands under a key is foreign; a list of what a provider depends on is no provider."""
        if key == "__provider":
            yield from _judge_provider(value)
        elif key in _DOWNLOADS:
            yield f"{key} names a plugin that the engine would fetch and run"
        elif key.casefold() == "secrets_providers" and value is not None:
            yield from self._judge_secrets(value)
        match value:
            case str():
                yield from self._judge_word(value)
            case _Object():
                yield from value.reasons
                if value.has_listed_provider and key != "propertyDependencies":
                    yield _UNKNOWN_PROVIDER
            case list():
                for item in value:
                    yield from self.judge(item)

    def _judge_word(self, text: str) -> Iterator[str]:
        if _DYNAMIC.fullmatch(text) and text not in PROVIDER_CLASSES:
            yield f"the type {text} is none of iamcreds"
        names = [text.removeprefix(_PROVIDER)] if text.startswith(_PROVIDER) else _PLUGIN.findall(text)
        yield from self._judge_plugins(names)

    def _judge_inputs(self, inputs: object) -> Iterator[str]:
        """Judge the inputs of a provider, whose `__internal.name` names the plugin instead of the provider's type.

        The engine falls back to the inputs themselves if `__internal` is missing or null (GetProviderName in
        pkg/resource/deploy/providers). So each name is judged, whichever of them counts.
        """
        if isinstance(inputs, _Object):
            internal = [value for value in inputs.find("__internal") if isinstance(value, _Object)]
            names = [name for values in (inputs, *internal) for name in values.find("name")]
            yield from self._judge_plugins(name for name in names if isinstance(name, str))

    def _judge_plugins(self, names: Iterable[str]) -> Iterator[str]:
        for name in names:
            if name not in self.plugins:
                yield f"the engine would run the plugin {name}"

    def _judge_secrets(self, provider: object) -> Iterator[str]:
        values = provider.values() if isinstance(provider, _Object) else None
        state = values.get("state") if values else None
        found = state.values() if isinstance(state, _Object) else None
        read = None if values is None or found is None else parse_state(values, found)
        if reason := judge_secrets_provider(read, self.settings):
            yield reason


def _judge_provider(value: object) -> Iterator[str]:
    match value:
        case str() if value in PROVIDERS:
            return
        case list() | None:  # judged by the key of the object that has it
            return
        case _Object():  # which is how a state has an encrypted text
            yield "its provider is encrypted, so nobody can tell what would be run"
        case _:
            yield _UNKNOWN_PROVIDER
