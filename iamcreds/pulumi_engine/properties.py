"""The properties that our resources are registered with: one way for the classes and for the YAML program; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iamcreds.pulumi_engine.inputs import CredentialInputs

CREDENTIAL_TYPE = "pulumi-python:dynamic/iam:ServiceSpecificCredential"
UNMANAGED_CREDENTIALS_TYPE = "pulumi-python:dynamic/iam:UnmanagedCredentials"
ACCESS_KEYS_TYPE = "pulumi-python:dynamic/iam:AccessKeys"
IAM_USER_TYPE = "aws:iam/user:User"
POLICY_ATTACHMENT_TYPE = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
SPEC_FILE_TYPE = "iamcreds:index:SpecFile"
"""The component of a spec file. It is part of its children's URNs, its name is not: a user may move to another file."""


def credential_properties(inputs: CredentialInputs, run: Mapping[str, Any]) -> dict[str, Any]:
    """A credential's inputs, of which any may be an output of another resource, and the message to its provider."""
    return {**inputs.properties(), "run": run}


def watcher_properties(users: object, account: object = None, run: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A watcher's inputs, those that are given, and the message to its provider."""
    properties = {"users": users, "account": account, "run": run}
    return {name: value for name, value in properties.items() if value is not None}
