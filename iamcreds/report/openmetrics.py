"""Drift as OpenMetrics text; pure. The same drift gives the same bytes.

All metrics are gauges without timestamps. Such a text is valid in the OpenMetrics format and in the older text format,
which the textfile collector of Prometheus' node_exporter reads.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from iamcreds.drift.comparing import list_rules
from iamcreds.text.escaping import escape_invisible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iamcreds.drift.comparing import Drift
    from iamcreds.drift.current import CurrentCredential
    from iamcreds.drift.rules.difference import Difference

_CREDENTIAL = ("user", "service", "resource", "id")
_RULE = ("kind", "rule")
_DECIMALS = 4  # of a day: nine seconds


def format_openmetrics(drift: Drift) -> str:
    """Return the text; docs/drift.md describes its metrics."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_DriftCollector(drift))
    text: str = generate_latest(registry).decode()  # type: ignore[no-untyped-call]
    return text


class _DriftCollector(Collector):
    """The metrics of a drift. Their names and labels are persisted."""

    def __init__(self, drift: Drift) -> None:
        self._drift = drift

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all metrics. Help texts have no quotation mark, which the two formats escape differently."""
        drift, read_at = self._drift, self._drift.inventory.read_at
        yield self._make(
            "iamcreds_read_timestamp_seconds",
            "Time at which iamcreds read the account.",
            (),
            [((), read_at.timestamp())],
        )
        yield self._make(
            "iamcreds_findings",
            "Differences by rule that are not waived. Zero if there are none, or if the rule needs --state.",
            _RULE,
            _count(drift.differences),
        )
        yield self._make(
            "iamcreds_waived_findings", "Differences by rule that specs waive.", _RULE,
            _count(each.difference for each in drift.waived),
        )  # fmt: skip
        yield self._make(
            "iamcreds_not_checked", "Objects that were not compared, by check.", ("check",), _list_omissions(drift)
        )
        yield self._make_days(
            "iamcreds_expiry_days",
            "Days until the expiry of the current credential, negative afterwards.",
            {each: each.credential.expires - read_at for each in drift.current if each.credential.expires is not None},
        )
        yield self._make_days(
            "iamcreds_rotation_due_days",
            "Days until pulumi up rotates the credential, negative if the rotation is due. Needs --state.",
            {each: each.rotation_due - read_at for each in drift.current if each.rotation_due is not None},
        )
        yield self._make_days(
            "iamcreds_secret_age_days",
            "Days since the password or API key was issued, or since the creation of an imported credential. Needs"
            " --state.",
            {each: read_at - each.issued for each in drift.current if each.issued is not None},
        )

    def _make(
        self, name: str, documentation: str, labels: tuple[str, ...], samples: Iterable[tuple[tuple[str, ...], float]]
    ) -> GaugeMetricFamily:
        """Return a metric with a sample for each combination of label values; the account is a label of all."""
        family = GaugeMetricFamily(name, documentation, labels=("account", *labels))
        for values, number in samples:
            family.add_metric([escape_invisible(value) for value in (self._drift.inventory.account, *values)], number)
        return family

    def _make_days(
        self, name: str, documentation: str, times: Mapping[CurrentCredential, timedelta]
    ) -> GaugeMetricFamily:
        """Return a metric of credentials with their times in days."""
        days = {each: round(time / timedelta(days=1), _DECIMALS) + 0.0 for each, time in times.items()}  # never -0.0
        samples = sorted((_identify(each), number) for each, number in days.items())
        return self._make(name, documentation, _CREDENTIAL, samples)


def _identify(current: CurrentCredential) -> tuple[str, ...]:
    """Return the label values of a credential; without a resource if only the state shows which declared one it is."""
    credential, desired = current.credential, current.desired
    return credential.user, credential.service, "" if desired is None else desired.declared_name, credential.id


def _count(differences: Iterable[Difference]) -> list[tuple[tuple[str, str], float]]:
    """Return the number of differences of every rule, zero included, so that alerts have a value."""
    numbers = Counter((each.kind.value, each.rule) for each in differences)
    return [(names, numbers[names]) for names in sorted({(rule.kind.value, rule.rule) for rule in list_rules()})]


def _list_omissions(drift: Drift) -> list[tuple[tuple[str], float]]:
    """Return the numbers of omitted checks, as in the JSON document; 1 is a check that was omitted completely."""
    numbers = {
        "access-keys": drift.are_keys_skipped,
        "credential-ages": drift.ages,
        "deliveries": drift.deliveries,
        "ids": drift.are_ids_unknown,
        "reset-triggers": drift.resets,
        "rotations": drift.rotations,
        "undeclared": drift.ignored,
    }
    return [((name,), number) for name, number in numbers.items()]
