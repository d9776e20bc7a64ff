"""The digest of specs depends only on their declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iamcreds.specs import compute_digest, load

if TYPE_CHECKING:
    from pathlib import Path

JANE = """users:
  jane:
    iamUser: {tags: {place: Bonn}}
    credentials: [{service: codecommit, status: Active}]
"""


def compute(folder: Path, **files: str) -> str:
    """Compute the digest of these files."""
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return compute_digest(load(folder))


@pytest.mark.parametrize(
    "files",
    [
        {"z": JANE, "a": "users: {joe: {credentials: []}}"},
        {"one": f"# a comment\n{JANE}  joe:\n    credentials: []\n"},
        {"a": JANE.replace(" [{", "\n      - {").replace("}]", "}"), "b": "users: {joe: {credentials: []}}"},
    ],
)
def test_same_digest(tmp_path: Path, files: dict[str, str]) -> None:
    """File names, order, comments and layout do not matter."""
    expected = compute(tmp_path / "expected", a=JANE, b="users: {joe: {credentials: []}}")
    assert compute(tmp_path / "specs", **files) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Active", "Inactive"),
        ("jane", "Jane"),
        ("Bonn", "Berlin"),
        ("service: codecommit", "service: keyspaces"),
        ("status: Active", "status: Active, protect: true"),
        ("status: Active", "status: Active, reset: x"),
        ("status: Active", "status: Active, existing: adopt"),
        ("status: Active", "status: Active, adopt: ACCAEXAMPLE1234567890"),
        ("    credentials", "    unmanaged: delete\n    credentials"),
        ("    credentials", "    accessKeys: {max: 1}\n    credentials"),
        ("    credentials", "    credentialPolicy: {services: [codecommit]}\n    credentials"),
        ("status: Active", "rotate: {every: 30d, overlap: 7d}"),
        ("status: Active", "rotate: {trigger: x, overlap: 7d, notBefore: 2027-01-31}"),
        ("status: Active", "deliver: {ssm: {name: /jane}}"),
        ("users:", 'account: "123456789012"\nusers:'),
        ("users:", "defaults: {unmanaged: delete}\nusers:"),
        ("users:", "defaults: {rotation: {maxPerRun: 1}}\nusers:"),
    ],
)
def test_different_digest(tmp_path: Path, before: str, after: str) -> None:
    """Every declared value matters."""
    assert compute(tmp_path / "before", a=JANE) != compute(tmp_path / "after", a=JANE.replace(before, after, 1))


EVERY = """account: "123456789012"
defaults: {unmanaged: delete}
users:
  jane:
    iamUser: {tags: {place: Bonn}}
    accessKeys: {max: 1}
    credentials:
      - {service: codecommit, status: Active, reset: x, was: old}
      - {service: codecommit, name: spare, adopt: ACCAEXAMPLE1234567890}
  joe: {credentials: [{service: logs, existing: adopt, protect: true}]}
"""


def test_digest_of_earlier_versions(tmp_path: Path) -> None:
    """An upgrade does not change the digest, so plans that an earlier version approved stay valid (e56b5dd)."""
    expected = "455a8be7b1e78caf8d973a7688291a0dcf54f1816a80df2f60d57767d9759fe7"
    assert compute(tmp_path / "specs", a=EVERY) == expected


KEY = "users: {jane: {credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 14d}}]}}"


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        (", expire: {after: 90d, renewBefore: 14d}", "", False),
        (", renewBefore: 14d", "", False),
        ("90d", "91d", False),
        ("14d", "13d", False),
        ("14d", "2w", True),
    ],
)
def test_digest_of_expiry(tmp_path: Path, before: str, after: str, *, is_same: bool) -> None:
    """A declared lifetime or renewal matters, in whatever unit."""
    digests = compute(tmp_path / "before", a=KEY), compute(tmp_path / "after", a=KEY.replace(before, after))
    assert (digests[0] == digests[1]) is is_same


ROTATED = """users:
  jane:
    credentials:
      - service: keyspaces
        rotate: {every: 90d, overlap: 7d, retireWhen: {read: true, by: 14d}}
        deliver: {secretsManager: {name: keys, region: eu-west-1}}
"""


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        (", retireWhen: {read: true, by: 14d}", "", False),
        ("by: 14d", "by: 15d", False),
        ("by: 14d", "by: 2w", True),
        ("name: keys", "name: key", False),
        (", region: eu-west-1", "", False),
        ("eu-west-1}", "eu-west-1, kmsKeyId: alias/creds}", False),
        ("eu-west-1}", "eu-west-1, tags: {team: payments}}", False),
        ("eu-west-1}", "eu-west-1, resourcePolicy: user}", False),
        ("eu-west-1}", "eu-west-1, deleteSecret: true}", False),
        ("eu-west-1}", "eu-west-1, deleteSecret: false, tags: {}}", True),
        ("eu-west-1}}", "eu-west-1}, keepInState: true}", False),
        ("eu-west-1}}", "eu-west-1}, keepInState: false}", True),
    ],
)
def test_digest_of_delivery(tmp_path: Path, before: str, after: str, *, is_same: bool) -> None:
    """Every field of a delivery and the latest retirement matter, except for explicit defaults."""
    digests = compute(tmp_path / "before", a=ROTATED), compute(tmp_path / "after", a=ROTATED.replace(before, after))
    assert (digests[0] == digests[1]) is is_same


WAIVED = """users:
  jane:
    owner: mailto:team@example.com
    waive: [{rule: access-key-idle, reason: vendor, until: 2027-01-31}]
    credentials:
      - {service: codecommit, waive: [{rule: no-expiry, reason: vendor, until: 2027-01-31}]}
"""


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [
        ("    owner: mailto:team@example.com\n", "", False),
        ("team@", "teams@", False),
        ("codecommit, ", "codecommit, owner: mailto:jane@example.com, ", False),
        ("codecommit, ", "codecommit, owner: mailto:team@example.com, ", True),
        (", waive: [{rule: no-expiry, reason: vendor, until: 2027-01-31}]", "", False),
        (", waive: [{rule: no-expiry, reason: vendor, until: 2027-01-31}]", ", waive: []", False),
        ("rule: access-key-idle", "rule: access-key-too-old", False),
        ("reason: vendor", "reason: vendors", False),
        ("2027-01-31", "2027-02-28", False),
        ("2027-01-31", '"2027-01-31"', True),
        ("    waive: [", "    # moved\n    waive: [", True),
    ],
)
def test_digest_of_owners_and_waivers(tmp_path: Path, before: str, after: str, *, is_same: bool) -> None:
    """Declared owners and waivers matter, and their source locations do not."""
    digests = compute(tmp_path / "before", a=WAIVED), compute(tmp_path / "after", a=WAIVED.replace(before, after, 1))
    assert (digests[0] == digests[1]) is is_same


def test_digest_without_owners_and_waivers(tmp_path: Path) -> None:
    """Empty waivers are equal to none, so that the digest of specs without them stays the same."""
    digest = compute(tmp_path / "before", a=JANE)
    assert compute(tmp_path / "after", a=JANE.replace("    credentials", "    waive: []\n    credentials")) == digest
