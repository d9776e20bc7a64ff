"""`iamcreds dump`: specs match the existing credentials, for all names, and no file is overwritten by accident."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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


@pytest.fixture
def jane(emulator: Emulator, iam: IAMClient) -> None:
    """Jane has a credential."""
    put(emulator, iam, "jane")


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
        "# Existing credentials, written by `iamcreds dump`. The first `pulumi up` imports each credential by its id,"
        ' unchanged.\n# Later, `adopt` has no effect, and you can keep or remove it.\naccount: "123456789012"\nusers:\n'
        "  jane:\n    credentials:\n      - service: codecommit\n        adopt: ACCA00000000000000000\n"
        "  joe:\n    credentials:\n      - service: codecommit\n        adopt: ACCA00000000000000001\n"
        "      - service: logs\n        adopt: ACCAEARLIER0000000000\n"
        "      - service: logs\n        name: second\n        status: Inactive\n        adopt: ACCALATER000000000000\n"
    )
    assert result.stderr == "2 users, 4 credentials\n"
    Path("all.yaml").write_text(result.stdout)
    assert run("validate", "all.yaml").stdout == "1 file, 2 users, 4 credentials\n"


@pytest.mark.parametrize(
    ("existing", "folder", "schema"),
    [
        (["Pulumi.yaml", "specs/schema.json"], "specs", "schema.json"),
        (["Pulumi.yaml", "specs/schema.json"], "specs/a/b", "../../schema.json"),
        (["Pulumi.yaml", "specs/schema.json"], "new", "../specs/schema.json"),
        (["specs/schema.json"], "specs", "schema.json"),
        (["schema.json"], "specs", None),
        (["Pulumi.yaml", "schema.json"], "specs", None),
        ([], "specs", None),
        (["Pulumi.yaml", "our specs/schema.json"], "our specs", "schema.json"),
        (["Pulumi.yaml", "specs/schema.json"], "specs/our team", "../schema.json"),
    ],
)
@pytest.mark.usefixtures("jane")
def test_schema_line(existing: list[str], folder: str, schema: str | None, run: Run) -> None:
    """A written spec names the schema of the project for editors if there is one, seen from its folder."""
    for name in existing:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert run("dump", "--to", folder).exit_code == 0
    first, *_ = (Path(folder) / "jane.yaml").read_text().splitlines()
    assert first.startswith("# Existing") if schema is None else first.endswith(f"-server: $schema={schema}")
    assert run("validate", folder).exit_code == 0


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
    assert "nothing was written, because specs/joe.yaml already exists" in result.stderr
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
    assert "neither the specs nor the account have user jone" in result.stderr


def test_expired(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """An expired credential is only a comment, and counted; its name is free, and users without others are omitted."""
    put(emulator, iam, "jane")
    iam.create_user(UserName="joe")
    past = {"created": "2020-01-01T00:00:00+00:00", "expires": "2020-03-31T00:00:00+00:00"}
    emulator.controls.put_credential("ACCAEXPIRED0000000000", "jane", CODECOMMIT, **past)
    emulator.controls.put_credential("ACCAEXPIRED0000000001", "joe", CODECOMMIT, **past)
    result = run("dump", "--to", "specs")
    assert result.stderr == "1 user, 1 credential; 2 expired credentials omitted\n"
    assert ids("specs") == {("jane", CODECOMMIT, "codecommit", "ACCA00000000000000000")}
    assert "# ACCAEXPIRED0000000000 for codecommit has expired and is omitted." in Path("specs/jane.yaml").read_text()


def test_expiry(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """A key with an expiry gets its lifetime, so that the import changes nothing and its successor expires as well."""
    iam.create_user(UserName="jane")
    for age in ({}, {"CredentialAgeDays": 45}):
        iam.create_service_specific_credential(UserName="jane", ServiceName="bedrock.amazonaws.com", **age)
        emulator.controls.set(clock_shift=60)
    assert run("dump", "--to", "specs").exit_code == 0
    assert Path("specs/jane.yaml").read_text().count("        expire: {after: 45d}\n") == 1
    assert sorted(str(each.expire_after_days) for user in load(Path("specs")).users for each in user.credentials) == [
        "45",
        "None",
    ]


@pytest.mark.parametrize(("hours", "family"), [(90 * 24 + 1, Family.API_KEY), (90 * 24, Family.PASSWORD)])
def test_expiry_that_specs_cannot_declare(hours: int, family: Family) -> None:
    """Only an endpoint other than AWS has such a lifetime: `dump` omits it, so that its specs are valid."""
    born = datetime(2026, 1, 1, tzinfo=UTC)
    odd = Credential("ACCA1", "jane", CODECOMMIT, Status.ACTIVE, born, family, "jane", born + timedelta(hours=hours))
    assert "expire" not in "".join(write_document("123456789012", [("jane", [odd])]))


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


INTO = """\
account: "123456789012"
users:
  jane:
    credentials:
      - service: codecommit  # her laptop
      - {service: bedrock}
  joe: {credentials: [{service: codecommit}]}
"""


def put_into(emulator: Emulator, iam: IAMClient) -> None:
    """Two credentials of jane, and two of joe, of which one is declared."""
    put(emulator, iam, "jane", "joe")
    emulator.controls.put_credential("ACCABEDROCK0000000000", "jane", "bedrock.amazonaws.com")
    emulator.controls.put_credential("ACCASECOND00000000000", "joe", CODECOMMIT)


def test_into(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """`--into` adds certain ids, lists undecided ones with their candidates (exit code 3), and keeps the rest."""
    put_into(emulator, iam)
    Path("specs").mkdir()
    file = Path("specs/team.yaml")
    file.write_bytes(b"\xef\xbb\xbf" + INTO.replace("\n", "\r\n").encode())
    file.chmod(0o640)
    emulator.controls.clear_counts()
    result = run("dump", "--into", "specs")
    assert result.exit_code == 3
    lines = result.stdout.splitlines()
    assert lines[:2] == [
        "specs/team.yaml:5:9: jane/codecommit: adopt: ACCA00000000000000000",
        "specs/team.yaml:6:9: jane/bedrock: adopt: ACCABEDROCK0000000000",
    ]
    assert lines[2].startswith(
        "specs/team.yaml:7:23: joe/codecommit: undecided, 1 declared and 2 existing credentials: ACCA"
    )
    assert lines[2].count("(Active, created on 20") == 2
    assert result.stderr.startswith("`adopt` added to 2 credentials, 1 undecided\n")
    expected = INTO.replace("# her laptop\n", "# her laptop\n        adopt: ACCA00000000000000000\n")
    expected = expected.replace("{service: bedrock}", "{service: bedrock, adopt: ACCABEDROCK0000000000}")
    assert file.read_bytes() == b"\xef\xbb\xbf" + expected.replace("\n", "\r\n").encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in Path("specs").iterdir()] == ["team.yaml"]
    assert not {name for name in emulator.controls.counts() if not name.startswith(("iam:List", "sts:", "iam:Get"))}


def test_into_again(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """A repetition adds nothing, reports this and exits 0, even through a link in the folder of the specs."""
    put(emulator, iam, "jane")
    Path("specs").mkdir()
    Path("specs/team.txt").write_text("users: {jane: {credentials: [{service: codecommit}]}}")
    Path("specs/team.yaml").symlink_to("team.txt")
    assert run("dump", "--into", "specs").exit_code == 0
    assert ids("specs") == {("jane", CODECOMMIT, "codecommit", "ACCA00000000000000000")}
    assert Path("specs/team.yaml").is_symlink()
    before = Path("specs/team.txt").read_text()
    again = run("dump", "--into", "specs")
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr == "nothing to add: none of the declared credentials without `adopt` exists\n"
    assert Path("specs/team.txt").read_text() == before


def test_into_narrowed(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """`--user` and `--service` narrow it."""
    put_into(emulator, iam)
    Path("team.yaml").write_text(INTO)
    assert run("dump", "--into", "team.yaml", "--user", "jane", "--service", "bedrock").exit_code == 0
    assert Path("team.yaml").read_text() == INTO.replace("bedrock}", "bedrock, adopt: ACCABEDROCK0000000000}")
    assert run("dump", "--into", "team.yaml", "--user", "jone").exit_code == 1


def test_into_shared_lines(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """Lines that an anchor shares cannot have the id of one user, and stay as they are."""
    put(emulator, iam, "jane", "joe")
    text = "users: {jane: {credentials: &all [{service: codecommit}]}, joe: {credentials: *all}}"
    Path("team.yaml").write_text(text)
    result = run("dump", "--into", "team.yaml")
    assert (result.exit_code, Path("team.yaml").read_text()) == (3, text)
    assert result.stdout.count("undecided, several credentials share these lines through an anchor: ACCA") == 2


def test_into_nothing_wrong(run: Run, emulator: Emulator, iam: IAMClient) -> None:
    """Specs of a different account, with problems or with other options stop it before anything is written."""
    put(emulator, iam, "jane")
    text = 'account: "999999999999"\nusers: {jane: {credentials: [{service: codecommit}]}}\n'
    Path("team.yaml").write_text(text)
    wrong = run("dump", "--into", "team.yaml")
    assert wrong.exit_code == 1
    assert "the specs are for account 999999999999" in wrong.stderr
    assert run("dump", "--into", "team.yaml", "--to", "specs").exit_code == 2
    assert run("dump", "--into", "nowhere.yaml").exit_code == 1
    assert Path("team.yaml").read_text() == text
    Path("team.yaml").write_text("users: [")
    assert run("dump", "--into", "team.yaml").exit_code == 1
    assert Path("team.yaml").read_text() == "users: ["


BEDROCK = "bedrock.amazonaws.com"


@pytest.fixture
def renewed(emulator: Emulator, iam: IAMClient) -> tuple[str, str]:
    """Jane has a renewed API key; return the ids of the previous and of the current one."""
    iam.create_user(UserName="jane")
    older, newer = "ACCAOLDER000000000000", "ACCANEWER000000000000"
    now = datetime.now(UTC).replace(microsecond=0)
    for credential_id, days in ((older, 80), (newer, 4)):
        created = now - timedelta(days=days)
        dates = {"created": created.isoformat(), "expires": (created + timedelta(days=90)).isoformat()}
        emulator.controls.put_credential(credential_id, "jane", BEDROCK, **dates)
    return older, newer


def test_renewed(run: Run, renewed: tuple[str, str]) -> None:
    """Both keys of a renewed credential are entries of their own, because specs cannot declare a previous one."""
    older, newer = renewed
    assert run("dump", "--to", "specs").exit_code == 0
    assert ids("specs") == {("jane", BEDROCK, "bedrock", older), ("jane", BEDROCK, "second", newer)}


def test_into_renewed(run: Run, renewed: tuple[str, str]) -> None:
    """A credential with `renewBefore` gets the id of the current key."""
    Path("specs").mkdir()
    Path("specs/a.yaml").write_text(
        "users: {jane: {credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 14d}}]}}\n"
    )
    done = run("dump", "--into", "specs")
    assert done.exit_code == 0, done.output
    assert ids("specs") == {("jane", BEDROCK, "bedrock", renewed[1])}
