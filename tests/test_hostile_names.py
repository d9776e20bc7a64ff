"""Hostile names in accounts, specs and files, in every output format."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner
from markdown_it import MarkdownIt

from iamcreds.aws.failures import translate_errors
from iamcreds.cli import main
from iamcreds.delivery import DeliveredSecret
from iamcreds.desired import Desired, DesiredUser, Waiver
from iamcreds.drift.rules.delivery import DeliveryLost, LeftoverSecret
from iamcreds.drift.rules.missing import MissingUser
from iamcreds.drift.rules.undeclared import UndeclaredUser
from iamcreds.drift.waivers import WaivedDifference, describe_waiver
from iamcreds.errors import AccountError, format_traceback
from iamcreds.model import RecordedCredential, SourceLocation, Status, User
from iamcreds.pull_request.changes import Action, Change, Changes, Note
from iamcreds.pull_request.comment import render_comment
from iamcreds.pulumi_engine.rejection_report import RejectedResource, raise_rejections
from iamcreds.pulumi_engine.requests import spec_file_request
from iamcreds.report.html import render
from iamcreds.report.json_document import format_json
from iamcreds.report.markdown import format_markdown
from iamcreds.report.message import write_message
from iamcreds.report.notice import Basis, Failure, Owned, write_notices, write_unknown
from iamcreds.report.sarif.differences import format_drift
from iamcreds.report.terminal import print_coloured
from iamcreds.report.text import format_text
from iamcreds.schedule.event import Event, EventKind
from iamcreds.schedule.notices import Notice
from iamcreds.services import service_alias
from iamcreds.specs.dump import write_document
from iamcreds.stores.store import StoredSecret
from iamcreds.text.tables import Format, Table, format_document, format_table
from tests.report.states import make_state
from tests.report.test_sarif import CHECKOUT
from tests.report.test_text import DRIFT, LIVE, MISSING, OLD, PLACE, SPARE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from iamcreds.drift.comparing import Drift

NAMES = [
    "x\n::add-mask::secret", "::stop-commands::x", "##[group]x", "##vso[task.x]b", "\x1b[2J\x1b]0;t\x07",
    "www.evil-login.com", "https://evil.example/", "mailto:a@evil.example", "@octocat", "acme/repo#12", "GH-12",
    "a@evil.example", "[click](https://evil.example)", "![x](https://evil.example/x.png)", "a|b", "`x`", "``",
    "<img src=x onerror=alert(1)>", "&lt;b&gt;", "=cmd|' /C'!A0", "\uff1d1+1", "\uff1b=1", ";=1+1", "\t=1", "  =1",
    "+1", "-1", "@SUM(1)", "\uff20SUM(1)", "x;=1", "x\t=1", "x\n=1", "\u202egnp.exe", "\u2066a\u2069", "a\u200bb",
    "\ufeffx", "\u2028x", "\u00adx", "\U000e0041x", "\x85x", "\x00x", "\ud800x",
    "\x7fx", "\x9b2Jx", "\u061cx", "\u200ex", "\udc9bx",
    "[link=https://evil.example]x[/link]", "[red]x",
    "\\", "*b*", "~~x~~", "--", "|", "x\r::error::y", "\r\n::set-output name=a::b",
]  # fmt: skip
SURROGATE = re.compile("[\ud800-\udfff]")
FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


def hostile_drift(name: str) -> Drift:
    """Return the drift of an account in which users, credentials, services and spec files have this name."""
    location = SourceLocation(name, 4, 9)
    spare = replace(SPARE, user=name, name=name, location=location)
    existing = replace(LIVE, id=name, user=name, service=name, login=name)
    waiver = Waiver("expired", name, DRIFT.inventory.read_at, location)
    return replace(
        DRIFT,
        inventory=replace(
            DRIFT.inventory,
            users=(User(name, LIVE.created),),
            credentials=(existing,),
            report_missing=name,
            account=name,
        ),
        differences=(
            replace(MISSING, user=name, service=name, location=location, desired=(spare,)),
            MissingUser(user=name, location=location, desired=(spare,), renamed_to=name),
            UndeclaredUser(user=name, service=name, existing=(existing,)),
            DeliveryLost(
                user=name,
                service=name,
                location=location,
                desired=(spare,),
                existing=(existing,),
                recorded=RecordedCredential(name, name, name, name, LIVE.created),
                secret=f"secret {name}",
                stored=StoredSecret(name, name, name, is_rotated=True),
            ),
            LeftoverSecret(
                user=name, service=LIVE.service, secret=f"secret {name}", stored=StoredSecret(name, name, name)
            ),
            replace(OLD, user=name, existing=(replace(OLD.existing[0], id=name, user=name),)),
        ),
        state=make_state({name: {"has_secret": True, "delivered": DeliveredSecret(name, name)}}),
        store_notes=(name,),
        waived=(
            WaivedDifference(replace(OLD, user=name), waiver),
            WaivedDifference(UndeclaredUser(user=name, service=name, existing=(existing,)), waiver),
        ),
        ended_waivers=(waiver,),
        unused_waivers=(waiver,),
        unsettled=(replace(MISSING, user=name, location=location),),
    )


def hostile_plan(name: str) -> str:
    """Return the comment about a preview in which everything has this name."""
    change = Change(name, name, name, (Action.RESET,), (Note("because of", name),))
    gone = Change("jane", name, name, (Action.DELETE,), location=name, credential_id=name, created=LIVE.created)
    adopted = Change(name, "x", name, (Action.ADOPT,), credential_id=name)
    changes = Changes(name, 1, (change, gone, adopted), others=(name,), warnings=(name,), errors=(name,))
    changes = replace(changes, waived=(f"{name}, {describe_waiver(Waiver(name, name, LIVE.created, PLACE))}",))
    return render_comment(changes, "prod", LIVE.created)


def hostile_notices(name: str) -> list[tuple[str, str]]:
    """Return titles and bodies of mails about events, and about a failed run, in which everything has this name."""
    location, failure = SourceLocation(name, 1, 1), Failure(Basis.STATE, (name, name))
    spare = replace(SPARE, user=name, name=name, location=location)
    existing = replace(LIVE, id=name, user=name, service=name, login=name)
    events = [
        Event(
            when=LIVE.created, kind=kind, user=name, service=service, id=name, rule=name, location=location,
            desired=desired, blocked_by=(existing,),
        )
        for kind in EventKind
        for service, desired in ((name, spare), ("", None))
    ]  # fmt: skip
    notices = [Notice(event, days) for event in events for days in (0, 7)]
    unknown = write_unknown([Owned(name, location)], name, failure)
    return [write_notices(notices, name, timedelta(days=1), failure), unknown]


def hostile_desired(name: str) -> Desired:
    """Return specs with a user of this name."""
    return Desired((DesiredUser(name, SourceLocation(name, 1, 1)),), files=(name,))


def aws_says(name: str) -> str:
    """Return the error message for an error response of AWS or another endpoint that contains this text."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - next to its use

    answer = {"Error": {"Code": name, "Message": name}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    with pytest.raises(AccountError) as failed, translate_errors("asking"):
        raise ClientError(answer, "GetUser")  # type: ignore[arg-type]
    return str(failed.value)


def refused(name: str) -> str:
    """Return the program's message about a resource that a preview rejects."""
    with pytest.raises(Exception, match="would reject") as failed:
        raise_rejections([RejectedResource(SourceLocation(name, 1, 1), f"{name}: no")])
    return str(failed.value)


def coloured(name: str) -> str:
    """Return the terminal output without our own colors."""
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr("sys.stdout", out)
        print_coloured(hostile_drift(name))
    return out.getvalue()


def dumped(name: str) -> str:
    """Return specs for existing credentials in an account that has only this name."""
    existing = replace(LIVE, id=name, user=name, service=name)
    return "".join(write_document(name, [(name, [existing, replace(existing, status=Status.EXPIRED)])]))


TABLE_OF: Callable[[str], Table] = lambda name: Table(("user", "id"), ((name, name),))  # noqa: E731 - a table with one name
PRINTED: dict[str, Callable[[str], str]] = {
    "drift as text": lambda name: format_text(hostile_drift(name)),
    "drift at a terminal": coloured,
    "drift as JSON": lambda name: format_json(hostile_drift(name)),
    "drift as Markdown": lambda name: format_markdown(hostile_drift(name)),
    "drift as SARIF": lambda name: format_drift(hostile_drift(name), SourceLocation(name, 1, 1), CHECKOUT),
    "plan": hostile_plan,
    "titles of notices": lambda name: "\n".join(title for title, _ in hostile_notices(name)),
    "notices": lambda name: "\n".join(body for _, body in hostile_notices(name)),
    "message": lambda name: "\n".join(write_message(hostile_drift(name), name)),
    "table": lambda name: format_table(TABLE_OF(name), Format.TABLE),
    "table at a terminal": lambda name: format_table(TABLE_OF(name), Format.TABLE, 200),
    "table at a narrow terminal": lambda name: format_table(TABLE_OF(name), Format.TABLE, 2),
    "CSV": lambda name: format_table(TABLE_OF(name), Format.CSV),
    "JSON": lambda name: format_document({name: [name]}, Format.JSON),
    "YAML": lambda name: format_document({name: [name]}, Format.YAML),
    "dump": dumped,
    "error of AWS": aws_says,
    "traceback": lambda name: format_traceback(AccountError(name)),
    "rejections": refused,
    "location": lambda name: str(SourceLocation(name, 1, 1)),
    "resource name": lambda name: spec_file_request("x" + name, "").name,
}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("output", PRINTED)
def test_printed(output: str, name: str) -> None:
    """No output contains anything that a terminal or a CI log reader would interpret."""
    if output == "resource name" and SURROGATE.search(name):
        pytest.skip("Python cannot turn a file name with a surrogate into a URI")
    for line in PRINTED[output](name).split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
        assert "##vso[" not in line


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_dump_is_read_back(name: str) -> None:
    """Programs read the original names from the output of `dump`."""
    specs = yaml.safe_load(dumped(name))
    assert specs["account"] == name
    assert specs["users"] == {name: {"credentials": [{"service": service_alias(name), "adopt": name}]}}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("output", ["drift as Markdown", "plan", "notices"])
def test_markdown(output: str, name: str) -> None:
    """Markdown contains no link, picture, mention, address or markup from a name: names are code."""
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(PRINTED[output](name))
    bare = html.unescape(re.sub("<code[^>]*>[^<]*</code>", "", rendered))
    assert not re.search(r"<a |<img|www\.|://|@|evil|octocat|GH-|#12|onerror", bare)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_page(name: str) -> None:
    """The page contains no markup from a name, no external link, and no hidden or reversed text."""
    page = render(hostile_drift(name), hostile_desired(name), timedelta(days=14))
    assert all(line.isprintable() for line in page.replace("\t", "").split("\n"))
    assert not re.search(r"<img|<b>|href=\"[^#d]", page)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv(delimiter: str, name: str) -> None:
    """With every delimiter, no cell begins like a formula, and no line like a workflow command."""
    written = format_table(TABLE_OF(name), Format.CSV)
    assert not [line for line in written.splitlines() if line.strip('" ').startswith("::")]
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE):
        cells = [
            cell
            for row in csv.reader(written.replace("\r", "\n").split("\n"), delimiter=delimiter, quoting=quoting)
            for cell in row
        ]
        assert not [cell for cell in cells if cell.strip('" ').startswith(FORMULA)]


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_files(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`validate` reports problems of spec files and keys with such names harmlessly."""
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(NAMES):
        if not SURROGATE.search(name) and not {"/", "\x00"} & set(name):
            (tmp_path / f"{name}.yaml").write_text("users: [")
        (tmp_path / f"{number}.yaml").write_text(
            json.dumps({name: 1, "users": {name: {"credentials": [{"service": name}]}}})
        )
    out = CliRunner().invoke(main, ["validate", ".", "--format", form]).output
    for line in out.split("\n"):
        assert line.isprintable()
        assert "##[" not in line
        assert form == "github" or not line.lstrip().startswith("::")
        assert form != "github" or not line.startswith("::") or re.match(r"::(error|warning) file=", line)
    match form:
        case "json":
            assert json.loads(out.partition("\n}")[0] + "\n}")["problems"]
        case "sarif":
            assert json.loads(out.partition("\n}")[0] + "\n}")["runs"][0]["results"]
        case "text":
            assert out.count("[") > 10
