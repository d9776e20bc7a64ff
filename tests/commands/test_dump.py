"""`iamcreds dump`: specs match the existing credentials, for all names, and no file is overwritten by accident."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iamcreds.model import Credential, Status
from iamcreds.services import Family
from iamcreds.specs import load
from iamcreds.specs.dump import name_file, split_by_user, write_document

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.commands.conftest import Run

CODECOMMIT = "codecommit.amazonaws.com"
HOSTILE = [".jane", "null", "-x", "@home", "1e3", "a=b", "+", "On", "y", "%".replace("%", "_.jane"), "x,y", "123"]


def ids(specs: str) -> set[tuple[str, str, str, str | None]]:
    """Return user, service, name and id of each declared credential."""
    desired = load(Path(specs))
    return {
        (user.name, wanted.service, wanted.name, wanted.adopt) for user in desired.users for wanted in user.credentials
    }


def put(emulator: Emulator, iam: IAMClient, *users: str) -> None:
    """Create users, each with a credential whose id contains the number of the user."""
    for number, user in enumerate(users):
        iam.create_user(UserName=user)
        emulator.controls.put_credential(f"ACCA{number:017}", user, CODECOMMIT)


@pytest.mark.parametrize("all_users", [True, False])
def test_document(run: Run, emulator: Emulator, iam: IAMClient, *, all_users: bool) -> None:
    """One document has all credentials, with statuses and second names, but not users without credentials.

    If an endpoint cannot list all users at once, each user is read separately.
    """
    put(emulator, iam, "jane", "joe")
    iam.create_user(UserName="nobody")
    later = "2026-01-01T00:00:00+00:00"
    earlier = "2025-01-01T00:00:00+00:00"
    emulator.controls.put_credential("ACCAEARLIER0000000000", "joe", "logs.amazonaws.com", created=earlier)
    emulator.controls.put_credential(
        "ACCALATER000000000000", "joe", "logs.amazonaws.com", created=later, status="Inactive"
    )
    emulator.controls.set(all_users=all_users)
    result = run("dump")
    assert result.exit_code == 0
    assert result.stdout == (
        "# What is live, written by `iamcreds dump`. The first `pulumi up` takes each credential over by its id, as it"
        ' is; later\n# `adopt` changes nothing, and may stay or go.\naccount: "123456789012"\nusers:\n'
        "  jane:\n    credentials:\n      - service: codecommit\n        adopt: ACCA00000000000000000\n"
        "  joe:\n    credentials:\n      - service: codecommit\n        adopt: ACCA00000000000000001\n"
        "      - service: logs\n        adopt: ACCAEARLIER0000000000\n"
        "      - service: logs\n        name: second\n        status: Inactive\n        adopt: ACCALATER000000000000\n"
    )
    assert result.stderr == "2 users, 4 credentials\n"
    Path("all.yaml").write_text(result.stdout)
    assert run("validate", "all.yaml").stdout == "1 file, 2 users, 4 credentials\n"


def test_files_of_any_names(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """The file of each user can be read again, whatever YAML or a file system does with the name."""
    put(emulator, iam, *HOSTILE)
    assert run("dump", "--to", "specs/team").exit_code == 0
    assert len(list(Path("specs/team").iterdir())) == len(HOSTILE)
    validated = run("validate", "specs")
    assert (validated.exit_code, validated.stdout) == (0, "12 files, 12 users, 12 credentials\n")
    assert ids("specs") == {
        (user, CODECOMMIT, "codecommit", f"ACCA{number:017}") for number, user in enumerate(HOSTILE)
    }


def test_never_overwrites(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """An existing file stops the command before it writes anything, unless `--overwrite` is set; the error names it."""
    put(emulator, iam, "jane", "joe")
    Path("specs").mkdir()
    Path("specs/joe.yaml").write_text("mine")
    result = run("dump", "--to", "specs")
    assert result.exit_code == 1
    assert "specs/joe.yaml is there already, and nothing was written" in result.stderr
    assert [path.name for path in Path("specs").iterdir()] == ["joe.yaml"]
    assert Path("specs/joe.yaml").read_text() == "mine"
    assert run("dump", "--to", "specs", "--overwrite").exit_code == 0
    assert len(ids("specs")) == 2
    refused = run("dump", "--to", "specs/joe.yaml")
    assert refused.exit_code == 1
    assert "cannot write specs/joe.yaml" in refused.stderr


def test_follows_no_link(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """`--overwrite` does not write through a link, because its target may belong to a different user."""
    put(emulator, iam, "jane")
    Path("specs").mkdir()
    Path("specs/jane.yaml").symlink_to("elsewhere")
    refused = run("dump", "--to", "specs", "--overwrite")
    assert "specs/jane.yaml: it is a symbolic link, which another user may have created" in refused.stderr
    assert not Path("specs/elsewhere").exists()


def test_filters(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """The output has only the selected users and services; one that does not exist is an error."""
    put(emulator, iam, "jane", "joe")
    emulator.controls.put_credential("ACCALOGS0000000000000", "joe", "logs.amazonaws.com")
    assert run("dump", "--user", "joe", "--service", "logs", "--to", "specs").stderr == "1 user, 1 credential\n"
    assert ids("specs") == {("joe", "logs.amazonaws.com", "logs", "ACCALOGS0000000000000")}
    result = run("dump", "--user", "jone")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "neither the specs nor the account know user jone" in result.stderr


def test_expired(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """An expired credential is only a comment, and counted; its name is free, and users without others are omitted."""
    put(emulator, iam, "jane")
    iam.create_user(UserName="joe")
    past = {"created": "2020-01-01T00:00:00+00:00", "expires": "2020-03-31T00:00:00+00:00"}
    emulator.controls.put_credential("ACCAEXPIRED0000000000", "jane", CODECOMMIT, **past)
    emulator.controls.put_credential("ACCAEXPIRED0000000001", "joe", CODECOMMIT, **past)
    result = run("dump", "--to", "specs")
    assert result.stderr == "1 user, 1 credential; 2 expired credentials left out\n"
    assert ids("specs") == {("jane", CODECOMMIT, "codecommit", "ACCA00000000000000000")}
    assert "# ACCAEXPIRED0000000000 for codecommit has expired, and is left out." in Path("specs/jane.yaml").read_text()


def test_names_of_an_endpoint_of_another_make() -> None:
    """Whatever names an endpoint sends, each user has a file in the folder, and no name becomes YAML."""
    names = ["../x", "a/b", "a\nb", "..", "%2Ejane", ".jane"]
    files = [name_file(name) for name in names]
    assert len({*files}) == len(names)
    assert not [name for name in files if "/" in name or name.startswith(".") or not name.isprintable()]
    born = datetime(2026, 1, 1, tzinfo=UTC)
    odd = "x\nusers: {}"
    written = [
        Credential(odd, odd, odd, status, born, Family.PASSWORD, odd) for status in (Status.ACTIVE, Status.EXPIRED)
    ]
    text = "".join(write_document(odd, split_by_user(written)))
    assert text.count("\nusers:") == 1
    assert text.count("\n#") == 1


@pytest.mark.usefixtures("emulator")
def test_nothing_live(run: Run) -> None:
    """An account without credentials results in a document without users, and in no file."""
    result = run("dump")
    assert (result.exit_code, result.stderr) == (0, "0 users, 0 credentials\n")
    assert result.stdout.endswith('account: "123456789012"\nusers: {}\n')
    assert run("dump", "--to", "specs").exit_code == 0
    assert list(Path("specs").iterdir()) == []
