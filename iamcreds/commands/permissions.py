"""`iamcreds permissions`: the IAM policy for a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from iamcreds.commands._options import load_specs
from iamcreds.policies import permissions
from iamcreds.text.names import ACCOUNT_ID


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
    help="Specs that limit the changes to their users and services, and permit their `iamUser`.  [default: none]",
)
@click.option(
    "--part",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="With --specs of many users, the number of the policy to print.  [default: 1]",
)
def command(run: str, account: str | None, specs: Path | None, part: int | None) -> None:
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

    \b
    Examples:
      iamcreds permissions
      iamcreds permissions --for drift
      iamcreds permissions --account 123456789012
      iamcreds permissions --specs specs
      iamcreds permissions --for preview --specs specs
      iamcreds permissions --specs specs --part 2
    """
    if account is not None and not (run == "up" and ACCOUNT_ID.fullmatch(account)):
        raise click.BadParameter(
            "12 digits, and only with --for up, because reads cannot be limited", param_hint="--account"
        )
    if specs is not None and run == "drift":
        raise click.BadParameter("not with --for drift, because reads cannot be limited", param_hint="--specs")
    if part is not None and (specs is None or run != "up"):
        raise click.BadParameter("only with --for up and --specs", param_hint="--part")
    from iamcreds.aws.client import find_partition, open_session  # noqa: PLC0415 - boto3 is slow to import

    owner = permissions.Owner(account, find_partition(open_session()) if run == "up" else "aws")
    if run == "up":
        policy = permissions.up_policy(owner) if specs is None else _narrow(specs, owner, part or 1)
    elif run == "preview":
        policy = permissions.preview_policy(None if specs is None else load_specs(specs, allow_empty=False))
    else:
        policy = permissions.drift_policy()
    click.echo(json.dumps(policy, indent=2))


def _narrow(specs: Path, owner: permissions.Owner, part: int) -> dict[str, Any]:
    """Return one part of the policies for these specs; print warnings to standard error."""
    desired = load_specs(specs, allow_empty=False)
    if owner.account and desired.account and owner.account != desired.account:
        raise click.BadParameter(f"the specs are for account {desired.account}", param_hint="--account")
    owner = replace(owner, account=owner.account or desired.account)
    if owner.account is None:
        click.echo(
            "neither the specs nor --account name an account, so the policy allows changes to users of any account",
            err=True,
        )
    policies = permissions.policies_for_users(desired, owner)
    needed = len(policies)
    if needed > permissions.MAX_POLICIES:
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
    if needed > permissions.MAX_POLICIES:
        return (
            f"the users need {needed} policies, and IAM allows {permissions.MAX_POLICIES} per role: "
            "this policy allows changes to all users of the account for declared services"
        )
    return (
        f"part {part} of {needed}, because IAM allows {permissions.MAX_LENGTH:,} characters per policy: "
        "the role needs all parts (--part 1, --part 2, …)"
    )
