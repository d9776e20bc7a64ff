"""Print a state as this version records it, for the tests of later versions.

    .venv/bin/python tests/e2e/recorded/make.py > tests/e2e/recorded/VERSION.json

Three are named otherwise. Commit 1f03599, the last one before rotations, recorded `1f03599.json`. Commit cd82b75 and
the older ce4419c, the last one before direct registration, recorded `cd82b75.json` and `state.json`, both without
`issued_at`. The secrets are encrypted with the passphrase of the tests. They come from the IAM emulator and are useless
elsewhere. The stack is exported after a second `up`, so the state also contains the effects of a refresh and an update.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import boto3

sys.path.insert(0, str(Path.cwd()))

from iamcreds.emulator.server import Emulator
from tests.e2e.stack import create_stack, find_engine

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
    """Print the exported state."""
    with Emulator() as emulator, tempfile.TemporaryDirectory() as folder:
        iam = boto3.client(
            "iam", endpoint_url=emulator.url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        for user in ("jane", "joe", "build-bot"):
            iam.create_user(UserName=user)
        stack = create_stack(Path(folder), find_engine(), emulator.url)
        for text in (FIRST, SECOND):
            stack.write_specs(team=text, bot=BOT)
            stack.up()
        state = json.loads(stack.succeed("stack", "export"))
    for resource in state["deployment"]["resources"]:
        for name in ("stackTrace", "sourcePosition"):  # they only contain paths of this machine
            resource.pop(name, None)
    sys.stdout.write(json.dumps(state, indent=1) + "\n")


if __name__ == "__main__":
    main()
