"""AWS from the perspective of a run's process: a replacement of boto3's session and clients without sockets.

Every call takes time twice: until it has an effect, and until its response arrives. A process that is killed in between
has made the call without knowing the result. boto3's own retries are repeated here as well. `test_wire.py` compares the
responses and errors with boto3's.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from iamcreds.aws.client import READ_TIMEOUT
from iamcreds.emulator.exceptions import AccessDeniedError, AwsError, ThrottlingError, ValidationError
from iamcreds.model import Status
from iamcreds.services import Family, service_family
from tests.simulation.faults import AFTER, CREATE, DELETE, LIST, RESET, UPDATE, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iamcreds.emulator.models import Credential
    from tests.simulation.engine import Run

ENDPOINT = "https://iam.amazonaws.com/"
LONGEST_PAUSE = 20.0


class Session:
    """The source of `Account`'s clients, in place of a `boto3.Session`."""

    region_name = "us-east-1"

    def __init__(self, run: Run) -> None:
        self._run = run

    def client(self, _service: str, *, region_name: str, config: Any) -> Client:  # noqa: ANN401, ARG002 - as in boto3
        """Return a client of IAM or STS."""
        return Client(self._run, config.retries["total_max_attempts"])


class Client:
    """The operations that `Account` calls; names and arguments of methods are boto3's."""

    def __init__(self, run: Run, attempts: int) -> None:
        self._run = run
        self._attempts = attempts
        self._observers: list[Callable[..., None]] = []
        self._notes: list[Callable[..., None]] = []
        self.meta = SimpleNamespace(events=self, endpoint_url="https://iam.example")

    def register(self, event: str, observe: Callable[..., None]) -> None:
        """Register an observer of calls or responses, like `client.meta.events.register`."""
        if event == "after-call":
            self._observers.append(observe)
        elif event == "before-call":
            self._notes.append(observe)
        else:  # these observers handle responses and errors that do not occur here
            assert event in {"response-received", "before-parse"}, event

    def get_caller_identity(self) -> dict[str, Any]:
        """Return the account id."""
        return self._call("GetCallerIdentity", lambda: {"Account": self._run.world.account})

    def list_users(self, **_window: object) -> dict[str, Any]:
        """Return all users on a single page."""
        world = self._run.world
        return self._call(
            "ListUsers",
            lambda: {"Users": [_user(name, world.users[name]) for name in sorted(world.users)], "IsTruncated": False},
        )

    def get_user(self, *, UserName: str) -> dict[str, Any]:  # noqa: N803 - as in boto3
        """Return one user."""

        def answer() -> dict[str, Any]:
            self._run.world.require_user(UserName)
            return {"User": _user(UserName, self._run.world.users[UserName])}

        return self._call("GetUser", answer)

    def list_access_keys(self, *, UserName: str, **_window: object) -> dict[str, Any]:  # noqa: N803 - as in boto3
        """Return no access keys."""

        def answer() -> dict[str, Any]:
            self._run.world.require_user(UserName)
            return {"AccessKeyMetadata": [], "IsTruncated": False}

        return self._call("ListAccessKeys", answer)

    def list_service_specific_credentials(
        self,
        *,
        UserName: str | None = None,  # noqa: N803 - as in boto3
        ServiceName: str | None = None,  # noqa: N803
        AllUsers: bool = False,  # noqa: N803
        **_window: object,
    ) -> dict[str, Any]:
        """Return the credentials of one user or of all users on a single page."""
        world = self._run.world

        def answer() -> dict[str, Any]:
            if UserName is None and not (AllUsers and world.conditions.all_users):
                raise ValidationError("Must specify userName when calling with non-User credentials")
            found = [self._described(credential) for credential in world.listed(UserName, ServiceName)]
            return {"ServiceSpecificCredentials": found, "IsTruncated": False}

        return self._call(LIST, answer)

    def create_service_specific_credential(
        self,
        *,
        UserName: str,  # noqa: N803 - as in boto3
        ServiceName: str,  # noqa: N803
        CredentialAgeDays: int | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        """Create a credential."""
        began = self._run.clock.seconds

        def answer() -> dict[str, Any]:
            run = self._run
            made, secret = run.world.create(run.stack.name, UserName, ServiceName, CredentialAgeDays)
            run.record.created(run, made)
            return {"ServiceSpecificCredential": self._described(made, secret)}

        try:
            return self._call(CREATE, answer)
        except Exception:
            self._run.lost.append((UserName, ServiceName, began, self._run.clock.seconds))
            raise

    def update_service_specific_credential(
        self,
        *,
        UserName: str,  # noqa: N803 - as in boto3
        ServiceSpecificCredentialId: str,  # noqa: N803
        Status: str,  # noqa: N803
    ) -> dict[str, Any]:
        """Activate or deactivate a credential."""

        def answer() -> dict[str, Any]:
            self._run.world.switch(UserName, ServiceSpecificCredentialId, _STATUS[Status])
            self._run.record.switched(self._run, ServiceSpecificCredentialId, _STATUS[Status])
            return {}

        return self._call(UPDATE, answer)

    def reset_service_specific_credential(
        self,
        *,
        UserName: str,  # noqa: N803 - as in boto3
        ServiceSpecificCredentialId: str,  # noqa: N803
    ) -> dict[str, Any]:
        """Give the credential a new password."""

        def answer() -> dict[str, Any]:
            reset, secret = self._run.world.reset(UserName, ServiceSpecificCredentialId)
            self._run.record.reset(self._run, ServiceSpecificCredentialId)
            return {"ServiceSpecificCredential": self._described(reset, secret)}

        return self._call(RESET, answer)

    def delete_service_specific_credential(
        self,
        *,
        UserName: str,  # noqa: N803 - as in boto3
        ServiceSpecificCredentialId: str,  # noqa: N803
    ) -> dict[str, Any]:
        """Delete a credential."""

        def answer() -> dict[str, Any]:
            self._run.world.delete(UserName, ServiceSpecificCredentialId)
            self._run.record.deleted(self._run, ServiceSpecificCredentialId)
            return {}

        return self._call(DELETE, answer)

    def _described(self, credential: Credential, secret: str | None = None) -> dict[str, Any]:
        return described(credential, credential.status(self._run.world.now()), secret)

    def _call(self, operation: str, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Make a call, with boto3's own retries."""
        context: dict[str, Any] = {}
        for note in self._notes:
            note(context=context)
        for attempt in range(1, self._attempts + 1):
            try:
                found = self._attempt(operation, answer)
            except (ClientError, ConnectionClosedError, ReadTimeoutError) as error:
                if attempt == self._attempts or not _is_repeated(error):
                    if isinstance(error, ClientError):
                        error.response["ResponseMetadata"]["RetryAttempts"] = attempt - 1
                        self._observe(cast("Mapping[str, Any]", error.response), context)
                    raise
            else:
                self._observe(found, context)
                return found
            self._run.clock.sleep(min(2.0**attempt, LONGEST_PAUSE) * self._run.random.random())
        raise AssertionError("the last attempt returns or raises")

    def _observe(self, answer: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        for observe in self._observers:
            observe(http_response=SimpleNamespace(headers=headers), context=context)

    def _attempt(self, operation: str, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        run = self._run
        fault = run.meets(operation)
        run.travel()
        if fault is not None and fault not in AFTER:
            self._time_out(fault)
            raise self._failure(operation, fault)
        try:
            found = answer()
        except AwsError as error:
            run.travel()
            if fault is not None:
                raise self._failure(operation, fault) from None
            raise self._refusal(operation, error) from None
        met = self._failure(operation, fault, str(found)) if fault is not None else None
        headers = self._headers()
        run.travel()
        if met is not None:
            self._time_out(fault)
            raise met
        return found | {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": headers}}

    def _time_out(self, fault: Kind | None) -> None:
        if fault in (Kind.SLOW, Kind.SLOW_UNSENT):
            self._run.clock.sleep(READ_TIMEOUT)

    def _failure(self, operation: str, fault: Kind, body: str = "") -> Exception:
        match fault:
            case Kind.SLOW | Kind.SLOW_UNSENT:
                return ReadTimeoutError(endpoint_url=ENDPOINT)
            case Kind.LOST | Kind.UNSENT:
                return ConnectionClosedError(endpoint_url=ENDPOINT)
            case Kind.CUT:
                return ResponseParserError(f"Unable to parse response, invalid XML received:\n{body}")  # as in botocore
            case Kind.BROKEN | Kind.BROKEN_AFTER:
                return self._refusal(operation, AwsError("the service broke", "ServiceFailure", 500))
            case Kind.THROTTLED:
                return self._refusal(operation, ThrottlingError("Rate exceeded"))
            case Kind.DENIED:
                return self._refusal(operation, AccessDeniedError("not authorized"))

    def _refusal(self, operation: str, error: AwsError) -> ClientError:
        answer: Any = {
            "Error": {"Type": "Sender", "Code": error.code, "Message": error.message},
            "ResponseMetadata": {"HTTPStatusCode": error.status, "HTTPHeaders": self._headers()},
        }
        return ClientError(answer, operation)

    def _headers(self) -> Mapping[str, str]:
        return {"date": f"{self._run.world.now():%a, %d %b %Y %H:%M:%S GMT}"}


_STATUS = {"Active": Status.ACTIVE, "Inactive": Status.INACTIVE}
_REPEATED = frozenset({"Throttling", "ServiceFailure"})


def _is_repeated(error: ClientError | ConnectionClosedError | ReadTimeoutError) -> bool:
    """Return True if boto3 retries the call."""
    return not isinstance(error, ClientError) or error.response["Error"]["Code"] in _REPEATED


def described(credential: Credential, status: Status, secret: str | None = None) -> dict[str, Any]:
    """Return a credential in boto3's format, with its secret in the responses to Create and Reset."""
    is_password = service_family(credential.service) is Family.PASSWORD
    login, password = (
        ("ServiceUserName", "ServicePassword") if is_password else ("ServiceCredentialAlias", "ServiceCredentialSecret")
    )
    return {
        "CreateDate": credential.created,
        "ServiceName": credential.service,
        login: credential.login,
        "ServiceSpecificCredentialId": credential.id,
        "UserName": credential.user,
        "Status": status.value,
        **({password: secret} if secret is not None else {}),
        **({"ExpirationDate": credential.expires} if credential.expires else {}),
    }


def _user(name: str, created: Any) -> dict[str, Any]:  # noqa: ANN401 - as boto3 represents dates
    return {"UserName": name, "CreateDate": created, "Path": "/", "UserId": f"AIDA{name}"}
