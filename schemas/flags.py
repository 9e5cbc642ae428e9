"""The settings of red flags: limits of procurement methods, and from where on a flag goes up."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ProcurementLimit(BaseModel):
    """The most (IDR) for which a method may be used for a category, and since when."""

    model_config = ConfigDict(extra="forbid")

    method: str = Field(description="as the sources name it, e.g. 'Pengadaan Langsung'")
    category: Literal["goods", "services", "works", "consultingServices"]
    most: int = Field(gt=0, description="IDR, itself allowed")
    since: date
    rule: str = Field(description="where that is written")


def _limits() -> list[ProcurementLimit]:
    rule = "Perpres 16/2018 and 12/2021"
    first, changed = date(2018, 3, 22), date(2025, 4, 30)
    method = "Pengadaan Langsung"
    return [
        ProcurementLimit(method=method, category="goods", most=200_000_000, since=first, rule=rule),
        ProcurementLimit(method=method, category="services", most=200_000_000, since=first, rule=rule),
        ProcurementLimit(method=method, category="works", most=200_000_000, since=first, rule=rule),
        ProcurementLimit(method=method, category="consultingServices", most=100_000_000, since=first, rule=rule),
        ProcurementLimit(
            method=method,
            category="works",
            most=400_000_000,
            since=changed,
            rule="Perpres 46/2025 (to be confirmed)",
        ),
    ]


class FlagSettings(BaseModel):
    """From where on a red flag goes up. Shares are of 1, days are calendar days; docs/redflags.md has the rules."""

    model_config = ConfigDict(extra="forbid")

    limits: list[ProcurementLimit] = Field(default_factory=_limits)
    account_levels: int = Field(5, ge=1, le=6, description="levels of an account code that make a class of items")
    item_digits: int = Field(2, ge=1, description="digits that make a class of items in codes without dots")
    fewest: int = Field(5, ge=1, description="subjects without which no outlier is looked for among them")
    r002_near: float = Field(0.95, gt=0, description="share of the limit from which on a value is near it")
    r003_days: dict[str, float] = Field(
        default_factory=lambda: {"open": 7.0, "selective": 20.0},
        description="fewer days from notice to deadline are too few, by OCDS method; other methods are left out",
    )
    r010_methods: list[str] = Field(
        default_factory=lambda: ["Penunjukan Langsung", "Dikecualikan"],
        description="methods that need a reason, as the sources name them",
    )
    r010_letters: int = Field(15, ge=1, description="a reason with fewer letters gives none")
    r011_days: int = Field(7, ge=0, description="days within which purchases count together")
    r013_share: float = Field(0.95, gt=0, description="share of processes without competition")
    r013_fewest: int = Field(10, ge=1, description="processes that an office must have")
    r016_fewest: int = Field(10, ge=1, description="tenders of a method and class that must be there to compare with")
    r018_methods: list[str] = Field(default_factory=lambda: ["open", "selective"], description="competitive methods")
    r019_share: float = Field(0.5, gt=0, description="share of the other offices' mean of bidders")
    r019_fewest: int = Field(3, ge=1, description="tenders of a class that an office, and the others, must have")
    r022_spread: float = Field(0.3, gt=0, description="by how much of the lowest bid the highest exceeds it")
    r024_difference: float | None = Field(None, description="in place of the lower fence")
    r025_percentile: float = Field(75, gt=0, lt=100, description="percentile of bids that makes a frequent bidder")
    r025_ratio: float | None = Field(None, description="in place of the lower fence")
    r026_share: float = Field(0.2, gt=0, description="share of an office's contracts that consortia have")
    r026_fewest: int = Field(5, ge=1, description="contracts that an office must have")
    r029_deviation: float = Field(0.015, gt=0, description="mean absolute deviation of the shares of first digits")
    r029_fewest: int = Field(100, ge=1, description="amounts that an office must have")
    r031_share: float = Field(0.999, gt=0, description="share of the estimate that the award reaches")
    r035_tenderers: int = Field(1, ge=1, description="disqualified bidders")
    r038_ratio: float | None = Field(None, description="in place of the upper fence")
    r038_bids: int = Field(2, ge=1, description="bids that an office must have received")
    r040_share: float = Field(0.5, gt=0, description="share of an office's awards, by value, of one supplier")
    r040_fewest: int = Field(10, ge=1, description="awards that an office must have")
    r048_processes: int = Field(20, ge=1, description="processes that make a supplier count for the upper fence")
    r048_variety: int | None = Field(None, description="classes of items, in place of the upper fence")
    r049_near: float = Field(0.9, gt=0, description="share of the limit from which on an award is near it")
    r049_awards: int = Field(2, ge=1, description="such awards of an office to a supplier")
    r050_share: float = Field(0.5, gt=0, description="share of a class of items, by value, that a supplier has")
    r050_fewest: int = Field(10, ge=1, description="awards that a class must have")
    r051_index: float = Field(0.25, gt=0, le=1, description="Herfindahl-Hirschman index of a class in an office")
    r051_fewest: int = Field(10, ge=1, description="awards that the class must have there")
    r052_small: int = Field(50_000_000, gt=0, description="a first direct award up to this (IDR) is small")
    r052_times: float = Field(10, gt=1, description="how many times the first a later one is")
    r052_days: int = Field(365, ge=1, description="days within which the later one follows")
    r053_together: int = Field(3, ge=2, description="tenders in which a pair bids together")
    r053_share: float = Field(0.9, gt=0, le=1, description="share of them that one of the pair wins")
    r055_days: int = Field(90, ge=0, description="days within which awards count together")
    r057_together: int = Field(4, ge=2, description="tenders in which a pair bids together and one of them wins")
    r057_share: float = Field(0.4, gt=0, le=0.5, description="share of these that each of them wins")
    r058_difference: float | None = Field(None, description="in place of the upper fence")
    r059_share: float = Field(0.1, gt=0, description="share of the award by which the contract differs from it")
    r060_days: float = Field(14, ge=0, description="more days from award to signature are long")
    r061_days: float = Field(3, ge=0, description="fewer days from deadline to award are short")
    r062_days: float = Field(60, ge=0, description="more days from deadline to award are long")
    r064_amendments: int = Field(1, ge=1, description="amendments of a contract")
    r067_days: float = Field(0, ge=0, description="days after which a delivery is late")
    r068_share: float = Field(1, gt=0, description="share of the contract's value that payments exceed")
    r069_share: float = Field(0, ge=0, description="share of the first value by which amendments raise it")
