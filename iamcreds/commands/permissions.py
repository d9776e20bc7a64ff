"""`iamcreds permissions`: the IAM policy that a run needs."""

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
    help="Which run the policy is for.",
)
@click.option("--account", metavar="ID", help="With `--for up`: narrow the changes to the users of this account.")
@click.option(
    "--specs",
    type=click.Path(path_type=Path),
    metavar="SPECS",
    help="Narrow the changes to the users and services that these specs declare, and allow to make users with iamUser.",
)
@click.option(
    "--part",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="With --specs of many users: which of the policies that are needed.  [default: 1]",
)
def command(run: str, account: str | None, specs: Path | None, part: int | None) -> None:
    """Print the smallest IAM policy with which a run works, as JSON.

    It is generated from the operations that the code calls; asking STS who we are needs no permission. The users' ARNs
    are of the part of AWS that the region in use is of (AWS_REGION=us-gov-west-1: aws-us-gov).

    With --specs, credentials are made, reset and switched for declared users and services alone; whoever leaves the
    specs must lose theirs, so they are deleted for every user of the account. It is to be printed and attached again
    when specs name another user or service. Where the users do not fit into one policy, standard error says how many
    parts there are; all of them are needed. Where they do not fit into as many as a role may have, the changes are for
    every user of the account, and for the declared services alone.

    Where specs say iamUser, they bring what pulumi-aws needs to make users: declared ones, with declared policies and
    boundaries. Users are deleted, as credentials are, whoever they are.

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
            "12 digits, and only with --for up: reading cannot be narrowed", param_hint="--account"
        )
    if specs is not None and run == "drift":
        raise click.BadParameter("not with --for drift: reading cannot be narrowed", param_hint="--specs")
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
    """Make the policy of these specs, or the part that was asked for; standard error says what is to be known."""
    desired = load_specs(specs, allow_empty=False)
    if owner.account and desired.account and owner.account != desired.account:
        raise click.BadParameter(f"the specs are for account {desired.account}", param_hint="--account")
    owner = replace(owner, account=owner.account or desired.account)
    if owner.account is None:
        click.echo("neither the specs nor --account name an account: the users may be of any", err=True)
    policies = permissions.policies_for_users(desired, owner)
    needed = len(policies)
    if needed > permissions.MAX_POLICIES:
        policies = [permissions.policy_for_services(desired, owner)]
    if needed > 1:
        click.echo(_describe_length(needed, part), err=True)
    if part > len(policies):
        raise click.BadParameter(f"there is no such part: there are {len(policies)}", param_hint="--part")
    return policies[part - 1]


def _describe_length(needed: int, part: int) -> str:
    """Why there is more than one policy, or a wider one."""
    if needed > permissions.MAX_POLICIES:
        return (
            f"the users take {needed} policies, and IAM allows a role {permissions.MAX_POLICIES}: "
            "this one is for every user of the account, and for the declared services alone"
        )
    return (
        f"part {part} of {needed}, for IAM allows a policy {permissions.MAX_LENGTH:,} characters: "
        "the role needs all of them (--part 1, --part 2, …)"
    )
