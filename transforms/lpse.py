"""LPSE/SPSE, e-catalogue and recorded purchases -> OCDS: tender, bids, awards, contracts and their execution.

Ids: `tender.id` is the attempt's code; an award is the attempt's code and its supplier, so that a replaced winner is
another award; a contract is the attempt's code and the contract's number; orders and recorded purchases are one award
and one contract each, named by their kind and code (an order's award also by its supplier).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel

from schemas.lpse import SERVICES
from transforms import codes, mak
from transforms.evidence import Evidence
from transforms.identity import Code, RupReference
from transforms.mapping import Body, Context, Partial, Row, SourceMapping, by_code, money, parties, reference
from transforms.parties import SUPPLIER_SCHEME, plain_name, scrub, supplier_keys, tax_numbers

SOURCE = "lpse"

# Who may name an attempt's RUPs, best first.
_REFERRING = {
    "SPSE-TenderPengumuman": 0,
    "SPSE-NonTenderPengumuman": 0,
    "SPSE-TenderSelesai": 1,
    "SPSE-NonTenderSelesai": 1,
    "SPSE-TenderSelesaiNilai": 2,
    "SPSE-PencatatanNonTender": 0,
    "SPSE-PencatatanSwakelola": 0,
    "Ecat-PaketEPurchasingV6": 0,
    "Ecat-PaketEPurchasing": 0,
    "Bela-TokoDaringRealisasi": 0,
}

# Services whose rows say more of the identity of processes than by their own code.
IDENTIFYING = tuple(_REFERRING)

# Services whose rows name a supplier by code, tax number and name.
_SUPPLIER_CODES = (
    "SPSE-TenderSelesaiNilai",
    "SPSE-NonTenderSelesai",
    "SPSE-PesertaTender",
    "SPSE-TenderEkontrak-2Kontrak",
)

# Services whose rows tell to whom what is in other systems belongs.
EVIDENT = tuple(service.name for service in SERVICES if service.kind and not service.name.startswith("SPSE-Jadwal"))

# Who announces the codes of a kind: while that service does not answer, no process is opened for a new one of them.
AWAITED = {"tender": ("SPSE-TenderPengumuman",), "nontender": ("SPSE-NonTenderPengumuman",)}


def references(service: str, record: Any) -> Iterator[RupReference]:
    """The RUPs that an attempt, order or recorded purchase names."""
    if service not in _REFERRING:
        return
    priority = _REFERRING[service]
    if service.startswith(("SPSE-Tender", "SPSE-NonTender")):
        tender = service.startswith("SPSE-Tender")
        status = getattr(record, "status_tender" if tender else "status_nontender", None)
        yield RupReference(
            ("tender", record.kd_tender) if tender else ("nontender", record.kd_nontender),
            _rups("rup", getattr(record, "kd_rup_paket", ()) or getattr(record, "kd_rup", ())),
            priority,
            created=getattr(record, "tgl_buat_paket", None),
            package=getattr(record, "kd_pkt_dce", None) or getattr(record, "kd_paket", None),
            version=getattr(record, "versi_tender" if tender else "versi_nontender", None) or 1,
            failed=codes.table(SOURCE).get(("tenderStatus", codes.plain(status or "")))
            in ("unsuccessful", "cancelled"),
        )
    elif service == "SPSE-PencatatanNonTender":
        yield RupReference(("pencatatan", record.kd_nontender_pct), _rups("rup", record.kd_rup), priority)
    elif service == "SPSE-PencatatanSwakelola":
        yield RupReference(("swakelola", record.kd_swakelola_pct), _rups("swk", record.kd_rup), priority)
    elif service == "Bela-TokoDaringRealisasi":
        yield RupReference(("tokodaring", record.order_id), (), priority)
    else:
        yield RupReference(("ecat", record.kd_paket), _rups("rup", record.kd_rup), priority)


def _rups(kind: str, named: Iterable[str]) -> tuple[Code, ...]:
    return tuple((kind, code) for code in named)


# What tells which payments and reports a purchase belongs to: per field of `Evidence` the rows' own fields. Budgets
# (pagu, hps), shares and instalments are no amounts of a contract; a price offered stands in for the agreed one.
_EVIDENT_AMOUNTS = ("nilai_kontrak", "nilai_negosiasi", "harga_final", "total_realisasi", "total_harga", "valuasi")
_EVIDENT_OFFERS = ("nilai_terkoreksi", "nilai_penawaran")
_EVIDENT_DATES = (
    "tgl_kontrak",
    "tgl_sppbj",
    "tgl_spmk_spp",
    "tgl_mulai_pekerjaan",
    "tgl_penetapan_pemenang",
    "tgl_selesai_nontender",
    "tgl_realisasi",
    "tgl_mulai_paket",
    "tgl_order",
    "tanggal_buat_paket",
    "tanggal_transaksi",
)
_EVIDENT_TITLES = ("nama_paket", "rup_nama_pkt", "order_desc")
_EVIDENT_STATUS = {
    "status_tender": "tenderStatus",
    "status_nontender": "tenderStatus",
    "status_nontender_pct_ket": "tenderStatus",
    "status_swakelola_pct_ket": "tenderStatus",
    "status_pkt": "orderTenderStatus",
    "paket_status_str": "orderTenderStatus",
    "status_konfirmasi_ppmse": "shopTenderStatus",
    "status_verif": "shopTenderStatus",
}
# Of the papers of a recorded purchase's payments those that are its contract.
_AGREEMENTS = {"Surat Perjanjian", "Surat Pesanan"}


def evidence(service: str, record: Any) -> Iterator[Evidence]:
    """What tells which payments and reports a purchase belongs to."""
    kind = _KINDS.get(service)
    if kind is None or service.startswith("SPSE-Jadwal"):
        return
    if service == "SPSE-PesertaTender" and not record.pemenang:
        return

    def said(*names: str) -> list[Any]:
        return [value for name in _fields(record.__class__, names) if (value := getattr(record, name))]

    named = scrub(next(iter(said("nama_penyedia", "nama_pelaksana", "merchant_name")), None))
    digits = tax_numbers(*said("npwp_penyedia", "npwp_penyedia_16", "npwp_pelaksana"))
    amounts = said(*_EVIDENT_AMOUNTS) or said(*_EVIDENT_OFFERS)
    numbers = said("no_kontrak", "no_paket")
    if said("jenis_realisasi") and record.jenis_realisasi in _AGREEMENTS:
        numbers += said("no_realisasi")
    rups = next(iter(said("kd_rup_paket", "kd_rup")), ())
    lines = next(iter(said("mak", "kode_anggaran")), ())
    place = scrub(next(iter(said("lokasi_pekerjaan")), None))
    statuses = (
        codes.table(SOURCE).get((code_list, codes.plain(word)))
        for name, code_list in _EVIDENT_STATUS.items()
        for word in said(name)
    )
    yield Evidence(
        (kind, getattr(record, _OWN_CODES[service])),
        record.tahun_anggaran,
        next((code for code in (record.kd_satker_str, record.kd_satker) if code and "." in code), None),
        record.nama_satker,
        rups=_rups("swk" if kind == "swakelola" else "rup", rups),
        maks=tuple(dict.fromkeys(line for line in map(mak.canonical, lines) if line)),
        numbers=tuple(dict.fromkeys(number for number in numbers if _DIGIT.search(number))),
        suppliers=(named,) if named else (),
        supplier_codes=tuple(
            code for code in said("kd_penyedia", "kd_penyedia_sikap", "kd_penyedia_v6") if code != "0"
        ),
        taxes=tuple(key for what, key in supplier_keys(None, digits) if what == "npwp"),
        amounts=tuple(dict.fromkeys(float(amount) for amount in amounts)),
        dates=tuple(dict.fromkeys(date[:10] for date in said(*_EVIDENT_DATES))),
        titles=tuple(dict.fromkeys(text for text in map(scrub, said(*_EVIDENT_TITLES)) if text)),
        villages=(place,) if place else (),
        status=next(filter(None, statuses), None),
    )


@cache
def _fields(model: type[BaseModel], names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of some fields that a service's records have: asking a record for one that it lacks is slow."""
    return tuple(name for name in names if name in model.model_fields)


# --- announcements ---------------------------------------------------------------------------------------------------


def tender_pengumuman(rows: list[Row], context: Context) -> Iterator[Partial]:
    """TenderPengumuman: the attempt as announced."""
    for row in _latest(rows):
        record = row.record
        yield _announcement(
            row,
            context,
            record.kd_tender,
            "status_tender",
            record.tgl_pengumuman_tender or record.tgl_buat_paket,
            page=f"lelang/{record.kd_tender}/pengumumanlelang",
        )


def nontender_pengumuman(rows: list[Row], context: Context) -> Iterator[Partial]:
    """NonTenderPengumuman: the attempt as announced."""
    for row in _latest(rows):
        record = row.record
        yield _announcement(
            row,
            context,
            record.kd_nontender,
            "status_nontender",
            record.tgl_pengumuman_nontender or record.tgl_buat_paket,
            page=f"nontender/{record.kd_nontender}/pengumumanpl",
        )


def tender_selesai(rows: list[Row], context: Context) -> Iterator[Partial]:
    """TenderSelesai: the same words as the announcement, for when that is missing."""
    for row in _latest(rows):
        record = row.record
        yield _announcement(
            row,
            context,
            record.kd_tender,
            "status_tender",
            record.tgl_penetapan_pemenang or record.tgl_pengumuman_tender,
        )


def _announcement(
    row: Row, context: Context, attempt: str, status_field: str, event: str | None, page: str | None = None
) -> Partial:
    record = row.record
    status = getattr(record, status_field)
    office = context.office(record)
    title = scrub(record.nama_paket)
    category = record.jenis_pengadaan
    consulting = codes.table(SOURCE).get(("additionalCategory", codes.plain(category or "")))
    evaluation = getattr(record, "mtd_evaluasi", None)
    place = scrub(getattr(record, "lokasi_pekerjaan", None))
    return Partial(
        {
            "title": title,
            "buyer": reference(office),
            "planning": {"budget": {"amount": money(record.pagu), "project": title}},
            "tender": {
                "id": tender_id(row),
                "title": title,
                "description": scrub(getattr(record, "ket_ditutup", None)),
                "status": context.code(SOURCE, "tenderStatus", status_field, status),
                "statusDetails": status,
                "value": money(record.hps),
                "procurementMethod": context.code(SOURCE, "method", "mtd_pemilihan", record.mtd_pemilihan),
                "procurementMethodDetails": _method(record),
                "mainProcurementCategory": context.code(SOURCE, "category", "jenis_pengadaan", category),
                "additionalProcurementCategories": [consulting] if consulting else None,
                "awardCriteria": context.code(SOURCE, "awardCriteria", "mtd_evaluasi", evaluation),
                "awardCriteriaDetails": evaluation,
                "eligibilityCriteria": record.kualifikasi_paket and f"Kualifikasi usaha: {record.kualifikasi_paket}",
                "submissionMethod": ["electronicSubmission"],
                "procuringEntity": reference(office),
                "location": {"description": place},
                "documents": [
                    {
                        "id": f"{attempt}-notice",
                        "documentType": "tenderNotice",
                        "url": f"{record.url_lpse.rstrip('/')}/{page}",
                        "datePublished": context.moment(event),
                        "format": "text/html",
                        "language": "id",
                    }
                ]
                if page and record.url_lpse
                else None,
            },
            "parties": parties(office),
        },
        (row,),
    )


def _method(record: Any) -> str | None:
    """The method in the source's words, with how bidders are qualified and how the contract is paid."""
    words = [record.mtd_pemilihan, getattr(record, "mtd_kualifikasi", None), record.kontrak_pembayaran]
    return " - ".join(word for word in words if word) or None


def jadwal(rows: list[Row], context: Context) -> Iterator[Partial]:
    """JadwalTahapan: the planned stages as milestones; bids may be handed in while "Upload Dokumen Penawaran" lasts."""
    for attempt, stages in by_code(rows).items():
        upload = next(
            (r.record for r in stages if "upload dokumen penawaran" in (r.record.nama_tahapan or "").lower()), None
        )
        yield Partial(
            {
                "tender": {
                    "id": tender_id(stages[0]),
                    "tenderPeriod": context.period(upload.tgl_awal, upload.tgl_akhir) if upload else None,
                    "milestones": [
                        {
                            "id": f"{attempt}-{row.record.kd_akt or row.record.kd_tahapan or position}",
                            "title": _blanks(row.record.nama_tahapan or row.record.nama_akt),
                            "type": "preProcurement",
                            "code": row.record.kd_akt,
                            "description": row.record.tgl_awal and f"Mulai {row.record.tgl_awal.replace('T', ' ')}",
                            "dueDate": context.moment(row.record.tgl_akhir, end=True),
                            "status": "scheduled",
                        }
                        for position, row in enumerate(stages, 1)
                    ],
                }
            },
            tuple(stages),
        )


def peserta(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PesertaTender: those who bid are tenderers; the others only registered and are counted."""
    for attempt, registered in by_code(rows).items():
        present = [row for row in registered if row.record.kd_peserta or row.record.kd_penyedia]
        bidders = []
        for row in present:
            record = row.record
            party = context.supplier(
                record.kd_penyedia, record.nama_penyedia, record.npwp_penyedia, record.npwp_penyedia_16
            )
            if record.nilai_penawaran is not None and party:
                bidders.append((row, party))
        tenderers = {party["id"]: reference(party) for _, party in bidders}
        yield Partial(
            {
                "tender": {
                    "id": tender_id(registered[0]),
                    "numberOfTenderers": len(tenderers) if present else None,
                    "tenderers": list(tenderers.values()),
                },
                "bids": {
                    "statistics": [
                        {"id": f"{attempt}-requests", "measure": "requests", "value": len(present)},
                        {"id": f"{attempt}-bids", "measure": "bids", "value": len(bidders)},
                    ]
                    if present
                    else None,
                    "details": [
                        {
                            "id": row.record.kd_peserta or f"{attempt}-{row.record.kd_penyedia}",
                            "tenderers": [reference(party)],
                            "value": money(row.record.nilai_penawaran),
                        }
                        for row, party in bidders
                    ],
                },
                "parties": parties(*(party for _, party in bidders)),
            },
            tuple(registered),
        )


# --- awards ----------------------------------------------------------------------------------------------------------


_CONTRACTS = ("SPSE-TenderEkontrak-2Kontrak", "SPSE-NonTenderEkontrak-2Kontrak")


def selesai_nilai(rows: list[Row], context: Context) -> Iterator[Partial]:
    """TenderSelesaiNilai: winner and amounts; without a winner (still running) only the tender's amounts."""
    for row in _latest(rows):
        record = row.record
        supplier = _winner(record, context)
        yield Partial(
            {
                "planning": {"budget": {"amount": money(record.pagu)}},
                "tender": {"id": tender_id(row), "value": money(record.hps)},
                "awards": [_award(row.code, supplier, record, record.tgl_penetapan_pemenang, context)]
                if supplier
                else None,
                "parties": parties(supplier),
            },
            (row,),
        )


def nontender_selesai(rows: list[Row], context: Context) -> Iterator[Partial]:
    """NonTenderSelesai: the announcement's words again, winner and amounts."""
    for row in _latest(rows):
        record = row.record
        supplier = _winner(record, context)
        # tgl_selesai_nontender is no event but the end of the schedule, often still to come; SPPBJ dates the award.
        said = _announcement(row, context, record.kd_nontender, "status_nontender", None)
        award = _award(row.code, supplier, record, None, context) if supplier else None
        if award and said.body["tender"].get("status") != "complete" and not _appointed(row.code, context):
            award["status"] = "pending"
        said.body["awards"] = [award] if award else None
        said.body["parties"] = [*said.body["parties"], *parties(supplier)]
        yield said


def _appointed(attempt: str, context: Context) -> bool:
    """Whether an attempt's supplier has an appointment letter or a contract."""
    return bool(context.of(attempt, "SPSE-NonTenderEkontrak-1SPPBJ", "SPSE-NonTenderEkontrak-2Kontrak"))


def _winner(record: Any, context: Context) -> Body | None:
    return context.supplier(record.kd_penyedia, record.nama_penyedia, record.npwp_penyedia, record.npwp_penyedia_16)


def _award(attempt: str, supplier: Body, record: Any, date: str | None, context: Context) -> Body:
    amounts = (record.nilai_negosiasi, record.nilai_terkoreksi, record.nilai_penawaran)
    return {
        "id": award_id(attempt, supplier),
        "title": scrub(getattr(record, "nama_paket", None)),
        "status": _outcome(attempt, context),
        "date": context.moment(date),
        "value": money(next((amount for amount in amounts if amount is not None), None)),
        "suppliers": [reference(supplier)],
    }


def award_id(attempt: str, supplier: Body | None) -> str:
    """An award is an attempt's choice of one supplier."""
    return f"{attempt}-{supplier['id'].rpartition('-')[2]}" if supplier else f"{attempt}-unnamed"


def _standing(attempt: str, supplier: Body | None, context: Context) -> str:
    """The status of an award that a letter or contract tells of: papers of a winner who was replaced may stay on."""
    winners = {
        f"{SUPPLIER_SCHEME}-{row.record.kd_penyedia}"
        for row in context.of(attempt, "SPSE-TenderSelesaiNilai", "SPSE-NonTenderSelesai")
        if row.record.kd_penyedia
    }
    replaced = winners and supplier and "identifier" in supplier and supplier["id"] not in winners
    return "cancelled" if replaced else _outcome(attempt, context)


def _outcome(attempt: str, context: Context) -> str:
    """The status of an attempt's award: that of a failed attempt came to nothing, unless it was signed all the same."""
    signed = context.of(attempt, *_CONTRACTS)
    words = [row.record.status_tender for row in context.of(attempt, "SPSE-TenderPengumuman")]
    words += [row.record.status_nontender for row in context.of(attempt, "SPSE-NonTenderPengumuman")]
    status = codes.table(SOURCE).get(("tenderStatus", codes.plain(words[0] or ""))) if words else None
    return status if status in ("unsuccessful", "cancelled") and not signed else "active"


def sppbj(rows: list[Row], context: Context) -> Iterator[Partial]:
    """SPPBJ: the letter that appoints the supplier. An addendum repeats it; the first one is the appointment."""
    for attempt, letters in by_code(rows).items():
        awards: dict[str, Body] = {}
        named = []
        for row in sorted(letters, key=lambda r: (r.record.versi_addendum or 0, r.record.tgl_sppbj or "", r.key)):
            record = row.record
            supplier = _of_attempt(row, context)
            if not supplier:
                continue
            named.append(supplier)
            award = awards.setdefault(
                award_id(attempt, supplier),
                {
                    "id": award_id(attempt, supplier),
                    "title": scrub(record.nama_paket),
                    "status": _standing(attempt, supplier, context),
                    "date": context.moment(record.tgl_sppbj),
                    "value": money(record.harga_final),
                    "suppliers": [reference(supplier)],
                    "documents": [],
                },
            )
            if record.no_sppbj:
                award["documents"].append(
                    {
                        "id": f"sppbj-{_number(record.no_sppbj)}",
                        "documentType": "awardNotice",
                        "title": _named("SPPBJ", record.no_sppbj),
                        "datePublished": context.moment(record.tgl_sppbj),
                        "language": "id",
                    }
                )
        for award in awards.values():
            award["documents"] = list({document["id"]: document for document in reversed(award["documents"])}.values())
        yield Partial({"awards": list(awards.values()), "parties": parties(*named)}, tuple(letters))


# --- contracts -------------------------------------------------------------------------------------------------------


def contract_id(row: Row, context: Context) -> str:
    """A contract is its attempt's code and its number, blanks and capitals aside. An addendum may bear a number of its
    own; it belongs to the contract of the same SPPBJ."""
    number = _number(row.record.no_kontrak)
    amended = {_number(v.record.no_kontrak): v for v in _contracts_of(row.code, context) if v.record.versi_addendum}
    if number in amended:
        letter = _number(amended[number].record.no_sppbj)
        first = [
            _number(v.record.no_kontrak)
            for v in _contracts_of(row.code, context)
            if not v.record.versi_addendum and _number(v.record.no_sppbj) == letter
        ]
        number = number if number in first or not first else min(first)
    return f"{row.code}-{number}" if number else row.code


def _contracts_of(attempt: str, context: Context) -> list[Row]:
    return context.of(attempt, *_CONTRACTS)


def kontrak(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Kontrak: one contract; further versions of it are its addenda, whose words replace the earlier ones'."""
    for contract, versions in _by_contract(rows, context).items():
        versions.sort(key=lambda r: (r.record.versi_addendum or 0, r.record.tgl_kontrak or "", r.key))
        row = versions[-1]
        record = row.record
        supplier = _of_attempt(row, context)
        award = award_id(row.code, supplier)
        yield Partial(
            {
                "awards": [
                    {
                        "id": award,
                        "title": scrub(record.nama_paket),
                        "status": _standing(row.code, supplier, context),
                        "value": money(record.nilai_kontrak),
                        "suppliers": [reference(supplier)] if supplier else None,
                    }
                ],
                "contracts": [
                    {
                        "id": contract,
                        "awardID": award,
                        "title": scrub(record.nama_paket),
                        "description": scrub(record.lingkup_pekerjaan),
                        "status": context.code(SOURCE, "contractStatus", "status_kontrak", record.status_kontrak),
                        "value": money(record.nilai_kontrak),
                        "initialValue": money(_initial_value(versions)),
                        "dateSigned": context.moment(versions[0].record.tgl_kontrak),
                        "period": context.period(record.tgl_kontrak_awal, record.tgl_kontrak_akhir)
                        if (record.tgl_kontrak_awal or "") < (record.tgl_kontrak_akhir or "")
                        else None,
                        "documents": [
                            {
                                "id": f"kontrak-{_number(version.record.no_kontrak)}",
                                "documentType": "contractNotice",
                                "title": _named("Kontrak", version.record.no_kontrak),
                                "language": "id",
                            }
                            for version in _once(versions, lambda r: _number(r.no_kontrak))
                            if version.record.no_kontrak
                        ],
                        "amendments": [
                            {
                                "id": f"addendum-{version.record.versi_addendum}",
                                # An addendum that keeps the contract's number repeats its date.
                                "date": context.moment(version.record.tgl_kontrak)
                                if version.record.tgl_kontrak != versions[0].record.tgl_kontrak
                                else None,
                                "description": f"Addendum {version.record.versi_addendum}",
                                "rationale": scrub(version.record.alasan_addendum),
                            }
                            for version in {
                                v.record.versi_addendum: v for v in versions if v.record.versi_addendum
                            }.values()
                        ],
                    }
                ],
                "parties": parties(supplier),
            },
            tuple(versions),
        )


def _initial_value(versions: list[Row]) -> float | int | None:
    """A contract's value before its first addendum, of the row of version 0 or of what its row held earlier; None where
    there is no addendum."""
    if not versions[-1].record.versi_addendum:
        return None
    first = [v.record for v in versions if not v.record.versi_addendum]
    first += [record for v in versions for record in v.earlier if not record.versi_addendum]
    return next((record.nilai_kontrak for record in first if record.nilai_kontrak is not None), None)


def spmk(rows: list[Row], context: Context) -> Iterator[Partial]:
    """SPMK/SPP: the order to start or to deliver; it knows the period that the contract row leaves empty."""
    for contract, orders in _by_contract(rows, context).items():
        orders.sort(key=lambda r: (r.record.versi_addendum or 0, r.record.tgl_spmk_spp or "", r.key))
        starts = [order.record.tgl_mulai_pekerjaan for order in orders if order.record.tgl_mulai_pekerjaan]
        version = orders[-1].record.versi_addendum
        ends = [
            order.record.tgl_selesai_pekerjaan
            for order in orders
            if order.record.versi_addendum == version and order.record.tgl_selesai_pekerjaan
        ]
        yield Partial(
            {
                "contracts": [
                    {
                        "id": contract,
                        "awardID": award_id(orders[-1].code, _of_attempt(orders[-1], context)),
                        "period": context.period(min(starts, default=None), max(ends, default=None)),
                        "milestones": [
                            {
                                "id": f"spmk-{_number(row.record.no_spmk_spp)}",
                                "title": _named("SPMK/SPP", row.record.no_spmk_spp),
                                "type": "delivery",
                                "code": "SPMK",
                                "description": scrub(row.record.waktu_penyelesaian),
                                "dateMet": context.moment(row.record.tgl_spmk_spp),
                                "status": "met",
                            }
                            for row in _once(orders, lambda r: _number(r.no_spmk_spp))
                        ],
                    }
                ],
                "parties": parties(_of_attempt(orders[-1], context)),
            },
            tuple(orders),
        )


def bapbast(rows: list[Row], context: Context) -> Iterator[Partial]:
    """BAP and BAST: payment certificates and handovers as milestones, their amounts and the progress as metrics."""
    for contract, papers in _by_contract(rows, context).items():
        papers.sort(key=lambda r: (r.record.tgl_bap or r.record.tgl_bast or "", r.record.no_bap or "", r.key))
        payments = [r for r in _once(papers, _bap) if r.record.no_bap or r.record.tgl_bap]
        handovers = [r for r in _once(papers, _bast) if r.record.tgl_bast]
        ended = [r.record.tgl_bast for r in handovers if r.record.status_kontrak == "Kontrak Selesai"]
        progress = [r for r in payments if r.record.progres_pekerjaan is not None]
        certified = [r for r in payments if r.record.besar_pembayaran is not None]
        metrics = [
            {
                "id": "physicalProgress",
                "title": "Progres pekerjaan",
                "observations": [
                    {
                        "id": _bap_id(row),
                        "period": context.period(None, row.record.tgl_bap),
                        "measure": str(row.record.progres_pekerjaan),
                        "unit": {"scheme": "UNCEFACT", "id": "P1", "name": "percent"},
                    }
                    for row in progress
                ],
            },
            {
                "id": "certifiedPayments",
                "title": "Besar pembayaran menurut Berita Acara Pembayaran (BAP)",
                "observations": [
                    {
                        "id": _bap_id(row),
                        "period": context.period(None, row.record.tgl_bap),
                        "value": money(row.record.besar_pembayaran),
                    }
                    for row in certified
                ],
            },
        ]
        yield Partial(
            {
                "contracts": [
                    {
                        "id": contract,
                        "awardID": award_id(papers[-1].code, _of_attempt(papers[-1], context)),
                        "implementation": {
                            "milestones": [
                                *(
                                    {
                                        "id": _bap_id(row),
                                        "title": _named("BAP", row.record.no_bap),
                                        "type": "payment",
                                        "code": "BAP",
                                        "description": row.record.cara_pembayaran_kontrak,
                                        "dateMet": context.moment(row.record.tgl_bap),
                                        "status": "met",
                                    }
                                    for row in payments
                                ),
                                *(
                                    {
                                        "id": f"bast-{_digest(_bast(row.record))}",
                                        "title": _named("BAST", row.record.no_bast),
                                        "type": "delivery",
                                        "code": "BAST",
                                        "dateMet": context.moment(row.record.tgl_bast),
                                        "status": "met",
                                    }
                                    for row in handovers
                                ),
                            ],
                            "metrics": [metric for metric in metrics if metric["observations"]],
                            "endDate": context.moment(max(ended), end=True) if ended else None,
                            "endDateDetails": "Tanggal BAST terakhir" if ended else None,
                        },
                    }
                ],
                "parties": parties(_of_attempt(papers[-1], context)),
            },
            tuple(papers),
        )


def _bap(record: Any) -> tuple[object, ...]:
    return (_number(record.no_bap), record.tgl_bap, record.besar_pembayaran)


def _bast(record: Any) -> tuple[object, ...]:
    return (_number(record.no_bast), record.tgl_bast)


def _bap_id(row: Row) -> str:
    return f"bap-{_digest(_bap(row.record))}"


# Services that name an attempt's supplier, best first; only the first two and tenders' contracts have its code.
_SUPPLIER_SERVICES = (
    "SPSE-TenderSelesaiNilai",
    "SPSE-NonTenderSelesai",
    "SPSE-TenderEkontrak-2Kontrak",
    "SPSE-NonTenderEkontrak-2Kontrak",
    "SPSE-TenderEkontrak-1SPPBJ",
    "SPSE-NonTenderEkontrak-1SPPBJ",
    "SPSE-TenderEkontrak-3SPMKSPP",
    "SPSE-NonTenderEkontrak-3SPMKSPP",
)


def _of_attempt(row: Row, context: Context) -> Body | None:
    """The supplier of a contract document. SPSE's contract rows name it without its code: the attempt's winner of the
    same name lends his. A document that names nobody speaks of the attempt's only supplier."""
    record = row.record
    others = [o.record for o in context.of(row.code, *_SUPPLIER_SERVICES) if o.record.nama_penyedia]
    name = plain_name(record.nama_penyedia)
    names = {plain_name(other.nama_penyedia) for other in others}
    if not name and len(names) == 1:
        record = others[0]
        name = names.pop()
    coded = (getattr(other, "kd_penyedia", None) for other in others if plain_name(other.nama_penyedia) == name)
    kd_penyedia = getattr(record, "kd_penyedia", None) or next(filter(None, coded), None)
    form = getattr(record, "bentuk_usaha_penyedia", None)
    return context.supplier(kd_penyedia, record.nama_penyedia, record.npwp_penyedia, record.npwp_penyedia_16, form=form)


# --- recorded purchases, self-managed work, orders -------------------------------------------------------------------


def pencatatan(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PencatatanNonTender: a purchase made outside SPSE: one award and one contract."""
    for row in _standing_first(rows, "status_nontender_pct_ket", context):
        record = row.record
        yield _purchase(
            row,
            context,
            record.nama_paket,
            "status_nontender_pct_ket",
            record.total_realisasi,
            recorded=record.tgl_buat_paket,
            description=record.uraian_pekerjaan,
            pagu=record.pagu,
            method=record.mtd_pemilihan,
            category=record.kategori_pengadaan,
            ends=record.tgl_selesai_paket,
            why=record.alasan_pembatalan,
        )


def pencatatan_swakelola(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PencatatanSwakelola: self-managed work has no procurement method; who carries it out stands as the supplier."""
    for row in _standing_first(rows, "status_swakelola_pct_ket", context):
        record = row.record
        yield _purchase(
            row,
            context,
            record.nama_paket,
            "status_swakelola_pct_ket",
            record.total_realisasi,
            recorded=record.tgl_buat_paket,
            description=record.uraian_pekerjaan,
            pagu=record.pagu,
            details=record.tipe_swakelola_nama and f"Swakelola {record.tipe_swakelola_nama}",
            ends=record.tgl_selesai_paket,
            why=record.alasan_pembatalan,
        )


def ecat_v6(rows: list[Row], context: Context) -> Iterator[Partial]:
    """E-catalogue v6: one order, one award, one contract. The order names its supplier by code only."""
    for row in _standing_first(rows, "status_pkt", context, "orderTenderStatus"):
        record = row.record
        in_sikap = record.kd_penyedia_sikap not in (None, "0")
        code = record.kd_penyedia_sikap if in_sikap else record.kd_penyedia_v6
        yield _purchase(
            row,
            context,
            record.rup_nama_pkt,
            "status_pkt",
            record.total_harga,
            awarded=record.tgl_order,
            lists="order",
            details="E-Purchasing",
            method="E-Purchasing",
            supplier=context.supplier(code, None) if code else None,
        )


def ecat_v5(rows: list[Row], context: Context) -> Iterator[Partial]:
    """E-catalogue v5: a row is a product of an order; the order is the sum of its rows."""
    for products in by_code(rows).values():
        row = products[-1]
        record = row.record
        amounts = [product.record.total_harga for product in products if product.record.total_harga is not None]
        partial = _purchase(
            row,
            context,
            record.nama_paket,
            "paket_status_str" if record.paket_status_str else "status_paket",
            sum(amounts) if amounts else None,
            awarded=record.tanggal_buat_paket,
            lists="order",
            details="E-Purchasing",
            method="E-Purchasing",
            supplier=context.supplier(record.kd_penyedia, None) if record.kd_penyedia else None,
        )
        yield Partial(partial.body, tuple(products))


def toko_daring(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Toko Daring: an order in an online shop. Only one that the shop confirms is an award."""
    for row in _latest(rows):
        record = row.record
        failed = (record.status_konfirmasi_ppmse or "").lower() == "gagal"
        yield _purchase(
            row,
            context,
            record.order_desc,
            "status_konfirmasi_ppmse" if record.status_konfirmasi_ppmse else "status_verif",
            record.valuasi,
            awarded=record.tanggal_transaksi,
            lists="shop",
            method="Toko Daring",
            details="Toko Daring",
            description=record.keterangan_ppmse if failed else None,
            supplier=context.supplier(None, record.merchant_name) if record.merchant_name else None,
        )


_STATUS_LISTS = {
    "recorded": ("tenderStatus", "awardStatus", "contractStatus"),
    "order": ("orderTenderStatus", "orderAwardStatus", "orderContractStatus"),
    "shop": ("shopTenderStatus", "shopAwardStatus", "shopContractStatus"),
}


# Codes of different kinds overlap, and orders and purchases of several kinds meet in one process.
_KINDS = {service.name: service.kind for service in SERVICES}
_OWN_CODES = {service.name: service.key[0] for service in SERVICES}


def tender_id(row: Row) -> str:
    """The id of the tender that a row belongs to: its attempt's kind and code, since codes of two kinds overlap."""
    return f"{_KINDS[row.service]}-{row.code}"


def purchase_id(row: Row) -> str:
    """The id of an order's or recorded purchase's contract, and of its award where the supplier is told elsewhere."""
    return f"{_KINDS[row.service]}-{row.code}"


def _purchase(
    row: Row,
    context: Context,
    title: str | None,
    status_field: str,
    amount: float | int | None,
    *,
    awarded: str | None = None,
    recorded: str | None = None,
    lists: str = "recorded",
    description: str | None = None,
    pagu: float | int | None = None,
    method: str | None = None,
    details: str | None = None,
    category: str | None = None,
    supplier: Body | None = None,
    ends: str | None = None,
    why: str | None = None,
) -> Partial:
    """A direct order or recorded purchase: its tender (where no attempt has one), its award and its contract.

    An order is placed (`awarded`) on a known day. Of a recorded purchase only the day of its record is known, which is
    often long after the payments.
    """
    office = context.office(row.record)
    purchase = purchase_id(row)
    award = award_id(purchase, supplier) if supplier else recorded_award(purchase, _payees(row, context))
    title = scrub(title)
    status = getattr(row.record, status_field)
    tender_status, award_status, contract_status = (
        context.code(SOURCE, code_list, status_field, status) for code_list in _STATUS_LISTS[lists]
    )
    consulting = codes.table(SOURCE).get(("additionalCategory", codes.plain(category or "")))
    ended = ends if contract_status == "terminated" else None
    return Partial(
        {
            "title": title,
            "buyer": reference(office),
            "planning": {"budget": {"amount": money(pagu), "project": title}},
            "tender": {
                "id": tender_id(row),
                "title": title,
                "description": scrub(description),
                "status": tender_status,
                "statusDetails": status,
                "procurementMethod": context.code(SOURCE, "method", "mtd_pemilihan", method),
                "procurementMethodDetails": details or method,
                "mainProcurementCategory": context.code(SOURCE, "category", "kategori_pengadaan", category),
                "additionalProcurementCategories": [consulting] if consulting else None,
                "procuringEntity": reference(office),
            },
            "awards": [
                {
                    "id": award,
                    "title": title,
                    "description": scrub(why),
                    "status": award_status,
                    "date": context.moment(awarded),
                    "value": money(amount),
                    "suppliers": [reference(supplier)] if supplier else None,
                }
            ],
            "contracts": [
                {
                    "id": purchase,
                    "awardID": award,
                    "title": title,
                    "status": contract_status,
                    "value": money(amount),
                    "implementation": {"endDate": context.moment(ended, end=True)} if ended else None,
                }
            ],
            "parties": parties(office, supplier),
        },
        (row,),
    )


def realisasi(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Realisasi of recorded purchases and self-managed work: payments, each once however many RUPs or payees repeat it.

    The note on a payment (ket_realisasi) stays behind, and so does a number without a digit: both name officials and
    others who were paid.
    """
    for payments in by_code(rows).values():
        purchase = purchase_id(payments[0])
        repeats: dict[tuple[object, ...], list[Row]] = {}
        for row in payments:
            repeats.setdefault(_payment(row.record), []).append(row)
        suppliers = []
        transactions = []
        receipts = []
        for payment, alike in repeats.items():
            record = alike[0].record
            payees = parties(*(_payee(row.record, context) for row in alike))
            suppliers += payees
            number = record.no_realisasi if _DIGIT.search(record.no_realisasi or "") else None
            transactions.append(
                {
                    "id": f"{purchase}-{_digest(payment)}",
                    "date": context.moment(record.tgl_realisasi),
                    "value": money(record.nilai_realisasi),
                    "payee": reference(payees[0]) if len(payees) == 1 else None,
                }
            )
            receipts.append(
                {
                    "id": f"{purchase}-{_digest(payment)}",
                    "title": _named(record.jenis_realisasi or "Realisasi", number),
                    "datePublished": context.moment(record.tgl_realisasi),
                    "language": "id",
                }
            )
        paid = {party["id"]: reference(party) for party in suppliers}
        award = recorded_award(purchase, paid)
        yield Partial(
            {
                "awards": [{"id": award, "suppliers": list(paid.values())}] if paid else None,
                "contracts": [
                    {
                        "id": purchase,
                        "awardID": award,
                        "implementation": {"transactions": transactions, "documents": receipts},
                    }
                ],
                "parties": parties(*suppliers),
            },
            tuple(payments),
        )


def recorded_award(purchase: str, suppliers: Iterable[str]) -> str:
    """The id of a recorded purchase's award, named by those who were paid: an award whose suppliers are others is
    another award."""
    named = sorted(suppliers)
    if not named:
        return purchase
    return f"{purchase}-{named[0].rpartition('-')[2]}" if len(named) == 1 else f"{purchase}-{_digest(tuple(named))}"


def _payees(row: Row, context: Context) -> list[str]:
    """The ids of those who were paid for a recorded purchase, in the order of its payments."""
    payments = context.of(row.code, f"{row.service}Realisasi")
    return [party["id"] for payment in payments if (party := _payee(payment.record, context))]


def _payee(record: Any, context: Context) -> Body | None:
    if hasattr(record, "nama_pelaksana"):
        return context.supplier(None, record.nama_pelaksana, record.npwp_pelaksana)
    return context.supplier(None, record.nama_penyedia, record.npwp_penyedia)


def _payment(record: Any) -> tuple[object, ...]:
    """What makes two realisasi rows one payment: everything but the RUP that they are booked on and the payee.

    Each of several payees has a row with the whole amount. Counted so, the payments of each of 557 purchases add up to
    its total_realisasi.
    """
    return (
        record.jenis_realisasi,
        _number(record.no_realisasi),
        record.tgl_realisasi,
        record.nilai_realisasi,
        record.ket_realisasi,
    )


# --- small things ----------------------------------------------------------------------------------------------------


def _latest(rows: list[Row]) -> list[Row]:
    """One row a code: the one of the latest fiscal year, where several years' lists hold it or contents differ."""
    latest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda r: (r.code, getattr(r.record, "tahun_anggaran", None) or 0, r.key)):
        latest[row.code] = row
    return list(latest.values())


def _standing_first(rows: list[Row], status_field: str, context: Context, code_list: str = "tenderStatus") -> list[Row]:
    """One row a code, cancelled ones last: the first speaks for the process's tender."""
    return sorted(
        _latest(rows),
        key=lambda r: context.code(SOURCE, code_list, status_field, getattr(r.record, status_field)) == "cancelled",
    )


def _by_contract(rows: list[Row], context: Context) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: (r.code, r.key)):
        groups.setdefault(contract_id(row, context), []).append(row)
    return groups


def _once(rows: list[Row], same: Any) -> list[Row]:
    """Rows without those that say the same again."""
    seen: dict[object, Row] = {}
    for row in rows:
        seen.setdefault(same(row.record), row)
    return list(seen.values())


_AROUND_SLASH = re.compile(r"\s*([/.-])\s*")
_DIGIT = re.compile(r"\d")


def _number(text: str | None) -> str:
    """A document's number without what clerks vary: blanks around signs, capitals."""
    return scrub(_AROUND_SLASH.sub(r"\1", _blanks(text) or "").upper()) or ""


def _named(kind: str, number: str | None) -> str:
    """The title of a document: what it is and, where it has one, its number."""
    return " ".join(filter(None, (kind, scrub(_blanks(number)))))


def _blanks(text: str | None) -> str | None:
    return " ".join(text.split()) if text else None


def _digest(parts: tuple[object, ...]) -> str:
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()[:12]


# Contract papers and payments, with the service that announces their codes.
_STANDALONE = {
    **dict.fromkeys((name for name in _KINDS if name.startswith("SPSE-TenderEkontrak")), "SPSE-TenderPengumuman"),
    **dict.fromkeys((name for name in _KINDS if name.startswith("SPSE-NonTenderEkontrak")), "SPSE-NonTenderPengumuman"),
    "SPSE-PencatatanNonTenderRealisasi": "SPSE-PencatatanNonTender",
    "SPSE-PencatatanSwakelolaRealisasi": "SPSE-PencatatanSwakelola",
}

MAPPING = SourceMapping(
    SOURCE,
    mappers={
        "SPSE-TenderPengumuman": tender_pengumuman,
        "SPSE-NonTenderPengumuman": nontender_pengumuman,
        "SPSE-TenderSelesai": tender_selesai,
        "SPSE-JadwalTahapanTender": jadwal,
        "SPSE-JadwalTahapanNonTender": jadwal,
        "SPSE-PesertaTender": peserta,
        "SPSE-TenderSelesaiNilai": selesai_nilai,
        "SPSE-NonTenderSelesai": nontender_selesai,
        "SPSE-TenderEkontrak-1SPPBJ": sppbj,
        "SPSE-NonTenderEkontrak-1SPPBJ": sppbj,
        "SPSE-TenderEkontrak-2Kontrak": kontrak,
        "SPSE-NonTenderEkontrak-2Kontrak": kontrak,
        "SPSE-TenderEkontrak-3SPMKSPP": spmk,
        "SPSE-NonTenderEkontrak-3SPMKSPP": spmk,
        "SPSE-TenderEkontrak-4BAPBAST": bapbast,
        "SPSE-NonTenderEkontrak-4BAPBAST": bapbast,
        "SPSE-PencatatanNonTender": pencatatan,
        "SPSE-PencatatanSwakelola": pencatatan_swakelola,
        "SPSE-PencatatanNonTenderRealisasi": realisasi,
        "SPSE-PencatatanSwakelolaRealisasi": realisasi,
        "Ecat-PaketEPurchasingV6": ecat_v6,
        "Ecat-PaketEPurchasing": ecat_v5,
        "Bela-TokoDaringRealisasi": toko_daring,
    },
    references=references,
    evidence=evidence,
    identifying=IDENTIFYING,
    evident=EVIDENT,
    suppliers=_SUPPLIER_CODES,
    announcing=tuple(_REFERRING),
    awaited=AWAITED,
    standalone=_STANDALONE,
    histories=_CONTRACTS,
)
