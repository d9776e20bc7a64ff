"""The requests to the engine for all resources that the specs declare, as the SDK's classes send them; pure."""

from __future__ import annotations

import functools
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from pulumi.dynamic.dynamic import PROVIDER_KEY, serialize_provider
from pulumi.runtime.proto.alias_pb2 import Alias
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest
from pulumi.runtime.proto.source_pb2 import SourcePosition

from iamcreds.model import SourceLocation
from iamcreds.pulumi_engine.outputs import SECRETS
from iamcreds.resource_types import (
    CREDENTIAL_TYPE,
    IAM_USER_TYPE,
    POLICY_ATTACHMENT_TYPE,
    PROVIDER_CLASSES,
    SPEC_FILE_TYPE,
)
from iamcreds.services import MAX_PER_SERVICE
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iamcreds.desired import DesiredCredential, DesiredIamUser
    from iamcreds.pulumi_engine.inputs import CredentialInputs


def spec_file_request(file: str, parent: str) -> RegisterResourceRequest:
    """Return the request of the component that is the parent of all resources of a spec file."""
    return _request(SPEC_FILE_TYPE, file, parent, SourceLocation(file, 1, 1))


def iam_user_request(
    user: str, iam_user: DesiredIamUser, *, version: str, is_new: bool, parent: str
) -> RegisterResourceRequest:
    """Return the request of an IAM user, whose name is the resource's; a user that the stack has is not imported again.

    `version` is that of pulumi-aws. `forceDestroy` stays false: IAM does not delete a user who has anything outside
    the stack.
    """
    request = _aws_request(IAM_USER_TYPE, user, parent, iam_user, version)
    properties = {
        "name": user,
        "path": iam_user.path,
        "permissionsBoundary": iam_user.permissions_boundary,
        "tags": dict(iam_user.tags) or None,
    }
    request.object.update({name: value for name, value in properties.items() if value is not None})
    request.protect = iam_user.protect
    if iam_user.is_imported and is_new:
        request.importId = user
    return request


def policy_attachment_requests(
    user: str, iam_user: DesiredIamUser, *, version: str, parent: str
) -> Iterator[RegisterResourceRequest]:
    """Return the requests that attach managed policies to an IAM user, named `jane/aws:policy/ReadOnlyAccess`.

    An ARN without `arn:aws:iam::` is unique in an account, and has no `::`, which separates the parts of URNs.
    """
    for arn in iam_user.policy_arns:
        name = f"{user}/{arn.partition('::')[2]}"
        request = _aws_request(POLICY_ATTACHMENT_TYPE, name, parent, iam_user, version)
        request.object.update({"user": user, "policyArn": arn})
        yield request


def _aws_request(type_: str, name: str, parent: str, iam_user: DesiredIamUser, version: str) -> RegisterResourceRequest:
    request = _child_request(type_, name, parent, iam_user.location)
    request.custom = True
    request.version = version
    if iam_user.retain_on_delete:
        request.retainOnDelete = True
    return request


def depend_on(request: RegisterResourceRequest, urn: str) -> None:
    """Make a resource depend on its user: it is created after, and deleted before the user with this URN."""
    request.dependencies.append(urn)
    request.propertyDependencies["user"].urns.append(urn)


def credential_request(
    credential: DesiredCredential, inputs: CredentialInputs, *, run: Mapping[str, Any], parent: str
) -> RegisterResourceRequest:
    """Return the request of a credential; `run` is its run context."""
    request = _child_request(CREDENTIAL_TYPE, credential.resource_name, parent, credential.location)
    _set_properties(request, inputs.properties() | {"run": run})
    request.additionalSecretOutputs.extend(SECRETS)
    if inputs.declared == MAX_PER_SERVICE:
        # The engine requests no diff for --replace and taint, and the quota allows no third credential.
        request.deleteBeforeReplace = request.deleteBeforeReplaceDefined = True
    if credential.protect:
        request.protect = True
    for name in credential.former_resource_names:
        request.aliases.extend(Alias(spec=Alias.Spec(name=name, noParent=is_moved)) for is_moved in (False, True))
    return request


def watcher_request(
    type_: str, file: str, location: SourceLocation, properties: Mapping[str, Any], parent: str
) -> RegisterResourceRequest:
    """Return the request of a resource that watches the users of a spec file."""
    request = _child_request(type_, file, parent, location)
    _set_properties(request, properties)
    return request


def _child_request(type_: str, name: str, parent: str, location: SourceLocation) -> RegisterResourceRequest:
    """Return the request of a resource below a spec file, with an alias for the same resource without a parent.

    `pulumi state move` and programs with classes leave a resource without a parent in the state.
    """
    request = _request(type_, name, parent, location)
    request.aliases.append(Alias(spec=Alias.Spec(noParent=True)))
    return request


def _request(type_: str, name: str, parent: str, location: SourceLocation) -> RegisterResourceRequest:
    position = SourcePosition(uri=Path(location.file).absolute().as_uri(), line=location.line, column=location.column)
    return RegisterResourceRequest(
        type=type_,
        name=escape_invisible(name),  # of a file, whose name may be anything
        parent=parent,
        sourcePosition=position,
        acceptSecrets=True,
        acceptResources=True,
        supportsPartialValues=True,
        supportsResultReporting=True,
    )


def _set_properties(request: RegisterResourceRequest, properties: Mapping[str, Any]) -> None:
    """Make it a resource of a dynamic provider with these properties, except those that are None."""
    request.custom = True
    given = {name: value for name, value in properties.items() if value is not None}
    request.object.update({**given, PROVIDER_KEY: _serialize(request.type)})


@functools.cache
def _serialize(type_: str) -> str:
    """Return the provider of this resource type as every state has it: by reference."""
    # By name, because the provider's module imports this package.
    return str(serialize_provider(resolve_name(":".join(PROVIDER_CLASSES[type_]))()))
