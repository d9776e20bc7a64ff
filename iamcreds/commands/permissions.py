"""`iamcreds permissions`: the IAM policy that a run needs."""

from __future__ import annotations

import json

import click


@click.command("permissions")
@click.option(
    "--for",
    "run",
    type=click.Choice(["up", "preview"]),
    default="up",
    show_default=True,
    help="Which run the policy is for.",
)
@click.option("--account", metavar="ID", help="Narrow the changes to the users of this account (12 digits).")
def command(run: str, account: str | None) -> None:
    """Print the smallest IAM policy with which a run works, as JSON.

    It is generated from the operations that the code calls; asking STS who we are needs no permission.

    \b
    Examples:
      iamcreds permissions
      iamcreds permissions --for preview
      iamcreds permissions --account 123456789012
    """
    from iamcreds.permissions import preview_policy, up_policy  # noqa: PLC0415 - boto3 is slow to import

    click.echo(json.dumps(up_policy(account) if run == "up" else preview_policy(), indent=2))
