"""Write the parts of README.md that the code knows better: `python -m tools.readme`, or `make readme`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from iamcreds import specs
from iamcreds.account import permissions
from iamcreds.report import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

README = Path(__file__).resolve().parent.parent / "README.md"


def written(text: str) -> str:
    """The README with every generated part as the code has it now.

    Raises:
        ValueError: the README has no place for one of the parts.
    """
    for name, body in parts().items():
        place = rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)"
        text, found = re.subn(place, lambda _, body=body: str(body), text, flags=re.DOTALL)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"README.md has {found} places for {name}")
    return text


def parts() -> dict[str, str]:
    """The generated parts, by the name of their place."""
    return {
        "rules": table(specs.RULES),
        "findings": table(wording.RULES),
        "policy": document(permissions.up_policy(None)),
        "drift-policy": document(permissions.drift_policy()),
    }


def table(rules: Mapping[str, str]) -> str:
    """Rules and what breaks them."""
    return "| rule | what breaks it |\n|---|---|\n" + "".join(
        f"| `{name}` | {rules[name]} |\n" for name in sorted(rules)
    )


def document(policy: object) -> str:
    """An IAM policy."""
    return f"```json\n{json.dumps(policy, indent=2)}\n```\n"


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
