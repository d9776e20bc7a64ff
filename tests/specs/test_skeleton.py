"""The spec skeleton that `iamcreds skeleton` prints."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.delivery import Delivery
from iamcreds.desired import Retire, RotationPolicy
from iamcreds.specs import load
from iamcreds.specs.schema import SCHEMA
from tools.documents import meaning

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (Path(__file__).parents[2] / "iamcreds" / "specs" / "skeleton.yaml").read_text("utf-8")
COMMENTED_FIELD = re.compile("^( *)#(?=(- )?[^ ]*:)", re.MULTILINE)
PROSE = " ".join(re.sub("(?m)^ *# ?", "", TEXT).split())


def fields(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    """Yield every field of the schema: its name and its definition."""
    for name, field in schema.get("properties", {}).items():
        whole = SCHEMA["$defs"][field["$ref"].rpartition("/")[2]] | field if "$ref" in field else field
        yield name, whole
        for part in (whole, whole.get("items", {}), whole.get("additionalProperties", {})):
            if isinstance(part, dict):
                target = SCHEMA["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
                yield from fields(target)


FIELDS = list(fields(SCHEMA))


def test_validates(tmp_path: Path) -> None:
    """`iamcreds validate` accepts the output of `iamcreds skeleton`, and only warns about the missing account."""
    runner = CliRunner()
    path = tmp_path / "jane.yaml"
    printed = runner.invoke(main, ["skeleton"])
    assert (printed.exit_code, printed.stdout) == (0, TEXT)
    path.write_text(printed.stdout, "utf-8")
    result = runner.invoke(main, ["validate", str(path)])
    assert result.exit_code == 0
    assert re.findall(r"\[([a-z-]+)\]$|^(1 file, .*)$", result.output, re.MULTILINE) == [
        ("no-account", ""),
        ("", "1 file, 1 user, 1 credential"),
    ]


def test_every_field_can_be_used(tmp_path: Path) -> None:
    """With every commented field in use, the skeleton is still valid, without a warning."""
    path = tmp_path / "jane.yaml"
    path.write_text(COMMENTED_FIELD.sub(r"\1", TEXT), "utf-8")
    desired = load(path)
    assert desired.warnings == ()
    assert desired.account == "123456789012"
    key, rotated, credential = desired.users[0].credentials
    assert (credential.name, credential.was, credential.protect) == ("primary", "spare", True)
    assert (key.expire_after_days, key.renew_before_hours) == (90, 14 * 24)
    until = datetime(2027, 1, 31, tzinfo=UTC)
    assert rotated.rotate == RotationPolicy(7 * 24, 90 * 24, Retire.DEACTIVATE, until, 30 * 24)
    secret = Delivery("secrets_manager", "keyspaces/jane", "eu-west-1", "alias/creds", {"team": "payments"}, "user")
    assert rotated.deliver == replace(secret, delete_secret=True, keep_in_state=True)
    parameter = Delivery("ssm", "/bedrock/jane", "eu-west-1", "alias/creds", {"team": "payments"}, delete_secret=True)
    assert key.deliver == parameter
    assert (rotated.trigger, desired.max_rotations) == ("2027-01 new vault", 50)
    assert desired.users[0].access_keys is not None
    assert desired.users[0].credential_policy is not None


def test_whole_float(tmp_path: Path) -> None:
    """A limit that YAML reads as a float with a whole value is a whole number for the plan."""
    path = tmp_path / "jane.yaml"
    path.write_text("defaults: {rotation: {maxPerRun: 1e1}}\nusers: {jane: {credentials: []}}\n", "utf-8")
    limit = load(path).max_rotations
    assert (limit, type(limit)) == (10, int)


@pytest.mark.parametrize("name", sorted({name for name, _ in FIELDS}))
def test_fields(name: str) -> None:
    """The skeleton contains every field."""
    assert re.search(f"^ *#?(- )?{name}:", TEXT, re.MULTILINE)


def test_descriptions() -> None:
    """Each field has its description, choices, bounds and default once, as in the schema."""
    meanings = {meaning(field) for _, field in FIELDS}
    assert len(meanings) > 10
    assert {text: PROSE.count(text) for text in meanings} == dict.fromkeys(meanings, 1)


def test_lines_are_short() -> None:
    """No line exceeds the width of a reader's window."""
    assert max(map(len, TEXT.splitlines())) <= 100


def test_modeline() -> None:
    """The first line refers to the schema, at a configurable location."""
    assert TEXT.startswith("# yaml-language-server: $schema=schema.json\n")
    other = CliRunner().invoke(main, ["skeleton", "--schema", "https://example.com/schema.json"])
    assert other.stdout.startswith("# yaml-language-server: $schema=https://example.com/schema.json\n")


@pytest.mark.parametrize("address", ["", "a b", "a\nusers: {}"])
def test_modeline_is_one_line(address: str) -> None:
    """An address with a space or a line break is rejected."""
    result = CliRunner().invoke(main, ["skeleton", "--schema", address])
    assert result.exit_code == 2
    assert "is not a path or URL without spaces" in result.stderr


def test_example_is_the_schema_of_the_examples() -> None:
    """The modeline of the skeleton is that of the examples in `specs/`, so that it can be placed next to them."""
    examples = Path(__file__).parents[2] / "specs"
    first = {path.read_text("utf-8").partition("\n")[0] for path in examples.glob("*.yaml")}
    assert first == {TEXT.partition("\n")[0]}
