"""Imported by Python when it starts with this folder on PYTHONPATH: AWS then has a second to answer, not a minute."""

from iamcreds.aws import client

client.READ_TIMEOUT = 1
