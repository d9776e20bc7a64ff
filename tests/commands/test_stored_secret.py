"""`iamcreds secret --from-store`: one secret from its store, without a state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
import yaml
from click.testing import CliRunner, Result

from iamcreds.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

    from iamcreds.emulator.server import Emulator

PASSWORD, PREVIOUS = "hunter2+/='now'==", "hunter1+/='before'=="
LOGIN, PREVIOUS_LOGIN = "jane+1-at-123456789012", "jane-at-123456789012"
SERVICES = {"codecommit": "codecommit.amazonaws.com", "keyspaces": "cassandra.amazonaws.com"}
SPEC = """
users:
  jane:
    credentials:
      - {service: codecommit, deliver: {secretsManager: {name: "git/{user}", region: eu-central-1}}}
      - {service: keyspaces, deliver: {ssm: {name: "/{account}/{service}/{user}"}}}
      - {service: bedrock, deliver: {secretsManager: {name: "{service}/{user}/{account}"}}}
      - {service: logs, deliver: {secretsManager: {name: "{service}/{user}/{account}"}}}
      - {service: codecommit, name: spare}
  joe:
    credentials: [{service: codecommit}]
"""
HOST = "git-codecommit.us-east-1.amazonaws.com"
URL = f"https://{HOST}/v1/repos/product"
READ = "secretsmanager:GetSecretValue"


class Call(Protocol):
    """A function that runs `iamcreds secret`."""

    def __call__(self, *words: str, given: str = "", code: int = 0) -> Result:
        """Return the result, which has this exit code."""


def reject_process(*_: object, **__: object) -> None:
    """Fail, because the command needs no engine, and no process whose arguments other users could read."""
    raise AssertionError("a process was started")


@pytest.fixture
def call(signed_in: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Return the command in a folder with specs; an error, also with a trace, never contains a password."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("IAMCREDS_DEBUG", "1")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "team.yaml").write_text(SPEC)
    monkeypatch.setattr("subprocess.Popen", reject_process)
    signed_in.controls.clear_counts()

    def run(*words: str, given: str = "", code: int = 0) -> Result:
        result = CliRunner().invoke(main, ["secret", *words], input=given)
        assert result.exit_code == code, result.output
        assert "hunter" not in result.stderr
        assert code == 0 or not result.stdout
        return result

    return run


def open_client(service: str, region: str = "us-east-1") -> Any:  # noqa: ANN401 - the caller knows the service
    """Return a client of the emulator."""
    return boto3.client(service, region_name=region)  # type: ignore[call-overload]


def make_content(service: str = "codecommit.amazonaws.com", login: str = LOGIN, password: str = PASSWORD) -> str:
    """Return the content of a delivered secret."""
    content = {"username": login, "password": password, "service": service, "credentialId": "ACCA1"}
    return json.dumps(content)


def create_secret(name: str, *contents: str, region: str = "us-east-1") -> str:
    """Create a secret with these versions in Secrets Manager, and return its ARN."""
    secrets: SecretsManagerClient = open_client("secretsmanager", region)
    arn = secrets.create_secret(Name=name, SecretString=contents[0])["ARN"]
    for content in contents[1:]:
        secrets.put_secret_value(SecretId=arn, SecretString=content)
    return arn


def create_parameter(name: str, content: str) -> str:
    """Create a parameter, and return its ARN."""
    parameters: SSMClient = open_client("ssm")
    parameters.put_parameter(Name=name, Value=content, Type="SecureString")
    return parameters.get_parameter(Name=name)["Parameter"]["ARN"]


def deny_all_but(emulator: Emulator, *permitted: str) -> None:
    """Let the caller do nothing but these operations."""
    for service in ("iam", "kms", "secretsmanager", "ssm", "sts"):
        names = {name.partition(":")[2] for name in permitted if name.startswith(service)}
        denied = set(open_client(service).meta.service_model.operation_names) - names
        for name in denied if names else ["*"]:
            emulator.controls.deny(f"{service}:{name}")
    emulator.controls.clear_counts()


def test_by_name(call: Call, signed_in: Emulator) -> None:
    """The declared name reads the secret in the declared region by one call."""
    create_secret("git/jane", make_content(), region="eu-central-1")
    deny_all_but(signed_in, READ)
    result = call("jane/codecommit", "--from-store")
    assert result.stdout == f"service_user_name: {LOGIN}\nservice_password: {PASSWORD}\n"
    assert signed_in.controls.calls() == [READ]


def test_by_arn(call: Call, signed_in: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The ARN needs neither specs nor a region in the environment, and JSON has no user then."""
    arn = create_secret("git/jane", make_content(), region="eu-central-1")
    (tmp_path / "specs" / "team.yaml").unlink()
    monkeypatch.delenv("AWS_REGION")
    deny_all_but(signed_in, READ)
    document = json.loads(call(arn, "--from-store", "--as", "json").stdout)
    assert (document["user"], document["service_password"]) == (None, PASSWORD)
    assert signed_in.controls.calls() == [READ]


def test_parameter(call: Call, signed_in: Emulator) -> None:
    """A parameter is read by its declared name, here with a request for the account id, or by its ARN only."""
    arn = create_parameter("/123456789012/keyspaces/jane", make_content("cassandra.amazonaws.com"))
    deny_all_but(signed_in, "ssm:GetParameter", "sts:GetCallerIdentity")
    assert json.loads(call("jane/keyspaces", "--from-store", "--as", "json").stdout)["user"] == "jane"
    assert signed_in.controls.calls() == ["sts:GetCallerIdentity", "ssm:GetParameter"]
    signed_in.controls.clear_counts()
    assert call(arn, "--from-store", "--as", "cqlsh-credentials").stdout == (
        f"[PlainTextAuthProvider]\nusername = {LOGIN}\npassword = {PASSWORD}\n"
    )
    assert signed_in.controls.calls() == ["ssm:GetParameter"]


def test_declared_account(call: Call, signed_in: Emulator, tmp_path: Path) -> None:
    """If the specs declare the account, its id is not requested."""
    (tmp_path / "own.yaml").write_text(f'account: "123456789012"\n{SPEC}')
    create_secret("bedrock/jane/123456789012", make_content("bedrock.amazonaws.com"))
    deny_all_but(signed_in, READ)
    assert call("jane/bedrock", "--from-store", "--specs", "own.yaml", "--as", "key").stdout == f"{PASSWORD}\n"
    assert signed_in.controls.calls() == [READ]


@pytest.mark.parametrize(
    ("service", "form", "start"),
    [
        ("codecommit.amazonaws.com", "text", "service_user_name: "),
        ("codecommit.amazonaws.com", "json", "{"),
        ("codecommit.amazonaws.com", "git-credential", f"username={LOGIN}\npassword={PASSWORD}"),
        ("cassandra.amazonaws.com", "cqlshrc", "[authentication]"),
        ("cassandra.amazonaws.com", "cqlsh-credentials", "[PlainTextAuthProvider]"),
        ("bedrock.amazonaws.com", "env", "export AWS_BEARER_TOKEN_BEDROCK="),
        ("aws-external-anthropic.amazonaws.com", "key", PASSWORD),
        ("xray.amazonaws.com", "otel-headers", "export OTEL_EXPORTER_OTLP_TRACES_HEADERS=Authorization=Bearer%20"),
    ],
)
def test_every_form(call: Call, signed_in: Emulator, service: str, form: str, start: str) -> None:
    """Each format works with the one permission."""
    arn = create_secret("x", make_content(service))
    deny_all_but(signed_in, READ)
    assert call(arn, "--from-store", "--as", form).stdout.startswith(start)
    assert signed_in.controls.calls() == [READ]


def test_argocd_repository(call: Call, signed_in: Emulator) -> None:
    """The Secret of Argo CD has the URL of the option."""
    arn = create_secret("x", make_content())
    deny_all_but(signed_in, READ)
    document = yaml.safe_load(call(arn, "--from-store", "--as", "argocd-repository", "--url", URL).stdout)
    assert document["stringData"] == {"type": "git", "url": URL, "username": LOGIN, "password": PASSWORD}
    assert signed_in.controls.calls() == [READ]


def ask(call: Call, login: str | None, host: str = HOST) -> dict[str, str]:
    """Return the response to git's request for this login."""
    words = ("jane/codecommit", "--from-store", "--as", "git-credential", "get")
    request = f"protocol=https\nhost={host}\n" + ("" if login is None else f"username={login}\n")
    return dict(line.split("=", 1) for line in call(*words, given=request).stdout.splitlines())


def test_git(call: Call, signed_in: Emulator) -> None:
    """Git gets either login's own password with the same permission, and nothing for any other login or host."""
    create_secret(
        "git/jane", make_content(login=PREVIOUS_LOGIN, password=PREVIOUS), make_content(), region="eu-central-1"
    )
    deny_all_but(signed_in, READ)
    assert ask(call, None) == ask(call, LOGIN) == {"username": LOGIN, "password": PASSWORD}
    assert signed_in.controls.calls() == [READ] * 2
    assert ask(call, PREVIOUS_LOGIN) == {"username": PREVIOUS_LOGIN, "password": PREVIOUS}
    assert ask(call, "joe-at-123456789012") == ask(call, "") == {}
    signed_in.controls.clear_counts()
    assert ask(call, LOGIN, "evil.example") == {}
    assert call("jane/codecommit", "--from-store", "--as", "git-credential", "erase").stdout == ""
    assert signed_in.controls.calls() == []


@pytest.mark.parametrize("before", [(), ("hunter0",), (make_content(login="joe-at-123456789012", password=PREVIOUS),)])
def test_git_without_a_previous_login(call: Call, before: tuple[str, ...]) -> None:
    """Without a valid previous version, the previous login gets nothing, and git runs the next helper."""
    create_secret("git/jane", *before, make_content(), region="eu-central-1")
    assert ask(call, PREVIOUS_LOGIN) == {}
    assert ask(call, LOGIN)["password"] == PASSWORD


def test_git_with_a_parameter(call: Call) -> None:
    """Parameter Store has the current login only."""
    arn = create_parameter("/git/jane", make_content())
    words = (arn, "--from-store", "--as", "git-credential", "get")
    request = f"protocol=https\nhost={HOST}\nusername="
    assert f"password={PASSWORD}" in call(*words, given=f"{request}{LOGIN}\n").stdout
    assert call(*words, given=f"{request}{PREVIOUS_LOGIN}\n").stdout == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--cwd", "."), "--from-store reads no state: --cwd and --stack cannot be combined with it"),
        (("--stack", "prod"), "--from-store reads no state: --cwd and --stack cannot be combined with it"),
        (("--as", "argocd-repository"), "--as argocd-repository and --url require each other"),
        (("--url", URL), "--as argocd-repository and --url require each other"),
        (
            ("--as", "argocd-repository", "--url", "https://evil.example/v1/repos/x"),
            "--url: evil.example is not CodeCommit",
        ),
        (("get",), "get requires --as git-credential"),
    ],
)
def test_usage(call: Call, signed_in: Emulator, words: tuple[str, ...], message: str) -> None:
    """Options that do not belong together are a usage error before any call."""
    assert message in call("jane/codecommit", "--from-store", *words, code=2).stderr
    assert signed_in.controls.calls() == []


@pytest.mark.parametrize(
    "words", [("jane/codecommit", "--specs", "specs"), ("arn:aws:ssm:x:1:y", "--from-store", "--specs", "specs")]
)
def test_specs_without_use(call: Call, words: tuple[str, ...]) -> None:
    """`--specs` is rejected if no specs are read."""
    assert "--specs requires --from-store with the name of a credential" in call(*words, code=2).stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("jane/codecomit", "the specs declare no credential 'jane/codecomit'; did you mean jane/codecommit"),
        ("jane/codecommit~2", "the specs declare no credential 'jane/codecommit~2'; did you mean jane/codecommit"),
        ("jo/codecommit", "the specs declare no credential 'jo/codecommit'. Check the name and --specs"),
        ("joe/codecommit", "joe/codecommit has no `deliver` (specs/team.yaml:11:19), so its secret is in the state"),
        ("jane/codecommit/spare", "Run `iamcreds secret jane/codecommit/spare`"),
        (
            "arn:aws:s3:::bucket",
            "'arn:aws:s3:::bucket' is not the ARN of a secret of Secrets Manager or of a parameter",
        ),
        ("arn:aws:ssm:us-east-1.evil.example:123456789012:parameter/x", "is not the ARN of a secret"),
        ("arn:aws:ssm:us-east-1:123456789012:secret:x", "is not the ARN of a secret"),
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:x\x1b[2J", r"x\x1b[2J' is not the ARN of a secret"),
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:x\n", r"x\n' is not the ARN of a secret"),
    ],
)
def test_wrong_names(call: Call, signed_in: Emulator, name: str, message: str) -> None:
    """A name without a delivered credential, or an ARN of anything else, is an error without a call."""
    assert message in call(name, "--from-store", code=1).stderr
    assert signed_in.controls.calls() == []


def test_no_specs(call: Call) -> None:
    """Specs that do not exist are a problem, as for other commands."""
    assert "missing" in call("jane/codecommit", "--from-store", "--specs", "missing", code=1).stderr


def test_no_region(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a region in specs and environment, the error has both ways to set it."""
    monkeypatch.delenv("AWS_REGION")
    result = call("jane/logs", "--from-store", code=1)
    assert "the region of the secret store is unknown. Options: set `region`" in result.stderr


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("arn:aws:secretsmanager:us-east-1:123456789012:secret:none-a1B2c3", "Secrets Manager (us-east-1)"),
        ("arn:aws:ssm:eu-west-1:123456789012:parameter/none", "Parameter Store (eu-west-1)"),
        ("jane/codecommit", "git/jane does not exist in Secrets Manager (eu-central-1)"),
    ],
)
def test_no_secret(call: Call, name: str, title: str) -> None:
    """A secret that does not exist is an error with the store, the region and the next steps."""
    result = call(name, "--from-store", code=1)
    assert title in result.stderr
    assert "or has no value. Options: run `pulumi up`, which delivers it; or check AWS_PROFILE and the region" in (
        result.stderr
    )


def test_deleted_secret(call: Call) -> None:
    """The error for a secret that is scheduled for deletion has AWS's reason."""
    arn = create_secret("x", make_content())
    open_client("secretsmanager").delete_secret(SecretId=arn)
    result = call(arn, "--from-store", code=1)
    assert f"reading the value of secret {arn}: AWS error InvalidRequestException" in result.stderr
    assert "marked for deletion" in result.stderr


def test_denied(call: Call, signed_in: Emulator) -> None:
    """If access is denied, the error has the one required permission, and the secret that needs it."""
    secret, parameter = create_secret("x", make_content()), create_parameter("/x", make_content())
    for name, action, noun in ((secret, READ, "secret"), (parameter, "ssm:GetParameter", "parameter")):
        signed_in.controls.deny(action)
        result = call(name, "--from-store", code=1)
        assert f"reading the value of {noun} {name}: AWS error AccessDenied" in result.stderr
        assert (
            f"Required permission for this secret: {action}, and kms:Decrypt if it has a customer managed KMS key"
            in result.stderr
        )
        assert "iamcreds permissions" not in result.stderr


@pytest.mark.parametrize("content", ["hunter2", '{"password": "hunter2"}', make_content(password="hunter2\nhost=x")])
def test_other_content(call: Call, content: str) -> None:
    """A value that is not a delivered credential is an error in every format, and is never quoted."""
    arn = create_secret("x", content)
    for form in ("text", "json", "git-credential"):
        assert f"the secret of {arn} in its store" in call(arn, "--from-store", "--as", form, code=1).stderr


def test_different_credential(call: Call) -> None:
    """The secret of a different service than the declared one is rejected."""
    create_secret("git/jane", make_content("bedrock.amazonaws.com"), region="eu-central-1")
    result = call("jane/codecommit", "--from-store", code=1)
    assert "git/jane has the secret of a different credential than jane/codecommit" in result.stderr


def test_unavailable_form(call: Call) -> None:
    """The service in the store determines the possible formats."""
    arn = create_secret("x", make_content("cassandra.amazonaws.com"))
    result = call(arn, "--from-store", "--as", "git-credential", code=1)
    assert "format git-credential is not available" in result.stderr


def test_debugging(call: Call, signed_in: Emulator) -> None:
    """A trace has the call, and neither its request nor its response."""
    arn = create_secret("x", make_content())
    signed_in.controls.clear_counts()
    stderr = call(arn, "--from-store").stderr
    assert stderr.startswith("aws: secretsmanager:GetSecretValue: HTTP 200 after ")
    assert stderr.count("\n") == len(signed_in.controls.calls()) == 1
