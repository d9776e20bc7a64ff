"""The HTML report: its content, which is escaped text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from iamcreds.delivery import DeliveredSecret
from iamcreds.desired import AccessKeyPolicy, Desired, DesiredCredential, DesiredUser, RotationPolicy, Waiver
from iamcreds.drift.comparing import compare, list_rules
from iamcreds.drift.recorded_state import make_recorded_state
from iamcreds.drift.rules.difference import Kind
from iamcreds.drift.selection import Selection
from iamcreds.drift.waivers import WaivedDifference
from iamcreds.due_dates import compute_spread
from iamcreds.model import (
    AccessKey,
    Credential,
    CredentialReport,
    Inventory,
    RecordedCredential,
    ReportedKey,
    ReportedUser,
    SourceLocation,
    StackExport,
    Status,
    User,
)
from iamcreds.report.html import render, rows
from iamcreds.report.html.code import mark_step
from iamcreds.report.html.columns import COLUMNS, NARROW
from iamcreds.report.html.keys import build_key_rows
from iamcreds.report.html.page import MAX_EVENTS
from iamcreds.report.html.rows import Subject
from iamcreds.report.schedule.chart import render_inline
from iamcreds.schedule.event import EventKind
from iamcreds.services import Family
from iamcreds.slots import PreviousCredential
from tests.report.example import load_example, make_example
from tests.report.states import make_state

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CODECOMMIT, BEDROCK = "codecommit.amazonaws.com", "bedrock.amazonaws.com"
VOID = {"meta", "link", "input"}


def location(line: int, file: str = "specs/users.yaml") -> SourceLocation:
    """Return a source location in a spec file."""
    return SourceLocation(file, line, 3)


def user(name: str, *services: str, policy: AccessKeyPolicy | None = None, line: int = 2) -> DesiredUser:
    """Return a declared user with a credential for each service."""
    credentials = (
        DesiredCredential(name, service, f"name-{at}", location(line + 1 + at)) for at, service in enumerate(services)
    )
    return DesiredUser(name, location(line), tuple(credentials), policy)


def reported(days: int, *, active: bool = True) -> ReportedKey:
    """Return an access key in the credential report, created that many days ago and never used."""
    return ReportedKey(active=active, changed=NOW - days * DAY)


def existing(
    id_: str, name: str, service: str = CODECOMMIT, days: int = 10, expires: datetime | None = None
) -> Credential:
    """Return an existing active credential of that age in days."""
    return Credential(id_, name, service, Status.ACTIVE, NOW - days * DAY, Family.PASSWORD, "login", expires)


def key(id_: str, name: str, days: int, used: int | None = None, status: Status = Status.ACTIVE) -> AccessKey:
    """Return an access key, created and last used that many days ago."""
    created = NOW - days * DAY
    if used is None:
        return AccessKey(id_, name, status, created)
    return AccessKey(id_, name, status, created, NOW - used * DAY, "s3", "us-east-1")


def subject(desired: Desired, inventory: Inventory, selection: Selection | None = None) -> Subject:
    """Return the subject of a page."""
    chosen = selection or Selection()
    return Subject(compare(desired, inventory, selection=chosen), desired, selection=chosen)


def page(about: Subject) -> str:
    """Return the page for a subject."""
    return render(about.drift, about.desired, about.soon, about.selection)


def inventory(*users: str, **rest: Any) -> Inventory:  # noqa: ANN401 - fields of an inventory
    """Return an account with these users."""
    return replace(Inventory("123456789012", NOW, tuple(User(name, NOW - 900 * DAY) for name in users)), **rest)


POLICY = AccessKeyPolicy(max=1, max_age_days=90, max_idle_days=45, enforce=True)
DESIRED = Desired(
    (
        user("bob", BEDROCK, line=10),
        user("jane", CODECOMMIT, policy=POLICY, line=20),
        user("two", CODECOMMIT, CODECOMMIT, line=30),
        user("none", line=40),
    )
)
INVENTORY = inventory(
    "bob", "jane", "two", "none", "stranger",
    credentials=(
        existing("ACCA1", "bob", BEDROCK, expires=NOW + 5 * DAY),
        existing("ACCA2", "jane"), existing("ACCA3", "jane"),
        existing("ACCA4", "none", days=1_234),
        existing("ACCA5", "stranger"),
        existing("ACCA6", "two"), existing("ACCA7", "two"),
    ),
    access_keys=(key("AKIA1", "jane", 100, used=50), key("AKIA2", "jane", 20, used=1)),
    access_keys_read=("jane",),
    report=CredentialReport(
        NOW - timedelta(hours=2),
        (ReportedUser("stranger", NOW - 900 * DAY, (reported(30), ReportedKey(active=False))),),
    ),
)  # fmt: skip
SUBJECT = subject(DESIRED, INVENTORY)


WAIVED = replace(
    SUBJECT,
    drift=replace(
        SUBJECT.drift,
        waived=tuple(
            WaivedDifference(each, Waiver(each.rule, f"vendor <{each.rule}>", NOW + 69 * DAY, location(7)))
            for each in SUBJECT.drift.differences
            if each.kind in (Kind.UNMANAGED, Kind.FINDING)
        ),
    ),
)
"""A subject whose waivable differences are listed twice: counted and waived."""


class Tags(HTMLParser):
    """A parser that checks that each tag is closed, and records all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the tag, and open it."""
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag that closes itself."""
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the tag."""
        assert self.open.pop() == tag


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """Return the tags of a page, and assert that all of them are closed."""
    parser = Tags()
    parser.feed(text)
    assert parser.open == []
    return parser.seen


def test_same_bytes() -> None:
    """The page only depends on the drift."""
    assert page(SUBJECT) == page(subject(DESIRED, replace(INVENTORY)))


def test_well_formed() -> None:
    """Every tag is closed, every id is unique, and every link within the page has a target."""
    seen = tags(page(SUBJECT))
    ids = [found["id"] for _, found in seen if "id" in found]
    assert len(ids) == len(set(ids))
    links = [str(found["href"]) for tag, found in seen if tag == "a"]
    assert {link[1:] for link in links} <= set(ids)
    assert "#rule-unmanaged-credential" in links


def test_tables_are_semantic() -> None:
    """Every column and every row has a heading with a scope."""
    seen = tags(page(SUBJECT))
    assert {found.get("scope") for tag, found in seen if tag == "th"} == {"col", "row"}
    tables = sum(tag == "table" for tag, _ in seen)
    assert tables == 5
    assert sum(tag == "caption" for tag, _ in seen) == tables


def test_policy_names_what_is_inline() -> None:
    """The content security policy only permits the page's own style and script, by their hashes."""
    text = page(SUBJECT)
    policy = next(str(found["content"]) for _, found in tags(text) if "http-equiv" in found)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(inside) == 1
        found = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{directive} 'sha256-{found}'" in policy


def test_needs_nothing_else() -> None:
    """The page refers to no other file or host."""
    text = page(SUBJECT)
    assert "://" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert {found["href"] for tag, found in tags(text) if tag == "link"} == {"data:,"}
    assert not [found for _, found in tags(text) if "src" in found or "style" in found]


def test_names_are_text() -> None:
    """Names of files, users and services are shown as text, without effect as markup."""
    evil = "</td><script>alert('x')</script>\"&amp;"
    file = f"specs/{evil}.yaml"
    wild = DesiredUser(
        evil, location(2, file), (DesiredCredential(evil, evil, evil, location(3, file), Status.ACTIVE),), POLICY
    )
    found = inventory(
        evil, evil + "2",
        credentials=(existing(evil, evil, evil), existing(evil, evil, CODECOMMIT), existing(evil, evil + "2", evil)),
        access_keys=(replace(key(evil, evil, 100, used=50), service=evil, region=evil),),
        access_keys_read=(evil,),
        report_missing=evil,
    )  # fmt: skip
    text = page(subject(Desired((wild,)), found, Selection(frozenset({evil, evil + "2"}))))
    assert [tag for tag, _ in tags(text)].count("script") == 1
    assert "alert(" in text
    assert "<script>alert" not in text
    assert "&amp;amp;" in text


def test_code_in_messages() -> None:
    """Text between backticks in a message is shown as code, and is escaped."""
    off = replace(existing("ACCA1", "jane"), status=Status.INACTIVE)
    text = page(subject(Desired((user("jane", CODECOMMIT),)), inventory("jane", credentials=(off,))))
    assert "declare <code>status: Inactive</code> if this is intended" in text


def test_summary() -> None:
    """The numbers in the summary are those of the drift, and numbers that need attention are highlighted."""
    text = page(SUBJECT)
    found = re.findall(
        r'<li><a href="#\w+"( class="alarm")?><span class="label">(.*?)</span><span class="figure">(.*?)</span>', text
    )
    assert [(label, number, bool(alarm)) for alarm, label, number in found] == [
        ("Existing", "7", False),
        ("Declared", "4", False),
        ("Drift", "0", False),
        ("Unmanaged", "2", True),
        ("Undeclared", "1", True),
        ("Findings", "4", True),
        ("Expiring", "1", True),
        ("Access keys", "2", True),
    ]
    assert "violate their policy; all users have 4" in text
    assert "Account <span" in text
    assert "2026-11-23 12:00 UTC" in text
    assert "which is 2 hours old" in text


def test_every_broken_rule_is_explained() -> None:
    """Every rule of a difference is explained with the words of the rule."""
    text = page(SUBJECT)
    for one in SUBJECT.drift.differences:
        assert f'<div id="rule-{one.rule}"><dt>{one.rule}</dt><dd>{one.meaning}</dd></div>' in text


def test_most_serious_first() -> None:
    """Findings are sorted by the seriousness of their rule; access keys with findings are first."""
    text = page(SUBJECT)
    found = re.findall(r'<td class="rule"><a href="#rule-([\w-]+)">', text)
    assert found[:3] == ["undeclared-user", "unmanaged-credential", "unmanaged-credential"]
    seriousness = {rule.rule: rule.seriousness for rule in list_rules()}
    ranks = [seriousness[rule] for rule in found[: len(SUBJECT.drift.differences)]]
    assert ranks == sorted(ranks)
    keys = text.partition('id="table-keys"')[2]
    assert keys.index("AKIA1") < keys.index("AKIA2") < keys.index("stranger")


def test_next() -> None:
    """Each difference has its next step in the words of the other forms, with its command as code."""
    prose, _, command = SUBJECT.drift.differences[-1].describe().next.partition(": ")
    assert command.startswith("aws iam delete-access-key --user-name jane ")
    assert f'<td class="long">{prose}: <code class="command">{command}</code></td>' in page(SUBJECT)


@pytest.mark.parametrize(
    ("step", "commands"),
    [
        ("pulumi up, which creates the user", ["pulumi up"]),
        ("aws iam x --name a,b; or `pulumi up -y` and declare `adopt: X`", ["aws iam x --name a,b", "pulumi up -y"]),
        ("iamcreds dump --to SPECS, or aws iam x 'a, b' --y c", ["iamcreds dump --to SPECS", "aws iam x 'a, b' --y c"]),
        ("pulumi stack export | iamcreds drift - -, which", ["pulumi stack export | iamcreds drift - -"]),
        ("first run pulumi refresh --clear-pending-creates", ["pulumi refresh --clear-pending-creates"]),
        ("take it out, or call it pulumist or <aws>, not aws", []),
    ],
)
def test_commands(step: str, commands: list[str]) -> None:
    """Commands in a next step are found without the prose around them, and no text is lost."""
    shown = mark_step(step)
    assert [unescape(found) for found in re.findall('<code class="command">(.*?)</code>', shown)] == commands
    assert unescape(shown.striptags()) == step.replace("`", "")


def test_counts() -> None:
    """One thing of a kind is not called many."""
    about = subject(Desired((user("jane", BEDROCK, policy=POLICY),)), inventory(
        "jane", credentials=(existing("ACCA1", "jane", BEDROCK, expires=NOW + DAY),),
        access_keys=(key("AKIA1", "jane", 100, used=1),), access_keys_read=("jane",),
    ))  # fmt: skip
    text = page(about)
    assert '<span class="note">credentials of 1 user</span>' in text
    assert '<span class="note">violates its policy; users with a policy have 1</span>' in text
    assert "1 expiry, 2 policy violations until 2027-11-23" in text
    assert not re.findall(r"\b1 (?:users|keys|credentials|expiries|events|policy violations|rows)\b", text)


def test_folds() -> None:
    """A table with more than fifty rows can be unfolded, and a shorter one has no fold."""
    names = [f"user-{number}" for number in range(51)]
    found = [existing(f"ACCA{number}", name) for number, name in enumerate(names)]
    assert page(subject(Desired(), inventory(*names, credentials=tuple(found)))).count('class="fold"') == 2
    assert 'class="fold"' not in page(subject(Desired(), inventory(*names, credentials=tuple(found[:50]))))


@pytest.mark.parametrize(
    ("report", "selection", "words"),
    [
        (INVENTORY.report, Selection(), "violate their policy; all users have 4"),
        (None, Selection(), "violate their policy; users with a policy have 2"),
        (None, Selection(frozenset({"jane"})), "violate their policy; the selected users have 2"),
        (None, Selection(services=frozenset({CODECOMMIT})), "not checked with --service"),
    ],
)
def test_what_the_tile_of_access_keys_counts(report: CredentialReport | None, selection: Selection, words: str) -> None:
    """The tile of access keys counts those that violate their policy, and has the total and its scope."""
    assert f'<span class="note">{words}</span>' in page(subject(DESIRED, replace(INVENTORY, report=report), selection))


def test_cards() -> None:
    """In a narrow window each cell has the label of its column, at the one width in the style."""
    style = page(SUBJECT).partition("<style>")[2].partition("</style>")[0]
    assert style.count(f"@media screen and (max-width: {NARROW}px)") == 2
    assert '#table-findings td:nth-child(4)::before { content: "Difference"; }' in style
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', page(WAIVED))
    assert heads == [column.label for columns in COLUMNS.values() for column in columns]


def test_waived() -> None:
    """Waived findings are a table of their own, with rule, reason, date and both source locations."""
    drift = WAIVED.drift
    text = page(replace(WAIVED, drift=replace(drift, differences=())))
    assert f'<p class="verdict fine"><strong>No differences, {len(drift.waived)} waived in account' in text
    assert '<li><a href="#waived">Waived</a></li>' in text
    assert '<p class="empty">No differences, except waived findings.</p>' in text
    table = text.partition('<table id="table-waived">')[2].partition("</table>")[0]
    assert re.findall(r'<th scope="row">(.*?)</th>', table) == [each.difference.user for each in drift.waived]
    row = next(line for line in table.splitlines() if "AKIA1" in line and "access-key-too-old" in line)
    assert '<td class="rule"><a href="#rule-access-key-too-old">access-key-too-old</a></td>' in row
    assert "access key AKIA1 is older than 90 days: created on 2026-08-15" in row
    assert '<span class="place">specs/users.yaml:20:3</span></td><td>2027-01-31</td>' in row
    assert 'vendor &lt;access-key-too-old&gt; <span class="place">specs/users.yaml:7:3</span>' in row
    ids = {found["id"] for _, found in tags(text) if "id" in found}
    assert {f"rule-{each.difference.rule}" for each in drift.waived} <= ids
    assert "waived" not in page(SUBJECT).partition("<body>")[2].lower()


def test_clean() -> None:
    """Without a difference, the page reports this, and highlights nothing."""
    clean = subject(Desired((user("jane", CODECOMMIT),)), inventory("jane", credentials=(existing("ACCA1", "jane"),)))
    text = page(clean)
    assert "No differences in account 123456789012" in text
    assert "No differences: the account matches the specs" in text
    assert "No events in the next 12 months, as far as they are known without the stack's state." in unescape(text)
    assert "<svg" not in text
    assert 'class="alarm"' not in text
    assert "Access keys of users without a policy not checked" in text


def test_empty() -> None:
    """A page is also written for an empty account and specs without users."""
    assert tags(page(subject(Desired(), inventory())))


def test_managed() -> None:
    """Each existing credential is declared, unmanaged, or one of several that only the state distinguishes."""
    assert [(row.credential.id, row.managed, row.location) for row in rows.build_credential_rows(SUBJECT)] == [
        ("ACCA1", "declared", location(11)),
        ("ACCA2", "1 of 2 unmanaged", location(21)),
        ("ACCA3", "1 of 2 unmanaged", location(21)),
        ("ACCA4", "unmanaged", location(40)),
        ("ACCA5", "undeclared user", None),
        ("ACCA6", "declared", location(30)),
        ("ACCA7", "declared", location(30)),
    ]
    assert "1,234" in page(SUBJECT)


def test_places_of_secrets() -> None:
    """With the state, each current credential has the place of its secret: the state, an ARN, or both."""
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:<x>-Ab12Cd"
    delivered = DeliveredSecret(arn, "v1")
    secrets: dict[str, dict[str, Any]] = {
        "ACCA1": {"has_secret": True},
        "ACCA4": {"delivered": delivered},
        "ACCA7": {"has_secret": True, "delivered": delivered},
        "ACCA0": {},
    }
    with_state = replace(SUBJECT, drift=replace(SUBJECT.drift, state=make_state(secrets)))
    shown = {row.credential.id: row.secret for row in rows.build_credential_rows(with_state)}
    assert [shown[id_] for id_ in ("ACCA1", "ACCA4", "ACCA7")] == ["state", arn, f"{arn} and state"]
    assert {place for id_, place in shown.items() if id_ not in ("ACCA1", "ACCA4", "ACCA7")} == {""}
    text = page(with_state)
    assert text.count(", secret in ") == 3
    assert f", secret in {escape(arn)}<" in text
    assert ", secret in" not in page(SUBJECT)
    (previous,) = (each for each in SUBJECT.drift.inventory.credentials if each.id == "ACCA4")
    desired = DesiredCredential(previous.user, previous.service, "x", location(1))
    drift = replace(with_state.drift, previous=(PreviousCredential(previous, desired),))
    hidden = {row.credential.id: row.secret for row in rows.build_credential_rows(replace(with_state, drift=drift))}
    assert (hidden["ACCA4"], hidden["ACCA1"]) == ("", "state")


def test_ages() -> None:
    """The age of a password counts from its last reset, and from the creation if the state does not have that."""
    unknown = page(SUBJECT)
    assert "Resets not known: without --state, the age of a password is measured from the creation" in unknown
    with_state = replace(SUBJECT, drift=replace(SUBJECT.drift, state=make_state({"ACCA4": {"issued": NOW - 3 * DAY}})))
    text = page(with_state)
    assert "Resets not known" not in text
    shown = {row.credential.id: (row.issued, row.days) for row in rows.build_credential_rows(with_state)}
    assert (shown["ACCA4"], shown["ACCA1"]) == ((NOW - 3 * DAY, 3), (None, 10))
    assert {row.issued for row in rows.build_credential_rows(SUBJECT)} == {None}
    assert (unknown.count("<td>unknown</td>"), text.count("<td>unknown</td>")) == (7, 6)


def test_services() -> None:
    """Each service has the number of its declared and existing credentials, for all users."""
    found = [
        (one.service, one.declared, one.existing, one.active, one.expiring, one.users)
        for one in rows.build_service_rows(SUBJECT)
    ]
    assert found == [("bedrock", 1, 1, 1, 1, 1), ("codecommit", 3, 6, 6, 0, 4)]


def test_access_keys() -> None:
    """Keys that were read have their findings; those of the credential report have neither ids nor findings."""
    found = list(build_key_rows(SUBJECT))
    assert [(row.user, row.id, row.days, row.idle, row.rules) for row in found] == [
        ("jane", "AKIA1", 100, 50, ("access-key-idle", "access-key-too-old", "too-many-access-keys")),
        ("jane", "AKIA2", 20, 1, ("too-many-access-keys",)),
        ("stranger", "", 30, 30, ()),
        ("stranger", "", None, None, ()),
    ]
    assert [row.policy for row in found] == ["max 1, maxAgeDays 90, maxIdleDays 45, enforce"] * 2 + [None] * 2
    assert found[0].used_for == "s3 in us-east-1"
    assert found[3].status is Status.INACTIVE


def test_access_keys_of_a_limitless_policy() -> None:
    """A policy without limits differs from no policy."""
    desired = Desired((user("jane", policy=AccessKeyPolicy()),))
    found = inventory("jane", access_keys=(key("AKIA1", "jane", 1),), access_keys_read=("jane",))
    assert [row.policy for row in build_key_rows(subject(desired, found))] == ["no limit"]


def list_timeline(text: str) -> list[list[str]]:
    """Return the cells of the timeline's table, as text."""
    _, _, table = text.partition('<table id="table-timeline">')
    rows = re.findall("<tr>(<th scope=.row.*?)</tr>", table.partition("</table>")[0])
    return [[unescape(re.sub("<.*?>", "", cell)) for cell in re.findall("<t[hd].*?</t[hd]>", row)] for row in rows]


def test_timeline() -> None:
    """The timeline has expiries and age limits of active keys within 12 months, and limits that are exceeded."""
    keys = (reported(80), reported(80, active=False))
    found = inventory(
        "bob", "jane", "old",
        credentials=(
            existing("ACCA1", "bob", BEDROCK, expires=NOW + 5 * DAY), existing("ACCA2", "bob", expires=NOW - DAY),
            existing("ACCA3", "old", BEDROCK, expires=NOW + 365 * DAY),
            existing("ACCA4", "old", expires=NOW + 366 * DAY),
        ),
        access_keys=(
            key("AKIA1", "jane", 100), key("AKIA2", "jane", 20), key("AKIA3", "jane", 20, status=Status.INACTIVE)
        ),
        access_keys_read=("jane",),
        report=CredentialReport(NOW, (ReportedUser("old", NOW, keys),)),
    )  # fmt: skip
    limits = AccessKeyPolicy(max_age_days=90)
    desired = Desired((user("bob", BEDROCK, CODECOMMIT), user("jane", policy=limits), user("old", policy=limits)))
    text = page(subject(desired, found))
    shown = list_timeline(text)
    assert [row[:4] for row in shown] == [
        ["jane", "2026-11-13", "-10", "policy violation"],
        ["bob", "2026-11-22", "-1", "expiry"],
        ["bob", "2026-11-28", "5", "expiry"],
        ["old", "2026-12-03", "10", "policy violation"],
        ["jane", "2027-02-01", "70", "policy violation"],
        ["old", "2027-11-23", "365", "expiry"],
    ]
    labels = ["key AKIA1 ", "credential ACCA2 ", "credential ACCA1 ", "key ", "key AKIA2 ", "credential ACCA3 "]
    assert [label in row[4] for label, row in zip(labels, shown, strict=True)] == [True] * 6
    assert text.count('<td class="warn">') == 2
    assert "1 expired already" in text


def test_timeline_with_state() -> None:
    """With the state, the table and the picture have every event of the schedule, which has each kind."""
    schedule = make_example()
    text = render(schedule.drift, load_example())
    assert [(row[0], row[1], row[4]) for row in list_timeline(text)] == [
        (event.user, f"{event.when:%Y-%m-%d}", event.describe()) for event in schedule.events
    ]
    assert {event.kind for event in schedule.events} == set(EventKind)
    assert render_inline(schedule) in text
    ids = re.findall(' id="(.*?)"', text)
    assert len(ids) == len(set(ids))
    assert tags(text)


def test_many_events() -> None:
    """The table has the first 5,000 events, and the page has the number of all."""
    desired = load_example()
    schedule = replace(make_example(), events=make_example().events[:1] * 6_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("iamcreds.report.html.page.make_schedule", lambda *_: schedule)
        text = render(schedule.drift, desired)
    assert len(list_timeline(text)) == MAX_EVENTS
    assert "The table has the first 5,000 of 6,000 events." in text


def test_selection() -> None:
    """Filters apply to every table, and the page shows them."""
    about = subject(DESIRED, INVENTORY, Selection(frozenset({"jane"}), frozenset({CODECOMMIT})))
    assert {row.credential.user for row in rows.build_credential_rows(about)} == {"jane"}
    assert [(one.service, one.declared, one.existing) for one in rows.build_service_rows(about)] == [
        ("codecommit", 1, 2)
    ]
    assert list(build_key_rows(about)) == []
    text = page(about)
    assert "Limited to user jane, service codecommit" in text
    assert "stranger" not in text
    by_user = subject(DESIRED, INVENTORY, Selection(frozenset({"stranger"})))
    assert {row.user for row in build_key_rows(by_user)} == {"stranger"}


def test_size() -> None:
    """Five thousand credentials and half as many access keys result in a page of less than 4 MB."""
    names = [f"user-{number:05}" for number in range(2_500)]
    desired = Desired(tuple(user(name, BEDROCK, CODECOMMIT, policy=POLICY) for name in names))
    credentials = (
        existing(f"ACCA{number:013}{at:04}", name, service, expires=NOW + timedelta(days=20 + number % 700))
        for number, name in enumerate(names)
        for at, service in enumerate((BEDROCK, CODECOMMIT))
    )
    report = CredentialReport(NOW, tuple(ReportedUser(name, NOW, (reported(1),)) for name in names))
    text = page(subject(desired, inventory(*names, credentials=tuple(credentials), report=report)))
    assert text.count('<th scope="row">') == 5_000 + MAX_EVENTS + 2_500 + 2
    assert len(text.encode()) < 4_000_000


def test_renewed() -> None:
    """The previous credential of a renewed one is marked with its end, and its expiry causes no alarm."""
    declared = DesiredCredential(
        "bob", BEDROCK, "bedrock", location(11), expire_after_days=90, renew_before_hours=14 * 24
    )
    desired = Desired((DesiredUser("bob", location(10), (declared,)),))
    older = existing("ACCA1", "bob", BEDROCK, days=80, expires=NOW + 10 * DAY)
    newer = existing("ACCA2", "bob", BEDROCK, days=4, expires=NOW + 86 * DAY)
    about = subject(desired, inventory("bob", credentials=(older, newer)))
    assert [(row.credential.id, row.managed, row.location) for row in rows.build_credential_rows(about)] == [
        ("ACCA1", "previous, valid until 2026-12-03", location(11)),
        ("ACCA2", "declared", location(11)),
    ]
    (service,) = rows.build_service_rows(about)
    assert (service.declared, service.existing) == (1, 2)
    text = page(about)
    assert [(row[1], row[3]) for row in list_timeline(text)][:2] == [
        ("2026-12-03", "expiry"),
        ("2027-02-03", "renewal"),
    ]
    assert '<td class="some">previous, valid until 2026-12-03</td>' in text
    assert '<a href="#timeline"><span class="label">Expiring</span><span class="figure">0</span>' in text
    assert "ACCA1 of bob/bedrock (previous, valid until 2026-12-03)" in text


def test_rotated() -> None:
    """With the state, a rotating credential has the date of its next rotation, and a retired one is marked."""
    declared = DesiredCredential("bob", CODECOMMIT, "codecommit", location(11), rotate=RotationPolicy(7 * 24, 2400))
    desired = Desired((DesiredUser("bob", location(10), (declared,)),))
    older, newer = existing("ACCA1", "bob", days=300), existing("ACCA2", "bob", days=4)
    found = inventory("bob", credentials=(replace(older, status=Status.INACTIVE), newer))
    both = [(row.managed, row.rotation_due) for row in rows.build_credential_rows(subject(desired, found))]
    assert both == [("declared", None)] * 2, "without the state, either may be current"
    recorded = StackExport((
        RecordedCredential("bob/codecommit", "ACCA1", "bob", CODECOMMIT, older.created, is_retired=True),
        RecordedCredential("bob/codecommit~2", "ACCA2", "bob", CODECOMMIT, newer.created, rotation=1),
    ))  # fmt: skip
    about = Subject(compare(desired, found, state=make_recorded_state(recorded)), desired)
    early = 0.05 + 0.1 * compute_spread("123456789012", "bob/codecommit")
    due = newer.created + 100 * DAY * (1 - early)
    assert [(row.managed, row.rotation_due, row.is_declared) for row in rows.build_credential_rows(about)] == [
        ("previous, Inactive", None, True),
        ("declared", due, True),
    ]
    assert f'<td class="some">declared, rotation due {due:%Y-%m-%d}</td>' in page(about)
