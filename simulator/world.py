"""A fictional regency of any size from a seed, as tests and the server use it."""

from __future__ import annotations

import datetime as dt
import random
import re
from typing import Any

from simulator.days import live_through_a_day
from simulator.making import make
from simulator.noise import Noise
from simulator.rendering import Row
from simulator.services import LKPP, LOCAL, SERVICES, answer, count_rows
from simulator.state import State

__all__ = ["LKPP", "LOCAL", "SERVICES", "World", "evaluation_world", "packages_for_rows"]


def evaluation_world(seed: int, noise: Noise | float = 1.0, packages: int = 2500, **options: Any) -> World:
    """A regency that buys most of what it plans through SPSE, so that there are hundreds of contracts to be linked.

    2,500 packages make some 450 contracts, 170 of them works.
    """
    return World(packages, seed, noise=noise, bought_share=0.8, **options)


def packages_for_rows(rows: int) -> int:
    """How many packages (RUP codes of one fiscal year) make a world of about `rows` source rows."""
    return max(1, round((rows - 650) / 7.55))


class World(State):
    """A regency's facts on one day, and the rows that each service has of them.

    `packages` is the number of RUP codes per fiscal year (some 70 % bought, 30 % self-managed), `years` how many fiscal
    years up to and including `year` exist, `today` the day of the answers (3 October of `year` by default).
    `unknown_share` is the share of attempts with a code value that no code table knows; `unknown_rows` facts have one
    in any case. `noise` is what the regency's own systems have otherwise than LKPP's: shares, or a factor of the usual
    ones. `bought_share` is the share of packages for direct procurement that SPSE knows of. With `splits` kaji ulang
    splits packages, with `bare_payments` recorded payments name their purchase only, as one shape of ISB's answers has
    it. `sipd_since` is the day on which SIPD-RI replaces SIMDA: it numbers payments from 1 again, and holds one that
    was made before. The same arguments and the same calls of `advance` give the same world.
    """

    def __init__(
        self,
        packages: int,
        seed: int,
        kd_klpd: str = "D999",
        kd_lpse: str = "999",
        year: int = 2025,
        years: int = 1,
        today: dt.date | None = None,
        unknown_share: float = 0.0,
        unknown_rows: int = 4,
        noise: Noise | float = 1.0,
        bought_share: float = 0.262,
        splits: bool = False,
        bare_payments: bool = False,
        sipd_since: dt.date | None = None,
    ) -> None:
        super().__init__(
            packages=packages,
            seed=seed,
            kd_klpd=kd_klpd,
            kd_lpse=kd_lpse,
            year=year,
            years=list(range(year - years + 1, year + 1)),
            today=today or dt.date(year, 10, 3),
            unknown_share=unknown_share,
            noise=noise if isinstance(noise, Noise) else Noise().scaled(noise),
            bought_share=bought_share,
            splits=splits,
            bare_payments=bare_payments,
            sipd_since=sipd_since,
            rng=random.Random(f"{seed}/{packages}/{year}"),
            local_rng=random.Random(f"{seed}/{packages}/{year}/local"),
        )
        make(self, unknown_rows)

    def rows(self, service: str, year: int | None = None) -> list[Row]:
        """Today's answer of a service for a fiscal year, in ISB's field names and types; empty for a year unknown here.

        Raises KeyError for a service that the world does not know.
        """
        return answer(self, service, year or self.year)

    def row_count(self) -> int:
        """Rows of all services and fiscal years."""
        return sum(count_rows(self))

    def advance(self, days_ahead: int = 1, change_share: float = 0.01) -> dict[str, Any]:
        """Move on, day by day; on each of them about `change_share` of all rows are new, changed or gone.

        0 changes nothing but the stamps of the extraction and the order within lists. Returns counts of rows
        (`new`, `changed`, `gone`), of `events` by name, and `processes`: the processes whose own rows changed.
        """
        total: dict[str, Any] = {"date": "", "new": 0, "changed": 0, "gone": 0, "events": {}, "processes": []}
        for _ in range(days_ahead):
            live_through_a_day(self, change_share, total)
        total["date"] = self.today.isoformat()
        return total

    def personal_values(self) -> set[str]:
        """What must never leave the raw rows: officials, NIK, tax numbers of persons, accounts, addresses, and the
        numbers of persons that stand in free text."""
        officials = [official for office in self.offices for official in office.officials]
        values = {value for official in officials for value in (official.nip, official.name, official.account)}
        for supplier in self.suppliers:
            values |= {supplier.representative, supplier.address, supplier.account}
            if supplier.person:
                values |= {supplier.npwp, supplier.npwp16 or ""}
        texts = [plan.description for plan in self.plans]
        texts += [payment.note for recorded in self.recorded for payment in recorded.payments]
        texts += [proposal.problem for proposal in self.proposals]
        values.update(number for text in texts for number in re.findall(r"\b(?:99\d{14,16}|0899\d{8})\b", text))
        values.update(f"PEMILIK {supplier.representative}" for supplier in self.suppliers)
        return values - {"", "-"}
