"""The recorded states, with the account and the specs at the time of recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator

RECORDED = Path(__file__).parent
STATES = sorted(RECORDED.glob("*.json"))
"""The recorded state of each version that has one (see `make.py`)."""


def list_recorded_ids(state: dict[str, Any]) -> dict[str, str]:
    """Return the id of each credential and watcher in the state, by resource name."""
    return {
        resource["urn"].rsplit("::", 1)[1]: resource["id"]
        for resource in state["deployment"]["resources"]
        if "dynamic" in resource["type"]
    }


def restore(
    iam: IAMClient, emulator: Emulator, state: dict[str, Any], passwords: Mapping[str, str] | None = None
) -> None:
    """Restore the account to the time when the state was recorded, with new passwords or with these, by id."""
    for resource in state["deployment"]["resources"]:
        if resource["type"].endswith("ServiceSpecificCredential"):
            seen = resource["outputs"]
            users = [user["UserName"] for user in iam.list_users()["Users"]]
            if seen["user"] not in users:
                iam.create_user(UserName=seen["user"])
            login = seen.get("service_user_name") or seen["service_credential_alias"]
            password = {} if passwords is None else {"password": passwords[seen["credential_id"]]}
            emulator.controls.put_credential(
                seen["credential_id"], seen["user"], seen["service"],
                status=seen["status"], created=seen["create_date"], login=login, **password,
            )  # fmt: skip
    emulator.controls.clear_counts()


def specs_of_make() -> dict[str, str]:
    """Return the specs in `recorded/make.py` from which the state was created."""
    texts = (RECORDED / "make.py").read_text().split('"""')
    first, bot = (next(text for text in texts if word in text) for word in ("reset: first", "build-bot:"))
    return {"team": first.replace("first", "second"), "bot": bot}
