"""One AWS account: the only package that calls AWS. Other packages use an `Account`."""

from iamcreds.aws.account import Account

__all__ = ["Account"]
