"""A module that Python imports if this folder is on PYTHONPATH. AWS then has one second to respond, not a minute."""

from iamcreds.aws import client

client.READ_TIMEOUT = 1
