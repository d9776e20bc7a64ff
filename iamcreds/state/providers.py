"""Detection of unknown code in a state that the engine would run; pure, and no part of the state is loaded.

A state contains code. The `__provider` of a dynamic resource is its pickled provider, which the SDK unpickles before
it calls iamcreds. For other resources, the state names the plugin that the engine starts. These texts are therefore
compared with the known ones, byte by byte.
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
"""The maximum size of a state: 100,000 resources of iamcreds need less."""

_PROTOCOLS = (4, 5)  # pickle's default up to Python 3.13, and since
_PLUGINS = frozenset({"pulumi", "pulumi-python"})  # the engine's, by which a program reads its state, and iamcreds's
_DYNAMIC = re.compile(r"pulumi-[\w-]+:dynamic[/:].*", re.DOTALL)
_PROVIDER = "pulumi:providers:"
_PLUGIN = re.compile(rf"{_PROVIDER}((?:(?!::|\$).)*)", re.DOTALL)
_DOWNLOADS = frozenset({"parameterization", "pluginDownloadURL"})
_UNKNOWN_PROVIDER = "its provider does not belong to iamcreds, so the engine would run unknown code"
_ROOTS = frozenset({"checkpoint", "deployment"})


def serialize_by_reference(module: str, name: str, protocol: int) -> str:
    """Return the SDK's text for a provider without attributes: the pickled reference to its class, in base64."""
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
"""The valid values of `__provider` in a state of iamcreds."""


@dataclass(frozen=True, order=True)
class ForeignCode:
    """Unknown code that a run would load; the URN of its resource is empty if it is outside of the resources."""

    urn: str
    reason: str


@dataclass(frozen=True)
class CheckedState:
    """The number of checked resources, and the unknown code in the state, sorted."""

    resources: int
    unmanaged: tuple[ForeignCode, ...]


def check_state(text: str, plugins: Collection[str] = (), settings: SecretsProvider | None = None) -> CheckedState:
    """Look for unknown code in the output of `pulumi stack export`, or in the state of a backend.

    Args:
        text: the whole document; only URNs of it are kept.
        plugins: further plugins that the program needs, such as `aws`.
        settings: the secrets provider of the stack's settings file, None without one.

    Raises:
        StateError: the text is not a state.
    """
    reading = _Reading(_PLUGINS.union(plugins), settings)
    try:
        document = json.loads(text, object_pairs_hook=reading.reduce, parse_int=float)
        reading.unmanaged.update(ForeignCode("", reason) for reason in reading.judge(document))
    except RecursionError:
        raise _make_error("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _make_error(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    if not reading.keys & _ROOTS:
        raise _make_error("it has neither a deployment nor a checkpoint")
    return CheckedState(reading.resources, tuple(sorted(reading.unmanaged)))


def _make_error(reason: str) -> StateError:
    return StateError(f"this is not the output of `pulumi stack export`: {reason}")


@dataclass(frozen=True)
class _Object:
    """An object of a state: the reasons to reject it, and the values for the checks of its parents.

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
"""The keys, in lower case because the engine ignores case, whose values determine secrets providers and plugins."""


@dataclass
class _Reading:
    """A reader of a state that reduces each object to its unknown code, from the innermost objects outwards.

    It checks keys and texts at every level of the document, so that it covers every object that the engine could read
    as a resource.
    """

    plugins: frozenset[str]
    settings: SecretsProvider | None = None
    unmanaged: set[ForeignCode] = field(default_factory=set)
    resources: int = 0
    keys: frozenset[str] = frozenset()  # of the latest object, which is the document at the end

    def reduce(self, pairs: list[tuple[str, object]]) -> _Object:
        """Reduce an object to the reasons to reject it; record those of a resource with its URN."""
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
        self.unmanaged.update(ForeignCode(urn, reason) for reason in reasons)
        return _Object(pairs=kept)

    def judge(self, value: object, key: str = "") -> Iterator[str]:
        """Yield the reasons to reject the value of a key. A list of a provider's dependencies is not a provider."""
        if key == "__provider":
            yield from _judge_provider(value)
        elif key in _DOWNLOADS:
            yield f"{key} names a plugin that the engine would download and run"
        elif key.casefold() == "secrets_providers" and value is not None:
            yield from self._judge_secrets(value)
        match value:
            case str():
                yield from self._judge_text(value)
            case _Object():
                yield from value.reasons
                if value.has_listed_provider and key != "propertyDependencies":
                    yield _UNKNOWN_PROVIDER
            case list():
                for item in value:
                    yield from self.judge(item)

    def _judge_text(self, text: str) -> Iterator[str]:
        if _DYNAMIC.fullmatch(text) and text not in PROVIDER_CLASSES:
            yield f"the type {text} does not belong to iamcreds"
        names = [text.removeprefix(_PROVIDER)] if text.startswith(_PROVIDER) else _PLUGIN.findall(text)
        yield from self._judge_plugins(names)

    def _judge_inputs(self, inputs: object) -> Iterator[str]:
        """Check the inputs of a provider: `__internal.name` names the plugin instead of the provider's type.

        The engine falls back to the inputs themselves if `__internal` is missing or null (GetProviderName in
        pkg/resource/deploy/providers). Each name is therefore checked, even if the engine does not use it.
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
        details = state.values() if isinstance(state, _Object) else None
        parsed = None if values is None or details is None else parse_state(values, details)
        if reason := judge_secrets_provider(parsed, self.settings):
            yield reason


def _judge_provider(value: object) -> Iterator[str]:
    match value:
        case str() if value in PROVIDERS:
            return
        case list() | None:  # checked by the key of the object that contains it
            return
        case _Object():  # an encrypted text in a state
            yield "its provider is encrypted, so the code that the engine would run is unknown"
        case _:
            yield _UNKNOWN_PROVIDER
