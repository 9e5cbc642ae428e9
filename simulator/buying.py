"""Buying, a step at a time: attempts and their contracts, recorded purchases and self-managed work, orders."""

from __future__ import annotations

import datetime as dt
import uuid

from simulator import chance, facts, names
from simulator.state import State

# SPSE's words for SIRUP's four kinds, with weights.
_CATEGORIES = {
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


def code_named(world: State, plan: facts.Plan, keeps: float = 0.6) -> str:
    """The code by which SPSE names a package: after a revision often still the first one (share `keeps`)."""
    return str(plan.root if plan.revisions and world.rng.random() < keeps else plan.code)


def start(
    world: State,
    kind: str,
    plans: list[facts.Plan],
    year: int,
    previous: facts.Attempt | None = None,
    created: dt.datetime | None = None,
    nothing: str = "",
) -> facts.Attempt:
    """A new attempt, announced and running. `previous`: the failed attempt of the same package."""
    rng = world.rng
    plan = plans[0] if plans else None
    office = plan.office if plan else rng.choice(world.offices)
    category = plan.categories[0][0] if plan else "2"
    created = created or chance.moment(world, chance.day_of(world, year))
    latest = max((each.last_try for each in plans if each.last_try), default=None)
    if latest and latest >= created:
        # Attempts on one package follow each other.
        created = latest + dt.timedelta(seconds=97)
    selection = kind == facts.TENDER and plan is not None and plan.method == facts.SELECTION
    if previous:
        ceiling, estimate, title, named = previous.ceiling, previous.estimate, previous.title, previous.named
    else:
        ceiling = sum(each.amount for each in plans) or rng.randint(20, 90) * 1_000_000
        estimate = chance.roughly(world, ceiling * rng.uniform(0.96, 0.999), 0.31)
        title = plan.title if plan else rng.choice(names.WORKS).format(chance.invented_village(world))
        named = [code_named(world, each) for each in plans] or [nothing]
    maks = sorted({line.mak for each in plans for line in each.lines}) or ["-"]
    if rng.random() < 0.05 and plan:
        # A digit slipped: the sub-activity is in no master.
        maks = [maks[0].replace(".2.", ".7.", 1)]
    attempt = facts.Attempt(
        kind=kind,
        id=chance.spse_id(world, kind),
        package=previous.package if previous else chance.spse_id(world, f"package-{kind}"),
        version=previous.version + 1 if previous else 1,
        year=year,
        plans=plans,
        named=named,
        joins=len(plans) == 1 and plans[0].tries == 0,
        previous=previous,
        title=title,
        office=office,
        officials=[plan.official if plan else office.officials[0]],
        agency=(world.kd_klpd, names.REGENCY, "KABUPATEN"),
        created=created,
        announced=min(
            created + dt.timedelta(hours=rng.randint(1, 30)), dt.datetime.combine(world.today, dt.time(23, 59))
        ),
        ceiling=ceiling,
        estimate=estimate,
        sources=sorted({line.source for each in plans for line in each.lines}) or ["APBD"],
        maks=maks,
        category=previous.category if previous else chance.weighted(world, _CATEGORIES[category]),
        method=("Seleksi" if selection else "Tender") if kind == facts.TENDER else _non_tender_method(plan),
        evaluation="Kualitas dan Biaya" if selection else "Harga Terendah Sistem Gugur",
        qualification="Pra Dua File Kualitas Biaya" if selection else "Pasca Satu File",
        terms=chance.weighted(
            world,
            (("Lumsum", 55), ("Gabungan Lumsum dan Harga Satuan", 37), ("Harga Satuan", 7), ("Waktu Penugasan", 1)),
        ),
        size=chance.weighted(world, ((None, 5), ("Kecil", 83), ("Menengah", 4))) if kind == facts.TENDER else "Kecil",
        status=facts.DRAFT if kind == facts.NON_TENDER and rng.random() < 0.001 else facts.ONGOING,
        place=_place_of_works(world, plan),
        repeat_order=kind == facts.NON_TENDER and rng.random() < 0.0005,
    )
    if len(office.officials) > 1 and rng.random() < 0.04:
        attempt.officials = office.officials[:2]
    for each in plans:
        each.last_try = created
    if len(plans) == 1:
        plans[0].tries += 1
    if previous:
        previous.retried = True
    if rng.random() < world.unknown_share:
        attempt.category = f"Pekerjaan {facts.UNKNOWN}"
    if kind == facts.TENDER:
        count = int(min(116, max(1, rng.gauss(46, 20))))
        chosen = rng.sample(world.suppliers, min(count, len(world.suppliers)))
        attempt.bids = [
            facts.Bid((91_000_000 + chance.next_number(world, "bid")) * 1000, supplier) for supplier in chosen
        ]
    world.attempts.append(attempt)
    return attempt


def _place_of_works(world: State, plan: facts.Plan | None) -> str:
    village = chance.invented_village(world)
    if plan and plan.needs:
        village = plan.needs[0].village.name
    return f"Ds. {village} - Rekaan (Kab.) - {names.TOWN}"


def fail(world: State, attempt: facts.Attempt) -> None:
    """The attempt comes to nothing; a tender in fifty had nobody registered at all."""
    attempt.status = facts.FAILED
    if attempt.kind == facts.TENDER:
        attempt.closed_note = "Sesuai surat permohonan pembatalan" if world.rng.random() < 0.2 else None
        if attempt.version == 1 and (chance.next_number(world, "failed tender") == 1 or world.rng.random() < 0.05):
            attempt.bids = [facts.Bid(None, None)]
    else:
        attempt.closed_note = chance.weighted(world, (("", 94), ("Penyedia tidak memasukkan penawaran", 6)))


def decide(world: State, attempt: facts.Attempt, at: dt.datetime | None = None) -> None:
    """Bids are in and a winner is found, by default some weeks after the announcement."""
    rng = world.rng
    attempt.status = facts.DONE
    wait = rng.randint(25, 45) if attempt.kind == facts.TENDER else rng.randint(4, 9)
    usual = min(
        chance.moment(world, attempt.announced.date() + dt.timedelta(days=wait)), chance.moment(world, world.today)
    )
    attempt.decided = max(at or usual, attempt.announced)
    if attempt.kind == facts.TENDER:
        bidders = [bid for bid in attempt.bids if bid.supplier and not bid.supplier.person]
        bidders = (bidders or attempt.bids)[
            : chance.weighted(world, ((1, 40), (2, 18), (3, 6), (4, 17), (5, 6), (6, 6), (7, 1)))
        ]
    else:
        wants_person = "Perorangan" in attempt.category
        supplier = rng.choice(world.suppliers)
        for _ in range(6):
            if supplier.person == wants_person:
                break
            supplier = rng.choice(world.suppliers)
        bidders = attempt.bids = [facts.Bid((91_000_000 + chance.next_number(world, "bid")) * 1000, supplier)]
    for bid in bidders:
        bid.offer = chance.roughly(world, float(attempt.estimate) * rng.uniform(0.80, 0.995), 0.3)
    attempt.winner = min(bidders, key=lambda bid: bid.offer or 0)
    attempt.negotiated = chance.roughly(world, float(attempt.winner.offer or 0) * rng.uniform(0.98, 1), 0.3)
    # LKPP's list of finished non-tenders lacks a few, for whatever reason.
    attempt.finished_row = attempt.kind == facts.TENDER or rng.random() > 0.008


def _later(world: State, after: dt.datetime, low: int, high: int) -> dt.datetime:
    """Midnight some days later, but not after today."""
    day = min(after.date() + dt.timedelta(days=world.rng.randint(low, high)), world.today)
    return dt.datetime.combine(day, dt.time())


def appoint(world: State, attempt: facts.Attempt, at: dt.datetime | None = None) -> None:
    """SPPBJ: the winner is appointed, by default some days after the decision."""
    rng = world.rng
    assert attempt.decided is not None
    assert attempt.negotiated is not None
    at = at or _later(world, attempt.decided, 1, 4)
    large = attempt.kind == facts.TENDER and rng.random() < 0.5
    number = chance.next_number(world, f"letter {attempt.kind}")
    attempt.letter = facts.Letter(
        number=chance.document_number(world, attempt.office, "SPPBJ", attempt.year),
        at=at,
        town=chance.weighted(world, ((names.TOWN, 80), (names.TOWN.upper(), 10), (f"Kab. {names.TOWN}", 9), ("", 1))),
        price=attempt.negotiated,
        guarantee=int(attempt.negotiated * 0.05) if large else 0,
        days=rng.choice((74, 104, 164)) if large else 0,
        copies=2 if number % 190 == 7 else 1,
        variant=number % 190 == 5,
    )


def sign(world: State, attempt: facts.Attempt, at: dt.datetime | None = None) -> None:
    """The contract is signed, by default some days after the letter; its price is rounded now and then."""
    letter = attempt.letter
    assert letter is not None
    signed = at or _later(world, letter.at, 1, 5)
    value = letter.price if world.rng.random() < 0.9 else int(letter.price)
    days_of_work = world.rng.choice((15, 30, 30, 45, 60, 90, 120, 150 if attempt.kind == facts.TENDER else 30))
    number = chance.next_number(world, f"contract {attempt.kind}")
    attempt.contract = facts.Contract(
        number=chance.document_number(world, attempt.office, "SPK", attempt.year),
        signed=signed,
        start=signed.date(),
        versions=[facts.Version(0, value, signed.date() + dt.timedelta(days=days_of_work), signed)],
        terms=attempt.terms,
        account=attempt.supplier.account,
        copies=3 if number % 400 == 11 else 2 if number % 170 == 3 else 1,
        variant=number % 340 == 4,
    )
    # So that a small world has addenda that change the value, of both sorts.
    if at is None and number % 75 in (2, 5):
        for days_later in (10, 17)[: 1 + (number % 150 == 2)]:
            amend(world, attempt, _later(world, signed, days_later, days_later), changed=True)


def amend(world: State, attempt: facts.Attempt, at: dt.datetime, changed: bool | None = None) -> None:
    """An addendum: a later end, and another value (`changed`; by default in two of five). One in two keeps the
    contract's number, and then its date too."""
    contract = attempt.contract
    assert contract is not None
    last = contract.versions[-1]
    if changed is None:
        changed = world.rng.random() < 0.4
    contract.versions.append(
        facts.Version(
            number=last.number + 1,
            value=chance.roughly(world, float(last.value) * world.rng.choice((0.94, 0.97, 1.03, 1.08)), 0.2)
            if changed
            else last.value,
            end=last.end + dt.timedelta(days=21),
            signed=max(at, last.signed),
            reason=world.rng.choice(("Penambahan waktu pelaksanaan", "Pengurangan volume", "Perubahan pejabat")),
            paper=chance.document_number(world, attempt.office, "ADD", attempt.year)
            if chance.next_number(world, "addendum") % 2
            else None,
        )
    )


def break_off(world: State, attempt: facts.Attempt, at: dt.datetime) -> None:
    """The contract is terminated before its work is done."""
    assert attempt.contract is not None
    attempt.contract.done_at = at + dt.timedelta(hours=9)
    attempt.contract.broken_off = world.rng.choice(("Penyedia tidak sanggup menyelesaikan pekerjaan", "Wanprestasi"))


def order_start(world: State, attempt: facts.Attempt) -> None:
    """SPMK or SPP: the work may begin."""
    assert attempt.contract is not None
    attempt.contract.order = chance.document_number(world, attempt.office, "SPMK", attempt.year)


def certify(
    world: State, attempt: facts.Attempt, part: int, parts: int, manner: str, on: dt.date | None = None
) -> None:
    """A payment and its certificates, by default when the part is due; the last part mostly ends the contract."""
    rng = world.rng
    contract = attempt.contract
    assert contract is not None
    value = contract.versions[-1].value
    planned = contract.start + (contract.versions[-1].end - contract.start) * part // parts
    at = dt.datetime.combine(on or max(contract.start, min(planned, world.today)), dt.time())
    last = part == parts
    if parts == 1:
        amount = value
    else:
        amount = round(value - sum(c.amount for c in contract.certificates), 2) if last else int(value / parts)
    contract.certificates.append(
        facts.Certificate(
            bap=chance.document_number(world, attempt.office, "BAP", attempt.year),
            bast=chance.document_number(world, attempt.office, "BAST", attempt.year),
            at=at,
            handed_over=rng.random() > 0.003,
            amount=amount,
            progress=None if rng.random() < 0.43 else 100 if last else round(100 * part / parts, 2),
            manner=manner if rng.random() > 0.003 else None,
        )
    )
    if last and rng.random() < 0.85:
        contract.done_at = at + dt.timedelta(hours=10, microseconds=rng.randrange(1000) * 1000)


def record(world: State, kind: str, plans: list[facts.Plan], year: int) -> facts.Recorded:
    """A recorded purchase or recorded self-managed work with its payments."""
    rng = world.rng
    plan = plans[0] if plans else None
    office = plan.office if plan else rng.choice(world.offices)
    # These ids keep the form of the old, local ones now and then.
    old = chance.next_number(world, f"old {kind}") % 40 == 1
    number = chance.next_number(world, kind)
    created = chance.moment(world, chance.day_of(world, year))
    cancelled = 97 / 209 if kind == facts.RECORDED_SELF else 22 / 383
    state = chance.weighted(
        world,
        (("Paket Selesai", 1 - cancelled - 0.29), ("Paket Sedang Berjalan", 0.29), ("Paket Dibatalkan", cancelled)),
    )
    ceiling = sum(each.amount for each in plans) or rng.randint(1, 50) * 1_000_000
    sources = [plan.lines[0].source] if plan else ["APBD"]
    if rng.random() < (35 / 209 if kind == facts.RECORDED_SELF else 9 / 383):
        sources = ["APBD", "APBDP"]
    title = plan.title if plan else "Belanja Rapat Rekaan"
    recorded = facts.Recorded(
        kind=kind,
        id=int(f"{97000 + number}{world.kd_lpse}") if old else chance.spse_id(world, f"{kind} id"),
        package=chance.spse_id(world, f"package-{kind}"),
        year=year,
        plans=plans,
        named=[code_named(world, each, 1.0) for each in plans] or ["0"],
        title=title,
        office=office,
        official=plan.official if plan else office.officials[0],
        ceiling=ceiling,
        sources=sources,
        category=chance.weighted(world, _CATEGORIES[plan.categories[0][0] if plan and kind == facts.RECORDED else "1"]),
        method="Dikecualikan" if plan and plan.method == facts.EXCLUDED else "Pengadaan Langsung",
        state=state,
        reason=rng.choice(("double input", "salah kode rekening", "-")) if state == "Paket Dibatalkan" else None,
        created=created.replace(microsecond=rng.randrange(1000) * 1000),
        begun=created + dt.timedelta(seconds=30),
        ended=dt.datetime.combine(created.date() + dt.timedelta(days=rng.randint(1, 60)), dt.time()),
        description=rng.choice(("", f"<p>{title}</p>\r\n", f"<p>{title} \r\n</p><p>1. Sesuai KAK \r\n</p>")),
        domestic=chance.roughly(world, ceiling * 0.7, 0.03) if kind == facts.RECORDED and rng.random() < 0.66 else 0,
        small=chance.roughly(world, ceiling * 0.6, 0.03) if kind == facts.RECORDED and rng.random() < 0.58 else 0,
        self_managed_type=plan.self_managed_type
        if plan and kind == facts.RECORDED_SELF and rng.random() < 0.12
        else None,
    )
    # One in five was agreed in writing first.
    if number % 5 == 2:
        agree(world, recorded)
    for _ in range(chance.weighted(world, ((0, 3 if len(plans) < 2 else 0), (1, 80), (2, 9), (3, 3), (4, 3), (5, 2)))):
        pay_recorded(world, recorded)
    # Two payments under one number: the same key, another content.
    if number % (38 if kind == facts.RECORDED_SELF else 45) == 4:
        if not recorded.payments:
            pay_recorded(world, recorded)
        first = recorded.payments[0]
        recorded.payments.append(
            facts.Payment(
                first.type, first.number, first.at, first.amount + 17_000, first.note, first.document, first.payee
            )
        )
    world.recorded.append(recorded)
    return recorded


def agree(world: State, recorded: facts.Recorded) -> None:
    """A written agreement, which stands among the payments and is counted in with them."""
    supplier = world.rng.choice(world.suppliers)
    number = chance.next_number(world, "agreement")
    sort = "Surat Pesanan" if number % 3 == 0 else "Surat Perjanjian"
    recorded.payments.append(
        facts.Payment(
            type=sort,
            number=f"{number:04d}/SP/{recorded.office.abbreviation}/{recorded.year}",
            at=dt.datetime.combine(min(recorded.created.date(), world.today), dt.time()),
            amount=max(1, recorded.ceiling // 2) // 100 * 100,
            note=f"{sort} {recorded.title}",
            document=None,
            payee=(supplier.name, supplier.npwp),
        )
    )


def pay_recorded(world: State, recorded: facts.Recorded) -> None:
    """One more payment of what was recorded."""
    rng = world.rng
    draw = rng.random()
    supplier = rng.choice(world.suppliers)
    if draw < (0.28 if recorded.kind == facts.RECORDED else 0.03):
        payee = None
    elif recorded.kind == facts.RECORDED_SELF and draw < 0.5:
        payee = (f"Tim Pelaksana {recorded.office.abbreviation}", "")
    else:
        # Typed by hand: a blank in front, the dot forgotten, one of three forms of the tax number.
        name = rng.choice((supplier.name, f" {supplier.name}", supplier.name.replace(".", "", 1)))
        payee = (name, rng.choice((supplier.npwp, supplier.npwp16 or "", "")))
    number = chance.next_number(world, "payment")
    note = "" if draw > 0.88 else f"Pembayaran {recorded.title}"
    if number % 50 == 3:
        note = f"Dibayar kepada KONTAK REKAAN {number}, NIK 99{number:014d}, telp. 0899{number:08d}"
    paid_at = dt.datetime.combine(
        min(recorded.created.date() + dt.timedelta(days=rng.randint(0, 30)), world.today), dt.time()
    )
    recorded.payments.append(
        facts.Payment(
            type=chance.weighted(
                world,
                (
                    ("Kwitansi", 51),
                    ("Bukti Pembelian", 20),
                    ("Dokumen Lainnya", 8),
                ),
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


def make_order(world: State, plans: list[facts.Plan], year: int, old: bool = False) -> facts.Order:
    """An order in e-catalogue v6, or in v5 where `old`."""
    rng = world.rng
    plan = plans[0] if plans else None
    number = chance.next_number(world, "order")
    office = plan.office if plan else rng.choice(world.offices)
    unit = [unit for unit in world.units if unit.code[:-4] == office.code[:-4]]
    if unit and rng.random() < 0.3:
        office = rng.choice(unit)
    kinds = 1 if rng.random() < 0.6 else rng.randint(2, 8)
    if old:
        products = [
            (str(90_000_000 + chance.next_number(world, "product")), rng.randint(1, 40), 15_000 * rng.randint(1, 900))
            for _ in range(min(kinds, 3))
        ]
    else:
        products = [
            (str(uuid.UUID(int=rng.getrandbits(128), version=4)), rng.randint(1, 40), 15_000 * rng.randint(1, 900))
            for _ in range(kinds)
        ]
    named = [code_named(world, each, 0.3) for each in plans] or [""]
    if len(plans) == 1 and number % 30 == 3 and not old:
        named = named * 3
    maks = [line.mak for each in plans for line in each.lines] or ["-"]
    if number % 60 == 5 and plan:
        maks = [plan.lines[0].sub.code + "."]
    order = facts.Order(
        id=9_000_000 + chance.next_number(world, "old order") if old else chance.ulid(world),
        year=year,
        plans=plans,
        named=named,
        office=office,
        title=plan.title if plan else "Belanja Katalog Rekaan",
        products=products,
        sources=sorted({line.source for each in plans for line in each.lines}) or ["APBD"],
        maks=maks,
        supplier=rng.choice(world.suppliers),
        shipping=0 if rng.random() < 0.92 else rng.randint(1, 99) * 10_000,
        at=chance.day_of(world, year),
        status=chance.weighted(
            world, (("ON_PROCESS", 516), ("PAYMENT_OUTSIDE_SYSTEM", 72), ("COMPLETED", 17), ("ON_ADDENDUM", 1))
        ),
        delivery=chance.weighted(
            world,
            (
                ("COMPLETED", 370),
                ("DRAFT", 144),
                ("BUYER_CONFIRMED", 37),
                ("DELIVERED", 33),
                ("PROCESSING", 17),
                ("SHIPPING", 5),
            ),
        ),
    )
    (world.old_orders if old else world.orders).append(order)
    return order


def make_shop_order(world: State, year: int) -> facts.ShopOrder:
    """An order in an online shop; its row is repeated up to a dozen times, as in the real answer."""
    office = world.rng.choice(world.offices)
    number = chance.next_number(world, "shop")
    shop_order = facts.ShopOrder(
        id=str(9_300_000 + number),
        year=year,
        office=office,
        official=office.officials[0],
        amount=world.rng.randint(1, 75) * 1_000_000 - number % 2,
        at=chance.moment(world, chance.day_of(world, year)),
        failed=world.rng.choice((None, "Payment Kadaluarsa", "RFQ Dibatalkan Pembeli")),
        copies=12 if number == 1 else world.rng.choice((1, 1, 2)),
    )
    world.shop_orders.append(shop_order)
    return shop_order


def _non_tender_method(plan: facts.Plan | None) -> str:
    return "Penunjukan Langsung" if plan and plan.method == facts.DIRECT_APPOINTMENT else "Pengadaan Langsung"
