"""The meaning of specs: each file in specs/valid and specs/invalid is a case, with its expected output next to it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from iamcreds.cli import main
from iamcreds.delivery import Delivery
from iamcreds.desired import (
    AccessKeyPolicy,
    CredentialPolicy,
    Desired,
    DesiredCredential,
    DesiredIamUser,
    DesiredUser,
    Waiver,
)
from iamcreds.errors import SpecsError
from iamcreds.model import Existing, SourceLocation, Status, Unmanaged
from iamcreds.specs import RULES, composer, load

CASES = Path(__file__).parent
VALID = sorted(path.name for path in (CASES / "valid").iterdir() if path.suffix != ".expected")
INVALID = sorted(path.name for path in (CASES / "invalid").iterdir() if path.suffix != ".expected")
EXAMPLES = Path(__file__).parents[2] / "specs"


def read_expected(kind: str, case: str) -> str:
    """Return the expected output of a case, or an empty text."""
    path = CASES / kind / f"{case.removesuffix('.yaml')}.expected"
    return path.read_text("utf-8") if path.exists() else ""


def run_validate(kind: str, case: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Return the exit code of `iamcreds validate`, and the problems it prints, without the summary."""
    monkeypatch.chdir(CASES / kind)
    result = CliRunner().invoke(main, ["validate", case])
    return result.exit_code, "".join(line for line in result.stdout.splitlines(keepends=True) if line.endswith("]\n"))


def write_specs(tmp_path: Path, **files: str) -> Path:
    """Write a folder of spec files, by their names without `.yaml`."""
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


@pytest.fixture(params=["libyaml", "pure"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use libyaml's parser, or the fallback for a PyYAML built without it."""
    if request.param == "pure":
        monkeypatch.setattr(composer, "LOADER", yaml.SafeLoader)
    elif composer.LOADER is yaml.SafeLoader:
        pytest.skip("PyYAML was built without libyaml here")


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("case", INVALID)
def test_invalid(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every invalid case is rejected by either parser, with exactly the expected problems in their order."""
    assert run_validate("invalid", case, monkeypatch) == (1, read_expected("invalid", case))


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("case", VALID)
def test_valid(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every valid case is accepted by either parser, with exactly the expected warnings."""
    assert run_validate("valid", case, monkeypatch) == (0, read_expected("valid", case))


def test_every_rule_has_a_case() -> None:
    """Every documented rule has a case that breaks it, and every broken rule is documented."""
    text = "".join(path.read_text("utf-8") for path in CASES.rglob("*.expected"))
    not_for_git = {"no-file", "too-large"}  # pipes and large files: test_no_files.py creates them
    assert set(re.findall(r"\[([a-z0-9-]+)\]$", text, re.MULTILINE)) | not_for_git == set(RULES)


def test_every_expectation_has_a_case() -> None:
    """No expected output belongs to a removed case."""
    left_over = [
        path.name
        for path in CASES.rglob("*.expected")
        if not path.with_suffix(".yaml").exists() and not path.with_suffix("").is_dir()
    ]
    assert left_over == []


def test_former_resource_names() -> None:
    """A renamed user's credentials may have their names of every combination; names of digits count as written."""
    bare, _, janet = load(CASES / "valid" / "renamed-users.yaml").users
    (credential,) = janet.credentials
    assert (janet.was, credential.user_was, bare.was) == ("jan", "jan", "0123")
    assert credential.former_resource_names == ("janet/keyspaces", "jan/keyspaces/app", "jan/keyspaces")


def test_deliveries() -> None:
    """The desired state has each store, and the time of the latest retirement, with `{account}` left in the name."""
    (user,) = load(CASES / "valid" / "secrets.yaml").users
    key, rotated, *_, xray = user.credentials
    assert rotated.deliver == Delivery(
        "secrets_manager", "/jane+x=y@example.com/keyspaces/keyspaces_{account}", tags={"Größe 1": "a b/c"}
    )
    assert (key.deliver, xray.deliver) == (
        Delivery("secrets_manager", "keys/jane", "us-gov-west-1"),
        Delivery("ssm", "keys.jane"),
    )
    assert rotated.rotate is not None
    assert rotated.rotate.properties() == {"overlap_hours": 168, "every_hours": 720, "retire_by_hours": 576}


def test_examples() -> None:
    """The examples are valid, without a warning, and are for the account of the IAM emulator."""
    examples = load(EXAMPLES)
    assert [user.name for user in examples.users] == ["build-bot", "jane", "payments-assistant", "retired"]
    assert examples.account == "123456789012"
    assert examples.warnings == ()


def test_examples_name_their_schema() -> None:
    """Every example refers to its schema, which exists."""
    for example in EXAMPLES.glob("*.yaml"):
        modeline = re.match(r"# yaml-language-server: \$schema=(\S+)\n", example.read_text("utf-8"))
        assert modeline is not None
        assert (example.parent / modeline[1]).is_file()


def test_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every supported field is in the desired state with its location, and defaults apply field by field."""
    monkeypatch.chdir(CASES / "valid")
    file = "every-field.yaml"
    codecommit = "codecommit.amazonaws.com"
    primary = DesiredCredential(
        user="jane",
        service=codecommit,
        name="main",
        location=SourceLocation(file, 12, 9),
        status=Status.ACTIVE,
        reset="lost",
        was="codecommit",
        protect=True,
        existing=Existing.FAIL,
    )
    spare = DesiredCredential("jane", codecommit, "spare", SourceLocation(file, 13, 9), Status.INACTIVE)
    spare = replace(spare, existing=Existing.FAIL, adopt="ACCAEXAMPLE1234567890")
    key = DesiredCredential("jane", "bedrock.amazonaws.com", "bedrock", SourceLocation(file, 14, 9))
    key = replace(key, existing=Existing.FAIL, expire_after_days=14, renew_before_hours=36)
    policy = AccessKeyPolicy(max=2, max_age_days=60, max_idle_days=30, enforce=True)
    expiring = ("bedrock.amazonaws.com", "logs.amazonaws.com")
    limits = CredentialPolicy(90, 30, expiring, ("bedrock.amazonaws.com", codecommit), enforce=True)
    jane = DesiredUser(
        "jane", SourceLocation(file, 8, 3), (key, primary, spare), policy, limits, unmanaged=Unmanaged.DEACTIVATE
    )
    watched, default = AccessKeyPolicy(max=2, max_age_days=90), CredentialPolicy(90, 365, expiring)
    made = DesiredIamUser(SourceLocation(file, 18, 5))
    build_bot = DesiredUser(
        "build-bot", SourceLocation(file, 17, 3), (), watched, default, unmanaged=Unmanaged.REPORT, iam_user=made
    )
    policies = ("arn:aws:iam::123456789012:policy/keyspaces", "arn:aws:iam::aws:policy/ReadOnlyAccess")
    taken_over = DesiredIamUser(
        location=SourceLocation(file, 21, 5),
        path="/machines/",
        permissions_boundary="arn:aws:iam::123456789012:policy/boundary",
        tags={"team": "payments"},
        policy_arns=policies,
        is_imported=True,
        protect=True,
        retain_on_delete=True,
    )
    night_bot = replace(build_bot, name="night-bot", location=SourceLocation(file, 20, 3), iam_user=taken_over)
    own_bot = replace(
        build_bot, name="own-bot", location=SourceLocation(file, 30, 3), iam_user=None, releases_iam_user=True
    )
    plain_bot = replace(build_bot, name="plain-bot", location=SourceLocation(file, 31, 3))
    plain_bot = replace(plain_bot, iam_user=DesiredIamUser(SourceLocation(file, 31, 15)))
    renamed_bot = replace(
        build_bot, name="renamed-bot", location=SourceLocation(file, 32, 3), iam_user=None, was="old-bot"
    )
    ends = datetime(2027, 1, 31, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC), datetime(2027, 3, 31, tzinfo=UTC)
    replaced = Waiver("credential-too-old", "replaced in March: #12", ends[2], SourceLocation(file, 41, 17))
    keyspaces = DesiredCredential("waived-bot", "cassandra.amazonaws.com", "keyspaces", SourceLocation(file, 39, 9))
    keyspaces = replace(keyspaces, owner="mailto:data@example.com", waive=(replaced,))
    logs = DesiredCredential("waived-bot", "logs.amazonaws.com", "logs", SourceLocation(file, 42, 9))
    logs = replace(logs, owner="mailto:bots@example.com")
    waivers = (
        Waiver("access-key-idle", "2", ends[1], SourceLocation(file, 37, 9)),
        Waiver("too-many-access-keys", "the vendor rotates by hand", ends[0], SourceLocation(file, 36, 9)),
    )
    waived_bot = replace(build_bot, name="waived-bot", location=SourceLocation(file, 33, 3), iam_user=None)
    credentials = tuple(replace(each, existing=Existing.FAIL) for each in (keyspaces, logs))
    waived_bot = replace(waived_bot, credentials=credentials, owner="mailto:bots@example.com", waive=waivers)
    users = (build_bot, jane, night_bot, own_bot, plain_bot, renamed_bot, waived_bot)
    assert load(Path(file)) == Desired(users, "123456789012", (), (file,), file)


def test_yaml_1_1_surprises() -> None:
    """Unquoted ids, names and triggers keep their text, and not the value that YAML 1.1 gives them."""
    specs = load(CASES / "valid" / "yaml-1.1-surprises.yaml")
    assert specs.account == "012345678901"
    assert {user.name: user.credentials[0].reset for user in specs.users} == {
        "123": "1.10",
        "1e3": "off",
        "null": "0123",
        "on": "2026-01-01",
        "true": "true",
        "yes": "12:30:45",
    }
    assert [(credential.name, credential.was) for credential in specs.users[1].credentials] == [("7", "0x1F")]


@pytest.mark.parametrize(
    ("plain", "quoted"), [("1", '"1"'), ("1.10", "'1.10'"), ("lost", '"lost"'), ("true", '"true"')]
)
def test_quotes_do_not_reset(plain: str, quoted: str, tmp_path: Path) -> None:
    """A trigger is the same with and without quotes."""
    resets = []
    for reset in (plain, quoted):
        folder = write_specs(tmp_path, a=f"users: {{jane: {{credentials: [{{service: logs, reset: {reset}}}]}}}}\n")
        resets.append(load(folder).users[0].credentials[0].reset)
    assert resets[0] == resets[1] == plain


def test_numbers_stay_as_written(tmp_path: Path) -> None:
    """The trigger 1.10 differs from 1.1."""
    folder = write_specs(tmp_path, a="users: {jane: {credentials: [{service: logs, reset: 1.10}]}}\n")
    assert load(folder).users[0].credentials[0].reset == "1.10"


def test_defaults_of_another_file(tmp_path: Path) -> None:
    """Defaults apply to the users of all files, to each field that the user does not set."""
    folder = write_specs(
        tmp_path,
        a="users:\n  jane: {credentials: []}\n  john: {accessKeys: {max: 0, enforce: false}}\n",
        b="defaults: {accessKeys: {max: 2, maxAgeDays: 90, enforce: true}}\n",
    )
    jane, john = load(folder).users
    assert jane.access_keys == AccessKeyPolicy(max=2, max_age_days=90, enforce=True)
    assert john.access_keys == AccessKeyPolicy(max=0, max_age_days=90)


def test_credential_policy_of_defaults(tmp_path: Path) -> None:
    """A user's fields take precedence over the defaults of a different file; a list replaces the whole list."""
    folder = write_specs(
        tmp_path,
        a="users:\n  jane: {credentials: []}\n  john: {accessKeys: {}, credentialPolicy: {services: [logs]}}\n",
        b="defaults: {credentialPolicy: {maxAgeDays: 90, services: [bedrock, xray.amazonaws.com], enforce: true}}\n",
    )
    jane, john = load(folder).users
    allowed = ("bedrock.amazonaws.com", "xray.amazonaws.com")
    assert jane.credential_policy == CredentialPolicy(90, services=allowed, enforce=True)
    assert john.credential_policy == CredentialPolicy(90, services=("logs.amazonaws.com",), enforce=True)


@pytest.mark.parametrize("fields", ["{credentials: []}", "{accessKeys: {}}"])
def test_nobody_watches(fields: str, tmp_path: Path) -> None:
    """Access keys are not watched if neither the user nor the defaults set a policy."""
    assert load(write_specs(tmp_path, a=f"users: {{jane: {fields}}}\n")).users[0].access_keys is None


def test_services(tmp_path: Path) -> None:
    """An alias and a full name in any case are the same service, and the default name is the short one."""
    services = ["codecommit", "Cassandra.amazonaws.com", "BEDROCK", "logs.AMAZONAWS.com"]
    credentials = ", ".join(f"{{service: {service}}}" for service in services)
    (jane,) = load(write_specs(tmp_path, a=f"users: {{jane: {{credentials: [{credentials}]}}}}\n")).users
    assert [credential.resource_name for credential in jane.credentials] == [
        "jane/bedrock",
        "jane/keyspaces",
        "jane/codecommit",
        "jane/logs",
    ]


@pytest.mark.parametrize("text", ["users: {}\n", "account: 123456789012\n"])
def test_empty_and_meant(text: str, tmp_path: Path) -> None:
    """Specs without users are valid if empty specs are allowed."""
    assert load(write_specs(tmp_path, a=text), allow_empty=True).users == ()


def test_empty_folder_and_meant(tmp_path: Path) -> None:
    """A folder without files is valid if empty specs are allowed."""
    assert load(tmp_path, allow_empty=True) == Desired(path=str(tmp_path))


def test_missing_path_is_never_meant(tmp_path: Path) -> None:
    """A missing path is rejected, even if empty specs are allowed."""
    with pytest.raises(SpecsError, match="no such file or directory"):
        load(tmp_path / "nowhere", allow_empty=True)


def test_warnings_stand_beside_errors(tmp_path: Path) -> None:
    """An error contains the warnings, too, so that one run reports everything."""
    folder = write_specs(tmp_path, a="users: {jane: {credentials: [{service: magic}, {}]}}\n")
    with pytest.raises(SpecsError) as caught:
        load(folder)
    assert [problem.rule for problem in caught.value.problems] == ["unknown-service", "missing-key"]
