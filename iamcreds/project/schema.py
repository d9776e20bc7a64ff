"""The location of the schema of specs for editors."""

from __future__ import annotations

import os
import re
from pathlib import Path

_ADDRESS = re.compile(r"[!-~]+")
"""A path that ends at the first space, as the YAML language server reads it."""


def find_schema(folder: Path) -> str | None:
    """Return the path of the schema relative to a folder of specs, None if there is none.

    The project is the nearest folder with a `Pulumi.yaml`. The schema is `schema.json` in the folder of specs or in a
    folder above it within the project, otherwise `specs/schema.json` of the project. Without a project, only the folder
    of specs is searched.
    """
    folder = Path(os.path.realpath(folder))
    project = next((parent for parent in (folder, *folder.parents) if _is_file(parent / "Pulumi.yaml")), None)
    between = [parent for parent in folder.parents if project in parent.parents]
    locations = [folder, *between, *([] if project is None else [project / "specs"])]
    schema = next((location / "schema.json" for location in locations if _is_file(location / "schema.json")), None)
    path = "" if schema is None else os.path.relpath(schema, folder)
    return path if _ADDRESS.fullmatch(path) else None


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises in a folder that may not be searched
