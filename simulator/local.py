"""What the regency's own systems know of a fiscal year: proposals, budget, contracts and payments, jobs, documents.

Each fact is made from what it is truly about, then typed with the world's noise. LKPP's facts are read, never changed.
"""

from __future__ import annotations

import datetime as dt

from simulator import facts, names
from simulator.chance import next_number
from simulator.noise import (
    misspelled,
    off,
    respelled_number,
    respelled_supplier,
    said_spot,
    shortened,
    villagers_title,
    wrong_number,
)
from simulator.places import WORKS, titled
from simulator.planning import make_need
from simulator.simda import is_held
from simulator.state import State

USULAN, POKIR = "usulan", "pokir"
ACCEPTED, ON_THE_WAY, REFUSED, CANCELLED = (
    (5, "Diterima"),
    (3, "Verifikasi Mitra Bappeda"),
    (9, "Ditolak"),
    (8, "Dibatalkan"),
)
_SITE = "https://{}.rekaankab.example"


def populate(world: State, year: int) -> None:
    """Make all facts of a fiscal year."""
    _propose(world, year)
    _budget(world, year)
    for attempt in [attempt for attempt in world.attempts if attempt.year == year]:
        if attempt.contract and is_ours(world, attempt):
            enter_contract(world, attempt)
            if wants_job(world, attempt):
                open_job(world, attempt)
    for office in world.offices:
        for _ in range(world.local_rng.choice((0, 1, 1, 2))):
            _enter_unknown_contract(world, office, year)
    for _ in range(max(1, len(world.jobs) // 25)):
        _open_unknown_job(world, year)
    for plan in [plan for plan in world.plans if plan.year == year and plan.stands]:
        if world.local_rng.random() < 0.3:
            attach(world, plan)
    for account in [account for account in world.accounts if account.year == year]:
        if world.local_rng.random() < 0.1:
            _attach_to_budget(world, account)


def is_ours(world: State, attempt: facts.Attempt) -> bool:
    """Whether the regency pays for it; other bodies share the LPSE."""
    return attempt.agency[0] == world.kd_klpd


def _is_missing(world: State) -> bool:
    return world.local_rng.random() < world.noise.missing


def _is_doubled(world: State) -> bool:
    return world.local_rng.random() < world.noise.doubled


# --- proposals --------------------------------------------------------------------------------------------------------


def _propose(world: State, year: int) -> None:
    rng = world.local_rng
    needs = list(
        dict.fromkeys(need for plan in world.plans if plan.year == year and plan.stands for need in plan.needs)
    )
    for need in needs:
        if rng.random() < 0.65:
            propose(world, year, need)
    # More than half of what is asked for comes to nothing; often it is more of what the village gets elsewhere.
    for _ in range(max(6, round(len(needs) * 0.9))):
        if needs and rng.random() < 0.2:
            met = rng.choice(needs)
            propose(world, year, make_need(world, year, met.work, met.village), office=met.plans[0].office)
        else:
            propose(world, year, make_need(world, year))


def propose(
    world: State, year: int, need: facts.Need, at: dt.date | None = None, office: facts.Office | None = None
) -> facts.Proposal:
    """A proposal about a need, by its village or a councillor; now and then there is a second one.

    It goes to the office that meets the need; where none does, to `office`, or to any.
    """
    rng = world.local_rng
    kind = POKIR if rng.random() < 0.2 else USULAN
    office = need.plans[0].office if need.plans else office or rng.choice(world.offices)
    proposal = _proposal(world, kind, year, need, office, at)
    if _is_doubled(world):
        second = _proposal(world, kind, year, need, office, proposal.at)
        second.amount, second.office, second.absent = proposal.amount, proposal.office, False
    return proposal


def _proposal(
    world: State, kind: str, year: int, need: facts.Need, office: facts.Office, at: dt.date | None
) -> facts.Proposal:
    rng, noise = world.local_rng, world.noise
    work = WORKS[need.work]
    plans = need.plans
    # Of a package for several needs each has a share; what is met in stages was asked for at once.
    price = sum(plan.amount // len(plan.needs) for plan in plans) or rng.randint(10, 400) * 500_000
    amount = max(1_000_000, round(price * rng.choice((0.8, 0.9, 1, 1, 1.1, 1.25)) / 1_000_000) * 1_000_000)
    moved = rng.random() < noise.moved
    former = rng.choice([each for each in world.offices if each is not office]) if moved else office
    known_office = former if moved and rng.random() < 0.5 else office
    village = need.village.name
    if rng.random() < noise.village_misspelled:
        village = misspelled(rng, village)
    title = villagers_title(rng, need.work, need.spot, village, rng.random() < noise.title_reworded)
    draw = rng.random()
    status, refused, cancelled = ACCEPTED, None, None
    if not plans and draw < 0.45:
        status, refused = (
            REFUSED,
            rng.choice(("Bukan kewenangan kabupaten", "Sudah ada kegiatan serupa", "Pagu tidak cukup")),
        )
    elif not plans and draw < 0.52:
        status, cancelled = CANCELLED, "Usulan ganda"
    elif draw > (0.93 if plans else 0.8):
        status = ON_THE_WAY
    levels = 5 if status is ACCEPTED else rng.randint(1, 4)
    findings = [
        (
            round(amount * rng.choice((1, 1, 0.9, 0.8)) / 500_000) * 500_000,
            rng.choice(("Diterima", "Layak", "Sesuai prioritas")),
        )
        for _ in range(levels)
    ]
    if plans and levels == 5 and rng.random() < 0.6:
        # What the budget team let stand is what the package has.
        findings[4] = (price, findings[4][1])
    if refused or cancelled:
        findings[-1] = (0, refused or cancelled or "")
    sub = plans[0].lines[0].sub if plans else rng.choice([sub for sub in office.subs if sub.year == year])
    code = None
    if known_office is office and status is ACCEPTED and rng.random() < 0.5:
        code = sub.code if rng.random() < 0.8 else f"{sub.code[:-4]}{int(sub.code[-4:]):02d}"
    unit = work.unit
    number = next_number(world, f"proposal {kind}")
    problem = work.trouble
    if number % 50 == 7:
        problem += f". Hubungi KONTAK REKAAN {number}, HP 0899{number:08d}"
    coordinates = None
    if rng.random() < 0.6:
        place = need.village.latitude + rng.uniform(-0.01, 0.01), need.village.longitude + rng.uniform(-0.01, 0.01)
        coordinates = f"{place[0]:.6f}", f"{place[1]:.6f}"
    proposers = (
        f"Pemerintah Desa {need.village.name}",
        f"LPMD {need.village.name}",
        f"Karang Taruna {need.village.name}",
        f"Kelompok Tani {need.village.name} Makmur",
    )
    proposal = facts.Proposal(
        kind=kind,
        # Each kind counts by itself: the codes overlap.
        id=98_000_000 + number,
        year=year,
        need=need,
        title=title,
        problem=problem,
        aim=work.aim,
        village=village,
        locus=said_spot(rng, need.spot) if need.spot and rng.random() < 0.4 else None,
        address=f"{said_spot(rng, need.spot)} {village}".strip() if rng.random() < 0.6 else f"Desa {village}",
        proposer=rng.choice(proposers) if kind == USULAN else f"Fraksi Rekaan {rng.randint(1, 7)}",
        level="DESA" if kind == USULAN else "DPRD",
        former_office=former,
        office=known_office,
        coordinates=coordinates,
        amount=amount,
        volume=rng.randint(1, 3) if unit in ("Unit", "Ruang") else rng.randint(5, 80) * 10,
        unit=unit,
        findings=findings,
        status=status,
        cancelled=cancelled,
        refused=refused,
        sub_activity=code,
        at=at or dt.date(year - 1, 1, 10) + dt.timedelta(days=rng.randrange(60)),
        absent=_is_missing(world),
    )
    world.proposals.append(proposal)
    return proposal


# --- the budget -------------------------------------------------------------------------------------------------------


def _budget(world: State, year: int) -> None:
    """Accounts of all sub-activities: those that packages name, and what is spent without packages."""
    rng = world.local_rng
    shares: dict[tuple[facts.SubActivity, str], list[tuple[facts.Plan, int]]] = {}
    for plan in world.plans:
        if plan.year == year and not plan.parts:
            own: dict[tuple[facts.SubActivity, str], int] = {}
            for line in plan.lines:
                account = ".".join(line.mak.removeprefix(line.sub.code).strip(".").split(".")[:6])
                own[line.sub, account] = own.get((line.sub, account), 0) + line.amount
            for key, amount in own.items():
                shares.setdefault(key, []).append((plan, amount))
    for sub in world.subs:
        if sub.year == year:
            for account in sub.accounts:
                shares.setdefault((sub, account), [])
    # A sub-activity may have an account twice, a budget may not.
    for (sub, account), packages in shares.items():
        details = [
            _detail(
                world,
                number,
                plan.title if rng.random() < 0.7 else f"Belanja {names.SUB_ACTIVITIES[number % 5]}",
                amount,
            )
            for number, (plan, amount) in enumerate(packages, 1)
        ] or [_detail(world, 1, rng.choice(names.SELF_MANAGED).format("Rekaan"), rng.randint(2, 300) * 250_000)]
        if rng.random() < 0.2:
            details.append(_detail(world, len(details) + 1, "Honorarium Panitia Rekaan", rng.randint(1, 30) * 250_000))
        if len(details) > 2:
            # The first budget had one more, the revised one has a new one.
            draw = rng.random()
            if draw < 0.2:
                details[-1].revised = None
            elif draw < 0.4:
                details[-1].first = None
        world.accounts.append(
            facts.BudgetAccount(year, sub, account, rng.choice((1, 1, 2, 3)), details, _is_missing(world))
        )


def _detail(world: State, number: int, text: str, amount: int) -> facts.BudgetDetail:
    rng = world.local_rng
    first = amount if rng.random() < 0.8 else round(amount * rng.choice((0.8, 0.9, 1.2)) / 1000) * 1000
    return facts.BudgetDetail(number, rng.choice((1, 1, 1, 2)), f"Rincian {number}", text[:255], first, amount)


# --- contracts and payments -------------------------------------------------------------------------------------------


def _numbers_of(world: State, office: facts.Office, year: int) -> list[str]:
    """Numbers of the office's contracts that SIMDA was given so far; it is for the caller to add to."""
    return world.entered_numbers.setdefault((office.code, year), [])


def _typed_number(world: State, contract: facts.Contract, others: list[str]) -> str:
    rng, noise = world.local_rng, world.noise
    draw = rng.random()
    if draw < noise.number_wrong:
        return wrong_number(rng, contract.number, [number for number in others if number != contract.number])
    if draw < noise.number_wrong + noise.number_respelled:
        return respelled_number(rng, contract.number, contract.signed.date())
    return contract.number


def _typed_supplier(world: State, name: str) -> str:
    rng = world.local_rng
    return respelled_supplier(rng, name) if rng.random() < world.noise.supplier_respelled else name


def _folded(number: str) -> str:
    return " ".join(number.casefold().split())


def _unused(world: State, year: int, number: str, signed: dt.date) -> str:
    """The number, or one like it where SIMDA's table has it already: it is the key there."""
    used = world.ledger_numbers.setdefault(year, set())
    candidate, tries = number, 0
    while _folded(candidate) in used:
        tries += 1
        candidate = respelled_number(world.local_rng, number, signed) if tries < 8 else f"{number}.{tries}"
    used.add(_folded(candidate))
    return candidate


def enter_contract(world: State, attempt: facts.Attempt) -> facts.LedgerContract:
    """A contract of SPSE in SIMDA, with what was paid so far; now and then under a second number."""
    entry = _ledger_contract(world, attempt)
    _pay_so_far(world, entry)
    if _is_doubled(world):
        second = _ledger_contract(world, attempt)
        second.absent = False
    return entry


def _ledger_contract(world: State, attempt: facts.Attempt) -> facts.LedgerContract:
    rng, noise = world.local_rng, world.noise
    contract = attempt.contract
    assert contract is not None
    others = _numbers_of(world, attempt.office, attempt.year)
    others.append(contract.number)
    value = contract.versions[0].value
    if rng.random() < noise.amount_off:
        value = off(rng, value)
    sub = (
        attempt.plans[0].lines[0].sub
        if attempt.plans
        else next(sub for sub in attempt.office.subs if sub.year == attempt.year)
    )
    supplier = attempt.supplier
    signed = contract.signed.date()
    if rng.random() < 0.08:
        signed += dt.timedelta(days=rng.choice((-2, -1, 1, 2, 3)))
    entry = facts.LedgerContract(
        year=attempt.year,
        number=_unused(world, attempt.year, _typed_number(world, contract, others), contract.signed.date()),
        attempt=attempt,
        sub=sub,
        signed=signed,
        purpose=(shortened(rng, attempt.title) if rng.random() < 0.4 else attempt.title)[:255],
        duration=f"{(contract.versions[0].end - contract.start).days} hari kalender",
        value=value,
        supplier=supplier,
        supplier_name=_typed_supplier(world, supplier.name),
        npwp=rng.choice((supplier.npwp, supplier.npwp16 or "", "")),
        absent=_is_missing(world),
    )
    for _ in contract.versions[1:]:
        amend(world, entry)
    world.ledger.append(entry)
    return entry


def amend(world: State, entry: facts.LedgerContract) -> None:
    """The next addendum of SPSE's comes to SIMDA; its value replaces the contract's."""
    assert entry.attempt is not None
    assert entry.attempt.contract is not None
    contract = entry.attempt.contract
    version = contract.versions[len(entry.addenda) + 1]
    before = contract.versions[version.number - 1]
    entry.addenda.append(
        facts.Addendum(
            number=f"{version.number:02d}/ADD/{entry.sub.office.abbreviation}/{entry.year}",
            at=min(max(before.end - dt.timedelta(days=7), contract.start), world.today),
            reason=version.reason or "-",
            duration=f"{(version.end - contract.start).days} hari kalender",
            value=version.value,
        )
    )


def _pay_so_far(world: State, entry: facts.LedgerContract) -> None:
    rng = world.local_rng
    assert entry.attempt is not None
    contract = entry.attempt.contract
    assert contract is not None
    value = current_value(entry)
    if contract.certificates:
        for certificate in contract.certificates:
            pay(world, entry, certificate.amount, certificate.at.date() + dt.timedelta(days=rng.randint(3, 15)))
        return
    end = contract.versions[-1].end
    if end < world.today - dt.timedelta(days=14) and rng.random() < 0.85:
        shares = rng.choice(((1.0,), (1.0,), (0.3, 0.7), (0.95, 0.05), (0.3, 0.4, 0.3)))
    elif contract.start < world.today - dt.timedelta(days=20) and rng.random() < 0.5:
        shares = (rng.choice((0.2, 0.3)),)
    else:
        return
    for number, share in enumerate(shares, 1):
        due = contract.start + (end - contract.start) * number // len(shares)
        pay(world, entry, round(value * share, 2), due + dt.timedelta(days=rng.randint(1, 14)))


def current_value(entry: facts.LedgerContract) -> float:
    """What the contract is worth after its addenda."""
    return float(entry.addenda[-1].value if entry.addenda else entry.value)


def pay(world: State, entry: facts.LedgerContract, amount: int | float, at: dt.date) -> None:
    """A payment with its papers, not after today; a few orders were void, half of them with a payment that is, too."""
    office = entry.sub.office
    at = min(at, world.today)
    requested = max(at - dt.timedelta(days=6), entry.signed)
    at = max(at, requested)
    first = int(amount * 0.6)
    request = f"{next_number(world, 'spp'):05d}/SPP-LS/{office.abbreviation}/{entry.year}"

    def order(void: bool, is_paid: bool) -> facts.Disbursement:
        held = is_held(world, at)
        number = next_number(world, "spm" if held else "spm of SIPD")
        return facts.Disbursement(
            request=request,
            requested=requested,
            # SIPD's numbers hold the office's code.
            order=f"{number:05d}/SPM-LS/{office.abbreviation if held else office.code}/{entry.year}",
            ordered=min(requested + dt.timedelta(days=2), at),
            paid_by=f"{number:06d}/SP2D-LS/{entry.year}" if is_paid else None,
            paid=at if is_paid else None,
            # Whole rupiah and the rest: what a database sums up must come to the amount exactly.
            parts=[first, amount - first] if number % 3 == 0 else [amount],
            text=f"Pembayaran {entry.purpose}"[:255],
            payee=_typed_supplier(world, entry.supplier.name),
            void=void,
            shared=world.sipd_since is not None and held and not void and next_number(world, "shared") == 1,
        )

    number = next_number(world, "paid")
    if number % 20 == 1:
        entry.payments.append(order(True, number % 40 == 1))
    entry.payments.append(order(False, True))


def _enter_unknown_contract(world: State, office: facts.Office, year: int) -> None:
    """A contract that SPSE doesn't know: an earlier year's, or of what is bought without it."""
    rng = world.local_rng
    supplier = rng.choice([supplier for supplier in world.suppliers if not supplier.person])
    sub = rng.choice([sub for sub in office.subs if sub.year == year])
    signed = min(dt.date(year, 1, 8) + dt.timedelta(days=rng.randrange(240)), world.today)
    title = rng.choice(names.GOODS + names.SERVICES + names.WORKS).format(rng.choice(world.villages).name)
    # The office's register goes on where that of SPSE's contracts ends.
    running, sort = 600 + next_number(world, f"other {office.code}"), rng.choice(("SP", "SPK", "SP-PL"))
    number = f"900.3/{running:03d}/{sort}/{office.abbreviation}/{year}"
    entry = facts.LedgerContract(
        year=year,
        number=_unused(world, year, number if rng.random() < 0.5 else number.replace("900.3", "027"), signed),
        attempt=None,
        sub=sub,
        signed=signed,
        purpose=title,
        duration="30 hari kalender",
        value=rng.randint(6, 400) * 500_000,
        supplier=supplier,
        supplier_name=_typed_supplier(world, supplier.name),
        npwp=rng.choice((supplier.npwp, "")),
        absent=_is_missing(world),
    )
    world.ledger.append(entry)
    if rng.random() < 0.7:
        pay(world, entry, entry.value, signed + dt.timedelta(days=30))


# --- jobs -------------------------------------------------------------------------------------------------------------


def wants_job(world: State, attempt: facts.Attempt) -> bool:
    """SIMPEN follows works, and a few other contracts."""
    works = attempt.category == "Pekerjaan Konstruksi" or bool(attempt.plans and attempt.plans[0].needs)
    return works or world.local_rng.random() < 0.06


def open_job(world: State, attempt: facts.Attempt) -> facts.Job:
    """A job of a contract, with its reports so far; now and then there is a second one."""
    job = _job(world, attempt)
    report_so_far(world, job)
    if _is_doubled(world):
        second = _job(world, attempt)
        second.absent = False
        second.reports = [report for report in job.reports if report.number <= 2]
    return job


def _job(world: State, attempt: facts.Attempt) -> facts.Job:
    rng, noise = world.local_rng, world.noise
    contract = attempt.contract
    assert contract is not None
    supplier = attempt.supplier
    signed = contract.signed.date()
    value = contract.versions[0].value
    if rng.random() < noise.amount_off:
        value = off(rng, value)
    last = contract.versions[-1]
    done = contract.done_at.date() if contract.done_at else None
    need = attempt.plans[0].needs[0] if attempt.plans and attempt.plans[0].needs else None
    village, coordinates = None, None
    if need:
        village = need.village.name if rng.random() >= noise.village_misspelled else misspelled(rng, need.village.name)
        place = need.village.latitude + rng.uniform(-0.01, 0.01), need.village.longitude + rng.uniform(-0.01, 0.01)
        coordinates = (round(place[0], 6), round(place[1], 6)) if rng.random() < 0.7 else None
    rups = [code for code in attempt.named if code not in ("0", "-", "")]
    number = next_number(world, "job")
    office = attempt.office
    papers = f"{office.abbreviation}/{attempt.year}"
    job = facts.Job(
        year=attempt.year,
        id=970_000 + number,
        attempt=attempt,
        rup=None if rng.random() < noise.no_rup or not rups else ";".join(rups),
        title=shortened(rng, attempt.title) if rng.random() < 0.3 else attempt.title,
        office=office,
        number=_typed_number(world, contract, _numbers_of(world, office, attempt.year)),
        signed=signed if rng.random() > 0.06 else signed + dt.timedelta(days=rng.choice((-1, 1, 2))),
        value=value,
        supplier_name=_typed_supplier(world, supplier.name),
        npwp=rng.choice((supplier.npwp, supplier.npwp16, None)),
        ordered=(contract.order, contract.start) if contract.order else None,
        measured=min(contract.start + dt.timedelta(days=4), world.today) if contract.order else None,
        handed_over=(f"{number:03d}/PHO/{papers}", done) if done else None,
        finally_handed_over=(f"{number:03d}/FHO/{papers}", done + dt.timedelta(days=180))
        if done and done + dt.timedelta(days=180) <= world.today
        else None,
        end=last.end,
        district=need.village.district if need else None,
        village=village,
        coordinates=coordinates,
        addendum=(last.value, min(last.end - dt.timedelta(days=20), world.today)) if last.number else None,
        absent=_is_missing(world),
    )
    world.jobs.append(job)
    return job


def _open_unknown_job(world: State, year: int) -> None:
    """A job that SPSE doesn't know, such as works of a village's own fund."""
    rng = world.local_rng
    need, office = make_need(world, year), rng.choice(world.offices)
    signed = min(dt.date(year, 2, 1) + dt.timedelta(days=rng.randrange(200)), world.today)
    number = next_number(world, "job")
    job = facts.Job(
        year=year,
        id=970_000 + number,
        attempt=None,
        rup=None,
        title=titled(rng, [need], generic=False),
        office=office,
        number=f"900.3/{800 + number}/SPK/{office.abbreviation}/{year}",
        signed=signed,
        value=rng.randint(20, 400) * 500_000,
        supplier_name=_typed_supplier(world, rng.choice([each for each in world.suppliers if not each.person]).name),
        npwp=None,
        ordered=(f"{number:03d}/SPMK/{office.abbreviation}/{year}", signed),
        measured=None,
        handed_over=None,
        finally_handed_over=None,
        end=signed + dt.timedelta(days=60),
        district=need.village.district,
        village=need.village.name,
        coordinates=None,
        addendum=None,
        absent=_is_missing(world),
    )
    world.jobs.append(job)
    report_so_far(world, job)


def report_so_far(world: State, job: facts.Job) -> None:
    """A report for each week from the start of the work to its end, or to today."""
    if job.ordered is None:
        return
    begun = job.ordered[1]
    until = min(world.today, job.handed_over[1] if job.handed_over else job.end + dt.timedelta(days=21))
    for week in range(1, (until - begun).days // 7 + 1):
        report(world, job, begun + dt.timedelta(days=7 * week))
        if job.reports[-1].actual >= 100:
            break
    for _ in range(min(3, len(job.reports))):
        photograph(world, job, world.local_rng.choice(job.reports).at)


def report(world: State, job: facts.Job, at: dt.date) -> None:
    """One more week's progress; the money follows the work, or runs ahead of it."""
    rng = world.local_rng
    begun = job.ordered[1] if job.ordered else job.signed
    length = max(7, (job.end - begun).days)
    planned = min(100.0, round(100 * ((at - begun).days / length), 2))
    before = job.reports[-1] if job.reports else None
    step = 100 * 7 / length * rng.uniform(0.5, 1.4)
    actual = min(100.0, round((before.actual if before else 0.0) + step, 2))
    if job.handed_over and at + dt.timedelta(days=7) > job.handed_over[1]:
        actual = 100.0
    money = before.money_actual if before else 0.0
    if rng.random() < 0.25:
        money = min(100.0, max(money, rng.choice((20.0, 30.0, round(actual, 2), 95.0 if actual > 80 else 30.0))))
    late = actual < planned - 5
    job.reports.append(
        facts.Report(
            number=len(job.reports) + 1,
            at=at,
            planned=planned,
            actual=actual,
            money_planned=round(planned * 0.9, 2),
            money_actual=money,
            problem=rng.choice(("Hujan", "Material terlambat", "Kekurangan tenaga kerja")) if late else None,
            action=rng.choice(("Menambah tenaga kerja", "Lembur", "Surat teguran")) if late else None,
        )
    )


def photograph(world: State, job: facts.Job, at: dt.date) -> None:
    """One more photo, or a document."""
    rng = world.local_rng
    number = len(job.attachments) + 1
    photo = rng.random() < 0.85
    job.attachments.append(
        facts.Attachment(
            url=f"{_SITE.format('simpen')}/berkas/{job.id}/{number:04d}.{'jpg' if photo else 'pdf'}",
            title=f"Progres {number}" if photo else "Laporan Mingguan",
            sort="foto" if photo else "dokumen",
            at=at,
            coordinates=job.coordinates if photo else None,
            note=rng.choice((None, "Tampak depan", "Pekerjaan galian", "Pengecoran")),
        )
    )


# --- documents --------------------------------------------------------------------------------------------------------

_FOR_PACKAGES = (("KAK", "Kerangka Acuan Kerja"), ("RAB", "Rencana Anggaran Biaya"), ("Jadwal", "Jadwal Pelaksanaan"))
_FOR_BUDGETS = (("DPA", "Dokumen Pelaksanaan Anggaran"), ("Renja", "Rencana Kerja"))


def attach(world: State, plan: facts.Plan) -> facts.Document:
    """A planning document of a package, by the code that it had or has."""
    rng = world.local_rng
    sort, words = rng.choice(_FOR_PACKAGES)
    code = plan.root if rng.random() < 0.3 else plan.code
    return _document(world, plan.year, str(code), plan, sort, f"{words} {plan.title}", plan.created)


def _attach_to_budget(world: State, account: facts.BudgetAccount) -> None:
    sort, words = world.local_rng.choice(_FOR_BUDGETS)
    sub = account.sub
    # Older lists give the sub-activity two digits.
    code = sub.code if world.local_rng.random() < 0.7 else f"{sub.code[:-4]}{int(sub.code[-4:]):02d}"
    day = dt.date(account.year, 1, 4)
    _document(world, account.year, f"{code}.{account.account}", None, sort, f"{words} {sub.name}", day)


def _document(
    world: State, year: int, code: str, plan: facts.Plan | None, sort: str, title: str, at: dt.date
) -> facts.Document:
    form = world.local_rng.choice(("pdf", "pdf", "xlsx", "docx"))
    url = f"{_SITE.format('dokumen')}/{year}/{sort.lower()}-{next_number(world, 'document'):05d}.{form}"
    document = facts.Document(year, code, plan, url, sort, title, at, form, _is_missing(world))
    world.documents.append(document)
    return document
