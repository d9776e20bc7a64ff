"""Drift as OpenMetrics text, read by the parsers of both formats."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as strict_parser

from iamcreds.desired import Desired, DesiredUser, Waiver
from iamcreds.drift.comparing import SOON, compare, list_rules
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.model import Credential, StackExport, Status, User
from iamcreds.report.openmetrics import format_openmetrics
from tests.drift.test_comparing import NOW, USER_PLACE, account, location
from tests.drift.test_rotation import (
    DAY,
    DECLARED,
    DUE,
    EXPIRING,
    INACTIVE,
    KEYSPACES,
    NEWER,
    OLDER,
    PLAIN,
    drift_of,
    password,
    record,
    record_both,
    rotated,
)
from tests.test_hostile_names import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric
    from prometheus_client.samples import Sample

    from iamcreds.drift.comparing import Drift

ACCOUNT = "123456789012"
LABELS = {"account": ACCOUNT, "user": "jane", "service": KEYSPACES, "resource": "jane/keyspaces"}
NO_DAYS: dict[str, list[object]] = {
    "iamcreds_secret_age_days": [],
    "iamcreds_expiry_days": [],
    "iamcreds_rotation_due_days": [],
}
DAYS = tuple(NO_DAYS)


def read(text: str) -> dict[str, Metric]:
    """Return the metrics by name. Both formats have the same samples, and no timestamps."""
    parsed = strict_parser.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    strict: dict[str, Metric] = {metric.name: metric for metric in parsed}
    classic = {metric.name: metric for metric in parser.text_string_to_metric_families(text)}
    assert strict.keys() == classic.keys()
    for name, metric in strict.items():
        assert _outline(metric.samples) == _outline(classic[name].samples)
        assert (metric.type, metric.documentation) == (classic[name].type, classic[name].documentation)
    return strict


def _outline(samples: Iterable[Sample]) -> list[tuple[str, dict[str, str], float]]:
    found = list(samples)
    assert {sample.timestamp for sample in found} <= {None}
    return [(sample.name, sample.labels, sample.value) for sample in found]


def list_days(drift: Drift) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return the labels and values of the metrics in days, by name."""
    metrics = read(format_openmetrics(drift))
    return {name: [(sample.labels, sample.value) for sample in metrics[name].samples] for name in DAYS}


def count(drift: Drift, name: str, **labels: str) -> float:
    """Return the value of the only sample with these labels."""
    samples = read(format_openmetrics(drift))[name].samples
    (value,) = (sample.value for sample in samples if labels.items() <= sample.labels.items())
    return value


def test_formats() -> None:
    """All metrics are gauges, the text ends as OpenMetrics requires, and the same drift gives the same bytes."""
    drift = drift_of(rotated(4), record_both(rotated(4), 4))
    text = format_openmetrics(drift)
    assert text.endswith("\n# EOF\n")
    assert text == format_openmetrics(drift)
    metrics = read(text)
    assert {metric.type for metric in metrics.values()} == {"gauge"}
    assert sorted(metrics) == [
        "iamcreds_expiry_days",
        "iamcreds_findings",
        "iamcreds_not_checked",
        "iamcreds_read_timestamp_seconds",
        "iamcreds_rotation_due_days",
        "iamcreds_secret_age_days",
        "iamcreds_waived_findings",
    ]


def test_help_texts() -> None:
    """The help texts need no escapes, of which the older format rejects some; they and the names are constant."""
    texts = re.findall(r"^# HELP (\S+) (.*)$", format_openmetrics(drift_of([], None)), re.MULTILINE)
    assert len(texts) == len(dict(texts)) == 7
    assert not [text for _, text in texts if set(text) & {'"', "\\"} or not text.isascii()]
    assert texts == re.findall(
        r"^# HELP (\S+) (.*)$", format_openmetrics(drift_of([password(NEWER)], [])), re.MULTILINE
    )


def test_days() -> None:
    """With the state, age, rotation and expiry of the current credential count from the time of the read."""
    pair = [password(OLDER, 99, expires=NOW + DAY), password(NEWER, 1, expires=NOW + 99.5 * DAY)]
    recorded = [
        record(pair[0], 99, age_days=100, expires=pair[0].expires),
        record(pair[1], 1, "~2", rotation=1, age_days=100, expires=pair[1].expires),
    ]
    labels = LABELS | {"id": NEWER}
    due = round(DUE / DAY - 1, 4)
    assert list_days(drift_of(pair, recorded, EXPIRING)) == {
        "iamcreds_secret_age_days": [(labels, 1.0)],
        "iamcreds_expiry_days": [(labels, 99.5)],
        "iamcreds_rotation_due_days": [(labels, due)],
    }


def test_days_in_the_past() -> None:
    """After the date, the days are negative."""
    gone = password(NEWER, 101, Status.EXPIRED, NOW - DAY)
    days = list_days(drift_of([gone], [record(gone, 101, age_days=100, expires=gone.expires)], EXPIRING))
    assert [value for _, value in days["iamcreds_expiry_days"]] == [-1.0]
    current = password(NEWER)
    days = list_days(drift_of([current], [record(current, 91)]))
    assert [value for _, value in days["iamcreds_rotation_due_days"]] == [round(DUE / DAY - 91, 4)]


def test_missing_days() -> None:
    """Without an expiry, a rotation or the state, a credential has no such value."""
    off = password(NEWER, status=INACTIVE)
    assert list_days(drift_of([off], [record(off, 5)]))["iamcreds_rotation_due_days"] == []
    current = password(NEWER, 20)
    days = list_days(drift_of([current], [record(current, 0, issued=None)], PLAIN))
    assert days == NO_DAYS | {"iamcreds_secret_age_days": [(LABELS | {"id": NEWER}, 20.0)]}
    assert list_days(drift_of([], [record(current, 5)])) == NO_DAYS
    assert list_days(drift_of([current], None, PLAIN)) == NO_DAYS


def test_unknown_resource() -> None:
    """Without the state, the expiry has the declared name only if the specs or the number of credentials show it."""
    ending = [password(f"ACCA{number}", 10, expires=NOW + (number + 1) * DAY) for number in range(2)]
    main, spare = (replace(PLAIN, name=name, location=location(0)) for name in ("main", "spare"))

    def list_resources(existing: list[Credential], *declared: object) -> list[tuple[str, float]]:
        specs = Desired((DesiredUser("jane", USER_PLACE, declared),))  # type: ignore[arg-type] # declared credentials
        samples = read(format_openmetrics(compare(specs, account(*existing))))["iamcreds_expiry_days"].samples
        return [(sample.labels["resource"], sample.value) for sample in samples]

    assert list_resources(ending[:1], main) == [("jane/keyspaces/main", 1.0)]
    assert list_resources(ending, main, spare) == [("", 1.0), ("", 2.0)]
    adopting = replace(main, adopt="ACCA1")
    assert list_resources(ending, adopting, spare) == [("jane/keyspaces/main", 2.0), ("jane/keyspaces/spare", 1.0)]
    assert list_resources(ending, DECLARED) == [("jane/keyspaces", 2.0)]
    assert list_resources(ending) == []


def test_findings() -> None:
    """Every rule has a number, which is zero without a difference."""
    current = password(NEWER)
    drift = drift_of([current], [record(current, 300)])
    metric = read(format_openmetrics(drift))["iamcreds_findings"]
    numbers = {(sample.labels["kind"], sample.labels["rule"]): sample.value for sample in metric.samples}
    assert numbers.keys() == {(rule.kind.value, rule.rule) for rule in list_rules()}
    assert {names: number for names, number in numbers.items() if number} == {("finding", "rotation-overdue"): 1}


def test_waived_findings() -> None:
    """A waived finding counts for its rule among the waived ones only."""
    waiver = Waiver("rotation-overdue", "the vendor", NOW + DAY, location(1))
    current = password(NEWER)
    drift = drift_of([current], [record(current, 300)], replace(DECLARED, waive=(waiver,)))
    assert count(drift, "iamcreds_findings", rule="rotation-overdue") == 0
    assert count(drift, "iamcreds_waived_findings", rule="rotation-overdue") == 1
    assert count(drift, "iamcreds_waived_findings", rule="expired") == 0


def test_omitted_checks() -> None:
    """The text shows that the state is missing, because a zero then does not prove anything."""
    current = password(NEWER)
    assert count(drift_of([current], None), "iamcreds_not_checked", check="rotations") == 1
    assert count(drift_of([current], None), "iamcreds_not_checked", check="ids") == 1
    assert count(drift_of([current], [record(current, 4)]), "iamcreds_not_checked", check="rotations") == 0


def test_time() -> None:
    """The time of the read is in seconds since 1970."""
    assert count(drift_of([], None), "iamcreds_read_timestamp_seconds", account=ACCOUNT) == NOW.timestamp()


@pytest.mark.parametrize("name", [*NAMES, 'a"b', "a\\", "\\n", '\\"', "a\nb", 'x"} 1\niamcreds_findings{'])
def test_hostile_names(name: str) -> None:
    """A hostile name stays within its label, and does not control a terminal."""
    ending = replace(password(name, 10, expires=NOW + DAY), user=name, service=name)
    desired = replace(PLAIN, user=name, service=name, name=name)
    state = make_recorded_state(StackExport((replace(record(ending, 5), resource=desired.resource_name, user=name),)))
    inventory = replace(account(ending), users=(User(name, ending.created),), account=name)
    drift = compare(Desired((DesiredUser(name, USER_PLACE, (desired,)),)), inventory, SOON, state=state)
    text = format_openmetrics(drift)
    text.encode()
    assert all(line.isprintable() for line in text.splitlines())
    metrics = read(text)
    (expiry,) = metrics["iamcreds_expiry_days"].samples
    assert (expiry.value, len(metrics)) == (1.0, 7)
    assert name not in expiry.labels["user"] or name.isprintable()
