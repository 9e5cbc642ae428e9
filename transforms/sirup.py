"""SIRUP -> OCDS: the procurement plan. A process carries the planning section of every RUP that it fulfils.

Where a tender has not spoken yet, the plan stands in for it (`field_owners.csv`): title, method, category and periods.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from transforms import codes, facts, mak
from transforms.budget import account_items, classifications, is_repeated, projects
from transforms.evidence import Evidence
from transforms.identity import CANCELLED, SPLIT, TAKEN_UP, Plan, Revision
from transforms.mapping import (
    Body,
    Context,
    Fact,
    Partial,
    Row,
    SourceMapping,
    by_code,
    filled,
    money,
    parties,
    reference,
)
from transforms.parties import office_party, scrub

SOURCE = "sirup"

# Services that announce plans.
PLANS = ("RUP-PaketPenyedia-Terumumkan", "RUP-PaketSwakelola-Terumumkan")

# Services whose rows say more of the identity of processes than by their own code.
IDENTIFYING = ("RUP-PaketPenyedia-Terumumkan", "RUP-HistoryKajiUlang")

# Services whose rows are evidence of whom records of other systems belong to.
EVIDENT = (
    "RUP-PaketPenyedia-Terumumkan",
    "RUP-PaketSwakelola-Terumumkan",
    "RUP-PaketAnggaranPenyedia",
    "RUP-PaketAnggaranSwakelola",
    "RUP-PaketPenyediaLokasi",
    "RUP-PaketSwakelolaLokasi",
    "RUP-MasterSatker",
)

# Which services hold which code a new one revises, or whose contract it pays on.
AWAITED = {"rup": IDENTIFYING, "swk": ("RUP-HistoryKajiUlang",)}


def plans(service: str, record: Any) -> Iterator[Plan]:
    """The RUP whose contract a package pays on, the self-managed work that it is part of."""
    if service == "RUP-PaketPenyedia-Terumumkan" and (record.kode_rup_tahun_pertama or record.kd_rup_swakelola):
        yield Plan(("rup", record.kd_rup), next(iter(record.kode_rup_tahun_pertama), None), record.kd_rup_swakelola)


def revisions(service: str, record: Any) -> Iterator[Revision]:
    """The event of a kaji ulang row."""
    if service == "RUP-HistoryKajiUlang" and record.kd_rup_lama and record.kd_rup_baru:
        kind = "swk" if "swakelola" in (record.jenis_paket or "").lower() else "rup"
        yield Revision(
            (kind, record.kd_rup_lama),
            (kind, record.kd_rup_baru),
            "".join((record.jenis_revisi or "").upper().split()) or None,
            record.tgl_kaji_ulang,
        )


_ASPECTS = {
    "economic": "spp_aspek_ekonomi",
    "social": "spp_aspek_sosial",
    "environmental": "spp_aspek_lingkungan",
}
_BUDGETS = ("RUP-PaketAnggaranPenyedia", "RUP-PaketAnggaranSwakelola")
_PLAN_KINDS = {
    "RUP-PaketPenyedia-Terumumkan": "rup",
    "RUP-PaketAnggaranPenyedia": "rup",
    "RUP-PaketPenyediaLokasi": "rup",
    "RUP-PaketSwakelola-Terumumkan": "swk",
    "RUP-PaketAnggaranSwakelola": "swk",
    "RUP-PaketSwakelolaLokasi": "swk",
}


def evidence(service: str, record: Any) -> Iterator[Evidence]:
    """The evidence of which proposals, budget lines and documents belong to a plan; and the offices themselves.

    `villages` of a plan are its places of work as typed (`Desa ... Kecamatan ...`): linking knows place names.
    """
    if service not in (*_PLAN_KINDS, "RUP-MasterSatker"):
        return
    office = record.office.code
    if service == "RUP-MasterSatker":
        if office:
            yield Evidence(("office", office), None, office, record.nama_satker)
        return
    subject = (_PLAN_KINDS[service], record.kd_rup)
    year, name = record.tahun_anggaran, record.nama_satker
    if service.endswith("Terumumkan"):
        work = record.uraian_pekerjaan if subject[0] == "swk" else record.urarian_pekerjaan
        withdrawn = record.status_delete_rup or record.status_aktif_rup is False
        yield Evidence(
            subject,
            year,
            office,
            name,
            amounts=(float(record.pagu),) if record.pagu else (),
            titles=tuple(text for text in (scrub(record.nama_paket), scrub(work)) if text),
            status="cancelled" if withdrawn else None,
        )
    elif service.endswith("Lokasi"):
        place = scrub(record.detail_lokasi)
        yield Evidence(subject, year, office, name, villages=(place,) if place else ())
    else:
        lines = tuple(dict.fromkeys(line for line in map(mak.canonical, record.mak) if line))
        yield Evidence(subject, year, office, name, maks=lines)


def paket(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PaketPenyedia and PaketSwakelola: budget, plan dates, and the planned tender.

    Of a RUP revised into another of the same process the newest row alone counts; what remains is summed.
    """
    current = _newest(rows, context)
    if not current:
        return
    first = current[0].record
    self_managed = current[0].service == "RUP-PaketSwakelola-Terumumkan"
    amounts = [row.record.pagu for row in current if row.record.pagu is not None]
    office = context.office(first)
    withdrawn = all(_is_withdrawn(row, context) for row in current)
    categories = [] if self_managed else _categories(context, first.jenis_pengadaan)
    method = None if self_managed else context.code(SOURCE, "method", "metode_pengadaan", first.metode_pengadaan)
    if self_managed:
        details: str | None = f"Swakelola tipe {first.tipe_swakelola}" if first.tipe_swakelola else "Swakelola"
        work = first.uraian_pekerjaan
        contract_period = context.period(first.tgl_awal_pelaksanaan_kontrak, first.tgl_akhir_pelaksanaan_kontrak)
        tender_period = None
    else:
        # SIRUP's 0 is no method.
        details = first.metode_pengadaan if first.metode_pengadaan != "0" else None
        work = first.urarian_pekerjaan
        contract_period = context.period(first.tgl_awal_kontrak, first.tgl_akhir_kontrak)
        tender_period = context.period(first.tgl_awal_pemilihan, first.tgl_akhir_pemilihan)
    title = scrub(first.nama_paket)
    yield Partial(
        {
            "title": title,
            "buyer": reference(office),
            "planning": {
                "rationale": scrub(work),
                "procurementMethodDetails": details,
                "budget": {
                    "id": "+".join(sorted(row.code for row in current)),
                    "amount": money(sum(amounts)) if amounts else None,
                    "fiscalYear": first.tahun_anggaran,
                    "isRepeated": is_repeated(context),
                },
            },
            "tender": {
                "id": f"{'swk' if self_managed else 'rup'}-{first.kd_rup}",
                "title": title,
                "description": scrub(None if self_managed else first.spesifikasi_pekerjaan),
                "status": "cancelled" if withdrawn else "planned",
                "statusDetails": None if withdrawn else first.status_umumkan_rup,
                "procurementMethod": method,
                "procurementMethodDetails": details,
                "procurementMethodRationale": None if self_managed else scrub(first.alasan_dikecualikan),
                "mainProcurementCategory": next(iter(categories), None),
                "additionalProcurementCategories": categories[1:],
                "procuringEntity": reference(office),
                "location": context.location(None, title, work),
                "tenderPeriod": tender_period,
                "contractPeriod": contract_period,
                "smallEnterprisesOnly": _flag(context, "smallEnterprises", "status_ukm", first),
                "domesticProductsOnly": _flag(context, "domesticProducts", "status_pdn", first),
                "sustainabilityAspects": [aspect for aspect, field in _ASPECTS.items() if filled(first, field)],
            },
            "parties": parties(office),
        },
        tuple(rows),
    )


def anggaran(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PaketAnggaran: the RUP's share of each budget line (not the line's total), by account and source of funds.

    All rows count: the list repeats a line that is there twice, and corrects one by a negative amount.
    """
    counting = _counting(rows, context)
    lines: dict[str, Body] = {}
    named: list[Body | None] = []
    funds: set[str] = set()
    for row in counting:
        record = row.record
        office = context.office(record)
        named.append(office)
        funds.update(record.sumber_dana)
        words = " ".join((*record.mak, *record.sumber_dana))
        year = record.tahun_anggaran_dana or record.tahun_anggaran
        entry = f"{row.code}-{'-'.join(words.split()) or 'unnamed'}-{year}"
        line = lines.setdefault(
            entry,
            {
                "id": entry,
                "description": words,
                "amount": None,
                "period": _year(context, year),
                "sourceParty": reference(office),
            },
        )
        if record.pagu is not None:
            line["amount"] = money((line["amount"] or {"amount": 0})["amount"] + record.pagu)
    if lines:
        yield Partial(
            {
                "buyer": reference(named[0]),
                "planning": {
                    "budget": {
                        "budgetBreakdown": list(lines.values()),
                        "fund": "; ".join(sorted(funds)),
                        **projects(
                            context,
                            counting[0].record.tahun_anggaran,
                            filter(None, map(mak.canonical, _maks(counting))),
                        ),
                    }
                },
                "tender": {
                    "id": f"{_PLAN_KINDS[rows[0].service]}-{counting[0].code}",
                    "items": account_items(_maks(counting)),
                },
                "parties": parties(*named),
            },
            tuple(rows),
        )


def lokasi(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PaketLokasi: where the package is to be delivered, one item per place."""
    counting = _counting(rows, context)
    bought = classifications(_maks(row for name in _BUDGETS for row in context.rows.get(name, ())))
    items = [
        {
            "id": f"{row.code}-{position}",
            **bought,
            "deliveryLocation": context.location(scrub(row.record.detail_lokasi), row.record.kab_kota),
            "deliveryAddress": {
                "locality": row.record.kab_kota,
                "region": row.record.provinsi,
                "countryName": "Indonesia",
            },
        }
        for group in by_code(counting).values()
        for position, row in enumerate(group, 1)
    ]
    if items:
        office = context.office(counting[0].record)
        body = {
            "buyer": reference(office),
            "tender": {"id": f"{_PLAN_KINDS[rows[0].service]}-{counting[0].code}", "items": items},
            "parties": parties(office),
        }
        yield Partial(body, tuple(rows))


def plan_facts(rows: list[Row], context: Context) -> Iterator[Fact]:
    """A plan: one for each RUP. Only of one that is announced the budget counts."""
    latest = _latest(rows)
    revised = _revised(latest, context)
    for row in latest.values():
        record, kind = row.record, _PLAN_KINDS[row.service]
        withdrawn = _is_withdrawn(row, context)
        status = "withdrawn" if withdrawn else "revised" if row.code in revised else "announced"
        office = context.office(record)
        own = kind == "rup"
        yield Fact(
            "plan",
            (kind, row.code),
            {
                **facts.columns(facts.PLAN, record),
                "office_id": office and office["id"],
                "fiscal_year": record.tahun_anggaran,
                "status": status,
                "pagu" if status == "announced" else "pagu_not_counted": record.pagu,
                "method": context.code(SOURCE, "method", "metode_pengadaan", record.metode_pengadaan) if own else None,
                "category": next(iter(_categories(context, record.jenis_pengadaan)), None) if own else None,
            },
        )


def account_facts(rows: list[Row], context: Context) -> Iterator[Fact]:
    """The budget lines of plans: rows of one account code, source and year are summed, corrections too."""
    kind = _PLAN_KINDS[rows[0].service]
    lines: dict[tuple[Any, ...], Body] = {}
    for row in rows:
        record = row.record
        code, fund = facts.joined(record.mak), facts.joined(record.sumber_dana)
        own = (record.tahun_anggaran_dana, record.asal_dana_klpd, record.asal_dana_satker)
        line = lines.setdefault(
            (row.code, code, fund, *own),
            {
                "mak": code,
                **facts.account_columns(next(iter(record.mak), None)),
                "fund": fund,
                "fund_year": own[0],
                "fund_institution": scrub(own[1]),
                "fund_office": scrub(own[2]),
                "amount": None,
            },
        )
        if record.pagu is not None:
            line["amount"] = (line["amount"] or 0) + record.pagu
    numbers: dict[str, int] = {}
    funds: dict[str, set[str]] = {}
    for key, line in sorted(lines.items(), key=lambda item: tuple(str(part or "") for part in item[0])):
        numbers[key[0]] = numbers.get(key[0], 0) + 1
        funds.setdefault(key[0], set()).update([line["fund"]] if line["fund"] else ())
        yield Fact("plan_account", (kind, key[0], str(numbers[key[0]])), line)
    for code, found in funds.items():
        yield Fact("plan_funds", (kind, code), {"funds": facts.joined(found)})


def structure(record: Any) -> tuple[str, Body]:
    """StrukturAnggaranPD: the budget of an office by kind of spending."""
    office = office_party(record.kd_klpd, record.kd_satker_str, record.nama_satker)
    return "office_structure", {
        "fiscal_year": record.tahun_anggaran,
        "office_id": office and office["id"],
        "office_name": scrub(record.nama_satker),
        "sirup_code": record.kd_satker,
        "operating": record.belanja_operasi,
        "capital": record.belanja_modal,
        "unforeseen": record.belanja_btt,
        "procurement": record.belanja_pengadaan,
        "not_procurement": record.belanja_non_pengadaan,
        "total": record.total_belanja,
    }


def _activity(level: str, suffix: str) -> Callable[[Any], tuple[str, Body]]:
    """The row of a programme, activity or sub-activity; `suffix` ends the names of its fields."""

    def activity(record: Any) -> tuple[str, Body]:
        written = getattr(record, f"kd_{suffix}_str")
        plain = mak.canonical(written) or ".".join(part.lstrip("0") or "0" for part in (written or "").split("."))
        return "budget_activity", {
            "fiscal_year": record.tahun_anggaran,
            "sirup_code": record.kd_satker,
            "level": level,
            "code": plain,
            "written_code": written,
            "name": scrub(getattr(record, f"nama_{suffix}")),
            "pagu": getattr(record, f"pagu_{suffix}"),
        }

    return activity


def kaji_ulang(rows: list[Row], context: Context) -> Iterator[Partial]:
    """HistoryKajiUlang: that a plan was cancelled whose list no longer holds it."""
    if context.planned:
        return
    events = sorted(rows, key=lambda row: (row.record.tgl_kaji_ulang or "", _revision_type(row) == TAKEN_UP, row.key))
    last = events[-1]
    if all(_revision_type(row) == CANCELLED for row in {row.code: row for row in events}.values()):
        kind = "swk" if "swakelola" in (last.record.jenis_paket or "").lower() else "rup"
        yield Partial({"tender": {"id": f"{kind}-{last.code}", "status": "cancelled"}}, (last,))


def _newest(rows: list[Row], context: Context) -> list[Row]:
    """The RUP rows that count: of a revision and what it revises only the revision, withdrawn ones only where no other
    is left."""
    latest = _latest(rows)
    revised = _revised(latest, context)
    kept = [row for row in latest.values() if row.code not in revised]
    standing = [row for row in kept if not _is_withdrawn(row, context)]
    return sorted(standing or kept, key=lambda r: r.code)


def _latest(rows: list[Row]) -> dict[str, Row]:
    """One row a code: where two fiscal years hold the same package, the later one counts."""
    latest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda r: (r.record.tahun_anggaran or 0, r.key)):
        latest[row.code] = row
    return latest


def _revised(codes_here: Iterable[str], context: Context) -> set[str]:
    """The codes here that another code here revises one to one. Of those that revise one another the highest stays: it
    was given last."""
    present = set(codes_here)
    later: dict[str, str] = {}
    for row in sorted(_history(context), key=lambda r: (r.record.tgl_kaji_ulang or "", r.key)):
        older, newer = row.record.kd_rup_lama, row.record.kd_rup_baru
        if older != newer and older and _revision_type(row) not in (SPLIT, CANCELLED, TAKEN_UP):
            later[older] = newer
    found = set()
    for code in present:
        chain = [code]
        while (newer := later.get(chain[-1])) is not None and newer not in chain:
            chain.append(newer)
        circle = newer is not None
        followers = [other for other in chain[1:] if other in present]
        if followers and not (circle and code == max({code, *followers}, key=lambda c: (len(c), c))):
            found.add(code)
    return found


def _is_withdrawn(row: Row, context: Context) -> bool:
    """Whether a plan was deleted, made inactive, or cancelled by the last event of its history: a cancellation
    (PEMBATALAN) holds until the plan is taken up again (PENGAKTIFAN)."""
    if row.record.status_delete_rup or row.record.status_aktif_rup is False:
        return True
    events = [
        (event.record.tgl_kaji_ulang or "", _revision_type(event) == TAKEN_UP, _revision_type(event))
        for event in _history(context)
        if row.code in (event.record.kd_rup_lama, event.record.kd_rup_baru)
    ]
    return bool(events) and max(events)[2] == CANCELLED


def _history(context: Context) -> list[Row]:
    return context.rows.get("RUP-HistoryKajiUlang", [])


def _revision_type(row: Row) -> str:
    return "".join((row.record.jenis_revisi or "").upper().split())


def _counting(rows: list[Row], context: Context) -> list[Row]:
    """Budget and place rows without those of plans that no longer count here."""
    plans = [row for name in PLANS for row in context.rows.get(name, ())]
    gone = {row.code for row in plans} - {row.code for row in _newest(plans, context)}
    return [row for row in rows if row.code not in gone] or rows


def _maks(rows: Iterable[Row]) -> list[str]:
    return [line for row in rows for line in row.record.mak]


def _flag(context: Context, code_list: str, field: str, record: Any) -> bool | None:
    """A yes or no of the plan; None where its row has no such field."""
    code = context.code(SOURCE, code_list, field, filled(record, field))
    return None if code is None else code == "true"


def _categories(context: Context, words: tuple[str, ...]) -> list[str]:
    """The main category of a package and, as far as its jenis_pengadaan say more, its further ones."""
    main = [context.code(SOURCE, "category", "jenis_pengadaan", word) for word in words]
    further = [codes.table(SOURCE).get(("additionalCategory", codes.plain(word))) for word in words]
    return list(dict.fromkeys(code for code in (*main, *further) if code))


def _year(context: Context, year: int | None) -> Body | None:
    return context.period(f"{year}-01-01", f"{year}-12-31") if year else None


MAPPING = SourceMapping(
    SOURCE,
    mappers={
        "RUP-PaketPenyedia-Terumumkan": paket,
        "RUP-PaketSwakelola-Terumumkan": paket,
        "RUP-PaketAnggaranPenyedia": anggaran,
        "RUP-PaketAnggaranSwakelola": anggaran,
        "RUP-PaketPenyediaLokasi": lokasi,
        "RUP-PaketSwakelolaLokasi": lokasi,
        "RUP-HistoryKajiUlang": kaji_ulang,
    },
    facts={
        "RUP-PaketPenyedia-Terumumkan": plan_facts,
        "RUP-PaketSwakelola-Terumumkan": plan_facts,
        "RUP-PaketAnggaranPenyedia": account_facts,
        "RUP-PaketAnggaranSwakelola": account_facts,
    },
    masters={
        "RUP-StrukturAnggaranPD": structure,
        "RUP-ProgramMaster": _activity("program", "program"),
        "RUP-KegiatanMaster": _activity("activity", "kegiatan"),
        "RUP-SubKegiatanMaster": _activity("sub_activity", "subkegiatan"),
    },
    evidence=evidence,
    evident=EVIDENT,
    plans=plans,
    revisions=revisions,
    identifying=IDENTIFYING,
    announcing=PLANS,
    plan_lists=PLANS,
    awaited=AWAITED,
)
