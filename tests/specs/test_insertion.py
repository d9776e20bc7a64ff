"""Ids inserted into the text of specs: every other byte stays, or nothing is inserted."""

from __future__ import annotations

import pytest
import yaml

from iamcreds.specs import composer
from iamcreds.specs.insertion import insert_ids

ID, OTHER = "ACCAEXAMPLE0000000001", "ACCAEXAMPLE0000000002"
IDS = {"jane/codecommit": ID}


def insert(text: str, ids: dict[str, str] = IDS) -> str | None:
    """The text with these ids."""
    return insert_ids("a.yaml", text, ids)


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either parser."""
    if request.param == "pure":
        monkeypatch.setattr(composer, "LOADER", yaml.SafeLoader)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_block(ending: str) -> None:
    """A block mapping gets a line below its service, with the file's own line ends, and keeps comments and order."""
    text = """\
# é \U0001f511 comment
users:
  jane:   # her
    credentials:
    -   service:   codecommit   # primary
        # a comment below
        protect: true

    - { service: bedrock }  # left
"""
    expected = text.replace("# primary\n", f"# primary\n        adopt: {ID}\n")
    assert insert(text.replace("\n", ending)) == expected.replace("\n", ending)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{service: codecommit}", f"{{service: codecommit, adopt: {ID}}}"),
        ("{ 'service': codecommit , status: Active }", f"{{ 'service': codecommit, adopt: {ID} , status: Active }}"),
        ("{protect: true, service: codecommit,}", f"{{protect: true, service: codecommit, adopt: {ID},}}"),
        ('{"service": "codecommit"}', f'{{"service": "codecommit", "adopt": "{ID}"}}'),
        ("{service: codecommit, # é\n reset: x}", f"{{service: codecommit, adopt: {ID}, # é\n reset: x}}"),
        ("&anchor {service: &name codecommit}", f"&anchor {{service: &name codecommit, adopt: {ID}}}"),
    ],
)  # fmt: skip
def test_flow(before: str, after: str) -> None:
    """A flow mapping gets the id behind its service, in quotes if its keys have them."""
    text = "users: {{joe: {{credentials: [{{service: logs, reset: é\U0001f511}}]}}, jane: {{credentials: [{}]}}}}"
    assert insert(text.format(before)) == text.format(after)


def test_owners_and_waivers() -> None:
    """Owners and waivers of users and credentials stay, also next to the inserted id."""
    waive = "waive: [{rule: no-expiry, reason: 'a, b', until: 2027-01-31}]"
    text = f"""\
users:
  jane:
    owner: mailto:team@example.com
    {waive}
    credentials:
      - service: codecommit
        owner: mailto:jane@example.com
        {waive}
"""
    assert insert(text) == text.replace("codecommit\n", f"codecommit\n        adopt: {ID}\n")


def test_end_of_file() -> None:
    """A file that ends without a line end ends so afterwards."""
    text = "users:\r\n  jane:\r\n    credentials:\r\n      - service: codecommit"
    assert insert(text) == f"{text}\r\n        adopt: {ID}"


def test_several() -> None:
    """Several credentials of a file get their ids; one that has an id keeps it."""
    has_one = "{service: keyspaces, adopt: ACCAEXAMPLE0000000003}"
    text = f"users: {{jane: {{credentials: [{{service: codecommit}}, {{service: logs}}, {has_one}]}}}}"
    expected = text.replace("codecommit", f"codecommit, adopt: {ID}").replace("logs", f"logs, adopt: {OTHER}")
    assert insert(text, IDS | {"jane/logs": OTHER}) == expected


def test_digits() -> None:
    """An id of digits is text."""
    digits = "0" * 20
    text = "users: {jane: {credentials: [{service: codecommit}]}}"
    changed = insert(text, {"jane/codecommit": digits})
    assert changed == text.replace("codecommit", f'codecommit, adopt: "{digits}"')


@pytest.mark.parametrize(
    "text",
    [
        "users: {jane: {credentials: [service: codecommit]}}",
        "users: {jane: {credentials: [&a {service: codecommit}]}, joe: {credentials: [*a]}}",
        "users: {jane: {credentials: [{? service : codecommit}]}}".replace("codecommit", "*x"),
        "users: {jane: {credentials: []}}",
        "users: {jane: {credentials: [{service: codecommit, adopt: ACCAEXAMPLE0000000009}]}}",
        "users: [",
    ],
    ids=["a pair without braces", "shared", "unknown alias", "changed since", "has one", "not YAML"],
)
def test_impossible(text: str) -> None:
    """Text that cannot get the id, or no longer declares the credential, gets nothing."""
    assert insert(text) is None


def test_explicit_key() -> None:
    """A key with a question mark gets its id or nothing, and never a different meaning."""
    changed = insert("users:\n  jane:\n    credentials:\n      - ? service\n        : codecommit\n")
    assert changed is None or f"adopt: {ID}" in changed
