"""An API key whose age comes from the configuration, and a Git password for the same user."""

import pulumi

from dynamic_providers import ServiceSpecificCredential

config = pulumi.Config()
key = ServiceSpecificCredential(
    "key",
    user="jane",
    service="bedrock",
    age_days=config.get_int("ageDays"),
)
login = ServiceSpecificCredential("login", user=key.user, service="codecommit", reset=key.credential_id)
pulumi.export("alias", key.service_credential_alias)
pulumi.export("key", key.service_credential_secret)
pulumi.export("expires", key.expiration_date)
pulumi.export("login", login.service_user_name)
pulumi.export("account", key.account_id)
