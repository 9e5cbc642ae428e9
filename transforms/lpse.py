"""LPSE/SPSE, e-catalogue and recorded purchases -> OCDS: tender, bids, awards, contracts and their execution.

Ids: `tender.id` is the attempt's kind and code; an award is the attempt's code and its supplier, so that a replaced
winner is another award; a contract is the attempt's code and the contract's number; orders and recorded purchases are
one award and one contract each, named by their kind and code, the award also by its suppliers. Self-managed work has a
contract and no award.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from schemas.fields import SupplierRecord
from schemas.lpse import SERVICES, PencatatanSwakelolaRealisasi
from transforms import codes, facts, mak
from transforms.budget import account_category, account_items, plan_budget, product_item
from transforms.evidence import Evidence
from transforms.identity import Code, RupReference
from transforms.mapping import (
    Body,
    Context,
    Fact,
    Partial,
    Row,
    SourceMapping,
    by_code,
    fields_of,
    filled,
    money,
    parties,
    reference,
)
from transforms.parties import (
    SUPPLIER_SCHEME,
    has_code,
    names_organisation,
    office_party,
    payee_party,
    plain_name,
    scrub,
    supplier_keys,
    tax_numbers,
)

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

# Services whose rows are evidence of whom records of other systems belong to.
EVIDENT = tuple(service.name for service in SERVICES if service.kind and not service.name.startswith("SPSE-Jadwal"))

# Who announces the codes of a kind: while that service does not answer, no process is opened for a new one of them.
AWAITED = {"tender": ("SPSE-TenderPengumuman",), "nontender": ("SPSE-NonTenderPengumuman",)}


def references(service: str, record: Any) -> Iterator[RupReference]:
    """The RUPs that an attempt, order or recorded purchase names."""
    if service not in _REFERRING:
        return
    kind = _KINDS[service] or ""
    own, priority = (kind, getattr(record, _OWN_CODES[service])), _REFERRING[service]
    rups = _rups("swk" if kind == "swakelola" else "rup", filled(record, "kd_rup_paket", "kd_rup") or ())
    if kind not in ("tender", "nontender"):
        yield RupReference(own, rups, priority)
        return
    status = filled(record, f"status_{kind}")
    yield RupReference(
        own,
        rups,
        priority,
        created=filled(record, "tgl_buat_paket"),
        package=filled(record, "kd_pkt_dce", "kd_paket"),
        version=filled(record, f"versi_{kind}") or 1,
        # Some years' rows have no status: a higher version of its package alone shows that this one failed.
        failed=not status
        or codes.table(SOURCE).get(("tenderStatus", codes.plain(status))) in ("unsuccessful", "cancelled"),
    )


def _rups(kind: str, named: Iterable[str]) -> tuple[Code, ...]:
    return tuple((kind, code) for code in named)


# The evidence of which payments and reports belong to a purchase: per field of `Evidence` the rows' own fields.
# Estimates (hps), shares and instalments are no amounts of a contract; a price offered stands in for the agreed one.
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
    """The evidence of which payments and reports belong to a purchase."""
    kind = _KINDS.get(service)
    if kind is None or service.startswith("SPSE-Jadwal"):
        return
    if service == "SPSE-PesertaTender" and not record.pemenang:
        return

    def given(*names: str) -> list[Any]:
        return [value for name in fields_of(record, *names) if (value := getattr(record, name))]

    named = scrub(next(iter(given("nama_penyedia", "nama_pelaksana", "merchant_name")), None))
    digits = tax_numbers(*given("npwp_penyedia", "npwp_penyedia_16", "npwp_pelaksana"))
    amounts = given(*_EVIDENT_AMOUNTS) or given(*_EVIDENT_OFFERS)
    numbers = given("no_kontrak", "no_paket")
    if given("jenis_realisasi") and record.jenis_realisasi in _AGREEMENTS:
        numbers += given("no_realisasi")
    rups = next(iter(given("kd_rup_paket", "kd_rup")), ())
    lines = next(iter(given("mak", "kode_anggaran")), ())
    place = scrub(next(iter(given("lokasi_pekerjaan")), None))
    statuses = (
        codes.table(SOURCE).get((code_list, codes.plain(word)))
        for name, code_list in _EVIDENT_STATUS.items()
        for word in given(name)
    )
    yield Evidence(
        (kind, getattr(record, _OWN_CODES[service])),
        record.tahun_anggaran,
        record.office.code,
        record.nama_satker,
        rups=_rups("swk" if kind == "swakelola" else "rup", rups),
        maks=tuple(dict.fromkeys(line for line in map(mak.canonical, lines) if line)),
        numbers=tuple(dict.fromkeys(number for number in numbers if _DIGIT.search(number))),
        letters=tuple(number for number in given("no_sppbj") if _DIGIT.search(number)),
        suppliers=(named,) if named else (),
        supplier_codes=tuple(
            _catalogue_code(code) if service == "Ecat-PaketEPurchasing" else code
            for code in given("kd_penyedia", "kd_penyedia_sikap", "kd_penyedia_v6")
            if code != "0"
        ),
        taxes=tuple(key for what, key in supplier_keys(None, digits) if what == "npwp"),
        amounts=tuple(dict.fromkeys(float(amount) for amount in amounts)),
        budgets=tuple(float(amount) for amount in given("pagu")),
        dates=tuple(dict.fromkeys(date[:10] for date in given(*_EVIDENT_DATES))),
        titles=tuple(dict.fromkeys(text for text in map(scrub, given(*_EVIDENT_TITLES)) if text)),
        villages=(place,) if place else (),
        status=next(filter(None, statuses), None),
    )


# --- announcements ---------------------------------------------------------------------------------------------------


def pengumuman(rows: list[Row], context: Context) -> Iterator[Partial]:
    """TenderPengumuman and NonTenderPengumuman: the attempt as announced."""
    for row in _latest(rows):
        record, kind = row.record, _KINDS[row.service]
        page = f"lelang/{row.code}/pengumumanlelang" if kind == "tender" else f"nontender/{row.code}/pengumumanpl"
        announced = getattr(record, f"tgl_pengumuman_{kind}")
        yield _announcement(row, context, announced or record.tgl_buat_paket, page)


def tender_selesai(rows: list[Row], context: Context) -> Iterator[Partial]:
    """TenderSelesai: the same words as the announcement, for when that is missing."""
    for row in _latest(rows):
        yield _announcement(row, context, row.record.tgl_penetapan_pemenang or row.record.tgl_pengumuman_tender)


def _announcement(row: Row, context: Context, event: str | None, page: str | None = None) -> Partial:
    record, status_field = row.record, f"status_{_KINDS[row.service]}"
    status = getattr(record, status_field)
    office = context.office(record)
    title = scrub(record.nama_paket)
    category = record.jenis_pengadaan
    consulting = codes.table(SOURCE).get(("additionalCategory", codes.plain(category or "")))
    evaluation = filled(record, "mtd_evaluasi")
    place = scrub(filled(record, "lokasi_pekerjaan"))
    return Partial(
        {
            "title": title,
            "buyer": reference(office),
            "planning": {"budget": plan_budget(context, record, record.kd_rup, record.mak, record.sumber_dana)},
            "tender": {
                "id": own_id(row),
                "title": title,
                "status": context.code(SOURCE, "tenderStatus", status_field, status),
                "statusDetails": _words(status, filled(record, "ket_ditutup")),
                "value": money(record.hps),
                "procurementMethod": context.code(SOURCE, "method", "mtd_pemilihan", record.mtd_pemilihan),
                "procurementMethodDetails": record.mtd_pemilihan,
                "mainProcurementCategory": context.code(SOURCE, "category", "jenis_pengadaan", category),
                "additionalProcurementCategories": [consulting] if consulting else None,
                "awardCriteria": context.code(SOURCE, "awardCriteria", "mtd_evaluasi", evaluation),
                "awardCriteriaDetails": evaluation,
                "eligibilityCriteria": record.kualifikasi_paket and f"Kualifikasi usaha: {record.kualifikasi_paket}",
                "submissionMethod": ["electronicSubmission"],
                "submissionMethodDetails": filled(record, "mtd_kualifikasi"),
                "contractPricing": record.kontrak_pembayaran,
                "procuringEntity": reference(office),
                "location": context.location(place, record.nama_paket),
                "items": account_items(record.mak),
                "documents": [
                    {
                        "id": f"{row.code}-notice",
                        "documentType": "tenderNotice",
                        "url": f"{record.url_lpse.rstrip('/')}/{page}",
                        "datePublished": _fact(context, row, event),
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


def _words(status: str | None, reason: str | None) -> str | None:
    """A status in the source's words, with the reason that it gives."""
    return ": ".join(filter(None, (status, scrub(reason)))) or None


def _fact(context: Context, row: Row, day: str | None) -> str | None:
    """The time of an event, once it has come."""
    return context.moment(day) if context.happened(row, day) else None


def _reached(context: Context, row: Row, day: str | None) -> Body:
    """When a milestone was met, or is due; nothing where no day is known."""
    if day is None:
        return {}
    if context.happened(row, day):
        return {"dateMet": context.moment(day), "status": "met"}
    return {"dueDate": context.moment(day), "status": "scheduled"}


_BIDDING = re.compile("upload dokumen penawaran", re.IGNORECASE)
_ENQUIRIES = re.compile("penjelasan dokumen (?:lelang|tender|pemilihan)|pemberian penjelasan", re.IGNORECASE)
_DECISION = re.compile("penetapan pemenang", re.IGNORECASE)


def _stage_period(stages: list[Row], named: re.Pattern[str], context: Context) -> Body | None:
    """The period of the stages of a name, from the first one's start to the last one's end."""
    found = [r.record for r in stages if named.search(_blanks(r.record.nama_tahapan or r.record.nama_akt) or "")]
    starts = [record.tgl_awal for record in found if record.tgl_awal]
    ends = [record.tgl_akhir for record in found if record.tgl_akhir]
    return context.period(min(starts, default=None), max(ends, default=None))


def jadwal(rows: list[Row], context: Context) -> Iterator[Partial]:
    """JadwalTahapan: the planned stages as milestones, without a status: whether they were kept is not known. Bids may
    be handed in while "Upload Dokumen Penawaran" lasts."""
    for attempt, stages in by_code(rows).items():
        yield Partial(
            {
                "tender": {
                    "id": own_id(stages[0]),
                    "enquiryPeriod": _stage_period(stages, _ENQUIRIES, context),
                    "awardPeriod": _stage_period(stages, _DECISION, context),
                    "tenderPeriod": _stage_period(stages, _BIDDING, context),
                    "milestones": [
                        {
                            "id": name,
                            "title": _blanks(row.record.nama_tahapan or row.record.nama_akt),
                            "type": "tenderStage",
                            "code": row.record.kd_akt,
                            "description": row.record.tgl_awal and f"Mulai {row.record.tgl_awal.replace('T', ' ')}",
                            "dueDate": context.moment(row.record.tgl_akhir, end=True),
                        }
                        for name, row in _named_stages(attempt, stages)
                    ],
                }
            },
            tuple(stages),
        )


def _named_stages(attempt: str, stages: list[Row]) -> Iterator[tuple[str, Row]]:
    """The stages of a schedule with the ids of their milestones."""
    repeated = {stage for stage, times in Counter(row.record.kd_akt for row in stages).items() if times > 1}
    for position, row in enumerate(stages, 1):
        yield f"{attempt}-{_stage(row.record, repeated) or position}", row


def _stage(record: Any, repeated: set[str | None]) -> str | None:
    """What names a stage: its code, which both of LKPP's interfaces have, where the attempt has it once."""
    own: str | None = record.dtj_id if record.kd_akt in repeated else None
    return own or record.kd_akt or record.dtj_id or record.kd_tahapan


def peserta(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PesertaTender: those who bid are tenderers; the others only registered and are counted."""
    for attempt, registered in by_code(rows).items():
        present = [row for row in registered if row.record.kd_peserta or row.record.kd_penyedia]
        bidders = []
        for row in present:
            record = row.record
            party = _supplier(record, context)
            if record.nilai_penawaran is not None and party:
                bidders.append((row, party))
        tenderers = {party["id"]: reference(party) for _, party in bidders}
        decided = any(row.record.pemenang for row, _ in bidders)
        yield Partial(
            {
                "tender": {
                    "id": own_id(registered[0]),
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
                            "id": _bid_id(row),
                            # Once there is a winner all bids have been looked at; a refused one has a reason.
                            "status": "disqualified" if row.record.alasan else "valid" if decided else "pending",
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


def _bid_id(row: Row) -> str:
    return row.record.kd_peserta or f"{row.code}-{row.record.kd_penyedia}"


def _winning_bid(attempt: str, supplier: Body, context: Context) -> str | None:
    """The bid of an award's supplier."""
    for row in context.of(attempt, "SPSE-PesertaTender"):
        won = row.record.pemenang and row.record.nilai_penawaran is not None
        if won and supplier["id"] == f"{SUPPLIER_SCHEME}-{row.record.kd_penyedia}":
            return _bid_id(row)
    return None


# --- awards ----------------------------------------------------------------------------------------------------------


_CONTRACTS = ("SPSE-TenderEkontrak-2Kontrak", "SPSE-NonTenderEkontrak-2Kontrak")


def selesai_nilai(rows: list[Row], context: Context) -> Iterator[Partial]:
    """TenderSelesaiNilai: winner and amounts; without a winner (still running) only the tender's amounts."""
    for row in _latest(rows):
        record = row.record
        supplier = _supplier(record, context)
        yield Partial(
            {
                "planning": {"budget": plan_budget(context, record, record.kd_rup_paket, record.mak, ())},
                "tender": {"id": own_id(row), "value": money(record.hps)},
                "awards": [_award(row, supplier, _fact(context, row, record.tgl_penetapan_pemenang), context)]
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
        supplier = _supplier(record, context)
        # tgl_selesai_nontender is no event but the end of the schedule, often still to come; SPPBJ dates the award.
        announced = _announcement(row, context, None)
        award = _award(row, supplier, None, context) if supplier else None
        if award and announced.body["tender"].get("status") != "complete" and not _appointed(row.code, context):
            award["status"] = "pending"
        announced.body["awards"] = [award] if award else None
        announced.body["parties"] = [*announced.body["parties"], *parties(supplier)]
        yield announced


def _appointed(attempt: str, context: Context) -> bool:
    """Whether an attempt's supplier has an appointment letter or a contract."""
    return _has_letter(attempt, context) or bool(_contracts_of(attempt, context))


def _supplier(record: SupplierRecord, context: Context) -> Body | None:
    """The supplier that a row names by code, name and tax numbers."""
    return context.supplier(record.kd_penyedia, record.nama_penyedia, record.npwp_penyedia, record.npwp_penyedia_16)


def _award(row: Row, supplier: Body, date: str | None, context: Context) -> Body:
    record = row.record
    amounts = (record.nilai_negosiasi, record.nilai_terkoreksi, record.nilai_penawaran)
    return {
        "id": award_id(row.code, supplier),
        "title": scrub(filled(record, "nama_paket")),
        "status": _outcome(row.code, context),
        "date": date,
        "value": money(next((amount for amount in amounts if amount is not None), None)),
        "suppliers": [reference(supplier)],
        "relatedBid": _winning_bid(row.code, supplier, context),
    }


def award_id(attempt: str, supplier: Body | None) -> str:
    """An award is an attempt's choice of one supplier."""
    return f"{attempt}-{supplier['id'].rpartition('-')[2]}" if supplier else f"{attempt}-unnamed"


def _standing(attempt: str, supplier: Body | None, context: Context) -> str:
    """The status of an award that a letter or contract names: papers of a winner who was replaced may stay on."""
    winners = {
        f"{SUPPLIER_SCHEME}-{row.record.kd_penyedia}"
        for row in context.of(attempt, "SPSE-TenderSelesaiNilai", "SPSE-NonTenderSelesai")
        if row.record.kd_penyedia
    }
    replaced = winners and supplier and has_code(supplier) and supplier["id"] not in winners
    return "cancelled" if replaced else _outcome(attempt, context)


def _outcome(attempt: str, context: Context) -> str:
    """The status of an attempt's award: that of a failed attempt came to nothing, unless it was signed all the same;
    one that has only a letter (SPPBJ) is pending until the contract is signed."""
    if _contracts_of(attempt, context):
        return "active"
    words = [row.record.status_tender for row in context.of(attempt, "SPSE-TenderPengumuman")]
    words += [row.record.status_nontender for row in context.of(attempt, "SPSE-NonTenderPengumuman")]
    status = codes.table(SOURCE).get(("tenderStatus", codes.plain(words[0] or ""))) if words else None
    if status in ("unsuccessful", "cancelled"):
        return status
    return "pending" if _has_letter(attempt, context) else "active"


def _has_letter(attempt: str, context: Context) -> bool:
    """Whether an attempt has an appointment letter: a row of its own, or a number in a row without a contract."""
    if context.of(attempt, "SPSE-TenderEkontrak-1SPPBJ", "SPSE-NonTenderEkontrak-1SPPBJ"):
        return True
    return any(_number(row.record.no_sppbj) for row in context.of(attempt, *_CONTRACTS))


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
            awards.setdefault(
                award_id(attempt, supplier),
                {
                    "id": award_id(attempt, supplier),
                    "title": scrub(record.nama_paket),
                    "status": _standing(attempt, supplier, context),
                    "date": _fact(context, row, record.tgl_sppbj),
                    "value": money(record.harga_final),
                    "suppliers": [reference(supplier)],
                    "number": _paper_number(record.no_sppbj),
                    "relatedBid": _winning_bid(attempt, supplier, context),
                },
            )
        yield Partial({"awards": list(awards.values()), "parties": parties(*named)}, tuple(letters))


# --- contracts -------------------------------------------------------------------------------------------------------


def contract_id(row: Row, context: Context) -> str | None:
    """A contract is its attempt's code and its number, blanks and capitals aside. A paper without the contract's number
    belongs to the attempt's only contract; None where there is none, or several."""
    if number := _number(row.record.no_kontrak):
        return f"{row.code}-{number}"
    names = {contract_id(version, context) for version in _contracts_of(row.code, context)}
    return names.pop() if len(names) == 1 else None


def _contracts_of(attempt: str, context: Context) -> list[Row]:
    """The rows of an attempt's contracts. INAPROC has a row for each attempt, also where there is no contract."""
    return [row for row in context.of(attempt, *_CONTRACTS) if _number(row.record.no_kontrak)]


def kontrak(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Kontrak: one contract; further versions of it are its addenda, whose words replace the earlier ones'."""
    for attempt, found in by_code(rows).items():
        # A row without a contract: at most a letter.
        for row in () if _contracts_of(attempt, context) else found:
            supplier = _of_attempt(row, context)
            if row.record.no_sppbj and supplier:
                letter: Body = {
                    "id": award_id(attempt, supplier),
                    "title": scrub(row.record.nama_paket),
                    "status": _standing(attempt, supplier, context),
                    "number": _paper_number(row.record.no_sppbj),
                    "suppliers": [reference(supplier)],
                }
                yield Partial({"awards": [letter], "parties": parties(supplier)}, (row,))
    for contract, versions in _by_contract([row for row in rows if _number(row.record.no_kontrak)], context).items():
        versions.sort(key=_version)
        row, signed = versions[-1], versions[0].record.tgl_kontrak
        record = row.record
        supplier = _of_attempt(row, context)
        office = context.office(record)
        award = award_id(row.code, supplier)
        status = context.code(SOURCE, "contractStatus", "status_kontrak", record.status_kontrak)
        if status == "active" and not context.happened(versions[0], signed):
            status = "pending"
        amendments = {v.record.versi_addendum: v for v in versions if v.record.versi_addendum}
        initial = _initial_value(versions)
        context.values[contract] = (
            record.nilai_kontrak if initial is None else initial,
            [(f"addendum-{number}", v.record.tgl_kontrak, v.record.nilai_kontrak) for number, v in amendments.items()],
        )
        yield Partial(
            {
                "awards": [
                    {
                        "id": award,
                        "title": scrub(record.nama_paket),
                        "status": _standing(row.code, supplier, context),
                        "value": money(record.nilai_kontrak),
                        "suppliers": [reference(supplier)] if supplier else None,
                        "relatedBid": _winning_bid(row.code, supplier, context) if supplier else None,
                    }
                ],
                "contracts": [
                    {
                        "id": contract,
                        "awardID": award,
                        "title": scrub(record.nama_paket),
                        "description": scrub(record.lingkup_pekerjaan),
                        "status": status,
                        "statusDetails": _words(record.status_kontrak, record.alasan_penetapan_status_kontrak),
                        "value": money(record.nilai_kontrak),
                        "initialValue": money(initial),
                        "localContentValue": money(record.nilai_pdn_kontrak),
                        "microEnterpriseValue": money(record.nilai_umk_kontrak),
                        # The text names members, persons among them perhaps: their number alone is given.
                        "consortiumSize": (record.anggota_kso or "").count("Nama Anggota KSO") or None,
                        "dateSigned": _fact(context, versions[0], signed),
                        "period": context.period(record.tgl_kontrak_awal, record.tgl_kontrak_akhir)
                        if (record.tgl_kontrak_awal or "") < (record.tgl_kontrak_akhir or "")
                        else None,
                        "agreements": [
                            {
                                "id": f"kontrak-{_number(version.record.no_kontrak)}",
                                "type": "Kontrak",
                                "number": _paper_number(version.record.no_kontrak),
                                "date": _fact(context, version, version.record.tgl_kontrak),
                                "value": money(version.record.nilai_kontrak),
                            }
                            for version in _once(versions, lambda r: _number(r.no_kontrak))
                        ],
                        "guarantees": list(_guarantees(row, context)),
                        "amendments": [
                            {
                                "id": f"addendum-{number}",
                                # An addendum that keeps the contract's number repeats its date.
                                "date": _fact(context, version, version.record.tgl_kontrak)
                                if version.record.tgl_kontrak != signed
                                else None,
                                "description": f"Addendum {number}",
                                "rationale": scrub(version.record.alasan_addendum),
                            }
                            for number, version in amendments.items()
                        ],
                    }
                ],
                "parties": parties(supplier, office),
            },
            tuple(versions),
        )


def _version(row: Row) -> tuple[int, str, str]:
    return row.record.versi_addendum or 0, row.record.tgl_kontrak or "", row.key


def _guarantees(row: Row, context: Context) -> Iterator[Body]:
    """The performance guarantee that the letter of a contract asks for."""
    letters = context.of(row.code, "SPSE-TenderEkontrak-1SPPBJ", "SPSE-NonTenderEkontrak-1SPPBJ")
    own = [r.record for r in letters if _number(r.record.no_sppbj) == _number(row.record.no_sppbj)]
    own.sort(key=lambda record: record.versi_addendum or 0)
    if own and own[-1].nilai_jaminan_pelaksanaan:
        yield {
            "id": "jaminan-pelaksanaan",
            "type": "performance",
            "value": money(own[-1].nilai_jaminan_pelaksanaan),
            "period": {"durationInDays": own[-1].masa_berlaku_jaminan or None},
        }


def _initial_value(versions: list[Row]) -> float | int | None:
    """A contract's value before its first addendum, of the row of version 0, also where the addendum's has taken its
    place; None where there is no addendum."""
    if not versions[-1].record.versi_addendum:
        return None
    numbers = {_number(v.record.no_kontrak) for v in versions} | {_number(v.record.no_sppbj) for v in versions}
    earlier = (
        record
        for record in versions[-1].earlier
        if _number(record.no_kontrak) in numbers or _number(record.no_sppbj) in numbers
    )
    first = [record for record in (*(v.record for v in versions), *earlier) if not record.versi_addendum]
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
                                "title": "SPMK/SPP",
                                "type": "commencement",
                                "code": "SPMK",
                                "number": _paper_number(row.record.no_spmk_spp),
                                "description": scrub(row.record.waktu_penyelesaian),
                                **_reached(context, row, row.record.tgl_spmk_spp),
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
        ended = [
            r.record.tgl_bast
            for r in handovers
            if r.record.status_kontrak == "Kontrak Selesai" and context.happened(r, r.record.tgl_bast)
        ]
        passed = [r for r in payments if context.happened(r, r.record.tgl_bap)]
        progress = [r for r in passed if r.record.progres_pekerjaan is not None]
        certified = [r for r in passed if r.record.besar_pembayaran is not None]
        metrics = [
            {
                "id": "physicalProgress",
                "title": "Progres pekerjaan",
                "observations": [
                    {
                        "id": _bap_id(row),
                        "period": context.period(None, row.record.tgl_bap),
                        "measure": row.record.progres_pekerjaan,
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
                                        "title": "BAP",
                                        "type": "payment",
                                        "code": "BAP",
                                        "number": _paper_number(row.record.no_bap),
                                        "value": money(row.record.besar_pembayaran),
                                        "description": row.record.cara_pembayaran_kontrak,
                                        **_reached(context, row, row.record.tgl_bap),
                                    }
                                    for row in payments
                                ),
                                *(
                                    {
                                        "id": f"bast-{_digest(_bast(row.record))}",
                                        "title": "BAST",
                                        "type": "delivery",
                                        "code": "BAST",
                                        "number": _paper_number(row.record.no_bast),
                                        **_reached(context, row, row.record.tgl_bast),
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
    same name lends his. A document that names nobody is about the attempt's only supplier."""
    record = row.record
    others = [o.record for o in context.of(row.code, *_SUPPLIER_SERVICES) if o.record.nama_penyedia]
    form = filled(record, "bentuk_usaha_penyedia")
    name = plain_name(record.nama_penyedia)
    names = {plain_name(other.nama_penyedia) for other in others}
    if not name and len(names) == 1:
        record = others[0]
        name = names.pop()
    coded = (filled(other, "kd_penyedia") for other in others if plain_name(other.nama_penyedia) == name)
    kd_penyedia = filled(record, "kd_penyedia") or next(filter(None, coded), None)
    form = form or filled(record, "bentuk_usaha_penyedia")
    return context.supplier(kd_penyedia, record.nama_penyedia, record.npwp_penyedia, record.npwp_penyedia_16, form=form)


# --- recorded purchases, self-managed work, orders -------------------------------------------------------------------


def pencatatan(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PencatatanNonTender: a purchase made outside SPSE: one award and one contract."""
    status = "status_nontender_pct_ket"
    for row in _standing_first(rows, status, context):
        record = row.record
        yield _recording(row, context, status, method=record.mtd_pemilihan, category=record.kategori_pengadaan)


def pencatatan_swakelola(rows: list[Row], context: Context) -> Iterator[Partial]:
    """PencatatanSwakelola: self-managed work has no procurement method and no award: its payments have a payer and a
    payee."""
    status = "status_swakelola_pct_ket"
    for row in _standing_first(rows, status, context):
        kind = row.record.tipe_swakelola_nama
        # Most name no type, of which the plan may know.
        details = f"Swakelola {kind.lower()}" if kind else None if context.planned else "Swakelola"
        partial = _recording(row, context, status, details=details)
        del partial.body["awards"]
        yield partial


def _recording(
    row: Row,
    context: Context,
    status_field: str,
    *,
    method: str | None = None,
    details: str | None = None,
    category: str | None = None,
) -> Partial:
    record = row.record
    return _purchase(
        row,
        context,
        record.nama_paket,
        status_field,
        record.total_realisasi,
        description=record.uraian_pekerjaan,
        budget=plan_budget(context, record, record.kd_rup, (), record.sumber_dana),
        why=record.alasan_pembatalan,
        contract={
            "period": context.period(record.tgl_mulai_paket, record.tgl_selesai_paket),
            "localContentValue": money(record.nilai_pdn_pct),
            "microEnterpriseValue": money(record.nilai_umk_pct),
        },
        method=method,
        details=details,
        category=category,
    )


def ecat_v6(rows: list[Row], context: Context) -> Iterator[Partial]:
    """E-catalogue v6: one order, one award, one contract. The order names its supplier by code only."""
    for row in _standing_first(rows, "status_pkt", context, "orderTenderStatus"):
        record = row.record
        in_sikap = record.kd_penyedia_sikap not in (None, "0")
        code = record.kd_penyedia_sikap if in_sikap else record.kd_penyedia_v6
        alone = len(record.product_ids) == 1
        items = [
            product_item(product, record.mak, record.jml_produk if alone else None) for product in record.product_ids
        ]
        delivery = context.code(SOURCE, "deliveryStatus", "status_pengiriman", record.status_pengiriman)
        arrived = {
            "id": "pengiriman",
            "title": "Pengiriman",
            "type": "delivery",
            "description": record.status_pengiriman,
            "status": delivery,
        }
        yield _purchase(
            row,
            context,
            record.rup_nama_pkt,
            "status_pkt",
            record.total_harga,
            awarded=record.tgl_order,
            lists="order",
            method="E-Purchasing",
            details="E-Purchasing (mini kompetisi)" if record.flag_minikom else None,
            budget=plan_budget(context, record, record.kd_rup, record.mak, record.sumber_dana),
            accounts=record.mak,
            supplier=context.supplier(code, None) if code else None,
            contract={
                "items": items,
                "implementation": {"milestones": [arrived]} if record.status_pengiriman else None,
            },
            delivered=record.status_pengiriman == "COMPLETED",
        )


def ecat_v5(rows: list[Row], context: Context) -> Iterator[Partial]:
    """E-catalogue v5: a row is a product of an order, equal rows are as many products; the order is their sum."""
    for rows_of_order in by_code(rows).values():
        products = _products(rows_of_order)
        row = rows_of_order[-1]
        record = row.record
        amounts = [product.total_harga for product in products if product.total_harga is not None]
        items: dict[str, Body] = {}
        for product in products:
            item = product_item(product.kd_produk or "-", record.kode_anggaran, product.kuantitas)
            item["unit"] = {"value": money(product.harga_satuan)}
            if (same := items.setdefault(item["id"], item)) is not item and item["quantity"] is not None:
                same["quantity"] = (same["quantity"] or 0) + item["quantity"]
        partial = _purchase(
            row,
            context,
            record.nama_paket,
            "paket_status_str" if record.paket_status_str else "status_paket",
            record.total if record.total is not None else sum(amounts) if amounts else None,
            awarded=record.tanggal_buat_paket,
            lists="order",
            method="E-Purchasing",
            budget=plan_budget(context, record, record.kd_rup, record.kode_anggaran, record.nama_sumber_dana),
            accounts=record.kode_anggaran,
            supplier=context.supplier(_catalogue_code(record.kd_penyedia), None) if record.kd_penyedia else None,
            contract={"items": list(items.values()), "agreements": _order_paper(record.no_paket)},
        )
        yield Partial(partial.body, tuple(rows_of_order))


def _catalogue_code(number: str) -> str:
    """The code of a supplier that e-catalogue v5 numbers: it counts its own, so that SPSE gives the same number to
    somebody else."""
    return f"ecat.{number}"


def _order_paper(number: str | None) -> list[Body]:
    found = _paper_number(number)
    return [{"id": "pesanan", "type": "Surat Pesanan", "number": found}] if found else []


def _products(rows: list[Row]) -> list[Any]:
    """The products of an order, in the order of their rows; where all stand twice, each once."""
    records = [row.record for row in rows]
    alike: dict[tuple[object, ...], list[Any]] = {}
    for record in records:
        content = (record.kd_produk, record.kd_paket_produk, record.kuantitas, record.harga_satuan, record.total_harga)
        alike.setdefault(content, []).append(record)
    twice = all(len(same) % 2 == 0 for same in alike.values())
    if twice and len(records) == 2 * (records[0].jml_jenis_produk or 0):
        return [record for same in alike.values() for record in same[: len(same) // 2]]
    return records


def toko_daring(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Toko Daring: an order in an online shop, the sum of its lines; the lines of another time are the order once more.
    Only one that the shop confirms is an award."""
    for lines in by_code(rows).values():
        times: dict[str, list[Row]] = {}
        for line in lines:
            times.setdefault(line.record.tanggal_transaksi or "", []).append(line)
        latest = times[max(times)]
        amounts = [line.record.valuasi for line in latest if line.record.valuasi is not None]
        row = latest[-1]
        record = row.record
        partial = _purchase(
            row,
            context,
            record.order_desc,
            "status_konfirmasi_ppmse" if record.status_konfirmasi_ppmse else "status_verif",
            sum(amounts) if amounts else None,
            awarded=min(times) or None,
            lists="shop",
            method="Toko Daring",
            why=record.keterangan_ppmse if (record.status_konfirmasi_ppmse or "").lower() == "gagal" else None,
            supplier=context.supplier(None, record.merchant_name) if record.merchant_name else None,
        )
        yield Partial(partial.body, tuple(lines))


_STATUS_LISTS = {
    "recorded": ("tenderStatus", "awardStatus", "contractStatus"),
    "order": ("orderTenderStatus", "orderAwardStatus", "orderContractStatus"),
    "shop": ("shopTenderStatus", "shopAwardStatus", "shopContractStatus"),
}


# Codes of different kinds overlap, and orders and purchases of several kinds meet in one process.
_KINDS = {service.name: service.kind for service in SERVICES}
_OWN_CODES = {service.name: service.key[0] for service in SERVICES}


def own_id(row: Row) -> str:
    """Kind and code of a row, since codes of two kinds overlap: the id of its attempt's tender; of an order or recorded
    purchase also that of its contract, and of its award where no supplier is known."""
    return f"{_KINDS[row.service]}-{row.code}"


def _purchase(
    row: Row,
    context: Context,
    title: str | None,
    status_field: str,
    amount: float | int | None,
    *,
    awarded: str | None = None,
    lists: str = "recorded",
    description: str | None = None,
    budget: Body | None = None,
    accounts: Iterable[str] = (),
    method: str | None = None,
    details: str | None = None,
    category: str | None = None,
    supplier: Body | None = None,
    contract: Body | None = None,
    delivered: bool = False,
    why: str | None = None,
) -> Partial:
    """A direct order or recorded purchase: its tender (where no attempt has one), its award and its contract.

    An order is placed (`awarded`) on a known day. Of a recorded purchase only the day of its record is known, which is
    often long after the payments.
    """
    office = context.office(row.record)
    purchase = own_id(row)
    award = award_id(purchase, supplier) if supplier else recorded_award(purchase, _payees(row, context))
    title = scrub(title)
    status = getattr(row.record, status_field)
    tender_status, award_status, contract_status = (
        context.code(SOURCE, code_list, status_field, status) for code_list in _STATUS_LISTS[lists]
    )
    if delivered and contract_status == "active":
        contract_status = "terminated"
    ordered = _fact(context, row, awarded)
    bought = context.code(SOURCE, "category", "kategori_pengadaan", category) or account_category(accounts)
    consulting = codes.table(SOURCE).get(("additionalCategory", codes.plain(category or "")))
    return Partial(
        {
            "title": title,
            "buyer": reference(office),
            "planning": {"budget": budget},
            "tender": {
                "id": own_id(row),
                "title": title,
                "description": scrub(description),
                "status": tender_status,
                "statusDetails": _words(status, why),
                "procurementMethod": context.code(SOURCE, "method", "mtd_pemilihan", method),
                "procurementMethodDetails": details or method,
                "mainProcurementCategory": bought,
                "additionalProcurementCategories": [consulting] if consulting else None,
                "procuringEntity": reference(office),
                "location": context.location(None, title, description),
                "items": account_items(accounts),
            },
            "awards": [
                {
                    "id": award,
                    "title": title,
                    "status": award_status,
                    "statusDetails": _words(status, why),
                    "date": ordered,
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
                    "statusDetails": _words(status, why),
                    "value": money(amount),
                    # Until it is confirmed an order is an offer.
                    "dateSigned": ordered if contract_status in ("active", "terminated") else None,
                    **(contract or {}),
                }
            ],
            "parties": parties(office, supplier),
        },
        (row,),
    )


def realisasi(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Realisasi of recorded purchases and self-managed work: agreements are papers of the contract, the rest payments;
    their values together are the purchase's total_realisasi.

    The note on a payment (ket_realisasi) stays behind, and so does a number without a digit: both name officials and
    others who were paid.
    """
    for found in by_code(rows).values():
        purchase = own_id(found[0])
        header = _header(found[0], context)
        payer = context.office((header or found[0]).record)
        self_managed = isinstance(found[0].record, PencatatanSwakelolaRealisasi)
        payees: dict[str, Body] = {}
        agreements, transactions, due = [], [], []
        for row, number in _realised(found):
            record = row.record
            payee = _payee(row, context)
            if payee:
                payees[payee["id"]] = payee
            entry = {
                "id": f"{purchase}-{_digest(_payment(record))}" + (f"-{number}" if number > 1 else ""),
                "type": record.jenis_realisasi,
                "number": _paper_number(record.no_realisasi),
                "value": money(record.nilai_realisasi),
            }
            if record.jenis_realisasi in _AGREEMENTS:
                # Of a purchase the supplier is the award's; self-managed work has none to name the other party.
                party = {"payee": reference(payee)} if self_managed else {}
                agreements.append({**entry, **party, "date": _fact(context, row, record.tgl_realisasi)})
            elif context.happened(row, record.tgl_realisasi):
                paid = {"date": context.moment(record.tgl_realisasi), "payer": reference(payer)}
                transactions.append({**entry, **paid, "payee": reference(payee)})
            else:
                planned = {"type": "payment", "title": record.jenis_realisasi or "Realisasi"}
                due.append({**entry, **planned, **_reached(context, row, record.tgl_realisasi)})
        suppliers = {} if self_managed else {party: reference(each) for party, each in payees.items()}
        award = recorded_award(purchase, suppliers)
        yield Partial(
            {
                "awards": [{"id": award, "suppliers": list(suppliers.values())}] if suppliers else None,
                "contracts": [
                    {
                        "id": purchase,
                        "awardID": award,
                        # Where the record itself is gone, what was paid shows that the contract stands.
                        "status": "active" if header is None and transactions else None,
                        "dateSigned": min((each["date"] for each in agreements if each["date"]), default=None),
                        "agreements": agreements,
                        "implementation": {"transactions": transactions, "milestones": due},
                    }
                ],
                "parties": parties(payer, *payees.values()),
            },
            tuple(found),
        )


def _header(row: Row, context: Context) -> Row | None:
    """The recorded purchase or self-managed work that a realisasi row belongs to."""
    return next(iter(context.of(row.code, row.service.removesuffix("Realisasi"))), None)


def _realised(rows: list[Row]) -> Iterator[tuple[Row, int]]:
    """The payments and agreements of one purchase, each with its number among equal ones.

    The rows have no key: equal ones are as many payments. A payment on several RUPs has a row for each of them, with
    the whole amount. Where they are not total_realisasi together, as where each of several payees has a row with the
    whole amount, that is for a quality check to find.
    """
    alike: dict[tuple[object, ...], dict[object, list[Row]]] = {}
    for row in rows:
        rups = filled(row.record, "kd_rup_paket")
        alike.setdefault(_payment(row.record), {}).setdefault(rups, []).append(row)
    for by_rup in alike.values():
        for number, row in enumerate(_longest(by_rup.values()), 1):
            yield row, number


def _longest(groups: Iterable[list[Row]]) -> list[Row]:
    return max(groups, key=len)


def recorded_award(purchase: str, suppliers: Iterable[str]) -> str:
    """The id of a recorded purchase's award, named by those who were paid: an award whose suppliers are others is
    another award."""
    named = sorted(suppliers)
    if not named:
        return purchase
    return f"{purchase}-{named[0].rpartition('-')[2]}" if len(named) == 1 else f"{purchase}-{_digest(tuple(named))}"


def _payees(row: Row, context: Context) -> list[str]:
    """The ids of the suppliers who were paid for a recorded purchase; self-managed work has none."""
    if row.service != "SPSE-PencatatanNonTender":
        return []
    payments = context.of(row.code, f"{row.service}Realisasi")
    return sorted({party["id"] for payment in payments if (party := _payee(payment, context))})


def _payee(row: Row, context: Context) -> Body | None:
    """Who was paid: a supplier, or for self-managed work an office, a group, a firm, or persons."""
    record = row.record
    if not isinstance(record, PencatatanSwakelolaRealisasi):
        return context.supplier(None, record.nama_penyedia, record.npwp_penyedia, record.npwp_penyedia_16)
    known = context.supplier(None, record.nama_pelaksana, record.npwp_pelaksana)
    if known and has_code(known) and names_organisation(known):
        return known
    name = plain_name(record.nama_pelaksana)
    header = _header(row, context)
    if header and name and name == plain_name(header.record.nama_satker):
        return context.office(header.record)
    if dotted := context.offices.get((SOURCE, name)):
        return office_party(record.kd_klpd or context.kd_klpd, dotted, record.nama_pelaksana)
    return payee_party(record.nama_pelaksana)


def _payment(record: Any) -> tuple[object, ...]:
    """What makes two realisasi rows equal: everything but the RUP that they are booked on."""
    return (
        record.jenis_realisasi,
        _number(record.no_realisasi),
        record.tgl_realisasi,
        record.nilai_realisasi,
        record.ket_realisasi,
        plain_name(filled(record, "nama_penyedia", "nama_pelaksana")),
    )


# --- what analysts ask for besides -----------------------------------------------------------------------------------


def attempt_facts(rows: list[Row], context: Context) -> Iterator[Fact]:
    """An attempt, order or recording: what its row has of it, and its account codes."""
    for row in _latest(rows):
        record = row.record
        office = context.office(record)
        of_row = {"fiscal_year": record.tahun_anggaran, "office_id": office and office["id"]}
        yield Fact("attempt", (own_id(row),), {**facts.columns(facts.ATTEMPT, record), **of_row})
        for line in filled(record, "mak", "kode_anggaran") or ():
            if mak.canonical(line):
                yield Fact("attempt_account", (own_id(row), line), facts.account_columns(line))


def finished_facts(rows: list[Row], context: Context) -> Iterator[Fact]:
    """A finished attempt: also what was offered and agreed."""
    yield from attempt_facts(rows, context)
    for row in _latest(rows):
        if supplier := _supplier(row.record, context):
            yield Fact("award", (award_id(row.code, supplier),), facts.columns(facts.AWARD, row.record))


def registrant_facts(rows: list[Row], context: Context) -> Iterator[Fact]:
    """Who registered for a tender, and of those who bid what became of it."""
    for registered in by_code(rows).values():
        present = [row for row in registered if row.record.kd_peserta or row.record.kd_penyedia]
        attempt = own_id(registered[0])
        if present:
            yield Fact("attempt", (attempt,), {"registrants": len(present)})
        for row in present:
            record = row.record
            party = _supplier(record, context)
            has_bid = record.nilai_penawaran is not None and party is not None
            named = {"supplier_id": party and party["id"], "has_bid": has_bid}
            yield Fact("registrant", (attempt, _bid_id(row)), named, party and {**party, "roles": ["registrant"]})
            if has_bid:
                yield Fact("bid", (_bid_id(row),), facts.columns(facts.BID, record))


def contract_facts(rows: list[Row], context: Context) -> Iterator[Fact]:
    """A contract, in the words of its latest version."""
    for contract, versions in _by_contract([row for row in rows if _number(row.record.no_kontrak)], context).items():
        for row in sorted(versions, key=_version, reverse=True):
            yield Fact("contract", (contract,), facts.columns(facts.CONTRACT, row.record))


def schedule_facts(rows: list[Row], context: Context) -> Iterator[Fact]:
    """When the stages of a schedule begin."""
    for attempt, stages in by_code(rows).items():
        for name, row in _named_stages(attempt, stages):
            yield Fact("stage_event", ("tender", name), {"start_at": row.record.tgl_awal})


# --- small things ----------------------------------------------------------------------------------------------------


def _latest(rows: list[Row]) -> list[Row]:
    """One row a code: the one of the latest fiscal year, where several years' lists hold it or contents differ."""
    latest: dict[str, Row] = {}
    for row in sorted(rows, key=lambda r: (r.code, r.record.tahun_anggaran or 0, r.key)):
        latest[row.code] = row
    return list(latest.values())


def _standing_first(rows: list[Row], status_field: str, context: Context, code_list: str = "tenderStatus") -> list[Row]:
    """One row a code, cancelled ones last: the first stands for the process's tender."""
    return sorted(
        _latest(rows),
        key=lambda r: context.code(SOURCE, code_list, status_field, getattr(r.record, status_field)) == "cancelled",
    )


def _by_contract(rows: list[Row], context: Context) -> dict[str, list[Row]]:
    """Rows by the contract that they are papers of; those of none are left out."""
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: (r.code, r.key)):
        if contract := contract_id(row, context):
            groups.setdefault(contract, []).append(row)
    return groups


def _once(rows: list[Row], same: Any) -> list[Row]:
    """Rows without those that repeat an earlier one."""
    seen: dict[object, Row] = {}
    for row in rows:
        seen.setdefault(same(row.record), row)
    return list(seen.values())


_AROUND_SLASH = re.compile(r"\s*([/.-])\s*")
_DIGIT = re.compile(r"\d")


def _number(text: str | None) -> str:
    """A document's number without what clerks vary: blanks around signs, capitals."""
    return scrub(_AROUND_SLASH.sub(r"\1", _blanks(text) or "").upper()) or ""


def _paper_number(number: str | None) -> str | None:
    """A document's number as its clerk wrote it; nothing where there is no digit in it: that may be a name."""
    return scrub(_blanks(number)) if _DIGIT.search(number or "") else None


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
        "SPSE-TenderPengumuman": pengumuman,
        "SPSE-NonTenderPengumuman": pengumuman,
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
    facts={
        **dict.fromkeys(
            (
                "SPSE-TenderPengumuman",
                "SPSE-NonTenderPengumuman",
                "SPSE-TenderSelesai",
                "SPSE-PencatatanNonTender",
                "SPSE-PencatatanSwakelola",
                "Ecat-PaketEPurchasingV6",
                "Ecat-PaketEPurchasing",
                "Bela-TokoDaringRealisasi",
            ),
            attempt_facts,
        ),
        "SPSE-TenderSelesaiNilai": finished_facts,
        "SPSE-NonTenderSelesai": finished_facts,
        "SPSE-PesertaTender": registrant_facts,
        **dict.fromkeys(_CONTRACTS, contract_facts),
        "SPSE-JadwalTahapanTender": schedule_facts,
        "SPSE-JadwalTahapanNonTender": schedule_facts,
    },
    references=references,
    evidence=evidence,
    identifying=IDENTIFYING,
    evident=EVIDENT,
    announcing=tuple(_REFERRING),
    awaited=AWAITED,
    standalone=_STANDALONE,
    histories=_CONTRACTS,
)
