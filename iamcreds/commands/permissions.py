"""`iamcreds permissions`: the IAM policy that a run needs."""

from __future__ import annotations

import json

import click

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
def command(run: str, account: str | None) -> None:
    """Print the smallest IAM policy with which a run works, as JSON.

    It is generated from the operations that the code calls; asking STS who we are needs no permission.

    \b
    Examples:
      iamcreds permissions
      iamcreds permissions --for drift
      iamcreds permissions --account 123456789012
    """
    if account is not None and not (run == "up" and ACCOUNT_ID.fullmatch(account)):
        raise click.BadParameter(
            "12 digits, and only with --for up: reading cannot be narrowed", param_hint="--account"
        )
    from iamcreds.account.permissions import drift_policy, preview_policy, up_policy  # noqa: PLC0415 - boto3 is slow to import

    policies = {"up": lambda: up_policy(account), "preview": preview_policy, "drift": drift_policy}
    click.echo(json.dumps(policies[run](), indent=2))
