"""SIMPEN -> OCDS: milestones, progress over time, photos and documents of the contracts that its jobs carry out.

Jobs open no process: they come with the process of the contract that they are linked to, and say nothing while that
contract is not known. Whose contract it is, its value and its status, is for others to say.
"""

import hashlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from schemas.fields import point
from transforms.documents import document
from transforms.evidence import Evidence
from transforms.mapping import Body, Context, Partial, Row, SourceMapping
from transforms.parties import scrub, supplier_keys, tax_numbers
from transforms.rows import code_text

SOURCE = "simpen"

EVIDENT = ("SIMPEN-Pekerjaan",)

# Field of the date, field of the paper's number, code, title, type of milestone.
_MILESTONES = (
    ("tgl_spmk", "nomor_spmk", "SPMK", "SPMK (perintah mulai kerja)", "commencement"),
    ("tgl_mc0", None, "MC-0", "MC-0 (pemeriksaan bersama pertama)", "assessment"),
    ("tgl_pho", "nomor_pho", "PHO", "PHO (serah terima pertama)", "delivery"),
    ("tgl_fho", "nomor_fho", "FHO", "FHO (serah terima akhir)", "delivery"),
)
_ASPECTS = {"fisik": "Realisasi fisik", "keuangan": "Realisasi keuangan"}
_PERCENT = {"scheme": "UNCEFACT", "id": "P1", "name": "percent"}
# How far a reported deviation may be from what its two percentages give: each of the three may be rounded.
_ROUNDED = 0.02


def evidence(service: str, record: Any) -> Iterator[Evidence]:
    """The evidence of which contract a job carries out; its reports and photos add none."""
    if service != "SIMPEN-Pekerjaan":
        return
    place = point(record.latitude, record.longitude)
    digits = tax_numbers(record.npwp_penyedia)
    name = scrub(record.nama_pekerjaan)
    supplier = scrub(record.nama_penyedia)
    yield Evidence(
        ("pekerjaan", code_text(record.pekerjaan_id)),
        record.tahun,
        record.kd_satker,
        record.nama_satker,
        rups=tuple(("rup", code) for code in record.kode_rup),
        numbers=(record.nomor_kontrak,) if record.nomor_kontrak else (),
        suppliers=(supplier,) if supplier else (),
        taxes=tuple(key for _, key in supplier_keys(None, digits)),
        amounts=tuple(float(amount) for amount in (record.nilai_kontrak, record.nilai_adendum) if amount),
        dates=tuple(day[:10] for day in (record.tanggal_kontrak, record.tgl_spmk) if day),
        titles=(name,) if name else (),
        villages=(record.desa,) if record.desa else (),
        districts=(record.kecamatan,) if record.kecamatan else (),
        points=(place,) if place else (),
    )


def pekerjaan(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Pekerjaan: the milestones that were met. Where nobody else knows when the work ended, its first handover stands
    for that."""
    for job, versions in _by_job(rows).items():
        row = versions[-1]
        record = row.record
        ended = record.tgl_pho if context.happened(row, record.tgl_pho) else None
        milestones = [
            {
                "id": f"{SOURCE}-{job}-{code.replace('-', '').lower()}",
                "title": title,
                "type": sort,
                "code": code,
                "number": scrub(number and getattr(record, number)),
                **(
                    {"dateMet": context.moment(day), "status": "met"}
                    if context.happened(row, day)
                    else {"dueDate": context.moment(day), "status": "scheduled"}
                ),
            }
            for date, number, code, title, sort in _MILESTONES
            if (day := getattr(record, date))
        ]
        yield from _of_contract(
            versions,
            context,
            {
                "milestones": milestones,
                "endDate": context.moment(ended, end=True),
                "endDateDetails": "Tanggal PHO" if ended else None,
            },
        )


def progres(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Progres: physical and financial progress as metrics. What was planned is agreed, what was reached is implemented;
    in both a metric and its observation of a report have the same id."""
    for job, reports in _by_job(rows).items():
        agreed, reached = (
            [
                {"id": f"{SOURCE}-{job}-{aspect}", "title": title, "observations": found}
                for aspect, title in _ASPECTS.items()
                if (found := _observations(reports, aspect, told, context))
            ]
            for told in (_planned, _reached)
        )
        yield from _of_contract(
            reports,
            context,
            {"metrics": reached},
            agreedMetrics=agreed,
        )


def _observations(
    reports: list[Row], aspect: str, told: Callable[[Row, str, Context], Iterator[Body]], context: Context
) -> list[Body]:
    """One aspect of progress over all reports, in their order; of two with one day and number the first counts."""
    found: dict[str, list[Body]] = {}
    for row in sorted(reports, key=lambda r: (r.record.tanggal_pelaksanaan or "", r.record.nomor_pelaksanaan or "")):
        found[_report(row)] = found.get(_report(row)) or list(told(row, aspect, context))
    return list(chain.from_iterable(found.values()))


def _planned(row: Row, aspect: str, context: Context) -> Iterator[Body]:
    """What one report says was planned of one aspect."""
    if (planned := getattr(row.record, f"rencana_{aspect}")) is not None:
        yield _observation(row, planned, context)


def _reached(row: Row, aspect: str, context: Context) -> Iterator[Body]:
    """What one report says was reached of one aspect. Problems and actions stand with the physical progress, or with
    the financial one where there is no other. The deviation that it gives is told where it is not known without it."""
    record = row.record
    planned, actual, deviation = (getattr(record, f"{part}_{aspect}") for part in ("rencana", "realisasi", "deviasi"))
    words = (("Permasalahan", scrub(record.permasalahan)), ("Tindakan", scrub(record.tindakan)))
    notes = "\n".join(f"{head}: {text}" for head, text in words if text)
    if actual is not None:
        has_notes = aspect == "fisik" or record.realisasi_fisik is None
        yield _observation(row, actual, context) | {"notes": notes if has_notes else None}
    if deviation is None:
        return
    if planned is not None and actual is not None:
        if abs(deviation - round(actual - planned, 2)) <= _ROUNDED:
            return
        context.signals.add((SOURCE, context.service, f"deviasi_{aspect}", "is not realisasi less rencana"))
    kind = {"id": f"{_report(row)}-deviasi", "dimensions": {"kind": "deviation"}}
    yield _observation(row, deviation, context) | kind


def _observation(row: Row, measure: float, context: Context) -> Body:
    day = row.record.tanggal_pelaksanaan
    return {"id": _report(row), "period": context.period(day, day), "measure": measure, "unit": _PERCENT}


def _report(row: Row) -> str:
    """The id of a report: its day and number."""
    named = "-".join(filter(None, (row.record.tanggal_pelaksanaan, row.record.nomor_pelaksanaan)))
    return named or hashlib.sha256(row.key.encode()).hexdigest()[:12]


def dokumentasi(rows: list[Row], context: Context) -> Iterator[Partial]:
    """Dokumentasi: photos and documents by their addresses."""
    for job, papers in _by_job(rows).items():
        found = [
            document(
                f"{SOURCE}-{job}",
                row.record.url,
                context,
                kind=context.code(SOURCE, "documentType", "jenis", row.record.jenis),
                title=row.record.judul,
                description=row.record.keterangan,
                date=row.record.tanggal,
            )
            for row in papers
        ]
        documents = {paper["id"]: paper for paper in found if paper}
        yield from _of_contract(papers, context, {"documents": list(documents.values())})


def _of_contract(rows: list[Row], context: Context, implementation: Body, **more: Any) -> Iterator[Partial]:
    """What one job's rows give of its contract, most of it of the implementation; nothing while the contract is not
    known."""
    job = rows[0].code
    numbers = (row.record.nomor_kontrak for row in context.rows.get("SIMPEN-Pekerjaan", ()) if row.code == job)
    contract = context.contract("pekerjaan", rows[0], *numbers)
    if contract and any((*implementation.values(), *more.values())):
        name, award = contract
        body = {"id": name, "awardID": award, **more, "implementation": implementation}
        yield Partial({"contracts": [body]}, tuple(rows))


def _by_job(rows: list[Row]) -> dict[str, list[Row]]:
    """Rows by job, each once: as the list of the latest year has it."""
    once = {row.key: row for row in sorted(rows, key=lambda r: (r.record.tahun or 0, r.scope, r.key))}
    jobs: dict[str, list[Row]] = {}
    for row in sorted(once.values(), key=lambda r: (r.code, r.record.tahun or 0, r.key)):
        jobs.setdefault(row.code, []).append(row)
    return jobs


MAPPING = SourceMapping(
    SOURCE,
    mappers={
        "SIMPEN-Pekerjaan": pekerjaan,
        "SIMPEN-Progres": progres,
        "SIMPEN-Dokumentasi": dokumentasi,
    },
    evidence=evidence,
    evident=EVIDENT,
)
