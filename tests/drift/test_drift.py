"""`iamcreds drift`: its differences, output formats and exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iamcreds.policies.permissions import DRIFT_READS, READS
from iamcreds.resource_types import CREDENTIAL_TYPE
from iamcreds.state.providers import serialize_by_reference
from tests.drift.accounts import FULL_NAMES, fill
from tests.report.test_openmetrics import read

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from iamcreds.emulator.server import Emulator
    from tests.drift.conftest import Drifting

CODECOMMIT = FULL_NAMES[0]
JANE = "users: {jane: {credentials: [{service: codecommit}]}}\n"


def ids(iam: IAMClient, user: str, service: str = CODECOMMIT) -> list[str]:
    """Return the ids of the user's existing credentials for a service."""
    listed = iam.list_service_specific_credentials(UserName=user, ServiceName=service)["ServiceSpecificCredentials"]
    return sorted(one["ServiceSpecificCredentialId"] for one in listed)


def test_clean(drifting: Drifting) -> None:
    """If account and specs agree, the command reports no drift and exits with 0."""
    fill(["jane"], [CODECOMMIT])
    drifting.declare(JANE)
    ran = drifting.run()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        "no differences in account 123456789012: compared 1 declared credential of 1 user with 1 existing"
        " one of 1 IAM user\nnote: ids not checked"
    )


def test_everything_at_once(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """One run finds every kind of difference, with source location and id, in each format, and exits with 2."""
    emulator.controls.set(clock_shift=-400 * 86_400)
    fill(["bob", "extra", "gone", "jane", "off", "stranger", "wrong"], [])
    emulator.controls.set(clock_shift=0)
    for user in ("extra", "extra", "off", "stranger", "wrong"):
        iam.create_service_specific_credential(UserName=user, ServiceName=CODECOMMIT)
    for days in (1, 10):
        iam.create_service_specific_credential(
            UserName="bob", ServiceName="bedrock.amazonaws.com", CredentialAgeDays=days
        )
    for user in ("off", "wrong"):
        iam.update_service_specific_credential(
            UserName=user, ServiceSpecificCredentialId=ids(iam, user)[0], Status="Inactive"
        )
    for _ in range(2):
        iam.create_access_key(UserName="jane")
    emulator.controls.set(clock_shift=86_400 * 2)
    drifting.declare(
        "users:\n"
        "  bob: {credentials: [{service: bedrock, name: a}, {service: bedrock, name: b}]}\n"
        "  extra: {credentials: [{service: codecommit}]}\n"
        "  jane: {credentials: [{service: codecommit, reset: 1}], accessKeys: {max: 1}}\n"
        "  nobody: {credentials: [{service: codecommit}]}\n"
        "  off: {credentials: [{service: codecommit}]}\n"
        "  wrong: {credentials: [{service: codecommit, status: Active}]}\n"
    )
    ran = drifting.json()
    assert ran.code == 2
    soon = next(one for one in ran.account["differences"] if one["rule"] == "expiring-soon")
    gone = next(one for one in ran.account["differences"] if one["rule"] == "expired")
    assert {soon["id"], gone["id"]} == set(ids(iam, "bob", "bedrock.amazonaws.com"))
    assert sorted(ran.found) == sorted(
        [
            ("missing-credential", "jane", None),
            ("missing-user", "nobody", None),
            ("status-differs", "wrong", ids(iam, "wrong")[0]),
            ("unmanaged-credential", "extra", None),
            ("undeclared-user", "stranger", ids(iam, "stranger")[0]),
            ("expired", "bob", gone["id"]),
            ("expiring-soon", "bob", soon["id"]),
            ("switched-off", "off", ids(iam, "off")[0]),
            ("too-many-access-keys", "jane", None),
        ]
    )
    assert ran.account["counts"] == {"drift": 3, "unmanaged": 1, "undeclared": 1, "finding": 4}
    assert ran.account["notChecked"]["resetTriggers"] == 1
    text = drifting.run()
    assert text.code == 2
    wrong = f"codecommit credential {ids(iam, 'wrong')[0]} is Inactive, but it is declared Active"
    assert f"specs/users.yaml:7:25: wrong: {wrong} [status-differs]\n" in text.out
    assert "\x1b" not in text.out + text.err
    sarif = drifting.run("--format", "sarif")
    results = json.loads(sarif.out)["runs"][0]["results"]
    assert (sarif.code, sarif.err, len(results)) == (2, "", len(ran.account["differences"]))
    assert "specs/users.yaml" in {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results
    }
    markdown = drifting.run("--format", "markdown")
    assert markdown.code == 2
    assert "## 3 drifted, 1 unmanaged, 1 undeclared, 4 findings in account 123456789012\n" in markdown.out


def test_renamed_user(drifting: Drifting, iam: IAMClient) -> None:
    """A user renamed in IAM is missing, and text and JSON have the new name."""
    fill(["jane"])
    iam.update_user(UserName="jane", NewUserName="jane-doe")
    drifting.declare("users: {jane: {credentials: [{service: codecommit}]}}")
    (missing,) = (one for one in drifting.json().account["differences"] if one["rule"] == "missing-user")
    assert missing["live"] == {"renamedTo": "jane-doe"}
    assert "cannot be created: it was probably renamed to jane-doe in IAM [missing-user]" in drifting.run().out


def test_filters(drifting: Drifting) -> None:
    """--user and --service, by alias or full name, filter the differences; both may be repeated."""
    fill(["bob", "carol", "jane"])
    drifting.declare("users: {bob: {credentials: []}, jane: {credentials: [{service: logs}]}}")
    everything = [(user, rule) for rule, user, _ in drifting.json().found]
    assert everything == [
        ("jane", "missing-credential"),
        *[(user, "unmanaged-credential") for user in ("bob", "bob", "jane", "jane")],
        *[("carol", "undeclared-user")] * 2,
    ]
    assert {user for _, user, _ in drifting.json("--user", "bob").found} == {"bob"}
    assert {user for _, user, _ in drifting.json("--user", "bob", "--user", "carol").found} == {"bob", "carol"}
    services = [one["service"] for one in drifting.json("--service", "keyspaces").account["differences"]]
    assert services == ["cassandra.amazonaws.com"] * 3
    assert drifting.json("--service", "cassandra").found == drifting.json("--service", "keyspaces").found
    ran = drifting.json("--service", "logs.amazonaws.com", "--user", "jane")
    assert [rule for rule, _, _ in ran.found] == ["missing-credential"]
    assert drifting.run("--user", "jane", "--service", "codecommit").code == 2


def test_filter_of_nothing(drifting: Drifting) -> None:
    """A filter that matches nothing in specs or account is an error with the name."""
    fill(["jane"], [CODECOMMIT])
    drifting.declare(JANE)
    ran = drifting.run("--user", "jnae", "--service", "bedrock")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        "Error: neither the specs nor the account have user jnae (did you mean jane?) or service bedrock."
        " Run `iamcreds list credentials --all-users` to list existing credentials\n"
    )


@pytest.mark.parametrize("option", [["--expiring-within", "soon"], ["--format", "html"], ["--nonsense"]])
def test_wrong_option(drifting: Drifting, option: list[str]) -> None:
    """An invalid option exits with 1, because 2 means drift."""
    drifting.declare(JANE)
    ran = drifting.run(*option)
    assert (ran.code, ran.out) == (1, "")
    assert "Usage: " in ran.err


def test_expiring_within(drifting: Drifting, iam: IAMClient) -> None:
    """--expiring-within sets the time within which an expiry is a finding."""
    fill(["jane"], [])
    iam.create_service_specific_credential(UserName="jane", ServiceName="bedrock.amazonaws.com", CredentialAgeDays=20)
    drifting.declare("users: {jane: {credentials: [{service: bedrock}]}}")
    assert [drifting.run("--expiring-within", time).code for time in ("14d", "3w", "1000h", "1h")] == [0, 2, 2, 0]


def test_wrong_specs(drifting: Drifting, emulator: Emulator) -> None:
    """Invalid specs exit with 1 and list every error, without a request to the account."""
    drifting.declare("users: {jane: {credentails: []}}")
    ran = drifting.run()
    assert (ran.code, ran.out) == (1, "")
    assert "[unknown-key]" in ran.err
    assert emulator.controls.counts() == {}


def test_empty_specs(drifting: Drifting) -> None:
    """Specs without users are an error; with --allow-empty, every existing credential is undeclared."""
    fill(["jane"], [CODECOMMIT])
    drifting.declare("users: {}")
    assert drifting.run().code == 1
    ran = drifting.json("--allow-empty")
    assert (ran.code, [rule for rule, _, _ in ran.found]) == (2, ["undeclared-user"])


def test_warning(drifting: Drifting) -> None:
    """A warning about the specs goes to standard error, not into the document."""
    drifting.declare("users: {jane: {credentials: [{service: codecomit}]}}")
    fill(["jane"], [])
    ran = drifting.json()
    assert ran.found == [("missing-credential", "jane", None)]
    assert "warning:" in ran.err
    assert ran.err.endswith("[unknown-service]\n")


def test_wrong_account(drifting: Drifting) -> None:
    """Specs for a different account are rejected with exit code 1."""
    drifting.declare(f'account: "999999999999"\n{JANE}')
    ran = drifting.run()
    assert (ran.code, ran.out) == (1, "")
    assert "belong to account 123456789012, but the specs are for account 999999999999" in ran.err


@pytest.mark.parametrize("operation", ["iam:ListUsers", "iam:ListServiceSpecificCredentials", "sts:GetCallerIdentity"])
def test_denied(drifting: Drifting, emulator: Emulator, operation: str) -> None:
    """A missing permission exits with 1, and the error names the command that prints the policy."""
    drifting.declare(JANE)
    emulator.controls.fail(operation, status=403, code="AccessDenied", message="not authorized")
    ran = drifting.run()
    assert (ran.code, ran.out) == (1, "")
    assert "AccessDenied" in ran.err
    assert "iamcreds permissions" in ran.err


def test_unreachable(drifting: Drifting, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unreachable endpoint exits with 1 within seconds."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    drifting.declare(JANE)
    ran = drifting.run()
    assert (ran.code, ran.out) == (1, "")
    assert "no response from AWS" in ran.err


def test_permissions(drifting: Drifting, emulator: Emulator, iam: IAMClient) -> None:
    """A run that reads everything only calls declared operations, and changes nothing."""
    fill(["bob", "jane"], [CODECOMMIT], access_keys=1)
    drifting.declare(
        "users:\n"
        "  jane: {credentials: [{service: codecommit}, {service: keyspaces}], accessKeys: {max: 0}}\n"
        "  nobody: {credentials: [{service: codecommit}]}\n"
    )
    before = ids(iam, "jane"), ids(iam, "bob")
    emulator.controls.clear_counts()
    assert drifting.run().code == 2
    called = {name for name in emulator.controls.counts() if name.startswith("iam:")}
    assert called == set(READS) | set(DRIFT_READS)
    assert (ids(iam, "jane"), ids(iam, "bob")) == before


def test_late_list(drifting: Drifting, emulator: Emulator) -> None:
    """A credential that is only in the list of its own user, because the list of all is outdated, is not missing."""
    fill(["bob", "jane"], [CODECOMMIT])
    drifting.declare("users: {bob: {credentials: []}, jane: {credentials: [{service: codecommit}]}}")
    emulator.controls.set(list_lag=3600)
    emulator.controls.clear_counts()
    assert drifting.json().found == [("missing-credential", "jane", None)]
    assert emulator.controls.counts()["iam:ListServiceSpecificCredentials"] == 2


def test_without_all_users(drifting: Drifting, emulator: Emulator) -> None:
    """On an endpoint without AllUsers, each user is read separately, and every difference is correct."""
    emulator.controls.set(clock_shift=-86_400)
    fill(["bob", "jane"], [CODECOMMIT])
    fill(["zoe"], [])
    drifting.declare("users: {jane: {credentials: [{service: codecommit}]}, zoe: {credentials: []}}")
    emulator.controls.set(all_users=False, clock_shift=0)
    ran = drifting.json()
    assert [(rule, user) for rule, user, _ in ran.found] == [("undeclared-user", "bob")]
    emulator.controls.clear_counts()
    drifting.run()
    assert emulator.controls.counts()["iam:ListServiceSpecificCredentials"] == 4


def test_no_secret(drifting: Drifting, emulator: Emulator) -> None:
    """No output format contains a secret."""
    fill(["bob", "jane"], access_keys=2)
    drifting.declare("users: {jane: {credentials: [], accessKeys: {max: 0}}}")
    printed = "".join(drifting.run("--format", form).out for form in ("text", "json", "markdown", "sarif"))
    assert "AKIA" in printed
    assert not any(secret in printed for secret in emulator.controls.secrets())


def test_same_bytes(drifting: Drifting, emulator: Emulator) -> None:
    """Two runs on the same account print the same output, whatever the page size."""
    fill(["bob", "jane", "zoe"])
    drifting.declare("users: {jane: {credentials: []}, zoe: {credentials: [{service: logs}]}}")
    first = drifting.run("--format", "text").out
    emulator.controls.set(page_limit=1)
    assert drifting.run("--format", "text").out == first


def export(*credentials: tuple[str, str, str]) -> str:
    """Return a stack export with these credentials: user, service and id."""
    provider = serialize_by_reference(
        "dynamic_providers.service_specific_credential", "ServiceSpecificCredentialProvider", 4
    )
    resources = [
        {
            "urn": f"urn:pulumi:test::iamcreds::{CREDENTIAL_TYPE}::{user}/{service.split('.')[0]}",
            "type": CREDENTIAL_TYPE,
            "inputs": {"__provider": provider},
            "outputs": {
                "credential_id": credential_id,
                "user": user,
                "service": service,
                "create_date": "2026-01-01T00:00:00+00:00",
                "account_id": "123456789012",
            },
        }
        for user, service, credential_id in credentials
    ]
    return json.dumps({"version": 3, "deployment": {"resources": resources}})


def test_state(drifting: Drifting, iam: IAMClient) -> None:
    """With the state, each id has its own difference, and no note reports unchecked ids or resets."""
    fill(["jane", "joe"], [CODECOMMIT, CODECOMMIT])
    own, unmanaged = ids(iam, "jane")
    left, stranger = ids(iam, "joe")
    drifting.declare("users: {jane: {credentials: [{service: codecommit, reset: lost}]}}\n")
    Path("state.json").write_text(export(("jane", CODECOMMIT, own), ("joe", CODECOMMIT, left)))
    ran = drifting.json("--state", "state.json")
    assert (ran.code, ran.err) == (2, "")
    assert ran.found == [
        ("reset-pending", "jane", own),
        ("no-longer-declared", "joe", left),
        ("unmanaged-credential", "jane", unmanaged),
        ("undeclared-user", "joe", stranger),
    ]
    assert ran.account["notChecked"] == {
        "resetTriggers": 0,
        "credentialAges": 0,
        "rotations": 0,
        "deliveries": 0,
        "ids": False,
        "accessKeys": False,
        "undeclared": 0,
    }
    quiet = drifting.json("--state", "state.json", "--ignore-undeclared")
    assert [rule for rule, _, _ in quiet.found] == ["reset-pending", "no-longer-declared", "unmanaged-credential"]
    assert quiet.account["notes"][-1] == "1 credential of undeclared users ignored"


@pytest.mark.parametrize("text", ["", "no state", '{"version": 3}'])
def test_no_state(drifting: Drifting, text: str) -> None:
    """An invalid state is an error before any request to AWS."""
    drifting.declare(JANE)
    Path("state.json").write_text(text)
    ran = drifting.run("--state", "state.json")
    assert (ran.code, ran.out) == (1, "")
    assert "this is not the output of `pulumi stack export`" in ran.err


def test_state_of_others(drifting: Drifting) -> None:
    """A state with unknown code is reported instead of compared; a state of a different account is rejected."""
    drifting.declare(JANE)
    state = export(("jane", CODECOMMIT, "ACCAEXAMPLE1234567890"))
    Path("foreign.json").write_text(state.replace('"__provider": "', '"__provider": "x'))
    ran = drifting.run("--state", "foreign.json")
    assert ran.code == 2
    assert ran.out.startswith("unknown code: urn:pulumi:test::iamcreds::")
    assert "Do not run Pulumi on this state" in ran.err
    Path("other.json").write_text(state.replace("123456789012", "999999999999"))
    ran = drifting.run("--state", "other.json")
    assert (ran.code, ran.out) == (1, "")
    assert "but this state is of account 999999999999" in ran.err


def test_notify(drifting: Drifting) -> None:
    """An invalid notification URL is rejected before any request to AWS, and not printed."""
    drifting.declare(JANE)
    ran = drifting.run("--notify", "nonsense://secret@host")
    assert (ran.code, ran.out) == (1, "")
    assert "secret" not in ran.err.replace("may contain a secret", "")


def test_metrics(drifting: Drifting, emulator: Emulator) -> None:
    """`--format openmetrics` prints only the metrics, and the exit code is 2 if there are differences."""
    fill(["jane"], [])
    now = datetime.now(UTC).replace(microsecond=0)
    dates = {"created": (now - timedelta(days=80)).isoformat(), "expires": (now + timedelta(days=10)).isoformat()}
    emulator.controls.put_credential("ACCA" + "O" * 17, "jane", "bedrock.amazonaws.com", **dates)
    drifting.declare("users: {jane: {credentials: [{service: bedrock, expire: {after: 90d}}]}}\n")
    ran = drifting.run("--format", "openmetrics")
    assert (ran.code, ran.err) == (2, "")
    (expiry,) = read(ran.out)["iamcreds_expiry_days"].samples
    assert expiry.labels["resource"] == "jane/bedrock"
    assert 9.9 < expiry.value < 10.1
    assert 'kind="finding",rule="expiring-soon"} 1.0\n' in ran.out
