"""The scenarios for faults: the stack before and after an `up`, and the credentials that exist in the end."""

from __future__ import annotations

from dataclasses import dataclass

CODECOMMIT = "codecommit.amazonaws.com"
BEDROCK = "bedrock.amazonaws.com"
KEYSPACES = "cassandra.amazonaws.com"
LOGS = "logs.amazonaws.com"
NAMED = "ACCANAMED000000000000"
SPECS = "users: {{jane: {{credentials: [{}]}}}}"
PROGRAM = "from dynamic_providers import ServiceSpecificCredential as Credential\n"


@dataclass(frozen=True)
class Live:
    """An existing credential with its declarable fields."""

    service: str
    status: str = "Active"
    user: str = "jane"
    days: int | None = None


@dataclass(frozen=True)
class Project:
    """A program, or specs for the YAML program."""

    text: str

    @property
    def is_program(self) -> bool:
        """Return True if the project is a program."""
        return self.text.startswith(PROGRAM)


@dataclass(frozen=True)
class Scenario:
    """An `up` and its result.

    Attributes:
        name: the first part of the ids of its cases.
        desired: the project that `up` applies.
        existing: the credentials that exist afterwards.
        before: the project that was applied the day before; None for an empty stack.
        days: the numbers of days before `up` on which that project was applied.
        unmanaged: services for which a person created a credential for jane on the first of these days.
        named: ids and services of such credentials that the project imports.
        has_passwords: True if the state has the password of every existing credential afterwards.
        has_foreign: True if manually created credentials stay and stay unmanaged.
        is_renewing: True if no password of the day before may be in the state afterwards.
        keeps_working: True if the credentials that work before `up` must work with the same password all the time.
        retires: True if this need not be true for a previous credential, because its overlap has ended.
        extra_ups: the number of updates after a clean one that the result may need.
        has_checkpoints: True if `up` records each step; otherwise it records its result at the end.
        secret: the name of the secret in a store that has the password of the current credential afterwards.
        keeps_delivered: True if that secret must be a working password all the time.
    """

    name: str
    desired: Project
    existing: tuple[Live, ...]
    before: Project | None = None
    days: tuple[int, ...] = (1,)
    unmanaged: tuple[str, ...] = ()
    named: tuple[tuple[str, str], ...] = ()
    has_passwords: bool = True
    has_foreign: bool = False
    is_renewing: bool = False
    keeps_working: bool = False
    retires: bool = False
    extra_ups: int = 0
    has_checkpoints: bool = True
    secret: str | None = None
    keeps_delivered: bool = False


def specs(*credentials: str) -> Project:
    """Return specs of jane with these credentials."""
    return Project(SPECS.format(", ".join(f"{{{credential}}}" for credential in credentials)))


def program(*credentials: str) -> Project:
    """Return a program with credentials that have these arguments after the resource name."""
    return Project(
        PROGRAM + "".join(f'Credential("key-{number}", {given})\n' for number, given in enumerate(credentials))
    )


_EXPIRING = specs("service: bedrock, expire: {after: 90d}")
_RENEWED = specs("service: bedrock, expire: {after: 90d, renewBefore: 14d}")
_ROTATED = specs("service: codecommit, rotate: {every: 90d, overlap: 7d}")
_ROTATED_KEY = specs("service: bedrock, expire: {after: 180d}, rotate: {every: 90d, overlap: 7d}")
_SECRET = "codecommit/jane"
_DELIVER = "service: codecommit, deliver: {{secretsManager: {{name: '{{service}}/{{user}}', region: us-east-1{}}}{}}}"
_DELIVERED = _DELIVER.format("", "")
_KEPT = _DELIVER.format("", ", keepInState: true")
_DELIVERED_ROTATED = specs(f"{_DELIVERED}, rotate: {{every: 90d, overlap: 7d}}")
_ROTATED_SSM = specs(
    "service: codecommit, deliver: {ssm: {name: '/{service}/{user}', region: us-east-1}},"
    " rotate: {every: 90d, overlap: 7d}"
)
_AGED = 'user="jane", service="bedrock", age_days={}'
_AGED_OF_TWO = _AGED + ", declared=2"

SCENARIOS = (
    Scenario("create", specs("service: codecommit"), (Live(CODECOMMIT),)),
    Scenario("create-inactive", specs("service: bedrock, status: Inactive"), (Live(BEDROCK, "Inactive"),)),
    Scenario(
        "create-two",
        specs("service: codecommit, name: one", "service: codecommit, name: other"),
        (Live(CODECOMMIT), Live(CODECOMMIT)),
    ),
    Scenario(
        "reset",
        specs('service: codecommit, reset: "2"'),
        (Live(CODECOMMIT),),
        before=specs('service: codecommit, reset: "1"'),
        is_renewing=True,
    ),
    Scenario(
        "switch-off",
        specs("service: codecommit, status: Inactive"),
        (Live(CODECOMMIT, "Inactive"),),
        before=specs("service: codecommit, status: Active"),
    ),
    Scenario(
        "switch-on",
        specs('service: codecommit, status: Active, reset: "2"'),
        (Live(CODECOMMIT),),
        before=specs('service: codecommit, status: Inactive, reset: "1"'),
        is_renewing=True,
    ),
    Scenario(
        "replace",
        program(_AGED.format(60)),
        (Live(BEDROCK, days=60),),
        before=program(_AGED.format(90)),
        is_renewing=True,
    ),
    Scenario(
        "replace-user",
        program('user="john", service="bedrock"'),
        (Live(BEDROCK, user="john"),),
        before=program('user="jane", service="bedrock"'),
        is_renewing=True,
    ),
    Scenario(
        "replace-at-limit",
        program(_AGED_OF_TWO.format(60), _AGED_OF_TWO.format(90)),
        (Live(BEDROCK, days=60), Live(BEDROCK, days=90)),
        before=program(_AGED_OF_TWO.format(90), _AGED_OF_TWO.format(90)),
    ),
    Scenario(
        "adopt",
        specs("service: codecommit, existing: adopt"),
        (Live(CODECOMMIT),),
        unmanaged=(CODECOMMIT,),
        is_renewing=True,
    ),
    Scenario(
        "adopt-by-id",
        specs(f"service: codecommit, adopt: {NAMED}"),
        (Live(CODECOMMIT),),
        named=((NAMED, CODECOMMIT),),
        has_passwords=False,
    ),
    Scenario(
        "adopt-by-id-changed",
        specs(f"service: codecommit, adopt: {NAMED}, status: Inactive, reset: lost"),
        (Live(CODECOMMIT, "Inactive"),),
        named=((NAMED, CODECOMMIT),),
        is_renewing=True,
    ),
    Scenario(
        "adopt-by-id-beside",
        specs(f"service: codecommit, adopt: {NAMED}, reset: lost", "service: codecommit, name: new"),
        (Live(CODECOMMIT), Live(CODECOMMIT)),
        named=((NAMED, CODECOMMIT),),
        is_renewing=True,
    ),
    Scenario("create-adopting", specs("service: codecommit, existing: adopt"), (Live(CODECOMMIT),)),
    Scenario(
        "delete-unmanaged",
        Project("users: {jane: {unmanaged: delete, credentials: []}}"),
        (),
        unmanaged=(CODECOMMIT, BEDROCK),
    ),
    Scenario(
        "deactivate-unmanaged",
        Project("users: {jane: {unmanaged: deactivate, credentials: [{service: bedrock}]}}"),
        (Live(CODECOMMIT, "Inactive"), Live(BEDROCK)),
        unmanaged=(CODECOMMIT,),
        has_foreign=True,
    ),
    Scenario(
        "create-without-checkpoints",
        specs(*(f"service: {service}, existing: adopt" for service in (CODECOMMIT, BEDROCK, KEYSPACES, LOGS))),
        (Live(CODECOMMIT), Live(BEDROCK), Live(KEYSPACES), Live(LOGS)),
        has_checkpoints=False,
    ),
    Scenario("delete", specs(), (), before=specs("service: codecommit")),
    Scenario(
        "expire",
        _EXPIRING,
        (Live(BEDROCK, days=90),),
        before=_EXPIRING,
        days=(100,),
        is_renewing=True,
        keeps_working=True,
    ),
    Scenario(
        "renew",
        _RENEWED,
        (Live(BEDROCK, days=90), Live(BEDROCK, days=90)),
        before=_RENEWED,
        days=(80,),
        keeps_working=True,
    ),
    Scenario(
        "renew-adopting",
        specs("service: bedrock, existing: adopt, expire: {after: 90d, renewBefore: 14d}"),
        (Live(BEDROCK, days=90), Live(BEDROCK, days=90)),
        before=_RENEWED,
        days=(80,),
        keeps_working=True,
    ),
    Scenario(
        "renew-reset",
        specs("service: bedrock, reset: leaked, expire: {after: 90d, renewBefore: 14d}"),
        (Live(BEDROCK, "Inactive", days=90), Live(BEDROCK, days=90)),
        before=_RENEWED,
        days=(80, 3),
    ),
    Scenario("renew-end", _RENEWED, (Live(BEDROCK, days=90),), before=_RENEWED, days=(91, 14), keeps_working=True),
    Scenario(
        "rotate-first",
        _ROTATED,
        (Live(CODECOMMIT), Live(CODECOMMIT)),
        before=_ROTATED,
        days=(100,),
        keeps_working=True,
    ),
    Scenario(
        "rotate",
        _ROTATED,
        (Live(CODECOMMIT), Live(CODECOMMIT)),
        before=_ROTATED,
        days=(200, 110, 100),
        keeps_working=True,
        extra_ups=1,
    ),
    Scenario(
        "rotate-retire",
        _ROTATED,
        (Live(CODECOMMIT, "Inactive"), Live(CODECOMMIT)),
        before=_ROTATED,
        days=(110, 10),
        keeps_working=True,
        retires=True,
    ),
    Scenario(
        "rotate-retire-delete",
        specs("service: codecommit, rotate: {every: 90d, overlap: 7d, retire: delete}"),
        (Live(CODECOMMIT),),
        before=_ROTATED,
        days=(110, 10),
        keeps_working=True,
        retires=True,
    ),
    Scenario(
        "rotate-removed",
        specs("service: codecommit"),
        (Live(CODECOMMIT),),
        before=_ROTATED,
        days=(200, 105, 95, 5),
        keeps_working=True,
        retires=True,
    ),
    Scenario(
        "rotate-expiring",
        _ROTATED_KEY,
        (Live(BEDROCK, days=180), Live(BEDROCK, days=180)),
        before=_ROTATED_KEY,
        days=(179, 90, 80),
        keeps_working=True,
    ),
    Scenario("deliver-create", specs(_DELIVERED), (Live(CODECOMMIT),), has_passwords=False, secret=_SECRET),
    Scenario(
        "deliver-added",
        specs(_DELIVERED),
        (Live(CODECOMMIT),),
        before=specs("service: codecommit"),
        has_passwords=False,
        is_renewing=True,
        keeps_working=True,
        secret=_SECRET,
    ),
    Scenario(
        "deliver-reset",
        specs(f'{_DELIVERED}, reset: "2"'),
        (Live(CODECOMMIT),),
        before=specs(f'{_DELIVERED}, reset: "1"'),
        has_passwords=False,
        secret=_SECRET,
    ),
    Scenario(
        "deliver-keep-in-state",
        specs(f'{_KEPT}, reset: "2"'),
        (Live(CODECOMMIT),),
        before=specs(f'{_KEPT}, reset: "1"'),
        is_renewing=True,
        secret=_SECRET,
    ),
    Scenario(
        "deliver-rotate-first",
        _DELIVERED_ROTATED,
        (Live(CODECOMMIT), Live(CODECOMMIT)),
        before=_DELIVERED_ROTATED,
        days=(100,),
        has_passwords=False,
        keeps_working=True,
        secret=_SECRET,
        keeps_delivered=True,
    ),
    Scenario(
        "deliver-rotate",
        _DELIVERED_ROTATED,
        (Live(CODECOMMIT), Live(CODECOMMIT)),
        before=_DELIVERED_ROTATED,
        days=(200, 110, 100),
        has_passwords=False,
        keeps_working=True,
        extra_ups=1,
        secret=_SECRET,
        keeps_delivered=True,
    ),
    Scenario(
        "deliver-rotate-ssm",
        _ROTATED_SSM,
        (Live(CODECOMMIT), Live(CODECOMMIT)),
        before=_ROTATED_SSM,
        days=(200, 110, 100),
        has_passwords=False,
        keeps_working=True,
        extra_ups=1,
        secret=f"/{_SECRET}",
        keeps_delivered=True,
    ),
    Scenario(
        "deliver-delete",
        specs(),
        (),
        before=specs(_DELIVER.format(", deleteSecret: true", "")),
        has_passwords=False,
        secret=_SECRET,
    ),
)
"""The scenarios, each of which takes seconds; write paths that are not listed here are not tested."""
