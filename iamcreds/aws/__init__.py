"""One AWS account: the only place that calls AWS; everybody else takes an `Account`."""

from iamcreds.aws.account import Account

__all__ = ["Account"]
