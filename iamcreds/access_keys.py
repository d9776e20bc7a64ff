"""Reading the access keys of many users: a bounded pool of threads, one list a user, one question a key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from typing import TYPE_CHECKING, Any

from iamcreds import aws
from iamcreds.errors import NoSuchUserError
from iamcreds.model import AccessKey, Status
from iamcreds.snapshot import pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_iam import IAMClient


def read_access_keys(iam: IAMClient, users: Iterable[str]) -> dict[str, list[AccessKey] | None]:
    """The access keys of each of the users, oldest first; None of a user who does not exist.

    Raises:
        AccountError: as AWS answers.
    """
    names = sorted(set(users))
    with ThreadPoolExecutor(max_workers=aws.POOL) as pool:
        return dict(zip(names, pool.map(lambda user: _keys_of(iam, user), names), strict=True))


def _keys_of(iam: IAMClient, user: str) -> list[AccessKey] | None:
    try:
        with aws.speaking(f"listing the access keys of user {user}"):
            found = [item for page in pages(iam.list_access_keys, UserName=user) for item in page["AccessKeyMetadata"]]
    except NoSuchUserError:
        return None
    return sorted((_key(iam, item) for item in found), key=lambda key: (key.created, key.id))


def _key(iam: IAMClient, item: Mapping[str, Any]) -> AccessKey:
    with aws.speaking(f"asking when access key {item['AccessKeyId']} of user {item['UserName']} was last used"):
        used: Mapping[str, Any] = iam.get_access_key_last_used(AccessKeyId=item["AccessKeyId"])["AccessKeyLastUsed"]
    return AccessKey(
        id=item["AccessKeyId"],
        user=item["UserName"],
        status=Status(item["Status"]),
        created=item["CreateDate"].astimezone(UTC),
        last_used=used["LastUsedDate"].astimezone(UTC) if "LastUsedDate" in used else None,
        service=_unless_never(used.get("ServiceName")),
        region=_unless_never(used.get("Region")),
    )


def _unless_never(word: str | None) -> str | None:
    """IAM says N/A of the service and region of a key that was never used."""
    return None if word == "N/A" else word
