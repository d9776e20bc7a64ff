"""The initial files of a project.

They are templates of this package. A template with the suffix `.j2` is rendered, any other is copied. Files that this
repository uses itself (workflows, schema, `Pulumi.yaml`, `__main__.py`) are links; a wheel contains copies.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import metadata, resources
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from iamcreds.project.locked import read_locked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

_RENDERED = ".j2"
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""The prefixes of regions outside the partition `aws`, with their partitions (from botocore's endpoints)."""


@dataclass(frozen=True)
class Project:
    """The settings of a project.

    Attributes:
        account: 12 digits.
        region: the region in which the workflows assume their roles.
        stack: the name of the first stack.
        backend: the URL of the backend that keeps the state, empty for the current backend of Pulumi.
        extras: the extras of iamcreds that are installed.
        requirement: the line of requirements.txt that installs iamcreds, empty without a wheel.
    """

    account: str
    region: str
    stack: str
    backend: str = ""
    extras: tuple[str, ...] = ()
    requirement: str = ""

    @property
    def role_prefix(self) -> str:
        """The prefix of the ARNs of the workflows' roles."""
        partition = next((name for start, name in _PARTITIONS.items() if self.region.startswith(start)), "aws")
        return f"arn:{partition}:iam::{self.account}:role/iamcreds"


def make_files(project: Project) -> dict[str, str]:
    """Return the text of every file by its path in the project, sorted."""
    environment = Environment(
        loader=PackageLoader("iamcreds.project", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the templates are JSON and YAML, and quote by tojson
    )
    values = {
        **asdict(project),
        "role_prefix": project.role_prefix,
        "version": metadata.version("iamcreds"),
        "locked": read_locked(project.extras),
    }
    templates = resources.files("iamcreds.project") / "templates"
    return dict(sorted(_render(environment, values, path, file) for path, file in _walk(templates, "")))


def _walk(folder: Traversable, above: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry


def _render(environment: Environment, values: Mapping[str, object], path: str, file: Traversable) -> tuple[str, str]:
    if not path.endswith(_RENDERED):
        return path, file.read_text("utf-8")
    return path.removesuffix(_RENDERED), environment.get_template(f"templates/{path}").render(values)
