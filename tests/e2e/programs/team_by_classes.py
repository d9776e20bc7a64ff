"""The resources of the YAML specs in test_registration.py, declared by the classes."""

import pulumi

from dynamic_providers import AccessKeys, ServiceSpecificCredential

file = pulumi.ComponentResource("iamcreds:index:SpecFile", "specs/team.yaml")
under = pulumi.ResourceOptions(parent=file)
made = {
    "jane/codecommit": ServiceSpecificCredential(
        "jane/codecommit", user="jane", service="codecommit", reset="2026-11-01", opts=under
    ),
    "jane/bedrock": ServiceSpecificCredential(
        "jane/bedrock", user="jane", service="bedrock.amazonaws.com", status="Active", opts=under
    ),
    "bot/keyspaces/a": ServiceSpecificCredential(
        "bot/keyspaces/a", user="bot", service="cassandra.amazonaws.com", declared=2, opts=under
    ),
    "bot/keyspaces/b": ServiceSpecificCredential(
        "bot/keyspaces/b",
        user="bot",
        service="cassandra.amazonaws.com",
        status="Inactive",
        declared=2,
        opts=pulumi.ResourceOptions(parent=file, protect=True),
    ),
}
AccessKeys("specs/team.yaml", users={"bot": {"max": 1}}, opts=under)
file.register_outputs({})

pulumi.export(
    "credentials",
    {
        name: {
            "id": one.credential_id,
            "user_name": one.service_credential_alias if "bedrock" in name else one.service_user_name,
            "status": one.status,
        }
        for name, one in made.items()
    },
)
pulumi.export(
    "secrets",
    {name: one.service_credential_secret if "bedrock" in name else one.service_password for name, one in made.items()},
)
