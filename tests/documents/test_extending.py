"""The number of files that an extension changes, by an example of each kind that docs/adding.md describes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("iamcreds/**/*.py", "dynamic_providers/*.py", "iamcreds/specs/*.yaml", "specs/schema.json")


@pytest.mark.parametrize(
    ("example", "files"),
    [
        pytest.param("xray", {"iamcreds/services.py", "specs/schema.json"}, id="service"),
        pytest.param("completion", {"iamcreds/cli.py", "iamcreds/commands/completion.py"}, id="command"),
        pytest.param(
            "format_markdown", {"iamcreds/commands/drift.py", "iamcreds/report/markdown.py"}, id="output format"
        ),
        pytest.param(
            "UNMANAGED_CREDENTIALS_TYPE|UnmanagedCredentials",
            {
                "dynamic_providers/unmanaged_credentials.py",
                "iamcreds/pull_request/unmanaged_changes.py",
                "iamcreds/pulumi_engine/registration.py",
                "iamcreds/resource_types.py",
            },
            id="resource type",
        ),
        pytest.param(
            "permissionsBoundary|permissions_boundary=|    permissions_boundary:",
            {
                "iamcreds/desired.py",
                "iamcreds/pulumi_engine/requests.py",
                "iamcreds/specs/reading.py",
                "iamcreds/specs/skeleton.yaml",
                "specs/schema.json",
            },
            id="spec field",
        ),
        pytest.param(
            "PARAMETER_STORE|class ParameterStore\\b",
            {
                "iamcreds/commands/_stored_secret.py",
                "iamcreds/delivery.py",
                "iamcreds/emulator/stores/parameter_store.py",
                "iamcreds/policies/store_operations.py",
                "iamcreds/specs/delivery.py",
                "iamcreds/specs/secret_names.py",
                "iamcreds/stores/deliveries.py",
                "iamcreds/stores/parameter_store.py",
            },
            id="secret store",
        ),
        pytest.param(
            "TooManyAccessKeys|too-many-access-keys",
            {"iamcreds/drift/rules/access_key_limits.py", "specs/schema.json"},
            id="drift rule",
        ),
    ],
)
def test_files_of_an_extension(example: str, files: set[str]) -> None:
    """Only these files of the product contain the example."""
    sources = (path for pattern in SOURCES for path in ROOT.glob(pattern))
    assert {str(path.relative_to(ROOT)) for path in sources if re.search(example, path.read_text())} == files
