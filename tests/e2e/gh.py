"""A stub of `gh`: records each call and, if the test keeps comments of a pull request, lists, edits and adds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

BOT = {"login": "github-actions[bot]"}


def main(words: list[str]) -> None:
    """Record the call and respond to it: `--jq` filters the comments, or prints the result that the test has set."""
    options = dict(pairwise(words))
    body = read_body(words, options)
    with Path(os.environ["GH_CALLS"]).open("a") as calls:
        calls.write(f"{json.dumps({'arguments': words, 'body': body})}\n")
    file = Path(os.environ["GH_COMMENTS"])
    if "--jq" not in words:
        if file.exists():
            write_comment(file, words, options, body)
    elif file.exists():
        subprocess.run(["jq", "--raw-output", options["--jq"]], input=file.read_text(), text=True, check=True)  # noqa: S607 - as on a runner
    else:
        print(os.environ["GH_FOUND"])  # noqa: T201 - this is a command


def read_body(words: list[str], options: dict[str, str]) -> str:
    """Return the text of the file that the call names, or of the request on standard input."""
    files = [word.removeprefix("body=@") for word in words if word.startswith("body=@")]
    files += [options["--body-file"]] if "--body-file" in options else []
    if "--input" in options:
        return str(json.load(sys.stdin)["body"])
    return "".join(Path(file).read_text() for file in files)


def write_comment(file: Path, words: list[str], options: dict[str, str], body: str) -> None:
    """Edit the comment that the address names, or add a comment."""
    comments = json.loads(file.read_text())
    if options["--method"] == "POST":
        comments.append({"id": len(comments) + 1, "user": BOT, "body": body})
    else:
        number = next(word.rpartition("/")[2] for word in words if "/issues/comments/" in word)
        next(comment for comment in comments if str(comment["id"]) == number)["body"] = body
    file.write_text(json.dumps(comments))


if __name__ == "__main__":
    main(sys.argv[1:])
