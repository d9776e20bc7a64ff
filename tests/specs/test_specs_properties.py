"""Properties of any text, any data and any valid specs, tested with Hypothesis."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from iamcreds.desired import AccessKeyPolicy, Desired, DesiredCredential, DesiredUser
from iamcreds.errors import SpecsError
from iamcreds.model import Problem, SourceLocation, Status
from iamcreds.specs import RULES, composer
from iamcreds.specs.loading import combine
from iamcreds.specs.schema import SCHEMA
from iamcreds.specs.sources import parse
from iamcreds.specs.templates import mask

NOWHERE = SourceLocation("", 1, 1)
SHORT = {
    "bedrock": "bedrock.amazonaws.com",
    "codecommit": "codecommit.amazonaws.com",
    "keyspaces": "cassandra.amazonaws.com",
    "logs": "logs.amazonaws.com",
}


def find_fields() -> set[str]:
    """Return every field name of the schema."""
    nested = [SCHEMA["$defs"]["credential"], SCHEMA["$defs"]["user"], SCHEMA["$defs"]["accessKeys"], SCHEMA]
    inner = [field for schema in nested for field in schema["properties"].values() if "properties" in field]
    return {name for schema in nested + inner for name in schema["properties"]}


yaml_like = st.text("{}[],:-?&*!|>'\"%@`#~<=\\ \n\t\rabn01.é\x00\u2028\ufeff", max_size=60)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.sampled_from([*sorted(find_fields()), "jane", "Jane", "<<"])
likely = scalars | st.sampled_from(["codecommit", "bedrock", "Active", "adopt", "delete", "90d", "a", "123456789012"])
any_data = st.recursive(likely, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))
credential_like = st.dictionaries(keys, any_data, max_size=5) | st.fixed_dictionaries(
    {"service": likely},
    optional=dict.fromkeys(("name", "was", "status", "reset", "rotate", "expire", "deliver", "adopt"), any_data),
)
user_like = st.fixed_dictionaries(
    {"credentials": st.lists(credential_like, max_size=4)}, optional={"accessKeys": any_data}
)
spec_like = st.fixed_dictionaries(
    {"users": st.dictionaries(keys, user_like | any_data, max_size=3)},
    optional={"account": any_data, "defaults": any_data},
)


def read(*texts: str) -> Desired:
    """Combine files with these texts."""
    return combine([parse(f"{number}.yaml", text) for number, text in enumerate(texts)], NOWHERE)


def find_problems(*texts: str) -> tuple[Problem, ...]:
    """Return the problems of the texts; any exception except SpecsError is raised."""
    try:
        return read(*texts).warnings
    except SpecsError as error:
        return error.problems


def assert_understood_or_refused(*texts: str) -> None:
    """Check that the problems of the texts have documented rules, without duplicates and in order."""
    found = find_problems(*texts)
    assert {problem.rule for problem in found} <= set(RULES)
    assert list(found) == sorted(set(found))


@given(yaml_like | st.text(max_size=60))
@settings(deadline=None, max_examples=500)
def test_any_text(text: str) -> None:
    """Any text is accepted, or rejected with problems."""
    assert_understood_or_refused(text)


@given(yaml_like)
@settings(deadline=None, max_examples=300)
def test_any_text_without_libyaml(text: str) -> None:
    """Any text is accepted or rejected by the fallback parser for a PyYAML built without libyaml."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composer, "LOADER", yaml.SafeLoader)
        assert_understood_or_refused(text)


@given(any_data | spec_like, spec_like)
@settings(deadline=None, max_examples=400)
def test_any_data(data: object, more: object) -> None:
    """Any data in two files is accepted, or rejected with problems."""
    assert_understood_or_refused(json.dumps(data), json.dumps(more))


@st.composite
def make_users(draw: st.DrawFn, name: str) -> tuple[dict[str, Any], DesiredUser]:
    """Return a user as written in specs, and the desired user."""
    triggers = st.text(
        st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"], exclude_characters="\x7f"), min_size=1
    ).filter(lambda text: mask("", text) == (text, ()))
    fields_written, desired = [], []
    for short in draw(st.lists(st.sampled_from(sorted(SHORT)), unique=True)):
        for label in draw(st.lists(st.sampled_from(["a", "b", "0", short]), max_size=2, unique=True)):
            status = draw(st.sampled_from([None, Status.ACTIVE, Status.INACTIVE]))
            reset = draw(st.none() | triggers)
            fields = {"service": draw(st.sampled_from([short, SHORT[short], short.upper()]))}
            fields |= {} if label == short else {"name": label}
            fields |= {} if status is None else {"status": status.value}
            fields |= {} if reset is None else {"reset": reset}
            fields_written.append(fields)
            desired.append(DesiredCredential(name, SHORT[short], label, NOWHERE, status, reset))
    desired.sort(key=lambda credential: (credential.service, credential.name))
    limit = draw(st.none() | st.integers(0, 2))
    policy = None if limit is None else AccessKeyPolicy(max=limit)
    access_keys = {} if limit is None else {"accessKeys": {"max": limit}}
    return {"credentials": fields_written, **access_keys}, DesiredUser(name, NOWHERE, tuple(desired), policy)


@st.composite
def make_specs(draw: st.DrawFn) -> tuple[list[str], Desired]:
    """Return the texts of several files in any order, and the desired state."""
    names = st.text("abcXYZ059_+=,.@-", min_size=1, max_size=64)
    users = [
        (name, *draw(make_users(name))) for name in draw(st.lists(names, min_size=1, max_size=5, unique_by=str.lower))
    ]
    files: list[dict[str, Any]] = [{}, {}, {}]
    for name, fields, _ in draw(st.permutations(users)):
        files[draw(st.integers(0, 2))][name] = fields
    desired = sorted((user for _, _, user in users), key=lambda user: user.name)
    return [json.dumps({"users": file}) for file in files], Desired(tuple(desired))


def drop_places(specs: Desired) -> Desired:
    """Return the specs without source locations."""
    users = (
        replace(
            user,
            location=NOWHERE,
            credentials=tuple(replace(credential, location=NOWHERE) for credential in user.credentials),
        )
        for user in specs.users
    )
    return replace(specs, users=tuple(users), files=(), path=Desired.path)


@given(make_specs())
@settings(deadline=None)
def test_good_specs(case: tuple[list[str], Desired]) -> None:
    """Valid specs have the same meaning, regardless of their distribution over files and their order."""
    texts, desired = case
    assert drop_places(read(*texts)) == desired
    assert drop_places(read(*reversed(texts))) == desired
