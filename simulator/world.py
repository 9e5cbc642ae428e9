"""A fictional regency of any size from a seed: its offices, plans, purchases, contracts and payments.

The world holds facts (`facts.py`); `sirup.py` and `lpse.py` render them as the rows of LKPP's services. Shares follow
the counts of `sources.md` (sections 1.4 and 8); in a small world each feature still occurs once. Codes lie outside the
ranges of real ones, and every person, number and name is made up.
"""

from __future__ import annotations

import datetime as dt
import random
import re
import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

from simulator import days, dokumen, local, lpse, musrenbang, names, places, simda, simpen, sirup
from simulator.facts import (
    BY_ITSELF,
    DIRECT,
    DIRECT_APPOINTMENT,
    DONE,
    DRAFT,
    E_PURCHASING,
    EXCLUDED,
    FAILED,
    MULTI_YEAR,
    NO_METHOD,
    NON_TENDER,
    ONGOING,
    OPEN_TENDER,
    RECORDED,
    RECORDED_SELF,
    RUP,
    SELECTION,
    SELF_MANAGED,
    TENDER,
    Attempt,
    Bid,
    BudgetAccount,
    BudgetLine,
    Certificate,
    Contract,
    Document,
    Job,
    LedgerContract,
    Letter,
    Need,
    Office,
    Official,
    Order,
    Payment,
    Plan,
    Proposal,
    Recorded,
    Revision,
    ShopOrder,
    SubActivity,
    Supplier,
    Version,
    Village,
)
from simulator.noise import Noise
from simulator.rendering import Row, Service

T = TypeVar("T")

LKPP = {service.name: service for service in (*sirup.SERVICES, *lpse.SERVICES)}
"""The services of LKPP's systems, by ISB's name."""
LOCAL = {
    service.name: service for service in (*simda.SERVICES, *musrenbang.SERVICES, *simpen.SERVICES, *dokumen.SERVICES)
}
"""The services of the regency's own systems, whose codes open no process."""
SERVICES = LKPP | LOCAL
"""Every service the world can answer."""

WORKS, GOODS, CONSULTING, SERVICE = (
    ("2", "Pekerjaan Konstruksi"),
    ("1", "Barang"),
    ("3", "Jasa Konsultansi"),
    ("4", "Jasa Lainnya"),
)
TITLES = {"1": names.GOODS, "2": names.WORKS, "3": names.CONSULTING, "4": names.SERVICES}
# SPSE's words for SIRUP's four kinds, with weights.
SPSE_CATEGORIES = {
    "1": (("Pengadaan Barang", 1),),
    "2": (("Pekerjaan Konstruksi", 1),),
    "3": (
        ("Jasa Konsultansi Badan Usaha Konstruksi", 447),
        ("Jasa Konsultansi Badan Usaha Non Konstruksi", 193),
        ("Jasa Konsultansi Perorangan Konstruksi", 66),
        ("Jasa Konsultansi Perorangan Non Konstruksi", 42),
    ),
    "4": (("Jasa Lainnya", 1),),
}
UNKNOWN = "Tak Dikenal"
"""The mark of every code value that no code table knows."""

_ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def quota(share: float, population: int, least: int = 1) -> int:
    """How many of `population` get a feature of this share: at least `least`, so that small worlds have it too."""
    return min(population, max(least, round(share * population)))


def evaluation_world(seed: int, noise: Noise | float = 1.0, packages: int = 2500, **options: Any) -> World:
    """A regency that buys most of what it plans through SPSE, so that there are hundreds of contracts to be linked.

    2,500 packages make some 450 contracts, 170 of them works.
    """
    return World(packages, seed, noise=noise, bought_share=0.8, **options)


def packages_for_rows(rows: int) -> int:
    """How many packages (RUP codes of one fiscal year) make a world of about `rows` source rows."""
    return max(1, round((rows - 650) / 7.55))


class World:
    """A regency's facts on one day, and the rows that each service says of them.

    `packages` is the number of RUP codes per fiscal year (some 70 % bought, 30 % self-managed), `years` how many fiscal
    years up to and including `year` exist, `today` the day of the answers (3 October of `year` by default).
    `unknown_share` is the share of attempts with a code value that no code table knows; `unknown_rows` facts have one
    in any case. `noise` is what the regency's own systems have otherwise than LKPP's: shares, or a factor of the usual
    ones. `bought_share` is the share of packages for direct procurement that SPSE knows of. The same arguments and the
    same calls of `advance` give the same world.
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
    ) -> None:
        self.packages = packages
        self.seed = seed
        self.kd_klpd = kd_klpd
        self.kd_lpse = kd_lpse
        self.year = year
        self.today = today or dt.date(year, 10, 3)
        # Days since the beginning, and the part of it that decides in which order lists come today.
        self.day = 0
        self.unknown_share = unknown_share
        self.noise = noise if isinstance(noise, Noise) else Noise().scaled(noise)
        self.bought_share = bought_share
        self.rng = random.Random(f"{seed}/{packages}/{year}")
        # The regency's own systems and the wording of works have chances of their own.
        self.local_rng = random.Random(f"{seed}/{packages}/{year}/local")
        self._counters: dict[str, int] = {}
        self.offices: list[Office] = []
        self.units: list[Office] = []
        self.subs: list[SubActivity] = []
        self.suppliers: list[Supplier] = []
        self.plans: list[Plan] = []
        self.attempts: list[Attempt] = []
        self.recorded: list[Recorded] = []
        self.orders: list[Order] = []
        self.old_orders: list[Order] = []
        self.shop_orders: list[ShopOrder] = []
        self.villages = places.gazetteer(self.local_rng)
        # (fiscal year, kind of works, village) -> the spots that are spoken for.
        self.spots: dict[tuple[int, int, int], set[str]] = {}
        # (office, fiscal year) -> needs that may be met in stages.
        self.begun: dict[tuple[str, int], list[Need]] = {}
        self.proposals: list[Proposal] = []
        self.accounts: list[BudgetAccount] = []
        self.ledger: list[LedgerContract] = []
        self.sub_names: dict[str, str] = {}
        self.revised_years: set[int] = set()
        self.ledger_numbers: dict[int, set[str]] = {}
        self._numbers: dict[tuple[str, int], list[str]] = {}
        self.jobs: list[Job] = []
        self.documents: list[Document] = []
        self.gone: dict[str, dict[str, str]] = {}
        self.vanished: set[object] = set()
        # Rows of LKPP's systems and of the regency's own.
        self._row_counts: list[int] | None = None
        # Events take turns from day to day, those of LKPP's systems and those of the regency's own.
        self.next_event = [0, 0]
        self._make_offices(max(4, min(70, 4 + packages // 60)))
        self._make_suppliers(max(40, packages // 11))
        self.years = list(range(year - years + 1, year + 1))
        # The last year first: it is the same however many there were before it.
        for each in reversed(self.years):
            self._make_year(each)
            if each == year:
                self._make_unknown(unknown_rows)
            # The budget is revised in September.
            if self.today >= dt.date(each, 9, 20):
                self.revised_years.add(each)
            local.populate(self, each)

    # --- what the outside sees ------------------------------------------------------------------------------------

    def rows(self, service: str, year: int | None = None) -> list[Row]:
        """Today's answer of a service for a fiscal year, in ISB's field names and types; empty for a year unknown here.

        Raises KeyError for a service that the world does not know.
        """
        spec = SERVICES[service]
        if spec.yearly and (year or self.year) not in self.years:
            return []
        return [row for fact in spec.facts_of(self, year or self.year) for row in spec.render(self, fact)]

    def row_count(self) -> int:
        """Rows of all services and fiscal years."""
        return sum(self.row_counts())

    def row_counts(self) -> tuple[int, int]:
        """Rows of LKPP's systems, and of the regency's own."""
        if self._row_counts is None:
            self._row_counts = [
                sum(
                    len(self.rows(name, year))
                    for name, spec in services.items()
                    for year in (self.years if spec.yearly else self.years[-1:])
                )
                for services in (LKPP, LOCAL)
            ]
        return self._row_counts[0], self._row_counts[1]

    def advance(self, days_ahead: int = 1, change_share: float = 0.01) -> dict[str, Any]:
        """Move on, day by day; on each of them about `change_share` of all rows are new, changed or gone.

        0 changes nothing but the stamps of the extraction and the order within lists. Returns counts of rows
        (`new`, `changed`, `gone`), of `events` by name, and `processes`: the processes whose own rows changed.
        """
        total: dict[str, Any] = {"date": "", "new": 0, "changed": 0, "gone": 0, "events": {}, "processes": []}
        for _ in range(days_ahead):
            days.live_through_a_day(self, change_share, total)
        total["date"] = self.today.isoformat()
        return total

    def note_rows(self, more: int, own: bool) -> None:
        """Keep the number of rows, of LKPP's systems or the regency's own, without counting again."""
        if self._row_counts is not None:
            self._row_counts[own] += more

    def services_of(self, fact: object) -> list[Service]:
        """The services that tell of a fact."""
        return [service for service in SERVICES.values() if service.tells_of(fact)]

    def forget(self, fact: Plan | Attempt) -> None:
        """A fact vanishes from the sources; what it was stays known as `gone`."""
        for service in self.services_of(fact):
            for row in service.render(self, fact):
                self.gone.setdefault(service.name, {})[str(row[service.code])] = fact.process
        (self.plans if isinstance(fact, Plan) else self.attempts).remove(fact)  # type: ignore[arg-type]
        self.vanished.add(fact)

    def officials(self) -> list[Official]:
        return [official for office in self.offices for official in office.officials]

    def personal_values(self) -> set[str]:
        """What must never leave the raw rows: officials, NIK, tax numbers of persons, accounts, addresses, and the
        numbers of persons that stand in free text."""
        values = {value for official in self.officials() for value in (official.nip, official.name, official.account)}
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

    # --- codes ----------------------------------------------------------------------------------------------------

    def count(self, kind: str) -> int:
        self._counters[kind] = self._counters.get(kind, 0) + 1
        return self._counters[kind]

    def spse_id(self, kind: str) -> int:
        """SPSE's national ids: 11 digits that end in 000. Each kind counts by itself, so that kinds overlap."""
        return (90_000_000 + self.count(kind)) * 1000

    def numbers_of(self, office: Office, year: int) -> list[str]:
        """Numbers of the office's contracts that SIMDA was told so far; it is for the caller to add to."""
        return self._numbers.setdefault((office.code, year), [])

    def ulid(self) -> str:
        return "00" + "".join(self.rng.choices(_ULID, k=24))

    def named(self, plan: Plan, keeps: float = 0.6) -> str:
        """The code by which SPSE names a package: after a revision often still the first one (share `keeps`)."""
        return str(plan.root if plan.revisions and self.rng.random() < keeps else plan.code)

    # --- chance ---------------------------------------------------------------------------------------------------

    def weighted(self, pairs: Sequence[tuple[T, float]]) -> T:
        return self.rng.choices([value for value, _ in pairs], [weight for _, weight in pairs])[0]

    def village(self) -> str:
        return self.rng.choice(names.VILLAGE_FIRST) + self.rng.choice(names.VILLAGE_LAST)

    def moment(self, day: dt.date) -> dt.datetime:
        """An hour of office work on that day."""
        seconds = self.rng.randrange(9 * 3600)
        return dt.datetime.combine(day, dt.time(8)) + dt.timedelta(seconds=seconds)

    def day_of(self, year: int) -> dt.date:
        """A day of the fiscal year, at least two weeks ago where that is possible."""
        first = dt.date(year, 1, 5)
        last = min(self.today - dt.timedelta(days=14), dt.date(year, 12, 10))
        return first + dt.timedelta(days=int(max(1, (last - first).days) * self.rng.random() ** 1.2))

    def roughly(self, amount: float, share_of_decimals: float) -> int | float:
        """An amount as sources write it: whole thousands as int, else a float with decimals."""
        # Evenly spread, so that a few amounts have both forms too.
        if self.count("amount") * 0.618034 % 1 < share_of_decimals:
            return int(amount) + self.rng.choice((0.5, 0.25, 0.99))
        return int(amount) // 1000 * 1000

    # --- masters --------------------------------------------------------------------------------------------------

    def _make_offices(self, count: int) -> None:
        rng = self.rng
        for number in range(1, count + 1):
            name, short, field = names.OFFICES[(number - 1) % len(names.OFFICES)]
            if number > len(names.OFFICES):
                name, short = f"KECAMATAN {self.village().upper()} {number}", f"KEC{number}REK"
            spse_id = (f"{90000 + number}{self.kd_lpse}", f"{900 + number}{self.kd_lpse}", f"{90000000 + number}000")
            officials = [self._official(short) for _ in range(rng.randint(1, 4))]
            office = Office(
                name=name,
                abbreviation=short,
                code=f"{field}.0.00.0.00.{number:02d}.0000",
                sirup_id=990_000 + number * 10,
                # Most ids are old ones that end in kd_lpse, some are national.
                spse_id=spse_id[min(2, number % 12 // 5)],
                address=f"Jl. {self.village()} No. {rng.randint(1, 99)} {names.TOWN}",
                budgeted=True,
                officials=officials,
            )
            self.offices.append(office)
            for unit in range(1, rng.randint(0, 3) + 1):
                self.units.append(
                    Office(
                        name=f"UPTD {self.village().upper()} {short} {unit}",
                        abbreviation=f"{short}{unit}",
                        code=f"{field}.0.00.0.00.{number:02d}.{unit:04d}",
                        sirup_id=office.sirup_id + unit,
                        spse_id=office.spse_id,
                        address=office.address,
                        budgeted=False,
                        officials=officials,
                    )
                )

    def _official(self, short: str) -> Official:
        number = self.count("official")
        # 18 digits and never a date of birth at the front; a few are shorter, as in the real rows.
        digits = 18 if number % 20 else 15
        return Official(
            nip="99" + f"{number:0{digits - 2}d}",
            name=f"PEJABAT REKAAN {number}",
            position=f"{names.POSITIONS[number % len(names.POSITIONS)]} {short}",
            account=f"akunrekaan{number}",
        )

    def _make_suppliers(self, count: int) -> None:
        rng = self.rng
        for number in range(1, count + 1):
            person = number % 4 == 0
            prefix, form, _ = self.weighted([(form, form[2]) for form in names.FIRM_FORMS])
            words = (
                rng.choice(names.FIRM_FIRST),
                rng.choice(names.FIRM_SECOND),
                rng.choice(names.FIRM_THIRD),
                str(number),
            )
            name = f"ORANG REKAAN {number:05d}" if person else " ".join(word for word in (prefix, *words) if word)
            digits = f"99{number:07d}999000"  # 15 of them
            dotted = f"{digits[:2]}.{digits[2:5]}.{digits[5:8]}.{digits[8]}-{digits[9:12]}.{digits[12:]}"
            # A person's 16 digits are the NIK, but for some a tax number like a firm's.
            npwp16 = f"99{number:014d}" if person and number % 12 else "0" + digits
            self.suppliers.append(
                Supplier(
                    code=900_000_009 + number * 1000 if number % 3 else 900_000_000_009 + number * 1000,
                    name=name,
                    person=person,
                    form=rng.choice(("Orang Perseorangan", "Konsultan Perseorangan")) if person else form,
                    npwp="" if number % 14 == 0 else dotted,
                    npwp16=None if number % 90 == 0 else npwp16,
                    ulid=self.ulid(),
                    sikap=900_000_009 + number * 1000 if number % 9 > 3 else 0,
                    representative="-" if number % 100 == 0 else f"WAKIL REKAAN {number}",
                    position=rng.choice(("Direktur", "DIREKTUR", "Direktur Utama", "Wakil Direktur", "-")),
                    address=f"JL. REKAAN PALSU NO. {number}",
                    bank=rng.choice(names.BANKS),
                    # Real rows hold an apostrophe that a spreadsheet left behind.
                    account=("'" if number % 20 == 0 else "") + f"99{number:011d}",
                )
            )

    def _make_sub_activities(self, year: int) -> None:
        rng = self.rng
        per_office = max(4, self.packages // 5 // len(self.offices))
        for office in self.offices:
            left = per_office
            field = office.code[:4]
            program_number = 0
            while left > 0:
                program_number += 1
                program = (
                    92_000_000 + self.count("program"),
                    f"{field}.{program_number:02d}",
                    f"{rng.choice(names.PROGRAMS)} {program_number}",
                )
                for activity_number in range(1, rng.randint(1, 4) + 1):
                    activity = (
                        93_000_000 + self.count("activity"),
                        f"{program[1]}.2.{activity_number:02d}",
                        f"{rng.choice(names.ACTIVITIES)} {activity_number}",
                    )
                    for number in range(1, min(left, rng.randint(1, 6)) + 1):
                        sub = SubActivity(
                            office=office,
                            year=year,
                            program=program,
                            activity=activity,
                            id=94_000_000 + self.count("sub"),
                            code=f"{activity[1]}.{number:04d}",
                            name=f"{rng.choice(names.SUB_ACTIVITIES)} {number}",
                            amount=rng.randint(5, 900) * 1_000_000 if rng.random() > 0.08 else 0,
                            accounts=[self._account() for _ in range(rng.randint(1, 4))],
                        )
                        self.subs.append(sub)
                        office.subs.append(sub)
                        left -= 1
                    if left <= 0:
                        break

    def _account(self) -> str:
        """A code of the chart of accounts, without the dot at its end."""
        part = self.rng.randint
        return f"5.{part(1, 2)}.02.{part(1, 5):02d}.{part(1, 9):02d}.{part(1, 60):04d}"

    # --- a fiscal year --------------------------------------------------------------------------------------------

    def _make_year(self, year: int) -> None:
        self._make_sub_activities(year)
        self_managed = round(self.packages * 0.315)
        for _ in range(self_managed):
            self.make_plan(SELF_MANAGED, year, BY_ITSELF)
        bought = self.packages - self_managed
        methods = [
            *[OPEN_TENDER] * quota(0.0046, bought, 4),
            *[SELECTION] * quota(0.0026, bought, 2),
            *[MULTI_YEAR] * quota(0.0012, bought),
            *[DIRECT_APPOINTMENT] * quota(0.0118, bought, 2),
            *[EXCLUDED] * quota(0.053, bought, 2),
            *[E_PURCHASING] * quota(0.2215, bought, 4),
            *[NO_METHOD] * quota(0.0005, bought),
        ][:bought]
        for method in methods + [DIRECT] * (bought - len(methods)):
            self.make_plan(RUP, year, method)
        plans = [plan for plan in self.plans if plan.year == year]
        self._revise_some(plans)
        self._relate_some(plans, year)
        self._buy(plans, year)
        self._record(plans, year)
        self._order(plans, year)
        for _ in range(quota(0.0008, self.packages, 2)):
            self.make_shop_order(year)

    def make_plan(self, kind: str, year: int, method: tuple[int, str]) -> Plan:
        """A new RUP package with its budget lines and places; not revised, not bought."""
        rng = self.rng
        office = rng.choice(self.offices)
        sub = rng.choice([sub for sub in office.subs if sub.year == year])
        if kind == SELF_MANAGED:
            category, amount = ("", ""), rng.randint(5, 400) * 500_000
            title = rng.choice(names.SELF_MANAGED)
            code = 95_000_000 + self.count("swk")
        else:
            pool = [(WORKS, 40), (CONSULTING, 25), (GOODS, 20), (SERVICE, 15)]
            if method in (OPEN_TENDER, SELECTION):
                category = WORKS if method == OPEN_TENDER else CONSULTING
                amount = rng.randint(40, 1600) * 5_000_000
            elif method == E_PURCHASING:
                category, amount = rng.choice((GOODS, GOODS, SERVICE)), rng.randint(2, 900) * 500_000
            else:
                category, amount = self.weighted(pool), rng.randint(6, 400) * 500_000
            title = rng.choice(TITLES[category[0]])
            code = 90_000_000 + self.count("rup")
        title = title.format(self.village())
        needs: list[Need] = []
        if category == WORKS:
            title, needs, amount = self._works(office, year, method, amount)
        elif kind == RUP and (twin := self._twin(office, year, method, category)) is not None:
            title, amount = twin.title, twin.amount
        source = self.weighted((("APBD", 93), ("APBDP", 5), ("BLUD", 2)))
        lines = [BudgetLine(sub, self._mak(sub), amount, source)]
        if rng.random() < 0.15:
            other = rng.choice([each for each in office.subs if each.year == year])
            share = amount // 3
            lines = [
                BudgetLine(sub, lines[0].mak, amount - share, source),
                BudgetLine(other, self._mak(other), share, "APBDP"),
            ]
            if (other.id, lines[0].mak, source) == (sub.id, lines[1].mak, "APBDP"):
                lines = [BudgetLine(sub, lines[0].mak, amount, source)]
        created = dt.date(year - 1, 12, 1) + dt.timedelta(days=rng.randrange(60))
        created = min(created, self.today - dt.timedelta(days=20))
        month = rng.choice((1, 1, 1, 2, 3, 4, 5, 6, 7))
        plan = Plan(
            kind=kind,
            root=code,
            code=code,
            year=year,
            office=office,
            official=rng.choice(office.officials),
            title=title,
            method=method,
            categories=[category],
            lines=lines,
            places=self._places(needs, title),
            needs=needs,
            created=created,
            announced=self.moment(created + dt.timedelta(days=rng.randrange(15))),
            month=month,
            volume=self.weighted((("1 Paket", 60), ("1 Paket / Dokumen", 10), (f"{rng.randint(2, 900)} Unit", 30))),
            description=self._description(title),
            self_managed_type=int(self.weighted((("1", 5443), ("2", 33), ("3", 11), ("4", 37)))),
            excluded="Barang/Jasa yang tarifnya dipublikasikan" if method == EXCLUDED else None,
            published=code % 20 != 13,
            active=code % 100 != 57,
        )
        if category == GOODS and rng.random() < 0.05:
            plan.categories.append(SERVICE)
        self.plans.append(plan)
        for need in needs:
            need.plans.append(plan)
        return plan

    def need(self, year: int, work: int | None = None, village: Village | None = None) -> Need:
        """Something that a village lacks and that no other need of the year is about; another kind of works or another
        village than asked for where there is nothing left."""
        rng = self.local_rng
        while True:
            kind = rng.randrange(len(places.WORKS)) if work is None else work
            at = village or rng.choice(self.villages)
            taken = self.spots.setdefault((year, kind, at.code), set())
            # Of a kind of works that is one for the whole village there is no other.
            spots = (places.spot(rng, kind, at, bool(taken)) for _ in range(0 if "" in taken else 8))
            spot = next((spot for spot in spots if spot not in taken), None)
            if spot is not None:
                taken.add(spot)
                return Need(kind, at, spot)
            work, village = None, village if work is not None else None

    def _twin(self, office: Office, year: int, method: tuple[int, str], category: tuple[str, str]) -> Plan | None:
        """A package whose title and amount another one of the office is to have, too; mostly none."""
        if self.local_rng.random() >= self.noise.twins:
            return None
        same = (method, [category], office, year)
        found = [each for each in self.plans if (each.method, each.categories, each.office, each.year) == same]
        found = [each for each in found if not each.needs or each.needs[0].village.name not in each.title]
        return self.local_rng.choice(found) if found else None

    def _works(self, office: Office, year: int, method: tuple[int, str], amount: int) -> tuple[str, list[Need], int]:
        """Title, needs and amount of a package of works: for one need, for several at once, or a stage of one."""
        rng = self.local_rng
        twin = self._twin(office, year, method, WORKS)
        if twin is not None:
            return twin.title, [self.need(year, twin.needs[0].work)], twin.amount
        draw = rng.random()
        begun = self.begun.setdefault((office.code, year), [])
        if draw < 0.06 and begun:
            need = rng.choice(begun)
            stage = f" Tahap {('I', 'II', 'III', 'IV')[min(3, len(need.plans))]}"
            return places.titled(rng, [need], generic=False) + rng.choice((stage, " (Lanjutan)", "")), [need], amount
        needs = [self.need(year)]
        if draw >= 0.15:
            begun += needs
        else:
            for _ in range(rng.choice((1, 1, 2))):
                village = needs[0].village if rng.random() < 0.5 else None
                needs.append(self.need(year, needs[0].work, village))
            # A package is for one kind of works.
            needs = [need for need in needs if need.work == needs[0].work]
        return places.titled(rng, needs, generic=len(needs) == 1 and draw > 0.92), needs, amount

    def _places(self, needs: list[Need], title: str) -> list[str]:
        """Places of a package as typed into RUP; for works mostly where they are."""
        others = [self._place() for _ in range(1 if self.rng.random() < 0.9 else 2)]
        told = all(need.village.name in title for need in needs)
        if not needs or (told and self.local_rng.random() < 0.5):
            return others
        found = []
        for need in needs:
            village, at = need.village, f"{need.spot} " if need.spot else ""
            found.append(
                self.local_rng.choice(
                    (
                        f"Desa {village.name}",
                        f"Desa {village.name} Kec. {village.district}",
                        f"{at}Ds. {village.name}",
                        f"Ds. {village.name}, Kecamatan {village.district}",
                    )
                )
            )
        return list(dict.fromkeys(found))

    def _mak(self, sub: SubActivity) -> str:
        suffix = "5.1.1.01." if self.rng.random() < 0.4 else ""
        return f"{sub.code}.{self.rng.choice(sub.accounts)}.{suffix}"

    def _place(self) -> str:
        village = self.village()
        return self.rng.choice((f"Desa {village}", f"Kec. {village}", village, f"Kantor {village} ", "Kabupaten"))

    def _description(self, title: str) -> str:
        """Free text as typed and exported: CR LF at the end, HTML, tabs; in one of fifty a person's data."""
        draw = self.rng.random()
        if draw < 0.02:
            number = self.count("contact")
            return f"{title}. Hubungi KONTAK REKAAN {number}, NIP 99{number:016d}, HP 0899{number:08d}"
        if draw < 0.30:
            return f"{title}\r\n"
        return title if draw < 0.9 else f"{title}\r\n\tsesuai KAK"

    def _revise_some(self, plans: list[Plan]) -> None:
        """Kaji ulang: chains of one to three revisions; one package comes back to its first code."""
        bought = [plan for plan in plans if plan.kind == RUP and plan.method in (DIRECT, E_PURCHASING)]
        managed = [plan for plan in plans if plan.kind == SELF_MANAGED]
        chosen = self.rng.sample(bought, quota(0.04, len(bought), 3)) + self.rng.sample(
            managed, quota(0.08, len(managed), 2)
        )
        for position, plan in enumerate(chosen):
            for _ in range(2 if position == 1 else self.weighted(((1, 75), (2, 20), (3, 5)))):
                self.revise(plan)
        if chosen:
            circle = chosen[0]
            last = circle.revisions[-1]
            circle.revisions.append(
                Revision(last.new, circle.root, last.at + dt.timedelta(days=1), "Kembali ke paket semula")
            )
            circle.code = circle.root

    def revise(self, plan: Plan) -> None:
        """One more revision: the package goes on under a new code."""
        new = 96_000_000 + self.count("swk-new") if plan.kind == SELF_MANAGED else 91_000_000 + self.count("rup-new")
        before = plan.revisions[-1].at if plan.revisions else plan.announced
        reason = self.rng.choice(("Perubahan pagu", "Perubahan metode pemilihan", "perubahan anggaran", "-"))
        plan.revisions.append(
            Revision(plan.code, new, before + dt.timedelta(days=self.rng.randint(1, 20), hours=1), reason)
        )
        plan.code = new
        plan.stale = plan.stale or self.rng.random() < 0.5

    def _relate_some(self, plans: list[Plan], year: int) -> None:
        """Multi-year packages point to the first year's; some bought packages are parts of self-managed work."""
        plain = [plan for plan in plans if plan.method == DIRECT and plan.published and not plan.revisions]
        managed = [plan for plan in plans if plan.kind == SELF_MANAGED]
        for plan in self.rng.sample(plain, quota(0.006, len(plain)) if managed else 0):
            plan.inside = self.rng.choice(managed)
        for plan in (plan for plan in plans if plan.method == MULTI_YEAR):
            plan.first = 89_000_000 + self.count("first")
        # Half of those that go on next year began here; the others' first year is older than what is read.
        later = [plan for plan in self.plans if plan.year == year + 1 and isinstance(plan.first, int)][::2]
        begun = [plan for plan in plans if plan.method == OPEN_TENDER and not plan.revisions]
        for plan, following in zip(begun, later, strict=False):
            assert isinstance(following.first, int)
            plan.root = plan.code = following.first
            following.first = plan

    # --- attempts: tenders and non-tenders -------------------------------------------------------------------------

    def _buy(self, plans: list[Plan], year: int) -> None:
        rng = self.rng
        bought = [plan for plan in plans if plan.kind == RUP and plan.first is None]
        tenders = [plan for plan in bought if plan.method in (OPEN_TENDER, SELECTION)]
        direct = [plan for plan in bought if plan.method in (DIRECT, DIRECT_APPOINTMENT)]
        rng.shuffle(direct)
        packages = quota(self.bought_share, len(direct), 12)
        several = quota(31 / 2240, packages)
        # Consolidations first, of plans that then have no purchase of their own.
        for kind, count, pool in ((TENDER, quota(2 / 80, len(tenders)), tenders), (NON_TENDER, several, direct)):
            for _ in range(count):
                group = self._group(pool)
                if group:
                    self._package(kind, group, year)
        for position, plan in enumerate([plan for plan in tenders if not plan.consolidated]):
            running = ONGOING if position == 1 and year == self.year else None
            self._package(TENDER, [plan], year, tries=2 if position % 7 == 0 else 1, outcome=running)
            if position == 2:
                self._package(TENDER, [plan], year)
        free = [plan for plan in direct if not plan.consolidated][: packages - several]
        further = quota(12 / 2228, len(free))
        for position, plan in enumerate(free):
            self._package(NON_TENDER, [plan], year, tries=3 if position % 256 == 1 else 2 if position % 16 == 1 else 1)
            for _ in range(0 if position >= further else 2 if position == 0 else 1):
                self._package(NON_TENDER, [plan], year)
        # A tender that failed for good and was then bought directly.
        failed = [attempt for attempt in self.attempts if attempt.year == year and attempt.kind == TENDER]
        failed = [attempt for attempt in failed if attempt.status == FAILED and attempt.joins]
        if failed:
            self._package(NON_TENDER, failed[-1].plans, year)
        # SPSE knows a package that no RUP list knows, one of another body that shares the LPSE, and some without RUP.
        for kind in (TENDER, NON_TENDER):
            ghost = self.make_plan(RUP, year, OPEN_TENDER if kind == TENDER else DIRECT)
            ghost.listed = False
            attempt = self._package(kind, [ghost], year)
            if kind == TENDER:
                attempt.agency = ("B999", "BUMD Rekaan", "BUMD")
                attempt.sources, attempt.maks = ["BUMD"], ["-"]
            for text in ("0", "-", "") if kind == NON_TENDER else ("0",) * quota(17 / 1354, len(tenders)):
                self._package(kind, [], year, nothing=text)

    def _group(self, pool: list[Plan]) -> list[Plan]:
        """Two to five packages of one office to be bought together; empty where there are none left."""
        free = [plan for plan in pool if not plan.consolidated and not plan.tries and plan.first is None]
        if len(free) < 2:
            return []
        lead = self.rng.choice(free)
        same = [plan for plan in free if plan.office is lead.office and plan is not lead] or [
            plan for plan in free if plan is not lead
        ]
        group = [lead, *same[: self.weighted(((1, 60), (2, 22), (4, 12), (3, 6)))]]
        for plan in group:
            plan.consolidated = True
        return group

    def _package(
        self,
        kind: str,
        plans: list[Plan],
        year: int,
        tries: int = 1,
        outcome: str | None = None,
        nothing: str = "",
    ) -> Attempt:
        """An SPSE package: all but the last of its `tries` fail; the last comes to `outcome`, or a usual one."""
        attempt = self.start(kind, plans, year, nothing=nothing)
        for _ in range(tries - 1):
            self.fail(attempt)
            later = attempt.created + dt.timedelta(days=self.rng.randint(5, 12), seconds=1)
            if later.date() >= self.today:
                return attempt
            attempt = self.start(kind, plans, year, previous=attempt, created=later)
        over = year < self.today.year
        usual = ((DONE, 68), (ONGOING, 0 if over else 9), (FAILED, 3))
        if kind == NON_TENDER:
            usual = ((DONE, 1433), (ONGOING, 0 if over else 708), (FAILED, 97))
        outcome = outcome or self.weighted(usual)
        if outcome == FAILED:
            self.fail(attempt)
        elif outcome == DONE or (kind == NON_TENDER and self.rng.random() < 446 / 708):
            self.decide(attempt)
            if outcome == ONGOING:
                attempt.status = ONGOING
            if kind == TENDER or self.rng.random() < (0.81 if outcome == DONE else 0.31):
                self.appoint(attempt)
            if attempt.letter and self.rng.random() < (0.85 if outcome == DONE else 0.33):
                self.sign(attempt)
            if attempt.contract and (self.count(f"signed {kind}") < 3 or self.rng.random() < 0.92):
                self.order_start(attempt)
                self._work(attempt)
        return attempt

    def start(
        self,
        kind: str,
        plans: list[Plan],
        year: int,
        previous: Attempt | None = None,
        created: dt.datetime | None = None,
        nothing: str = "",
    ) -> Attempt:
        """A new attempt, announced and running. `previous`: the failed attempt of the same package."""
        rng = self.rng
        plan = plans[0] if plans else None
        office = plan.office if plan else rng.choice(self.offices)
        category = plan.categories[0][0] if plan else "2"
        created = created or self.moment(self.day_of(year))
        latest = max((each.last_try for each in plans if each.last_try), default=None)
        if latest and latest >= created:
            # Attempts on one package follow each other.
            created = latest + dt.timedelta(seconds=97)
        selection = kind == TENDER and plan is not None and plan.method == SELECTION
        if previous:
            ceiling, estimate, title, named = previous.ceiling, previous.estimate, previous.title, previous.named
        else:
            ceiling = sum(each.amount for each in plans) or rng.randint(20, 90) * 1_000_000
            estimate = self.roughly(ceiling * rng.uniform(0.96, 0.999), 0.31)
            title = plan.title if plan else rng.choice(names.WORKS).format(self.village())
            named = [self.named(each) for each in plans] or [nothing]
        maks = sorted({line.mak for each in plans for line in each.lines}) or ["-"]
        if rng.random() < 0.05 and plan:
            # A digit slipped: the sub-activity is in no master.
            maks = [maks[0].replace(".2.", ".7.", 1)]
        attempt = Attempt(
            kind=kind,
            id=self.spse_id(kind),
            package=previous.package if previous else self.spse_id(f"package-{kind}"),
            version=previous.version + 1 if previous else 1,
            year=year,
            plans=plans,
            named=named,
            joins=len(plans) == 1 and plans[0].tries == 0,
            previous=previous,
            title=title,
            office=office,
            officials=[plan.official if plan else office.officials[0]],
            agency=(self.kd_klpd, names.REGENCY, "KABUPATEN"),
            created=created,
            announced=min(
                created + dt.timedelta(hours=rng.randint(1, 30)), dt.datetime.combine(self.today, dt.time(23, 59))
            ),
            ceiling=ceiling,
            estimate=estimate,
            sources=sorted({line.source for each in plans for line in each.lines}) or ["APBD"],
            maks=maks,
            category=previous.category if previous else self.weighted(SPSE_CATEGORIES[category]),
            method=("Seleksi" if selection else "Tender") if kind == TENDER else _non_tender_method(plan),
            evaluation="Kualitas dan Biaya" if selection else "Harga Terendah Sistem Gugur",
            qualification="Pra Dua File Kualitas Biaya" if selection else "Pasca Satu File",
            terms=self.weighted(
                (("Lumsum", 55), ("Gabungan Lumsum dan Harga Satuan", 37), ("Harga Satuan", 7), ("Waktu Penugasan", 1))
            ),
            size=self.weighted(((None, 5), ("Kecil", 83), ("Menengah", 4))) if kind == TENDER else "Kecil",
            status=DRAFT if kind == NON_TENDER and rng.random() < 0.001 else ONGOING,
            place=self._place_of_works(plan),
            repeat_order=kind == NON_TENDER and rng.random() < 0.0005,
        )
        if len(office.officials) > 1 and rng.random() < 0.04:
            attempt.officials = office.officials[:2]
        for each in plans:
            each.last_try = created
        if len(plans) == 1:
            plans[0].tries += 1
        if previous:
            previous.retried = True
        if rng.random() < self.unknown_share:
            attempt.category = f"Pekerjaan {UNKNOWN}"
        if kind == TENDER:
            count = int(min(116, max(1, rng.gauss(46, 20))))
            chosen = rng.sample(self.suppliers, min(count, len(self.suppliers)))
            attempt.bids = [Bid((91_000_000 + self.count("bid")) * 1000, supplier) for supplier in chosen]
        self.attempts.append(attempt)
        return attempt

    def _place_of_works(self, plan: Plan | None) -> str:
        village = self.village()
        if plan and plan.needs:
            village = plan.needs[0].village.name
        return f"Ds. {village} - Rekaan (Kab.) - {names.TOWN}"

    def fail(self, attempt: Attempt) -> None:
        """The attempt comes to nothing; a tender in fifty had nobody registered at all."""
        attempt.status = FAILED
        if attempt.kind == TENDER:
            attempt.closed_note = "Sesuai surat permohonan pembatalan" if self.rng.random() < 0.2 else None
            if attempt.version == 1 and (self.count("failed tender") == 1 or self.rng.random() < 0.05):
                attempt.bids = [Bid(None, None)]
        else:
            attempt.closed_note = self.weighted((("", 94), ("Penyedia tidak memasukkan penawaran", 6)))

    def decide(self, attempt: Attempt, at: dt.datetime | None = None) -> None:
        """Bids are in and a winner is found, by default some weeks after the announcement."""
        rng = self.rng
        attempt.status = DONE
        wait = rng.randint(25, 45) if attempt.kind == TENDER else rng.randint(4, 9)
        usual = min(self.moment(attempt.announced.date() + dt.timedelta(days=wait)), self.moment(self.today))
        attempt.decided = max(at or usual, attempt.announced)
        if attempt.kind == TENDER:
            bidders = [bid for bid in attempt.bids if bid.supplier and not bid.supplier.person]
            bidders = (bidders or attempt.bids)[
                : self.weighted(((1, 40), (2, 18), (3, 6), (4, 17), (5, 6), (6, 6), (7, 1)))
            ]
        else:
            wants_person = "Perorangan" in attempt.category
            supplier = rng.choice(self.suppliers)
            for _ in range(6):
                if supplier.person == wants_person:
                    break
                supplier = rng.choice(self.suppliers)
            bidders = attempt.bids = [Bid((91_000_000 + self.count("bid")) * 1000, supplier)]
        for bid in bidders:
            bid.offer = self.roughly(float(attempt.estimate) * rng.uniform(0.80, 0.995), 0.3)
        attempt.winner = min(bidders, key=lambda bid: bid.offer or 0)
        attempt.negotiated = self.roughly(float(attempt.winner.offer or 0) * rng.uniform(0.98, 1), 0.3)
        # LKPP's list of finished non-tenders lacks a few, for whatever reason.
        attempt.finished_row = attempt.kind == TENDER or rng.random() > 0.008

    def _later(self, after: dt.datetime, low: int, high: int) -> dt.datetime:
        """Midnight some days later, but not after today."""
        day = min(after.date() + dt.timedelta(days=self.rng.randint(low, high)), self.today)
        return dt.datetime.combine(day, dt.time())

    def appoint(self, attempt: Attempt, at: dt.datetime | None = None) -> None:
        """SPPBJ: the winner is appointed, by default some days after the decision."""
        rng = self.rng
        assert attempt.decided is not None
        assert attempt.negotiated is not None
        at = at or self._later(attempt.decided, 1, 4)
        large = attempt.kind == TENDER and rng.random() < 0.5
        number = self.count(f"letter {attempt.kind}")
        attempt.letter = Letter(
            number=self._document(attempt.office, "SPPBJ", attempt.year),
            at=at,
            town=self.weighted(((names.TOWN, 80), (names.TOWN.upper(), 10), (f"Kab. {names.TOWN}", 9), ("", 1))),
            price=attempt.negotiated,
            guarantee=int(attempt.negotiated * 0.05) if large else 0,
            days=rng.choice((74, 104, 164)) if large else 0,
            copies=2 if number % 190 == 7 else 1,
            variant=number % 190 == 5,
        )

    def _document(self, office: Office, what: str, year: int) -> str:
        """Document numbers are typed by hand: blanks, double spaces, and now and then one used before."""
        number = self.count(f"{office.code}{what}")
        if number > 1 and self.rng.random() < 0.013:
            number -= 1
        blank = "  " if number % 12 == 2 else " " if number % 8 == 3 else ""
        return f"900.3/{blank}{number:03d}{blank}/{what}/{office.abbreviation}/{year}"

    def sign(self, attempt: Attempt, at: dt.datetime | None = None) -> None:
        """The contract is signed, by default some days after the letter; its price is rounded now and then."""
        letter = attempt.letter
        assert letter is not None
        signed = at or self._later(letter.at, 1, 5)
        value = letter.price if self.rng.random() < 0.9 else int(letter.price)
        days_of_work = self.rng.choice((15, 30, 30, 45, 60, 90, 120, 150 if attempt.kind == TENDER else 30))
        number = self.count(f"contract {attempt.kind}")
        attempt.contract = Contract(
            number=self._document(attempt.office, "SPK", attempt.year),
            signed=signed,
            start=signed.date(),
            versions=[Version(0, value, signed.date() + dt.timedelta(days=days_of_work))],
            terms=attempt.terms,
            account=attempt.supplier.account,
            copies=3 if number % 400 == 11 else 2 if number % 170 == 3 else 1,
            variant=number % 340 == 4,
        )
        if number % 150 == 2:
            self.amend(attempt)

    def amend(self, attempt: Attempt) -> None:
        """An addendum: a later end, sometimes another value."""
        contract = attempt.contract
        assert contract is not None
        last = contract.versions[-1]
        value = (
            last.value
            if self.rng.random() < 0.6
            else self.roughly(float(last.value) * self.rng.uniform(0.95, 1.05), 0.2)
        )
        reason = self.rng.choice(("Penambahan waktu pelaksanaan", "Pengurangan volume", "Perubahan pejabat"))
        contract.versions.append(Version(last.number + 1, value, last.end + dt.timedelta(days=21), reason))

    def order_start(self, attempt: Attempt) -> None:
        """SPMK or SPP: the work may begin."""
        assert attempt.contract is not None
        attempt.contract.order = self._document(attempt.office, "SPMK", attempt.year)

    def _work(self, attempt: Attempt) -> None:
        """Certificates up to today; in a third of the non-tenders these are in SPSE at all."""
        contract = attempt.contract
        assert contract is not None
        early = self.count(f"worked {attempt.kind}") < 3
        if self.rng.random() < 0.68 and not early:
            return
        manner = self.weighted((("Sekaligus", 64), ("Bulanan", 33), ("Termin", 3)))
        parts = 1 if manner == "Sekaligus" else self.rng.randint(2, 4)
        for part in range(1, parts + 1):
            if contract.start + (contract.versions[-1].end - contract.start) * part // parts > self.today:
                break
            self.certify(attempt, part, parts, manner)
        if early and not contract.certificates:
            # So that a small world has a tender with a certificate.
            self.certify(attempt, 1, 2, "Termin", max(contract.start, self.today))

    def certify(self, attempt: Attempt, part: int, parts: int, manner: str, on: dt.date | None = None) -> None:
        """A payment and its certificates, by default when the part is due; the last part mostly ends the contract."""
        rng = self.rng
        contract = attempt.contract
        assert contract is not None
        value = contract.versions[-1].value
        planned = contract.start + (contract.versions[-1].end - contract.start) * part // parts
        at = dt.datetime.combine(on or max(contract.start, min(planned, self.today)), dt.time())
        last = part == parts
        if parts == 1:
            amount = value
        else:
            amount = round(value - sum(c.amount for c in contract.certificates), 2) if last else int(value / parts)
        contract.certificates.append(
            Certificate(
                bap=self._document(attempt.office, "BAP", attempt.year),
                bast=self._document(attempt.office, "BAST", attempt.year),
                at=at,
                handed_over=rng.random() > 0.003,
                amount=amount,
                progress=None if rng.random() < 0.43 else 100 if last else round(100 * part / parts, 2),
                manner=manner if rng.random() > 0.003 else None,
            )
        )
        if last and rng.random() < 0.85:
            contract.done_at = at + dt.timedelta(hours=10, microseconds=rng.randrange(1000) * 1000)

    # --- recorded purchases and self-managed work -----------------------------------------------------------------

    def _record(self, plans: list[Plan], year: int) -> None:
        rng = self.rng
        direct = [plan for plan in plans if plan.kind == RUP and plan.method in (DIRECT, EXCLUDED, DIRECT_APPOINTMENT)]
        free = [plan for plan in direct if not plan.tries and not plan.consolidated and plan.listed]
        chosen = rng.sample(free, quota(0.037, len(direct), 6) if len(free) > 8 else len(free) // 2)
        for position, plan in enumerate(chosen):
            for _ in range(5 if position == 0 else 1 + (rng.random() < 0.045)):
                self.record(RECORDED, [plan], year)
        # A few look recorded twice: as a non-tender and here.
        bought = [plan for plan in direct if plan.tries and plan.listed]
        for plan in rng.sample(bought, quota(12 / 2228, len(bought))):
            self.record(RECORDED, [plan], year)
        alone = set(chosen)
        rest = [plan for plan in free if plan not in alone]
        for _ in range(quota(22 / 383, len(chosen))):
            group = self._group(rest)
            if group:
                self.record(RECORDED, group, year)
        managed = [plan for plan in plans if plan.kind == SELF_MANAGED]
        # Of the packages recorded two in five had been revised.
        revised = [plan for plan in managed if plan.revisions][: quota(0.007, len(managed), 2)]
        for plan in revised + rng.sample(managed, quota(0.011, len(managed), 3)):
            for _ in range(rng.randint(1, 3)):
                self.record(RECORDED_SELF, [plan], year)
        if len(managed) > 3:
            self.record(RECORDED_SELF, managed[:2], year)
        for kind in (RECORDED, RECORDED_SELF):
            self.record(kind, [], year)

    def record(self, kind: str, plans: list[Plan], year: int) -> Recorded:
        """A recorded purchase or recorded self-managed work with its payments."""
        rng = self.rng
        plan = plans[0] if plans else None
        office = plan.office if plan else rng.choice(self.offices)
        # These ids keep the form of the old, local ones now and then.
        old = self.count(f"old {kind}") % 40 == 1
        number = self.count(kind)
        created = self.moment(self.day_of(year))
        cancelled = 97 / 209 if kind == RECORDED_SELF else 22 / 383
        state = self.weighted(
            (("Paket Selesai", 1 - cancelled - 0.29), ("Paket Sedang Berjalan", 0.29), ("Paket Dibatalkan", cancelled))
        )
        ceiling = sum(each.amount for each in plans) or rng.randint(1, 50) * 1_000_000
        sources = [plan.lines[0].source] if plan else ["APBD"]
        if rng.random() < (35 / 209 if kind == RECORDED_SELF else 9 / 383):
            sources = ["APBD", "APBDP"]
        title = plan.title if plan else "Belanja Rapat Rekaan"
        recorded = Recorded(
            kind=kind,
            id=int(f"{97000 + number}{self.kd_lpse}") if old else self.spse_id(f"{kind} id"),
            package=self.spse_id(f"package-{kind}"),
            year=year,
            plans=plans,
            named=[self.named(each, 1.0) for each in plans] or ["0"],
            title=title,
            office=office,
            official=plan.official if plan else office.officials[0],
            ceiling=ceiling,
            sources=sources,
            category=self.weighted(SPSE_CATEGORIES[plan.categories[0][0] if plan and kind == RECORDED else "1"]),
            method="Dikecualikan" if plan and plan.method == EXCLUDED else "Pengadaan Langsung",
            state=state,
            reason=rng.choice(("double input", "salah kode rekening", "-")) if state == "Paket Dibatalkan" else None,
            created=created.replace(microsecond=rng.randrange(1000) * 1000),
            begun=created + dt.timedelta(seconds=30),
            ended=dt.datetime.combine(created.date() + dt.timedelta(days=rng.randint(1, 60)), dt.time()),
            description=rng.choice(("", f"<p>{title}</p>\r\n", f"<p>{title} \r\n</p><p>1. Sesuai KAK \r\n</p>")),
            domestic=self.roughly(ceiling * 0.7, 0.03) if kind == RECORDED and rng.random() < 0.66 else 0,
            small=self.roughly(ceiling * 0.6, 0.03) if kind == RECORDED and rng.random() < 0.58 else 0,
            self_managed_type=plan.self_managed_type
            if plan and kind == RECORDED_SELF and rng.random() < 0.12
            else None,
        )
        for _ in range(self.weighted(((0, 3 if len(plans) < 2 else 0), (1, 80), (2, 9), (3, 3), (4, 3), (5, 2)))):
            self.pay(recorded)
        # Two payments under one number: the same key, another content.
        if number % (38 if kind == RECORDED_SELF else 45) == 4:
            if not recorded.payments:
                self.pay(recorded)
            first = recorded.payments[0]
            recorded.payments.append(
                Payment(
                    first.type, first.number, first.at, first.amount + 17_000, first.note, first.document, first.payee
                )
            )
        self.recorded.append(recorded)
        return recorded

    def pay(self, recorded: Recorded) -> None:
        """One more payment of what was recorded."""
        rng = self.rng
        draw = rng.random()
        supplier = rng.choice(self.suppliers)
        if draw < (0.28 if recorded.kind == RECORDED else 0.03):
            payee = None
        elif recorded.kind == RECORDED_SELF and draw < 0.5:
            payee = (f"Tim Pelaksana {recorded.office.abbreviation}", "")
        else:
            # Typed by hand: a blank in front, the dot forgotten, one of three forms of the tax number.
            name = rng.choice((supplier.name, f" {supplier.name}", supplier.name.replace(".", "", 1)))
            payee = (name, rng.choice((supplier.npwp, supplier.npwp16 or "", "")))
        number = self.count("payment")
        note = "" if draw > 0.88 else f"Pembayaran {recorded.title}"
        if number % 50 == 3:
            note = f"Dibayar kepada KONTAK REKAAN {number}, NIK 99{number:014d}, telp. 0899{number:08d}"
        paid_at = dt.datetime.combine(
            min(recorded.created.date() + dt.timedelta(days=rng.randint(0, 30)), self.today), dt.time()
        )
        recorded.payments.append(
            Payment(
                type=self.weighted(
                    (
                        ("Kwitansi", 51),
                        ("Bukti Pembelian", 20),
                        ("Surat Perjanjian", 15),
                        ("Dokumen Lainnya", 8),
                        ("Surat Pesanan", 6),
                    )
                ),
                # Without a number the date and type are all that tells one payment from the next.
                number=""
                if draw < 0.06 and not recorded.payments
                else f"{number:05d}/KW/{recorded.office.abbreviation}/{recorded.year}",
                at=paid_at,
                amount=max(1, recorded.ceiling // rng.randint(2, 9)) // 100 * 100,
                note=note,
                document=None if draw < 0.7 else rng.choice(("", "Kwitansi", "SPJ")),
                payee=payee,
            )
        )

    # --- e-catalogue and shops ------------------------------------------------------------------------------------

    def _order(self, plans: list[Plan], year: int) -> None:
        rng = self.rng
        pool = [plan for plan in plans if plan.kind == RUP and plan.method == E_PURCHASING]
        chosen = rng.sample(pool, quota(0.192, len(pool), 4))
        for position, plan in enumerate(chosen):
            count = 11 if position == 0 else rng.choice((2, 2, 3, 4)) if position % 13 == 1 else 1
            for _ in range(count):
                self.make_order([plan], year)
        ordered = set(chosen)
        rest = [plan for plan in pool if plan not in ordered]
        for _ in range(quota(0.004, len(rest))):
            group = self._group(rest)
            if group:
                self.make_order(group, year)
        self.make_order([], year)
        for plan in rng.sample(rest, quota(0.01, len(rest))):
            self.make_order([plan], year, old=True)

    def make_order(self, plans: list[Plan], year: int, old: bool = False) -> Order:
        """An order in e-catalogue v6, or in v5 where `old`."""
        rng = self.rng
        plan = plans[0] if plans else None
        number = self.count("order")
        office = plan.office if plan else rng.choice(self.offices)
        unit = [unit for unit in self.units if unit.code[:-4] == office.code[:-4]]
        if unit and rng.random() < 0.3:
            office = rng.choice(unit)
        kinds = 1 if rng.random() < 0.6 else rng.randint(2, 8)
        if old:
            products = [
                (str(90_000_000 + self.count("product")), rng.randint(1, 40), 15_000 * rng.randint(1, 900))
                for _ in range(min(kinds, 3))
            ]
        else:
            products = [
                (str(uuid.UUID(int=rng.getrandbits(128), version=4)), rng.randint(1, 40), 15_000 * rng.randint(1, 900))
                for _ in range(kinds)
            ]
        named = [self.named(each, 0.3) for each in plans] or [""]
        if len(plans) == 1 and number % 30 == 3 and not old:
            named = named * 3
        maks = [line.mak for each in plans for line in each.lines] or ["-"]
        if number % 60 == 5 and plan:
            maks = [plan.lines[0].sub.code + "."]
        order = Order(
            id=9_000_000 + self.count("old order") if old else self.ulid(),
            year=year,
            plans=plans,
            named=named,
            office=office,
            title=plan.title if plan else "Belanja Katalog Rekaan",
            products=products,
            sources=sorted({line.source for each in plans for line in each.lines}) or ["APBD"],
            maks=maks,
            supplier=rng.choice(self.suppliers),
            shipping=0 if rng.random() < 0.92 else rng.randint(1, 99) * 10_000,
            at=self.day_of(year),
            status=self.weighted(
                (("ON_PROCESS", 516), ("PAYMENT_OUTSIDE_SYSTEM", 72), ("COMPLETED", 17), ("ON_ADDENDUM", 1))
            ),
            delivery=self.weighted(
                (
                    ("COMPLETED", 370),
                    ("DRAFT", 144),
                    ("BUYER_CONFIRMED", 37),
                    ("DELIVERED", 33),
                    ("PROCESSING", 17),
                    ("SHIPPING", 5),
                )
            ),
        )
        (self.old_orders if old else self.orders).append(order)
        return order

    def make_shop_order(self, year: int) -> ShopOrder:
        """An order in an online shop; its row is repeated up to a dozen times, as in the real answer."""
        office = self.rng.choice(self.offices)
        number = self.count("shop")
        shop_order = ShopOrder(
            id=str(9_300_000 + number),
            year=year,
            office=office,
            official=office.officials[0],
            amount=self.rng.randint(1, 75) * 1_000_000 - number % 2,
            at=self.moment(self.day_of(year)),
            failed=self.rng.choice((None, "Payment Kadaluarsa", "RFQ Dibatalkan Pembeli")),
            copies=12 if number == 1 else self.rng.choice((1, 1, 2)),
        )
        self.shop_orders.append(shop_order)
        return shop_order

    def _make_unknown(self, count: int) -> None:
        """Give some facts a code value that no table knows."""
        seen = [
            plan for plan in self.plans if plan.kind == RUP and plan.method == DIRECT and plan.listed and plan.published
        ]
        for number in range(count):
            kind = number % 4
            if kind == 0 and seen:
                seen[-1 - number % len(seen)].method = (99, f"Metode {UNKNOWN}")
            elif kind == 1 and self.attempts:
                self.attempts[number % len(self.attempts)].category = f"Pekerjaan {UNKNOWN}"
            elif kind == 2 and self.orders:
                self.orders[number % len(self.orders)].status = f"STATUS {UNKNOWN}"
            elif kind == 3 and self.recorded:
                self.recorded[number % len(self.recorded)].category = f"Kategori {UNKNOWN}"


def _non_tender_method(plan: Plan | None) -> str:
    return "Penunjukan Langsung" if plan and plan.method == DIRECT_APPOINTMENT else "Pengadaan Langsung"
