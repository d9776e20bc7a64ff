"""IAM users in specs: the program's requests to pulumi-aws and the engine, and their effect on providers."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.resource_pb2 import RegisterResourceResponse
from pulumi.runtime.settings import Settings, configure

from dynamic_providers.access_keys import AccessKeysProvider
from iamcreds.pulumi_engine.registration import register
from iamcreds.pulumi_engine.stack_state import _read_state
from iamcreds.resource_types import ACCESS_KEYS_TYPE, CREDENTIAL_TYPE, IAM_USER_TYPE, POLICY_ATTACHMENT_TYPE
from iamcreds.specs import load
from tests.providers.conftest import new_process
from tests.providers.engine import Engine, asking
from tests.providers.test_program import complete, recorded, settings

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_iam import IAMClient
    from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest

    from dynamic_providers.service_specific_credential import ServiceSpecificCredentialProvider
    from iamcreds.emulator.server import Emulator

__all__ = ["settings"]

ACCOUNT = "123456789012"
CALLER = "aws:index/getCallerIdentity:getCallerIdentity"
USERS = "aws:iam/getUsers:getUsers"
POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
SPECS = f"""account: "{ACCOUNT}"
users:
  jane:
    iamUser:
      path: /team/
      tags: {{team: payments}}
      permissionsBoundary: {BOUNDARY}
      policyArns: [{POLICY}]
      import: true
      protect: true
      retainOnDelete: true
    credentials: [{{service: codecommit}}]
    accessKeys: {{max: 1}}
  bob: {{credentials: [{{service: codecommit}}], accessKeys: {{max: 1}}}}
"""
THERE: dict[str, dict[str, Any] | str] = {CALLER: {"accountId": ACCOUNT}, USERS: {"names": ["jane", "bob"]}}
OF_JANE = {"type": IAM_USER_TYPE, "outputs": {"name": "jane"}}


def run(engine: Engine, folder: Path, specs: str = SPECS, *, dry_run: bool = False) -> Any:  # noqa: ANN401 - outputs
    """Run the program with these specs."""
    (folder / "a.yaml").write_text(specs)
    desired = load(folder / "a.yaml")

    async def program() -> Any:  # noqa: ANN401 - the type of the SDK
        return await register(desired).future()

    with asking(engine) as monitor:
        configure(Settings("iamcreds", "dev", monitor, dry_run=dry_run, organization="acme"))
        return complete(program())


def told(request: RegisterResourceRequest) -> Any:  # noqa: ANN401 - any property
    """Return the run context in the request."""
    return MessageToDict(request.object)["run"]


def test_requests(tmp_path: Path) -> None:
    """A user is registered as declared, at its source location; only the user's own resources depend on it."""
    engine = Engine({}, functions=THERE)
    run(engine, tmp_path)
    user = engine.requests[IAM_USER_TYPE, "jane"]
    attachment = engine.requests[POLICY_ATTACHMENT_TYPE, "jane/aws:policy/ReadOnlyAccess"]
    credential = engine.requests[CREDENTIAL_TYPE, "jane/codecommit"]
    tags = {"team": "payments"}
    properties = {"name": "jane", "path": "/team/", "tags": tags, "permissionsBoundary": BOUNDARY}
    assert MessageToDict(user.object) == properties
    assert MessageToDict(attachment.object) == {"user": "jane", "policyArn": POLICY}
    assert (user.importId, user.protect, user.retainOnDelete) == ("jane", True, True)
    assert (attachment.importId, attachment.protect, attachment.retainOnDelete) == ("", False, True)
    for request in (user, attachment):
        assert (request.version, request.provider, request.custom) == (metadata.version("pulumi-aws"), "", True)
        assert request.parent == f"urn:{tmp_path}/a.yaml"
        assert (request.sourcePosition.line, request.sourcePosition.column) == (4, 5)
    for request in (attachment, credential):
        assert list(request.dependencies) == ["urn:jane"]
        assert {name: list(urns.urns) for name, urns in request.propertyDependencies.items()} == {"user": ["urn:jane"]}
    others = [
        user,
        engine.requests[CREDENTIAL_TYPE, "bob/codecommit"],
        engine.requests[ACCESS_KEYS_TYPE, f"{tmp_path}/a.yaml"],
    ]
    assert [list(other.dependencies) for other in others] == [[], [], []]


def test_providers_are_told(tmp_path: Path) -> None:
    """The run context names the users that this run creates, but only for their own resources."""
    engine = Engine({}, functions=THERE)
    run(engine, tmp_path, dry_run=True)
    assert told(engine.requests[CREDENTIAL_TYPE, "jane/codecommit"])["created_users"] == ["jane"]
    assert "created_users" not in told(engine.requests[CREDENTIAL_TYPE, "bob/codecommit"])
    assert told(engine.requests[ACCESS_KEYS_TYPE, f"{tmp_path}/a.yaml"])["created_users"] == ["jane"]


def test_questions(tmp_path: Path) -> None:
    """Every run requests the account of pulumi-aws; only a preview with a new user lists the users; both once."""
    for resources, dry_run, functions in (
        ({}, True, [CALLER, USERS]),
        ({}, False, [CALLER]),
        ({"urn:pulumi:dev::x::y::jane": OF_JANE}, True, [CALLER]),
    ):
        engine = Engine(resources, functions=THERE)
        run(engine, tmp_path, dry_run=dry_run)
        assert [function for function, _ in engine.asked if function.startswith("aws:")] == functions
        assert engine.versions == {metadata.version("pulumi-aws")}, "the version of the plugin that manages the users"
    engine = Engine({})
    run(engine, tmp_path, "users: {bob: {credentials: []}}", dry_run=True)
    assert [function for function, _ in engine.asked if function.startswith("aws:")] == []


def test_import_once(tmp_path: Path) -> None:
    """A user in the state is not imported again: if it was deleted manually, it is created."""
    engine = Engine({"urn:pulumi:dev::x::y::jane": OF_JANE}, functions=THERE)
    run(engine, tmp_path)
    assert engine.requests[IAM_USER_TYPE, "jane"].importId == ""


@pytest.mark.parametrize("of_state", [False, True])
def test_wrong_account(tmp_path: Path, *, of_state: bool) -> None:
    """If pulumi-aws uses an account other than that of the specs or the state, no user is registered."""
    state = dict([recorded("jane/codecommit", "jane", "ACCA1")]) if of_state else {}
    engine = Engine(state, functions={CALLER: {"accountId": "999999999999"}})
    specs = SPECS.replace(f'account: "{ACCOUNT}"\n', "") if of_state else SPECS
    with pytest.raises(
        pulumi.RunError, match=f"uses account 999999999999, but this stack is for account {ACCOUNT}: nothing was"
    ):
        run(engine, tmp_path, specs)
    assert not [type_ for type_, _ in engine.requests if type_ != "iamcreds:index:SpecFile"]


def test_two_accounts(tmp_path: Path) -> None:
    """If the account of the specs differs from that of the state, the error names both."""
    state = dict([recorded("jane/codecommit", "jane", "ACCA1")])
    specs = SPECS.replace(f'account: "{ACCOUNT}"', 'account: "999999999999"')
    with pytest.raises(pulumi.RunError, match=f"is for account {ACCOUNT} and 999999999999: nothing was changed"):
        run(Engine(state, functions=THERE), tmp_path, specs)


def test_any_account(tmp_path: Path) -> None:
    """If neither the specs nor the state name an account, no request is sent."""
    engine = Engine({})
    run(engine, tmp_path, SPECS.replace(f'account: "{ACCOUNT}"\n', ""))
    assert (IAM_USER_TYPE, "jane") in engine.requests


def test_function_fails(tmp_path: Path) -> None:
    """If a function of pulumi-aws fails, the error shows its reasons."""
    with pytest.raises(pulumi.RunError) as failed:
        run(Engine({}, functions={CALLER: "no credentials\nno region"}), tmp_path)
    assert str(failed.value) == f"{CALLER}: no credentials\n{CALLER}: no region"


REFUSED = """users:
  there: {iamUser: true, credentials: [{service: codecommit}]}
  case: {iamUser: true, credentials: []}
  gone: {iamUser: {import: true}, credentials: []}
  cased: {iamUser: {import: true}, credentials: []}
  imported: {iamUser: {import: true}, credentials: []}
  new: {iamUser: true, credentials: []}
"""
_CASE = "and user names must differ by more than case"
REASONS = {
    "there": "2:11: there: IAM user there already exists. Import the user with `iamUser: {import: true}`",
    "case": f"3:10: case: IAM has user Case, {_CASE}. Declare the user as Case",
    "gone": "4:10: gone: IAM has no user gone to import. Remove `import` to create the user",
    "cased": f"5:11: cased: IAM has user CASED, {_CASE}. Declare the user as CASED",
}


def test_refusals(tmp_path: Path) -> None:
    """A preview rejects existing users and missing imports, at the source location of `iamUser`.

    It skips users in the state or outside `--target`, and `up` rejects none of them.
    """
    names = ["there", "Case", "CASED", "imported"]

    def refused(engine: Engine) -> list[str]:
        with pytest.raises(pulumi.RunError) as told:
            run(engine, tmp_path, REFUSED, dry_run=True)
        return str(told.value).splitlines()

    functions: dict[str, dict[str, Any] | str] = {USERS: {"names": names}}
    lines = {user: f"{tmp_path}/a.yaml:{reason}" for user, reason in REASONS.items()}
    engine = Engine({}, functions=functions)
    assert refused(engine) == ["`pulumi up` would reject:", *lines.values()]
    imports = {user: engine.requests[IAM_USER_TYPE, user].importId for user in ("gone", "imported", "new")}
    assert imports == {"gone": "", "imported": "imported", "new": ""}, "the engine would stop at a missing user"
    left_out = {"gone": RegisterResourceResponse(unknown=True)}
    assert refused(Engine({}, left_out, functions)) == ["`pulumi up` would reject:", *(
        lines[user] for user in ("there", "case", "cased")
    )]  # fmt: skip
    has = {f"urn:pulumi:dev::x::y::{user}": {"type": IAM_USER_TYPE, "outputs": {"name": user}} for user in REASONS}
    run(Engine(has, functions=functions), tmp_path, REFUSED, dry_run=True)
    run(Engine({}, functions=functions), tmp_path, REFUSED)


@pytest.mark.parametrize("nobody", [{}, {"names": []}])
def test_account_without_users(tmp_path: Path, nobody: dict[str, Any]) -> None:
    """In an account without users, every user can be created, by name only."""
    specs = "users: {new: {iamUser: true, credentials: []}}"
    engine = Engine({}, functions={USERS: nobody})
    run(engine, tmp_path, specs, dry_run=True)
    request = engine.requests[IAM_USER_TYPE, "new"]
    assert MessageToDict(request.object) == {"name": "new"}
    assert (request.importId, request.protect, request.retainOnDelete) == ("", False, False)


@pytest.mark.parametrize("dry_run", [True, False])
def test_taken_out(tmp_path: Path, *, dry_run: bool) -> None:
    """If a user in the state is still declared, removing `iamUser` fails in a preview, and `up` changes nothing.

    `iamUser: false` releases the user.
    """
    state = {"urn:pulumi:dev::x::y::jane": OF_JANE}
    engine = Engine(state)
    with pytest.raises(pulumi.RunError) as refused:
        run(engine, tmp_path, "users:\n  bob: {credentials: []}\n  jane: {credentials: []}\n", dry_run=dry_run)
    assert str(refused.value) == "`pulumi up` would reject:\n" * dry_run + (
        f"{tmp_path}/a.yaml:3:3: jane: `iamUser` was removed, and Pulumi would delete the IAM user, who is still"
        " declared. Options: restore it; or, to stop managing the user, add `retainOnDelete: true` to it, run"
        " `pulumi up`, and set `iamUser: false`"
    )
    run(Engine(state), tmp_path, "users: {jane: {iamUser: false, credentials: []}}", dry_run=dry_run)
    run(Engine(state), tmp_path, "users: {bob: {credentials: []}}", dry_run=dry_run)
    run(Engine(None), tmp_path, "users: {jane: {credentials: []}}", dry_run=dry_run)


def test_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pulumi-aws, the error names the spec and the required command; specs without `iamUser` do not need it."""

    def find_nothing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", find_nothing)
    with pytest.raises(pulumi.RunError, match=r"a.yaml:4:5: `iamUser` needs pulumi-aws, .* `iamcreds init .* aws"):
        run(Engine({}), tmp_path)
    run(Engine({}), tmp_path, "users: {bob: {credentials: []}}")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_same_as_the_class(tmp_path: Path) -> None:
    """The registered type, name and properties are those of pulumi-aws's own classes."""
    specs = SPECS.replace("import: true", "import: false")
    engine, classes = Engine({}, functions=THERE), Engine({})
    run(engine, tmp_path, specs)

    def program() -> None:
        import pulumi_aws  # noqa: PLC0415 - the import is slow

        user = pulumi_aws.iam.User(
            "jane", name="jane", path="/team/", tags={"team": "payments"}, permissions_boundary=BOUNDARY
        )
        pulumi_aws.iam.UserPolicyAttachment("jane/aws:policy/ReadOnlyAccess", user=user.name, policy_arn=POLICY)

    with asking(classes) as monitor:
        configure(Settings("iamcreds", "dev", monitor, dry_run=False, organization="acme"))
        pulumi.runtime.test(program)()  # type: ignore[no-untyped-call]
    kinds = ((IAM_USER_TYPE, "jane"), (POLICY_ATTACHMENT_TYPE, "jane/aws:policy/ReadOnlyAccess"))
    for kind in kinds:
        ours, theirs = engine.requests[kind], classes.requests[kind]
        assert MessageToDict(ours.object) == MessageToDict(theirs.object)
        assert (ours.version, ours.custom) == (theirs.version, theirs.custom)
        assert ours.propertyDependencies.keys() <= theirs.propertyDependencies.keys()


class Mocks(pulumi.runtime.Mocks):
    """Mocks that respond like the engine and record the registrations."""

    def __init__(self) -> None:
        self.registered: dict[tuple[str, str], dict[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create every resource."""
        self.registered[args.typ, args.name] = dict(args.inputs)
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Return the account, which is the only request: without a state, no user counts as new."""
        assert args.token == CALLER
        return {"accountId": ACCOUNT}, []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_under_mocks(tmp_path: Path) -> None:
    """With Pulumi's mocks, a program with users is registered like any other."""
    (tmp_path / "a.yaml").write_text(SPECS)
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)
    pulumi.runtime.test(lambda: register(load(tmp_path)))()  # type: ignore[no-untyped-call]
    assert mocks.registered[IAM_USER_TYPE, "jane"]["tags"] == {"team": "payments"}
    assert (CREDENTIAL_TYPE, "jane/codecommit") in mocks.registered


def test_recorded_users() -> None:
    """Users in the state are identified by their IAM name, not by their resource name."""
    outputs = {"name": "jane"}
    with asking(Engine({"urn:pulumi:dev::x::y::anything": {"type": IAM_USER_TYPE, "outputs": outputs}})) as monitor:
        state = _read_state(monitor, "org/iamcreds/dev")
    assert state is not None
    assert state.iam_users == {"jane"}


NEW = {"user": "new", "service": "codecommit.amazonaws.com"}


def test_made_user_is_not_missing(provider: ServiceSpecificCredentialProvider) -> None:
    """In a preview, a user that this run creates counts as existing; other users are missing."""
    message = {"resource": "new/codecommit", "on_rejection": "collect", "created_users": ["new"], "owned": {}}
    assert "refused" not in provider.check({}, NEW | {"run": message}).inputs
    second = NEW | {"run": message | {"resource": "new/codecommit/spare"}, "declared": 1}
    assert "declare a codecommit credential" in provider.check({}, second).inputs["refused"][0]
    other = NEW | {"user": "other", "run": message}
    (reason,) = provider.check({}, other).inputs["refused"]
    assert reason.startswith("the account has no IAM user other. Options: create the user")


@pytest.mark.usefixtures("iam")  # creates jane
def test_made_user_and_renaming(provider: ServiceSpecificCredentialProvider) -> None:
    """A new user counts as renamed only if the resource itself has a credential of a different user."""
    existing = provider.create({"user": "jane", "service": "codecommit.amazonaws.com"}).id
    provider = new_process()
    message = {"resource": "new/codecommit", "on_rejection": "collect", "created_users": ["new"]}
    leaving = message | {"owned": {existing: "jane/codecommit"}}
    assert "refused" not in provider.check({}, NEW | {"run": leaving}).inputs
    own = message | {"owned": {existing: "new/codecommit"}}
    provider = new_process()
    assert "IAM renamed it to jane" in provider.check({}, NEW | {"run": own}).inputs["refused"][0]


def test_create_after_the_user(provider: ServiceSpecificCredentialProvider, emulator: Emulator, iam: IAMClient) -> None:
    """A credential is created even if its user is newer than the run's list: the user is requested again."""
    provider.check({}, {"user": "jane", "service": "codecommit.amazonaws.com"})
    iam.create_user(UserName="new")
    emulator.controls.clear_counts()
    message = {"resource": "new/codecommit", "on_rejection": "defer", "created_users": ["new"]}
    checked = provider.check({}, NEW | {"run": message})
    assert checked.failures == []
    assert provider.create(checked.inputs).id.startswith("ACCA")
    assert emulator.controls.counts() == {"iam:GetUser": 1, "iam:CreateServiceSpecificCredential": 1}


def test_create_without_the_user(provider: ServiceSpecificCredentialProvider) -> None:
    """In `up`, a user that does not exist is missing, even if the run was expected to create it."""
    message = {"resource": "new/codecommit", "on_rejection": "defer", "created_users": ["new"]}
    checked = provider.check({}, NEW | {"run": message})
    with pytest.raises(Exception, match="the account has no IAM user new"):
        provider.create(checked.inputs)


def test_access_keys_of_a_made_user(provider: ServiceSpecificCredentialProvider) -> None:
    """A watched user that this run creates has no keys; another missing user is a finding."""
    del provider  # starts a new process
    watcher = AccessKeysProvider()
    watcher.configure(pulumi.dynamic.ConfigureRequest(pulumi.dynamic.Config({}, "iamcreds")))
    policies = {"new": {"max": 1}, "other": {"max": 1}}
    checked = watcher.check({}, {"users": policies, "run": {"on_rejection": "collect", "created_users": ["new"]}})
    assert checked.inputs["keys"] == {"new": [], "other": []}
    assert [finding.split(":")[0] for finding in checked.inputs["findings"]] == ["other"]
