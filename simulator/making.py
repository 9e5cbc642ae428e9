"""A regency from its seed: offices, suppliers, and per fiscal year plans and what was bought up to today.

Shares follow the counts of real rows; in a small world each feature still occurs once. Codes lie outside the ranges of
real ones, and every person, number and name is made up.
"""

from __future__ import annotations

import datetime as dt

from simulator import buying, facts, local, names, places
from simulator.chance import invented_village, next_number, quota, ulid, weighted
from simulator.planning import bought_plans, cancel, make_plan, may_be_cancelled, reactivate, revise, split
from simulator.state import State


def make(world: State, unknown_rows: int) -> None:
    """Fill an empty world; `unknown_rows` facts get a code value that no code table knows."""
    world.villages = places.gazetteer(world.local_rng)
    _make_offices(world, max(4, min(70, 4 + world.packages // 60)))
    _make_suppliers(world, max(40, world.packages // 11))
    # The last year first: it is the same however many there were before it.
    for year in reversed(world.years):
        _make_year(world, year)
        if year == world.year:
            _make_unknown(world, unknown_rows)
        # The budget is revised in September.
        if world.today >= dt.date(year, 9, 20):
            world.revised_years.add(year)
        local.populate(world, year)


def _make_offices(world: State, count: int) -> None:
    rng = world.rng
    for number in range(1, count + 1):
        name, short, field = names.OFFICES[(number - 1) % len(names.OFFICES)]
        if number > len(names.OFFICES):
            name, short = f"KECAMATAN {invented_village(world).upper()} {number}", f"KEC{number}REK"
        spse_id = (f"{90000 + number}{world.kd_lpse}", f"{900 + number}{world.kd_lpse}", f"{90000000 + number}000")
        officials = [_official(world, short) for _ in range(rng.randint(1, 4))]
        office = facts.Office(
            name=name,
            abbreviation=short,
            code=f"{field}.0.00.0.00.{number:02d}.0000",
            sirup_id=990_000 + number * 10,
            # Most ids are old ones that end in kd_lpse, some are national.
            spse_id=spse_id[min(2, number % 12 // 5)],
            address=f"Jl. {invented_village(world)} No. {rng.randint(1, 99)} {names.TOWN}",
            budgeted=True,
            officials=officials,
        )
        world.offices.append(office)
        for unit in range(1, rng.randint(0, 3) + 1):
            world.units.append(
                facts.Office(
                    name=f"UPTD {invented_village(world).upper()} {short} {unit}",
                    abbreviation=f"{short}{unit}",
                    code=f"{field}.0.00.0.00.{number:02d}.{unit:04d}",
                    sirup_id=office.sirup_id + unit,
                    spse_id=office.spse_id,
                    address=office.address,
                    budgeted=False,
                    officials=officials,
                )
            )


def _official(world: State, short: str) -> facts.Official:
    number = next_number(world, "official")
    # 18 digits and never a date of birth at the front; a few are shorter, as in the real rows.
    digits = 18 if number % 20 else 15
    return facts.Official(
        nip="99" + f"{number:0{digits - 2}d}",
        name=f"PEJABAT REKAAN {number}",
        position=f"{names.POSITIONS[number % len(names.POSITIONS)]} {short}",
        account=f"akunrekaan{number}",
    )


def _make_suppliers(world: State, count: int) -> None:
    rng = world.rng
    for number in range(1, count + 1):
        person = number % 4 == 0
        prefix, form, _ = weighted(world, [(form, form[2]) for form in names.FIRM_FORMS])
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
        world.suppliers.append(
            facts.Supplier(
                code=900_000_009 + number * 1000 if number % 3 else 900_000_000_009 + number * 1000,
                name=name,
                person=person,
                form=rng.choice(("Orang Perseorangan", "Konsultan Perseorangan")) if person else form,
                npwp="" if number % 14 == 0 else dotted,
                npwp16=None if number % 90 == 0 else npwp16,
                ulid=ulid(world),
                sikap=900_000_009 + number * 1000 if number % 9 > 3 else 0,
                representative="-" if number % 100 == 0 else f"WAKIL REKAAN {number}",
                position=rng.choice(("Direktur", "DIREKTUR", "Direktur Utama", "Wakil Direktur", "-")),
                address=f"JL. REKAAN PALSU NO. {number}",
                bank=rng.choice(names.BANKS),
                # Real rows hold an apostrophe that a spreadsheet left behind.
                account=("'" if number % 20 == 0 else "") + f"99{number:011d}",
            )
        )


def _make_sub_activities(world: State, year: int) -> None:
    rng = world.rng
    per_office = max(4, world.packages // 5 // len(world.offices))
    for office in world.offices:
        left = per_office
        field = office.code[:4]
        program_number = 0
        while left > 0:
            program_number += 1
            program = (
                92_000_000 + next_number(world, "program"),
                f"{field}.{program_number:02d}",
                f"{rng.choice(names.PROGRAMS)} {program_number}",
            )
            for activity_number in range(1, rng.randint(1, 4) + 1):
                activity = (
                    93_000_000 + next_number(world, "activity"),
                    f"{program[1]}.2.{activity_number:02d}",
                    f"{rng.choice(names.ACTIVITIES)} {activity_number}",
                )
                for number in range(1, min(left, rng.randint(1, 6)) + 1):
                    sub = facts.SubActivity(
                        office=office,
                        year=year,
                        program=program,
                        activity=activity,
                        id=94_000_000 + next_number(world, "sub"),
                        code=f"{activity[1]}.{number:04d}",
                        name=f"{rng.choice(names.SUB_ACTIVITIES)} {number}",
                        amount=rng.randint(5, 900) * 1_000_000 if rng.random() > 0.08 else 0,
                        accounts=[_account(world) for _ in range(rng.randint(1, 4))],
                    )
                    world.subs.append(sub)
                    office.subs.append(sub)
                    left -= 1
                if left <= 0:
                    break


def _account(world: State) -> str:
    """A code of the chart of accounts, without the dot at its end."""
    part = world.rng.randint
    return f"5.{part(1, 2)}.02.{part(1, 5):02d}.{part(1, 9):02d}.{part(1, 60):04d}"


def _make_year(world: State, year: int) -> None:
    _make_sub_activities(world, year)
    self_managed = round(world.packages * 0.315)
    for _ in range(self_managed):
        make_plan(world, facts.SELF_MANAGED, year, facts.BY_ITSELF)
    bought = world.packages - self_managed
    methods = [
        *[facts.OPEN_TENDER] * quota(0.0046, bought, 4),
        *[facts.SELECTION] * quota(0.0026, bought, 2),
        *[facts.MULTI_YEAR] * quota(0.0012, bought),
        *[facts.DIRECT_APPOINTMENT] * quota(0.0118, bought, 2),
        *[facts.EXCLUDED] * quota(0.053, bought, 2),
        *[facts.E_PURCHASING] * quota(0.2215, bought, 4),
        *[facts.NO_METHOD] * quota(0.0005, bought),
    ][:bought]
    for method in methods + [facts.DIRECT] * (bought - len(methods)):
        make_plan(world, facts.RUP, year, method)
    plans = [plan for plan in world.plans if plan.year == year]
    _revise_some(world, plans)
    plans = [plan for plan in world.plans if plan.year == year and not plan.parts]
    _relate_some(world, plans, year)
    _buy_some(world, plans, year)
    _record_some(world, plans, year)
    _order_some(world, plans, year)
    for _ in range(quota(0.0008, world.packages, 2)):
        buying.make_shop_order(world, year)
    _cancel_some(world, plans)


def _revise_some(world: State, plans: list[facts.Plan]) -> None:
    """Kaji ulang: chains of one to three revisions; one package comes back to its first code."""
    bought = [plan for plan in plans if plan.kind == facts.RUP and plan.method in (facts.DIRECT, facts.E_PURCHASING)]
    managed = [plan for plan in plans if plan.kind == facts.SELF_MANAGED]
    chosen = world.rng.sample(bought, quota(0.04, len(bought), 3)) + world.rng.sample(
        managed, quota(0.08, len(managed), 2)
    )
    for position, plan in enumerate(chosen):
        for _ in range(2 if position == 1 else weighted(world, ((1, 75), (2, 20), (3, 5)))):
            revise(world, plan)
    if chosen:
        circle = chosen[0]
        last = circle.revisions[-1]
        circle.revisions.append(
            facts.Revision(last.new, circle.root, last.at + dt.timedelta(days=1), "Kembali ke paket semula")
        )
        circle.code = circle.root
    if world.splits:
        whole = [plan for plan in bought if plan not in chosen and plan.published]
        for plan in world.rng.sample(whole, quota(0.01, len(whole), 2)) + managed[-1:]:
            if not plan.revisions or plan.code != plan.root:
                split(world, plan)


def _cancel_some(world: State, plans: list[facts.Plan]) -> None:
    """Kaji ulang cancels packages that nobody bought, and takes most of them back."""
    needed = bought_plans(world)
    for kind in (facts.RUP, facts.SELF_MANAGED):
        free = [plan for plan in plans if plan.kind == kind and may_be_cancelled(plan) and plan not in needed]
        for number, plan in enumerate(world.rng.sample(free, quota(0.04, len(free), 2))):
            cancel(world, plan)
            if number % 3:
                reactivate(world, plan)


def _relate_some(world: State, plans: list[facts.Plan], year: int) -> None:
    """Multi-year packages point to the first year's; some bought packages are parts of self-managed work."""
    plain = [plan for plan in plans if plan.method == facts.DIRECT and plan.published and not plan.revisions]
    managed = [plan for plan in plans if plan.kind == facts.SELF_MANAGED]
    for plan in world.rng.sample(plain, quota(0.006, len(plain)) if managed else 0):
        plan.inside = world.rng.choice(managed)
    for plan in (plan for plan in plans if plan.method == facts.MULTI_YEAR):
        plan.first = 89_000_000 + next_number(world, "first")
    # Half of those that go on next year began here; the others' first year is older than what is read.
    later = [plan for plan in world.plans if plan.year == year + 1 and isinstance(plan.first, int)][::2]
    begun = [plan for plan in plans if plan.method == facts.OPEN_TENDER and not plan.revisions]
    for plan, following in zip(begun, later, strict=False):
        assert isinstance(following.first, int)
        plan.root = plan.code = following.first
        following.first = plan


def _buy_some(world: State, plans: list[facts.Plan], year: int) -> None:
    rng = world.rng
    bought = [plan for plan in plans if plan.kind == facts.RUP and plan.first is None]
    tenders = [plan for plan in bought if plan.method in (facts.OPEN_TENDER, facts.SELECTION)]
    direct = [plan for plan in bought if plan.method in (facts.DIRECT, facts.DIRECT_APPOINTMENT)]
    rng.shuffle(direct)
    packages = quota(world.bought_share, len(direct), 12)
    several = quota(31 / 2240, packages)
    # Consolidations first, of plans that then have no purchase of their own.
    for kind, count, pool in (
        (facts.TENDER, quota(2 / 80, len(tenders)), tenders),
        (facts.NON_TENDER, several, direct),
    ):
        for _ in range(count):
            group = _group(world, pool)
            if group:
                _package(world, kind, group, year)
    for position, plan in enumerate([plan for plan in tenders if not plan.consolidated]):
        running = facts.ONGOING if position == 1 and year == world.year else None
        _package(world, facts.TENDER, [plan], year, tries=2 if position % 7 == 0 else 1, outcome=running)
        if position == 2:
            _package(world, facts.TENDER, [plan], year)
    free = [plan for plan in direct if not plan.consolidated][: packages - several]
    further = quota(12 / 2228, len(free))
    for position, plan in enumerate(free):
        _package(
            world, facts.NON_TENDER, [plan], year, tries=3 if position % 256 == 1 else 2 if position % 16 == 1 else 1
        )
        for _ in range(0 if position >= further else 2 if position == 0 else 1):
            _package(world, facts.NON_TENDER, [plan], year)
    # A tender that failed for good and was then bought directly.
    failed = [attempt for attempt in world.attempts if attempt.year == year and attempt.kind == facts.TENDER]
    failed = [attempt for attempt in failed if attempt.status == facts.FAILED and attempt.joins]
    if failed:
        _package(world, facts.NON_TENDER, failed[-1].plans, year)
    # SPSE knows a package that no RUP list knows, one of another body that shares the LPSE, and some without RUP.
    for kind in (facts.TENDER, facts.NON_TENDER):
        ghost = make_plan(world, facts.RUP, year, facts.OPEN_TENDER if kind == facts.TENDER else facts.DIRECT)
        ghost.listed = False
        attempt = _package(world, kind, [ghost], year)
        if kind == facts.TENDER:
            attempt.agency = ("B999", "BUMD Rekaan", "BUMD")
            attempt.sources, attempt.maks = ["BUMD"], ["-"]
        for text in ("0", "-", "") if kind == facts.NON_TENDER else ("0",) * quota(17 / 1354, len(tenders)):
            _package(world, kind, [], year, nothing=text)


def _group(world: State, pool: list[facts.Plan]) -> list[facts.Plan]:
    """Two to five packages of one office to be bought together; empty where there are none left."""
    free = [plan for plan in pool if not plan.consolidated and not plan.tries and plan.first is None]
    if len(free) < 2:
        return []
    lead = world.rng.choice(free)
    same = [plan for plan in free if plan.office is lead.office and plan is not lead] or [
        plan for plan in free if plan is not lead
    ]
    group = [lead, *same[: weighted(world, ((1, 60), (2, 22), (4, 12), (3, 6)))]]
    for plan in group:
        plan.consolidated = True
    return group


def _package(
    world: State,
    kind: str,
    plans: list[facts.Plan],
    year: int,
    tries: int = 1,
    outcome: str | None = None,
    nothing: str = "",
) -> facts.Attempt:
    """An SPSE package: all but the last of its `tries` fail; the last comes to `outcome`, or a usual one."""
    attempt = buying.start(world, kind, plans, year, nothing=nothing)
    for _ in range(tries - 1):
        buying.fail(world, attempt)
        later = attempt.created + dt.timedelta(days=world.rng.randint(5, 12), seconds=1)
        if later.date() >= world.today:
            return attempt
        attempt = buying.start(world, kind, plans, year, previous=attempt, created=later)
    over = year < world.today.year
    usual = ((facts.DONE, 68), (facts.ONGOING, 0 if over else 9), (facts.FAILED, 3))
    if kind == facts.NON_TENDER:
        usual = ((facts.DONE, 1433), (facts.ONGOING, 0 if over else 708), (facts.FAILED, 97))
    outcome = outcome or weighted(world, usual)
    if outcome == facts.FAILED:
        buying.fail(world, attempt)
    elif outcome == facts.DONE or (kind == facts.NON_TENDER and world.rng.random() < 446 / 708):
        buying.decide(world, attempt)
        if outcome == facts.ONGOING:
            attempt.status = facts.ONGOING
        if kind == facts.TENDER or world.rng.random() < (0.81 if outcome == facts.DONE else 0.31):
            buying.appoint(world, attempt)
        if attempt.letter and world.rng.random() < (0.85 if outcome == facts.DONE else 0.33):
            buying.sign(world, attempt)
        if attempt.contract and (next_number(world, f"signed {kind}") < 3 or world.rng.random() < 0.92):
            buying.order_start(world, attempt)
            _work(world, attempt)
            if attempt.contract.done_at is None and next_number(world, "unfinished") % 40 == 2:
                buying.break_off(world, attempt, attempt.contract.versions[-1].signed)
    return attempt


def _work(world: State, attempt: facts.Attempt) -> None:
    """Certificates up to today; in a third of the non-tenders these are in SPSE at all."""
    contract = attempt.contract
    assert contract is not None
    early = next_number(world, f"worked {attempt.kind}") < 3
    if world.rng.random() < 0.68 and not early:
        return
    manner = weighted(world, (("Sekaligus", 64), ("Bulanan", 33), ("Termin", 3)))
    parts = 1 if manner == "Sekaligus" else world.rng.randint(2, 4)
    for part in range(1, parts + 1):
        if contract.start + (contract.versions[-1].end - contract.start) * part // parts > world.today:
            break
        buying.certify(world, attempt, part, parts, manner)
    if early and not contract.certificates:
        # So that a small world has a tender with a certificate.
        buying.certify(world, attempt, 1, 2, "Termin", max(contract.start, world.today))


def _record_some(world: State, plans: list[facts.Plan], year: int) -> None:
    rng = world.rng
    direct = [
        plan
        for plan in plans
        if plan.kind == facts.RUP and plan.method in (facts.DIRECT, facts.EXCLUDED, facts.DIRECT_APPOINTMENT)
    ]
    free = [plan for plan in direct if not plan.tries and not plan.consolidated and plan.listed]
    chosen = rng.sample(free, quota(0.037, len(direct), 6) if len(free) > 8 else len(free) // 2)
    for position, plan in enumerate(chosen):
        for _ in range(5 if position == 0 else 1 + (rng.random() < 0.045)):
            buying.record(world, facts.RECORDED, [plan], year)
    # A few look recorded twice: as a non-tender and here.
    bought = [plan for plan in direct if plan.tries and plan.listed]
    for plan in rng.sample(bought, quota(12 / 2228, len(bought))):
        buying.record(world, facts.RECORDED, [plan], year)
    alone = set(chosen)
    rest = [plan for plan in free if plan not in alone]
    for _ in range(quota(22 / 383, len(chosen))):
        group = _group(world, rest)
        if group:
            buying.record(world, facts.RECORDED, group, year)
    managed = [plan for plan in plans if plan.kind == facts.SELF_MANAGED]
    # Of the packages recorded two in five had been revised.
    revised = [plan for plan in managed if plan.revisions][: quota(0.007, len(managed), 2)]
    for plan in revised + rng.sample(managed, quota(0.011, len(managed), 3)):
        for _ in range(rng.randint(1, 3)):
            buying.record(world, facts.RECORDED_SELF, [plan], year)
    if len(managed) > 3:
        buying.record(world, facts.RECORDED_SELF, managed[:2], year)
    for kind in (facts.RECORDED, facts.RECORDED_SELF):
        buying.record(world, kind, [], year)


def _order_some(world: State, plans: list[facts.Plan], year: int) -> None:
    rng = world.rng
    pool = [plan for plan in plans if plan.kind == facts.RUP and plan.method == facts.E_PURCHASING]
    chosen = rng.sample(pool, quota(0.192, len(pool), 4))
    for position, plan in enumerate(chosen):
        count = 11 if position == 0 else rng.choice((2, 2, 3, 4)) if position % 13 == 1 else 1
        for _ in range(count):
            buying.make_order(world, [plan], year)
    ordered = set(chosen)
    rest = [plan for plan in pool if plan not in ordered]
    for _ in range(quota(0.004, len(rest))):
        group = _group(world, rest)
        if group:
            buying.make_order(world, group, year)
    buying.make_order(world, [], year)
    for plan in rng.sample(rest, quota(0.01, len(rest))):
        buying.make_order(world, [plan], year, old=True)


def _make_unknown(world: State, count: int) -> None:
    """Give some facts a code value that no table knows."""
    seen = [
        plan
        for plan in world.plans
        if plan.kind == facts.RUP and plan.method == facts.DIRECT and plan.listed and plan.published
    ]
    for number in range(count):
        kind = number % 4
        if kind == 0 and seen:
            seen[-1 - number % len(seen)].method = (99, f"Metode {facts.UNKNOWN}")
        elif kind == 1 and world.attempts:
            world.attempts[number % len(world.attempts)].category = f"Pekerjaan {facts.UNKNOWN}"
        elif kind == 2 and world.orders:
            world.orders[number % len(world.orders)].status = f"STATUS {facts.UNKNOWN}"
        elif kind == 3 and world.recorded:
            world.recorded[number % len(world.recorded)].category = f"Kategori {facts.UNKNOWN}"
