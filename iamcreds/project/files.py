"""The files that a project begins with.

They are the package's templates: a name that ends in `.j2` is rendered, any other is taken as it is. What this
repository has itself (workflows, schema, `Pulumi.yaml`, `__main__.py`) is linked there and not copied; a wheel has it
whole.
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
"""What the regions of a partition begin with, of those that are not `aws` (botocore's endpoints)."""


@dataclass(frozen=True)
class Project:
    """What the files of a project depend on.

    Attributes:
        account: 12 digits.
        region: the region in which the workflows assume their roles.
        stack: the name of the first stack.
        backend: the URL of the backend that keeps the state, empty for the one that Pulumi is logged in to.
        extras: the extras of iamcreds that are installed.
        requirement: the line of requirements.txt that installs iamcreds, empty if there is no wheel yet.
    """

    account: str
    region: str
    stack: str
    backend: str = ""
    extras: tuple[str, ...] = ()
    requirement: str = ""

    @property
    def role_prefix(self) -> str:
        """What the ARNs of the workflows' roles begin with."""
        partition = next((name for start, name in _PARTITIONS.items() if self.region.startswith(start)), "aws")
        return f"arn:{partition}:iam::{self.account}:role/iamcreds"


def make_files(project: Project) -> dict[str, str]:
    """The text of every file, by its path in the project, sorted."""
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
