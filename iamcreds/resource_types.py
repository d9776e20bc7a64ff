"""The resource types of a stack, and the provider class of each dynamic resource; pure.

Every state contains the types, modules and class names.
"""

from __future__ import annotations

CREDENTIAL_TYPE = "pulumi-python:dynamic/iam:ServiceSpecificCredential"
ACCESS_KEYS_TYPE = "pulumi-python:dynamic/iam:AccessKeys"
UNMANAGED_CREDENTIALS_TYPE = "pulumi-python:dynamic/iam:UnmanagedCredentials"
IAM_USER_TYPE = "aws:iam/user:User"
POLICY_ATTACHMENT_TYPE = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
SPEC_FILE_TYPE = "iamcreds:index:SpecFile"
"""The component of a spec file. URNs of its children contain its type but not its name, so users can change files."""
STACK_TYPE = "pulumi:pulumi:Stack"

PROVIDER_CLASSES = {
    CREDENTIAL_TYPE: ("dynamic_providers.service_specific_credential", "ServiceSpecificCredentialProvider"),
    ACCESS_KEYS_TYPE: ("dynamic_providers.access_keys", "AccessKeysProvider"),
    UNMANAGED_CREDENTIALS_TYPE: ("dynamic_providers.unmanaged_credentials", "UnmanagedCredentialsProvider"),
}
"""The module and class of the provider for each type of dynamic resource."""


def urn_name(urn: str) -> str:
    """Return the resource name in a URN: its last part, which may contain colons."""
    return urn.split("::", 3)[-1]


def urn_type(urn: str) -> str:
    """Return the resource type in a URN, without the types of its parents; empty if it is not a URN."""
    parts = urn.split("::", 3)
    return parts[2].rpartition("$")[2] if len(parts) > 3 else ""  # noqa: PLR2004 - stack, project, type, name
