"""An account with an example of each event of a schedule, at a fixed time, without AWS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from iamcreds.drift.comparing import compare
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.model import AccessKey, Credential, Inventory, RecordedCredential, StackExport, Status, User
from iamcreds.schedule.events import Schedule, make_schedule
from iamcreds.services import Family, complete_service_name, service_family
from iamcreds.specs.loading import load_all

if TYPE_CHECKING:
    from iamcreds.desired import Desired

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
YEAR = timedelta(days=365)

SPECS = b"""\
users:
  build-bot:
    credentials:
      - {service: codecommit, rotate: {every: 60d, overlap: 7d}}
  cassandra-backup:
    credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 14d, retire: delete}}]
  deploy-bot:
    credentials:
      - {service: codecommit, name: primary}
      - {service: codecommit, name: spare}
    credentialPolicy: {maxAgeDays: 365}
  etl-legacy:
    credentials: []
    accessKeys: {max: 2, maxAgeDays: 180, maxIdleDays: 60}
  jane.doe:
    credentials: [{service: codecommit}]
    credentialPolicy: {maxAgeDays: 180}
  metrics-exporter:
    credentials: [{service: logs, expire: {after: 180d}}]
  orders:
    credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]
  payments:
    credentials: [{service: keyspaces, rotate: {every: 90d, overlap: 7d}}]
  support-assistant:
    credentials: [{service: bedrock, expire: {after: 90d, renewBefore: 14d}}]
  web-search:
    credentials: [{service: bedrock, expire: {after: 120d, renewBefore: 21d}}]
"""

AGES = {
    "build-bot/codecommit": 20,
    "cassandra-backup/keyspaces": 75,
    "deploy-bot/codecommit/primary": 200,
    "deploy-bot/codecommit/spare": 30,
    "jane.doe/codecommit": 150,
    "metrics-exporter/logs": 100,
    "orders/keyspaces": 40,
    "payments/keyspaces": 97,
    "support-assistant/bedrock": 71,
    "web-search/bedrock": 10,
}
"""The days since the issue of each credential by resource name."""

LIFETIMES = {"metrics-exporter/logs": 180, "support-assistant/bedrock": 90, "web-search/bedrock": 120}
"""The lifetimes in days."""


def make_existing(name: str, number: int, days: int, lifetime: int | None = None) -> Credential:
    """Return an existing credential, by its user and service, that was created that many days ago."""
    user, alias, *_ = name.split("/")
    service, created = complete_service_name(alias), NOW - timedelta(days=days)
    expires = None if lifetime is None else created + timedelta(days=lifetime)
    family = service_family(service) or Family.API_KEY
    return Credential(f"ACCAEXAMPLE{number:010}", user, service, Status.ACTIVE, created, family, "login", expires)


def record(resource: str, existing: Credential) -> RecordedCredential:
    """Return a credential as the state has it."""
    return RecordedCredential(
        resource=resource,
        id=existing.id,
        user=existing.user,
        service=existing.service,
        created=existing.created,
        issued=existing.created,
        expires=existing.expires,
        age_days=existing.lifetime_days,
    )


def load_example() -> Desired:
    """Return the specs."""
    return load_all([Path("-")], BytesIO(SPECS))


def make_example(until: datetime = NOW + YEAR) -> Schedule:
    """Return the schedule of the example."""
    desired = load_example()
    managed = {
        resource: make_existing(resource, number, days, LIFETIMES.get(resource))
        for number, (resource, days) in enumerate(AGES.items(), 1)
    }
    contractor = make_existing("contractor@example.com/logs", 99, 60, 150)
    key = AccessKey("AKIAEXAMPLE000000001", "etl-legacy", Status.ACTIVE, NOW - timedelta(days=170), NOW)
    idle = replace(key, id="AKIAEXAMPLE000000002", created=NOW - timedelta(days=70), last_used=None)
    inventory = Inventory(
        "123456789012",
        NOW,
        tuple(User(name, NOW - 3 * YEAR) for name in sorted({user.name for user in desired.users} | {contractor.user})),
        (*managed.values(), contractor),
        access_keys=(key, idle),
        access_keys_read=("etl-legacy",),
    )
    state = make_recorded_state(StackExport(tuple(record(resource, each) for resource, each in managed.items())))
    return make_schedule(desired, compare(desired, inventory, state=state), until)
