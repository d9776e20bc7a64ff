"""The program of a stack: read the specs, register all declared resources, and export the outputs.

A project's `__main__.py` only calls `run()`, so that an upgrade needs a newer version of the package only. The names of
the module, the function and the stack's configuration keys never change.
"""

from __future__ import annotations

import atexit
import difflib
import gc
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime.config import CONFIG

from iamcreds.errors import SpecsError
from iamcreds.pulumi_engine.approved_plan import require_approved_specs
from iamcreds.pulumi_engine.engine_watch import watch_program
from iamcreds.pulumi_engine.passwords import KEY as PASSWORDS
from iamcreds.pulumi_engine.registration import register
from iamcreds.pulumi_engine.rejection_report import completes_with_rejections
from iamcreds.specs import load
from iamcreds.text.escaping import escape_invisible, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iamcreds.desired import Desired

_KEYS = ("allowEmpty", "enforce", "now", PASSWORDS, "specs")
"""The keys of the stack's configuration that program and providers read."""


def run() -> None:
    """Register all resources that the stack's specs declare, and export the outputs `credentials` and `secrets`.

    Raises:
        pulumi.RunError: the specs have problems, or are not those of the approved plan, or a variable is not valid.
    """
    completes_with_rejections()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the engine ends a program by SIGINT: no traceback
    watch_program()
    atexit.register(gc.freeze)  # without it, Python collects garbage in all of Pulumi at exit while the engine waits
    for unknown in find_unknown_keys():
        pulumi.log.warn(unknown)
    specs = load_specs()
    for warning in specs.warnings:
        pulumi.log.warn(str(warning))
    require_approved_specs(specs)
    registered = register(specs)
    pulumi.export("credentials", registered["credentials"])
    # One secret as a whole, because tools that mask outputs look at the top level only.
    pulumi.export("secrets", pulumi.Output.secret(registered["secrets"]))


def find_unknown_keys() -> Iterator[str]:
    """Yield a warning for each unused key of the project's configuration, such as a misspelled `specs`."""
    prefix = f"{pulumi.get_project()}:"
    for key in sorted(name.removeprefix(prefix) for name in CONFIG.get() if name.startswith(prefix)):
        if key not in _KEYS:
            near = difflib.get_close_matches(key.lower(), [known.lower() for known in _KEYS], 1)
            hint = "".join(f"; did you mean `{known}`?" for known in _KEYS if known.lower() in near)
            yield f"config `{shorten(escape_invisible(key))}` is unknown: known keys are {', '.join(_KEYS)}{hint}"


def load_specs() -> Desired:
    """Load the specs that the stack's configuration names.

    Raises:
        pulumi.RunError: with every problem of the specs.
    """
    config = pulumi.Config()
    try:
        return load(Path(config.get("specs") or "specs"), allow_empty=config.get_bool("allowEmpty") or False)
    except SpecsError as error:
        raise pulumi.RunError(f"the specs have problems:\n{error}") from None
