"""The approved plan of this process, from the file that the environment variable `IAMCREDS_APPROVED` names."""

from __future__ import annotations

import functools
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi

from iamcreds.errors import ApprovalError
from iamcreds.pull_request.approval import MAX_SIZE, parse_approval
from iamcreds.specs.digest import compute_digest
from iamcreds.text.decoding import decode
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from iamcreds.desired import Desired
    from iamcreds.pull_request.approval import Approval

VARIABLE = "IAMCREDS_APPROVED"


@functools.cache
def read_approval() -> Approval | None:
    """Read the approved plan once per process, None if the variable is not set.

    Raises:
        ApprovalError: the file cannot be read, or is not an approved plan.
    """
    name = os.environ.get(VARIABLE)
    if name is None:
        return None
    file = shorten(escape_invisible(name))
    try:
        return parse_approval(_read_text(name))
    except ApprovalError as error:
        raise ApprovalError(f"{VARIABLE}={file}: {error}") from None
    except (OSError, ValueError) as error:  # ValueError: a different encoding, or a name with a null character
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise ApprovalError(f"cannot read {VARIABLE}={file}: {reason}") from None


def _read_text(name: str) -> str:
    if not name:
        raise ApprovalError("the name is empty. Options: name a file of `iamcreds plan --approve FILE`; or unset it")
    path = Path(name)
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe might never end
        raise ApprovalError("it is not a regular file")
    with path.open("rb") as file:
        data = file.read(MAX_SIZE + 1)
    if len(data) > MAX_SIZE:
        raise ApprovalError(f"it has more than {MAX_SIZE // 1_000_000} MB")
    return decode(data)


def require_approved_specs(desired: Desired) -> None:
    """Require that the approved plan, if there is one, is for this stack and these specs.

    Raises:
        pulumi.RunError: it was not, or it cannot be read.
    """
    try:
        approval = read_approval()
    except ApprovalError as error:
        raise pulumi.RunError(str(error)) from None
    if approval is None:
        return
    own, approved = f"{pulumi.get_project()}/{pulumi.get_stack()}", f"{approval.project}/{approval.stack}"
    if own != approved:
        raise pulumi.RunError(
            f"the approved plan is for stack {escape_invisible(approved)}, but this is stack {own}: nothing was changed"
        )
    if approval.specs is None:
        raise pulumi.RunError(
            "the approved plan has no digest of the specs: nothing was changed. Run `iamcreds plan` with --approve"
            " and --specs"
        )
    if approval.specs != compute_digest(desired):
        raise pulumi.RunError(
            "the specs have changed since the approved plan of"
            f" {approval.planned_at:%Y-%m-%d %H:%M} UTC: nothing was changed. Run `pulumi preview` and"
            " `iamcreds plan --approve FILE` again"
        )
