"""Spec files with hostile names, on the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.existing import JANE

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from tests.e2e.stack import Stack

NAME = "x\n::add-mask::secret\x1b[2J\u202e##[group]"


def test_hostile_file(stack: Stack, iam: IAMClient) -> None:
    """Previews, rejections and `up` print no control sequence of a terminal and no command of a CI system."""
    iam.create_user(UserName="jane")
    stack.write_specs(**{NAME: JANE.replace("codecommit", "strange.example")})
    stack.run("preview", "--diff")
    stack.write_specs(**{NAME: "users: ["})
    assert "invalid YAML" in stack.fail("preview")
    stack.write_specs(**{NAME: JANE})
    stack.preview()
    stack.up()
    stack.assert_no_changes()
    for line in "".join(stack.printed).split("\n"):
        assert not line.lstrip().startswith("::")
        assert not {"\x1b", "\u202e"} & set(line)
        assert "##[" not in line
