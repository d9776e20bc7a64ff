"""Makes state.json beside this file: a stack as the version before direct registration recorded it.

The state was made by commit ce4419c, with the engine 3.274.1, like this:

    git worktree add /tmp/before ce4419c && cd /tmp/before && make .venv/.synced
    .venv/bin/python HERE/make.py > HERE/state.json

Its secrets are encrypted with the passphrase of the tests, and open nothing: they were made by the embedded IAM. The
stack is exported after a second `up`, so that it holds what a refresh and an update record, too.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import boto3

sys.path.insert(0, str(Path.cwd()))

from iamcreds.emulator.server import Emulator
from tests.e2e.stack import find_engine, new_stack  # as that commit calls them

FIRST = """
users:
  jane:
    credentials:
      - {service: codecommit, reset: first}
      - {service: bedrock}
  joe:
    credentials:
      - {service: keyspaces, protect: true}
    accessKeys: {max: 1, maxAgeDays: 90}
"""
SECOND = FIRST.replace("first", "second")
BOT = """
users:
  build-bot:
    credentials:
      - {service: codecommit, name: primary, status: Active}
      - {service: codecommit, name: spare, status: Inactive}
"""


def main() -> None:
    """Print the export."""
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        iam = boto3.client(
            "iam", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        for user in ("jane", "joe", "build-bot"):
            iam.create_user(UserName=user)
        stack = new_stack(Path(folder), find_engine(), emulator.url)
        for text in (FIRST, SECOND):
            stack.specs(team=text, bot=BOT)
            stack.up()
        state = json.loads(stack.good("stack", "export"))
    for resource in state["deployment"]["resources"]:
        for name in ("stackTrace", "sourcePosition"):  # they hold nothing but the paths of the machine
            resource.pop(name, None)
    sys.stdout.write(json.dumps(state, indent=1) + "\n")


if __name__ == "__main__":
    main()
