"""The repository of Argo CD: a Kubernetes Secret with the login to a CodeCommit repository; pure."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import yaml

_UNUSABLE = re.compile(r"[^a-z0-9]+")
_LONGEST = 40


class _Quoted(str):
    """A text that YAML always quotes: Kubernetes reads `1e3`, which PyYAML writes plain, as a number."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, with `_Quoted`."""


def _represent(dumper: yaml.SafeDumper, text: _Quoted) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_Dumper.add_representer(_Quoted, _represent)


def format_repository(url: str, login: str, password: str) -> str:
    """Return the Secret of a repository (Argo CD, "Declarative Setup", section "Repositories").

    It has no namespace, so `kubectl apply -n` selects it. Its name contains the repository and a digest of the URL.

    Args:
        url: the checked URL of the repository.
        login: the service user name.
        password: the password.
    """
    repository = _UNUSABLE.sub("-", url.rpartition("/")[2].lower())[:_LONGEST].strip("-")
    digest = hashlib.sha256(url.encode()).hexdigest()[:8]
    name = "-".join(filter(None, ("codecommit", repository, digest)))
    data = {"type": "git", "url": url, "username": login, "password": password}
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"argocd.argoproj.io/secret-type": "repository"}},
        "stringData": {key: _Quoted(text) for key, text in data.items()},
    }
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=float("inf"))
