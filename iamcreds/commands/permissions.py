"""`iamcreds permissions`: the IAM policy for a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from iamcreds.commands._options import load_specs
from iamcreds.delivery import STORE_FIELDS
from iamcreds.policies import documents, permissions, secret_permissions
from iamcreds.text.names import ACCOUNT_ID

if TYPE_CHECKING:
    from iamcreds.desired import Desired


@click.command("permissions")
@click.option(
    "--for",
    "run",
    type=click.Choice(["up", "preview", "drift"]),
    default="up",
    show_default=True,
    help="Run that the policy permits.",
)
@click.option(
    "--account", metavar="ID", help="Account whose users `up` can change.  [default: the account of the specs, or any]"
)
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    metavar="SPECS",
    help="Specs that limit the changes to their users, services and secrets, and permit their `iamUser` and `deliver`."
    "  [default: none]",
)
@click.option(
    "--part",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="With --specs of many users, the number of the policy to print.  [default: 1]",
)
@click.option(
    "--store",
    "stores",
    multiple=True,
    type=click.Choice([*STORE_FIELDS]),
    help="Without --specs, secret store of a program's deliveries; may be repeated.  [default: none]",
)
@click.option(
    "--read-secret",
    metavar="NAME",
    help="With --specs, credential whose delivered secret the policy permits to read, such as jane/keyspaces.",
)
def command(  # noqa: PLR0913 - one for each option
    run: str,
    *,
    account: str | None,
    specs: Path | None,
    part: int | None,
    stores: tuple[str, ...],
    read_secret: str | None,
) -> None:
    """Print the least-privilege IAM policy for a run, as JSON.

    The policy is generated from the operations that the code calls. The ARNs of users have the partition of the region
    in use (aws-us-gov for AWS_REGION=us-gov-west-1).

    --specs limits creates, resets and status changes to declared users and services. Deletion is allowed for every
    user of the account, because users removed from the specs must lose their credentials. Attach the new policy before
    specs declare a new user or service. If the users do not fit into one policy, standard error shows the number of
    parts, and the role needs all of them. Above the quota of policies per role, one policy allows changes to all users
    of the account for declared services.

    If specs declare `iamUser`, the policy includes the permissions that pulumi-aws needs to create declared users with
    declared policies and boundaries. Deletion is allowed for every user.

    If specs declare `deliver`, only --specs permits the calls to the declared stores, for each value of --for. For a
    program of your own, --store limits changes of existing secrets to those with the tag iamcreds:credential, without
    permissions for KMS keys. No policy of a run permits reading the value of a secret. --read-secret prints the policy
    of a consumer for `iamcreds secret --from-store`.

    \b
    Examples:
      iamcreds permissions
      iamcreds permissions --for drift
      iamcreds permissions --account 123456789012
      iamcreds permissions --specs specs
      iamcreds permissions --for preview --specs specs
      iamcreds permissions --for drift --specs specs
      iamcreds permissions --specs specs --part 2
      iamcreds permissions --specs specs --read-secret jane/keyspaces
      iamcreds permissions --store secretsManager
    """
    if account is not None and not (run == "up" and ACCOUNT_ID.fullmatch(account)):
        raise click.BadParameter(
            "12 digits, and only with --for up, because reads cannot be limited", param_hint="--account"
        )
    if part is not None and (specs is None or run != "up" or read_secret is not None):
        raise click.BadParameter("only with --for up and --specs", param_hint="--part")
    is_for_run = click.get_current_context().get_parameter_source("run") is not ParameterSource.DEFAULT
    if read_secret is not None and (specs is None or is_for_run):
        raise click.BadParameter("only with --specs, and without --for", param_hint="--read-secret")
    if stores and specs is not None:
        raise click.BadParameter("only without --specs, which declare the stores", param_hint="--store")
    from iamcreds.aws.client import find_partition, open_session  # noqa: PLC0415 - boto3 is slow to import

    owner = documents.Owner(account, find_partition(open_session()) if run == "up" else "aws")
    desired = None if specs is None else load_specs(specs, allow_empty=False)
    policy = _make_policy(run, owner, desired, part or 1, read_secret)
    policy["Statement"] += secret_permissions.store_statements(
        (STORE_FIELDS[store] for store in stores), owner, is_update=run == "up"
    )
    click.echo(json.dumps(policy, indent=2))


def _make_policy(
    run: str, owner: documents.Owner, desired: Desired | None, part: int, read_secret: str | None
) -> dict[str, Any]:
    if run == "preview":
        return permissions.preview_policy(desired)
    if run == "drift":
        return permissions.drift_policy(desired)
    if desired is None:
        return permissions.up_policy(owner)
    owner = _complete_owner(owner, desired)
    return _narrow(desired, owner, part) if read_secret is None else _permit_reader(desired, owner, read_secret)


def _complete_owner(owner: documents.Owner, desired: Desired) -> documents.Owner:
    if owner.account and desired.account and owner.account != desired.account:
        raise click.BadParameter(f"the specs are for account {desired.account}", param_hint="--account")
    return replace(owner, account=owner.account or desired.account)


def _permit_reader(desired: Desired, owner: documents.Owner, name: str) -> dict[str, Any]:
    """Return the policy for reading the delivered secret of the credential with this name."""
    credentials = (credential for user in desired.users for credential in user.credentials)
    deliveries = {credential.declared_name: credential.deliver for credential in credentials}
    if name not in deliveries:
        raise click.BadParameter(f"the specs have no credential {name}", param_hint="--read-secret")
    if (delivery := deliveries[name]) is None:
        raise click.BadParameter(f"the specs declare no `deliver` for {name}", param_hint="--read-secret")
    return secret_permissions.reader_policy(delivery, owner)


def _narrow(desired: Desired, owner: documents.Owner, part: int) -> dict[str, Any]:
    """Return one part of the policies for these specs; print warnings to standard error."""
    if owner.account is None:
        click.echo(
            "neither the specs nor --account name an account, so the policy allows changes to users of any account",
            err=True,
        )
    policies = permissions.policies_for_users(desired, owner)
    needed = len(policies)
    if needed > documents.MAX_POLICIES:
        policies = [permissions.policy_for_services(desired, owner)]
    if needed > 1:
        click.echo(_describe_length(needed, part), err=True)
    if part > len(policies):
        raise click.BadParameter(
            f"part {part} does not exist; the number of parts is {len(policies)}", param_hint="--part"
        )
    return policies[part - 1]


def _describe_length(needed: int, part: int) -> str:
    """Return the reason for several policies, or for one with wider permissions."""
    if needed > documents.MAX_POLICIES:
        return (
            f"the users need {needed} policies, and IAM allows {documents.MAX_POLICIES} per role: "
            "this policy allows changes to all users of the account for declared services"
        )
    return (
        f"part {part} of {needed}, because IAM allows {documents.MAX_LENGTH:,} characters per policy: "
        "the role needs all parts (--part 1, --part 2, …)"
    )
