"""Facts of the fictional regency: what is the case, from which every service's rows are rendered.

`home` is the list of the world that a fact is in.

Amounts are IDR (int, or float where the source keeps decimals); dates and times are local (WIB), without offset.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import ClassVar

RUP, SELF_MANAGED = "rup", "swk"
TENDER, NON_TENDER = "tender", "nontender"
RECORDED, RECORDED_SELF = "pencatatan", "swakelola"

# What a kaji ulang does: goes on under a new code, is split, is cancelled, is taken back.
ONE_TO_ONE, SPLIT, CANCELLATION, REACTIVATION = "SATUKESATU", "SATUKEBANYAK", "PEMBATALAN", "PENGAKTIFAN"

ONGOING, DONE, FAILED, DRAFT = "Berlangsung", "Selesai", "Gagal/Batal", "-"
UNKNOWN = "Tak Dikenal"
"""The mark of every code value that no code table knows."""

# SIRUP's methods, code and name.
DIRECT, DIRECT_APPOINTMENT = (8, "Pengadaan Langsung"), (7, "Penunjukan Langsung")
E_PURCHASING, EXCLUDED = (9, "E-Purchasing"), (16, "Dikecualikan")
OPEN_TENDER, SELECTION = (13, "Tender"), (15, "Seleksi")
MULTI_YEAR, NO_METHOD = (17, "Pembayaran untuk Kontrak Tahun Jamak"), (0, "0")
BY_ITSELF = (21, "Swakelola")


@dataclass(slots=True, eq=False)
class Official:
    """A person in office; all of it made up, in the shapes of the real fields."""

    nip: str
    name: str
    position: str
    account: str


@dataclass(slots=True, eq=False)
class Office:
    """A spending office, or a unit below one (`budgeted` False). SIRUP and SPSE know it by different `kd_satker`."""

    name: str
    abbreviation: str
    code: str
    sirup_id: int
    spse_id: str
    address: str
    budgeted: bool
    officials: list[Official]
    subs: list[SubActivity] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class SubActivity:
    """A budget sub-activity with the activity and programme above it, of one fiscal year."""

    office: Office
    year: int
    program: tuple[int, str, str]
    activity: tuple[int, str, str]
    id: int
    code: str
    name: str
    amount: int
    accounts: list[str]


@dataclass(slots=True, eq=False)
class Supplier:
    """A firm or a person. `npwp` is dotted or empty; `npwp16` of a person is mostly the NIK."""

    code: int
    name: str
    person: bool
    form: str
    npwp: str
    npwp16: str | None
    ulid: str
    sikap: int
    representative: str
    position: str
    address: str
    bank: str
    account: str


@dataclass(slots=True, eq=False)
class BudgetLine:
    """A package's share of a budget line; a correction is below zero."""

    sub: SubActivity
    mak: str
    amount: int
    source: str


@dataclass(slots=True, eq=False)
class Revision:
    """Kaji ulang: the package `old` goes on as `new`, as it is or (`sort`) as one of several. Both codes are the same
    where it is cancelled or taken back."""

    old: int
    new: int
    at: dt.datetime
    reason: str
    sort: str = ONE_TO_ONE


@dataclass(slots=True, eq=False)
class Plan:
    """A package of the procurement plan: bought from providers (`rup`) or self-managed (`swk`).

    `root` is its first code and `code` the current one. `listed` is False for a package that only others know of.
    `parts` are the packages that it was split into; it stands no longer then.
    """

    home: ClassVar[str] = "plans"

    kind: str
    root: int
    code: int
    year: int
    office: Office
    official: Official
    title: str
    method: tuple[int, str]
    categories: list[tuple[str, str]]
    lines: list[BudgetLine]
    places: list[str]
    created: dt.date
    announced: dt.datetime
    month: int
    volume: str
    description: str
    self_managed_type: int = 1
    excluded: str | None = None
    listed: bool = True
    published: bool = True
    active: bool = True
    stale: bool = False
    revisions: list[Revision] = field(default_factory=list)
    # What works are for: who proposed it is known to e-musrenbang alone.
    needs: list[Need] = field(default_factory=list)
    first: Plan | int | None = None
    inside: Plan | None = None
    parts: list[Plan] = field(default_factory=list)
    consolidated: bool = False
    # Attempts to buy it alone, and when the last of them began; `closed` to further ones.
    tries: int = 0
    last_try: dt.datetime | None = None
    closed: bool = False

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)

    @property
    def cancelled(self) -> bool:
        return bool(self.revisions) and self.revisions[-1].sort == CANCELLATION

    @property
    def stands(self) -> bool:
        """Whether the list of announced packages has it."""
        return self.listed and self.published and not self.cancelled and not self.parts

    @property
    def codes(self) -> list[tuple[int, bool]]:
        """The codes under which budget lines and places stand, each with whether it is in force; old ones may stay."""
        if not self.listed:
            return []
        now = [] if self.parts else [(self.code, self.active and not self.cancelled)]
        return now + ([(self.root, False)] if self.stale and (self.parts or self.root != self.code) else [])

    @property
    def process(self) -> str:
        if isinstance(self.first, Plan):
            return self.first.process
        return f"{self.kind}-{self.root if self.first is None else self.first}"


@dataclass(slots=True, eq=False)
class Bid:
    """A registrant of a tender; a bidder if there is an `offer`. No `supplier`: a tender that nobody joined."""

    id: int | None
    supplier: Supplier | None
    offer: int | float | None = None


@dataclass(slots=True, eq=False)
class Certificate:
    """A payment (BAP) and handover (BAST) certificate."""

    bap: str
    bast: str
    at: dt.datetime
    handed_over: bool
    amount: int | float
    progress: int | float | None
    manner: str | None


@dataclass(slots=True, eq=False)
class Version:
    """A contract as first signed (number 0) or after an addendum, which may bear a number of its own (`paper`)."""

    number: int
    value: int | float
    end: dt.date
    signed: dt.datetime
    reason: str | None = None
    paper: str | None = None


@dataclass(slots=True, eq=False)
class Contract:
    """A contract and what follows it. `copies` rows are exactly alike; `variant` adds a row with other content.

    It ended at `done_at`: as agreed, or early for a reason (`broken_off`).
    """

    number: str
    signed: dt.datetime
    start: dt.date
    versions: list[Version]
    terms: str
    account: str
    order: str | None = None
    certificates: list[Certificate] = field(default_factory=list)
    done_at: dt.datetime | None = None
    broken_off: str | None = None
    copies: int = 1
    variant: bool = False


@dataclass(slots=True, eq=False)
class Letter:
    """SPPBJ: the appointment of the winner."""

    number: str
    at: dt.datetime
    town: str
    price: int | float
    guarantee: int
    days: int
    copies: int = 1
    variant: bool = False


@dataclass(slots=True, eq=False)
class Attempt:
    """One attempt (tender or non-tender) to buy a package. `named` is the RUP text as SPSE gives it, in parts."""

    home: ClassVar[str] = "attempts"

    kind: str
    id: int
    package: int
    version: int
    year: int
    plans: list[Plan]
    named: list[str]
    joins: bool
    previous: Attempt | None
    title: str
    office: Office
    officials: list[Official]
    agency: tuple[str, str, str]
    created: dt.datetime
    announced: dt.datetime
    ceiling: int
    estimate: int | float
    sources: list[str]
    maks: list[str]
    category: str
    method: str
    evaluation: str
    qualification: str
    terms: str
    size: str | None
    status: str
    place: str
    bids: list[Bid] = field(default_factory=list)
    winner: Bid | None = None
    negotiated: int | float | None = None
    decided: dt.datetime | None = None
    # Non-tenders only: LKPP's list of finished ones lacks some and holds others that still run.
    finished_row: bool = False
    letter: Letter | None = None
    contract: Contract | None = None
    closed_note: str | None = None
    repeat_order: bool = False
    retried: bool = False

    @property
    def supplier(self) -> Supplier:
        """Who won; asked for only where somebody did."""
        assert self.winner is not None
        assert self.winner.supplier is not None
        return self.winner.supplier

    @property
    def process(self) -> str:
        return self.plans[0].process if self.joins else f"{self.kind}-{self.id}"


@dataclass(slots=True, eq=False)
class Payment:
    """A payment of a recorded purchase or of self-managed work; the payee as typed by hand."""

    type: str
    number: str
    at: dt.datetime
    amount: int
    note: str
    document: str | None
    payee: tuple[str, str] | None


@dataclass(slots=True, eq=False)
class Recorded:
    """A purchase (`pencatatan`) or self-managed work (`swakelola`) made outside SPSE and recorded there."""

    home: ClassVar[str] = "recorded"

    kind: str
    id: int
    package: int
    year: int
    plans: list[Plan]
    named: list[str]
    title: str
    office: Office
    official: Official
    ceiling: int
    sources: list[str]
    category: str
    method: str
    state: str
    reason: str | None
    created: dt.datetime
    begun: dt.datetime
    ended: dt.datetime
    description: str
    domestic: int | float
    small: int | float
    self_managed_type: int | None
    payments: list[Payment] = field(default_factory=list)

    @property
    def process(self) -> str:
        return self.plans[0].process if len(self.plans) == 1 else f"{self.kind}-{self.id}"


@dataclass(slots=True, eq=False)
class Order:
    """An order in e-catalogue: v6 (id is a ULID), or v5 (id is an int, one row per product)."""

    id: str | int
    year: int
    plans: list[Plan]
    named: list[str]
    office: Office
    title: str
    # (product, quantity, price)
    products: list[tuple[str, int, int]]
    sources: list[str]
    maks: list[str]
    supplier: Supplier
    shipping: int
    at: dt.date
    status: str
    delivery: str

    @property
    def home(self) -> str:
        return "orders" if isinstance(self.id, str) else "old_orders"

    @property
    def total(self) -> int:
        return sum(quantity * price for _, quantity, price in self.products) + self.shipping

    @property
    def process(self) -> str:
        return self.plans[0].process if len(self.plans) == 1 else f"ecat-{self.id}"


@dataclass(slots=True, eq=False)
class ShopOrder:
    """An order in an online shop; it names no package."""

    home: ClassVar[str] = "shop_orders"

    id: str
    year: int
    office: Office
    official: Official
    amount: int
    at: dt.datetime
    failed: str | None
    copies: int

    @property
    def process(self) -> str:
        return f"tokodaring-{self.id}"


# --- the regency's own systems ----------------------------------------------------------------------------------------
# Their facts hold what was typed there, misspelled or not, and what it truly is about: `attempt`, `needs`, `plan`.
# What is `absent` has no row, or none yet.


@dataclass(slots=True, eq=False)
class Village:
    """A village and its district, with codes of e-musrenbang and the coordinates of its middle."""

    code: int
    name: str
    district_code: int
    district: str
    latitude: float
    longitude: float


@dataclass(slots=True, eq=False)
class Need:
    """What a village lacks: a kind of works (a row of `places.WORKS`), and where exactly; `spot` may be empty.

    `plans` are the packages that meet it, if any: several where it is met in stages.
    """

    work: int
    village: Village
    spot: str
    plans: list[Plan] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Proposal:
    """A proposal in e-musrenbang: of a village (`usulan`) or of a councillor (`pokir`)."""

    home: ClassVar[str] = "proposals"
    process: ClassVar[None] = None

    kind: str
    id: int
    year: int
    need: Need
    title: str
    problem: str
    aim: str
    village: str
    # Where in the village, in two fields.
    locus: str | None
    address: str
    proposer: str
    level: str
    former_office: Office
    office: Office
    coordinates: tuple[str, str] | None
    amount: int
    volume: int
    unit: str
    # What each of `musrenbang.LEVELS` found, as far as it went: amount and words.
    findings: list[tuple[int, str]]
    status: tuple[int, str]
    cancelled: str | None
    refused: str | None
    sub_activity: str | None
    at: dt.date
    absent: bool = False


@dataclass(slots=True, eq=False)
class BudgetDetail:
    """A line of a budget account: its amount in the first budget and in the revised one, None where it isn't in it."""

    number: int
    id: int
    head: str
    text: str
    first: int | None
    revised: int | None


@dataclass(slots=True, eq=False)
class BudgetAccount:
    """An account (6 segments) of a sub-activity in SIMDA's budget."""

    home: ClassVar[str] = "accounts"
    process: ClassVar[None] = None

    year: int
    sub: SubActivity
    account: str
    source: int
    details: list[BudgetDetail]
    absent: bool = False


@dataclass(slots=True, eq=False)
class Addendum:
    """What SIMDA knows of a changed contract; the value replaces the contract's."""

    number: str
    at: dt.date
    reason: str
    duration: str
    value: int | float


@dataclass(slots=True, eq=False)
class Disbursement:
    """A payment's papers in SIMDA: request (SPP), order (SPM), and the payment itself (SP2D) where it was made.

    `parts` are amounts by account; a `void` order counts for nothing. SIPD holds a `shared` one too.
    """

    request: str
    requested: dt.date
    order: str
    ordered: dt.date
    paid_by: str | None
    paid: dt.date | None
    parts: list[int | float]
    text: str
    payee: str
    void: bool = False
    shared: bool = False


@dataclass(slots=True, eq=False)
class LedgerContract:
    """A contract as SIMDA has it; `attempt` is None for one that SPSE doesn't know."""

    home: ClassVar[str] = "ledger"
    process: ClassVar[None] = None

    year: int
    number: str
    attempt: Attempt | None
    sub: SubActivity
    signed: dt.date
    purpose: str
    duration: str
    value: int | float
    supplier: Supplier
    supplier_name: str
    npwp: str
    addenda: list[Addendum] = field(default_factory=list)
    payments: list[Disbursement] = field(default_factory=list)
    absent: bool = False


@dataclass(slots=True, eq=False)
class Report:
    """Progress of a job at the end of a week: planned and actual, physical and financial, in percent."""

    number: int
    at: dt.date
    planned: float
    actual: float
    money_planned: float
    money_actual: float
    problem: str | None
    action: str | None


@dataclass(slots=True, eq=False)
class Attachment:
    """A photo or document of a job."""

    url: str
    title: str
    sort: str
    at: dt.date
    coordinates: tuple[float, float] | None
    note: str | None


@dataclass(slots=True, eq=False)
class Job:
    """A contract's work as SIMPEN follows it; `attempt` is None for one that SPSE doesn't know.

    Papers are (number, day), None while there are none.
    """

    home: ClassVar[str] = "jobs"
    process: ClassVar[None] = None

    year: int
    id: int
    attempt: Attempt | None
    rup: str | None
    title: str
    office: Office
    number: str
    signed: dt.date
    value: int | float
    supplier_name: str
    npwp: str | None
    ordered: tuple[str, dt.date] | None
    measured: dt.date | None
    handed_over: tuple[str, dt.date] | None
    finally_handed_over: tuple[str, dt.date] | None
    end: dt.date
    district: str | None
    village: str | None
    coordinates: tuple[float, float] | None
    addendum: tuple[int | float, dt.date] | None
    reports: list[Report] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    absent: bool = False


@dataclass(slots=True, eq=False)
class Document:
    """A planning document, attached to a package (`code` is its RUP code) or to a budget account (its mak)."""

    home: ClassVar[str] = "documents"
    process: ClassVar[None] = None

    year: int
    code: str
    plan: Plan | None
    url: str
    sort: str
    title: str
    at: dt.date
    form: str
    absent: bool = False
