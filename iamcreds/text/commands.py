"""Commands in messages, which can be pasted into a shell; pure."""

from __future__ import annotations

import shlex


def format_option(name: str, value: str) -> str:
    """Return an option with any value: `--user-name jane`, or `--user-name=-x` if the value looks like an option."""
    separator = "=" if value.startswith("-") else " "
    return f"{name}{separator}{shlex.quote(value)}"


def create_user(user: str) -> str:
    """Return the command that creates an IAM user."""
    return f"aws iam create-user {format_option('--user-name', user)}"


def rename_user(user: str, new_name: str) -> str:
    """Return the command that renames an IAM user."""
    names = format_option("--user-name", user), format_option("--new-user-name", new_name)
    return f"aws iam update-user {' '.join(names)}"


def delete_credential(user: str, credential_id: str) -> str:
    """Return the command that deletes a credential."""
    return f"aws iam delete-service-specific-credential {_name_credential(user, credential_id)}"


def switch_credential(user: str, credential_id: str, status: str) -> str:
    """Return the command that activates or deactivates a credential."""
    return (
        f"aws iam update-service-specific-credential {_name_credential(user, credential_id)}"
        f" {format_option('--status', status)}"
    )


def compare_with_state(specs: str) -> str:
    """Return the command that compares a file or folder of specs with the account and the stack's state."""
    return f"pulumi stack export | iamcreds drift {shlex.quote(specs)} --state -"


def dump_user(user: str, folder: str | None) -> str:
    """Return the command that writes specs of a user's credentials into a folder, or to standard output (None)."""
    dump = f"iamcreds dump {format_option('--user', user)}"
    return dump if folder is None else f"{dump} {format_option('--to', folder)}"


def read_secret(name: str) -> str:
    """Return the command that prints the login and password of a declared credential."""
    return f"iamcreds secret {'-- ' if name.startswith('-') else ''}{shlex.quote(name)}"


def delete_access_key(user: str, key_id: str) -> str:
    """Return the command that deletes an access key."""
    return f"aws iam delete-access-key {format_option('--user-name', user)} {format_option('--access-key-id', key_id)}"


def delete_secret(arn: str, name: str) -> str:
    """Return the command that deletes a secret from its store; Secrets Manager can restore it for 30 days."""
    return _change_secret(arn, name, "delete-secret", "delete-parameter")


def restore_secret(arn: str, name: str) -> str:
    """Return the command that cancels the planned deletion of a secret, which only Secrets Manager has."""
    return _change_secret(arn, name, "restore-secret", "")


def cancel_rotation(arn: str, name: str) -> str:
    """Return the command by which Secrets Manager no longer rotates a secret itself."""
    return _change_secret(arn, name, "cancel-rotate-secret", "")


def untag_secret(arn: str, name: str, tag: str) -> str:
    """Return the command that removes a tag of a secret."""
    change = "remove-tags-from-resource --resource-type Parameter"
    return f"{_change_secret(arn, name, 'untag-resource', change)} {format_option('--tag-keys', tag)}"


def _change_secret(arn: str, name: str, secret_change: str, parameter_change: str) -> str:
    """Return a command for the store in the ARN, `arn:aws:ssm:REGION:…`."""
    _, _, service, region, *_ = [*arn.split(":"), "", "", ""]
    where = format_option("--region", region)
    if service == "ssm":
        option = "--resource-id" if "resource-type" in parameter_change else "--name"
        return f"aws ssm {parameter_change} {format_option(option, name)} {where}"
    return f"aws secretsmanager {secret_change} {format_option('--secret-id', name)} {where}"


def install_extra(extra: str) -> str:
    """Return the commands that add an extra of iamcreds to a project or to a clone of iamcreds."""
    init = f"iamcreds init . --extra {extra} --wheel FILE --overwrite requirements.txt"
    return (
        f"run `{init}`, then `.venv/bin/pip install -r requirements.txt`; in a clone of iamcreds, `make .venv/.synced`"
    )


def _name_credential(user: str, credential_id: str) -> str:
    return f"{format_option('--user-name', user)} {format_option('--service-specific-credential-id', credential_id)}"
