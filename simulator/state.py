"""A regency on one day: the facts (`facts.py`), and what is kept to draw the next ones. No behaviour."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

from simulator import facts
from simulator.noise import Noise


@dataclass(slots=True, eq=False, kw_only=True)
class State:
    """Settings as in `World`, then facts, then what the next draw needs."""

    packages: int
    seed: int
    kd_klpd: str
    kd_lpse: str
    year: int
    years: list[int]
    today: dt.date
    unknown_share: float
    noise: Noise
    bought_share: float
    splits: bool
    bare_payments: bool
    sipd_since: dt.date | None

    offices: list[facts.Office] = field(default_factory=list)
    units: list[facts.Office] = field(default_factory=list)
    subs: list[facts.SubActivity] = field(default_factory=list)
    suppliers: list[facts.Supplier] = field(default_factory=list)
    plans: list[facts.Plan] = field(default_factory=list)
    attempts: list[facts.Attempt] = field(default_factory=list)
    recorded: list[facts.Recorded] = field(default_factory=list)
    orders: list[facts.Order] = field(default_factory=list)
    old_orders: list[facts.Order] = field(default_factory=list)
    shop_orders: list[facts.ShopOrder] = field(default_factory=list)
    villages: list[facts.Village] = field(default_factory=list)
    proposals: list[facts.Proposal] = field(default_factory=list)
    accounts: list[facts.BudgetAccount] = field(default_factory=list)
    ledger: list[facts.LedgerContract] = field(default_factory=list)
    jobs: list[facts.Job] = field(default_factory=list)
    documents: list[facts.Document] = field(default_factory=list)
    # Fiscal years whose budget was revised.
    revised_years: set[int] = field(default_factory=set)
    # What vanished from the sources: service -> code -> process, and the facts.
    gone: dict[str, dict[str, str]] = field(default_factory=dict)
    vanished: set[object] = field(default_factory=set)

    # Days since the beginning; it decides in which order lists come today.
    day: int = 0
    rng: random.Random
    # The regency's own systems and the wording of works have chances of their own.
    local_rng: random.Random
    # Events take turns from day to day, those of LKPP's systems and those of the regency's own.
    next_event: list[int] = field(default_factory=lambda: [0, 0])
    counters: dict[str, int] = field(default_factory=dict)
    # (fiscal year, kind of works, village) -> the spots that are taken.
    spots: dict[tuple[int, int, int], set[str]] = field(default_factory=dict)
    # (office, fiscal year) -> needs that may be met in stages.
    begun: dict[tuple[str, int], list[facts.Need]] = field(default_factory=dict)
    sub_names: dict[str, str] = field(default_factory=dict)
    # Fiscal year -> numbers of SIMDA's contracts; (office, fiscal year) -> numbers of SPSE's that SIMDA was given.
    ledger_numbers: dict[int, set[str]] = field(default_factory=dict)
    entered_numbers: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    # Rows of LKPP's systems and of the regency's own, once they were counted.
    row_counts: list[int] | None = None
