"""`AccessKeys`: watches the access keys of many users and never changes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult

from dynamic_providers.resource import Resource
from iamcreds.desired import AccessKeyPolicy
from iamcreds.drift.rules.access_key_limits import check_access_keys
from iamcreds.drift.waivers import describe_end, split_by_user
from iamcreds.errors import AccessDeniedError
from iamcreds.pulumi_engine.inputs import is_known
from iamcreds.pulumi_engine.policy_check import NOT_ENFORCED, is_enforcing
from iamcreds.pulumi_engine.provider import WatcherProvider, inform, warn
from iamcreds.pulumi_engine.run_context import RunContext, on_rejection, reject
from iamcreds.text.escaping import escape_invisible
from iamcreds.text.names import USER_NAME, USER_NAME_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi.dynamic import ConfigureRequest, DiffResult

    from iamcreds.drift.waivers import WaivedDifference
    from iamcreds.model import AccessKey

_OPTIONS = "Options: fix the access keys; or allow the run with --config enforce=false"


class AccessKeys(Resource, module="iam", name="AccessKeys"):
    """The existing access keys of some users, and their violations of each user's policy.

    Every preview reads the keys again and shows changes. Findings are warnings; with `enforce` in the user's policy,
    they stop the preview. The resource never changes a key, and its deletion changes nothing in AWS.

    Args:
        resource_name: the Pulumi name.
        users: policy by user name; a policy is any of `max`, `max_age_days`, `max_idle_days` (whole numbers) and
            `enforce` (true or false).
        account: 12 digits; the resource rejects any other account.
        opts: resource options.

    Raises:
        pulumi.RunError: a user's name is not text, or a policy is None, which the SDK would not send to the engine.
    """

    keys: pulumi.Output[dict[str, list[dict[str, Any]]]]
    """Keys by user name: id, status, created, and for a used key last_used, service and region; dates in ISO 8601."""
    findings: pulumi.Output[list[str]]
    """One sentence per finding, sorted."""

    def __init__(
        self,
        resource_name: str,
        *,
        users: pulumi.Input[Mapping[str, Mapping[str, Any]]],
        account: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        unsendable = sorted(_unsendable(users)) if isinstance(users, Mapping) else []
        if unsendable:
            raise pulumi.RunError(f"AccessKeys {resource_name}: {'; '.join(unsendable)}")
        outputs = {"keys": None, "findings": None}
        inputs = {"users": users, "account": account, "run": {"on_rejection": on_rejection()}}
        super().__init__(AccessKeysProvider(), resource_name, outputs | inputs, opts)


class AccessKeysProvider(WatcherProvider):
    """The provider of `AccessKeys`. Its class and module name are persisted in every state."""

    compared = ("users", "keys", "findings", "waived", "refused")
    id_suffix = "access-keys"

    def configure(self, req: ConfigureRequest) -> None:
        """Read whether policies are enforced in this run."""
        super().configure(req)
        self._enforces = is_enforcing(req.config)
        if not self._enforces:
            warn(NOT_ENFORCED.format(policies="access key"))

    def check(self, _olds: Mapping[str, Any], news: Mapping[str, Any]) -> CheckResult:
        """Read the keys of all users into the inputs, so that every preview shows them; reject enforced findings."""
        inputs = {name: value for name, value in news.items() if value is not None and name != "run"}
        context = RunContext.read(news)
        malformed = [CheckFailure("users", escape_invisible(reason)) for reason in _malformed(inputs.get("users"))]
        failures = self.account_failures(inputs.get("account"))
        if failures:
            return CheckResult(inputs, [*malformed, *failures])
        if malformed:
            return reject(inputs, malformed, context.on_rejection)
        if not is_known(inputs["users"]):
            return CheckResult(inputs, [])
        try:
            return self._read_keys(inputs, context)
        except AccessDeniedError as error:
            return reject(inputs, [CheckFailure("", str(error))], context.on_rejection)

    def diff(self, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> DiffResult:
        """Compare the inputs with the recorded ones; findings by user, rule and key ids, because wording may change."""
        return super().diff(id_, _identify_findings(olds), _identify_findings(news))

    def _read_keys(self, inputs: dict[str, Any], context: RunContext) -> CheckResult:
        policies = {user: _policy(properties) for user, properties in inputs["users"].items()}
        keys = self.account.access_keys.of_users(policies)
        # A user that the program creates has no keys yet.
        keys |= {user: [] for user in context.created_users if keys.get(user) is None}
        all_findings = (
            check_access_keys(user, policies[user], keys[user], self.now, self._find_case_variant(user, keys[user]))
            for user in keys
        )
        findings = sorted(chain.from_iterable(all_findings), key=lambda each: (each.user, each.id, each.rule))
        counted, waived = split_by_user(findings, context.waivers, self.now)
        for each in waived:
            inform(each.format_sentence())
        inputs["keys"] = {user: [_properties(key) for key in keys[user] or ()] for user in sorted(keys)}
        inputs["findings"] = [finding.format_sentence() for finding in counted]
        if waived:
            inputs["waived"] = [_describe_waived(each) for each in waived]
        failures = []
        for finding, sentence in zip(counted, inputs["findings"], strict=True):
            if policies[finding.user].enforce and self._enforces:
                end = describe_end(finding.rule, context.waivers.get(finding.user, ()), self.now)
                failures.append(CheckFailure("", f"{sentence}{end}, and the policy is enforced. {_OPTIONS}"))
            else:
                warn(sentence)
        return reject(inputs, failures, context.on_rejection)

    def _find_case_variant(self, user: str, keys: Sequence[AccessKey] | None) -> str | None:
        """Return the existing user whose name differs from that of a user without keys (None) by case only."""
        return None if keys is not None else self.account.users.find_case_variant(user)


_FINDING = re.compile(r"(?P<user>[^:]+): .*\[(?P<rule>[a-z-]+)\]", re.DOTALL)
_MIN_KEY_ID = 16
"""The minimum length of an access key id (IAM's API reference, AccessKey)."""


def _identify_findings(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties with the user, the rule and the key ids of each finding in place of its sentence."""
    findings, waived = properties.get("findings"), properties.get("waived")
    if not isinstance(findings, list):
        return dict(properties)
    identified: dict[str, Any] = {"findings": [_identify_finding(finding) for finding in findings]}
    if isinstance(waived, list):
        identified["waived"] = [{**each, "finding": _identify_finding(each.get("finding"))} for each in waived]
    return {**properties, **identified}


def _identify_finding(sentence: object) -> object:
    match = _FINDING.fullmatch(sentence) if isinstance(sentence, str) else None
    if match is None:
        return sentence
    words = re.split("[^A-Z0-9]", match[0])
    return match["user"], match["rule"], [word for word in words if len(word) >= _MIN_KEY_ID]


def _describe_waived(waived: WaivedDifference) -> dict[str, str]:
    """Return a waived finding for the state, without source locations, which move."""
    return {
        "finding": waived.difference.format_sentence(),
        "until": f"{waived.waiver.until:%Y-%m-%d}",
        "reason": escape_invisible(waived.waiver.reason),
    }


def _policy(properties: Mapping[str, Any]) -> AccessKeyPolicy:
    """Return a policy of the `users` input; the engine makes every number a float."""
    whole: dict[str, Any] = {
        name: int(value) if isinstance(value, float) else value for name, value in properties.items()
    }
    return AccessKeyPolicy(**{name: value for name, value in whole.items() if value is not None})


def _unsendable(users: Mapping[Any, object]) -> Iterator[str]:
    """Yield a sentence for each invalid part of a program's `users` that the SDK does not send to the engine."""
    for user, policy in users.items():
        if not isinstance(user, str):
            yield f"{user!r} is not {USER_NAME_WORDS}"
        elif policy is None:
            yield f"{escape_invisible(user)}: {_EXPECTED_POLICY}"


def _malformed(users: object) -> Iterator[str]:
    """Yield a sentence for each invalid part of the input `users`; unknown values are checked later."""
    if not isinstance(users, Mapping):
        if is_known(users):
            yield "expected policies by user name, such as {'jane': {'max': 1}}"
        return
    for user, policy in sorted(users.items()):
        if not USER_NAME.fullmatch(user):
            yield f"{user!r} is not {USER_NAME_WORDS}"
        if isinstance(policy, Mapping):
            yield from _malformed_policy(user, policy)
        elif is_known(policy):
            yield f"{user}: {_EXPECTED_POLICY}"


def _malformed_policy(user: str, policy: Mapping[str, object]) -> Iterator[str]:
    for name, value in sorted(policy.items()):
        if name not in _POLICY:
            yield f"{user}: unknown policy {name!r}; expected one of {', '.join(sorted(_POLICY))}"
        elif is_known(value) and not _is_accepted(name, value):
            yield f"{user}: expected {name} to be {_POLICY[name]}"


_EXPECTED_POLICY = "expected a policy such as {'max': 1, 'max_age_days': 90}"
_WHOLE = "a whole number, 0 or more"
_POLICY = {"max": _WHOLE, "max_age_days": _WHOLE, "max_idle_days": _WHOLE, "enforce": "true or false"}


def _is_accepted(name: str, value: object) -> bool:
    if value is None or name == "enforce":
        return value is None or isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and float(value).is_integer()


def _properties(key: AccessKey) -> dict[str, Any]:
    properties = {
        "id": key.id,
        "status": key.status.value,
        "created": key.created.isoformat(),
        "last_used": key.last_used.date().isoformat() if key.last_used else None,
        "service": key.service,
        "region": key.region,
    }
    return {name: value for name, value in properties.items() if value is not None}
