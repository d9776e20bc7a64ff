"""The input `deliver`: every valid delivery, every invalid one, and the changes that need the secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iamcreds.delivery import (
    PARAMETER_STORE,
    READ_BY_USER,
    SECRETS_MANAGER,
    STORES,
    DeliveredSecret,
    Delivery,
    fill_name,
    find_mistake,
    find_placeholders,
)

FIELDS = ("name", "region", "kms_key_id", "tags", "resource_policy", "delete_secret")
texts = st.text(min_size=1, max_size=8)
names = st.lists(
    st.sampled_from(["{user}", "{service}", "{account}", "/", "{", "}", "{ user }", "a", "é"]), min_size=1, max_size=6
).map("".join).filter(lambda name: set(find_placeholders(name)) <= {"user", "service", "account"})  # fmt: skip
tag_keys = texts.filter(lambda key: not key.lower().startswith(("aws:", "iamcreds:")))


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """Return a valid delivery."""
    store = draw(st.sampled_from(STORES))
    policies = [None, READ_BY_USER] if store == SECRETS_MANAGER else [None]
    return Delivery(
        store=store,
        name=draw(names),
        region=draw(st.none() | texts),
        kms_key_id=draw(st.none() | texts),
        tags=draw(st.dictionaries(tag_keys, st.text(max_size=4), max_size=2)),
        resource_policy=draw(st.sampled_from(policies)),
        delete_secret=draw(st.booleans()),
        keep_in_state=draw(st.booleans()),
    )


scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
keys = st.sampled_from([*STORES, *FIELDS, "keep_in_state", "keepInState", "user", "", "iamcreds:x"]) | st.integers()
any_data: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)
fields_like = (
    st.fixed_dictionaries(
        {},
        optional={
            name: any_data | st.just({"a": "b"}) | st.sampled_from(["{user}", READ_BY_USER, True]) for name in FIELDS
        },
    )
    | any_data
)
deliver_like = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(STORES, fields_like), "keep_in_state": any_data, "x": any_data}
)


@given(deliveries())
def test_round_trip(delivery: Delivery) -> None:
    """Every delivery is a valid input, from which the same delivery is read."""
    properties = delivery.properties()
    assert find_mistake(properties) is None
    assert Delivery.read(properties) == delivery


def test_default_values() -> None:
    """Default values are not part of the input, so a new field changes no existing stack."""
    assert Delivery(PARAMETER_STORE, "/a").properties() == {"ssm": {"name": "/a"}}
    delivery = Delivery(
        SECRETS_MANAGER, "a", "eu-west-1", "alias/a", {"b": "c"}, READ_BY_USER, delete_secret=True, keep_in_state=True
    )
    assert delivery.properties() == {
        "secrets_manager": {
            "name": "a",
            "region": "eu-west-1",
            "kms_key_id": "alias/a",
            "tags": {"b": "c"},
            "resource_policy": "user",
            "delete_secret": True,
        },
        "keep_in_state": True,
    }


@given(deliver_like | any_data)
@example({"ssm": {"name": "a", "tags": {1: "b"}}})
@example({"secrets_manager": {"name": "a", "resource_policy": []}})
def test_any_data(properties: object) -> None:
    """Any data is described as a mistake, or is a valid input that keeps its meaning."""
    mistake = find_mistake(properties)
    if mistake is not None:
        assert mistake.strip()
        return
    assert isinstance(properties, dict)
    delivery = Delivery.read(properties)
    assert Delivery.read(delivery.properties()) == delivery
    (store,) = properties.keys() - {"keep_in_state"}
    assert {name: value for name, value in properties[store].items() if value} == delivery.properties()[store]


ONE_STORE = "one of the keys secrets_manager and ssm, and optionally keep_in_state (true or false)"
ONE_NAME = "a store with the key name, and optionally region, kms_key_id, tags, resource_policy, delete_secret"
TEXTS = "region and kms_key_id as text"
TAGS = "tags as a mapping of text to text"
RESERVED = "tags without the prefixes aws: and iamcreds:"


@pytest.mark.parametrize(
    ("properties", "mistake"),
    [
        (None, "a mapping with one of the keys secrets_manager and ssm"),
        ("ssm", "a mapping with one of the keys secrets_manager and ssm"),
        ({}, ONE_STORE),
        ({"vault": {"name": "a"}}, ONE_STORE),
        ({"ssm": {"name": "a"}, "secrets_manager": {"name": "a"}}, ONE_STORE),
        ({"ssm": {"name": "a"}, "keepInState": True}, ONE_STORE),
        ({"ssm": {"name": "a"}, "keep_in_state": "yes"}, ONE_STORE),
        ({"ssm": "a"}, ONE_NAME),
        ({"ssm": {}}, ONE_NAME),
        ({"ssm": {"name": ""}}, ONE_NAME),
        ({"ssm": {"name": 7}}, ONE_NAME),
        ({"ssm": {"name": "a", "kmsKeyId": "b"}}, ONE_NAME),
        (
            {"ssm": {"name": "{user}/{name}"}},
            "a name without {name}: only {user}, {service} and {account} are replaced",
        ),
        ({"ssm": {"name": "{}"}}, "a name without {}: only {user}, {service} and {account} are replaced"),
        ({"ssm": {"name": "a", "region": ""}}, TEXTS),
        ({"ssm": {"name": "a", "kms_key_id": 7}}, TEXTS),
        ({"ssm": {"name": "a", "tags": ["a"]}}, TAGS),
        ({"ssm": {"name": "a", "tags": {"a": 7}}}, TAGS),
        ({"ssm": {"name": "a", "tags": {7: "a"}}}, TAGS),
        ({"ssm": {"name": "a", "tags": {"iamcreds:attempt": "a"}}}, RESERVED),
        ({"ssm": {"name": "a", "tags": {"AWS:x": "a"}}}, RESERVED),
        ({"ssm": {"name": "a", "resource_policy": "user"}}, "no resource_policy: secrets of ssm have none"),
        ({"secrets_manager": {"name": "a", "resource_policy": "all"}}, "resource_policy user"),
        ({"ssm": {"name": "a", "delete_secret": "yes"}}, "delete_secret true or false"),
    ],
)
def test_mistakes(properties: object, mistake: str) -> None:
    """Each mistake is described as an expectation."""
    assert find_mistake(properties) == mistake


RECORDED = Delivery(SECRETS_MANAGER, "a", "eu-west-1")


@pytest.mark.parametrize(
    ("changes", "is_moved", "needs_secret"),
    [
        ({}, False, False),
        ({"tags": {"a": "b"}, "resource_policy": READ_BY_USER, "delete_secret": True}, False, False),
        ({"kms_key_id": "alias/a"}, False, False),
        ({"region": None}, False, False),
        ({"name": "b"}, True, True),
        ({"region": "us-east-1"}, True, True),
        ({"store": PARAMETER_STORE}, True, True),
        ({"keep_in_state": True}, False, True),
    ],
)
def test_changes(changes: dict[str, Any], is_moved: bool, needs_secret: bool) -> None:  # noqa: FBT001 - parameters of a test
    """A change needs the secret if a store gets it, or the state."""
    declared = replace(RECORDED, **changes)
    assert (declared.is_moved(RECORDED), declared.needs_secret(RECORDED)) == (is_moved, needs_secret)


def test_new_delivery_needs_secret() -> None:
    """A delivery without a recorded one needs the secret; one that the state no longer keeps does not."""
    assert RECORDED.needs_secret(None)
    assert not RECORDED.needs_secret(replace(RECORDED, keep_in_state=True))


@pytest.mark.parametrize("key", [None, "alias/b"])
def test_key_of_a_parameter(key: str | None) -> None:
    """Parameter Store changes the KMS key only together with the value."""
    recorded = Delivery(PARAMETER_STORE, "/a", kms_key_id="alias/a")
    assert replace(recorded, kms_key_id=key).needs_secret(recorded)
    assert not recorded.needs_secret(recorded)


def test_region_that_becomes_known() -> None:
    """A region that is declared later does not move the secret: the check of the recorded ARN compares it."""
    recorded = replace(RECORDED, region=None)
    assert not RECORDED.is_moved(recorded)


def test_resolve_name() -> None:
    """Placeholders are replaced once, also by a value that looks like one."""
    delivery = Delivery(SECRETS_MANAGER, "{account}/{service}/{user}/{user}")
    assert delivery.resolve_name("{account}", "cassandra.amazonaws.com", "1") == "1/keyspaces/{account}/{account}"
    assert fill_name("{user}-{name}", {"name": "main"}) == "{user}-main"


@given(any_data)
def test_any_output(output: object) -> None:
    """A recorded delivery of any shape is read, or is none."""
    found = DeliveredSecret.find({"delivery": output})
    assert found is None or found.properties() == {"arn": found.arn, "version": found.version}


def test_output() -> None:
    """The output has ARN and version, and the region is part of the ARN."""
    delivered = DeliveredSecret("arn:aws:ssm:eu-west-1:123456789012:parameter/a", "3")
    assert DeliveredSecret.find({"delivery": delivered.properties()}) == delivered
    assert (delivered.region, DeliveredSecret("x", "3").region) == ("eu-west-1", "")
    assert DeliveredSecret.find({}) is None
